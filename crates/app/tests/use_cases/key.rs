//! Keys: rotation while everything runs, and what is said when one does not open.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use precordia_app::port::{KeyState, Ports, Realm, WrappedKey};
use precordia_app::{App, AppError, Settings};
use precordia_model::RecordingId;

use crate::failing::dying;
use crate::house::{House, Working, arrival, file, house, organization, ports_on};

async fn organization_keys(house: &House) -> Vec<WrappedKey> {
    house.ports.keys.of_subject(Realm::from(&house.all), "organization").await.unwrap()
}

/// Keys that a retired organization key still wraps.
async fn left_behind(house: &House) -> Vec<String> {
    let mut left = Vec::new();
    for key in organization_keys(house).await {
        if key.state == KeyState::Retired {
            let rows = house.ports.keys.wrapped_by(Realm::from(&house.all), key.id, 100).await;
            left.extend(rows.unwrap().into_iter().map(|row| row.subject));
        }
    }
    left
}

#[tokio::test(flavor = "multi_thread")]
async fn rotating_again_and_again_leaves_nothing_under_a_retired_key() {
    let house = house().await;
    let _working = Working::on(&house.app);
    let (first, patient) = house.filed(&file("A-1", "Noether", 1)).await;
    let (_, erased) = house.filed(&file("B-1", "Germain", 2)).await;
    let item = house.send(&file("", "Abel", 3)).await;
    let held = house.decided(item).await.row.recording.unwrap();
    house.app.erase(&house.all, erased, "Germain", "asked for", &[]).await.unwrap();
    // An upload that began before the rotation and ends after it.
    let late = file("A-1", "Noether", 4);
    let mut receiving = house.app.receive(&house.all, arrival(&late)).await.unwrap();
    receiving.write(&late).await.unwrap();
    let query =
        precordia_interop::fhir::search::parse("Observation", &[("_count".into(), "1".into())]);
    let page = house.app.fhir_search(&house.all, query.unwrap()).await.unwrap();
    let rotated = house.app.rotate_organization_key(&house.slug).await.unwrap();
    assert!(rotated.rewrapped >= 4, "{rotated:?}");
    let item = receiving.finish().await.unwrap();
    let late = house.decided(item).await.row.recording.unwrap();
    assert_eq!(left_behind(&house).await, Vec::<String>::new());
    for _ in 0..2 {
        house.app.rotate_organization_key(&house.slug).await.unwrap();
        assert_eq!(left_behind(&house).await, Vec::<String>::new());
    }
    let keys = organization_keys(&house).await;
    assert_eq!(keys.iter().filter(|key| key.state == KeyState::Active).count(), 1);
    for recording in [first, held, late] {
        house.app.recording(&house.all, recording).await.unwrap();
        house.app.original(&house.all, recording).await.unwrap();
    }
    assert_eq!(house.row(late).await.row.patient, Some(patient));
    assert_eq!(house.app.search_patients(&house.all, "noeth", 5).await.unwrap().patients.len(), 1);
    let token = [("_page".into(), page.next.unwrap())];
    let query = precordia_interop::fhir::search::parse("Observation", &token).unwrap();
    house.app.fhir_search(&house.all, query).await.unwrap();
    assert!(house.app.users(&house.all).await.unwrap().len() >= 2);
    house.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_while_files_come_in_loses_none() {
    let house = house().await;
    let working = Working::on(&house.app);
    let sends = async {
        for number in 0..40 {
            house.send(&file(&format!("P-{}", number % 7), "Noether", number)).await;
        }
    };
    let rotations = async {
        for _ in 0..6 {
            match house.app.rotate_organization_key(&house.slug).await {
                Ok(_) | Err(AppError::Conflict(_)) => {}
                Err(other) => panic!("{other}"),
            }
        }
    };
    tokio::join!(sends, rotations);
    house.settled().await;
    working.end().await;
    let rows = house.worklist().await;
    assert_eq!(rows.len(), 40);
    assert!(rows.iter().all(|row| row.row.patient.is_some()));
    house.app.rotate_organization_key(&house.slug).await.unwrap();
    assert_eq!(left_behind(&house).await, Vec::<String>::new());
    house.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_master_key_opens_nothing_and_is_named() {
    let house = house().await;
    let working = Working::on(&house.app);
    let (recording, _) = house.filed(&file("A-1", "Noether", 1)).await;
    working.end().await;
    let other = ports_on(&house.dir, &house.store, &house.clock, "other.key");
    let wanted = house.ports.master.active().await.unwrap().to_string();
    let have = other.master.active().await.unwrap().to_string();
    assert_ne!(wanted, have);
    let app = App::new(other, Settings::default());
    for cause in [
        app.recording(&house.all, recording).await.map(drop).unwrap_err(),
        app.search_patients(&house.all, "noether", 5).await.map(drop).unwrap_err(),
        app.original(&house.all, recording).await.map(drop).unwrap_err(),
        app.users(&house.all).await.map(drop).unwrap_err(),
    ] {
        let text = cause.to_string();
        assert!(text.contains(&wanted) && text.contains(&have), "{text}");
    }
    let failed = house.app.access_log(&house.all, None, None, None, 3).await.unwrap();
    assert!(failed.iter().all(|entry| entry.row.outcome == "failed"), "failures leave a row too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destroyed_key_is_named_and_hides_nothing_else() {
    let house = house().await;
    let _working = Working::on(&house.app);
    let (recording, _) = house.filed(&file("A-1", "Noether", 1)).await;
    let (whole, _) = house.filed(&file("B-1", "Noether", 2)).await;
    let subject = format!("recording/{recording}");
    let key = house.ports.keys.of_subject(Realm::from(&house.all), &subject).await.unwrap();
    let change = precordia_app::port::KeyChange::Destroy { id: key[0].id, at: house.app.now() };
    let batch = precordia_app::port::Batch { keys: vec![change], ..Default::default() };
    Arc::clone(&house.ports.log).append(Realm::from(&house.all), batch).await.unwrap();
    let cause = house.app.recording(&house.all, recording).await.unwrap_err().to_string();
    assert!(cause.contains(&key[0].id.to_string()) && cause.contains("destroyed"), "{cause}");
    house.app.recording(&house.all, whole).await.unwrap();
}

/// The same storage, seen by a process that is killed before or after its `n`th step. Searches for what
/// is left are no steps: there are more of them after each rotation.
fn killed_at(ports: &Ports, n: usize) -> App {
    let steps = AtomicUsize::new(0);
    let dies = move |at: &str| {
        !at.starts_with("keys.wrapped_by") && steps.fetch_add(1, Ordering::SeqCst) == n
    };
    App::new(dying(ports, dies), Settings::default())
}

/// A process that begins now opens all of it.
async fn all_opens(house: &House, recordings: &[RecordingId]) {
    let fresh = ports_on(&house.dir, &house.store, &house.clock, "master.key");
    let app = App::new(fresh, Settings::default());
    for recording in recordings {
        app.recording(&house.all, *recording).await.unwrap();
        app.original(&house.all, *recording).await.unwrap();
    }
    assert_eq!(app.search_patients(&house.all, "noeth", 5).await.unwrap().patients.len(), 1);
    app.checkpoint_all().await.unwrap();
    app.users(&house.all).await.unwrap();
}

/// Every key that a master key wraps, with the one that does.
async fn by_master(house: &House) -> Vec<(String, precordia_model::KeyId)> {
    let platform = house.app.local_operator();
    let mut wrapped = Vec::new();
    let keys = &house.ports.keys;
    for (realm, subject) in [
        (Realm::from(&platform), "organization"),
        (Realm::from(&platform), "signing"),
        (Realm::from(&house.all), "organization"),
    ] {
        let rows = keys.of_subject(realm, subject).await.unwrap();
        wrapped.extend(rows.into_iter().map(|row| (row.subject, row.wrapped_by)));
    }
    wrapped
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_rotation_killed_at_any_step_goes_on_where_it_stood() {
    let house = house().await;
    organization(&house.app, "lakeside").await;
    let working = Working::on(&house.app);
    let (first, _) = house.filed(&file("A-1", "Noether", 1)).await;
    // A retired organization key opens what it sealed: it must come along.
    house.app.rotate_organization_key(&house.slug).await.unwrap();
    let (second, _) = house.filed(&file("A-1", "Noether", 2)).await;
    working.end().await;
    let mut steps = 0;
    loop {
        let ended = killed_at(&house.ports, steps).rotate_master_key().await;
        all_opens(&house, &[first, second]).await;
        let rotated = house.app.rotate_master_key().await.unwrap();
        let active = house.ports.master.active().await.unwrap();
        assert_eq!(rotated.active, active);
        for (subject, by) in by_master(&house).await {
            assert_eq!(by, active, "{subject} after step {steps}");
        }
        all_opens(&house, &[first, second]).await;
        if ended.is_ok() {
            break;
        }
        house.clock.advance(180);
        house.app.retire_master_keys().await.unwrap();
        steps += 1;
    }
    assert!(steps > 25, "only {steps} steps were interrupted");
    assert_eq!(by_master(&house).await.len(), 4);

    let mut kills = 0;
    while killed_at(&house.ports, kills).retire_master_keys().await.is_err() {
        all_opens(&house, &[first, second]).await;
        kills += 1;
    }
    assert!(kills > 10, "only {kills} steps were interrupted");
    all_opens(&house, &[first, second]).await;
    assert_eq!(house.ports.master.retired().await.unwrap(), []);
    house.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_works_on_through_a_master_rotation_of_another_process() {
    let house = house().await;
    let _working = Working::on(&house.app);
    let (first, _) = house.filed(&file("A-1", "Noether", 1)).await;
    let copy = std::fs::read(house.dir.path().join("master.key")).unwrap();
    let wrapped_before: Vec<Vec<u8>> =
        organization_keys(&house).await.into_iter().map(|key| key.wrapped).collect();
    let other = house.another_process().await;
    assert!(other.rotate_master_key().await.unwrap().rewrapped >= 3);
    // What was opened just now is forgotten after half a minute.
    house.clock.advance(60);
    let (second, _) = house.filed(&file("A-1", "Noether", 2)).await;
    house.app.rotate_organization_key(&house.slug).await.unwrap();
    let active = house.ports.master.active().await.unwrap();
    for (subject, by) in by_master(&house).await {
        assert_eq!(by, active, "{subject}");
    }
    let early = other.retire_master_keys().await.map(drop).unwrap_err();
    assert!(matches!(early, AppError::Refused { code: "too_soon", .. }), "{early}");
    house.clock.advance(180);
    let destroyed = other.retire_master_keys().await.unwrap();
    assert_eq!(destroyed.len(), 1);
    all_opens(&house, &[first, second]).await;

    // Whoever kept the old file can open nothing that is here now.
    std::fs::write(house.dir.path().join("old.key"), copy).unwrap();
    let chmod = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(house.dir.path().join("old.key"), chmod).unwrap();
    let thief = ports_on(&house.dir, &house.store, &house.clock, "old.key");
    assert_eq!(thief.master.active().await.unwrap(), destroyed[0]);
    let thief = App::new(thief, Settings::default());
    thief.recording(&house.all, first).await.map(drop).unwrap_err();
    for wrapped in wrapped_before {
        assert!(!house.bytes_on_disk(&wrapped), "a key as the old master wrapped it is left");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_rotation_killed_at_any_step_goes_on_where_it_stood() {
    let house = house().await;
    let working = Working::on(&house.app);
    let (first, _) = house.filed(&file("A-1", "Noether", 1)).await;
    let item = house.send(&file("", "Abel", 3)).await;
    let held = house.decided(item).await.row.recording.unwrap();
    working.end().await;
    let mut steps = 0;
    loop {
        let ended = killed_at(&house.ports, steps).rotate_organization_key(&house.slug).await;
        all_opens(&house, &[first, held]).await;
        house.app.rotate_organization_key(&house.slug).await.unwrap();
        assert_eq!(left_behind(&house).await, Vec::<String>::new(), "after step {steps}");
        all_opens(&house, &[first, held]).await;
        let keys = organization_keys(&house).await;
        assert_eq!(keys.iter().filter(|key| key.state == KeyState::Active).count(), 1);
        if ended.is_ok() {
            break;
        }
        steps += 1;
    }
    assert!(steps > 8, "only {steps} steps were interrupted");
    house.check().await;
}

/// As if a key had been used so often.
fn wear(house: &House, id: precordia_model::KeyId, uses: i64) {
    let organization = house.all.organization();
    let path = house.dir.path().join(format!("data/org/{organization}/ledger.db"));
    let open = rusqlite::Connection::open(path).unwrap();
    let sql = "UPDATE wrapped_key SET uses = ?1 WHERE id = ?2";
    assert_eq!(open.execute(sql, (uses, id.to_string())).unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worn_organization_key_is_rotated_and_a_worn_out_key_seals_nothing_more() {
    let house = house().await;
    let _working = Working::on(&house.app);
    let (first, patient) = house.filed(&file("A-1", "Noether", 1)).await;
    let item = house.send(&file("", "Abel", 2)).await;
    let held = house.decided(item).await.row.recording.unwrap();
    let before = organization_keys(&house).await[0].id;
    assert!(house.app.key_uses_max().await.unwrap() > 5, "uses are counted");
    let stop = precordia_app::Stop::default();
    stop.now();
    wear(&house, before, (1 << 30) - 1);
    house.app.keep_checkpoints(&stop).await;
    assert_eq!(organization_keys(&house).await[0].id, before);
    wear(&house, before, 1 << 30);
    // The keeper looks at those that were written to since it last did.
    house.row(first).await;
    house.app.keep_checkpoints(&stop).await;
    let rotated = organization_keys(&house).await;
    assert_eq!(rotated.len(), 2);
    assert_eq!(left_behind(&house).await, Vec::<String>::new());
    assert!(house.app.key_uses_max().await.unwrap() < 1000);

    let realm = Realm::from(&house.all);
    let subject = format!("patient/{patient}");
    let key = house.ports.keys.of_subject(realm, &subject).await.unwrap()[0].id;
    wear(&house, key, (1 << 31) - 2);
    house.app.assign(&house.all, held, patient).await.unwrap();
    house.app.unassign(&house.all, held, "once more").await.unwrap();
    let refused = house.app.assign(&house.all, held, patient).await.unwrap_err().to_string();
    assert!(refused.contains(&key.to_string()) && refused.contains("nothing more"), "{refused}");
    house.app.recording(&house.all, first).await.unwrap();
    house.check().await;
}
