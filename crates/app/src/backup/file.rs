//! Files of a vault: whole values, sealed.

use bytes::Bytes;
use precordia_model::KeyId;

use crate::app::{App, AppError};
use crate::port::{BlobWriter, RealmId, StoreError, Vault};
use crate::seal::{DataKey, Place, SealError, key_of};

/// What is read or copied at once.
pub(super) const PIECE: u32 = 1024 * 1024;

/// The largest sealed file that is opened: rows are cut into files far below it.
const FILE_BYTES_MAX: usize = 256 * 1024 * 1024;

fn place<'a>(realm: RealmId, name: &'a str) -> Place<'a> {
    Place { realm, stream: name, field: "backup", version: 0 }
}

pub(super) async fn whole(vault: &dyn Vault, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let mut all = Vec::new();
    loop {
        let Some(piece) = vault.read(name, all.len() as u64, PIECE).await? else { return Ok(None) };
        all.extend_from_slice(&piece);
        if piece.len() < PIECE as usize {
            return Ok(Some(all));
        }
        if all.len() > FILE_BYTES_MAX {
            let detail = format!("`{name}` is larger than any file of a backup");
            return Err(StoreError::Damaged { what: "backup", detail });
        }
    }
}

pub(super) async fn write(
    mut writer: Box<dyn BlobWriter>,
    bytes: Vec<u8>,
) -> Result<(), StoreError> {
    writer.write(Bytes::from(bytes)).await?;
    writer.finish().await
}

impl App {
    pub(super) async fn seal_file(
        &self,
        vault: &dyn Vault,
        realm: RealmId,
        key: &DataKey,
        name: &str,
        plain: &[u8],
    ) -> Result<(), AppError> {
        let sealed = key.seal(&*self.ports.random, place(realm, name), plain);
        Ok(write(vault.create(name).await?, sealed).await?)
    }
}

/// A sealed file and the key that it names.
pub(super) struct SealedFile {
    pub(super) name: String,
    pub(super) key: KeyId,
    bytes: Vec<u8>,
}

impl SealedFile {
    /// `None`: there is no such file.
    pub(super) async fn read(vault: &dyn Vault, name: String) -> Result<Option<Self>, AppError> {
        let Some(bytes) = whole(vault, &name).await? else { return Ok(None) };
        let malformed = || SealError::Malformed { stream: name.clone(), field: "backup" };
        let key = key_of(&bytes).ok_or_else(malformed)?;
        Ok(Some(Self { name, key, bytes }))
    }

    pub(super) fn open(&self, realm: RealmId, key: &DataKey) -> Result<Vec<u8>, AppError> {
        Ok(key.open(place(realm, &self.name), &self.bytes)?.to_vec())
    }
}
