//! MATLAB files (level 5) whose one variable has a layout that is known.
//!
//! Such a file says neither rate nor unit nor leads: only what a published data set says of its own
//! files is read, and only where the samples bear it out. Files of level 4 lie beside a WFDB header,
//! which says where their samples are.

mod element;
mod plan;

use crate::frames::{self, Framed};

/// The name of the format in recordings.
pub const FORMAT: &str = "matlab";

pub(crate) const FRAMED: Framed = Framed { knows: element::looks_like_matlab, plan: plan::plan };

pub(crate) const READER: crate::Reader = crate::Reader {
    name: FORMAT,
    knows: element::looks_like_matlab,
    read: |parts| {
        crate::only(parts, "a MATLAB file of level 5")?;
        frames::read(parts, &FRAMED)
    },
};
