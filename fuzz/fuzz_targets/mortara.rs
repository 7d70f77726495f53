//! Any bytes to the reader of Mortara XML.

#![no_main]

use libfuzzer_sys::fuzz_target;
use precordia_formats::{Part, read};

fuzz_target!(|bytes: &[u8]| {
    let Ok(recording) = read(&[Part { name: "fuzz", bytes }]) else { return };
    let samples = recording.rhythm.len();
    assert!(recording.rhythm.traces.iter().all(|trace| trace.samples_uv.len() == samples));
    assert!(!recording.rhythm.traces.iter().any(|trace| trace.samples_uv.iter().any(|uv| uv.is_infinite())));
});
