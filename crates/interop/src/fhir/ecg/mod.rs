//! An ECG in FHIR: the original bytes (DocumentReference, Binary), what we measured and flagged
//! (Observation), what the device itself says (a second Observation, never mixed with ours) and the
//! machine's preliminary DiagnosticReport.
//!
//! Ids follow from the recording, so that each resource names the others: Observation, report and
//! document share the recording's id, what the device says has `<recording>.device`.

mod device;
mod device_says;
mod document;
mod flags;
mod observation;
mod quality;
mod report;

use precordia_model::{
    BlobId, DeviceDescription, DeviceMeasurement, DeviceStatement, DeviceTime, FlagReport,
    Measurements, PatientId, RecordingId, Timestamp,
};
use serde_json::{Value, json};

use super::json::{Node, coding, coding_with, concept, decimal, object, reference, text};
use super::operation_outcome::{Invalid, IssueCode};
use super::{codes, date};

pub use device_says::{DeviceSays, device_observation, device_says_from_fhir};
pub use document::{Document, document_from_fhir, document_reference};
pub use flags::flags_from_fhir;
pub use observation::{measurements_from_fhir, observation};
pub use report::diagnostic_report;

/// Stands on everything that no person has looked at.
pub const MACHINE_LABEL: &str = "Machine output, not reviewed by a clinician";

/// A recording as it came in.
#[derive(Clone, Debug)]
pub struct DocumentFacts<'a> {
    pub recording_id: RecordingId,
    pub patient: Option<PatientId>,
    /// By the device's own clock.
    pub acquired: Option<&'a DeviceTime>,
    pub received_at: Timestamp,
    pub device: &'a DeviceDescription,
    pub device_measurements: &'a [DeviceMeasurement],
    pub device_statements: &'a [DeviceStatement],
    pub blob: BlobId,
    pub content_type: &'a str,
    pub size_bytes: u64,
    /// Shown to readers; never a file name as sent, which may name a person.
    pub title: &'a str,
}

/// A recording with what was measured on it.
#[derive(Clone, Debug)]
pub struct EcgFacts<'a> {
    pub document: DocumentFacts<'a>,
    /// When the measurements were made.
    pub measured_at: Timestamp,
    pub measurements: &'a Measurements,
    pub flags: &'a FlagReport,
}

/// Members that the resources of one recording have in common.
struct Shared {
    subject: Option<Value>,
    effective: Option<Value>,
    derived_from: Value,
    device_time: Option<Value>,
}

impl Shared {
    fn of(facts: &DocumentFacts) -> Shared {
        Shared {
            subject: facts.patient.map(|id| reference("Patient", id)),
            effective: facts.acquired.and_then(date::date_time).map(Value::from),
            derived_from: reference("DocumentReference", facts.recording_id),
            device_time: facts.acquired.map(device::device_time),
        }
    }
}

fn category_procedure() -> Value {
    json!([concept(vec![coding_with(codes::OBSERVATION_CATEGORY, "procedure", "Procedure")])])
}

fn panel_code() -> Value {
    json!({ "coding": [coding(codes::LOINC, codes::LOINC_PANEL)], "text": "12-lead ECG" })
}

/// A UCUM quantity; `None` when the value is not a number.
fn quantity(value: f64, unit: &str) -> Option<Value> {
    let value = decimal(value)?;
    Some(object([
        ("value", Some(value)),
        ("unit", text(unit)),
        ("system", text(unit).map(|_| codes::UCUM.into())),
        ("code", text(unit)),
    ]))
}

/// The number and the UCUM code of a quantity.
fn read_quantity(node: &Node) -> Result<(f64, String), Invalid> {
    let value = node.require("value")?.f64()?;
    if let Some(system) = node.get("system")
        && system.str()? != codes::UCUM
    {
        return Err(system.invalid(IssueCode::CodeInvalid, "units must be UCUM"));
    }
    Ok((value, node.opt_string("code")?.unwrap_or_default()))
}

/// Sample numbers as text, which is how FHIR's own SampledData carries them.
fn numbers(values: &[u32]) -> Option<String> {
    let words: Vec<String> = values.iter().map(u32::to_string).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn read_numbers(node: &Node) -> Result<Vec<u32>, Invalid> {
    let number = |word: &str| {
        word.parse::<u32>()
            .map_err(|_| node.invalid(IssueCode::Value, "must be sample numbers between spaces"))
    };
    node.str()?.split(' ').map(number).collect()
}
