//! Person, device, time, order.

use precordia_model::{
    DeviceDescription, DevicePatient, DeviceTime, PartialDate, Phi, Problem, UnmappedField,
};

use crate::xml::Element;
use crate::{clock, person, unmapped};

pub(super) fn patient(
    root: Element<'_>,
    acquired_at: Option<&DeviceTime>,
    fields: &mut Vec<UnmappedField>,
    problems: &mut Vec<Problem>,
) -> DevicePatient {
    let Some(data) = root.path("patient/generalpatientdata") else {
        return DevicePatient::default();
    };
    let text = |names: &str| data.text_of(names).map(str::to_owned);
    let family = text("name/lastname");
    let mut given: Vec<String> =
        [text("name/firstname"), text("name/middlename")].into_iter().flatten().collect();
    // De-identified files of 1.03 carry an age where a name belongs.
    if let Some(at) = given.iter().position(|name| name.starts_with("AgeAtECG")) {
        unmapped::keep(fields, "patient/generalpatientdata/name", &given.remove(at));
        let text = "a given name is no name but an age; it stays as written";
        problems.push(Problem::warning("name_misused", "patient/generalpatientdata/name", text));
    }
    let name: Vec<String> = family.iter().chain(&given).cloned().collect();
    let day = acquired_at
        .and_then(|time| time.local.as_deref())
        .and_then(|local| PartialDate::parse(local.split('T').next()?));
    let place = "patient/generalpatientdata/age/dateofbirth";
    let birth_date = text("age/dateofbirth")
        .and_then(|text| person::birth_date(PartialDate::parse(&text), day, place, problems));
    let place = "patient/generalpatientdata/sex";
    let sex = text("sex").map(|text| person::sex(&text, place, problems));
    // `defaultage` is the cart's guess and stays among what is kept as written.
    let age_years = data.number_of("age/years").filter(|_| birth_date.is_none());
    DevicePatient {
        id: text("patientid").map(Phi::new),
        id_issuer: None,
        name_as_written: (!name.is_empty()).then(|| Phi::new(name.join(" "))),
        family: family.map(Phi::new),
        given: given.into_iter().map(Phi::new).collect(),
        birth_date: birth_date.map(Phi::new),
        sex,
        age_years: age_years.and_then(|years| person::age_years(years, "y")),
    }
}

/// `Philips Medical Products:860315:A.01.01.01` is maker, product number and software.
pub(super) fn device(root: Element<'_>, fields: &mut Vec<UnmappedField>) -> DeviceDescription {
    let Some(machine) = root.path("dataacquisition/machine") else {
        return DeviceDescription::default();
    };
    let detail = machine.some_attribute("detaildescription").unwrap_or_default();
    unmapped::keep(fields, "dataacquisition/machine@detaildescription", detail);
    let parts: Vec<&str> = detail.split(':').map(str::trim).collect();
    let part = |index: usize| {
        let text = parts.get(index).filter(|text| parts.len() == 3 && !text.is_empty());
        text.map(|text| (*text).to_owned())
    };
    DeviceDescription {
        manufacturer: part(0),
        model: machine.some_text().map(str::to_owned),
        software: part(2),
        serial: None,
    }
}

pub(super) fn acquired_at(root: Element<'_>, problems: &mut Vec<Problem>) -> Option<DeviceTime> {
    let place = "dataacquisition";
    let when = root.child("dataacquisition").and_then(|acquisition| {
        Some((acquisition.some_attribute("date")?, acquisition.some_attribute("time")))
    });
    let Some((date, time)) = when else {
        let text = "the file does not say when it was recorded";
        problems.push(Problem::warning("acquisition_time_absent", place, text));
        return None;
    };
    let measured = root.child("measurements").or(root.child("internalmeasurements"));
    if measured.and_then(|block| block.some_attribute("date")).is_some_and(|day| day != date) {
        let text = "the measurements are of another day than the recording";
        problems.push(Problem::warning("acquisition_time_conflict", place, text));
    }
    let written = [date, time.unwrap_or_default()].join(" ");
    Some(clock::read(written.trim_end(), place, problems))
}
