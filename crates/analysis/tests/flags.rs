//! The table of flags, row by row, both sides of every limit and every gate, on measurements made
//! by hand.

use std::collections::BTreeMap;

use precordia_analysis::{LIMIT_NAMES, Limits, Subject, flag};
use precordia_model::{
    Axes, Fiducials, FlagCode, Lead, LeadQuality, Measured, Measurements, MissingReason, QtFormula,
    Quality, Rhythm, Severity, Sex, WaveTable,
};
use proptest::prelude::*;

/// A normal adult's ECG.
fn normal() -> Measurements {
    let value = Measured::Value;
    let usable = LeadQuality { usable: true, issues: Vec::new(), noise_uv: 5.0 };
    Measurements {
        version: String::from("hand-made"),
        heart_rate_bpm: value(70.0),
        rr_ms: value(857.0),
        p_ms: value(100.0),
        pr_ms: value(160.0),
        qrs_ms: value(90.0),
        qt_ms: value(390.0),
        qtc_ms: QtFormula::ALL.into_iter().map(|f| (f, value(420.0))).collect(),
        axis_deg: Axes { p: value(50.0), qrs: value(40.0), t: value(40.0) },
        st_uv: Lead::TWELVE.into_iter().map(|lead| (lead, value(0.0))).collect(),
        rhythm: Rhythm::Sinus,
        paced: false,
        r_peaks: vec![400, 829, 1257],
        beats_used: vec![0, 2],
        fiducials: Fiducials::default(),
        quality: Quality {
            usable: true,
            leads: Lead::TWELVE.into_iter().map(|lead| (lead, usable.clone())).collect(),
        },
        waves: WaveTable::default(),
        rhythm_report: None,
    }
}

fn subject(age_years: u16, sex: Sex) -> Subject {
    Subject { age_years: Some(age_years), sex: Some(sex) }
}

fn man() -> Subject {
    subject(60, Sex::Male)
}

/// `code severity value>limit` of every flag, then `code: reason` of what was not evaluated.
fn said(measurements: &Measurements, subject: Subject) -> String {
    let report = flag(measurements, subject, &Limits::default());
    let flags = report.flags.iter().map(|f| {
        format!("{} {} {}|{} {}", f.code.name(), f.severity.name(), f.value, f.limit, f.unit)
    });
    let not = report
        .not_evaluated
        .iter()
        .map(|(code, reason)| format!("{}: {}", code.name(), reason.name()));
    flags.chain(not).collect::<Vec<_>>().join("; ")
}

#[track_caller]
fn check(change: impl FnOnce(&mut Measurements), expected: &str) {
    let mut measurements = normal();
    change(&mut measurements);
    assert_eq!(said(&measurements, man()), expected);
}

#[test]
fn a_normal_ecg_has_no_flags_and_nothing_is_left_out() {
    check(|_| {}, "");
}

#[test]
fn rates_are_banded_and_compared_as_printed() {
    for (rate_bpm, expected) in [
        (60.0, ""),
        (59.5, ""),
        (59.4, "bradycardia info 59|60 /min"),
        (59.0, "bradycardia info 59|60 /min"),
        (50.0, "bradycardia info 50|60 /min"),
        (49.0, "bradycardia borderline 49|50 /min"),
        (40.0, "bradycardia borderline 40|50 /min"),
        (39.0, "bradycardia alert 39|40 /min"),
        (100.0, ""),
        (100.4, ""),
        (101.0, "tachycardia info 101|100 /min"),
        (119.0, "tachycardia info 119|100 /min"),
        (120.0, "tachycardia borderline 120|120 /min"),
        (149.0, "tachycardia borderline 149|120 /min"),
        (150.0, "tachycardia alert 150|150 /min"),
    ] {
        check(|m| m.heart_rate_bpm = Measured::Value(rate_bpm), expected);
    }
}

#[test]
fn pr_is_banded() {
    for (pr_ms, expected) in [
        (200.0, ""),
        (200.4, ""),
        (201.0, "av_block_1 info 201|200 ms"),
        (239.0, "av_block_1 info 239|200 ms"),
        (240.0, "av_block_1 borderline 240|240 ms"),
        (299.0, "av_block_1 borderline 299|240 ms"),
        (300.0, "av_block_1 alert 300|300 ms"),
    ] {
        check(|m| m.pr_ms = Measured::Value(pr_ms), expected);
    }
}

#[test]
fn a_long_pr_counts_only_in_sinus_rhythm_with_a_measurable_p() {
    for (rhythm, reason) in [
        (Rhythm::AtrialFibrillation, "av_block_1: atrial_fibrillation"),
        (Rhythm::Undetermined, "av_block_1: not_sinus"),
    ] {
        check(
            |m| {
                m.rhythm = rhythm;
                m.pr_ms = Measured::Value(320.0);
            },
            reason,
        );
    }
    check(|m| m.pr_ms = Measured::Missing(MissingReason::NoPWave), "av_block_1: missing");
    check(|m| m.pr_ms = Measured::Missing(MissingReason::PoorQuality), "av_block_1: poor_quality");
}

#[test]
fn qtc_is_banded_and_the_formula_follows_the_printed_rate() {
    let qtc = |bazett: f64, fridericia: f64, rate_bpm: f64| {
        move |m: &mut Measurements| {
            m.heart_rate_bpm = Measured::Value(rate_bpm);
            m.qtc_ms.insert(QtFormula::Bazett, Measured::Value(bazett));
            m.qtc_ms.insert(QtFormula::Fridericia, Measured::Value(fridericia));
        }
    };
    for (ms, expected) in [
        (460.0, ""),
        (461.0, "long_qt info 461|460 ms"),
        (479.0, "long_qt info 479|460 ms"),
        (480.0, "long_qt borderline 480|480 ms"),
        (499.0, "long_qt borderline 499|480 ms"),
        (500.0, "long_qt alert 500|500 ms"),
    ] {
        check(qtc(ms, 600.0, 60.0), expected);
        check(qtc(ms, 600.0, 100.0), expected);
        check(qtc(ms, 600.0, 59.5), expected);
        check(
            qtc(600.0, ms, 101.0),
            format!("tachycardia info 101|100 /min; {expected}").trim_end_matches("; "),
        );
        check(
            qtc(600.0, ms, 59.0),
            format!("bradycardia info 59|60 /min; {expected}").trim_end_matches("; "),
        );
    }
}

#[test]
fn the_formula_is_named_as_evidence() {
    for (rate_bpm, formula) in [(75.0, QtFormula::Bazett), (45.0, QtFormula::Fridericia)] {
        let mut m = normal();
        m.heart_rate_bpm = Measured::Value(rate_bpm);
        m.qtc_ms.insert(formula, Measured::Value(510.0));
        let report = flag(&m, man(), &Limits::default());
        let long_qt = report.flags.iter().find(|f| f.code == FlagCode::LongQt).unwrap();
        assert_eq!(long_qt.evidence.formula, Some(formula));
        assert_eq!(long_qt.evidence.beats, [400, 1257], "the beats of the representative beat");
    }
}

#[test]
fn the_axis_is_divided_as_printed() {
    for (axis_deg, expected) in [
        (-30.0, ""),
        (-30.4, ""),
        (-31.0, "axis_left info -31|-30 deg"),
        (-90.0, "axis_left info -90|-30 deg"),
        (-91.0, "axis_extreme borderline -91|-90 deg"),
        (-179.0, "axis_extreme borderline -179|-90 deg"),
        (-179.6, "axis_right info 180|90 deg"),
        (-180.0, "axis_right info 180|90 deg"),
        (180.0, "axis_right info 180|90 deg"),
        (91.0, "axis_right info 91|90 deg"),
        (90.0, ""),
        (90.4, ""),
        (0.0, ""),
    ] {
        check(|m| m.axis_deg.qrs = Measured::Value(axis_deg), expected);
    }
    check(
        |m| m.axis_deg.qrs = Measured::Missing(MissingReason::LeadAbsent),
        "axis_left: missing; axis_right: missing; axis_extreme: missing",
    );
}

fn with_st(levels: &[(Lead, f64)]) -> Measurements {
    let mut m = normal();
    m.st_uv.extend(levels.iter().map(|&(lead, uv)| (lead, Measured::Value(uv))));
    m
}

#[track_caller]
fn check_st(levels: &[(Lead, f64)], subject: Subject, expected: &str) {
    assert_eq!(said(&with_st(levels), subject), expected, "{levels:?} {subject:?}");
}

#[test]
fn st_elevation_limits_depend_on_lead_sex_and_age() {
    use Lead::{AVF, II, V2, V3, V4, V5};
    for (subject, limit) in [
        (subject(39, Sex::Male), 250.0),
        (subject(40, Sex::Male), 200.0),
        (subject(39, Sex::Female), 150.0),
        (subject(70, Sex::Female), 150.0),
    ] {
        check_st(&[(V2, limit - 1.0), (V3, limit - 1.0)], subject, "");
        check_st(&[(V2, limit - 0.6), (V3, limit - 1.0)], subject, "");
        let one = format!("st_elevation borderline {limit}|{limit} uV");
        check_st(&[(V2, limit), (V3, limit - 1.0)], subject, &one);
        let two = format!("st_elevation alert {limit}|{limit} uV");
        check_st(&[(V2, limit), (V3, limit)], subject, &two);
        check_st(&[(V4, 99.0), (V5, 99.0)], subject, "");
        check_st(&[(V4, 100.0), (V5, 99.0)], subject, "st_elevation borderline 100|100 uV");
        check_st(&[(V4, 100.0), (V5, 100.0)], subject, "st_elevation alert 100|100 uV");
        check_st(&[(II, 100.0), (AVF, 100.0)], subject, "st_elevation alert 100|100 uV");
    }
    // V3 does not pass its own limit; V4 stands alone.
    check_st(&[(V3, 199.0), (V4, 120.0)], man(), "st_elevation borderline 120|100 uV");
}

#[test]
fn leads_are_contiguous_along_both_chains_and_nowhere_else() {
    use Lead::{AVF, AVL, AVR, I, II, III, V1, V2, V3, V4, V5, V6};
    let alert = "st_elevation alert";
    let alone = "st_elevation borderline";
    let up = |lead: Lead| (lead, if lead == AVR { -300.0 } else { 300.0 });
    let chains = [[V1, V2, V3, V4, V5, V6], [AVL, I, AVR, II, AVF, III]];
    for a in chains.iter().flatten() {
        for b in chains.iter().flatten().filter(|b| *b != a) {
            let neighbours = chains
                .iter()
                .any(|chain| chain.windows(2).any(|pair| pair == [*a, *b] || pair == [*b, *a]));
            let got = said(&with_st(&[up(*a), up(*b)]), man());
            assert!(got.starts_with(if neighbours { alert } else { alone }), "{a} {b}: {got}");
        }
    }
}

#[test]
fn avr_counts_with_its_sign_turned() {
    use Lead::{AVR, I, II};
    check_st(&[(AVR, -100.0), (I, 100.0)], man(), "st_elevation alert 100|100 uV");
    check_st(&[(AVR, 100.0), (II, -100.0)], man(), "st_depression alert 100|100 uV");
    check_st(&[(AVR, 99.0)], man(), "st_depression info 99|50 uV");
    check_st(&[(AVR, 49.0), (I, 99.0)], man(), "");
    let report = flag(&with_st(&[(AVR, -120.0)]), man(), &Limits::default());
    assert_eq!(report.flags[0].evidence.leads, [AVR]);
    assert_eq!(report.flags[0].notes, ["aVR is read with its sign turned"]);
}

#[test]
fn st_depression_is_banded_by_depth_and_company() {
    use Lead::{V4, V5, V6};
    for (levels, expected) in [
        (vec![(V4, -49.0), (V5, -49.0)], ""),
        (vec![(V4, -50.0), (V5, -49.0)], "st_depression info 50|50 uV"),
        (vec![(V4, -300.0)], "st_depression info 300|50 uV"),
        (vec![(V4, -50.0), (V5, -50.0)], "st_depression borderline 50|50 uV"),
        (vec![(V4, -99.0), (V5, -300.0)], "st_depression borderline 300|50 uV"),
        (vec![(V4, -100.0), (V5, -100.0)], "st_depression alert 100|100 uV"),
        (vec![(V4, -60.0), (V6, -60.0)], "st_depression info 60|50 uV"),
    ] {
        check_st(&levels, man(), expected);
    }
}

#[test]
fn unknown_age_or_sex_takes_the_most_sensitive_limit_and_alerts_only_when_all_are_passed() {
    use Lead::{II, III, V2, V3};
    let nobody = Subject::default();
    let any_man = Subject { age_years: None, sex: Some(Sex::Male) };
    let old = Subject { age_years: Some(50), sex: None };
    let young = Subject { age_years: Some(20), sex: Some(Sex::Unknown) };
    for (subject, first, last) in [
        (nobody, 150.0, 250.0),
        (any_man, 200.0, 250.0),
        (old, 150.0, 200.0),
        (young, 150.0, 250.0),
    ] {
        check_st(&[(V2, first - 1.0), (V3, first - 1.0)], subject, "");
        let held = format!("st_elevation borderline {first}|{first} uV");
        check_st(&[(V2, first), (V3, first)], subject, &held);
        let below = format!("st_elevation borderline {}|{first} uV", last - 1.0);
        check_st(&[(V2, last - 1.0), (V3, last - 1.0)], subject, &below);
        let all = format!("st_elevation alert {last}|{first} uV");
        check_st(&[(V2, last), (V3, last)], subject, &all);
    }
    check_st(
        &[(II, 100.0), (Lead::AVF, 100.0), (III, 0.0)],
        nobody,
        "st_elevation alert 100|100 uV",
    );

    let report = flag(&with_st(&[(V2, 160.0), (V3, 160.0)]), nobody, &Limits::default());
    assert_eq!(
        report.flags[0].notes,
        [
            "age unknown: most sensitive adult limit",
            "sex unknown: most sensitive adult limit",
            "alert withheld: not every possible limit is passed",
        ]
    );
}

#[test]
fn a_wide_qrs_or_pacing_closes_qt_and_st_but_nothing_else() {
    let sick = |m: &mut Measurements| {
        m.qtc_ms.insert(QtFormula::Bazett, Measured::Value(520.0));
        m.st_uv.insert(Lead::V4, Measured::Value(200.0));
        m.st_uv.insert(Lead::V5, Measured::Value(-200.0));
    };
    let open = "long_qt alert 520|500 ms; st_elevation borderline 200|100 uV; st_depression info 200|50 uV";
    let wide = "long_qt: wide_qrs; st_elevation: wide_qrs; st_depression: wide_qrs";
    let paced = "av_block_1: paced; long_qt: paced; st_elevation: paced; st_depression: paced";
    for (qrs_ms, expected) in
        [(119.0, open), (119.4, open), (119.5, wide), (120.0, wide), (180.0, wide)]
    {
        check(
            |m| {
                sick(m);
                m.qrs_ms = Measured::Value(qrs_ms);
            },
            expected,
        );
    }
    check(
        |m| {
            sick(m);
            m.paced = true;
        },
        paced,
    );
    check(
        |m| {
            sick(m);
            m.rhythm = Rhythm::Paced;
        },
        paced,
    );
    check(
        |m| {
            sick(m);
            m.qrs_ms = Measured::Missing(MissingReason::PoorQuality);
        },
        "long_qt: poor_quality; st_elevation: poor_quality; st_depression: poor_quality",
    );
    check(
        |m| {
            m.paced = true;
            m.heart_rate_bpm = Measured::Value(45.0);
            m.axis_deg.qrs = Measured::Value(-60.0);
        },
        "bradycardia borderline 45|50 /min; axis_left info -60|-30 deg; \
         av_block_1: paced; long_qt: paced; st_elevation: paced; st_depression: paced",
    );
}

fn everything(reason: &str) -> String {
    FlagCode::ALL.map(|code| format!("{}: {reason}", code.name())).join("; ")
}

#[test]
fn children_are_not_judged_by_adult_limits() {
    let mut m = with_st(&[(Lead::II, 400.0), (Lead::AVF, 400.0)]);
    m.heart_rate_bpm = Measured::Value(180.0);
    assert_eq!(said(&m, subject(15, Sex::Male)), everything("paediatric"));
    assert_eq!(
        said(&m, subject(16, Sex::Male)),
        "tachycardia alert 180|150 /min; st_elevation alert 400|100 uV"
    );
}

#[test]
fn a_recording_of_poor_quality_is_not_judged() {
    check(
        |m| {
            m.quality.usable = false;
            m.heart_rate_bpm = Measured::Value(30.0);
        },
        &everything("poor_quality"),
    );
    check(
        |m| m.heart_rate_bpm = Measured::Missing(MissingReason::PoorQuality),
        "bradycardia: poor_quality; tachycardia: poor_quality; long_qt: poor_quality",
    );
    check(
        |m| m.heart_rate_bpm = Measured::Value(f64::NAN),
        "bradycardia: missing; tachycardia: missing; long_qt: missing",
    );
}

#[test]
fn st_is_silent_only_when_all_twelve_leads_were_measured() {
    let without = |reason| {
        move |m: &mut Measurements| {
            m.st_uv.insert(Lead::V6, Measured::Missing(reason));
        }
    };
    check(
        without(MissingReason::PoorQuality),
        "st_elevation: poor_quality; st_depression: poor_quality",
    );
    check(without(MissingReason::LeadAbsent), "st_elevation: missing; st_depression: missing");
    check(|m| m.st_uv = BTreeMap::new(), "st_elevation: missing; st_depression: missing");

    let mut m = with_st(&[(Lead::II, 150.0), (Lead::AVF, 150.0)]);
    m.st_uv.insert(Lead::V5, Measured::Missing(MissingReason::PoorQuality));
    let report = flag(&m, man(), &Limits::default());
    assert_eq!(report.flags[0].severity, Severity::Alert);
    assert_eq!(report.flags[0].notes, ["not measured: V5"]);
}

#[test]
fn an_overridden_limit_holds_and_is_recorded() {
    let limits = Limits::default()
        .with_overrides([("long_qt.info", 450.0), ("wide_qrs.from", 110.0)])
        .unwrap();
    let mut m = normal();
    m.qtc_ms.insert(QtFormula::Bazett, Measured::Value(451.0));
    let report = flag(&m, man(), &limits);
    assert_eq!(report.flags[0].limit, 450.0);
    assert_eq!(
        report.flags[0].notes,
        [
            "limit long_qt.info set by the organization: 450 instead of 460",
            "limit wide_qrs.from set by the organization: 110 instead of 120",
        ]
    );
    m.heart_rate_bpm = Measured::Value(55.0);
    let report = flag(&m, man(), &limits);
    assert_eq!(report.flags[0].code, FlagCode::Bradycardia);
    assert_eq!(
        report.flags[0].notes,
        Vec::<String>::new(),
        "an override elsewhere is not its business"
    );
}

#[test]
fn every_flag_carries_the_version_of_the_rules() {
    let mut m = with_st(&[(Lead::II, 150.0)]);
    m.heart_rate_bpm = Measured::Value(30.0);
    let report = flag(&m, man(), &Limits::default());
    assert_eq!(report.rule_version, "1");
    assert!(report.flags.len() == 2 && report.flags.iter().all(|f| f.rule_version == "1"));
    assert_eq!(report.flags[0].evidence.beats, [400, 829, 1257]);
}

fn any_measured() -> impl Strategy<Value = Measured> {
    prop_oneof![
        8 => (-700.0..700.0).prop_map(Measured::Value),
        1 => any::<f64>().prop_map(Measured::Value),
        1 => Just(Measured::Missing(MissingReason::Gap)),
    ]
}

fn any_measurements() -> impl Strategy<Value = Measurements> {
    let numbers = proptest::collection::vec(any_measured(), 5 + 4);
    let st = proptest::collection::vec(any_measured(), 12);
    let rhythm = prop_oneof![
        Just(Rhythm::Sinus),
        Just(Rhythm::AtrialFibrillation),
        Just(Rhythm::Paced),
        Just(Rhythm::Undetermined),
    ];
    (numbers, st, rhythm, any::<bool>(), any::<bool>()).prop_map(
        |(n, st, rhythm, paced, usable)| {
            let mut m = normal();
            (m.heart_rate_bpm, m.pr_ms, m.qrs_ms, m.axis_deg.qrs) = (n[0], n[1], n[2], n[3]);
            m.qtc_ms = QtFormula::ALL.into_iter().zip(n[5..].iter().copied()).collect();
            m.st_uv = Lead::TWELVE.into_iter().zip(st).collect();
            m.beats_used = vec![0, 7, u32::MAX];
            (m.rhythm, m.paced, m.quality.usable) = (rhythm, paced, usable);
            m
        },
    )
}

fn any_subject() -> impl Strategy<Value = Subject> {
    let sex = prop_oneof![Just(Sex::Male), Just(Sex::Female), Just(Sex::Other), Just(Sex::Unknown)];
    (proptest::option::of(0..120_u16), proptest::option::of(sex))
        .prop_map(|(age_years, sex)| Subject { age_years, sex })
}

fn severity_of(m: &Measurements, subject: Subject, code: FlagCode) -> Option<Severity> {
    flag(m, subject, &Limits::default())
        .flags
        .into_iter()
        .find(|f| f.code == code)
        .map(|f| f.severity)
}

proptest! {
    #[test]
    fn every_code_is_judged_at_most_once_and_numbers_are_whole(m in any_measurements(), subject in any_subject()) {
        let report = flag(&m, subject, &Limits::default());
        for code in FlagCode::ALL {
            let fired = report.flags.iter().filter(|f| f.code == code).count();
            let skipped = report.not_evaluated.iter().filter(|(c, _)| *c == code).count();
            prop_assert!(fired + skipped <= 1, "{}", code.name());
        }
        for f in &report.flags {
            prop_assert_eq!(f.value, f.value.round());
            prop_assert!(LIMIT_NAMES.iter().any(|(name, _)| Limits::default().get(name) == Some(f.limit)));
        }
    }

    #[test]
    fn a_value_further_from_normal_is_never_less_severe(near in 0.0..600.0, more in 0.0..200.0) {
        let far = near + more;
        let with = |change: &dyn Fn(&mut Measurements, f64), value: f64| {
            let mut m = normal();
            change(&mut m, value);
            m
        };
        type Change = &'static dyn Fn(&mut Measurements, f64);
        let rows: [(FlagCode, Change); 6] = [
            (FlagCode::Tachycardia, &|m, v| m.heart_rate_bpm = Measured::Value(v)),
            (FlagCode::Bradycardia, &|m, v| m.heart_rate_bpm = Measured::Value(100.0 - v)),
            (FlagCode::AvBlock1, &|m, v| m.pr_ms = Measured::Value(v)),
            (FlagCode::LongQt, &|m, v| { m.qtc_ms.insert(QtFormula::Bazett, Measured::Value(v)); }),
            (FlagCode::StElevation, &|m, v| {
                m.st_uv.insert(Lead::V2, Measured::Value(v));
                m.st_uv.insert(Lead::V3, Measured::Value(v));
            }),
            (FlagCode::StDepression, &|m, v| {
                m.st_uv.insert(Lead::V5, Measured::Value(-v));
                m.st_uv.insert(Lead::V6, Measured::Value(-v));
            }),
        ];
        for (code, change) in rows {
            for subject in [man(), Subject::default(), subject(30, Sex::Male), subject(30, Sex::Female)] {
                let (a, b) = (with(change, near), with(change, far));
                prop_assert!(severity_of(&a, subject, code) <= severity_of(&b, subject, code), "{}", code.name());
            }
        }
    }
}
