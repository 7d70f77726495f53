//! The person, the device, its filters and the time as the file names them.

use precordia_model::{
    DeviceDescription, DevicePatient, DeviceTime, Filters, PartialDate, Phi, Problem, ZoneKnowledge,
};

use crate::build::{self, ClockTime};
use crate::person;
use crate::xml::{Element, whole};

const YEARS: std::ops::RangeInclusive<i64> = 1900..=2100;

pub(crate) fn detail(root: Element<'_>) -> String {
    let mut detail = String::from("GE CardioSoft XML");
    for path in ["ObservationType", "ClinicalInfo/DeviceInfo/AnalysisVer"] {
        if let Some(text) = root.text_of(path) {
            detail.push_str(&format!(", {text}"));
        }
    }
    detail
}

pub(crate) fn device(root: Element<'_>) -> DeviceDescription {
    let text = |path: &str| root.text_of(path).map(str::to_owned);
    DeviceDescription {
        // The file does not name a manufacturer.
        manufacturer: None,
        model: text("ClinicalInfo/DeviceInfo/Desc"),
        software: text("ClinicalInfo/DeviceInfo/SoftwareVer"),
        serial: None,
    }
}

pub(crate) fn filters(root: Element<'_>) -> Filters {
    let Some(setting) = root.child("FilterSetting") else { return Filters::default() };
    let hz = |name: &str| {
        let element = setting.child(name).filter(|one| one.glance("units") == Some("Hz"))?;
        element.attribute("units");
        element.number().filter(|hz| *hz > 0.0)
    };
    let is_on =
        |name: &str| setting.text_of(name).is_some_and(|text| text.eq_ignore_ascii_case("yes"));
    let notch_hz = match (is_on("Filter50Hz"), is_on("Filter60Hz")) {
        (true, _) => Some(50.0),
        (false, true) => Some(60.0),
        (false, false) => None,
    };
    Filters { low_hz: hz("HighPass"), high_hz: hz("LowPass"), notch_hz }
}

pub(crate) fn patient(
    root: Element<'_>,
    acquired_at: Option<&DeviceTime>,
    problems: &mut Vec<Problem>,
) -> DevicePatient {
    let mut patient = DevicePatient::default();
    let Some(person) = root.child("PatientInfo") else { return patient };
    let text = |path: &str| person.text_of(path).map(|text| Phi::new(text.to_owned()));
    patient.id = text("PID");
    patient.family = text("Name/FamilyName");
    patient.given = text("Name/GivenName").into_iter().collect();
    let parts: Vec<&str> =
        patient.family.iter().chain(&patient.given).map(|part| part.reveal().as_str()).collect();
    patient.name_as_written = (!parts.is_empty()).then(|| Phi::new(parts.join("^")));
    if let Some(gender) = person.child("Gender")
        && let Some(text) = gender.some_text()
    {
        patient.sex = Some(person::sex(text, &gender.place(), problems));
    }
    if let Some(birth) = person.child("BirthDateTime").filter(|one| says_something(*one)) {
        let recorded_on = acquired_at
            .and_then(|time| PartialDate::parse(time.local.as_deref()?.split('T').next()?));
        let date = numbers(birth, ["Year", "Month", "Day"]).and_then(|[year, month, day]| {
            PartialDate::parse(&format!("{year:04}-{month:02}-{day:02}"))
        });
        patient.birth_date =
            person::birth_date(date, recorded_on, &birth.place(), problems).map(Phi::new);
    }
    if patient.birth_date.is_none()
        && let Some(age) = person.child("Age").filter(|one| !one.glance_text().is_empty())
    {
        let unit = age.attribute("units").unwrap_or_default();
        patient.age_years = age.number().and_then(|number| person::age_years(number, unit));
    }
    patient
}

pub(crate) fn acquired_at(root: Element<'_>, problems: &mut Vec<Problem>) -> Option<DeviceTime> {
    let place = "CardiologyXML/ObservationDateTime";
    let element = root.child("ObservationDateTime").filter(|one| says_something(*one));
    let Some(element) = element else {
        let text = "the file does not say when the recording was made";
        problems.push(Problem::warning("acquisition_time_absent", place, text));
        return None;
    };
    let part = |name: &str| element.text_of(name).unwrap_or_default();
    let as_written = format!(
        "{}-{}-{} {}:{}:{}",
        part("Year"),
        part("Month"),
        part("Day"),
        part("Hour"),
        part("Minute"),
        part("Second")
    );
    let date = numbers(element, ["Year", "Month", "Day"]);
    let time = numbers(element, ["Hour", "Minute", "Second"])
        .map(|[hour, minute, second]| ClockTime { hour, minute, second, micros: 0 });
    let read = match (date, time) {
        (Some(date), Some(time)) => build::device_time(as_written, date, Some(time), None),
        _ => DeviceTime { as_written, local: None, zone: ZoneKnowledge::Unknown },
    };
    if read.local.is_none() {
        let text = "the date and time of acquisition is not one; it is kept as written";
        problems.push(Problem::warning("acquisition_time_invalid", place, text));
    } else if date.is_some_and(|[year, ..]| !YEARS.contains(&year)) {
        // Those who remove names from files write the first day of the first year.
        let text = "the year of acquisition is outside 1900 to 2100";
        problems.push(Problem::warning("acquisition_time_implausible", place, text));
    }
    Some(read)
}

fn says_something(element: Element<'_>) -> bool {
    element.elements().any(|part| !part.glance_text().is_empty())
}

fn numbers(element: Element<'_>, names: [&str; 3]) -> Option<[i64; 3]> {
    let number = |name: &str| element.text_of(name).and_then(whole);
    let [first, second, third] = names.map(number);
    Some([first?, second?, third?])
}
