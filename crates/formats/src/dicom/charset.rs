//! Text in the character sets that an object declares. PS3.3 C.12.1.1.2, PS3.5 6.1.
//!
//! Decoding never guesses a repertoire: a byte that the declaration does not cover becomes U+FFFD and
//! is reported. Undeclared text that is well-formed UTF-8 is the one exception, also reported.

use encoding_rs::{
    EUC_JP, EUC_KR, Encoding, GB18030, GBK, ISO_8859_2, ISO_8859_3, ISO_8859_4, ISO_8859_5,
    ISO_8859_6, ISO_8859_7, ISO_8859_8, ISO_8859_15, SHIFT_JIS, WINDOWS_874, WINDOWS_1254,
};
use precordia_model::Problem;

/// What the upper half of a byte means.
#[derive(Clone, Copy, Debug)]
enum Upper {
    Nothing,
    /// ISO 8859-1: the byte is the code point.
    Latin1,
    /// One byte a character.
    Single(&'static Encoding),
    /// JIS X 0201 katakana.
    Katakana,
    /// Two bytes a character: KS X 1001 or GB 2312.
    Double(&'static Encoding),
}

/// What the lower half means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lower {
    Ascii,
    /// Two bytes a character, read through EUC-JP with both high bits set.
    JisX0208,
    JisX0212,
}

#[derive(Clone, Copy, Debug)]
enum Declared {
    /// Nothing was declared, or nothing that is known.
    Default,
    Whole(&'static Encoding),
    /// The initial upper half, and whether escape sequences may change it.
    Halves(Upper),
}

/// Decodes the text values of one object and remembers what went wrong.
#[derive(Debug)]
pub(crate) struct TextReader {
    declared: Declared,
    /// A declared term is not one of the standard's.
    term_unknown: bool,
    damaged: bool,
    undeclared_utf8: bool,
    perhaps_utf8: bool,
}

impl TextReader {
    /// `terms` is the value of Specific Character Set, `None` when absent.
    pub(crate) fn new(terms: Option<&str>) -> Self {
        let mut term_unknown = false;
        let mut declared = Declared::Default;
        for (index, term) in terms.unwrap_or_default().split('\\').enumerate() {
            let known = declaration(term);
            term_unknown |= known.is_none();
            if let (0, Some(known)) = (index, known) {
                declared = known;
            } else if let (Declared::Default, Some(_)) = (declared, known) {
                // A second term switches on code extensions over the default repertoire.
                declared = Declared::Halves(Upper::Nothing);
            }
        }
        Self { declared, term_unknown, damaged: false, undeclared_utf8: false, perhaps_utf8: false }
    }

    /// Text without its padding; `None` when nothing is left. Control characters do not survive.
    pub(crate) fn read(&mut self, bytes: Option<&[u8]>) -> Option<String> {
        let text = self.decode(bytes?);
        let kept: String =
            text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
        let trimmed = kept.trim_matches(|c: char| c == ' ' || c == '\n');
        (!trimmed.is_empty()).then(|| trimmed.to_owned())
    }

    pub(crate) fn problems(&self) -> Vec<Problem> {
        let place = "SpecificCharacterSet";
        let cases = [
            (
                self.term_unknown,
                "charset_unknown",
                "a declared character set is not one of the standard's",
            ),
            (
                self.damaged,
                "charset_violated",
                "text holds bytes that the declared character set does not have; they are shown as U+FFFD",
            ),
            (
                self.undeclared_utf8,
                "charset_undeclared",
                "text is UTF-8 but no character set is declared",
            ),
            (
                self.perhaps_utf8,
                "charset_doubtful",
                "text declared as a single-byte character set is well-formed UTF-8; it was read as declared",
            ),
        ];
        cases
            .into_iter()
            .filter(|(seen, ..)| *seen)
            .map(|(_, code, text)| Problem::warning(code, place, text))
            .collect()
    }

    fn decode(&mut self, bytes: &[u8]) -> String {
        let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
        if bytes.is_ascii() && !bytes.contains(&0x1B) {
            return bytes.iter().map(|&byte| char::from(byte)).collect();
        }
        match self.declared {
            Declared::Whole(encoding) => {
                let (text, damaged) = encoding.decode_without_bom_handling(bytes);
                self.damaged |= damaged;
                text.into_owned()
            }
            Declared::Default => match std::str::from_utf8(bytes) {
                Ok(text) if !bytes.contains(&0x1B) => {
                    self.undeclared_utf8 = true;
                    text.to_owned()
                }
                _ => self.decode_halves(bytes, Upper::Nothing),
            },
            Declared::Halves(initial) => {
                let single = matches!(initial, Upper::Latin1 | Upper::Single(_));
                self.perhaps_utf8 |=
                    single && !bytes.contains(&0x1B) && std::str::from_utf8(bytes).is_ok();
                self.decode_halves(bytes, initial)
            }
        }
    }

    /// PS3.5 6.1.2.5: escape sequences designate the halves; delimiters restore the initial state.
    fn decode_halves(&mut self, bytes: &[u8], initial: Upper) -> String {
        let mut text = String::with_capacity(bytes.len());
        let (mut lower, mut upper) = (Lower::Ascii, initial);
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            if byte == 0x1B {
                match escape(after) {
                    Some((Half::Lower(half), length)) => (lower, rest) = (half, &after[length..]),
                    Some((Half::Upper(half), length)) => (upper, rest) = (half, &after[length..]),
                    None => {
                        text.push(self.damage());
                        rest = after;
                    }
                }
            } else if matches!(byte, b'\r' | b'\n' | b'\t' | 0x0C)
                || (lower == Lower::Ascii && matches!(byte, b'\\' | b'^' | b'='))
            {
                (lower, upper) = (Lower::Ascii, initial);
                text.push(char::from(byte));
                rest = after;
            } else {
                let length = self.character(rest, lower, upper, &mut text);
                rest = &rest[length..];
            }
        }
        text
    }

    /// Decodes one character of one or two bytes; says how many it took.
    fn character(&mut self, rest: &[u8], lower: Lower, upper: Upper, text: &mut String) -> usize {
        let first = rest[0];
        let pair = rest.get(1).map(|&second| [first, second]);
        let (decoded, length) = match (first < 0x80, lower, upper) {
            (true, Lower::Ascii, _) => (Some(char::from(first)), 1),
            (true, Lower::JisX0208, _) => {
                (pair.and_then(|[a, b]| one(EUC_JP, &[a | 0x80, b | 0x80])), 2)
            }
            (true, Lower::JisX0212, _) => {
                (pair.and_then(|[a, b]| one(EUC_JP, &[0x8F, a | 0x80, b | 0x80])), 2)
            }
            (false, _, Upper::Latin1) => (Some(char::from(first)), 1),
            (false, _, Upper::Single(encoding)) => (one(encoding, &[first]), 1),
            (false, _, Upper::Katakana) => (one(SHIFT_JIS, &[first]), 1),
            (false, _, Upper::Double(encoding)) => (pair.and_then(|pair| one(encoding, &pair)), 2),
            (false, _, Upper::Nothing) => (None, 1),
        };
        match decoded {
            Some(character) => {
                text.push(character);
                length
            }
            None => {
                text.push(self.damage());
                1
            }
        }
    }

    fn damage(&mut self) -> char {
        self.damaged = true;
        char::REPLACEMENT_CHARACTER
    }
}

/// Exactly one character of an encoding, or nothing.
fn one(encoding: &'static Encoding, bytes: &[u8]) -> Option<char> {
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => Some(character),
        _ => None,
    }
}

/// PS3.3 tables C.12-2 to C.12-5. Separators are written in several ways in the field.
fn declaration(term: &str) -> Option<Declared> {
    let term: String = term
        .trim_matches(|c: char| c == ' ' || c == '\0')
        .to_ascii_uppercase()
        .replace(['_', '-'], " ");
    let number =
        term.strip_prefix("ISO IR ").or_else(|| term.strip_prefix("ISO 2022 IR ")).unwrap_or(&term);
    Some(match number {
        "" | "6" => Declared::Default,
        "100" => Declared::Halves(Upper::Latin1),
        "101" => Declared::Halves(Upper::Single(ISO_8859_2)),
        "109" => Declared::Halves(Upper::Single(ISO_8859_3)),
        "110" => Declared::Halves(Upper::Single(ISO_8859_4)),
        "144" => Declared::Halves(Upper::Single(ISO_8859_5)),
        "127" => Declared::Halves(Upper::Single(ISO_8859_6)),
        "126" => Declared::Halves(Upper::Single(ISO_8859_7)),
        "138" => Declared::Halves(Upper::Single(ISO_8859_8)),
        "148" => Declared::Halves(Upper::Single(WINDOWS_1254)),
        "203" => Declared::Halves(Upper::Single(ISO_8859_15)),
        "166" => Declared::Halves(Upper::Single(WINDOWS_874)),
        "13" => Declared::Halves(Upper::Katakana),
        "87" | "159" | "149" | "58" => Declared::Halves(Upper::Nothing),
        "192" | "UTF 8" | "UTF8" => Declared::Whole(encoding_rs::UTF_8),
        "GB18030" => Declared::Whole(GB18030),
        "GBK" => Declared::Whole(GBK),
        _ => return None,
    })
}

enum Half {
    Lower(Lower),
    Upper(Upper),
}

/// The escape sequences of PS3.3 tables C.12-3 and C.12-4, after the escape byte itself.
fn escape(after: &[u8]) -> Option<(Half, usize)> {
    const SEQUENCES: &[(&[u8], Half)] = &[
        (b"(B", Half::Lower(Lower::Ascii)),
        // JIS X 0201 romaji differs from ASCII in the yen sign and the overline only, and the yen
        // sign's place is DICOM's backslash.
        (b"(J", Half::Lower(Lower::Ascii)),
        (b")I", Half::Upper(Upper::Katakana)),
        (b"-A", Half::Upper(Upper::Latin1)),
        (b"-B", Half::Upper(Upper::Single(ISO_8859_2))),
        (b"-C", Half::Upper(Upper::Single(ISO_8859_3))),
        (b"-D", Half::Upper(Upper::Single(ISO_8859_4))),
        (b"-L", Half::Upper(Upper::Single(ISO_8859_5))),
        (b"-G", Half::Upper(Upper::Single(ISO_8859_6))),
        (b"-F", Half::Upper(Upper::Single(ISO_8859_7))),
        (b"-H", Half::Upper(Upper::Single(ISO_8859_8))),
        (b"-M", Half::Upper(Upper::Single(WINDOWS_1254))),
        (b"-b", Half::Upper(Upper::Single(ISO_8859_15))),
        (b"-T", Half::Upper(Upper::Single(WINDOWS_874))),
        (b"$B", Half::Lower(Lower::JisX0208)),
        (b"$(D", Half::Lower(Lower::JisX0212)),
        (b"$)C", Half::Upper(Upper::Double(EUC_KR))),
        (b"$)A", Half::Upper(Upper::Double(GBK))),
    ];
    SEQUENCES.iter().find(|(sequence, _)| after.starts_with(sequence)).map(|(sequence, half)| {
        let half = match half {
            Half::Lower(lower) => Half::Lower(*lower),
            Half::Upper(upper) => Half::Upper(*upper),
        };
        (half, sequence.len())
    })
}

#[cfg(test)]
mod tests {
    use super::TextReader;

    #[track_caller]
    fn check(terms: Option<&str>, bytes: &[u8], expected: &str, problems: &[&str]) {
        let mut reader = TextReader::new(terms);
        assert_eq!(reader.read(Some(bytes)).as_deref(), Some(expected), "{terms:?}");
        let codes: Vec<String> =
            reader.problems().into_iter().map(|problem| problem.code).collect();
        assert_eq!(codes, problems, "{terms:?}");
    }

    #[test]
    fn every_declared_repertoire_is_read_in_it() {
        // The person names of PS3.5 annexes H to K, and of the standard's single-byte sets.
        check(Some("ISO_IR 100"), b"M\xFCller^J\xFCrgen", "Müller^Jürgen", &[]);
        check(Some("ISO_IR 101"), b"Wa\xB3\xEAsa", "Wałęsa", &[]);
        check(Some("ISO_IR 144"), b"\xBB\xEE\xDA", "Люк", &[]);
        check(Some("ISO_IR 126"), b"\xC4\xE9\xEF\xED", "Διον", &[]);
        check(Some("ISO_IR 138"), b"\xF9\xF8\xE5\xEF", "שרון", &[]);
        check(Some("ISO_IR 148"), b"\xDDstanbul", "İstanbul", &[]);
        check(Some("ISO_IR 166"), b"\xCA\xC1", "สม", &[]);
        check(Some("ISO_IR 13"), b"\xD4\xCF\xC0\xDE", "ﾔﾏﾀﾞ", &[]);
        check(Some("ISO_IR 192"), "Wang=王^小东".as_bytes(), "Wang=王^小东", &[]);
        check(Some("GB18030"), b"Wang=\xCD\xF5^\xD0\xA1\xB6\xAB", "Wang=王^小东", &[]);
    }

    #[test]
    fn escape_sequences_change_the_repertoire_until_the_next_delimiter() {
        check(
            Some("\\ISO 2022 IR 87"),
            b"Yamada^Tarou=\x1B$B;3ED\x1B(B^\x1B$BB@O:\x1B(B=\x1B$B$d$^$@\x1B(B^\x1B$B$?$m$&\x1B(B",
            "Yamada^Tarou=山田^太郎=やまだ^たろう",
            &[],
        );
        check(
            Some("ISO 2022 IR 13\\ISO 2022 IR 87"),
            b"\xD4\xCF\xC0\xDE^\xC0\xDB\xB3=\x1B$B;3ED\x1B(J^\x1B$BB@O:\x1B(J",
            "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎",
            &[],
        );
        check(
            Some("\\ISO 2022 IR 149"),
            b"Hong=\x1B$)C\xFB\xF3^\x1B$)C\xD1\xCE\xD4\xD7",
            "Hong=洪^吉洞",
            &[],
        );
        check(Some("\\ISO 2022 IR 58"), b"Zhang=\x1B$)A\xD5\xC5", "Zhang=张", &[]);
        check(
            Some("\\ISO 2022 IR 149"),
            b"\x1B$)C\xFB\xF3^\xFB\xF3",
            "洪^\u{FFFD}\u{FFFD}",
            &["charset_violated"],
        );
    }

    #[test]
    fn what_the_declaration_does_not_cover_is_shown_as_damage() {
        check(None, b"M\xFCller", "M\u{FFFD}ller", &["charset_violated"]);
        check(None, "Müller".as_bytes(), "Müller", &["charset_undeclared"]);
        check(Some("ISO_IR 192"), b"M\xFCller", "M\u{FFFD}ller", &["charset_violated"]);
        check(Some("ISO_IR 999"), b"Plain", "Plain", &["charset_unknown"]);
        check(Some("ISO_IR 100"), "Ł".as_bytes(), "Å", &["charset_doubtful"]);
    }

    #[test]
    fn padding_and_control_characters_do_not_survive() {
        check(None, b"Lead I\0", "Lead I", &[]);
        check(None, b"  Lead\x07 I \0", "Lead I", &[]);
        assert_eq!(TextReader::new(None).read(Some(b" \0")), None);
    }
}
