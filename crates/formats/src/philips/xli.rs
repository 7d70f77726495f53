//! XLI: channels one after the other, each of a header, codes of ten bits (LZW) that stand for
//! bytes, and in these the second differences of 16-bit samples.
//!
//! All arithmetic on samples is in 16 bits and wraps, as that of the encoder does.

/// Length of the codes, two bytes of unknown use, and the first difference's predecessor.
const HEADER_BYTES: usize = 8;

const CODE_BITS: u32 = 10;

/// The last code ends a channel; all others stand for strings.
const END: u16 = (1 << CODE_BITS) - 1;

/// Differences are stored with this added.
const DIFFERENCE_BIAS: i16 = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    /// A channel ends before its declared length, or without its end code.
    Truncated,
    /// A code stands for nothing yet.
    Code,
    /// A channel is longer than it can be.
    TooLong,
    /// A channel has half a sample.
    HalfSample,
    /// There are more channels than any cart records.
    TooMany,
}

/// Sixteen is the most that is known.
const CHANNELS_MAX: usize = 64;

/// Every channel of the bytes. A channel of more than `samples_max` is damage, since codes can
/// stand for hundreds of times their own size.
pub(super) fn channels(bytes: &[u8], samples_max: usize) -> Result<Vec<Vec<i16>>, Damage> {
    let mut channels = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        if channels.len() == CHANNELS_MAX {
            return Err(Damage::TooMany);
        }
        let (header, after) = rest.split_first_chunk::<HEADER_BYTES>().ok_or(Damage::Truncated)?;
        let [a, b, c, d, _, _, low, high] = *header;
        let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).ok();
        let (codes, next) =
            length.and_then(|length| after.split_at_checked(length)).ok_or(Damage::Truncated)?;
        let halves = decompress(codes, samples_max.saturating_mul(2))?;
        channels.push(integrate(&halves, i16::from_le_bytes([low, high]))?);
        rest = next;
    }
    Ok(channels)
}

/// One string of the dictionary: an earlier string and one byte more.
#[derive(Clone, Copy, Debug)]
struct Entry {
    prefix: u16,
    last: u8,
    first: u8,
    length: u32,
}

/// LZW with codes of a fixed width, highest bit first. The dictionary is never emptied and stops
/// growing when it is full.
fn decompress(codes: &[u8], bytes_max: usize) -> Result<Vec<u8>, Damage> {
    let mut entries: Vec<Entry> =
        (0..=u8::MAX).map(|byte| Entry { prefix: 0, last: byte, first: byte, length: 1 }).collect();
    let mut bytes = Vec::new();
    let mut previous: Option<u16> = None;
    let (mut bits, mut count) = (0_u32, 0_u32);
    for &byte in codes {
        bits = bits << 8 | u32::from(byte);
        count += 8;
        if count < CODE_BITS {
            continue;
        }
        count -= CODE_BITS;
        let code = (bits >> count) as u16;
        bits &= (1 << count) - 1;
        if code == END {
            return Ok(bytes);
        }
        if let Some(prefix) = previous.filter(|_| entries.len() < usize::from(END)) {
            let before = entries[usize::from(prefix)];
            // A code that is just being made begins with what came before it.
            let begins = entries.get(usize::from(code)).map_or(before.first, |entry| entry.first);
            let length = before.length + 1;
            entries.push(Entry { prefix, last: begins, first: before.first, length });
        }
        let entry = *entries.get(usize::from(code)).ok_or(Damage::Code)?;
        append(&entries, entry, &mut bytes);
        if bytes.len() > bytes_max {
            return Err(Damage::TooLong);
        }
        previous = Some(code);
    }
    Err(Damage::Truncated)
}

/// A string is found from its end.
fn append(entries: &[Entry], mut entry: Entry, bytes: &mut Vec<u8>) {
    let from = bytes.len();
    bytes.resize(from + entry.length as usize, 0);
    for byte in bytes[from..].iter_mut().rev() {
        *byte = entry.last;
        entry = entries[usize::from(entry.prefix)];
    }
}

/// High bytes of all differences, then their low bytes. The first two are samples themselves.
fn integrate(halves: &[u8], start: i16) -> Result<Vec<i16>, Damage> {
    if !halves.len().is_multiple_of(2) {
        return Err(Damage::HalfSample);
    }
    let (high, low) = halves.split_at(halves.len() / 2);
    let mut samples: Vec<i16> =
        high.iter().zip(low).map(|(&high, &low)| i16::from_be_bytes([high, low])).collect();
    let mut difference = start;
    for at in 2..samples.len() {
        let (two_ago, one_ago) = (samples[at - 2], samples[at - 1]);
        let coded = samples[at];
        samples[at] = one_ago.wrapping_mul(2).wrapping_sub(two_ago).wrapping_sub(difference);
        difference = coded.wrapping_sub(DIFFERENCE_BIAS);
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_wrap_in_sixteen_bits() {
        // 32767 and then 100 more: the sample after it is on the other side.
        let coded = [0x7FF0_i16, 0x7FFF, 0, 0];
        let high = coded.iter().map(|value| value.to_be_bytes()[0]);
        let low = coded.iter().map(|value| value.to_be_bytes()[1]);
        let halves: Vec<u8> = high.chain(low).collect();
        let samples = integrate(&halves, -100).unwrap();
        assert_eq!(samples[2], 0x7FFF_i16.wrapping_add(15).wrapping_add(100));
        assert_eq!(integrate(&[1, 2, 3], 0), Err(Damage::HalfSample));
    }

    #[test]
    fn codes_that_expand_without_end_are_stopped() {
        // The same byte over and over: every code stands for one byte more than the last.
        let mut bits = Vec::new();
        for code in std::iter::once(7_u16).chain(256..900).chain([END]) {
            bits.extend((0..10).rev().map(|bit| code >> bit & 1));
        }
        let packed: Vec<u8> = bits
            .chunks(8)
            .map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | *bit as u8) << (8 - byte.len()))
            .collect();
        let expanded = decompress(&packed, 1 << 20).unwrap();
        assert_eq!(expanded.len(), 645 * 646 / 2);
        assert!(expanded.iter().all(|&byte| byte == 7));
        assert_eq!(decompress(&packed, 1000), Err(Damage::TooLong));
        assert_eq!(decompress(&packed[..90], 1 << 20), Err(Damage::Truncated));
        assert_eq!(decompress(&[0x80, 0x00], 1000), Err(Damage::Code));
    }
}
