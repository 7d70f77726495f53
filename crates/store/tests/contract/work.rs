//! The queue: lanes, leases, ends.

use std::collections::BTreeSet;
use std::sync::Arc;

use precordia_app::access::OrgScope;
use precordia_app::port::*;
use precordia_model::*;
use precordia_store::Store;

use crate::engines::Opened;
use crate::samples::*;

pub async fn enqueue(store: &Store, scope: &OrgScope, work: Vec<NewWork>) {
    done(store.append(scope.into(), carrying(Batch { work, ..Batch::default() })).await);
}

/// Claims at a time until ten later.
pub async fn claim(store: &Store, scope: &OrgScope, owner: &str, now: i64) -> Vec<ClaimedWork> {
    let until = Timestamp(now + 10);
    store.claim(scope, &["ingest", "deliver"], owner, Timestamp(now), until, 100).await.unwrap()
}

pub fn ids(claimed: &[ClaimedWork]) -> Vec<WorkId> {
    claimed.iter().map(|piece| piece.lease.work).collect()
}

pub async fn finish(store: &Store, scope: &OrgScope, lease: &Lease) -> Append {
    let batch = Batch { finish: Some(lease.clone()), ..Batch::default() };
    store.append(scope.into(), batch).await.unwrap()
}

/// Ready, leased and dead, of the kinds that these tests use.
pub async fn count(store: &Store, scope: &OrgScope) -> (i64, i64, i64) {
    let counts = store.counts(scope).await.unwrap();
    let counts = WorkCounts::of(&counts, &["ingest", "deliver"]);
    (counts.ready, counts.leased, counts.dead)
}

pub async fn try_change(store: &Store, scope: &OrgScope, change: WorkChange) -> Append {
    let batch = Batch { work_changes: vec![change], ..one(&new_stream()) };
    store.append(scope.into(), batch).await.unwrap()
}

pub async fn change(store: &Store, scope: &OrgScope, change: WorkChange) {
    let answer = try_change(store, scope, change).await;
    assert!(matches!(answer, Append::Done { .. }), "{answer:?}");
}

pub const FINISHED: Append = Append::Done { positions: Vec::new() };

pub async fn a_lane_is_worked_in_order_and_lanes_in_parallel(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    let (a, b) = ([work("a"), work("a"), work("a")], [work("b"), work("b")]);
    enqueue(store, &scope, vec![a[0].clone(), b[0].clone(), a[1].clone()]).await;
    enqueue(store, &scope, vec![a[2].clone(), b[1].clone()]).await;

    let first = claim(store, &scope, "w", 1).await;
    assert_eq!(ids(&first), [a[0].id, b[0].id]);
    let expected = ClaimedWork {
        lease: Lease { work: a[0].id, owner: "w".into(), claim: 1, until: Timestamp(11) },
        kind: "ingest".into(),
        lane: "a".into(),
        subject: a[0].subject.clone(),
        attempt: 1,
    };
    assert_eq!(first[0], expected);
    assert_eq!(claim(store, &scope, "v", 2).await, []);
    assert_eq!(finish(store, &scope, &first[0].lease).await, FINISHED);
    let second = claim(store, &scope, "v", 3).await;
    assert_eq!(ids(&second), [a[1].id]);
    // Both lanes move on in one batch each, and new pieces queue up behind.
    enqueue(store, &scope, vec![work("b")]).await;
    assert_eq!(finish(store, &scope, &first[1].lease).await, FINISHED);
    assert_eq!(finish(store, &scope, &second[0].lease).await, FINISHED);
    assert_eq!(ids(&claim(store, &scope, "w", 4).await), [a[2].id, b[1].id]);
    assert_eq!(count(store, &scope).await, (1, 2, 0));
    let counts = store.counts(&scope).await.unwrap();
    assert_eq!(counts.len(), 1);
    assert_eq!(counts[0].1.oldest_at, Some(Timestamp(1_000_001)));
}

pub async fn priorities_are_a_head_start_and_no_more(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    let minute = Priority::HEAD_START_SECONDS * 1_000_000;
    let with =
        |lane: &str, priority, due| NewWork { priority, not_before: Timestamp(due), ..work(lane) };
    let (urgent, normal, background) = (Priority::Urgent, Priority::Normal, Priority::Background);
    let pieces = vec![
        with("a", background, 0),
        with("b", normal, 0),
        with("c", urgent, 0),
        with("d", urgent, minute - 1),
        with("e", urgent, minute + 1),
        with("f", normal, minute + 1),
        with("g", urgent, 2 * minute + 1),
    ];
    // c at -1, d just before b at 0, e just after; a at 1 before f and g at 1 and a moment.
    let expected = [2, 3, 1, 4, 0, 5, 6].map(|n: usize| pieces[n].id);
    enqueue(store, &scope, pieces).await;
    let now = Timestamp(3 * minute);
    let until = now.plus_seconds(9);
    let two = store.claim(&scope, &["ingest"], "w", now, until, 2).await.unwrap();
    assert_eq!(ids(&two), expected[..2]);
    let rest = store.claim(&scope, &["ingest"], "w", now, until, 9).await.unwrap();
    assert_eq!(ids(&rest), expected[2..]);
}

/// More urgent work comes than can be done, for ever; one piece can wait.
pub async fn nothing_waits_for_ever_behind_urgent_work(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    let patient = NewWork { priority: Priority::Background, ..work("patient") };
    enqueue(store, &scope, vec![patient.clone()]).await;
    let per_level = Priority::HEAD_START_SECONDS;
    for second in 0.. {
        assert!(second <= 4 * per_level + 4, "still waiting after {second} pieces");
        let now = Timestamp(0).plus_seconds(second);
        let urgent = |n| NewWork {
            priority: Priority::Urgent,
            not_before: now,
            ..work(&format!("urgent/{second}/{n}"))
        };
        enqueue(store, &scope, vec![urgent(0), urgent(1)]).await;
        let until = now.plus_seconds(1);
        let got = store.claim(&scope, &["ingest"], "w", now, until, 1).await.unwrap().remove(0);
        assert_eq!(finish(store, &scope, &got.lease).await, FINISHED);
        if got.lease.work == patient.id {
            assert!(second >= 2 * per_level, "urgent work has its head start: {second}");
            return;
        }
    }
}

pub async fn an_expired_lease_is_claimed_by_another_and_lost(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    enqueue(store, &scope, vec![work("a")]).await;
    let slow = claim(store, &scope, "slow", 0).await.pop().unwrap();
    assert!(store.extend(&scope, &slow.lease, Timestamp(20)).await.unwrap());
    assert_eq!(claim(store, &scope, "fast", 19).await, []);
    let fast = claim(store, &scope, "fast", 20).await.pop().unwrap();
    assert_eq!((fast.lease.work, fast.attempt), (slow.lease.work, 2));

    let lost = Append::LeaseLost { work: slow.lease.work };
    let effects = vec![effect("k", "s")];
    let late = Batch { finish: Some(slow.lease.clone()), effects, ..one(&new_stream()) };
    assert_eq!(store.append((&scope).into(), late).await.unwrap(), lost);
    assert!(!store.extend(&scope, &slow.lease, Timestamp(99)).await.unwrap());
    let retry = WorkEnd::Retry { not_before: Timestamp(0), reason: "r".into() };
    assert!(!store.end(&scope, &slow.lease, retry).await.unwrap());
    let dead = WorkEnd::Dead { reason: "r".into() };
    assert!(!store.end(&scope, &slow.lease, dead).await.unwrap());
    assert_eq!(finish(store, &scope, &fast.lease).await, FINISHED);
    // The effect key of the lost one is free.
    done(
        store
            .append(
                (&scope).into(),
                Batch { effects: vec![effect("k", "s")], ..one(&new_stream()) },
            )
            .await,
    );
}

/// A worker that lost a piece and won it again, and two tasks that call themselves the same, are told apart.
pub async fn no_two_claims_of_a_piece_are_the_same_lease(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    enqueue(store, &scope, vec![work("a")]).await;
    let first = claim(store, &scope, "same", 0).await.remove(0);
    let second = claim(store, &scope, "same", 50).await.remove(0);
    assert_eq!((first.lease.work, second.attempt), (second.lease.work, 2));
    let late = async |lease: &Lease| {
        let stream = new_stream();
        let work = vec![work("late")];
        let batch = Batch { finish: Some(lease.clone()), work, ..one(&stream) };
        let answer = store.append((&scope).into(), batch).await.unwrap();
        assert_eq!(answer, Append::LeaseLost { work: lease.work });
        assert!(store.stream((&scope).into(), &stream).await.unwrap().is_empty());
        assert!(!store.extend(&scope, lease, Timestamp(99)).await.unwrap());
        for end in [
            WorkEnd::Retry { not_before: Timestamp(0), reason: "r".into() },
            WorkEnd::Dead { reason: "r".into() },
        ] {
            assert!(!store.end(&scope, lease, end).await.unwrap());
        }
        assert_eq!(count(store, &scope).await, (0, 1, 0));
    };
    late(&first.lease).await;
    // Tries begin anew after a person asked for one; claims do not.
    let dead = WorkEnd::Dead { reason: "r".into() };
    assert!(store.end(&scope, &second.lease, dead).await.unwrap());
    change(store, &scope, WorkChange::Retry { work: second.lease.work, at: Timestamp(60) }).await;
    let third = claim(store, &scope, "same", 60).await.remove(0);
    assert_eq!((third.attempt, third.lease.claim), (1, 3));
    late(&first.lease).await;
    late(&second.lease).await;
    assert_eq!(finish(store, &scope, &third.lease).await, FINISHED);
}

pub async fn an_expired_lease_that_nobody_claimed_still_holds(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    enqueue(store, &scope, vec![work("a"), work("b")]).await;
    let claimed = claim(store, &scope, "w", 0).await;
    assert_eq!(claimed.len(), 2);
    assert!(store.extend(&scope, &claimed[0].lease, Timestamp(500)).await.unwrap());
    assert_eq!(finish(store, &scope, &claimed[0].lease).await, FINISHED);
    assert_eq!(finish(store, &scope, &claimed[1].lease).await, FINISHED);
}

pub async fn a_retry_waits_and_keeps_its_lane(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    let pieces = vec![work("a"), work("a")];
    let first = pieces[0].id;
    enqueue(store, &scope, pieces).await;
    for attempt in 1..4 {
        let now = attempt * 100;
        assert_eq!(claim(store, &scope, "w", now - 1).await.len(), usize::from(attempt == 1));
        let claimed = claim(store, &scope, "w", now + 10).await;
        let piece = claimed.last().unwrap();
        assert_eq!((piece.lease.work, claimed.len()), (first, 1));
        let not_before = Timestamp((attempt + 1) * 100);
        let retry = WorkEnd::Retry { not_before, reason: "later".into() };
        assert!(store.end(&scope, &piece.lease, retry).await.unwrap());
        assert_eq!(count(store, &scope).await, (2, 0, 0));
    }
    let last = claim(store, &scope, "w", 400).await.pop().unwrap();
    assert_eq!((last.lease.work, last.attempt), (first, 5));
}

pub async fn a_dead_piece_frees_its_lane(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    let pieces = vec![work("a"), work("a"), work("a")];
    let (ids_in_order, subjects): (Vec<_>, Vec<_>) =
        pieces.iter().map(|piece| (piece.id, piece.subject.clone())).unzip();
    enqueue(store, &scope, pieces).await;
    let first = claim(store, &scope, "w", 1).await.pop().unwrap();
    let dead = WorkEnd::Dead { reason: "cannot be read".into() };
    assert!(store.end(&scope, &first.lease, dead.clone()).await.unwrap());
    assert!(!store.end(&scope, &first.lease, dead).await.unwrap());
    assert_eq!(
        finish(store, &scope, &first.lease).await,
        Append::LeaseLost { work: first.lease.work }
    );
    let second = claim(store, &scope, "w", 2).await;
    assert_eq!(ids(&second), ids_in_order[1..2]);
    assert_eq!(finish(store, &scope, &second[0].lease).await, FINISHED);
    assert_eq!(ids(&claim(store, &scope, "w", 3).await), ids_in_order[2..]);
    assert_eq!(count(store, &scope).await, (0, 1, 1));
    for (subject, is_open) in subjects.iter().zip([true, false, true]) {
        assert_eq!(store.is_open(&scope, "ingest", "a", subject).await.unwrap(), is_open);
        assert!(!store.is_open(&scope, "deliver", "a", subject).await.unwrap());
    }
    assert!(!store.is_open(&scope, "ingest", "b", &subjects[2]).await.unwrap());
    // A dead piece does not hold back what comes later in its lane.
    enqueue(store, &scope, vec![work("b")]).await;
    assert_eq!(claim(store, &scope, "w", 4).await.len(), 1);
}

pub async fn kinds_and_times_limit_a_claim(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    let deliver = NewWork { kind: "deliver".into(), ..work("a") };
    let later = NewWork { not_before: Timestamp(50), ..work("b") };
    let behind = work("b");
    let expected = [deliver.id, later.id];
    enqueue(store, &scope, vec![deliver, later, behind]).await;
    let ask = |kinds: &'static [&'static str], now: i64| {
        store.claim(&scope, kinds, "w", Timestamp(now), Timestamp(99), 10)
    };
    assert_eq!(ask(&["ingest"], 49).await.unwrap(), []);
    assert_eq!(ask(&[], 60).await.unwrap(), []);
    assert_eq!(ask(&["unknown", "ingest"], 50).await.unwrap().len(), 1);
    let delivered = ask(&["ingest", "deliver"], 50).await.unwrap();
    assert_eq!(ids(&delivered), expected[..1]);
    assert_eq!(
        store.claim(&scope, &["ingest"], "w", Timestamp(99), Timestamp(200), 0).await.unwrap(),
        []
    );
}

/// Eight workers on two handles, retries and deaths among them: no lane is ever held twice, no piece is
/// done twice, and the order within a lane holds.
pub async fn many_workers_never_hold_a_lane_twice(opened: &Opened) {
    let scope = opened.organization().await;
    let lanes: Vec<String> = (0..6).map(|n| format!("lane/{n}")).collect();
    let mut pieces = Vec::new();
    for _ in 0..15 {
        pieces.extend(lanes.iter().map(|lane| work(lane)));
    }
    let order: Vec<WorkId> = pieces.iter().map(|piece| piece.id).collect();
    enqueue(&opened.store, &scope, pieces).await;
    let held = Arc::new(std::sync::Mutex::new(BTreeSet::<String>::new()));
    let ended = Arc::new(std::sync::Mutex::new(Vec::<(String, WorkId)>::new()));
    let other = opened.again().await;
    let mut workers = Vec::new();
    for n in 0..8u64 {
        let store = Arc::clone(if n % 2 == 0 { &opened.store } else { &other });
        let (scope, held, ended) = (scope.clone(), Arc::clone(&held), Arc::clone(&ended));
        workers.push(tokio::spawn(async move {
            let mut chance = Chance(n);
            loop {
                let owner = format!("worker/{n}");
                let (now, until) = (Timestamp(1), Timestamp(1000));
                let claimed =
                    store.claim(&scope, &["ingest"], &owner, now, until, 2).await.unwrap();
                if claimed.is_empty() {
                    let (ready, leased, _) = count(&store, &scope).await;
                    if ready + leased == 0 {
                        return;
                    }
                    tokio::task::yield_now().await;
                }
                for piece in claimed {
                    assert!(held.lock().unwrap().insert(piece.lane.clone()), "{}", piece.lane);
                    tokio::task::yield_now().await;
                    held.lock().unwrap().remove(&piece.lane);
                    let end = (piece.lane.clone(), piece.lease.work);
                    match chance.below(4) {
                        0 if piece.attempt < 3 => {
                            let retry =
                                WorkEnd::Retry { not_before: Timestamp(0), reason: "r".into() };
                            assert!(store.end(&scope, &piece.lease, retry).await.unwrap());
                        }
                        1 => {
                            ended.lock().unwrap().push(end);
                            let dead = WorkEnd::Dead { reason: "d".into() };
                            assert!(store.end(&scope, &piece.lease, dead).await.unwrap());
                        }
                        _ => {
                            ended.lock().unwrap().push(end);
                            assert_eq!(finish(&store, &scope, &piece.lease).await, FINISHED);
                        }
                    }
                }
            }
        }));
    }
    for worker in workers {
        worker.await.unwrap();
    }
    let ended = ended.lock().unwrap();
    for (n, lane) in lanes.iter().enumerate() {
        let expected: Vec<_> = order.iter().skip(n).step_by(lanes.len()).copied().collect();
        let got: Vec<_> = ended.iter().filter(|(l, _)| l == lane).map(|(_, id)| *id).collect();
        assert_eq!(got, expected, "{lane}");
    }
}

/// A lane must never be left without a turn, however an end and an enqueue meet.
pub async fn a_dead_end_and_an_append_agree_on_the_turn(opened: &Opened) {
    let scope = opened.organization().await;
    let other = opened.again().await;
    for round in 0..40 {
        let lane = format!("lane/{round}");
        enqueue(&opened.store, &scope, vec![work(&lane)]).await;
        let lease = claim(&opened.store, &scope, "w", 1).await.pop().unwrap().lease;
        let next = work(&lane);
        let dead = WorkEnd::Dead { reason: "d".into() };
        let (ended, ()) = tokio::join!(
            other.end(&scope, &lease, dead),
            enqueue(&opened.store, &scope, vec![next.clone()])
        );
        assert!(ended.unwrap());
        let claimed = claim(&opened.store, &scope, "w", 1).await;
        assert_eq!(ids(&claimed), [next.id], "round {round}");
        assert_eq!(finish(&other, &scope, &claimed[0].lease).await, FINISHED);
    }
}
