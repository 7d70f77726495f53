//! Signed statements of how each log stood, kept outside the data directory.

use std::collections::BTreeSet;
use std::sync::MutexGuard;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

use super::walk::{Signer, signed_bytes};
use crate::app::{App, AppError};
use crate::chain::Frontier;
use crate::port::{Checkpoint, Head, LogName, Realm, RealmId};

impl App {
    /// Checkpoints every log that grew since its last one, whoever wrote to it.
    pub async fn checkpoint_all(&self) -> Result<(), AppError> {
        let organizations = self.ports.directory.organizations(&self.platform()).await?;
        let all = organizations.into_iter().map(|row| RealmId(Some(row.id)));
        self.checkpoint_realms(all.chain([RealmId::PLATFORM]).collect()).await
    }

    /// Checkpoints the logs that this process wrote to since their last one: those that rest stay closed.
    pub async fn checkpoint_grown(&self) -> Result<(), AppError> {
        let grown = std::mem::take(&mut *self.grown());
        if grown.is_empty() {
            return Ok(());
        }
        self.checkpoint_realms(grown).await
    }

    async fn checkpoint_realms(&self, realms: BTreeSet<RealmId>) -> Result<(), AppError> {
        let Some(pair) = self.signing_pair().await? else { return Ok(()) };
        // One realm's trouble keeps no other from its checkpoint, and it is tried again.
        let mut result = Ok(());
        for realm in realms {
            let written = match realm.0 {
                Some(organization) => {
                    let scope = self.system_scope(organization, "witness");
                    self.checkpoint_realm((&scope).into(), &pair).await
                }
                None => self.checkpoint_realm((&self.platform()).into(), &pair).await,
            };
            if written.is_err() {
                self.grown().insert(realm);
            }
            result = result.and(written);
        }
        result
    }

    /// Realms that this process wrote to and that were not checkpointed since.
    pub(crate) fn grown(&self) -> MutexGuard<'_, BTreeSet<RealmId>> {
        self.realms_grown.lock().expect("no code panics while it holds the set")
    }

    /// Who must have signed the checkpoints, by this installation's own key store.
    pub async fn signer(&self) -> Result<Signer, AppError> {
        Ok(match self.signing_pair().await? {
            Some(pair) => Signer::Key(pair.public_key().as_ref().to_vec()),
            None => Signer::Nobody,
        })
    }

    pub(super) async fn checkpoint_realm(
        &self,
        realm: Realm<'_>,
        pair: &Ed25519KeyPair,
    ) -> Result<(), AppError> {
        let known = self.ports.witness.witnessed(realm.id()).await?.unwrap_or_default();
        for log in [LogName::Events, LogName::Access] {
            let head = self.ports.log.head(realm, log).await?;
            let last = known.checkpoints.iter().rev().find(|checkpoint| checkpoint.log == log);
            if head.position > last.map_or(0, |checkpoint| checkpoint.position) {
                self.ports.witness.record(&self.sign(realm.id(), log, &head, pair)?).await?;
            }
        }
        Ok(())
    }

    fn sign(
        &self,
        realm: RealmId,
        log: LogName,
        head: &Head,
        pair: &Ed25519KeyPair,
    ) -> Result<Checkpoint, AppError> {
        let frontier = Frontier::from_bytes(&head.frontier).ok_or_else(|| {
            AppError::Damaged(format!("the head of the {} log is damaged", log.name()))
        })?;
        let mut checkpoint = Checkpoint {
            realm,
            log,
            position: head.position,
            hash: head.hash,
            root: frontier.root(),
            at: self.now(),
            public_key: pair.public_key().as_ref().to_vec(),
            signature: Vec::new(),
        };
        checkpoint.signature = pair.sign(&signed_bytes(&checkpoint)).as_ref().to_vec();
        Ok(checkpoint)
    }

    /// `None` before the platform was set up.
    pub(super) async fn signing_pair(&self) -> Result<Option<Ed25519KeyPair>, AppError> {
        let platform = self.platform();
        let rows = self.keyring.rows_of((&platform).into(), "signing").await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let seed = self.keyring.open_signing(RealmId::PLATFORM, row).await?;
        Ed25519KeyPair::from_seed_unchecked(&seed)
            .map(Some)
            .map_err(|_| AppError::Damaged("the signing key is not an Ed25519 seed".into()))
    }
}
