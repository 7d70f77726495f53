//! The queue under the hands of people and clocks: retries, pauses, schedules, lists, and much of it at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use precordia_app::access::OrgScope;
use precordia_app::port::*;
use precordia_model::*;
use precordia_store::Store;

use crate::engines::{Opened, platform};
use crate::samples::*;
use crate::work::{FINISHED, change, claim, enqueue, finish, ids, try_change};

async fn kill(store: &Store, scope: &OrgScope, lease: &Lease) {
    let dead = WorkEnd::Dead { reason: "cannot be read".into() };
    assert!(store.end(scope, lease, dead).await.unwrap());
}

async fn state(store: &Store, scope: &OrgScope, work: WorkId) -> WorkState {
    store.piece(scope, work).await.unwrap().unwrap().state
}

fn retry(work: WorkId, at: i64) -> WorkChange {
    WorkChange::Retry { work, at: Timestamp(at) }
}

fn give_up(work: WorkId) -> WorkChange {
    WorkChange::GiveUp { work, reason: "by hand".into() }
}

pub async fn a_revived_piece_takes_its_place_in_its_lane(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    let pieces = [work("a"), work("a"), work("a"), work("a")];
    let [first, second, third, fourth] = pieces.clone().map(|piece| piece.id);
    enqueue(store, &scope, pieces.to_vec()).await;

    // The one behind it is waiting: it gives the turn back.
    let held = claim(store, &scope, "w", 1).await.remove(0);
    kill(store, &scope, &held.lease).await;
    change(store, &scope, retry(first, 2)).await;
    let held = claim(store, &scope, "w", 2).await;
    assert_eq!(ids(&held), [first]);
    assert_eq!(held[0].attempt, 1, "tries begin anew");

    // The one behind it is at work: it is waited for, and then comes the revived one.
    kill(store, &scope, &held[0].lease).await;
    let at_work = claim(store, &scope, "w", 3).await;
    assert_eq!(ids(&at_work), [second]);
    change(store, &scope, retry(first, 4)).await;
    assert_eq!(claim(store, &scope, "w", 4).await, []);
    // A third that is given up while both are there takes nothing with it.
    change(store, &scope, give_up(third)).await;
    assert_eq!(claim(store, &scope, "w", 5).await, []);
    assert_eq!(finish(store, &scope, &at_work[0].lease).await, FINISHED);
    let held = claim(store, &scope, "w", 6).await;
    assert_eq!(ids(&held), [first]);
    assert_eq!(finish(store, &scope, &held[0].lease).await, FINISHED);

    // In an empty lane it has the turn at once; a given-up one passes it on.
    change(store, &scope, give_up(fourth)).await;
    assert_eq!(claim(store, &scope, "w", 7).await, []);
    change(store, &scope, retry(fourth, 8)).await;
    change(store, &scope, retry(third, 8)).await;
    change(store, &scope, give_up(third)).await;
    let held = claim(store, &scope, "w", 8).await;
    assert_eq!(ids(&held), [fourth]);
    assert_eq!(finish(store, &scope, &held[0].lease).await, FINISHED);
}

pub async fn only_a_dead_piece_is_tried_again_and_only_a_waiting_one_given_up(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    let (a, b) = (work("a"), work("b"));
    let piece = a.id;
    enqueue(store, &scope, vec![a]).await;
    let refused = |work| Append::Conflict { stream: format!("work/{work}"), expected: 0, found: 0 };
    assert_eq!(try_change(store, &scope, retry(piece, 1)).await, refused(piece));
    let held = claim(store, &scope, "w", 1).await.remove(0);
    assert_eq!(try_change(store, &scope, give_up(piece)).await, refused(piece));
    assert_eq!(try_change(store, &scope, retry(piece, 1)).await, refused(piece));
    assert_eq!(finish(store, &scope, &held.lease).await, FINISHED);
    assert_eq!(try_change(store, &scope, retry(piece, 1)).await, refused(piece));
    assert_eq!(try_change(store, &scope, retry(b.id, 1)).await, refused(b.id));
    // Of two in one batch the second finds what the first made; nothing of the batch stays.
    enqueue(store, &scope, vec![b.clone()]).await;
    let stream = new_stream();
    let twice = Batch { work_changes: vec![give_up(b.id), give_up(b.id)], ..one(&stream) };
    assert_eq!(store.append((&scope).into(), twice).await.unwrap(), refused(b.id));
    assert!(store.stream((&scope).into(), &stream).await.unwrap().is_empty());
    assert_eq!(state(store, &scope, b.id).await, WorkState::Ready);
}

pub async fn a_paused_kind_is_not_claimed_by_anybody(opened: &Opened) {
    let scope = opened.organization().await;
    let other = opened.again().await;
    let store = &*opened.store;
    let deliver = NewWork { kind: "deliver".into(), ..work("b") };
    enqueue(store, &scope, vec![work("a"), deliver.clone()]).await;
    let pause = WorkChange::Pause { kind: "ingest".into(), by: "user/1".into(), at: Timestamp(5) };
    change(store, &scope, pause.clone()).await;
    change(store, &scope, pause).await;
    let paused = PausedKind { kind: "ingest".into(), at: Timestamp(5), by: "user/1".into() };
    assert_eq!(other.paused(&scope).await.unwrap(), [paused]);
    let both = ["ingest", "deliver"];
    let due = Some(Timestamp(0));
    assert_eq!(other.next_due(&scope, &both).await.unwrap(), due);
    assert_eq!(ids(&claim(&other, &scope, "w", 1).await), [deliver.id]);
    // What cannot be claimed wakes nobody.
    assert_eq!(other.next_due(&scope, &["ingest"]).await.unwrap(), None);
    assert_eq!(other.next_due(&scope, &both).await.unwrap(), Some(Timestamp(11)));
    let elsewhere = opened.organization().await;
    enqueue(store, &elsewhere, vec![work("a")]).await;
    assert_eq!(claim(store, &elsewhere, "w", 1).await.len(), 1, "another organization goes on");
    change(&other, &scope, WorkChange::Resume { kind: "ingest".into() }).await;
    assert_eq!(store.paused(&scope).await.unwrap(), []);
    assert_eq!(store.next_due(&scope, &["ingest"]).await.unwrap(), due);
    assert_eq!(claim(store, &scope, "w", 1).await.len(), 1);
}

fn scheduled(kind: &str, at: i64) -> NewWork {
    let lane = Schedule::lane_of(kind);
    NewWork {
        kind: kind.into(),
        lane: lane.clone(),
        subject: lane,
        priority: Priority::Background,
        not_before: Timestamp(at),
        id: WorkId(uuid()),
    }
}

pub async fn a_schedule_is_enqueued_once_by_however_many(opened: &Opened) {
    let scope = opened.organization().await;
    let stores = [Arc::clone(&opened.store), opened.again().await];
    let second = 1_000_000;
    let tidy = Schedule {
        kind: "ingest".into(),
        every_seconds: 60,
        next_due: Timestamp(10 * second),
        open: false,
    };
    for store in &stores {
        store.put_schedules(&scope, std::slice::from_ref(&tidy)).await.unwrap();
    }
    let next = stores[0].next_due(&scope, &["ingest"]).await.unwrap();
    assert_eq!(next, Some(Timestamp(10 * second)));
    assert_eq!(stores[0].schedules_due(&scope, Timestamp(9 * second)).await.unwrap(), []);
    for round in 1..=5i64 {
        let now = Timestamp(round * 1000 * second);
        let mut tasks = Vec::new();
        for n in 0..8 {
            let (store, scope) = (Arc::clone(&stores[n % 2]), scope.clone());
            tasks.push(tokio::spawn(async move {
                let mut done = 0;
                for schedule in store.schedules_due(&scope, now).await.unwrap() {
                    let advance = WorkChange::Advance {
                        kind: schedule.kind.clone(),
                        from: schedule.next_due,
                        to: schedule.after(now),
                    };
                    let batch = Batch {
                        work: vec![scheduled(&schedule.kind, now.micros())],
                        work_changes: vec![advance],
                        ..Batch::default()
                    };
                    let answer = store.append((&scope).into(), batch).await.unwrap();
                    done += i32::from(matches!(answer, Append::Done { .. }));
                }
                done
            }));
        }
        let mut enqueued = 0;
        for task in tasks {
            enqueued += task.await.unwrap();
        }
        assert_eq!(enqueued, 1, "round {round}");
        let row = stores[1].schedules(&scope).await.unwrap().remove(0);
        assert!(row.next_due > now && row.next_due <= now.plus_seconds(60), "{row:?}");
        assert_eq!((row.next_due.micros() / second - 10) % 60, 0, "it keeps its beat");
        assert!(row.open);
        let held = claim(&stores[1], &scope, "w", now.micros()).await;
        assert_eq!(held.len(), 1);
        assert_eq!(finish(&stores[0], &scope, &held[0].lease).await, FINISHED);
        assert!(!stores[1].schedules(&scope).await.unwrap()[0].open);
    }
    // The program changes how often; when is left as it is.
    let before = stores[0].schedules(&scope).await.unwrap().remove(0).next_due;
    let faster = Schedule { every_seconds: 5, ..tidy };
    stores[0].put_schedules(&scope, &[faster]).await.unwrap();
    let row = stores[0].schedules(&scope).await.unwrap().remove(0);
    assert_eq!((row.every_seconds, row.next_due), (5, before));
}

pub async fn finished_work_is_removed_in_pages_when_it_is_old(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    let pieces: Vec<_> = (0..7).map(|n| work(&format!("lane/{n}"))).collect();
    enqueue(store, &scope, pieces.clone()).await;
    let held = claim(store, &scope, "w", 1).await;
    for (n, piece) in held.iter().enumerate() {
        match n {
            0 => kill(store, &scope, &piece.lease).await,
            1 => {}
            _ => assert_eq!(finish(store, &scope, &piece.lease).await, FINISHED),
        }
    }
    // They ended, as far as anything tells, with their leases at 11.
    assert_eq!(store.remove_done(&scope, Timestamp(11), 100).await.unwrap(), 0);
    for expected in [2, 2, 1, 0] {
        assert_eq!(store.remove_done(&scope, Timestamp(12), 2).await.unwrap(), expected);
    }
    let left = store.pieces(&scope, &WorkFilter::default(), None, 100).await.unwrap();
    let left: Vec<_> = left.iter().map(|row| (row.id, row.state)).collect();
    let expected = [(pieces[1].id, WorkState::Leased), (pieces[0].id, WorkState::Dead)];
    assert_eq!(left, expected, "what is not done stays however old it is");
}

pub async fn work_is_listed_by_state_and_kind(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    let deliver = NewWork { kind: "deliver".into(), priority: Priority::Urgent, ..work("b") };
    let pieces = [work("a"), deliver, work("c"), work("a")];
    let all: Vec<_> = pieces.iter().map(|piece| piece.id).collect();
    enqueue(store, &scope, pieces.to_vec()).await;
    let held = claim(store, &scope, "w", 1).await;
    assert_eq!(ids(&held), [all[1], all[0], all[2]]);
    kill(store, &scope, &held[0].lease).await;
    assert_eq!(finish(store, &scope, &held[2].lease).await, FINISHED);
    let list = async |state, kind: Option<&str>, before| {
        let filter = WorkFilter { state, kind: kind.map(String::from) };
        let rows = store.pieces(&scope, &filter, before, 2).await.unwrap();
        rows.iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(list(None, None, None).await, [all[3], all[2]]);
    assert_eq!(list(None, None, Some(3)).await, [all[1], all[0]]);
    assert_eq!(list(Some(WorkState::Dead), None, None).await, [all[1]]);
    assert_eq!(list(Some(WorkState::Dead), Some("ingest"), None).await, []);
    assert_eq!(list(Some(WorkState::Done), None, None).await, [all[2]]);
    assert_eq!(list(None, Some("deliver"), None).await, [all[1]]);
    let dead = store.piece(&scope, all[1]).await.unwrap().unwrap();
    let expected = WorkRow {
        seq: 2,
        id: all[1],
        kind: "deliver".into(),
        lane: "b".into(),
        subject: pieces[1].subject.clone(),
        priority: Priority::Urgent,
        state: WorkState::Dead,
        enqueued_at: Timestamp(1_000_001),
        due: Timestamp(11),
        attempts: 1,
        reason: Some("cannot be read".into()),
    };
    assert_eq!(dead, expected);
    assert_eq!(store.piece(&scope, WorkId(uuid())).await.unwrap(), None);
    let elsewhere = opened.organization().await;
    assert_eq!(store.piece(&elsewhere, all[1]).await.unwrap(), None);
    let counts = store.counts(&scope).await.unwrap();
    let counts: Vec<_> =
        counts.iter().map(|(k, c)| (k.as_str(), c.ready, c.leased, c.dead)).collect();
    assert_eq!(counts, [("deliver", 0, 0, 1), ("ingest", 1, 1, 0)]);
}

/// A person gives up what a worker claims at the same moment: one of them gets it.
pub async fn one_of_two_wins_a_waiting_piece(opened: &Opened) {
    let scope = opened.organization().await;
    let other = opened.again().await;
    let (mut given_up, mut claimed) = (0, 0);
    for round in 0..40 {
        let lane = format!("lane/{round}");
        let (first, second) = (work(&lane), work(&lane));
        enqueue(&opened.store, &scope, vec![first.clone(), second.clone()]).await;
        let (held, answer) = tokio::join!(
            claim(&opened.store, &scope, "w", 1),
            try_change(&other, &scope, give_up(first.id))
        );
        match answer {
            Append::Done { .. } => {
                given_up += 1;
                assert!(!ids(&held).contains(&first.id), "round {round}");
                assert_eq!(state(&other, &scope, first.id).await, WorkState::Dead);
            }
            _ => {
                claimed += 1;
                assert_eq!(ids(&held), [first.id], "round {round}");
            }
        }
        // Whoever won, the second comes after the first and the lane is left empty.
        let mut held = held;
        for _ in 0..3 {
            for piece in std::mem::take(&mut held) {
                assert_eq!(finish(&other, &scope, &piece.lease).await, FINISHED);
            }
            held = claim(&opened.store, &scope, "w", 2).await;
        }
        assert_eq!(state(&other, &scope, second.id).await, WorkState::Done, "round {round}");
    }
    assert_eq!(given_up + claimed, 40);
}

/// Each piece's effect is a key that happens once; leases are too short for some, so pieces change hands.
pub async fn two_stores_and_eight_tasks_do_two_thousand_pieces_once(opened: &Opened) {
    const PIECES: usize = 2_000;
    let scope = opened.organization().await;
    let other = opened.again().await;
    for page in 0..PIECES / 500 {
        let lane = |n: usize| format!("lane/{}", (page * 500 + n) % 700);
        enqueue(&opened.store, &scope, (0..500).map(|n| work(&lane(n))).collect()).await;
    }
    let clock = Arc::new(std::sync::atomic::AtomicI64::new(1));
    let mut tasks = Vec::new();
    for n in 0..8u64 {
        let store = Arc::clone(if n % 2 == 0 { &opened.store } else { &other });
        let (scope, clock) = (scope.clone(), Arc::clone(&clock));
        tasks.push(tokio::spawn(async move {
            let (mut done, mut lost, mut chance) = (Vec::new(), 0, Chance(n));
            loop {
                let now = clock.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                // Everybody has the same name; only claims tell them apart.
                let claimed = store
                    .claim(&scope, &["ingest"], "same", Timestamp(now), Timestamp(now + 60), 8)
                    .await
                    .unwrap();
                if claimed.is_empty() {
                    let counts = store.counts(&scope).await.unwrap();
                    let counts = WorkCounts::of(&counts, &["ingest"]);
                    if counts.ready + counts.leased == 0 {
                        return (done, lost);
                    }
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                for piece in claimed {
                    if chance.once_in(50) {
                        // Slow: the others' time goes on past the lease.
                        clock.fetch_add(100, std::sync::atomic::Ordering::SeqCst);
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                    let batch = Batch { finish: Some(piece.lease.clone()), ..one(&new_stream()) };
                    match store.append((&scope).into(), batch).await.unwrap() {
                        Append::Done { .. } => done.push(piece.lease.work),
                        Append::LeaseLost { .. } => lost += 1,
                        other => panic!("{other:?}"),
                    }
                }
            }
        }));
    }
    let (mut effects, mut lost, mut tasks_with_work) = (BTreeMap::<WorkId, u32>::new(), 0, 0);
    for task in tasks {
        let (done, lost_by_it) = task.await.unwrap();
        tasks_with_work += u32::from(!done.is_empty());
        lost += lost_by_it;
        for work in done {
            *effects.entry(work).or_default() += 1;
        }
    }
    assert_eq!(effects.len(), PIECES);
    assert!(effects.values().all(|times| *times == 1));
    assert!(lost > 0, "no piece changed hands");
    assert!(tasks_with_work > 1);
    let events = opened.store.head((&scope).into(), LogName::Events).await.unwrap().position;
    assert_eq!(events, (PIECES + PIECES / 500) as i64, "one event an effect");
    verify(&opened.store, (&scope).into()).await;
}

/// Neither what is ready, nor what waits for its time, nor what is paused makes a claim dearer.
pub async fn a_claim_costs_the_same_among_a_hundred_thousand(opened: &Opened) {
    const EACH: usize = 100_000 / 4;
    let scope = opened.organization().await;
    let store = &*opened.store;
    let hour = 3_600_000_000;
    let cheapest = async |until: i64| {
        let mut best = Duration::MAX;
        for n in 0..20 {
            let begun = Instant::now();
            let (now, kinds) = (Timestamp(hour), ["ingest", "deliver"]);
            let until = Timestamp(until + n);
            let got = store.claim(&scope, &kinds, "w", now, until, 8).await.unwrap();
            best = best.min(begun.elapsed());
            assert_eq!(got.len(), 8);
        }
        best
    };
    let fill = async |each: usize| {
        for page in 0..each / 500 {
            let piece = |n: usize| work(&format!("{each}/{page}/{n}"));
            let mut pieces: Vec<NewWork> = (0..500).map(piece).collect();
            let priority = Priority::Background;
            pieces.extend((500..1000).map(|n| NewWork { priority, ..piece(n) }));
            let later = |n| NewWork { not_before: Timestamp(2 * hour), ..piece(n) };
            pieces.extend((1000..1500).map(later));
            let paused = |n| NewWork { kind: "deliver".into(), ..piece(n) };
            pieces.extend((1500..2000).map(paused));
            enqueue(store, &scope, pieces).await;
        }
    };
    let pause = WorkChange::Pause { kind: "deliver".into(), by: "-".into(), at: Timestamp(0) };
    change(store, &scope, pause).await;
    fill(500).await;
    let few = cheapest(2 * hour).await;
    fill(EACH).await;
    let many = cheapest(2 * hour).await;
    eprintln!("a claim of eight: {few:?} among 2,000 and {many:?} among 100,000");
    assert!(many < few * 4 + Duration::from_millis(2), "{few:?} grew to {many:?}");
}

pub async fn who_has_work_is_known_without_opening_anything(opened: &Opened) {
    let store = &*opened.store;
    let platform = platform();
    let waiting =
        async |now: i64, limit| store.waiting(&platform, Timestamp(now), limit).await.unwrap();
    let ids: Vec<_> = (0..3).map(|_| OrganizationId(uuid())).collect();
    for (n, id) in ids.iter().enumerate() {
        let row = OrganizationRow {
            id: *id,
            slug: format!("slug-{n}"),
            name: "Name".into(),
            setup_code_hash: None,
            version: 1,
        };
        let batch = Batch { views: vec![ViewChange::Organization(row)], ..one(&new_stream()) };
        done(store.append((&platform).into(), batch).await);
    }
    let mut sorted = ids.clone();
    sorted.sort();
    assert_eq!(waiting(5, 10).await, sorted, "who was never looked at is looked at");
    let settle = async |id: OrganizationId, looked_at: i64, next: i64| {
        let settled = [(id, Timestamp(looked_at), Timestamp(next))];
        store.settle(&platform, &settled).await.unwrap();
    };
    settle(ids[0], 10, 500).await;
    settle(ids[1], 10, 300).await;
    settle(ids[2], 10, 400).await;
    assert_eq!(waiting(299, 10).await, []);
    assert_eq!(waiting(400, 10).await, [ids[1], ids[2]]);
    assert_eq!(waiting(500, 2).await, [ids[1], ids[2]], "the longest waiting first");
    store.mark(&platform, &[ids[0]], Timestamp(20)).await.unwrap();
    assert_eq!(waiting(20, 10).await, [ids[0]]);
    // A later mark does not put off an earlier one.
    store.mark(&platform, &[ids[0]], Timestamp(30)).await.unwrap();
    assert_eq!(waiting(20, 10).await, [ids[0]]);
    // A look from before the mark says nothing; one from after it does.
    settle(ids[0], 30, 900).await;
    assert_eq!(waiting(30, 10).await, [ids[0]]);
    settle(ids[0], 31, 900).await;
    assert_eq!(waiting(899, 1).await, [ids[1]]);
    assert_eq!(waiting(300, 10).await, [ids[1]]);
}
