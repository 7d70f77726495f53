//! What a set of leads is asked before and after an exchange is undone.

use super::LEADS;
use super::segments::{P_POINTS, Segments, Wave};

const LEAD_COUNT: usize = LEADS.len();
/// First of the chest leads.
const CHEST: usize = 2;
/// Noise that no comparison sees below, microvolts squared: of a prediction and of a difference.
const RESIDUAL_FLOOR: f64 = 25.0;
const DISTANCE_FLOOR: f64 = 100.0;
/// A usual P wave, so that its height is a number around 1.
const P_UV: f64 = 60.0;
/// A T wave flatter than this, root mean square, is not blown up.
const T_UV_MIN: f64 = 30.0;

const RESIDUALS: usize = 2 * (LEAD_COUNT + 1);
const NEIGHBORS: usize = 5 + 4;
pub(super) const FEATURE_COUNT: usize = RESIDUALS + LEAD_COUNT + 2 * 2 * NEIGHBORS + 3 * LEAD_COUNT;

pub(super) type FeatureSet = [f64; FEATURE_COUNT];

/// Weights by which each lead follows from the seven others, in their order.
pub(super) type Prediction = [[f64; LEAD_COUNT - 1]; LEAD_COUNT];

pub(super) fn features(of: &Segments, qrs: &Prediction, st_t: &Prediction) -> FeatureSet {
    let mut row = Vec::with_capacity(FEATURE_COUNT);
    residuals(&of.qrs, qrs, &mut row);
    residuals(&of.st_t, st_t, &mut row);
    for lead in &of.p {
        row.push((lead.iter().sum::<f64>() / P_POINTS as f64 / P_UV).clamp(-2.0, 2.0));
    }
    distances(&of.qrs, &mut row);
    distances(&of.st_t, &mut row);
    let (qrs_uv, t_uv) = (size(&of.qrs), size(&of.st_t).max(T_UV_MIN));
    let highest = |lead: &[f64]| lead.iter().copied().fold(f64::MIN, f64::max);
    let lowest = |lead: &[f64]| lead.iter().copied().fold(f64::MAX, f64::min);
    row.extend(of.qrs.iter().map(|lead| highest(lead) / qrs_uv));
    row.extend(of.qrs.iter().map(|lead| -lowest(lead) / qrs_uv));
    row.extend(of.st_t.iter().map(|lead| crate::numeric::mean(lead.iter().copied()) / t_uv));
    let mut set = [0.0; FEATURE_COUNT];
    set.copy_from_slice(&row);
    set
}

/// Root mean square over all leads.
pub(super) fn size<const N: usize>(wave: &Wave<N>) -> f64 {
    let squares: f64 = wave.iter().flatten().map(|uv| uv * uv).sum();
    (squares / (LEAD_COUNT * N) as f64).sqrt().max(1.0)
}

/// Log energy that the other leads do not explain, lead by lead and their sum.
fn residuals<const N: usize>(wave: &Wave<N>, by: &Prediction, row: &mut Vec<f64>) {
    let mut sum = 0.0;
    for (lead, weights) in by.iter().enumerate() {
        let mut left = wave[lead];
        let others = wave.iter().enumerate().filter(|(other, _)| *other != lead);
        for ((_, other), weight) in others.zip(weights) {
            for (left, uv) in left.iter_mut().zip(other) {
                *left -= weight * uv;
            }
        }
        let energy: f64 = left.iter().map(|uv| uv * uv).sum();
        let log = (energy / N as f64 + RESIDUAL_FLOOR).ln();
        row.push(log);
        sum += log;
    }
    row.push(sum);
}

/// How far chest leads lie from their neighbors and next neighbors: in microvolts, and in shape.
fn distances<const N: usize>(wave: &Wave<N>, row: &mut Vec<f64>) {
    for first in CHEST..LEAD_COUNT {
        for second in (first + 1)..LEAD_COUNT.min(first + 3) {
            let (a, b) = (&wave[first], &wave[second]);
            let apart: f64 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
            row.push((apart / N as f64 + DISTANCE_FLOOR).ln());
            let product =
                |a: &[f64; N], b: &[f64; N]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let alike = product(a, b) / (product(a, a) * product(b, b) + 1e-9).sqrt();
            // Leads of one shape differ by little; the step keeps the logarithm from running away.
            row.push((1.02 - alike).ln());
        }
    }
}
