//! A document to a recording.

use precordia_model::{
    DeviceDescription, DevicePatient, DeviceTime, Filters, GroupKind, OtherGroup, PartialDate, Phi,
    Problem, Recording, Refusal, RefusalReason,
};

use super::{channel, words};
use crate::xml::{self, Element};
use crate::{clock, person, rhythm};

pub(super) fn read(bytes: &[u8]) -> Result<Recording, Refusal> {
    let tree = xml::parse(bytes)?;
    let root = tree.root();
    let mut problems = tree.problems.clone();
    let text = "no file of a device has proven this reader; compare it with the printed sheet";
    problems.push(Problem::warning("format_unproven", "file", text));
    let source = root.child("SOURCE");
    let said = |name: &str| source.and_then(|source| source.some_attribute(name));
    // The other filters are codes whose meaning is not public.
    let high_hz = said("LOW_PASS_FILTER").and_then(xml::decimal).filter(|hz| *hz > 0.0);
    let filters = Filters { high_hz, ..Filters::default() };
    let signal = channel::rhythm(root, filters, &mut problems)?;
    rhythm::check_length(signal.duration_s(), "CHANNEL", &mut problems)?;
    let other_groups = typical_beat(root, filters, &mut problems);
    let acquired_at = acquired_at(root, &mut problems);
    let patient = patient(root, acquired_at.as_ref(), &mut problems)?;
    let mut recording = Recording {
        format: super::FORMAT,
        format_detail: format!("ELI XML, {}", said("TYPE").unwrap_or("type not said")),
        source_id: None,
        device: DeviceDescription {
            manufacturer: said("MANUFACTURER").map(str::to_owned),
            model: said("MODEL").map(str::to_owned),
            software: said("ACQUIRING_DEVICE_SW_VERSION").map(str::to_owned),
            serial: said("ACQUIRING_DEVICE_SERIAL_NUMBER").map(|it| Phi::new(it.to_owned())),
        },
        patient,
        acquired_at,
        accession: None,
        rhythm: signal,
        other_groups,
        device_measurements: words::measurements(root),
        device_statements: words::statements(root),
        unmapped: Vec::new(),
        problems,
    };
    recording.unmapped.extend(tree.unmapped());
    Ok(recording)
}

fn typical_beat(
    root: Element<'_>,
    filters: Filters,
    problems: &mut Vec<Problem>,
) -> Vec<OtherGroup> {
    let cycle = root.child("TYPICAL_CYCLE");
    let Some(cycle) = cycle.filter(|cycle| cycle.child("TYPICAL_CYCLE_CHANNEL").is_some()) else {
        return Vec::new();
    };
    let mut own = Vec::new();
    match channel::beat(cycle, filters, &mut own) {
        Ok(signal) => {
            // A beat of one lead may be flat without any fault of the recording.
            problems.extend(own.into_iter().filter(|problem| problem.code != "lead_flat"));
            vec![OtherGroup { kind: GroupKind::MedianBeat, label: "typical cycle".into(), signal }]
        }
        Err(refusal) => {
            let text = format!("the typical beat was not read: {}", refusal.text);
            problems.push(Problem::error("group_not_read", refusal.place, text));
            Vec::new()
        }
    }
}

fn acquired_at(root: Element<'_>, problems: &mut Vec<Problem>) -> Option<DeviceTime> {
    let place = "ECG@ACQUISITION_TIME";
    if let Some(written) = root.some_attribute("ACQUISITION_TIME_XML") {
        return Some(clock::read(written, place, problems));
    }
    let Some(written) = root.some_attribute("ACQUISITION_TIME") else {
        let text = "the file does not say when it was recorded";
        problems.push(Problem::warning("acquisition_time_absent", place, text));
        return None;
    };
    // YYYYMMDDhhmmss
    let part = |from: usize, to: usize| written.get(from..to).unwrap_or_default();
    let iso = format!(
        "{}-{}-{}T{}:{}:{}",
        part(0, 4),
        part(4, 6),
        part(6, 8),
        part(8, 10),
        part(10, 12),
        written.get(12..).unwrap_or_default()
    );
    Some(DeviceTime { as_written: written.to_owned(), ..clock::read(&iso, place, problems) })
}

/// The subject, and fields that the site has named itself.
fn patient(
    root: Element<'_>,
    acquired_at: Option<&DeviceTime>,
    problems: &mut Vec<Problem>,
) -> Result<DevicePatient, Refusal> {
    let subject = root.child("SUBJECT");
    let fields = root.child("DEMOGRAPHIC_FIELDS");
    let text = |attribute: &str, label: &str| {
        let said = subject.and_then(|subject| subject.some_attribute(attribute));
        let of_label = |one: &Element<'_>| one.attribute("LABEL") == Some(label);
        said.or_else(|| {
            fields?.children("DEMOGRAPHIC_FIELD").find(of_label)?.some_attribute("VALUE")
        })
    };
    let labeled = fields.and_then(|fields| {
        let of_id = |one: &Element<'_>| one.attribute("LABEL") == Some("ID:");
        fields.children("DEMOGRAPHIC_FIELD").find(of_id)?.some_attribute("VALUE")
    });
    let id = text("ID", "ID:");
    if labeled.is_some_and(|labeled| Some(labeled) != id) {
        let text = "the file names two different patient identifiers";
        let place = "SUBJECT@ID";
        return Err(Refusal::new(RefusalReason::Ambiguous, "patient_conflict", place, text));
    }
    let (family, given) = (text("LAST_NAME", "Last:"), text("FIRST_NAME", "First:"));
    let name: Vec<&str> = family.into_iter().chain(given).collect();
    let day =
        acquired_at.and_then(|time| PartialDate::parse(time.local.as_deref()?.split('T').next()?));
    let birth_date = text("DOB_XML", "").or(text("DOB", "DOB:")).and_then(|written| {
        let compact = match (written.len(), written.get(..4), written.get(4..6), written.get(6..)) {
            (8, Some(year), Some(month), Some(day)) => format!("{year}-{month}-{day}"),
            _ => written.to_owned(),
        };
        person::birth_date(PartialDate::parse(&compact), day, "SUBJECT@DOB", problems)
    });
    let sex = text("GENDER", "Sex:").map(|sex| person::sex(sex, "SUBJECT@GENDER", problems));
    let age = root.attribute_number("AGE").zip(root.attribute("AGE_UNITS"));
    let age_years = age.and_then(|(number, unit)| person::age_years(number, unit));
    Ok(DevicePatient {
        id: id.map(|id| Phi::new(id.to_owned())),
        id_issuer: None,
        name_as_written: (!name.is_empty()).then(|| Phi::new(name.join(" "))),
        family: family.map(|name| Phi::new(name.to_owned())),
        given: given.into_iter().map(|name| Phi::new(name.to_owned())).collect(),
        age_years: age_years.filter(|_| birth_date.is_none()),
        birth_date: birth_date.map(Phi::new),
        sex,
    })
}
