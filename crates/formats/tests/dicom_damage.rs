//! Damaged objects: whatever the bytes, an answer comes, and quickly.

mod support;

use precordia_formats::{Part, dicom, read};
use support::*;

/// Small objects in every encoding, with two groups, annotations and text.
fn objects() -> Vec<Vec<u8>> {
    let mut median = Group::new(vec![Channel::new(LEAD_II, &beats(120, 400))]);
    median.label = Some("MEDIAN BEAT");
    let mut rhythm = Group::new(vec![
        Channel::new(LEAD_I, &beats(150, 500)),
        Channel::new(LEAD_II, &beats(150, 900)),
    ]);
    rhythm.padding = Some(-32_768);
    let note = vec![text(0x0070_0006, "ST", "sinus rhythm")];
    let object = Object::new(vec![rhythm, median])
        .with(text(0x0008_0005, "CS", "\\ISO 2022 IR 87"))
        .with(text(0x0010_0010, "PN", b"Yamada=\x1B$B;3ED\x1B(B"))
        .with(sequence(0x0040_B020, vec![note]));
    let undefined = Form { undefined_lengths: true, ..EXPLICIT };
    let bare = Form { preamble: false, meta: false, ..IMPLICIT };
    [EXPLICIT, IMPLICIT, BIG, DEFLATED, undefined, bare]
        .map(|form| object.clone().form(form).bytes())
        .into()
}

fn answer(bytes: &[u8]) {
    if let Ok(recording) = read(&[Part { name: "damaged", bytes }]) {
        // What is read is never larger than what was there, and is written again or refused.
        let samples: usize =
            recording.rhythm.traces.iter().map(|trace| trace.samples_uv.len()).sum();
        assert!(samples <= bytes.len() * 200, "{samples} samples of {} bytes", bytes.len());
        if bytes.len().is_multiple_of(16) {
            let _ = dicom::write(&recording, &dicom::ObjectIds::new("1.2", "1.3", "1.4"));
        }
    }
}

#[test]
fn flipped_bits_in_every_byte_are_answered() {
    for object in objects() {
        dicom::read(&object).expect("the undamaged object is read");
        // The preamble means nothing; a low, a middle and the highest bit of all else are flipped.
        let from = if object[..128].iter().all(|&byte| byte == 0) { 128 } else { 0 };
        let mut damaged = object.clone();
        for at in from..object.len() {
            for bit in [at % 4, 5, 7] {
                damaged[at] ^= 1 << bit;
                answer(&damaged);
                damaged[at] ^= 1 << bit;
            }
        }
    }
}

#[test]
fn every_cut_and_every_removed_stretch_is_answered() {
    for object in objects() {
        for at in 0..object.len() {
            answer(&object[..at]);
            answer(&object[at..]);
            let mut shorter = object.clone();
            shorter.drain(at..(at + 7).min(object.len()));
            answer(&shorter);
        }
    }
}

#[test]
fn extreme_lengths_anywhere_are_answered() {
    for object in objects() {
        for at in 0..object.len().saturating_sub(4) {
            for extreme in [0_u32, 0x7FFF_FFFF, 0xFFFF_FFFF] {
                let mut damaged = object.clone();
                damaged[at..at + 4].copy_from_slice(&extreme.to_le_bytes());
                answer(&damaged);
            }
        }
    }
}
