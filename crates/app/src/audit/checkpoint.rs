//! Signed statements of how each log stood, kept outside the data directory.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

use super::walk::{Signer, signed_bytes};
use crate::app::{App, AppError};
use crate::chain::Frontier;
use crate::port::{Checkpoint, Head, LogName, Realm, RealmId};

impl App {
    /// Checkpoints every log that grew since its last one.
    pub async fn checkpoint_all(&self) -> Result<(), AppError> {
        let platform = self.platform();
        let Some(pair) = self.signing_pair().await? else { return Ok(()) };
        self.checkpoint_realm((&platform).into(), &pair).await?;
        // One organization's trouble keeps no other from its checkpoint.
        let mut result = Ok(());
        for organization in self.ports.directory.organizations(&platform).await? {
            let scope = self.system_scope(organization.id, "witness");
            let written = self.checkpoint_realm((&scope).into(), &pair).await;
            result = result.and(written);
        }
        result
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
