//! Somebody has the database and changes it. What was done, and where first, is named.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use std::path::Path;
use std::process::Command;

use common::{Client, Site, file_of};
use precordia_synth::{Pattern, Person};
use rusqlite::Connection;
use serde_json::Value;

/// What is done to the database, and the finding that must come first.
const CASES: &[(&str, &str, &str)] = &[
    (
        "an event's sealed payload is changed",
        "UPDATE event SET payload = zeroblob(length(payload)) WHERE position = 5",
        "changed",
    ),
    (
        "an event's clear field is changed",
        "UPDATE event SET at = at + 1 WHERE position = 5",
        "changed",
    ),
    (
        "an event's actor is changed",
        "UPDATE event SET actor = 'user/00000000-0000-7000-8000-000000000000' WHERE position = 5",
        "changed",
    ),
    ("an event is removed", "DELETE FROM event WHERE position = 5", "removed"),
    (
        "two events are exchanged",
        "UPDATE event SET position = -1 WHERE position = 5; UPDATE event SET position = 5 WHERE position = 6; UPDATE event SET position = 6 WHERE position = -1",
        "unchained",
    ),
    (
        "an event is inserted",
        "UPDATE event SET position = -position WHERE position >= 5; UPDATE event SET position = 1 - position WHERE position < 0; INSERT INTO event SELECT 5, 'item/x', 1, kind, schema, actor, at, cause, request, payload, resources, previous, hash FROM event WHERE position = 4",
        "unchained",
    ),
    (
        "the last events are cut off",
        "DELETE FROM event WHERE position > (SELECT max(position) - 3 FROM event)",
        "cut-off",
    ),
    (
        "the last events and the head are cut off",
        "DELETE FROM resource WHERE position > 5; DELETE FROM event WHERE position > 5; UPDATE head SET position = 5, hash = (SELECT hash FROM event WHERE position = 5) WHERE log = 'events'",
        "head-changed",
    ),
    (
        "a resource version is changed",
        "UPDATE resource SET body = zeroblob(length(body)) WHERE position = (SELECT min(position) FROM resource)",
        "resource-changed",
    ),
    (
        "a resource version is removed",
        "DELETE FROM resource WHERE position = (SELECT min(position) FROM resource)",
        "resource-changed",
    ),
    (
        "an access row is changed",
        "UPDATE access_log SET outcome = 'denied' WHERE position = 3",
        "changed",
    ),
    ("an access row is removed", "DELETE FROM access_log WHERE position = 3", "removed"),
    (
        "the last access rows are cut off",
        "DELETE FROM access_log WHERE position > (SELECT max(position) - 2 FROM access_log)",
        "cut-off",
    ),
    (
        "the head is moved",
        "UPDATE head SET hash = zeroblob(32) WHERE log = 'access'",
        "head-changed",
    ),
];

#[test]
fn every_kind_of_tampering_is_found_and_named() {
    let site = Site::new("warn");
    let code = site.apply("alpha", "Alpha");
    let mut server = site.serve();
    let administrator = Client::set_up(&server.url, "alpha", &code);
    let doctor = administrator.user("alpha", "doctor", "cardiologist");
    for number in 0..4 {
        let item = doctor.upload(&file_of(Pattern::ALL[number], &Person::demo(number), number));
        doctor.get(&format!("/api/recordings/{}", item["recording_id"].as_str().unwrap())).ok();
    }
    assert_eq!(server.stop(), Some(0));
    let (code, clean) = verify(&site, &site.path("precordia.toml"));
    assert_eq!(code, 0, "{clean}");

    for (what, sql, expected) in CASES {
        let copy = copy_of(&site, "copy");
        change(&copy.join("data"), sql);
        let (code, report) = verify(&site, &copy.join("precordia.toml"));
        assert_eq!(code, 4, "{what}: {report}");
        let kinds = kinds(&report);
        assert_eq!(kinds.first().map(String::as_str), Some(*expected), "{what}: {kinds:?}");
    }
}

#[test]
fn an_old_copy_put_back_is_found_by_the_witness_alone() {
    let site = Site::new("warn");
    let code = site.apply("alpha", "Alpha");
    let mut server = site.serve();
    let administrator = Client::set_up(&server.url, "alpha", &code);
    let doctor = administrator.user("alpha", "doctor", "cardiologist");
    doctor.upload(&file_of(Pattern::ALL[0], &Person::demo(0), 0));
    assert_eq!(server.stop(), Some(0));
    let old = copy_of(&site, "old");
    let mut server = site.serve();
    let doctor = Client::sign_in(&server.url, "alpha", "doctor");
    doctor.upload(&file_of(Pattern::ALL[1], &Person::demo(1), 1));
    assert_eq!(server.stop(), Some(0));

    // The old copy is whole in itself; its own witness says nothing against it.
    assert_eq!(verify(&site, &old.join("precordia.toml")).0, 0);
    std::fs::remove_dir_all(old.join("data-witness")).unwrap();
    assert_eq!(verify(&site, &old.join("precordia.toml")).0, 3, "without a witness, that is said");
    copy_dir(&site.path("data-witness"), &old.join("data-witness"));
    let (code, report) = verify(&site, &old.join("precordia.toml"));
    assert_eq!(code, 4);
    assert_eq!(kinds(&report).first().map(String::as_str), Some("old-copy"), "{report}");
}

fn verify(site: &Site, config: &Path) -> (i32, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_precordia"))
        .args(["audit", "verify", "--json", "--config"])
        .arg(config)
        .current_dir(site.root())
        .output()
        .unwrap();
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), report)
}

/// The findings' names, realm by realm and log by log.
fn kinds(report: &Value) -> Vec<String> {
    report["realms"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|realm| realm["logs"].as_array().unwrap())
        .flat_map(|log| log["findings"].as_array().unwrap())
        .map(|finding| finding["kind"].as_str().unwrap().to_owned())
        .collect()
}

/// Data, witness and keys in a directory of their own, with a configuration that names them.
fn copy_of(site: &Site, name: &str) -> std::path::PathBuf {
    let copy = site.path(name);
    let _ = std::fs::remove_dir_all(&copy);
    for dir in ["data", "data-witness", "data-keys"] {
        copy_dir(&site.path(dir), &copy.join(dir));
    }
    let config = format!("data_dir = {:?}\n[log]\nlevel = \"warn\"\n", copy.join("data"));
    std::fs::write(copy.join("precordia.toml"), config).unwrap();
    copy
}

fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Whoever has the database drops the triggers first.
fn change(data: &Path, sql: &str) {
    let database =
        common::search::files(data).into_iter().find(|path| path.ends_with("ledger.db")).unwrap();
    let open = Connection::open(database).unwrap();
    let mut query = open.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").unwrap();
    let triggers: Vec<String> =
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    for trigger in triggers {
        open.execute_batch(&format!("DROP TRIGGER {trigger}")).unwrap();
    }
    open.execute_batch(sql).unwrap();
}
