//! What the product is given besides a disk: time, chance, a master key and a witness, all from a seed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use precordia_app::port::{
    Checkpoint, Clock, MasterKey, MasterKeyError, MasterWrapped, Random, RealmId, RetiredMaster,
    StoreError, Witness, Witnessed,
};
use precordia_model::{KeyId, Timestamp};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::dice::Dice;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Midnight of 2026-01-01 UTC in microseconds.
const BEGIN_US: i64 = 1_767_225_600_000_000;

/// Goes on by a millisecond whenever it is read, and jumps when it is told to.
pub struct SimClock {
    now: AtomicI64,
    latest: AtomicI64,
}

impl Default for SimClock {
    fn default() -> Self {
        Self { now: AtomicI64::new(BEGIN_US), latest: AtomicI64::new(BEGIN_US) }
    }
}

impl SimClock {
    pub fn jump(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    /// Past everything that was ever said to be so long from now.
    pub fn jump_past_all(&self, seconds: i64) {
        let latest = self.latest.load(Ordering::SeqCst);
        self.now.store(latest + seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let now = self.now.fetch_add(1000, Ordering::SeqCst);
        self.latest.fetch_max(now, Ordering::SeqCst);
        Timestamp(now)
    }
}

pub struct SimRandom(Mutex<Dice>);

impl SimRandom {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(Dice::new(seed, 2)))
    }
}

impl Random for SimRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let mut dice = lock(&self.0);
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&dice.next().to_le_bytes()[..chunk.len()]);
        }
    }
}

/// Binds a key to its context and hides nothing: what is judged here is whether keys are lost.
pub struct SimMaster;

#[async_trait]
impl MasterKey for SimMaster {
    async fn active(&self) -> Result<KeyId, MasterKeyError> {
        Ok(KeyId(Uuid::from_u128(1)))
    }

    async fn wrap(&self, key: &[u8], context: &[u8]) -> Result<MasterWrapped, MasterKeyError> {
        Ok(MasterWrapped { by: self.active().await?, bytes: [key, context].concat() })
    }

    async fn unwrap(
        &self,
        by: KeyId,
        wrapped: &[u8],
        context: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, MasterKeyError> {
        let key = wrapped.strip_suffix(context).ok_or(MasterKeyError::Rejected(by))?;
        Ok(Zeroizing::new(key.to_vec()))
    }

    async fn retired(&self) -> Result<Vec<RetiredMaster>, MasterKeyError> {
        Ok(Vec::new())
    }

    async fn renew(&self) -> Result<KeyId, MasterKeyError> {
        Err(MasterKeyError::NotHere("this master key is never rotated".into()))
    }

    async fn destroy(&self, id: KeyId) -> Result<(), MasterKeyError> {
        Err(MasterKeyError::Failed(format!("master key `{id}` is in force")))
    }
}

/// A witness on other ground: what it answered for stays, whatever happens to the disk.
#[derive(Default)]
pub struct SimWitness(Mutex<BTreeMap<RealmId, Vec<Checkpoint>>>);

#[async_trait]
impl Witness for SimWitness {
    async fn record(&self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        lock(&self.0).entry(checkpoint.realm).or_default().push(checkpoint.clone());
        Ok(())
    }

    async fn realms(&self) -> Result<Vec<RealmId>, StoreError> {
        Ok(lock(&self.0).keys().copied().collect())
    }

    async fn witnessed(&self, realm: RealmId) -> Result<Option<Witnessed>, StoreError> {
        let checkpoints = lock(&self.0).get(&realm).cloned().unwrap_or_default();
        Ok(Some(Witnessed { checkpoints, ..Witnessed::default() }))
    }
}

impl SimWitness {
    pub fn copy(&self) -> Self {
        Self(Mutex::new(lock(&self.0).clone()))
    }
}
