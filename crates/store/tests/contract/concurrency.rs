//! Appends at the same time: in one group, in one process, and through two handles.

use std::sync::Arc;
use std::time::Duration;

use precordia_app::access::OrgScope;
use precordia_app::port::*;
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
    assert_eq!(opened.store.counts(&scope).await.unwrap().ready, 200);
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

pub async fn appends_to_two_organizations_do_not_wait_for_each_other(opened: &Opened) {
    let (a, b) = (opened.organization().await, opened.organization().await);
    // Somebody holds the write lock of A.
    let sqlite = opened.raw_sqlite(a.organization());
    let postgres = opened.raw_postgres().await;
    if let Some(raw) = &sqlite {
        raw.execute_batch("BEGIN IMMEDIATE").unwrap();
    }
    if let Some(raw) = &postgres {
        let schema = format!("org_{}", a.organization().0.simple());
        let lock = format!("BEGIN; SELECT * FROM \"{schema}\".head FOR UPDATE");
        raw.batch_execute(&lock).await.unwrap();
    }
    let store = Arc::clone(&opened.store);
    let blocked =
        tokio::spawn(async move { done(store.append((&a).into(), one(&new_stream())).await) });
    let free = opened.store.append((&b).into(), one(&new_stream()));
    done(tokio::time::timeout(Duration::from_secs(10), free).await.unwrap());
    assert!(!blocked.is_finished());
    if let Some(raw) = &sqlite {
        raw.execute_batch("COMMIT").unwrap();
    }
    if let Some(raw) = &postgres {
        raw.batch_execute("COMMIT").await.unwrap();
    }
    assert_eq!(blocked.await.unwrap(), [1]);
}
