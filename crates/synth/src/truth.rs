//! What a perfect measurer must answer for a synthetic recording.

use std::collections::BTreeMap;

use precordia_model::{Lead, Rhythm};

/// A stretch of the recording in samples from its start, fractional where a boundary lies between
/// two samples. The signal of the wave is zero at and outside both ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    pub onset: f64,
    pub offset: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeatKind {
    Normal,
    /// A premature wide beat from the ventricle, without a P wave.
    Ectopic,
}

/// One beat. A wave that the recording's edge cuts keeps its true span, which then lies partly
/// outside.
#[derive(Clone, Debug, PartialEq)]
pub struct BeatTruth {
    pub kind: BeatKind,
    /// Sample of the R apex.
    pub r_peak: u32,
    pub p: Option<Span>,
    pub qrs: Span,
    pub t: Span,
}

/// Frontal-plane axes in (-180, 180], degrees; by area and by amplitude alike, because each wave
/// keeps one direction throughout. The T axis is that of the T wave without any ST shift.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AxisTruth {
    pub p: Option<f64>,
    pub qrs: f64,
    pub t: f64,
}

/// What was drawn: equal to what the spec asked for, except where the spec contradicted itself (a
/// QT longer than the RR interval) and was bent into shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    pub rhythm: Rhythm,
    pub paced: bool,
    /// 60,000 divided by the mean RR interval.
    pub heart_rate_bpm: f64,
    /// Mean RR interval. R peaks stand on the nearest sample, so the mean over the peaks of the
    /// recording agrees within one sample period divided by the number of intervals.
    pub rr_ms: f64,
    pub p_ms: Option<f64>,
    pub pr_ms: Option<f64>,
    pub qrs_ms: f64,
    pub qt_ms: f64,
    pub axis_deg: AxisTruth,
    /// Level from the J point to the T onset against the PR segment, by lead.
    pub st_uv: BTreeMap<Lead, f64>,
    /// R peaks of all beats, samples.
    pub r_peaks: Vec<u32>,
    pub beats: Vec<BeatTruth>,
    /// P waves that no QRS follows.
    pub blocked_p: Vec<Span>,
}
