//! The file around a data set: preamble, meta information, transfer syntax, deflate. PS3.10.
//!
//! It finds out how the data set is encoded, from the file where it says so and otherwise from the
//! first element; it does not look into the data set.

use std::borrow::Cow;

use flate2::{Decompress, FlushDecompress, Status};
use precordia_model::{Problem, Refusal, RefusalReason};

use super::element::DataSet;
use super::parse::{self, Encoding};
use super::tag;
use crate::MAX_INPUT_BYTES;

const PREAMBLE_BYTES: usize = 128;
const MAGIC: &[u8; 4] = b"DICM";

/// An ECG object deflates to a third or less of its size, a flat line to a hundredth. What inflates to more than
/// this many times its size, beyond a first mebibyte, is not a recording.
const INFLATION_MAX: usize = 200;
const INFLATION_FREE_BYTES: usize = 1 << 20;

/// A file whose data set is ready to be parsed.
#[derive(Debug)]
pub(crate) struct File<'a> {
    pub body: Cow<'a, [u8]>,
    pub encoding: Encoding,
    /// As people say it: `explicit VR little endian`.
    pub syntax_name: &'static str,
    pub meta_sop_class: Option<String>,
    pub problems: Vec<Problem>,
}

/// Whether bytes are worth handing to the reader: they carry DICOM's mark, or begin as a data set does.
pub(crate) fn looks_like_dicom(bytes: &[u8]) -> bool {
    has_magic(bytes) || begins_with_meta(bytes) || sniff(bytes).is_some()
}

pub(crate) fn open(bytes: &[u8]) -> Result<File<'_>, Refusal> {
    let mut problems = Vec::new();
    let content = if has_magic(bytes) { &bytes[PREAMBLE_BYTES + MAGIC.len()..] } else { bytes };
    if content.is_empty() {
        return Err(Refusal::new(
            RefusalReason::Truncated,
            "data_set_absent",
            "byte 132",
            "the file ends after the DICOM mark",
        ));
    }
    if !has_magic(bytes) {
        problems.push(Problem::warning(
            "no_preamble",
            "byte 0",
            "the file has no preamble and no DICOM mark; the data set follows the rules otherwise",
        ));
    }
    if !begins_with_meta(content) {
        return without_meta(content, problems);
    }
    let (meta, data_set_at) = parse::meta(content)?;
    with_meta(content, &meta, data_set_at, problems)
}

fn with_meta<'a>(
    content: &'a [u8],
    meta: &DataSet<'_>,
    data_set_at: usize,
    mut problems: Vec<Problem>,
) -> Result<File<'a>, Refusal> {
    let rest = &content[data_set_at..];
    let meta_sop_class = meta.ascii(tag::META_SOP_CLASS).map(str::to_owned);
    let Some(syntax) = meta.ascii(tag::META_TRANSFER_SYNTAX) else {
        problems.push(Problem::warning(
            "transfer_syntax_absent",
            "TransferSyntaxUID",
            "the file does not say its transfer syntax; it was taken from the form of the first element",
        ));
        return without_meta(rest, problems);
    };
    // PS3.5 annex A and PS3.6 table A-1.
    let (encoding, syntax_name) = match syntax {
        "1.2.840.10008.1.2" => (Encoding::IMPLICIT_LITTLE, "implicit VR little endian"),
        "1.2.840.10008.1.2.1" => (Encoding::EXPLICIT_LITTLE, "explicit VR little endian"),
        "1.2.840.10008.1.2.1.99" => {
            (Encoding::EXPLICIT_LITTLE, "deflated explicit VR little endian")
        }
        "1.2.840.10008.1.2.2" => (Encoding::EXPLICIT_BIG, "explicit VR big endian"),
        _ => {
            return Err(Refusal::new(
                RefusalReason::Unsupported,
                "transfer_syntax_unknown",
                "TransferSyntaxUID",
                "the transfer syntax is none of the four that waveforms are written in",
            ));
        }
    };
    let body = if syntax.ends_with(".99") {
        Cow::Owned(inflate(rest, &mut problems)?)
    } else {
        Cow::Borrowed(rest)
    };
    Ok(File { body, encoding, syntax_name, meta_sop_class, problems })
}

fn without_meta(content: &[u8], problems: Vec<Problem>) -> Result<File<'_>, Refusal> {
    let Some(encoding) = sniff(content) else {
        return Err(Refusal::new(
            if content.len() < 8 { RefusalReason::Truncated } else { RefusalReason::Malformed },
            "transfer_syntax_undetectable",
            "byte 0 of the data set",
            "the data set begins with no element that an ECG object begins with",
        ));
    };
    let syntax_name = match (encoding.explicit, encoding.order) {
        (false, _) => "implicit VR little endian",
        (true, super::element::ByteOrder::Little) => "explicit VR little endian",
        (true, super::element::ByteOrder::Big) => "explicit VR big endian",
    };
    Ok(File { body: Cow::Borrowed(content), encoding, syntax_name, meta_sop_class: None, problems })
}

fn has_magic(bytes: &[u8]) -> bool {
    bytes.get(PREAMBLE_BYTES..PREAMBLE_BYTES + MAGIC.len()) == Some(MAGIC)
}

fn begins_with_meta(bytes: &[u8]) -> bool {
    matches!(bytes.first_chunk::<6>(), Some([0x02, 0x00, _, 0x00, a, b]) if parse::is_vr([*a, *b]))
}

/// How a data set without meta information is encoded. Its first element is one of the first
/// attributes of group 0008 in every object, which leaves three readings that exclude each other.
fn sniff(bytes: &[u8]) -> Option<Encoding> {
    let &[a, b, c, d, e, f, g, h] = bytes.first_chunk::<8>()?;
    let element_is_early = |element: u16| element <= 0x0018;
    if [a, b] == [0x08, 0x00] && element_is_early(u16::from_le_bytes([c, d])) {
        if parse::is_vr([e, f]) {
            return Some(Encoding::EXPLICIT_LITTLE);
        }
        let length = u32::from_le_bytes([e, f, g, h]);
        return (length <= 1024).then_some(Encoding::IMPLICIT_LITTLE);
    }
    let is_big = [a, b] == [0x00, 0x08]
        && element_is_early(u16::from_be_bytes([c, d]))
        && parse::is_vr([e, f]);
    is_big.then_some(Encoding::EXPLICIT_BIG)
}

/// PS3.5 A.5: a raw deflate stream (RFC 1951), padded to an even length with a zero.
fn inflate(deflated: &[u8], problems: &mut Vec<Problem>) -> Result<Vec<u8>, Refusal> {
    let limit = deflated
        .len()
        .saturating_mul(INFLATION_MAX)
        .saturating_add(INFLATION_FREE_BYTES)
        .min(MAX_INPUT_BYTES);
    let refuse = |reason, code: &str, text: String| {
        Err(Refusal::new(reason, code, "deflated data set", text))
    };
    let mut stream = Decompress::new(false);
    let mut inflated = Vec::with_capacity(deflated.len().saturating_mul(4).min(limit));
    loop {
        if inflated.len() >= limit {
            let text =
                format!("{} deflated bytes inflate to more than {limit} bytes", deflated.len());
            return refuse(RefusalReason::TooLarge, "inflated_too_large", text);
        }
        if inflated.len() == inflated.capacity() {
            inflated.reserve_exact(inflated.len().max(1 << 16).min(limit - inflated.len()));
        }
        let consumed = usize::try_from(stream.total_in()).unwrap_or(usize::MAX);
        let input = deflated.get(consumed..).unwrap_or_default();
        let before = (stream.total_in(), stream.total_out());
        match stream.decompress_vec(input, &mut inflated, FlushDecompress::None) {
            Ok(Status::StreamEnd) => break,
            Ok(_) if (stream.total_in(), stream.total_out()) != before => {}
            Ok(_) => {
                let text =
                    format!("the deflate stream does not end within its {} bytes", deflated.len());
                return refuse(RefusalReason::Truncated, "deflate_truncated", text);
            }
            Err(_) => {
                let text = format!("the deflate stream breaks after {consumed} bytes");
                return refuse(RefusalReason::Malformed, "deflate_broken", text);
            }
        }
    }
    let consumed = usize::try_from(stream.total_in()).unwrap_or(usize::MAX);
    let rest = deflated.get(consumed..).unwrap_or_default();
    if rest.len() > 1 || rest.iter().any(|&byte| byte != 0) {
        let text =
            format!("{} bytes after the end of the deflate stream were not read", rest.len());
        problems.push(Problem::warning("trailing_bytes", "deflated data set", text));
    }
    Ok(inflated)
}
