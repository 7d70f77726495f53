//! What is in the signal and not from the ventricles or a single P wave: fibrillation of the atria,
//! movement, mains, muscle.

use std::f64::consts::TAU;

use precordia_model::Lead;

use crate::random::Random;
use crate::{Noise, Spec, SynthRhythm, lead};

const STREAM_NOISE: u64 = 100;
const STREAM_ATRIA: u64 = 200;

/// Noise of one lead that stands on its own, or of a limb lead that follows from I and II.
pub fn noise_uv(spec: &Spec, lead: Lead, samples: usize) -> Vec<f64> {
    let Noise { wander_uv, mains_uv, muscle_uv, .. } = spec.noise;
    if wander_uv == 0.0 && mains_uv == 0.0 && muscle_uv == 0.0 {
        return vec![0.0; samples];
    }
    let own = |lead: Lead| own_noise_uv(spec, lead, samples);
    let mix = |a: f64, b: f64| -> Vec<f64> {
        own(Lead::I).iter().zip(own(Lead::II)).map(|(one, two)| a * one + b * two).collect()
    };
    match lead {
        Lead::III => mix(-1.0, 1.0),
        Lead::AVR => mix(-0.5, -0.5),
        Lead::AVL => mix(1.0, -0.5),
        Lead::AVF => mix(-0.5, 1.0),
        _ => own(lead),
    }
}

fn own_noise_uv(spec: &Spec, lead: Lead, samples: usize) -> Vec<f64> {
    let Noise { wander_uv, mains_uv, mains_hz, muscle_uv } = spec.noise;
    let mut random = Random::stream(spec.seed, STREAM_NOISE + u64::from(lead.scp_id()));
    let slow =
        [(random.between(0.15, 0.25), random.unit()), (random.between(0.25, 0.35), random.unit())];
    let mains_phase = random.unit();
    (0..samples)
        .map(|i| {
            let t = i as f64 / spec.sampling_hz;
            let wander: f64 =
                slow.iter().map(|(hz, phase)| 0.5 * (TAU * (hz * t + phase)).sin()).sum();
            let mains = (TAU * (mains_hz * t + mains_phase)).sin();
            wander_uv * wander + mains_uv * mains + muscle_uv * random.normal()
        })
        .collect()
}

/// What the atria do that is not a P wave.
pub fn atria_uv(spec: &Spec, lead: Lead, samples: usize) -> Vec<f64> {
    match spec.rhythm {
        SynthRhythm::AtrialFibrillation { f_wave_uv } => {
            fibrillation_uv(spec, f_wave_uv, lead, samples)
        }
        SynthRhythm::AtrialFlutter { wave_uv, waves } => {
            flutter_uv(spec, wave_uv, waves, lead, samples)
        }
        _ => vec![0.0; samples],
    }
}

/// Saw teeth: a slow fall over seven tenths of a wave and a quick rise.
fn flutter_uv(spec: &Spec, wave_uv: f64, waves: u32, lead: Lead, samples: usize) -> Vec<f64> {
    let height = if wave_uv.is_finite() { wave_uv.clamp(0.0, 2000.0) } else { 0.0 };
    let seen = lead::frontal(lead, 100.0).unwrap_or(match lead {
        Lead::V1 | Lead::V2R | Lead::V3R => -0.6,
        _ => 0.2,
    });
    let hz = spec.rate_bpm / 60.0 * f64::from(waves.clamp(1, 8));
    let tooth = |i: usize| {
        let phase = (i as f64 / spec.sampling_hz * hz).fract();
        if phase < 0.7 { 0.5 - phase / 0.7 } else { (phase - 0.7) / 0.3 - 0.5 }
    };
    (0..samples).map(|i| height * seen * tooth(i)).collect()
}

/// Fibrillatory waves: three close frequencies about 6 Hz, largest in V1.
fn fibrillation_uv(spec: &Spec, f_wave_uv: f64, lead: Lead, samples: usize) -> Vec<f64> {
    let height = if f_wave_uv.is_finite() { f_wave_uv.clamp(0.0, 2000.0) } else { 0.0 };
    let seen = lead::frontal(lead, 70.0).unwrap_or(match lead {
        Lead::V1 | Lead::V2R | Lead::V3R => 1.5,
        Lead::V2 => 1.0,
        _ => 0.4,
    });
    let mut random = Random::stream(spec.seed, STREAM_ATRIA);
    let parts: Vec<(f64, f64)> =
        [5.2, 6.3, 7.6].iter().map(|hz| (hz + random.between(-0.3, 0.3), random.unit())).collect();
    (0..samples)
        .map(|i| {
            let t = i as f64 / spec.sampling_hz;
            let sum: f64 = parts.iter().map(|(hz, phase)| (TAU * (hz * t + phase)).sin()).sum();
            height * seen * sum / 2.0
        })
        .collect()
}
