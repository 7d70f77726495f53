//! What a day costs: 24 h of three leads at 250 Hz, drawn once for ten minutes and repeated, through
//! the streaming measurer in blocks of a second. Prints the time and the highest memory of the
//! whole process.
//!
//! `cargo run --release -p precordia-analysis --example holter`

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::print_stdout)]

use std::time::Instant;

use precordia_analysis::holter::Holter;
use precordia_model::{Lead, SampleRate};
use precordia_synth::{Noise, Spec, SynthRhythm, synthesize};

const RATE_HZ: f64 = 250.0;
const HOURS: usize = 24;
const LEADS: [Lead; 3] = [Lead::II, Lead::V1, Lead::V5];

fn main() {
    let made = synthesize(&Spec {
        rate_bpm: 75.0,
        rhythm: SynthRhythm::SinusWithEctopy { every: 30 },
        sampling_hz: RATE_HZ,
        duration_s: 600.0,
        leads: LEADS.to_vec(),
        noise: Noise { wander_uv: 150.0, mains_uv: 10.0, mains_hz: 50.0, muscle_uv: 12.0 },
        ..Spec::default()
    });
    let rows: Vec<&[f32]> =
        made.recording.rhythm.traces.iter().map(|trace| &trace.samples_uv[..]).collect();
    let len = rows[0].len();
    let block = RATE_HZ as usize;
    let rate = SampleRate::from_hz(RATE_HZ).expect("250 Hz is a rate");
    let mut holter = Holter::new(rate, &LEADS).expect("three leads at 250 Hz");

    let start = Instant::now();
    let seconds = HOURS * 3600;
    for second in 0..seconds {
        let from = second * block % (len - block + 1);
        let parts: Vec<&[f32]> = rows.iter().map(|row| &row[from..from + block]).collect();
        holter.push(&parts).expect("three equal rows");
    }
    let report = holter.finish();
    let took_s = start.elapsed().as_secs_f64();

    println!("| recording | time | beats | ventricular | highest memory |");
    println!("|---|---|---|---|---|");
    println!(
        "| {HOURS} h, {} leads, {RATE_HZ} Hz | {took_s:.2} s | {} | {} | {} |",
        LEADS.len(),
        report.beats.len(),
        report.ectopy.ventricular,
        highest_memory()
    );
}

/// Of this process, where the system tells it.
fn highest_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "not told by this system".to_owned(), |text| text.trim().to_owned())
}
