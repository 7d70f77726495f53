//! Philips XML of PageWriter carts and HeartStart monitors (SierraECG 1.03, PhilipsECG 1.04) to
//! recordings.
//!
//! Samples are compressed in a way of Philips' own (XLI). What is read, kept and refused is in
//! `docs/formats/philips-xml.md`.

mod beats;
mod calibration;
mod document;
mod leads;
mod read;
mod subject;
mod waveform;
mod words;
mod xli;

/// The name of the format in recordings.
pub const FORMAT: &str = "philips-xml";

pub(crate) const READER: crate::Reader = crate::Reader {
    name: FORMAT,
    knows: |bytes| crate::xml::root_name(bytes).as_deref() == Some("restingecgdata"),
    read: |parts| read::read(crate::only(parts, "a Philips ECG")?.bytes),
};
