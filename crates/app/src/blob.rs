//! Original bytes, sealed in chunks so that a large object streams and any part can be opened alone.
//!
//! An object is `PCB1 | key id (16) | chunk size (4, big-endian)` and then chunks of ciphertext, each with
//! its tag. The key belongs to this object alone and is used for one pass, so the chunk's number is its
//! nonce; the last chunk is marked, so a cut is noticed (the STREAM construction of Hoang, Reyhanitabar,
//! Rogaway and Vizar, 2015).

use std::sync::Arc;

use aws_lc_rs::aead::{Aad, NONCE_LEN, Nonce};
use aws_lc_rs::digest::{Context as Digest, SHA256};
use bytes::Bytes;
use precordia_model::{BlobId, KeyId};

use crate::access::OrgScope;
use crate::port::{BlobWriter, Blobs, RealmId, StoreError};
use crate::seal::{DataKey, SealError};

const MAGIC: &[u8; 4] = b"PCB1";
const HEADER: usize = 24;
const TAG: usize = 16;
const CHUNK: usize = 256 * 1024;

pub fn stream_of(blob: BlobId) -> String {
    format!("blob/{blob}")
}

/// Seals what is written into it, and sums it up.
pub struct BlobSealer {
    writer: Box<dyn BlobWriter>,
    key: Arc<DataKey>,
    realm: RealmId,
    blob: BlobId,
    digest: Digest,
    pending: Vec<u8>,
    chunk: u32,
    size_bytes: u64,
}

/// What was written.
pub struct Written {
    pub size_bytes: u64,
    /// SHA-256 of the plain bytes; never stored as it is.
    pub digest: Vec<u8>,
}

impl BlobSealer {
    pub async fn create(
        blobs: &dyn Blobs,
        scope: &OrgScope,
        blob: BlobId,
        key: Arc<DataKey>,
    ) -> Result<Self, StoreError> {
        let mut writer = blobs.create(scope, blob).await?;
        let mut header = Vec::with_capacity(HEADER);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(key.id().0.as_bytes());
        header.extend_from_slice(&(CHUNK as u32).to_be_bytes());
        writer.write(header.into()).await?;
        let realm = RealmId(Some(scope.organization()));
        Ok(Self {
            writer,
            key,
            realm,
            blob,
            digest: Digest::new(&SHA256),
            pending: Vec::new(),
            chunk: 0,
            size_bytes: 0,
        })
    }

    pub const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<(), StoreError> {
        self.digest.update(bytes);
        self.size_bytes += bytes.len() as u64;
        while !bytes.is_empty() {
            // A full chunk waits until more comes: only then is it known not to be the last.
            if self.pending.len() == CHUNK {
                self.flush(false).await?;
            }
            let take = bytes.len().min(CHUNK - self.pending.len());
            self.pending.extend_from_slice(&bytes[..take]);
            bytes = &bytes[take..];
        }
        Ok(())
    }

    async fn flush(&mut self, last: bool) -> Result<(), StoreError> {
        let mut body = std::mem::take(&mut self.pending);
        let aad = Aad::from(associated(self.realm, self.blob));
        self.key
            .aead()
            .seal_in_place_append_tag(nonce(self.chunk, last), aad, &mut body)
            .expect("AES-GCM seals a chunk");
        self.chunk =
            self.chunk.checked_add(1).ok_or(StoreError::Full { context: "sealing a blob" })?;
        self.writer.write(Bytes::from(body)).await
    }

    /// On stable storage when it answers.
    pub async fn finish(mut self) -> Result<Written, StoreError> {
        self.flush(true).await?;
        self.writer.finish().await?;
        Ok(Written { size_bytes: self.size_bytes, digest: self.digest.finish().as_ref().to_vec() })
    }

    pub async fn abandon(self) {
        self.writer.abandon().await;
    }
}

/// The key that an object names in its header.
pub async fn key_of(blobs: &dyn Blobs, scope: &OrgScope, blob: BlobId) -> Result<KeyId, BlobError> {
    let header = blobs.read(scope, blob, 0, HEADER as u32).await?;
    let id = header
        .get(4..20)
        .filter(|_| header.starts_with(MAGIC))
        .ok_or(BlobError::Malformed(blob))?;
    uuid::Uuid::from_slice(id).map(KeyId).map_err(|_| BlobError::Malformed(blob))
}

/// The whole plain content, at most `limit_bytes` of it.
pub async fn open(
    blobs: &dyn Blobs,
    scope: &OrgScope,
    blob: BlobId,
    key: &DataKey,
    limit_bytes: u64,
) -> Result<Vec<u8>, BlobError> {
    let size = blobs.size(scope, blob).await?;
    if size
        > limit_bytes.saturating_add((limit_bytes / CHUNK as u64 + 2) * TAG as u64 + HEADER as u64)
    {
        return Err(BlobError::TooLarge { blob, limit_bytes });
    }
    let header = blobs.read(scope, blob, 0, HEADER as u32).await?;
    if header.len() != HEADER || !header.starts_with(MAGIC) {
        return Err(BlobError::Malformed(blob));
    }
    let chunk_size = u32::from_be_bytes([header[20], header[21], header[22], header[23]]) as u64;
    if chunk_size == 0 || chunk_size > 16 * 1024 * 1024 {
        return Err(BlobError::Malformed(blob));
    }
    let stride = chunk_size + TAG as u64;
    let realm = RealmId(Some(scope.organization()));
    let mut plain = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    let mut at = HEADER as u64;
    let mut index = 0u32;
    while at < size || index == 0 {
        let last = at + stride >= size;
        let body = blobs.read(scope, blob, at, stride as u32).await?;
        let mut body = body.to_vec();
        let opened = key
            .aead()
            .open_in_place(nonce(index, last), Aad::from(associated(realm, blob)), &mut body)
            .map_err(|_| SealError::Rejected {
                key: key.id(),
                stream: stream_of(blob),
                field: "content",
            })?;
        plain.extend_from_slice(opened);
        at += stride;
        index += 1;
    }
    Ok(plain)
}

fn nonce(chunk: u32, last: bool) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[7] = u8::from(last);
    bytes[8..].copy_from_slice(&chunk.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

fn associated(realm: RealmId, blob: BlobId) -> Vec<u8> {
    [&b"precordia.blob.1"[..], &realm.bytes(), blob.0.as_bytes()].concat()
}

#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error("blob `{0}` does not have the form it was written in")]
    Malformed(BlobId),
    #[error("blob `{blob}` is larger than {limit_bytes} bytes")]
    TooLarge { blob: BlobId, limit_bytes: u64 },
}
