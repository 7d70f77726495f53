//! Bytes to text for formats that are lines of text and do not declare their characters.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use precordia_model::Problem;

/// By byte order mark, else UTF-8, else Windows-1252 with a problem: numbers and units read the
/// same in it, and names may not. `None` where it is no text at all.
pub(crate) fn decode<'a>(bytes: &'a [u8], problems: &mut Vec<Problem>) -> Option<Cow<'a, str>> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling_and_without_replacement(&bytes[mark..]);
    }
    if bytes.contains(&0) {
        return None;
    }
    if let Some(text) = UTF_8.decode_without_bom_handling_and_without_replacement(bytes) {
        return Some(text);
    }
    let text = "the text is not in UTF-8; it was read as Windows-1252";
    problems.push(Problem::warning("encoding_assumed", "file", text));
    Some(WINDOWS_1252.decode_without_bom_handling(bytes).0)
}

/// The beginning of a file, to know its format by.
pub(crate) fn head(bytes: &[u8]) -> Option<String> {
    const HEAD_BYTES: usize = 4 << 10;
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    let (encoding, mark) = Encoding::for_bom(head).unwrap_or((UTF_8, 0));
    if mark < 2 && head.contains(&0) {
        return None;
    }
    Some(encoding.decode_without_bom_handling(&head[mark..]).0.into_owned())
}
