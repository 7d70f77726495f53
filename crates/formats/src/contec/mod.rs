//! Contec's native `.ECG` files (ECG90A) to recordings.
//!
//! A header of 43 bytes, eight channels of 16 bits, a footer of 37 bytes. The file does not say how
//! large a count is, and public converters of it disagree, so its scale is declared beside it or it
//! is refused. What is known of the format is in `docs/formats/contec.md`.

mod header;
mod read;

/// The name of the format in recordings.
pub const FORMAT: &str = "contec";

pub(crate) const READER: crate::Reader =
    crate::Reader { name: FORMAT, knows: header::knows, read: read::read };
