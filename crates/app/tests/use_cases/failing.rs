//! Ports of a process that dies: at a chosen step, before or after it had its effect, a call fails, and
//! from then on all do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use precordia_app::access::OrgScope;
use precordia_app::port::{
    Append, Batch, BlobWriter, Blobs, EventFilter, EventLog, Head, KeyRow, KeyStore, LogName,
    MasterKey, MasterKeyError, MasterWrapped, Ports, Position, Realm, RetiredMaster, StoreError,
    StoredAccess, StoredEvent, StoredResource, Stream, WrappedKey,
};
use precordia_model::{BlobId, KeyId, Timestamp};
use zeroize::Zeroizing;

/// Asked before a call with its name, and after it had its effect with the name and ` done`.
type Dies = dyn Fn(&str) -> bool + Send + Sync;

struct Dying {
    ports: Ports,
    dies: Box<Dies>,
    /// Once dead, dead.
    for_ever: bool,
    dead: AtomicBool,
}

/// The same storage, seen by a process that dies when `dies` says so.
pub fn dying(ports: &Ports, dies: impl Fn(&str) -> bool + Send + Sync + 'static) -> Ports {
    seen_by(ports, dies, true)
}

/// The same storage, which fails at each step of which `fails` says so, and works at the others.
pub fn failing(ports: &Ports, fails: impl Fn(&str) -> bool + Send + Sync + 'static) -> Ports {
    seen_by(ports, fails, false)
}

fn seen_by(
    ports: &Ports,
    dies: impl Fn(&str) -> bool + Send + Sync + 'static,
    for_ever: bool,
) -> Ports {
    let dying = Arc::new(Dying {
        ports: ports.clone(),
        dies: Box::new(dies),
        for_ever,
        dead: AtomicBool::new(false),
    });
    Ports {
        log: dying.clone(),
        blobs: dying.clone(),
        keys: dying.clone(),
        master: dying.clone(),
        ..ports.clone()
    }
}

const MESSAGE: &str = "the process was killed";

impl Dying {
    fn is_dead(&self, at: &str) -> bool {
        let dies = (self.dies)(at);
        self.dead.fetch_or(dies && self.for_ever, Ordering::SeqCst);
        dies || self.dead.load(Ordering::SeqCst)
    }

    async fn step<T>(
        &self,
        name: &str,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let killed = || StoreError::Failed { context: "dying", message: String::from(MESSAGE) };
        if self.is_dead(name) {
            return Err(killed());
        }
        let done = call.await;
        if self.is_dead(&format!("{name} done")) { Err(killed()) } else { done }
    }

    async fn master<T>(
        &self,
        name: &str,
        call: impl Future<Output = Result<T, MasterKeyError>>,
    ) -> Result<T, MasterKeyError> {
        let killed = || MasterKeyError::Failed(String::from(MESSAGE));
        if self.is_dead(name) {
            return Err(killed());
        }
        let done = call.await;
        if self.is_dead(&format!("{name} done")) { Err(killed()) } else { done }
    }
}

#[async_trait]
impl EventLog for Dying {
    async fn append(&self, realm: Realm<'_>, batch: Batch) -> Result<Append, StoreError> {
        let is_access = batch.events.is_empty() && batch.keys.is_empty();
        let name = if is_access { "log.access" } else { "log.append" };
        self.step(name, self.ports.log.append(realm, batch)).await
    }
    async fn head(&self, realm: Realm<'_>, log: LogName) -> Result<Head, StoreError> {
        self.ports.log.head(realm, log).await
    }
    async fn events(
        &self,
        realm: Realm<'_>,
        after: Position,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.ports.log.events(realm, after, limit).await
    }
    async fn stream(&self, realm: Realm<'_>, s: &Stream) -> Result<Vec<StoredEvent>, StoreError> {
        self.ports.log.stream(realm, s).await
    }
    async fn accesses(
        &self,
        realm: Realm<'_>,
        after: Position,
        limit: u32,
    ) -> Result<Vec<StoredAccess>, StoreError> {
        self.ports.log.accesses(realm, after, limit).await
    }
    async fn accesses_to(
        &self,
        realm: Realm<'_>,
        target: Option<&str>,
        actor: Option<&str>,
        before: Option<Position>,
        limit: u32,
    ) -> Result<Vec<StoredAccess>, StoreError> {
        self.ports.log.accesses_to(realm, target, actor, before, limit).await
    }
    async fn events_where(
        &self,
        realm: Realm<'_>,
        filter: &EventFilter,
        after: Position,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.ports.log.events_where(realm, filter, after, limit).await
    }
    async fn effects(
        &self,
        realm: Realm<'_>,
        keys: &[String],
    ) -> Result<BTreeMap<String, String>, StoreError> {
        self.ports.log.effects(realm, keys).await
    }
    async fn rows_without_events(
        &self,
        scope: &OrgScope,
        limit: u32,
    ) -> Result<Vec<Stream>, StoreError> {
        self.ports.log.rows_without_events(scope, limit).await
    }
    async fn resources(
        &self,
        realm: Realm<'_>,
        after: Position,
        limit: u32,
    ) -> Result<Vec<StoredResource>, StoreError> {
        self.ports.log.resources(realm, after, limit).await
    }
}

#[async_trait]
impl Blobs for Dying {
    async fn create(&self, s: &OrgScope, id: BlobId) -> Result<Box<dyn BlobWriter>, StoreError> {
        self.ports.blobs.create(s, id).await
    }
    async fn read(
        &self,
        scope: &OrgScope,
        id: BlobId,
        offset: u64,
        length: u32,
    ) -> Result<Bytes, StoreError> {
        self.ports.blobs.read(scope, id, offset, length).await
    }
    async fn size(&self, scope: &OrgScope, id: BlobId) -> Result<u64, StoreError> {
        self.ports.blobs.size(scope, id).await
    }
    async fn written_at(
        &self,
        scope: &OrgScope,
        id: BlobId,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.ports.blobs.written_at(scope, id).await
    }
    async fn remove(&self, scope: &OrgScope, id: BlobId) -> Result<(), StoreError> {
        self.step("blobs.remove", self.ports.blobs.remove(scope, id)).await
    }
    async fn list(
        &self,
        scope: &OrgScope,
        after: Option<BlobId>,
        limit: u32,
    ) -> Result<Vec<BlobId>, StoreError> {
        self.ports.blobs.list(scope, after, limit).await
    }
}

#[async_trait]
impl KeyStore for Dying {
    async fn chain(&self, realm: Realm<'_>, ids: &[KeyId]) -> Result<Vec<WrappedKey>, StoreError> {
        self.step("keys.chain", self.ports.keys.chain(realm, ids)).await
    }
    async fn of_subject(
        &self,
        realm: Realm<'_>,
        subject: &str,
    ) -> Result<Vec<WrappedKey>, StoreError> {
        self.step("keys.of_subject", self.ports.keys.of_subject(realm, subject)).await
    }
    async fn wrapped_by(
        &self,
        realm: Realm<'_>,
        by: KeyId,
        limit: u32,
    ) -> Result<Vec<WrappedKey>, StoreError> {
        self.step("keys.wrapped_by", self.ports.keys.wrapped_by(realm, by, limit)).await
    }
    async fn all(
        &self,
        realm: Realm<'_>,
        after: Option<KeyId>,
        limit: u32,
    ) -> Result<Vec<KeyRow>, StoreError> {
        self.step("keys.all", self.ports.keys.all(realm, after, limit)).await
    }
    async fn uses(&self, realm: Realm<'_>, id: KeyId) -> Result<i64, StoreError> {
        self.ports.keys.uses(realm, id).await
    }
    async fn scrub(&self, realm: Realm<'_>) -> Result<(), StoreError> {
        self.step("keys.scrub", self.ports.keys.scrub(realm)).await
    }
}

#[async_trait]
impl MasterKey for Dying {
    async fn active(&self) -> Result<KeyId, MasterKeyError> {
        self.master("master.active", self.ports.master.active()).await
    }
    async fn wrap(&self, key: &[u8], context: &[u8]) -> Result<MasterWrapped, MasterKeyError> {
        self.master("master.wrap", self.ports.master.wrap(key, context)).await
    }
    async fn unwrap(
        &self,
        by: KeyId,
        wrapped: &[u8],
        context: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, MasterKeyError> {
        self.master("master.unwrap", self.ports.master.unwrap(by, wrapped, context)).await
    }
    async fn retired(&self) -> Result<Vec<RetiredMaster>, MasterKeyError> {
        self.master("master.retired", self.ports.master.retired()).await
    }
    async fn renew(&self) -> Result<KeyId, MasterKeyError> {
        self.master("master.renew", self.ports.master.renew()).await
    }
    async fn destroy(&self, id: KeyId) -> Result<(), MasterKeyError> {
        self.master("master.destroy", self.ports.master.destroy(id)).await
    }
}
