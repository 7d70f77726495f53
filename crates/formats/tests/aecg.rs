//! What annotated ECGs say comes out as they say it, and what they leave open is refused.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

mod xml_support;

use precordia_model::{GroupKind, Lead as Electrode, Sex, ZoneKnowledge};
use xml_support::aecg::{Lead, Series, annotation, annotations, file, relative, rich};
use xml_support::{beats, check_damage, problems, recording, refused};

fn one(change: impl FnOnce(&mut Series)) -> String {
    let mut series = Series::new(vec![Lead::new("MDC_ECG_LEAD_II", &beats(2000, 400))]);
    change(&mut series);
    file(&[series.text("series")])
}

#[test]
fn a_file_is_read_with_its_person_time_groups_and_words() {
    let read = recording(rich());
    assert_eq!((read.format, read.rhythm.rate.hz(), read.rhythm.len()), ("hl7-aecg", 500.0, 1500));
    assert_eq!(read.rhythm.traces[0].samples_uv[15], 500.0);
    let beat = &read.other_groups[0];
    assert_eq!((beat.kind, beat.signal.rate.hz()), (GroupKind::MedianBeat, 1000.0));
    assert_eq!(beat.signal.trace(Electrode::II).unwrap().samples_uv[15], 250.0);
    let person = &read.patient;
    assert_eq!(person.id.as_ref().unwrap().reveal(), "P-17");
    assert_eq!(person.id_issuer.as_deref(), Some("1.2.9"));
    assert_eq!(person.family.as_ref().unwrap().reveal(), "Noether");
    assert_eq!(person.given[0].reveal(), "Amalie");
    assert_eq!(person.name_as_written.as_ref().unwrap().reveal(), "Noether^Amalie");
    assert_eq!(person.sex, Some(Sex::Female));
    assert_eq!(person.birth_date.as_ref().unwrap().reveal().to_string(), "1882-03-23");
    let time = read.acquired_at.as_ref().unwrap();
    assert_eq!(time.as_written, "20240229101112.5+0100");
    assert_eq!(time.zone, ZoneKnowledge::Offset { minutes: 60 });
    let named: Vec<(&str, f64)> = read
        .device_measurements
        .iter()
        .filter_map(|one| Some((one.name.as_deref()?, one.value)))
        .collect();
    assert_eq!(named, [("heart_rate_bpm", 75.0), ("pr_ms", 148.0)]);
    let words: Vec<(&str, Option<&str>)> = read
        .device_statements
        .iter()
        .map(|one| (one.text.reveal().as_str(), one.code.as_deref()))
        .collect();
    assert_eq!(
        words,
        [
            ("Sinus rhythm & normal", Some("MDC:MDC_ECG_INTERPRETATION")),
            ("Sinus rhythm", Some("MDC:MDC_ECG_RHY_SINUS_RHY")),
        ]
    );
    assert!(read.problems.is_empty(), "{:?}", read.problems);
    assert!(read.unmapped.is_empty(), "{:?}", read.unmapped);
}

#[test]
fn amplitude_is_origin_and_scale_in_their_own_units() {
    let sample = |origin: &str, scale: &str| {
        let read = recording(one(|series| {
            series.leads[0].origin = origin.into();
            series.leads[0].scale = scale.into();
        }));
        read.rhythm.traces[0].samples_uv[15]
    };
    assert_eq!(sample(r#"value="0" unit="uV""#, r#"value="4.88" unit="uV""#), 488.0);
    assert_eq!(sample(r#"value="0.1" unit="mV""#, r#"value="2500" unit="nV""#), 350.0);
    assert_eq!(sample(r#"value="-1" unit="mV""#, r#"value="0.005" unit="mV""#), -500.0);
    for (origin, scale, code) in [
        ("", r#"value="5" unit="uV""#, "scale_absent"),
        (r#"value="0" unit="uV""#, "", "scale_absent"),
        (r#"value="0" unit="uV""#, r#"value="5""#, "unit_absent"),
        (r#"value="0" unit="uV""#, r#"value="5" unit="UV""#, "unit_unknown"),
        (r#"value="0" unit="uV""#, r#"value="5,0" unit="uV""#, "scale_invalid"),
        (r#"value="0" unit="uV""#, r#"value="0" unit="uV""#, "sensitivity_invalid"),
    ] {
        refused(
            one(|series| {
                series.leads[0].origin = origin.into();
                series.leads[0].scale = scale.into();
            }),
            code,
        );
    }
    refused(one(|series| series.leads[0].kind = "GLIST_PQ".into()), "sequence_type_unknown");
}

#[test]
fn every_digit_is_a_number_and_every_lead_has_as_many() {
    for digits in ["1 2 NaN 4", "1 2 inf", "1 2 99999999999", "1,2,3", "1 2 x"] {
        refused(
            one(|series| series.leads[0].digits = format!("{} {digits}", "0 ".repeat(1000))),
            "digits_invalid",
        );
    }
    refused(
        one(|series| series.leads.push(Lead::new("MDC_ECG_LEAD_I", &beats(1999, 400)))),
        "lead_lengths_differ",
    );
    refused(one(|series| series.leads[0].digits.clear()), "rhythm_too_short");
    let read = recording(one(|series| series.leads[0].digits.push_str(" -32768 -32768")));
    assert!(read.rhythm.traces[0].samples_uv[2000..].iter().all(|sample| sample.is_nan()));
    assert_eq!(problems(&read), ["padding_undeclared"]);
}

#[test]
fn a_rate_is_never_assumed() {
    for (time, code) in [
        (String::new(), "sampling_rate_absent"),
        (relative(""), "sampling_rate_invalid"),
        (relative(r#"value="0.002""#), "sampling_rate_invalid"),
        (relative(r#"value="0" unit="s""#), "sampling_rate_invalid"),
        (relative(r#"value="2" unit="min""#), "sampling_rate_invalid"),
        (relative(r#"value="2" unit="s""#), "sampling_rate_invalid"),
        (
            relative(r#"value="2" unit="ms""#) + &relative(r#"value="1" unit="ms""#),
            "sampling_rate_conflict",
        ),
    ] {
        refused(one(|series| series.time = time), code);
    }
    let rate = |time| recording(one(|series| series.time = time)).rhythm.rate.hz();
    assert_eq!(rate(relative(r#"value="2" unit="ms""#)), 500.0);
    assert_eq!(rate(relative(r#"value="1667" unit="us""#)), 599.88);
}

#[test]
fn two_seconds_are_two_milliseconds_where_the_file_proves_it() {
    let seconds = relative(r#"value="2" unit="s""#);
    let lasted = |end: &str| {
        format!(
            r#"<effectiveTime><low value="20240229101112"/><high value="{end}"/></effectiveTime>"#
        )
    };
    let by_time = one(|series| {
        series.time.clone_from(&seconds);
        series.effective = lasted("20240229101116");
    });
    let read = recording(by_time);
    assert_eq!(read.rhythm.rate.hz(), 500.0);
    assert_eq!(problems(&read), ["increment_unit_corrected"]);
    let contradicted = one(|series| {
        series.time.clone_from(&seconds);
        series.effective = lasted("20240229101152");
    });
    refused(contradicted, "sampling_rate_invalid");
    // Beats are 400 samples apart.
    let by_rate = |interval_ms: u32| {
        one(|series| {
            series.time.clone_from(&seconds);
            let value = format!(r#"xsi:type="PQ" value="{interval_ms}" unit="ms"/>"#);
            series.inner = annotations(&[annotation("MDC_ECG_TIME_PD_RR", &value)]);
        })
    };
    assert_eq!(problems(&recording(by_rate(810))), ["increment_unit_corrected"]);
    for interval_ms in [500, 1100, 5] {
        refused(by_rate(interval_ms), "sampling_rate_invalid");
    }
}

#[test]
fn a_lead_is_what_code_and_name_say_together() {
    let named = |code: &str, name: &str| {
        one(|series| {
            series.leads[0].code = code.into();
            series.leads[0].name = name.into();
        })
    };
    for (code, name, lead, problem) in [
        ("MDC_ECG_LEAD_aVR", "", Electrode::AVR, None),
        ("2:62", "Lead aVR", Electrode::AVR, None),
        ("131389", "III", Electrode::III, None),
        ("X-17", "Lead V3", Electrode::V3, Some("lead_code_unknown")),
        ("", "Lead V3", Electrode::V3, Some("lead_code_absent")),
    ] {
        let read = recording(named(code, name));
        assert_eq!(read.rhythm.traces[0].lead, lead);
        assert_eq!(problems(&read), problem.into_iter().collect::<Vec<_>>());
    }
    refused(named("131331", "III"), "lead_conflict");
    refused(named("X-17", ""), "leads_unknown");
    let twice = one(|series| series.leads.push(series.leads[0].clone()));
    refused(twice, "lead_repeated");
}

#[test]
fn the_rhythm_is_never_a_derived_series() {
    let mut beat = Series::new(vec![Lead::new("MDC_ECG_LEAD_II", &beats(600, 600))]);
    beat.code = "REPRESENTATIVE_BEAT".into();
    refused(file(&[beat.text("series")]), "rhythm_absent");
    refused(file(&[]), "rhythm_absent");
    // Two columns of a printed ECG.
    let columns = ["MDC_ECG_LEAD_II", "MDC_ECG_LEAD_V1"]
        .map(|code| Series::new(vec![Lead::new(code, &beats(1250, 400))]).text("series"));
    let read = recording(file(&columns));
    assert_eq!(problems(&read), ["rhythm_groups_several"]);
    assert_eq!(read.other_groups[0].kind, GroupKind::FurtherRhythm);
}

#[test]
fn measurements_of_beats_leads_and_people_are_not_the_recordings() {
    let number = |code| annotation(code, r#"xsi:type="PQ" value="100" unit="ms"/>"#);
    let in_a_beat = format!(
        r#"<component><annotation><code code="MDC_ECG_BEAT"/><value code="MDC_ECG_BEAT_NORMAL"/>{}</annotation></component>"#,
        number("MDC_ECG_TIME_PD_QRS")
    );
    let in_a_lead = r#"<component><annotation><code code="MDC_ECG_TIME_PD_QRS"/><value value="90" unit="ms"/><support><supportingROI><component><boundary><code code="MDC_ECG_LEAD_V2"/></boundary></component></supportingROI></support></annotation></component>"#;
    let by_person = format!(
        "<subjectOf><annotationSet><author><assignedEntity><assignedAuthorType><assignedPerson/></assignedAuthorType></assignedEntity></author>{}</annotationSet></subjectOf>",
        number("MDC_ECG_TIME_PD_QRS")
    );
    let wrong_unit = annotation("MDC_ECG_TIME_PD_PR", r#"xsi:type="PQ" value="0.15" unit="min"/>"#);
    let read = recording(one(|series| {
        series.inner = annotations(&[in_a_beat, in_a_lead.into(), wrong_unit]) + &by_person;
    }));
    let kept: Vec<_> = read
        .device_measurements
        .iter()
        .map(|one| (one.name.is_some(), one.label.as_str(), one.value, one.lead))
        .collect();
    assert_eq!(
        kept,
        [
            (false, "MDC_ECG_TIME_PD_QRS, beat 1", 100.0, None),
            (false, "MDC_ECG_TIME_PD_QRS", 90.0, Some(Electrode::V2)),
            (false, "MDC_ECG_TIME_PD_PR", 0.15, None),
            (false, "MDC_ECG_TIME_PD_QRS, by a person", 100.0, None),
        ]
    );
    assert_eq!(problems(&read), ["measurement_unit"]);
    assert_eq!(read.unmapped[0].value.reveal(), "MDC_ECG_BEAT MDC_ECG_BEAT_NORMAL");
}

#[test]
fn words_stand_in_either_of_their_places() {
    let in_text = r#"<component><annotation><code code="MDC_ECG_INTERPRETATION_COMMENT"/><text>As before</text></annotation></component>"#;
    let read = recording(one(|series| series.inner = annotations(&[in_text.into()])));
    let said = &read.device_statements[0];
    assert_eq!(said.text.reveal(), "As before");
    assert_eq!(said.code.as_deref(), Some("MDC:MDC_ECG_INTERPRETATION_COMMENT"));
}

#[test]
fn damaged_files_never_panic_and_cut_ones_are_refused() {
    let short = one(|series| {
        series.leads[0].digits = "1 2 3 4 5 ".repeat(60);
        series.inner =
            annotations(&[annotation("MDC_ECG_HEART_RATE", r#"value="75" unit="bpm"/>"#)]);
    });
    check_damage(short.as_bytes(), 1);
    check_damage(rich().as_bytes(), 37);
}
