//! Point or comma: which of them a table of numbers writes its fractions with.
//!
//! `1,234` is a thousandfold less with one than with the other, so a comma is only a decimal mark
//! where the table itself shows that it is.

use precordia_model::{Refusal, RefusalReason};

use crate::xml::decimal;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecimalMark {
    Point,
    Comma,
}

impl DecimalMark {
    /// Of all numbers of a table. Numbers without a fraction say nothing.
    pub(crate) fn of<'a>(
        numbers: impl Iterator<Item = &'a str>,
        place: &str,
    ) -> Result<Self, Refusal> {
        let ambiguous =
            |code: &str, text: &str| Err(Refusal::new(RefusalReason::Ambiguous, code, place, text));
        let (mut points, mut commas, mut proven) = (false, false, false);
        for number in numbers {
            points |= number.contains('.');
            if number.contains(',') {
                commas = true;
                proven |= is_surely_decimal(number);
            }
        }
        match (points, commas) {
            (_, false) => Ok(Self::Point),
            (false, true) if proven => Ok(Self::Comma),
            (false, true) => ambiguous(
                "decimal_comma_unproven",
                "numbers hold commas that could be decimal marks or could group thousands",
            ),
            (true, true) => ambiguous(
                "decimal_mark_mixed",
                "some numbers hold a comma and some a point, so neither is surely the decimal mark",
            ),
        }
    }

    pub(crate) fn number(self, text: &str) -> Option<f64> {
        match self {
            Self::Point => decimal(text),
            Self::Comma => decimal(&text.replacen(',', ".", 1)),
        }
    }
}

/// Groups have three digits, and what stands before them is neither empty, zero nor longer.
fn is_surely_decimal(number: &str) -> bool {
    let Some((before, after)) = number.trim().split_once(',') else { return false };
    let whole = before.trim_start_matches(['+', '-']);
    after.len() != 3 || whole.is_empty() || whole.starts_with('0') || whole.len() > 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_is_a_decimal_mark_only_where_the_numbers_show_it() {
        let cases: [(&[&str], Result<DecimalMark, &str>); 8] = [
            (&["1.5", "-2", "3"], Ok(DecimalMark::Point)),
            (&["1", "2"], Ok(DecimalMark::Point)),
            (&["-2,759", "0,431"], Ok(DecimalMark::Comma)),
            (&["-2,759", "-0,431"], Ok(DecimalMark::Comma)),
            (&["-2,75"], Ok(DecimalMark::Comma)),
            (&["1234,567"], Ok(DecimalMark::Comma)),
            (&["-2,759", "57,716"], Err("decimal_comma_unproven")),
            (&["1,234.5", "0,5"], Err("decimal_mark_mixed")),
        ];
        for (numbers, expected) in cases {
            let found = DecimalMark::of(numbers.iter().copied(), "here");
            let found = found.as_ref().map_err(|refusal| refusal.code.as_str());
            assert_eq!(found, expected.as_ref().map_err(|code| *code), "{numbers:?}");
        }
        assert_eq!(DecimalMark::Comma.number("-0,5"), Some(-0.5));
        assert_eq!(DecimalMark::Comma.number("1,000,5"), None);
        assert_eq!(DecimalMark::Point.number("0,5"), None);
    }
}
