//! Search never widens: answered exactly as asked, or refused with the parameter's name.

#![allow(clippy::unwrap_used)]

use precordia_interop::fhir::search::{
    AuditFilter, DateTerm, EcgFilter, PatientFilter, Query, SearchRefusal, matches,
    matches_resource, parse,
};
use precordia_interop::fhir::{
    ResourceType, capability, operation_outcome, patient as fhir_patient, validate,
};
use precordia_model::{Identifier, PartialDate, Patient, PatientIdentity, Phi, Timestamp};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

const ID: &str = "0192f0aa-1111-7000-8000-000000000001";

fn ask(kind: &str, query: &str) -> Result<Query, SearchRefusal> {
    let pairs = query.split('&').filter(|p| !p.is_empty());
    let pairs: Vec<(String, String)> = pairs
        .map(|pair| pair.split_once('=').map_or((pair, ""), |p| p))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    parse(kind, &pairs)
}

fn patient(family: &str, given: &[&str], born: &str, identifiers: &[(&str, &str)]) -> Patient {
    Patient {
        id: ID.parse().unwrap(),
        identity: PatientIdentity {
            identifiers: identifiers
                .iter()
                .map(|(s, v)| Identifier { system: (*s).into(), value: Phi::new((*v).into()) })
                .collect(),
            family: (!family.is_empty()).then(|| Phi::new(family.into())),
            given: given.iter().map(|g| Phi::new((*g).into())).collect(),
            birth_date: PartialDate::parse(born).map(Phi::new),
            sex: None,
        },
        merged_into: None,
    }
}

fn noether() -> Patient {
    let identifiers = [("urn:oid:1.2.3", "A-17"), ("", "loose"), ("urn:x|y", "a,b$c\\d")];
    patient("Nöther-Straße", &["Amalie", "Émilie Ann"], "1882-03-23", &identifiers)
}

/// `yes`, `no`, or the refused parameter and its code.
fn answer(query: &str, patient: &Patient) -> String {
    match ask("Patient", query) {
        Ok(Query::Patient(q)) => {
            let found = matches(&q, patient);
            // The test on the resource as it is answered is the same test.
            let meta = precordia_interop::fhir::Meta { version: 1, last_updated: Timestamp(0) };
            let resource = fhir_patient::to_fhir(patient, &meta);
            assert_eq!(matches_resource(&Query::Patient(q), &resource), found, "{query}");
            if found { "yes".into() } else { "no".into() }
        }
        Ok(other) => format!("{:?}", other.resource()),
        Err(refusal) => format!("{} {}", refusal.parameter, refusal.code.name()),
    }
}

#[test]
fn patients_are_found_by_what_was_asked_and_nothing_else() {
    for (query, expected) in [
        ("", "yes"),
        (&*format!("_id={ID}"), "yes"),
        (&*format!("_id=1,{ID}"), "yes"),
        (&*format!("_id={}", ID.to_uppercase()), "no"),
        ("_id=1", "no"),
        ("identifier=urn:oid:1.2.3\\|A-17", "no"),
        ("identifier=urn:oid:1.2.3|A-17", "yes"),
        ("identifier=urn:oid:1.2.3|a-17", "no"),
        ("identifier=urn:oid:1.2.4|A-17", "no"),
        ("identifier=urn:oid:1.2.4|A-17,urn:oid:1.2.3|A-17", "yes"),
        ("identifier=A-17", "yes"),
        ("identifier=A-1", "no"),
        ("identifier=|A-17", "no"),
        ("identifier=|loose", "yes"),
        ("identifier=loose", "yes"),
        ("identifier=urn:oid:1.2.3|loose", "no"),
        ("identifier=urn:x\\|y|a\\,b\\$c\\\\d", "yes"),
        ("identifier=A-17&identifier=loose", "yes"),
        ("identifier=A-17&identifier=tight", "no"),
        ("family=no", "yes"),
        ("family=NOTHER", "yes"),
        ("family=nöther-strasse", "yes"),
        ("family=nother-strassen", "no"),
        ("family=strasse", "no"),
        ("family=amalie", "no"),
        ("given=am", "yes"),
        ("given=emilie  ann", "yes"),
        ("given=ann", "no"),
        ("given=amalie emilie", "no"),
        ("given=nother", "no"),
        ("name=am", "yes"),
        ("name=no", "yes"),
        ("name=amalie em", "yes"),
        ("name=nother amalie", "no"),
        ("name=ann", "no"),
        ("family=xx,no", "yes"),
        ("family=no&family=xx", "no"),
        ("family=no&given=em", "yes"),
        ("family=no\\,xx", "no"),
        ("birthdate=1882-03-23", "yes"),
        ("birthdate=eq1882-03-23", "yes"),
        ("birthdate=1882-03", "yes"),
        ("birthdate=1882", "yes"),
        ("birthdate=1882-04", "no"),
        ("birthdate=1882-03-22,1882-03-23", "yes"),
        ("birthdate=1882&birthdate=1883", "no"),
        ("family=no&birthdate=1882&identifier=A-17&_count=10&_format=json", "yes"),
    ] {
        assert_eq!(answer(query, &noether()), expected, "{query}");
    }
}

#[test]
fn a_birth_date_known_less_exactly_than_asked_is_not_an_answer() {
    for (born, query, expected) in [
        ("1882", "birthdate=1882", "yes"),
        ("1882", "birthdate=1882-03", "no"),
        ("1882-03", "birthdate=1882", "yes"),
        ("1882-03", "birthdate=1882-03-23", "no"),
        ("", "birthdate=1882", "no"),
    ] {
        assert_eq!(answer(query, &patient("No", &[], born, &[])), expected, "{born} {query}");
    }
}

#[test]
fn what_is_not_understood_exactly_is_refused_by_name() {
    for (query, expected) in [
        ("Family=no", "Family not-supported"),
        ("family:exact=no", "family:exact not-supported"),
        ("family:contains=no", "family:contains not-supported"),
        ("family:missing=true", "family:missing not-supported"),
        ("family:=no", "family: not-supported"),
        ("identifier:of-type=x|y|z", "identifier:of-type not-supported"),
        ("general-practitioner.name=no", "general-practitioner.name not-supported"),
        ("name.family=no", "name.family not-supported"),
        ("phonetic=no", "phonetic not-supported"),
        ("gender=female", "gender not-supported"),
        ("active=true", "active not-supported"),
        ("address=x", "address not-supported"),
        ("_has:Observation:patient:code=x", "_has:Observation:patient:code not-supported"),
        ("_include=Patient:link", "_include not-supported"),
        ("_revinclude=Observation:patient", "_revinclude not-supported"),
        ("_sort=family", "_sort not-supported"),
        ("_summary=count", "_summary not-supported"),
        ("_elements=name", "_elements not-supported"),
        ("_total=accurate", "_total not-supported"),
        ("_lastUpdated=2024", "_lastUpdated not-supported"),
        ("_text=x", "_text not-supported"),
        ("_filter=x", "_filter not-supported"),
        ("_pretty=true", "_pretty not-supported"),
        ("_tag=x", "_tag not-supported"),
        ("", "yes"),
        ("=x", " not-supported"),
        ("family", "family value"),
        ("family=", "family value"),
        ("family=no,", "family value"),
        ("family=,no", "family value"),
        ("family=n", "family too-costly"),
        ("family=-n", "family too-costly"),
        ("family=..", "family too-costly"),
        ("family=no,n", "family too-costly"),
        ("family=no ", "family value"),
        ("family= no", "family value"),
        ("family=no|x", "family invalid"),
        ("family=no$x", "family invalid"),
        ("family=no\\x", "family invalid"),
        ("family=no\\", "family invalid"),
        ("family=n\0o", "family invalid"),
        ("identifier=", "identifier value"),
        ("identifier=|", "identifier value"),
        ("identifier=urn:oid:1.2.3|", "identifier not-supported"),
        ("identifier=a|b|c", "identifier invalid"),
        ("birthdate=gt1882", "birthdate not-supported"),
        ("birthdate=ge1882-03-23", "birthdate not-supported"),
        ("birthdate=ne1882", "birthdate not-supported"),
        ("birthdate=ap1882", "birthdate not-supported"),
        ("birthdate=18820323", "birthdate value"),
        ("birthdate=1882-02-30", "birthdate value"),
        ("birthdate=1882-03-23T00:00:00Z", "birthdate value"),
        ("_id=a b", "_id value"),
        ("_id=Patient/1", "_id value"),
        ("_count=0", "_count value"),
        ("_count=-1", "_count value"),
        ("_count=ten", "_count value"),
        ("_count=10,20", "_count value"),
        ("_count=99999999999", "_count value"),
        ("_count=10&_count=20", "_count invalid"),
        ("_format=xml", "_format not-supported"),
        ("_format=application/fhir+xml", "_format not-supported"),
        ("_page=", "_page value"),
        ("_page=a b", "_page value"),
        ("_page=a&_page=b", "_page invalid"),
        ("_page=abc&family=no", "family invalid"),
        ("family=no&_page=abc", "family invalid"),
        ("_page=abc&_count=10", "_count invalid"),
    ] {
        assert_eq!(answer(query, &noether()), expected, "{query}");
    }
    assert_eq!(
        ask("Patient", "_page=abc.DEF_-~=&_format=application/fhir json").unwrap(),
        Query::Page { resource: ResourceType::Patient, token: "abc.DEF_-~=".into() }
    );
}

#[test]
fn types_that_are_not_searched_are_refused() {
    for kind in ["Binary", "Encounter", "patient", "", "Bundle", "Device"] {
        let refusal = ask(kind, "_id=1").unwrap_err();
        assert_eq!((refusal.parameter.as_str(), refusal.code.name()), (kind, "not-supported"));
    }
}

#[test]
fn bounds_hold() {
    let many = vec!["_id=1"; 33].join("&");
    assert_eq!(ask("Patient", &many).unwrap_err().code.name(), "too-costly");
    assert!(ask("Patient", &vec!["_id=1"; 32].join("&")).is_ok());
    let alternatives = format!("_id={}", vec!["1"; 65].join(","));
    assert_eq!(ask("Patient", &alternatives).unwrap_err().code.name(), "too-costly");
    let long = format!("family={}", "a".repeat(2049));
    assert_eq!(ask("Patient", &long).unwrap_err().code.name(), "too-long");
    let name = format!("{}=1", "x".repeat(10_000));
    assert_eq!(ask("Patient", &name).unwrap_err().parameter.len(), 80);
}

fn observation() -> Value {
    json!({
        "resourceType": "Observation", "id": ID, "status": "preliminary",
        "code": { "coding": [{ "system": "http://loinc.org", "code": "34534-8" }, { "code": "own" }] },
        "subject": { "reference": "Patient/p1" },
        "effectiveDateTime": "2024-05-17T08:30:15+02:00",
    })
}

fn found(kind: &str, query: &str, resource: &Value) -> String {
    match ask(kind, query) {
        Ok(q) => if matches_resource(&q, resource) { "yes" } else { "no" }.to_owned(),
        Err(refusal) => format!("{} {}", refusal.parameter, refusal.code.name()),
    }
}

#[test]
fn observations_are_found_by_what_was_asked_and_nothing_else() {
    for (query, expected) in [
        ("", "yes"),
        (&*format!("_id={ID}"), "yes"),
        ("_id=x", "no"),
        ("patient=p1", "yes"),
        ("patient=Patient/p1", "yes"),
        ("patient=p2", "no"),
        ("patient=p2,p1", "yes"),
        ("patient=P1", "no"),
        ("subject=Patient/p1", "yes"),
        ("subject:Patient=p1", "yes"),
        ("patient:Patient=p1", "patient:Patient not-supported"),
        ("subject:Device=p1", "subject:Device not-supported"),
        ("subject.Patient=p1", "subject.Patient not-supported"),
        ("subject=Device/p1", "subject value"),
        ("patient=https://elsewhere.example/Patient/p1", "patient value"),
        ("patient=Patient/p1/_history/1", "patient value"),
        ("patient.name=no", "patient.name not-supported"),
        ("subject:Patient.name=no", "subject:Patient.name not-supported"),
        ("patient:identifier=x", "patient:identifier not-supported"),
        ("code=34534-8", "yes"),
        ("code=http://loinc.org|34534-8", "yes"),
        ("code=|34534-8", "no"),
        ("code=|own", "yes"),
        ("code=own", "yes"),
        ("code=http://loinc.org|own", "no"),
        ("code=http://loinc.org|8867-4,http://loinc.org|34534-8", "yes"),
        ("code=8867-4", "no"),
        ("code:in=x", "code:in not-supported"),
        ("type=34534-8", "type not-supported"),
        ("component-code=8867-4", "component-code not-supported"),
        ("value-quantity=5", "value-quantity not-supported"),
        ("status=preliminary", "yes"),
        ("status=http://hl7.org/fhir/observation-status|preliminary", "yes"),
        ("status=http://hl7.org/fhir/other|preliminary", "no"),
        ("status=|preliminary", "no"),
        ("status=final", "no"),
        ("status:not=final", "status:not not-supported"),
        ("date=2024-05-17", "yes"),
        ("date=ge2024-05-17&date=lt2024-05-18", "yes"),
        ("date=gt2024-05-17", "no"),
        ("date=le2024-05-17T06:30:15Z", "yes"),
        ("date=lt2024-05-17T06:30:15Z", "no"),
        ("date=2024-05-17T08:30:15+02:00", "yes"),
        ("date=2024-05-17T08:30:15 02:00", "date value"),
        ("date=2024-05-17T08:30:15", "date value"),
        ("date=ne2024", "date not-supported"),
        ("date=sa2024", "date not-supported"),
        ("date=eb2024", "date not-supported"),
        ("date=ap2024", "date not-supported"),
        ("date=2024-05-17,2023", "yes"),
        ("family=no", "family not-supported"),
    ] {
        assert_eq!(found("Observation", query, &observation()), expected, "{query}");
    }
}

#[test]
fn a_resource_without_the_element_or_of_another_type_is_never_an_answer() {
    let bare = json!({ "resourceType": "Observation", "id": "x", "status": "preliminary" });
    for query in ["patient=p1", "date=2024", "date=lt2024", "date=gt1900", "code=x"] {
        assert_eq!(found("Observation", query, &bare), "no", "{query}");
    }
    assert_eq!(found("DiagnosticReport", "", &bare), "no");
    assert_eq!(found("Observation", "_page=abc", &bare), "no");
}

#[test]
fn documents_and_reports_have_their_own_elements() {
    let document = json!({
        "resourceType": "DocumentReference", "id": ID, "status": "current",
        "type": { "coding": [{ "system": "http://loinc.org", "code": "11524-6" }] },
        "subject": { "reference": "Patient/p1" }, "date": "2024-05-17T06:31:00.000Z",
    });
    for (query, expected) in [
        ("type=11524-6", "yes"),
        ("code=11524-6", "code not-supported"),
        ("status=http://hl7.org/fhir/document-reference-status|current", "yes"),
        ("patient=p1&date=2024-05-17T06:31Z", "yes"),
        ("date=2024-05-17T06:30Z", "no"),
    ] {
        assert_eq!(found("DocumentReference", query, &document), expected, "{query}");
    }
    let mut report = observation();
    report["resourceType"] = "DiagnosticReport".into();
    for (query, expected) in [
        ("code=34534-8&date=2024-05&status=preliminary", "yes"),
        ("status=http://hl7.org/fhir/diagnostic-report-status|preliminary", "yes"),
        ("status=http://hl7.org/fhir/observation-status|preliminary", "no"),
        ("result=x", "result not-supported"),
    ] {
        assert_eq!(found("DiagnosticReport", query, &report), expected, "{query}");
    }
}

#[test]
fn audit_events_are_found_by_patient_entity_and_date() {
    let event = json!({
        "resourceType": "AuditEvent", "id": "7", "recorded": "2024-05-17T06:31:00.500Z",
        "entity": [
            { "what": { "reference": "Patient/p1" } }, { "what": { "reference": "Observation/o1" } },
        ],
    });
    for (query, expected) in [
        ("_id=7", "yes"),
        ("patient=p1", "yes"),
        ("patient=o1", "no"),
        ("entity=Observation/o1", "yes"),
        ("entity=Patient/p1", "yes"),
        ("entity=Patient/o1", "no"),
        ("entity=o1", "entity value"),
        ("entity=Encounter/o1", "entity value"),
        ("date=2024-05-17", "yes"),
        ("date=gt2024-05-17T06:31:00Z", "no"),
        ("date=ge2024-05-17T06:31:00Z", "yes"),
        ("agent=x", "agent not-supported"),
        ("agent-name=x", "agent-name not-supported"),
    ] {
        assert_eq!(found("AuditEvent", query, &event), expected, "{query}");
    }
}

#[test]
fn a_refusal_becomes_a_valid_outcome_that_names_the_parameter_and_not_the_value() {
    let refusal = ask("Patient", "family=No&birthdate=gtSECRET").unwrap_err();
    let outcome = operation_outcome::of_refusal(&refusal);
    assert_eq!(validate::check(&outcome), Ok(()));
    assert_eq!(outcome["issue"][0]["code"], "not-supported");
    assert_eq!(outcome["issue"][0]["location"][0], "http.birthdate");
    let diagnostics = outcome["issue"][0]["diagnostics"].as_str().unwrap();
    assert!(diagnostics.contains("`birthdate`") && !diagnostics.contains("SECRET"));
}

#[test]
fn a_query_does_not_print_what_was_asked_of_a_person() {
    let query =
        ask("Patient", "family=noether&identifier=urn:x|A-17&birthdate=1882-03-23").unwrap();
    let text = format!("{query:?}");
    for secret in ["noether", "A-17", "1882"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn a_query_can_be_kept_and_read_again() {
    for (kind, query) in [
        ("Patient", "family=Nöther&identifier=urn:x|A-17,|b,c&birthdate=1882-03&_count=5"),
        ("Observation", "date=ge2024-05&code=x|y&patient=p1&status=final"),
        ("AuditEvent", "entity=Patient/p1&date=lt2024&patient=p2&_id=1"),
        ("Patient", "_page=abc"),
    ] {
        let asked = ask(kind, query).unwrap();
        let text = serde_json::to_string(&asked).unwrap();
        assert_eq!(serde_json::from_str::<Query>(&text).unwrap(), asked, "{query}");
    }
}

#[test]
fn the_capability_statement_lists_exactly_what_is_parsed() {
    let statement = capability::statement("https://x.example/fhir", "0.1.0", "2026-11-20");
    assert_eq!(validate::check(&statement), Ok(()));
    let value = |name: &str| match name {
        "birthdate" | "date" => "2024",
        "entity" => "Patient/p1",
        _ => "abc",
    };
    let mut listed = 0;
    for resource in statement["rest"][0]["resource"].as_array().unwrap() {
        let kind = resource["type"].as_str().unwrap();
        for param in resource["searchParam"].as_array().into_iter().flatten() {
            let name = param["name"].as_str().unwrap();
            assert!(ask(kind, &format!("{name}={}", value(name))).is_ok(), "{kind} {name}");
            listed += 1;
        }
    }
    assert_eq!(listed, 6 + 6 + 6 + 6 + 4);
    let binary = &statement["rest"][0]["resource"][1];
    assert_eq!(
        (binary["type"].as_str(), &binary["interaction"]),
        (Some("Binary"), &json!([{"code": "read"}]))
    );
}

/// How many filters, page sizes and formats a query stands for.
fn counted(query: &Query) -> usize {
    let filters = match query {
        Query::Patient(q) => q.filters.len(),
        Query::Observation(q) | Query::DiagnosticReport(q) | Query::DocumentReference(q) => {
            q.filters.len()
        }
        Query::AuditEvent(q) => q.filters.len(),
        Query::Page { .. } => 1,
    };
    filters + usize::from(query.count().is_some())
}

fn some_parameter() -> impl Strategy<Value = (String, String)> {
    let name = prop_oneof![
        8 => select(vec![
            "_id", "identifier", "family", "given", "name", "birthdate", "patient", "subject",
            "subject:Patient", "code", "type", "status", "date", "entity", "_count", "_page",
            "_format",
        ]).prop_map(String::from),
        1 => select(vec![
            "family:exact", "name:missing", "_include", "_sort", "gender", "patient.name", "_has",
        ]).prop_map(String::from),
        1 => ".{0,8}",
    ];
    let value = prop_oneof![
        select(vec![
            "abc",
            "a,b",
            "x|y",
            "|y",
            "1",
            "10",
            "2024",
            "2024-05",
            "ge2024-05-17",
            "json",
            "Patient/p1",
            "Observation/o1",
            "no\\,pe",
            "Müller",
            "",
        ])
        .prop_map(String::from),
        ".{0,12}",
    ];
    (name, value)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn a_parameter_is_never_dropped_and_nothing_panics(
        kind in select(ResourceType::ALL.to_vec()),
        parameters in proptest::collection::vec(some_parameter(), 0..4),
    ) {
        match parse(kind.name(), &parameters) {
            Ok(query) => {
                let formats = parameters.iter().filter(|(name, _)| name == "_format").count();
                prop_assert_eq!(counted(&query) + formats, parameters.len());
                prop_assert_eq!(query.resource(), kind);
            }
            Err(refusal) => {
                let named = |(name, _): &(String, String)| {
                    name.chars().filter(|c| !c.is_control()).eq(refusal.parameter.chars())
                };
                prop_assert!(
                    parameters.iter().any(named) || refusal.parameter == kind.name(),
                    "{}", refusal.parameter
                );
            }
        }
    }

    #[test]
    fn every_alternative_is_kept(values in proptest::collection::vec("[a-z]{2,5}", 1..6)) {
        let joined = values.join(",");
        for kind in ["_id", "identifier", "family"] {
            let query = parse("Patient", &[(kind.into(), joined.clone())]).unwrap();
            let Query::Patient(query) = query else { unreachable!() };
            let kept = match &query.filters[0] {
                PatientFilter::Id(v) => v.len(),
                PatientFilter::Identifier(v) => v.len(),
                PatientFilter::Family(v) => v.len(),
                _ => 0,
            };
            prop_assert_eq!(kept, values.len());
        }
        let Ok(Query::Observation(query)) = parse("Observation", &[("code".into(), joined.clone())])
        else { panic!("a code search is understood") };
        prop_assert!(matches!(&query.filters[0], EcgFilter::Code(v) if v.len() == values.len()));
        let Ok(Query::AuditEvent(query)) = parse("AuditEvent", &[("patient".into(), joined)])
        else { panic!("a patient search is understood") };
        prop_assert!(matches!(&query.filters[0], AuditFilter::Patient(v) if v.len() == values.len()));
    }

    #[test]
    fn one_more_filter_never_finds_more(
        first in select(vec!["family=no", "given=xx", "birthdate=1882", "identifier=A-17", "name=am"]),
        second in select(vec!["family=xx", "given=am", "birthdate=1883", "identifier=|loose", "name=no"]),
    ) {
        let both = answer(&format!("{first}&{second}"), &noether()) == "yes";
        let each = [first, second].map(|q| answer(q, &noether()) == "yes");
        prop_assert_eq!(both, each[0] && each[1]);
    }

    #[test]
    fn dates_split_time_in_two(
        day in (1900_i16..2100, 1_i8..=12, 1_i8..=28),
        at in -2_000_000_000_i64..4_000_000_000,
    ) {
        let date = PartialDate::Day(day.0, day.1, day.2).to_string();
        let text = Timestamp(at * 1_000_000).to_rfc3339();
        let resource = json!({
            "resourceType": "Observation", "id": "x", "effectiveDateTime": text,
        });
        let hit = |prefix: &str| found("Observation", &format!("date={prefix}{date}"), &resource) == "yes";
        // An instant lies before, within or after a day, and never in two of them.
        prop_assert_eq!(u8::from(hit("lt")) + u8::from(hit("eq")) + u8::from(hit("gt")), 1);
        prop_assert_eq!(hit("ge"), hit("eq") || hit("gt"));
        prop_assert_eq!(hit("le"), hit("eq") || hit("lt"));
    }
}

#[test]
fn a_date_term_is_its_prefix_and_span() {
    let Ok(Query::Observation(query)) = ask("Observation", "date=ge2024-05") else {
        panic!("a date search is understood")
    };
    let EcgFilter::Date(terms) = &query.filters[0] else { panic!("it is a date filter") };
    let [DateTerm { range, .. }] = terms.as_slice() else { panic!("it has one term") };
    assert_eq!(range.from.to_rfc3339(), "2024-05-01T00:00:00.000Z");
    assert_eq!(range.until.to_rfc3339(), "2024-06-01T00:00:00.000Z");
}
