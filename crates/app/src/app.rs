//! The one value that every use case is a method of.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use precordia_model::{RequestId, Timestamp};
use precordia_rules::access::Permission;
use uuid::Uuid;

use crate::access::Throttle;
use crate::blob::BlobError;
use crate::keys::{KeyError, Keyring};
use crate::live::Live;
use crate::port::{Append, Batch, Ports, Realm, RealmId, StoreError, new_uuid};
use crate::seal::SealError;

/// What an operator may set; every bound has its reason in ARCHITECTURE.md.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Largest object that a door takes.
    pub upload_bytes_max: u64,
    /// A session ends after so long without a request.
    pub idle_seconds: i64,
    /// A session ends after so long in any case.
    pub session_seconds: i64,
    /// Tries of one piece of work before it is given up.
    pub work_attempts_max: i64,
    /// How long a worker may hold a piece of work before another takes it.
    pub lease_seconds: i64,
    /// How long finished work is kept.
    pub work_kept_seconds: i64,
    /// Pause between checkpoints of a log that grew.
    pub checkpoint_seconds: u64,
    /// Pause between two runs of a backup; without vaults there is none.
    pub backup_seconds: i64,
    /// `None`: one piece at a time a core, at least one.
    pub workers: Option<usize>,
    /// Waiting longer than this in flight raises an alarm in the metrics.
    pub in_flight_seconds_max: i64,
    /// Pause between reminders of an alarm that nobody acknowledged; 0 for none.
    pub alarm_remind_seconds: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            upload_bytes_max: 64 * 1024 * 1024,
            idle_seconds: 15 * 60,
            session_seconds: 12 * 60 * 60,
            work_attempts_max: 8,
            lease_seconds: 15,
            work_kept_seconds: 7 * 24 * 60 * 60,
            checkpoint_seconds: 30,
            backup_seconds: 60 * 60,
            workers: None,
            in_flight_seconds_max: 5 * 60,
            alarm_remind_seconds: 4 * 60 * 60,
        }
    }
}

/// Cheap to clone; all clones are the same application.
#[derive(Clone)]
pub struct App(Arc<Inner>);

pub struct Inner {
    pub(crate) ports: Ports,
    pub(crate) keyring: Keyring,
    pub(crate) settings: Settings,
    pub(crate) live: Live,
    pub(crate) throttle: Throttle,
    pub(crate) hashing: tokio::sync::Semaphore,
    pub(crate) backing_up: tokio::sync::Semaphore,
    pub(crate) waking: crate::waking::Waking,
    pub(crate) realms_grown: Mutex<BTreeSet<RealmId>>,
    pub(crate) gauged: crate::operations::Gauged,
    pub(crate) board: crate::alarm::Board,
}

impl std::ops::Deref for App {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    pub fn new(ports: Ports, settings: Settings) -> Self {
        let keyring = Keyring::new(
            ports.keys.clone(),
            ports.master.clone(),
            ports.random.clone(),
            ports.clock.clone(),
        );
        Self(Arc::new(Inner {
            ports,
            keyring,
            settings,
            live: Live::default(),
            throttle: Throttle::default(),
            hashing: tokio::sync::Semaphore::new(2),
            backing_up: tokio::sync::Semaphore::new(1),
            waking: crate::waking::Waking::default(),
            realms_grown: Mutex::default(),
            gauged: crate::operations::Gauged::default(),
            board: crate::alarm::Board::default(),
        }))
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    pub fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// The one way into the ledger: what grew is checkpointed soon.
    pub(crate) async fn append(
        &self,
        realm: Realm<'_>,
        batch: Batch,
    ) -> Result<Append, StoreError> {
        let answer = self.ports.log.append(realm, batch).await;
        // Whatever the answer: an unknown outcome may have grown it.
        self.grown().insert(realm.id());
        self.alarms().storage_answered(realm.id(), answer.as_ref().err());
        answer
    }

    pub fn new_id(&self) -> Uuid {
        new_uuid(&*self.ports.clock, &*self.ports.random)
    }

    pub fn new_request(&self) -> RequestId {
        RequestId(self.new_id())
    }
}

/// Why a use case did not do what it was asked. No variant holds anything that identifies a person.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Not there, or not this organization's: the same answer.
    #[error("there is no such {0} here")]
    NotFound(&'static str),
    #[error("the role does not allow `{}`", .0.name())]
    Forbidden(Permission),
    /// The command makes no sense in the present state; `code` is stable.
    #[error("{text}")]
    Refused { code: &'static str, text: String },
    /// Somebody else changed it meanwhile.
    #[error("{0} was changed by somebody else meanwhile; look again and repeat")]
    Conflict(String),
    #[error("the value of `{field}` is not acceptable: {text}")]
    Invalid { field: &'static str, text: String },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error("stored fact does not decode: {0}")]
    Undecodable(#[from] precordia_rules::event::Undecodable),
    #[error("{0}")]
    Damaged(String),
}

impl From<SealError> for AppError {
    fn from(cause: SealError) -> Self {
        AppError::Keys(KeyError::Seal(cause))
    }
}

impl From<BlobError> for AppError {
    fn from(cause: BlobError) -> Self {
        match cause {
            BlobError::Store(cause) => AppError::Store(cause),
            BlobError::Seal(cause) => cause.into(),
            other => AppError::Damaged(other.to_string()),
        }
    }
}

impl AppError {
    pub(crate) fn refused(code: &'static str, cause: impl std::fmt::Display) -> Self {
        AppError::Refused { code, text: cause.to_string() }
    }
}
