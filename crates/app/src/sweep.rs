//! Sealed bytes on the disk that no fact names: left by a crash between writing an original and its event,
//! or between an erasure and its removal of files.

use std::collections::BTreeSet;

use crate::access::OrgScope;
use crate::app::{App, AppError};
use crate::blob::stream_of;
use crate::port::Realm;

/// Objects that are looked at with one search.
const PAGE: u32 = 500;

/// An upload names its bytes in the ledger moments after it wrote the last of them. What nobody named for
/// so long, nobody will.
const AGE_SECONDS: i64 = 60 * 60;

impl App {
    /// [`App::sweep_blobs`] for every organization; how many objects were removed.
    pub async fn sweep_all_blobs(&self) -> Result<u64, AppError> {
        let mut removed = 0;
        // One organization's trouble keeps no other from its sweep.
        let mut result = Ok(());
        for organization in self.ports.directory.organizations(&self.platform()).await? {
            let scope = self.system_scope(organization.id, "sweep");
            match self.sweep_blobs(&scope).await {
                Ok(count) => removed += count,
                Err(cause) => result = Err(cause),
            }
        }
        result.map(|()| removed)
    }

    /// Removes objects that nothing names and nobody can open.
    async fn sweep_blobs(&self, scope: &OrgScope) -> Result<u64, AppError> {
        let mut removed = 0;
        let mut after = None;
        loop {
            let page = self.ports.blobs.list(scope, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(removed) };
            after = Some(*last);
            let named = self.ports.items.blobs_of_items(scope, &page).await?;
            let named: BTreeSet<_> = named.into_iter().collect();
            for blob in page.into_iter().filter(|blob| !named.contains(blob)) {
                if self.is_orphan(scope, blob).await? {
                    self.ports.blobs.remove(scope, blob).await?;
                    removed += 1;
                }
            }
        }
    }

    /// Item rows are a view, and a view may have lost a row: bytes whose key is there are kept whatever it
    /// says. A crash before the commit left no key; an erasure destroyed it.
    async fn is_orphan(
        &self,
        scope: &OrgScope,
        blob: precordia_model::BlobId,
    ) -> Result<bool, AppError> {
        let Some(written_at) = self.ports.blobs.written_at(scope, blob).await? else {
            return Ok(false);
        };
        let is_old = written_at.plus_seconds(AGE_SECONDS) < self.now();
        Ok(is_old && self.keyring.rows_of(Realm::from(scope), &stream_of(blob)).await?.is_empty())
    }
}
