//! Wrapped keys: what is stored of the key hierarchy.
//!
//! master → organization → patient → recording and blob. A recording's or blob's key is wrapped by
//! the organization's key until a patient is known, by the patient's afterwards.

use async_trait::async_trait;
use precordia_model::{KeyId, Timestamp};
use zeroize::Zeroizing;

use super::{KeyRow, Realm, StoreError};

/// An organization key that was used so often is rotated by the program itself.
pub const KEY_USES_ROTATE: i64 = 1 << 30;

/// No key is used more often: half of what random nonces allow (NIST SP 800-38D section 8.3). The other
/// half is for uses that were never committed and so are not counted.
pub const KEY_USES_MAX: i64 = 1 << 31;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// Wraps the keys of one realm; wrapped by the master key.
    Organization,
    /// Wraps the keys of one patient's recordings and seals the patient's own facts.
    Patient,
    Recording,
    Blob,
    /// HMAC key of blind indexes and content keys.
    Index,
    /// Ed25519 seed that signs checkpoints; in the platform realm only.
    Signing,
    /// Seals the backups of one realm.
    Backup,
}

impl KeyKind {
    pub const fn name(self) -> &'static str {
        match self {
            KeyKind::Organization => "organization",
            KeyKind::Patient => "patient",
            KeyKind::Recording => "recording",
            KeyKind::Blob => "blob",
            KeyKind::Index => "index",
            KeyKind::Signing => "signing",
            KeyKind::Backup => "backup",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [
            Self::Organization,
            Self::Patient,
            Self::Recording,
            Self::Blob,
            Self::Index,
            Self::Signing,
            Self::Backup,
        ]
        .into_iter()
        .find(|kind| kind.name() == name)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Wraps and seals.
    Active,
    /// Opens, but seals nothing new.
    Retired,
    /// Gone for ever; the row stays so that an error can say so.
    Destroyed { at: Timestamp },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    pub id: KeyId,
    pub kind: KeyKind,
    /// The stream whose key this is: `patient/<id>`, `recording/<id>`, `blob/<id>`, `organization`, `index`, `signing`.
    pub subject: String,
    /// The key that wraps this one; the master key's id at the top.
    pub wrapped_by: KeyId,
    /// Empty once destroyed.
    pub wrapped: Vec<u8>,
    pub state: KeyState,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyChange {
    Add(WrappedKey),
    /// Same key, wrapped by another: refused (conflict) unless it is wrapped by `from` now.
    Rewrap {
        id: KeyId,
        from: KeyId,
        to: KeyId,
        wrapped: Vec<u8>,
    },
    Retire {
        id: KeyId,
    },
    /// Overwrites the wrapped bytes.
    Destroy {
        id: KeyId,
        at: Timestamp,
    },
}

#[async_trait]
pub trait KeyStore: Send + Sync {
    /// These keys and every key above them up to the master, in one read. Missing ids are left out.
    async fn chain(&self, realm: Realm<'_>, ids: &[KeyId]) -> Result<Vec<WrappedKey>, StoreError>;

    /// The keys of a subject, newest first, destroyed ones too.
    async fn of_subject(
        &self,
        realm: Realm<'_>,
        subject: &str,
    ) -> Result<Vec<WrappedKey>, StoreError>;

    /// Keys that are wrapped by `by` now, at most `limit`.
    async fn wrapped_by(
        &self,
        realm: Realm<'_>,
        by: KeyId,
        limit: u32,
    ) -> Result<Vec<WrappedKey>, StoreError>;

    /// Every key with its uses, destroyed ones too, ascending by id, after `after`, at most `limit`.
    async fn all(
        &self,
        realm: Realm<'_>,
        after: Option<KeyId>,
        limit: u32,
    ) -> Result<Vec<KeyRow>, StoreError>;

    /// How often a key was used in what was committed; 0 for one that is not stored.
    async fn uses(&self, realm: Realm<'_>, id: KeyId) -> Result<i64, StoreError>;

    /// After an erasure: makes sure that no copy of overwritten rows is left in the engine's own
    /// journal files, as far as the engine can.
    async fn scrub(&self, realm: Realm<'_>) -> Result<(), StoreError>;
}

/// A key as the master key in force wrapped it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterWrapped {
    pub by: KeyId,
    pub bytes: Vec<u8>,
}

/// A master key that opens and does not wrap any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetiredMaster {
    pub id: KeyId,
    /// When another came in force, if the source knows.
    pub since: Option<Timestamp>,
}

/// The top of the hierarchy: a file, the environment or a key service. One master key is in force and
/// wraps; retired ones still open. Another process may put a new one in force at any time.
#[async_trait]
pub trait MasterKey: Send + Sync {
    /// The key in force.
    async fn active(&self) -> Result<KeyId, MasterKeyError>;

    async fn wrap(&self, key: &[u8], context: &[u8]) -> Result<MasterWrapped, MasterKeyError>;

    async fn unwrap(
        &self,
        by: KeyId,
        wrapped: &[u8],
        context: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, MasterKeyError>;

    async fn retired(&self) -> Result<Vec<RetiredMaster>, MasterKeyError>;

    /// Makes a key and puts it in force; the one before is retired. Durable when it answers.
    async fn renew(&self) -> Result<KeyId, MasterKeyError>;

    /// Destroys a retired key.
    async fn destroy(&self, id: KeyId) -> Result<(), MasterKeyError>;
}

#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    #[error("master key `{wanted}` is not configured; `{have}` is")]
    Other { wanted: KeyId, have: KeyId },
    #[error("master key `{0}` does not open this key: wrong key, or the row was changed")]
    Rejected(KeyId),
    /// The source is changed by the operator alone; the text says how.
    #[error("{0}")]
    NotHere(String),
    #[error("the source of the master key failed: {0}")]
    Failed(String),
}
