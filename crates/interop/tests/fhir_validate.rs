//! The validator takes what is valid and says where the rest is wrong.

#![allow(clippy::unwrap_used)]

use precordia_interop::fhir::ecg::MACHINE_LABEL;
use precordia_interop::fhir::{
    FhirId, IssueCode, IssueSeverity, ResourceType, bundle, operation_outcome, validate,
};
use serde_json::{Value, json};

fn observation() -> Value {
    json!({
        "resourceType": "Observation",
        "id": "o1",
        "meta": { "versionId": "1", "lastUpdated": "2024-05-17T06:30:15.000Z" },
        "contained": [{ "resourceType": "Device", "id": "a", "version": [{ "value": "1" }] }],
        "extension": [{ "url": "https://precordia.org/fhir/StructureDefinition/r-peaks", "valueString": "1 2" }],
        "status": "preliminary",
        "code": { "coding": [{ "system": "http://loinc.org", "code": "34534-8" }] },
        "subject": { "reference": "Patient/p1" },
        "effectiveDateTime": "2024-05-17T08:30:15+02:00",
        "issued": "2024-05-17T06:30:15Z",
        "note": [{ "text": MACHINE_LABEL }],
        "device": { "reference": "#a" },
        "component": [{
            "code": { "text": "x" },
            "valueQuantity": { "value": 1.5, "unit": "ms", "system": "http://unitsofmeasure.org", "code": "ms" },
        }],
    })
}

/// The first finding after one change, as `place: code`.
fn after(base: &Value, at: &str, change: Option<Value>) -> String {
    let mut changed = base.clone();
    let (parent, name) = at.rsplit_once('/').unwrap();
    let parent = changed.pointer_mut(parent).unwrap();
    match (parent, change) {
        (Value::Object(members), Some(value)) => drop(members.insert(name.into(), value)),
        (Value::Object(members), None) => drop(members.remove(name)),
        (parent, value) => parent[name.parse::<usize>().unwrap()] = value.unwrap_or_default(),
    }
    match validate::check(&changed) {
        Ok(()) => "valid".into(),
        Err(found) => format!("{}: {}", found[0].expression, found[0].code.name()),
    }
}

#[test]
fn each_fault_is_found_at_its_place() {
    let valid = observation();
    assert_eq!(validate::check(&valid), Ok(()));
    let some = Some;
    for (at, change, expected) in [
        ("/status", None, "Observation.status: required"),
        ("/status", some(json!("finished")), "Observation.status: code-invalid"),
        ("/status", some(json!(1)), "Observation.status: structure"),
        ("/code", None, "Observation.code: required"),
        ("/code", some(json!({})), "Observation.code: structure"),
        ("/code", some(json!([])), "Observation.code: structure"),
        ("/code/coding/0/system", some(json!("a b")), "Observation.code.coding[0].system: value"),
        ("/code/coding", some(json!([])), "Observation.code.coding: structure"),
        ("/code/coding", some(json!({})), "Observation.code.coding: structure"),
        ("/id", some(json!("a_b")), "Observation.id: value"),
        ("/id", some(Value::Null), "Observation.id: value"),
        ("/subject", some(json!({ "display": "x" })), "Observation.subject: invariant"),
        ("/issued", some(json!("2024-05-17")), "Observation.issued: value"),
        ("/issued", some(json!("2024-05-17T06:30Z")), "Observation.issued: value"),
        ("/effectiveDateTime", some(json!("2024-05-17")), "valid"),
        ("/effectiveDateTime", some(json!("2024-02-30")), "Observation.effectiveDateTime: value"),
        (
            "/effectiveDateTime",
            some(json!("2024-05-17T08:30:15")),
            "Observation.effectiveDateTime: value",
        ),
        ("/effectiveDateTime", some(json!("")), "Observation.effectiveDateTime: value"),
        ("/valueString", some(json!("x")), "Observation: not-supported"),
        ("/modifierExtension", some(json!([])), "Observation: not-supported"),
        ("/_status", some(json!({})), "Observation: not-supported"),
        ("/device", None, "Observation: invariant"),
        ("/contained", None, "Observation: invariant"),
        (
            "/contained/0/resourceType",
            some(json!("Patient")),
            "Observation.contained[0]: not-supported",
        ),
        (
            "/component/0/dataAbsentReason",
            some(json!({ "text": "x" })),
            "Observation.component[0]: invariant",
        ),
        ("/component/0/valueString", some(json!("x")), "Observation.component[0]: invariant"),
        ("/component/0/valueQuantity", None, "Observation.component[0]: invariant"),
        (
            "/component/0/valueQuantity/value",
            some(json!("1.5")),
            "Observation.component[0].valueQuantity.value: value",
        ),
        (
            "/component/0/valueQuantity/system",
            None,
            "Observation.component[0].valueQuantity: invariant",
        ),
        (
            "/component/0/valueQuantity/comparator",
            some(json!("<")),
            "Observation.component[0].valueQuantity: not-supported",
        ),
        ("/extension/0/valueCode", some(json!("x")), "Observation.extension[0]: invariant"),
        ("/extension/0/valueString", None, "Observation.extension[0]: invariant"),
        (
            "/extension/0/url",
            some(json!("https://precordia.org/other")),
            "Observation.extension[0]: invariant",
        ),
        ("/extension/0/url", some(json!("https://elsewhere.example/x")), "valid"),
        ("/extension/0/url", None, "Observation.extension[0].url: required"),
        ("/note/0/text", some(json!("a\u{1}b")), "Observation.note[0].text: value"),
        ("/note/0/text", some(json!("a\nb")), "valid"),
        ("/resourceType", some(json!("Encounter")), "Resource: not-supported"),
        ("/resourceType", None, "Resource: not-supported"),
    ] {
        assert_eq!(after(&valid, at, change.clone()), expected, "{at} {change:?}");
    }
}

#[test]
fn findings_never_repeat_a_value() {
    let patient = json!({
        "resourceType": "Patient", "birthDate": "SECRET", "gender": "SECRET",
        "name": [{ "family": 7, "suffix": ["SECRET"] }], "id": "SECRET_",
    });
    let found = validate::check(&patient).unwrap_err();
    assert_eq!(found.len(), 5);
    let outcome = operation_outcome::of_invalid(&found);
    assert_eq!(validate::check(&outcome), Ok(()));
    assert!(!outcome.to_string().contains("SECRET"), "{outcome}");
}

#[test]
fn nesting_and_findings_have_a_bound() {
    let mut deep = json!({ "url": "urn:x", "valueString": "x" });
    for _ in 0..100 {
        deep = json!({ "url": "urn:x", "extension": [deep] });
    }
    let mut value = observation();
    value["extension"] = json!([deep]);
    let found = validate::check(&value).unwrap_err();
    assert!(found.iter().any(|f| f.code == IssueCode::TooCostly));
    value["extension"] = Value::Array(vec![json!({}); 5_000]);
    assert_eq!(validate::check(&value).unwrap_err().len(), 100);
}

#[test]
fn bundles_hold_resources_each_once() {
    let entry = |url: &str| (url.to_owned(), observation());
    let page = bundle::searchset(
        vec![entry("urn:a"), entry("urn:b")],
        "https://x.example/fhir/Observation?_page=a",
        Some("https://x.example/fhir/Observation?_page=b"),
        Some(2),
    );
    assert_eq!(validate::check(&page), Ok(()));
    assert_eq!(page["link"][1]["relation"], "next");
    let twice = bundle::searchset(vec![entry("urn:a"), entry("urn:a")], "urn:s", None, None);
    assert_eq!(validate::check(&twice).unwrap_err()[0].code, IssueCode::Invariant);
    let empty = bundle::searchset(vec![], "urn:s", None, Some(0));
    assert_eq!(validate::check(&empty), Ok(()));
    assert_eq!((empty.get("entry"), &empty["total"]), (None, &json!(0)));
}

#[test]
fn a_history_tells_each_version_once_with_what_made_it() {
    let entry = |version: i64, resource: Option<Value>| bundle::HistoryEntry {
        version,
        at: precordia_model::Timestamp(1_500),
        resource,
    };
    let of = |version: i64| {
        let mut resource = observation();
        resource["meta"]["versionId"] = version.to_string().into();
        entry(version, Some(resource))
    };
    let history = |versions| {
        let id = FhirId::parse("o-1").unwrap();
        let base = "https://x.example/fhir";
        bundle::history(base, ResourceType::Observation, &id, versions, "urn:s", None)
    };
    let life = history(vec![entry(3, None), of(2), of(1)]);
    assert_eq!(validate::check(&life), Ok(()));
    let said = |entry: &Value| {
        let words = ["method", "url"].map(|name| entry["request"][name].as_str().unwrap());
        let status = entry["response"]["status"].as_str().unwrap();
        format!("{} {} {status} {}", words[0], words[1], entry["response"]["etag"])
    };
    let said: Vec<_> = life["entry"].as_array().unwrap().iter().map(said).collect();
    assert_eq!(
        said,
        [
            r#"DELETE Observation/o-1 204 No Content "W/\"3\"""#,
            r#"PUT Observation/o-1 200 OK "W/\"2\"""#,
            r#"POST Observation 201 Created "W/\"1\"""#,
        ]
    );
    assert_eq!(life["entry"][0].get("resource"), None);
    assert_eq!(life["entry"][2]["fullUrl"], "https://x.example/fhir/Observation/o-1");
    let twice = validate::check(&history(vec![of(2), of(2)])).unwrap_err();
    assert_eq!(twice[0].code, IssueCode::Invariant);
    let mut bare = life.clone();
    bare["entry"][1].as_object_mut().unwrap().remove("response");
    assert_eq!(validate::check(&bare).unwrap_err()[0].code, IssueCode::Invariant);
    let mut found = bundle::searchset(vec![("urn:a".into(), observation())], "urn:s", None, None);
    found["entry"][0].as_object_mut().unwrap().remove("resource");
    assert_eq!(validate::check(&found).unwrap_err()[0].code, IssueCode::Invariant);
}

#[test]
fn an_outcome_says_severity_code_words_and_place() {
    let outcome = operation_outcome::of(
        IssueSeverity::Error,
        IssueCode::NotFound,
        "no such resource",
        Some("Patient.id"),
    );
    assert_eq!(validate::check(&outcome), Ok(()));
    assert_eq!(
        outcome["issue"][0],
        json!({
            "severity": "error", "code": "not-found", "diagnostics": "no such resource",
            "expression": ["Patient.id"],
        })
    );
    let plain = operation_outcome::of(IssueSeverity::Fatal, IssueCode::Exception, "", None);
    assert_eq!(plain["issue"][0], json!({ "severity": "fatal", "code": "exception" }));
}
