//! One run of a backup: what is new since the last one, and the keys whole.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use precordia_model::BlobId;
use serde::Serialize;

use super::file::PIECE;
use super::lines::{Line, ResourceLine, TokenLine, put};
use super::state::State;
use super::{Segment, blob_name, log_folder};
use crate::access::OrgScope;
use crate::app::{App, AppError};
use crate::audit::{AccessLine, EventLine};
use crate::blob::stream_of;
use crate::chain::Hash;
use crate::port::{
    Batch, EffectKey, KeyKind, KeyState, LogName, Position, Realm, RealmId, StoreError, Vault,
};
use crate::seal::DataKey;

/// Rows that are read at once.
const PAGE: u32 = 500;
/// A file of rows ends after so many, or with the row that brings it over so many bytes.
const SEGMENT_ROWS: usize = 5000;
const SEGMENT_BYTES: usize = 4 * 1024 * 1024;
/// Objects that are listed at once.
const BLOBS: u32 = 1000;

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BackedUp {
    /// An organization's id, or `platform`.
    pub realm: String,
    /// The last event and access that a restore brings back.
    pub events: Position,
    pub accesses: Position,
    /// What is new in it.
    pub new_rows: i64,
    pub new_blobs: u64,
    /// Of erased patients.
    pub removed_blobs: u64,
    pub keys: u64,
    /// Whether everything is in it; a run that takes very long stops in the middle, and the next goes on.
    pub complete: bool,
}

impl App {
    /// The control ledger and every organization. One that fails keeps no other from its backup.
    pub async fn back_up_all(&self) -> Result<Vec<BackedUp>, AppError> {
        let platform = self.platform();
        let mut done = vec![self.back_up((&platform).into()).await?];
        let mut result = Ok(());
        for organization in self.ports.directory.organizations(&platform).await? {
            let scope = self.system_scope(organization.id, "backup");
            match self.back_up((&scope).into()).await {
                Ok(one) => done.push(one),
                Err(cause) => result = Err(cause),
            }
        }
        result.map(|()| done)
    }

    /// Brings the backup of a realm up to now.
    pub async fn back_up(&self, realm: Realm<'_>) -> Result<BackedUp, AppError> {
        self.back_up_within(realm, Duration::MAX).await
    }

    /// As [`App::back_up`], and stops after about so long where the next run can go on.
    pub async fn back_up_within(
        &self,
        realm: Realm<'_>,
        limit: Duration,
    ) -> Result<BackedUp, AppError> {
        let begun = Instant::now();
        let key = self.backup_key(realm).await?;
        let mut done =
            BackedUp { realm: realm.id().to_string(), complete: true, ..BackedUp::default() };
        let over = || begun.elapsed() > limit;
        // The keys are read after nearly everything else, and what came meanwhile is fetched after them: so
        // whatever a restore opens with them is there, and so is every erasure that they know of.
        self.back_up_sealed(realm, &key, &over, &mut done).await?;
        let (position, keys) = self.back_up_keys(realm).await?;
        done.keys = keys;
        let blobs = self.back_up_sealed(realm, &key, &over, &mut done).await?;
        if done.complete {
            done.events = position;
            let state = self.state_now(realm, &done, blobs).await?;
            self.put_state(realm.id(), &key, &state).await?;
        }
        Ok(done)
    }

    /// Logs and originals. Answers how many originals there are.
    async fn back_up_sealed(
        &self,
        realm: Realm<'_>,
        key: &DataKey,
        over: &(dyn Fn() -> bool + Sync),
        done: &mut BackedUp,
    ) -> Result<u64, AppError> {
        for log in [LogName::Events, LogName::Access] {
            done.complete &= self.back_up_log(realm, log, key, over, done).await?;
        }
        match realm {
            Realm::Organization(scope) => self.back_up_blobs(scope, over, done).await,
            Realm::Platform(_) => Ok(0),
        }
    }

    async fn back_up_blobs(
        &self,
        scope: &OrgScope,
        over: &(dyn Fn() -> bool + Sync),
        done: &mut BackedUp,
    ) -> Result<u64, AppError> {
        let realm = Realm::from(scope);
        let vault = &*self.vaults()?.data;
        let before = self.blobs_in(vault, realm.id()).await?;
        let mut count = before.len() as u64;
        let (mut there, mut after) = (BTreeSet::new(), None);
        loop {
            let page = self.ports.blobs.list(scope, after, BLOBS).await?;
            let Some(last) = page.last() else { break };
            after = Some(*last);
            for blob in page {
                there.insert(blob);
                if !before.contains(&blob) && self.back_up_blob(vault, scope, blob).await? {
                    done.new_blobs += 1;
                    count += 1;
                }
                if over() {
                    done.complete = false;
                    return Ok(count);
                }
            }
        }
        for blob in before.difference(&there) {
            // What the storage lost by itself is kept; what was erased has no key any more.
            if self.keyring.rows_of(realm, &stream_of(*blob)).await?.is_empty() {
                vault.remove(&blob_name(realm.id(), *blob)).await?;
                done.removed_blobs += 1;
                count -= 1;
            }
        }
        Ok(count)
    }

    /// The key that seals this realm's backups; made when it is needed first.
    async fn backup_key(&self, realm: Realm<'_>) -> Result<std::sync::Arc<DataKey>, AppError> {
        for _ in 0..2 {
            let rows = self.keyring.rows_of(realm, "backup").await?;
            if let Some(row) = rows.iter().find(|row| row.state == KeyState::Active) {
                return Ok(self.keyring.open(realm, &[row.id]).await?.get(row.id)?);
            }
            let organization = self.keyring.realm(realm).await?.organization;
            let (_, change) =
                self.keyring.create(realm.id(), KeyKind::Backup, "backup", &organization);
            // Another process may be first; then theirs is used.
            let once = EffectKey { key: "key/backup".into(), subject: String::from("-") };
            let batch = Batch { keys: vec![change], effects: vec![once], ..Batch::default() };
            self.append(realm, batch).await?;
        }
        Err(AppError::Damaged(String::from("there is no key to seal a backup with")))
    }

    /// `false`: the time was over before the end of the log.
    async fn back_up_log(
        &self,
        realm: Realm<'_>,
        log: LogName,
        key: &DataKey,
        over: &(dyn Fn() -> bool + Sync),
        done: &mut BackedUp,
    ) -> Result<bool, AppError> {
        let vault = &*self.vaults()?.data;
        let mut after = self.last_in_backup(realm, log).await?;
        let head = self.ports.log.head(realm, log).await?.position;
        while after < head && !over() {
            let (lines, last, hash) = self.segment_lines(realm, log, after, head).await?;
            let segment = Segment { first: after + 1, last, hash: crate::audit::hex(&hash[..8]) };
            let name = format!("{}/{}", log_folder(realm.id(), log), segment.name());
            self.seal_file(vault, realm.id(), key, &name, &lines).await?;
            done.new_rows += last - after;
            after = last;
        }
        match log {
            LogName::Events => done.events = after,
            LogName::Access => done.accesses = after,
        }
        Ok(after >= head)
    }

    /// Where the backup of a log ends. Its last row must be the one that stands there: a vault takes up one
    /// history and no other.
    async fn last_in_backup(&self, realm: Realm<'_>, log: LogName) -> Result<Position, AppError> {
        let segments = self.segments(realm.id(), log).await?;
        let Some(last) = segments.into_iter().max_by_key(|one| one.last) else { return Ok(0) };
        let hash = match log {
            LogName::Events => {
                let rows = self.ports.log.events(realm, last.last - 1, 1).await?;
                rows.first().filter(|row| row.position == last.last).map(|row| row.hash)
            }
            LogName::Access => {
                let rows = self.ports.log.accesses(realm, last.last - 1, 1).await?;
                rows.first().filter(|row| row.position == last.last).map(|row| row.hash)
            }
        };
        if hash.map(|hash| crate::audit::hex(&hash[..8])) == Some(last.hash) {
            return Ok(last.last);
        }
        let text = format!(
            "the backup of `{}` has another history than this storage: row {} of its {} log is not \
             the one here. Keep that backup as it is and give this installation an empty place",
            realm.id(),
            last.last,
            log.name()
        );
        Err(AppError::refused("backup_of_another", text))
    }

    /// The next rows as lines, the last of their positions and its hash.
    async fn segment_lines(
        &self,
        realm: Realm<'_>,
        log: LogName,
        after: Position,
        head: Position,
    ) -> Result<(Vec<u8>, Position, Hash), AppError> {
        let (mut lines, mut rows, mut last) = (Vec::new(), 0, (after, [0; 32]));
        while last.0 < head && rows < SEGMENT_ROWS && lines.len() < SEGMENT_BYTES {
            let from = last.0;
            match log {
                LogName::Events => {
                    let events = self.ports.log.events(realm, from, PAGE).await?;
                    let resources = self.ports.log.resources(realm, from, PAGE).await?;
                    let mut of: BTreeMap<Position, Vec<ResourceLine>> = BTreeMap::new();
                    for (position, resource) in resources.into_iter().map(|r| (r.position, r)) {
                        of.entry(position).or_default().push(resource.into());
                    }
                    for event in events.into_iter().filter(|event| event.position <= head) {
                        // A hole would be a page that is longer than the resources that were read.
                        if event.position != last.0 + 1 || lines.len() >= SEGMENT_BYTES {
                            break;
                        }
                        last = (event.position, event.hash);
                        rows += 1;
                        put(&mut lines, &Line::Event(Box::new(EventLine::from(event))))?;
                        for resource in of.remove(&last.0).unwrap_or_default() {
                            put(&mut lines, &Line::Resource(resource))?;
                        }
                    }
                }
                LogName::Access => {
                    let accesses = self.ports.log.accesses(realm, from, PAGE).await?;
                    for row in accesses.into_iter().filter(|row| row.position <= head) {
                        last = (row.position, row.hash);
                        rows += 1;
                        put(&mut lines, &Line::Access(Box::new(AccessLine::from(row))))?;
                    }
                }
            }
            if last.0 == from {
                let detail = format!("{} row {} is missing", log.name(), from + 1);
                return Err(StoreError::Damaged { what: "log", detail }.into());
            }
        }
        Ok((lines, last.0, last.1))
    }

    pub(super) async fn blobs_in(
        &self,
        vault: &dyn Vault,
        realm: RealmId,
    ) -> Result<BTreeSet<BlobId>, AppError> {
        let folder = format!("{realm}/blobs");
        let mut all = BTreeSet::new();
        for window in vault.list(&folder).await? {
            let names = vault.list(&format!("{folder}/{window}")).await?;
            all.extend(names.iter().filter_map(|name| name.parse::<BlobId>().ok()));
        }
        Ok(all)
    }

    /// As it lies there: it is sealed by its own key. `false`: it was erased meanwhile.
    async fn back_up_blob(
        &self,
        vault: &dyn Vault,
        scope: &OrgScope,
        blob: BlobId,
    ) -> Result<bool, AppError> {
        let realm = Realm::from(scope);
        let mut writer = vault.create(&blob_name(realm.id(), blob)).await?;
        let mut offset = 0;
        loop {
            let piece = match self.ports.blobs.read(scope, blob, offset, PIECE).await {
                Ok(piece) => piece,
                Err(StoreError::NoBlob(_)) => {
                    writer.abandon().await;
                    return Ok(false);
                }
                Err(other) => return Err(other.into()),
            };
            let length = piece.len();
            offset += length as u64;
            writer.write(piece).await?;
            if length < PIECE as usize {
                break;
            }
        }
        writer.finish().await?;
        Ok(true)
    }

    async fn state_now(
        &self,
        realm: Realm<'_>,
        done: &BackedUp,
        blobs: u64,
    ) -> Result<State, AppError> {
        let passwords = self.ports.accounts.password_hashes(realm).await?;
        let (mut tokens, mut setup_codes) = (Vec::new(), BTreeMap::new());
        match realm {
            Realm::Organization(scope) => {
                let rows = self.ports.accounts.api_tokens(scope).await?;
                tokens.extend(rows.into_iter().map(TokenLine::from));
            }
            Realm::Platform(scope) => {
                let rows = self.ports.directory.organizations(scope).await?;
                let codes = rows.into_iter().filter_map(|row| Some((row.id, row.setup_code_hash?)));
                setup_codes.extend(codes);
            }
        }
        Ok(State {
            at_us: self.now().micros(),
            events: done.events,
            accesses: done.accesses,
            blobs,
            keys: done.keys,
            passwords: passwords.into_iter().collect(),
            tokens,
            setup_codes,
        })
    }
}
