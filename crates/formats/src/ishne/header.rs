//! The fixed fields of the header, all little-endian.

use precordia_model::{Refusal, RefusalReason};

pub(crate) const BYTES: usize = 522;

/// Fields for so many leads are there, however few are used.
pub(crate) const LEADS_MAX: usize = 12;

/// Magic and checksum stand before the bytes that the checksum is of.
const CHECKED_FROM: usize = 10;

#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub major_version: u8,
    pub checksum: u16,
    pub checksum_of_fields: u16,
    pub variable_bytes: i32,
    pub samples: i32,
    pub variable_at: i32,
    pub samples_at: i32,
    pub file_version: i16,
    pub first_name: Vec<u8>,
    pub last_name: Vec<u8>,
    pub id: Vec<u8>,
    pub sex: i16,
    pub race: i16,
    pub birth_date: [i16; 3],
    pub record_date: [i16; 3],
    pub start_time: [i16; 3],
    pub leads: i16,
    pub lead_codes: [i16; LEADS_MAX],
    pub qualities: [i16; LEADS_MAX],
    pub resolutions_nv: [i16; LEADS_MAX],
    pub pacemaker: i16,
    pub recorder: Vec<u8>,
    pub rate_hz: i16,
    pub proprietary: Vec<u8>,
    pub copyright: Vec<u8>,
}

pub(crate) fn is_ecg(bytes: &[u8]) -> bool {
    bytes.starts_with(b"ISHNE1.0") || bytes.starts_with(b"ISHNE2.0")
}

pub(crate) fn parse(bytes: &[u8]) -> Result<Header, Refusal> {
    let Some(bytes) = bytes.get(..BYTES) else {
        let text = format!("the header has {BYTES} bytes and {} are there", bytes.len());
        return Err(Refusal::new(RefusalReason::Truncated, "header_truncated", "header", text));
    };
    let short = |at: usize| i16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let long =
        |at: usize| i32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let three = |at: usize| [0, 2, 4].map(|offset| short(at + offset));
    let per_lead = |at: usize| std::array::from_fn(|index| short(at + 2 * index));
    let text = |at: usize, width: usize| bytes[at..at + width].to_vec();
    Ok(Header {
        major_version: bytes[5] - b'0',
        checksum: short(8) as u16,
        checksum_of_fields: super::crc::crc_ccitt(&bytes[CHECKED_FROM..]),
        variable_bytes: long(10),
        samples: long(14),
        variable_at: long(18),
        samples_at: long(22),
        file_version: short(26),
        first_name: text(28, 40),
        last_name: text(68, 40),
        id: text(108, 20),
        sex: short(128),
        race: short(130),
        birth_date: three(132),
        record_date: three(138),
        start_time: three(150),
        leads: short(156),
        lead_codes: per_lead(158),
        qualities: per_lead(182),
        resolutions_nv: per_lead(206),
        pacemaker: short(230),
        recorder: text(232, 40),
        rate_hz: short(272),
        proprietary: text(274, 80),
        copyright: text(354, 80),
    })
}

/// Text to the first NUL; ASCII by the standard, Latin-1 where it is not.
pub(crate) fn text(bytes: &[u8]) -> Option<String> {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    let text = match std::str::from_utf8(&bytes[..end]) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes[..end].iter().map(|&byte| char::from(byte)).collect(),
    };
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
