//! Bad, short, partial and meaningless signals: no value that looks right and is wrong, no panic.

#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
mod wfdb;

use precordia_analysis::{
    Limits, MEASURE_VERSION, RhythmEvidence, Subject, delineate, flag, measure, state,
};
use precordia_model::{
    FlagCode, Lead, Measured, Measurements, MissingReason, QtFormula, QualityIssue, Recording,
    Rhythm, SampleRate,
};
use precordia_synth::{Noise, Random, Spec, synthesize};
use proptest::prelude::*;

fn rate(hz: f64) -> SampleRate {
    SampleRate::from_hz(hz).unwrap()
}

fn intervals(m: &Measurements) -> Vec<Measured> {
    let mut all = vec![m.heart_rate_bpm, m.rr_ms, m.p_ms, m.pr_ms, m.qrs_ms, m.qt_ms];
    all.extend([m.axis_deg.p, m.axis_deg.qrs, m.axis_deg.t]);
    all.extend(m.qtc_ms.values());
    all.extend(m.st_uv.values());
    all
}

#[track_caller]
fn nothing(recording: &Recording, reason: MissingReason) {
    let m = measure(recording);
    for value in intervals(&m) {
        assert_eq!(value, Measured::Missing(reason));
    }
    assert!(!m.quality.usable && m.r_peaks.is_empty() && m.beats_used.is_empty());
    assert_eq!(
        (m.rhythm, m.paced, m.version.as_str()),
        (Rhythm::Undetermined, false, MEASURE_VERSION)
    );
    assert_eq!((m.qtc_ms.len(), m.st_uv.len() >= 12), (QtFormula::ALL.len(), true));
    let report = flag(&m, Subject::default(), &Limits::default());
    assert!(report.flags.is_empty() && report.not_evaluated.len() == FlagCode::ALL.len());
}

fn twelve(hz: f64, samples: usize, mut value: impl FnMut(usize, usize) -> f32) -> Recording {
    let traces = Lead::TWELVE
        .iter()
        .enumerate()
        .map(|(k, &lead)| (lead, (0..samples).map(|i| value(k, i)).collect()));
    wfdb::recording(rate(hz), traces.collect())
}

#[test]
fn nothing_is_measured_where_there_is_nothing() {
    nothing(&wfdb::recording(rate(500.0), Vec::new()), MissingReason::OutOfScope);
    nothing(&twelve(500.0, 0, |_, _| 0.0), MissingReason::OutOfScope);
    nothing(&twelve(500.0, 1, |_, _| 0.0), MissingReason::OutOfScope);
    nothing(&twelve(500.0, 5000, |_, _| 0.0), MissingReason::PoorQuality);
    nothing(&twelve(500.0, 5000, |_, _| -3000.0), MissingReason::PoorQuality);
    nothing(&twelve(500.0, 5000, |_, _| f32::NAN), MissingReason::PoorQuality);
    nothing(&twelve(500.0, 5000, |_, _| f32::INFINITY), MissingReason::PoorQuality);
    nothing(
        &twelve(500.0, 5000, |k, i| if (i + k) % 3 == 0 { 1.0 } else { f32::NAN }),
        MissingReason::PoorQuality,
    );
}

#[test]
fn rates_and_durations_outside_the_method_are_refused() {
    let recording = |sampling_hz, duration_s| {
        synthesize(&Spec { sampling_hz, duration_s, ..Spec::default() }).recording
    };
    nothing(&recording(99.0, 10.0), MissingReason::OutOfScope);
    nothing(&recording(4001.0, 4.0), MissingReason::OutOfScope);
    nothing(&recording(500.0, 2.4), MissingReason::OutOfScope);
    for (hz, s) in [(100.0, 10.0), (4000.0, 3.0), (500.0, 2.5)] {
        assert!(measure(&recording(hz, s)).qrs_ms.value().is_some(), "{hz} Hz, {s} s");
    }
}

#[test]
fn noise_alone_has_no_beats_rate_or_intervals() {
    for seed in 0..40 {
        for leads in [1, 2, 12] {
            let mut random = Random::stream(seed, 9);
            let mut signal = twelve(500.0, 5000, |_, _| 100.0 * random.normal() as f32);
            signal.rhythm.traces.truncate(leads);
            let m = measure(&signal);
            assert!(
                intervals(&m).iter().all(|v| v.value().is_none()),
                "seed {seed}, {leads} leads: {m:?}"
            );
            assert!(!m.quality.usable);
        }
    }
}

#[test]
fn slow_noise_and_mains_have_no_beats_either() {
    for seed in 0..20 {
        let mut random = Random::stream(seed, 10);
        let mut walk = [0.0_f32; 12];
        let slow = twelve(500.0, 5000, |k, _| {
            walk[k] = 0.98 * walk[k] + 20.0 * random.normal() as f32;
            walk[k]
        });
        let m = measure(&slow);
        assert!(m.pr_ms.value().is_none() && m.qt_ms.value().is_none(), "seed {seed}: {m:?}");
    }
    let mains = twelve(500.0, 5000, |_, i| 400.0 * (i as f32 * std::f32::consts::TAU / 10.0).sin());
    assert!(intervals(&measure(&mains)).iter().all(|v| v.value().is_none()));
}

fn without(mut recording: Recording, gone: impl Fn(Lead) -> bool) -> Recording {
    recording.rhythm.traces.retain(|t| !gone(t.lead));
    recording
}

#[test]
fn any_number_of_leads_is_enough_for_what_they_show() {
    let synthetic = synthesize(&Spec { qrs_axis_deg: -20.0, ..Spec::default() });
    let whole = measure(&synthetic.recording);

    let two = measure(&without(synthetic.recording.clone(), |lead| lead != Lead::II));
    for (got, wanted) in
        [(two.pr_ms, whole.pr_ms), (two.qrs_ms, whole.qrs_ms), (two.qt_ms, whole.qt_ms)]
    {
        assert!((got.value().unwrap() - wanted.value().unwrap()).abs() < 2.0, "{got:?} {wanted:?}");
    }
    assert_eq!(two.axis_deg.qrs, Measured::Missing(MissingReason::LeadAbsent));
    assert_eq!(two.st_uv[&Lead::V1], Measured::Missing(MissingReason::LeadAbsent));
    assert!(two.st_uv[&Lead::II].value().is_some());

    let chest = measure(&without(synthetic.recording.clone(), Lead::is_limb));
    assert_eq!(chest.axis_deg.qrs, Measured::Missing(MissingReason::LeadAbsent));
    assert!(chest.qt_ms.value().is_some());

    // Eight leads say all that twelve say.
    let sum = |lead| matches!(lead, Lead::III | Lead::AVR | Lead::AVL | Lead::AVF);
    let eight = measure(&without(synthetic.recording.clone(), sum));
    assert!((eight.axis_deg.qrs.value().unwrap() + 20.0).abs() < 0.3);
    for lead in Lead::TWELVE {
        let (got, wanted) =
            (eight.st_uv[&lead].value().unwrap(), whole.st_uv[&lead].value().unwrap());
        assert!((got - wanted).abs() < 1.5, "{lead}: {got} {wanted}");
    }
    for pair in [[Lead::I, Lead::III], [Lead::II, Lead::III], [Lead::I, Lead::AVF]] {
        let m = measure(&without(synthetic.recording.clone(), |lead| !pair.contains(&lead)));
        assert!((m.axis_deg.qrs.value().unwrap() + 20.0).abs() < 0.5, "{pair:?}: {:?}", m.axis_deg);
    }
}

#[test]
fn a_lead_named_twice_or_cut_short_does_no_harm() {
    let mut recording = synthesize(&Spec::default()).recording;
    let again = recording.rhythm.traces[1].clone();
    recording.rhythm.traces.push(again);
    recording.rhythm.traces[3].samples_uv.truncate(4000);
    let m = measure(&recording);
    assert!((m.qrs_ms.value().unwrap() - 90.0).abs() < 1.0);
}

#[test]
fn a_bad_lead_is_named_and_does_not_spoil_the_others() {
    let clean = synthesize(&Spec::default());
    let spoil = |change: &dyn Fn(usize, f32) -> f32| {
        let mut recording = clean.recording.clone();
        let v3 = recording.rhythm.traces.iter_mut().find(|t| t.lead == Lead::V3).unwrap();
        for (i, x) in v3.samples_uv.iter_mut().enumerate() {
            *x = change(i, *x);
        }
        measure(&recording)
    };
    let check = |m: &Measurements, issue: QualityIssue, st: MissingReason| {
        let v3 = &m.quality.leads[&Lead::V3];
        assert!(!v3.usable && v3.issues.contains(&issue), "{issue:?}: {v3:?}");
        assert_eq!(m.st_uv[&Lead::V3], Measured::Missing(st), "{issue:?}");
        assert!(m.quality.usable && m.quality.leads[&Lead::V4].usable);
        let (pr, qrs, qt) =
            (m.pr_ms.value().unwrap(), m.qrs_ms.value().unwrap(), m.qt_ms.value().unwrap());
        assert!(
            (pr - 160.0).abs() < 3.0 && (qrs - 90.0).abs() < 3.0 && (qt - 380.0).abs() < 4.0,
            "{issue:?}: {m:?}"
        );
        let report = flag(m, Subject::default(), &Limits::default());
        assert!(
            report.not_evaluated.iter().any(|(code, _)| *code == FlagCode::StElevation),
            "{issue:?}"
        );
    };
    check(&spoil(&|_, _| 0.0), QualityIssue::Flat, MissingReason::PoorQuality);
    check(
        &spoil(&|_, x| x.clamp(-400.0, 400.0)),
        QualityIssue::Clipped,
        MissingReason::PoorQuality,
    );
    check(
        &spoil(&|i, x| if i < 3000 { f32::NAN } else { x }),
        QualityIssue::Gaps,
        MissingReason::Gap,
    );
    let noise: Vec<f32> = {
        let mut random = Random::stream(5, 5);
        (0..5000).map(|_| 400.0 * random.normal() as f32).collect()
    };
    check(&spoil(&|i, x| x + noise[i]), QualityIssue::Noise, MissingReason::PoorQuality);
}

#[test]
fn mains_and_wander_are_named() {
    for hz in [50.0, 60.0] {
        let noise = Noise { mains_uv: 50.0, mains_hz: hz, ..Noise::default() };
        let m = measure(&synthesize(&Spec { noise, ..Spec::default() }).recording);
        assert!(m.quality.leads[&Lead::V2].issues.contains(&QualityIssue::Mains), "{hz} Hz");
    }
    let noise = Noise { wander_uv: 900.0, ..Noise::default() };
    let m = measure(&synthesize(&Spec { noise, ..Spec::default() }).recording);
    assert!(m.quality.leads[&Lead::V2].issues.contains(&QualityIssue::BaselineWander));
    let clean = measure(&synthesize(&Spec::default()).recording);
    assert!(
        clean.quality.leads.values().all(|lead| lead.usable && lead.issues.is_empty()),
        "{:?}",
        clean.quality
    );
}

#[test]
fn a_gap_in_all_leads_makes_no_long_interval() {
    let mut recording = synthesize(&Spec { duration_s: 20.0, ..Spec::default() }).recording;
    for trace in &mut recording.rhythm.traces {
        trace.samples_uv[4000..6100].fill(f32::NAN);
    }
    let m = measure(&recording);
    assert!((m.heart_rate_bpm.value().unwrap() - 70.0).abs() < 0.3, "{:?}", m.heart_rate_bpm);
    assert_eq!(m.rhythm, Rhythm::Sinus);
    assert!((m.qt_ms.value().unwrap() - 380.0).abs() < 2.0);
    assert!(m.quality.leads[&Lead::I].issues.contains(&QualityIssue::Gaps));
}

#[test]
fn short_gaps_everywhere_cost_little() {
    let mut recording = synthesize(&Spec::default()).recording;
    for (k, trace) in recording.rhythm.traces.iter_mut().enumerate() {
        for from in (50 + 37 * k..4900).step_by(613) {
            trace.samples_uv[from..from + 15].fill(f32::NAN);
        }
    }
    let m = measure(&recording);
    for (got, wanted) in [(m.pr_ms, 160.0), (m.qrs_ms, 90.0), (m.qt_ms, 380.0)] {
        assert!((got.value().unwrap() - wanted).abs() < 2.0, "{got:?} instead of {wanted}");
    }
}

#[test]
fn a_minute_is_measured_as_ten_seconds_are() {
    let m = measure(&synthesize(&Spec { duration_s: 60.0, ..Spec::default() }).recording);
    assert!((m.pr_ms.value().unwrap() - 160.0).abs() < 0.4);
    assert_eq!(m.beats_used.len(), 32);
    assert!(m.beats_used.windows(2).all(|w| w[0] < w[1]));
}

#[test]
fn the_same_samples_give_the_same_answer() {
    let recording = synthesize(&Spec::pattern(precordia_synth::Pattern::Noisy)).recording;
    assert_eq!(format!("{:?}", measure(&recording)), format!("{:?}", measure(&recording)));
}

/// Nothing in the table of waves or the statements is not a number.
fn finite(m: &Measurements) -> bool {
    let report = state(m, Subject::default(), &Limits::default(), &RhythmEvidence::default());
    let text = format!("{:?} {report:?}", m.waves);
    !text.contains("NaN") && !text.contains("inf,") && !text.contains("inf)")
}

fn any_recording() -> impl Strategy<Value = Recording> {
    let sample = prop_oneof![
        20 => -3000.0_f32..3000.0,
        3 => Just(f32::NAN),
        3 => Just(0.0_f32),
        1 => any::<f32>(),
    ];
    let hz =
        prop_oneof![Just(100.0), Just(128.0), Just(250.0), Just(500.0), Just(1000.0), 1.0..5000.0];
    let trace = (
        proptest::sample::select(Lead::ALL),
        proptest::collection::vec(sample, 1..60),
        0_usize..4000,
    );
    (hz, proptest::collection::vec(trace, 0..6)).prop_map(|(hz, traces)| {
        // Patterns repeat, so that there is something like beats.
        let long = |(lead, pattern, len): (Lead, Vec<f32>, usize)| {
            (lead, pattern.iter().flat_map(|&x| [x; 7]).cycle().take(len).collect())
        };
        wfdb::recording(rate(hz), traces.into_iter().map(long).collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_signal_is_measured_without_panic_and_every_value_is_finite(recording in any_recording()) {
        let m = measure(&recording);
        prop_assert!(intervals(&m).into_iter().all(|v| v.value().is_none_or(f64::is_finite)), "{m:?}");
        prop_assert!(m.quality.leads.values().all(|lead| lead.noise_uv.is_finite()));
        prop_assert!(finite(&m));
        prop_assert!(m.r_peaks.windows(2).all(|w| w[0] <= w[1]));
        prop_assert!(m.beats_used.iter().all(|&beat| (beat as usize) < m.r_peaks.len()));
        flag(&m, Subject::default(), &Limits::default());
        let shortest = recording.rhythm.traces.iter().map(|t| t.samples_uv.len()).min().unwrap_or(0);
        for beat in delineate(&recording.rhythm).beats {
            for waves in beat.leads.iter().chain([&beat.global]) {
                for wave in [waves.p, waves.qrs, waves.t].into_iter().flatten() {
                    prop_assert!(wave.onset <= wave.peak && wave.peak <= wave.offset);
                    prop_assert!((wave.offset as usize) < shortest);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_heart_is_measured_without_panic(
        rate_bpm in 15.0..300.0, sampling_hz in 60.0..4200.0, duration_s in 0.0..14.0,
        pr_ms in 30.0..500.0, qrs_ms in 20.0..250.0, qt_ms in 100.0..700.0,
        muscle_uv in 0.0..200.0, wander_uv in 0.0..2000.0, from in 0.0..1.0, long in 0.0..1.0, seed in 0_u64..1000,
    ) {
        let noise = Noise { muscle_uv, wander_uv, ..Noise::default() };
        let spec = Spec { rate_bpm, sampling_hz, duration_s, pr_ms, qrs_ms, qt_ms, noise, seed, ..Spec::default() };
        let mut recording = synthesize(&spec).recording;
        let len = recording.rhythm.len() as f64;
        let gap = (from * len) as usize..((from + long * (1.0 - from)) * len) as usize;
        for trace in recording.rhythm.traces.iter_mut().skip(seed as usize % 12) {
            trace.samples_uv[gap.clone()].fill(f32::NAN);
        }
        let m = measure(&recording);
        prop_assert!(intervals(&m).into_iter().all(|v| v.value().is_none_or(f64::is_finite)), "{m:?}");
        prop_assert!(m.quality.leads.values().all(|lead| lead.noise_uv.is_finite()));
        prop_assert!(finite(&m));
    }
}
