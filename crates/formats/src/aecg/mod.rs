//! HL7 annotated ECGs (HL7 V3 ANSI/HL7 V3 ECG, R1-2004, PORT_MT020001) to and from recordings.
//!
//! Elements go by their local names, so that files without the namespace are read alike.

mod annotation;
mod dialect;
mod encode;
mod group;
mod read;
mod remark;
mod sequence;
mod subject;
mod when;
mod write;

pub use read::read;
pub use write::{DocumentId, WriteError, write};

/// The name of the format in recordings.
pub const FORMAT: &str = "hl7-aecg";

pub(crate) const READER: crate::Reader = crate::Reader {
    name: FORMAT,
    knows: |bytes| crate::xml::root_name(bytes).as_deref() == Some("AnnotatedECG"),
    read: |parts| read(crate::only(parts, "an annotated ECG")?.bytes),
};
