//! Long recordings, measured while they arrive, in room that does not grow with the signal.
//!
//! [`Holter`] takes the samples in blocks of any size and keeps less than a minute of them. A
//! [`window`] of 30 s, with five more at either end, is searched for beats, classes and atrial
//! fibrillation as a short recording is; the usual beat is handed on from window to window. What
//! is kept of the day is one small record a beat, from which [`summary`] counts at the end.

mod summary;
mod tape;
mod window;

pub use tape::{Holter, HolterError};
