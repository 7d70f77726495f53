//! Every limit of the flags, one unit either side, from a synthesized recording to the flag.
//!
//! Drawn at 250, 500 and 1000 samples a second: a limit must not depend on the device.

use std::collections::BTreeMap;

use precordia_analysis::{Limits, Subject, flag, measure};
use precordia_model::{Lead, Sex};
use precordia_synth::{FrontalSt, Pacing, QrsShape, Spec, SynthRhythm, synthesize};

fn man() -> Subject {
    Subject { age_years: Some(60), sex: Some(Sex::Male) }
}

fn said(spec: &Spec, subject: Subject) -> String {
    let measured = measure(&synthesize(spec).recording);
    let report = flag(&measured, subject, &Limits::default());
    let flags =
        report.flags.iter().map(|f| format!("{} {} {}", f.code.name(), f.severity.name(), f.value));
    let not = report
        .not_evaluated
        .iter()
        .map(|(code, reason)| format!("{}: {}", code.name(), reason.name()));
    flags.chain(not).collect::<Vec<_>>().join("; ")
}

#[track_caller]
fn check_for(spec: Spec, subject: Subject, expected: &str) {
    for sampling_hz in [250.0, 500.0, 1000.0] {
        let spec = Spec { sampling_hz, ..spec.clone() };
        assert_eq!(said(&spec, subject), expected, "{sampling_hz} Hz: {spec:?}");
    }
}

#[track_caller]
fn check(spec: Spec, expected: &str) {
    check_for(spec, man(), expected);
}

#[test]
fn rate() {
    for (rate_bpm, expected) in [
        (39.0, "bradycardia alert 39"),
        (40.0, "bradycardia borderline 40"),
        (49.0, "bradycardia borderline 49"),
        (50.0, "bradycardia info 50"),
        (59.0, "bradycardia info 59"),
        (60.0, ""),
        (100.0, ""),
        (101.0, "tachycardia info 101"),
        (119.0, "tachycardia info 119"),
        (120.0, "tachycardia borderline 120"),
        (149.0, "tachycardia borderline 149"),
        (150.0, "tachycardia alert 150"),
    ] {
        check(Spec::at_rate(rate_bpm), expected);
    }
}

#[test]
fn rate_keeps_its_limits_in_fibrillation() {
    let fibrillation = |rate_bpm| Spec {
        rate_bpm,
        rhythm: SynthRhythm::AtrialFibrillation { f_wave_uv: 30.0 },
        qt_ms: 300.0,
        duration_s: 20.0,
        ..Spec::default()
    };
    check(fibrillation(99.0), "av_block_1: atrial_fibrillation");
    check(fibrillation(101.0), "tachycardia info 101; av_block_1: atrial_fibrillation");
}

#[test]
fn pr() {
    for (pr_ms, expected) in [
        (199.0, ""),
        (200.0, ""),
        (201.0, "av_block_1 info 201"),
        (239.0, "av_block_1 info 239"),
        (240.0, "av_block_1 borderline 240"),
        (299.0, "av_block_1 borderline 299"),
        (300.0, "av_block_1 alert 300"),
    ] {
        check(Spec { pr_ms, rate_bpm: 65.0, ..Spec::default() }, expected);
    }
}

#[test]
fn qtc_by_bazett_from_60_to_100_per_minute() {
    for (qtc_ms, expected) in [
        (459.0, ""),
        (460.0, ""),
        (461.0, "long_qt info 461"),
        (479.0, "long_qt info 479"),
        (480.0, "long_qt borderline 480"),
        (499.0, "long_qt borderline 499"),
        (500.0, "long_qt alert 500"),
    ] {
        for rate_bpm in [60.0_f64, 80.0, 100.0] {
            let qt_ms = qtc_ms * (60.0 / rate_bpm).sqrt();
            check(Spec { rate_bpm, qt_ms, pr_ms: 130.0, ..Spec::default() }, expected);
        }
    }
}

#[test]
fn qtc_by_fridericia_outside() {
    let spec = |rate_bpm: f64, qtc_ms: f64| {
        let qt_ms = qtc_ms * (60.0 / rate_bpm).cbrt();
        Spec { rate_bpm, qt_ms, pr_ms: 120.0, p_ms: 80.0, ..Spec::default() }
    };
    check(spec(59.0, 460.0), "bradycardia info 59");
    check(spec(59.0, 461.0), "bradycardia info 59; long_qt info 461");
    check(spec(101.0, 460.0), "tachycardia info 101");
    check(spec(101.0, 461.0), "tachycardia info 101; long_qt info 461");
}

#[test]
fn axis() {
    for (qrs_axis_deg, expected) in [
        (-30.0, ""),
        (-31.0, "axis_left info -31"),
        (-90.0, "axis_left info -90"),
        (-91.0, "axis_extreme borderline -91"),
        (-179.0, "axis_extreme borderline -179"),
        (180.0, "axis_right info 180"),
        (91.0, "axis_right info 91"),
        (90.0, ""),
    ] {
        check(Spec { qrs_axis_deg, ..Spec::default() }, expected);
    }
}

fn st(levels: &[(Lead, f64)]) -> Spec {
    Spec { st_uv: levels.iter().copied().collect::<BTreeMap<_, _>>(), ..Spec::default() }
}

#[test]
fn st_elevation() {
    use Lead::{V2, V3, V4, V5};
    for (age, sex, limit) in [
        (39, Sex::Male, 250.0),
        (40, Sex::Male, 200.0),
        (39, Sex::Female, 150.0),
        (60, Sex::Female, 150.0),
    ] {
        let subject = Subject { age_years: Some(age), sex: Some(sex) };
        check_for(st(&[(V2, limit - 1.0), (V3, limit - 1.0)]), subject, "");
        let alone = format!("st_elevation borderline {limit}");
        check_for(st(&[(V2, limit), (V3, limit - 1.0)]), subject, &alone);
        let pair = format!("st_elevation alert {limit}");
        check_for(st(&[(V2, limit), (V3, limit)]), subject, &pair);
    }
    check(st(&[(V4, 99.0), (V5, 99.0)]), "");
    check(st(&[(V4, 100.0), (V5, 99.0)]), "st_elevation borderline 100");
    check(st(&[(V4, 100.0), (V5, 100.0)]), "st_elevation alert 100");
}

#[test]
fn st_depression() {
    use Lead::{V4, V5};
    check(st(&[(V4, -49.0), (V5, -49.0)]), "");
    check(st(&[(V4, -50.0), (V5, -49.0)]), "st_depression info 50");
    check(st(&[(V4, -50.0), (V5, -50.0)]), "st_depression borderline 50");
    check(st(&[(V4, -99.0), (V5, -100.0)]), "st_depression borderline 100");
    check(st(&[(V4, -100.0), (V5, -100.0)]), "st_depression alert 100");
}

#[test]
fn st_in_the_frontal_plane() {
    // Along 60 degrees II sees all of the shift, -aVR and aVF three quarters; I and III half.
    let along_two = |magnitude_uv| Spec {
        st_frontal: Some(FrontalSt { magnitude_uv, axis_deg: 60.0 }),
        ..Spec::default()
    };
    check(along_two(99.0), "");
    check(along_two(101.0), "st_elevation borderline 101");
    check(along_two(134.0), "st_elevation alert 134");
    check(along_two(-49.0), "");
    check(along_two(-51.0), "st_depression info 51");
    check(along_two(-68.0), "st_depression borderline 68");
    check(along_two(-134.0), "st_depression alert 134");
}

#[test]
fn wide_qrs_closes_qt_and_st() {
    let sick = |qrs_ms| Spec {
        qrs_ms,
        rate_bpm: 60.0,
        qt_ms: 500.0,
        st_uv: [(Lead::V4, 300.0), (Lead::V5, 300.0), (Lead::II, -80.0)].into(),
        ..Spec::default()
    };
    check(sick(119.0), "long_qt alert 500; st_elevation alert 300; st_depression info 80");
    check(sick(120.0), "long_qt: wide_qrs; st_elevation: wide_qrs; st_depression: wide_qrs");
}

#[test]
fn pacing_closes_pr_qt_and_st() {
    let spec = Spec {
        rhythm: SynthRhythm::NoAtria,
        pacing: Pacing::Ventricular { spike_uv: 1500.0 },
        qrs_shape: QrsShape::LeftBundleBranchBlock,
        qrs_ms: 150.0,
        qt_ms: 430.0,
        qrs_axis_deg: -70.0,
        ..Spec::default()
    };
    check(
        spec,
        "axis_left info -70; av_block_1: paced; long_qt: paced; st_elevation: paced; st_depression: paced",
    );
}

#[test]
fn a_rhythm_without_p_waves_has_no_av_block() {
    check(Spec { rhythm: SynthRhythm::NoAtria, ..Spec::default() }, "av_block_1: not_sinus");
}

#[test]
fn children_are_left_alone() {
    let child = Subject { age_years: Some(15), sex: Some(Sex::Female) };
    let measured = measure(&synthesize(&Spec::at_rate(160.0)).recording);
    let report = flag(&measured, child, &Limits::default());
    assert_eq!((report.flags.len(), report.not_evaluated.len()), (0, 9));
}
