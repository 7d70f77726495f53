use serde_json::{Value, json};

use crate::world::{World, ecg, ecg_of_nobody};

/// Everything of beta's that has an address, asked for by alpha.
#[tokio::test]
async fn every_address_of_another_organization_is_like_none_and_is_written_down() {
    let world = World::new().await;
    let theirs = world.member("beta", "cardiologist").await;
    let item = theirs.upload(&ecg(1, 0)).await.expect(202).json();
    let held = theirs.upload(&ecg_of_nobody(1)).await.expect(202).json();
    let recording = item["recording_id"].as_str().unwrap().to_owned();
    let held = held["recording_id"].as_str().unwrap().to_owned();
    let item = item["item_id"].as_str().unwrap().to_owned();
    let detail = theirs.get(&format!("/api/recordings/{recording}")).await.expect(200).json();
    let patient = detail["patient"]["id"].as_str().unwrap().to_owned();
    let blob = detail["blob_id"].as_str().unwrap().to_owned();
    let beta_admin = world.sign_in("beta", "ada").await;
    let user = theirs.get("/api/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    let token = beta_admin
        .post("/api/tokens", &json!({ "label": "t", "roles": ["service"] }))
        .await
        .expect(201)
        .json();
    let token = token["id"].as_str().unwrap().to_owned();

    let clinician = world.member("alpha", "cardiologist").await;
    let admin = world.sign_in("alpha", "ada").await;
    let reason = json!({ "reason": "trying" });
    let password = json!({ "password": "another long password" });
    let into = json!({ "into": patient, "reason": "trying" });
    let erase = json!({ "reason": "trying", "confirm_family": "X" });
    let assign = json!({ "patient_id": patient });
    let change = json!({ "active": false });
    let cases: Vec<(&str, String, Option<&Value>, bool)> = vec![
        ("GET", format!("/api/recordings/{recording}"), None, false),
        ("GET", format!("/api/recordings/{recording}/waveform"), None, false),
        ("GET", format!("/api/recordings/{recording}/original"), None, false),
        ("GET", format!("/api/recordings/{recording}/sheet"), None, false),
        ("GET", format!("/api/recordings/{recording}/accesses"), None, false),
        ("GET", format!("/api/recordings/{recording}/history"), None, false),
        ("GET", format!("/api/recordings/{recording}?as_of=2030-01-01T00:00:00Z"), None, false),
        ("POST", format!("/api/recordings/{held}/assign"), Some(&assign), false),
        ("POST", format!("/api/recordings/{recording}/unassign"), Some(&reason), false),
        ("GET", format!("/api/patients/{patient}"), None, false),
        ("POST", format!("/api/patients/{patient}/merge"), Some(&into), false),
        ("POST", format!("/api/patients/{patient}/unmerge"), Some(&reason), false),
        ("POST", format!("/api/patients/{patient}/erase"), Some(&erase), true),
        ("GET", format!("/api/items/{item}"), None, false),
        ("GET", format!("/api/items/{item}/original"), None, false),
        ("PUT", format!("/api/users/{user}"), Some(&change), true),
        ("POST", format!("/api/users/{user}/password"), Some(&password), true),
        ("DELETE", format!("/api/tokens/{token}"), None, true),
        ("GET", format!("/fhir/Patient/{patient}"), None, false),
        ("GET", format!("/fhir/Observation/{recording}"), None, false),
        ("GET", format!("/fhir/DiagnosticReport/{recording}"), None, false),
        ("GET", format!("/fhir/DocumentReference/{recording}"), None, false),
        ("GET", format!("/fhir/Binary/{blob}"), None, false),
        ("GET", format!("/fhir/Patient/{patient}/_history"), None, false),
        ("GET", format!("/fhir/Patient/{patient}/_history/1"), None, false),
        ("GET", format!("/fhir/Observation/{recording}/_history"), None, false),
        ("GET", format!("/fhir/Observation/{recording}/_history/1"), None, false),
        ("GET", format!("/fhir/Binary/{blob}/_history"), None, false),
        ("GET", format!("/fhir/Patient/{patient}/_history/01"), None, false),
        ("GET", "/api/recordings/not-an-id".to_owned(), None, false),
        ("GET", "/api/nothing/here".to_owned(), None, false),
        ("GET", "/fhir/Medication/1".to_owned(), None, false),
        ("GET", "/fhir/Medication".to_owned(), None, false),
        ("GET", "/fhir/Patient/not_an_id".to_owned(), None, false),
    ];
    let unknown_rows = async || {
        let body = json!({ "limit": 200 });
        let log = admin.post("/api/access-log/search", &body).await.expect(200).json();
        log["rows"].as_array().unwrap().iter().filter(|row| row["outcome"] == "unknown").count()
    };
    let mut api_said: Option<Value> = None;
    for (method, path, body, by_admin) in &cases {
        let before = unknown_rows().await;
        let client = if *by_admin { &admin } else { &clinician };
        let answer = client.send(method, path, *body).await.expect(404);
        let mut said = answer.json();
        assert_eq!(unknown_rows().await, before + 1, "{method} {path}");
        if path.starts_with("/fhir") {
            assert_eq!(answer.header("content-type"), "application/fhir+json");
            assert_eq!(said["resourceType"], "OperationOutcome");
            continue;
        }
        said["request_id"] = Value::Null;
        assert_eq!(*api_said.get_or_insert(said.clone()), said, "{method} {path}");
    }

    // Nothing of beta's is found by searching, and nothing was changed.
    let list = clinician
        .post("/api/recordings/search", &json!({ "patient_id": patient }))
        .await
        .expect(200)
        .json();
    assert_eq!(list["counts"]["total"], 0);
    let bundle = clinician.get(&format!("/fhir/Patient?_id={patient}")).await.expect(200).json();
    assert_eq!(bundle.get("entry"), None);
    let items = clinician.post("/api/items/search", &json!({})).await.expect(200).json();
    assert_eq!(items["counts"]["received"], 0);
    theirs.get(&format!("/api/recordings/{recording}")).await.expect(200);
}

#[tokio::test]
async fn one_organizations_page_link_says_nothing_to_another() {
    let world = World::new().await;
    let theirs = world.member("beta", "cardiologist").await;
    for person in 1..4 {
        theirs.upload(&ecg(person, person)).await.expect(202);
    }
    let page = theirs.get("/fhir/Patient?_count=1").await.expect(200).json();
    let next =
        page["link"].as_array().unwrap().iter().find(|link| link["relation"] == "next").unwrap();
    let next = next["url"].as_str().unwrap().trim_start_matches("http://localhost:8480").to_owned();
    theirs.get(&next).await.expect(200);
    let ours = world.member("alpha", "cardiologist").await;
    ours.get(&next).await.expect(400);
}
