//! What one append does, alone.

use precordia_app::port::*;
use precordia_model::*;

use crate::engines::Opened;
use crate::samples::*;

/// A batch that touches everything an append can touch.
fn full(stream: &Stream, key_name: &str) -> Batch {
    let wrapped = key("recording/x", KeyId(uuid()));
    Batch {
        events: vec![event(stream, 1), event(stream, 2)],
        resources: vec![resource(1, &uuid().to_string(), 1), resource(0, &uuid().to_string(), 1)],
        access: vec![access(stream.as_str(), "user/a")],
        keys: vec![KeyChange::Add(wrapped)],
        views: vec![ViewChange::Item(item()), ViewChange::Recording(recording())],
        work: vec![work("a")],
        work_changes: vec![WorkChange::Pause {
            kind: key_name.into(),
            by: "user/a".into(),
            at: Timestamp(1),
        }],
        effects: vec![effect(key_name, stream.as_str())],
        ..Batch::default()
    }
}

/// How much of everything the organization has.
async fn extent(opened: &Opened, scope: &precordia_app::access::OrgScope) -> [i64; 8] {
    let store = &opened.store;
    let (events, accesses) = verify(store, scope.into()).await;
    let resources = EventLog::resources(&**store, scope.into(), 0, u32::MAX).await.unwrap();
    let items = store.items(scope, None, None, 1000).await.unwrap();
    let recordings =
        store.recordings(scope, &RecordingFilter::default(), 1000).await.unwrap().len() as i64;
    let keys = store.of_subject(scope.into(), "recording/x").await.unwrap().len() as i64;
    let (ready, leased, dead) = crate::work::count(store, scope).await;
    let open = ready + leased + dead;
    let paused = store.paused(scope).await.unwrap().len() as i64;
    [events, accesses, resources.len() as i64, items.len() as i64, recordings, keys, open, paused]
}

pub async fn everything_of_a_batch_is_there_after_it(opened: &Opened) {
    let scope = opened.organization().await;
    assert_eq!(extent(opened, &scope).await, [0; 8]);
    let positions = done(opened.store.append((&scope).into(), full(&new_stream(), "k")).await);
    assert_eq!(positions, [1, 2]);
    assert_eq!(extent(opened, &scope).await, [2, 1, 2, 1, 1, 1, 1, 1]);
    let access_only = Batch { access: vec![access("-", "user/a")], ..Batch::default() };
    let positions = done(opened.store.append((&scope).into(), access_only).await);
    assert_eq!(positions, Vec::<Position>::new());
    let positions = done(opened.store.append((&scope).into(), full(&new_stream(), "l")).await);
    assert_eq!(positions, [3, 4]);
    assert_eq!(extent(opened, &scope).await, [4, 3, 4, 2, 2, 2, 2, 2]);
}

pub async fn a_refused_batch_leaves_nothing_of_itself(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &opened.store;
    let first = new_stream();
    let known = key("recording/x", KeyId(uuid()));
    let mut batch = full(&first, "k");
    batch.keys.push(KeyChange::Add(known.clone()));
    done(store.append((&scope).into(), batch).await);
    let before = extent(opened, &scope).await;

    let refused: Vec<Batch> = vec![
        // Each is whole but for one precondition; the last event's stream conflicts, and so on.
        Batch { events: vec![event(&new_stream(), 1), event(&first, 2)], ..full(&first, "m") },
        Batch { effects: vec![effect("n", "s"), effect("k", "s")], ..full(&new_stream(), "") },
        Batch { resources: vec![resource(0, "r", 2)], ..full(&new_stream(), "m") },
        Batch {
            finish: Some(Lease {
                work: WorkId(uuid()),
                owner: "w".into(),
                claim: 1,
                until: Timestamp(0),
            }),
            ..full(&new_stream(), "m")
        },
        Batch {
            keys: vec![KeyChange::Rewrap {
                id: known.id,
                from: KeyId(uuid()),
                to: KeyId(uuid()),
                wrapped: vec![1],
            }],
            ..full(&new_stream(), "m")
        },
    ];
    for batch in refused {
        let answer = store.append((&scope).into(), batch).await.unwrap();
        assert!(!matches!(answer, Append::Done { .. }), "{answer:?}");
        assert_eq!(extent(opened, &scope).await, before, "{answer:?}");
    }
    // The effect keys of refused batches are free.
    for key in ["m", "n"] {
        done(store.append((&scope).into(), full(&new_stream(), key)).await);
    }
}

pub async fn a_batch_that_cannot_be_written_is_told_so(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &opened.store;
    let stream = new_stream();
    let mut with_nul = event(&stream, 1);
    with_nul.kind = "item.\0received".into();
    let twice = work("a");
    let unwritable = [
        Batch { events: vec![with_nul], ..full(&stream, "k") },
        Batch { work: vec![twice.clone(), twice], ..full(&stream, "k") },
        Batch { effects: vec![effect("k", "a"), effect("k", "b")], ..full(&stream, "k") },
        Batch { resources: vec![resource(2, "r", 1)], ..full(&stream, "k") },
        Batch { views: vec![ViewChange::Item(item())], ..Batch::default() },
        Batch { keys: vec![KeyChange::Retire { id: KeyId(uuid()) }], ..full(&stream, "k") },
        // The directory is the platform's.
        Batch {
            views: vec![ViewChange::Site(SiteRow {
                id: SiteId(uuid()),
                organization: scope.organization(),
                name: "a".into(),
                time_zone: "UTC".into(),
            })],
            ..full(&stream, "k")
        },
    ];
    for batch in unwritable {
        let answer = store.append((&scope).into(), batch).await;
        assert!(matches!(answer, Err(StoreError::Failed { .. })), "{answer:?}");
        assert_eq!(extent(opened, &scope).await, [0; 8]);
    }
    done(store.append((&scope).into(), full(&stream, "k")).await);
}

pub async fn an_effect_happens_once_and_names_the_first(opened: &Opened) {
    let scope = opened.organization().await;
    let batch = |key: &str, subject: &str| Batch {
        effects: vec![effect(key, subject)],
        ..one(&new_stream())
    };
    done(opened.store.append((&scope).into(), batch("content/1", "item/1")).await);
    let again = opened.store.append((&scope).into(), batch("content/1", "item/2")).await.unwrap();
    let expected = Append::Duplicate { key: "content/1".into(), subject: "item/1".into() };
    assert_eq!(again, expected);
    done(opened.store.append((&scope).into(), batch("content/2", "item/2")).await);
}

pub async fn a_forgotten_effect_can_happen_again(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &opened.store;
    let batch = |forget: &[&str], keys: &[&str]| Batch {
        forget_effects: forget.iter().map(|key| String::from(*key)).collect(),
        effects: keys.iter().map(|key| effect(key, "s")).collect(),
        ..one(&new_stream())
    };
    done(store.append((&scope).into(), batch(&[], &["a", "b"])).await);
    done(store.append((&scope).into(), batch(&["a"], &[])).await);
    done(store.append((&scope).into(), batch(&["b", "never"], &["a", "b"])).await);
    for key in ["a", "b"] {
        let answer = store.append((&scope).into(), batch(&[], &[key])).await.unwrap();
        assert!(matches!(answer, Append::Duplicate { .. }), "{key}");
    }
}

pub async fn a_stream_takes_the_next_version_only(opened: &Opened) {
    let scope = opened.organization().await;
    let stream = new_stream();
    done(opened.store.append((&scope).into(), one(&stream)).await);
    for (version, expected) in [(1, 0), (3, 2), (0, -1), (-5, -6)] {
        let batch = Batch { events: vec![event(&stream, version)], ..Batch::default() };
        let answer = opened.store.append((&scope).into(), batch).await.unwrap();
        let conflict = Append::Conflict { stream: stream.0.clone(), expected, found: 1 };
        assert_eq!(answer, conflict, "version {version}");
    }
    let two = Batch { events: vec![event(&stream, 2), event(&stream, 3)], ..Batch::default() };
    assert_eq!(done(opened.store.append((&scope).into(), two).await), [2, 3]);
}

pub async fn a_resource_takes_the_next_version_only(opened: &Opened) {
    let scope = opened.organization().await;
    let batch = |versions: &[i64]| Batch {
        resources: versions.iter().map(|version| resource(0, "r", *version)).collect(),
        ..one(&new_stream())
    };
    done(opened.store.append((&scope).into(), batch(&[1, 2])).await);
    for (versions, expected, found) in [(&[1][..], 0, 2), (&[4], 3, 2), (&[3, 3], 2, 3)] {
        let answer = opened.store.append((&scope).into(), batch(versions)).await.unwrap();
        let conflict = Append::Conflict { stream: "Observation/r".into(), expected, found };
        assert_eq!(answer, conflict, "{versions:?}");
    }
    done(opened.store.append((&scope).into(), batch(&[3])).await);
}

pub async fn a_lost_lease_stops_the_batch(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &opened.store;
    done(
        store.append((&scope).into(), Batch { work: vec![work("a")], ..one(&new_stream()) }).await,
    );
    let claim = store.claim(&scope, &["ingest"], "w", Timestamp(1), Timestamp(9), 1).await;
    let lease = claim.unwrap().pop().unwrap().lease;
    let batch = |lease: &Lease| Batch { finish: Some(lease.clone()), ..one(&new_stream()) };
    let lost = Append::LeaseLost { work: lease.work };
    let other = Lease { owner: "other".into(), ..lease.clone() };
    assert_eq!(store.append((&scope).into(), batch(&other)).await.unwrap(), lost);
    done(store.append((&scope).into(), batch(&lease)).await);
    assert_eq!(store.counts(&scope).await.unwrap(), []);
    assert_eq!(store.append((&scope).into(), batch(&lease)).await.unwrap(), lost);
}

pub async fn a_view_row_gets_the_position_of_its_event(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &opened.store;
    done(store.append((&scope).into(), one(&new_stream())).await);
    let (new, known) = (item(), ItemRow { position: 1, ..item() });
    let second = ItemRow { position: position_in_batch(1), ..item() };
    let batch = Batch {
        events: vec![event(&new_stream(), 1), event(&new_stream(), 1)],
        views: [&new, &known, &second].map(|row| ViewChange::Item(row.clone())).to_vec(),
        ..Batch::default()
    };
    done(store.append((&scope).into(), batch).await);
    assert_eq!(store.item(&scope, new.id).await.unwrap(), Some(ItemRow { position: 2, ..new }));
    assert_eq!(store.item(&scope, known.id).await.unwrap(), Some(known));
    let found = store.item(&scope, second.id).await.unwrap();
    assert_eq!(found, Some(ItemRow { position: 3, ..second }));
}
