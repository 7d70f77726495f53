//! What the device says about its recording: measurements and statements. PS3.3 C.10.10.
//!
//! Kept as *device says*; nothing here is believed or computed with. Marks of single points and beats
//! carry no value and are not read.

use precordia_model::{DeviceMeasurement, DeviceStatement, Lead, Phi, Problem};

use super::charset::TextReader;
use super::element::{Code, DataSet};
use super::tag;
use super::text::decimal;
use crate::measurement_code::{self, Quantity};

/// Where we write a measurement that has no code of its own.
pub(crate) const OWN_SCHEME: &str = "99PRECORDIA";
pub(crate) const UNCODED: &str = "UNCODED";

#[derive(Debug, Default)]
pub(crate) struct Annotations {
    pub measurements: Vec<DeviceMeasurement>,
    pub statements: Vec<DeviceStatement>,
}

/// A multiplex group as annotations refer to it.
#[derive(Debug)]
pub(crate) struct Target {
    pub leads: Vec<Option<Lead>>,
    pub is_median: bool,
}

/// `targets` are all groups of the object, in its order.
pub(crate) fn read(
    set: &DataSet<'_>,
    targets: &[Target],
    text: &mut TextReader,
    problems: &mut Vec<Problem>,
) -> Annotations {
    let mut annotations = Annotations::default();
    let mut doubts = Doubts::default();
    for item in set.items(tag::ANNOTATIONS) {
        if let Some(statement) = statement(item, text) {
            annotations.statements.push(statement);
        } else if let Some(measurement) = measurement(item, targets, text, &mut doubts) {
            annotations.measurements.push(measurement);
        }
    }
    let named: Vec<&str> =
        annotations.measurements.iter().filter_map(|one| one.name.as_deref()).collect();
    doubts.repeated = named.iter().enumerate().any(|(index, name)| named[..index].contains(name));
    doubts.report(problems);
    annotations
}

fn statement(item: &DataSet<'_>, text: &mut TextReader) -> Option<DeviceStatement> {
    if let Some(sentence) = text.read(item.bytes(tag::UNFORMATTED_TEXT)) {
        return Some(DeviceStatement { text: Phi::new(sentence), code: None });
    }
    if item.has(tag::TEMPORAL_RANGE_TYPE) {
        return None;
    }
    let finding = item.code(tag::CONCEPT_CODE)?;
    let meaning = text.read(finding.meaning)?;
    Some(DeviceStatement { text: Phi::new(meaning), code: joined(&finding) })
}

fn measurement(
    item: &DataSet<'_>,
    targets: &[Target],
    text: &mut TextReader,
    doubts: &mut Doubts,
) -> Option<DeviceMeasurement> {
    let written = item.ascii(tag::NUMERIC_VALUE)?;
    let concept = item.code(tag::CONCEPT_NAME)?;
    let Some(value) = decimal(written) else {
        doubts.not_a_number = true;
        return None;
    };
    let (target, lead) = target(item, targets);
    let known = concept
        .scheme
        .zip(concept.value)
        .and_then(|(scheme, value)| measurement_code::name(scheme, value));
    // A name is for the recording as a whole, not for one lead, beat or stretch of it; the median
    // beat's stretches stand for all beats.
    let is_local =
        item.has(tag::TEMPORAL_RANGE_TYPE) && !target.is_some_and(|group| group.is_median);
    let known = known.filter(|_| lead.is_none() && !is_local);
    if measurement_code::is_not_measured(known.map(|(_, quantity)| quantity), value) {
        return None;
    }
    let written_unit =
        item.code(tag::MEASUREMENT_UNITS).and_then(|unit| unit.value).unwrap_or_default();
    let (name, value, unit) = match known {
        None => (None, value, written_unit),
        Some((name, quantity)) => {
            match measurement_code::in_our_unit(quantity, value, written_unit) {
                Some((value, unit)) => (Some(name), value, unit),
                // An axis is an angle whatever a writer calls its unit; milliseconds are the known slip.
                None if quantity == Quantity::Axis && written_unit == "ms" => {
                    doubts.axis_unit = true;
                    (Some(name), value, "deg")
                }
                None => {
                    doubts.unit = true;
                    (None, value, written_unit)
                }
            }
        }
    };
    Some(DeviceMeasurement {
        name: name.map(str::to_owned),
        code: joined(&concept),
        label: text.read(concept.meaning).unwrap_or_default(),
        value,
        unit: unit.to_owned(),
        lead,
    })
}

/// The group and lead that an annotation refers to. PS3.3 C.10.10.1.1: pairs of group and channel;
/// channel 0 is all channels.
fn target<'t>(item: &DataSet<'_>, targets: &'t [Target]) -> (Option<&'t Target>, Option<Lead>) {
    let &[group, channel] = &item.shorts(tag::REFERENCED_CHANNELS)[..] else { return (None, None) };
    let group = usize::from(group).checked_sub(1).and_then(|index| targets.get(index));
    let channel = usize::from(channel).checked_sub(1);
    let lead = group.zip(channel).and_then(|(group, index)| *group.leads.get(index)?);
    (group, lead)
}

fn joined(code: &Code<'_>) -> Option<String> {
    let (scheme, value) = (code.scheme?, code.value?);
    ((scheme, value) != (OWN_SCHEME, UNCODED)).then(|| format!("{scheme}:{value}"))
}

#[derive(Debug, Default)]
struct Doubts {
    not_a_number: bool,
    unit: bool,
    axis_unit: bool,
    repeated: bool,
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
                "a measurement of the device has a unit that does not fit its code; it was left unnamed",
            ),
            (
                self.axis_unit,
                "axis_unit",
                "the device's axes are said to be in ms; an axis is an angle, and degrees were read",
            ),
            (
                self.repeated,
                "measurement_repeated",
                "a measurement of the device is there more than once",
            ),
        ];
        for (_, code, text) in cases.into_iter().filter(|(seen, ..)| *seen) {
            problems.push(Problem::warning(code, "WaveformAnnotationSequence", text));
        }
    }
}
