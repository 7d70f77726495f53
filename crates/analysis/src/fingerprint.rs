//! Is this the same recording again, in another format, at another rate, with other rounding?
//!
//! A fingerprint is the course of each lead in steps of 10 ms, as rises and falls. Rates, rounding,
//! resampling, baseline and a wrong scale leave it as it is; another ten seconds of the same heart do
//! not, because rises are limited to a small multiple of the lead's usual one: what lies between
//! the beats, which no two recordings share, then weighs as much as the beats, which they do share.
//!
//! It says nothing of persons: see [`crate::similarity`] for that.

use precordia_model::{Lead, Signal};

/// Steps per second. A step of 10 ms is longer than any sampling interval that is measured on.
const STEPS_PER_S: f64 = 100.0;
/// A rise counts at most this many times the lead's median rise.
const LIMIT: f32 = 3.0;
/// Steps that two copies may be apart: a writer's rounding of the start, a dropped first sample.
const SHIFT_MAX: usize = 3;
/// Two recordings of which less than this is common cannot be told to be the same.
const OVERLAP_S_MIN: f64 = 4.0;
/// Longest part that is kept; an hour of a Holter recording is known by its first minutes.
const KEPT_S_MAX: f64 = 120.0;
/// A lead with a flatter course than this is as good as absent.
const FLAT_UV: f32 = 0.5;
/// Correlation from which two recordings are one. Copies lie above 0.95, other recordings below 0.25;
/// a simulator that draws the same beat on time, again and again, comes to 0.86.
const SAME_MIN: f64 = 0.9;

/// The leads that others follow from; the rest would only say the same again.
const LEADS: [Lead; 11] = [
    Lead::I,
    Lead::II,
    Lead::V1,
    Lead::V2,
    Lead::V3,
    Lead::V4,
    Lead::V5,
    Lead::V6,
    Lead::X,
    Lead::Y,
    Lead::Z,
];

/// What is kept of a recording to know it again: some kilobytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    leads: Vec<(Lead, Vec<i8>)>,
}

/// How alike two fingerprints are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Likeness {
    /// Correlation of the courses, mean over the common leads, -1 to 1.
    pub correlation: f64,
    pub leads: usize,
    pub seconds: f64,
}

impl Likeness {
    pub fn is_same(self) -> bool {
        self.correlation >= SAME_MIN
    }
}

impl Fingerprint {
    pub fn of(signal: &Signal) -> Self {
        let hz = signal.rate.hz();
        let course = |lead: Lead| {
            let trace = signal.trace(lead)?;
            Some((lead, course(&trace.samples_uv, hz)?))
        };
        let mut leads: Vec<_> = LEADS.into_iter().filter_map(course).collect();
        if leads.is_empty() {
            // A single-lead device may have any lead.
            let others = signal.leads().filter(|lead| !LEADS.contains(lead));
            leads = others.filter_map(course).collect();
        }
        Self { leads }
    }

    /// `None` when too little is common to say anything.
    pub fn compare(&self, other: &Self) -> Option<Likeness> {
        let pairs: Vec<(&[i8], &[i8])> = self
            .leads
            .iter()
            .filter_map(|(lead, a)| {
                let (_, b) = other.leads.iter().find(|(name, _)| name == lead)?;
                Some((a.as_slice(), b.as_slice()))
            })
            .collect();
        let shifts = -(SHIFT_MAX as isize)..=SHIFT_MAX as isize;
        shifts
            .filter_map(|shift| likeness(&pairs, shift))
            .max_by(|a, b| a.correlation.total_cmp(&b.correlation))
    }
}

/// Rises and falls from step to step, in tenths of the lead's limit; 0 across a gap.
fn course(samples_uv: &[f32], hz: f64) -> Option<Vec<i8>> {
    let kept = samples_uv.len().min((KEPT_S_MAX * hz) as usize);
    let steps = (kept as f64 * STEPS_PER_S / hz) as usize;
    let levels: Vec<f32> = (0..steps).map(|step| level(samples_uv, step, hz)).collect();
    let rises: Vec<f32> = levels.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mut sizes: Vec<f32> =
        rises.iter().filter(|rise| rise.is_finite()).map(|rise| rise.abs()).collect();
    let usual = crate::numeric::median_f32(&mut sizes);
    let limit = LIMIT * usual.max(FLAT_UV);
    let is_flat = sizes.iter().all(|&size| size < FLAT_UV);
    let tenth = |rise: f32| (rise / limit * 100.0).clamp(-100.0, 100.0).round() as i8;
    // `as` makes 0 of a gap's NaN.
    (!is_flat).then(|| rises.into_iter().map(tenth).collect())
}

/// Mean of the signal over one step, its ends weighed by the part of the sample that lies inside:
/// the same at every sampling rate.
fn level(samples_uv: &[f32], step: usize, hz: f64) -> f32 {
    let per_step = hz / STEPS_PER_S;
    let (from, to) = (step as f64 * per_step, (step + 1) as f64 * per_step);
    let (mut sum, mut weight) = (0.0, 0.0);
    let last = samples_uv.len().saturating_sub(1);
    let first = (from as usize).min(last);
    for (offset, &uv) in samples_uv[first..=(to as usize).min(last)].iter().enumerate() {
        let index = (first + offset) as f64;
        let part = (to.min(index + 1.0) - from.max(index)).max(0.0);
        sum += part * f64::from(uv);
        weight += part;
    }
    (sum / weight) as f32
}

fn likeness(pairs: &[(&[i8], &[i8])], shift: isize) -> Option<Likeness> {
    let skip_a = usize::try_from(shift).unwrap_or(0);
    let skip_b = usize::try_from(-shift).unwrap_or(0);
    let (mut total, mut leads, mut steps) = (0.0, 0, 0);
    for (a, b) in pairs {
        let (a, b) = (a.get(skip_a..)?, b.get(skip_b..)?);
        steps = a.len().min(b.len());
        total += correlation(&a[..steps], &b[..steps]);
        leads += 1;
    }
    let seconds = steps as f64 / STEPS_PER_S;
    (leads > 0 && seconds >= OVERLAP_S_MIN).then(|| Likeness {
        correlation: total / leads as f64,
        leads,
        seconds,
    })
}

/// Of differences, whose mean is zero but for the rounding.
fn correlation(a: &[i8], b: &[i8]) -> f64 {
    let (mut ab, mut aa, mut bb) = (0_i64, 0_i64, 0_i64);
    for (&x, &y) in a.iter().zip(b) {
        let (x, y) = (i64::from(x), i64::from(y));
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    if aa == 0 || bb == 0 { 0.0 } else { ab as f64 / (aa as f64 * bb as f64).sqrt() }
}
