//! ISHNE Holter files to recordings.
//!
//! Badilini, "The ISHNE Holter standard output file format", Annals of Noninvasive
//! Electrocardiology 3(3), 1998: a header of fixed fields, a block of free text, and 16-bit samples.
//! A file of beat labels (`ANN`) that comes along is counted, not interpreted.

mod annotation;
mod crc;
mod header;
mod leads;
mod plan;

use crate::frames::{self, Framed};

/// The name of the format in recordings.
pub const FORMAT: &str = "ishne";

pub(crate) const FRAMED: Framed = Framed { knows, plan: plan::plan };

pub(crate) const READER: crate::Reader =
    crate::Reader { name: FORMAT, knows, read: |parts| frames::read(parts, &FRAMED) };

fn knows(bytes: &[u8]) -> bool {
    header::is_ecg(bytes) || annotation::is_annotations(bytes)
}
