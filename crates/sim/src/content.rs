//! What senders send: a few real recordings and some that nobody can read.

use std::sync::OnceLock;

use precordia_formats::dicom::{self, ObjectIds};
use precordia_model::{DevicePatient, PartialDate, Phi, Recording, Sex};
use precordia_synth::{Spec, synthesize};

/// One object as its sender has it. Another number is another content.
pub struct Content {
    pub bytes: Vec<u8>,
}

/// So many of [`all`] are recordings; the rest is noise.
pub const READABLE: usize = 8;

/// Enough that a run sees new ones and copies; made once a process.
pub fn all() -> &'static [Content] {
    static ALL: OnceLock<Vec<Content>> = OnceLock::new();
    ALL.get_or_init(|| {
        let people: [_; READABLE] = [
            ("A-1", "Noether"),
            ("A-1", "Noether"),
            ("A-1", "Noether"),
            ("B-2", "Germain"),
            ("B-2", "Germain"),
            ("C-3", "Hopper"),
            // Somebody else's number, and none: a person has to say whose these are.
            ("B-2", "Hopper"),
            ("", "Noether"),
        ];
        let recorded = (0..)
            .zip(people)
            .map(|(number, (id, family))| Content { bytes: recording(person(id, family), number) });
        let noise =
            (0..10u8).map(|number| Content { bytes: vec![number; 1 + 97 * usize::from(number)] });
        recorded.chain(noise).collect()
    })
}

/// Families that a person might be asked to confirm an erasure with.
pub const FAMILIES: [&str; 4] = ["Noether", "Germain", "Hopper", ""];

fn person(id: &str, family: &str) -> DevicePatient {
    let said = |text: &str| (!text.is_empty()).then(|| Phi::new(text.to_owned()));
    DevicePatient {
        id: said(id),
        id_issuer: None,
        family: said(family),
        given: Vec::new(),
        name_as_written: said(family),
        birth_date: Some(Phi::new(PartialDate::Day(1958, 3, 23))),
        sex: Some(Sex::Female),
        age_years: None,
    }
}

fn recording(patient: DevicePatient, number: u32) -> Vec<u8> {
    static BASE: OnceLock<Recording> = OnceLock::new();
    let base = BASE.get_or_init(|| {
        let spec = Spec { duration_s: 2.0, sampling_hz: 100.0, ..Spec::default() };
        synthesize(&spec).recording
    });
    let recording = Recording { patient, ..base.clone() };
    let id = |n: u32| format!("2.25.7311{n}{number:05}");
    let ids = ObjectIds::new(id(1), id(2), id(3));
    dicom::write(&recording, &ids).expect("a made-up recording can be written")
}
