//! The vault of keys: a whole set at a time, and only the newest.
//!
//! A set is a folder `<realm>/<position>-<time>`: `envelope` has the set's own key, wrapped by the master
//! key; `part-<n>` have the rows, sealed by it; `end` is written last and makes the set count.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use precordia_model::KeyId;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::DIGITS;
use super::file::{SealedFile, whole, write};
use super::lines::{KeyLine, each, put};
use crate::app::{App, AppError};
use crate::port::{KeyRow, LogName, Position, Realm, RealmId, Vault};
use crate::seal::DataKey;

/// Keys that are read at once and stand in a part.
const PAGE: u32 = 5000;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    id: KeyId,
    master: KeyId,
    wrapped: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    /// The last event when the reading of the keys began: what was erased until then is not in the set.
    position: Position,
    parts: u32,
    keys: u64,
}

/// The newest whole set.
pub(super) struct KeySet {
    folder: String,
    key: DataKey,
    parts: u32,
    pub(super) position: Position,
    pub(super) keys: u64,
}

fn context(realm: RealmId, folder: &str) -> Vec<u8> {
    [&b"precordia.backup.keys.1"[..], &realm.bytes(), folder.as_bytes()].concat()
}

fn damaged(name: &str) -> AppError {
    AppError::Damaged(format!("`{name}` in the backup of keys does not decode"))
}

async fn sets(vault: &dyn Vault, realm: RealmId) -> Result<Vec<String>, AppError> {
    Ok(vault.list(&realm.to_string()).await?)
}

impl App {
    /// Writes every wrapped key of a realm, then removes the sets that are older. Answers up to
    /// which event the set has all of them, and how many there are.
    pub(super) async fn back_up_keys(&self, realm: Realm<'_>) -> Result<(Position, u64), AppError> {
        let vault = &*self.vaults()?.keys;
        let id = realm.id();
        let position = self.ports.log.head(realm, LogName::Events).await?.position;
        let name = format!("{position:0DIGITS$}-{:0DIGITS$}", self.now().micros().max(0));
        let folder = format!("{id}/{name}");
        let mut bytes = Zeroizing::new(vec![0; 32]);
        self.ports.random.fill(&mut bytes);
        let key = KeyId(self.new_id());
        let wrapped = self.ports.master.wrap(&bytes, &context(id, &folder)).await;
        let wrapped = wrapped.map_err(crate::keys::KeyError::from)?;
        let envelope =
            Envelope { id: key, master: wrapped.by, wrapped: STANDARD.encode(&wrapped.bytes) };
        let key = DataKey::new(key, &bytes).ok_or_else(|| damaged(&folder))?;
        let path = format!("{folder}/envelope");
        let envelope = serde_json::to_vec(&envelope).map_err(|_| damaged(&path))?;
        write(vault.create(&path).await?, envelope).await?;
        let (mut parts, mut keys, mut after) = (0u32, 0u64, None);
        loop {
            let page = self.ports.keys.all(realm, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.key.id);
            keys += page.len() as u64;
            let mut lines = Vec::new();
            for row in page {
                put(&mut lines, &KeyLine::from(row))?;
            }
            self.seal_file(vault, id, &key, &format!("{folder}/part-{parts:0DIGITS$}"), &lines)
                .await?;
            parts += 1;
        }
        let end = serde_json::to_vec(&End { position, parts, keys }).map_err(|_| damaged(&name))?;
        self.seal_file(vault, id, &key, &format!("{folder}/end"), &end).await?;
        self.remove_old_sets(vault, id).await?;
        Ok((position, keys))
    }

    /// Whoever ends later with a set that began earlier removes his own: it may have what was erased.
    async fn remove_old_sets(&self, vault: &dyn Vault, realm: RealmId) -> Result<(), AppError> {
        let all = sets(vault, realm).await?;
        let mut newest = None;
        for set in all.iter().rev() {
            if vault.read(&format!("{realm}/{set}/end"), 0, 1).await?.is_some() {
                newest = Some(set);
                break;
            }
        }
        for set in all.iter().filter(|set| Some(*set) < newest) {
            let folder = format!("{realm}/{set}");
            // The end goes first: a set without it counts for nothing.
            vault.remove(&format!("{folder}/end")).await?;
            for file in vault.list(&folder).await? {
                vault.remove(&format!("{folder}/{file}")).await?;
            }
        }
        Ok(())
    }

    /// `None`: there is no whole set of this realm.
    pub(super) async fn newest_keys(&self, realm: RealmId) -> Result<Option<KeySet>, AppError> {
        let vault = &*self.vaults()?.keys;
        for set in sets(vault, realm).await?.iter().rev() {
            let folder = format!("{realm}/{set}");
            let Some(end) = SealedFile::read(vault, format!("{folder}/end")).await? else {
                continue;
            };
            let path = format!("{folder}/envelope");
            let envelope = whole(vault, &path).await?.ok_or_else(|| damaged(&path))?;
            let envelope: Envelope =
                serde_json::from_slice(&envelope).map_err(|_| damaged(&path))?;
            let wrapped = STANDARD.decode(&envelope.wrapped).map_err(|_| damaged(&path))?;
            let context = context(realm, &folder);
            let bytes = self.ports.master.unwrap(envelope.master, &wrapped, &context).await;
            let bytes = bytes.map_err(crate::keys::KeyError::from)?;
            let key = DataKey::new(envelope.id, &bytes).ok_or_else(|| damaged(&path))?;
            let end: End = serde_json::from_slice(&end.open(realm, &key)?)
                .map_err(|_| damaged(&format!("{folder}/end")))?;
            let End { position, parts, keys } = end;
            return Ok(Some(KeySet { folder, key, parts, position, keys }));
        }
        Ok(None)
    }

    pub(super) async fn keys_of(
        &self,
        realm: RealmId,
        set: &KeySet,
        part: u32,
    ) -> Result<Vec<KeyRow>, AppError> {
        let vault = &*self.vaults()?.keys;
        let name = format!("{}/part-{part:0DIGITS$}", set.folder);
        let file = SealedFile::read(vault, name.clone()).await?;
        let plain = file.ok_or_else(|| damaged(&name))?.open(realm, &set.key)?;
        each::<KeyLine>(&plain, &name).map(|line| line?.row()).collect()
    }
}

impl KeySet {
    pub(super) fn parts(&self) -> impl Iterator<Item = u32> {
        0..self.parts
    }
}
