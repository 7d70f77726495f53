//! What the name of a column says: a lead, its unit, or that it is the time.

use precordia_model::Lead;

use crate::{lead_code, voltage};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Column {
    Lead {
        lead: Lead,
        uv_per_unit: Option<f64>,
    },
    /// Seconds of the number 1, where the name says it.
    Time {
        seconds: Option<f64>,
    },
    Other,
}

/// `I`, `V1_mV`, `aVR (uV)`, `time_s`, `Time [ms]`.
pub(super) fn named(name: &str) -> Column {
    let name = name.trim().trim_matches('"').trim();
    if let Some(lead) = lead_code::from_name(name).filter(|_| !name.contains(['(', ','])) {
        return Column::Lead { lead, uv_per_unit: None };
    }
    let (bare, unit) = name_and_unit(name);
    if matches!(bare.to_ascii_lowercase().as_str(), "time" | "t") {
        let seconds = match unit {
            Some("s") => Some(1.0),
            Some("ms") => Some(1e-3),
            _ => None,
        };
        return Column::Time { seconds };
    }
    match (lead_code::from_name(bare), unit.map(voltage::microvolts_in_words)) {
        (Some(lead), Some(Some(unit))) => Column::Lead { lead, uv_per_unit: Some(unit) },
        _ => Column::Other,
    }
}

fn name_and_unit(name: &str) -> (&str, Option<&str>) {
    for (open, close) in [('(', ')'), ('[', ']')] {
        if let Some((bare, unit)) = name.split_once(open) {
            return (bare.trim(), unit.trim_end().strip_suffix(close).map(str::trim));
        }
    }
    match name.rsplit_once(['_', ' ']) {
        Some((bare, unit)) => (bare.trim(), Some(unit)),
        None => (name, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_leads_units_and_time() {
        let lead = |lead, uv_per_unit| Column::Lead { lead, uv_per_unit };
        let cases = [
            ("I", lead(Lead::I, None)),
            ("lead_ii", lead(Lead::II, None)),
            ("\"V1\"", lead(Lead::V1, None)),
            ("aVR_mV", lead(Lead::AVR, Some(1000.0))),
            ("aVR (uV)", lead(Lead::AVR, Some(1.0))),
            ("V6 [µV]", lead(Lead::V6, Some(1.0))),
            ("lead I mV", lead(Lead::I, Some(1000.0))),
            ("I (MV)", Column::Other),
            ("I (bpm)", Column::Other),
            ("If", Column::Other),
            ("time_s", Column::Time { seconds: Some(1.0) }),
            ("Time (ms)", Column::Time { seconds: Some(1e-3) }),
            ("time", Column::Time { seconds: None }),
            ("TS", Column::Other),
        ];
        for (name, expected) in cases {
            assert_eq!(named(name), expected, "{name}");
        }
    }
}
