//! Numbers as XML formats write them: plain decimals, and nothing that only looks like one.

/// A finite decimal: `-12`, `0.002`, `1.25E-3`. No `NaN`, no comma, no digit grouping.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    if !has_digit || !text.bytes().all(plain) {
        return None;
    }
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// A whole number without a fraction or exponent.
pub(crate) fn whole(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_decimals_are_numbers() {
        for (text, expected) in [
            ("12", Some(12.0)),
            (" -0.5\n", Some(-0.5)),
            ("+3", Some(3.0)),
            ("1.25E-3", Some(0.00125)),
            (".5", Some(0.5)),
            ("", None),
            ("NaN", None),
            ("inf", None),
            ("1,5", None),
            ("1 5", None),
            ("0x10", None),
            ("1e999", None),
            ("e", None),
            ("--1", None),
            ("12 ms", None),
        ] {
            assert_eq!(decimal(text), expected, "{text:?}");
        }
        assert_eq!(whole(" -7 "), Some(-7));
        assert_eq!(whole("7.0"), None);
        assert_eq!(whole("99999999999999999999"), None);
    }
}
