//! A header and a signal file, divided at the first zero byte, to the reader, whole and in blocks.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use precordia_formats::{NamedSource, Part, named_files, open, read};

fuzz_target!(|bytes: &[u8]| {
    let at = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    let (header, samples) = bytes.split_at(at);
    let samples = samples.get(1..).unwrap_or_default();
    let names = named_files(header);
    let name = names.first().map_or("made.dat", String::as_str);
    let whole = read(&[Part { name: "made.hea", bytes: header }, Part { name, bytes: samples }]);
    let source =
        |name: &str, bytes| NamedSource { name: name.into(), source: Box::new(Cursor::new(bytes)) };
    let opened = open(vec![source("made.hea", header), source(name, samples)]);
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
