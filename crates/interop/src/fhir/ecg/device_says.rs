//! What the device itself computed and wrote: its own Observation, so that nobody takes it for
//! ours, and nothing in it is corrected.

use precordia_model::{DeviceMeasurement, DeviceStatement, Phi};
use serde_json::{Value, json};

use super::super::codes::{self, EXT_DEVICE_CODE, EXT_LEAD};
use super::super::date::instant;
use super::super::json::{Node, coding, concept, decimal, extension, list, object, text};
use super::super::operation_outcome::{Invalid, IssueCode};
use super::super::{Meta, validate};
use super::{DocumentFacts, Shared, category_procedure, device};

/// What a device says, read back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeviceSays {
    pub measurements: Vec<DeviceMeasurement>,
    pub statements: Vec<DeviceStatement>,
}

/// `None` when the device said nothing.
pub fn device_observation(facts: &DocumentFacts, meta: &Meta) -> Option<Value> {
    let measurements = facts.device_measurements.iter().map(measurement);
    let components: Vec<Value> =
        measurements.chain(facts.device_statements.iter().map(statement)).collect();
    if components.is_empty() {
        return None;
    }
    let shared = Shared::of(facts);
    let recorder = device::recorder(facts.device);
    let says = json!({
        "coding": [coding(codes::ECG_OBSERVATION, codes::DEVICE_SAYS)],
        "text": "What the device says; not verified",
    });
    Some(object([
        ("resourceType", Some("Observation".into())),
        ("id", Some(format!("{}.device", facts.recording_id).into())),
        ("meta", Some(meta.to_fhir())),
        ("device", recorder.as_ref().map(|_| device::local_reference(device::RECORDER))),
        ("contained", list(recorder.into_iter().collect())),
        ("extension", list(shared.device_time.into_iter().collect())),
        ("status", Some("preliminary".into())),
        ("category", Some(category_procedure())),
        ("code", Some(says)),
        ("subject", shared.subject),
        ("effectiveDateTime", shared.effective),
        ("issued", Some(instant(facts.received_at).into())),
        ("derivedFrom", Some(json!([shared.derived_from]))),
        ("component", Some(Value::Array(components))),
    ]))
}

fn measurement(m: &DeviceMeasurement) -> Value {
    let extensions = [
        m.code.as_deref().and_then(text).map(|c| extension(EXT_DEVICE_CODE, "valueString", c)),
        m.lead.map(|lead| extension(EXT_LEAD, "valueCode", lead.name())),
    ];
    let value = quantity(m.value, &m.unit);
    let absent = value.is_none().then(not_a_number);
    object([
        ("extension", list(extensions.into_iter().flatten().collect())),
        ("code", Some(measurement_code(m))),
        ("valueQuantity", value),
        ("dataAbsentReason", absent),
    ])
}

/// The device's label as text; LOINC where the device sent LOINC, and our name where we know it.
/// The code exactly as sent is in the extension.
fn measurement_code(m: &DeviceMeasurement) -> Value {
    let loinc = m.code.as_deref().and_then(|c| c.strip_prefix("LN:")).filter(|c| is_loinc(c));
    let name = m.name.as_deref().and_then(text);
    let mut codings = Vec::new();
    codings.extend(loinc.map(|code| coding(codes::LOINC, code)));
    codings.extend(name.map(|name| json!({ "system": codes::ECG_MEASUREMENT, "code": name })));
    if codings.is_empty() && m.label.is_empty() {
        codings.push(coding(codes::ECG_OBSERVATION, "unlabeled"));
    }
    object([("coding", list(codings)), ("text", text(&m.label))])
}

fn is_loinc(code: &str) -> bool {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    code.split_once('-').is_some_and(|(number, check)| digits(number) && digits(check))
}

/// The unit as the device means it; UCUM is claimed only for units known to be UCUM.
fn quantity(value: f64, unit: &str) -> Option<Value> {
    let known = codes::UCUM_UNITS.contains(&unit);
    Some(object([
        ("value", Some(decimal(value)?)),
        ("unit", text(unit)),
        ("system", known.then(|| codes::UCUM.into())),
        ("code", known.then(|| unit.into())),
    ]))
}

fn not_a_number() -> Value {
    concept(vec![coding(codes::DATA_ABSENT_REASON, "not-a-number")])
}

fn statement(s: &DeviceStatement) -> Value {
    let code = s.code.as_deref().and_then(text);
    let extensions: Vec<Value> =
        code.map(|c| extension(EXT_DEVICE_CODE, "valueString", c)).into_iter().collect();
    let said = text(s.text.reveal());
    let absent =
        said.is_none().then(|| concept(vec![coding(codes::DATA_ABSENT_REASON, "unknown")]));
    object([
        ("extension", list(extensions)),
        ("code", Some(impression())),
        ("valueString", said),
        ("dataAbsentReason", absent),
    ])
}

fn impression() -> Value {
    json!({ "coding": [coding(codes::LOINC, codes::LOINC_IMPRESSION)], "text": "Statement" })
}

/// What the device says, as it was before.
pub fn device_says_from_fhir(v: &Value) -> Result<DeviceSays, Invalid> {
    let node = Node::resource(v, "Observation")?;
    if let Err(mut invalid) = validate::check(v) {
        return Err(invalid.swap_remove(0));
    }
    let code = node.require("code")?;
    if code.coding(codes::ECG_OBSERVATION)?.is_none_or(|c| c.value != codes::DEVICE_SAYS) {
        return Err(code.invalid(IssueCode::CodeInvalid, "is not what a device says"));
    }
    let mut says = DeviceSays::default();
    for component in node.items("component")? {
        let code = component.require("code")?;
        let loinc = code.coding(codes::LOINC)?;
        let is_statement = component.get("valueQuantity").is_none()
            && loinc.is_some_and(|c| c.value == codes::LOINC_IMPRESSION);
        if is_statement {
            says.statements.push(read_statement(&component)?);
        } else {
            says.measurements.push(read_measurement(&component)?);
        }
    }
    Ok(says)
}

fn read_statement(node: &Node) -> Result<DeviceStatement, Invalid> {
    let text = node.opt_string("valueString")?.unwrap_or_default();
    Ok(DeviceStatement { text: Phi::new(text), code: device_code(node)? })
}

fn read_measurement(node: &Node) -> Result<DeviceMeasurement, Invalid> {
    let code = node.require("code")?;
    let quantity = node.require("valueQuantity")?;
    let name = code.coding(codes::ECG_MEASUREMENT)?;
    let lead = node.extension(EXT_LEAD)?;
    Ok(DeviceMeasurement {
        name: name.map(|n| n.string()).transpose()?,
        code: device_code(node)?,
        label: code.opt_string("text")?.unwrap_or_default(),
        value: quantity.require("value")?.f64()?,
        unit: quantity.opt_string("unit")?.unwrap_or_default(),
        lead: lead.map(|l| l.require("valueCode")?.code()).transpose()?,
    })
}

fn device_code(node: &Node) -> Result<Option<String>, Invalid> {
    node.extension(EXT_DEVICE_CODE)?.map(|e| e.require("valueString")?.string()).transpose()
}
