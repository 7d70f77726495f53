//! How far a backup has come, and the secrets that go with it.

use std::collections::BTreeMap;

use precordia_model::{OrganizationId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::DIGITS;
use super::file::SealedFile;
use super::lines::TokenLine;
use crate::app::{App, AppError};
use crate::port::{Position, Realm, RealmId};
use crate::seal::DataKey;

/// What the last complete run left, as one sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BackupState {
    /// An organization's id, or `platform`.
    pub realm: String,
    pub at: String,
    #[serde(skip)]
    pub at_time: Timestamp,
    pub events: Position,
    pub accesses: Position,
    pub blobs: u64,
    pub keys: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    pub(super) at_us: i64,
    pub(super) events: Position,
    pub(super) accesses: Position,
    pub(super) blobs: u64,
    pub(super) keys: u64,
    pub(super) passwords: BTreeMap<UserId, String>,
    pub(super) tokens: Vec<TokenLine>,
    /// Codes of first administrators that were not used yet, by organization.
    pub(super) setup_codes: BTreeMap<OrganizationId, String>,
}

fn folder(realm: RealmId) -> String {
    format!("{realm}/states")
}

impl App {
    /// The newest state of a realm's backup; `None` when no run was ever complete.
    pub(super) async fn newest_state(
        &self,
        realm: RealmId,
    ) -> Result<Option<SealedFile>, AppError> {
        let vault = &*self.vaults()?.data;
        match vault.list(&folder(realm)).await?.last() {
            Some(name) => SealedFile::read(vault, format!("{}/{name}", folder(realm))).await,
            None => Ok(None),
        }
    }

    pub(super) async fn put_state(
        &self,
        realm: RealmId,
        key: &DataKey,
        state: &State,
    ) -> Result<(), AppError> {
        let vault = &*self.vaults()?.data;
        let before = vault.list(&folder(realm)).await?;
        let name = format!("{:0DIGITS$}-{:0DIGITS$}", state.events, state.at_us.max(0));
        let plain = serde_json::to_vec(state)
            .map_err(|_| AppError::Damaged("the state of a backup does not encode".into()))?;
        let path = format!("{}/{name}", folder(realm));
        self.seal_file(vault, realm, key, &path, &plain).await?;
        for old in before.into_iter().filter(|old| *old < name) {
            vault.remove(&format!("{}/{old}", folder(realm))).await?;
        }
        Ok(())
    }

    /// What is in the backup of each realm of this installation; those without any are missing.
    pub async fn backup_states(&self) -> Result<Vec<BackupState>, AppError> {
        let platform = self.platform();
        let mut states = Vec::new();
        states.extend(self.backup_state((&platform).into()).await?);
        for organization in self.ports.directory.organizations(&platform).await? {
            let scope = self.system_scope(organization.id, "backup");
            states.extend(self.backup_state((&scope).into()).await?);
        }
        Ok(states)
    }

    pub async fn backup_state(&self, realm: Realm<'_>) -> Result<Option<BackupState>, AppError> {
        let Some(file) = self.newest_state(realm.id()).await? else { return Ok(None) };
        let key = self.keyring.open(realm, &[file.key]).await?.get(file.key)?;
        let state = decoded(&file, realm.id(), &key)?;
        Ok(Some(BackupState {
            realm: realm.id().to_string(),
            at: Timestamp(state.at_us).to_rfc3339(),
            at_time: Timestamp(state.at_us),
            events: state.events,
            accesses: state.accesses,
            blobs: state.blobs,
            keys: state.keys,
        }))
    }
}

pub(super) fn decoded(file: &SealedFile, realm: RealmId, key: &DataKey) -> Result<State, AppError> {
    serde_json::from_slice(&file.open(realm, key)?)
        .map_err(|_| AppError::Damaged(format!("`{}` in the backup does not decode", file.name)))
}
