//! What the device measured: for the recording, and a table by lead.

use precordia_model::{DeviceMeasurement, Lead, Problem};

use crate::measurement_code::Quantity::{self, Axis, Interval, Rate};
use crate::measurement_code::is_not_measured;
use crate::xml::{Element, decimal};

/// Fields of `RestingECGMeasurements`, our names, and what they measure.
const MEASUREMENTS: [(&str, Option<&str>, Quantity); 14] = [
    ("VentricularRate", Some("heart_rate_bpm"), Rate),
    ("AtrialRate", Some("atrial_rate_bpm"), Rate),
    ("PQInterval", Some("pr_ms"), Interval),
    ("PDuration", Some("p_ms"), Interval),
    ("QRSDuration", Some("qrs_ms"), Interval),
    ("QTInterval", Some("qt_ms"), Interval),
    ("QTCInterval", Some("qtc_ms"), Interval),
    ("RRInterval", Some("rr_ms"), Interval),
    ("PPInterval", Some("pp_ms"), Interval),
    ("QTDispersion", None, Interval),
    ("QTDispersionBazett", None, Interval),
    ("PAxis", Some("p_axis_deg"), Axis),
    ("RAxis", Some("qrs_axis_deg"), Axis),
    ("TAxis", Some("t_axis_deg"), Axis),
];

pub(crate) fn read(root: Element<'_>, problems: &mut Vec<Problem>) -> Vec<DeviceMeasurement> {
    let Some(block) = root.child("RestingECGMeasurements") else { return Vec::new() };
    let mut doubts = Doubts::default();
    let mut found = global(block, &mut doubts);
    if let Some(index) = block.child("SokolovLVHIndex").filter(|one| !one.glance_text().is_empty())
        && let Some(value) = index.number()
    {
        found.push(measurement(None, "SokolovLVHIndex", value, index.attribute("units"), None));
    }
    if let Some(table) = block.child("MeasurementTable") {
        found.extend(by_lead(table, &mut doubts));
    }
    doubts.report(problems);
    found
}

fn global(block: Element<'_>, doubts: &mut Doubts) -> Vec<DeviceMeasurement> {
    let mut found = Vec::new();
    for (field, name, quantity) in MEASUREMENTS {
        let Some(element) = block.child(field).filter(|one| !one.glance_text().is_empty()) else {
            continue;
        };
        let Some(value) = element.number() else {
            doubts.not_a_number = true;
            continue;
        };
        if is_not_measured(Some(quantity), value) {
            continue;
        }
        let written = element.attribute("units");
        let unit = match (quantity, written) {
            (Rate, Some("BPM")) => Some("/min"),
            (Interval, Some("ms")) => Some("ms"),
            (Axis, Some("degrees")) => Some("deg"),
            _ => None,
        };
        doubts.unit |= unit.is_none();
        let name = name.filter(|_| unit.is_some());
        found.push(measurement(name, field, value, unit.or(written), None));
    }
    found
}

/// Columns are leads in the table's own order; an empty cell was not measured.
fn by_lead(table: Element<'_>, doubts: &mut Doubts) -> Vec<DeviceMeasurement> {
    let Some(order) = table.child("LeadOrder") else { return Vec::new() };
    let leads: Option<Vec<Lead>> =
        order.glance_text().split(',').map(|name| name.trim().parse().ok()).collect();
    let Some(leads) = leads else {
        doubts.table = true;
        return Vec::new();
    };
    order.pass_over();
    let mut found = Vec::new();
    for row in table.elements().filter(|row| row.name() != "LeadOrder") {
        let cells: Vec<&str> = row.glance_text().split(',').map(str::trim).collect();
        let is_readable = |cell: &&str| cell.is_empty() || decimal(cell).is_some();
        if cells.len() != leads.len() || !cells.iter().all(is_readable) {
            doubts.table |= !row.glance_text().is_empty();
            continue;
        }
        for (&lead, cell) in leads.iter().zip(&cells) {
            if let Some(value) = decimal(cell) {
                found.push(measurement(
                    None,
                    row.name(),
                    value,
                    row.attribute("units"),
                    Some(lead),
                ));
            }
        }
        row.pass_over();
    }
    found
}

fn measurement(
    name: Option<&str>,
    label: &str,
    value: f64,
    unit: Option<&str>,
    lead: Option<Lead>,
) -> DeviceMeasurement {
    DeviceMeasurement {
        name: name.map(str::to_owned),
        code: None,
        label: label.to_owned(),
        value,
        unit: unit.unwrap_or_default().to_owned(),
        lead,
    }
}

#[derive(Debug, Default)]
struct Doubts {
    not_a_number: bool,
    unit: bool,
    table: bool,
}

impl Doubts {
    fn report(&self, problems: &mut Vec<Problem>) {
        let cases = [
            (
                self.not_a_number,
                "measurement_not_a_number",
                "a measurement of the device is not a number and was not read",
            ),
            (
                self.unit,
                "measurement_unit",
                "a measurement of the device has a unit that is not the usual one; it was left unnamed",
            ),
            (
                self.table,
                "measurement_table",
                "a row of the table of measurements does not fit its leads; it is kept as written",
            ),
        ];
        for (_, code, text) in cases.into_iter().filter(|(seen, ..)| *seen) {
            problems.push(Problem::warning(code, "RestingECGMeasurements", text));
        }
    }
}
