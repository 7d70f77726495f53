//! EDF, EDF+ and their 24-bit kin BDF and BDF+ (European Data Format), to and from recordings.
//!
//! Kemp et al. 1992 and Kemp and Olivan 2003 (edfplus.info) define them; BDF is BioSemi's. They hold
//! signals of every kind: the ECG among them is known by its labels, the rest is not read.

mod annotation;
mod channel;
mod header;
mod identity;
mod plan;
mod records;
mod write;

pub use write::{WriteError, write};

use crate::frames::{self, Framed};

/// The names of the formats in recordings.
pub const FORMAT: &str = "edf";
pub const FORMAT_BDF: &str = "bdf";

pub(crate) const FRAMED: Framed = Framed { knows: header::looks_like_edf, plan: plan::plan };

pub(crate) const READER: crate::Reader = crate::Reader {
    name: FORMAT,
    knows: header::looks_like_edf,
    read: |parts| {
        crate::only(parts, "an EDF or BDF file")?;
        frames::read(parts, &FRAMED)
    },
};
