//! No two readers know the same bytes, in whatever order they are asked.
//! Test that no two readers know the same bytes.

#![allow(clippy::disallowed_methods, clippy::print_stderr)]

use std::path::{Path, PathBuf};

use crate::READERS;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
/// Corpora of the project itself, and the shared one where it is installed.
fn folders() -> Vec<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let shared = std::env::var_os("PRECORDIA_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    if !shared.is_dir() {
        eprintln!("skipped: corpus not found");
    }
    vec![own, shared.join("ecg"), shared.join("variants")]
}

    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn every_file_of_the_corpus_is_known_by_one_reader_at_most() {
    let corpus = std::env::var_os("PRECORDIA_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    if !corpus.is_dir() {
        eprintln!("skipped: corpus not found (some 1300 files)");
        return;
    }
    let mut all = Vec::new();
    files(&corpus, &mut all);
    let mut known = 0;
    for path in &all {
        let bytes = std::fs::read(path).unwrap();
fn no_file_is_known_by_two_readers() {
    let mut found = Vec::new();
    folders().iter().for_each(|folder| files(folder, &mut found));
    assert!(found.len() >= 30, "{} files", found.len());
    for path in found {
        let bytes = std::fs::read(&path).unwrap();
        let names: Vec<&str> = READERS
            .iter()
            .filter(|reader| (reader.knows)(&bytes))
            .map(|reader| reader.name)
            .collect();
        assert!(names.len() <= 1, "{}: {names:?}", path.display());
        known += names.len();
    }
    assert!(known > 300, "{known} of {} files are known", all.len());
        assert!(names.len() <= 1, "{} is known by {names:?}", path.display());
        known += usize::from(!names.is_empty());
    assert!(known >= 20, "{known} files are known");
}
