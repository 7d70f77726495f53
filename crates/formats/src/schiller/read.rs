//! A document to a recording.

use precordia_model::{
    DeviceDescription, DevicePatient, DeviceTime, PartialDate, Phi, Problem, Recording, Refusal,
};

use super::{wave, words};
use crate::build::{ClockTime, device_time};
use crate::person;
use crate::xml::{self, Element};

pub(super) fn read(bytes: &[u8]) -> Result<Recording, Refusal> {
    let tree = xml::parse(bytes)?;
    let root = tree.root();
    let mut problems = tree.problems.clone();
    let mut fields = Vec::new();
    let (rhythm, other_groups) = wave::read(root, &mut problems)?;
    let exam = root.child("examdescript");
    let said = |names: &str| exam.and_then(|exam| exam.text_of(names)).map(str::to_owned);
    let acquired_at = acquired_at(exam, &mut problems);
    let mut recording = Recording {
        format: super::FORMAT,
        format_detail: "SchillerEDI".into(),
        source_id: said("job_id").map(Phi::new),
        device: DeviceDescription {
            manufacturer: said("aquiringdevice/hardware/vendor"),
            model: said("aquiringdevice/hardware/model"),
            software: said("aquiringdevice/software/version"),
            serial: None,
        },
        patient: patient(root, acquired_at.as_ref(), &mut problems),
        acquired_at,
        accession: said("order_id").map(Phi::new),
        rhythm,
        other_groups,
        device_measurements: words::measurements(root, &mut fields),
        device_statements: words::statements(root, &mut fields),
        unmapped: fields,
        problems,
    };
    recording.unmapped.extend(tree.unmapped());
    Ok(recording)
}

/// `20060502` and `140610000`: hours to milliseconds without separators.
fn acquired_at(exam: Option<Element<'_>>, problems: &mut Vec<Problem>) -> Option<DeviceTime> {
    let place = "examdescript/startdatetime";
    let said = |name: &str| exam.and_then(|exam| exam.text_of(name));
    let Some(date) = said("startdatetime/date") else {
        let text = "the file does not say when it was recorded";
        problems.push(Problem::warning("acquisition_time_absent", place, text));
        return None;
    };
    let time = said("startdatetime/time").unwrap_or_default();
    let clock = || {
        let [hour, minute, second] = [0..2, 2..4, 4..6].map(|range| digits(time.get(range)?));
        let millis = digits(time.get(6..)?).unwrap_or(0);
        let micros = u32::try_from(millis.checked_mul(1000)?).ok()?;
        Some(ClockTime { hour: hour?, minute: minute?, second: second?, micros })
    };
    let read = device_time(
        format!("{date} {time}").trim_end(),
        day(date).unwrap_or_default(),
        clock().filter(|_| time.len() == 6 || time.len() == 9),
        None,
    );
    if read.local.is_none() {
        let text = "the time of the recording is not one that is understood; it stays as written";
        problems.push(Problem::warning("acquisition_time_invalid", place, text));
    } else if read.local.as_deref().is_some_and(|local| !local.contains('T')) {
        let text = "the recording has a date and no time that is understood";
        problems.push(Problem::info("acquisition_time_partial", place, text));
    }
    Some(read)
}

fn day(date: &str) -> Option<[i64; 3]> {
    let [year, month, day] = [0..4, 4..6, 6..8].map(|range| digits(date.get(range)?));
    (date.len() == 8).then_some([year?, month?, day?])
}

fn digits(text: &str) -> Option<i64> {
    let are = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    are.then(|| text.parse().ok()).flatten()
}

fn patient(
    root: Element<'_>,
    acquired_at: Option<&DeviceTime>,
    problems: &mut Vec<Problem>,
) -> DevicePatient {
    let Some(data) = root.child("patdata") else { return DevicePatient::default() };
    let text = |name: &str| data.text_of(name).map(str::to_owned);
    let (family, given) = (text("lastname"), text("firstname"));
    let name: Vec<String> = family.iter().chain(&given).cloned().collect();
    let recorded =
        acquired_at.and_then(|time| PartialDate::parse(time.local.as_deref()?.split('T').next()?));
    let birth_date = text("birthdate").and_then(|written| {
        let compact =
            day(&written).map(|[year, month, day]| format!("{year:04}-{month:02}-{day:02}"));
        let date = PartialDate::parse(compact.as_deref().unwrap_or(&written));
        person::birth_date(date, recorded, "patdata/birthdate", problems)
    });
    DevicePatient {
        id: text("id").map(Phi::new),
        id_issuer: None,
        name_as_written: (!name.is_empty()).then(|| Phi::new(name.join(" "))),
        family: family.map(Phi::new),
        given: given.into_iter().map(Phi::new).collect(),
        birth_date: birth_date.map(Phi::new),
        sex: text("gender").map(|sex| person::sex(&sex, "patdata/gender", problems)),
        age_years: None,
    }
}
