//! How good a recording is, lead by lead.

use precordia_model::{LeadQuality, Quality, QualityIssue};

use crate::average::LeadAverage;
use crate::channel::Channel;

/// Noise of a single beat from which it is worth saying, and from which a lead is not used.
const NOISE_UV: f64 = 35.0;
const NOISE_UV_MAX: f64 = 150.0;
/// Range of the baseline that is worth saying.
const WANDER_UV: f32 = 400.0;
/// Amplitude of mains hum that is worth saying.
const MAINS_UV: f64 = 20.0;
const GAP_BREAKS_S: f64 = 0.08;

pub(crate) fn lead(channel: &Channel, average: &LeadAverage, rate_hz: f64) -> LeadQuality {
    let noise_uv = match f64::from(average.noise_uv) {
        noise if noise.is_finite() => noise,
        _ => rough_noise_uv(&channel.samples_uv),
    };
    let mut quality = issues(channel, noise_uv, rate_hz);
    if average.wander_uv > WANDER_UV {
        quality.issues.push(QualityIssue::BaselineWander);
    }
    quality
}

pub(crate) fn lead_without_beats(channel: &Channel, rate_hz: f64) -> LeadQuality {
    issues(channel, rough_noise_uv(&channel.samples_uv), rate_hz)
}

/// Nothing could be measured, so the recording is not usable.
pub(crate) fn without_beats(channels: &[Channel], rate_hz: f64) -> Quality {
    Quality {
        usable: false,
        leads: channels.iter().map(|c| (c.lead, lead_without_beats(c, rate_hz))).collect(),
    }
}

fn issues(channel: &Channel, noise_uv: f64, rate_hz: f64) -> LeadQuality {
    let mut issues = channel.issues.clone();
    if noise_uv > NOISE_UV {
        issues.push(QualityIssue::Noise);
    }
    if has_mains(&channel.samples_uv, rate_hz) {
        issues.push(QualityIssue::Mains);
    }
    LeadQuality { usable: channel.usable && noise_uv <= NOISE_UV_MAX, issues, noise_uv }
}

/// Standard deviation of white noise that would give the mean second difference, without beats.
fn rough_noise_uv(samples_uv: &[f32]) -> f64 {
    let differences = samples_uv.windows(3).map(|w| f64::from((w[0] - 2.0 * w[1] + w[2]).abs()));
    let (sum, count) =
        differences.filter(|d| d.is_finite()).fold((0.0, 0_usize), |(s, n), d| (s + d, n + 1));
    // The mean of |d| is sqrt(2/pi) of its deviation, which is sqrt(6) of the noise's.
    sum / count.max(1) as f64 * 1.2533 / 6f64.sqrt()
}

/// 50 or 60 Hz standing out of its neighbours, over the middle second.
fn has_mains(samples_uv: &[f32], rate_hz: f64) -> bool {
    let second = rate_hz.round() as usize;
    let from = samples_uv.len().saturating_sub(second) / 2;
    let Some(part) = samples_uv.get(from..from + second) else { return false };
    [50.0, 60.0].into_iter().filter(|hz| 2.2 * hz < rate_hz).any(|hz| {
        let here = amplitude_uv(part, hz, rate_hz);
        here > MAINS_UV
            && [hz - 5.0, hz + 5.0]
                .iter()
                .all(|&near| amplitude_uv(part, near, rate_hz) < 0.5 * here)
    })
}

/// Amplitude of one frequency (Goertzel). NaN where there are gaps.
fn amplitude_uv(part: &[f32], hz: f64, rate_hz: f64) -> f64 {
    let angle = std::f64::consts::TAU * hz / rate_hz;
    let factor = 2.0 * angle.cos();
    let (mut a, mut b) = (0.0_f64, 0.0_f64);
    for &x in part {
        (a, b) = (f64::from(x) + factor * a - b, a);
    }
    (a * a + b * b - factor * a * b).max(0.0).sqrt() * 2.0 / part.len() as f64
}

/// Whether every lead is missing for a while between two samples, so that a beat may be too.
pub(crate) fn broken(channels: &[&Channel], from: usize, to: usize, rate_hz: f64) -> bool {
    let long = ((GAP_BREAKS_S * rate_hz) as usize).max(1);
    !channels.is_empty()
        && channels.iter().all(|channel| {
            channel.has_gaps
                && channel.samples_uv[from..to]
                    .chunk_by(|a, b| a.is_nan() == b.is_nan())
                    .any(|run| run.len() >= long && run[0].is_nan())
        })
}

/// The greatest deflection of all leads near a sample, from the level around it.
pub(crate) fn apex(channels: &[&Channel], at: usize, rate_hz: f64) -> usize {
    let (reach, around) = ((0.07 * rate_hz) as usize, (0.12 * rate_hz) as usize);
    let len = channels.first().map_or(0, |c| c.samples_uv.len());
    let (from, to) = (at.saturating_sub(reach), (at + reach + 1).min(len));
    let mut squares = vec![0.0_f32; to.saturating_sub(from)];
    for channel in channels {
        let x = &channel.samples_uv;
        let ends = [x[at.saturating_sub(around)], x[(at + around).min(len - 1)]];
        let level = 0.5 * (ends[0] + ends[1]);
        for (s, x) in squares.iter_mut().zip(&x[from..to]) {
            let d = x - level;
            *s += if d.is_finite() { d * d } else { 0.0 };
        }
    }
    let highest = (0..squares.len()).max_by(|&a, &b| squares[a].total_cmp(&squares[b]));
    from + highest.unwrap_or(at - from)
}
