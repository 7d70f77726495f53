//! Binary: original bytes as a resource, for readers that ask for FHIR JSON instead of the bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use precordia_model::{BlobId, RecordingId};
use serde_json::Value;

use super::Meta;
use super::json::{object, reference, text};

/// Access follows the DocumentReference of the recording (`securityContext`).
pub fn to_fhir(
    blob: BlobId,
    content_type: &str,
    bytes: &[u8],
    recording: RecordingId,
    meta: &Meta,
) -> Value {
    object([
        ("resourceType", Some("Binary".into())),
        ("id", Some(blob.to_string().into())),
        ("meta", Some(meta.to_fhir())),
        ("contentType", Some(content_type.into())),
        ("securityContext", Some(reference("DocumentReference", recording))),
        ("data", text(&STANDARD.encode(bytes))),
    ])
}
