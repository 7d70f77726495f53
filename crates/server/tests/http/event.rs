//! What only a real socket shows: streams, clients that go away, and the end of the program.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::world::{Client, World, ecg, form};

const PATIENCE: Duration = Duration::from_secs(20);

async fn listen(
    world: &World,
) -> (SocketAddr, JoinHandle<Result<(), precordia_server::ServeError>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = precordia_server::serve(listener, world.router.clone(), None, world.stop.clone());
    (address, tokio::spawn(served))
}

fn head(client: &Client<'_>, line: &str, more: &str) -> String {
    let cookie = client.cookie.clone().unwrap_or_default();
    let csrf = client.csrf.clone().unwrap_or_default();
    format!(
        "{line} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nX-CSRF-Token: {csrf}\r\n{more}\r\n"
    )
}

async fn open_stream(address: SocketAddr, client: &Client<'_>) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head(client, "GET /api/events", "").as_bytes()).await.unwrap();
    stream
}

/// Reads until a text was seen; what came so far.
async fn until(stream: &mut TcpStream, wanted: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0u8; 4096];
    let read = async {
        while !text.contains(wanted) {
            let n = stream.read(&mut buffer).await.unwrap();
            assert!(n > 0, "ended before `{wanted}`: {text}");
            text.push_str(&String::from_utf8_lossy(&buffer[..n]));
        }
    };
    tokio::time::timeout(PATIENCE, read)
        .await
        .unwrap_or_else(|_| panic!("waited in vain for `{wanted}`"));
    text
}

#[tokio::test]
async fn an_open_page_is_told_of_its_own_organizations_changes_by_id_alone() {
    let world = World::new().await;
    let (address, _server) = listen(&world).await;
    let ours = world.member("alpha", "cardiologist").await;
    let theirs = world.member("beta", "cardiologist").await;
    let mut our_stream = open_stream(address, &ours).await;
    let mut their_stream = open_stream(address, &theirs).await;
    let greeting = until(&mut our_stream, "event: hello").await;
    assert!(greeting.contains("text/event-stream") && greeting.contains("no-store"), "{greeting}");
    until(&mut their_stream, "event: hello").await;

    let item = ours.upload(&ecg(1, 0)).await.expect(202).json();
    let recording = item["recording_id"].as_str().unwrap();
    let told =
        until(&mut our_stream, "event: recording").await + &until(&mut our_stream, "\n\n").await;
    assert!(told.contains(recording) || told.contains(item["item_id"].as_str().unwrap()), "{told}");

    // Theirs hear of their own change, and it is the first thing that they hear.
    let own = theirs.upload(&ecg(2, 1)).await.expect(202).json();
    let heard = until(&mut their_stream, own["item_id"].as_str().unwrap()).await;
    assert!(
        !heard.contains(recording) && !heard.contains(item["item_id"].as_str().unwrap()),
        "{heard}"
    );
}

#[tokio::test]
async fn a_sender_who_goes_away_leaves_nothing_behind() {
    let world = World::new().await;
    let (address, _server) = listen(&world).await;
    let technician = world.member("alpha", "technician").await;
    let body = form(&[("file", Some("a"), &ecg(1, 0))]);
    let more = format!(
        "Content-Type: multipart/form-data; boundary=edge\r\nContent-Length: {}\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head(&technician, "POST /api/uploads", &more).as_bytes()).await.unwrap();
    stream.write_all(&body[..body.len() / 2]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    drop(stream);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let balance = technician.get("/api/balance").await.expect(200).json();
    assert_eq!((&balance["closes"], &balance["doors"][0]["received"]), (&json!(true), &json!(0)));
}

#[tokio::test]
async fn the_end_waits_for_an_upload_under_way_and_not_for_open_pages() {
    let world = World::new().await;
    let (address, server) = listen(&world).await;
    let technician = world.member("alpha", "technician").await;
    let mut page = open_stream(address, &technician).await;
    until(&mut page, "event: hello").await;
    let body = form(&[("file", Some("a"), &ecg(1, 0))]);
    let more = format!(
        "Content-Type: multipart/form-data; boundary=edge\r\nContent-Length: {}\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head(&technician, "POST /api/uploads", &more).as_bytes()).await.unwrap();
    stream.write_all(&body[..body.len() / 2]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    world.stop.now();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(TcpStream::connect(address).await.is_err(), "a new connection was taken");
    stream.write_all(&body[body.len() / 2..]).await.unwrap();
    let answer = until(&mut stream, "item_id").await;
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    let ended = tokio::time::timeout(PATIENCE, server).await.expect("the server ends");
    ended.unwrap().unwrap();
    let balance = technician.get("/api/balance").await.expect(200).json();
    assert_eq!(balance["doors"][0]["received"], 1);
}
