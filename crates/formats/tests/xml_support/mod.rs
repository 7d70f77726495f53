//! XML ECGs made as text, right and wrong, independently of the crate's own writer.

#![allow(dead_code, clippy::unwrap_used)]

pub mod aecg;
pub mod cardiosoft;
pub mod muse;

use precordia_formats::{Part, read};
use precordia_model::{Recording, Refusal};

pub fn reading(bytes: impl AsRef<[u8]>) -> Result<Recording, Refusal> {
    read(&[Part { name: "ecg", bytes: bytes.as_ref() }])
}

pub fn recording(bytes: impl AsRef<[u8]>) -> Recording {
    reading(bytes).unwrap_or_else(|refusal| panic!("{refusal:?}"))
}

#[track_caller]
pub fn refused(bytes: impl AsRef<[u8]>, code: &str) {
    match reading(bytes) {
        Err(refusal) => assert_eq!(refusal.code, code, "{refusal:?}"),
        Ok(recording) => panic!("read, with {:?}", recording.problems),
    }
}

pub fn problems(recording: &Recording) -> Vec<&str> {
    recording.problems.iter().map(|problem| problem.code.as_str()).collect()
}

/// Something like a heart at a rate: a spike and a hump, in a hundred steps of amplitude.
pub fn beats(count: usize, interval: usize) -> Vec<i32> {
    let wave = |at: usize| match at % interval {
        phase @ 10..20 => 100 - 20 * (phase as i32 - 15).abs(),
        phase @ 50..90 => 20 - (phase as i32 - 70).abs(),
        _ => 0,
    };
    (0..count).map(wave).collect()
}

/// No cut or flipped bit may panic; what is read from a cut file would be silently incomplete.
pub fn check_damage(whole: &[u8], stride: usize) {
    for length in (0..whole.len().saturating_sub(8)).step_by(stride) {
        assert!(reading(&whole[..length]).is_err(), "cut at {length} of {}", whole.len());
    }
    for at in (0..whole.len()).step_by(stride) {
        for bit in [0, 3, 6] {
            let mut damaged = whole.to_vec();
            damaged[at] ^= 1 << bit;
            let _ = reading(&damaged);
        }
    }
}
