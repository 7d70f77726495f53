//! DICOM ECG objects (PS3.3 A.34) to and from recordings.
//!
//! The parser is our own: why is in `docs/decisions/0003-dicom-reader.md`. Images, documents and the
//! network are not read here.

mod annotation;
mod channel;
mod charset;
mod element;
mod encode;
mod file;
mod gaps;
mod group;
mod parse;
pub(crate) mod quantize;
mod read;
mod samples;
mod sop_class;
mod subject;
mod tag;
mod text;
pub(crate) mod when;
mod write;

pub use read::read;
pub use write::{ObjectIds, WriteError, write};

/// The name of the format in recordings.
pub const FORMAT: &str = "dicom";

pub(crate) const READER: crate::Reader = crate::Reader {
    name: FORMAT,
    knows: file::looks_like_dicom,
    read: |parts| read(crate::only(parts, "a DICOM object")?.bytes),
};
