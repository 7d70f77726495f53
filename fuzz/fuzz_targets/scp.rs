//! Any bytes to the SCP-ECG reader.

#![no_main]

use libfuzzer_sys::fuzz_target;
use precordia_formats::scp;

fuzz_target!(|bytes: &[u8]| {
    let Ok(recording) = scp::read(bytes) else { return };
    let others = recording.other_groups.iter().map(|group| &group.signal);
    for signal in std::iter::once(&recording.rhythm).chain(others) {
        let samples = signal.len();
        assert!(signal.traces.iter().all(|trace| trace.samples_uv.len() == samples));
        assert!(!signal.traces.iter().any(|trace| trace.samples_uv.iter().any(|uv| uv.is_infinite())));
    }
});
