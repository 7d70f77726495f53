//! FHIR R4 (4.0.1): the contract at every boundary.
//!
//! Each resource is built from model values and, where we read it back, parsed into the same model
//! values: model → FHIR → model is the identity. What R4 has no element for stands in extensions
//! listed in `docs/fhir/extensions.md`. HTTP (status codes, headers, paging links) is not here.

pub mod audit_event;
pub mod binary;
pub mod bundle;
pub mod capability;
pub mod codes;
mod date;
pub mod ecg;
mod fold;
mod json;
mod meta;
pub mod operation_outcome;
pub mod patient;
pub mod search;
pub mod validate;
pub mod waveform;

pub use date::DateRange;
pub use fold::fold;
pub use meta::{FhirId, Meta, ResourceType};
pub use operation_outcome::{Invalid, IssueCode, IssueSeverity};

/// The only FHIR version spoken.
pub const FHIR_VERSION: &str = "4.0.1";
