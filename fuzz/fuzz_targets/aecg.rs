//! Any text to the reader of annotated ECGs, and what was read to the writer and back.

#![no_main]

use libfuzzer_sys::fuzz_target;
use precordia_formats::aecg::{self, DocumentId};

fuzz_target!(|bytes: &[u8]| {
    let Ok(recording) = aecg::read(bytes) else { return };
    if let Ok(written) = aecg::write(&recording, &DocumentId("1.2.3".into())) {
        let again = aecg::read(&written).expect("what was written is read");
        assert_eq!(again.rhythm.len(), recording.rhythm.len());
    }
});
