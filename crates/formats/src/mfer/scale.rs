//! Numbers of definitions: integers in the file's byte order, sampling and sensitivity with exponents.

use precordia_model::{Refusal, RefusalReason};

use super::content::Content;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByteOrder {
    Big,
    Little,
}

/// An unsigned number of one to eight bytes.
pub(crate) fn whole(bytes: &[u8], order: ByteOrder) -> Option<u64> {
    if !(1..=8).contains(&bytes.len()) {
        return None;
    }
    let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    Some(match order {
        ByteOrder::Big => bytes.iter().fold(0, add),
        ByteOrder::Little => bytes.iter().rev().fold(0, add),
    })
}

/// The same, with a sign.
pub(crate) fn signed(bytes: &[u8], order: ByteOrder) -> Option<i64> {
    let unused = 64 - 8 * u32::try_from(bytes.len()).ok()?.clamp(1, 8);
    Some((whole(bytes, order)? << unused) as i64 >> unused)
}

/// ISO 22077-1: unit, exponent of ten, and a whole number.
fn powered(content: &Content, order: ByteOrder) -> Option<(u8, f64)> {
    let [unit, exponent, number @ ..] = &content.bytes[..] else { return None };
    let number = whole(number, order)?;
    Some((*unit, number as f64 * 10_f64.powi(i32::from(*exponent as i8))))
}

/// Samples per second: a frequency in hertz (unit 0) or an interval in seconds (unit 1).
pub(crate) fn rate_hz(content: &Content, order: ByteOrder) -> Result<f64, Refusal> {
    let refuse = |code: &str, text: &str| {
        Err(Refusal::new(RefusalReason::Malformed, code, content.place(), text))
    };
    match powered(content, order) {
        Some((0, hertz)) if hertz > 0.0 => Ok(hertz),
        Some((1, seconds)) if seconds > 0.0 => {
            // 10^-3 and 2 are no exact interval in binary; thousandths of a hertz are kept.
            Ok((1000.0 / seconds).round() / 1000.0)
        }
        Some((0 | 1, _)) => refuse("rate_invalid", "the sampling interval or frequency is zero"),
        Some(_) => refuse("rate_invalid", "the samples do not follow one another in time"),
        None => refuse("rate_invalid", "the sampling definition is not understood"),
    }
}

/// Microvolts of one stored unit. Unit 0 is the volt; the others are no ECG's.
pub(crate) fn sensitivity_uv(content: &Content, order: ByteOrder) -> Result<f64, Refusal> {
    let refuse =
        |reason, code: &str, text: &str| Err(Refusal::new(reason, code, content.place(), text));
    match powered(content, order) {
        Some((0, 0.0)) => {
            refuse(RefusalReason::Malformed, "scale_invalid", "the sensitivity is zero")
        }
        // Exponents count in tenths of a volt and so on; microvolts are 10^6 of them.
        Some((0, volts)) => Ok((volts * 1e15).round() / 1e9),
        Some(_) => refuse(
            RefusalReason::Ambiguous,
            "unit_unknown",
            "the sensitivity is in no unit of voltage",
        ),
        None => {
            refuse(RefusalReason::Malformed, "scale_invalid", "the sensitivity is not understood")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(bytes: &[u8]) -> Content {
        Content { tag: 0, channel: None, at: 0, count: bytes.len() as u64, bytes: bytes.to_vec() }
    }

    #[test]
    fn numbers_follow_the_byte_order_and_lengths_that_are_there() {
        assert_eq!(whole(&[1, 2], ByteOrder::Big), Some(258));
        assert_eq!(whole(&[1, 2], ByteOrder::Little), Some(513));
        assert_eq!(signed(&[0x80, 0], ByteOrder::Big), Some(-32_768));
        assert_eq!(signed(&[0xFE], ByteOrder::Little), Some(-2));
        assert_eq!(whole(&[], ByteOrder::Big), None);
        assert_eq!(whole(&[0; 9], ByteOrder::Big), None);
    }

    #[test]
    fn sampling_and_sensitivity_have_units_and_exponents() {
        let rate = |bytes: &[u8]| rate_hz(&content(bytes), ByteOrder::Big).ok();
        assert_eq!(rate(&[1, 0xFD, 0, 2]), Some(500.0));
        assert_eq!(rate(&[0, 0, 1, 0xF4]), Some(500.0));
        assert_eq!(rate(&[0, 3, 1]), Some(1000.0));
        for bytes in [&[1, 0xFD, 0, 0][..], &[2, 0, 1], &[1, 0xFD], &[]] {
            assert_eq!(rate(bytes), None, "{bytes:?}");
        }
        let uv = |bytes: &[u8]| sensitivity_uv(&content(bytes), ByteOrder::Big).map_err(|e| e.code);
        assert_eq!(uv(&[0, 0xFA, 0, 5]), Ok(5.0));
        assert_eq!(uv(&[0, 0xF7, 0x13, 0x0E]), Ok(4.878));
        assert_eq!(uv(&[1, 0, 0, 1]), Err("unit_unknown".to_owned()));
        assert_eq!(uv(&[0, 0xFA, 0, 0]), Err("scale_invalid".to_owned()));
    }
}
