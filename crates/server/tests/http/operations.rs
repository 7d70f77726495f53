use axum::body::Body;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn the_program_says_whether_it_is_up_and_whether_it_can_work() {
    let world = World::new().await;
    assert_eq!(world.nobody().get("/livez").await.expect(200).json(), json!({ "live": true }));
    let ready = world.nobody().get("/readyz").await.expect(200).json();
    assert_eq!(ready, json!({ "ready": true, "storage": true, "stopping": false }));
    world.stop.now();
    let ready = world.nobody().get("/readyz").await.expect(503).json();
    assert_eq!(ready, json!({ "ready": false, "storage": true, "stopping": true }));
    world.nobody().get("/livez").await.expect(200);
}

#[tokio::test]
async fn metrics_are_for_collectors_and_name_no_address_that_somebody_typed() {
    let world = World::new().await;
    world.nobody().get("/metrics").await.refused(404, "not_found");
    world.nobody().get("/api/recordings/Noether?family=Noether").await.expect(401);
    let mut collector = world.nobody();
    collector.token = Some("collector".to_owned());
    let text = collector.get("/metrics").await.expect(200).text();
    assert!(text.contains("precordia_http_requests_total{"), "{text}");
    assert!(text.contains("route=\"/api/recordings/{id}\""), "{text}");
    assert!(!text.contains("Noether"));
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let name = line.split(['{', ' ']).next().unwrap();
        let family =
            name.trim_end_matches("_bucket").trim_end_matches("_sum").trim_end_matches("_count");
        assert!(text.contains(&format!("# HELP {family} ")), "{family} has no help");
        assert!(text.contains(&format!("# TYPE {family} ")), "{family} has no type");
    }
}

#[tokio::test]
async fn the_description_of_the_api_is_served() {
    let world = World::new().await;
    let answer = world.nobody().get("/openapi.json").await.expect(200);
    assert_eq!(answer.json()["openapi"], "3.1.0");
    let request = world.nobody().request("GET", "/openapi.json").header("accept-encoding", "gzip");
    let small = world.send(request.body(Body::empty()).unwrap()).await.expect(200);
    assert_eq!(small.header("content-encoding"), "gzip");
    assert!(small.body.len() < answer.body.len() / 4);
}
