//! SCP-ECG records (EN 1064, ISO/IEEE 11073-91064) to recordings.
//!
//! Versions 1 to 3, with every coding of the rhythm that the standard has. Nothing is written in it.

mod arrange;
mod beats;
mod bimodal;
mod bytes;
mod device_says;
mod header;
mod huffman;
mod leads;
mod long_term;
mod measured;
mod read;
mod record;
mod rhythm;
mod samples;
mod text;

pub use read::read;

/// The name of the format in recordings.
pub const FORMAT: &str = "scp-ecg";

pub(crate) const READER: crate::Reader = crate::Reader {
    name: FORMAT,
    knows: record::looks_like_scp,
    read: |parts| read(crate::only(parts, "an SCP-ECG record")?.bytes),
};
