//! The truth against the signal: what the synthesizer says is what it drew.

#![allow(clippy::unwrap_used)]

use precordia_model::{Lead, Rhythm};
use precordia_synth::{
    BeatKind, FrontalSt, Noise, Pacing, Pattern, QrsShape, Spec, SynthRhythm, Synthetic, synthesize,
};

fn samples(synthetic: &Synthetic, lead: Lead) -> &[f32] {
    &synthetic.recording.rhythm.trace(lead).unwrap().samples_uv
}

/// Sum over a half-open stretch of samples.
fn area(synthetic: &Synthetic, lead: Lead, from: f64, to: f64) -> f64 {
    samples(synthetic, lead)[from.round() as usize..to.round() as usize]
        .iter()
        .map(|&uv| f64::from(uv))
        .sum()
}

/// A few beats at a millisecond a sample.
fn short(leads: Vec<Lead>) -> Spec {
    Spec { leads, sampling_hz: 1000.0, duration_s: 3.0, ..Spec::default() }
}

fn axis_deg(one: f64, avf: f64) -> f64 {
    (avf * 2.0 / 3f64.sqrt()).atan2(one).to_degrees()
}

#[test]
fn the_default_is_ten_seconds_of_twelve_leads_at_500_hz() {
    let made = synthesize(&Spec::default());
    let signal = &made.recording.rhythm;
    assert_eq!((signal.len(), signal.rate.hz(), signal.traces.len()), (5000, 500.0, 12));
    assert!(signal.leads().eq(Lead::TWELVE));
    assert_eq!(made.truth.rhythm, Rhythm::Sinus);
    assert_eq!((made.truth.pr_ms, made.truth.qrs_ms, made.truth.qt_ms), (Some(160.0), 90.0, 380.0));
}

#[test]
fn the_signal_is_zero_outside_the_waves_and_not_zero_just_inside() {
    let made = synthesize(&Spec { sampling_hz: 1000.0, lsb_uv: 0.01, ..Spec::default() });
    let waves: Vec<_> = made.truth.beats.iter().flat_map(|b| [b.p.unwrap(), b.qrs, b.t]).collect();
    for lead in Lead::TWELVE {
        for (i, &uv) in samples(&made, lead).iter().enumerate() {
            let inside = waves.iter().any(|w| (i as f64) > w.onset && (i as f64) < w.offset);
            assert!(inside || uv == 0.0, "{lead} sample {i} is {uv} uV outside every wave");
        }
    }
    for wave in waves.iter().filter(|w| w.onset >= 0.0 && w.offset < 9999.0) {
        for at in [wave.onset as usize + 1, wave.offset as usize - 1] {
            let loudest =
                Lead::TWELVE.iter().map(|&l| samples(&made, l)[at].abs()).fold(0.0, f32::max);
            assert!(loudest > 1.0, "sample {at}: {loudest} uV one millisecond inside a wave");
        }
    }
}

#[test]
fn intervals_are_those_asked_for_at_every_millisecond() {
    for pr_ms in 120..=320 {
        let made = synthesize(&Spec { pr_ms: f64::from(pr_ms), ..short(vec![Lead::II]) });
        let beat = &made.truth.beats[1];
        assert_eq!(beat.qrs.onset - beat.p.unwrap().onset, f64::from(pr_ms));
        // The first sample of the P wave is where the truth says it is.
        let onset = beat.p.unwrap().onset as usize;
        let two = samples(&made, Lead::II);
        assert!(two[onset] == 0.0 && two[onset + 1] > 0.0, "PR {pr_ms} ms");
    }
    for qt_ms in 300..=560 {
        let made = synthesize(&Spec { qt_ms: f64::from(qt_ms), ..short(vec![Lead::II]) });
        let beat = &made.truth.beats[1];
        assert_eq!(beat.t.offset - beat.qrs.onset, f64::from(qt_ms));
        let end = beat.t.offset as usize;
        let two = samples(&made, Lead::II);
        assert!(two[end] == 0.0 && two[end - 1] > 0.0, "QT {qt_ms} ms");
    }
}

#[test]
fn the_mean_rr_between_peaks_is_the_rate_asked_for() {
    for tenths in (395..=1515).step_by(5) {
        let rate_bpm = f64::from(tenths) / 10.0;
        let made = synthesize(&Spec::at_rate(rate_bpm));
        assert_eq!(made.truth.heart_rate_bpm, rate_bpm);
        let peaks = &made.truth.r_peaks;
        let intervals = (peaks.len() - 1) as f64;
        let mean_ms = f64::from(peaks[peaks.len() - 1] - peaks[0]) * 2.0 / intervals;
        assert!(
            (mean_ms - 60_000.0 / rate_bpm).abs() <= 2.0 / intervals,
            "{rate_bpm} /min: mean RR {mean_ms} ms"
        );
    }
}

#[test]
fn p_and_t_never_touch_at_any_usual_rate() {
    for rate in 20..=160 {
        let made = synthesize(&Spec { duration_s: 20.0, ..Spec::at_rate(f64::from(rate)) });
        for pair in made.truth.beats.windows(2) {
            assert!(pair[1].p.unwrap().onset > pair[0].t.offset, "{rate} /min");
        }
    }
}

#[test]
fn r_peaks_are_the_largest_sample_of_the_lead_the_axis_points_along() {
    let made = synthesize(&Spec { qrs_axis_deg: 60.0, ..Spec::default() });
    let two = samples(&made, Lead::II);
    for &r in &made.truth.r_peaks {
        let r = r as usize;
        assert!((r - 40..r + 40).all(|i| two[i] <= two[r]) && two[r] == 1150.0);
    }
}

#[test]
fn each_axis_is_exact_by_area_at_every_degree() {
    for deg in -179..=180 {
        let angle = f64::from(deg);
        let spec = Spec {
            p_axis_deg: angle,
            qrs_axis_deg: angle,
            t_axis_deg: angle,
            lsb_uv: 0.1,
            ..short(vec![Lead::I, Lead::AVF])
        };
        let made = synthesize(&spec);
        let beat = &made.truth.beats[1];
        for wave in [beat.p.unwrap(), beat.qrs, beat.t] {
            let seen = axis_deg(
                area(&made, Lead::I, wave.onset, wave.offset),
                area(&made, Lead::AVF, wave.onset, wave.offset),
            );
            let off = (seen - angle + 540.0).rem_euclid(360.0) - 180.0;
            assert!(off.abs() < 0.1, "{deg} degrees drawn, {seen} seen");
        }
        let truth = made.truth.axis_deg;
        assert_eq!((truth.p, truth.qrs, truth.t), (Some(angle), angle, angle));
    }
}

#[test]
fn einthoven_and_goldberger_hold_within_the_step_also_with_noise() {
    let noise = Noise { wander_uv: 200.0, mains_uv: 50.0, mains_hz: 50.0, muscle_uv: 30.0 };
    let st_frontal = Some(FrontalSt { magnitude_uv: 150.0, axis_deg: 100.0 });
    for rhythm in [SynthRhythm::Sinus, SynthRhythm::AtrialFibrillation { f_wave_uv: 70.0 }] {
        let made = synthesize(&Spec { noise, st_frontal, rhythm, lsb_uv: 0.5, ..Spec::default() });
        for i in 0..5000 {
            let at = |lead| f64::from(samples(&made, lead)[i]);
            let (one, two) = (at(Lead::I), at(Lead::II));
            for (lead, follows) in [
                (Lead::III, two - one),
                (Lead::AVR, -(one + two) / 2.0),
                (Lead::AVL, one - two / 2.0),
                (Lead::AVF, two - one / 2.0),
            ] {
                assert!((at(lead) - follows).abs() <= 0.75 + 1e-9, "{lead} sample {i}");
            }
        }
    }
}

#[test]
fn st_at_the_j_point_is_exact_to_the_microvolt_in_any_single_lead() {
    for lead in Lead::TWELVE {
        for level in [
            -300, -101, -100, -99, -51, -50, -49, -1, 0, 1, 99, 100, 101, 149, 150, 199, 200, 249,
            250, 300,
        ] {
            let made = synthesize(&Spec {
                st_uv: [(lead, f64::from(level))].into(),
                ..short(Lead::TWELVE.to_vec())
            });
            let beat = &made.truth.beats[1];
            for i in beat.qrs.offset.ceil() as usize..=beat.t.onset.floor() as usize {
                assert_eq!(samples(&made, lead)[i], level as f32, "{lead} sample {i}");
            }
            for (other, st) in &made.truth.st_uv {
                assert_eq!(*st, if *other == lead { f64::from(level) } else { 0.0 });
            }
            assert_eq!(made.truth.qt_ms, 380.0);
        }
    }
}

#[test]
fn a_frontal_st_shift_is_seen_by_limb_leads_only() {
    let st_frontal = Some(FrontalSt { magnitude_uv: 200.0, axis_deg: 60.0 });
    let made = synthesize(&Spec { st_frontal, ..Spec::default() });
    let st = &made.truth.st_uv;
    assert!((st[&Lead::II] - 200.0).abs() < 1e-9 && (st[&Lead::III] - 100.0).abs() < 1e-9);
    assert!((st[&Lead::AVR] + 150.0).abs() < 1e-9 && st[&Lead::V2] == 0.0);
}

#[test]
fn atrial_fibrillation_is_irregular_with_the_exact_mean_and_has_no_p() {
    let made = synthesize(&Spec {
        rate_bpm: 90.0,
        qt_ms: 340.0,
        rhythm: SynthRhythm::AtrialFibrillation { f_wave_uv: 60.0 },
        ..Spec::default()
    });
    let peaks = &made.truth.r_peaks;
    let rr: Vec<f64> = peaks.windows(2).map(|w| f64::from(w[1] - w[0]) * 2.0).collect();
    let mean = rr.iter().sum::<f64>() / rr.len() as f64;
    let spread = (rr.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / rr.len() as f64).sqrt();
    assert!((mean - 60_000.0 / 90.0).abs() < 0.3, "mean {mean}");
    assert!(spread / mean > 0.08, "spread {spread} of {mean} ms");
    assert_eq!((made.truth.pr_ms, made.truth.axis_deg.p), (None, None));
    assert!(made.truth.beats.iter().all(|b| b.p.is_none()));
    // Between T and QRS the baseline fibrillates.
    let v1 = &samples(&made, Lead::V1)[..50];
    assert!(v1.iter().any(|&uv| uv > 20.0) || v1.iter().any(|&uv| uv < -20.0));
}

#[test]
fn a_pacing_spike_is_narrow_and_stands_before_each_qrs() {
    let spec = Spec {
        pacing: Pacing::Ventricular { spike_uv: 2500.0 },
        rhythm: SynthRhythm::NoAtria,
        qrs_ms: 160.0,
        qt_ms: 430.0,
        qrs_shape: QrsShape::LeftBundleBranchBlock,
        sampling_hz: 1000.0,
        ..Spec::default()
    };
    let made = synthesize(&spec);
    assert!(made.truth.paced && made.truth.rhythm == Rhythm::Paced);
    let v5 = samples(&made, Lead::V5);
    for beat in &made.truth.beats {
        let onset = beat.qrs.onset as usize;
        let spike: Vec<usize> = (onset - 12..onset).filter(|&i| v5[i] != 0.0).collect();
        assert_eq!(spike, [onset - 6, onset - 5], "two milliseconds, four before the QRS");
        assert_eq!(v5[onset - 6], -2000.0);
    }
}

#[test]
fn ectopic_beats_are_early_wide_and_followed_by_a_full_pause() {
    let made = synthesize(&Spec {
        rhythm: SynthRhythm::SinusWithEctopy { every: 4 },
        duration_s: 20.0,
        ..Spec::default()
    });
    let beats = &made.truth.beats;
    let ectopic: Vec<usize> =
        (0..beats.len()).filter(|&i| beats[i].kind == BeatKind::Ectopic).collect();
    assert!(ectopic.len() >= 4);
    for i in ectopic {
        let (before, after) =
            (beats[i].r_peak - beats[i - 1].r_peak, beats[i + 1].r_peak - beats[i].r_peak);
        assert!(before < after && f64::from(before + after) - 2.0 * 60.0 * 500.0 / 70.0 < 2.0);
        assert!(beats[i].p.is_none() && beats[i].qrs.offset - beats[i].qrs.onset >= 74.0);
    }
}

#[test]
fn equal_specs_give_equal_recordings_and_other_seeds_other_noise() {
    let noisy = Spec::pattern(Pattern::Noisy);
    assert_eq!(synthesize(&noisy), synthesize(&noisy));
    let other = Spec { seed: 2, ..noisy.clone() };
    assert_ne!(synthesize(&noisy).recording.rhythm, synthesize(&other).recording.rhythm);
    assert_eq!(synthesize(&noisy).truth, synthesize(&other).truth);
    assert_ne!(synthesize(&noisy).recording.source_id, synthesize(&other).recording.source_id);
}

#[test]
fn noise_has_the_amplitude_asked_for() {
    let flat = Spec { p_uv: 0.0, qrs_uv: 0.0, t_uv: 0.0, duration_s: 60.0, ..Spec::default() };
    let with = |noise| synthesize(&Spec { noise, ..flat.clone() });
    let peak = |made: &Synthetic| samples(made, Lead::V3).iter().fold(0f32, |a, b| a.max(b.abs()));
    let mains = peak(&with(Noise { mains_uv: 100.0, mains_hz: 60.0, ..Noise::default() }));
    assert!((98.0..=100.0).contains(&mains), "{mains}");
    let wander = peak(&with(Noise { wander_uv: 500.0, ..Noise::default() }));
    assert!((400.0..=500.0).contains(&wander), "{wander}");
    let muscle = with(Noise { muscle_uv: 40.0, ..Noise::default() });
    let squares: f64 = samples(&muscle, Lead::V3).iter().map(|&v| f64::from(v).powi(2)).sum();
    let rms = (squares / 30_000.0).sqrt();
    assert!((39.0..=41.0).contains(&rms), "{rms}");
}

#[test]
fn every_sample_is_a_whole_number_of_steps() {
    for lsb_uv in [0.5, 1.0, 1.25, 2.5, 4.88, 5.0] {
        let made = synthesize(&Spec { lsb_uv, ..Spec::pattern(Pattern::Noisy) });
        for trace in &made.recording.rhythm.traces {
            for &uv in &trace.samples_uv {
                let steps = (f64::from(uv) / lsb_uv).round();
                assert_eq!(uv, (steps * lsb_uv) as f32);
            }
        }
    }
}

#[test]
fn every_pattern_has_its_own_name_and_shows_what_it_says() {
    let names: std::collections::BTreeSet<&str> = Pattern::ALL.iter().map(|p| p.name()).collect();
    assert_eq!(names.len(), Pattern::ALL.len());
    for &pattern in Pattern::ALL {
        assert_eq!(Pattern::parse(pattern.name()), Some(pattern));
        let made = synthesize(&Spec::pattern(pattern));
        let t = &made.truth;
        let shows = match pattern {
            Pattern::SinusRhythm | Pattern::Noisy => {
                t.rhythm == Rhythm::Sinus && (60.0..100.0).contains(&t.heart_rate_bpm)
            }
            Pattern::SinusBradycardia => t.heart_rate_bpm < 60.0,
            Pattern::SinusTachycardia => t.heart_rate_bpm > 100.0,
            Pattern::AtrialFibrillation => t.rhythm == Rhythm::AtrialFibrillation,
            Pattern::Paced => t.paced && t.pr_ms.is_none(),
            Pattern::DualChamberPaced => t.paced && t.pr_ms.is_some(),
            Pattern::VentricularEctopy => t.beats.iter().any(|b| b.kind == BeatKind::Ectopic),
            Pattern::FirstDegreeBlock => t.pr_ms > Some(200.0),
            Pattern::LongQt => t.qt_ms / (t.rr_ms / 1000.0).sqrt() > 500.0,
            Pattern::AnteriorStElevation => {
                t.st_uv[&Lead::V2] >= 250.0 && t.st_uv[&Lead::V3] >= 250.0
            }
            Pattern::InferiorStElevation => {
                t.st_uv[&Lead::AVF] >= 100.0 && t.st_uv[&Lead::III] >= 100.0
            }
            Pattern::StDepression => t.st_uv[&Lead::V4] <= -100.0 && t.st_uv[&Lead::V5] <= -100.0,
            Pattern::LeftAxis => (-90.0..-30.0).contains(&t.axis_deg.qrs),
            Pattern::RightAxis => t.axis_deg.qrs > 90.0,
            Pattern::ExtremeAxis => t.axis_deg.qrs < -90.0,
            Pattern::LeftBundleBranchBlock | Pattern::RightBundleBranchBlock => t.qrs_ms >= 120.0,
            Pattern::JunctionalRhythm => t.pr_ms.is_none() && !t.paced,
        };
        assert!(shows, "{}", pattern.name());
        assert_eq!(made.recording.device_statements.len(), 1);
    }
}

#[test]
fn a_contradiction_is_bent_and_the_truth_says_how() {
    let made = synthesize(&Spec { rate_bpm: 150.0, qt_ms: 900.0, pr_ms: 900.0, ..Spec::default() });
    assert_eq!((made.truth.qt_ms, made.truth.pr_ms), (400.0, Some(305.0)));
    let beat = &made.truth.beats[1];
    assert_eq!((beat.t.offset - beat.qrs.onset) * 2.0, 400.0);
}

#[test]
fn a_blocked_p_wave_stands_alone_and_the_rate_counts_the_beats() {
    let rhythm = SynthRhythm::SecondDegreeBlock { conducted: 2 };
    let made = synthesize(&Spec { rhythm, rate_bpm: 80.0, ..Spec::default() });
    let truth = &made.truth;
    assert_eq!(truth.blocked_p.len(), truth.beats.len() / 2);
    let two = samples(&made, Lead::II);
    for p in &truth.blocked_p {
        let top = (0.5 * (p.onset + p.offset)).round() as usize;
        assert!(two[top] > 100.0, "{p:?}: {} uV", two[top]);
        let after = p.offset.ceil() as usize..(p.onset + 130.0) as usize;
        assert!(two[after].iter().all(|uv| *uv == 0.0), "{p:?}");
    }
    let peaks = &truth.r_peaks;
    let mean = f64::from(peaks[peaks.len() - 1] - peaks[0]) / (peaks.len() - 1) as f64;
    assert!((truth.rr_ms - 2.0 * mean).abs() < 1e-9);
    assert!(truth.heart_rate_bpm < 60.0);
}

#[test]
fn a_sinus_pause_is_two_intervals_long_and_empty() {
    let made = synthesize(&Spec {
        rhythm: SynthRhythm::SinusPauses { beats: 4 },
        rate_bpm: 75.0,
        ..Spec::default()
    });
    let gaps: Vec<u32> = made.truth.r_peaks.windows(2).map(|w| w[1] - w[0]).collect();
    assert!(gaps.contains(&400) && gaps.contains(&800), "{gaps:?}");
    assert!(made.truth.blocked_p.is_empty());
}

#[test]
fn flutter_has_its_waves_in_every_interval_and_no_p() {
    let rhythm = SynthRhythm::AtrialFlutter { wave_uv: 200.0, waves: 4 };
    let made = synthesize(&Spec { rhythm, rate_bpm: 75.0, ..Spec::default() });
    assert!(made.truth.beats.iter().all(|beat| beat.p.is_none()));
    // Four teeth in the 800 ms between two beats: every 100 samples the same level.
    let avf = samples(&made, Lead::AVF);
    let quiet = made.truth.beats[1].t.offset.ceil() as usize + 1;
    let until = made.truth.beats[2].qrs.onset.floor() as usize - 1;
    assert!(until - quiet > 110);
    for i in quiet..until - 100 {
        assert!((avf[i] - avf[i + 100]).abs() <= 4.0, "sample {i}");
    }
    let part = &avf[quiet..quiet + 100];
    let (low, high) =
        part.iter().fold((f32::MAX, f32::MIN), |(low, high), uv| (low.min(*uv), high.max(*uv)));
    assert!(high - low > 150.0, "{low} to {high} uV");
}
