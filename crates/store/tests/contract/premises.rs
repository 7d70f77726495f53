//! What a batch relies on without writing it: if that changed since it was read, nothing is written.

use futures_util::future::join_all;
use precordia_app::port::*;
use precordia_model::*;

use crate::engines::Opened;
use crate::samples::*;

fn relying(expect: &Stream, version: Version) -> Batch {
    Batch { expect: vec![(expect.clone(), version)], ..one(&new_stream()) }
}

fn about(set: Members, ids: &[uuid::Uuid]) -> Batch {
    Batch { exactly: vec![(set, ids.to_vec())], ..one(&new_stream()) }
}

fn with_view(change: ViewChange) -> Batch {
    Batch { views: vec![change], ..one(&new_stream()) }
}

pub async fn a_stream_that_went_on_stops_who_relied_on_it(opened: &Opened) {
    let scope = opened.organization().await;
    let (store, stream) = (&opened.store, new_stream());
    done(store.append((&scope).into(), relying(&stream, 0)).await);
    done(store.append((&scope).into(), one(&stream)).await);
    let stopped = Append::Conflict { stream: stream.0.clone(), expected: 0, found: 1 };
    assert_eq!(store.append((&scope).into(), relying(&stream, 0)).await.unwrap(), stopped);
    done(store.append((&scope).into(), relying(&stream, 1)).await);
    assert_eq!(store.head((&scope).into(), LogName::Events).await.unwrap().position, 3);
}

pub async fn a_destroyed_or_unknown_key_stops_who_seals_with_it(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &opened.store;
    let key = key("recording/x", KeyId(uuid()));
    let sealing = |id| Batch { alive: vec![id], ..one(&new_stream()) };
    let stopped = |answer| matches!(answer, Ok(Append::KeyConflict { .. }));
    assert!(stopped(store.append((&scope).into(), sealing(key.id)).await), "nobody knows the key");
    let added = Batch { keys: vec![KeyChange::Add(key.clone())], ..sealing(key.id) };
    done(store.append((&scope).into(), added).await);
    done(store.append((&scope).into(), sealing(key.id)).await);
    let destroy = KeyChange::Destroy { id: key.id, at: Timestamp(9) };
    let itself = Batch { keys: vec![destroy.clone()], ..sealing(key.id) };
    assert!(
        stopped(store.append((&scope).into(), itself).await),
        "its own change destroys the key"
    );
    let destroyed = Batch { keys: vec![destroy], ..one(&new_stream()) };
    done(store.append((&scope).into(), destroyed).await);
    assert!(stopped(store.append((&scope).into(), sealing(key.id)).await));
}

pub async fn a_set_that_grew_or_shrank_stops_who_decided_about_all(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &opened.store;
    let patient = PatientId(uuid());
    let (a, b) = (recording(), recording());
    let of = |row: &RecordingRow| {
        ViewChange::Recording(RecordingRow { patient: Some(patient), ..row.clone() })
    };
    let set = Members::RecordingsOf(patient);
    let append = async |batch| store.append((&scope).into(), batch).await.unwrap();
    let is_done = |answer: Append| matches!(answer, Append::Done { .. });
    assert!(is_done(append(about(set, &[])).await));
    assert!(is_done(append(with_view(of(&a))).await));
    let stopped = Append::Conflict { stream: set.to_string(), expected: 0, found: 1 };
    assert_eq!(append(about(set, &[])).await, stopped);
    assert!(!is_done(append(about(set, &[b.id.0])).await), "as many, but another");
    assert!(is_done(append(about(set, &[a.id.0])).await));
    assert!(is_done(append(with_view(of(&b))).await));
    assert!(is_done(append(about(set, &[b.id.0, a.id.0])).await));
    let gone = RecordingRow { patient: None, ..a.clone() };
    assert!(is_done(append(with_view(ViewChange::Recording(gone))).await));
    assert!(is_done(append(about(set, &[b.id.0])).await));

    let held = item();
    let content = Members::ItemsOf(held.blob.unwrap());
    assert!(is_done(append(with_view(ViewChange::Item(held.clone()))).await));
    assert!(!is_done(append(about(content, &[])).await));
    assert!(is_done(append(about(content, &[held.id.0])).await));
    let emptied = ItemRow { blob: None, ..held };
    assert!(is_done(append(with_view(ViewChange::Item(emptied))).await));
    assert!(is_done(append(about(content, &[])).await));

    let row = PatientRow {
        id: PatientId(uuid()),
        merged_into: Some(patient),
        version: 1,
        resource_version: 1,
        sealed: vec![1],
    };
    let merged = Members::MergedInto(patient);
    assert!(is_done(append(with_view(ViewChange::Patient(row.clone()))).await));
    assert!(!is_done(append(about(merged, &[])).await));
    assert!(is_done(append(about(merged, &[row.id.0])).await));
    assert!(is_done(append(with_view(ViewChange::RemovePatient(row.id))).await));
    assert!(is_done(append(about(merged, &[])).await));
}

/// Sent at once, so that they share commits: whoever decides about all of a patient's recordings and
/// whoever adds one cannot both be right about the same moment.
pub async fn premises_hold_within_a_shared_commit(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &opened.store;
    for _ in 0..10 {
        let patient = PatientId(uuid());
        let set = Members::RecordingsOf(patient);
        let row = || RecordingRow { patient: Some(patient), ..recording() };
        let batches =
            (0..32).flat_map(|_| [with_view(ViewChange::Recording(row())), about(set, &[])]);
        let sent = batches.map(|batch| store.append((&scope).into(), batch));
        let answers: Vec<Append> = join_all(sent).await.into_iter().map(Result::unwrap).collect();
        let place = |answer: &Append| match answer {
            Append::Done { positions } => Some(positions[0]),
            _ => None,
        };
        let added = answers.iter().step_by(2).filter_map(place).min().unwrap();
        let late = answers.iter().skip(1).step_by(2).filter_map(place).filter(|at| *at > added);
        assert_eq!(late.count(), 0, "decided about no recordings after one was there");
    }
}
