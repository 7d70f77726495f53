//! Keys: rotation while everything runs, and what is said when one does not open.

use std::sync::Arc;

use precordia_app::port::{KeyState, Realm, WrappedKey};
use precordia_app::{App, AppError, Settings};

use crate::house::{House, Working, arrival, file, house, ports_on};

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
    house.app.erase(&house.all, erased, "Germain", "asked for").await.unwrap();
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
    let wanted = house.ports.master.id().to_string();
    let have = other.master.id().to_string();
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
