//! Appends at the same time: in one group, in one process, and through two handles.

use std::sync::Arc;
use std::time::Duration;

use precordia_app::access::OrgScope;
use precordia_app::port::*;
use precordia_model::*;
use precordia_store::Store;

use crate::engines::Opened;
use crate::samples::*;

/// Appends all batches at once; answers in their order.
async fn at_once(
    store: &Arc<Store>,
    scope: &OrgScope,
    batches: Vec<Batch>,
) -> Vec<Result<Append, StoreError>> {
    let tasks: Vec<_> = batches
        .into_iter()
        .map(|batch| {
            let (store, scope) = (Arc::clone(store), scope.clone());
            tokio::spawn(async move { store.append((&scope).into(), batch).await })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

pub async fn each_of_64_waiters_gets_its_own_answer(opened: &Opened) {
    let scope = opened.organization().await;
    let taken = new_stream();
    let first = Batch { effects: vec![effect("done", "first")], ..one(&taken) };
    done(opened.store.append((&scope).into(), first).await);

    let batch = |n: usize| match n % 8 {
        0 => one(&taken),
        1 => Batch { effects: vec![effect("done", "later")], ..one(&new_stream()) },
        2 => {
            let mut bad = event(&new_stream(), 1);
            bad.actor = "a\0b".into();
            Batch { events: vec![bad], ..Batch::default() }
        }
        _ => Batch {
            effects: vec![effect(&format!("own/{n}"), "s")],
            access: vec![access("-", "user/a")],
            work: vec![work("lane")],
            ..one(&new_stream())
        },
    };
    for round in 0..5 {
        let batches = (0..64).map(|n| batch(n % 8 + 8 * (round * 64 + n))).collect();
        let mut positions = Vec::new();
        for (n, answer) in at_once(&opened.store, &scope, batches).await.into_iter().enumerate() {
            match (n % 8, answer) {
                (0, Ok(Append::Conflict { expected: 0, found: 1, .. }))
                | (1, Ok(Append::Duplicate { .. }))
                | (2, Err(StoreError::Failed { .. })) => {}
                (3.., Ok(Append::Done { positions: own })) => positions.extend(own),
                (_, answer) => panic!("waiter {n} was told {answer:?}"),
            }
        }
        positions.sort_unstable();
        let first = 2 + i64::try_from(round).unwrap() * 40;
        assert_eq!(positions, (first..first + 40).collect::<Vec<_>>());
    }
    assert_eq!(verify(&opened.store, (&scope).into()).await, (201, 200));
    assert_eq!(crate::work::count(&opened.store, &scope).await, (200, 0, 0));
}

pub async fn of_two_writers_of_a_stream_one_wins(opened: &Opened) {
    let scope = opened.organization().await;
    let streams: Vec<_> = (0..32).map(|_| new_stream()).collect();
    let batches = streams.iter().chain(&streams).map(one).collect();
    let answers = at_once(&opened.store, &scope, batches).await;
    for n in 0..streams.len() {
        let outcomes = [&answers[n], &answers[n + streams.len()]];
        let won = outcomes.iter().filter(|a| matches!(a, Ok(Append::Done { .. }))).count();
        let lost =
            outcomes.iter().filter(|a| matches!(a, Ok(Append::Conflict { found: 1, .. }))).count();
        assert_eq!((won, lost), (1, 1), "{outcomes:?}");
    }
    assert_eq!(verify(&opened.store, (&scope).into()).await, (32, 0));
}

pub async fn an_effect_asked_for_64_times_at_once_happens_once(opened: &Opened) {
    let scope = opened.organization().await;
    let batches: Vec<Batch> = (0..64)
        .map(|n| Batch { effects: vec![effect("k", &format!("s/{n}"))], ..one(&new_stream()) })
        .collect();
    let answers = at_once(&opened.store, &scope, batches).await;
    let won = answers.iter().position(|a| matches!(a, Ok(Append::Done { .. }))).unwrap();
    for (n, answer) in answers.iter().enumerate().filter(|(n, _)| *n != won) {
        let expected = Append::Duplicate { key: "k".into(), subject: format!("s/{won}") };
        assert_eq!(answer.as_ref().unwrap(), &expected, "waiter {n}");
    }
    assert_eq!(verify(&opened.store, (&scope).into()).await, (1, 0));
}

pub async fn two_handles_write_one_unbroken_chain(opened: &Opened) {
    let scope = opened.organization().await;
    let other = opened.again().await;
    let shared = new_stream();
    let mut tasks = Vec::new();
    for task in 0..32 {
        let store = Arc::clone(if task % 2 == 0 { &opened.store } else { &other });
        let (scope, shared) = (scope.clone(), shared.clone());
        tasks.push(tokio::spawn(async move {
            let mut written = 0;
            for version in 1..=10 {
                let own = Batch { access: vec![access("-", "a")], ..one(&new_stream()) };
                written += done(store.append((&scope).into(), own).await).len();
                let batch = Batch { events: vec![event(&shared, version)], ..Batch::default() };
                let answer = store.append((&scope).into(), batch).await.unwrap();
                written += usize::from(matches!(answer, Append::Done { .. }));
            }
            written
        }));
    }
    let mut written = 0;
    for task in tasks {
        written += task.await.unwrap();
    }
    let (events, accesses) = verify(&other, (&scope).into()).await;
    assert_eq!((events, accesses), (i64::try_from(written).unwrap(), 320));
    let versions = opened.store.stream((&scope).into(), &shared).await.unwrap();
    assert!(versions.iter().zip(1..).all(|(event, version)| event.version == version));
    assert_eq!(events, 320 + i64::try_from(versions.len()).unwrap());
}

/// Pairs that share a group, in this order: the first of each is refused for its last precondition after
/// all others passed, and the second asks for the very things that the first would have taken.
pub async fn a_refused_batch_takes_nothing_from_those_behind_it(opened: &Opened) {
    let scope = opened.organization().await;
    let (taken, stream) = (new_stream(), new_stream());
    let (a, b, c) = (KeyId(uuid()), KeyId(uuid()), KeyId(uuid()));
    let wrapped = key("recording/x", a);
    let first = Batch {
        keys: vec![KeyChange::Add(wrapped.clone())],
        work: vec![work("lane")],
        ..one(&taken)
    };
    done(opened.store.append((&scope).into(), first).await);
    let (now, until) = (Timestamp(1), Timestamp(9));
    let claimed = opened.store.claim(&scope, &["ingest"], "w", now, until, 1).await.unwrap();
    let lease = claimed[0].lease.clone();

    let rewrap = |from, to| KeyChange::Rewrap { id: wrapped.id, from, to, wrapped: vec![1; 9] };
    let conflicting = || vec![event(&new_stream(), 1), event(&taken, 1)];
    let pairs: Vec<(Batch, Batch)> = vec![
        (
            Batch { effects: vec![effect("k", "s")], ..one(&taken) },
            Batch { effects: vec![effect("k", "s")], ..one(&new_stream()) },
        ),
        (Batch { resources: vec![resource(0, "gap", 7)], ..one(&stream) }, one(&stream)),
        (
            Batch { finish: Some(lease.clone()), events: conflicting(), ..Batch::default() },
            Batch { finish: Some(lease), ..one(&new_stream()) },
        ),
        (
            Batch {
                resources: vec![resource(0, "r", 1), resource(0, "gap", 7)],
                ..one(&new_stream())
            },
            Batch { resources: vec![resource(0, "r", 1)], ..one(&new_stream()) },
        ),
        (
            Batch { keys: vec![rewrap(a, b), rewrap(c, b)], ..one(&new_stream()) },
            Batch { keys: vec![rewrap(a, c)], ..one(&new_stream()) },
        ),
    ];
    // While the lock is held, all wait behind the one that waits for it; then they are one group.
    let held = opened.hold(scope.organization()).await;
    let mut waiting = Vec::new();
    let head = Batch { access: vec![access("-", "a")], ..one(&new_stream()) };
    for batch in [head].into_iter().chain(pairs.into_iter().flat_map(|(a, b)| [a, b])) {
        let (store, scope) = (Arc::clone(&opened.store), scope.clone());
        waiting.push(tokio::spawn(async move { store.append((&scope).into(), batch).await }));
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    held.release().await;
    let mut answers = Vec::new();
    for task in waiting {
        answers.push(task.await.unwrap().unwrap());
    }
    for (n, pair) in answers[1..].chunks(2).enumerate() {
        let refused = matches!(pair[0], Append::Conflict { .. } | Append::KeyConflict { .. });
        assert!(refused, "pair {n}: {:?}", pair[0]);
        assert!(matches!(pair[1], Append::Done { .. }), "pair {n}: {:?}", pair[1]);
    }
    verify(&opened.store, (&scope).into()).await;
}

pub async fn appends_to_two_organizations_do_not_wait_for_each_other(opened: &Opened) {
    let (a, b) = (opened.organization().await, opened.organization().await);
    let held = opened.hold(a.organization()).await;
    let store = Arc::clone(&opened.store);
    let blocked =
        tokio::spawn(async move { done(store.append((&a).into(), one(&new_stream())).await) });
    let free = opened.store.append((&b).into(), one(&new_stream()));
    done(tokio::time::timeout(Duration::from_secs(10), free).await.unwrap());
    assert!(!blocked.is_finished());
    held.release().await;
    assert_eq!(blocked.await.unwrap(), [1]);
}
