//! Searches: parameters in, a typed question out, or a refusal that names the parameter.
//!
//! A search never widens: what is not understood exactly is refused, whatever `Prefer` says. No
//! text here repeats a parameter's value, which may name a person.
//!
//! [`parse`] gives a [`Query`]; [`matches`] and [`matches_resource`] are the exact tests that a
//! candidate must pass, however it was found.

mod date;
mod history;
mod matching;
pub(super) mod params;
mod parse;
mod value;

use precordia_model::PartialDate;
use serde::{Deserialize, Serialize};

use super::{FhirId, IssueCode, ResourceType};

pub use date::{DatePrefix, DateTerm};
pub use history::{HistoryAsked, HistoryQuery, parse_history};
pub use matching::{matches, matches_resource};
pub use parse::parse;
pub use value::{NamePrefix, Token};

/// Why a search is not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("search parameter `{parameter}`: {text}")]
pub struct SearchRefusal {
    /// The parameter as it was sent, with its modifier or chain; cut when very long.
    pub parameter: String,
    pub code: IssueCode,
    pub text: String,
}

/// A question: every filter must hold, each by at least one of its alternatives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search<F> {
    pub filters: Vec<F>,
    /// Resources on a page, from 1; the server may send fewer.
    pub count: Option<u32>,
}

pub type PatientQuery = Search<PatientFilter>;
/// Observation, DiagnosticReport and DocumentReference.
pub type EcgQuery = Search<EcgFilter>;
pub type AuditQuery = Search<AuditFilter>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PatientFilter {
    Id(Vec<FhirId>),
    Identifier(Vec<Token>),
    Family(Vec<NamePrefix>),
    Given(Vec<NamePrefix>),
    /// Family, any given name, or the full name.
    Name(Vec<NamePrefix>),
    /// The birth date lies wholly within the year, month or day.
    BirthDate(Vec<PartialDate>),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EcgFilter {
    Id(Vec<FhirId>),
    Patient(Vec<FhirId>),
    /// `Observation.code`, `DiagnosticReport.code`, `DocumentReference.type`.
    Code(Vec<Token>),
    Status(Vec<Token>),
    /// Effective time; for a DocumentReference when it was received.
    Date(Vec<DateTerm>),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AuditFilter {
    Id(Vec<FhirId>),
    Patient(Vec<FhirId>),
    Entity(Vec<(ResourceType, FhirId)>),
    Date(Vec<DateTerm>),
}

/// A search that was understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Query {
    Patient(PatientQuery),
    Observation(EcgQuery),
    DiagnosticReport(EcgQuery),
    DocumentReference(EcgQuery),
    AuditEvent(AuditQuery),
    /// A further page of an earlier search. The token stands for that search's parameters, so no
    /// other parameter may be sent with it.
    Page {
        resource: ResourceType,
        token: String,
    },
}

impl Query {
    pub const fn resource(&self) -> ResourceType {
        match self {
            Query::Patient(_) => ResourceType::Patient,
            Query::Observation(_) => ResourceType::Observation,
            Query::DiagnosticReport(_) => ResourceType::DiagnosticReport,
            Query::DocumentReference(_) => ResourceType::DocumentReference,
            Query::AuditEvent(_) => ResourceType::AuditEvent,
            Query::Page { resource, .. } => *resource,
        }
    }

    pub const fn count(&self) -> Option<u32> {
        match self {
            Query::Patient(q) => q.count,
            Query::Observation(q) | Query::DiagnosticReport(q) | Query::DocumentReference(q) => {
                q.count
            }
            Query::AuditEvent(q) => q.count,
            Query::Page { .. } => None,
        }
    }
}
