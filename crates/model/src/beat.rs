//! What was seen of the rhythm: the class of each beat, the intervals, and evidence for statements.
//!
//! These are findings with the numbers behind them, not statements: who states something says which
//! of them it rests on.

use serde::{Deserialize, Serialize};

/// What a beat is, from its shape and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BeatClass {
    /// Of the recording's usual shape, in time or late.
    Dominant,
    /// Of the usual shape, early.
    Supraventricular,
    /// Of another shape and wide.
    Ventricular,
    /// A pacing spike goes before the QRS.
    Paced,
    /// Of another shape and none of the above: fusion, aberrant conduction in
    /// time, noise taken for a beat.
    Other,
}

impl BeatClass {
    pub const ALL: [BeatClass; 5] = [
        BeatClass::Dominant,
        BeatClass::Supraventricular,
        BeatClass::Ventricular,
        BeatClass::Paced,
        BeatClass::Other,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            BeatClass::Dominant => "dominant",
            BeatClass::Supraventricular => "supraventricular",
            BeatClass::Ventricular => "ventricular",
            BeatClass::Paced => "paced",
            BeatClass::Other => "other",
        }
    }
}

/// Intervals between successive beats, milliseconds. Differences are between successive intervals.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RrStatistics {
    pub count: u32,
    pub mean_ms: f64,
    /// Standard deviation of the intervals; zero of one.
    pub sd_ms: f64,
    /// Root mean square of the differences; zero without any.
    pub rmssd_ms: f64,
    /// Share of the differences over 50 ms, percent.
    pub pnn50_percent: f64,
    pub min_ms: f64,
    pub max_ms: f64,
}

/// An interval without a beat that is longer than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pause {
    /// The beat before it, index into the beats.
    pub beat: u32,
    pub rr_ms: f64,
}

/// Beats of one class that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub class: BeatClass,
    /// The first of them, index into the beats.
    pub beat: u32,
    pub beats: u32,
    /// Mean rate within the run.
    pub rate_bpm: f64,
}

/// Early and foreign beats, and how they are grouped.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ectopy {
    pub ventricular: u32,
    pub supraventricular: u32,
    pub other: u32,
    /// Two ventricular beats in a row.
    pub ventricular_couplets: u32,
    pub supraventricular_couplets: u32,
    /// Three or more in a row.
    pub runs: Vec<Run>,
    /// Beats within stretches of every second, every third beat ventricular.
    pub ventricular_bigeminy_beats: u32,
    pub ventricular_trigeminy_beats: u32,
    pub supraventricular_bigeminy_beats: u32,
    pub supraventricular_trigeminy_beats: u32,
}

/// What speaks for and against atrial fibrillation and flutter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AtrialEvidence {
    /// Intervals between beats that are not ventricular.
    pub intervals: u32,
    /// Mean change from one interval to the next, as a share of the mean interval.
    pub change: f64,
    /// Coefficient of sample entropy of the intervals: how little one is told by the one before.
    pub entropy: f64,
    /// Correlation of the beats' stretches before the QRS with each other; a quarter stays under it.
    pub p_agreement: f64,
    /// How well the signal between the QRS complexes repeats itself, 0 to 1, and at what distance.
    pub repetition: f64,
    pub repetition_ms: f64,
    /// Probability of fibrillation or flutter by a logistic model of these, for equal odds as in
    /// the development recordings.
    pub probability: f64,
    /// The probability passed the limit.
    pub fibrillation_or_flutter: bool,
    /// And the atrial waves repeat themselves as in flutter.
    pub flutter: bool,
}

/// Pacing spikes, as far as the signal carries them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PacingEvidence {
    pub spikes: u32,
    /// Beats with a spike at a steady distance shortly before the QRS.
    pub ventricular_beats: u32,
    /// Beats with a spike earlier than that, before the P wave.
    pub atrial_beats: u32,
}

/// What was seen of the rhythm of one recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RhythmReport {
    /// One for each of the recording's R peaks.
    pub beats: Vec<BeatClass>,
    /// All intervals, and those between successive dominant beats.
    pub rr: Option<RrStatistics>,
    pub nn: Option<RrStatistics>,
    pub pauses: Vec<Pause>,
    pub ectopy: Ectopy,
    pub pacing: PacingEvidence,
    /// `None` where too few intervals or too much noise leave the question open.
    pub atria: Option<AtrialEvidence>,
}
