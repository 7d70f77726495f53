//! What becomes of what is sent in.

use precordia_app::{ReceiveError, Settings, WorklistQuery};
use precordia_model::{Door, ItemState};

use crate::house::{Working, arrival, file, file_of, house, house_with, person, send, try_send};

#[tokio::test(flavor = "multi_thread")]
async fn of_copies_sent_at_once_one_is_filed_and_the_others_point_to_it() {
    let house = house().await;
    let bytes = file("A-1", "Noether", 1);
    let sends = (0..8).map(|_| send(&house.app, &house.all, &bytes));
    let mut ids = futures_util::future::join_all(sends).await;
    let working = Working::on(&house.app);
    let mut states = Vec::new();
    for id in &ids {
        let item = house.app.wait_for_item(&house.all, *id, std::time::Duration::from_secs(60));
        states.push(item.await.unwrap());
    }
    // The copies that came before the first was filed learn of its recording a moment later.
    let recording = house.worklist().await[0].row.id;
    let mut arrivals = 0;
    for _ in 0..600 {
        arrivals = house.app.recording(&house.all, recording).await.unwrap().provenance.len();
        if arrivals == 8 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(arrivals, 8, "a recording knows every arrival of its bytes");
    working.end().await;
    let filed: Vec<_> = states.iter().filter(|i| i.row.state == ItemState::InFlight).collect();
    assert!(filed.is_empty());
    let first: Vec<_> = states.iter().filter(|i| i.row.state == ItemState::Filed).collect();
    assert_eq!(first.len(), 1);
    let first = first[0].row.id;
    ids.retain(|id| *id != first);
    for id in ids {
        let row = house.app.item(&house.all, id).await.unwrap().row;
        assert_eq!((row.state, row.linked_to), (ItemState::Linked, Some(first)));
    }
    assert_eq!(house.worklist().await.len(), 1);
    assert_eq!(house.blob_files(), 1, "the copies' bytes are kept once");
    house.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_what_is_held_or_quarantined_points_to_it() {
    let house = house().await;
    let _working = Working::on(&house.app);
    let held = file("", "Noether", 1);
    let letter = b"a discharge letter".to_vec();
    for (bytes, state) in [(held, ItemState::Held), (letter, ItemState::Quarantined)] {
        let first = house.send(&bytes).await;
        assert_eq!(house.decided(first).await.row.state, state);
        let again = house.send(&bytes).await;
        let row = house.app.item(&house.all, again).await.unwrap().row;
        assert_eq!((row.state, row.linked_to), (ItemState::Linked, Some(first)));
        assert_eq!(house.app.item_original(&house.all, again).await.unwrap(), bytes);
    }
    house.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dropped_abandoned_or_too_large_leaves_no_bytes() {
    let house = house_with(Settings { upload_bytes_max: 100_000, ..Settings::default() }).await;
    let bytes = vec![7u8; 90_000];
    let mut receiving = house.app.receive(&house.all, arrival(&bytes)).await.unwrap();
    receiving.write(&bytes).await.unwrap();
    assert!(receiving.is_full(10_001) && !receiving.is_full(10_000));
    receiving.abandon().await;
    let mut receiving = house.app.receive(&house.all, arrival(&bytes)).await.unwrap();
    receiving.write(&bytes).await.unwrap();
    drop(receiving);
    let mut receiving = house.app.receive(&house.all, arrival(&bytes)).await.unwrap();
    receiving.write(&bytes).await.unwrap();
    let ReceiveError::TooLarge { .. } = receiving.refuse().await.unwrap() else {
        panic!("a refusal says that the object is too large")
    };
    let declared = vec![7u8; 100_001];
    let refused = try_send(&house.app, &house.all, &declared).await;
    assert!(matches!(refused, Err(ReceiveError::TooLarge { limit_bytes: 100_000, .. })));
    assert_eq!(house.blob_files(), 0);
    let counts = house.app.item_counts(&house.all).await.unwrap();
    let (_, upload) = counts.into_iter().find(|(door, _)| *door == Door::Upload).unwrap();
    assert_eq!((upload.received, upload.rejected), (2, 2));
    house.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_files_of_one_new_patient_make_one_patient() {
    let house = house().await;
    for number in 0..12 {
        house.send(&file("A-1", "Noether", number)).await;
    }
    let working = Working::on(&house.app);
    house.settled().await;
    working.end().await;
    let rows = house.worklist().await;
    assert_eq!(rows.len(), 12);
    let patients: std::collections::BTreeSet<_> = rows.iter().map(|r| r.row.patient).collect();
    assert_eq!(patients.len(), 1);
    assert!(patients.first().unwrap().is_some());
    house.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_names_with_one_id_one_waits_for_a_person() {
    let house = house().await;
    for number in 0..4u32 {
        house
            .send(&file(
                "A-1",
                if number.is_multiple_of(2) { "Noether" } else { "Germain" },
                number,
            ))
            .await;
    }
    let working = Working::on(&house.app);
    house.settled().await;
    working.end().await;
    let rows = house.worklist().await;
    let held = rows.iter().filter(|row| row.row.patient.is_none());
    assert_eq!((rows.len(), held.count()), (4, 2));
    house.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_file_says_is_not_on_disk_in_the_clear() {
    let house = house().await;
    let _working = Working::on(&house.app);
    let item = house.send(&file("IDENT-73310", "Kowalewskaja", 1)).await;
    house.decided(item).await;
    let mut nobody = person("", "Kowalewskaja");
    nobody.birth_date = None;
    let item = house.send(&file_of(nobody, 2)).await;
    house.decided(item).await;
    let query = WorklistQuery { patient: Some("kowa".into()), limit: 10, ..Default::default() };
    assert_eq!(house.app.worklist(&house.all, query).await.unwrap().rows.len(), 1);
    for text in ["IDENT-73310", "Kowalewskaja", "kowalewskaja", "cart.dcm", "Display all"] {
        assert_eq!(house.on_disk(text), Vec::<String>::new(), "{text}");
    }
}
