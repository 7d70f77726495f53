//! Where backups go.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::{BlobWriter, StoreError};

/// Sealed files in folders, on another disk or machine, written once and never changed. A name is a path of
/// lower-case letters, digits and hyphens: `<folder>/<folder>/<file>`.
#[async_trait]
pub trait Vault: Send + Sync {
    /// A new file; if there is one of that name already, that one stays. Nothing of it is visible before
    /// [`BlobWriter::finish`] has answered.
    async fn create(&self, name: &str) -> Result<Box<dyn BlobWriter>, StoreError>;

    /// At most `length` bytes from `offset`, shorter only at the end; `None` when there is no such file.
    async fn read(&self, name: &str, offset: u64, length: u32)
    -> Result<Option<Bytes>, StoreError>;

    /// What is in a folder, ascending; nothing when it is not there. `""` is the vault itself.
    async fn list(&self, folder: &str) -> Result<Vec<String>, StoreError>;

    /// Not an error when it is not there.
    async fn remove(&self, name: &str) -> Result<(), StoreError>;
}

/// Both are needed to read a backup, and the master key.
#[derive(Clone)]
pub struct Vaults {
    /// Logs, originals and secrets, sealed.
    pub data: Arc<dyn Vault>,
    /// Wrapped keys. Of these only the newest are kept, so that an erasure reaches them.
    pub keys: Arc<dyn Vault>,
}
