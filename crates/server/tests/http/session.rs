use axum::body::Body;
use serde_json::json;

use crate::world::{HOST, PASSWORD, World};

#[tokio::test]
async fn signing_in_gives_a_cookie_that_scripts_and_other_sites_cannot_use() {
    let world = World::new().await;
    let body = json!({ "organization": "alpha", "user_name": "ADA", "password": PASSWORD });
    let answer = world.nobody().post("/api/session", &body).await.expect(200);
    let cookie = answer.header("set-cookie");
    for word in ["precordia_session=", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    assert_eq!(answer.header("cache-control"), "no-store");
    let session = answer.json();
    assert_eq!(session["organization"]["slug"], "alpha");
    assert_eq!(session["user"]["roles"], json!(["organization-administrator"]));
    assert_eq!(session["sites"][0]["name"], "Ward alpha");
    assert_eq!(session["break_glass"], json!(null));
}

#[tokio::test]
async fn wrong_organization_user_and_password_are_told_alike_and_guesses_slow_down() {
    let world = World::new().await;
    let wrong = |organization: &str, user: &str, password: &str| json!({ "organization": organization, "user_name": user, "password": password });
    let mut said = Vec::new();
    for body in [
        wrong("nowhere", "ada", PASSWORD),
        wrong("alpha", "bob", PASSWORD),
        wrong("alpha", "ada", "guess"),
    ] {
        let answer = world.nobody().post("/api/session", &body).await.refused(401, "sign_in_wrong");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
        said.push(answer.json()["detail"].clone());
    }
    assert!(said.iter().all(|one| *one == said[0]));
    for _ in 0..8 {
        world.nobody().post("/api/session", &wrong("alpha", "ada", "guess")).await;
    }
    let answer = world
        .nobody()
        .post("/api/session", &wrong("alpha", "ada", PASSWORD))
        .await
        .refused(429, "wait");
    assert!(answer.header("retry-after").parse::<u32>().unwrap() > 0);
}

#[tokio::test]
async fn a_setup_code_works_once() {
    let world = World::new().await;
    let body = json!({
        "organization": "alpha", "code": "anything", "user_name": "eve", "display_name": "Eve", "password": PASSWORD,
    });
    world.nobody().post("/api/setup", &body).await.refused(403, "setup_code_wrong");
    let state = world.nobody().get("/api/setup?organization=alpha").await.expect(200);
    assert_eq!(state.json(), json!({ "needed": false }));
}

#[tokio::test]
async fn nobody_reaches_anything_but_the_way_in() {
    let world = World::new().await;
    let api = serde_json::to_value(precordia_server::openapi()).unwrap();
    let open = ["/api/setup", "/api/session", "/api/demo-sign-ins", "/fhir/metadata"];
    let mut asked = 0;
    for (path, methods) in api["paths"].as_object().unwrap() {
        let guarded = path.starts_with("/api") || path.starts_with("/fhir");
        if !guarded || open.contains(&path.as_str()) {
            continue;
        }
        let path = path
            .replace("{id}", "0192f0aa-1111-7000-8000-00000000000a")
            .replace("{type}", "Patient");
        for method in methods.as_object().unwrap().keys() {
            let answer = world.nobody().send(&method.to_uppercase(), &path, None).await;
            assert_eq!(answer.status, 401, "{method} {path}");
            assert!(answer.header("www-authenticate").starts_with("Bearer"), "{method} {path}");
            asked += 1;
        }
    }
    assert!(asked > 25, "{asked}");
    for path in ["/api", "/api/", "/api/nothing", "/fhir", "/fhir/Patient/1/_history"] {
        assert_eq!(world.nobody().get(path).await.status, 401, "{path}");
    }
    world.nobody().get("/api/demo-sign-ins").await.refused(404, "not_found");
}

#[tokio::test]
async fn a_change_by_cookie_needs_the_sessions_own_token_and_our_own_page() {
    let world = World::new().await;
    let ada = world.sign_in("alpha", "ada").await;
    let body = json!({ "user_name": "bob", "display_name": "Bob", "roles": ["nurse"], "password": PASSWORD });
    let send = |csrf: Option<&str>, extra: Option<(&'static str, &'static str)>| {
        let mut client = ada.clone();
        client.csrf = csrf.map(str::to_owned);
        let mut request =
            client.request("POST", "/api/users").header("content-type", "application/json");
        if let Some((name, value)) = extra {
            request = request.header(name, value);
        }
        world.send(request.body(Body::from(body.to_string())).unwrap())
    };
    let own = ada.csrf.clone().unwrap();
    send(None, None).await.refused(403, "cross_site");
    send(Some("x"), None).await.refused(403, "cross_site");
    send(Some(&own), Some(("origin", "http://evil.example"))).await.refused(403, "cross_site");
    send(Some(&own), Some(("origin", "null"))).await.refused(403, "cross_site");
    send(Some(&own), Some(("sec-fetch-site", "same-site"))).await.refused(403, "cross_site");
    // Another session's token is not this one's.
    let other = world.sign_in("alpha", "ada").await.csrf.unwrap();
    send(Some(&other), None).await.refused(403, "cross_site");
    send(Some(&own), Some(("origin", "http://localhost:8480"))).await.expect(201);

    let login = json!({ "organization": "alpha", "user_name": "ada", "password": PASSWORD });
    let cross =
        world.nobody().request("POST", "/api/session").header("content-type", "application/json");
    let cross =
        cross.header("origin", "http://evil.example").body(Body::from(login.to_string())).unwrap();
    world.send(cross).await.refused(403, "cross_site");
    assert_eq!(HOST, "localhost:8480");
}

#[tokio::test]
async fn a_session_ends_when_its_owner_says_so_and_when_what_they_may_do_changes() {
    let world = World::new().await;
    let nurse = world.member("alpha", "nurse").await;
    nurse.get("/api/session").await.expect(200);
    let answer = nurse.send("DELETE", "/api/session", None).await.expect(204);
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    nurse.get("/api/session").await.refused(401, "sign_in");

    let nurse = world.sign_in("alpha", "nurse").await;
    let ada = world.sign_in("alpha", "ada").await;
    let id = nurse.get("/api/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    ada.send("PUT", &format!("/api/users/{id}"), Some(&json!({ "active": false })))
        .await
        .expect(200);
    nurse.get("/api/session").await.refused(401, "sign_in");
}

#[tokio::test]
async fn an_api_token_needs_no_csrf_token_and_stops_when_it_is_revoked() {
    let world = World::new().await;
    let ada = world.sign_in("alpha", "ada").await;
    let body = json!({ "label": "interface engine", "roles": ["service"] });
    let made = ada.post("/api/tokens", &body).await.expect(201).json();
    let mut program = world.nobody();
    program.token = Some(made["token"].as_str().unwrap().to_owned());
    program.post("/api/recordings/search", &json!({})).await.expect(200);
    program.get("/api/users").await.refused(403, "forbidden");
    program.get("/api/session").await.refused(403, "session_required");

    let past =
        json!({ "label": "late", "roles": ["service"], "expires_at": "2001-01-01T00:00:00Z" });
    ada.post("/api/tokens", &past).await.refused(409, "expired_already");
    let listed = ada.get("/api/tokens").await.expect(200).json();
    assert_eq!(listed["tokens"].as_array().unwrap().len(), 1);
    let id = made["id"].as_str().unwrap();
    ada.send("DELETE", &format!("/api/tokens/{id}"), None).await.expect(204);
    program.post("/api/recordings/search", &json!({})).await.refused(401, "sign_in");
}

#[tokio::test]
async fn break_glass_opens_reading_for_a_reason_that_is_written_down() {
    let world = World::new().await;
    let ada = world.sign_in("alpha", "ada").await;
    ada.post("/api/recordings/search", &json!({})).await.refused(403, "forbidden");
    ada.post("/api/break-glass", &json!({ "reason": "short" })).await.refused(400, "invalid_value");
    let reason = "patient collapsed in the lobby";
    let session =
        ada.post("/api/break-glass", &json!({ "reason": reason })).await.expect(200).json();
    assert_eq!(session["break_glass"]["reason"], reason);
    ada.post("/api/recordings/search", &json!({})).await.expect(200);
    let log = ada.post("/api/access-log/search", &json!({ "limit": 50 })).await.expect(200).json();
    let rows = log["rows"].as_array().unwrap();
    let opened = rows
        .iter()
        .find(|row| row["action"] == "break-glass.open" && row["outcome"] == "ok")
        .unwrap();
    assert_eq!(opened["reason"], reason);
    assert_eq!(opened["actor"], "Ada Admin");
    assert!(
        rows.iter().any(|row| row["action"] == "worklist.read" && row["purpose"] == "emergency")
    );
    assert!(rows.iter().any(|row| row["action"] == "worklist.read" && row["outcome"] == "denied"));
    ada.send("DELETE", "/api/break-glass", None).await.expect(200);
    ada.post("/api/recordings/search", &json!({})).await.refused(403, "forbidden");
}

#[tokio::test]
async fn what_a_body_must_not_be_is_refused_without_repeating_it() {
    let world = World::new().await;
    let ada = world.sign_in("alpha", "ada").await;
    for body in [
        "{",
        "[]",
        "null",
        r#"{"user_name":"Noether"}"#,
        r#"{"user_name":"Noether","display_name":"N","roles":["nurse"],"password":"long enough to pass","extra":"Noether"}"#,
        r#"{"user_name":"Noether","display_name":"N","roles":["Noether"],"password":"long enough to pass"}"#,
        r#"{"user_name":"Noether\u0000","display_name":"N","roles":["nurse"],"password":"long enough to pass"}"#,
        r#"{"user_name":"   ","display_name":"Noether","roles":["nurse"],"password":"long enough to pass"}"#,
        r#"{"user_name":"Noether","display_name":"N","roles":[],"password":"long enough to pass"}"#,
        r#"{"user_name":"Noether","display_name":"N","roles":["nurse"],"password":"short"}"#,
    ] {
        let request = ada.request("POST", "/api/users").header("content-type", "application/json");
        let answer = world.send(request.body(Body::from(body)).unwrap()).await.expect(400);
        assert!(!answer.text().contains("Noether"), "{}", answer.text());
    }
    let form = ada
        .request("POST", "/api/users")
        .header("content-type", "application/x-www-form-urlencoded");
    world.send(form.body(Body::from("a=b")).unwrap()).await.refused(415, "media_type");
    let large = ada.request("POST", "/api/users").header("content-type", "application/json");
    let body = format!("\"{}\"", "x".repeat(70_000));
    world.send(large.body(Body::from(body)).unwrap()).await.refused(413, "body_too_large");
    let answer = ada.send("PATCH", "/api/users", None).await.refused(405, "method_not_allowed");
    let allowed = answer.header("allow");
    assert!(allowed.contains("GET") && allowed.contains("POST"), "{allowed}");
}

/// A wrong sign-in of a name of its own, so that only the sender's address is slowed.
async fn guess(world: &World, peer: &str, forwarded: Option<&str>, name: u32) -> u16 {
    let body = json!({ "organization": "alpha", "user_name": format!("guess{name}"), "password": "guess" });
    let mut request =
        world.nobody().request("POST", "/api/session").header("content-type", "application/json");
    if let Some(forwarded) = forwarded {
        request = request.header("x-forwarded-for", forwarded);
    }
    let mut request = request.body(Body::from(body.to_string())).unwrap();
    let peer: std::net::SocketAddr = peer.parse().unwrap();
    request.extensions_mut().insert(axum::extract::ConnectInfo(peer));
    world.send(request).await.status.as_u16()
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_is_slowed_alone_and_nobody_hides_behind_a_header() {
    let world = World::new().await;
    let proxy = "10.0.0.2:40000";
    for n in 0..50 {
        // Whatever the client wrote before, the proxy appends the true address.
        let forwarded = format!("198.51.100.{n}, 203.0.113.9");
        assert_eq!(guess(&world, proxy, Some(&forwarded), n).await, 401);
    }
    assert_eq!(guess(&world, proxy, Some("198.51.100.99, 203.0.113.9"), 100).await, 429);
    // Another client of the same proxy, and the proxy's own address, are free.
    assert_eq!(guess(&world, proxy, Some("203.0.113.10"), 101).await, 401);
    assert_eq!(guess(&world, proxy, None, 102).await, 401);
    // A stranger's header is not read: neither to hide behind others nor to slow them.
    for n in 200..250 {
        let forwarded = format!("203.0.113.{n}");
        assert_eq!(guess(&world, "192.0.2.1:40000", Some(&forwarded), n).await, 401);
    }
    assert_eq!(guess(&world, "192.0.2.1:40000", Some("203.0.113.77"), 300).await, 429);
    assert_eq!(guess(&world, proxy, Some("203.0.113.77"), 301).await, 401);
}

#[tokio::test]
async fn no_name_at_sign_in_counts_against_a_set_up() {
    let world = World::new().await;
    for _ in 0..6 {
        let body = json!({ "organization": "setup", "user_name": "alpha", "password": "guess" });
        world.nobody().post("/api/session", &body).await;
    }
    let body = json!({
        "organization": "alpha", "code": "anything", "user_name": "eve", "display_name": "Eve", "password": PASSWORD,
    });
    world.nobody().post("/api/setup", &body).await.refused(403, "setup_code_wrong");
}

#[tokio::test]
async fn a_slowed_first_set_up_says_how_long() {
    let world = World::new().await;
    let body = json!({
        "organization": "alpha", "code": "guess", "user_name": "eve", "display_name": "Eve", "password": PASSWORD,
    });
    for _ in 0..5 {
        world.nobody().post("/api/setup", &body).await.refused(403, "setup_code_wrong");
    }
    let answer = world.nobody().post("/api/setup", &body).await.refused(429, "wait");
    assert!(answer.header("retry-after").parse::<u32>().unwrap() > 0);
}

#[tokio::test]
async fn a_text_may_have_as_many_characters_as_the_description_says() {
    let world = World::new().await;
    let ada = world.sign_in("alpha", "ada").await;
    let user = |name: String, display: String, password: String| json!({ "user_name": name, "display_name": display, "roles": ["nurse"], "password": password });
    let full = user("ö".repeat(100), "ä".repeat(200), "ü".repeat(256));
    ada.post("/api/users", &full).await.expect(201);
    for over in [
        user("ö".repeat(101), "a".into(), PASSWORD.into()),
        user("b".into(), "ä".repeat(201), PASSWORD.into()),
        user("c".into(), "c".into(), "ü".repeat(257)),
    ] {
        ada.post("/api/users", &over).await.refused(400, "invalid_value");
    }
    let label = |text: String| json!({ "label": text, "roles": ["service"], "expires_at": null });
    ada.post("/api/tokens", &label("ö".repeat(100))).await.expect(201);
    ada.post("/api/tokens", &label("ö".repeat(101))).await.refused(400, "invalid_value");
    let clinician = world.member("alpha", "cardiologist").await;
    let reason = |text: String| json!({ "reason": text });
    clinician
        .post("/api/break-glass", &reason("ö".repeat(501)))
        .await
        .refused(400, "invalid_value");
    clinician.post("/api/break-glass", &reason("ö".repeat(500))).await.expect(200);
}
