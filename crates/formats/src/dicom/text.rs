//! Numbers that DICOM writes as text. PS3.5 6.2.

/// A single decimal string. Nothing but a plain finite decimal is a number: no comma, no `nan`, no
/// second value. The standard's 16 characters are not enforced, since a longer number is no less clear.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    let text = text.trim_matches(|c: char| c == ' ' || c == '\0');
    let plain =
        text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    if !plain || text.is_empty() {
        return None;
    }
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn only_a_plain_finite_decimal_is_a_number() {
        let cases: [(&str, Option<f64>); 14] = [
            ("2.5", Some(2.5)),
            (" 2.5 ", Some(2.5)),
            ("2.5\0", Some(2.5)),
            ("+2.5E-1", Some(0.25)),
            ("-0", Some(0.0)),
            (".5", Some(0.5)),
            ("2,5", None),
            ("nan", None),
            ("inf", None),
            ("1e400", None),
            ("2.5\\2.5", None),
            ("0x10", None),
            ("", None),
            ("2 5", None),
        ];
        for (text, expected) in cases {
            assert_eq!(decimal(text), expected, "{text:?}");
        }
    }
}
