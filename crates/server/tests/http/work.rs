//! The queue over HTTP. What each command does is tested with the use cases.

use serde_json::{Value, json};

use crate::world::{Client, World, ecg};

async fn kind(client: &Client<'_>, name: &str) -> Value {
    let kinds = client.get("/api/work-kinds").await.expect(200).json();
    let kinds = kinds["kinds"].as_array().unwrap();
    kinds.iter().find(|kind| kind["kind"] == name).unwrap().clone()
}

async fn search(client: &Client<'_>, body: &Value) -> Value {
    client.post("/api/work-pieces/search", body).await.expect(200).json()
}

#[tokio::test]
async fn work_is_paused_listed_given_up_and_tried_again() {
    let world = World::new().await;
    let admin = world.sign_in("alpha", "ada").await;
    let physician = world.member("alpha", "physician").await;
    let none = json!({});
    admin.post("/api/work-kinds/ingest/pause", &none).await.expect(204);
    let paused = kind(&admin, "ingest").await;
    assert_eq!(paused["paused"]["by"], "Ada Admin", "{paused}");
    assert_eq!((&paused["ready"], &paused["dead"]), (&json!(0), &json!(0)));
    assert_eq!(kind(&admin, "follow").await["paused"], Value::Null);

    let uploads = [ecg(1, 1), ecg(2, 2), ecg(3, 3)];
    for file in &uploads {
        assert_eq!(send_without_waiting(&physician, file).await, 202);
    }
    let all = search(&admin, &json!({ "kind": "ingest" })).await;
    assert_eq!(all["rows"].as_array().unwrap().len(), 3, "{all}");
    let first = search(&admin, &json!({ "kind": "ingest", "state": "ready", "limit": 2 })).await;
    assert_eq!(first["rows"][0], all["rows"][0]);
    assert_eq!(first["rows"][1], all["rows"][1]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = search(&admin, &json!({ "kind": "ingest", "cursor": cursor })).await;
    assert_eq!(rest["rows"], json!([all["rows"][2]]));
    assert_eq!(rest["next_cursor"], Value::Null);
    let piece = &rest["rows"][0];
    assert_eq!((&piece["state"], &piece["priority"]), (&json!("ready"), &json!("normal")));
    assert!(piece["subject"].as_str().unwrap().starts_with("item/"), "{piece}");

    let id = piece["id"].as_str().unwrap();
    let retry = format!("/api/work-pieces/{id}/retry");
    admin.post(&retry, &none).await.refused(409, "work_state");
    let give_up = format!("/api/work-pieces/{id}/give-up");
    admin.post(&give_up, &none).await.expect(400);
    admin.post(&give_up, &json!({ "reason": "sent twice" })).await.expect(204);
    assert_eq!(kind(&admin, "ingest").await["dead"], 1);
    let dead = search(&admin, &json!({ "state": "dead" })).await;
    assert_eq!(dead["rows"][0]["id"], id);
    assert_eq!(dead["rows"][0]["reason"], "given up by hand");
    admin.post(&retry, &none).await.expect(204);
    admin.post("/api/work-kinds/ingest/resume", &none).await.expect(204);
    let mut done = Value::Null;
    for _ in 0..400 {
        done = search(&admin, &json!({ "state": "done", "kind": "ingest" })).await;
        if done["rows"].as_array().unwrap().len() == 3 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(done["rows"].as_array().unwrap().len(), 3, "{done}");
}

/// The sender is told that it was received and not what became of it.
async fn send_without_waiting(client: &Client<'_>, file: &[u8]) -> u16 {
    let body = crate::world::form(&[("file", Some("cart.dcm"), file)]);
    let request = client
        .request("POST", "/api/uploads")
        .header("content-type", "multipart/form-data; boundary=edge")
        .header("content-length", body.len())
        .body(axum::body::Body::from(body))
        .unwrap();
    client.world.send(request).await.status.as_u16()
}

#[tokio::test]
async fn the_queue_is_for_its_own_administrators_and_auditors() {
    let world = World::new().await;
    let admin = world.sign_in("alpha", "ada").await;
    let other = world.sign_in("beta", "ada").await;
    let (none, why) = (json!({}), json!({ "reason": "why" }));
    admin.post("/api/work-kinds/ingest/pause", &none).await.expect(204);
    assert_eq!(kind(&other, "ingest").await["paused"], Value::Null);
    let physician = world.member("alpha", "physician").await;
    assert_eq!(send_without_waiting(&physician, &ecg(1, 1)).await, 202);
    let rows = search(&admin, &json!({ "kind": "ingest" })).await;
    let id = rows["rows"][0]["id"].as_str().unwrap();
    let (retry, give_up) =
        (format!("/api/work-pieces/{id}/retry"), format!("/api/work-pieces/{id}/give-up"));

    assert_eq!(search(&other, &json!({ "kind": "ingest" })).await["rows"], json!([]));
    other.post(&retry, &none).await.refused(404, "not_found");
    other.post(&give_up, &why).await.refused(404, "not_found");
    for (client, reads) in [(world.member("alpha", "auditor").await, 200), (physician, 403)] {
        client.get("/api/work-kinds").await.expect(reads);
        client.post("/api/work-pieces/search", &none).await.expect(reads);
        client.post(&retry, &none).await.refused(403, "forbidden");
        client.post(&give_up, &why).await.refused(403, "forbidden");
        client.post("/api/work-kinds/ingest/pause", &none).await.refused(403, "forbidden");
        client.post("/api/work-kinds/ingest/resume", &none).await.refused(403, "forbidden");
    }
    admin.post("/api/work-kinds/telepathy/pause", &none).await.refused(404, "not_found");
    admin.post("/api/work-pieces/search", &json!({ "cursor": "-1" })).await.expect(400);
    admin.post("/api/work-pieces/search", &json!({ "state": "gone" })).await.expect(400);
    world.nobody().get("/api/work-kinds").await.expect(401);
}
