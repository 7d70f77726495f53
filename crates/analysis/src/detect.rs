//! Where the QRS complexes are, to about 20 ms: enough to cut beats out and compare them.
//!
//! Works on a copy decimated to about 250 Hz. Each lead passes a symmetric (zero-phase) second
//! difference over +-32 ms, which favours 8 to 20 Hz over T waves and baseline; leads are scaled to
//! their own QRS and weighted by how far that stands out of the rest, then summed as energy, in the
//! manner of Pan and Tompkins (IEEE Trans Biomed Eng 1985;32:230) on all leads at once. Peaks are
//! taken against a level that follows the recording, with a refractory time, a test for T waves and
//! a search back over long pauses. The copy serves detection only; nothing is measured on it.

use crate::channel::Channel;
use crate::numeric::{median, median_f32};

const TARGET_HZ: f64 = 220.0;
const SPAN_S: f64 = 0.032;
const ENERGY_S: f64 = 0.060;
const REFRACTORY_S: f64 = 0.200;
const T_WAVE_S: f64 = 0.360;
const LEVEL_WINDOW_S: f64 = 1.5;
/// Room before the first and after the last sample, so that a window around a beat always exists.
const PAD_S: f64 = 0.25;

/// Share of the level that makes a beat, and that makes one in a long pause.
const ACCEPT: f32 = 0.42;
const SEARCH_BACK: f32 = 0.18;
/// A smaller peak soon after a beat is its T wave.
const T_WAVE_SHARE: f32 = 0.5;
const LONG_PAUSE: f64 = 1.6;

/// The decimated, band-limited, weighted copy.
pub(crate) struct Detector {
    pub step: usize,
    pub rate_hz: f64,
    pad: usize,
    /// One row a channel, `len` values each, `pad` of them before the first sample.
    pub rows: Vec<Vec<f32>>,
    /// Weight of each channel: 1 / its usual QRS, less where little stands out of the noise.
    pub weights: Vec<f32>,
    energy: Vec<f32>,
}

impl Detector {
    pub fn new(channels: &[&Channel], rate_hz: f64) -> Self {
        let step = ((rate_hz / TARGET_HZ).floor() as usize).max(1);
        let mut detector = Detector {
            step,
            rate_hz: rate_hz / step as f64,
            pad: 0,
            rows: Vec::with_capacity(channels.len()),
            weights: Vec::with_capacity(channels.len()),
            energy: Vec::new(),
        };
        detector.pad = detector.samples(PAD_S);
        for channel in channels {
            let mut row = detector.band_limited(&detector.decimated(&channel.samples_uv));
            let weight = detector.weight(&row);
            row.iter_mut().for_each(|x| *x *= weight);
            detector.rows.push(row);
            detector.weights.push(weight);
        }
        detector.energy = detector.summed_energy();
        detector
    }

    pub fn samples(&self, seconds: f64) -> usize {
        ((seconds * self.rate_hz).round() as usize).max(1)
    }

    /// Index in `rows` to sample of the recording.
    pub fn to_sample(&self, at: usize) -> usize {
        at.saturating_sub(self.pad) * self.step + (self.step - 1) / 2
    }

    fn decimated(&self, samples_uv: &[f32]) -> Vec<f32> {
        let mut out = Vec::with_capacity(samples_uv.len() / self.step + 2 * self.pad);
        out.resize(self.pad, f32::NAN);
        match self.step {
            1 => out.extend_from_slice(samples_uv),
            2 => out.extend(samples_uv.chunks_exact(2).map(|c| 0.5 * (c[0] + c[1]))),
            n => out.extend(samples_uv.chunks_exact(n).map(|c| c.iter().sum::<f32>() / n as f32)),
        }
        out.resize(out.len() + self.pad, f32::NAN);
        bridge_gaps(&mut out);
        out
    }

    /// Three-point smoothing, then x(t) - (x(t - span) + x(t + span)) / 2.
    fn band_limited(&self, x: &[f32]) -> Vec<f32> {
        let span = self.samples(SPAN_S);
        let mut out = vec![0.0; x.len()];
        let reach = span + 1;
        if x.len() <= 2 * reach {
            return out;
        }
        let smooth: Vec<f32> = x.windows(3).map(|w| (w[0] + w[1] + w[2]) / 3.0).collect();
        let (before, here, after) = (&smooth[..], &smooth[span..], &smooth[2 * span..]);
        for (((y, a), b), c) in out[reach..].iter_mut().zip(before).zip(here).zip(after) {
            *y = b - 0.5 * (a + c);
        }
        out
    }

    fn weight(&self, row: &[f32]) -> f32 {
        let window = self.samples(LEVEL_WINDOW_S);
        let highest = |w: &[f32]| w.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
        let mut peaks: Vec<f32> =
            row[self.pad..row.len() - self.pad].chunks(window).map(highest).collect();
        let usual_peak = median_f32(&mut peaks);
        let mean = row.iter().map(|x| x.abs()).sum::<f32>() / row.len() as f32;
        if !(usual_peak > 0.0 && mean > 0.0) {
            return 0.0;
        }
        // Noise alone peaks at about 4 times its mean; a clean QRS at 10 to 20 times.
        let stands_out = ((usual_peak / mean - 3.5) / 5.0).clamp(0.02, 1.0);
        stands_out / usual_peak
    }

    fn summed_energy(&self) -> Vec<f32> {
        let len = self.rows.first().map_or(0, Vec::len);
        let mut sum = vec![0.0_f32; len];
        for row in &self.rows {
            for (s, x) in sum.iter_mut().zip(row) {
                *s += x * x;
            }
        }
        let half = self.samples(ENERGY_S / 2.0);
        let width = 2 * half + 1;
        let mut out = vec![0.0; len];
        if len < width {
            return out;
        }
        let mut running: f64 = sum[..width].iter().map(|&x| f64::from(x)).sum();
        for at in half..len - half {
            out[at] = (running.max(0.0) / width as f64).sqrt() as f32;
            if at + half + 1 < len {
                running += f64::from(sum[at + half + 1]) - f64::from(sum[at - half]);
            }
        }
        out
    }

    /// Places of beats, indices into `rows`.
    pub fn beats(&self) -> Vec<usize> {
        let candidates = self.candidates();
        let levels = self.levels(&candidates);
        let mut beats: Vec<usize> = Vec::new();
        for (&at, &level) in candidates.iter().zip(&levels) {
            let height = self.energy[at];
            let t_wave = beats.last().is_some_and(|&last| {
                at - last < self.samples(T_WAVE_S) && height < T_WAVE_SHARE * self.energy[last]
            });
            if height >= ACCEPT * level && !t_wave {
                beats.push(at);
            }
        }
        self.search_back(&mut beats, &candidates, &levels);
        beats
    }

    /// Local maxima, the highest within the refractory time.
    fn candidates(&self) -> Vec<usize> {
        let refractory = self.samples(REFRACTORY_S);
        let mut kept: Vec<usize> = Vec::new();
        let e = &self.energy;
        for at in 1..e.len().saturating_sub(1) {
            if !(e[at] > 0.0 && e[at] >= e[at - 1] && e[at] > e[at + 1]) {
                continue;
            }
            match kept.last_mut() {
                Some(last) if at - *last < refractory => {
                    if e[at] > e[*last] {
                        *last = at;
                    }
                }
                _ => kept.push(at),
            }
        }
        kept
    }

    /// The usual height of a beat around each candidate.
    fn levels(&self, candidates: &[usize]) -> Vec<f32> {
        let window = self.samples(LEVEL_WINDOW_S);
        let mut highest = vec![0.0_f32; self.energy.len() / window + 1];
        for &at in candidates {
            let slot = &mut highest[at / window];
            *slot = slot.max(self.energy[at]);
        }
        let mut around = Vec::with_capacity(9);
        candidates
            .iter()
            .map(|&at| {
                let middle = at / window;
                around.clear();
                around.extend_from_slice(
                    &highest[middle.saturating_sub(4)..(middle + 5).min(highest.len())],
                );
                around.retain(|&h| h > 0.0);
                median_f32(&mut around)
            })
            .collect()
    }

    fn search_back(&self, beats: &mut Vec<usize>, candidates: &[usize], levels: &[f32]) {
        let mut intervals: Vec<f64> = beats.windows(2).map(|w| (w[1] - w[0]) as f64).collect();
        if intervals.is_empty() {
            return;
        }
        let usual = median(&mut intervals);
        let clear = (0.5 * usual) as usize;
        let mut found = Vec::new();
        for pair in beats.windows(2).filter(|w| (w[1] - w[0]) as f64 > LONG_PAUSE * usual) {
            let inside = candidates.iter().zip(levels).filter(|&(&at, &level)| {
                at > pair[0] + clear
                    && at + clear < pair[1]
                    && self.energy[at] >= SEARCH_BACK * level
            });
            found.extend(inside.map(|(&at, _)| at));
        }
        beats.extend(found);
        beats.sort_unstable();
    }
}

/// Straight lines over gaps, the nearest value beyond the ends; zero where there is nothing at all.
fn bridge_gaps(x: &mut [f32]) {
    let Some(first) = x.iter().position(|v| v.is_finite()) else {
        x.fill(0.0);
        return;
    };
    let value = x[first];
    x[..first].fill(value);
    let mut last = first;
    for at in first + 1..x.len() {
        if x[at].is_finite() {
            if at - last > 1 {
                let (a, b, n) = (x[last], x[at], (at - last) as f32);
                for (k, v) in x[last + 1..at].iter_mut().enumerate() {
                    *v = a + (b - a) * (k + 1) as f32 / n;
                }
            }
            last = at;
        }
    }
    let value = x[last];
    x[last..].fill(value);
}
