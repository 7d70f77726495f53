//! The name of a file's root element, by which an XML format is known.

use quick_xml::Reader;
use quick_xml::events::Event;

use super::decode;

/// Declarations, comments and a document type take no more than this before the root.
const HEAD_BYTES: usize = 16 << 10;

/// The local name of the root element; `None` when the bytes do not begin like XML.
pub(crate) fn root_name(bytes: &[u8]) -> Option<String> {
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    let marks: &[u8] = &[0xEF, 0xBB, 0xBF, 0xFF, 0xFE, 0, b' ', b'\t', b'\r', b'\n'];
    let first = head.iter().find(|byte| !marks.contains(byte))?;
    if *first != b'<' {
        return None;
    }
    let text = decode::peek(head)?;
    let mut reader = Reader::from_str(&text);
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) | Event::Empty(start) => {
                return Some(start.local_name().into_inner().to_owned());
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::root_name;

    #[test]
    fn the_root_is_found_behind_what_may_stand_before_it() {
        let cases = [
            ("<a/>", Some("a")),
            ("\u{feff}<?xml version=\"1.0\"?>\r\r\n<!-- <b/> --><h:a x=\"1\">", Some("a")),
            ("<?xml version=\"1.0\"?><!DOCTYPE a SYSTEM \"a.dtd\"><a.b>", Some("a.b")),
            (" \n<a>", Some("a")),
            ("", None),
            ("a<b/>", None),
            ("<a", None),
            ("{\"a\": \"<b>\"}", None),
        ];
        for (text, expected) in cases {
            assert_eq!(root_name(text.as_bytes()).as_deref(), expected, "{text:?}");
        }
        let wide: Vec<u8> = "\u{feff}<a/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(root_name(&wide).as_deref(), Some("a"));
    }
}
