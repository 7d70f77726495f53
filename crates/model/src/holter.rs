//! What was measured on a recording of hours.

use serde::{Deserialize, Serialize};

use crate::{BeatClass, Ectopy, PacingEvidence, Pause, RrStatistics};

/// One beat of a long recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HolterBeat {
    /// Sample of the recording.
    pub at: u64,
    pub class: BeatClass,
    /// All leads were missing for a while since the beat before, so there is no interval.
    pub after_gap: bool,
}

/// One hour since the start; the last may be shorter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HolterHour {
    pub beats: u32,
    pub ventricular: u32,
    pub supraventricular: u32,
    pub rr: Option<RrStatistics>,
    pub nn: Option<RrStatistics>,
}

/// An interval and the beat before it, index into the beats.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Extreme {
    pub beat: u32,
    pub rr_ms: f64,
}

/// A stretch of atrial fibrillation or flutter, seconds since the start.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AtrialEpisode {
    pub from_s: f64,
    pub to_s: f64,
    /// Highest probability of its windows.
    pub probability: f64,
}

/// Deterministic measurements of a long recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HolterReport {
    /// Version of the measuring program.
    pub version: String,
    pub rate_hz: f64,
    pub duration_s: f64,
    /// Time in which at least one lead could be used.
    pub analyzed_s: f64,
    pub beats: Vec<HolterBeat>,
    /// All intervals, and those between successive dominant beats.
    pub rr: Option<RrStatistics>,
    pub nn: Option<RrStatistics>,
    pub hours: Vec<HolterHour>,
    pub longest_rr: Option<Extreme>,
    pub shortest_rr: Option<Extreme>,
    pub pauses: Vec<Pause>,
    pub ectopy: Ectopy,
    pub pacing: PacingEvidence,
    pub atrial_episodes: Vec<AtrialEpisode>,
    /// Share of the analyzed time in such episodes, percent.
    pub atrial_burden_percent: f64,
}
