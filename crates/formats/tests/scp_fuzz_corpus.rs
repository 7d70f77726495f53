//! The corpus of the fuzz target `scp`, in every ordinary test run.
//!
//! With `PRECORDIA_WRITE_CORPUS=1` in the environment its first files are written anew.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

#[path = "support/scp.rs"]
mod support;

use std::path::PathBuf;

use support::*;

fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/scp")
}

/// Short leads, a slow interval, so that a file has some hundred bytes.
fn small() -> Scp {
    let mut made = Scp::new(&[(1, beats(220, 300)), (2, beats(220, 500))]);
    made.tags.push((14, vec![0; 41]));
    made
}

fn first_files() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let tables = [("raw", Tables::Raw), ("default", Tables::Default), ("own", own_tables())];
    for (name, tables) in tables {
        for difference in 0..3 {
            let made = small().coded(tables.clone(), difference);
            files.push((format!("{name}_{difference}"), made.bytes()));
        }
    }
    let reference = Reference {
        leads: [300, 500].map(steep).to_vec(),
        fiducial: 41,
        beats: vec![(0, 61, 101, 160)],
        protected: vec![(81, 120)],
        subtract: true,
        interval_us: 2000,
        multiplier_nv: 2500,
    };
    let subtracted = Scp { reference: Some(reference), ..small() };
    files.push(("subtracted".into(), subtracted.bytes()));
    files.push(("bimodal".into(), Scp { bimodal: Some(4), ..subtracted }.bytes()));
    let mut sequential = small();
    sequential.leads[1].1 = 221;
    files.push(("sequential".into(), sequential.bytes()));
    files.push(("zero_based".into(), record(20, &small().bodies(), 0)));
    let mut global = vec![1, 1, 32, 3, 47, 117, 100, 0, 210, 0, 4, 1, 94, 1, 128, 2];
    global.extend([45, 0, 226, 255, 231, 3]);
    global.extend([210, 4, 36, 250, 1, 0, 2, 0, 244, 1]);
    global.extend([1, 0, 0, 75, 0, 47, 117, 175, 1, 1, 0, 0]);
    let says = small()
        .with(7, &global)
        .with(8, &[0, 229, 7, 5, 6, 7, 8, 9, 1, 1, 3, 0, b'S', b'R', 0])
        .with(10, &[1, 0, 4, 0, 1, 0, 4, 0, 92, 0, 47, 117])
        .with(11, &[0, 229, 7, 5, 6, 7, 8, 9, 1, 1, 4, 0, 1, b'S', b'R', 0]);
    files.push(("says".into(), says.bytes()));
    files
}

#[test]
fn every_file_of_the_fuzz_corpus_is_answered() {
    let files = std::fs::read_dir(corpus()).expect("the fuzz corpus belongs to the project");
    let (mut answered, mut read_well) = (0, 0);
    for file in files {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        answered += 1;
        read_well += usize::from(read_bytes(&bytes).is_ok());
    }
    assert!(
        answered >= 14 && read_well >= 14,
        "{read_well} of {answered} files of the corpus were read"
    );
}

#[test]
fn the_first_files_of_the_corpus_are_what_they_are_made_of() {
    let write = std::env::var_os("PRECORDIA_WRITE_CORPUS").is_some();
    for (name, made) in first_files() {
        let path = corpus().join(format!("{name}.scp"));
        if write {
            std::fs::write(&path, &made).unwrap();
        }
        let kept = std::fs::read(&path).unwrap_or_else(|cause| panic!("{name}: {cause}"));
        assert!(kept == made, "{name} differs; is the corpus to be written anew?");
    }
}
