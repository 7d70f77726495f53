//! The shape of each QRS against the usual one: how alike, how wide, how sharp.
//!
//! Works on a copy of about 250 samples a second with all leads together, so that one lead or
//! twelve make no difference to what follows.

use crate::channel::Channel;
use crate::numeric::{dot, median};

const TARGET_HZ: f64 = 220.0;
const BEFORE_S: f64 = 0.120;
const AFTER_S: f64 = 0.160;
/// Beats are compared at lags up to this.
const LAG_S: f64 = 0.040;
/// The width holds all of the slope's energy but this share at either end.
const WIDTH_TAIL: f32 = 0.04;
/// Energy of the slope under which it is no beat, as a share of the usual beat's: about a third of
/// its steepness, which P waves and the noise of a long pause do not reach. Beats this like the
/// usual one may be fainter.
const FAINT: f64 = 0.10;
const FAINT_LIKENESS: f64 = 0.85;
/// The QRS of the mean beat ends where the slope stays under this share of its peak, this long.
const SPAN_SHARE: f32 = 0.08;
const SPAN_QUIET_S: f64 = 0.012;

/// A copy at a lower rate; gaps are NaN.
pub(crate) struct Copy {
    pub step: usize,
    pub rate_hz: f64,
    pub rows: Vec<Vec<f32>>,
}

impl Copy {
    pub fn new(channels: &[&Channel], rate_hz: f64) -> Self {
        let step = ((rate_hz / TARGET_HZ) as usize).max(1);
        let decimated = |channel: &&Channel| match step {
            1 => channel.samples_uv.to_vec(),
            n => channel
                .samples_uv
                .chunks(n)
                .map(|c| c.iter().sum::<f32>() / c.len() as f32)
                .collect(),
        };
        Self {
            step,
            rate_hz: rate_hz / step as f64,
            rows: channels.iter().map(decimated).collect(),
        }
    }

    pub fn samples(&self, seconds: f64) -> usize {
        ((seconds * self.rate_hz).round() as usize).max(1)
    }

    /// One beat, lead after lead, each about its own mean; `None` at the ends and in gaps.
    fn cut(&self, at: usize, before: usize, width: usize) -> Option<Vec<f32>> {
        let from = at.checked_sub(before)?;
        let mut out = Vec::with_capacity(self.rows.len() * width);
        for row in &self.rows {
            let part = row.get(from..from + width)?;
            let level = part.iter().sum::<f32>() / width as f32;
            if level.is_finite() {
                out.extend(part.iter().map(|x| x - level));
            } else {
                // A lead that is missing here has nothing to say; the others may.
                out.extend(std::iter::repeat_n(0.0, width));
            }
        }
        Some(out)
    }
}

/// One beat against the usual one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Correlation with the usual beat at the best lag.
    pub likeness: f64,
    /// Width as a share of the usual beat's.
    pub width: f64,
    /// Energy of the slope as a share of the usual beat's.
    pub energy: f64,
}

/// The usual beat.
pub(crate) struct Usual {
    mean: Vec<f32>,
    width_ms: f64,
    energy: f64,
    window: Window,
}

#[derive(Clone, Copy)]
struct Window {
    before: usize,
    width: usize,
    lag: usize,
}

impl Usual {
    /// The mean of some beats, places in samples of the recording. `None` without any.
    pub fn of(copy: &Copy, beats: impl Iterator<Item = usize>) -> Option<Self> {
        let before = copy.samples(BEFORE_S);
        let window =
            Window { before, width: before + copy.samples(AFTER_S), lag: copy.samples(LAG_S) };
        let mut mean = vec![0.0_f32; window.width * copy.rows.len()];
        let (mut widths, mut energies) = (Vec::new(), Vec::new());
        for own in beats.filter_map(|at| copy.cut(at / copy.step, window.before, window.width)) {
            mean.iter_mut().zip(&own).for_each(|(m, x)| *m += x);
            let (width, energy) = width_and_energy(&own, window.width);
            widths.push(width as f64 * 1000.0 / copy.rate_hz);
            energies.push(energy);
        }
        mean.iter_mut().for_each(|m| *m /= widths.len() as f32);
        (!widths.is_empty()).then(|| Self {
            mean,
            width_ms: median(&mut widths).max(1.0),
            energy: median(&mut energies).max(f64::MIN_POSITIVE),
            window,
        })
    }

    /// `None` where the beat is cut off by an end of the recording.
    pub fn compare(&self, copy: &Copy, at: usize) -> Option<Shape> {
        let Window { before, width, lag } = self.window;
        let at = at / copy.step;
        let power = dot(&self.mean, &self.mean);
        let likeness = |at: usize| {
            let own = copy.cut(at, before, width)?;
            let powers = power * dot(&own, &own);
            Some(if powers > 0.0 { f64::from(dot(&own, &self.mean) / powers.sqrt()) } else { 0.0 })
        };
        let own = copy.cut(at, before, width)?;
        let best = (at.saturating_sub(lag)..=at + lag).filter_map(likeness).fold(-1.0, f64::max);
        let (samples, energy) = width_and_energy(&own, width);
        let width_ms = samples as f64 * 1000.0 / copy.rate_hz;
        Some(Shape {
            likeness: best,
            width: width_ms / self.width_ms,
            energy: energy / self.energy,
        })
    }

    /// Neither of the usual shape nor of a size that a beat next to the usual one has.
    pub fn is_faint(&self, copy: &Copy, at: usize) -> bool {
        self.compare(copy, at)
            .is_some_and(|shape| shape.energy < FAINT && shape.likeness < FAINT_LIKENESS)
    }

    pub fn width_ms(&self) -> f64 {
        self.width_ms
    }

    /// How far the QRS reaches before and after the common point of the beats, seconds.
    pub fn span_s(&self, copy: &Copy) -> (f64, f64) {
        let slope = slope(&self.mean, self.window.width);
        let quiet = copy.samples(SPAN_QUIET_S);
        let top = slope.iter().copied().fold(0.0, f32::max);
        let peak = slope.iter().position(|s| *s >= top).unwrap_or(self.window.before);
        let calm = |part: &[f32]| part.iter().all(|s| *s < SPAN_SHARE * top);
        let onset = (quiet..peak).rev().find(|&k| calm(&slope[k - quiet..k])).unwrap_or(0);
        let ends = peak..slope.len().saturating_sub(quiet);
        let offset = ends.clone().find(|&k| calm(&slope[k..k + quiet])).unwrap_or(ends.end);
        let from_zero = |k: usize| k as f64 / copy.rate_hz;
        (
            from_zero(self.window.before.saturating_sub(onset)),
            from_zero(offset.saturating_sub(self.window.before)),
        )
    }
}

/// Summed over the leads: how fast the signal moves.
fn slope(rows: &[f32], width: usize) -> Vec<f32> {
    let mut out = vec![0.0_f32; width];
    for row in rows.chunks_exact(width) {
        for (s, w) in out[1..].iter_mut().zip(row.windows(3)) {
            *s += (w[2] - w[0]) * (w[2] - w[0]);
        }
    }
    out.iter_mut().for_each(|s| *s = s.sqrt());
    out
}

/// Samples that hold the energy of the slope, and that energy.
fn width_and_energy(rows: &[f32], width: usize) -> (usize, f64) {
    let slope = slope(rows, width);
    let total: f32 = slope.iter().map(|s| s * s).sum();
    let (mut sum, mut first, mut last) = (0.0, 0, 0);
    for (k, s) in slope.iter().enumerate() {
        sum += s * s;
        first = if sum < WIDTH_TAIL * total { k + 1 } else { first };
        last = if sum < (1.0 - WIDTH_TAIL) * total { k + 1 } else { last };
    }
    (last.saturating_sub(first) + 1, f64::from(total))
}
