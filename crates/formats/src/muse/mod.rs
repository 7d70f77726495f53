//! XML of the GE MUSE system (`RestingECG`).
//!
//! No specification of it is public. What its fields mean is known from files, and what is not known
//! so is kept as written.

mod read;
mod subject;
mod waveform;

pub use read::read;

/// The name of the format in recordings.
pub const FORMAT: &str = "ge-muse-xml";

pub(crate) const READER: crate::Reader = crate::Reader {
    name: FORMAT,
    knows: |bytes| crate::xml::root_name(bytes).as_deref() == Some("RestingECG"),
    read: |parts| read(crate::only(parts, "a MUSE ECG")?.bytes),
};
