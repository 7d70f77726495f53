//! Mortara's (Hillrom's, Baxter's) XML of ELI electrocardiographs, to recordings.
//!
//! No public file of a device was at hand; every recording says so (`format_unproven`). What is
//! read and refused is in `docs/formats/mortara-xml.md`.

mod channel;
mod read;
mod words;

/// The name of the format in recordings.
pub const FORMAT: &str = "mortara-xml";

pub(crate) const READER: crate::Reader = crate::Reader {
    name: FORMAT,
    knows: |bytes| crate::xml::root_name(bytes).as_deref() == Some("ECG"),
    read: |parts| read::read(crate::only(parts, "a Mortara ECG")?.bytes),
};
