//! ECGs whose samples stand in FHIR Observations.

#![allow(clippy::disallowed_methods, clippy::print_stderr, clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use precordia_formats::Part;
use precordia_interop::ecg;
use precordia_interop::fhir::waveform;
use precordia_model::{Lead, Recording, Refusal, Sex, ZoneKnowledge};
use serde_json::{Value, json};

fn lead(code: &str, name: &str, data: &str) -> Value {
    json!({
        "code": { "coding": [{ "system": "urn:oid:2.16.840.1.113883.6.24", "code": code, "display": name }] },
        "valueSampledData": {
            "origin": { "value": 0.5, "unit": "mV", "system": "http://unitsofmeasure.org", "code": "mV" },
            "period": 4, "factor": 0.0025, "dimensions": 1, "data": data,
        },
    })
}

fn observation() -> Value {
    json!({
        "resourceType": "Observation",
        "status": "final",
        "code": { "coding": [{ "system": "urn:oid:2.16.840.1.113883.6.24", "code": "131328" }] },
        "effectiveDateTime": "2024-02-29T10:11:12.5+01:00",
        "note": [{ "text": "at rest" }],
        "component": [
            lead("131329", "MDC_ECG_ELEC_POTL_I", "0 40 -40 4"),
            lead("131330", "MDC_ECG_ELEC_POTL_II", "4 E 8 12"),
        ],
    })
}

fn read(value: &Value) -> Result<Recording, Refusal> {
    let bytes = value.to_string();
    ecg::read(&[Part { name: "upload", bytes: bytes.as_bytes() }])
}

#[track_caller]
fn refused(value: &Value, code: &str) {
    assert_eq!(read(value).unwrap_err().code, code);
}

fn codes(recording: &Recording) -> Vec<&str> {
    recording.problems.iter().map(|problem| &problem.code[..]).collect()
}

#[test]
fn origin_factor_and_unit_make_microvolts_and_special_points_are_gaps() {
    let recording = read(&observation()).unwrap();
    assert_eq!(recording.format, waveform::FORMAT);
    assert_eq!(recording.rhythm.rate.hz(), 250.0);
    let samples = |lead| recording.rhythm.trace(lead).unwrap().samples_uv.clone();
    assert_eq!(samples(Lead::I), [500.0, 600.0, 400.0, 510.0]);
    let two = samples(Lead::II);
    assert!(two[1].is_nan() && two[0] == 510.0 && two[3] == 530.0, "{two:?}");
    assert_eq!(recording.rhythm.traces.len(), 6, "the other limb leads are derived");
    assert!(codes(&recording).contains(&"points_without_value"));
    let time = recording.acquired_at.unwrap();
    assert_eq!(time.local.as_deref(), Some("2024-02-29T10:11:12.5"));
    assert_eq!(time.zone, ZoneKnowledge::Offset { minutes: 60 });
    assert_eq!(recording.unmapped[0].place, "Observation.note");
}

#[test]
fn what_would_have_to_be_assumed_is_refused_with_its_place() {
    let with = |pointer: &str, value: Value| {
        let mut changed = observation();
        *changed.pointer_mut(pointer).unwrap() = value;
        changed
    };
    let sampled = |member: &str| format!("/component/1/valueSampledData/{member}");
    refused(&with(&sampled("origin"), json!({ "value": 0 })), "units_absent");
    let two_units = json!({ "value": 0, "unit": "uV", "code": "mV" });
    refused(&with(&sampled("origin"), two_units), "units_disagree");
    refused(&with(&sampled("period"), json!(0)), "sampling_rate_absent");
    refused(&with(&sampled("period"), json!(2)), "sampling_rates_differ");
    refused(&with(&sampled("dimensions"), json!(2)), "dimensions_several");
    refused(&with(&sampled("factor"), json!(0)), "factor_zero");
    refused(&with(&sampled("data"), json!("1 2 x 4")), "point_malformed");
    refused(&with(&sampled("data"), json!("1 2 3")), "lead_lengths_differ");
    refused(&with(&sampled("data"), json!("")), "waveform_absent");
    refused(&with("/component", json!([])), "waveform_absent");
    refused(&with("/status", json!("entered-in-error")), "withdrawn");
    let coding = "/component/1/code/coding/0/code";
    refused(&with(coding, json!("131329")), "lead_repeated");
    let unnamed = json!({ "coding": [{ "system": "http://loinc.org", "code": "1-8" }] });
    refused(&with("/component/1/code", unnamed), "lead_unknown");
    let refusal = read(&with(&sampled("period"), json!("fast"))).unwrap_err();
    assert_eq!(refusal.place, "Observation.component[1].valueSampledData.period");
}

#[test]
fn a_name_that_says_another_lead_is_a_problem_and_two_codes_are_refused() {
    let mut named = observation();
    named["component"][1]["code"]["coding"][0]["display"] = json!("MDC_ECG_ELEC_POTL_V1");
    assert!(codes(&read(&named).unwrap()).contains(&"lead_name_disagrees"));
    let second = json!({ "system": "http://snomed.info/sct", "code": "272735005" });
    named["component"][1]["code"]["coding"].as_array_mut().unwrap().push(second);
    refused(&named, "lead_codes_disagree");
}

#[test]
fn a_bundle_gives_its_one_ecg_and_its_patient() {
    let mut ecg = observation();
    ecg["subject"] = json!({ "reference": "Patient/p1" });
    ecg["component"].as_array_mut().unwrap().push(json!({
        "code": { "coding": [{ "system": "http://loinc.org", "code": "8867-4", "display": "Heart rate" }] },
        "valueQuantity": { "value": 61, "code": "/min" },
    }));
    let patient = json!({
        "resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1882-03-23",
        "identifier": [{ "system": "urn:hospital", "value": "P-1" }],
        "name": [{ "family": "Noether", "given": ["Emmy"] }],
    });
    let entry = |resource: &Value| json!({ "resource": resource });
    let bundle = json!({
        "resourceType": "Bundle", "type": "collection",
        "entry": [entry(&patient), entry(&ecg)],
    });
    let recording = read(&bundle).unwrap();
    let person = &recording.patient;
    assert_eq!(person.id.as_ref().unwrap().reveal(), "P-1");
    assert_eq!(person.family.as_ref().unwrap().reveal(), "Noether");
    assert_eq!(
        (person.sex, person.id_issuer.as_deref()),
        (Some(Sex::Female), Some("urn:hospital"))
    );
    let said = &recording.device_measurements[0];
    assert_eq!(
        (said.code.as_deref(), said.value, &said.unit[..]),
        (Some("LN:8867-4"), 61.0, "/min")
    );
    let several = json!({
        "resourceType": "Bundle", "type": "collection", "entry": [entry(&ecg), entry(&ecg)],
    });
    refused(&several, "recordings_several");
}

#[test]
fn what_is_written_is_read_back_as_it_was() {
    let recording = read(&observation()).unwrap();
    let again = read(&waveform::write(&recording).unwrap()).unwrap();
    let bits = |recording: &Recording| -> Vec<(Lead, Vec<u32>)> {
        let traces = recording.rhythm.traces.iter();
        traces.map(|t| (t.lead, t.samples_uv.iter().map(|uv| uv.to_bits()).collect())).collect()
    };
    assert_eq!(bits(&again), bits(&recording));
    assert_eq!(again.rhythm.rate, recording.rhythm.rate);
    assert_eq!(
        again.acquired_at.unwrap().utc().unwrap(),
        recording.acquired_at.unwrap().utc().unwrap()
    );
}

#[test]
fn a_resource_is_known_wherever_it_says_its_type() {
    let mut long = observation();
    let data = vec!["7"; 5000].join(" ");
    for component in long["component"].as_array_mut().unwrap() {
        component["valueSampledData"]["data"] = json!(data);
    }
    // The writer sorts members by name, so that the type follows the samples.
    let text = serde_json::to_string_pretty(&long).unwrap();
    assert!(text.find("resourceType").unwrap() > 4096);
    let recording = ecg::read(&[Part { name: "sorted", bytes: text.as_bytes() }]).unwrap();
    assert_eq!(recording.rhythm.len(), 5000);
}

#[test]
fn damage_is_refused_and_never_a_panic() {
    let text = observation().to_string();
    for end in 0..text.len() {
        let refusal =
            ecg::read(&[Part { name: "cut", bytes: &text.as_bytes()[..end] }]).unwrap_err();
        assert!(!refusal.code.is_empty());
    }
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1 << (at % 7);
        let _ = ecg::read(&[Part { name: "flipped", bytes: &bytes }]);
    }
}

fn corpus() -> Option<PathBuf> {
    let path = std::env::var_os("PRECORDIA_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    path.is_dir().then_some(path)
}

/// Every FHIR row of the corpus' truth: outcome, leads, rate, length, first and middle samples.
#[test]
fn the_corpus_is_read_as_its_truth_says() {
    let Some(corpus) = corpus() else { return eprintln!("skipped 1: no corpus") };
    let truth = std::fs::read_to_string(corpus.join("variants/truth.jsonl")).unwrap();
    let mut judged = 0;
    for line in truth.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let file = row["file"].as_str().unwrap();
        if row["format"] != "fhir" && !file.ends_with(".json") {
            continue;
        }
        judged += 1;
        let bytes = std::fs::read(corpus.join("variants").join(file)).unwrap();
        let outcome = ecg::read(&[Part { name: file, bytes: &bytes }]);
        let said = match &outcome {
            Err(_) => "refuse",
            Ok(recording) if recording.problems.is_empty() => "read",
            Ok(_) => "read_with_problems",
        };
        let also = row["also_ok"].as_array().into_iter().flatten();
        let mut allowed = also.chain([&row["expect"]]);
        let is_allowed =
            allowed.any(|outcome| outcome == said || (outcome == "read" && said != "refuse"));
        assert!(is_allowed, "{file}: {said} {:?}", outcome.err());
        if let Ok(recording) = outcome {
            compare(&recording, &row);
        }
    }
    assert!(judged >= 19, "{judged}");
}

fn compare(recording: &Recording, row: &Value) {
    let file = &row["file"];
    assert_eq!(recording.rhythm.rate.hz(), row["sampling_hz"].as_f64().unwrap(), "{file}");
    assert_eq!(recording.rhythm.len() as u64, row["n_samples"].as_u64().unwrap(), "{file}");
    let middle = row["mid_index"].as_u64().unwrap_or(0) as usize;
    for (index, name) in row["leads"].as_array().unwrap().iter().enumerate() {
        let trace = &recording.rhythm.traces[index];
        assert_eq!(trace.lead.name(), name, "{file}");
        for (key, from) in [("first10", 0), ("mid10", middle)] {
            for (offset, value) in row[key][index].as_array().unwrap().iter().enumerate() {
                let read = trace.samples_uv[from + offset];
                let agrees = value.as_f64().map_or(read.is_nan(), |truth| {
                    (f64::from(read) - truth).abs() <= f64::max(0.001, 1e-6 * truth.abs())
                });
                assert!(agrees, "{file} {name} {key} {offset}: {read} for {value}");
            }
        }
    }
}

#[test]
fn every_file_of_the_fuzz_corpus_is_answered() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/fhir");
    let (mut answered, mut read_well) = (0, 0);
    for file in std::fs::read_dir(corpus).expect("the fuzz corpus belongs to the project") {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        answered += 1;
        read_well += usize::from(waveform::read(&[Part { name: "corpus", bytes: &bytes }]).is_ok());
    }
    assert!(answered >= 4 && read_well >= 4, "{read_well} of {answered} were read");
}
