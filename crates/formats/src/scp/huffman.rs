//! Huffman tables and the streams coded with them. EN 1064 5.5 and annex C.3.7.

use precordia_model::{Refusal, RefusalReason};

use super::bytes::Bytes;

/// A count of tables that means "the default table" (5.5.3).
const DEFAULT_TABLE: u16 = 19_999;
const CODE_LENGTH: usize = 9;

#[derive(Clone, Copy, Debug)]
struct Code {
    /// Left-aligned in 32 bits, so that the first bit of the stream is the highest.
    prefix: u32,
    prefix_bits: u32,
    extra_bits: u32,
    meaning: Meaning,
}

#[derive(Clone, Copy, Debug)]
enum Meaning {
    /// The value, to which extra bits add a signed number.
    Value(i32),
    /// The stream goes on in this table.
    Switch(usize),
}

/// Codes in ascending order, none the beginning of another.
#[derive(Clone, Debug)]
pub(crate) struct Table(Vec<Code>);

/// Why a stream ends before its last value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The bits end.
    Short,
    /// The bits are no code of the table, or switch to a table that is not there.
    NoCode,
}

/// The tables of section 2. `None`: samples are stored as they are.
pub(crate) fn tables(body: &[u8]) -> Result<Option<Vec<Table>>, Refusal> {
    let bytes = Bytes(body);
    let count = bytes.u16(0).ok_or_else(|| invalid("it ends within its count of tables"))?;
    match count {
        0 => return Ok(None),
        DEFAULT_TABLE => return Ok(Some(vec![default_table()])),
        _ => {}
    }
    let (mut tables, mut at) = (Vec::new(), 2);
    for _ in 0..count {
        let codes = bytes.u16(at).ok_or_else(|| invalid("it ends before its last table"))?;
        at += 2;
        let mut table = Vec::new();
        for _ in 0..codes {
            let stored =
                bytes.slice(at, CODE_LENGTH).ok_or_else(|| invalid("it ends within a table"))?;
            table.push(code(Bytes(stored), count)?);
            at += CODE_LENGTH;
        }
        tables.push(sorted(table)?);
    }
    Ok(Some(tables))
}

/// One code: bits of the prefix, bits in all, mode, base value and the prefix, whose lowest bit is
/// the first of the stream.
fn code(stored: Bytes<'_>, tables: u16) -> Result<Code, Refusal> {
    let fields =
        || Some((stored.u8(0)?, stored.u8(1)?, stored.u8(2)?, stored.i16(3)?, stored.u32(5)?));
    let Some((prefix_bits, all_bits, mode, base, prefix)) = fields() else {
        return Err(invalid("it ends within a code"));
    };
    let (prefix_bits, all_bits) = (u32::from(prefix_bits), u32::from(all_bits));
    let extra_bits = all_bits.checked_sub(prefix_bits);
    let Some(extra_bits) =
        extra_bits.filter(|extra| *extra <= 16 && (1..=32).contains(&prefix_bits))
    else {
        return Err(invalid("a code has more bits than it can have, or none"));
    };
    let meaning = match mode {
        0 => match u16::try_from(base) {
            Ok(number @ 1..) if number <= tables => Meaning::Switch(usize::from(number) - 1),
            _ => return Err(invalid("a code switches to a table that is not there")),
        },
        1 => Meaning::Value(i32::from(base)),
        _ => return Err(invalid("a code is neither a value nor a switch of tables")),
    };
    // Bits above the prefix's own would say nothing and are cut.
    let reversed = prefix.reverse_bits();
    let prefix = reversed & (u32::MAX << (32 - prefix_bits));
    Ok(Code { prefix, prefix_bits, extra_bits, meaning })
}

fn sorted(mut codes: Vec<Code>) -> Result<Table, Refusal> {
    codes.sort_by_key(|code| (code.prefix, code.prefix_bits));
    // In this order a code that begins another stands right before one that it begins.
    let begins = |pair: &[Code]| {
        pair[0].prefix_bits <= pair[1].prefix_bits
            && (pair[0].prefix ^ pair[1].prefix) >> (32 - pair[0].prefix_bits) == 0
    };
    if codes.windows(2).any(begins) {
        return Err(invalid("a code is the beginning of another"));
    }
    Ok(Table(codes))
}

/// Annex C.3.7.6: 0, then 1 to 8 and their negatives in ever longer codes, then 8 and 16 bits as they are.
pub(crate) fn default_table() -> Table {
    let value = |prefix: u32, prefix_bits: u32, extra_bits, value| Code {
        prefix: prefix << (32 - prefix_bits),
        prefix_bits,
        extra_bits,
        meaning: Meaning::Value(value),
    };
    let mut codes = vec![value(0, 1, 0, 0)];
    for magnitude in 1..=8 {
        let ones = (1 << magnitude) - 1;
        codes.push(value(ones << 2, magnitude + 2, 0, magnitude.cast_signed()));
        codes.push(value(ones << 2 | 1, magnitude + 2, 0, -magnitude.cast_signed()));
    }
    codes.push(value(0b11_1111_1110, 10, 8, 0));
    codes.push(value(0b11_1111_1111, 10, 16, 0));
    codes.sort_by_key(|code| (code.prefix, code.prefix_bits));
    Table(codes)
}

/// Decodes a number of values, each lead beginning with the first table (5.5.3); also how many bits
/// they took.
pub(crate) fn decode(
    bytes: &[u8],
    count: usize,
    tables: &[Table],
) -> Result<(Vec<i32>, usize), Fault> {
    let mut stream = Stream { bytes, at: 0 };
    let mut table = tables.first().ok_or(Fault::NoCode)?;
    // No code is shorter than a bit.
    let mut values = Vec::with_capacity(count.min(bytes.len().saturating_mul(8)));
    while values.len() < count {
        let code = table.find(stream.peek()).ok_or(Fault::NoCode)?;
        stream.skip(code.prefix_bits)?;
        match code.meaning {
            Meaning::Switch(next) => table = tables.get(next).ok_or(Fault::NoCode)?,
            Meaning::Value(base) => {
                let extra = signed(stream.peek(), code.extra_bits);
                stream.skip(code.extra_bits)?;
                values.push(base + extra);
            }
        }
    }
    Ok((values, stream.at))
}

impl Table {
    /// The code that 32 bits of the stream begin with.
    fn find(&self, bits: u32) -> Option<&Code> {
        let after = self.0.partition_point(|code| code.prefix <= bits);
        let code = self.0.get(after.checked_sub(1)?)?;
        ((code.prefix ^ bits) >> (32 - code.prefix_bits) == 0).then_some(code)
    }
}

/// The highest bits of a word as a signed number.
const fn signed(word: u32, bits: u32) -> i32 {
    if bits == 0 { 0 } else { word.cast_signed() >> (32 - bits) }
}

struct Stream<'a> {
    bytes: &'a [u8],
    /// In bits.
    at: usize,
}

impl Stream<'_> {
    /// The next 32 bits; zeros beyond the end.
    fn peek(&self) -> u32 {
        let first = self.at / 8;
        let mut word = 0_u64;
        for offset in 0..5 {
            let byte = self.bytes.get(first + offset).copied().unwrap_or(0);
            word = word << 8 | u64::from(byte);
        }
        ((word >> (8 - self.at % 8)) & u64::from(u32::MAX)) as u32
    }

    fn skip(&mut self, bits: u32) -> Result<(), Fault> {
        self.at += bits as usize;
        if self.at > self.bytes.len() * 8 { Err(Fault::Short) } else { Ok(()) }
    }
}

fn invalid(what: &str) -> Refusal {
    let text = format!("the Huffman tables cannot be used: {what}");
    Refusal::new(RefusalReason::Malformed, "huffman_table_invalid", "section 2", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bits: &str, count: usize) -> Result<(Vec<i32>, usize), Fault> {
        let mut bytes = vec![0; bits.len().div_ceil(8)];
        for (at, _) in bits.char_indices().filter(|(_, bit)| *bit == '1') {
            bytes[at / 8] |= 0x80 >> (at % 8);
        }
        decode(&bytes, count, &[default_table()])
    }

    #[test]
    fn the_default_table_codes_small_numbers_shortly_and_all_of_16_bits() {
        let cases = [
            ("0 100 101 1100 1101 1111111100 1111111101", vec![0, 1, -1, 2, -2, 8, -8]),
            ("1111111110 10000000 111100 1111111110 01111111", vec![-128, 4, 127]),
            ("1111111111 1000000000000000", vec![-32_768]),
            ("1111111111 0111111111111111", vec![32_767]),
        ];
        for (bits, values) in cases {
            let bits = bits.replace(' ', "");
            assert_eq!(decoded(&bits, values.len()), Ok((values, bits.len())), "{bits}");
        }
        assert_eq!(decoded("1111111111011111", 1), Err(Fault::Short));
    }

    #[test]
    fn a_table_that_cannot_be_read_in_one_way_is_refused() {
        let table = |codes: &[[u8; 9]]| {
            let mut body = vec![1, 0, codes.len() as u8, 0];
            body.extend(codes.concat());
            tables(&body).map_err(|refusal| refusal.text)
        };
        let zero = [1, 1, 1, 0, 0, 0, 0, 0, 0];
        assert!(table(&[zero, [2, 2, 1, 1, 0, 1, 0, 0, 0]]).is_ok());
        assert!(table(&[zero, [2, 2, 1, 1, 0, 2, 0, 0, 0]]).unwrap_err().contains("beginning"));
        assert!(table(&[zero, zero]).unwrap_err().contains("beginning"));
        assert!(table(&[[33, 33, 1, 0, 0, 0, 0, 0, 0]]).is_err());
        assert!(table(&[[1, 1, 0, 2, 0, 0, 0, 0, 0]]).unwrap_err().contains("not there"));
        assert!(tables(&[1, 0, 2, 0, 1]).is_err());
        assert!(tables(&[0, 0]).unwrap().is_none());
    }
}
