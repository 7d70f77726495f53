//! Any bytes to the reader, and what was read to the writer and back.

#![no_main]

use libfuzzer_sys::fuzz_target;
use precordia_formats::dicom::{self, ObjectIds};
use precordia_formats::{Part, read};

fuzz_target!(|bytes: &[u8]| {
    // Past the front door, so that damaged marks do not end every run.
    let _ = dicom::read(bytes);
    let Ok(recording) = read(&[Part { name: "fuzz", bytes }]) else { return };
    let samples = recording.rhythm.len();
    assert!(recording.rhythm.traces.iter().all(|trace| trace.samples_uv.len() == samples));
    assert!(!recording.rhythm.traces.iter().any(|trace| trace.samples_uv.iter().any(|uv| uv.is_infinite())));
    let Ok(written) = dicom::write(&recording, &ObjectIds::new("1.2.3", "1.2.4", "1.2.5")) else { return };
    let again = dicom::read(&written).expect("what we write, we read");
    assert_eq!(again.rhythm.len(), samples);
    let leads = |rhythm: &precordia_model::Signal| rhythm.leads().collect::<Vec<_>>();
    assert_eq!(leads(&again.rhythm), leads(&recording.rhythm));
});
