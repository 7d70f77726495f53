//! Bytes of a data set to a tree of elements, within bounds. PS3.5 chapter 7.
//!
//! Every declared length is compared with the bytes that are there before it is used. Nothing is
//! copied; memory is bounded by [`ELEMENTS_MAX`] whatever the bytes say. Values are not looked into.

use precordia_model::{Refusal, RefusalReason};

use super::element::{ByteOrder, DataSet, Element, Value, Vr, u16_of, u32_of};
use super::tag::{self, Tag};

/// ECG objects nest three or four deep.
const DEPTH_MAX: usize = 16;

/// A 12-lead object with beat-by-beat annotations has about two thousand elements.
const ELEMENTS_MAX: usize = 250_000;

const UNDEFINED: u32 = u32::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Encoding {
    pub explicit: bool,
    pub order: ByteOrder,
}

impl Encoding {
    pub(crate) const IMPLICIT_LITTLE: Self = Self { explicit: false, order: ByteOrder::Little };
    pub(crate) const EXPLICIT_LITTLE: Self = Self { explicit: true, order: ByteOrder::Little };
    pub(crate) const EXPLICIT_BIG: Self = Self { explicit: true, order: ByteOrder::Big };
}

/// What the walk noticed; none of it changes a value.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Notes {
    pub out_of_order: bool,
    /// An element was there twice with the same value.
    pub repeated: bool,
    /// Zero bytes after the last element of the file.
    pub trailing_zeros: usize,
}

/// Parses a whole data set.
pub(crate) fn data_set(bytes: &[u8], encoding: Encoding) -> Result<(DataSet<'_>, Notes), Refusal> {
    let mut walk = Walk { bytes, at: 0, elements: 0, notes: Notes::default() };
    let set = walk.set(bytes.len(), encoding, End::Limit, 0)?;
    Ok((set, walk.notes))
}

/// Parses the file meta information at the start of `bytes`; says where the data set begins.
/// PS3.10 7.1: always explicit VR little endian.
pub(crate) fn meta(bytes: &[u8]) -> Result<(DataSet<'_>, usize), Refusal> {
    let mut walk = Walk { bytes, at: 0, elements: 0, notes: Notes::default() };
    let mut elements = Vec::new();
    while walk.peek_group() == Some(0x0002) {
        elements.push(walk.element(bytes.len(), Encoding::EXPLICIT_LITTLE, 0)?);
    }
    let set = walk.sorted(elements, ByteOrder::Little)?;
    Ok((set, walk.at))
}

/// Whether these are the letters of a value representation of PS3.5 table 6.2-1.
pub(crate) fn is_vr(letters: [u8; 2]) -> bool {
    is_long_vr(letters) || is_short_vr(letters)
}

const fn is_long_vr(letters: [u8; 2]) -> bool {
    matches!(
        &letters,
        b"OB"
            | b"OD"
            | b"OF"
            | b"OL"
            | b"OV"
            | b"OW"
            | b"SQ"
            | b"SV"
            | b"UC"
            | b"UN"
            | b"UR"
            | b"UT"
            | b"UV"
    )
}

const fn is_short_vr(letters: [u8; 2]) -> bool {
    matches!(
        &letters,
        b"AE"
            | b"AS"
            | b"AT"
            | b"CS"
            | b"DA"
            | b"DS"
            | b"DT"
            | b"FD"
            | b"FL"
            | b"IS"
            | b"LO"
            | b"LT"
            | b"PN"
            | b"SH"
            | b"SL"
            | b"SS"
            | b"ST"
            | b"TM"
            | b"UI"
            | b"UL"
            | b"US"
    )
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// The set fills its defined length.
    Limit,
    /// The set ends with an item delimiter.
    Delimiter,
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    elements: usize,
    notes: Notes,
}

impl<'a> Walk<'a> {
    fn set(
        &mut self,
        limit: usize,
        encoding: Encoding,
        end: End,
        depth: usize,
    ) -> Result<DataSet<'a>, Refusal> {
        if depth > DEPTH_MAX {
            return Err(self.refuse(
                RefusalReason::Malformed,
                "nesting_too_deep",
                format!("sequences are nested more than {DEPTH_MAX} deep"),
            ));
        }
        let mut elements = Vec::new();
        loop {
            if self.at == limit && end == End::Limit {
                break;
            }
            if depth == 0 && self.rest_is_zero() {
                self.notes.trailing_zeros = self.bytes.len() - self.at;
                break;
            }
            let tag = self.peek_tag(limit, encoding.order)?;
            if tag == tag::ITEM_END && end == End::Delimiter {
                self.at += 8;
                break;
            }
            elements.push(self.element(limit, encoding, depth)?);
        }
        self.sorted(elements, encoding.order)
    }

    fn element(
        &mut self,
        limit: usize,
        encoding: Encoding,
        depth: usize,
    ) -> Result<Element<'a>, Refusal> {
        self.count()?;
        let start = self.at;
        let tag = self.peek_tag(limit, encoding.order)?;
        if tag.group() == 0xFFFE {
            let text = format!("delimiter {tag} stands where an element should");
            return Err(self.refuse(RefusalReason::Malformed, "delimiter_misplaced", text));
        }
        self.at += 4;
        let (vr, length) = self.vr_and_length(tag, limit, encoding)?;
        let sequence = match vr {
            Some([b'S', b'Q']) => Some(encoding),
            // PS3.5 6.2.2: what is inside UN is implicit VR little endian.
            Some([b'U', b'N']) if length == UNDEFINED || tag::is_known_sequence(tag) => {
                Some(Encoding::IMPLICIT_LITTLE)
            }
            Some(_) => None,
            None if length == UNDEFINED || tag::is_known_sequence(tag) => Some(encoding),
            None => None,
        };
        let value = match sequence {
            Some(inner) => Value::Items(self.items(tag, length, limit, inner, depth)?),
            None if length == UNDEFINED => {
                self.at = start;
                let text =
                    format!("element {tag} has an undefined length that is not a sequence's");
                return Err(self.refuse(RefusalReason::Unsupported, "length_undefined", text));
            }
            None => Value::Bytes(self.take(tag, length, limit)?),
        };
        Ok(Element { tag, vr, value })
    }

    fn vr_and_length(
        &mut self,
        tag: Tag,
        limit: usize,
        encoding: Encoding,
    ) -> Result<(Vr, u32), Refusal> {
        let order = encoding.order;
        let head: [u8; 4] = self.array(limit)?;
        if !encoding.explicit {
            return Ok((None, u32_of(head, order)));
        }
        let vr = [head[0], head[1]];
        if is_short_vr(vr) {
            return Ok((Some(vr), u32::from(u16_of([head[2], head[3]], order))));
        }
        if is_long_vr(vr) {
            return Ok((Some(vr), u32_of(self.array(limit)?, order)));
        }
        let text = format!(
            "element {tag} has no value representation although the transfer syntax is explicit"
        );
        Err(self.refuse(RefusalReason::Malformed, "transfer_syntax_contradicted", text))
    }

    fn items(
        &mut self,
        tag: Tag,
        length: u32,
        limit: usize,
        encoding: Encoding,
        depth: usize,
    ) -> Result<Vec<DataSet<'a>>, Refusal> {
        let limit = if length == UNDEFINED { limit } else { self.end_of(tag, length, limit)? };
        let mut items = Vec::new();
        loop {
            if self.at == limit && length != UNDEFINED {
                return Ok(items);
            }
            self.count()?;
            let next = self.peek_tag(limit, encoding.order)?;
            self.at += 4;
            let item_length = u32_of(self.array(limit)?, encoding.order);
            match next {
                tag::SEQUENCE_END if length == UNDEFINED => return Ok(items),
                tag::ITEM if item_length == UNDEFINED => {
                    items.push(self.set(limit, encoding, End::Delimiter, depth + 1)?);
                }
                tag::ITEM => {
                    let end = self.end_of(next, item_length, limit)?;
                    items.push(self.set(end, encoding, End::Limit, depth + 1)?);
                }
                _ => {
                    let text = format!("sequence {tag} holds {next} where an item should begin");
                    return Err(self.refuse(RefusalReason::Malformed, "item_expected", text));
                }
            }
        }
    }

    fn count(&mut self) -> Result<(), Refusal> {
        self.elements += 1;
        if self.elements <= ELEMENTS_MAX {
            return Ok(());
        }
        let text = format!("the data set has more than {ELEMENTS_MAX} elements and items");
        Err(self.refuse(RefusalReason::TooLarge, "elements_too_many", text))
    }

    fn take(&mut self, tag: Tag, length: u32, limit: usize) -> Result<&'a [u8], Refusal> {
        let end = self.end_of(tag, length, limit)?;
        let bytes = &self.bytes[self.at..end];
        self.at = end;
        Ok(bytes)
    }

    /// Where a value of the declared length ends, if that many bytes are there.
    fn end_of(&self, tag: Tag, length: u32, limit: usize) -> Result<usize, Refusal> {
        let left = limit - self.at;
        match usize::try_from(length) {
            Ok(length) if length <= left => Ok(self.at + length),
            _ => {
                let text = format!("element {tag} declares {length} bytes and {left} are left");
                Err(self.refuse(self.short_reason(limit), "element_truncated", text))
            }
        }
    }

    fn array<const N: usize>(&mut self, limit: usize) -> Result<[u8; N], Refusal> {
        let bytes = self.bytes[..limit].get(self.at..).and_then(|rest| rest.first_chunk::<N>());
        let Some(bytes) = bytes else {
            let text = format!("the data set ends inside an element header after {limit} bytes");
            return Err(self.refuse(self.short_reason(limit), "header_truncated", text));
        };
        self.at += N;
        Ok(*bytes)
    }

    fn peek_tag(&mut self, limit: usize, order: ByteOrder) -> Result<Tag, Refusal> {
        let at = self.at;
        let [a, b, c, d]: [u8; 4] = self.array(limit)?;
        self.at = at;
        let group = u32::from(u16_of([a, b], order));
        let element = u32::from(u16_of([c, d], order));
        Ok(Tag(group << 16 | element))
    }

    fn peek_group(&self) -> Option<u16> {
        let pair = self.bytes.get(self.at..)?.first_chunk::<2>()?;
        Some(u16::from_le_bytes(*pair))
    }

    /// Short of bytes at the end of the file is truncation; inside an item it is a contradiction.
    fn short_reason(&self, limit: usize) -> RefusalReason {
        if limit == self.bytes.len() { RefusalReason::Truncated } else { RefusalReason::Malformed }
    }

    fn rest_is_zero(&self) -> bool {
        let rest = &self.bytes[self.at..];
        rest.first() == Some(&0) && rest.iter().all(|&byte| byte == 0)
    }

    /// PS3.5 7.1: tags ascend and none repeats. Disorder is harmless; two values for one attribute
    /// are not, because a reader would have to choose one.
    fn sorted(
        &mut self,
        mut elements: Vec<Element<'a>>,
        order: ByteOrder,
    ) -> Result<DataSet<'a>, Refusal> {
        if elements.windows(2).all(|pair| pair[0].tag < pair[1].tag) {
            return Ok(DataSet { order, elements });
        }
        elements.sort_by_key(|element| element.tag);
        for pair in elements.windows(2) {
            if pair[0].tag == pair[1].tag {
                let same = matches!((&pair[0].value, &pair[1].value), (Value::Bytes(a), Value::Bytes(b)) if a == b);
                if !same {
                    let text =
                        format!("element {} is there twice with different values", pair[0].tag);
                    return Err(self.refuse(RefusalReason::Malformed, "element_repeated", text));
                }
                self.notes.repeated = true;
            }
        }
        elements.dedup_by_key(|element| element.tag);
        self.notes.out_of_order = true;
        Ok(DataSet { order, elements })
    }

    fn refuse(&self, reason: RefusalReason, code: &str, text: String) -> Refusal {
        Refusal::new(reason, code, format!("byte {}", self.at), text)
    }
}
