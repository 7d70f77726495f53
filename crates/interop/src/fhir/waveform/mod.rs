//! An ECG whose samples stand in a FHIR Observation (SampledData, R4 2.24.0.10), one component a
//! lead: the shape of the ECG example in the FHIR specification.
//!
//! It is a format like any other: read to a recording, with the same refusals, and written from one.

mod lead;
mod read;
mod subject;
mod write;

pub use read::{looks_like_fhir, read};
pub use write::{WriteError, write};

/// The name of the format in recordings.
pub const FORMAT: &str = "fhir-observation";
/// IEEE 11073-10101 as the FHIR specification's own example names it; [`super::codes::MDC`] is the
/// form of the terminology service.
const MDC_OID: &str = "urn:oid:2.16.840.1.113883.6.24";
const SNOMED: &str = "http://snomed.info/sct";
/// Electric potential in ECG leads.
const MDC_ECG_ELEC_POTL: &str = "131328";
