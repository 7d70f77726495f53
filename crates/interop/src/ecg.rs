//! Any ECG: a file of a device's own format, or one that came inside a message.

use precordia_formats::Part;
use precordia_model::{Recording, Refusal};

use crate::fhir::waveform;

/// Reads a recording from its parts, whatever carries it.
pub fn read(parts: &[Part<'_>]) -> Result<Recording, Refusal> {
    if parts.iter().any(|part| waveform::looks_like_fhir(part.bytes)) {
        waveform::read(parts)
    } else {
        precordia_formats::read(parts)
    }
}

/// The names of everything that is read.
pub fn format_names() -> impl Iterator<Item = &'static str> {
    precordia_formats::format_names().chain([waveform::FORMAT])
}
