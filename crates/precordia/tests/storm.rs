//! The program is killed again and again while files come in. What it acknowledged is there, once.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use std::collections::BTreeSet;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::postgres::Database;
use common::{Client, Site, file_of};
use precordia_synth::{Pattern, Person};
use serde_json::{Value, json};

/// How often the program is killed; `PRECORDIA_STORM_KILLS` sets another number.
fn kills(otherwise: usize) -> usize {
    std::env::var("PRECORDIA_STORM_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(otherwise)
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
    storm(&Site::new("warn"), kills(100));
}

/// Here the connections are killed too, most of them while they commit.
#[test]
fn every_acknowledged_file_is_there_once_after_kills_of_program_and_connections() {
    if let Some(site) = Site::on_postgres("warn") {
        storm(&site, kills(30));
    }
}

/// Kills connections of a database from inside its server.
struct Killer<'a> {
    postgres: &'a Database,
    psql: Child,
}

impl<'a> Killer<'a> {
    /// Ends one of four connections that it sees committing, and now and then another, until the table
    /// `storm` has a row. (That the table itself is gone would not be seen inside one transaction.)
    const LOOP: &'static str = "DO $$
        DECLARE killed integer := 0; found integer;
        BEGIN
            WHILE NOT EXISTS (SELECT FROM storm) LOOP
                PERFORM pg_stat_clear_snapshot();
                SELECT count(*) FILTER (WHERE pg_terminate_backend(pid) AND query = 'COMMIT')
                    INTO found FROM pg_stat_activity
                    WHERE usename = 'product' AND datname = current_database() AND state <> 'idle'
                      AND random() < CASE WHEN query = 'COMMIT' THEN 0.25 ELSE 0.002 END;
                killed := killed + found;
                PERFORM pg_sleep(0.001);
            END LOOP;
            RAISE NOTICE 'killed % .', killed;
        END $$";

    fn start(postgres: &'a Database) -> Self {
        postgres.sql("CREATE TABLE storm (over boolean)");
        let mut psql = postgres.psql();
        let psql = psql.arg("-c").arg(Self::LOOP).stderr(Stdio::piped()).spawn().unwrap();
        Self { postgres, psql }
    }

    fn end(self) {
        self.postgres.sql("INSERT INTO storm VALUES (true)");
        let said = self.psql.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&said.stderr);
        let killed: usize = said.split_whitespace().filter_map(|w| w.parse::<usize>().ok()).sum();
        eprintln!("{killed} connections killed while they committed");
        assert!(killed >= 10, "too few for a storm: {said}");
    }
}

fn storm(site: &Site, kills: usize) {
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

    let killer = site.postgres.as_ref().map(Killer::start);
    let mut random = 0x9E37_79B9_7F4A_7C15u64;
    for _ in 0..kills {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        // A start on PostgreSQL, whose connections are killed meanwhile, needs longer to get to work.
        let least = if site.postgres.is_some() { 200 } else { 5 };
        std::thread::sleep(Duration::from_millis(least + random % 250));
        server.kill();
        // A start that loses its connection ends with an error, and whoever supervises it tries again.
        server = (0..10).find_map(|_| site.try_serve().ok()).unwrap_or_else(|| site.serve());
        known.url.lock().unwrap().clone_from(&server.url);
    }
    known.over.store(true, Ordering::SeqCst);
    senders.into_iter().for_each(|sender| sender.join().unwrap());

    killer.into_iter().for_each(Killer::end);
    let service = service.at(&server.url);
    let waiting = std::time::Instant::now();
    let in_flight = || service.post("/api/items/search", &json!({"state": "in-flight"})).ok();
    // A kill counts as a try, and work that then fails at a lost connection rests for up to 555 s.
    common::eventually_within(Duration::from_secs(700), "nothing is in flight", || {
        std::thread::sleep(Duration::from_millis(100));
        let rows = in_flight()["rows"].as_array().unwrap().len();
        if rows > 0 && waiting.elapsed().as_secs() > 650 {
            eprintln!("{rows} in flight: {}", in_flight());
        }
        rows == 0
    });
    let acknowledged = known.acknowledged.lock().unwrap().clone();
    eprintln!(
        "{kills} kills, {} sent, {} acknowledged, settled after {:.1} s",
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
