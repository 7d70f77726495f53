//! Pacing spikes, as far as the signal carries them.
//!
//! A spike jumps out of a quiet signal within 4 ms and falls back at once, to nothing or, behind the
//! high-pass filter of a device, in a decaying tail. A QRS, however sharp, gathers speed first and
//! keeps its direction for longer. Repeated spikes are bridged by straight lines before anything
//! else is looked for. They count as ventricular pacing when at least half of the beats have one at
//! the same distance, shortly before or at the start of the QRS. Devices that remove spikes leave
//! nothing to find: no spikes is not proof of no pacing.

use precordia_model::PacingEvidence;

use crate::beat::Beat;
use crate::channel::{Channel, independent};
use crate::numeric::median;

/// Below this rate a sample lasts longer than a spike may rise.
const RATE_HZ_MIN: f64 = 240.0;
const JUMP_MS: f64 = 4.0;
const QUIET_MS: f64 = 8.0;
const RETREAT_MS: f64 = 10.0;
/// Height in at least one lead, and in the mean of all.
const HEIGHT_UV: f32 = 140.0;
const MEAN_HEIGHT_UV: f32 = 45.0;
/// Movement before the jump, and retreat after it, as shares of the jump.
const QUIET_SHARE: f32 = 0.25;
const RETREAT_SHARE: f32 = 0.30;
/// Nearest two spikes of one pacemaker.
const APART_MS: f64 = 60.0;
/// Fewer spikes than this rate are artefacts, not pacing.
const PER_SECOND_MIN: f64 = 0.4;
/// A tail is bridged until this share of the spike is left, but not for longer than this.
const TAIL_SHARE: f32 = 0.25;
const TAIL_MS: f64 = 24.0;
/// Where a ventricular spike is looked for, from the beat's middle.
const BEFORE_MS: f64 = 150.0;
const AFTER_MS: f64 = 15.0;
/// Where an atrial spike is looked for.
const ATRIAL_BEFORE_MS: f64 = 400.0;
/// How closely spikes must keep their distance to the beat.
const STEADY_MS: f64 = 10.0;

/// Places of repeated spikes, in samples.
pub(crate) fn spikes(channels: &[Channel], rate_hz: f64) -> Vec<usize> {
    if rate_hz < RATE_HZ_MIN {
        return Vec::new();
    }
    let leads = independent(channels);
    let shape = Shape::of(rate_hz);
    let apart = samples(APART_MS, rate_hz);
    let mut spikes: Vec<(usize, f32)> = Vec::new();
    for (at, height) in shape.heights(&leads) {
        match spikes.last_mut() {
            Some(last) if at - last.0 < apart => {
                if height > last.1 {
                    *last = (at, height);
                }
            }
            _ => spikes.push((at, height)),
        }
    }
    let len = leads.first().map_or(0, |c| c.samples_uv.len());
    let enough = (PER_SECOND_MIN * len as f64 / rate_hz).max(2.0);
    if (spikes.len() as f64) < enough {
        Vec::new()
    } else {
        spikes.into_iter().map(|(at, _)| at).collect()
    }
}

/// Which beats the spikes belong to.
#[derive(Default)]
pub(crate) struct OfBeats {
    /// By beat: a spike at the usual distance, shortly before or at the start of the QRS.
    pub ventricular: Vec<bool>,
    /// By beat: a spike before that, at its own usual distance.
    pub atrial: Vec<bool>,
    pub evidence: PacingEvidence,
}

/// Spikes by beat. Ventricular ones must keep their distance to most of the beats that have any,
/// atrial ones go before them at a steady distance of their own.
pub(crate) fn of_beats(spikes: &[usize], beats: &[Beat], rate_hz: f64) -> OfBeats {
    let steady = samples(STEADY_MS, rate_hz) as f64;
    let at_usual_distance = |distances: &[Option<f64>]| -> Vec<bool> {
        let mut known: Vec<f64> = distances.iter().flatten().copied().collect();
        let usual = median(&mut known);
        distances.iter().map(|d| d.is_some_and(|d| (d - usual).abs() <= steady)).collect()
    };
    let last_before = |beat: &Beat, before_ms: f64, after_ms: f64| {
        let from = beat.at.saturating_sub(samples(before_ms, rate_hz));
        let to = (beat.at as f64 + after_ms * rate_hz / 1000.0).max(0.0) as usize;
        let spike = spikes.iter().rfind(|at| (from..to).contains(at))?;
        Some(beat.at as f64 - *spike as f64)
    };
    let distances = |before, after| -> Vec<Option<f64>> {
        beats.iter().map(|beat| last_before(beat, before, after)).collect()
    };
    let ventricular = at_usual_distance(&distances(BEFORE_MS, AFTER_MS));
    let atrial = at_usual_distance(&distances(ATRIAL_BEFORE_MS, -BEFORE_MS));
    let count = |which: &[bool]| which.iter().filter(|x| **x).count() as u32;
    let evidence = PacingEvidence {
        spikes: spikes.len() as u32,
        ventricular_beats: count(&ventricular),
        atrial_beats: count(&atrial),
    };
    OfBeats { ventricular, atrial, evidence }
}

/// Whether the spikes belong to the QRS complexes.
pub(crate) fn ventricular(spikes: &[usize], beats: &[Beat], rate_hz: f64) -> bool {
    let kept = of_beats(spikes, beats, rate_hz).evidence.ventricular_beats as usize;
    kept >= 2 && 2 * kept >= beats.len()
}

fn samples(ms: f64, rate_hz: f64) -> usize {
    ((ms * rate_hz / 1000.0).round() as usize).max(1)
}

struct Shape {
    jump: usize,
    quiet: usize,
    retreat: usize,
    tail: usize,
}

impl Shape {
    fn of(rate_hz: f64) -> Self {
        let samples = |ms| samples(ms, rate_hz);
        Self {
            jump: samples(JUMP_MS),
            quiet: samples(QUIET_MS),
            retreat: samples(RETREAT_MS),
            tail: samples(TAIL_MS),
        }
    }

    /// Summed heights of all places that look like the top of a spike.
    fn heights(&self, channels: &[&Channel]) -> Vec<(usize, f32)> {
        let len = channels.first().map_or(0, |c| c.samples_uv.len());
        let first = self.jump + self.quiet;
        let Some(count) = len.checked_sub(first + self.retreat) else { return Vec::new() };
        let mut jumps = vec![0.0_f32; count];
        let mut tallest = vec![0.0_f32; count];
        for channel in channels {
            let x = &channel.samples_uv;
            for (((sum, top), here), foot) in
                jumps.iter_mut().zip(&mut tallest).zip(&x[first..]).zip(&x[self.quiet..])
            {
                let jump = (here - foot).abs();
                *sum += jump;
                *top = if jump > *top { jump } else { *top };
            }
        }
        let mean_height = MEAN_HEIGHT_UV * channels.len() as f32;
        let tall = |k: &usize| tallest[*k] >= HEIGHT_UV && jumps[*k] >= mean_height;
        let alone =
            |k: usize| self.alone(channels, k + first, jumps[k]).then_some((k + first, jumps[k]));
        (0..count).filter(tall).filter_map(alone).collect()
    }

    fn alone(&self, channels: &[&Channel], at: usize, jumps: f32) -> bool {
        let (mut before, mut after) = (0.0_f32, 0.0_f32);
        for channel in channels {
            let x = &channel.samples_uv;
            let foot = x[at - self.jump];
            before += (foot - x[at - self.jump - self.quiet]).abs();
            after += (x[at] - foot).signum() * (x[at + self.retreat] - x[at]);
        }
        before <= QUIET_SHARE * jumps && after <= -RETREAT_SHARE * jumps
    }

    /// The first sample after a spike where little of it is left.
    fn end(&self, channels: &[&Channel], at: usize) -> usize {
        let rest = |k: usize| {
            let of = |channel: &&Channel| {
                let x = &channel.samples_uv;
                let foot = x[at - self.jump];
                Some((x[at] - foot).signum() * (x.get(k)? - foot))
            };
            channels.iter().filter_map(of).sum::<f32>()
        };
        let enough = TAIL_SHARE * rest(at);
        (at + 1..at + self.tail).find(|&k| rest(k) < enough).unwrap_or(at + self.tail)
    }
}

/// Draws straight lines through spikes, so that they are not taken for a part of a QRS.
pub(crate) fn bridge(channels: &mut [Channel], spikes: &[usize], rate_hz: f64) {
    let shape = Shape::of(rate_hz);
    let spans: Vec<(usize, usize)> = {
        let leads = independent(channels);
        spikes.iter().map(|&at| (at - shape.jump, shape.end(&leads, at))).collect()
    };
    for channel in channels {
        let samples = channel.samples_uv.to_mut();
        for &(from, to) in &spans {
            let (Some(&a), Some(&b)) = (samples.get(from), samples.get(to)) else { continue };
            for (k, x) in samples[from..=to].iter_mut().enumerate() {
                *x = a + (b - a) * k as f32 / (to - from) as f32;
            }
        }
    }
}
