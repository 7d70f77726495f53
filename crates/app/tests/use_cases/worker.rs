//! The loops: nothing sleeps while there is work, nothing spins while there is none, nothing is tried for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use precordia_app::access::OrgScope;
use precordia_app::port::{ClaimedWork, Lease, Ports, StoreError, WorkCounts, WorkEnd, WorkQueue};
use precordia_app::{App, Settings};
use precordia_model::{ItemState, Timestamp};

use crate::house::{Working, file, house, house_with, organization, send};

/// The queue, with its claims counted and its owners cut short.
struct Counted {
    queue: Arc<dyn WorkQueue>,
    claims: AtomicUsize,
}

#[async_trait]
impl WorkQueue for Counted {
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
        self.queue.claim(scope, kinds, owner, now, until, limit).await
    }

    async fn extend(&self, s: &OrgScope, l: &Lease, until: Timestamp) -> Result<bool, StoreError> {
        self.queue.extend(s, l, until).await
    }

    async fn end(&self, s: &OrgScope, l: &Lease, end: WorkEnd) -> Result<bool, StoreError> {
        self.queue.end(s, l, end).await
    }

    async fn counts(&self, scope: &OrgScope) -> Result<WorkCounts, StoreError> {
        self.queue.counts(scope).await
    }

    async fn open_subjects(&self, s: &OrgScope, kind: &str) -> Result<Vec<String>, StoreError> {
        self.queue.open_subjects(s, kind).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_worker_asks_only_at_the_sweep_and_wakes_at_once_for_an_upload() {
    let house = house().await;
    let queue =
        Arc::new(Counted { queue: house.ports.work.clone(), claims: AtomicUsize::default() });
    let ports = Ports { work: queue.clone(), ..house.ports.clone() };
    let app = App::new(ports, Settings { workers: Some(4), ..Settings::default() });
    let working = Working::on(&app);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = queue.claims.load(Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(4)).await;
    let claims = queue.claims.load(Ordering::SeqCst) - before;
    assert!((1..=4).contains(&claims), "{claims} claims in four idle seconds");
    for number in 0..10 {
        let bytes = file("A-1", "Noether", number);
        let item = send(&app, &house.all, &bytes).await;
        let begun = Instant::now();
        let item = app.wait_for_item(&house.all, item, Duration::from_secs(20)).await.unwrap();
        assert_eq!(item.row.state, ItemState::Filed);
        assert!(begun.elapsed() < Duration::from_millis(1500), "{:?}", begun.elapsed());
    }
    let begun = Instant::now();
    working.end().await;
    assert!(begun.elapsed() < Duration::from_secs(2), "workers stop soon");
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
        if house.ports.work.counts(&house.all).await.unwrap().dead == 1 {
            break;
        }
        house.clock.advance(600);
        tokio::time::sleep(Duration::from_millis(2100)).await;
    }
    working.end().await;
    let counts = house.ports.work.counts(&house.all).await.unwrap();
    assert_eq!((counts.ready, counts.leased, counts.dead), (0, 0, 1));
    assert_eq!(house.app.item(&house.all, item).await.unwrap().row.state, ItemState::InFlight);
    let report = house.app.balance(&house.all).await.unwrap();
    assert_eq!((report.by_events.in_flight, report.work.dead), (1, 1));
    let gauges = house.app.intake_gauges().await.unwrap();
    assert!(gauges.given_up == 1 && gauges.overdue && gauges.in_flight == 1, "{gauges:?}");
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
        if house.ports.work.counts(&house.all).await.unwrap().dead == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    working.end().await;
    assert_eq!(house.ports.work.counts(&house.all).await.unwrap().dead, 1);
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
    let counts = house.ports.work.counts(&house.all).await.unwrap();
    assert_eq!(counts.leased, 0);
    let working = Working::on(&house.app);
    house.settled().await;
    working.end().await;
    house.check().await;
}
