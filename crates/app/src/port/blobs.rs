//! Sealed original bytes. The store sees ciphertext and its length only.

use async_trait::async_trait;
use bytes::Bytes;
use precordia_model::{BlobId, Timestamp};

use super::StoreError;
use crate::access::OrgScope;

#[async_trait]
pub trait Blobs: Send + Sync {
    /// A new object. Nothing is visible under its id before [`BlobWriter::finish`] has answered.
    async fn create(&self, scope: &OrgScope, id: BlobId)
    -> Result<Box<dyn BlobWriter>, StoreError>;

    /// Reads at most `length` bytes from `offset`; shorter only at the end.
    async fn read(
        &self,
        scope: &OrgScope,
        id: BlobId,
        offset: u64,
        length: u32,
    ) -> Result<Bytes, StoreError>;

    async fn size(&self, scope: &OrgScope, id: BlobId) -> Result<u64, StoreError>;

    /// When the object's last bytes were written, by the storage's own clock; `None` when it is not there.
    async fn written_at(
        &self,
        scope: &OrgScope,
        id: BlobId,
    ) -> Result<Option<Timestamp>, StoreError>;

    /// Removes the object and its bytes; not an error when it is not there.
    async fn remove(&self, scope: &OrgScope, id: BlobId) -> Result<(), StoreError>;

    /// Every object, for the sweep of those that no event names; at most `limit`, after `after` in id order.
    async fn list(
        &self,
        scope: &OrgScope,
        after: Option<BlobId>,
        limit: u32,
    ) -> Result<Vec<BlobId>, StoreError>;
}

#[async_trait]
pub trait BlobWriter: Send {
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError>;

    /// Content and directory entry are on stable storage when this answers.
    async fn finish(self: Box<Self>) -> Result<(), StoreError>;

    /// Leaves nothing behind.
    async fn abandon(self: Box<Self>);
}
