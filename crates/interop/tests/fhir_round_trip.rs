//! Model → FHIR → text → FHIR → model is the identity, and everything written is valid.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use precordia_interop::fhir::ecg::{
    DocumentFacts, EcgFacts, device_observation, device_says_from_fhir, diagnostic_report,
    document_from_fhir, document_reference, flags_from_fhir, measurements_from_fhir, observation,
};
use precordia_interop::fhir::{Meta, patient, validate};
use precordia_model::{
    Axes, BlobId, DeviceDescription, DeviceMeasurement, DeviceStatement, DeviceTime, Evidence,
    Fiducials, Flag, FlagCode, FlagReport, Identifier, Lead, LeadQuality, Measured, Measurements,
    MissingReason, NotEvaluated, PartialDate, Patient, PatientId, PatientIdentity, Phi, QtFormula,
    Quality, QualityIssue, RecordingId, Rhythm, Severity, Sex, Timestamp, ZoneKnowledge,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
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

/// FHIR strings: not empty, no control characters.
fn words() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Za-zÀ-žА-я' -]{1,12}", "[\\PC]{1,8}", Just(String::from("山田")),]
        .prop_filter("FHIR has no empty strings", |s| !s.is_empty())
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        (-500_i32..500).prop_map(f64::from),
        (-5000_i32..5000).prop_map(|n| f64::from(n) / 10.0),
        any::<f64>().prop_filter("NaN and infinities are never measured", |v| v.is_finite()),
    ]
}

fn time() -> impl Strategy<Value = Timestamp> {
    (-2_000_000_000_000_000_i64..4_000_000_000_000_000).prop_map(Timestamp)
}

fn uuid() -> impl Strategy<Value = uuid::Uuid> {
    any::<u128>().prop_map(uuid::Uuid::from_u128)
}

fn lead() -> impl Strategy<Value = Lead> {
    select(Lead::ALL)
}

fn formula() -> impl Strategy<Value = QtFormula> {
    select(QtFormula::ALL.to_vec())
}

fn date() -> impl Strategy<Value = PartialDate> {
    (1_i16..=9999, 1_i8..=12, 1_i8..=28, 0..3).prop_map(|(y, m, d, precision)| match precision {
        0 => PartialDate::Year(y),
        1 => PartialDate::Month(y, m),
        _ => PartialDate::Day(y, m, d),
    })
}

prop_compose! {
    fn person()(
        id in uuid(),
        identifiers in vec((prop_oneof![Just(String::new()), "urn:oid:1\\.[0-9]{1,9}"], words()), 0..3),
        family in option::of(words()),
        given in vec(words(), 0..3),
        birth_date in option::of(date()),
        sex in option::of(select(vec![Sex::Male, Sex::Female, Sex::Other, Sex::Unknown])),
        merged_into in option::of(uuid()),
    ) -> Patient {
        let identifiers = identifiers
            .into_iter()
            .map(|(system, value)| Identifier { system, value: Phi::new(value) })
            .collect();
        Patient {
            id: PatientId(id),
            identity: PatientIdentity {
                identifiers,
                family: family.map(Phi::new),
                given: given.into_iter().map(Phi::new).collect(),
                birth_date: birth_date.map(Phi::new),
                sex,
            },
            merged_into: merged_into.map(PatientId),
        }
    }
}

fn missing() -> impl Strategy<Value = MissingReason> {
    use MissingReason::*;
    select(vec![
        NoBeats,
        TooFewBeats,
        NoPWave,
        NoTWave,
        LeadAbsent,
        PoorQuality,
        Gap,
        Rhythm,
        Paced,
        OutOfScope,
    ])
}

fn measured() -> impl Strategy<Value = Measured> {
    prop_oneof![
        3 => number().prop_map(Measured::Value),
        1 => missing().prop_map(Measured::Missing),
    ]
}

prop_compose! {
    fn quality()(
        usable in any::<bool>(),
        leads in btree_map(lead(), (any::<bool>(), vec(issue(), 0..3), number()), 0..12),
    ) -> Quality {
        let leads = leads.into_iter().map(|(lead, (usable, issues, noise_uv))| {
            (lead, LeadQuality { usable, issues, noise_uv })
        });
        Quality { usable, leads: leads.collect() }
    }
}

fn issue() -> impl Strategy<Value = QualityIssue> {
    use QualityIssue::*;
    select(vec![Flat, Clipped, Noise, BaselineWander, Mains, Gaps])
}

prop_compose! {
    fn fiducials()(at in proptest::array::uniform6(option::of(any::<i32>()))) -> Fiducials {
        let [p_onset, p_offset, qrs_onset, qrs_offset, t_peak, t_offset] = at;
        Fiducials { p_onset, p_offset, qrs_onset, qrs_offset, t_peak, t_offset }
    }
}

prop_compose! {
    fn measurements()(
        version in words(),
        scalars in proptest::array::uniform9(measured()),
        qtc_ms in btree_map(formula(), measured(), 0..4),
        st_uv in btree_map(lead(), measured(), 0..13),
        rhythm in select(vec![
            Rhythm::Sinus, Rhythm::AtrialFibrillation, Rhythm::Paced, Rhythm::Undetermined,
        ]),
        paced in any::<bool>(),
        r_peaks in vec(any::<u32>(), 0..20),
        beats_used in vec(any::<u32>(), 0..20),
        fiducials in fiducials(),
        quality in quality(),
    ) -> Measurements {
        let [heart_rate_bpm, rr_ms, p_ms, pr_ms, qrs_ms, qt_ms, p, qrs, t] = scalars;
        Measurements {
            version, heart_rate_bpm, rr_ms, p_ms, pr_ms, qrs_ms, qt_ms, qtc_ms,
            axis_deg: Axes { p, qrs, t },
            st_uv, rhythm, paced, r_peaks, beats_used, fiducials, quality,
        }
    }
}

prop_compose! {
    fn flag()(
        code in select(FlagCode::ALL.to_vec()),
        severity in select(vec![Severity::Info, Severity::Borderline, Severity::Alert]),
        value in number(),
        limit in number(),
        unit in select(vec!["/min", "ms", "deg", "uV"]),
        rule_version in words(),
        leads in vec(lead(), 0..4),
        beats in vec(any::<u32>(), 0..5),
        formula in option::of(formula()),
        notes in vec(words(), 0..3),
    ) -> Flag {
        Flag {
            code, severity, value, limit, unit: unit.into(), rule_version,
            evidence: Evidence { leads, beats, formula }, notes,
        }
    }
}

prop_compose! {
    fn flag_report()(
        rule_version in prop_oneof![Just(String::new()), words()],
        flags in vec(flag(), 0..5),
        not_evaluated in vec((select(FlagCode::ALL.to_vec()), not_evaluated()), 0..4),
    ) -> FlagReport {
        FlagReport { rule_version, flags, not_evaluated }
    }
}

fn not_evaluated() -> impl Strategy<Value = NotEvaluated> {
    use NotEvaluated::*;
    select(vec![WideQrs, Paced, Paediatric, AtrialFibrillation, NotSinus, PoorQuality, Missing])
}

fn zone() -> impl Strategy<Value = ZoneKnowledge> {
    prop_oneof![
        Just(ZoneKnowledge::Unknown),
        any::<i16>().prop_map(|minutes| ZoneKnowledge::Offset { minutes }),
        (-56_i16..=56).prop_map(|q| ZoneKnowledge::Offset { minutes: q * 15 }),
    ]
}

prop_compose! {
    fn device_time()(
        as_written in words(),
        local in option::of(prop_oneof![
            Just(String::from("2024-05-17T08:30:15.250")),
            Just(String::from("2024-05-17T08:30")),
            Just(String::from("2024-05-17")),
            date().prop_map(|d| d.to_string()),
            words(),
        ]),
        zone in zone(),
    ) -> DeviceTime {
        DeviceTime { as_written, local, zone }
    }
}

prop_compose! {
    fn device()(parts in proptest::array::uniform4(option::of(words()))) -> DeviceDescription {
        let [manufacturer, model, software, serial] = parts;
        DeviceDescription { manufacturer, model, software, serial: serial.map(Phi::new) }
    }
}

prop_compose! {
    fn device_measurement()(
        name in option::of(select(vec!["pr_ms", "heart_rate_bpm"])),
        code in option::of(prop_oneof![
            Just(String::from("LN:8625-6")),
            Just(String::from("LN:8601-7")),
            Just(String::from("SCPECG:5.10.2.1-5")),
            Just(String::from("LN:not a code")),
            words(),
        ]),
        label in prop_oneof![Just(String::new()), words()],
        value in number(),
        unit in prop_oneof![
            Just(String::new()), Just(String::from("ms")), Just(String::from("mm/mV")), words(),
        ],
        lead in option::of(lead()),
    ) -> DeviceMeasurement {
        DeviceMeasurement { name: name.map(String::from), code, label, value, unit, lead }
    }
}

prop_compose! {
    fn device_statement()(
        text in prop_oneof![Just(String::new()), words()],
        code in option::of(words()),
    ) -> DeviceStatement {
        DeviceStatement { text: Phi::new(text), code }
    }
}

#[derive(Clone, Debug)]
struct Owned {
    recording: RecordingId,
    patient: Option<PatientId>,
    acquired: Option<DeviceTime>,
    received_at: Timestamp,
    device: DeviceDescription,
    device_measurements: Vec<DeviceMeasurement>,
    device_statements: Vec<DeviceStatement>,
    blob: BlobId,
    size_bytes: u64,
    title: String,
}

impl Owned {
    fn facts(&self) -> DocumentFacts<'_> {
        DocumentFacts {
            recording_id: self.recording,
            patient: self.patient,
            acquired: self.acquired.as_ref(),
            received_at: self.received_at,
            device: &self.device,
            device_measurements: &self.device_measurements,
            device_statements: &self.device_statements,
            blob: self.blob,
            content_type: "application/dicom",
            size_bytes: self.size_bytes,
            title: &self.title,
        }
    }
}

prop_compose! {
    fn document()(
        ids in (uuid(), option::of(uuid()), uuid()),
        acquired in option::of(device_time()),
        received_at in time(),
        device in device(),
        device_measurements in vec(device_measurement(), 0..4),
        device_statements in vec(device_statement(), 0..4),
        size_bytes in 0_u64..0x8000_0010,
        title in words(),
    ) -> Owned {
        let (recording, patient, blob) = ids;
        Owned {
            recording: RecordingId(recording),
            patient: patient.map(PatientId),
            acquired, received_at, device, device_measurements, device_statements,
            blob: BlobId(blob), size_bytes, title,
        }
    }
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
