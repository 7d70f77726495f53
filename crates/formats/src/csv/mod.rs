//! Tables of numbers with a declared layout, to recordings.
//!
//! A table says neither its sampling rate nor its unit by itself. Both are declared in a head of
//! its own, in a small part beside it, or by a time column and units in the names of columns;
//! otherwise it is refused with what to add. The form of a layout is in `docs/formats/csv.md`.

mod column;
pub(crate) mod layout;
mod read;
mod table;
mod time;
mod write;

pub use write::write;

/// The name of the format in recordings.
pub const FORMAT: &str = "csv";

pub(crate) const READER: crate::Reader =
    crate::Reader { name: FORMAT, knows: table::knows, read: read::read };
