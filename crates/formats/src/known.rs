//! No two readers know the same bytes, in whatever order they are asked.

#![allow(clippy::disallowed_methods, clippy::print_stderr)]

use std::path::{Path, PathBuf};

use crate::READERS;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
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
        let names: Vec<&str> = READERS
            .iter()
            .filter(|reader| (reader.knows)(&bytes))
            .map(|reader| reader.name)
            .collect();
        assert!(names.len() <= 1, "{}: {names:?}", path.display());
        known += names.len();
    }
    assert!(known > 300, "{known} of {} files are known", all.len());
}
