//! Model → FHIR → text → FHIR → model is the identity, and everything written is valid.

#![allow(clippy::unwrap_used)]

mod arbitrary;

use std::collections::BTreeMap;

use arbitrary::{Owned, document, flag_report, measurements, person, time};
use precordia_interop::fhir::ecg::{
    EcgFacts, device_observation, device_says_from_fhir, diagnostic_report, document_from_fhir,
    document_reference, flags_from_fhir, measurements_from_fhir, observation,
};
use precordia_interop::fhir::{Meta, patient, validate};
use precordia_model::{
    Axes, DeviceDescription, DeviceTime, Evidence, Fiducials, Flag, FlagCode, FlagReport, Lead,
    Measured, Measurements, MissingReason, NotEvaluated, Patient, PatientIdentity, QtFormula,
    Quality, Rhythm, Severity, Timestamp, WaveTable, ZoneKnowledge,
};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

/// Through text, as it is stored and sent; valid on the way.
#[track_caller]
fn sent(value: Value) -> Value {
    assert_eq!(validate::check(&value), Ok(()), "{value:#}");
    serde_json::from_str(&value.to_string()).unwrap()
}

fn meta() -> Meta {
    Meta { version: 3, last_updated: Timestamp(1_715_927_415_250_125) }
}

proptest! {
    #[test]
    fn a_patient_comes_back_as_it_was(person in person()) {
        let back = patient::from_fhir(&sent(patient::to_fhir(&person, &meta())));
        // Patients have no `Debug` worth comparing: `Phi` does not print itself.
        prop_assert!(back == Ok(person));
    }

    #[test]
    fn measurements_and_flags_come_back_as_they_were(
        document in document(),
        measurements in measurements(),
        flags in flag_report(),
        measured_at in time(),
    ) {
        let facts = EcgFacts {
            document: document.facts(), measured_at, measurements: &measurements, flags: &flags,
        };
        let panel = sent(observation(&facts, &meta()));
        prop_assert_eq!(measurements_from_fhir(&panel), Ok(measurements.clone()));
        prop_assert_eq!(flags_from_fhir(&panel), Ok(flags.clone()));
        let report = sent(diagnostic_report(&facts, &meta()));
        prop_assert_eq!(&report["status"], "preliminary");
    }

    #[test]
    fn a_document_and_its_device_come_back_as_they_were(document in document()) {
        let back = document_from_fhir(&sent(document_reference(&document.facts(), &meta()))).unwrap();
        prop_assert_eq!(back.recording_id, document.recording);
        prop_assert_eq!(back.patient, document.patient);
        prop_assert_eq!(&back.acquired, &document.acquired);
        prop_assert_eq!(back.received_at, document.received_at);
        prop_assert!(back.device == document.device);
        prop_assert_eq!(back.blob, document.blob);
        prop_assert_eq!(back.content_type, "application/dicom");
        prop_assert_eq!(back.size_bytes, Some(document.size_bytes).filter(|&n| n < 0x8000_0000));
        prop_assert_eq!(back.title, document.title);
    }

    #[test]
    fn what_a_device_says_comes_back_as_it_was(document in document()) {
        let silent = document.device_measurements.is_empty() && document.device_statements.is_empty();
        let said = device_observation(&document.facts(), &meta());
        prop_assert_eq!(said.is_none(), silent);
        if let Some(said) = said {
            let back = device_says_from_fhir(&sent(said)).unwrap();
            prop_assert_eq!(back.measurements, document.device_measurements);
            prop_assert!(back.statements == document.device_statements);
        }
    }

    #[test]
    fn a_resource_with_one_value_changed_never_panics_a_reader(
        document in document(),
        measurements in measurements(),
        flags in flag_report(),
        at in any::<prop::sample::Index>(),
        junk in select(vec!["null", "\"\"", "[]", "{}", "-1", "1e300", "\"x\"", "true", "[{}]"]),
    ) {
        let facts = EcgFacts {
            document: document.facts(), measured_at: Timestamp(0), measurements: &measurements,
            flags: &flags,
        };
        let junk: Value = serde_json::from_str(junk).unwrap();
        for mut value in [observation(&facts, &meta()), document_reference(&document.facts(), &meta())] {
            let mut paths = Vec::new();
            pointers(&value, String::new(), &mut paths);
            let path: &String = at.get(&paths);
            *value.pointer_mut(path).unwrap() = junk.clone();
            let _ = validate::check(&value);
            let _ = measurements_from_fhir(&value);
            let _ = flags_from_fhir(&value);
            let _ = document_from_fhir(&value);
            let _ = device_says_from_fhir(&value);
            let _ = patient::from_fhir(&value);
        }
    }
}

fn pointers(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(k, v)| pointers(v, format!("{at}/{k}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, v)| pointers(v, format!("{at}/{i}"), found));
        }
        _ => {}
    }
    found.push(at);
}

fn plain() -> (Owned, Measurements) {
    let value = Measured::Value;
    let owned = Owned {
        recording: "0192f0aa-1111-7000-8000-000000000001".parse().unwrap(),
        patient: None,
        acquired: Some(DeviceTime {
            as_written: "20240517083015".into(),
            local: Some("2024-05-17T08:30:15".into()),
            zone: ZoneKnowledge::Unknown,
        }),
        received_at: Timestamp(0),
        device: DeviceDescription::default(),
        device_measurements: Vec::new(),
        device_statements: Vec::new(),
        blob: "0192f0aa-1111-7000-8000-000000000002".parse().unwrap(),
        size_bytes: 1,
        title: "12-lead ECG".into(),
    };
    let measurements = Measurements {
        version: "1".into(),
        heart_rate_bpm: value(55.0),
        rr_ms: value(1090.9),
        p_ms: value(100.0),
        pr_ms: Measured::Missing(MissingReason::Rhythm),
        qrs_ms: value(90.0),
        qt_ms: value(f64::NAN),
        qtc_ms: BTreeMap::from([(QtFormula::Bazett, value(500.0))]),
        axis_deg: Axes { p: value(50.0), qrs: value(45.0), t: value(40.0) },
        st_uv: BTreeMap::from([(Lead::V2, value(-120.0))]),
        rhythm: Rhythm::Undetermined,
        paced: false,
        r_peaks: vec![],
        beats_used: vec![],
        fiducials: Fiducials::default(),
        quality: Quality { usable: true, leads: BTreeMap::new() },
        waves: WaveTable::default(),
        rhythm_report: None,
    };
    (owned, measurements)
}

fn component<'a>(panel: &'a Value, name: &str) -> &'a Value {
    let has = |c: &&Value| {
        c["code"]["coding"].as_array().unwrap().iter().any(|coding| coding["code"] == name)
    };
    panel["component"].as_array().unwrap().iter().find(has).unwrap()
}

#[test]
fn a_component_says_value_and_unit_or_why_there_is_none_and_what_a_rule_says() {
    let (owned, measurements) = plain();
    let flag = |code, severity, unit: &str, evidence| Flag {
        code,
        severity,
        value: 1.0,
        limit: 2.0,
        unit: unit.into(),
        rule_version: "1".into(),
        evidence,
        notes: vec![],
    };
    let flags = FlagReport {
        rule_version: "1".into(),
        flags: vec![
            flag(FlagCode::Bradycardia, Severity::Info, "/min", Evidence::default()),
            flag(
                FlagCode::LongQt,
                Severity::Alert,
                "ms",
                Evidence { formula: Some(QtFormula::Bazett), ..Evidence::default() },
            ),
            flag(
                FlagCode::StDepression,
                Severity::Alert,
                "uV",
                Evidence { leads: vec![Lead::V2], ..Evidence::default() },
            ),
        ],
        not_evaluated: vec![],
    };
    let facts = EcgFacts {
        document: owned.facts(),
        measured_at: Timestamp(0),
        measurements: &measurements,
        flags: &flags,
    };
    let panel = observation(&facts, &meta());
    for (name, value, unit, reason, interpretation) in [
        ("heart_rate_bpm", Some(55), "/min", "", "L"),
        ("pr_ms", None, "", "not-applicable", ""),
        ("qrs_ms", Some(90), "ms", "", ""),
        ("qt_ms", None, "", "not-a-number", ""),
        ("qtc_ms.bazett", Some(500), "ms", "", "HH"),
        ("axis_deg.qrs", Some(45), "deg", "", "N"),
        ("axis_deg.p", Some(50), "deg", "", ""),
        ("st_uv.V2", Some(-120), "uV", "", "AA"),
    ] {
        let found = component(&panel, name);
        let or_empty = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        assert_eq!(found["valueQuantity"]["value"].as_i64(), value, "{name}");
        assert_eq!(or_empty(&found["valueQuantity"]["code"]), unit, "{name}");
        assert_eq!(or_empty(&found["dataAbsentReason"]["coding"][0]["code"]), reason, "{name}");
        let code = &found["interpretation"][0]["coding"][0]["code"];
        assert_eq!(or_empty(code), interpretation, "{name}");
    }
    // A number that is none is not read back as a measurement.
    assert!(measurements_from_fhir(&panel).is_err());
    assert_eq!(validate::check(&panel), Ok(()));
}

#[test]
fn a_time_without_zone_gives_the_date_and_keeps_the_reading_beside_it() {
    let (owned, measurements) = plain();
    let flags = FlagReport::default();
    let facts = EcgFacts {
        document: owned.facts(),
        measured_at: Timestamp(0),
        measurements: &measurements,
        flags: &flags,
    };
    for resource in [observation(&facts, &meta()), diagnostic_report(&facts, &meta())] {
        assert_eq!(resource["effectiveDateTime"], "2024-05-17");
        assert_eq!(resource["status"], "preliminary");
        let text = resource.to_string();
        assert!(text.contains("2024-05-17T08:30:15\"") && text.contains("zone-unknown"), "{text}");
    }
    let document = document_reference(&owned.facts(), &meta());
    assert_eq!(document["context"]["period"]["start"], "2024-05-17");
}

#[test]
fn no_rule_means_no_word_of_normal() {
    let (owned, measurements) = plain();
    let flags = FlagReport::default();
    let facts = EcgFacts {
        document: owned.facts(),
        measured_at: Timestamp(0),
        measurements: &measurements,
        flags: &flags,
    };
    let panel = observation(&facts, &meta());
    assert_eq!(component(&panel, "heart_rate_bpm").get("interpretation"), None);
    let report = diagnostic_report(&facts, &meta());
    let conclusion = report["conclusion"].as_str().unwrap();
    assert!(conclusion.ends_with("No rule flag; this does not mean a normal ECG."), "{conclusion}");
}

#[test]
fn a_merged_patient_is_inactive_and_names_its_successor() {
    let patient = Patient {
        id: "0192f0aa-1111-7000-8000-000000000001".parse().unwrap(),
        identity: PatientIdentity::default(),
        merged_into: Some("0192f0aa-1111-7000-8000-000000000002".parse().unwrap()),
    };
    let value = patient::to_fhir(&patient, &meta());
    assert_eq!(value["active"], false);
    assert_eq!(value["link"][0]["type"], "replaced-by");
    let other = "Patient/0192f0aa-1111-7000-8000-000000000002";
    assert_eq!(value["link"][0]["other"]["reference"], other);
}

#[test]
fn a_patient_with_more_than_the_model_holds_is_refused_not_cut() {
    let whole = serde_json::json!({
        "resourceType": "Patient", "id": "0192f0aa-1111-7000-8000-000000000001", "active": true,
        "name": [{ "family": "Noether", "given": ["Amalie", "Emmy"], "text": "Amalie Emmy Noether" }],
        "identifier": [{ "value": "1" }],
    });
    assert!(patient::from_fhir(&whole).is_ok());
    for (at, value) in [
        ("/name/0/text", serde_json::json!("Emmy Noether")),
        ("/name/0/use", serde_json::json!("maiden")),
        ("/name", serde_json::json!([{ "family": "a" }, { "family": "b" }])),
        ("/telecom", serde_json::json!([{ "value": "1" }])),
        ("/deceasedBoolean", serde_json::json!(true)),
        ("/active", serde_json::json!(false)),
        ("/extension", serde_json::json!([{ "url": "urn:x", "valueString": "y" }])),
        ("/modifierExtension", serde_json::json!([{ "url": "urn:x", "valueString": "y" }])),
        ("/id", serde_json::json!("1")),
        ("/birthDate", serde_json::json!("1982-02-30")),
        ("/gender", serde_json::json!("F")),
        ("/link", serde_json::json!([{ "other": { "reference": "Patient/x" }, "type": "refer" }])),
    ] {
        let mut changed = whole.clone();
        let (parent, name) = at.rsplit_once('/').unwrap();
        changed.pointer_mut(parent).unwrap()[name] = value;
        let refused = patient::from_fhir(&changed);
        assert!(refused.is_err(), "{at}");
        let words = refused.unwrap_err().to_string();
        assert!(!words.contains("Noether") && !words.contains("maiden"), "{words}");
    }
}

#[test]
fn normal_is_said_only_of_a_value_whose_rules_were_all_evaluated() {
    let (owned, mut measurements) = plain();
    let said = |measurements: &Measurements, flags: &FlagReport| {
        let facts =
            EcgFacts { document: owned.facts(), measured_at: Timestamp(0), measurements, flags };
        component(&observation(&facts, &meta()), "heart_rate_bpm").get("interpretation").is_some()
    };
    let ran = FlagReport { rule_version: "1".into(), ..FlagReport::default() };
    assert!(said(&measurements, &ran));
    let skipped = FlagReport {
        not_evaluated: vec![(FlagCode::Tachycardia, NotEvaluated::Paediatric)],
        ..ran.clone()
    };
    assert!(!said(&measurements, &skipped));
    measurements.heart_rate_bpm = Measured::Missing(MissingReason::NoBeats);
    assert!(!said(&measurements, &ran));
}

#[test]
fn a_measurement_in_another_unit_or_twice_or_unknown_is_refused() {
    let (owned, mut measurements) = plain();
    measurements.qt_ms = Measured::Value(400.0);
    let flags = FlagReport::default();
    let facts = EcgFacts {
        document: owned.facts(),
        measured_at: Timestamp(0),
        measurements: &measurements,
        flags: &flags,
    };
    let panel = observation(&facts, &meta());
    assert!(measurements_from_fhir(&panel).is_ok());
    let first = panel["component"][0].clone();
    for (at, value, expected) in [
        ("/component/0/valueQuantity/code", "ms".into(), "the unit must be `/min`"),
        ("/component/0/valueQuantity/system", "urn:units".into(), "units must be UCUM"),
        ("/component/1", first, "may stand once only"),
        ("/component/0/code/coding/2/code", "pulse".into(), "`heart_rate_bpm` is required"),
        ("/code/coding/0/code", "8867-4".into(), "is not the 12-lead panel 34534-8"),
    ] {
        let mut changed = panel.clone();
        *changed.pointer_mut(at).unwrap() = value;
        let refused = measurements_from_fhir(&changed).unwrap_err().to_string();
        assert!(refused.contains(expected), "{at}: {refused}");
    }
}
