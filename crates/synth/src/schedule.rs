//! When the beats come.

use crate::random::Random;
use crate::wave::Timing;
use crate::{BeatKind, Spec, SynthRhythm};

const STREAM_RR: u64 = 1;

/// A beat with its R apex on a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    pub r_peak: u32,
    pub kind: BeatKind,
}

/// The beats of a recording, and where the R apex of a beat would stand whose P wave is not
/// followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub beats: Vec<Planned>,
    pub blocked: Vec<u32>,
}

/// All beats whose QRS lies wholly within the recording. The spec must be drawable.
pub fn plan(spec: &Spec, normal: &Timing, samples: usize) -> Plan {
    let all = beats(spec, normal, samples);
    let left_out = match spec.rhythm {
        SynthRhythm::SecondDegreeBlock { conducted } => conducted,
        SynthRhythm::SinusPauses { beats } => beats,
        _ => return Plan { beats: all, blocked: Vec::new() },
    };
    let every = (left_out.max(1) as usize).saturating_add(1);
    let (missing, beats): (Vec<_>, Vec<_>) =
        all.into_iter().enumerate().partition(|(k, _)| k % every == every - 1);
    let atria_beat = matches!(spec.rhythm, SynthRhythm::SecondDegreeBlock { .. });
    let blocked = missing.into_iter().filter(|_| atria_beat).map(|(_, beat)| beat.r_peak);
    Plan { beats: beats.into_iter().map(|(_, beat)| beat).collect(), blocked: blocked.collect() }
}

fn beats(spec: &Spec, normal: &Timing, samples: usize) -> Vec<Planned> {
    let period_ms = 1000.0 / spec.sampling_hz;
    let rr_ms = 60_000.0 / spec.rate_bpm;
    let first_wave_ms = -normal.p.map_or(normal.qrs_on - 60.0, |(on, _)| on);
    let start_ms = ((first_wave_ms + 60.0) / period_ms).ceil() * period_ms;
    let end_ms = samples as f64 * period_ms - normal.qrs_off.max(0.0) - 2.0 * period_ms;
    if end_ms < start_ms {
        return Vec::new();
    }
    let beats = ((end_ms - start_ms) / rr_ms).floor() as usize + 1;
    let on_sample = |ms: f64, kind| Planned { r_peak: (ms / period_ms).round() as u32, kind };

    match spec.rhythm {
        SynthRhythm::AtrialFibrillation { .. } => irregular_ms(spec.seed, beats, rr_ms)
            .into_iter()
            .map(|ms| on_sample(start_ms + ms, BeatKind::Normal))
            .collect(),
        SynthRhythm::SinusWithEctopy { every } => (0..beats)
            .map(|k| {
                let due_ms = start_ms + k as f64 * rr_ms;
                // The first and last beat are on time, so that the mean RR stays exact.
                if every >= 2 && k % every as usize == every as usize - 1 && k + 1 < beats {
                    on_sample(due_ms - 0.36 * rr_ms, BeatKind::Ectopic)
                } else {
                    on_sample(due_ms, BeatKind::Normal)
                }
            })
            .collect(),
        SynthRhythm::Sinus
        | SynthRhythm::NoAtria
        | SynthRhythm::AtrialFlutter { .. }
        | SynthRhythm::SecondDegreeBlock { .. }
        | SynthRhythm::SinusPauses { .. } => {
            (0..beats).map(|k| on_sample(start_ms + k as f64 * rr_ms, BeatKind::Normal)).collect()
        }
    }
}

/// Times from the first beat, of irregular intervals whose mean is exact: each between 0.65 and
/// 1.45 of the mean.
fn irregular_ms(seed: u64, beats: usize, rr_ms: f64) -> Vec<f64> {
    let mut random = Random::stream(seed, STREAM_RR);
    let raw: Vec<f64> = (1..beats).map(|_| random.between(0.74, 1.26)).collect();
    let mean = raw.iter().sum::<f64>() / raw.len().max(1) as f64;
    let factors = raw.iter().map(|f| 1.0 + (f / mean - 1.0).clamp(-0.35, 0.45));
    let mut times = vec![0.0];
    for factor in factors {
        times.push(times.last().copied().unwrap_or(0.0) + factor * rr_ms);
    }
    // What clamping took from the mean is given back evenly.
    let (wanted, got) = ((beats.max(1) - 1) as f64 * rr_ms, times.last().copied().unwrap_or(0.0));
    if got > 0.0 {
        for time in &mut times {
            *time *= wanted / got;
        }
    }
    times
}
