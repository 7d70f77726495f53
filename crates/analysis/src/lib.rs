//! From a recording to numbers, and from numbers to flags. Deterministic: the same samples give the
//! same answer on every machine.
//!
//! [`measure`] finds beats, builds a representative beat and measures it; [`flag`] compares the
//! result with the table of [`Limits`]. Neither knows a file format, a patient or a clock.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod average;
mod beat;
mod beat_mean;
mod channel;
pub mod delineation;
mod detect;
mod edge;
mod fingerprint;
mod flag;
mod frontal;
pub mod holter;
mod lead_wave;
mod limits;
mod measure;
mod numeric;
mod pacing;
mod qt;
mod quality;
mod readout;
pub mod reversal;
mod rhythm;
mod seen;
pub mod serial;
pub mod similarity;
mod st_rule;
mod statement;
mod strip;
mod wave;

pub use delineation::{DelineatedBeat, Delineation, Wave, Waves, delineate};
pub use fingerprint::{Fingerprint, Likeness};
pub use flag::{Subject, flag};
pub use limits::{Bands, LIMIT_NAMES, LimitError, Limits, RULE_VERSION};
pub use measure::{MEASURE_VERSION, measure};
pub use rhythm::fibrillation::{LIMIT as ATRIAL_LIMIT, features as atrial_features};
pub use statement::{
    AvBlock, REAL_CASES_MIN, RhythmEvidence, STATEMENT_VERSION, real_cases, state,
};
