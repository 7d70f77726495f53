//! The mean of the beats that were measured, at a fixed number of points of one wave: what
//! recordings of different rates can be compared by.

use std::ops::Range;

use precordia_model::{Fiducials, Measurements};

/// Before the QRS, where the level is taken.
const LEVEL_S: f64 = 0.012;
/// From the peak of a T wave whose end is not known to where it is taken to end.
const T_HALF_S: f64 = 0.07;
/// From the end of the QRS, where not even a peak is known.
const ST_T_S: f64 = 0.25;

pub(crate) struct BeatMean {
    /// R peaks of the beats used, samples.
    beats: Vec<i64>,
    /// Where the level lies, samples from the R peak.
    level: Range<i32>,
}

impl BeatMean {
    pub fn of(measured: &Measurements, qrs_onset: i32, rate_hz: f64) -> Self {
        let r_peak = |&beat: &u32| measured.r_peaks.get(beat as usize).map(|&at| i64::from(at));
        Self {
            beats: measured.beats_used.iter().filter_map(r_peak).collect(),
            level: qrs_onset - 1 - samples(LEVEL_S, rate_hz)..qrs_onset,
        }
    }

    /// Microvolts against the level, over the beats that have all samples; `None` when none has.
    pub fn points<const N: usize>(&self, trace: &[f32], from: i32, to: i32) -> Option<[f64; N]> {
        let (mut sum, mut count) = ([0.0; N], 0.0);
        for &beat in &self.beats {
            let at = |offset: f64| -> f64 {
                let index = beat + offset.round() as i64;
                let sample = usize::try_from(index).ok().and_then(|index| trace.get(index));
                sample.map_or(f64::NAN, |&uv| f64::from(uv))
            };
            let level = crate::numeric::mean(self.level.clone().map(|k| at(f64::from(k))));
            let step = f64::from(to - from) / N as f64;
            let points: [f64; N] =
                std::array::from_fn(|k| at(f64::from(from) + step * (k as f64 + 0.5)) - level);
            if points.iter().all(|uv| uv.is_finite()) {
                for (sum, uv) in sum.iter_mut().zip(points) {
                    *sum += uv;
                }
                count += 1.0;
            }
        }
        (count > 0.0).then(|| sum.map(|sum| sum / count))
    }
}

/// The end of the T wave, or where it usually is.
pub(crate) fn t_end(marks: &Fiducials, qrs_offset: i32, rate_hz: f64) -> i32 {
    marks
        .t_offset
        .or(marks.t_peak.map(|peak| peak + samples(T_HALF_S, rate_hz)))
        .unwrap_or(qrs_offset + samples(ST_T_S, rate_hz))
}

fn samples(seconds: f64, rate_hz: f64) -> i32 {
    (seconds * rate_hz).round() as i32
}
