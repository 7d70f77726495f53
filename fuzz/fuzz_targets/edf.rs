//! Any bytes to the reader, whole and block by block, which must agree.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use precordia_formats::{NamedSource, Part, open, read};

fuzz_target!(|bytes: &[u8]| {
    let whole = read(&[Part { name: "fuzz", bytes }]);
    let source = NamedSource { name: "fuzz".into(), source: Box::new(Cursor::new(bytes)) };
    let opened = open(vec![source]);
    let (Ok(recording), Ok(opened)) = (whole, opened) else { return };
    let lead = &recording.rhythm.traces[0];
    assert!(!lead.samples_uv.iter().any(|uv| uv.is_infinite()));
    let mut at = 0;
    for block in opened.blocks {
        let block = block.expect("what was opened lies in memory");
        let samples = &block.signal.traces[0].samples_uv;
        let same = &lead.samples_uv[at..at + samples.len()];
        assert!(samples.iter().zip(same).all(|(a, b)| a == b || a.is_nan() && b.is_nan()));
        at += samples.len();
    }
    assert_eq!(at, lead.samples_uv.len());
});
