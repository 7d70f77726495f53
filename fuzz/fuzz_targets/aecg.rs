//! Any text to the reader of annotated ECGs.

#![no_main]

use libfuzzer_sys::fuzz_target;
use precordia_formats::aecg;

fuzz_target!(|bytes: &[u8]| {
    let _ = aecg::read(bytes);
});
