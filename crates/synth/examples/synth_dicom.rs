//! Writes each ready-made heart as a DICOM file, and beside it the samples that it must hold, for
//! programs of others to judge:
//!
//! `cargo run -p precordia-synth --example synth_dicom -- DIRECTORY`

#![allow(clippy::disallowed_methods)] // An example is a program and may write files.

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;

use precordia_formats::dicom::{self, ObjectIds};
use precordia_model::{Recording, TraceOrigin};
use precordia_synth::{Pattern, Person, Spec, synthesize};

fn main() -> Result<(), Box<dyn Error>> {
    let directory =
        PathBuf::from(std::env::args_os().nth(1).ok_or("usage: synth_dicom DIRECTORY")?);
    std::fs::create_dir_all(&directory)?;
    for (index, (name, spec)) in hearts().into_iter().enumerate() {
        let recording = synthesize(&spec).recording;
        let bytes = dicom::write(&recording, &ids(index))?;
        std::fs::write(directory.join(format!("{name}.dcm")), bytes)?;
        std::fs::write(directory.join(format!("{name}.csv")), samples(&recording)?)?;
    }
    Ok(())
}

/// Every pattern, each for another person; then one spec for each thing that changes the encoding.
fn hearts() -> Vec<(String, Spec)> {
    let patterns = Pattern::ALL.iter().enumerate().map(|(index, &pattern)| {
        let spec = Spec { person: Person::demo(index), ..Spec::pattern(pattern) };
        (pattern.name().to_owned(), spec)
    });
    let normal = Spec::default();
    let encodings = [
        ("rate-250-hz", Spec { sampling_hz: 250.0, ..normal.clone() }),
        ("rate-1000-hz", Spec { sampling_hz: 1000.0, ..normal.clone() }),
        ("step-5-uv", Spec { lsb_uv: 5.0, ..normal.clone() }),
        ("step-2-5-uv", Spec { lsb_uv: 2.5, ..normal }),
    ];
    patterns.chain(encodings.map(|(name, spec)| (name.to_owned(), spec))).collect()
}

fn ids(index: usize) -> ObjectIds {
    // UIDs from UUIDs (PS3.5 B.2): the first is random, the rest follow it.
    const FIRST: u128 = 0x6f1c_2b7e_93d4_4c58_a0e6_7d31_5b90_2c00;
    let uid = |part: usize| format!("2.25.{}", FIRST + (3 * index + part) as u128);
    ObjectIds { sop_instance_uid: uid(0), study_instance_uid: uid(1), series_instance_uid: uid(2) }
}

/// A header of lead names, then a row a sample in microvolts. Derived leads are not in the file.
fn samples(recording: &Recording) -> Result<String, Box<dyn Error>> {
    let traces = &recording.rhythm.traces;
    let recorded: Vec<_> =
        traces.iter().filter(|trace| trace.origin == TraceOrigin::Recorded).collect();
    let names: Vec<String> = recorded.iter().map(|trace| trace.lead.to_string()).collect();
    let mut text = format!("{}\n", names.join(","));
    for row in 0..recording.rhythm.len() {
        let values: Vec<String> =
            recorded.iter().map(|trace| trace.samples_uv[row].to_string()).collect();
        writeln!(text, "{}", values.join(","))?;
    }
    Ok(text)
}
