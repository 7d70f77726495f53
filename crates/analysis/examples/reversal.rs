//! Fits the model of exchanged electrodes and prints how well it tells them, as Markdown.
//!
//! `cargo run --release -p precordia-analysis --example reversal [--write]`; the corpus is found by
//! `PRECORDIA_CORPUS`. With `--write` the shipped model is replaced.

#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "../tests/wfdb/mod.rs"]
mod wfdb;

use std::path::{Path, PathBuf};

use precordia_analysis::measure;
use precordia_analysis::reversal::{Segments, fit};

fn main() {
    let root = std::env::var_os("PRECORDIA_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let mut names = Vec::new();
    let mut correct = Vec::new();
    for folder in ["annotated/ludb/data", "annotated/cinc2021"] {
        for path in headers(&root.join(folder)) {
            let Some(recording) = wfdb::read(&path) else { continue };
            let measured = measure(&recording);
            if let Ok(segments) = Segments::of(&recording.rhythm, &measured) {
                names.push(path.file_stem().unwrap().to_string_lossy().into_owned());
                correct.push(segments);
            }
        }
    }
    let fitted = fit(&correct).expect("enough recordings");
    println!("{} recordings, each scored by a model that has not seen it\n", correct.len());
    println!("| exchange | sensitivity | specificity | named though correct |");
    println!("|---|---|---|---|");
    for (swap, scores) in &fitted.scores {
        let limit = fitted.model.limit(*swap).unwrap();
        let found = scores.iter().filter(|score| -**score > limit).count();
        let wrong: Vec<&str> = scores
            .iter()
            .zip(&names)
            .filter(|(score, _)| **score > limit)
            .map(|(_, name)| &name[..])
            .collect();
        let share = |count: usize| 100.0 * count as f64 / scores.len() as f64;
        println!(
            "| {} | {:.1} % ({found}/{}) | {:.1} % | {} |",
            swap.name(),
            share(found),
            scores.len(),
            100.0 - share(wrong.len()),
            wrong.join(" ")
        );
    }
    if std::env::args().any(|argument| argument == "--write") {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/reversal/model.txt");
        std::fs::write(path, fitted.model.to_text()).unwrap();
    }
}

fn headers(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "hea"));
    paths.sort();
    paths
}
