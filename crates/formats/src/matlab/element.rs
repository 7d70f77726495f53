//! Data elements of level 5 ("MAT-File Format", The MathWorks): a type, a size and content, some of
//! them compressed, and arrays made of them.

use std::io::Read;

use flate2::read::ZlibDecoder;
use precordia_model::{Refusal, RefusalReason};

use crate::frames::Encoding;

pub(crate) const HEADER_BYTES: usize = 128;

/// No recording of a known layout is larger, compressed or not.
const CONTENT_BYTES_MAX: u64 = crate::MAX_INPUT_BYTES as u64;

/// Fields of a structure, and dimensions of an array.
const FIELDS_MAX: usize = 64;
const DIMENSIONS_MAX: usize = 4;

const INT32: u32 = 5;
const UINT32: u32 = 6;
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;

const CLASS_STRUCT: u32 = 2;

pub(crate) fn looks_like_matlab(bytes: &[u8]) -> bool {
    bytes.starts_with(b"MATLAB 5.0 MAT-file")
}

/// One element, its content not yet looked into.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    pub kind: u32,
    pub content: &'a [u8],
    /// Where the content begins in what was given to [`next`].
    pub at: usize,
}

/// An array of numbers or text, or a structure of one of each.
#[derive(Clone, Debug)]
pub(crate) struct Array<'a> {
    pub name: String,
    pub dimensions: Vec<usize>,
    pub body: Body<'a>,
}

#[derive(Clone, Debug)]
pub(crate) enum Body<'a> {
    Struct(Vec<(String, Array<'a>)>),
    Values(Element<'a>),
}

/// The first variable of a file, decompressed.
pub(crate) fn first_variable(file: &[u8]) -> Result<Vec<u8>, Refusal> {
    if file.get(126..128) != Some(b"IM") {
        let text = "the file is not little-endian, which is not read";
        return Err(Refusal::new(RefusalReason::Unsupported, "matlab_byte_order", "header", text));
    }
    let body = file.get(HEADER_BYTES..).unwrap_or_default();
    let element = next(body, 0).ok_or_else(damaged)?;
    match element.kind {
        COMPRESSED => {
            let mut content = Vec::new();
            let read = ZlibDecoder::new(element.content)
                .take(CONTENT_BYTES_MAX + 1)
                .read_to_end(&mut content);
            read.map_err(|_| damaged())?;
            if content.len() as u64 > CONTENT_BYTES_MAX {
                return Err(crate::too_large(content.len()));
            }
            Ok(content)
        }
        MATRIX => Ok(body.get(..element.at + element.content.len()).unwrap_or_default().to_vec()),
        _ => Err(damaged()),
    }
}

/// The element at a place. Small ones have their content within the tag.
pub(crate) fn next(bytes: &[u8], at: usize) -> Option<Element<'_>> {
    let word = |at: usize| {
        let bytes = bytes.get(at..at.checked_add(4)?)?;
        Some(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    };
    let kind = word(at)?;
    let (kind, begins, count) = match kind >> 16 {
        0 => (kind, at + 8, word(at + 4)? as usize),
        count @ 1..=4 => (kind & 0xFFFF, at + 4, count as usize),
        _ => return None,
    };
    let content = bytes.get(begins..begins.checked_add(count)?)?;
    Some(Element { kind, content, at: begins })
}

/// Where the element after this one begins: on a multiple of eight bytes, compressed ones excepted.
fn after(element: Element<'_>, began: usize) -> usize {
    let end = element.at + element.content.len();
    let end = if element.at == began + 4 { began + 8 } else { end };
    end.next_multiple_of(8)
}

/// The array in `bytes`, and structures of arrays to a depth of one.
pub(crate) fn array(bytes: &[u8]) -> Result<Array<'_>, Refusal> {
    let element = next(bytes, 0).filter(|element| element.kind == MATRIX).ok_or_else(damaged)?;
    read_array(bytes, element, true).ok_or_else(damaged)
}

fn read_array<'a>(bytes: &'a [u8], matrix: Element<'a>, may_nest: bool) -> Option<Array<'a>> {
    let end = matrix.at + matrix.content.len();
    let bytes = bytes.get(..end)?;
    let mut at = matrix.at;
    let take = |at: &mut usize| {
        let element = next(bytes, *at)?;
        *at = after(element, *at);
        Some(element)
    };
    let flags = take(&mut at).filter(|flags| flags.kind == UINT32)?;
    let class = u32::from(*flags.content.first()?);
    let dimensions = take(&mut at).filter(|one| one.kind == INT32)?;
    let dimensions: Vec<usize> = dimensions
        .content
        .chunks_exact(4)
        .take(DIMENSIONS_MAX)
        .map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]) as usize)
        .collect();
    let name = take(&mut at)?.content;
    let name = String::from_utf8_lossy(name).into_owned();
    if class != CLASS_STRUCT {
        return Some(Array { name, dimensions, body: Body::Values(take(&mut at)?) });
    }
    let width = take(&mut at)?.content;
    let width = u32::from_le_bytes(<[u8; 4]>::try_from(width).ok()?) as usize;
    let names = take(&mut at)?.content;
    if !may_nest || width == 0 || names.len() / width > FIELDS_MAX || dimensions != [1, 1] {
        return None;
    }
    let mut fields = Vec::new();
    for name in names.chunks_exact(width) {
        let end = name.iter().position(|&byte| byte == 0).unwrap_or(width);
        let name = String::from_utf8_lossy(&name[..end]).into_owned();
        let element = take(&mut at).filter(|element| element.kind == MATRIX)?;
        fields.push((name, read_array(bytes, element, false)?));
    }
    Some(Array { name, dimensions, body: Body::Struct(fields) })
}

/// How an element of numbers stores them.
pub(crate) fn encoding(kind: u32) -> Option<Encoding> {
    Some(match kind {
        1 => Encoding::I8,
        2 => Encoding::U8,
        3 => Encoding::I16Le,
        4 => Encoding::U16Le,
        INT32 => Encoding::I32Le,
        UINT32 => Encoding::U32Le,
        7 => Encoding::F32Le,
        9 => Encoding::F64Le,
        _ => return None,
    })
}

/// Text, in one or two bytes a character.
pub(crate) fn text(element: Element<'_>) -> String {
    match element.kind {
        4 | 17 => {
            let units =
                element.content.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]]));
            char::decode_utf16(units).map(|c| c.unwrap_or('?')).collect()
        }
        _ => String::from_utf8_lossy(element.content).into_owned(),
    }
}

fn damaged() -> Refusal {
    let text = "the file's elements cannot be followed, or are none that is known";
    Refusal::new(RefusalReason::Malformed, "matlab_damaged", "elements", text)
}
