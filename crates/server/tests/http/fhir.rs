use axum::body::Body;
use serde_json::{Value, json};

use crate::world::{Answer, Client, World, ecg};

#[track_caller]
fn outcome(answer: Answer, status: u16, code: &str) -> Value {
    let answer = answer.expect(status);
    assert_eq!(answer.header("content-type"), "application/fhir+json");
    let outcome = answer.json();
    assert_eq!(outcome["resourceType"], "OperationOutcome");
    assert_eq!(outcome["issue"][0]["code"], code, "{outcome}");
    outcome
}

fn entries(bundle: &Value) -> Vec<String> {
    let id = |entry: &Value| entry["resource"]["id"].as_str().unwrap().to_owned();
    bundle
        .get("entry")
        .and_then(Value::as_array)
        .map(|all| all.iter().map(id).collect())
        .unwrap_or_default()
}

async fn post(client: &Client<'_>, path: &str, form: &'static str) -> Answer {
    let request =
        client.request("POST", path).header("content-type", "application/x-www-form-urlencoded");
    client.world.send(request.body(Body::from(form)).unwrap()).await
}

#[tokio::test]
async fn metadata_is_open_and_names_the_address_that_was_used() {
    let world = World::new().await;
    let answer = world.nobody().get("/fhir/metadata").await.expect(200);
    assert_eq!(answer.header("content-type"), "application/fhir+json");
    let statement = answer.json();
    assert_eq!(statement["resourceType"], "CapabilityStatement");
    assert_eq!(statement["implementation"]["url"], "http://localhost:8480/fhir");
    outcome(world.nobody().get("/fhir/Patient").await, 401, "login");
}

#[tokio::test]
async fn resources_are_read_with_their_version() {
    let world = World::new().await;
    let clinician = world.member("alpha", "cardiologist").await;
    let file = ecg(1, 0);
    let item = clinician.upload(&file).await.expect(202).json();
    let id = item["recording_id"].as_str().unwrap();
    for kind in ["Observation", "DiagnosticReport", "DocumentReference"] {
        let answer = clinician.get(&format!("/fhir/{kind}/{id}")).await.expect(200);
        let resource = answer.json();
        assert_eq!(resource["resourceType"], kind);
        let version = resource["meta"]["versionId"].as_str().unwrap();
        assert_eq!(answer.header("etag"), format!("W/\"{version}\""));
        assert!(answer.header("last-modified").ends_with(" GMT"));
        assert_eq!(answer.header("cache-control"), "no-store");
        let request = clinician.request("GET", &format!("/fhir/{kind}/{id}"));
        let request = request
            .header("if-none-match", format!("W/\"{version}\""))
            .body(Body::empty())
            .unwrap();
        let unchanged = world.send(request).await.expect(304);
        assert!(unchanged.body.is_empty());
    }
    let document = clinician.get(&format!("/fhir/DocumentReference/{id}")).await.json();
    let url = document["content"][0]["attachment"]["url"].as_str().unwrap().to_owned();
    let blob = url.rsplit('/').next().unwrap();
    let bytes = clinician.get(&format!("/fhir/Binary/{blob}")).await.expect(200);
    assert_eq!(bytes.body.as_ref(), file.as_slice());
    assert_eq!(bytes.header("content-type"), "application/dicom");
    let request = clinician
        .request("GET", &format!("/fhir/Binary/{blob}"))
        .header("accept", "application/fhir+json");
    let resource = world.send(request.body(Body::empty()).unwrap()).await.expect(200).json();
    assert_eq!(resource["resourceType"], "Binary");

    let xml = clinician
        .request("GET", &format!("/fhir/Observation/{id}"))
        .header("accept", "application/fhir+xml");
    outcome(world.send(xml.body(Body::empty()).unwrap()).await, 406, "not-supported");
    outcome(
        clinician.get(&format!("/fhir/Observation/{id}?_summary=true")).await,
        400,
        "not-supported",
    );
    let answer = clinician.send("DELETE", &format!("/fhir/Observation/{id}"), None).await;
    assert!(answer.header("allow").contains("GET"));
    outcome(answer, 405, "not-supported");
    outcome(clinician.send("POST", "/fhir/Observation", None).await, 405, "not-supported");
    // An administrator sees no patient.
    let ada = world.sign_in("alpha", "ada").await;
    outcome(ada.get(&format!("/fhir/Observation/{id}")).await, 403, "forbidden");
}

#[tokio::test]
async fn a_search_is_answered_exactly_or_refused() {
    let world = World::new().await;
    let clinician = world.member("alpha", "cardiologist").await;
    for person in 1..6 {
        clinician.upload(&ecg(person, person)).await.expect(202);
    }
    let all = clinician.get("/fhir/Patient").await.expect(200).json();
    assert_eq!((&all["type"], entries(&all).len()), (&json!("searchset"), 5));
    let first = &all["entry"][0];
    let id = first["resource"]["id"].as_str().unwrap();
    assert_eq!(first["fullUrl"], format!("http://localhost:8480/fhir/Patient/{id}"));

    let family = first["resource"]["name"][0]["family"].as_str().unwrap().to_owned();
    let by_name = clinician.get(&format!("/fhir/Patient?family={family}")).await.expect(200).json();
    assert!(entries(&by_name).contains(&id.to_owned()));
    assert_eq!(
        by_name["link"][0]["url"],
        format!("http://localhost:8480/fhir/Patient?family={family}")
    );
    let nobody = clinician.get("/fhir/Patient?family=Zzyzx").await.expect(200).json();
    assert_eq!(entries(&nobody).len(), 0);

    for query in [
        "unknown=1",
        "family:exact=Abc",
        "general-practitioner.name=x",
        "_include=Patient:link",
        "_summary=count",
        "birthdate=gt1980",
        "family=a",
        "family=%zz",
        "family=%FF",
        "_count=0",
        "_page=nonsense",
    ] {
        let answer = clinician.get(&format!("/fhir/Patient?{query}")).await.expect(400);
        assert_eq!(answer.json()["resourceType"], "OperationOutcome", "{query}");
        let lenient = clinician
            .request("GET", &format!("/fhir/Patient?{query}"))
            .header("prefer", "handling=lenient");
        world.send(lenient.body(Body::empty()).unwrap()).await.expect(400);
    }
    outcome(clinician.get("/fhir/Binary?_id=1").await, 400, "not-supported");
}

#[tokio::test]
async fn pages_follow_each_other_and_their_links_name_nobody() {
    let world = World::new().await;
    let clinician = world.member("alpha", "cardiologist").await;
    for person in 1..6 {
        clinician.upload(&ecg(person, person)).await.expect(202);
    }
    let mut seen = Vec::new();
    let mut next = Some("/fhir/Patient?_count=2".to_owned());
    while let Some(path) = next {
        let page = clinician.get(&path).await.expect(200).json();
        assert!(entries(&page).len() <= 2);
        seen.extend(entries(&page));
        let link = page["link"]
            .as_array()
            .unwrap()
            .iter()
            .find(|link| link["relation"] == "next")
            .cloned();
        next = link.map(|link| {
            link["url"].as_str().unwrap().trim_start_matches("http://localhost:8480").to_owned()
        });
        if let Some(next) = &next {
            assert!(next.starts_with("/fhir/Patient?_page="), "{next}");
            assert!(!next.contains('&'), "{next}");
        }
    }
    assert_eq!(seen.len(), 5);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 5);
}

#[tokio::test]
async fn a_posted_search_is_the_same_search_and_its_link_names_nobody() {
    let world = World::new().await;
    let clinician = world.member("alpha", "cardiologist").await;
    clinician.upload(&ecg(1, 1)).await.expect(202);
    let by_post = post(&clinician, "/fhir/Patient/_search", "_count=10&family=Zzyzx")
        .await
        .expect(200)
        .json();
    assert_eq!(entries(&by_post).len(), 0);
    assert_eq!(by_post["link"][0]["url"], "http://localhost:8480/fhir/Patient/_search");
    let all = post(&clinician, "/fhir/Patient/_search", "").await.expect(200).json();
    assert_eq!(entries(&all).len(), 1);
    // Query and body are one search: both must hold.
    let both = post(&clinician, "/fhir/Patient/_search?family=Zzyzx", "_count=10")
        .await
        .expect(200)
        .json();
    assert_eq!(entries(&both).len(), 0);
    outcome(post(&clinician, "/fhir/Patient/_search", "unknown=1").await, 400, "not-supported");
    outcome(clinician.post("/fhir/Patient/_search", &json!({})).await, 415, "not-supported");
    outcome(clinician.get("/fhir/Patient/_search").await, 405, "not-supported");
}

#[tokio::test]
async fn a_search_too_long_to_be_paged_is_a_bad_request() {
    let world = World::new().await;
    let clinician = world.member("alpha", "cardiologist").await;
    for person in 1..3 {
        clinician.upload(&ecg(person, person)).await.expect(202);
    }
    let all = entries(&clinician.get("/fhir/Patient").await.expect(200).json());
    let strangers: Vec<_> = (0..50).map(|n| format!("0192f0aa-1111-7000-8000-{n:012}")).collect();
    let ids = format!("{},{}", all.join(","), strangers.join(","));
    // One page holds all of it; a second would need a link that is too long.
    let query = format!("_id={ids}&_id={ids}");
    let whole = clinician.get(&format!("/fhir/Patient?{query}")).await.expect(200).json();
    assert_eq!(entries(&whole).len(), 2);
    outcome(clinician.get(&format!("/fhir/Patient?_count=1&{query}")).await, 400, "too-long");
}

#[tokio::test]
async fn versions_are_read_and_told_as_r4_says() {
    let world = World::new().await;
    let clinician = world.member("alpha", "cardiologist").await;
    let item = clinician.upload(&ecg(1, 0)).await.expect(202).json();
    let id = item["recording_id"].as_str().unwrap();
    let reason = json!({ "reason": "somebody else's" });
    clinician.post(&format!("/api/recordings/{id}/unassign"), &reason).await.expect(200);
    for kind in ["Observation", "DiagnosticReport", "DocumentReference"] {
        let path = format!("/fhir/{kind}/{id}");
        let now = clinician.get(&path).await.expect(200);
        let told = clinician.get(&format!("{path}/_history")).await.expect(200);
        assert_eq!(told.header("content-type"), "application/fhir+json");
        let told = told.json();
        assert_eq!((&told["type"], entries(&told).len()), (&json!("history"), 2));
        assert_eq!(precordia_interop::fhir::validate::check(&told), Ok(()), "{kind}");
        let entry = &told["entry"];
        assert_eq!(entry[0]["resource"], now.json());
        assert_eq!(entry[0]["fullUrl"], format!("http://localhost:8480/fhir/{kind}/{id}"));
        assert_eq!(entry[0]["response"]["etag"], now.header("etag"));
        assert_eq!(
            (&entry[0]["request"]["method"], &entry[1]["request"]["method"]),
            (&json!("PUT"), &json!("POST"))
        );
        for (n, entry) in entry.as_array().unwrap().iter().enumerate() {
            let version = clinician.get(&format!("{path}/_history/{}", 2 - n)).await.expect(200);
            assert_eq!(version.json(), entry["resource"]);
            assert_eq!(version.header("etag"), entry["response"]["etag"]);
        }
        let first = clinician.get(&format!("{path}/_history?_count=1")).await.expect(200).json();
        let next = first["link"][1]["url"].as_str().unwrap();
        let next = next.trim_start_matches("http://localhost:8480");
        assert!(next.starts_with(&format!("{path}/_history?_page=")), "{next}");
        let second = clinician.get(next).await.expect(200).json();
        assert_eq!(second["entry"][0], entry[1]);
        assert_eq!(second["link"].as_array().unwrap().len(), 1);
        for unknown in ["3", "0", "01", "x", "2/_history"] {
            clinician.get(&format!("{path}/_history/{unknown}")).await.expect(404);
        }
        for query in [
            "_sort=x",
            "_since=2024",
            "_at=ge2024",
            "_count=0",
            "_page=no",
            "family=x",
            "_summary=true",
        ] {
            outcome(
                clinician.get(&format!("{path}/_history?{query}")).await,
                400,
                match query.split('=').next() {
                    Some("_since" | "_at" | "_count" | "_page") => "value",
                    _ => "not-supported",
                },
            );
        }
    }
    let statement = world.nobody().get("/fhir/metadata").await.expect(200).json();
    for resource in statement["rest"][0]["resource"].as_array().unwrap() {
        let codes = resource["interaction"].to_string();
        let versions = codes.contains("vread") && codes.contains("history-instance");
        assert_eq!(versions, resource["type"] != "Binary", "{resource}");
    }
    // An administrator sees no patient, in no version.
    let ada = world.sign_in("alpha", "ada").await;
    outcome(ada.get(&format!("/fhir/Observation/{id}/_history")).await, 403, "forbidden");
    outcome(ada.get(&format!("/fhir/Observation/{id}/_history/1")).await, 403, "forbidden");
}

#[tokio::test]
async fn an_erased_patients_versions_are_gone_and_only_the_deletion_is_told() {
    let world = World::new().await;
    let clinician = world.member("alpha", "cardiologist").await;
    let item = clinician.upload(&ecg(1, 0)).await.expect(202).json();
    let id = item["recording_id"].as_str().unwrap();
    let detail = clinician.get(&format!("/api/recordings/{id}")).await.expect(200).json();
    let (patient, family) = (&detail["patient"]["id"], &detail["patient"]["family"]);
    let patient = patient.as_str().unwrap();
    let erase = json!({ "reason": "asked for", "confirm_family": family });
    let ada = world.sign_in("alpha", "ada").await;
    let answer = ada.post(&format!("/api/patients/{patient}/erase"), &erase).await;
    assert!(answer.status.is_success(), "{}", answer.text());
    for path in [format!("/fhir/Patient/{patient}"), format!("/fhir/Observation/{id}")] {
        let told = clinician.get(&format!("{path}/_history")).await.expect(200);
        assert!(!told.text().contains(family.as_str().unwrap()));
        let told = told.json();
        assert_eq!(precordia_interop::fhir::validate::check(&told), Ok(()));
        assert_eq!(told["entry"].as_array().unwrap().len(), 1, "{told}");
        assert_eq!(told["entry"][0]["request"]["method"], "DELETE");
        assert_eq!(told["entry"][0].get("resource"), None);
        for version in 1..=2 {
            let gone = clinician.get(&format!("{path}/_history/{version}")).await;
            outcome(gone, 410, "deleted");
        }
    }
}
