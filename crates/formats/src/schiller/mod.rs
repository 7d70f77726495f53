//! Schiller's XML as SEMA exports it, to recordings.
//!
//! What is read, kept and refused is in `docs/formats/schiller-xml.md`.

mod read;
mod wave;
mod words;

/// The name of the format in recordings.
pub const FORMAT: &str = "schiller-xml";

/// The root element is the name of a Java class, packages and all.
pub(crate) const READER: crate::Reader = crate::Reader {
    name: FORMAT,
    knows: |bytes| {
        let root = crate::xml::root_name(bytes);
        root.is_some_and(|root| root.rsplit('.').next() == Some("SchillerEDI"))
    },
    read: |parts| read::read(crate::only(parts, "a Schiller ECG")?.bytes),
};
