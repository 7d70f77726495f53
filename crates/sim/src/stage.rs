//! Where the actors of a run meet: whose turn it is, and who comes in between.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use precordia_app::access::OrgScope;
use precordia_app::port::{Batch, ClaimedWork, Lease, Schedule, StoreError, WorkEnd, WorkQueue};
use precordia_app::{App, Arrival, ReceiveError};
use precordia_model::{Door, ItemId, OrganizationId, RequestId, Timestamp};
use uuid::Uuid;

use crate::content;
use crate::dice::Dice;
use crate::log::{Between, Turn};
use crate::world::SimClock;

/// Longer than a lease of the product.
const LEASE_OVER_SECONDS: i64 = 16;

/// A handle that may do everything in an organization.
pub fn scope_of(organization: OrganizationId) -> OrgScope {
    OrgScope::for_tests(organization, RequestId(Uuid::from_u128(7)))
}

/// Sends one object as a door does.
pub async fn send(app: &App, scope: &OrgScope, content: usize) -> Result<ItemId, ReceiveError> {
    let bytes = &content::all()[content].bytes;
    let arrival = Arrival {
        door: Door::Upload,
        site: None,
        file_name: None,
        declared_bytes: Some(bytes.len() as u64),
    };
    let mut receiving = app.receive(scope, arrival).await?;
    receiving.write(bytes).await?;
    receiving.finish().await
}

/// An upload whose sender was told that it is there.
pub type Receipt = (OrganizationId, ItemId, usize);

pub struct Stage {
    dice: Mutex<Dice>,
    clock: Arc<SimClock>,
    app: Mutex<Option<App>>,
    now: Mutex<Option<(OrganizationId, Option<usize>)>>,
    inside: AtomicBool,
    receipts: Mutex<Vec<Receipt>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stage {
    pub fn new(seed: u64, clock: &Arc<SimClock>) -> Arc<Self> {
        Arc::new(Self {
            dice: Mutex::new(Dice::new(seed, 3)),
            clock: Arc::clone(clock),
            app: Mutex::default(),
            now: Mutex::default(),
            inside: AtomicBool::new(false),
            receipts: Mutex::default(),
        })
    }

    /// The application of the life that begins; `None` when it ends.
    pub fn set_app(&self, app: Option<App>) {
        *lock(&self.app) = app;
    }

    /// Whose turn it is, and what is being sent.
    pub fn set_turn(&self, organization: OrganizationId, sending: Option<usize>) {
        *lock(&self.now) = Some((organization, sending));
    }

    pub fn nobody_comes(&self) {
        *lock(&self.now) = None;
    }

    pub fn receipt(&self, receipt: Receipt) {
        lock(&self.receipts).push(receipt);
    }

    pub fn take_receipts(&self) -> Vec<Receipt> {
        std::mem::take(&mut lock(&self.receipts))
    }

    fn one_in(&self, n: usize) -> bool {
        lock(&self.dice).one_in(n)
    }

    /// Before a worker ends its work another takes it over and does it too; before an object is filed as
    /// new its copy comes by another way.
    pub fn between(self: &Arc<Self>) -> Between {
        let stage = Arc::clone(self);
        Arc::new(move |batch| stage.turn_before(batch))
    }

    fn turn_before(self: &Arc<Self>, batch: &Batch) -> Option<Turn> {
        let (organization, sending) = (*lock(&self.now))?;
        let worker = batch.finish.is_some();
        let sender = sending.filter(|_| !worker && !batch.effects.is_empty());
        if (!worker && sender.is_none()) || !self.one_in(6) {
            return None;
        }
        if self.inside.swap(true, Ordering::SeqCst) {
            return None;
        }
        let app = lock(&self.app).clone()?;
        let stage = Arc::clone(self);
        Some(Box::pin(async move {
            match sender {
                Some(content) => {
                    let sent = send(&app, &scope_of(organization), content).await;
                    if let Ok(item) = sent {
                        stage.receipt((organization, item, content));
                    }
                }
                None => {
                    stage.clock.jump(LEASE_OVER_SECONDS);
                    // What goes wrong there is tried again like any other work.
                    let _ = app.work_on(organization, "another").await;
                }
            }
            stage.inside.store(false, Ordering::SeqCst);
        }))
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
