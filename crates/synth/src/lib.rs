//! ECGs whose truth is known exactly, for the demo, the tests and the documents.
//!
//! A [`Spec`] says what the heart does; [`synthesize`] draws it and returns the recording together
//! with the [`Truth`]: where every wave begins and ends, and what a perfect measurer must answer.
//! Waves have compact support with a definite corner at onset and offset, as the analytical signals
//! of IEC 60601-2-25 have, so a boundary is a place and not an opinion.
//!
//! What this does not do: model physiology, filter, or write files. The same spec always gives the
//! same samples.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod artefact;
mod calibration;
mod lead;
mod pathology;
mod pattern;
mod person;
mod random;
mod schedule;
mod spec;
mod synthesize;
mod truth;
mod wave;

pub use calibration::{Calibration, CalibrationTruth, WaveTruth};
pub use pattern::Pattern;
pub use person::Person;
pub use random::Random;
pub use spec::{FrontalSt, Noise, Pacing, QrsShape, Spec, SynthRhythm, device_time};
pub use synthesize::{Synthetic, synthesize};
pub use truth::{AxisTruth, BeatKind, BeatTruth, Span, Truth};
