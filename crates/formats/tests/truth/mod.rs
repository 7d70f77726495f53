//! The shared corpus, where it is installed, and what its truth says of a file of several parts.
//!
//! `PRECORDIA_CORPUS` names it.

#![allow(
    dead_code,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stderr,
    clippy::unwrap_used
)]

use std::path::{Path, PathBuf};

use precordia_formats::{Part, named_files, read};
use precordia_model::{Recording, Refusal, Signal};
use serde_json::Value;

pub fn corpus() -> Option<PathBuf> {
    let path = std::env::var_os("PRECORDIA_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    path.is_dir().then_some(path)
}

pub fn load(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()))
}

/// A file and those that it names from the same folder, as the command line passes them. Some of
/// the corpus carry their source before their name.
pub fn read_file(path: &Path) -> Result<Recording, Refusal> {
    let loaded = with_named_files(path);
    let parts: Vec<Part<'_>> = loaded.iter().map(|(name, bytes)| Part { name, bytes }).collect();
    read(&parts)
}

pub fn with_named_files(path: &Path) -> Vec<(String, Vec<u8>)> {
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    let source = name.split_once("__").map_or(String::new(), |(source, _)| format!("{source}__"));
    let mut loaded = vec![(name, load(path))];
    let mut next = 0;
    while next < loaded.len() {
        for name in named_files(&loaded[next].1) {
            let beside = path.with_file_name(format!("{source}{name}"));
            if loaded.iter().all(|(known, _)| *known != name) && beside.is_file() {
                loaded.push((name, load(&beside)));
            }
        }
        next += 1;
    }
    loaded
}

pub fn rows(corpus: &Path, formats: &[&str]) -> Vec<Value> {
    let text = std::fs::read_to_string(corpus.join("variants/truth.jsonl"))
        .expect("the corpus has its truth");
    let rows = text.lines().map(|line| serde_json::from_str(line).expect("JSON lines"));
    rows.filter(|row: &Value| formats.contains(&row["format"].as_str().unwrap_or_default()))
        .collect()
}

fn strings(row: &Value, key: &str) -> Vec<String> {
    let list = row[key].as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()
}

fn is_close(read: f64, truth: f64) -> bool {
    (read - truth).abs() <= f64::max(0.001, 1e-6 * truth.abs())
}

/// What differs between a signal and a row of the truth.
fn differences(signal: &Signal, row: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let leads = strings(row, "leads");
    let read: Vec<&str> = signal.leads().map(|lead| lead.name()).take(leads.len()).collect();
    // The modified lead II of Holters is read as II, with a problem that says so.
    if read != leads {
        found.push(format!("leads {read:?}"));
    }
    if row["sampling_hz"].as_f64().is_some_and(|hz| (signal.rate.hz() - hz).abs() > 0.001) {
        found.push(format!("{} Hz", signal.rate.hz()));
    }
    if row["n_samples"].as_u64().is_some_and(|count| signal.len() as u64 != count) {
        found.push(format!("{} samples", signal.len()));
    }
    let middle = row["mid_index"].as_u64().unwrap_or(0) as usize;
    for (key, from) in [("first10", 0), ("mid10", middle)] {
        for (index, values) in row[key].as_array().into_iter().flatten().enumerate() {
            for (offset, expected) in values.as_array().into_iter().flatten().enumerate() {
                let read = signal
                    .traces
                    .get(index)
                    .and_then(|trace| trace.samples_uv.get(from + offset))
                    .map_or(f64::INFINITY, |&uv| f64::from(uv));
                let agrees = expected.as_f64().map_or(read.is_nan(), |truth| is_close(read, truth));
                if !agrees {
                    found.push(format!("{key} of lead {index} at {offset}: {read} for {expected}"));
                }
            }
        }
    }
    for (index, stats) in row["stats"].as_array().into_iter().flatten().enumerate() {
        let Some(trace) = signal.traces.get(index) else { continue };
        let present = || trace.samples_uv.iter().filter(|uv| !uv.is_nan()).map(|&uv| f64::from(uv));
        let gaps = trace.samples_uv.len() - present().count();
        let least = present().fold(f64::INFINITY, f64::min);
        let sum_abs: f64 = present().map(f64::abs).sum();
        let agree = stats["nulls"].as_u64().is_none_or(|nulls| nulls == gaps as u64)
            && stats["min"].as_f64().is_none_or(|min| is_close(least, min))
            && stats["sum_abs"]
                .as_f64()
                .is_none_or(|sum| (sum - sum_abs).abs() <= 1e-4 * sum.max(1.0) + 0.01);
        if !agree {
            found.push(format!("stats of lead {index}: {least}, {sum_abs}, {gaps} for {stats}"));
        }
    }
    found
}

/// Reads every row of some formats; everything that is not as the truth says.
pub fn failures(corpus: &Path, rows: &[Value]) -> Vec<String> {
    let mut failures = Vec::new();
    for row in rows {
        let file = row["file"].as_str().unwrap_or_default();
        let expected = row["expect"].as_str().map(str::to_owned);
        let outcomes: Vec<String> = expected.into_iter().chain(strings(row, "also_ok")).collect();
        let allowed = |outcome: &str| outcomes.iter().any(|one| one == outcome);
        match read_file(&corpus.join("variants").join(file)) {
            Err(_) if allowed("refuse") => {}
            Err(refusal) => failures.push(format!("{file}: refused: {refusal}")),
            Ok(recording) => {
                let with_problems = allowed("read_with_problems") && !recording.problems.is_empty();
                if !allowed("read") && !with_problems {
                    failures.push(format!("{file}: read, with {:?}", recording.problems));
                }
                let found = differences(&recording.rhythm, row);
                if !found.is_empty() {
                    failures.push(format!("{file}: {}", found.join("; ")));
                }
            }
        }
    }
    failures
}

pub fn skipped(cases: usize) {
    eprintln!("skipped: corpus not found ({cases} cases)");
}
