//! The real program's backups: made while it serves, drilled, and restored on the other engine.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use common::{Client, Site, eventually, file_of};
use precordia_model::{PartialDate, Sex};
use precordia_synth::{Pattern, Person};
use serde_json::{Value, json};

on_both_engines! {
    what_one_engine_backed_up_the_other_restores_and_goes_on_with at "info";
    a_backup_that_cannot_be_made_is_told at "info";
}

fn person(number: usize) -> Person {
    Person {
        id: format!("BK-{number}"),
        family: String::from("Wiederkehr"),
        given: String::from("Ada"),
        birth_date: PartialDate::Day(1960, 2, 3),
        sex: Sex::Female,
    }
}

fn json_of(site: &Site, words: &[&str], code: i32) -> Value {
    let output = site.run(words);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{words:?}: {text}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|cause| panic!("{cause}: {text}"))
}

fn worklist(client: &Client) -> Vec<Value> {
    client.post("/api/recordings/search", &json!({})).ok()["rows"].as_array().unwrap().clone()
}

fn what_one_engine_backed_up_the_other_restores_and_goes_on_with(site: &Site) {
    let other = match site.postgres {
        Some(_) => Site::new("info"),
        None => match Site::on_postgres("info") {
            Some(site) => site,
            None => return,
        },
    };
    site.keep_backups(site.root());
    let code = site.apply("alpha", "Alpha");
    site.apply("beta", "Beta");
    let mut server = site.serve();
    let administrator = Client::set_up(&server.url, "alpha", &code);
    let doctor = administrator.user("alpha", "doctor", "cardiologist");
    let files: Vec<_> = (0..4).map(|n| file_of(Pattern::ALL[n], &person(n), n)).collect();
    let recordings: Vec<String> = files
        .iter()
        .map(|file| doctor.upload(file)["recording_id"].as_str().unwrap().to_owned())
        .collect();
    let gone = doctor.get(&format!("/api/recordings/{}", recordings[3])).ok();
    let gone = gone["patient"]["id"].as_str().unwrap().to_owned();
    // The server does it by itself.
    let is_there = |wanted: u64| {
        let states = json_of(site, &["backup", "list", "--json"], 0);
        let states = states.as_array().unwrap().clone();
        states.len() == 3 && states.iter().any(|state| state["blobs"] == wanted)
    };
    eventually("the server backs up", || is_there(4));
    // So it does after an erasure, and the erased one's original is gone from the backup.
    let erase = json!({"reason": "asked for", "confirm_family": "Wiederkehr"});
    administrator.post(&format!("/api/patients/{gone}/erase"), &erase).ok();
    eventually("the erasure reaches the backup", || is_there(3));
    eventually("the server drills", || {
        let log = std::fs::read_to_string(site.path("server.log")).unwrap();
        log.contains("\"drilled\"")
    });
    let log = std::fs::read_to_string(site.path("server.log")).unwrap();
    assert!(!log.contains("\"good\":false"), "{log}");
    let drill = json_of(site, &["backup", "drill", "--json"], 0);
    assert_eq!((&drill["problems"], &drill["opened"]), (&json!([]), &json!(3)));
    assert!(!site.path("data-drill/data").exists());
    let run = json_of(site, &["backup", "run", "--json"], 0);
    assert!(run.as_array().unwrap().iter().all(|one| one["complete"] == true), "{run}");
    let before = worklist(&doctor);
    assert_eq!(before.len(), 3);
    server.kill();

    other.keep_backups(site.root());
    std::fs::create_dir(other.path("data-keys")).unwrap();
    std::fs::copy(site.path("data-keys/master.key"), other.path("data-keys/master.key")).unwrap();
    let witness = site.path("data-witness");
    let restore = ["backup", "restore", "--json", "--reason", "the disk failed", "--witness"];
    let restored = json_of(&other, &[&restore[..], &[witness.to_str().unwrap()]].concat(), 0);
    assert_eq!(restored["good"], true);
    let realms = restored["restored"]["realms"].as_array().unwrap();
    assert_eq!(realms.len(), 3);
    assert!(realms.iter().all(|realm| realm["events"]["backup"] == realm["events"]["restored"]));
    let again = other.run(&[&restore[..], &[witness.to_str().unwrap()]].concat());
    assert_eq!(again.status.code(), Some(1), "what is there is not restored over");
    json_of(&other, &["audit", "verify", "--json"], 0);
    json_of(&other, &["audit", "balance", "--json"], 0);

    let mut server = other.serve();
    let doctor = Client::sign_in(&server.url, "alpha", "doctor");
    assert_eq!(worklist(&doctor), before);
    for (recording, file) in recordings.iter().zip(&files).take(3) {
        let original = doctor.get(&format!("/api/recordings/{recording}/original"));
        assert_eq!((original.status, &original.body), (200, file));
    }
    assert_eq!(doctor.get(&format!("/api/recordings/{}", recordings[3])).status, 404);
    assert_eq!(doctor.upload(&files[0])["state"], "linked");
    assert_eq!(doctor.upload(&file_of(Pattern::ALL[5], &person(1), 9))["state"], "filed");
    // It goes on with the same backup: its history is the same.
    eventually("the restored installation backs up", || {
        let states = json_of(&other, &["backup", "list", "--json"], 0);
        states.as_array().unwrap().iter().any(|state| state["blobs"] == 4)
    });
    assert_eq!(server.stop(), Some(0));
    json_of(&other, &["audit", "verify", "--json"], 0);
    // The installation of before has another history now.
    site.run(&["org", "apply", site.path("alpha.toml").to_str().unwrap()]);
    let mut server = site.serve();
    let doctor = Client::sign_in(&server.url, "alpha", "doctor");
    doctor.upload(&file_of(Pattern::ALL[6], &person(2), 10));
    server.stop();
    let refused = site.run(&["backup", "run"]);
    assert_eq!(refused.status.code(), Some(1));
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(words.contains("another history"), "{words}");
}

fn a_backup_that_cannot_be_made_is_told(site: &Site) {
    // A file lies where the directory should be.
    std::fs::write(site.path("backup-data"), b"").unwrap();
    site.keep_backups(site.root());
    site.apply("alpha", "Alpha");
    let mut server = site.serve();
    let alarms = || {
        let log = std::fs::read_to_string(site.path("server.log")).unwrap();
        log.matches("backup.failed").count()
    };
    eventually("the alarms are raised", || alarms() >= 2);
    std::fs::remove_file(site.path("backup-data")).unwrap();
    eventually("backups are made", || {
        json_of(site, &["backup", "list", "--json"], 0).as_array().unwrap().len() == 2
    });
    assert_eq!(server.stop(), Some(0));
}
