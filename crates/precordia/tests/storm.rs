//! The program is killed again and again while files come in. What it acknowledged is there, once.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Client, Site, file_of};
use precordia_synth::{Pattern, Person};
use serde_json::{Value, json};

/// How often the program is killed; `PRECORDIA_STORM_KILLS` sets another number.
fn kills() -> usize {
    std::env::var("PRECORDIA_STORM_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(100)
}

/// What the senders know.
#[derive(Default)]
struct Known {
    sent: AtomicUsize,
    acknowledged: Mutex<Vec<(usize, String)>>,
    url: Mutex<String>,
    over: AtomicBool,
}

#[test]
fn every_acknowledged_file_is_there_once_after_a_hundred_kills() {
    let site = Site::new("warn");
    let code = site.apply("storm", "Storm Hospital");
    let mut server = site.serve();
    let administrator = Client::set_up(&server.url, "storm", &code);
    let service = administrator.service();
    let known = Arc::new(Known { url: Mutex::new(server.url.clone()), ..Known::default() });
    let senders: Vec<_> = (0..4)
        .map(|_| {
            let (known, service) = (known.clone(), service.clone());
            std::thread::spawn(move || send_until_over(&known, &service))
        })
        .collect();

    let mut random = 0x9E37_79B9_7F4A_7C15u64;
    for _ in 0..kills() {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::thread::sleep(Duration::from_millis(5 + random % 250));
        server.kill();
        server = site.serve();
        known.url.lock().unwrap().clone_from(&server.url);
    }
    known.over.store(true, Ordering::SeqCst);
    senders.into_iter().for_each(|sender| sender.join().unwrap());

    let service = service.at(&server.url);
    let waiting = std::time::Instant::now();
    common::eventually("nothing is in flight", || {
        service.post("/api/items/search", &json!({"state": "in-flight"})).ok()["rows"]
            .as_array()
            .unwrap()
            .is_empty()
    });
    let acknowledged = known.acknowledged.lock().unwrap().clone();
    eprintln!(
        "{} kills, {} sent, {} acknowledged, settled after {:.1} s",
        kills(),
        known.sent.load(Ordering::SeqCst),
        acknowledged.len(),
        waiting.elapsed().as_secs_f64()
    );
    assert!(acknowledged.len() >= 20, "too few uploads for a storm");
    check_items(&service, &acknowledged);

    assert_eq!(server.stop(), Some(0));
    let balance = site.run(&["audit", "balance"]);
    assert!(balance.status.success(), "{}", String::from_utf8_lossy(&balance.stdout));
    let verify = site.run(&["audit", "verify"]);
    assert_eq!(verify.status.code(), Some(0), "{}", String::from_utf8_lossy(&verify.stdout));
}

fn send_until_over(known: &Known, service: &Client) {
    while !known.over.load(Ordering::SeqCst) {
        let number = known.sent.fetch_add(1, Ordering::SeqCst);
        let person = Person::demo(number % 50);
        let file = file_of(Pattern::ALL[number % Pattern::ALL.len()], &person, number);
        let client = service.at(&known.url.lock().unwrap().clone());
        if let Ok(answer) = client.try_upload(&file, 0)
            && answer.status == 202
        {
            let item = answer.json()["item_id"].as_str().unwrap().to_owned();
            known.acknowledged.lock().unwrap().push((number, item));
        }
    }
}

/// Each acknowledged item is filed, and sending it again links to exactly that recording.
fn check_items(service: &Client, acknowledged: &[(usize, String)]) {
    let mut recordings = BTreeSet::new();
    for (number, item) in acknowledged {
        let found = service.get(&format!("/api/items/{item}")).ok();
        let state = found["state"].as_str().unwrap().to_owned();
        assert!(
            ["filed", "held", "linked"].contains(&state.as_str()),
            "item {item} of file {number}: {found}"
        );
        let recording = found["recording_id"].as_str().unwrap_or_default().to_owned();
        if state == "filed" {
            assert!(recordings.insert(recording), "file {number} was filed twice");
        }
    }
    for (number, item) in acknowledged.iter().rev().take(20) {
        let person = Person::demo(number % 50);
        let file = file_of(Pattern::ALL[number % Pattern::ALL.len()], &person, *number);
        let again: Value = service.upload(&file);
        assert_eq!(again["state"], "linked", "{again}");
        let first = service.get(&format!("/api/items/{item}")).ok();
        assert_eq!(again["recording_id"], first["recording_id"]);
    }
}
