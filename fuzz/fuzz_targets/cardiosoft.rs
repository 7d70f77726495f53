//! Any text to the reader of CardioSoft files.

#![no_main]

use libfuzzer_sys::fuzz_target;
use precordia_formats::cardiosoft;

fuzz_target!(|bytes: &[u8]| {
    let _ = cardiosoft::read(bytes);
});
