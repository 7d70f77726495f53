//! The fuzz corpora of the formats of frames, in every ordinary test run.
//!
//! With `PRECORDIA_WRITE_CORPUS=1` in the environment their first files are written anew.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

mod framed;

use std::path::PathBuf;

use framed::*;
use precordia_formats::wfdb::SignalFormat;
use precordia_formats::{edf, wfdb};

fn folder(format: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(format)
}

/// A header and its samples in one file, as the fuzz target takes them.
fn joined(files: &Files) -> Vec<u8> {
    [files[0].1.as_slice(), &[0], files[1].1.as_slice()].concat()
}

fn divided(bytes: &[u8]) -> Files {
    let at = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    let samples = bytes.get(at + 1..).unwrap_or_default().to_vec();
    vec![("made.hea".into(), bytes[..at].to_vec()), ("made.dat".into(), samples)]
}

fn first_files() -> Vec<(&'static str, String, Vec<u8>)> {
    every_format()
        .into_iter()
        .map(|(name, files)| {
            let format = name.split([' ', '+']).next().unwrap();
            let bytes = if files.len() == 2 { joined(&files) } else { files[0].1.clone() };
            (format, name.replace([' ', '+'], "_"), bytes)
        })
        .collect()
}

#[test]
fn every_file_of_the_corpora_is_answered() {
    for format in ["wfdb", "edf", "ishne", "mfer", "matlab"] {
        let files = std::fs::read_dir(folder(format)).expect("the corpus belongs to the project");
        let mut read_well = 0;
        for file in files {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            let files = match format {
                "wfdb" => divided(&bytes),
                _ => vec![("made".to_owned(), bytes)],
            };
            if let Ok(recording) = read_files(&files) {
                read_well += 1;
                assert_eq!(read_blocks(&files).len(), recording.rhythm.len());
                let _ = edf::write(&recording);
                let _ = wfdb::write(&recording, "made", SignalFormat::Bits12);
            }
        }
        assert!(read_well >= 1, "{format}");
    }
}

#[test]
fn the_first_files_of_the_corpora_are_what_they_are_made_of() {
    let write = std::env::var_os("PRECORDIA_WRITE_CORPUS").is_some();
    for (format, name, made) in first_files() {
        let path = folder(format).join(name);
        if write {
            std::fs::create_dir_all(folder(format)).unwrap();
            std::fs::write(&path, &made).unwrap();
        }
        let kept = std::fs::read(&path).unwrap_or_else(|cause| panic!("{path:?}: {cause}"));
        assert!(kept == made, "{path:?} differs; is the corpus to be written anew?");
    }
}
