//! Wrapped keys: what is stored of the key hierarchy.
//!
//! master → organization → patient → recording and blob. A recording's or blob's key is wrapped by
//! the organization's key until a patient is known, by the patient's afterwards.

use async_trait::async_trait;
use precordia_model::{KeyId, Timestamp};
use zeroize::Zeroizing;

use super::{Realm, StoreError};

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
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Organization, Self::Patient, Self::Recording, Self::Blob, Self::Index, Self::Signing]
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

    /// After an erasure: makes sure that no copy of overwritten rows is left in the engine's own
    /// journal files, as far as the engine can.
    async fn scrub(&self, realm: Realm<'_>) -> Result<(), StoreError>;
}

/// The top of the hierarchy: a file, the environment or a key service.
#[async_trait]
pub trait MasterKey: Send + Sync {
    fn id(&self) -> KeyId;
    async fn wrap(&self, key: &[u8], context: &[u8]) -> Result<Vec<u8>, MasterKeyError>;
    async fn unwrap(
        &self,
        by: KeyId,
        wrapped: &[u8],
        context: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, MasterKeyError>;
}

#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    #[error("master key `{wanted}` is not configured; `{have}` is")]
    Other { wanted: KeyId, have: KeyId },
    #[error("master key `{0}` does not open this key: wrong key, or the row was changed")]
    Rejected(KeyId),
    #[error("master key service failed: {0}")]
    Failed(String),
}
