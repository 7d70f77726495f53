//! Views against a fresh fold of their events: equal whatever was done, different when somebody changed
//! a row, and put right again.

use precordia_app::access::OrgScope;
use precordia_app::{Alarm, App};
use precordia_model::{AlarmCode, AlarmSubject, PatientId, RecordingId};
use rusqlite::Connection;

use crate::house::{House, Working, file, file_of, house, person, sign_in};

/// A house in which everything that moves a row has happened.
async fn busy() -> (House, Working, RecordingId, PatientId) {
    let house = house().await;
    let working = Working::on(&house.app);
    let (first, noether) = house.filed(&file("A-1", "Noether", 1)).await;
    let (second, other) = house.filed(&file("A-2", "Noether", 2)).await;
    let (erased, germain) = house.filed(&file("B-1", "Germain", 3)).await;
    let item = house.send(&file("B-1", "Germain", 3)).await;
    house.decided(item).await;
    let item = house.send(&file("", "Abel", 4)).await;
    let held = house.decided(item).await.row.recording.unwrap();
    let item = house.send(b"not an ECG").await;
    house.decided(item).await;
    let app = &house.app;
    app.assign(&house.all, held, noether).await.unwrap();
    app.merge(&house.all, other, noether, "one person").await.unwrap();
    app.unassign(&house.all, second, "another's").await.unwrap();
    app.assign(&house.all, second, noether).await.unwrap();
    app.unmerge(&house.all, other, "two after all").await.unwrap();
    app.merge(&house.all, other, noether, "one, really").await.unwrap();
    app.erase(&house.all, germain, "Germain", "asked for", &[]).await.unwrap();
    assert!(app.recording(&house.all, erased).await.is_err());
    house.settled().await;
    (house, working, first, noether)
}

async fn differences(app: &App, scope: &OrgScope) -> Vec<(String, String)> {
    let report = app.compare_views(scope).await.unwrap();
    assert_eq!(report.different as usize, report.differences.len());
    report.differences.into_iter().map(|d| (d.stream, d.what)).collect()
}

fn ledger(house: &House) -> Connection {
    let org = house.dir.path().join("data").join("org").join(house.all.organization().to_string());
    Connection::open(org.join("ledger.db")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_was_done_the_views_equal_their_fold() {
    let (house, working, ..) = busy().await;
    working.end().await;
    let report = house.app.compare_views(&house.all).await.unwrap();
    assert!(report.is_equal(), "{report:?}");
    // Six items, four recordings, three patients and two users have streams with rows.
    assert_eq!(report.compared, 6 + 4 + 3 + 2);
    let rebuilt = house.app.rebuild_views(&house.all).await.unwrap();
    assert_eq!((rebuilt.compared, rebuilt.put_right), (15, 0));
    house.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_changed_row_is_found_and_put_right() {
    let (house, working, first, noether) = busy().await;
    working.end().await;
    let recording = format!("recording/{first}");
    let patient = format!("patient/{noether}");
    for (change, stream, what) in [
        (
            format!("UPDATE recording SET patient = NULL WHERE id = '{first}'"),
            &recording,
            "patient",
        ),
        (
            format!("UPDATE recording SET status = 'held' WHERE id = '{first}'"),
            &recording,
            "status",
        ),
        (format!("UPDATE recording SET site = id WHERE id = '{first}'"), &recording, "site"),
        (
            format!("UPDATE recording SET flags = 'long_qt:alert' WHERE id = '{first}'"),
            &recording,
            "flags",
        ),
        (
            format!("UPDATE recording SET severity = 'alert' WHERE id = '{first}'"),
            &recording,
            "severity",
        ),
        (
            format!(
                "INSERT INTO recording_flag (code, severity, recording) \
                 VALUES ('tachycardia', 'alert', '{first}')"
            ),
            &recording,
            "searched flags",
        ),
        (
            format!(
                "UPDATE recording SET sealed = (SELECT r.sealed FROM recording r WHERE \
                 r.id <> '{first}' LIMIT 1) WHERE id = '{first}'"
            ),
            &recording,
            "summary",
        ),
        (format!("DELETE FROM recording WHERE id = '{first}'"), &recording, "missing"),
        (
            format!("UPDATE patient SET merged_into = id WHERE id = '{noether}'"),
            &patient,
            "merged_into",
        ),
        (
            format!(
                "DELETE FROM patient_token WHERE patient = '{noether}' AND token = \
                     (SELECT min(token) FROM patient_token WHERE patient = '{noether}')"
            ),
            &patient,
            "tokens",
        ),
        (format!("DELETE FROM effect WHERE subject = '{noether}'"), &patient, "effects"),
        (
            format!("UPDATE effect SET subject = 'x' WHERE subject = '{noether}'"),
            &patient,
            "effects",
        ),
        (format!("DELETE FROM patient WHERE id = '{noether}'"), &patient, "missing"),
    ] {
        let changed = ledger(&house).execute(&change, []).unwrap();
        assert!(changed > 0, "{change}");
        let found = differences(&house.app, &house.all).await;
        assert_eq!(found, [(stream.clone(), String::from(what))], "{change}");
        let reports = house.app.verify_all().await.unwrap();
        assert!(reports.iter().any(|report| !report.is_clean()), "verify tells it, too");
        assert_eq!(house.app.rebuild_views(&house.all).await.unwrap().put_right, 1);
        assert_eq!(differences(&house.app, &house.all).await, []);
    }
    house.check().await;
    house.app.recording(&house.all, first).await.unwrap();
    let found = house.app.search_patients(&house.all, "noeth", 5).await.unwrap();
    assert_eq!(found.patients.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_no_event_explains_are_found_and_removed() {
    let (house, working, first, _) = busy().await;
    working.end().await;
    let ledger = ledger(&house);
    let stranger = PatientId(house.app.new_id());
    for change in [
        format!(
            "INSERT INTO recording SELECT '{}', status, patient, patient_before_merge, site, door, \
             item, blob, received_at, acquired_sort, flags, severity, position, version, sealed \
             FROM recording WHERE id = '{first}'",
            RecordingId(house.app.new_id())
        ),
        format!("INSERT INTO patient_token (token, patient) VALUES (x'00', '{stranger}')"),
        String::from(
            "INSERT INTO account SELECT 'u', x'00', roles, 1, 1, sealed FROM account LIMIT 1",
        ),
    ] {
        assert_eq!(ledger.execute(&change, []).unwrap(), 1, "{change}");
    }
    let found = differences(&house.app, &house.all).await;
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found.iter().all(|(_, what)| what == "unexplained"), "{found:?}");
    assert_eq!(house.app.rebuild_views(&house.all).await.unwrap().put_right, 3);
    house.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_views_lost_are_rebuilt_while_files_come_in() {
    let (house, working, first, noether) = busy().await;
    let before = house.worklist().await.len();
    for table in ["item", "recording", "recording_flag", "patient", "patient_token"] {
        ledger(&house).execute(&format!("DELETE FROM {table}"), []).unwrap();
    }
    let coming = async {
        for number in 100..120 {
            house.send(&file_of(person(&format!("C-{number}"), "Galois"), number)).await;
        }
    };
    let rebuilding = async { house.app.rebuild_views(&house.all).await.unwrap() };
    let ((), rebuilt) = tokio::join!(coming, rebuilding);
    assert!(rebuilt.put_right >= 11, "{rebuilt:?}");
    house.settled().await;
    working.end().await;
    house.app.rebuild_views(&house.all).await.unwrap();
    house.check().await;
    assert_eq!(house.worklist().await.len(), before + 20);
    assert_eq!(house.row(first).await.row.patient, Some(noether));
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_vanished_from_the_queue_is_found_and_queued_again() {
    let house = house().await;
    let first = house.send(&file("A-1", "Noether", 1)).await;
    let copy = house.send(&file("A-1", "Noether", 1)).await;
    assert_eq!(differences(&house.app, &house.all).await, []);
    ledger(&house).execute("DELETE FROM work", []).unwrap();
    let found = differences(&house.app, &house.all).await;
    let of = |id| (format!("item/{id}"), String::from("work"));
    assert_eq!(found, [of(first), of(copy)]);
    assert_eq!(house.app.rebuild_views(&house.all).await.unwrap().put_right, 2);
    assert_eq!(differences(&house.app, &house.all).await, []);
    let working = Working::on(&house.app);
    let recording = house.decided(first).await.row.recording;
    for _ in 0..500 {
        if house.app.item(&house.all, copy).await.unwrap().row.recording == recording {
            working.end().await;
            return house.check().await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the copy never learned its recording");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_the_control_ledger_that_somebody_changed_is_found_and_put_right() {
    let house = house().await;
    let alarm = Alarm::new(AlarmCode::BackupLate, AlarmSubject::platform("backup"));
    house.app.alarms().raise(alarm).await;
    let control = Connection::open(house.dir.path().join("data/control.db")).unwrap();
    let changes = [
        "UPDATE organization SET name = 'Elsewhere'",
        "DELETE FROM organization",
        "INSERT INTO organization SELECT 'x', 'hidden', name, NULL, 1 FROM organization",
        "DELETE FROM effect WHERE effect_key LIKE 'slug/%'",
        "UPDATE site SET time_zone = 'Mars/Olympus'",
        "DELETE FROM site",
        "UPDATE alarm SET count = 99",
        "UPDATE alarm SET acknowledged_at = 1, acknowledged_by = 'nobody'",
        "DELETE FROM alarm",
        "DELETE FROM effect WHERE effect_key LIKE 'alarm/%'",
    ];
    let differ = async || {
        let reports = house.app.verify_all().await.unwrap();
        let views = reports[0].views.as_ref().unwrap();
        assert_eq!(reports[0].is_clean(), views.different == 0);
        views.different
    };
    for change in changes {
        assert_eq!(differ().await, 0, "before {change}");
        // A made-up row has an id that is none.
        let id = uuid::Uuid::from_u128(5).to_string();
        let change = change.replace("'x'", &format!("'{id}'"));
        assert_eq!(control.execute(&change, []).unwrap(), 1, "{change}");
        let found = differ().await;
        assert!(found >= 1, "{change}");
        house.app.rebuild_all_views().await.unwrap();
    }
    assert_eq!(differ().await, 0);
    house.check().await;
    sign_in(&house.app, &house.slug, "all").await;
}
