//! Any text to the reader of MUSE files.

#![no_main]

use libfuzzer_sys::fuzz_target;
use precordia_formats::muse;

fuzz_target!(|bytes: &[u8]| {
    let _ = muse::read(bytes);
});
