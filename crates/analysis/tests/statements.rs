//! Each statement on a drawn heart that shows it, none of the others there; and the gates.

#![allow(clippy::unwrap_used)]

use StatementCode as S;
use precordia_analysis::{
    AvBlock, Limits, RhythmEvidence, Subject, flag, measure, real_cases, state,
};
use precordia_model::{
    Lead, Measured, Measurements, NotStated, Rhythm, SampleRate, Severity, Sex, StatementCode,
    StatementReport, Wave, WaveName, WaveTable,
};
use precordia_synth::{Calibration, Pattern, Spec, synthesize};

fn man(age: u16) -> Subject {
    Subject { age_years: Some(age), sex: Some(Sex::Male) }
}

fn stated(measured: &Measurements) -> StatementReport {
    state(measured, man(60), &Limits::default(), &RhythmEvidence::default())
}

fn heart(name: &str, noise_uv: f64) -> Measurements {
    let heart = Calibration::hearts().into_iter().find(|heart| heart.name == name).unwrap();
    measure(&heart.draw(SampleRate::from_hz(500.0).unwrap(), noise_uv, 11))
}

/// Names of what is stated.
fn names(report: &StatementReport) -> Vec<&'static str> {
    report.statements.iter().map(|statement| statement.code.name()).collect()
}

fn reason(report: &StatementReport, code: StatementCode) -> Option<NotStated> {
    report.not_evaluated.iter().find(|(c, _)| *c == code).map(|(_, reason)| *reason)
}

#[test]
fn each_heart_shows_its_own_statement_and_no_other() {
    let expected: &[(&str, &[&str])] = &[
        ("healthy", &["sinus_rhythm"]),
        ("slow", &["sinus_bradycardia"]),
        ("fast", &["sinus_tachycardia"]),
        ("left-ventricular-hypertrophy", &["sinus_rhythm", "left_ventricular_hypertrophy"]),
        ("right-ventricular-hypertrophy", &["sinus_rhythm", "right_ventricular_hypertrophy"]),
        ("low-voltage", &["sinus_rhythm", "low_voltage"]),
        ("right-atrial-enlargement", &["sinus_rhythm", "right_atrial_enlargement"]),
        ("left-atrial-enlargement", &["sinus_rhythm", "left_atrial_enlargement"]),
        ("right-bundle-branch-block", &["sinus_rhythm", "wide_qrs", "right_bundle_branch_block"]),
        (
            "incomplete-right-bundle-branch-block",
            &["sinus_rhythm", "incomplete_right_bundle_branch_block"],
        ),
        ("left-bundle-branch-block", &["sinus_rhythm", "wide_qrs", "left_bundle_branch_block"]),
        ("left-anterior-fascicular-block", &["sinus_rhythm", "left_anterior_fascicular_block"]),
        ("left-posterior-fascicular-block", &["sinus_rhythm", "left_posterior_fascicular_block"]),
        ("inferior-q", &["sinus_rhythm", "infarct_q_inferior"]),
        ("anterior-q", &["sinus_rhythm", "infarct_q_anterior"]),
        ("anterior-st", &["sinus_rhythm", "stemi_criteria_anterior"]),
        ("inferior-st", &["sinus_rhythm", "stemi_criteria_inferior"]),
        ("lateral-st", &["sinus_rhythm", "stemi_criteria_lateral"]),
        ("pre-excitation", &["sinus_rhythm", "wide_qrs", "ventricular_pre_excitation"]),
        ("early-repolarization", &["sinus_rhythm", "early_repolarization"]),
        ("short-qt", &["sinus_rhythm", "short_qt"]),
    ];
    assert_eq!(Calibration::hearts().len(), expected.len());
    let mut wrong = Vec::new();
    for noise_uv in [0.0, 5.0] {
        for (name, expected) in expected {
            let found = names(&stated(&heart(name, noise_uv)));
            if found != *expected {
                wrong.push(format!("{name}, {noise_uv} uV: {found:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_demos_hearts_are_stated_as_they_were_drawn() {
    for (pattern, code) in [
        (Pattern::LeftBundleBranchBlock, S::LeftBundleBranchBlock),
        (Pattern::RightBundleBranchBlock, S::RightBundleBranchBlock),
        (Pattern::AtrialFibrillation, S::AtrialFibrillation),
        (Pattern::Paced, S::PacedRhythm),
        (Pattern::FirstDegreeBlock, S::FirstDegreeAvBlock),
        (Pattern::AnteriorStElevation, S::StemiCriteriaAnterior),
        (Pattern::InferiorStElevation, S::StemiCriteriaInferior),
        (Pattern::SinusBradycardia, S::SinusBradycardia),
        (Pattern::SinusTachycardia, S::SinusTachycardia),
    ] {
        let report = stated(&measure(&synthesize(&Spec::pattern(pattern)).recording));
        assert!(report.get(code).is_some(), "{}: {:?}", pattern.name(), names(&report));
    }
}

#[test]
fn an_experimental_statement_is_info_and_all_carry_value_limit_and_leads() {
    for heart in Calibration::hearts() {
        let rate = SampleRate::from_hz(500.0).unwrap();
        for statement in stated(&measure(&heart.draw(rate, 3.0, 1))).statements {
            let name = format!("{}, {}", heart.name, statement.code.name());
            assert_eq!(statement.experimental, real_cases(statement.code) < 20, "{name}");
            assert!(!statement.experimental || statement.severity == Severity::Info, "{name}");
            assert!(!statement.evidence.leads.is_empty(), "{name}");
            assert!(!statement.evidence.beats.is_empty(), "{name}");
            assert!(statement.value.is_finite() && statement.limit.is_finite(), "{name}");
        }
    }
}

#[test]
fn after_abnormal_conduction_nothing_is_said_of_st_q_or_voltage() {
    let gated = [
        S::StemiCriteriaAnterior,
        S::StemiCriteriaInferior,
        S::StemiCriteriaLateral,
        S::InfarctQAnterior,
        S::InfarctQInferior,
        S::LeftVentricularHypertrophy,
        S::RightVentricularHypertrophy,
        S::EarlyRepolarization,
        S::ShortQt,
    ];
    for (name, expected) in [
        ("left-bundle-branch-block", NotStated::LeftBundleBranchBlock),
        ("right-bundle-branch-block", NotStated::RightBundleBranchBlock),
        ("pre-excitation", NotStated::PreExcited),
    ] {
        let mut measured = heart(name, 0.0);
        measured.st_uv.values_mut().for_each(|level| *level = Measured::Value(400.0));
        let report = stated(&measured);
        for code in gated {
            assert_eq!(reason(&report, code), Some(expected), "{name}, {}", code.name());
        }
        measured.paced = true;
        let report = stated(&measured);
        for code in gated {
            assert_eq!(reason(&report, code), Some(NotStated::Paced), "{name}, {}", code.name());
        }
    }
    let mut measured = heart("healthy", 0.0);
    measured.qrs_ms = Measured::Value(131.0);
    let report = stated(&measured);
    for code in gated {
        assert_eq!(reason(&report, code), Some(NotStated::WideQrs), "{}", code.name());
    }
    // Beside a wide QRS it is JT that is judged, and only there.
    assert_eq!(reason(&report, S::LongJt), None);
    let report = stated(&heart("healthy", 0.0));
    assert_eq!(reason(&report, S::LongJt), Some(NotStated::NarrowQrs));
}

#[test]
fn without_sinus_rhythm_there_is_no_pr_and_no_atrial_size() {
    let mut measured = heart("left-atrial-enlargement", 0.0);
    measured.rhythm = Rhythm::AtrialFibrillation;
    measured.pr_ms = Measured::Value(260.0);
    let report = stated(&measured);
    for code in [S::FirstDegreeAvBlock, S::LeftAtrialEnlargement, S::RightAtrialEnlargement] {
        assert_eq!(reason(&report, code), Some(NotStated::AtrialFibrillation), "{}", code.name());
    }
    assert!(report.get(S::AtrialFibrillation).is_some());
}

#[test]
fn children_poor_signals_and_old_results_are_not_judged() {
    let mut measured = heart("left-ventricular-hypertrophy", 0.0);
    let of = |measured: &Measurements, subject| {
        state(measured, subject, &Limits::default(), &RhythmEvidence::default())
    };
    let child = of(&measured, man(15));
    assert!(child.statements.is_empty());
    assert!(child.not_evaluated.iter().all(|(_, reason)| *reason == NotStated::Paediatric));
    assert_eq!(child.not_evaluated.len(), S::ALL.len());
    let before = measured.waves.clone();
    measured.waves = WaveTable::default();
    let old = of(&measured, man(60));
    assert_eq!(reason(&old, S::LeftVentricularHypertrophy), Some(NotStated::Missing));
    measured.waves = before;
    measured.quality.usable = false;
    assert!(of(&measured, man(60)).statements.is_empty());
}

#[test]
fn sex_and_age_decide_limits_and_unknown_ones_must_all_be_passed() {
    let measured = heart("left-ventricular-hypertrophy", 0.0);
    let by = |age_years, sex| {
        let subject = Subject { age_years, sex };
        let report = state(&measured, subject, &Limits::default(), &RhythmEvidence::default());
        report.get(S::LeftVentricularHypertrophy).map(|s| s.criterion.clone())
    };
    assert_eq!(by(Some(60), Some(Sex::Male)).as_deref(), Some("sokolow_lyon"));
    assert_eq!(by(Some(25), Some(Sex::Male)), None);
    assert_eq!(by(None, None), None);

    let mut measured = heart("healthy", 0.0);
    let cornell = |measured: &mut Measurements, uv| {
        let mut sums = measured.waves.voltages.unwrap();
        sums.cornell_uv = Measured::Value(uv);
        measured.waves.voltages = Some(sums);
    };
    for (uv, sex, shown) in [
        (2000.0, Some(Sex::Female), false),
        (2001.0, Some(Sex::Female), true),
        (2800.0, Some(Sex::Male), false),
        (2801.0, Some(Sex::Male), true),
        (2800.0, None, false),
        (2801.0, None, true),
    ] {
        cornell(&mut measured, uv);
        let subject = Subject { age_years: Some(50), sex };
        let report = state(&measured, subject, &Limits::default(), &RhythmEvidence::default());
        assert_eq!(report.get(S::LeftVentricularHypertrophy).is_some(), shown, "{uv} {sex:?}");
    }
}

#[test]
fn a_coved_st_is_told_from_a_saddle_and_from_a_plain_rise() {
    let with = |levels: [f64; 4], t_uv: f64| {
        let mut measured = heart("healthy", 0.0);
        let v1 = measured.waves.leads.get_mut(&Lead::V1).unwrap();
        [&mut v1.st.j_uv, &mut v1.st.j20_uv, &mut v1.st.j60_uv, &mut v1.st.j80_uv]
            .into_iter()
            .zip(levels)
            .for_each(|(level, uv)| *level = Measured::Value(uv));
        let Some(Wave::Found(t)) = v1.waves.get_mut(&WaveName::T) else { panic!("no T") };
        t.amplitude_uv = t_uv;
        stated(&measured).get(S::BrugadaType1Pattern).is_some()
    };
    assert!(with([300.0, 260.0, 180.0, 120.0], -200.0));
    assert!(with([200.0, 190.0, 150.0, 120.0], -200.0));
    assert!(!with([199.0, 190.0, 150.0, 120.0], -200.0));
    assert!(!with([300.0, 180.0, 160.0, 220.0], -200.0));
    assert!(!with([300.0, 300.0, 300.0, 300.0], -200.0));
    assert!(!with([300.0, 260.0, 180.0, 120.0], 200.0));
}

#[test]
fn what_was_found_beat_by_beat_comes_in_as_evidence() {
    let measured = heart("healthy", 0.0);
    let by = |evidence: &RhythmEvidence| state(&measured, man(60), &Limits::default(), evidence);
    let none = by(&RhythmEvidence::default());
    let codes = [
        S::AtrialFlutter,
        S::VentricularEctopy,
        S::SupraventricularEctopy,
        S::SecondDegreeAvBlock,
        S::ThirdDegreeAvBlock,
    ];
    for code in codes {
        assert_eq!(reason(&none, code), Some(NotStated::NoEvidence), "{}", code.name());
    }
    let peaks = measured.r_peaks.clone();
    let found = by(&RhythmEvidence {
        flutter: Some(false),
        ventricular_beats: Some(vec![peaks[2]]),
        supraventricular_beats: Some(Vec::new()),
        av_block: Some(AvBlock::SecondDegree),
    });
    assert_eq!(found.get(S::VentricularEctopy).unwrap().evidence.beats, [peaks[2]]);
    assert!(found.get(S::SecondDegreeAvBlock).is_some());
    for code in [S::AtrialFlutter, S::SupraventricularEctopy, S::ThirdDegreeAvBlock] {
        assert!(found.get(code).is_none() && reason(&found, code).is_none(), "{}", code.name());
    }
    let flutter = by(&RhythmEvidence { flutter: Some(true), ..RhythmEvidence::default() });
    assert!(flutter.get(S::AtrialFlutter).is_some());
    assert!(flutter.get(S::SinusRhythm).is_none());
}

/// The fixed flags do not look at the table of waves.
#[test]
fn the_fixed_flags_are_the_same_with_and_without_the_table() {
    for &pattern in Pattern::ALL {
        let mut measured = measure(&synthesize(&Spec::pattern(pattern)).recording);
        let with = flag(&measured, man(60), &Limits::default());
        measured.waves = WaveTable::default();
        assert_eq!(with, flag(&measured, man(60), &Limits::default()), "{}", pattern.name());
    }
}
