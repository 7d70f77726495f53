//! The loops: nothing sleeps while there is work, nothing spins while there is none, nothing is tried for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use precordia_app::access::OrgScope;
use precordia_app::port::{
    ClaimedWork, Lease, Ports, Schedule, StoreError, WorkCounts, WorkEnd, WorkFilter, WorkQueue,
    WorkState,
};
use precordia_app::{App, END_SESSIONS, PRUNE, Settings, WORK_KINDS};
use precordia_model::{ItemState, Timestamp};

use crate::house::{House, Working, file, house, house_with, organization, send};

/// The queue as one process has it: its claims are counted, and it can be slow, deaf or cut off.
struct Spied {
    queue: Arc<dyn WorkQueue>,
    claims: AtomicUsize,
    extensions: AtomicUsize,
    /// Pruning takes so long.
    slow: Duration,
    /// Never gets a piece.
    deaf: bool,
    /// Never prolongs a lease.
    cut_off: bool,
}

impl Spied {
    fn on(house: &House) -> Self {
        Self {
            queue: house.ports.work.clone(),
            claims: AtomicUsize::default(),
            extensions: AtomicUsize::default(),
            slow: Duration::ZERO,
            deaf: false,
            cut_off: false,
        }
    }

    /// An application of its own on the same storage, as another process would be.
    fn process(self, house: &House, settings: Settings) -> (Arc<Self>, App) {
        let queue = Arc::new(self);
        let ports = Ports { work: queue.clone(), ..house.ports.clone() };
        (queue, App::new(ports, settings))
    }
}

#[async_trait]
impl WorkQueue for Spied {
    async fn claim(
        &self,
        scope: &OrgScope,
        kinds: &[&str],
        owner: &str,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<ClaimedWork>, StoreError> {
        self.claims.fetch_add(1, Ordering::SeqCst);
        if self.deaf {
            return Ok(Vec::new());
        }
        self.queue.claim(scope, kinds, owner, now, until, limit).await
    }

    async fn extend(&self, s: &OrgScope, l: &Lease, until: Timestamp) -> Result<bool, StoreError> {
        if self.cut_off {
            return Ok(false);
        }
        self.extensions.fetch_add(1, Ordering::SeqCst);
        self.queue.extend(s, l, until).await
    }

    async fn end(&self, s: &OrgScope, l: &Lease, end: WorkEnd) -> Result<bool, StoreError> {
        self.queue.end(s, l, end).await
    }

    async fn next_due(
        &self,
        s: &OrgScope,
        kinds: &[&str],
    ) -> Result<Option<Timestamp>, StoreError> {
        self.queue.next_due(s, kinds).await
    }

    async fn schedules_due(
        &self,
        s: &OrgScope,
        now: Timestamp,
    ) -> Result<Vec<Schedule>, StoreError> {
        self.queue.schedules_due(s, now).await
    }

    async fn put_schedules(&self, s: &OrgScope, all: &[Schedule]) -> Result<(), StoreError> {
        self.queue.put_schedules(s, all).await
    }

    async fn remove_done(
        &self,
        s: &OrgScope,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        tokio::time::sleep(self.slow).await;
        self.queue.remove_done(s, before, limit).await
    }
}

async fn counts(house: &House) -> WorkCounts {
    let counts = house.ports.work_views.counts(&house.all).await.unwrap();
    WorkCounts::of(&counts, &["ingest", "follow"])
}

/// The states and tries of all pieces of a kind.
async fn pieces(house: &House, kind: &str) -> Vec<(WorkState, i64)> {
    let filter = WorkFilter { state: None, kind: Some(kind.to_owned()) };
    let rows = house.ports.work_views.pieces(&house.all, &filter, None, 100).await.unwrap();
    rows.iter().map(|row| (row.state, row.attempts)).collect()
}

async fn until<T: PartialEq + std::fmt::Debug>(expected: T, mut look: impl AsyncFnMut() -> T) {
    for _ in 0..2400 {
        if look().await == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{:?} did not become {expected:?} in two minutes", look().await);
}

/// Organizations that rest are left alone, however many there are; each is looked at again in the end.
#[tokio::test(flavor = "multi_thread")]
async fn idle_workers_open_nothing_and_wake_at_once_for_an_upload() {
    let house = house().await;
    for number in 0..20 {
        organization(&house.app, &format!("quiet-{number}")).await;
    }
    let settings = Settings { workers: Some(4), ..Settings::default() };
    let (queue, app) = Spied::on(&house).process(&house, settings);
    let claims = || queue.claims.load(Ordering::SeqCst);
    let working = Working::on(&app);
    until(true, async || claims() >= 21).await;
    let before = at_rest(&claims).await;
    house.clock.advance(601);
    until(true, async || claims() >= before + 21).await;
    let before = at_rest(&claims).await;
    // Who is not woken is found two seconds later; that all ten are is not a question of speed.
    let mut fastest = Duration::MAX;
    for number in 0..10 {
        let bytes = file("A-1", "Noether", number);
        let item = send(&app, &house.all, &bytes).await;
        let begun = Instant::now();
        let item = app.wait_for_item(&house.all, item, Duration::from_secs(60)).await.unwrap();
        assert_eq!(item.row.state, ItemState::Filed);
        fastest = fastest.min(begun.elapsed());
    }
    assert!(fastest < Duration::from_millis(1500), "{fastest:?}");
    assert!(claims() - before < 60, "{} looks for ten uploads", claims() - before);
    working.end().await;
}

/// Waits until nobody was looked at for two turns of the loop that looks at who is due, and answers how
/// many looks there were.
async fn at_rest(claims: &impl Fn() -> usize) -> usize {
    for _ in 0..20 {
        let before = claims();
        tokio::time::sleep(Duration::from_millis(4500)).await;
        if claims() == before {
            return before;
        }
    }
    panic!("nobody has work and somebody is looked at again and again");
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_its_own_process_leaves_is_found_by_another() {
    let house = house().await;
    let deaf = Spied { deaf: true, ..Spied::on(&house) };
    let (_, first) = deaf.process(&house, Settings::default());
    let (_, second) = Spied::on(&house).process(&house, Settings::default());
    let (_first, _second) = (Working::on(&first), Working::on(&second));
    // Both have looked at everybody and rest.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let item = send(&first, &house.all, &file("A-1", "Noether", 1)).await;
    let state = async || first.item(&house.all, item).await.unwrap().row.state;
    until(ItemState::Filed, state).await;
    house.check().await;
}

/// Schedules are in the worker's loop; an hour makes all of them due.
async fn due_for_pruning(house: &House) {
    let first = Working::on(&house.app);
    until(true, async || !house.ports.work_views.schedules(&house.all).await.unwrap().is_empty())
        .await;
    first.end().await;
    house.clock.advance(3601);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_slower_than_its_lease_keeps_its_piece() {
    let settings = Settings { lease_seconds: 1, workers: Some(2), ..Settings::default() };
    let house = house_with(settings.clone()).await;
    due_for_pruning(&house).await;
    let slow = Spied { slow: Duration::from_secs(4), ..Spied::on(&house) };
    let (queue, first) = slow.process(&house, settings.clone());
    let (_, second) = Spied::on(&house).process(&house, settings);
    let _first = Working::on(&first);
    until(vec![(WorkState::Leased, 1)], async || pieces(&house, PRUNE).await).await;
    let _second = Working::on(&second);
    until(vec![(WorkState::Done, 1)], async || pieces(&house, PRUNE).await).await;
    let extensions = queue.extensions.load(Ordering::SeqCst);
    assert!((6..=14).contains(&extensions), "{extensions} times in four seconds");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(queue.extensions.load(Ordering::SeqCst), extensions, "a heart beats on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_worker_that_lost_its_lease_ends_nothing() {
    let settings = Settings { lease_seconds: 2, workers: Some(1), ..Settings::default() };
    let house = house_with(settings.clone()).await;
    due_for_pruning(&house).await;
    let slow = Spied { slow: Duration::from_secs(7), cut_off: true, ..Spied::on(&house) };
    let (_, first) = slow.process(&house, settings.clone());
    let slower = Spied { slow: Duration::from_secs(9), ..Spied::on(&house) };
    let (_, second) = slower.process(&house, settings);
    let first = Working::on(&first);
    until(vec![(WorkState::Leased, 1)], async || pieces(&house, PRUNE).await).await;
    let second = Working::on(&second);
    until(vec![(WorkState::Leased, 2)], async || pieces(&house, PRUNE).await).await;
    // The first ends its try within the second's, and nothing comes of it.
    first.end().await;
    assert_eq!(pieces(&house, PRUNE).await, [(WorkState::Leased, 2)]);
    until(vec![(WorkState::Done, 2)], async || pieces(&house, PRUNE).await).await;
    second.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_recurs_removes_old_work_and_ended_sessions() {
    let house = house().await;
    for number in 0..3 {
        let item = house.send(&file("A-1", "Noether", number)).await;
        let working = Working::on(&house.app);
        house.decided(item).await;
        working.end().await;
    }
    let processes = [house.app.clone(), App::new(house.ports.clone(), Settings::default())];
    due_for_pruning(&house).await;
    let working = processes.each_ref().map(Working::on);
    for kind in [PRUNE, END_SESSIONS] {
        until(vec![(WorkState::Done, 1)], async || pieces(&house, kind).await).await;
    }
    assert_eq!(pieces(&house, "ingest").await.len(), 3, "finished work is kept for a week");
    let session = house.all_cookie.split('.').nth(1).unwrap();
    let session: precordia_model::SessionId = session.parse().unwrap();
    assert!(house.ports.accounts.session((&house.all).into(), session).await.unwrap().is_some());
    house.clock.advance(8 * 24 * 3600);
    until(0, async || pieces(&house, "ingest").await.len()).await;
    until(true, async || {
        let session = house.ports.accounts.session((&house.all).into(), session).await;
        session.unwrap().is_none()
    })
    .await;
    // What came due a hundred times meanwhile came once.
    let mut prunes = pieces(&house, PRUNE).await;
    prunes.retain(|(state, _)| *state == WorkState::Done);
    assert!(prunes.len() <= 2, "{prunes:?}");
    for working in working {
        working.end().await;
    }
    house.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_whose_worker_vanished_is_taken_over_once() {
    let house = house().await;
    let bytes = file("A-1", "Noether", 1);
    let item = house.send(&bytes).await;
    let now = house.app.now();
    let lost = house
        .ports
        .work
        .claim(&house.all, &["ingest"], "vanished", now, now.plus_seconds(60), 8)
        .await
        .unwrap();
    assert_eq!(lost.len(), 1);
    let _working = Working::on(&house.app);
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let row = house.app.item(&house.all, item).await.unwrap().row;
    assert_eq!(row.state, ItemState::InFlight, "its lease still holds");
    house.clock.advance(61);
    house.settled().await;
    assert_eq!(house.worklist().await.len(), 1);
    house.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_tried_again_later_given_up_at_last_and_stays_in_the_books() {
    let house =
        house_with(Settings { work_attempts_max: 3, workers: Some(1), ..Settings::default() })
            .await;
    let item = house.send(&file("A-1", "Noether", 1)).await;
    let healthy = house.send(&file("B-1", "Germain", 2)).await;
    let blob = house.app.item(&house.all, item).await.unwrap().row.blob.unwrap();
    house.ports.blobs.remove(&house.all, blob).await.unwrap();
    let working = Working::on(&house.app);
    house.decided(healthy).await;
    for _ in 0..20 {
        if counts(&house).await.dead == 1 {
            break;
        }
        house.clock.advance(600);
        tokio::time::sleep(Duration::from_millis(2100)).await;
    }
    working.end().await;
    let counts = counts(&house).await;
    assert_eq!((counts.ready, counts.leased, counts.dead), (0, 0, 1));
    assert_eq!(house.app.item(&house.all, item).await.unwrap().row.state, ItemState::InFlight);
    let report = house.app.balance(&house.all).await.unwrap();
    assert_eq!((report.by_events.in_flight, report.work.dead), (1, 1));
    let gauges = house.app.work_gauges().await.unwrap();
    assert!(gauges.given_up == 1 && gauges.overdue && gauges.in_flight == 1, "{gauges:?}");
    assert_eq!(gauges.kinds.len(), WORK_KINDS.len());
    assert_eq!((gauges.kinds[0].0, gauges.kinds[0].1.dead), ("ingest", 1));
    house.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_kills_its_worker_each_time_is_given_up_too() {
    let house =
        house_with(Settings { work_attempts_max: 2, workers: Some(1), ..Settings::default() })
            .await;
    house.send(&file("A-1", "Noether", 1)).await;
    for _ in 0..3 {
        let now = house.app.now();
        let until = now.plus_seconds(60);
        let claim = house.ports.work.claim(&house.all, &["ingest"], "killed", now, until, 8).await;
        assert_eq!(claim.unwrap().len(), 1);
        house.clock.advance(61);
    }
    let working = Working::on(&house.app);
    for _ in 0..200 {
        if counts(&house).await.dead == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    working.end().await;
    assert_eq!(counts(&house).await.dead, 1);
    assert!(house.worklist().await.is_empty());
    house.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn much_work_of_one_organization_does_not_starve_another() {
    let house = house_with(Settings { workers: Some(1), ..Settings::default() }).await;
    for number in 0..60 {
        house.send(&file("A-1", "Noether", number)).await;
    }
    let (other, _) = organization(&house.app, "northgate").await;
    let roles = vec![precordia_model::Role::Cardiologist];
    crate::house::add_user(&house.app, &other, "all", roles).await;
    let signed_in = crate::house::sign_in(&house.app, "northgate", "all").await;
    let other = crate::house::scope_of(&house.app, &signed_in.cookie).await;
    let item = send(&house.app, &other, &file("B-1", "Germain", 1)).await;
    let working = Working::on(&house.app);
    let item = house.app.wait_for_item(&other, item, Duration::from_secs(30)).await.unwrap();
    assert_eq!(item.row.state, ItemState::Filed);
    let waiting = house.app.items(&house.all, Some(ItemState::InFlight), None, 100).await.unwrap();
    assert!(waiting.len() > 20, "{} of 60 still wait", waiting.len());
    // Told to stop, workers end what they hold; what is left is there afterwards.
    working.end().await;
    house.check().await;
    let counts = counts(&house).await;
    assert_eq!(counts.leased, 0);
    let working = Working::on(&house.app);
    house.settled().await;
    working.end().await;
    house.check().await;
}
