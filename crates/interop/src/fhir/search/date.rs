//! Date parameters: a prefix and a span of time (R4 search 3.1.1.4.5–6).

use serde::{Deserialize, Serialize};

use super::super::{DateRange, IssueCode};
use super::value::{Wrong, wrong};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DatePrefix {
    Eq,
    Ge,
    Le,
    Gt,
    Lt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DateTerm {
    pub prefix: DatePrefix,
    pub range: DateRange,
}

impl DateTerm {
    pub(super) fn parse(text: &str) -> Result<DateTerm, Wrong> {
        let (prefix, date) = split_prefix(text)?;
        let range = DateRange::parse(date).ok_or_else(|| wrong(IssueCode::Value, DATE_FORM))?;
        Ok(Self { prefix, range })
    }

    /// The comparison that R4 defines between the span asked for and the span of a resource.
    pub fn matches(&self, target: DateRange) -> bool {
        let asked = self.range;
        let above = target.until > asked.until;
        let below = target.from < asked.from;
        match self.prefix {
            DatePrefix::Eq => asked.contains(target),
            DatePrefix::Gt => above,
            DatePrefix::Lt => below,
            DatePrefix::Ge => above || asked.contains(target),
            DatePrefix::Le => below || asked.contains(target),
        }
    }
}

const DATE_FORM: &str = "must be YYYY, YYYY-MM, YYYY-MM-DD or a time with its zone, as in \
                         2024-05-17T08:30:00Z or 2024-05-17T08:30:00%2B02:00";

/// `ge2024` → ge, `2024`. Prefixes that are not answered are refused by name.
pub(super) fn split_prefix(text: &str) -> Result<(DatePrefix, &str), Wrong> {
    if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Ok((DatePrefix::Eq, text));
    }
    let prefix = match text.get(..2) {
        Some("eq") => DatePrefix::Eq,
        Some("ge") => DatePrefix::Ge,
        Some("le") => DatePrefix::Le,
        Some("gt") => DatePrefix::Gt,
        Some("lt") => DatePrefix::Lt,
        Some(prefix @ ("ne" | "sa" | "eb" | "ap")) => {
            let text = format!("the prefix `{prefix}` is not supported");
            return Err(wrong(IssueCode::NotSupported, text));
        }
        _ => return Err(wrong(IssueCode::Value, "the prefix is not known")),
    };
    Ok((prefix, &text[2..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(term: &str, target: &str) -> bool {
        DateTerm::parse(term).unwrap().matches(DateRange::parse(target).unwrap())
    }

    #[test]
    fn prefixes_compare_spans_as_r4_defines() {
        let day = "2024-05-17";
        for (target, eq, ge, le, gt, lt) in [
            ("2024-05-17", true, true, true, false, false),
            ("2024-05-17T00:00:00Z", true, true, true, false, false),
            ("2024-05-17T23:59:59.999Z", true, true, true, false, false),
            ("2024-05-18T00:00:00Z", false, true, false, true, false),
            ("2024-05-16T23:59:59.999Z", false, false, true, false, true),
            ("2024-05-17T00:30:00+02:00", false, false, true, false, true),
            // A month is not within the day, and reaches beyond it on both sides.
            ("2024-05", false, true, true, true, true),
            ("2024-06", false, true, false, true, false),
            ("2023", false, false, true, false, true),
        ] {
            let found = ["eq", "ge", "le", "gt", "lt"].map(|p| check(&format!("{p}{day}"), target));
            assert_eq!(found, [eq, ge, le, gt, lt], "{target}");
            assert_eq!(check(day, target), eq, "{target}");
        }
    }

    #[test]
    fn a_minute_and_a_second_are_spans_too() {
        assert!(check("2024-05-17T08:30Z", "2024-05-17T08:30:59.999Z"));
        assert!(!check("2024-05-17T08:30Z", "2024-05-17T08:31:00Z"));
        assert!(check("gt2024-05-17T08:30:15Z", "2024-05-17T08:30:16Z"));
        assert!(!check("gt2024-05-17T08:30:15Z", "2024-05-17T08:30:15.900Z"));
        assert!(check("ge2024-05-17T08:30:15Z", "2024-05-17T08:30:15.900Z"));
        // A day without a time starts before half past eight and ends after it.
        assert!(check("gt2024-05-17T08:30Z", "2024-05-17"));
        assert!(check("lt2024-05-17T08:30Z", "2024-05-17"));
        assert!(!check("2024-05-17T08:30Z", "2024-05-17"));
    }

    #[test]
    fn unsupported_prefixes_and_forms_are_refused() {
        for term in [
            "ne2024",
            "sa2024",
            "eb2024",
            "ap2024",
            "xx2024",
            "e",
            "é2024",
            "ge",
            "GE2024",
            "2024-05-17T08:30:00",
            "2024-05-17T08:30:00 02:00",
            "2024-5-17",
            "today",
            " 2024",
        ] {
            assert!(DateTerm::parse(term).is_err(), "{term}");
        }
    }
}
