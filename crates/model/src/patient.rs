//! People, and what identifies them.

use serde::{Deserialize, Serialize};

use crate::{PartialDate, PatientId, Phi};

/// Administrative sex, FHIR `administrative-gender`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sex {
    Male,
    Female,
    Other,
    Unknown,
}

/// An identifier within the authority that assigned it (FHIR `Identifier`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identifier {
    /// URI of the assigning authority.
    pub system: String,
    pub value: Phi<String>,
}

/// Who a patient is, as the organization knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientIdentity {
    pub identifiers: Vec<Identifier>,
    pub family: Option<Phi<String>>,
    #[serde(default)]
    pub given: Vec<Phi<String>>,
    pub birth_date: Option<Phi<PartialDate>>,
    pub sex: Option<Sex>,
}

/// A patient and its place in a merge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patient {
    pub id: PatientId,
    pub identity: PatientIdentity,
    /// The patient that this one was merged into.
    pub merged_into: Option<PatientId>,
}
