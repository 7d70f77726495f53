//! What the device measured and stated: the first interpretation, and the measurements of each lead.

use precordia_model::{DeviceMeasurement, DeviceStatement, Lead, Phi, Problem};

use crate::lead_code;
use crate::measurement_code::{self, Quantity};
use crate::xml::{Element, decimal};

/// Names of 1.04 and, where they differ, of 1.03.
const GLOBAL: [(&str, &str, Quantity); 18] = [
    ("heartrate", "heart_rate_bpm", Quantity::Rate),
    ("atrialrate", "atrial_rate_bpm", Quantity::Rate),
    ("rrint", "rr_ms", Quantity::Interval),
    ("pdur", "p_ms", Quantity::Interval),
    ("print", "pr_ms", Quantity::Interval),
    ("meanprint", "pr_ms", Quantity::Interval),
    ("qrsdur", "qrs_ms", Quantity::Interval),
    ("meanqrsdur", "qrs_ms", Quantity::Interval),
    ("qtint", "qt_ms", Quantity::Interval),
    ("meanqtint", "qt_ms", Quantity::Interval),
    ("qtcb", "qtc_ms", Quantity::Interval),
    ("meanqtc", "qtc_ms", Quantity::Interval),
    // Fridericia's correction, which has no name of its own beside Bazett's.
    ("qtcf", "", Quantity::Interval),
    ("pfrontaxis", "p_axis_deg", Quantity::Axis),
    ("qrsfrontaxis", "qrs_axis_deg", Quantity::Axis),
    ("tfrontaxis", "t_axis_deg", Quantity::Axis),
    ("stfrontaxis", "", Quantity::Axis),
    ("qrshorizaxis", "", Quantity::Axis),
];

const LEAD_AMPLITUDES_UV: [&str; 14] = [
    "pamp", "ppamp", "qamp", "ramp", "samp", "rpamp", "spamp", "qrsppk", "ston", "stmid", "st80",
    "stend", "tamp", "tpamp",
];

const LEAD_DURATIONS_MS: [&str; 15] = [
    "pdur", "ppdur", "qdur", "rdur", "sdur", "rpdur", "spdur", "vat", "qrsdur", "stdur", "tdur",
    "tpdur", "print", "prseg", "qtint",
];

pub(super) fn measurements(
    root: Element<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<DeviceMeasurement> {
    let mut measurements = Vec::new();
    if let Some(interpretation) = interpretation(root, problems) {
        let block = interpretation
            .child("globalmeasurements")
            .or(interpretation.child("interpretationmeasurements"));
        for (tag, name, quantity) in GLOBAL {
            let element = block.and_then(|block| block.child(tag));
            measurements.extend(element.and_then(|element| global(element, name, quantity)));
        }
    }
    for lead in root.descendants("leadmeasurement") {
        if let Some(name) = lead.attribute("leadname").and_then(lead_code::from_name) {
            of_lead(lead, name, &mut measurements);
        }
    }
    measurements
}

/// `Failed` and `Indeterminate` are no numbers and no measurements.
fn global(element: Element<'_>, name: &str, quantity: Quantity) -> Option<DeviceMeasurement> {
    let value = element.number()?;
    if measurement_code::is_not_measured(Some(quantity), value) {
        return None;
    }
    let unit = match quantity {
        Quantity::Rate => "/min",
        Quantity::Interval => "ms",
        Quantity::Axis => "deg",
    };
    Some(DeviceMeasurement {
        name: (!name.is_empty()).then(|| name.to_owned()),
        code: None,
        label: element.name().to_owned(),
        value,
        unit: unit.to_owned(),
        lead: None,
    })
}

/// A duration of 0 is a wave that is not there.
fn of_lead(element: Element<'_>, lead: Lead, measurements: &mut Vec<DeviceMeasurement>) {
    for child in element.elements() {
        let label = child.name();
        let unit = if LEAD_AMPLITUDES_UV.contains(&label) {
            "uV"
        } else if LEAD_DURATIONS_MS.contains(&label) {
            "ms"
        } else {
            continue;
        };
        let value = decimal(child.text()).filter(|value| unit == "uV" || *value > 0.0);
        measurements.extend(value.map(|value| DeviceMeasurement {
            name: None,
            code: None,
            label: label.to_owned(),
            value,
            unit: unit.to_owned(),
            lead: Some(lead),
        }));
    }
}

pub(super) fn statements(root: Element<'_>) -> Vec<DeviceStatement> {
    let Some(interpretation) = root.path("interpretations/interpretation") else {
        return Vec::new();
    };
    let mut statements = Vec::new();
    for element in interpretation.elements() {
        let (code, text) = match element.name() {
            "statement" => {
                let said = [element.text_of("leftstatement"), element.text_of("rightstatement")];
                let said: Vec<&str> = said.into_iter().flatten().collect();
                (element.text_of("statementcode"), said.join("; "))
            }
            "severity" => (element.some_attribute("code"), element.text().to_owned()),
            _ => continue,
        };
        if !text.is_empty() {
            let code = code.map(|code| format!("philips-{}:{code}", element.name()));
            statements.push(DeviceStatement { text: Phi::new(text), code });
        }
    }
    statements
}

fn interpretation<'t>(root: Element<'t>, problems: &mut Vec<Problem>) -> Option<Element<'t>> {
    let mut all = root.child("interpretations")?.children("interpretation");
    let first = all.next();
    if all.next().is_some() {
        let text =
            "the file holds several interpretations; measurements and statements are of the first";
        problems.push(Problem::info("interpretations_several", "interpretations", text));
    }
    first
}
