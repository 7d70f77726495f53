//! FHIR searches on ten thousand patients: answered right or refused, never more than was asked for.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Client, Site};
use precordia_formats::dicom::{self, ObjectIds};
use precordia_model::{Lead, PartialDate, Sex};
use precordia_synth::{Person, Spec, synthesize};
use serde_json::Value;

const PATIENTS: usize = 10_000;

const FAMILY: [&str; 20] = [
    "Müller",
    "Muller",
    "van der Berg",
    "Bergström",
    "O'Neill",
    "Łukasz",
    "Đorđević",
    "Søndergaard",
    "de la Cruz",
    "Delacroix",
    "Strauß",
    "Strausse",
    "Ng",
    "Nguyễn",
    "Smith",
    "Smithson",
    "García",
    "Garcia-Lopez",
    "Ærø",
    "Öztürk",
];
const GIVEN: [&str; 12] = [
    "Anna", "Ana", "Änne", "Zoë", "Zoe", "José", "Josefa", "Jo", "Élodie", "Eloise", "Søren",
    "Ingrid",
];

fn person(number: usize) -> Person {
    let year = 1930 + (number % 70) as i16;
    Person {
        id: format!("MRN{number:05}"),
        family: format!(
            "{}{}",
            FAMILY[number % FAMILY.len()],
            ["", "son", "-Ortega"][(number / 20) % 3]
        ),
        given: GIVEN[(number / 7) % GIVEN.len()].to_owned(),
        birth_date: PartialDate::Day(
            year,
            1 + (number / 3 % 12) as i8,
            1 + (number / 5 % 28) as i8,
        ),
        sex: if number.is_multiple_of(2) { Sex::Female } else { Sex::Male },
    }
}

/// The smallest recording that is one: the patients matter here.
fn file(number: usize) -> Vec<u8> {
    let spec = Spec {
        person: person(number),
        seed: number as u64,
        leads: vec![Lead::II],
        duration_s: 3.0,
        sampling_hz: 100.0,
        ..Spec::default()
    };
    let base = format!("2.25.880011{number}");
    let ids = ObjectIds::new(format!("{base}.3"), format!("{base}.1"), format!("{base}.2"));
    dicom::write(&synthesize(&spec).recording, &ids).unwrap()
}

/// Folding as this test understands it, apart from the product's.
fn fold(text: &str) -> String {
    let mut out = String::new();
    for c in text.to_lowercase().chars() {
        match c {
            'ü' | 'ú' => out.push('u'),
            'ö' | 'ó' | 'ø' => out.push('o'),
            'ł' => out.push('l'),
            'đ' => out.push('d'),
            'ć' | 'ç' => out.push('c'),
            'ß' => out.push_str("ss"),
            'ễ' | 'ë' | 'é' => out.push('e'),
            'í' => out.push('i'),
            'ä' | 'á' => out.push('a'),
            'æ' => out.push_str("ae"),
            c => out.push(c),
        }
    }
    out
}

#[test]
fn a_search_on_ten_thousand_patients_finds_exactly_those_asked_for() {
    let site = Site::new("warn");
    let code = site.apply("alpha", "Alpha");
    let server = site.serve();
    let administrator = Client::set_up(&server.url, "alpha", &code);
    let doctor = administrator.user("alpha", "doctor", "cardiologist");
    register(&administrator.service());
    let ids = ids_by_mrn(&doctor);
    assert_eq!(ids.len(), PATIENTS);

    let check = |query: &str, wanted: &dyn Fn(&Person) -> bool| {
        let expected: BTreeSet<String> =
            (0..PATIENTS).map(person).filter(|p| wanted(p)).map(|p| ids[&p.id].clone()).collect();
        let found = all_pages(&doctor, &format!("/fhir/Patient?{query}&_count=200"));
        assert_eq!(found.len(), expected.len(), "{query}");
        assert_eq!(found, expected, "{query}");
        eprintln!("{query}: {} found", found.len());
    };
    let family = |p: &Person, prefix: &str| fold(&p.family).starts_with(prefix);
    let given = |p: &Person, prefix: &str| fold(&p.given).starts_with(prefix);
    check("family=mull", &|p| family(p, "mull"));
    check("family=M%C3%BCllerson", &|p| family(p, "mullerson"));
    check("family=smithson-ortega", &|p| family(p, "smithson-ortega"));
    check("family=ng", &|p| family(p, "ng"));
    check("family=DE%20LA", &|p| family(p, "de la"));
    check("family=berg", &|p| family(p, "berg"));
    check("family=strauss", &|p| family(p, "strauss"));
    check("given=jo", &|p| given(p, "jo"));
    check("given=jose,zoe", &|p| given(p, "jose") || given(p, "zoe"));
    check("name=an", &|p| family(p, "an") || given(p, "an"));
    check("birthdate=1950-03-04", &|p| p.birth_date == PartialDate::Day(1950, 3, 4));
    check("birthdate=1950-03", &|p| matches!(p.birth_date, PartialDate::Day(1950, 3, _)));
    check("birthdate=eq1951", &|p| matches!(p.birth_date, PartialDate::Day(1951, ..)));
    check("family=garcia&given=ana&birthdate=1946", &|p| {
        family(p, "garcia") && given(p, "ana") && matches!(p.birth_date, PartialDate::Day(1946, ..))
    });
    check("family=smith&given=jo&given=josefa", &|p| family(p, "smith") && given(p, "josefa"));
    check("identifier=MRN00042", &|p| p.id == "MRN00042");
    check("identifier=mrn00042", &|_| false);
    check("identifier=MRN0004", &|_| false);
    check("identifier=%7CMRN00042", &|_| false);
    check("family=doesnotexist", &|_| false);
    let one = ids["MRN00007"].clone();
    check(&format!("_id={one}"), &|p| p.id == "MRN00007");
    check(&format!("_id={one}&family=zz"), &|_| false);

    for refused in [
        "surname=x",
        "family:exact=Smith",
        "family:contains=mit",
        "family=s",
        "name=",
        "birthdate=ge1950",
        "birthdate=1950-13",
        "birthdate=apr1950",
        "gender=female",
        "_sort=family",
        "_include=Patient:link",
        "_has:Observation:patient:code=1",
        "general-practitioner.name=Joe",
        "_total=accurate",
        "address=x",
        "_elements=id",
    ] {
        for prefer in ["handling=lenient", "handling=strict"] {
            let answer = doctor.get_with(&format!("/fhir/Patient?{refused}"), "prefer", prefer);
            assert_eq!(answer.status, 400, "{refused}: {}", String::from_utf8_lossy(&answer.body));
            let outcome = answer.json();
            assert_eq!(outcome["resourceType"], "OperationOutcome");
            let name = refused.split('=').next().unwrap();
            assert!(outcome.to_string().contains(name), "{refused} is not named: {outcome}");
        }
    }
    let posted = doctor
        .send(
            "POST",
            "/fhir/Patient/_search",
            "application/x-www-form-urlencoded",
            b"family=smithson-ortega&_count=200",
            &[],
        )
        .unwrap()
        .ok();
    let by_get = all_pages(&doctor, "/fhir/Patient?family=smithson-ortega&_count=200");
    assert_eq!(posted["entry"].as_array().unwrap().len(), by_get.len());
}

fn register(service: &Client) {
    let next = Arc::new(AtomicUsize::new(0));
    let senders: Vec<_> = (0..16)
        .map(|_| {
            let (next, service) = (next.clone(), service.at(&service.url));
            std::thread::spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= PATIENTS {
                        return;
                    }
                    let answer = service.try_upload(&file(number), 0).unwrap();
                    assert_eq!(answer.status, 202, "{}", String::from_utf8_lossy(&answer.body));
                }
            })
        })
        .collect();
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    let start = std::time::Instant::now();
    loop {
        let rows =
            service.post("/api/items/search", &serde_json::json!({"state": "in-flight"})).ok();
        if rows["rows"].as_array().unwrap().is_empty() {
            return;
        }
        assert!(start.elapsed().as_secs() < 300, "the patients are not registered");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

fn ids_by_mrn(client: &Client) -> BTreeMap<String, String> {
    let mut ids = BTreeMap::new();
    for_each_entry(client, "/fhir/Patient?_count=200", |patient| {
        let mrn = patient["identifier"][0]["value"].as_str().unwrap().to_owned();
        ids.insert(mrn, patient["id"].as_str().unwrap().to_owned());
    });
    ids
}

fn all_pages(client: &Client, path: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for_each_entry(client, path, |patient| {
        assert!(found.insert(patient["id"].as_str().unwrap().to_owned()), "twice in {path}");
    });
    found
}

fn for_each_entry(client: &Client, path: &str, mut each: impl FnMut(&Value)) {
    let mut next = Some(path.to_owned());
    while let Some(path) = next {
        let bundle = client.get(&path).ok();
        for entry in bundle.get("entry").and_then(Value::as_array).into_iter().flatten() {
            each(&entry["resource"]);
        }
        next = bundle["link"]
            .as_array()
            .unwrap()
            .iter()
            .find(|link| link["relation"] == "next")
            .map(|link| link["url"].as_str().unwrap().split_once("/fhir/").unwrap().1)
            .map(|rest| format!("/fhir/{rest}"));
    }
}
