//! Rotation of the master key while everything runs.
//!
//! A new master key wraps from now on; what the old one wraps (the organizations' keys, retired ones too,
//! and the signing key) is re-wrapped page by page. The old one goes in a step of its own, when nothing is
//! wrapped by it. Interrupted at any point, running it again goes on.

use precordia_model::KeyId;
use precordia_rules::event::{Event, KeyRotated};

use crate::access::OrgScope;
use crate::app::{App, AppError};
use crate::keys::KeyError;
use crate::ledger::Draft;
use crate::port::{Append, Batch, Realm, StoreError, Stream};

/// Keys that one transaction re-wraps.
const PAGE: u32 = 500;

/// A process that took the old key to wrap with it commits, or gives up, long before this is over.
const QUIET_SECONDS: i64 = 120;

/// What a rotation of the master key did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MasterRotated {
    /// The key in force.
    pub active: KeyId,
    /// Whether it was made now; otherwise an earlier rotation was ended.
    pub is_new: bool,
    pub rewrapped: usize,
}

impl App {
    /// Puts a new master key in force and wraps anew what the old one wraps; goes on with a rotation that
    /// was interrupted.
    pub async fn rotate_master_key(&self) -> Result<MasterRotated, AppError> {
        let is_new = !self.is_wrapped_by_retired_master().await?;
        if is_new {
            self.ports.master.renew().await.map_err(KeyError::from)?;
        }
        let active = self.ports.master.active().await.map_err(KeyError::from)?;
        let rewrapped = self.rewrap_by_master().await?;
        self.note_retired_masters(active).await?;
        self.scrub_all().await?;
        Ok(MasterRotated { active, is_new, rewrapped })
    }

    /// Destroys the retired master keys, or refuses while one of them is still needed. The backup is brought
    /// up to now first, under the key in force.
    pub async fn retire_master_keys(&self) -> Result<Vec<KeyId>, AppError> {
        let retired = self.ports.master.retired().await.map_err(KeyError::from)?;
        let now = self.now();
        let is_fresh = |since: precordia_model::Timestamp| now < since.plus_seconds(QUIET_SECONDS);
        if retired.iter().filter_map(|old| old.since).any(is_fresh) {
            let text = format!(
                "the new master key is in force for less than {QUIET_SECONDS} s; another process may still wrap with the old one"
            );
            return Err(AppError::refused("too_soon", text));
        }
        if self.is_wrapped_by_retired_master().await? {
            let text = "keys are still wrapped by a retired master key; rotate first";
            return Err(AppError::refused("still_wraps", text));
        }
        if !retired.is_empty() && self.ports.vaults.is_some() {
            // The set of keys in the backup is sealed by the master key of its time.
            self.back_up_all().await?;
        }
        self.scrub_all().await?;
        for old in &retired {
            self.ports.master.destroy(old.id).await.map_err(KeyError::from)?;
        }
        Ok(retired.into_iter().map(|old| old.id).collect())
    }

    /// Whatever a retired master key still wraps goes under the one in force.
    async fn rewrap_by_master(&self) -> Result<usize, AppError> {
        let retired = self.ports.master.retired().await.map_err(KeyError::from)?;
        let mut count = 0;
        for old in &retired {
            let platform = self.platform();
            count += self.rewrap_from(Realm::from(&platform), old.id).await?;
            for scope in self.stored_organizations().await? {
                count += self.rewrap_from(Realm::from(&scope), old.id).await?;
            }
        }
        Ok(count)
    }

    /// The same in one realm.
    pub(crate) async fn rewrap_from_retired_masters(
        &self,
        realm: Realm<'_>,
    ) -> Result<(), AppError> {
        for old in self.ports.master.retired().await.map_err(KeyError::from)? {
            self.rewrap_from(realm, old.id).await?;
        }
        Ok(())
    }

    async fn rewrap_from(&self, realm: Realm<'_>, old: KeyId) -> Result<usize, AppError> {
        let mut count = 0;
        loop {
            let rows = self.keyring.wrapped_by(realm, old, PAGE).await?;
            if rows.is_empty() {
                return Ok(count);
            }
            let mut keys = Vec::with_capacity(rows.len());
            for row in &rows {
                keys.push(self.keyring.rewrap_top(realm.id(), row).await?);
            }
            let batch = Batch { keys, ..Batch::default() };
            match self.ports.log.append(realm, batch).await? {
                Append::Done { .. } => count += rows.len(),
                // A key moved meanwhile; the next page shows it as it stands.
                Append::KeyConflict { .. } => {}
                other => return Err(AppError::Conflict(format!("{other:?}"))),
            }
        }
    }

    async fn is_wrapped_by_retired_master(&self) -> Result<bool, AppError> {
        let organizations = self.stored_organizations().await?;
        let platform = self.platform();
        for old in self.ports.master.retired().await.map_err(KeyError::from)? {
            let realms = organizations.iter().map(Realm::from).chain([Realm::from(&platform)]);
            for realm in realms {
                if !self.keyring.wrapped_by(realm, old.id, 1).await?.is_empty() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// The platform's ledger says once of each retired key that it was replaced.
    async fn note_retired_masters(&self, active: KeyId) -> Result<(), AppError> {
        let platform = self.local_operator();
        let realm = Realm::from(&platform);
        let keys = match self.keyring.realm(realm).await {
            Ok(keys) => keys,
            // Nothing was ever set up here.
            Err(KeyError::NoOrganizationKey(_)) => return Ok(()),
            Err(other) => return Err(other.into()),
        };
        for old in self.ports.master.retired().await.map_err(KeyError::from)? {
            let mut draft = Draft::new(self, realm);
            let rotated = Event::KeyRotated(KeyRotated { old: old.id, new: active });
            draft.event(&keys.organization, &Stream::new("key", old.id), 1, &rotated);
            match draft.commit(realm).await {
                Ok(_) | Err(AppError::Conflict(_)) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }

    /// The engines keep copies of overwritten rows for a while; these would open with the old key.
    async fn scrub_all(&self) -> Result<(), AppError> {
        let platform = self.platform();
        self.keyring.scrub((&platform).into()).await?;
        for scope in self.stored_organizations().await? {
            self.keyring.scrub((&scope).into()).await?;
        }
        Ok(())
    }

    /// Those that were registered and have their storage: a crash can lie between the two.
    async fn stored_organizations(&self) -> Result<Vec<OrgScope>, AppError> {
        let mut stored = Vec::new();
        for organization in self.ports.directory.organizations(&self.platform()).await? {
            let scope = self.system_scope(organization.id, "key-rotation");
            match self.ports.keys.of_subject((&scope).into(), "organization").await {
                Ok(_) => stored.push(scope),
                Err(StoreError::UnknownOrganization(_)) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Ok(stored)
    }
}
