//! The ledger as the use cases see it, watched: what was acknowledged is remembered, other workers and
//! other senders come in between, and the planted faults of the ledger are made here.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use precordia_app::access::OrgScope;
use precordia_app::port::{
    Append, Batch, EventFilter, EventLog, Head, LogName, Position, Realm, RealmId, StoreError,
    StoredAccess, StoredEvent, StoredResource, Stream,
};

use crate::disk::Disk;
use crate::plant::Plant;

/// An event that its writer was told is in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    pub stream: String,
    pub version: i64,
    pub payload: Vec<u8>,
}

/// What was acknowledged in all lives of a run.
#[derive(Default)]
pub struct Promises(Mutex<Kept>);

#[derive(Default, Clone)]
pub struct Kept {
    pub events: BTreeMap<(RealmId, Position), Acknowledged>,
    pub accesses: BTreeMap<RealmId, i64>,
    /// An answer that cannot be, and why.
    pub broken: Option<String>,
}

impl Promises {
    pub fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn done(&self, realm: RealmId, batch: &Batch, positions: &[Position]) {
        let mut kept = self.kept();
        if positions.len() != batch.events.len() {
            kept.broken =
                Some(String::from("an append answered for other events than it was given"));
        }
        for (event, position) in batch.events.iter().zip(positions) {
            let acknowledged = Acknowledged {
                stream: event.stream.0.clone(),
                version: event.version,
                payload: event.payload.clone(),
            };
            let before = kept.events.insert((realm, *position), acknowledged);
            if before.is_some() {
                kept.broken = Some(format!("position {position} was given twice"));
            }
        }
        *kept.accesses.entry(realm).or_default() += batch.access.len() as i64;
    }
}

pub type Turn = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Somebody who comes in between, before a batch goes to the storage.
pub type Between = Arc<dyn Fn(&Batch) -> Option<Turn> + Send + Sync>;

pub struct WatchedLog {
    pub log: Arc<dyn EventLog>,
    pub promises: Arc<Promises>,
    pub plant: Option<Plant>,
    pub between: Between,
    pub disk: Arc<Disk>,
    /// Answered for and not yet written: the fault `acknowledged-early`.
    pub late: tokio::sync::Mutex<Option<(RealmId, Batch)>>,
}

#[async_trait]
impl EventLog for WatchedLog {
    async fn append(&self, realm: Realm<'_>, batch: Batch) -> Result<Append, StoreError> {
        if let Some(turn) = (self.between)(&batch) {
            turn.await;
        }
        let unreliable = self.disk.sync_failed();
        let answer = self.append_planted(realm, batch.clone()).await?;
        if let Append::Done { positions } = &answer {
            if unreliable {
                let broken = String::from("an append was acknowledged after a failed sync");
                self.promises.kept().broken = Some(broken);
            }
            self.promises.done(realm.id(), &batch, positions);
        }
        Ok(answer)
    }

    async fn head(&self, realm: Realm<'_>, log: LogName) -> Result<Head, StoreError> {
        self.log.head(realm, log).await
    }

    async fn events(
        &self,
        realm: Realm<'_>,
        after: Position,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.log.events(realm, after, limit).await
    }

    async fn events_where(
        &self,
        realm: Realm<'_>,
        filter: &EventFilter,
        after: Position,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.log.events_where(realm, filter, after, limit).await
    }

    async fn stream(
        &self,
        realm: Realm<'_>,
        stream: &Stream,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.log.stream(realm, stream).await
    }

    async fn accesses(
        &self,
        realm: Realm<'_>,
        after: Position,
        limit: u32,
    ) -> Result<Vec<StoredAccess>, StoreError> {
        self.log.accesses(realm, after, limit).await
    }

    async fn accesses_to(
        &self,
        realm: Realm<'_>,
        target: Option<&str>,
        actor: Option<&str>,
        before: Option<Position>,
        limit: u32,
    ) -> Result<Vec<StoredAccess>, StoreError> {
        self.log.accesses_to(realm, target, actor, before, limit).await
    }

    async fn effects(
        &self,
        realm: Realm<'_>,
        keys: &[String],
    ) -> Result<BTreeMap<String, String>, StoreError> {
        self.log.effects(realm, keys).await
    }

    async fn rows_without_events(
        &self,
        scope: &OrgScope,
        limit: u32,
    ) -> Result<Vec<Stream>, StoreError> {
        self.log.rows_without_events(scope, limit).await
    }

    async fn resources(
        &self,
        realm: Realm<'_>,
        after: Position,
        limit: u32,
    ) -> Result<Vec<StoredResource>, StoreError> {
        self.log.resources(realm, after, limit).await
    }
}

impl WatchedLog {
    async fn append_planted(
        &self,
        realm: Realm<'_>,
        mut batch: Batch,
    ) -> Result<Append, StoreError> {
        match self.plant {
            Some(Plant::AcknowledgedEarly) => self.append_late(realm, batch).await,
            Some(Plant::EffectUnchecked) => {
                batch.effects.clear();
                self.log.append(realm, batch).await
            }
            Some(Plant::PremiseUnchecked) => {
                batch.expect.clear();
                batch.exactly.clear();
                self.log.append(realm, batch).await
            }
            Some(Plant::LeaseUnchecked) => {
                let again = Batch { finish: None, ..batch.clone() };
                match self.log.append(realm, batch).await? {
                    Append::LeaseLost { .. } => self.log.append(realm, again).await,
                    answer => Ok(answer),
                }
            }
            Some(Plant::EventApart) if !batch.events.is_empty() => {
                let apart = Batch {
                    work: std::mem::take(&mut batch.work),
                    finish: batch.finish.take(),
                    ..Batch::default()
                };
                let answer = self.log.append(realm, batch).await?;
                if let Append::Done { .. } = &answer {
                    self.log.append(realm, apart).await?;
                }
                Ok(answer)
            }
            _ => self.log.append(realm, batch).await,
        }
    }

    /// Answers for a received item at once and writes it when the next batch comes.
    async fn append_late(&self, realm: Realm<'_>, batch: Batch) -> Result<Append, StoreError> {
        let mut late = self.late.lock().await;
        if let Some((_, earlier)) = late.take_if(|(of, _)| *of == realm.id()) {
            self.log.append(realm, earlier).await?;
        }
        if late.is_some() || batch.effects.is_empty() || batch.events.len() != 1 {
            return self.log.append(realm, batch).await;
        }
        let head = self.log.head(realm, LogName::Events).await?;
        *late = Some((realm.id(), batch));
        Ok(Append::Done { positions: vec![head.position + 1] })
    }
}
