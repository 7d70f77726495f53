//! ECG bytes to and from recordings, one module a format.
//!
//! A format is known by its content, never by a name. Readers return a recording with the list of
//! what they repaired or doubt, or refuse with a reason; they never panic, and memory is bounded by
//! the input. Nothing is measured and no file is opened here.

pub mod dicom;
mod lead_code;
mod limb;
mod measurement_code;
mod plausibility;
mod voltage;

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

/// Reads a recording from its parts, whatever format they are in.
pub fn read(parts: &[Part<'_>]) -> Result<Recording, Refusal> {
    let size = parts.iter().map(|part| part.bytes.len()).fold(0, usize::saturating_add);
    if size > MAX_INPUT_BYTES {
        return Err(too_large(size));
    }
    match parts {
        [part] if dicom::looks_like_dicom(part.bytes) => dicom::read(part.bytes),
        [_, _, ..] if parts.iter().any(|part| dicom::looks_like_dicom(part.bytes)) => {
            Err(Refusal::new(
                RefusalReason::Unsupported,
                "parts_several",
                "input",
                "a DICOM object is complete in itself and came together with other parts",
            ))
        }
        _ => Err(Refusal::new(
            RefusalReason::NotAnEcg,
            "format_unknown",
            "byte 0",
            "the content is in no ECG format that is read",
        )),
    }
}

pub(crate) fn too_large(size_bytes: usize) -> Refusal {
    let text = format!("the input has {size_bytes} bytes and at most {MAX_INPUT_BYTES} are read");
    Refusal::new(RefusalReason::TooLarge, "input_too_large", "input", text)
}
