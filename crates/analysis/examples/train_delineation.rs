//! Makes the weights of the delineator from the annotated records of the Lobachevsky University
//! database, and says how well they do on records that they were not made from.
//!
//! usage: train_delineation [cross OUT.jsonl FOLDS | WEIGHTS.bin]
//! `cross` leaves out every record once, in folds, and writes what is then found in it.

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
#[path = "../tests/wfdb/mod.rs"]
mod wfdb;

use std::path::Path;
use std::sync::Mutex;

use precordia_analysis::delineation::training::{Case, Mark, MarkedWave, Weights, fit};

const SEED: u64 = 1;
const WORDS: &str = "\
Weights of the wave delineator of Precordia (crates/analysis/src/delineation).
Made by: cargo run --release -p precordia-analysis --features training --example train_delineation
Contains information from the Lobachevsky University Electrocardiography Database (LUDB, Kalyakulina
et al. 2020), which is made available under the ODC Attribution License
(https://opendatacommons.org/licenses/by/1-0/): the 100 records of the development half.
The weights are licensed as the program is.";

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let headers = wfdb::headers(&wfdb::annotated().join("ludb/data"));
    let records: Vec<(wfdb::Record, Case)> =
        headers.iter().filter_map(|header| load(header)).collect();
    eprintln!("{} records", records.len());
    match &arguments[..] {
        [mode, out, folds] if mode == "cross" => cross(&records, out, folds.parse().unwrap()),
        [out] => {
            let cases: Vec<&Case> = records.iter().map(|(_, case)| case).collect();
            std::fs::write(out, fit(&cases, SEED).to_bytes(WORDS))
        }
        _ => {
            eprintln!("usage: train_delineation [cross OUT.jsonl FOLDS | WEIGHTS.bin]");
            std::process::exit(2);
        }
    }
}

fn load(header: &Path) -> Option<(wfdb::Record, Case)> {
    let record = wfdb::read_record(header)?;
    let mut marks = Vec::new();
    for (trace, (name, _)) in record.signals.iter().enumerate() {
        let bytes = std::fs::read(header.with_extension(name)).ok()?;
        marks.extend(wfdb::marked_waves(&bytes).into_iter().filter_map(|mark| {
            let wave = match mark.wave {
                wfdb::Wave::P => MarkedWave::P,
                wfdb::Wave::Qrs => MarkedWave::Qrs,
                wfdb::Wave::T => MarkedWave::T,
            };
            let place = |at: Option<i64>| at.map(|at| at as f64);
            Some(Mark {
                trace,
                wave,
                onset: place(mark.onset),
                peak: place(mark.peak)?,
                offset: place(mark.offset),
            })
        }));
    }
    let signal = record.recording().rhythm;
    Some((record, Case { signal, marks }))
}

/// Folds by record, two at a time.
fn cross(records: &[(wfdb::Record, Case)], out: &str, folds: usize) -> std::io::Result<()> {
    let only: Option<usize> = std::env::var("FOLDS_DONE").ok().and_then(|n| n.parse().ok());
    let next = Mutex::new(0..only.unwrap_or(folds));
    let found: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(fold) = next.lock().unwrap().next() else { break };
                    let others = records.iter().enumerate().filter(|(k, _)| k % folds != fold);
                    let cases: Vec<&Case> = others.map(|(_, (_, case))| case).collect();
                    let weights: Weights = fit(&cases, SEED);
                    let mut lines = Vec::new();
                    for (k, (record, case)) in records.iter().enumerate() {
                        if k % folds == fold {
                            let marked = weights.delineate(&case.signal);
                            lines::write(&mut lines, &record.name, record, &case.signal, &marked)
                                .unwrap();
                        }
                    }
                    found.lock().unwrap().extend(lines);
                    eprintln!("fold {fold} done");
                }
            });
        }
    });
    std::fs::write(out, found.into_inner().unwrap())
}
