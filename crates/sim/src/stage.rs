//! Where the actors of a run meet: whose turn it is, and who comes in between.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use precordia_app::access::OrgScope;
use precordia_app::port::{
    Batch, ClaimedWork, Lease, Ports, Schedule, StoreError, WorkEnd, WorkQueue,
};
use precordia_app::{App, AppError};
use precordia_model::{OrganizationId, Timestamp};

use crate::actor::{Actor, Erasing, Receipt};
use crate::dice::Dice;
use crate::log::{Between, Turn};
use crate::world::SimClock;

/// Longer than a lease of the product.
const LEASE_OVER_SECONDS: i64 = 16;

pub struct Stage {
    dice: Mutex<Dice>,
    clock: Arc<SimClock>,
    other: Mutex<Option<(App, Ports)>>,
    now: Mutex<Option<(OrganizationId, Option<usize>)>>,
    inside: AtomicBool,
    turns: AtomicUsize,
    receipts: Mutex<Vec<Receipt>>,
    erasing: Mutex<Vec<Erasing>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stage {
    pub fn new(seed: u64, clock: &Arc<SimClock>) -> Arc<Self> {
        Arc::new(Self {
            dice: Mutex::new(Dice::new(seed, 3)),
            clock: Arc::clone(clock),
            other: Mutex::default(),
            now: Mutex::default(),
            inside: AtomicBool::new(false),
            turns: AtomicUsize::new(0),
            receipts: Mutex::default(),
            erasing: Mutex::default(),
        })
    }

    /// Another process on the storage of the life that begins; `None` when it ends.
    pub fn set_other(&self, other: Option<(App, Ports)>) {
        *lock(&self.other) = other;
    }

    /// Whose turn it is, and what is being sent.
    pub fn set_turn(&self, organization: OrganizationId, sending: Option<usize>) {
        *lock(&self.now) = Some((organization, sending));
    }

    pub fn nobody_comes(&self) {
        *lock(&self.now) = None;
    }

    /// How often somebody came in between.
    pub fn turns(&self) -> usize {
        self.turns.load(Ordering::SeqCst)
    }

    pub fn receipt(&self, receipt: Receipt) {
        lock(&self.receipts).push(receipt);
    }

    pub fn take_receipts(&self) -> Vec<Receipt> {
        std::mem::take(&mut lock(&self.receipts))
    }

    pub fn erasing(&self, erasing: Vec<Erasing>) {
        lock(&self.erasing).extend(erasing);
    }

    pub fn take_erasing(&self) -> Vec<Erasing> {
        std::mem::take(&mut lock(&self.erasing))
    }

    fn one_in(&self, n: usize) -> bool {
        lock(&self.dice).one_in(n)
    }

    /// Between the reading and the writing of a use case another process does something of its own: a
    /// second worker takes the same work over, the same object comes by another way, or somebody moves
    /// or erases what this one looked at.
    pub fn between(self: &Arc<Self>) -> Between {
        let stage = Arc::clone(self);
        Arc::new(move |batch| stage.turn_before(batch))
    }

    fn turn_before(self: &Arc<Self>, batch: &Batch) -> Option<Turn> {
        let (organization, sending) = (*lock(&self.now))?;
        if batch.events.is_empty() && batch.finish.is_none() {
            return None;
        }
        // Whose something is, is what two may decide at once.
        let whose =
            |stream: &str| stream.starts_with("patient/") || stream.starts_with("recording/");
        let moves = batch.events.iter().any(|event| whose(event.stream.as_str()));
        if !self.one_in(if moves { 2 } else { 6 }) {
            return None;
        }
        let (app, ports) = lock(&self.other).clone()?;
        if self.inside.swap(true, Ordering::SeqCst) {
            return None;
        }
        self.turns.fetch_add(1, Ordering::SeqCst);
        let stage = Arc::clone(self);
        let other = Actor { app, ports, organization };
        let works = batch.finish.is_some();
        Some(Box::pin(async move {
            // What goes wrong there is tried again like anything else.
            let _ = stage.come_between(&other, sending, works).await;
            stage.inside.store(false, Ordering::SeqCst);
        }))
    }

    async fn come_between(
        &self,
        other: &Actor,
        sending: Option<usize>,
        works: bool,
    ) -> Result<(), AppError> {
        let mut dice = {
            let mut dice = lock(&self.dice);
            Dice::new(dice.next(), 5)
        };
        match (dice.below(8), sending) {
            (0..3, Some(content)) => {
                let receipt = other.send(content).await?;
                self.receipt(receipt);
                Ok(())
            }
            (0..3, None) => {
                if works {
                    self.clock.jump(LEASE_OVER_SECONDS);
                }
                other.work("another").await
            }
            (3..5, _) => other.merge(&mut dice).await,
            (5, _) => other.unmerge(&mut dice).await,
            (6, _) => other.unassign(&mut dice).await,
            _ => {
                let mut erasing = Vec::new();
                let erased = other.erase(&mut dice, &mut erasing).await;
                self.erasing(erasing);
                erased
            }
        }
    }
}

/// A queue whose leases are sometimes lost to somebody who then does nothing.
pub struct ThievingQueue {
    pub queue: Arc<dyn WorkQueue>,
    pub stage: Arc<Stage>,
}

#[async_trait]
impl WorkQueue for ThievingQueue {
    async fn claim(
        &self,
        scope: &OrgScope,
        kinds: &[&str],
        owner: &str,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<ClaimedWork>, StoreError> {
        let claimed = self.queue.claim(scope, kinds, owner, now, until, limit).await?;
        let quiet = lock(&self.stage.now).is_none();
        if !claimed.is_empty() && !quiet && self.stage.one_in(12) {
            let later = now.plus_seconds(LEASE_OVER_SECONDS);
            let end = later.plus_seconds(LEASE_OVER_SECONDS);
            self.queue.claim(scope, kinds, "thief", later, end, limit).await?;
        }
        Ok(claimed)
    }

    async fn extend(&self, s: &OrgScope, l: &Lease, until: Timestamp) -> Result<bool, StoreError> {
        self.queue.extend(s, l, until).await
    }

    async fn end(&self, s: &OrgScope, l: &Lease, end: WorkEnd) -> Result<bool, StoreError> {
        self.queue.end(s, l, end).await
    }

    async fn next_due(
        &self,
        scope: &OrgScope,
        kinds: &[&str],
    ) -> Result<Option<Timestamp>, StoreError> {
        self.queue.next_due(scope, kinds).await
    }

    async fn schedules_due(
        &self,
        scope: &OrgScope,
        now: Timestamp,
    ) -> Result<Vec<Schedule>, StoreError> {
        self.queue.schedules_due(scope, now).await
    }

    async fn put_schedules(
        &self,
        scope: &OrgScope,
        schedules: &[Schedule],
    ) -> Result<(), StoreError> {
        self.queue.put_schedules(scope, schedules).await
    }

    async fn remove_done(
        &self,
        scope: &OrgScope,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.queue.remove_done(scope, before, limit).await
    }
}
