//! WFDB records (PhysioNet): a text header and its signal files, to and from recordings.
//!
//! header(5) and signal(5) of the WFDB Applications Guide say what is in them; the dialects that
//! are found beside it are named where they are read. Annotation files are not read here.

mod channel;
mod comment;
mod header;
mod layout;
mod line;
mod plan;
mod segments;
mod time;
mod write;

use crate::frames::{self, Framed};

/// The name of the format in recordings.
pub const FORMAT: &str = "wfdb";

pub(crate) const FRAMED: Framed = Framed { knows, plan: plan::plan };

pub(crate) const READER: crate::Reader =
    crate::Reader { name: FORMAT, knows, read: |parts| frames::read(parts, &FRAMED) };

fn knows(bytes: &[u8]) -> bool {
    header::looks_like_header(bytes)
}

pub use write::{SignalFormat, WriteError, write};

pub(crate) use header::named_files;
