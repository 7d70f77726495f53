use base64::Engine;
use serde_json::{Value, json};

use crate::world::{Client, World, ecg, ecg_of_nobody};

async fn filed(client: &Client<'_>, file: &[u8]) -> String {
    let item = client.upload(file).await.expect(202).json();
    item["recording_id"].as_str().unwrap_or_else(|| panic!("{item}")).to_owned()
}

#[tokio::test]
async fn a_recording_is_shown_with_everything_that_is_known_of_it() {
    let world = World::new().await;
    let cardiologist = world.member("alpha", "cardiologist").await;
    let file = ecg(1, 0);
    let id = filed(&cardiologist, &file).await;
    let path = format!("/api/recordings/{id}");
    let detail = cardiologist.get(&path).await.expect(200).json();
    assert_eq!(detail["status"], "filed");
    assert_eq!(detail["leads"].as_array().unwrap().len(), 12);
    assert_eq!(detail["acquired"]["zone"], "known");
    assert_eq!(detail["provenance"][0]["sender"], "cardiologist");
    assert_eq!(detail["provenance"][0]["size_bytes"], file.len());
    assert!(detail["measurements"]["values"].as_array().unwrap().len() == 6);
    assert!(detail["patient"]["family"].is_string());
    let identifier = &detail["patient"]["identifiers"][0];
    assert!(identifier["system"].as_str().unwrap().starts_with("urn:uuid:"), "{identifier}");
    assert_eq!(identifier["authority"], "Hospital alpha");
    let filters = json!({ "low_hz": 0.05, "high_hz": 150.0, "notch_hz": null });
    assert_eq!(detail["leads"][0]["filters"], filters);
    assert_eq!(detail["device_patient"], Value::Null);

    let waveform = cardiologist.get(&format!("{path}/waveform")).await.expect(200).json();
    assert_eq!(waveform["leads"][0]["filters"], filters);
    let samples = waveform["leads"][0]["samples_uv_base64"].as_str().unwrap();
    let bytes = base64::engine::general_purpose::STANDARD.decode(samples).unwrap();
    let expected = detail["sampling_hz"].as_f64().unwrap() * detail["duration_s"].as_f64().unwrap();
    assert_eq!(bytes.len() / 4, expected.round() as usize);

    let original = cardiologist.get(&format!("{path}/original")).await.expect(200);
    assert_eq!(original.body.as_ref(), file.as_slice());
    assert_eq!(original.header("content-type"), "application/dicom");
    assert_eq!(
        original.header("content-disposition"),
        format!("attachment; filename=\"{id}.dcm\"")
    );

    for (query, kind, magic) in [
        ("", "image/svg+xml", b"<".as_slice()),
        ("?format=svg&layout=6x2", "image/svg+xml", b"<"),
        ("?format=png&layout=12x1", "image/png", b"\x89PNG"),
        ("?format=pdf", "application/pdf", b"%PDF"),
    ] {
        let sheet = cardiologist.get(&format!("{path}/sheet{query}")).await.expect(200);
        assert_eq!(sheet.header("content-type"), kind);
        assert!(sheet.body.starts_with(magic), "{query}");
    }
    let drawn = cardiologist.get(&format!("{path}/sheet")).await.expect(200).text();
    assert!(drawn.contains("(Hospital alpha)") && !drawn.contains("urn:uuid"), "{drawn}");
    assert!(drawn.contains("0.05 to 150 Hz"), "{drawn}");
    for query in ["?format=gif", "?layout=3x3", "?other=1", "?format=svg&format=png"] {
        cardiologist.get(&format!("{path}/sheet{query}")).await.refused(400, "invalid_query");
    }

    let accesses = cardiologist.get(&format!("{path}/accesses")).await.expect(200).json();
    let actions: Vec<&str> = accesses["accesses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["action"].as_str().unwrap())
        .collect();
    for action in ["recording.read", "recording.waveform", "recording.original", "recording.sheet"]
    {
        assert!(actions.contains(&action), "{actions:?}");
    }
    // A nurse may look but not take away.
    let nurse = world.member("alpha", "nurse").await;
    nurse.get(&path).await.expect(200);
    nurse.get(&format!("{path}/original")).await.refused(403, "forbidden");
    nurse.get(&format!("{path}/sheet")).await.refused(403, "forbidden");
}

#[tokio::test]
async fn the_worklist_holds_what_the_filter_says_and_counts_it() {
    let world = World::new().await;
    let cardiologist = world.member("alpha", "cardiologist").await;
    for (person, number) in [(1, 0), (2, 1), (3, 2)] {
        filed(&cardiologist, &ecg(person, number)).await;
    }
    filed(&cardiologist, &ecg_of_nobody(1)).await;
    let search = |body: Value| {
        let cardiologist = cardiologist.clone();
        async move { cardiologist.post("/api/recordings/search", &body).await.expect(200).json() }
    };
    let all = search(json!({})).await;
    assert_eq!((&all["counts"]["total"], &all["counts"]["held"]), (&json!(4), &json!(1)));
    let positions: Vec<i64> = all["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["position"].as_i64().unwrap())
        .collect();
    assert!(positions.is_sorted_by(|a, b| a > b), "{positions:?}");

    let first = search(json!({ "limit": 3 })).await;
    let second = search(json!({ "limit": 3, "cursor": first["next_cursor"] })).await;
    assert_eq!(second["rows"][0]["recording_id"], all["rows"][3]["recording_id"]);
    assert_eq!(second["counts"]["total"], 4);

    let held = search(json!({ "status": "held" })).await;
    assert_eq!(held["counts"]["total"], 1);
    assert!(held["rows"][0]["device_patient"]["name"].is_string());
    let patient = all["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| !row["patient"].is_null())
        .unwrap()["patient"]
        .clone();
    let by_name = search(json!({ "patient": patient["family"] })).await;
    assert!(by_name["counts"]["total"].as_i64().unwrap() >= 1);
    let both = search(json!({ "patient": "zzzz", "patient_id": patient["id"] })).await;
    assert_eq!(both["counts"]["total"], 0);
    let one = search(json!({ "patient_id": patient["id"] })).await;
    assert_eq!(one["counts"]["total"], 1);
    let day = search(json!({ "acquired_from": "2026-03-14", "acquired_to": "2026-03-14" })).await;
    assert_eq!(day["counts"]["total"], 3);
    let later = search(json!({ "acquired_from": "2026-03-15" })).await;
    assert_eq!(later["counts"]["total"], 0);
    for wrong in [
        json!({ "patient": "a" }),
        json!({ "acquired_from": "2026-02-30" }),
        json!({ "acquired_from": "2026-02" }),
        json!({ "limit": 0 }),
        json!({ "limit": 201 }),
        json!({ "cursor": "x" }),
        json!({ "patient_id": "0192F0AA-1111-7000-8000-00000000000A" }),
        json!({ "flag": "unknown" }),
        json!({ "name": "x" }),
    ] {
        cardiologist.post("/api/recordings/search", &wrong).await.expect(400);
    }
}

#[tokio::test]
async fn a_held_recording_is_given_to_a_patient_and_taken_back() {
    let world = World::new().await;
    let cardiologist = world.member("alpha", "cardiologist").await;
    let id = filed(&cardiologist, &ecg_of_nobody(1)).await;
    let assign = format!("/api/recordings/{id}/assign");
    for wrong in [
        json!({}),
        json!({ "patient_id": id, "new_patient": { "identifiers": [{ "system": "s", "value": "v" }] } }),
        json!({ "new_patient": { "identifiers": [] } }),
        json!({ "new_patient": { "identifiers": [{ "system": "s", "value": "v" }], "birth_date": "1980-13" } }),
    ] {
        cardiologist.post(&assign, &wrong).await.expect(400);
    }
    cardiologist.post(&assign, &json!({ "patient_id": id })).await.refused(404, "not_found");
    let new = json!({ "new_patient": {
        "identifiers": [{ "system": "urn:oid:1.2.3", "value": "77-1" }],
        "family": "Meitner", "given": ["Lise"], "birth_date": "1978-11", "sex": "female",
    }});
    let detail = cardiologist.post(&assign, &new).await.expect(200).json();
    assert_eq!(detail["status"], "filed");
    assert_eq!(detail["patient"]["family"], "Meitner");
    assert_eq!(
        (&detail["patient"]["birth_date"], &detail["patient"]["age_years"]),
        (&json!("1978-11"), &Value::Null)
    );
    cardiologist.post(&assign, &new).await.refused(409, "not_assignable");

    let patient = detail["patient"]["id"].as_str().unwrap().to_owned();
    let found = cardiologist
        .post("/api/patients/search", &json!({ "text": "meit lise" }))
        .await
        .expect(200)
        .json();
    assert_eq!(found["patients"][0]["id"], json!(patient));
    let page = cardiologist.get(&format!("/api/patients/{patient}")).await.expect(200).json();
    assert_eq!(page["recordings"][0]["recording_id"], json!(id));

    let back = cardiologist
        .post(&format!("/api/recordings/{id}/unassign"), &json!({ "reason": "wrong person" }))
        .await;
    assert_eq!(back.expect(200).json()["status"], "held");
}

#[tokio::test]
async fn merged_and_taken_apart_and_erased() {
    let world = World::new().await;
    let cardiologist = world.member("alpha", "cardiologist").await;
    let ids = [filed(&cardiologist, &ecg(1, 0)).await, filed(&cardiologist, &ecg(2, 1)).await];
    let mut patients = Vec::new();
    for id in &ids {
        let detail = cardiologist.get(&format!("/api/recordings/{id}")).await.expect(200).json();
        patients.push(detail["patient"].clone());
    }
    let id_of = |n: usize| patients[n]["id"].as_str().unwrap().to_owned();
    let merge = json!({ "into": id_of(1), "reason": "one person, two cards" });
    cardiologist.post(&format!("/api/patients/{}/merge", id_of(0)), &merge).await.expect(200);
    let page = cardiologist.get(&format!("/api/patients/{}", id_of(1))).await.expect(200).json();
    assert_eq!(page["recordings"].as_array().unwrap().len(), 2);
    assert_eq!(page["merged_from"], json!([id_of(0)]));
    let reason = json!({ "reason": "they are two after all" });
    cardiologist.post(&format!("/api/patients/{}/unmerge", id_of(0)), &reason).await.expect(200);
    cardiologist
        .post(&format!("/api/patients/{}/unmerge", id_of(0)), &reason)
        .await
        .refused(409, "not_merged");

    let ada = world.sign_in("alpha", "ada").await;
    let path = format!("/api/patients/{}/erase", id_of(0));
    let wrong = json!({ "reason": "asked to be forgotten", "confirm_family": "Somebody" });
    ada.post(&path, &wrong).await.refused(409, "not_confirmed");
    let right =
        json!({ "reason": "asked to be forgotten", "confirm_family": patients[0]["family"] });
    cardiologist.post(&path, &right).await.refused(403, "forbidden");
    ada.post(&path, &right).await.expect(200);
    cardiologist.get(&format!("/api/recordings/{}", ids[0])).await.refused(404, "not_found");
    cardiologist.get(&format!("/fhir/Patient/{}", id_of(0))).await.expect(410);
    cardiologist.get(&format!("/api/recordings/{}", ids[1])).await.expect(200);
}

#[tokio::test]
async fn a_recordings_history_is_told_and_its_past_is_shown() {
    let world = World::new().await;
    let cardiologist = world.member("alpha", "cardiologist").await;
    let id = filed(&cardiologist, &ecg(1, 0)).await;
    let path = format!("/api/recordings/{id}");
    let now = cardiologist.get(&path).await.expect(200).json();
    assert_eq!(now["as_of"], Value::Null);
    let reason = json!({ "reason": "somebody else's" });
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    cardiologist.post(&format!("{path}/unassign"), &reason).await.expect(200);

    let told = cardiologist.get(&format!("{path}/history")).await.expect(200).json();
    let steps = told["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 2);
    assert_eq!((&steps[0]["what"], &steps[0]["reason"]), (&json!("filed"), &Value::Null));
    assert_eq!(steps[0]["patient_id"], now["patient"]["id"]);
    assert_eq!(steps[0]["position"], now["position"]);
    assert_eq!(
        (&steps[1]["what"], &steps[1]["actor"]),
        (&json!("unassigned"), &json!("cardiologist"))
    );
    assert_eq!(steps[1]["from_patient_id"], now["patient"]["id"]);
    assert_eq!((&steps[1]["patient_id"], &steps[1]["reason"]), (&Value::Null, &reason["reason"]));

    let at = steps[0]["at"].as_str().unwrap().replace('Z', "999Z");
    let mut then = cardiologist.get(&format!("{path}?as_of={at}")).await.expect(200).json();
    assert_eq!(then["as_of"].as_str().unwrap()[..23], at[..23]);
    then["as_of"] = Value::Null;
    let mut expected = now.clone();
    for page in [&mut then, &mut expected] {
        page["priors"] = json!([]);
        page["patient"]["age_years"] = Value::Null;
    }
    assert_eq!(then, expected);
    let after = cardiologist.get(&path).await.expect(200).json();
    assert_eq!((&after["status"], &after["patient"]), (&json!("held"), &Value::Null));

    cardiologist.get(&format!("{path}?as_of=1999-01-01T00:00:00Z")).await.refused(404, "not_found");
    for query in ["as_of=", "as_of=yesterday", "as_of=2026-05-17T08:30:00", "at=2026"] {
        let answer = cardiologist.get(&format!("{path}?{query}")).await.expect(400);
        assert!(answer.json()["code"].is_string(), "{query}");
    }
    let accesses = cardiologist.get(&format!("{path}/accesses")).await.expect(200).json();
    let history = accesses["accesses"].as_array().unwrap();
    assert!(history.iter().any(|row| row["action"] == "recording.history"));
    let ada = world.sign_in("alpha", "ada").await;
    ada.get(&format!("{path}/history")).await.refused(403, "forbidden");
}
