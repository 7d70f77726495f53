//! Whatever is asked for, something is drawn, and its truth is consistent.

#![allow(clippy::unwrap_used)]

use precordia_model::Lead;
use precordia_synth::{FrontalSt, Noise, Pacing, QrsShape, Spec, SynthRhythm, synthesize};
use proptest::prelude::*;

/// Mostly sensible, sometimes absurd.
fn number(low: f64, high: f64) -> impl Strategy<Value = f64> {
    prop_oneof![8 => low..high, 1 => any::<f64>(), 1 => Just(0.0)]
}

fn rhythm() -> impl Strategy<Value = SynthRhythm> {
    prop_oneof![
        Just(SynthRhythm::Sinus),
        Just(SynthRhythm::NoAtria),
        (0u32..9).prop_map(|every| SynthRhythm::SinusWithEctopy { every }),
        (0u32..9).prop_map(|conducted| SynthRhythm::SecondDegreeBlock { conducted }),
        (0u32..9).prop_map(|beats| SynthRhythm::SinusPauses { beats }),
        (number(0.0, 300.0), 0u32..9)
            .prop_map(|(wave_uv, waves)| SynthRhythm::AtrialFlutter { wave_uv, waves }),
        number(0.0, 200.0).prop_map(|f_wave_uv| SynthRhythm::AtrialFibrillation { f_wave_uv }),
    ]
}

fn pacing() -> impl Strategy<Value = Pacing> {
    prop_oneof![
        Just(Pacing::None),
        number(0.0, 5000.0).prop_map(|spike_uv| Pacing::Ventricular { spike_uv }),
        number(0.0, 5000.0).prop_map(|spike_uv| Pacing::DualChamber { spike_uv }),
    ]
}

fn spec() -> impl Strategy<Value = Spec> {
    let times = (
        number(20.0, 250.0),
        rhythm(),
        number(40.0, 150.0),
        number(80.0, 400.0),
        number(40.0, 220.0),
        number(200.0, 600.0),
    );
    let sizes = (
        number(-180.0, 180.0),
        number(0.0, 3000.0),
        number(0.0, 800.0),
        number(-400.0, 400.0),
        pacing(),
    );
    let frame = (
        number(100.0, 2000.0),
        0.0..6.0f64,
        any::<u64>(),
        number(0.5, 5.0),
        0usize..3,
        number(0.0, 300.0),
    );
    (times, sizes, frame).prop_map(|(times, sizes, frame)| {
        let (rate_bpm, rhythm, p_ms, pr_ms, qrs_ms, qt_ms) = times;
        let (angle, qrs_uv, t_uv, st, pacing) = sizes;
        let (sampling_hz, duration_s, seed, lsb_uv, shape, noise) = frame;
        Spec {
            rate_bpm,
            rhythm,
            p_ms,
            pr_ms,
            qrs_ms,
            qt_ms,
            qrs_uv,
            t_uv,
            p_axis_deg: angle,
            qrs_axis_deg: angle,
            t_axis_deg: angle,
            qrs_shape: [
                QrsShape::Normal,
                QrsShape::LeftBundleBranchBlock,
                QrsShape::RightBundleBranchBlock,
            ][shape],
            st_frontal: Some(FrontalSt { magnitude_uv: st, axis_deg: angle }),
            st_uv: [(Lead::V2, st)].into(),
            noise: Noise { wander_uv: noise, mains_uv: noise, mains_hz: 60.0, muscle_uv: noise },
            pacing,
            sampling_hz,
            duration_s,
            seed,
            leads: Lead::ALL.to_vec(),
            lsb_uv,
            ..Spec::default()
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_spec_gives_a_recording_and_a_consistent_truth(spec in spec()) {
        let made = synthesize(&spec);
        let signal = &made.recording.rhythm;
        let samples = signal.len() as f64;
        prop_assert!(signal.traces.iter().all(|t| t.samples_uv.len() == signal.len()));
        prop_assert!(signal.traces.iter().flat_map(|t| &t.samples_uv).all(|uv| uv.is_finite()));
        let truth = &made.truth;
        prop_assert!(truth.r_peaks.windows(2).all(|w| w[0] < w[1]), "{:?}", truth.r_peaks);
        for beat in &truth.beats {
            let r = f64::from(beat.r_peak);
            prop_assert!(beat.qrs.onset < r && r < beat.qrs.offset, "{beat:?}");
            prop_assert!(beat.qrs.onset >= 0.0 && beat.qrs.offset < samples, "{beat:?}");
            prop_assert!(beat.qrs.offset < beat.t.onset && beat.t.onset < beat.t.offset, "{beat:?}");
            if let Some(p) = beat.p {
                prop_assert!(p.onset < p.offset && p.offset < beat.qrs.onset, "{beat:?}");
            }
        }
        for axis in [truth.axis_deg.p.unwrap_or(0.0), truth.axis_deg.qrs, truth.axis_deg.t] {
            prop_assert!(axis > -180.0 && axis <= 180.0);
        }
    }
}
