//! What the device measured and stated.

use precordia_model::{DeviceMeasurement, DeviceStatement, Phi};

use crate::measurement_code::{self, Quantity};
use crate::xml::Element;

const OF_THE_RECORDING: [(&str, &str, Quantity); 2] =
    [("VENT_RATE", "heart_rate_bpm", Quantity::Rate), ("AVERAGE_RR", "rr_ms", Quantity::Interval)];

const OF_THE_BEAT: [(&str, &str, Quantity); 10] = [
    ("P_DURATION", "p_ms", Quantity::Interval),
    ("PR_DURATION", "pr_ms", Quantity::Interval),
    ("PR_INTERVAL", "pr_ms", Quantity::Interval),
    ("QRS_DURATION", "qrs_ms", Quantity::Interval),
    ("QT", "qt_ms", Quantity::Interval),
    ("QTC", "qtc_ms", Quantity::Interval),
    // Fridericia's correction, which has no name of its own.
    ("QTF", "", Quantity::Interval),
    ("P_AXIS", "p_axis_deg", Quantity::Axis),
    ("QRS_AXIS", "qrs_axis_deg", Quantity::Axis),
    ("T_AXIS", "t_axis_deg", Quantity::Axis),
];

pub(super) fn measurements(root: Element<'_>) -> Vec<DeviceMeasurement> {
    let of = |element: Element<'_>, (label, name, quantity): (&str, &str, Quantity)| {
        let value = element.attribute_number(label)?;
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
            label: label.to_owned(),
            value,
            unit: unit.to_owned(),
            lead: None,
        })
    };
    let of_recording = OF_THE_RECORDING.into_iter().filter_map(|one| of(root, one));
    let beat = root.child("TYPICAL_CYCLE");
    let of_beat = OF_THE_BEAT.into_iter().filter_map(|one| of(beat?, one));
    of_recording.chain(of_beat).collect()
}

pub(super) fn statements(root: Element<'_>) -> Vec<DeviceStatement> {
    let Some(interpretation) = root.child("AUTOMATIC_INTERPRETATION") else { return Vec::new() };
    let of = |statement: Element<'_>| {
        let said = [statement.some_attribute("TEXT"), statement.some_attribute("REASON")];
        let said: Vec<&str> = said.into_iter().flatten().collect();
        (!said.is_empty()).then(|| DeviceStatement { text: Phi::new(said.join("; ")), code: None })
    };
    interpretation.children("STATEMENT").filter_map(of).collect()
}
