//! What the device measured, of all leads and of each, and its interpretation.

use precordia_model::{DeviceMeasurement, DeviceStatement, Lead, Phi, UnmappedField};

use crate::measurement_code::{self, Quantity};
use crate::xml::{Element, decimal};
use crate::{lead_code, unmapped};

fn global(name: &str) -> Option<(&'static str, Quantity)> {
    Some(match name {
        "HR" => ("heart_rate_bpm", Quantity::Rate),
        "RR" => ("rr_ms", Quantity::Interval),
        "P" => ("p_ms", Quantity::Interval),
        "PQ" => ("pr_ms", Quantity::Interval),
        "QRS" => ("qrs_ms", Quantity::Interval),
        "QT" => ("qt_ms", Quantity::Interval),
        "QTC" => ("qtc_ms", Quantity::Interval),
        "AXIS_P" => ("p_axis_deg", Quantity::Axis),
        "AXIS_QRS" => ("qrs_axis_deg", Quantity::Axis),
        "AXIS_T" => ("t_axis_deg", Quantity::Axis),
        _ => return None,
    })
}

/// Names and values that are no numbers are kept as written.
pub(super) fn measurements(
    root: Element<'_>,
    fields: &mut Vec<UnmappedField>,
) -> Vec<DeviceMeasurement> {
    let mut measurements = Vec::new();
    for one in root.descendants("annotation_global") {
        let name = one.text_of("name").unwrap_or_default();
        let written = one.text_of("value").unwrap_or_default();
        let known = global(name);
        let quantity = known.map(|known| known.1);
        match decimal(written) {
            Some(value) if !measurement_code::is_not_measured(quantity, value) => {
                let unit = match quantity {
                    Some(Quantity::Rate) => "/min",
                    Some(Quantity::Interval) => "ms",
                    Some(Quantity::Axis) => "deg",
                    // Onsets and offsets are numbers of samples in the averages.
                    None if name.ends_with("_ON") || name.ends_with("_OFF") => "{sample}",
                    None => "",
                };
                measurements.push(measurement(known.map(|known| known.0), name, value, unit, None));
            }
            _ => unmapped::keep(fields, format!("annotation_global {name}"), written),
        }
    }
    for channel in root.descendants("channel") {
        if let Some(lead) = channel.text_of("name").and_then(lead_code::from_name) {
            of_lead(channel, lead, &mut measurements);
        }
    }
    measurements
}

/// A duration of 0 is a wave that is not there.
fn of_lead(channel: Element<'_>, lead: Lead, measurements: &mut Vec<DeviceMeasurement>) {
    for one in channel.children("annotation_lead") {
        let name = one.text_of("name").unwrap_or_default();
        let unit = match name {
            _ if name.ends_with("_DUR") => "ms",
            _ if name.ends_with("_AMPL") => "mV",
            _ => "",
        };
        let value = one.number_of("value").filter(|value| unit != "ms" || *value > 0.0);
        measurements.extend(value.map(|value| measurement(None, name, value, unit, Some(lead))));
    }
}

fn measurement(
    name: Option<&str>,
    label: &str,
    value: f64,
    unit: &str,
    lead: Option<Lead>,
) -> DeviceMeasurement {
    DeviceMeasurement {
        name: name.map(str::to_owned),
        code: None,
        label: label.to_owned(),
        value,
        unit: unit.to_owned(),
        lead,
    }
}

/// Texts that are no interpretation are kept as written.
pub(super) fn statements(
    root: Element<'_>,
    fields: &mut Vec<UnmappedField>,
) -> Vec<DeviceStatement> {
    let mut statements = Vec::new();
    for block in root.descendants("event").flat_map(|event| event.children("textdata")) {
        let kind = block.text_of("type").unwrap_or_default();
        let text = block.text_of("textdata").unwrap_or_default();
        if kind == "INTERPRETATION" {
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            statements.extend(
                lines.map(|line| DeviceStatement { text: Phi::new(line.to_owned()), code: None }),
            );
        } else {
            unmapped::keep(fields, format!("textdata {kind}"), text);
        }
    }
    statements
}
