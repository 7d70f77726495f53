//! Keys through a patient's whole life: assign, merge, un-merge, rotate, erase.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use std::path::PathBuf;

use common::postgres::Database;
use common::search::{files, find_in_files, forms, found_of};
use common::{Client, Site, file_of};
use precordia_model::{PartialDate, Sex};
use precordia_synth::{Pattern, Person};
use serde_json::{Value, json};

fn person(id: &str, family: &str) -> Person {
    Person {
        id: id.to_owned(),
        family: family.to_owned(),
        given: String::from("Theodelinde"),
        birth_date: PartialDate::Day(1960, 2, 3),
        sex: Sex::Female,
    }
}

on_both_engines! {
    one_of_two_merged_patients_is_erased_and_the_other_stays_whole at "warn";
}

fn one_of_two_merged_patients_is_erased_and_the_other_stays_whole(site: &Site) {
    if let Some(postgres) = &site.postgres {
        postgres.sql("ALTER SYSTEM SET wal_recycle = off");
        postgres.sql("SELECT pg_reload_conf()");
    }
    site.keep_backups(site.root());
    let code = site.apply("alpha", "Alpha");
    let mut server = site.serve();
    let administrator = Client::set_up(&server.url, "alpha", &code);
    let doctor = administrator.user("alpha", "doctor", "cardiologist");
    let (keep, gone) = (
        person("KEEP-4711-A", "Bleibetreu-Haltmich"),
        person("GONE-4712-B", "Verschwindibus-Ganz"),
    );

    let kept = upload(&doctor, Pattern::ALL[0], &keep, 1);
    let erased =
        [upload(&doctor, Pattern::ALL[1], &gone, 2), upload(&doctor, Pattern::ALL[2], &gone, 3)];
    // A recording that names nobody is assigned by hand.
    let nobody = Person { id: String::new(), ..gone.clone() };
    let held = doctor.upload(&file_of(Pattern::ALL[3], &nobody, 4));
    assert_eq!(held["state"], "held");
    let by_hand = held["recording_id"].as_str().unwrap().to_owned();
    let gone_id = patient_of(&doctor, &erased[0]);
    let keep_id = patient_of(&doctor, &kept);
    doctor.post(&format!("/api/recordings/{by_hand}/assign"), &json!({"patient_id": gone_id})).ok();

    // Merge: everything is one person's. Un-merge: everything is as it was. Merge again.
    let all = [&kept, &erased[0], &erased[1], &by_hand];
    merge(&doctor, &gone_id, &keep_id);
    all.iter().for_each(|recording| assert_eq!(patient_of(&doctor, recording), keep_id));
    doctor.post(&format!("/api/patients/{gone_id}/unmerge"), &json!({"reason": "a mistake"})).ok();
    all[1..].iter().for_each(|recording| assert_eq!(patient_of(&doctor, recording), gone_id));
    assert_eq!(patient_of(&doctor, &kept), keep_id);
    merge(&doctor, &gone_id, &keep_id);
    // What comes under the merged one's number goes to the one, and back with it.
    let late = upload(&doctor, Pattern::ALL[4], &gone, 5);
    assert_eq!(patient_of(&doctor, &late), keep_id);

    let rotated = site.run(&["org", "key", "rotate", "alpha"]);
    assert!(rotated.status.success(), "{}", String::from_utf8_lossy(&rotated.stderr));
    all.iter().for_each(|recording| opens(&doctor, recording));
    rotate_master(site);
    all.iter().for_each(|recording| opens(&doctor, recording));

    let traces = Traces::of(site, &gone_id, &[&erased[0], &erased[1], &by_hand, &late]);
    if let Some(postgres) = &site.postgres {
        postgres.sql("CHECKPOINT");
    }
    assert_eq!(traces.found_in(site), traces.0.len(), "the search must be able to find");
    let erase = json!({"reason": "asked for", "confirm_family": "Verschwindibus-Ganz"});
    let refused = json!({"reason": "asked for", "confirm_family": "Bleibetreu-Haltmich"});
    assert_eq!(administrator.post(&format!("/api/patients/{gone_id}/erase"), &refused).status, 409);
    administrator.post(&format!("/api/patients/{gone_id}/erase"), &erase).ok();

    opens(&doctor, &kept);
    assert_eq!(patient_of(&doctor, &kept), keep_id);
    for recording in [&erased[0], &erased[1], &by_hand, &late] {
        assert_eq!(doctor.get(&format!("/api/recordings/{recording}")).status, 404);
        assert_eq!(doctor.get(&format!("/fhir/Observation/{recording}")).status, 410);
    }
    assert_eq!(doctor.get(&format!("/fhir/Patient/{gone_id}")).status, 410);
    assert!(doctor.get("/fhir/Patient?identifier=GONE-4712-B").ok().get("entry").is_none());
    assert!(doctor.get("/fhir/Patient?family=versch").ok().get("entry").is_none());
    assert_eq!(
        doctor.get("/fhir/Patient?identifier=KEEP-4711-A").ok()["entry"].as_array().unwrap().len(),
        1
    );

    assert_eq!(server.stop(), Some(0));
    // What the server's own runs did not come to any more.
    let backup = site.run(&["backup", "run"]);
    assert!(backup.status.success(), "{}", String::from_utf8_lossy(&backup.stderr));
    if let Some(postgres) = &site.postgres {
        postgres.sql("CHECKPOINT");
    }
    assert_eq!(
        traces.found_in(site),
        0,
        "tokens, wrapped keys or bytes of the erased one are left"
    );
    if let Some(postgres) = &site.postgres {
        the_journal_forgets_them_when_told_to(postgres, &traces);
    }
    let names: Vec<_> = ["GONE-4712-B", "Verschwindibus-Ganz", "Theodelinde"]
        .iter()
        .flat_map(|t| forms(t))
        .collect();
    let found = find_in_files(site.root(), &names);
    assert!(found.is_empty(), "{found:?}");
    let verify = site.run(&["audit", "verify"]);
    assert_eq!(verify.status.code(), Some(0), "{}", String::from_utf8_lossy(&verify.stdout));
    let balance = site.run(&["audit", "balance"]);
    assert!(balance.status.success(), "{}", String::from_utf8_lossy(&balance.stdout));

    // The same person may come again, as somebody new.
    let server = site.serve();
    let doctor = Client::sign_in(&server.url, "alpha", "doctor");
    let again = upload(&doctor, Pattern::ALL[1], &gone, 2);
    assert_ne!(patient_of(&doctor, &again), gone_id);
}

/// The server runs on; afterwards the old master key is nowhere.
fn rotate_master(site: &Site) {
    let file = site.path("data-keys").join("master.key");
    let old = std::fs::read(&file).unwrap();
    let run = |words: &[&str]| {
        let output = site.run(words);
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    let (done, said) = run(&["key", "rotate-master"]);
    assert!(done, "{said}");
    assert_ne!(std::fs::read(&file).unwrap(), old);
    let (done, said) = run(&["key", "rotate-master", "--retire"]);
    assert!(!done && said.contains("another process"), "{said}");
    let earlier = std::time::SystemTime::now() - std::time::Duration::from_secs(600);
    std::fs::File::options().write(true).open(&file).unwrap().set_modified(earlier).unwrap();
    let (done, said) = run(&["key", "rotate-master", "--retire"]);
    assert!(done, "{said}");
    let is_old = |path: &std::path::PathBuf| std::fs::read(path).is_ok_and(|bytes| bytes == old);
    assert_eq!(files(site.root()).into_iter().filter(is_old).count(), 0);
}

fn upload(client: &Client, pattern: Pattern, person: &Person, number: usize) -> String {
    let item: Value = client.upload(&file_of(pattern, person, number));
    assert_eq!(item["state"], "filed", "{item}");
    item["recording_id"].as_str().unwrap().to_owned()
}

fn patient_of(client: &Client, recording: &str) -> String {
    client.get(&format!("/api/recordings/{recording}")).ok()["patient"]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn opens(client: &Client, recording: &str) {
    let detail = client.get(&format!("/api/recordings/{recording}")).ok();
    assert!(detail["measurements"]["values"].as_array().is_some_and(|values| !values.is_empty()));
    assert_eq!(client.get(&format!("/api/recordings/{recording}/original")).status, 200);
    let observation = client.get(&format!("/fhir/Observation/{recording}")).ok();
    let subject = format!("Patient/{}", detail["patient"]["id"].as_str().unwrap());
    assert_eq!(observation["subject"]["reference"], subject);
}

fn merge(client: &Client, from: &str, into: &str) {
    client
        .post(
            &format!("/api/patients/{from}/merge"),
            &json!({"into": into, "reason": "the same person"}),
        )
        .ok();
}

/// Bytes that only the erased patient has: blind-index tokens, wrapped keys, sealed originals.
struct Traces(Vec<Vec<u8>>);

impl Traces {
    fn of(site: &Site, patient: &str, recordings: &[&String]) -> Self {
        let mut traces = Vec::new();
        let mut blobs = Vec::new();
        for recording in recordings {
            let found =
                site.column(&format!("SELECT blob FROM recording WHERE id = '{recording}'"));
            blobs.push(String::from_utf8(found.into_iter().next().unwrap()).unwrap());
        }
        let mut subjects = vec![format!("patient/{patient}")];
        subjects.extend(recordings.iter().map(|id| format!("recording/{id}")));
        subjects.extend(blobs.iter().map(|id| format!("blob/{id}")));
        for subject in subjects {
            let sql = format!("SELECT wrapped FROM wrapped_key WHERE subject = '{subject}'");
            traces.extend(site.column(&sql));
        }
        traces.extend(site.column(&format!(
            "SELECT token FROM patient_token WHERE patient = '{patient}' AND token NOT IN \
             (SELECT token FROM patient_token WHERE patient <> '{patient}')"
        )));
        for path in files(&site.path("data")) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if blobs.iter().any(|blob| name.contains(blob.as_str())) {
                traces.push(std::fs::read(path).unwrap()[1000..1064].to_vec());
            }
        }
        assert!(
            traces.len() > 12 && traces.iter().all(|trace| trace.len() >= 16),
            "too few traces: {}",
            traces.len()
        );
        Self(traces)
    }

    /// How many stand in the program's own files and in the tables.
    fn found_in(&self, site: &Site) -> usize {
        let mut roots = vec![site.root().to_owned()];
        roots.extend(site.postgres.iter().map(|postgres| postgres.files().join("data/base")));
        self.found_below(&roots)
    }

    fn found_below(&self, roots: &[PathBuf]) -> usize {
        let needles: Vec<&[u8]> = self.0.iter().map(Vec::as_slice).collect();
        let mut found = vec![false; needles.len()];
        for path in roots.iter().flat_map(|root| files(root)) {
            // A server removes files of its own while they are read.
            let bytes = std::fs::read(&path).unwrap_or_default();
            let here = found_of(&bytes, &needles);
            if here.contains(&true) {
                eprintln!("traces in {}", path.display());
            }
            found.iter_mut().zip(here).for_each(|(found, here)| *found |= here);
        }
        found.into_iter().filter(|found| *found).count()
    }
}

/// What `docs/safety/phi.md` tells the operator of a PostgreSQL server to do after an erasure. `wal_recycle`
/// is off from the beginning.
fn the_journal_forgets_them_when_told_to(postgres: &Database, traces: &Traces) {
    let journal = [postgres.files().join("data/pg_wal")];
    let before = traces.found_below(&journal);
    eprintln!("{before} of {} traces are in the journal after the erasure", traces.0.len());
    assert!(before > 0, "the journal is looked at in the wrong place");
    postgres.sql("SELECT pg_switch_wal()");
    postgres.sql("CHECKPOINT");
    assert_eq!(traces.found_below(&journal), 0, "old segments of the journal are still there");
}
