//! ECG bytes to and from recordings, one module a format.
//!
//! A format is known by its content, never by a name. Readers return a recording with the list of
//! what they repaired or doubt, or refuse with a reason; they never panic, and memory is bounded by
//! the input. Nothing is measured and no file is opened here.

pub mod aecg;
mod applewatch;
mod atc;
mod base64;
pub mod build;
pub mod cardiosoft;
mod channel_name;
mod clock;
mod contec;
pub mod csv;
mod decimal_mark;
pub mod dicom;
pub mod edf;
mod frames;
pub mod ishne;
#[cfg(test)]
mod known;
pub mod lead_code;
mod limb;
pub mod matlab;
mod measurement_code;
pub mod mfer;
mod mortara;
pub mod muse;
mod person;
mod philips;
mod plain_text;
mod plausibility;
mod rhythm;
mod schiller;
pub mod scp;
mod unmapped;
pub mod voltage;
pub mod wfdb;
mod xml;

pub use frames::{Block, Blocks, NamedSource, OpenError, Opened, Source, open};

use precordia_model::{Recording, Refusal, RefusalReason};

/// One named stretch of bytes. Some formats spread a recording over several.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    pub name: &'a str,
    pub bytes: &'a [u8],
}

/// The largest input that is read: a day of a three-channel ambulatory recording fits.
pub const MAX_INPUT_BYTES: usize = 64 << 20;

/// Version of the readers, recorded beside everything that was read with them.
pub const READER_VERSION: &str = concat!("precordia-formats ", env!("CARGO_PKG_VERSION"));

/// How one format is known and read.
struct Reader {
    /// The format's name in recordings.
    name: &'static str,
    /// Looks at content alone, and only so far as it takes to be sure. Of several parts, one is enough.
    knows: fn(&[u8]) -> bool,
    read: fn(&[Part<'_>]) -> Result<Recording, Refusal>,
}

/// Every format, the surest to recognize first: a magic number before a shape.
const READERS: &[Reader] = &[
    dicom::READER,
    wfdb::READER,
    aecg::READER,
    atc::READER,
    contec::READER,
    philips::READER,
    schiller::READER,
    mortara::READER,
    applewatch::READER,
    edf::READER,
    scp::READER,
    ishne::READER,
    mfer::READER,
    muse::READER,
    cardiosoft::READER,
    matlab::READER,
    csv::READER,
];

/// Those whose samples lie in regular frames, which are also read block by block.
const FRAMED: &[frames::Framed] =
    &[wfdb::FRAMED, edf::FRAMED, ishne::FRAMED, mfer::FRAMED, matlab::FRAMED];

/// The names of the formats that are read.
pub fn format_names() -> impl Iterator<Item = &'static str> {
    READERS.iter().map(|reader| reader.name)
}

/// Reads a recording from its parts, whatever format they are in.
pub fn read(parts: &[Part<'_>]) -> Result<Recording, Refusal> {
    let size = parts.iter().map(|part| part.bytes.len()).fold(0, usize::saturating_add);
    if size > MAX_INPUT_BYTES {
        return Err(too_large(size));
    }
    let known = READERS.iter().find(|reader| parts.iter().any(|part| (reader.knows)(part.bytes)));
    match known {
        Some(reader) => (reader.read)(parts).map(build::bounded),
        None => Err(Refusal::new(
            RefusalReason::NotAnEcg,
            "format_unknown",
            "byte 0",
            "the content is in no ECG format that is read",
        )),
    }
}

/// The files that a part refers to by name, which belong to the same recording: a WFDB header's
/// signal files and segments. Only plain names are given; they lie beside the part.
pub fn named_files(bytes: &[u8]) -> Vec<String> {
    wfdb::named_files(bytes)
}

/// Names of the further parts that a part says it needs: the signal files and segments of a header.
/// Plain file names only; whoever opens files looks for them beside the part.
pub fn companions(part: &Part<'_>) -> Vec<String> {
    if (wfdb::READER.knows)(part.bytes) { wfdb::named_files(part.bytes) } else { Vec::new() }
}

/// The only part of a format that is complete in one file.
pub(crate) fn only<'a>(parts: &[Part<'a>], what: &str) -> Result<Part<'a>, Refusal> {
    match parts {
        [part] => Ok(*part),
        _ => {
            let text = format!("{what} is complete in itself and came together with other parts");
            Err(Refusal::new(RefusalReason::Unsupported, "parts_several", "input", text))
        }
    }
}

pub(crate) fn too_large(size_bytes: usize) -> Refusal {
    let text = format!("the input has {size_bytes} bytes and at most {MAX_INPUT_BYTES} are read");
    Refusal::new(RefusalReason::TooLarge, "input_too_large", "input", text)
}
