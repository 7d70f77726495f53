//! DocumentReference: the original bytes, where they came from and when.

use precordia_model::{BlobId, DeviceDescription, DeviceTime, PatientId, RecordingId, Timestamp};
use serde_json::{Value, json};

use super::super::codes;
use super::super::date::{DateRange, instant};
use super::super::json::{Node, coding, list, object, text};
use super::super::operation_outcome::{Invalid, IssueCode};
use super::super::{FhirId, Meta, validate};
use super::{DocumentFacts, Shared, device};

/// `unsignedInt` ends here.
const SIZE_MAX: u64 = 0x7fff_ffff;

/// A document, read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub recording_id: RecordingId,
    pub patient: Option<PatientId>,
    pub acquired: Option<DeviceTime>,
    pub received_at: Timestamp,
    pub device: DeviceDescription,
    pub blob: BlobId,
    pub content_type: String,
    /// `None` where R4's `Attachment.size` could not hold it (2 GiB and more).
    pub size_bytes: Option<u64>,
    pub title: String,
}

/// There is no `Attachment.hash`: a plain hash of the content would tell that two organizations
/// hold the same recording.
pub fn document_reference(facts: &DocumentFacts, meta: &Meta) -> Value {
    let shared = Shared::of(facts);
    let recorder = device::recorder(facts.device);
    let attachment = object([
        ("contentType", text(facts.content_type)),
        ("url", Some(format!("Binary/{}", facts.blob).into())),
        ("size", (facts.size_bytes <= SIZE_MAX).then(|| facts.size_bytes.into())),
        ("title", text(facts.title)),
    ]);
    object([
        ("resourceType", Some("DocumentReference".into())),
        ("id", Some(facts.recording_id.to_string().into())),
        ("meta", Some(meta.to_fhir())),
        ("author", recorder.as_ref().map(|_| json!([device::local_reference(device::RECORDER)]))),
        ("contained", list(recorder.into_iter().collect())),
        ("extension", list(shared.device_time.into_iter().collect())),
        ("status", Some("current".into())),
        ("type", Some(ekg_study())),
        ("subject", shared.subject),
        ("date", Some(instant(facts.received_at).into())),
        ("content", Some(json!([{ "attachment": attachment }]))),
        ("context", shared.effective.map(|at| json!({ "period": { "start": at } }))),
    ])
}

fn ekg_study() -> Value {
    json!({ "coding": [coding(codes::LOINC, codes::LOINC_EKG_STUDY)], "text": "ECG recording" })
}

/// The opposite of [`document_reference`].
pub fn document_from_fhir(v: &Value) -> Result<Document, Invalid> {
    let node = Node::resource(v, "DocumentReference")?;
    if let Err(mut invalid) = validate::check(v) {
        return Err(invalid.swap_remove(0));
    }
    let content = node.items("content")?;
    let [content] = content.as_slice() else {
        return Err(node.invalid(IssueCode::NotSupported, "exactly one content is taken"));
    };
    let attachment = content.require("attachment")?;
    let subject = node.get("subject").map(|s| s.require("reference")).transpose()?;
    Ok(Document {
        recording_id: node.require("id")?.parse(canonical)?,
        patient: subject.map(|s| s.parse(patient)).transpose()?,
        acquired: device::read_device_time(&node)?,
        received_at: node.require("date")?.parse(|d| DateRange::parse(d).map(|r| r.from))?,
        device: device::read_recorder(&node)?,
        blob: attachment.require("url")?.parse(|url| canonical(url.strip_prefix("Binary/")?))?,
        content_type: attachment.opt_string("contentType")?.unwrap_or_default(),
        size_bytes: attachment.get("size").map(|s| s.integer::<u64>()).transpose()?,
        title: attachment.opt_string("title")?.unwrap_or_default(),
    })
}

fn patient(reference: &str) -> Option<PatientId> {
    FhirId::parse(reference.strip_prefix("Patient/")?)?.as_patient()
}

/// An id in our own spelling only; another spelling is another id.
fn canonical<T: std::str::FromStr + ToString>(text: &str) -> Option<T> {
    text.parse::<T>().ok().filter(|id| id.to_string() == text)
}
