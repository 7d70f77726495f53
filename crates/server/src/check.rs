//! Bounds of the texts in a request. The same bounds stand in the schema of the API (see [`crate::api`]).

use crate::error::Failure;

/// One name in a list of names.
pub(crate) const NAME_CHARS_MAX: usize = 200;

/// One line with something in it, between `min` and `max` characters.
pub(crate) fn line(field: &str, text: &str, min: usize, max: usize) -> Result<(), Failure> {
    let count = text.chars().count();
    if count < min || count > max {
        return Err(Failure::invalid(field, &format!("give {min} to {max} characters")));
    }
    if text.chars().any(char::is_control) {
        return Err(Failure::invalid(field, "control characters are not taken"));
    }
    if min > 0 && text.trim().is_empty() {
        return Err(Failure::invalid(field, "blanks alone say nothing"));
    }
    Ok(())
}

/// A secret may hold anything but control characters.
pub(crate) fn secret(field: &str, text: &str, min: usize, max: usize) -> Result<(), Failure> {
    line(field, text, min, max)
}

pub(crate) fn count(field: &str, n: usize, min: usize, max: usize) -> Result<(), Failure> {
    if (min..=max).contains(&n) {
        return Ok(());
    }
    Err(Failure::invalid(field, &format!("give {min} to {max} entries")))
}

/// How many rows a page may have.
pub(crate) fn limit(limit: Option<u32>, max: u32, otherwise: u32) -> Result<u32, Failure> {
    match limit {
        None => Ok(otherwise),
        Some(n) if (1..=max).contains(&n) => Ok(n),
        Some(_) => Err(Failure::invalid("limit", &format!("give a whole number from 1 to {max}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_bounded_printable_and_says_something() {
        for (text, accepted) in [
            ("a", true),
            (" a ", true),
            ("äöü", true),
            ("abcde", true),
            ("", false),
            ("   ", false),
            ("\u{a0}", false),
            ("abcdef", false),
            ("a\nb", false),
            ("a\0b", false),
            ("a\u{85}b", false),
        ] {
            assert_eq!(line("f", text, 1, 5).is_ok(), accepted, "{text:?}");
        }
        assert!(line("f", "", 0, 5).is_ok());
    }

    #[test]
    fn a_refusal_does_not_repeat_the_value() {
        let refusal = line("patient", "Noether\u{7}", 1, 100).unwrap_err();
        assert!(!refusal.detail.contains("Noether"));
    }
}
