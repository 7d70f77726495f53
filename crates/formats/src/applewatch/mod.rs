//! The electrocardiograms that Apple's Health application exports, to recordings.
//!
//! Lines of a name and a value, in the language of the telephone, a blank line, lead and unit, a
//! blank line, and one voltage a line. What is read and refused is in `docs/formats/applewatch.md`.

mod header;
mod read;

/// The name of the format in recordings.
pub const FORMAT: &str = "apple-watch-csv";

pub(crate) const READER: crate::Reader = crate::Reader {
    name: FORMAT,
    knows: header::knows,
    read: |parts| read::read(crate::only(parts, "an Apple Watch export")?.bytes),
};
