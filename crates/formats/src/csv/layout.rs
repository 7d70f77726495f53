//! A declared layout: what a table of numbers, or a device's file, does not say of itself.
//!
//! ```text
//! # ecg-layout: 1
//! # rate_hz: 500
//! # unit: 4.88 uV
//! # leads: -, I, II, V1
//! ```
//!
//! Lines of `#`, a key, a colon and a value, at the head of a table or in a part of their own.

use precordia_model::{Lead, Refusal, RefusalReason, UnmappedField};

use crate::xml::decimal;
use crate::{Part, lead_code, plain_text, unmapped, voltage};

const MAGIC: &str = "ecg-layout";
const VERSION: &str = "1";

#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub rate_hz: Option<f64>,
    /// Microvolts of the number 1.
    pub uv_per_unit: Option<f64>,
    /// What each column is; a column that is no lead is passed over.
    pub columns: Option<Vec<Option<Lead>>>,
    pub acquired_at: Option<String>,
    pub patient_id: Option<String>,
    pub patient_name: Option<String>,
    pub other: Vec<UnmappedField>,
}

/// Whether a text begins with a layout.
pub(crate) fn begins(text: &str) -> bool {
    text.lines().next().and_then(entry).is_some_and(|(key, _)| key == MAGIC)
}

/// The layout at the head of a text and the rest of it.
pub(crate) fn split(text: &str) -> Result<(Option<Layout>, &str), Refusal> {
    if !begins(text) {
        return Ok((None, text));
    }
    let mut layout = Layout::default();
    let mut rest = text;
    let mut seen: Vec<&str> = Vec::new();
    while let Some(line) = rest.lines().next().filter(|line| line.trim_start().starts_with('#')) {
        rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
        let Some((key, value)) = entry(line) else { continue };
        if seen.contains(&key) {
            let text = "the layout has a line twice";
            return Err(refused("layout_repeated", key, text));
        }
        seen.push(key);
        layout.take(key, value)?;
    }
    Ok((Some(layout), rest))
}

/// Of several parts, the layout that is a part of its own, and the other part.
pub(crate) fn beside<'p, 'a>(
    parts: &'p [Part<'a>],
) -> Result<(Option<Layout>, &'p Part<'a>), Refusal> {
    match parts {
        [only] => Ok((None, only)),
        [one, other] => {
            if let Some(layout) = alone(one)? {
                return Ok((Some(layout), other));
            }
            match alone(other)? {
                Some(layout) => Ok((Some(layout), one)),
                None => Err(several()),
            }
        }
        _ => Err(several()),
    }
}

fn several() -> Refusal {
    let text = "one part and a layout are read together, and other parts came with them";
    Refusal::new(RefusalReason::Unsupported, "parts_several", "input", text)
}

/// A part that holds a layout and nothing else.
fn alone(part: &Part<'_>) -> Result<Option<Layout>, Refusal> {
    let Some(text) = plain_text::decode(part.bytes, &mut Vec::new()) else { return Ok(None) };
    let (layout, rest) = split(&text)?;
    Ok(layout.filter(|_| rest.trim().is_empty()))
}

fn entry(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.trim().strip_prefix('#')?.split_once(':')?;
    Some((key.trim(), value.trim()))
}

impl Layout {
    fn take(&mut self, key: &str, value: &str) -> Result<(), Refusal> {
        match key {
            MAGIC if value == VERSION => {}
            MAGIC => {
                let text = "the layout is of a version that is not known; 1 is";
                let place = format!("layout, {MAGIC}");
                let code = "layout_version";
                return Err(Refusal::new(RefusalReason::Unsupported, code, place, text));
            }
            "rate_hz" => {
                let text = "the sampling rate is not a decimal number";
                let hz = decimal(value).ok_or_else(|| refused("sampling_rate_invalid", key, text));
                self.rate_hz = Some(hz?);
            }
            "unit" => {
                let text =
                    "the unit is none of nV, uV, mV and V, with or without a number before it";
                let unit = unit(value).ok_or_else(|| refused("unit_unknown", key, text));
                self.uv_per_unit = Some(unit?);
            }
            "leads" => {
                let columns: Option<Vec<Option<Lead>>> = value.split(',').map(column).collect();
                let text = "a lead is not known; a column that is none is declared as `-`";
                self.columns = Some(columns.ok_or_else(|| refused("leads_unknown", key, text))?);
            }
            "acquired_at" => self.acquired_at = Some(value.to_owned()),
            "patient_id" => self.patient_id = Some(value.to_owned()),
            "patient_name" => self.patient_name = Some(value.to_owned()),
            _ => unmapped::keep(&mut self.other, "layout", &format!("{key}: {value}")),
        }
        Ok(())
    }
}

fn column(name: &str) -> Option<Option<Lead>> {
    match name.trim() {
        "-" => Some(None),
        name => lead_code::from_name(name).or_else(|| name.parse().ok()).map(Some),
    }
}

/// `mV`, or `4.88 uV` where numbers are counts of a converter.
fn unit(text: &str) -> Option<f64> {
    let (size, unit) = text.split_once(' ').unwrap_or(("1", text));
    let size = decimal(size).filter(|size| *size > 0.0)?;
    Some(size * voltage::microvolts_in_words(unit)?)
}

fn refused(code: &str, key: &str, text: &str) -> Refusal {
    let key: String = key.chars().take(40).collect();
    Refusal::new(RefusalReason::Ambiguous, code, format!("layout, {key}"), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_may_be_the_size_of_a_count_and_is_never_guessed() {
        let cases = [
            ("mV", Some(1000.0)),
            ("4.88 uV", Some(4.88)),
            ("4.88 µV", Some(4.88)),
            ("500 nV", Some(0.5)),
            ("MV", None),
            ("0 uV", None),
            ("-1 uV", None),
            ("4.88", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(unit(text), expected, "{text}");
        }
    }

    #[test]
    fn a_layout_ends_where_the_table_begins() {
        let text = "# ecg-layout: 1\n# rate_hz: 250\n# made by hand\n# room: 7\n\nI;II\n1;2\n";
        let (layout, rest) = split(text).unwrap();
        let layout = layout.unwrap();
        assert_eq!((layout.rate_hz, rest), (Some(250.0), "\nI;II\n1;2\n"));
        assert_eq!(layout.other[0].value.reveal(), "room: 7");
        assert!(split("# rate_hz: 250\n1;2\n").unwrap().0.is_none());
        let code = |text| split(text).map(|_| ()).unwrap_err().code;
        assert_eq!(code("# ecg-layout: 2\n"), "layout_version");
        assert_eq!(code("# ecg-layout: 1\n# rate_hz: 1\n# rate_hz: 2\n"), "layout_repeated");
        assert_eq!(code("# ecg-layout: 1\n# rate_hz: 5,0\n"), "sampling_rate_invalid");
        assert_eq!(code("# ecg-layout: 1\n# leads: I, Q\n"), "leads_unknown");
        assert_eq!(code("# ecg-layout: 1\n# unit: count\n"), "unit_unknown");
    }
}
