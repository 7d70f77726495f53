//! The list of tags: tag, length, content (ISO 22077-1 clause 5).

use precordia_model::{Refusal, RefusalReason};

use crate::frames::Parts;

/// Contents up to this are loaded; waveforms are left where they are.
const CONTENT_BYTES_MAX: u64 = 1 << 20;

/// A file of a day has some dozen definitions and as many events as beats.
const CONTENTS_MAX: usize = 1_000_000;

pub(crate) mod tag {
    pub const BLANK: u8 = 0x00;
    pub const BYTE_ORDER: u8 = 0x01;
    pub const VERSION: u8 = 0x02;
    pub const CHARACTER_SET: u8 = 0x03;
    pub const BLOCK: u8 = 0x04;
    pub const CHANNELS: u8 = 0x05;
    pub const SEQUENCES: u8 = 0x06;
    pub const POINTER: u8 = 0x07;
    pub const WAVEFORM_TYPE: u8 = 0x08;
    pub const LEAD: u8 = 0x09;
    pub const DATA_TYPE: u8 = 0x0A;
    pub const SAMPLING: u8 = 0x0B;
    pub const SENSITIVITY: u8 = 0x0C;
    pub const OFFSET: u8 = 0x0D;
    pub const COMPRESSION: u8 = 0x0E;
    pub const NULL_VALUE: u8 = 0x12;
    pub const NOTE: u8 = 0x16;
    pub const MANUFACTURER: u8 = 0x17;
    pub const WAVEFORM: u8 = 0x1E;
    pub const CHANNEL: u8 = 0x3F;
    pub const PREAMBLE: u8 = 0x40;
    pub const EVENT: u8 = 0x41;
    pub const VALUE: u8 = 0x42;
    pub const SKEW: u8 = 0x43;
    pub const END: u8 = 0x80;
    pub const PATIENT_NAME: u8 = 0x81;
    pub const PATIENT_ID: u8 = 0x82;
    pub const PATIENT_AGE: u8 = 0x83;
    pub const PATIENT_SEX: u8 = 0x84;
    pub const TIME: u8 = 0x85;
}

/// One definition, of all channels or of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    pub tag: u8,
    pub channel: Option<u64>,
    /// Byte of the file at which the content begins.
    pub at: u64,
    pub count: u64,
    /// Empty for waveforms.
    pub bytes: Vec<u8>,
}

impl Content {
    pub(crate) fn place(&self) -> String {
        match self.channel {
            Some(channel) => format!("tag {:02X}h of channel {}", self.tag, channel + 1),
            None => format!("tag {:02X}h at byte {}", self.tag, self.at),
        }
    }
}

/// The preamble, which ISO 22077-1 lets files begin with so that they are recognized.
pub(crate) fn looks_like_mfer(bytes: &[u8]) -> bool {
    bytes.starts_with(b"@ MFR") || bytes.starts_with(b"@\x20MFER")
}

/// All contents in file order, those of channels taken apart.
pub(crate) fn read(parts: &mut Parts<'_>, part: usize) -> Result<Vec<Content>, Refusal> {
    let size = parts.size(part);
    let mut found = Vec::new();
    let mut at = 0;
    while at < size {
        let head = parts.slice(part, at, (size - at).min(24))?;
        if head[0] == tag::BLANK {
            at += 1;
            continue;
        }
        let place = format!("byte {at}");
        let Some(header) = header(&head) else { return Err(truncated(&place)) };
        let begins = at + header.bytes;
        let end = begins.checked_add(header.count).filter(|&end| end <= size);
        let Some(end) = end else { return Err(truncated(&place)) };
        if found.len() >= CONTENTS_MAX {
            let text = "the file has more definitions than any recording has";
            return Err(Refusal::new(RefusalReason::TooLarge, "contents_many", place, text));
        }
        match header.tag {
            tag::END => break,
            tag::WAVEFORM => found.push(content(&header, begins, Vec::new())),
            _ if header.count > CONTENT_BYTES_MAX => {
                let text = "a definition is larger than any is";
                return Err(Refusal::new(
                    RefusalReason::Malformed,
                    "content_too_large",
                    place,
                    text,
                ));
            }
            tag::CHANNEL => {
                let bytes = parts.slice(part, begins, header.count)?;
                of_channel(&bytes, header.channel.unwrap_or(0), begins, &mut found)?;
            }
            _ => {
                let bytes = parts.slice(part, begins, header.count)?;
                found.push(content(&header, begins, bytes));
            }
        }
        at = end;
    }
    Ok(found)
}

fn content(header: &Head, at: u64, bytes: Vec<u8>) -> Content {
    Content { tag: header.tag, channel: None, at, count: header.count, bytes }
}

/// The definitions inside a channel's.
fn of_channel(
    bytes: &[u8],
    channel: u64,
    begins: u64,
    found: &mut Vec<Content>,
) -> Result<(), Refusal> {
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == tag::BLANK {
            at += 1;
            continue;
        }
        let place = format!("byte {}", begins + at as u64);
        let header = header(&bytes[at..]).filter(|header| header.tag != tag::CHANNEL);
        let Some(header) = header else { return Err(truncated(&place)) };
        let from = at + header.bytes as usize;
        let until = usize::try_from(header.count).ok().and_then(|count| from.checked_add(count));
        let Some(content) = until.and_then(|until| bytes.get(from..until)) else {
            return Err(truncated(&place));
        };
        found.push(Content {
            tag: header.tag,
            channel: Some(channel),
            at: begins + from as u64,
            count: header.count,
            bytes: content.to_vec(),
        });
        at = from + content.len();
    }
    Ok(())
}

struct Head {
    tag: u8,
    channel: Option<u64>,
    /// Bytes of tag, channel and length together.
    bytes: u64,
    count: u64,
}

/// Lengths and channel numbers are big-endian whatever the byte order of contents is. A length with
/// its highest bit set says in how many bytes it follows; a channel number goes on in the next byte.
fn header(bytes: &[u8]) -> Option<Head> {
    let tag = *bytes.first()?;
    let mut at = 1;
    let mut channel = None;
    if tag == tag::CHANNEL {
        let mut number = 0_u64;
        loop {
            let byte = *bytes.get(at)?;
            at += 1;
            number = number.checked_mul(128)? + u64::from(byte & 0x7F);
            if byte & 0x80 == 0 {
                break;
            }
        }
        channel = Some(number);
    }
    let first = *bytes.get(at)?;
    at += 1;
    let count = if first & 0x80 == 0 {
        u64::from(first)
    } else {
        let width = usize::from(first & 0x7F);
        if !(1..=8).contains(&width) {
            return None;
        }
        let number = bytes.get(at..at + width)?;
        at += width;
        number.iter().fold(0, |count, &byte| count << 8 | u64::from(byte))
    };
    Some(Head { tag, channel, bytes: at as u64, count })
}

fn truncated(place: &str) -> Refusal {
    let text = "a definition does not lie inside the file";
    Refusal::new(RefusalReason::Truncated, "content_truncated", place, text)
        .hint("the file may still have been on its way; try again when its size is stable")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_have_short_and_long_lengths_and_channels() {
        let read = |bytes: &[u8]| header(bytes).map(|head| (head.channel, head.bytes, head.count));
        assert_eq!(read(&[0x01, 0x01]), Some((None, 2, 1)));
        assert_eq!(read(&[0x1E, 0x84, 0x00, 0x0D, 0xBB, 0xA0]), Some((None, 6, 900_000)));
        assert_eq!(read(&[0x3F, 0x02, 0x03]), Some((Some(2), 3, 3)));
        assert_eq!(read(&[0x3F, 0x81, 0x02, 0x03]), Some((Some(130), 4, 3)));
        for bytes in [&[][..], &[0x01], &[0x1E, 0x84, 0x00], &[0x1E, 0x80], &[0x3F, 0xFF, 0xFF]] {
            assert_eq!(read(bytes), None, "{bytes:?}");
        }
    }
}
