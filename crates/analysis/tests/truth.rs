//! Measurements against the truth of synthesized recordings.

#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
mod wfdb;

use std::collections::BTreeMap;

use precordia_analysis::measure;
use precordia_model::{Lead, Measured, Measurements, MissingReason, QtFormula, Rhythm, SampleRate};
use precordia_synth::{Noise, Pattern, Spec, SynthRhythm, Truth, synthesize};

/// What may be missed, in milliseconds, degrees and microvolts.
#[derive(Clone, Copy)]
struct Tolerance {
    ms: f64,
    deg: f64,
    uv: f64,
}

const CLEAN: Tolerance = Tolerance { ms: 0.4, deg: 0.3, uv: 0.6 };
/// Under noise boundaries are drawn towards where experts would mark them: a little outside the
/// corners of a synthesized wave, since the soft feet of real ones lie there.
const LIGHT_NOISE: Tolerance = Tolerance { ms: 11.0, deg: 3.5, uv: 8.0 };

#[track_caller]
fn near(name: &str, what: &str, got: Measured, wanted: f64, tolerance: f64) {
    match got {
        Measured::Value(got) => {
            assert!((got - wanted).abs() <= tolerance, "{name}: {what} {got} instead of {wanted}");
        }
        Measured::Missing(reason) => panic!("{name}: {what} missing: {}", reason.name()),
    }
}

#[track_caller]
fn agree(name: &str, measured: &Measurements, truth: &Truth, tolerance: Tolerance) {
    let Tolerance { ms, deg, uv } = tolerance;
    assert_eq!(measured.rhythm, truth.rhythm, "{name}");
    assert_eq!(measured.r_peaks.len(), truth.r_peaks.len(), "{name}: beats");
    near(name, "rate", measured.heart_rate_bpm, truth.heart_rate_bpm, 0.05);
    near(name, "QRS", measured.qrs_ms, truth.qrs_ms, ms);
    near(name, "QT", measured.qt_ms, truth.qt_ms, ms);
    near(name, "QRS axis", measured.axis_deg.qrs, truth.axis_deg.qrs, deg);
    near(name, "T axis", measured.axis_deg.t, truth.axis_deg.t, deg);
    for (lead, level) in &truth.st_uv {
        near(name, lead.name(), measured.st_uv[lead], *level, uv);
    }
    match (truth.pr_ms, truth.rhythm) {
        (Some(pr_ms), Rhythm::Sinus) => {
            near(name, "PR", measured.pr_ms, pr_ms, ms);
            // Two soft boundaries and nothing else.
            near(name, "P", measured.p_ms, truth.p_ms.unwrap(), 1.5 * ms);
            near(name, "P axis", measured.axis_deg.p, truth.axis_deg.p.unwrap(), deg);
        }
        _ => {
            assert!(measured.pr_ms.value().is_none(), "{name}: PR without P waves");
            assert!(measured.p_ms.value().is_none(), "{name}: P without P waves");
        }
    }
}

#[test]
fn clean_recordings_are_measured_to_a_fraction_of_a_sample() {
    for sampling_hz in [250.0, 500.0, 600.0, 1000.0, 2000.0] {
        for rate_bpm in [40.0, 55.5, 75.0, 100.0, 130.0, 160.0] {
            let synthetic = synthesize(&Spec { sampling_hz, ..Spec::at_rate(rate_bpm) });
            let name = format!("{sampling_hz} Hz, {rate_bpm} /min");
            // A beat stands on a sample; the truth of the rate does not.
            agree(&name, &measure(&synthetic.recording), &synthetic.truth, CLEAN);
        }
    }
}

#[test]
fn slow_sampling_costs_a_millisecond_or_two() {
    for sampling_hz in [100.0, 125.0, 128.0, 150.0, 200.0] {
        let synthetic = synthesize(&Spec { sampling_hz, ..Spec::default() });
        let tolerance = Tolerance { ms: 0.3 * 1000.0 / sampling_hz, deg: 2.0, uv: 8.0 };
        agree(
            &format!("{sampling_hz} Hz"),
            &measure(&synthetic.recording),
            &synthetic.truth,
            tolerance,
        );
    }
}

#[test]
fn intervals_are_right_over_their_range() {
    let mut specs = BTreeMap::new();
    for pr_ms in [120.0, 140.0, 200.0, 250.0, 330.0] {
        specs.insert(
            format!("PR {pr_ms}"),
            Spec { pr_ms, p_ms: 95.0, rate_bpm: 60.0, ..Spec::default() },
        );
    }
    for qrs_ms in [60.0, 75.0, 110.0, 130.0, 180.0] {
        specs.insert(format!("QRS {qrs_ms}"), Spec { qrs_ms, qt_ms: 420.0, ..Spec::default() });
    }
    for qt_ms in [300.0, 350.0, 450.0, 520.0, 600.0] {
        specs.insert(format!("QT {qt_ms}"), Spec { qt_ms, rate_bpm: 55.0, ..Spec::default() });
    }
    for deg in (-170..=180).step_by(35) {
        let spec = Spec {
            qrs_axis_deg: f64::from(deg),
            t_axis_deg: f64::from(-deg),
            p_axis_deg: f64::from(deg / 2),
            ..Spec::default()
        };
        specs.insert(format!("axes {deg}"), spec);
    }
    for (name, spec) in specs {
        let synthetic = synthesize(&spec);
        agree(&name, &measure(&synthetic.recording), &synthetic.truth, CLEAN);
    }
}

#[test]
fn the_hearts_of_the_demo_are_measured_under_their_light_noise() {
    for &pattern in Pattern::ALL {
        // Fibrillation and poor quality are looked at below; ST shifts turn the QRS axis a little.
        if matches!(pattern, Pattern::AtrialFibrillation | Pattern::Noisy) {
            continue;
        }
        let synthetic = synthesize(&Spec::pattern(pattern));
        let tolerance = match pattern {
            Pattern::InferiorStElevation => Tolerance { deg: 8.0, ..LIGHT_NOISE },
            _ => LIGHT_NOISE,
        };
        agree(pattern.name(), &measure(&synthetic.recording), &synthetic.truth, tolerance);
    }
}

#[test]
fn fibrillation_has_a_rate_and_no_pr() {
    for seed in 0..12 {
        for f_wave_uv in [0.0, 30.0, 60.0] {
            let rhythm = SynthRhythm::AtrialFibrillation { f_wave_uv };
            let spec = Spec { rhythm, rate_bpm: 84.0, qt_ms: 340.0, seed, ..Spec::default() };
            let synthetic = synthesize(&spec);
            let measured = measure(&synthetic.recording);
            let name = format!("seed {seed}, f waves {f_wave_uv} uV");
            assert_eq!(measured.rhythm, Rhythm::AtrialFibrillation, "{name}");
            assert_eq!(measured.pr_ms, Measured::Missing(MissingReason::Rhythm), "{name}");
            assert_eq!(measured.axis_deg.p, Measured::Missing(MissingReason::Rhythm), "{name}");
            near(&name, "rate", measured.heart_rate_bpm, 84.0, 0.1);
            near(&name, "QRS", measured.qrs_ms, synthetic.truth.qrs_ms, 8.0);
        }
    }
}

#[test]
fn wander_does_not_bend_the_st_segment() {
    for seed in 0..6 {
        let noise = Noise { wander_uv: 500.0, ..Noise::default() };
        let st_uv = [(Lead::V4, 120.0), (Lead::V5, -80.0)].into();
        let synthetic = synthesize(&Spec { noise, st_uv, seed, ..Spec::default() });
        let measured = measure(&synthetic.recording);
        for (lead, level) in &synthetic.truth.st_uv {
            near(&format!("seed {seed}"), lead.name(), measured.st_uv[lead], *level, 12.0);
        }
        near("wander", "QT", measured.qt_ms, synthetic.truth.qt_ms, 14.0);
    }
}

#[test]
fn noise_makes_values_worse_slowly_and_then_absent() {
    for (muscle_uv, ms) in [(10.0, 9.0), (20.0, 12.0), (40.0, 24.0)] {
        for seed in 0..8 {
            let noise = Noise { muscle_uv, ..Noise::default() };
            let synthetic = synthesize(&Spec { noise, seed, ..Spec::default() });
            let (measured, truth) = (measure(&synthetic.recording), synthetic.truth);
            let name = format!("{muscle_uv} uV, seed {seed}");
            assert_eq!(measured.r_peaks.len(), truth.r_peaks.len(), "{name}");
            for (what, got, wanted) in [
                ("PR", measured.pr_ms, truth.pr_ms.unwrap()),
                ("QRS", measured.qrs_ms, truth.qrs_ms),
                ("QT", measured.qt_ms, truth.qt_ms),
            ] {
                if let Measured::Value(got) = got {
                    assert!((got - wanted).abs() <= ms, "{name}: {what} {got} instead of {wanted}");
                }
            }
        }
    }
}

#[test]
fn premature_beats_count_for_the_rate_and_not_for_the_intervals() {
    let rhythm = SynthRhythm::SinusWithEctopy { every: 3 };
    let synthetic = synthesize(&Spec { rhythm, ..Spec::default() });
    let measured = measure(&synthetic.recording);
    agree("trigeminy", &measured, &synthetic.truth, CLEAN);
    for &beat in &measured.beats_used {
        let at = measured.r_peaks[beat as usize];
        let truth = synthetic.truth.beats.iter().find(|b| b.r_peak.abs_diff(at) < 20).unwrap();
        assert_eq!(truth.kind, precordia_synth::BeatKind::Normal);
    }
}

#[test]
fn r_peaks_and_fiducials_lie_where_the_waves_are() {
    let synthetic = synthesize(&Spec { sampling_hz: 1000.0, ..Spec::default() });
    let measured = measure(&synthetic.recording);
    let f = measured.fiducials;
    for (peak, beat) in measured.r_peaks.iter().zip(&synthetic.truth.beats) {
        // The R peak is that of all leads together.
        assert!(peak.abs_diff(beat.r_peak) <= 25);
        let place = |offset: Option<i32>| f64::from(*peak) + f64::from(offset.unwrap());
        let p = beat.p.unwrap();
        for (got, wanted) in [
            (place(f.p_onset), p.onset),
            (place(f.p_offset), p.offset),
            (place(f.qrs_onset), beat.qrs.onset),
            (place(f.qrs_offset), beat.qrs.offset),
            (place(f.t_offset), beat.t.offset),
        ] {
            assert!((got - wanted).abs() <= 1.0, "{got} instead of {wanted}");
        }
        assert!((beat.t.onset..beat.t.offset).contains(&place(f.t_peak)));
    }
}

#[test]
fn corrected_qt_follows_from_qt_and_rr() {
    let measured = measure(&synthesize(&Spec { rate_bpm: 90.0, ..Spec::default() }).recording);
    let (qt, rr_s) = (measured.qt_ms.value().unwrap(), measured.rr_ms.value().unwrap() / 1000.0);
    for (formula, wanted) in [
        (QtFormula::Bazett, qt / rr_s.sqrt()),
        (QtFormula::Fridericia, qt / rr_s.cbrt()),
        (QtFormula::Framingham, qt + 154.0 * (1.0 - rr_s)),
        (QtFormula::Hodges, qt + 1.75 * (60.0 / rr_s - 60.0)),
    ] {
        near("90 /min", formula.name(), measured.qtc(formula), wanted, 1e-9);
    }
}

/// Waves that begin and end softly, as those of filtered recordings do.
#[test]
fn rounded_waves_are_measured_to_a_few_milliseconds() {
    let bump = |t: f64, on: f64, off: f64| {
        let part = ((t - on) / (off - on)).clamp(0.0, 1.0);
        0.5 - 0.5 * (std::f64::consts::TAU * part).cos()
    };
    for hz in [500.0, 1000.0] {
        let lead = |k: usize| {
            let sample = |i: usize| {
                let since = (i as f64 * 1000.0 / hz - 300.0).rem_euclid(860.0);
                let t = if since > 600.0 { since - 860.0 } else { since };
                let qrs = 1200.0 * bump(t, 20.0, 66.0)
                    - 120.0 * bump(t, 0.0, 24.0)
                    - 300.0 * bump(t, 60.0, 90.0);
                let beat = qrs + 120.0 * bump(t, -160.0, -60.0) + 300.0 * bump(t, 200.0, 380.0);
                (beat * (1.0 - 0.15 * k as f64)).round() as f32
            };
            (Lead::TWELVE[k], (0..(10.0 * hz) as usize).map(sample).collect())
        };
        let rate = SampleRate::from_hz(hz).unwrap();
        let measured = measure(&wfdb::recording(rate, (0..12).map(lead).collect()));
        assert_eq!(measured.rhythm, Rhythm::Sinus);
        for (what, got, wanted) in [
            ("P", measured.p_ms, 100.0),
            ("PR", measured.pr_ms, 160.0),
            ("QRS", measured.qrs_ms, 90.0),
            ("QT", measured.qt_ms, 380.0),
        ] {
            near(&format!("{hz} Hz"), what, got, wanted, 3.0);
        }
    }
}
