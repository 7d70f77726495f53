//! A parsed data set that borrows its values from the file.
//!
//! Values stay bytes here; what they mean is decided where they are used. Numbers are read in the
//! byte order of the data set that holds them.

use super::tag::{self, Tag};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByteOrder {
    Little,
    Big,
}

/// Two letters as in the file; implicit VR files have none.
pub(crate) type Vr = Option<[u8; 2]>;

#[derive(Debug)]
pub(crate) enum Value<'a> {
    Bytes(&'a [u8]),
    Items(Vec<DataSet<'a>>),
}

#[derive(Debug)]
pub(crate) struct Element<'a> {
    pub tag: Tag,
    pub vr: Vr,
    pub value: Value<'a>,
}

#[derive(Debug)]
pub(crate) struct DataSet<'a> {
    pub order: ByteOrder,
    /// Ascending by tag; the parser sees to it.
    pub elements: Vec<Element<'a>>,
}

impl<'a> DataSet<'a> {
    pub(crate) fn element(&self, tag: Tag) -> Option<&Element<'a>> {
        let at = self.elements.binary_search_by_key(&tag, |element| element.tag).ok()?;
        self.elements.get(at)
    }

    /// The value's bytes; `None` when absent or a sequence, `Some(&[])` when empty.
    pub(crate) fn bytes(&self, tag: Tag) -> Option<&'a [u8]> {
        match self.element(tag)?.value {
            Value::Bytes(bytes) => Some(bytes),
            Value::Items(_) => None,
        }
    }

    pub(crate) fn items(&self, tag: Tag) -> &[DataSet<'a>] {
        match self.element(tag).map(|element| &element.value) {
            Some(Value::Items(items)) => items,
            _ => &[],
        }
    }

    pub(crate) fn has(&self, tag: Tag) -> bool {
        self.element(tag).is_some()
    }

    /// Text of the default repertoire (CS, UI, DS, IS, DA, TM, DT) without its padding; `None`
    /// when absent or empty. A byte outside ASCII makes the value unreadable, not another value.
    pub(crate) fn ascii(&self, tag: Tag) -> Option<&'a str> {
        ascii(self.bytes(tag)?)
    }

    /// US or UL: implicit files and wrong VRs are told apart by the value's own length.
    pub(crate) fn unsigned(&self, tag: Tag) -> Option<u32> {
        let order = self.order;
        match *self.bytes(tag)? {
            [a, b] => Some(u32::from(u16_of([a, b], order))),
            [a, b, c, d] => Some(u32_of([a, b, c, d], order)),
            _ => None,
        }
    }

    /// A multi-valued US.
    pub(crate) fn shorts(&self, tag: Tag) -> Vec<u16> {
        let bytes = self.bytes(tag).unwrap_or_default();
        bytes.as_chunks::<2>().0.iter().map(|&pair| u16_of(pair, self.order)).collect()
    }

    /// The first item of a code sequence, where it holds a code value or a meaning.
    pub(crate) fn code(&self, tag: Tag) -> Option<Code<'a>> {
        self.items(tag).first().map(Code::of)
    }
}

/// One coded entry (PS3.3 8.8).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Code<'a> {
    pub value: Option<&'a str>,
    pub scheme: Option<&'a str>,
    /// Undecoded: a meaning is text in the object's character set.
    pub meaning: Option<&'a [u8]>,
}

impl<'a> Code<'a> {
    pub(crate) fn of(item: &DataSet<'a>) -> Self {
        Self {
            value: item.ascii(tag::CODE_VALUE).or_else(|| item.ascii(tag::LONG_CODE_VALUE)),
            scheme: item.ascii(tag::CODING_SCHEME),
            meaning: item.bytes(tag::CODE_MEANING),
        }
    }

    /// The meaning where it is plain ASCII, as every vocabulary that is matched here is.
    pub(crate) fn meaning_ascii(&self) -> Option<&'a str> {
        ascii(self.meaning?)
    }
}

fn ascii(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii())?;
    let text = text.trim_matches(|c: char| c == ' ' || c == '\0');
    (!text.is_empty()).then_some(text)
}

pub(crate) const fn u16_of(bytes: [u8; 2], order: ByteOrder) -> u16 {
    match order {
        ByteOrder::Little => u16::from_le_bytes(bytes),
        ByteOrder::Big => u16::from_be_bytes(bytes),
    }
}

pub(crate) const fn u32_of(bytes: [u8; 4], order: ByteOrder) -> u32 {
    match order {
        ByteOrder::Little => u32::from_le_bytes(bytes),
        ByteOrder::Big => u32::from_be_bytes(bytes),
    }
}
