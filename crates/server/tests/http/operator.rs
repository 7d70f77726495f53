//! The page of whoever runs the installation: who sees it, and what it says.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use precordia_app::Alarm;
use precordia_model::{AlarmCode, AlarmSubject};
use tower::ServiceExt;

use crate::world::{Answer, HOST, World, options};

const PAGE: &str = "/operator/";

async fn ask(world: &World, path: &str, authorization: Option<&str>) -> Answer {
    let mut request = Request::builder().uri(path).header(header::HOST, HOST);
    if let Some(authorization) = authorization {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    world.send(request.body(Body::empty()).unwrap()).await
}

fn basic(credentials: &str) -> String {
    format!("Basic {}", STANDARD.encode(credentials))
}

fn from(peer: &str, forwarded_for: Option<&str>) -> Request<Body> {
    let peer: SocketAddr = peer.parse().unwrap();
    let mut request =
        Request::builder().uri(PAGE).header(header::HOST, HOST).extension(ConnectInfo(peer));
    if let Some(client) = forwarded_for {
        request = request.header("x-forwarded-for", client);
    }
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn only_who_has_the_token_sees_it_from_elsewhere() {
    let world = World::new().await;
    for given in ["Bearer collector", &basic("anybody:collector"), &basic(":collector")] {
        ask(&world, PAGE, Some(given)).await.expect(200);
    }
    let wrong = ["Bearer collecto", "Bearer", "Basic collector", "Basic !", "collector"];
    let wrong = wrong.map(str::to_owned).into_iter().chain([
        basic("anybody:Collector"),
        basic("collector:"),
        basic("collector"),
        basic("anybody:collector "),
    ]);
    for given in wrong.map(Some).chain([None]) {
        let answer = ask(&world, PAGE, given.as_deref()).await.refused(401, "token_required");
        let challenge = answer.header("www-authenticate");
        assert!(challenge.starts_with("Basic realm="), "{given:?}: {challenge}");
        assert!(!answer.text().contains("<table"), "{given:?}");
    }
    // Who administers an organization does not run the installation.
    let admin = world.sign_in("alpha", "ada").await;
    admin.get(PAGE).await.refused(401, "token_required");
}

#[tokio::test]
async fn this_machine_sees_it_freely_and_nobody_through_a_proxy() {
    let world = World::new().await;
    for peer in ["127.0.0.1:4711", "[::1]:4711", "[::ffff:127.0.0.1]:4711"] {
        world.send(from(peer, None)).await.expect(200);
    }
    world.send(from("192.0.2.7:4711", None)).await.expect(401);
    world.send(from("127.0.0.1:4711", Some("192.0.2.7"))).await.expect(401);
    world.send(from("127.0.0.1:4711", Some("127.0.0.1"))).await.expect(401);
    world.send(from("10.0.0.1:4711", Some("127.0.0.1"))).await.expect(401);
}

#[tokio::test]
async fn without_a_token_there_is_nothing_for_others() {
    let world = World::new().await;
    let options =
        precordia_server::ServerOptions { metrics_token: None, ..options(&world.app, &world.stop) };
    let router = precordia_server::router(options);
    let status = async |request: Request<Body>| {
        router.clone().oneshot(request).await.unwrap().status().as_u16()
    };
    assert_eq!(status(from("192.0.2.7:4711", None)).await, 404);
    assert_eq!(status(from("127.0.0.1:4711", None)).await, 200);
    let mut guessed = from("192.0.2.7:4711", None);
    guessed.headers_mut().insert(header::AUTHORIZATION, basic("anybody:").parse().unwrap());
    assert_eq!(status(guessed).await, 404);
}

#[tokio::test]
async fn it_lists_what_stands_and_what_is_over_and_whose_it_is() {
    let world = World::new().await;
    let empty = ask(&world, PAGE, Some("Bearer collector")).await.expect(200).text();
    assert!(empty.contains("Nothing needs a hand.") && !empty.contains("<table"), "{empty}");

    let app = &world.app;
    let all = app.organizations(&app.local_operator()).await.unwrap();
    let alpha = all.iter().find(|one| one.slug == "alpha").unwrap();
    let work = AlarmSubject::organization(alpha.id, "work");
    app.alarms().raise(Alarm::new(AlarmCode::WorkGivenUp, work).figure("pieces", 3)).await;
    let disk = AlarmSubject::platform("disk").named("<script>alert(1)</script>");
    app.alarms().raise(Alarm::new(AlarmCode::DiskLow, disk)).await;
    let ledger = AlarmSubject::stored(None, String::from("<img src=x onerror=\"alert(1)\">"));
    app.alarms().raise(Alarm::new(AlarmCode::StorageFull, ledger)).await;
    let backup = AlarmSubject::platform("backup");
    app.alarms().raise(Alarm::new(AlarmCode::BackupFailed, backup.clone())).await;
    app.alarms().clear(AlarmCode::BackupFailed, backup).await;

    let answer = ask(&world, PAGE, Some(&basic("operator:collector"))).await.expect(200);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.header("content-security-policy").contains("script-src 'self'"));
    let page = answer.text();
    let at = |part: &str| page.find(part).unwrap_or_else(|| panic!("no `{part}` in {page}"));
    let order = [
        "<caption>Alarms that stand</caption>",
        "<code>storage.full</code>",
        "installation<div>&lt;img src=x onerror=&quot;alert(1)&quot;&gt;</div>",
        "<code>disk.low</code>",
        "<code>work.given-up</code>",
        "alpha<div>work</div>",
        "<div>pieces 3</div>",
        "<caption>Alarms that are over</caption>",
        "<code>backup.failed</code>",
        "precordia alarms acknowledge ID",
    ];
    assert!(order.windows(2).all(|pair| at(pair[0]) < at(pair[1])), "{page}");
    at("<title>(3) ");
    at("<meta http-equiv=\"refresh\" content=\"30\">");
    for foreign in ["<script", "<img", "Hospital", "Ward", "beta", "ada", "Ada"] {
        assert!(!page.contains(foreign), "`{foreign}` in {page}");
    }
    let still = ask(&world, "/operator/?reload=off", Some("Bearer collector")).await.expect(200);
    assert!(!still.text().contains("http-equiv=\"refresh\""));
}

#[tokio::test]
async fn its_address_without_the_slash_leads_to_it_and_asks_for_nothing() {
    let world = World::new().await;
    let answer = ask(&world, "/operator", None).await.expect(308);
    // A browser would send a token that was asked for here to every address of the server.
    assert_eq!(answer.header("www-authenticate"), "");
    assert_eq!(answer.header("location"), PAGE);
    let posted = world.nobody().post(PAGE, &serde_json::json!({})).await;
    posted.refused(405, "method_not_allowed");
}
