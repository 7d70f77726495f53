//! The person, the device and the time as the file names them.

use precordia_model::{
    DeviceDescription, DevicePatient, DeviceTime, PartialDate, Phi, Problem, ZoneKnowledge,
};

use crate::build::{self, ClockTime};
use crate::person;
use crate::xml::{Element, whole};

const YEARS: std::ops::RangeInclusive<i64> = 1900..=2100;

pub(crate) fn detail(root: Element<'_>) -> String {
    let mut detail = String::from("GE MUSE XML");
    if let Some(version) = root.text_of("MuseInfo/MuseVersion") {
        detail.push_str(&format!(", MUSE {version}"));
    }
    if let Some(version) = root.text_of("TestDemographics/AnalysisSoftwareVersion") {
        detail.push_str(&format!(", analysis {version}"));
    }
    detail
}

pub(crate) fn source_id(root: Element<'_>) -> Option<Phi<String>> {
    root.text_of("PharmaData/PharmaUniqueECGID").map(|id| Phi::new(id.to_owned()))
}

pub(crate) fn device(root: Element<'_>) -> DeviceDescription {
    let text = |path: &str| root.text_of(path).map(str::to_owned);
    DeviceDescription {
        // The file does not name a manufacturer.
        manufacturer: None,
        model: text("TestDemographics/AcquisitionDevice"),
        software: text("TestDemographics/AcquisitionSoftwareVersion"),
        serial: text("PharmaData/PharmaCartID").map(Phi::new),
    }
}

pub(crate) fn patient(
    root: Element<'_>,
    acquired_at: Option<&DeviceTime>,
    problems: &mut Vec<Problem>,
) -> DevicePatient {
    let mut patient = DevicePatient::default();
    let Some(person) = root.child("PatientDemographics") else { return patient };
    let text = |name: &str| person.text_of(name).map(|text| Phi::new(text.to_owned()));
    patient.id = text("PatientID");
    patient.family = text("PatientLastName");
    patient.given = text("PatientFirstName").into_iter().collect();
    let parts: Vec<&str> =
        patient.family.iter().chain(&patient.given).map(|part| part.reveal().as_str()).collect();
    patient.name_as_written = (!parts.is_empty()).then(|| Phi::new(parts.join("^")));
    if let Some(gender) = person.child("Gender")
        && let Some(text) = gender.some_text()
    {
        patient.sex = Some(person::sex(text, &gender.place(), problems));
    }
    if let Some(birth) = person.child("DateofBirth")
        && let Some(text) = birth.some_text()
    {
        let recorded_on = acquired_at
            .and_then(|time| PartialDate::parse(time.local.as_deref()?.split('T').next()?));
        let date = day(text).and_then(|[year, month, day]| {
            PartialDate::parse(&format!("{year:04}-{month:02}-{day:02}"))
        });
        patient.birth_date =
            person::birth_date(date, recorded_on, &birth.place(), problems).map(Phi::new);
    }
    if patient.birth_date.is_none()
        && let (Some(age), Some(unit)) = (person.child("PatientAge"), person.child("AgeUnits"))
    {
        let years = age.number().and_then(|age| person::age_years(age, unit.text()));
        patient.age_years = years;
    }
    patient
}

/// Month, day, year: the order of the United States, as MUSE writes it everywhere.
fn day(text: &str) -> Option<[i64; 3]> {
    let mut parts = text.split(['-', '/']).map(whole);
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(Some(month)), Some(Some(day)), Some(Some(year)), None) => Some([year, month, day]),
        _ => None,
    }
}

fn clock(text: &str) -> Option<ClockTime> {
    let mut parts = text.split(':').map(whole);
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(Some(hour)), Some(Some(minute)), second, None) => {
            let second = second.unwrap_or(Some(0))?;
            Some(ClockTime { hour, minute, second, micros: 0 })
        }
        _ => None,
    }
}

pub(crate) fn acquired_at(root: Element<'_>, problems: &mut Vec<Problem>) -> Option<DeviceTime> {
    let place = "RestingECG/TestDemographics/AcquisitionDate";
    let time = root.text_of("TestDemographics/AcquisitionTime");
    let Some(date) = root.text_of("TestDemographics/AcquisitionDate") else {
        let text = "the file does not say when the recording was made";
        problems.push(Problem::warning("acquisition_time_absent", place, text));
        return None;
    };
    let as_written = time.map_or(date.to_owned(), |time| format!("{date} {time}"));
    let clock_time = time.map(clock);
    let read = match (day(date), clock_time) {
        (None, _) | (_, Some(None)) => {
            DeviceTime { as_written, local: None, zone: ZoneKnowledge::Unknown }
        }
        (Some(day), clock_time) => {
            if !YEARS.contains(&day[0]) {
                let text = "the year of acquisition is outside 1900 to 2100";
                problems.push(Problem::warning("acquisition_time_implausible", place, text));
            }
            build::device_time(as_written, day, clock_time.flatten(), None)
        }
    };
    if read.local.is_none() {
        let text = "the date and time of acquisition is not one; it is kept as written";
        problems.push(Problem::warning("acquisition_time_invalid", place, text));
    } else if time.is_none() {
        let text = "only the day of acquisition is known";
        problems.push(Problem::info("acquisition_time_partial", place, text));
    }
    Some(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_month_day_and_year() {
        assert_eq!(day("05-10-2021"), Some([2021, 5, 10]));
        assert_eq!(day("12/31/1999"), Some([1999, 12, 31]));
        for text in ["2021", "XX-XX-XXXX", "05-10", "1-2-3-4", ""] {
            assert_eq!(day(text), None, "{text}");
        }
        assert_eq!(clock("13:15"), Some(ClockTime { hour: 13, minute: 15, second: 0, micros: 0 }));
        assert_eq!(clock("13h"), None);
    }
}
