//! Rows of a backup, put where they were: the only writing that is not an append.

use async_trait::async_trait;
use precordia_model::UserId;

use super::{
    ApiTokenRow, Head, LogName, Position, Realm, StoreError, StoredAccess, StoredEvent,
    StoredResource, WrappedKey,
};

/// The next rows of one log, as they were, and how the log ends after them.
#[derive(Clone, Debug)]
pub struct RestoredRows {
    pub events: Vec<StoredEvent>,
    /// Those that were written with the events.
    pub resources: Vec<StoredResource>,
    pub accesses: Vec<StoredAccess>,
    /// Where the log ends now; it is refused if it does not.
    pub after: Position,
    pub log: LogName,
    pub head: Head,
}

/// A key with the number of its uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    pub key: WrappedKey,
    pub uses: i64,
}

/// What proves who somebody is, and is in no event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets {
    pub passwords: Vec<(UserId, String)>,
    /// Of an organization.
    pub tokens: Vec<ApiTokenRow>,
}

#[async_trait]
pub trait Restore: Send + Sync {
    /// In one transaction. The caller has followed the chain.
    async fn put_rows(&self, realm: Realm<'_>, rows: RestoredRows) -> Result<(), StoreError>;

    /// Keys that are there already stay as they are.
    async fn put_keys(&self, realm: Realm<'_>, keys: Vec<KeyRow>) -> Result<(), StoreError>;

    async fn put_secrets(&self, realm: Realm<'_>, secrets: Secrets) -> Result<(), StoreError>;
}
