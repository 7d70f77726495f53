//! The person, the device and its filters as the file names them.

use precordia_model::{
    DeviceDescription, DevicePatient, DeviceTime, Filters, PartialDate, Phi, Problem, Sex,
};

use super::when;
use crate::person;
use crate::xml::Element;

const TRIAL_SUBJECT: &str =
    "componentOf/timepointEvent/componentOf/subjectAssignment/subject/trialSubject";

/// LOINC: reported age, age.
const AGE_CODES: [&str; 2] = ["21612-7", "30525-0"];

pub(crate) fn source_id(root: Element<'_>) -> Option<Phi<String>> {
    let (root, extension) = instance_identifier(root.child("id")?);
    let parts: Vec<&str> = root.into_iter().chain(extension).collect();
    (!parts.is_empty()).then(|| Phi::new(parts.join("^")))
}

/// HL7 V3 II: what assigned the identifier, and the identifier.
fn instance_identifier(id: Element<'_>) -> (Option<&str>, Option<&str>) {
    (id.some_attribute("root"), id.some_attribute("extension"))
}

pub(crate) fn patient(
    root: Element<'_>,
    acquired_at: Option<&DeviceTime>,
    problems: &mut Vec<Problem>,
) -> DevicePatient {
    let mut patient = DevicePatient::default();
    let Some(subject) = root.path(TRIAL_SUBJECT) else { return patient };
    if let Some(id) = subject.child("id") {
        match instance_identifier(id) {
            (issuer, Some(extension)) => {
                let issuer = issuer.or_else(|| id.some_attribute("assigningAuthorityName"));
                patient.id = Some(Phi::new(extension.to_owned()));
                patient.id_issuer = issuer.map(str::to_owned);
            }
            // An object identifier alone names the person by itself.
            (root, None) => patient.id = root.map(|root| Phi::new(root.to_owned())),
        }
    }
    if let Some(person) = subject.child("subjectDemographicPerson") {
        demographics(person, acquired_at, &mut patient, problems);
    }
    if patient.birth_date.is_none() {
        patient.age_years = age_years(root);
    }
    patient
}

fn demographics(
    person: Element<'_>,
    acquired_at: Option<&DeviceTime>,
    patient: &mut DevicePatient,
    problems: &mut Vec<Problem>,
) {
    if let Some(name) = person.child("name") {
        let part = |part: Element<'_>| part.some_text().map(|text| Phi::new(text.to_owned()));
        patient.family = name.child("family").and_then(part);
        patient.given = name.children("given").filter_map(part).collect();
        let parts = name.elements().filter_map(Element::some_text);
        let written: Vec<&str> = name.some_text().into_iter().chain(parts).collect();
        patient.name_as_written = (!written.is_empty()).then(|| Phi::new(written.join("^")));
    }
    if let Some(sex) = person.child("administrativeGenderCode") {
        let place = sex.place();
        sex.attribute("codeSystem");
        sex.attribute("displayName");
        let code = sex.some_attribute("code");
        let is_unknown = sex.attribute("nullFlavor").is_some();
        patient.sex = match code {
            None => is_unknown.then_some(Sex::Unknown),
            Some(code) => Some(person::sex(code, &place, problems)),
        };
    }
    if let Some(birth) = person.child("birthTime")
        && let Some(text) = birth.some_attribute("value")
    {
        let recorded_on = acquired_at.and_then(local_day);
        let date = person::birth_date(when::date(text), recorded_on, &birth.place(), problems);
        patient.birth_date = date.map(Phi::new);
    }
}

fn age_years(root: Element<'_>) -> Option<u16> {
    let observations = root.children("controlVariable").flat_map(Element::elements);
    observations.into_iter().find_map(|observation| {
        let code = observation.child("code")?;
        if !code.glance("code").is_some_and(|code| AGE_CODES.contains(&code)) {
            return None;
        }
        let value = observation.child("value")?;
        let years = person::age_years(value.attribute_number("value")?, value.attribute("unit")?);
        code.pass_over();
        years
    })
}

fn local_day(time: &DeviceTime) -> Option<PartialDate> {
    PartialDate::parse(time.local.as_deref()?.split('T').next()?)
}

/// What recorded the series.
pub(crate) fn device(series: Element<'_>) -> DeviceDescription {
    let author = ["author/seriesAuthor", "author/manufacturedProduct"]
        .into_iter()
        .find_map(|path| series.path(path));
    let Some(author) = author else { return DeviceDescription::default() };
    let device = ["manufacturedSeriesDevice", "manufacturedDevice"]
        .into_iter()
        .find_map(|name| author.child(name));
    let text = |name: &str| device.and_then(|device| device.text_of(name)).map(str::to_owned);
    let serial = device.and_then(|device| device.child("id")?.some_attribute("extension"));
    DeviceDescription {
        manufacturer: author.text_of("manufacturerOrganization/name").map(str::to_owned),
        model: text("manufacturerModelName"),
        software: text("softwareName"),
        serial: serial.map(|serial| Phi::new(serial.to_owned())),
    }
}

/// Control variables of a series, a set or a sequence, by the MDC codes of the implementation guide.
/// Where one says nothing of a filter, `outer` does.
pub(crate) fn filters(element: Element<'_>, outer: Filters) -> Filters {
    let mut filters = outer;
    for variable in element.children("controlVariable").flat_map(Element::elements) {
        let Some(code) = variable.child("code").and_then(|code| code.glance("code")) else {
            continue;
        };
        let slot = match code {
            "MDC_ECG_CTL_VBL_ATTR_FILTER_HIGH_PASS" => &mut filters.low_hz,
            "MDC_ECG_CTL_VBL_ATTR_FILTER_LOW_PASS" => &mut filters.high_hz,
            "MDC_ECG_CTL_VBL_ATTR_FILTER_NOTCH" => &mut filters.notch_hz,
            _ => continue,
        };
        let parts = variable.children("component").flat_map(Element::elements);
        for part in parts {
            let code = part.child("code");
            let is_frequency = code.and_then(|code| code.glance("code")).is_some_and(|code| {
                matches!(
                    code,
                    "MDC_ECG_CTL_VBL_ATTR_FILTER_CUTOFF_FREQ"
                        | "MDC_ECG_CTL_VBL_ATTR_FILTER_NOTCH_FREQ"
                )
            });
            let value = part.child("value").filter(|value| value.glance("unit") == Some("Hz"));
            if let Some(hz) = value.filter(|_| is_frequency).and_then(|value| {
                value.attribute("unit");
                value.attribute_number("value")
            }) {
                *slot = Some(hz);
                variable.child("code").into_iter().chain(code).for_each(Element::pass_over);
            }
        }
    }
    filters
}
