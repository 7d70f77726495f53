use axum::body::Body;
use precordia_app::Settings;
use serde_json::json;
use tower::ServiceExt;

use crate::world::{UPLOAD_BYTES_MAX, World, ecg, ecg_of_nobody, form};

#[tokio::test]
async fn each_file_gets_one_answer_and_all_are_counted() {
    let world = World::new().await;
    let technician = world.member("alpha", "technician").await;
    let file = ecg(1, 0);
    let first = technician.upload(&file).await.expect(202).json();
    assert_eq!(first["state"], "filed", "{first}");
    assert_eq!(first["sender"], "technician");
    let again = technician.upload(&file).await.expect(202).json();
    assert_eq!(again["state"], "linked");
    assert_eq!(again["linked_to_item"], first["item_id"]);
    assert_eq!(again["reason"]["code"], "seen_before");
    let letter = technician.upload(b"a discharge letter").await.expect(202).json();
    assert_eq!(letter["state"], "quarantined");
    assert!(letter["reason"]["text"].is_string());
    let empty = technician.upload(b"").await.expect(202).json();
    assert_eq!(empty["state"], "quarantined");
    let nobody = technician.upload(&ecg_of_nobody(1)).await.expect(202).json();
    assert_eq!(nobody["state"], "held");
    let large = vec![0u8; UPLOAD_BYTES_MAX as usize + 1];
    let refused = technician.upload(&large).await.refused(413, "too_large").json();
    let refused = refused["item_id"].as_str().unwrap();
    let refused = technician.get(&format!("/api/items/{refused}")).await.expect(200).json();
    assert_eq!(refused["state"], "rejected");

    let items =
        technician.post("/api/items/search", &json!({ "limit": 4 })).await.expect(200).json();
    let expected = json!({
        "received": 6, "in_flight": 0, "filed": 1, "linked": 1, "held": 1, "quarantined": 2, "rejected": 1,
    });
    assert_eq!(items["counts"], expected);
    let rest = json!({ "limit": 4, "cursor": items["next_cursor"] });
    let rest = technician.post("/api/items/search", &rest).await.expect(200).json();
    assert_eq!(rest["rows"].as_array().unwrap().len(), 2);
    assert_eq!(rest["next_cursor"], json!(null));
    let balance = technician.get("/api/balance").await.expect(200).json();
    assert_eq!((&balance["closes"], &balance["doors"][0]["received"]), (&json!(true), &json!(6)));
}

#[tokio::test]
async fn what_declares_itself_too_large_is_counted_with_what_it_declared() {
    let world = World::new().await;
    let technician = world.member("alpha", "technician").await;
    let declared = 10 * UPLOAD_BYTES_MAX;
    let request = technician
        .request("POST", "/api/uploads")
        .header("content-type", "multipart/form-data; boundary=edge")
        .header("content-length", declared)
        .body(Body::from(form(&[("file", Some("a"), b"x")])))
        .unwrap();
    world.send(request).await.refused(413, "too_large");
    let search = json!({ "state": "rejected" });
    let items = technician.post("/api/items/search", &search).await.expect(200).json();
    assert_eq!(items["rows"][0]["size_bytes"], declared);
}

#[tokio::test]
async fn the_site_may_come_before_or_after_the_file_and_must_be_our_own() {
    let world = World::new().await;
    let technician = world.member("alpha", "technician").await;
    let sites = technician.get("/api/session").await.json();
    let own = sites["sites"][0]["id"].as_str().unwrap().to_owned();
    let foreign = world.sign_in("beta", "ada").await.get("/api/session").await.json();
    let foreign = foreign["sites"][0]["id"].as_str().unwrap().to_owned();
    let (one, two) = (ecg(1, 0), ecg(1, 1));
    let site = |id: &str| id.as_bytes().to_vec();
    let before =
        technician.upload_parts(&[("site_id", None, &site(&own)), ("file", Some("a"), &one)]).await;
    let after =
        technician.upload_parts(&[("file", Some("a"), &two), ("site_id", None, &site(&own))]).await;
    assert_eq!(
        (before.expect(202).json()["state"].clone(), after.expect(202).json()["state"].clone()),
        (json!("filed"), json!("filed"))
    );
    let list = technician
        .post("/api/recordings/search", &json!({ "site_id": own }))
        .await
        .expect(200)
        .json();
    assert_eq!(list["counts"]["total"], 2);
    assert_eq!(list["rows"][0]["site"]["name"], "Ward alpha");

    let three = ecg(1, 2);
    let alien = site(&foreign);
    technician
        .upload_parts(&[("site_id", None, &alien), ("file", Some("a"), &three)])
        .await
        .refused(404, "not_found");
    technician
        .upload_parts(&[("file", Some("a"), &three), ("site_id", None, &alien)])
        .await
        .refused(404, "not_found");
    technician
        .upload_parts(&[("file", Some("a"), &three), ("site_id", None, b"x")])
        .await
        .refused(400, "invalid_value");
    let balance = technician.get("/api/balance").await.expect(200).json();
    assert_eq!((&balance["closes"], &balance["doors"][0]["received"]), (&json!(true), &json!(2)));
}

#[tokio::test]
async fn a_form_that_is_cut_off_or_not_as_asked_leaves_nothing_behind() {
    let world = World::new().await;
    let technician = world.member("alpha", "technician").await;
    let file = ecg(1, 0);
    let mut cut = form(&[("file", Some("a"), &file)]);
    cut.truncate(cut.len() / 2);
    for body in [
        cut,
        form(&[]),
        form(&[("other", None, b"x")]),
        form(&[("file", Some("a"), b"x"), ("file", Some("b"), b"y")]),
        form(&[("site_id", None, &[b'0'; 65]), ("file", Some("a"), b"x")]),
        b"no form at all".to_vec(),
    ] {
        let request = technician
            .request("POST", "/api/uploads")
            .header("content-type", "multipart/form-data; boundary=edge")
            .body(Body::from(body))
            .unwrap();
        world.send(request).await.expect(400);
    }
    let bare =
        technician.request("POST", "/api/uploads").header("content-type", "multipart/form-data");
    world.send(bare.body(Body::from("x")).unwrap()).await.expect(400);
    technician.post("/api/uploads", &json!({})).await.refused(415, "media_type");
    let balance = technician.get("/api/balance").await.expect(200).json();
    assert_eq!((&balance["closes"], &balance["doors"][0]["received"]), (&json!(true), &json!(0)));
}

#[tokio::test]
async fn whoever_may_not_send_is_refused_before_anything_is_kept() {
    let world = World::new().await;
    let auditor = world.member("alpha", "auditor").await;
    auditor.upload(&ecg(1, 0)).await.refused(403, "forbidden");
    let balance = auditor.get("/api/balance").await.expect(200).json();
    assert_eq!(balance["doors"][0]["received"], 0);
}

#[tokio::test]
async fn a_file_may_be_as_large_as_the_limit_says() {
    let settings = Settings { upload_bytes_max: 8 * 1024 * 1024, ..Settings::default() };
    let world = World::with(settings).await;
    let technician = world.member("alpha", "technician").await;
    // Larger than what the HTTP library takes when nobody tells it otherwise.
    let large = technician.upload(&vec![0; 8 * 1024 * 1024]).await.expect(202).json();
    assert_eq!(large["state"], "quarantined", "{large}");
    assert_eq!(large["size_bytes"], 8 * 1024 * 1024);
    technician.upload(&vec![0; 8 * 1024 * 1024 + 1]).await.refused(413, "too_large");
    // A sender that does not say how much will come is stopped at the same size.
    let body = form(&[("file", Some("a"), &vec![0; 12 * 1024 * 1024])]);
    let chunks: Vec<_> =
        body.chunks(65_536).map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec())).collect();
    let request = technician
        .request("POST", "/api/uploads")
        .header("content-type", "multipart/form-data; boundary=edge")
        .body(Body::from_stream(futures_util::stream::iter(chunks)))
        .unwrap();
    world.send(request).await.refused(413, "too_large");
}

#[tokio::test]
async fn slow_senders_of_one_organization_leave_the_door_open_for_another() {
    let world = World::new().await;
    let technician = world.member("alpha", "technician").await;
    let other = world.member("beta", "technician").await;
    let mut slow = Vec::new();
    for _ in 0..80 {
        let request = technician
            .request("POST", "/api/uploads")
            .header("content-type", "multipart/form-data; boundary=edge")
            .body(Body::from_stream(
                futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>(),
            ))
            .unwrap();
        let router = world.router.clone();
        slow.push(tokio::spawn(async move { router.oneshot(request).await.map(drop) }));
    }
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let item = other.upload(&ecg(1, 0)).await.expect(202).json();
    assert_eq!(item["state"], "filed", "{item}");
    assert!(slow.iter().filter(|sender| !sender.is_finished()).count() > 64, "they are not slow");
    slow.iter().for_each(tokio::task::JoinHandle::abort);
}
