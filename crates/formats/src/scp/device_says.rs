//! What the device says about its recording: sections 7, 8, 10 and 11. EN 1064 5.10 to 5.14.
//!
//! Kept as *device says*; nothing here is believed or computed with.

use precordia_model::{DeviceMeasurement, DeviceStatement, Lead, Phi, Problem, UnmappedField};

use super::bytes::Bytes;
use super::text::TextReader;
use crate::measurement_code::{self, Quantity};
use crate::unmapped;

/// More than any real record has; the rest is only counted.
const MEASUREMENTS_MAX: usize = 4000;
const STATEMENTS_MAX: usize = 510;

#[derive(Default)]
pub(crate) struct DeviceSays {
    pub measurements: Vec<DeviceMeasurement>,
    pub statements: Vec<DeviceStatement>,
    pub unmapped: Vec<UnmappedField>,
}

impl DeviceSays {
    /// A value at a place of the standard (`5.10.3-11`), under our name where it has one and is global.
    pub(super) fn measured(
        &mut self,
        code: &str,
        label: impl Into<String>,
        value: f64,
        unit: &str,
        lead: Option<Lead>,
        is_named: bool,
    ) {
        let known = measurement_code::name("SCPECG", code).filter(|_| is_named);
        let quantity = match (known, unit) {
            (Some((_, quantity)), _) => Some(quantity),
            (None, "deg") => Some(Quantity::Axis),
            _ => None,
        };
        if measurement_code::is_not_measured(quantity, value)
            || self.measurements.len() >= MEASUREMENTS_MAX
        {
            return;
        }
        self.measurements.push(DeviceMeasurement {
            name: known.map(|(name, _)| name.to_owned()),
            code: Some(format!("SCPECG:{code}")),
            label: label.into(),
            value,
            unit: unit.to_owned(),
            lead,
        });
    }

    pub(super) fn keep(&mut self, place: impl Into<String>, value: &str) {
        unmapped::keep(&mut self.unmapped, place, value);
    }

    /// Sections 8 and 11: status, date, time, and numbered statements. In section 11 each begins with
    /// its kind: coded, in words, or logic that joins others.
    pub fn read_statements(
        &mut self,
        id: u16,
        body: &[u8],
        text: &mut TextReader,
        problems: &mut Vec<Problem>,
    ) {
        const FIXED: usize = 9;
        let bytes = Bytes(body);
        let place = format!("section {id}");
        let Some((status, count)) = bytes.u8(0).zip(bytes.u8(FIXED - 1)) else { return };
        self.keep(format!("{place} status"), status_name(status));
        let mut at = FIXED;
        for _ in 0..count {
            let field = bytes.u16(at + 1).and_then(|length| bytes.slice(at + 3, length.into()));
            let Some(field) = field else {
                let message =
                    "a statement is longer than the section; it and what follows were not read";
                problems.push(Problem::warning("statements_truncated", place, message));
                return;
            };
            at += 3 + field.len();
            let statement = match (id, field) {
                (11, [1, codes @ ..]) => coded(codes, text),
                (11, [_, field @ ..]) => words(field, text),
                (11, []) => None,
                _ => words(field, text),
            };
            if let Some((sentence, code)) = statement
                && self.statements.len() < STATEMENTS_MAX
            {
                self.statements.push(DeviceStatement { text: Phi::new(sentence), code });
            }
        }
    }
}

/// A sentence; one that goes on after a NUL is one sentence still.
fn words(field: &[u8], text: &mut TextReader) -> Option<(String, Option<String>)> {
    let parts: Vec<String> =
        field.split(|byte| *byte == 0).filter_map(|part| text.read(part)).collect();
    (!parts.is_empty()).then(|| (parts.join(" "), None))
}

/// Codes of annex B, each ended by a NUL: a statement and its modifiers.
fn coded(codes: &[u8], text: &mut TextReader) -> Option<(String, Option<String>)> {
    let codes: Vec<String> =
        codes.split(|byte| *byte == 0).filter_map(|code| text.read(code)).collect();
    let first = codes.first()?;
    Some((codes.join(" "), Some(format!("SCPECG-USC:{first}"))))
}

const fn status_name(status: u8) -> &'static str {
    match status {
        0 => "original report, not overread",
        1 => "confirmed report",
        2 => "overread report, not confirmed",
        _ => "status not known",
    }
}
