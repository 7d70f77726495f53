//! The person of an Observation: a Patient in the same bundle or contained, else what the reference
//! itself says.

use precordia_model::{DevicePatient, PartialDate, Phi, Sex};
use serde_json::Value;

use super::super::json::Node;
use super::super::operation_outcome::Invalid;

pub(super) fn patient(json: &Value, observation: &Node) -> Result<DevicePatient, Invalid> {
    let Some(subject) = observation.get("subject") else { return Ok(DevicePatient::default()) };
    if let Some(resource) = resolved(json, observation, &subject)? {
        return of_resource(&resource);
    }
    let mut patient = DevicePatient::default();
    if let Some(identifier) = subject.get("identifier") {
        (patient.id, patient.id_issuer) = identified(&identifier)?;
    }
    patient.name_as_written = subject.opt_string("display")?.map(Phi::new);
    Ok(patient)
}

/// The Patient that the reference names, where it came along.
fn resolved<'a>(
    json: &'a Value,
    observation: &Node<'a>,
    subject: &Node<'a>,
) -> Result<Option<Node<'a>>, Invalid> {
    let Some(reference) = subject.opt_string("reference")? else { return Ok(None) };
    let is_patient = |node: &Node| node.value["resourceType"] == "Patient";
    if let Some(id) = reference.strip_prefix('#') {
        let contained = observation.items("contained")?;
        return Ok(contained.into_iter().find(|node| is_patient(node) && node.value["id"] == id));
    }
    let Ok(bundle) = Node::resource(json, "Bundle") else { return Ok(None) };
    for entry in bundle.items("entry")? {
        let Some(resource) = entry.get("resource").filter(is_patient) else { continue };
        let by_url = entry.value["fullUrl"] == reference.as_str();
        let by_id =
            resource.value["id"].as_str().is_some_and(|id| reference == format!("Patient/{id}"));
        if by_url || by_id {
            return Ok(Some(resource));
        }
    }
    Ok(None)
}

fn of_resource(resource: &Node) -> Result<DevicePatient, Invalid> {
    let mut patient = DevicePatient::default();
    if let Some(identifier) = resource.items("identifier")?.first() {
        (patient.id, patient.id_issuer) = identified(identifier)?;
    }
    if let Some(name) = resource.items("name")?.first() {
        patient.family = name.opt_string("family")?.map(Phi::new);
        let given = name.items("given")?;
        patient.given =
            given.iter().map(|part| part.string().map(Phi::new)).collect::<Result<_, _>>()?;
        patient.name_as_written = name.opt_string("text")?.map(Phi::new);
    }
    let birth_date = resource.get("birthDate").map(|node| node.parse(PartialDate::parse));
    patient.birth_date = birth_date.transpose()?.map(Phi::new);
    patient.sex = match resource.opt_string("gender")?.as_deref() {
        Some("male") => Some(Sex::Male),
        Some("female") => Some(Sex::Female),
        Some("other") => Some(Sex::Other),
        _ => None,
    };
    Ok(patient)
}

/// The value of an identifier and who assigned it.
fn identified(identifier: &Node) -> Result<(Option<Phi<String>>, Option<String>), Invalid> {
    Ok((identifier.opt_string("value")?.map(Phi::new), identifier.opt_string("system")?))
}
