//! Alarms of the real program over a webhook: signed, told again after a failure or a kill, and empty of
//! whatever a person is called.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use aws_lc_rs::hmac;
use common::Site;
use serde_json::Value;

const SECRET: &str = "a secret of at least sixteen bytes";
/// Longer than anything here takes on a slow machine.
const OUTSIDE: Duration = Duration::from_secs(180);

/// A request as it came.
struct Post {
    head: String,
    body: String,
}

impl Post {
    fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut found = lines.filter(|(one, _)| one.eq_ignore_ascii_case(name));
        found.next().unwrap_or_else(|| panic!("no header {name}: {}", self.head)).1
    }

    /// The body, if the signature is right.
    fn opened(&self) -> Value {
        let (seconds, tag) = self.header("precordia-signature").split_once(",v1=").unwrap();
        let seconds = seconds.strip_prefix("t=").unwrap();
        let tag: Vec<u8> = (0..tag.len() / 2)
            .map(|at| u8::from_str_radix(&tag[2 * at..2 * at + 2], 16).unwrap())
            .collect();
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        let signed = format!("{seconds}.{}", self.body);
        hmac::verify(&key, signed.as_bytes(), &tag).expect("the signature is right");
        let body: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(body["id"], self.header("precordia-notice"));
        assert_eq!(body["version"], 1);
        body
    }
}

/// Answers every request with the status, and hands it over.
fn listen(address: &str, answer: &'static str) -> (String, Receiver<Post>) {
    let listener = TcpListener::bind(address).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Some(post) = read(stream.unwrap(), answer) else { continue };
            if sender.send(post).is_err() {
                return;
            }
        }
    });
    (address, receiver)
}

fn read(stream: TcpStream, answer: &str) -> Option<Post> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let lines = head.lines().map(str::to_lowercase);
    let mut lengths = lines.filter_map(|l| l.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; lengths.next()?];
    reader.read_exact(&mut body).ok()?;
    let answer = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    reader.get_mut().write_all(answer.as_bytes()).ok()?;
    Some(Post { head, body: String::from_utf8(body).unwrap() })
}

/// A site whose alarms go there.
fn site_telling(addresses: &[(&str, String)]) -> Site {
    let site = Site::new("info");
    std::fs::write(site.path("secret"), format!("{SECRET}\n")).unwrap();
    let mut config = std::fs::read_to_string(site.path("precordia.toml")).unwrap();
    for (name, url) in addresses {
        config += &format!(
            "[[alarms.webhook]]\nname = {name:?}\nurl = {url:?}\nsecret_file = {:?}\nseverity_min = \"info\"\n",
            site.path("secret")
        );
    }
    std::fs::write(site.path("precordia.toml"), config).unwrap();
    site
}

#[test]
fn a_test_goes_over_every_channel_and_each_answer_is_reported() {
    let (good, posts) = listen("127.0.0.1:0", "204 No Content");
    let (elsewhere, never) = listen("127.0.0.1:0", "200 OK");
    let location: &'static str = format!("307 Moved\r\nLocation: http://{elsewhere}/").leak();
    let (moved, redirected) = listen("127.0.0.1:0", location);
    let (broken, _kept) = listen("127.0.0.1:0", "500 No");
    let url = |address: &str| format!("http://{address}/hook");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let site = site_telling(&[
        ("good", url(&good)),
        ("moved", url(&moved)),
        ("broken", url(&broken)),
        ("closed", url(&closed)),
    ]);
    site.apply("riverside", "Riverside");
    let checked = site.run(&["config", "check", site.path("precordia.toml").to_str().unwrap()]);
    assert!(checked.status.success());
    let output = site.run(&["alarms", "test"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let expected = [
        "webhook good: told, HTTP 204",
        "webhook moved: NOT told, HTTP 307",
        "webhook broken: NOT told, HTTP 500",
        "webhook closed: NOT told, ",
    ];
    for (line, expected) in said.lines().zip(expected) {
        assert!(line.starts_with(expected), "{said}");
    }
    assert_eq!(said.lines().count(), expected.len());
    let body = posts.recv_timeout(OUTSIDE).unwrap().opened();
    assert_eq!((&body["kind"], &body["alarm"]["code"]), (&"test".into(), &"alarm.test".into()));
    redirected.recv_timeout(OUTSIDE).unwrap().opened();
    assert!(never.try_recv().is_err(), "what is signed for one is not sent to another");
    assert_eq!(String::from_utf8(site.run(&["alarms", "list", "--all"]).stdout).unwrap(), "");
}

#[test]
fn what_was_raised_is_told_after_a_kill_and_so_is_its_end() {
    // Nobody answers there yet.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let site = site_telling(&[("ops", format!("http://{address}/hook"))]);
    let code = site.apply("riverside", "Riverside");
    let mut server = site.serve();
    let admin = common::Client::set_up(&server.url, "riverside", &code);
    // The witness's disk is gone: a file stands where its directory was.
    let (witness, away) = (site.path("data-witness"), site.path("witness-away"));
    std::fs::rename(&witness, &away).unwrap();
    std::fs::write(&witness, "").unwrap();
    admin.user("riverside", "emmy.noether", "nurse");
    let listed = || -> Vec<Value> {
        let output = site.run(&["alarms", "list", "--json"]);
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    };
    let until = std::time::Instant::now() + OUTSIDE;
    let raised = loop {
        let of_witness = |row: &&Value| row["code"] == "checkpoint.failed";
        if let Some(row) = listed().iter().find(of_witness) {
            break row.clone();
        }
        assert!(std::time::Instant::now() < until, "no alarm: {:?}", listed());
        std::thread::sleep(Duration::from_millis(200));
    };
    let unanswered = site.run(&["alarms", "list"]);
    assert_eq!(unanswered.status.code(), Some(1), "critical, and nobody said that they know");
    let alarm = raised["id"].as_str().unwrap();
    assert!(site.run(&["alarms", "acknowledge", alarm]).status.success());
    server.kill();

    std::fs::remove_file(&witness).unwrap();
    std::fs::rename(&away, &witness).unwrap();
    let (_, posts) = listen(&address, "200 OK");
    let server = site.serve();
    let told = |kind: &str, code: &str| loop {
        let body = posts.recv_timeout(OUTSIDE).expect("the webhook is told").opened();
        let said = body.to_string();
        assert!(!said.contains("noether") && !said.contains("root-admin"), "{said}");
        if body["kind"] == kind && body["alarm"]["code"] == code {
            break body;
        }
    };
    let body = told("raised", "checkpoint.failed");
    assert_eq!(body["alarm"]["id"], raised["id"]);
    assert_eq!(body["id"], format!("{}.raised.1", raised["id"].as_str().unwrap()));
    let metrics = String::from_utf8(common::Client::anonymous(&server.url).get("/metrics").body);
    let metrics = metrics.unwrap();
    let gauge = "precordia_alarms{code=\"backup.failed\",severity=\"critical\"} 0";
    assert!(metrics.contains(gauge), "every code is there");

    let body = told("cleared", "checkpoint.failed");
    assert_eq!(body["alarm"]["state"], "cleared");
    assert_eq!(body["alarm"]["id"], raised["id"]);
    assert!(body["alarm"]["acknowledged_at"].is_string(), "{body}");
    let verified = site.run(&["audit", "verify", "--alarm"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}
