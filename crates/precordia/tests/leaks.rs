//! What belongs to one organization is not there for another, and what identifies a person is nowhere in
//! the clear.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use common::search::{files, find_in, find_in_files, forms};
use common::{Client, Site, file_of};
use precordia_model::{PartialDate, Sex};
use precordia_synth::{Pattern, Person};
use serde_json::json;

/// What an address reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Something of an organization, by its id: another's is not there.
    OfOne,
    /// Many things of the asker's organization: another's are not among them.
    Many,
    /// Changes of the asker's organization as they happen; `server/tests/http/event.rs` listens to them.
    Stream,
    /// The asker's own session, or something new that becomes the asker's organization's.
    Own,
    /// Nothing of any organization; asked before signing in.
    Nobody,
    /// For this machine and the operator's token; no organization's session opens it.
    Operator,
}
use Reach::{Many, Nobody, OfOne, Operator, Own, Stream};

/// Every address of the interface. A new one needs its line here, and one in `docs/safety/isolation.md`.
const ADDRESSES: &[(&str, &str, Reach)] = &[
    ("POST", "/api/access-log/search", Many),
    ("GET", "/api/alarms", Many),
    ("GET", "/api/balance", Many),
    ("POST", "/api/break-glass", Own),
    ("DELETE", "/api/break-glass", Own),
    ("GET", "/api/demo-sign-ins", Nobody),
    ("GET", "/api/events", Stream),
    ("POST", "/api/items/search", Many),
    ("GET", "/api/items/{id}", OfOne),
    ("GET", "/api/items/{id}/original", OfOne),
    ("POST", "/api/patients/search", Many),
    ("GET", "/api/patients/{id}", OfOne),
    ("POST", "/api/patients/{id}/erase", OfOne),
    ("GET", "/api/patients/{id}/held", OfOne),
    ("POST", "/api/patients/{id}/merge", OfOne),
    ("POST", "/api/patients/{id}/unmerge", OfOne),
    ("POST", "/api/recordings/search", Many),
    ("GET", "/api/recordings/{id}", OfOne),
    ("GET", "/api/recordings/{id}/accesses", OfOne),
    ("POST", "/api/recordings/{id}/assign", OfOne),
    ("GET", "/api/recordings/{id}/history", OfOne),
    ("GET", "/api/recordings/{id}/original", OfOne),
    ("GET", "/api/recordings/{id}/sheet", OfOne),
    ("POST", "/api/recordings/{id}/unassign", OfOne),
    ("GET", "/api/recordings/{id}/waveform", OfOne),
    ("GET", "/api/session", Own),
    ("POST", "/api/session", Nobody),
    ("DELETE", "/api/session", Own),
    ("GET", "/api/setup", Nobody),
    ("POST", "/api/setup", Nobody),
    ("GET", "/api/tokens", Many),
    ("POST", "/api/tokens", Own),
    ("DELETE", "/api/tokens/{id}", OfOne),
    ("POST", "/api/uploads", Own),
    ("GET", "/api/users", Many),
    ("POST", "/api/users", Own),
    ("PUT", "/api/users/{id}", OfOne),
    ("POST", "/api/users/{id}/password", OfOne),
    ("GET", "/api/work-kinds", Many),
    ("POST", "/api/work-kinds/{kind}/pause", Own),
    ("POST", "/api/work-kinds/{kind}/resume", Own),
    ("POST", "/api/work-pieces/search", Many),
    ("POST", "/api/work-pieces/{id}/give-up", OfOne),
    ("POST", "/api/work-pieces/{id}/retry", OfOne),
    ("GET", "/fhir/metadata", Nobody),
    ("GET", "/fhir/{type}", Many),
    ("POST", "/fhir/{type}/_search", Many),
    ("GET", "/fhir/{type}/{id}", OfOne),
    ("GET", "/fhir/{type}/{id}/_history", OfOne),
    ("GET", "/fhir/{type}/{id}/_history/{vid}", OfOne),
    ("GET", "/livez", Nobody),
    ("GET", "/readyz", Nobody),
];

/// Addresses that the description of the interface leaves to the documents; they have their rows too.
const OF_OPERATORS: &[(&str, &str, Reach)] =
    &[("GET", "/metrics", Operator), ("GET", "/operator/", Operator)];

#[test]
fn every_address_of_the_interface_has_its_row() {
    let described = serde_json::to_value(precordia_server::openapi()).unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (path, methods) in described["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let method = method.to_uppercase();
            count += 1;
            if !ADDRESSES.iter().any(|row| (row.0, row.1) == (&*method, &**path)) {
                wrong.push(format!(
                    "add (\"{method}\", \"{path}\", <what it reaches>) to ADDRESSES here"
                ));
            }
        }
    }
    assert_eq!((count, &wrong), (ADDRESSES.len(), &Vec::new()), "{wrong:#?}");
    let document = include_str!("../../../docs/safety/isolation.md");
    let rows = || ADDRESSES.iter().chain(OF_OPERATORS);
    for (method, path, reach) in rows() {
        let row = format!("| `{method} {path}` | {reach:?} |");
        assert!(document.contains(&row), "docs/safety/isolation.md lacks a row beginning `{row}`");
    }
    assert_eq!(
        document.lines().filter(|line| line.starts_with("| `")).count(),
        rows().count(),
        "docs/safety/isolation.md has rows of addresses that are gone"
    );
}

/// A body that would be accepted if the address were theirs.
fn body_for(address: &str, patient: &str) -> serde_json::Value {
    match address.rsplit('/').next().unwrap() {
        "assign" => json!({"patient_id": patient}),
        "merge" => json!({"into": patient, "reason": "none of mine"}),
        "unassign" | "unmerge" | "give-up" => json!({"reason": "none of mine"}),
        "erase" => json!({"reason": "none of mine", "confirm_family": person(0).family}),
        "password" => json!({"password": "another long password"}),
        _ => json!({"active": false}),
    }
}

fn person(number: usize) -> Person {
    let (family, given) =
        [("Zwietlinger-Quoxhaven", "Hildegundis"), ("Brambleworth-Yttrium", "Xanthippe")][number];
    Person {
        id: format!("MRN-77431-{number}"),
        family: family.to_owned(),
        given: given.to_owned(),
        birth_date: PartialDate::Day(1951, 7, 29 + number as i8),
        sex: Sex::Female,
    }
}

on_both_engines! {
    every_address_of_another_organization_is_not_there_and_the_asking_is_written_down at "info";
    nothing_that_identifies_a_person_is_written_in_the_clear at "trace";
}

fn every_address_of_another_organization_is_not_there_and_the_asking_is_written_down(site: &Site) {
    let codes = [site.apply("alpha", "Alpha"), site.apply("beta", "Beta")];
    let server = site.serve();
    let [alpha, beta] = [("alpha", &codes[0]), ("beta", &codes[1])].map(|(slug, code)| {
        let administrator = Client::set_up(&server.url, slug, code);
        let doctor = administrator.user(slug, "doctor", "cardiologist");
        (administrator, doctor)
    });
    let item = beta.1.upload(&file_of(Pattern::ALL[0], &person(0), 1));
    let recording = item["recording_id"].as_str().unwrap().to_owned();
    let item_id = item["item_id"].as_str().unwrap().to_owned();
    let detail = beta.1.get(&format!("/api/recordings/{recording}")).ok();
    let patient = detail["patient"]["id"].as_str().unwrap().to_owned();
    let blob = detail["blob_id"].as_str().unwrap().to_owned();

    let user = beta.1.get("/api/session").ok()["user"]["id"].as_str().unwrap().to_owned();
    let token = beta.0.post("/api/tokens", &json!({"label": "t", "roles": ["service"]})).ok();
    let token = token["id"].as_str().unwrap().to_owned();
    let done = beta.0.post("/api/work-pieces/search", &json!({"state": "done"})).ok();
    let work = done["rows"][0]["id"].as_str().unwrap().to_owned();
    let ids = [&recording, &patient, &item_id, &blob, &user, &token, &work];

    // Before alpha asks for any of it: what was asked for stands in alpha's own log.
    let theirs: Vec<_> =
        ids.iter().map(|id| id.as_str()).chain(["Zwiet", "MRN-77431"]).flat_map(forms).collect();
    for (method, path, _) in ADDRESSES.iter().filter(|row| row.2 == Many) {
        let path = path.replace("{type}", "Patient");
        for client in [&alpha.0, &alpha.1] {
            let answer = match (*method, path.contains("_search")) {
                ("GET", _) => client.get(&path),
                (_, true) => {
                    let form = "application/x-www-form-urlencoded";
                    client.send(method, &path, form, b"family=zwiet", &[]).unwrap()
                }
                _ => client.post(&path, &json!({})),
            };
            assert!([200, 403].contains(&answer.status), "{method} {path}: {}", answer.status);
            let found = find_in(&path, &answer.body, &theirs);
            assert!(found.is_empty(), "{method} {path}: {found:?}");
        }
    }

    for (_, path, _) in OF_OPERATORS {
        for client in [&alpha.0, &alpha.1] {
            let answer = client.get_with(path, "x-forwarded-for", "192.0.2.7");
            assert_eq!(answer.status, 404, "a session is no operator: {path}");
        }
    }

    for (method, path, _) in ADDRESSES.iter().filter(|row| row.2 == OfOne) {
        let ids_of_kind: Vec<String> = match path.split('/').nth(2).unwrap() {
            "recordings" => vec![path.replace("{id}", &recording)],
            "patients" => vec![path.replace("{id}", &patient)],
            "items" => vec![path.replace("{id}", &item_id)],
            "users" => vec![path.replace("{id}", &user)],
            "tokens" => vec![path.replace("{id}", &token)],
            "work-pieces" => vec![path.replace("{id}", &work)],
            "{type}" => {
                let versions = path.trim_start_matches("/fhir/{type}/{id}").replace("{vid}", "1");
                let of = |kind: &str, id: &str| format!("/fhir/{kind}/{id}{versions}");
                let mut all = vec![
                    of("Patient", &patient),
                    of("Observation", &recording),
                    of("DiagnosticReport", &recording),
                    of("DocumentReference", &recording),
                ];
                // Bytes never change: a Binary has no history.
                all.extend(versions.is_empty().then(|| of("Binary", &blob)));
                all
            }
            other => panic!("no id of beta's for `{other}`: {path}"),
        };
        for address in ids_of_kind {
            let by_admin = ["erase", "held", "/users/", "/tokens/", "/work-pieces/"];
            let by_admin = by_admin.iter().any(|part| address.contains(part));
            let ask = |of: &(Client, Client), address: &str| {
                let client = if by_admin { &of.0 } else { &of.1 };
                match *method {
                    "GET" => client.get(address),
                    _ => {
                        let body = body_for(address, &patient).to_string();
                        let json = "application/json";
                        client.send(method, address, json, body.as_bytes(), &[]).unwrap()
                    }
                }
            };
            let answer = ask(&alpha, &address);
            assert_eq!(answer.status, 404, "{method} {address}");
            // The same answer as for what never existed.
            let nowhere = ids
                .iter()
                .zip(1..)
                .fold(address.clone(), |address, (id, n)| address.replace(id.as_str(), &fresh(n)));
            let unknown = ask(&alpha, &nowhere);
            assert_eq!(
                without_request_id(&answer.body),
                without_request_id(&unknown.body),
                "{method} {address}"
            );
            if *method == "GET" {
                assert_eq!(ask(&beta, &address).status, 200, "beta's own {address}");
            }
        }
    }

    assert_eq!(alpha.1.post("/api/recordings/search", &json!({})).ok()["rows"], json!([]));
    assert_eq!(
        alpha.1.post("/api/patients/search", &json!({"text": "Zwiet"})).ok()["patients"],
        json!([])
    );
    assert!(alpha.1.get("/fhir/Patient?family=zwiet").ok().get("entry").is_none());
    assert!(
        alpha.1.get(&format!("/fhir/Observation?patient={patient}")).ok().get("entry").is_none()
    );

    let log = alpha.0.post("/api/access-log/search", &json!({"limit": 200})).ok();
    let rows = log["rows"].as_array().unwrap();
    for id in [&recording, &patient, &item_id, &blob] {
        let written = rows.iter().any(|row| {
            row["outcome"] == "unknown" && row["target"].as_str().unwrap().contains(id.as_str())
        });
        assert!(written, "{id} is not in alpha's access log as unknown");
    }
    let log = beta.0.post("/api/access-log/search", &json!({"limit": 200})).ok();
    assert!(
        log["rows"].as_array().unwrap().iter().all(|row| row["outcome"] != "unknown"),
        "beta saw alpha's asking"
    );
}

fn forms_of_bytes(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    vec![(String::from("a token"), bytes.to_vec())]
}

fn fresh(n: u8) -> String {
    format!("0192f0aa-0000-7000-8000-0000000000{n:02x}")
}

fn without_request_id(body: &[u8]) -> String {
    let mut value: serde_json::Value = serde_json::from_slice(body).unwrap();
    if let Some(object) = value.as_object_mut() {
        object.remove("request_id");
    }
    value.to_string().split("0192f0aa").next().unwrap_or_default().to_owned()
}

fn nothing_that_identifies_a_person_is_written_in_the_clear(site: &Site) {
    site.keep_backups(site.root());
    let code = site.apply("alpha", "Alpha");
    let mut server = site.serve();
    let administrator = Client::set_up(&server.url, "alpha", &code);
    let doctor = administrator.user("alpha", "doctor", "cardiologist");
    let auditor = administrator.user("alpha", "auditor-x", "auditor");
    let (first, second) = (person(0), person(1));
    let mut outside = Vec::new();

    let item = doctor.upload(&file_of(Pattern::ALL[0], &first, 1));
    let recording = item["recording_id"].as_str().unwrap().to_owned();
    doctor.upload(&file_of(Pattern::ALL[1], &second, 2));
    // The same id with another name is held; what is cut is quarantined; what is no ECG too.
    let disagrees = Person { id: first.id.clone(), ..second.clone() };
    let held = doctor.upload(&file_of(Pattern::ALL[2], &disagrees, 3));
    assert_eq!(held["state"], "held");
    let cut = file_of(Pattern::ALL[3], &first, 4);
    assert_eq!(doctor.upload(&cut[..cut.len() / 2])["state"], "quarantined");
    let letter = format!("Dear {} {}, born 1951-07-29", first.given, first.family);
    assert_eq!(doctor.upload(letter.as_bytes())["state"], "quarantined");

    let patient = doctor.get(&format!("/api/recordings/{recording}")).ok()["patient"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for path in [
        format!("/api/recordings/{recording}/waveform"),
        format!("/api/recordings/{recording}/sheet?format=pdf"),
        format!("/api/patients/{patient}"),
        format!("/api/recordings/{recording}/history"),
        format!("/api/recordings/{recording}?as_of=2100-01-01T00:00:00Z"),
        format!("/fhir/Patient/{patient}"),
        format!("/fhir/Patient/{patient}/_history"),
        format!("/fhir/Patient/{patient}/_history/1"),
        String::from(
            "/fhir/Patient?family=Zwietlinger-Quoxhaven&given=Hildegundis&birthdate=1951-07-29",
        ),
        format!("/fhir/Patient?identifier={}", first.id),
    ] {
        assert_eq!(doctor.get(&path).status, 200, "{path}");
    }
    doctor.post("/api/patients/search", &json!({"text": "Brambleworth-Yttrium"})).ok();
    doctor.post("/api/recordings/search", &json!({"patient": "Hildegundis"})).ok();
    // Errors: wrong parameters, wrong addresses, wrong bodies, all naming a person.
    for answer in [
        doctor.get("/fhir/Patient?surname=Zwietlinger-Quoxhaven"),
        doctor.get("/fhir/Patient?family:exact=Zwietlinger-Quoxhaven"),
        doctor.get("/fhir/Patient/Zwietlinger-Quoxhaven"),
        doctor.get("/fhir/Patient/Zwietlinger-Quoxhaven/_history"),
        doctor.get("/fhir/Patient/Zwietlinger-Quoxhaven/_history/1"),
        doctor.get(&format!("/fhir/Patient/{patient}/_history?family=Zwietlinger-Quoxhaven")),
        doctor.get("/api/patients/Zwietlinger-Quoxhaven"),
        doctor.get("/Zwietlinger-Quoxhaven?mrn=MRN-77431-0"),
        doctor.post("/api/recordings/search", &json!({"patient": 5, "Hildegundis": "MRN-77431-0"})),
        auditor.get(&format!("/api/patients/{patient}")),
        Client::anonymous(&server.url).get("/fhir/Patient?family=Zwietlinger-Quoxhaven"),
        Client::anonymous(&server.url).post("/api/session", &json!({"organization": "alpha", "user_name": "Hildegundis", "password": "MRN-77431-0-long"})),
        doctor.get("/metrics"),
        doctor.get("/operator/"),
    ] {
        outside.push(answer.body);
    }
    let found = doctor.get("/fhir/Patient?family=Zwietlinger-Quoxhaven&_count=1").ok();
    assert_eq!(found["entry"].as_array().unwrap().len(), 1);
    assert_eq!(server.stop(), Some(0));
    site.run(&["audit", "verify"]);
    outside.push(site.run(&["audit", "balance", "--json"]).stdout);
    let stream = format!("recording/{recording}");
    let show = ["audit", "show", &stream, "--organization", "alpha"];
    let shown = site.run(&[&show[..], &["--json"]].concat());
    let events: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!((&events[0]["kind"], &events[0]["version"]), (&json!("recording.filed"), &json!(1)));
    assert_eq!(events[0].get("payload"), None);
    let early = site.run(&[&show[..], &["--as-of", "1999-01-01T00:00:00Z"]].concat());
    assert_eq!((early.status.code(), &*early.stdout), (Some(1), &b""[..]));
    outside.extend([shown.stdout, site.run(&show).stdout]);

    // A backup of all of it, restored again and drilled.
    outside.push(site.run(&["backup", "run", "--json"]).stdout);
    outside.push(site.run(&["backup", "list"]).stdout);
    let drill = site.run(&["backup", "drill"]);
    assert!(drill.status.success(), "{}", String::from_utf8_lossy(&drill.stderr));
    outside.extend([drill.stdout, drill.stderr]);
    assert!(!files(&site.path("backup-data")).is_empty());

    let mut identifiers = vec![
        String::from("1951-07-29"),
        String::from("19510729"),
        String::from("1951-07-30"),
        String::from("19510730"),
    ];
    for person in [&first, &second] {
        identifiers.extend([person.id.clone(), person.family.clone(), person.given.clone()]);
        identifiers.extend([person.family.to_lowercase(), person.given.to_lowercase()]);
    }
    identifiers.extend((1..5).map(|number| format!("SERIAL-{number:06}")));
    identifiers.extend((1..5).map(|number| format!("2.25.990011{number}.3")));
    identifiers.push(String::from("cart.dcm"));
    let forms: Vec<_> = identifiers.iter().flat_map(|text| forms(text)).collect();
    let mut found = find_in_files(site.root(), &forms);
    outside.iter().for_each(|body| found.extend(find_in("an answer", body, &forms)));
    if let Some(postgres) = &site.postgres {
        // Tables, the server's journal and its log, as they are on its disk.
        postgres.sql("CHECKPOINT");
        found.extend(find_in_files(&postgres.files(), &forms));
        let login = site.column("SELECT login FROM account");
        let is_there = forms_of_bytes(&login[0]);
        let tables = find_in_files(&postgres.files().join("data/base"), &is_there);
        assert!(!tables.is_empty(), "the search looks where the tables are");
    }
    assert!(found.is_empty(), "{found:#?}");
    let log = std::fs::metadata(site.path("server.log")).unwrap().len();
    assert!(log > 4_000, "the log holds nothing to look at: {log} bytes");
}
