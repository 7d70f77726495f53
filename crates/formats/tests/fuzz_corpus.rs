//! The fuzz target's corpus, in every ordinary test run.
//!
//! With `PRECORDIA_WRITE_CORPUS=1` in the environment its first files are written anew.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

mod support;

use std::path::PathBuf;

use precordia_formats::dicom::{self, ObjectIds};
use precordia_formats::{Part, read};
use support::*;

fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/dicom")
}

fn ids() -> ObjectIds {
    ObjectIds::new("1.2.3", "1.2.4", "1.2.5")
}

#[test]
fn every_file_of_the_fuzz_corpus_is_answered() {
    let files = std::fs::read_dir(corpus()).expect("the fuzz corpus belongs to the project");
    let (mut answered, mut read_well) = (0, 0);
    for file in files {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        answered += 1;
        if let Ok(recording) = read(&[Part { name: "corpus", bytes: &bytes }]) {
            read_well += 1;
            let _ = dicom::write(&recording, &ids());
        }
    }
    assert!(
        answered >= 20 && read_well >= 15,
        "{read_well} of {answered} files of the corpus were read"
    );
}

/// A second lead and a median beat, a note, a measurement and a name in another script.
fn rich() -> Object {
    let mut rhythm = Group::new(vec![
        Channel::new(LEAD_I, &beats(120, 500)),
        Channel::new(LEAD_II, &beats(120, 900)),
    ]);
    rhythm.padding = Some(-32_768);
    rhythm.channels[0].raw[50] = -32_768;
    let mut median = Group::new(vec![Channel::new(LEAD_II, &beats(40, 400))]);
    median.label = Some("MEDIAN BEAT");
    let note = vec![text(0x0070_0006, "ST", "sinus rhythm")];
    let measured = vec![
        code(0x0040_08EA, "ms", "UCUM", "ms"),
        code(0x0040_A043, "5.13.5-7", "SCPECG", "PR Interval"),
        Element { tag: 0x0040_A0B0, vr: "US", value: Value::Shorts(vec![1, 0]) },
        text(0x0040_A30A, "DS", "161"),
    ];
    Object::new(vec![rhythm, median])
        .with(text(0x0008_0005, "CS", "\\ISO 2022 IR 87"))
        .with(text(0x0010_0010, "PN", b"Yamada=\x1B$B;3ED\x1B(B"))
        .with(text(0x0010_0030, "DA", "19610430"))
        .with(sequence(0x0040_B020, vec![note, measured]))
}

/// One short lead in a stored form.
fn stored(allocated: u16, interpretation: &'static str, bits: u16) -> Object {
    let mut object = Object::new(vec![Group::new(vec![Channel::new(LEAD_II, &beats(120, 90))])]);
    let group = &mut object.groups[0];
    (group.allocated, group.interpretation) = (allocated, Some(interpretation));
    group.data_vr = if allocated == 8 { "OB" } else { "OW" };
    group.channels[0].bits_stored = Some(bits);
    let mask = (1_i64 << bits) - 1;
    group.channels[0].raw.iter_mut().for_each(|value| *value &= mask);
    object
}

/// The corpus's first files, by name.
fn first_files() -> Vec<(String, Vec<u8>)> {
    let undefined = Form { undefined_lengths: true, ..EXPLICIT };
    let bare = Form { preamble: false, meta: false, ..EXPLICIT };
    let forms = [
        ("explicit", EXPLICIT),
        ("implicit", IMPLICIT),
        ("big", BIG),
        ("deflated", DEFLATED),
        ("undefined", undefined),
        ("undefined_implicit", Form { undefined_lengths: true, ..IMPLICIT }),
        ("bare", bare),
        ("bare_implicit", Form { explicit: false, ..bare }),
    ];
    let mut files: Vec<(String, Vec<u8>)> = forms
        .iter()
        .map(|(name, form)| (format!("form_{name}"), rich().form(*form).bytes()))
        .collect();
    for (allocated, interpretation, bits) in [
        (8, "SB", 8),
        (8, "UB", 8),
        (16, "US", 12),
        (16, "SS", 12),
        (32, "SL", 24),
        (32, "UL", 32),
        (8, "MB", 8),
    ] {
        let name = format!("stored_{}_{bits}", interpretation.to_lowercase());
        files.push((name, stored(allocated, interpretation, bits).bytes()));
    }
    for (name, terms, person) in [
        ("latin1", "ISO_IR 100", &b"M\xFCller^J"[..]),
        ("utf8", "ISO_IR 192", "Wałęsa^Łukasz".as_bytes()),
        ("gb18030", "GB18030", b"=\xCD\xF5^\xD0\xA1"),
        ("korean", "\\ISO 2022 IR 149", b"Hong=\x1B$)C\xFB\xF3"),
    ] {
        let object = stored(16, "SS", 16).with(text(0x0008_0005, "CS", terms)).with(text(
            0x0010_0010,
            "PN",
            person,
        ));
        files.push((format!("text_{name}"), object.bytes()));
    }
    for (name, time) in
        [("zone", "20240229101112.5+0530"), ("leap", "20161231235960"), ("wrong", "20240231")]
    {
        files.push((
            format!("time_{name}"),
            stored(16, "SS", 16).with(text(0x0008_002A, "DT", time)).bytes(),
        ));
    }
    let written = dicom::write(&rich().read(), &ids()).unwrap();
    files.push(("written".into(), written));
    files
}

#[test]
fn the_first_files_of_the_corpus_are_what_they_are_made_of() {
    let write = std::env::var_os("PRECORDIA_WRITE_CORPUS").is_some();
    if write {
        std::fs::create_dir_all(corpus()).unwrap();
    }
    for (name, made) in first_files() {
        let path = corpus().join(format!("{name}.dcm"));
        if write {
            std::fs::write(&path, &made).unwrap();
        }
        let kept = std::fs::read(&path).unwrap_or_else(|cause| panic!("{name}: {cause}"));
        // Another version of the deflater may find other bytes for the same content.
        assert!(
            kept == made || name == "form_deflated",
            "{name} differs; is the corpus to be written anew?"
        );
    }
}
