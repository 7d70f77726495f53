//! MFER, the medical waveform format (ISO 22077-1, electrocardiograms by ISO 22077-2), to recordings.
//!
//! A file is a list of tags; a definition holds for what follows it, of all channels or of one.
//! Compressed waveforms are refused.

mod content;
mod identity;
mod plan;
mod scale;
mod state;

use crate::frames::{self, Framed};

/// The name of the format in recordings.
pub const FORMAT: &str = "mfer";

pub(crate) const FRAMED: Framed = Framed { knows: content::looks_like_mfer, plan: plan::plan };

pub(crate) const READER: crate::Reader = crate::Reader {
    name: FORMAT,
    knows: content::looks_like_mfer,
    read: |parts| {
        crate::only(parts, "an MFER file")?;
        frames::read(parts, &FRAMED)
    },
};
