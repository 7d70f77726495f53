//! Text in the character set that the record declares. EN 1064 5.4.5 tag 14 and annex A.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use precordia_model::Problem;

/// Reads text and remembers what had to be done about it.
pub(crate) struct TextReader {
    declared: Declared,
    undeclared: bool,
    not_decodable: bool,
}

#[derive(Clone, Copy)]
enum Declared {
    /// Nothing, or ASCII.
    Ascii,
    As(&'static Encoding),
    Unknown,
}

impl TextReader {
    /// `language` is the language support code of the acquiring device.
    pub fn new(language: Option<u8>) -> Self {
        let label: &[u8] = match language {
            None => b"",
            Some(code) if code & 1 == 0 => b"",
            // ISO 8859-1 is read as its superset, as everywhere.
            Some(0x01) => b"windows-1252",
            Some(0x03) => b"iso-8859-2",
            Some(0x0B) => b"iso-8859-4",
            Some(0x13) => b"iso-8859-5",
            Some(0x1B) => b"iso-8859-6",
            Some(0x23) => b"iso-8859-7",
            Some(0x2B) => b"iso-8859-8",
            Some(0x33) => b"windows-874",
            Some(0x3B) => b"iso-8859-15",
            Some(0x07) => b"utf-8",
            Some(0x0F | 0x17 | 0x1F) => b"euc-jp",
            Some(0x27) => b"gbk",
            Some(0x2F) => b"euc-kr",
            Some(_) => b"unknown",
        };
        let declared = match (label, Encoding::for_label(label)) {
            (b"", _) => Declared::Ascii,
            (_, Some(encoding)) => Declared::As(encoding),
            (_, None) => Declared::Unknown,
        };
        Self { declared, undeclared: false, not_decodable: false }
    }

    /// Text up to its first NUL, where it has one; `None` where it says nothing.
    pub fn read(&mut self, bytes: &[u8]) -> Option<String> {
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        let bytes = &bytes[..end];
        let text = match self.declared {
            _ if bytes.is_ascii() => String::from_utf8_lossy(bytes).into_owned(),
            Declared::As(encoding) => {
                let (text, bad) = encoding.decode_without_bom_handling(bytes);
                self.not_decodable |= bad;
                text.into_owned()
            }
            Declared::Ascii => {
                self.undeclared = true;
                let utf8 = UTF_8.decode_without_bom_handling_and_without_replacement(bytes);
                utf8.unwrap_or_else(|| WINDOWS_1252.decode_without_bom_handling(bytes).0)
                    .into_owned()
            }
            Declared::Unknown => {
                self.not_decodable = true;
                WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned()
            }
        };
        let text: String = text.chars().filter(|c| !c.is_control()).collect();
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    pub fn report(&self, problems: &mut Vec<Problem>) {
        if self.undeclared {
            let text = "text has characters beyond the declared ASCII; it was read as ISO 8859-1, or UTF-8 where it is that";
            problems.push(Problem::warning("text_undeclared", "section 1", text));
        }
        if self.not_decodable {
            let text = "text is not in the character set that is declared, or that is not known; some characters may be wrong";
            problems.push(Problem::warning("text_not_decodable", "section 1", text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TextReader;

    #[test]
    fn text_ends_at_its_nul_and_is_read_as_declared() {
        let read = |language, bytes: &[u8]| {
            let mut reader = TextReader::new(language);
            let text = reader.read(bytes).unwrap_or_default();
            let mut problems = Vec::new();
            reader.report(&mut problems);
            (text, problems.first().map_or(String::new(), |problem| problem.code.clone()))
        };
        let case = |text: &str, code: &str| (text.to_owned(), code.to_owned());
        assert_eq!(read(Some(0), b"REMOVED\0R"), case("REMOVED", ""));
        assert_eq!(read(None, b" REMOVE"), case("REMOVE", ""));
        assert_eq!(read(Some(0), b"\xC5str\xF6m\0"), case("Åström", "text_undeclared"));
        assert_eq!(read(Some(0), "Åström".as_bytes()), case("Åström", "text_undeclared"));
        assert_eq!(read(Some(1), b"\xC5str\xF6m\0"), case("Åström", ""));
        assert_eq!(read(Some(0x13), b"\xB8\xD2\xD0\xDD"), case("Иван", ""));
        assert_eq!(read(Some(0xFF), b"\xC5"), case("Å", "text_not_decodable"));
        assert_eq!(read(Some(0), b"\0\0"), case("", ""));
    }
}
