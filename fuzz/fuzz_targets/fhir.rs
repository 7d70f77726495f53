//! Any bytes to the reader of ECGs in FHIR resources.

#![no_main]

use libfuzzer_sys::fuzz_target;
use precordia_formats::Part;
use precordia_interop::fhir::waveform;

fuzz_target!(|bytes: &[u8]| {
    let Ok(recording) = waveform::read(&[Part { name: "fuzz", bytes }]) else { return };
    let samples = recording.rhythm.len();
    for trace in &recording.rhythm.traces {
        assert!(trace.samples_uv.len() == samples);
        assert!(!trace.samples_uv.iter().any(|uv| uv.is_infinite()));
    }
    let _ = waveform::write(&recording);
});
