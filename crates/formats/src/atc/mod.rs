//! AliveCor's ATC files (KardiaMobile: one, six or twelve leads) to recordings.
//!
//! The file is the signature `ALIVE` and a row of blocks, each with its length and a checksum.
//! ATC File Format Specification 1.7; what is read and refused is in `docs/formats/atc.md`.

mod beats;
mod block;
mod info;
mod read;

/// The name of the format in recordings.
pub const FORMAT: &str = "alivecor-atc";

pub(crate) const READER: crate::Reader = crate::Reader {
    name: FORMAT,
    knows: |bytes| bytes.starts_with(block::SIGNATURE),
    read: |parts| read::read(crate::only(parts, "an ATC file")?.bytes),
};
