//! What the signal shows of the atria between the QRS complexes: a wave that goes before each QRS
//! in the same shape, or waves that repeat without regard to it.

use std::ops::Range;

use crate::channel::Channel;
use crate::numeric::{dot, median_f32, quantile};
use crate::rhythm::p_wave::segment;

/// The stretch before the QRS onset in which a P wave is looked for, and over how long it is
/// smoothed: a P wave lasts longer, muscle noise does not.
const P_BEFORE_MS: f64 = 200.0;
const P_GAP_MS: f64 = 12.0;
const P_SMOOTH_MS: f64 = 40.0;
/// About this rate is enough for a P wave, and for atrial waves.
const P_RATE_HZ: f64 = 125.0;
const WAVES_RATE_HZ: f64 = 100.0;
/// Distances of flutter waves: 330 to 180 /min.
const REPEATS_S: std::ops::RangeInclusive<f64> = 0.170..=0.330;
/// A synthetic lead without any change must not weigh without limit.
const DISTANCE_UV_MIN: f32 = 1e-3;
/// Slower than this is baseline.
const SLOW_S: f64 = 0.4;
/// From this many leads on, two must show the waves: one alone may hold an artefact.
const LEADS_TO_AGREE: usize = 3;
/// Distances this near to the interval between beats, or to half of it, repeat because beats do.
const BEAT_SHARE: f64 = 0.12;

/// How far the QRS reaches around the common point of the beats, samples.
#[derive(Clone, Copy)]
pub(crate) struct QrsSpan {
    pub before: usize,
    pub after: usize,
}

/// The stretch before one beat's QRS, all leads, each without its straight line.
fn before_qrs(channels: &[&Channel], at: usize, qrs: QrsSpan, rate_hz: f64) -> Option<Vec<f32>> {
    let samples = |ms: f64| (ms * rate_hz / 1000.0).round() as usize;
    let step = ((rate_hz / P_RATE_HZ) as usize).max(1);
    let width = samples(P_BEFORE_MS - P_GAP_MS).max(2);
    let from = at.checked_sub(qrs.before + samples(P_BEFORE_MS))?;
    let mut stretch = segment(channels, &vec![1.0; channels.len()], from, width, step)?;
    let half = samples(P_SMOOTH_MS) / (2 * step);
    let lead = stretch.len() / channels.len();
    for own in stretch.chunks_mut(lead) {
        let sharp = own.to_vec();
        for (k, x) in own.iter_mut().enumerate() {
            let around = &sharp[k.saturating_sub(half)..(k + half + 1).min(sharp.len())];
            *x = around.iter().sum::<f32>() / around.len() as f32;
        }
    }
    Some(stretch)
}

/// How well the beats agree before the QRS: the correlation of each stretch with the mean of the
/// others, all leads together, each lead weighed by how little it changes from beat to beat. A
/// quarter of the beats stays under the answer.
pub(crate) fn p_agreement(
    channels: &[&Channel],
    beats: &[usize],
    qrs: QrsSpan,
    rate_hz: f64,
) -> f64 {
    let mut stretches: Vec<Vec<f32>> =
        beats.iter().filter_map(|&at| before_qrs(channels, at, qrs, rate_hz)).collect();
    if stretches.len() < 3 {
        return 0.0;
    }
    let lead = stretches[0].len() / channels.len();
    for k in 0..channels.len() {
        weigh_by_steadiness(&mut stretches, k * lead..(k + 1) * lead);
    }
    let mut sum = vec![0.0_f32; stretches[0].len()];
    for own in &stretches {
        sum.iter_mut().zip(own).for_each(|(s, x)| *s += x);
    }
    let mut likeness: Vec<f64> = stretches
        .iter()
        .map(|own| {
            let others: Vec<f32> = sum.iter().zip(own).map(|(s, x)| s - x).collect();
            let power = dot(own, own) * dot(&others, &others);
            if power > 0.0 { f64::from(dot(own, &others) / power.sqrt()) } else { 0.0 }
        })
        .collect();
    quantile(&mut likeness, 0.25)
}

/// Divides one lead of all stretches by what the usual one differs from their mean.
fn weigh_by_steadiness(stretches: &mut [Vec<f32>], lead: Range<usize>) {
    let count = stretches.len() as f32;
    let mut mean = vec![0.0_f32; lead.len()];
    for own in stretches.iter() {
        mean.iter_mut().zip(&own[lead.clone()]).for_each(|(m, x)| *m += x / count);
    }
    let distance = |own: &Vec<f32>| {
        own[lead.clone()].iter().zip(&mean).map(|(x, m)| (x - m) * (x - m)).sum::<f32>().sqrt()
    };
    let mut distances: Vec<f32> = stretches.iter().map(distance).collect();
    let usual = median_f32(&mut distances).max(DISTANCE_UV_MIN);
    for own in stretches {
        own[lead.clone()].iter_mut().for_each(|x| *x /= usual);
    }
}

/// The best repetition of waves at one distance in any lead, and that distance in seconds: the
/// autocorrelation there and at twice the distance, whichever is less, of the signal without its
/// QRS complexes. A T wave comes once a beat and does not repeat like that.
pub(crate) fn repetition(
    channels: &[&Channel],
    beats: &[usize],
    qrs: QrsSpan,
    rate_hz: f64,
    usual_rr_s: f64,
) -> (f64, f64) {
    let mut each: Vec<(f64, f64)> = channels
        .iter()
        .map(|channel| repetition_of(&channel.samples_uv, beats, qrs, rate_hz, usual_rr_s))
        .collect();
    each.sort_by(|a, b| b.0.total_cmp(&a.0));
    let needed = usize::from(each.len() >= LEADS_TO_AGREE);
    each.get(needed).copied().unwrap_or((0.0, 0.0))
}

fn repetition_of(
    samples_uv: &[f32],
    beats: &[usize],
    qrs: QrsSpan,
    rate_hz: f64,
    usual_rr_s: f64,
) -> (f64, f64) {
    let step = ((rate_hz / WAVES_RATE_HZ) as usize).max(1);
    let rate = rate_hz / step as f64;
    let y = without_slow(&bridged(samples_uv, beats, qrs, step), (SLOW_S / 2.0 * rate) as usize);
    let power = f64::from(dot(&y, &y));
    if !(power.is_finite() && power > 0.0) {
        return (0.0, 0.0);
    }
    let likeness = |lag: usize| {
        let Some(rest) = y.len().checked_sub(lag).filter(|rest| *rest > 0) else { return 0.0 };
        f64::from(dot(&y[lag..], &y[..rest])) / power * y.len() as f64 / rest as f64
    };
    let mut best = (0.0_f64, 0.0_f64);
    for lag in (REPEATS_S.start() * rate) as usize..=(REPEATS_S.end() * rate) as usize {
        let seconds = lag as f64 / rate;
        let of_beats =
            [1.0, 2.0].iter().any(|n| (n * seconds / usual_rr_s - 1.0).abs() < BEAT_SHARE);
        let here = likeness(lag);
        if of_beats || here <= best.0 || here < likeness(lag - 1) || here < likeness(lag + 1) {
            continue;
        }
        let twice = (2 * lag - 1..=2 * lag + 1).map(likeness).fold(0.0, f64::max);
        if here.min(twice) > best.0 {
            best = (here.min(twice), seconds);
        }
    }
    best
}

/// Straight lines through the QRS complexes, at a lower rate.
fn bridged(samples_uv: &[f32], beats: &[usize], qrs: QrsSpan, step: usize) -> Vec<f32> {
    let mut x = samples_uv.to_vec();
    let last = x.len().saturating_sub(1);
    for &at in beats {
        let (from, to) = (at.saturating_sub(qrs.before).min(last), (at + qrs.after).min(last));
        let (a, b) = (x[from], x[to]);
        for (k, v) in x[from..=to].iter_mut().enumerate() {
            *v = a + (b - a) * k as f32 / (to - from).max(1) as f32;
        }
    }
    x.chunks(step).map(|c| c.iter().sum::<f32>() / c.len() as f32).collect()
}

fn without_slow(x: &[f32], half: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f64; x.len() + 1];
    for (k, v) in x.iter().enumerate() {
        sums[k + 1] = sums[k] + f64::from(*v);
    }
    (0..x.len())
        .map(|k| {
            let (a, b) = (k.saturating_sub(half), (k + half + 1).min(x.len()));
            x[k] - ((sums[b] - sums[a]) / (b - a) as f64) as f32
        })
        .collect()
}
