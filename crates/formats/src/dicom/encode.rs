//! Explicit VR little endian, the other way. PS3.5 7.1 and 6.2.
//!
//! Elements are appended in the caller's order, which must ascend. A value that its VR cannot hold is
//! remembered as the error of the whole object; nothing is cut.

use super::tag::{self, Tag};
use super::write::WriteError;

#[derive(Debug, Default)]
pub(crate) struct Encoder {
    bytes: Vec<u8>,
    error: Option<WriteError>,
}

impl Encoder {
    pub(crate) fn finish(self) -> Result<Vec<u8>, WriteError> {
        match self.error {
            None => Ok(self.bytes),
            Some(error) => Err(error),
        }
    }

    /// One value of a text VR. `characters_max` is that of the VR; a backslash would split the value.
    pub(crate) fn text(&mut self, tag: Tag, vr: [u8; 2], text: &str) {
        let limit = match &vr {
            b"SH" | b"CS" | b"DS" => 16,
            b"IS" => 12,
            b"ST" => 1024,
            b"DT" => 26,
            // PS3.5 6.2: a person name has up to 64 characters a component group.
            b"PN" => 3 * 64 + 2,
            b"UC" => usize::MAX,
            _ => 64,
        };
        let characters = text.chars().count();
        if characters > limit {
            return self.fail(WriteError::TextTooLong {
                attribute: tag.to_string(),
                characters,
                limit,
            });
        }
        let splits = |c: char| c == '\\' && !matches!(&vr, b"ST") && tag != tag::SOFTWARE_VERSIONS;
        let controls = |c: char| c.is_control() && !(c == '\n' && &vr == b"ST");
        if text.contains(|c: char| splits(c) || controls(c)) {
            return self.fail(WriteError::TextUnwritable { attribute: tag.to_string() });
        }
        let padding = if matches!(&vr, b"UI") { 0 } else { b' ' };
        let mut value = text.as_bytes().to_vec();
        if value.len() % 2 == 1 {
            value.push(padding);
        }
        self.element(tag, vr, &value);
    }

    pub(crate) fn short(&mut self, tag: Tag, values: &[u16]) {
        let value: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.element(tag, *b"US", &value);
    }

    pub(crate) fn long(&mut self, tag: Tag, value: u32) {
        self.element(tag, *b"UL", &value.to_le_bytes());
    }

    /// A decimal of at most 16 characters that reads back as the same number.
    pub(crate) fn decimal(&mut self, tag: Tag, number: f64) {
        let plain = format!("{number}");
        let text = if plain.len() <= 16 { plain } else { format!("{number:E}") };
        if !number.is_finite() || text.len() > 16 {
            return self.fail(WriteError::NumberUnwritable { attribute: tag.to_string() });
        }
        self.text(tag, *b"DS", &text);
    }

    pub(crate) fn words(&mut self, tag: Tag, words: &[i16]) {
        let value: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.element(tag, *b"OW", &value);
    }

    pub(crate) fn bytes(&mut self, tag: Tag, value: &[u8]) {
        self.element(tag, *b"OB", value);
    }

    pub(crate) fn sequence(&mut self, tag: Tag, items: Vec<Encoder>) {
        let mut value = Vec::new();
        for item in items {
            if let Some(error) = item.error {
                return self.fail(error);
            }
            let length = u32::try_from(item.bytes.len()).unwrap_or(u32::MAX);
            value.extend(tag_bytes(tag::ITEM));
            value.extend(length.to_le_bytes());
            value.extend(item.bytes);
        }
        self.element(tag, *b"SQ", &value);
    }

    fn element(&mut self, tag: Tag, vr: [u8; 2], value: &[u8]) {
        self.bytes.extend(tag_bytes(tag));
        self.bytes.extend(vr);
        let is_long = matches!(&vr, b"OB" | b"OW" | b"SQ" | b"UC");
        match (is_long, u16::try_from(value.len()), u32::try_from(value.len())) {
            (false, Ok(length), _) => self.bytes.extend(length.to_le_bytes()),
            (true, _, Ok(length)) => {
                self.bytes.extend([0, 0]);
                self.bytes.extend(length.to_le_bytes());
            }
            _ => return self.fail(WriteError::ObjectTooLarge),
        }
        self.bytes.extend(value);
    }

    fn fail(&mut self, error: WriteError) {
        self.error.get_or_insert(error);
    }
}

fn tag_bytes(tag: Tag) -> [u8; 4] {
    let [a, b] = tag.group().to_le_bytes();
    let [c, d] = tag.element().to_le_bytes();
    [a, b, c, d]
}
