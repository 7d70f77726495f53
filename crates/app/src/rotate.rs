//! Rotation of keys while everything runs.
//!
//! A new version wraps from now on; what the old one wraps is re-wrapped page by page. The old key stays,
//! retired, because it opens what it sealed itself. Interrupted at any point, running it again goes on.

use precordia_model::{AlarmCode, AlarmSubject};
use precordia_rules::event::{Event, KeyRotated};

use crate::access::OrgScope;
use crate::alarm::Alarm;
use crate::app::{App, AppError};
use crate::ledger::Draft;
use crate::port::{KEY_USES_ROTATE, KeyChange, KeyKind, KeyState, Realm, Stream};

/// Keys that one transaction re-wraps.
const PAGE: u32 = 500;

/// A key that was used so often should have been replaced long ago.
const KEY_USES_LATE: i64 = KEY_USES_ROTATE / 2 * 3;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotated {
    pub rewrapped: usize,
}

impl App {
    /// Rotates the key of an organization named by its slug, for the operator of this machine.
    pub async fn rotate_organization_key(&self, slug: &str) -> Result<Rotated, AppError> {
        let platform = self.local_operator();
        let row = self
            .ports
            .directory
            .organization_by_slug(&platform, slug)
            .await?
            .ok_or(AppError::NotFound("organization"))?;
        let scope = self.system_scope(row.id, "key-rotation");
        self.rotate_key(&scope).await
    }

    async fn rotate_key(&self, scope: &OrgScope) -> Result<Rotated, AppError> {
        let realm = Realm::from(scope);
        let old: Vec<_> = self
            .keyring
            .rows_of(realm, "organization")
            .await?
            .into_iter()
            .filter(|row| row.state == KeyState::Active)
            .collect();
        let (key, _, add) =
            self.keyring.create_top(realm.id(), KeyKind::Organization, "organization").await?;
        let mut draft = Draft::new(self, realm);
        draft.batch.keys.push(add);
        for row in &old {
            draft.batch.keys.push(KeyChange::Retire { id: row.id });
            let rotated = Event::KeyRotated(KeyRotated { old: row.id, new: key.id() });
            draft.event(&key, &Stream::new("key", row.id), 1, &rotated);
        }
        draft.commit(realm).await?;
        self.keyring.forget(realm.id());
        let rewrapped = self.rewrap_retired(scope).await?;
        Ok(Rotated { rewrapped })
    }

    /// A key that sealed very much is replaced before its random nonces could meet.
    pub(crate) async fn rotate_worn_key(&self, scope: &OrgScope) -> Result<(), AppError> {
        let uses = self.organization_key_uses(scope).await?;
        if uses >= KEY_USES_ROTATE {
            tracing::warn!(organization.id = %scope.organization(), uses, "rotating a worn key");
            self.rotate_key(scope).await?;
        }
        Ok(())
    }

    async fn organization_key_uses(&self, scope: &OrgScope) -> Result<i64, AppError> {
        let realm = Realm::from(scope);
        let rows = self.keyring.rows_of(realm, "organization").await?;
        match rows.iter().find(|row| row.state == KeyState::Active) {
            Some(active) => Ok(self.ports.keys.uses(realm, active.id).await?),
            None => Ok(0),
        }
    }

    /// Uses of the organization key in force that was used most often, for the metrics.
    pub async fn key_uses_max(&self) -> Result<i64, AppError> {
        let mut max = 0;
        for organization in self.ports.directory.organizations(&self.platform()).await? {
            let scope = self.system_scope(organization.id, "metrics");
            let uses = self.organization_key_uses(&scope).await?;
            max = max.max(uses);
            let (code, id) = (AlarmCode::KeyWorn, organization.id);
            let subject = AlarmSubject::organization(id, "organization-key");
            if uses > KEY_USES_LATE {
                let alarm = Alarm::new(code, subject).figure("uses", uses);
                self.alarms().raise(alarm).await;
            } else {
                self.alarms().clear(code, subject).await;
            }
        }
        Ok(max)
    }

    /// Whatever a retired organization key still wraps goes under the active one.
    pub(crate) async fn rewrap_retired(&self, scope: &OrgScope) -> Result<usize, AppError> {
        let realm = Realm::from(scope);
        let rows = self.keyring.rows_of(realm, "organization").await?;
        // Not the kept one, which may be older than the last rotation.
        let Some(active) = rows.iter().find(|row| row.state == KeyState::Active) else {
            return Ok(0);
        };
        let active = self.keyring.open(realm, &[active.id]).await?.get(active.id)?;
        let mut count = 0;
        for retired in rows.iter().filter(|row| row.state == KeyState::Retired) {
            loop {
                let rows = self.keyring.wrapped_by(realm, retired.id, PAGE).await?;
                if rows.is_empty() {
                    break;
                }
                let mut draft = Draft::new(self, realm);
                for row in &rows {
                    draft.batch.keys.push(self.keyring.rewrap(realm, row, &active).await?);
                }
                // A conflict says that a key moved meanwhile; the next page shows it as it stands.
                match draft.commit(realm).await {
                    Ok(_) => count += rows.len(),
                    Err(AppError::Conflict(_)) => {}
                    Err(other) => return Err(other),
                }
            }
        }
        Ok(count)
    }
}
