//! Precordia's outside languages: FHIR R4 JSON to and from the model, validation and code systems, and
//! ECGs that come inside messages.
//!
//! Text and JSON values in, model values out, and back. No sockets, no storage, no clock: a caller
//! brings bytes and times, and carries answers away.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod ecg;
pub mod fhir;
