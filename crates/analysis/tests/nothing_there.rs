//! An interval that does not exist is not reported: no PR without conducted P waves, no QT without
//! a T wave, nothing at all without beats.

#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
mod wfdb;

use precordia_analysis::measure;
use precordia_model::{Lead, Measured, Measurements, SampleRate, Wave, WaveName};
use precordia_synth::{Noise, Pacing, QrsShape, Random, Spec, SynthRhythm, synthesize};

fn quiet() -> Noise {
    Noise { wander_uv: 25.0, mains_uv: 3.0, mains_hz: 50.0, muscle_uv: 8.0 }
}

#[track_caller]
fn no_pr(name: &str, measured: &Measurements) {
    for (what, value) in
        [("PR", measured.pr_ms), ("P", measured.p_ms), ("P axis", measured.axis_deg.p)]
    {
        assert!(value.value().is_none(), "{name}: {what} {value:?}");
    }
    for waves in measured.waves.leads.values() {
        for wave in [WaveName::P, WaveName::P2] {
            assert!(!matches!(waves.waves[&wave], Wave::Found(_)), "{name}: {wave:?}");
        }
    }
}

#[track_caller]
fn no_qt(name: &str, measured: &Measurements) {
    assert!(measured.qt_ms.value().is_none(), "{name}: QT {:?}", measured.qt_ms);
    let jt = measured.waves.jt_ms.and_then(Measured::value);
    assert!(jt.is_none(), "{name}: JT {jt:?}");
    for waves in measured.waves.leads.values() {
        assert!(waves.qt_ms.value().is_none(), "{name}: QT of a lead");
        for wave in [WaveName::T, WaveName::T2] {
            assert!(!matches!(waves.waves[&wave], Wave::Found(_)), "{name}: {wave:?}");
        }
    }
}

#[test]
fn without_conducted_p_waves_there_is_no_pr() {
    for seed in 0..10 {
        let fibrillation = SynthRhythm::AtrialFibrillation { f_wave_uv: 50.0 };
        let wide = QrsShape::LeftBundleBranchBlock;
        let pacing = Pacing::Ventricular { spike_uv: 2500.0 };
        for (what, spec) in [
            ("fibrillation", Spec { rhythm: fibrillation, qt_ms: 340.0, ..Spec::default() }),
            ("no atria", Spec { rhythm: SynthRhythm::NoAtria, ..Spec::default() }),
            (
                "ventricular pacing",
                Spec {
                    rhythm: SynthRhythm::NoAtria,
                    pacing,
                    qrs_shape: wide,
                    qrs_ms: 160.0,
                    qt_ms: 430.0,
                    ..Spec::default()
                },
            ),
        ] {
            let spec = Spec { seed, noise: quiet(), ..spec };
            no_pr(&format!("{what}, seed {seed}"), &measure(&synthesize(&spec).recording));
        }
    }
}

#[test]
fn without_a_t_wave_there_is_no_qt() {
    for seed in 0..10 {
        for rate_bpm in [50.0, 70.0, 95.0] {
            for noise in [Noise::default(), quiet()] {
                let spec = Spec { t_uv: 0.0, rate_bpm, seed, noise, ..Spec::default() };
                let name = format!("flat T, {rate_bpm} /min, seed {seed}");
                no_qt(&name, &measure(&synthesize(&spec).recording));
            }
        }
    }
}

#[test]
fn without_beats_there_is_nothing() {
    for hz in [250.0, 500.0] {
        let rate = SampleRate::from_hz(hz).unwrap();
        let length = (10.0 * hz) as usize;
        for seed in 0..20 {
            for (what, noise_uv, wander_uv) in [
                ("asystole", 0.0, 0.0),
                ("asystole with wander", 6.0, 150.0),
                ("noise", 120.0, 0.0),
            ] {
                let lead = |(k, lead): (u64, Lead)| {
                    let mut random = Random::stream(seed, k);
                    let turn = random.between(0.0, 6.0);
                    let sample = |i: usize| {
                        let slow = (1.4 * i as f64 / hz + turn).sin() * wander_uv;
                        (slow + random.between(-noise_uv, noise_uv)) as f32
                    };
                    (lead, (0..length).map(sample).collect())
                };
                let leads = (0_u64..).zip(Lead::TWELVE).map(lead).collect();
                let measured = measure(&wfdb::recording(rate, leads));
                let name = format!("{what}, {hz} Hz, seed {seed}");
                no_pr(&name, &measured);
                no_qt(&name, &measured);
                assert!(measured.qrs_ms.value().is_none(), "{name}: QRS {:?}", measured.qrs_ms);
            }
        }
    }
}
