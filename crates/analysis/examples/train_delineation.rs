//! Makes the weights of the delineator from the annotated records of the Lobachevsky University
//! database, and says how well they do on records that they were not made from.
//!
//! usage: train_delineation [cross OUT.jsonl FOLDS | WEIGHTS.bin]
//! `cross` leaves out every record once, in folds, writes what is then found in it, and scores it.

// A program beside the crate: it may do what the crate may not.
#![allow(
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used
)]

#[path = "shared/lines.rs"]
mod lines;
#[allow(dead_code)]
#[path = "../tests/score/mod.rs"]
mod score;
#[allow(dead_code)]
#[path = "../tests/wfdb/mod.rs"]
mod wfdb;

use std::collections::BTreeMap;
use std::sync::Mutex;

use precordia_analysis::Delineation;
use precordia_analysis::delineation::training::{Case, Mark, MarkedWave, Weights, fit};
use precordia_synth::{Noise, QrsShape, Random, Spec, SynthRhythm, synthesize};

const SEED: u64 = 1;
const WORDS: &str = "\
Weights of the wave delineator of Precordia (crates/analysis/src/delineation).
Made by: cargo run --release -p precordia-analysis --features training --example train_delineation
Contains information from the Lobachevsky University Electrocardiography Database (LUDB, Kalyakulina
et al. 2020), which is made available under the ODC Attribution License
(https://opendatacommons.org/licenses/by/1-0/): the 100 records of the development half.
Beside them: recordings made by the synthesizer of Precordia.
The weights are licensed as the program is.";

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let marked = score::ludb();
    eprintln!("{} records", marked.len());
    let cases: Vec<(score::Marked, Case)> = marked
        .into_iter()
        .map(|marked| {
            let case = case_of(&marked);
            (marked, case)
        })
        .collect();
    let made = made();
    match &arguments[..] {
        [mode, out, folds] if mode == "cross" => cross(&cases, &made, out, folds.parse().unwrap()),
        [out] => {
            let all: Vec<&Case> = cases.iter().map(|(_, case)| case).chain(&made).collect();
            std::fs::write(out, fit(&all, SEED).to_bytes(WORDS))
        }
        _ => {
            eprintln!("usage: train_delineation [cross OUT.jsonl FOLDS | WEIGHTS.bin]");
            std::process::exit(2);
        }
    }
}

fn case_of(marked: &score::Marked) -> Case {
    let mut marks = Vec::new();
    for (trace, waves) in marked.marks.iter().enumerate() {
        marks.extend(waves.iter().filter_map(|mark| {
            let wave = match mark.wave {
                wfdb::Wave::P => MarkedWave::P,
                wfdb::Wave::Qrs => MarkedWave::Qrs,
                wfdb::Wave::T => MarkedWave::T,
            };
            let place = |at: Option<i64>| at.map(|at| at as f64);
            let (onset, offset) = (place(mark.onset), place(mark.offset));
            Some(Mark { trace, wave, onset, peak: place(mark.peak)?, offset })
        }));
    }
    Case { signal: marked.record.recording().rhythm, marks }
}

/// Recordings made by the synthesizer, whose boundaries are where the signal departs: without them
/// the networks would see in every corner the soft foot of the cardiographs that they know.
fn made() -> Vec<Case> {
    (0..MADE).map(|seed| made_case(&mut Random::stream(seed, 77), seed)).collect()
}

const MADE: u64 = 48;
/// A wave lower than this in a lead is not marked in it.
const MARKED_UV: f32 = 20.0;

fn made_case(random: &mut Random, seed: u64) -> Case {
    let mut between = |low: f64, high: f64| low + (high - low) * random.unit();
    let rate_bpm = between(42.0, 130.0);
    let p_ms = between(70.0, 130.0);
    let qrs_shape = match seed % 6 {
        0 => QrsShape::LeftBundleBranchBlock,
        1 => QrsShape::RightBundleBranchBlock,
        _ => QrsShape::Normal,
    };
    let qrs_ms = if seed % 6 < 2 { between(120.0, 170.0) } else { between(66.0, 120.0) };
    let rhythm = match seed % 8 {
        7 => SynthRhythm::AtrialFibrillation { f_wave_uv: between(0.0, 50.0) },
        3 => SynthRhythm::SinusWithEctopy { every: 4 },
        _ => SynthRhythm::Sinus,
    };
    let spec = Spec {
        rate_bpm,
        rhythm,
        p_ms,
        pr_ms: p_ms + between(14.0, 120.0),
        qrs_ms,
        qrs_shape,
        qt_ms: (60.0 / rate_bpm).sqrt() * between(370.0, 460.0) + 0.4 * (qrs_ms - 90.0),
        p_uv: between(60.0, 220.0),
        qrs_uv: between(500.0, 2000.0),
        t_uv: between(100.0, 600.0),
        p_axis_deg: between(0.0, 90.0),
        qrs_axis_deg: between(-90.0, 120.0),
        t_axis_deg: between(-30.0, 120.0),
        seed,
        ..Spec::default()
    };
    let noise = Noise {
        muscle_uv: between(0.0, 1.0).powi(2) * 25.0,
        wander_uv: between(0.0, 150.0),
        ..Noise::default()
    };
    let clean = synthesize(&spec);
    let signal = synthesize(&Spec { noise, ..spec }).recording.rhythm;
    let mut marks = Vec::new();
    for (trace, samples) in clean.recording.rhythm.traces.iter().enumerate() {
        for beat in &clean.truth.beats {
            let waves = [
                (MarkedWave::P, beat.p),
                (MarkedWave::Qrs, Some(beat.qrs)),
                (MarkedWave::T, Some(beat.t)),
            ];
            for (wave, place) in waves {
                let Some(place) = place else { continue };
                let (from, to) = (place.onset.max(0.0) as usize, place.offset.max(0.0) as usize);
                let Some(part) = samples.samples_uv.get(from..=to) else { continue };
                let line = 0.5 * (part[0] + part[part.len() - 1]);
                let height = part.iter().fold(0.0_f32, |m, x| m.max((x - line).abs()));
                if wave != MarkedWave::Qrs && height < MARKED_UV {
                    continue;
                }
                let middle = 0.5 * (place.onset + place.offset);
                let peak = if wave == MarkedWave::Qrs { f64::from(beat.r_peak) } else { middle };
                marks.push(Mark {
                    trace,
                    wave,
                    onset: Some(place.onset),
                    peak,
                    offset: Some(place.offset),
                });
            }
        }
    }
    Case { signal, marks }
}

/// Leaves out every record once, in folds, two folds at a time; what is found in them is written
/// and scored.
fn cross(
    cases: &[(score::Marked, Case)],
    made: &[Case],
    out: &str,
    folds: usize,
) -> std::io::Result<()> {
    let next = Mutex::new(0..folds);
    let found: Mutex<BTreeMap<usize, Delineation>> = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(fold) = next.lock().unwrap().next() else { break };
                    let others = cases.iter().enumerate().filter(|(k, _)| k % folds != fold);
                    let train: Vec<&Case> = others.map(|(_, (_, case))| case).chain(made).collect();
                    let weights: Weights = fit(&train, SEED);
                    for (k, (_, case)) in
                        cases.iter().enumerate().filter(|(k, _)| k % folds == fold)
                    {
                        let delineation = weights.delineate(&case.signal);
                        found.lock().unwrap().insert(k, delineation);
                    }
                    eprintln!("fold {fold} done");
                }
            });
        }
    });
    let mut lines = Vec::new();
    let mut total = score::LudbScore::default();
    for (k, delineation) in found.into_inner().unwrap() {
        let (marked, case) = &cases[k];
        total.add(marked, &delineation);
        let name = &marked.record.name;
        lines::write(&mut lines, name, &marked.record, &case.signal, &delineation)?;
    }
    score::print(
        "LUDB, each lead, records that the weights were not fitted on",
        &total.leads,
        false,
    );
    score::print("LUDB, all leads together", &total.global, false);
    score::print_intervals(&total.intervals);
    std::fs::write(out, lines)
}
