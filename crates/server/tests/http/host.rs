use axum::body::Body;
use axum::http::Request;

use crate::world::World;

#[tokio::test]
async fn a_server_on_loopback_answers_to_no_other_name_at_any_address() {
    let world = World::new().await;
    for path in ["/", "/api/session", "/fhir/metadata", "/livez", "/openapi.json", "/metrics"] {
        for host in ["evil.example", "evil.example:8480", "localhost.evil.example"] {
            let request =
                Request::builder().uri(path).header("host", host).body(Body::empty()).unwrap();
            assert_eq!(world.send(request).await.status, 421, "{host}{path}");
        }
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        assert_eq!(world.send(request).await.status, 421, "no host: {path}");
    }
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_keep_it_safe() {
    let world = World::new().await;
    for path in ["/", "/worklist", "/api/session", "/fhir/metadata", "/nothing.js", "/livez"] {
        let answer = world.nobody().get(path).await;
        assert!(answer.header("content-security-policy").contains("default-src 'self'"), "{path}");
        assert!(
            answer.header("content-security-policy").contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("strict-transport-security"), "", "{path}");
        assert_eq!(answer.header("x-request-id").len(), 36, "{path}");
    }
    // A client's own id is not taken over.
    let request = world
        .nobody()
        .request("GET", "/livez")
        .header("x-request-id", "chosen")
        .body(Body::empty())
        .unwrap();
    assert_ne!(world.send(request).await.header("x-request-id"), "chosen");
}

#[tokio::test]
async fn without_its_pages_the_program_says_so() {
    let world = World::new().await;
    for path in ["/", "/recordings/0192f0aa-1111-7000-8000-00000000000a"] {
        let page = world.nobody().get(path).await.expect(200);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert!(page.text().contains("without its web pages"));
    }
    world.nobody().get("/assets/missing.js").await.refused(404, "not_found");
    let answer = world.nobody().send("POST", "/", None).await.refused(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), "GET, HEAD");
}
