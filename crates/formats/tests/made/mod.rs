//! Files of vendors' formats made byte by byte, independently of the crate, and what is done to
//! all of them: damage, and the shared corpus where it is installed.

#![allow(
    dead_code,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::unwrap_used
)]

pub mod applewatch;
pub mod atc;
pub mod contec;
pub mod csv;
pub mod mortara;
pub mod philips;
pub mod schiller;

use std::path::{Path, PathBuf};

use precordia_formats::{Part, read};
use precordia_model::{Lead, Recording, Refusal, Signal};

pub fn read_one(bytes: &[u8]) -> Result<Recording, Refusal> {
    read(&[Part { name: "made", bytes }])
}

#[track_caller]
pub fn recording(bytes: &[u8]) -> Recording {
    read_one(bytes).expect("it is read")
}

#[track_caller]
pub fn refusal(bytes: &[u8]) -> Refusal {
    read_one(bytes).expect_err("it is refused")
}

pub fn codes(recording: &Recording) -> Vec<&str> {
    recording.problems.iter().map(|problem| problem.code.as_str()).collect()
}

#[track_caller]
pub fn samples(signal: &Signal, lead: Lead) -> &[f32] {
    &signal.trace(lead).expect("the lead is there").samples_uv
}

pub fn leads(signal: &Signal) -> Vec<&'static str> {
    signal.leads().map(Lead::name).collect()
}

/// What was kept under a place, opened.
pub fn unmapped<'r>(recording: &'r Recording, place: &str) -> Vec<&'r str> {
    let at_place = recording.unmapped.iter().filter(|field| field.place == place);
    at_place.map(|field| field.value.reveal().as_str()).collect()
}

/// Counts of something like a heart beat, in steps of the converter.
pub fn beats(count: usize, height: i16) -> Vec<i16> {
    (0..count)
        .map(|at| match at % 100 {
            50 => height,
            49 | 51 => height / 2,
            at => (at % 7) as i16,
        })
        .collect()
}

/// Cuts, flips and drops everywhere: whatever comes, an answer comes, and nothing is larger than
/// its input allows. `stride` keeps large files within the time of a test.
pub fn damage(whole: &[u8], stride: usize) {
    // At most one sample a byte, and four frontal leads derived of two.
    damage_of(whole, stride, 12);
}

/// The same of a format whose samples may be so many times as many as its bytes.
pub fn damage_of(whole: &[u8], stride: usize, samples_of_a_byte: usize) {
    recording(whole);
    let answer = |bytes: &[u8]| {
        if let Ok(recording) = read_one(bytes) {
            let samples: usize =
                recording.rhythm.traces.iter().map(|trace| trace.samples_uv.len()).sum();
            let most = bytes.len() * samples_of_a_byte;
            assert!(samples <= most, "{samples} samples of {} bytes", bytes.len());
        }
    };
    let mut damaged = whole.to_vec();
    for at in (0..whole.len()).step_by(stride) {
        answer(&whole[..at]);
        answer(&whole[at..]);
        for bit in [0, 3, 5, 7] {
            damaged[at] ^= 1 << bit;
            answer(&damaged);
            damaged[at] ^= 1 << bit;
        }
        let mut shorter = whole.to_vec();
        shorter.drain(at..(at + 7).min(whole.len()));
        answer(&shorter);
        if at + 4 <= whole.len() {
            let mut extreme = whole.to_vec();
            for value in [0_u32, 0x7FFF_FFFF, 0xFFFF_FFFF] {
                extreme[at..at + 4].copy_from_slice(&value.to_le_bytes());
                answer(&extreme);
            }
        }
    }
}

/// `PRECORDIA_CORPUS` names the shared corpus.
pub fn shared() -> Option<PathBuf> {
    let path = std::env::var_os("PRECORDIA_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let found = path.is_dir().then_some(path);
    if found.is_none() {
        eprintln!("skipped: corpus not found");
    }
    found
}

#[track_caller]
pub fn load(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()))
}
