//! XML of GE CardioSoft and its relatives (`CardiologyXML`), resting ECGs.
//!
//! No specification of it is public; the files name their units themselves.

mod measurement;
mod read;
mod subject;
mod waveform;

pub use read::read;

/// The name of the format in recordings.
pub const FORMAT: &str = "ge-cardiosoft-xml";

pub(crate) const READER: crate::Reader = crate::Reader {
    name: FORMAT,
    knows: |bytes| crate::xml::root_name(bytes).as_deref() == Some("CardiologyXML"),
    read: |parts| read(crate::only(parts, "a CardioSoft ECG")?.bytes),
};
