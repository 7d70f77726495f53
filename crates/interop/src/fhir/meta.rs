//! What every resource has: a type, an id, a version.

use std::fmt;

use precordia_model::{PatientId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::date::instant;

/// The resource types that are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ResourceType {
    AuditEvent,
    Binary,
    DiagnosticReport,
    DocumentReference,
    Observation,
    Patient,
}

impl ResourceType {
    pub const ALL: [ResourceType; 6] = [
        ResourceType::AuditEvent,
        ResourceType::Binary,
        ResourceType::DiagnosticReport,
        ResourceType::DocumentReference,
        ResourceType::Observation,
        ResourceType::Patient,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            ResourceType::AuditEvent => "AuditEvent",
            ResourceType::Binary => "Binary",
            ResourceType::DiagnosticReport => "DiagnosticReport",
            ResourceType::DocumentReference => "DocumentReference",
            ResourceType::Observation => "Observation",
            ResourceType::Patient => "Patient",
        }
    }

    /// Whether versions can be read. A Binary is its content and so has one.
    pub const fn has_versions(self) -> bool {
        !matches!(self, ResourceType::Binary)
    }

    /// Type names are case-sensitive (R4 http 3.1.0.1.1).
    pub fn parse(name: &str) -> Option<ResourceType> {
        Self::ALL.into_iter().find(|t| t.name() == name)
    }
}

/// Version facts of one resource version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Counts from 1 within the resource.
    pub version: u64,
    pub last_updated: Timestamp,
}

impl Meta {
    pub(super) fn to_fhir(self) -> Value {
        json!({ "versionId": self.version.to_string(), "lastUpdated": instant(self.last_updated) })
    }
}

/// A logical id as R4 allows it: 1 to 64 of letters, digits, `-` and `.`; case-sensitive.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FhirId(String);

impl FhirId {
    pub fn parse(text: &str) -> Option<FhirId> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
        ((1..=64).contains(&text.len()) && text.bytes().all(allowed)).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The patient this can name: only the canonical spelling of our ids, since ids are
    /// case-sensitive and another spelling is another id.
    pub fn as_patient(&self) -> Option<PatientId> {
        self.0.parse::<PatientId>().ok().filter(|id| id.to_string() == self.0)
    }
}

impl fmt::Debug for FhirId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FhirId({})", self.0)
    }
}

impl From<FhirId> for String {
    fn from(id: FhirId) -> Self {
        id.0
    }
}

impl TryFrom<String> for FhirId {
    type Error = String;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or_else(|| String::from("not a FHIR id"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_checked_and_only_the_canonical_spelling_names_a_patient() {
        let canonical = "0192f0aa-1111-7000-8000-00000000000a";
        assert!(FhirId::parse(canonical).unwrap().as_patient().is_some());
        for other in
            ["0192F0AA-1111-7000-8000-00000000000A", "0192f0aa11117000800000000000000a", "1", "a.b"]
        {
            assert_eq!(FhirId::parse(other).unwrap().as_patient(), None, "{other}");
        }
        for wrong in ["", "a b", "a_b", "ä", "Patient/1", &"x".repeat(65)] {
            assert_eq!(FhirId::parse(wrong), None, "{wrong}");
        }
    }
}
