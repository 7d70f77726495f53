//! Patient: who a person is, and what became of a merged one.
//!
//! Reads exactly the elements that it writes; anything else in a Patient is refused, not dropped.

use precordia_model::{Identifier, PartialDate, Patient, PatientId, PatientIdentity, Phi, Sex};
use serde_json::{Value, json};

use super::json::{Node, list, object, reference, text};
use super::operation_outcome::{Invalid, IssueCode};
use super::{Meta, validate};

/// A merged patient is inactive and names the one that replaces it.
pub fn to_fhir(p: &Patient, meta: &Meta) -> Value {
    let who = &p.identity;
    let mut patient = object([
        ("resourceType", Some("Patient".into())),
        ("id", Some(p.id.to_string().into())),
        ("meta", Some(meta.to_fhir())),
        ("active", Some(p.merged_into.is_none().into())),
        ("identifier", list(who.identifiers.iter().filter_map(identifier).collect())),
        ("name", name(who).map(|name| json!([name]))),
        ("gender", who.sex.map(|sex| gender(sex).into())),
        ("birthDate", who.birth_date.as_ref().map(|d| d.reveal().to_string().into())),
    ]);
    if let Some(other) = p.merged_into {
        patient["link"] = json!([{ "other": reference("Patient", other), "type": "replaced-by" }]);
    }
    patient
}

/// The opposite of [`to_fhir`].
pub fn from_fhir(v: &Value) -> Result<Patient, Invalid> {
    let node = Node::resource(v, "Patient")?;
    if let Err(mut invalid) = validate::check(v) {
        return Err(invalid.swap_remove(0));
    }
    refuse_extensions(&node)?;
    let merged_into = merged_into(&node)?;
    let active = node.get("active").map_or(Ok(true), |a| a.bool())?;
    if active == merged_into.is_some() {
        let text = "a patient is inactive exactly when another one replaces it";
        return Err(node.invalid(IssueCode::BusinessRule, text));
    }
    let (family, given) = read_name(&node)?;
    let birth_date = node.get("birthDate").map(|d| d.parse(PartialDate::parse)).transpose()?;
    let identity = PatientIdentity {
        identifiers: read_identifiers(&node)?,
        family,
        given,
        birth_date: birth_date.map(Phi::new),
        sex: node.get("gender").map(|g| g.code::<Sex>()).transpose()?,
    };
    Ok(Patient { id: patient_id(&node.require("id")?)?, identity, merged_into })
}

/// The full name as one text: given names, then family; only where there are both.
pub fn full_name(who: &PatientIdentity) -> Option<String> {
    let family = who.family.as_ref().map(Phi::reveal).filter(|f| !f.is_empty())?;
    let mut parts: Vec<&str> = given(who).collect();
    if parts.is_empty() {
        return None;
    }
    parts.push(family);
    Some(parts.join(" "))
}

fn given(who: &PatientIdentity) -> impl Iterator<Item = &str> {
    who.given.iter().map(|g| g.reveal().as_str()).filter(|g| !g.is_empty())
}

fn identifier(id: &Identifier) -> Option<Value> {
    let value = text(id.value.reveal())?;
    Some(object([("system", text(&id.system)), ("value", Some(value))]))
}

fn name(who: &PatientIdentity) -> Option<Value> {
    let family = who.family.as_ref().and_then(|f| text(f.reveal()));
    let given = list(given(who).map(Value::from).collect());
    if family.is_none() && given.is_none() {
        return None;
    }
    let full = full_name(who).map(Value::from);
    Some(object([("family", family), ("given", given), ("text", full)]))
}

const fn gender(sex: Sex) -> &'static str {
    match sex {
        Sex::Male => "male",
        Sex::Female => "female",
        Sex::Other => "other",
        Sex::Unknown => "unknown",
    }
}

fn read_identifiers(node: &Node) -> Result<Vec<Identifier>, Invalid> {
    let read = |id: Node| {
        refuse_extensions(&id)?;
        let system = id.opt_string("system")?.unwrap_or_default();
        Ok(Identifier { system, value: Phi::new(id.require("value")?.string()?) })
    };
    node.items("identifier")?.into_iter().map(read).collect()
}

type Name = (Option<Phi<String>>, Vec<Phi<String>>);

fn read_name(node: &Node) -> Result<Name, Invalid> {
    let names = node.items("name")?;
    if let Some(second) = names.get(1) {
        return Err(second.invalid(IssueCode::NotSupported, "only one name is taken"));
    }
    let Some(name) = names.first() else { return Ok((None, Vec::new())) };
    refuse_extensions(name)?;
    let family = name.opt_string("family")?.map(Phi::new);
    let parts = name.items("given")?;
    let given = parts.iter().map(|g| g.string().map(Phi::new)).collect::<Result<Vec<_>, _>>()?;
    let who = PatientIdentity { family, given, ..PatientIdentity::default() };
    if let Some(text) = name.get("text")
        && full_name(&who).as_deref() != Some(text.str()?)
    {
        return Err(text.invalid(IssueCode::BusinessRule, "says other than family and given"));
    }
    Ok((who.family, who.given))
}

fn merged_into(node: &Node) -> Result<Option<PatientId>, Invalid> {
    let links = node.items("link")?;
    if let Some(second) = links.get(1) {
        return Err(second.invalid(IssueCode::NotSupported, "only one link is taken"));
    }
    let Some(link) = links.first() else { return Ok(None) };
    let kind = link.require("type")?;
    if kind.str()? != "replaced-by" {
        return Err(kind.invalid(IssueCode::NotSupported, "only `replaced-by` is taken"));
    }
    let target = link.require("other")?.require("reference")?;
    let id = target.str()?.strip_prefix("Patient/").unwrap_or_default();
    Ok(Some(patient_id(&Node { value: &Value::from(id), path: target.path })?))
}

fn patient_id(node: &Node) -> Result<PatientId, Invalid> {
    super::FhirId::parse(node.str()?)
        .and_then(|id| id.as_patient())
        .ok_or_else(|| node.invalid(IssueCode::Value, "is not an id of ours"))
}

/// The model has no place for extensions of a person; dropping one could drop a meaning.
fn refuse_extensions(node: &Node) -> Result<(), Invalid> {
    match node.get("extension") {
        Some(extension) => {
            Err(extension.invalid(IssueCode::Extension, "no extension is taken here"))
        }
        None => Ok(()),
    }
}
