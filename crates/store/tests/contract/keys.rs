//! Wrapped keys: their chain, their changes, their end.

use std::collections::{HashMap, HashSet};

use precordia_app::access::OrgScope;
use precordia_app::port::*;
use precordia_model::*;
use precordia_store::Store;

use crate::engines::Opened;
use crate::samples::*;

async fn change(store: &Store, scope: &OrgScope, keys: Vec<KeyChange>) -> Append {
    store.append(scope.into(), carrying(Batch { keys, ..Batch::default() })).await.unwrap()
}

#[track_caller]
fn written(answer: &Append) {
    assert!(matches!(answer, Append::Done { .. }), "{answer:?}");
}

/// master → organization → patient → recording, blob.
fn tree(master: KeyId) -> [WrappedKey; 4] {
    let organization = WrappedKey { kind: KeyKind::Organization, ..key("organization", master) };
    let patient = WrappedKey { kind: KeyKind::Patient, ..key("patient/p", organization.id) };
    let recording = key("recording/r", patient.id);
    let blob = WrappedKey { kind: KeyKind::Blob, ..key("blob/b", patient.id) };
    [organization, patient, recording, blob]
}

fn ids(keys: &[WrappedKey]) -> Vec<KeyId> {
    let mut ids: Vec<_> = keys.iter().map(|key| key.id).collect();
    ids.sort_unstable();
    ids
}

pub async fn the_chain_of_a_key_is_read_at_once(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    let master = KeyId(uuid());
    let keys = tree(master);
    let unrelated = key("recording/other", keys[0].id);
    let all = keys.iter().chain([&unrelated]).cloned().map(KeyChange::Add).collect();
    written(&change(store, &scope, all).await);

    let chain = store.chain((&scope).into(), &[keys[2].id, keys[3].id]).await.unwrap();
    assert_eq!(ids(&chain), ids(&keys));
    for key in &keys {
        assert!(chain.contains(key), "{key:?}");
    }
    let one = store.chain((&scope).into(), &[keys[1].id, KeyId(uuid())]).await.unwrap();
    assert_eq!(ids(&one), ids(&keys[..2]));
    assert_eq!(store.chain((&scope).into(), &[]).await.unwrap(), []);
    assert_eq!(store.chain((&scope).into(), &[master]).await.unwrap(), []);
}

pub async fn keys_that_wrap_each_other_end_the_read(opened: &Opened) {
    let scope = opened.organization().await;
    let mut a = key("a", KeyId(uuid()));
    let b = key("b", a.id);
    a.wrapped_by = b.id;
    let both = vec![KeyChange::Add(a.clone()), KeyChange::Add(b.clone())];
    written(&change(&opened.store, &scope, both).await);
    let chain = opened.store.chain((&scope).into(), &[a.id]).await.unwrap();
    assert_eq!(ids(&chain), ids(&[a, b]));
}

pub async fn rewrapping_needs_the_right_wrapper(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    let [organization, patient, recording, _] = tree(KeyId(uuid()));
    let added = [&organization, &patient, &recording].map(|key| KeyChange::Add(key.clone()));
    written(&change(store, &scope, added.into()).await);
    let rewrap = |from: KeyId, to: KeyId, byte: u8| KeyChange::Rewrap {
        id: recording.id,
        from,
        to,
        wrapped: vec![byte; 61],
    };
    let conflict = Append::KeyConflict { key: recording.id };
    let wrong = change(store, &scope, vec![rewrap(organization.id, patient.id, 1)]).await;
    assert_eq!(wrong, conflict);
    // Two steps in one batch see each other; of a group of batches, too.
    let steps = vec![
        rewrap(patient.id, organization.id, 2),
        rewrap(organization.id, patient.id, 3),
        rewrap(patient.id, organization.id, 4),
        KeyChange::Retire { id: recording.id },
    ];
    written(&change(store, &scope, steps).await);
    let read = store.of_subject((&scope).into(), "recording/r").await.unwrap().pop().unwrap();
    let expected = WrappedKey {
        wrapped_by: organization.id,
        wrapped: vec![4; 61],
        state: KeyState::Retired,
        ..recording.clone()
    };
    assert_eq!(read, expected);
    let wrapped = store.wrapped_by((&scope).into(), organization.id, 10).await.unwrap();
    assert_eq!(ids(&wrapped), ids(&[patient.clone(), recording.clone()]));
    assert_eq!(store.wrapped_by((&scope).into(), organization.id, 1).await.unwrap().len(), 1);
    assert_eq!(store.wrapped_by((&scope).into(), patient.id, 10).await.unwrap(), []);

    let twice = vec![KeyChange::Add(recording.clone())];
    assert_eq!(change(store, &scope, twice).await, conflict);
    let destroy = vec![KeyChange::Destroy { id: recording.id, at: Timestamp(8) }];
    written(&change(store, &scope, destroy.clone()).await);
    written(&change(store, &scope, destroy).await);
    assert_eq!(change(store, &scope, vec![rewrap(organization.id, patient.id, 5)]).await, conflict);
    let gone = store.chain((&scope).into(), &[recording.id]).await.unwrap();
    let gone = gone.iter().find(|key| key.id == recording.id).unwrap();
    assert_eq!(gone.state, KeyState::Destroyed { at: Timestamp(8) });
    assert!(gone.wrapped.is_empty());
    let left = store.wrapped_by((&scope).into(), organization.id, 10).await.unwrap();
    assert_eq!(ids(&left), [patient.id]);
}

pub async fn keys_of_a_subject_come_newest_first(opened: &Opened) {
    let scope = opened.organization().await;
    let master = KeyId(uuid());
    let keys: Vec<_> = [3, 9, 1]
        .into_iter()
        .map(|at| WrappedKey { created_at: Timestamp(at), ..key("patient/p", master) })
        .collect();
    let added = keys.iter().cloned().map(KeyChange::Add).collect();
    written(&change(&opened.store, &scope, added).await);
    let read = opened.store.of_subject((&scope).into(), "patient/p").await.unwrap();
    assert_eq!(read, [keys[1].clone(), keys[0].clone(), keys[2].clone()]);
    assert_eq!(opened.store.of_subject((&scope).into(), "patient").await.unwrap(), []);
}

/// A table that grew, split its pages and changed for long keeps old bytes in many places; after the
/// scrub they are in none of the engine's files.
pub async fn a_destroyed_key_is_nowhere_in_the_files(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    // A seed at which SQLite does leave a stale copy when its tables are not rewritten.
    let mut chance = Chance(3);
    let (master, other) = (KeyId(uuid()), KeyId(uuid()));
    let mut live: Vec<(WrappedKey, PatientId, Vec<u8>)> = Vec::new();
    let mut gone: Vec<Vec<u8>> = Vec::new();
    for round in 0..40 {
        let mut batch = Batch::default();
        for _ in 0..150 {
            let mut added = key("patient/p", master);
            added.id = KeyId(random_uuid(&mut chance));
            added.wrapped = some_wrapped(&mut chance);
            let token: Vec<u8> = (0..4).flat_map(|_| chance.next().to_be_bytes()).collect();
            let patient = PatientId(random_uuid(&mut chance));
            batch.keys.push(KeyChange::Add(added.clone()));
            batch.views.push(ViewChange::PatientTokens { patient, tokens: vec![token.clone()] });
            batch.effects.push(effect(&format!("content/{}", added.id), "s"));
            live.push((added, patient, token));
        }
        done(store.append((&scope).into(), carrying(batch)).await);
        let mut batch = Batch::default();
        for _ in 0..if round < 3 { 0 } else { 140 } {
            let (mut key, patient, token) = live.swap_remove(chance.below(live.len()));
            gone.push(key.wrapped.clone());
            if chance.once_in(2) {
                let to = if key.wrapped_by == master { other } else { master };
                key.wrapped = some_wrapped(&mut chance);
                batch.keys.push(KeyChange::Rewrap {
                    id: key.id,
                    from: key.wrapped_by,
                    to,
                    wrapped: key.wrapped.clone(),
                });
                key.wrapped_by = to;
                live.push((key, patient, token));
            } else {
                gone.push(token);
                batch.forget_effects.push(format!("content/{}", key.id));
                gone.push(format!("content/{}", key.id).into_bytes());
                batch.keys.push(KeyChange::Destroy { id: key.id, at: Timestamp(1) });
                batch.views.push(ViewChange::RemovePatient(patient));
            }
        }
        // A key may be rewrapped twice in a batch, never after its end.
        done(store.append((&scope).into(), carrying(batch)).await);
    }
    let reader = store.events((&scope).into(), 0, 10).await.unwrap();
    assert!(!reader.is_empty());
    store.scrub((&scope).into()).await.unwrap();

    let bytes = opened.raw_bytes().await;
    let kept: Vec<&[u8]> =
        live.iter().flat_map(|(key, _, token)| [&key.wrapped[..], &token[..]]).collect();
    assert_eq!(found(&bytes, &kept).len(), kept.len(), "the search finds what is there");
    let gone: Vec<&[u8]> = gone.iter().map(Vec::as_slice).collect();
    assert_eq!(found(&bytes, &gone).len(), 0, "of {} old values", gone.len());
    // Nothing else went with them.
    let left = store.wrapped_by((&scope).into(), master, 10_000).await.unwrap().len()
        + store.wrapped_by((&scope).into(), other, 10_000).await.unwrap().len();
    assert_eq!(left, live.len());
    verify(store, (&scope).into()).await;
}

/// Every sealed value names its key, so that uses are counted where they are written.
pub async fn the_uses_of_a_key_are_counted_with_what_it_seals(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    let [organization, patient, recording, _] = tree(KeyId(uuid()));
    let sealed = |key: KeyId| [&[1][..], key.0.as_bytes(), &[0; 12 + 16]].concat();
    let stream = new_stream();
    let batch = |version: Version| Batch {
        events: vec![NewEvent { payload: sealed(patient.id), ..event(&stream, version) }],
        resources: vec![NewResource {
            body: sealed(patient.id),
            ..resource(0, &stream.0, version)
        }],
        access: vec![NewAccess { detail: Some(sealed(organization.id)), ..access("-", "x") }],
        views: vec![ViewChange::Item(ItemRow { sealed: sealed(patient.id), ..item() })],
        alive: vec![patient.id],
        ..Batch::default()
    };
    let keys = [&organization, &patient, &recording].map(|key| KeyChange::Add(key.clone()));
    let first = Batch { keys: keys.into(), ..batch(1) };
    done(store.append((&scope).into(), first).await);
    let uses = async |key: KeyId| store.uses((&scope).into(), key).await.unwrap();
    assert_eq!(uses(organization.id).await, 2, "an access row's detail and the patient's key");
    assert_eq!(uses(patient.id).await, 4, "event, resource, row and the recording's key");
    assert_eq!(uses(recording.id).await, 0);
    assert_eq!(uses(KeyId(uuid())).await, 0);
    // A refused batch writes nothing and counts nothing; many in one commit are all counted.
    let refused = store.append((&scope).into(), batch(1)).await.unwrap();
    assert!(matches!(refused, Append::Conflict { .. }));
    assert_eq!(uses(patient.id).await, 4);
    let appends = (0..20).map(|_| {
        let stream = new_stream();
        let events = vec![NewEvent { payload: sealed(patient.id), ..event(&stream, 1) }];
        store.append((&scope).into(), Batch { events, ..Batch::default() })
    });
    futures_util::future::join_all(appends).await.into_iter().for_each(|one| drop(done(one)));
    assert_eq!(uses(patient.id).await, 24);

    // Worn out, it stops those who would seal with it and nobody else.
    let wear = format!("UPDATE wrapped_key SET uses = {KEY_USES_MAX} WHERE id = '{}'", patient.id);
    match opened.raw_sqlite(scope.organization()) {
        Some(raw) => raw.execute_batch(&wear).unwrap(),
        None => {
            let schema = format!("org_{}", scope.organization().0.simple());
            let wear = format!("SET ROLE \"{schema}\"; SET search_path TO \"{schema}\"; {wear}");
            opened.raw_postgres().await.unwrap().batch_execute(&wear).await.unwrap();
        }
    }
    let answer = store.append((&scope).into(), batch(2)).await.unwrap();
    assert_eq!(answer, Append::KeyWorn { key: patient.id });
    done(store.append((&scope).into(), one(&new_stream())).await);
}

/// Lengths far apart: rows that grow and shrink are what makes pages split and move.
fn some_wrapped(chance: &mut Chance) -> Vec<u8> {
    let words = *chance.one_of(&[3, 8, 11, 38]);
    (0..words).flat_map(|_| chance.next().to_be_bytes()).collect()
}

fn random_uuid(chance: &mut Chance) -> uuid::Uuid {
    uuid::Uuid::from_u64_pair(chance.next(), chance.next())
}

/// Which of the values, each of eight bytes or more, are in the bytes: one pass, however many values.
fn found<'v>(bytes: &[u8], values: &[&'v [u8]]) -> HashSet<&'v [u8]> {
    let mut by_start: HashMap<&[u8], Vec<&'v [u8]>> = HashMap::new();
    for value in values {
        by_start.entry(&value[..8]).or_default().push(value);
    }
    let mut found = HashSet::new();
    for (at, start) in bytes.windows(8).enumerate() {
        for value in by_start.get(start).into_iter().flatten() {
            if bytes[at..].starts_with(value) {
                found.insert(*value);
            }
        }
    }
    found
}
