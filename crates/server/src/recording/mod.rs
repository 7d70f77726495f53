//! Recordings: the worklist, one recording, its traces and sheets, and whose it is.

pub(crate) mod assign;
pub(crate) mod detail;
pub(crate) mod history;
pub(crate) mod sheet;
pub(crate) mod waveform;
pub(crate) mod worklist;
