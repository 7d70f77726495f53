//! Bytes of an XML file to characters. XML 1.0 appendix F.
//!
//! A byte order mark decides, then the shape of the first two bytes, then the declaration, then UTF-8.
//! Bytes that are not text in the encoding so found are refused, since they could be part of a name.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use precordia_model::{Problem, Refusal, RefusalReason};

/// A declaration lies within these.
const DECLARATION_BYTES: usize = 256;

pub(super) const PLACE: &str = "XML declaration";

#[derive(Debug)]
pub(super) struct Decoded<'a> {
    pub text: Cow<'a, str>,
    pub problem: Option<Problem>,
}

/// How the bytes say that they are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Declared {
    encoding: &'static Encoding,
    /// Bytes of a byte order mark.
    skipped: usize,
    /// The declaration names UTF-16, and the bytes that name it are not.
    sixteen_bits_denied: bool,
}

pub(super) fn decode(bytes: &[u8]) -> Result<Decoded<'_>, Refusal> {
    let declared = declared(bytes)?;
    let body = bytes.get(declared.skipped..).unwrap_or_default();
    let sixteen_bits = declared.encoding == UTF_16LE || declared.encoding == UTF_16BE;
    if sixteen_bits && body.len() % 2 == 1 {
        let text = "the file is in UTF-16 and ends within a character";
        return Err(Refusal::new(RefusalReason::Truncated, "xml_truncated", "end of file", text));
    }
    let text = declared.encoding.decode_without_bom_handling_and_without_replacement(body);
    let Some(text) = text else {
        let text = format!(
            "the file says that it is in {} and holds bytes that are not",
            declared.encoding.name()
        );
        let refusal =
            Refusal::new(RefusalReason::Malformed, "xml_encoding_contradicted", PLACE, text);
        return Err(refusal.hint("send the file in the encoding that it declares"));
    };
    if let Some(character) = text.chars().find(|&character| !is_legal(character)) {
        let text =
            format!("the file holds U+{:04X}, which XML does not allow", u32::from(character));
        return Err(Refusal::new(RefusalReason::Malformed, "xml_character_illegal", PLACE, text));
    }
    let problem = declared.sixteen_bits_denied.then(|| {
        let text = "the file says that it is in UTF-16 and is in UTF-8; it was read so";
        Problem::info("xml_encoding_corrected", PLACE, text)
    });
    Ok(Decoded { text, problem })
}

/// The first bytes in whatever encoding, only to see what kind of file it is.
pub(super) fn peek(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let declared = declared(bytes).ok()?;
    let body = bytes.get(declared.skipped..)?;
    Some(declared.encoding.decode_without_bom_handling(body).0)
}

fn declared(bytes: &[u8]) -> Result<Declared, Refusal> {
    let found = |encoding, skipped| Ok(Declared { encoding, skipped, sixteen_bits_denied: false });
    match bytes {
        [0xEF, 0xBB, 0xBF, ..] => return found(UTF_8, 3),
        [0xFF, 0xFE, ..] => return found(UTF_16LE, 2),
        [0xFE, 0xFF, ..] => return found(UTF_16BE, 2),
        [b'<', 0, ..] => return found(UTF_16LE, 0),
        [0, b'<', ..] => return found(UTF_16BE, 0),
        _ => {}
    }
    let Some(label) = declared_label(bytes) else { return found(UTF_8, 0) };
    // The labels of the Encoding Standard: `ISO8859-1` and ISO-8859-1 are both windows-1252, which
    // differs only where ISO-8859-1 has control characters that no one writes.
    let Some(encoding) = Encoding::for_label_no_replacement(label) else {
        let text = "the declared encoding is none that is known";
        return Err(Refusal::new(RefusalReason::Unsupported, "xml_encoding_unknown", PLACE, text));
    };
    let sixteen_bits_denied = encoding == UTF_16LE || encoding == UTF_16BE;
    let encoding = if sixteen_bits_denied { UTF_8 } else { encoding };
    Ok(Declared { encoding, skipped: 0, sixteen_bits_denied })
}

/// The value of `encoding` in a declaration that is written in ASCII.
fn declared_label(bytes: &[u8]) -> Option<&[u8]> {
    let head = &bytes[..bytes.len().min(DECLARATION_BYTES)];
    let rest = head.trim_ascii_start().strip_prefix(b"<?xml")?;
    let end = rest.windows(2).position(|pair| pair == b"?>")?;
    let declaration = &rest[..end];
    let at = declaration.windows(8).position(|word| word == b"encoding")?;
    let value = declaration[at + 8..].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (&quote, value) = value.split_first().filter(|(quote, _)| matches!(quote, b'"' | b'\''))?;
    let end = value.iter().position(|&byte| byte == quote)?;
    Some(&value[..end])
}

/// XML 1.0 production 2.
pub(crate) fn is_legal(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\u{FFFE}' | '\u{FFFF}' => false,
        other => other >= ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: Result<&str, &str>) {
        let found = decode(bytes);
        match (&found, expected) {
            (Ok(decoded), Ok(text)) => assert!(decoded.text.ends_with(text), "{found:?}"),
            (Err(refusal), Err(code)) => assert_eq!(refusal.code, code),
            _ => panic!("{bytes:?}: {found:?} for {expected:?}"),
        }
    }

    fn in_sixteen_bits(text: &str, little: bool) -> Vec<u8> {
        let bytes = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn a_mark_a_shape_or_a_declaration_says_the_encoding() {
        check("\u{feff}<a>ä王</a>".as_bytes(), Ok("<a>ä王</a>"));
        check("<a>ä王</a>".as_bytes(), Ok("<a>ä王</a>"));
        for little in [true, false] {
            check(&in_sixteen_bits("\u{feff}<a>ä王</a>", little), Ok("<a>ä王</a>"));
            let declared = "<?xml version=\"1.0\" encoding=\"utf-16\"?><a>ä王</a>";
            check(&in_sixteen_bits(declared, little), Ok("<a>ä王</a>"));
        }
        for label in ["ISO-8859-1", "ISO8859-1", "iso-8859-1", "windows-1252"] {
            let mut bytes = format!("<?xml version='1.0' encoding='{label}' ?><a>").into_bytes();
            bytes.extend(b"M\xFCller</a>");
            check(&bytes, Ok("<a>Müller</a>"));
        }
        let mut chinese = b"<?xml version=\"1.0\" encoding=\"GB18030\"?><a>".to_vec();
        chinese.extend(b"\xCD\xF5</a>");
        check(&chinese, Ok("<a>王</a>"));
    }

    #[test]
    fn what_is_not_text_in_its_encoding_is_refused() {
        check(b"<a>M\xFCller</a>", Err("xml_encoding_contradicted"));
        check(b"<?xml version='1.0' encoding='EBCDIC-37'?><a/>", Err("xml_encoding_unknown"));
        check(b"\xFF\xFE<\0a\0/\0>", Err("xml_truncated"));
        check(b"\xFF\xFE<\0a\0\x00\xD8>\0", Err("xml_encoding_contradicted"));
        check(b"<a>\0</a>", Err("xml_character_illegal"));
        check(b"<a>\x1B</a>", Err("xml_character_illegal"));
    }

    #[test]
    fn single_bytes_that_call_themselves_utf_16_are_read_as_utf_8_and_said_to_be() {
        let decoded =
            decode("<?xml version=\"1.0\" encoding=\"utf-16\"?><a>ä</a>".as_bytes()).unwrap();
        assert!(decoded.text.ends_with("<a>ä</a>"));
        assert_eq!(decoded.problem.unwrap().code, "xml_encoding_corrected");
    }
}
