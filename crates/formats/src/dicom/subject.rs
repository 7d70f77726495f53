//! The person and the device as the object names them. PS3.3 C.7.1.1, C.7.2.2, C.7.5.1.
//!
//! Nothing is verified and nothing is completed: faked and impossible demographics stay what they
//! are, with a problem where they would mislead.

use precordia_model::{DeviceDescription, DevicePatient, PartialDate, Phi, Problem, Sex};

use super::charset::TextReader;
use super::element::DataSet;
use super::{tag, when};

/// Nobody whose ECG is read was born before.
const BIRTH_YEAR_MIN: i16 = 1850;

pub(crate) fn device(set: &DataSet<'_>, text: &mut TextReader) -> DeviceDescription {
    DeviceDescription {
        manufacturer: text.read(set.bytes(tag::MANUFACTURER)),
        model: text.read(set.bytes(tag::MODEL_NAME)),
        software: text.read(set.bytes(tag::SOFTWARE_VERSIONS)),
        serial: text.read(set.bytes(tag::SERIAL_NUMBER)).map(Phi::new),
    }
}

/// `acquired_on` is the local day of the recording, where known.
pub(crate) fn patient(
    set: &DataSet<'_>,
    text: &mut TextReader,
    acquired_on: Option<PartialDate>,
    problems: &mut Vec<Problem>,
) -> DevicePatient {
    let name = text.read(set.bytes(tag::PATIENT_NAME));
    let (family, given) = name.as_deref().map(name_parts).unwrap_or_default();
    let birth_date = birth_date(set, acquired_on, problems);
    DevicePatient {
        id: text.read(set.bytes(tag::PATIENT_ID)).map(Phi::new),
        id_issuer: text.read(set.bytes(tag::ISSUER_OF_PATIENT_ID)),
        family: family.map(Phi::new),
        given: given.into_iter().map(Phi::new).collect(),
        name_as_written: name.map(Phi::new),
        birth_date: birth_date.map(Phi::new),
        sex: sex(set, problems),
        age_years: if birth_date.is_none() { age_years(set) } else { None },
    }
}

/// PS3.5 6.2.1: up to three groups (`=`) of family, given, middle, prefix, suffix (`^`). The first
/// group that says anything names the person; prefixes and suffixes stay in the name as written.
fn name_parts(name: &str) -> (Option<String>, Vec<String>) {
    let says_something = |group: &&str| group.chars().any(|c| c != '^' && !c.is_whitespace());
    let Some(group) = name.split('=').find(says_something) else { return (None, Vec::new()) };
    let mut parts = group.split('^').map(|part| part.trim().to_owned());
    let family = parts.next().filter(|family| !family.is_empty());
    let given = parts.take(2).filter(|given| !given.is_empty()).collect();
    (family, given)
}

fn birth_date(
    set: &DataSet<'_>,
    acquired_on: Option<PartialDate>,
    problems: &mut Vec<Problem>,
) -> Option<PartialDate> {
    let text = set.ascii(tag::BIRTH_DATE)?;
    let date = when::date(text);
    let plausible =
        |date: &PartialDate| matches!(*date, PartialDate::Day(year, ..) if year >= BIRTH_YEAR_MIN);
    let Some(date) = date.filter(plausible) else {
        let text = "the birth date is not one, or lies before 1850; it was not read";
        problems.push(Problem::warning("birth_date_invalid", "PatientBirthDate", text));
        return None;
    };
    if acquired_on.is_some_and(|day| is_surely_after(date, day)) {
        let text = "the birth date lies after the recording";
        problems.push(Problem::warning("birth_date_after_recording", "PatientBirthDate", text));
    }
    Some(date)
}

/// Years alone decide where a day is not known.
fn is_surely_after(one: PartialDate, other: PartialDate) -> bool {
    let year = |date| match date {
        PartialDate::Year(year) | PartialDate::Month(year, _) | PartialDate::Day(year, ..) => year,
    };
    match (one, other) {
        (PartialDate::Day(..), PartialDate::Day(..)) => one > other,
        _ => year(one) > year(other),
    }
}

fn sex(set: &DataSet<'_>, problems: &mut Vec<Problem>) -> Option<Sex> {
    match set.ascii(tag::SEX)? {
        "M" => Some(Sex::Male),
        "F" => Some(Sex::Female),
        "O" => Some(Sex::Other),
        "U" => Some(Sex::Unknown),
        _ => {
            let text = "the sex is none of the codes M, F and O";
            problems.push(Problem::warning("sex_unknown", "PatientSex", text));
            Some(Sex::Unknown)
        }
    }
}

/// PS3.5 6.2 AS: three digits and D, W, M or Y. Completed years.
fn age_years(set: &DataSet<'_>) -> Option<u16> {
    let text = set.ascii(tag::AGE)?;
    let (digits, unit) = text.split_at_checked(3)?;
    let number: u16 = if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        digits.parse().ok()?
    } else {
        return None;
    };
    Some(match unit {
        "Y" => number,
        "M" => number / 12,
        "W" => number / 52,
        "D" => number / 365,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::name_parts;

    #[test]
    fn names_are_taken_apart_where_the_file_separates_them() {
        let cases: [(&str, Option<&str>, &[&str]); 7] = [
            ("Noether^Amalie^Emmy", Some("Noether"), &["Amalie", "Emmy"]),
            ("Adams^John Robert Quincy^^Rev.^B.A. M.Div.", Some("Adams"), &["John Robert Quincy"]),
            ("Yamada^Tarou=山田^太郎=やまだ^たろう", Some("Yamada"), &["Tarou"]),
            ("=山田^太郎", Some("山田"), &["太郎"]),
            ("UNKNOWN", Some("UNKNOWN"), &[]),
            ("^Emmy", None, &["Emmy"]),
            ("^^^^", None, &[]),
        ];
        for (name, family, given) in cases {
            let (found_family, found_given) = name_parts(name);
            assert_eq!(found_family.as_deref(), family, "{name}");
            assert_eq!(found_given, given, "{name}");
        }
    }
}
