//! Marks every wave of WFDB records, in every lead and globally, in the form that delineation
//! scores take: a JSON line a wave.
//!
//! usage: delineate OUT.jsonl RECORD.hea...

// A program beside the crate: it may do what the crate may not.
#![allow(clippy::print_stderr, clippy::disallowed_methods, clippy::disallowed_types)]

#[path = "shared/lines.rs"]
mod lines;
#[allow(dead_code)]
#[path = "../tests/wfdb/mod.rs"]
mod wfdb;

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use precordia_analysis::delineate;

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let Some(out) = arguments.next() else {
        eprintln!("usage: delineate OUT.jsonl RECORD.hea...");
        std::process::exit(2);
    };
    let mut file = std::io::BufWriter::new(std::fs::File::create(out)?);
    let (mut spent, mut records) = (Duration::ZERO, 0_u32);
    for name in arguments {
        let Some(record) = wfdb::read_record(Path::new(&name)) else {
            eprintln!("not read: {name}");
            continue;
        };
        let recording = record.recording();
        let start = Instant::now();
        let delineation = delineate(&recording.rhythm);
        spent += start.elapsed();
        records += 1;
        let stem = Path::new(&name).file_stem().map(|s| s.to_string_lossy().into_owned());
        lines::write(
            &mut file,
            &stem.unwrap_or_default(),
            &record,
            &recording.rhythm,
            &delineation,
        )?;
    }
    eprintln!(
        "{records} records, {:.2} ms each",
        spent.as_secs_f64() * 1000.0 / f64::from(records.max(1))
    );
    file.flush()
}
