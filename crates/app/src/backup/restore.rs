//! A restore: into an empty storage, to the end of the backup or to an earlier event, and never past an
//! erasure.
//!
//! Rows are put back as they were, after their chain was followed; the access log always whole. What was
//! erased later than the event up to which is restored stays erased: its keys are destroyed in the newest
//! set of keys, and its erasure is written down anew. The directory's rows come last, so that nobody can
//! sign in to what is half there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use precordia_model::{BlobId, OrganizationId, Phi, Timestamp};
use precordia_rules::event::{Event, LedgerRestored};
use serde::Serialize;

use super::file::{PIECE, SealedFile};
use super::lines::{Line, each};
use super::state::{State, decoded};
use super::{Segment, blob_name, log_folder};
use crate::access::OrgScope;
use crate::app::{App, AppError};
use crate::audit::{Signer, VerifyReport, digest_of, realm_named};
use crate::blob::stream_of;
use crate::chain::{Frontier, GENESIS, Hash};
use crate::ledger::Draft;
use crate::port::{
    Batch, Head, LogName, OrganizationRow, Position, Realm, RealmId, RestoredRows, Secrets,
    StoreError, StoredAccess, StoredEvent, StoredResource, Stream, Vault, ViewChange, Witness,
};

/// Originals or items that are looked at at once.
const PAGE: u32 = 500;

#[derive(Clone, Debug, Default)]
pub struct RestoreRequest {
    /// Bring back no event of an organization from the first one on that is not older than this.
    pub before: Option<Timestamp>,
    /// By an organization's slug: the last event to bring back.
    pub positions: BTreeMap<String, Position>,
    /// Is written down, sealed.
    pub reason: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RestoredLog {
    /// Rows that the backup has.
    pub backup: Position,
    /// Rows that are there now.
    pub restored: Position,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RestoredRealm {
    /// An organization's id, or `platform`.
    pub realm: String,
    /// An organization's slug.
    pub organization: Option<String>,
    /// When the last complete run of the backup was.
    pub backup_at: Option<String>,
    pub events: RestoredLog,
    pub accesses: RestoredLog,
    pub keys: u64,
    pub blobs: u64,
    /// Originals that an item names, whose key is there, and that are not.
    pub blobs_missing: u64,
    /// Erasures that were made after the last event that was brought back.
    pub erasures: u64,
    /// Rows of views that were made from the events.
    pub rows: u64,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Restored {
    pub realms: Vec<RestoredRealm>,
    /// Realms that are in the backup and not in its directory, which stay there, or in the directory and
    /// not in the backup, which are empty now.
    pub unknown: Vec<String>,
}

/// Rows of a log on their way back.
#[derive(Default)]
struct Rows {
    events: Vec<StoredEvent>,
    resources: Vec<StoredResource>,
    accesses: Vec<StoredAccess>,
}

/// Where a log stands that is being put back.
struct Standing {
    realm: RealmId,
    position: Position,
    hash: Hash,
    frontier: Frontier,
}

impl Standing {
    fn new(realm: RealmId) -> Self {
        Self { realm, position: 0, hash: GENESIS, frontier: Frontier::default() }
    }

    fn head(&self) -> Head {
        let frontier = self.frontier.to_bytes();
        Head { position: self.position, hash: self.hash, frontier }
    }

    /// Refuses a row that does not follow or is not what it was when it was chained.
    fn follow(&mut self, line: &dyn Chained) -> Result<(), AppError> {
        let position = self.position + 1;
        let holds = line.position() == position
            && *line.previous() == self.hash
            && line.computed(self.realm) == *line.hash();
        if !holds {
            let text = format!("row {position} of the backup of `{}` is not as it was", self.realm);
            return Err(AppError::Damaged(text));
        }
        self.position = position;
        self.hash = *line.hash();
        self.frontier.push(line.hash());
        Ok(())
    }
}

trait Chained {
    fn position(&self) -> Position;
    fn previous(&self) -> &Hash;
    fn hash(&self) -> &Hash;
    fn computed(&self, realm: RealmId) -> Hash;
}

macro_rules! chained {
    ($($line:ty),+) => {$(
        impl Chained for $line {
            fn position(&self) -> Position { self.position }
            fn previous(&self) -> &Hash { &self.previous }
            fn hash(&self) -> &Hash { &self.hash }
            fn computed(&self, realm: RealmId) -> Hash { self.computed(realm) }
        }
    )+};
}
chained!(crate::audit::EventLine, crate::audit::AccessLine);

impl App {
    /// Puts a backup into this empty storage. Afterwards the logs are as they were up to the events that
    /// were asked for, and every view is made from them.
    pub async fn restore(&self, request: &RestoreRequest) -> Result<Restored, AppError> {
        let restored = self.restore_rows(request).await?;
        for realm in &restored.realms {
            let reason = Phi::new(request.reason.clone());
            self.write_restored(realm, reason).await?;
        }
        Ok(restored)
    }

    /// Everything of a restore but the fact that it happened: all logs end as they ended in the backup.
    pub(super) async fn restore_rows(
        &self,
        request: &RestoreRequest,
    ) -> Result<Restored, AppError> {
        let platform = self.platform();
        self.must_be_empty().await?;
        let folders = self.vaults()?.data.list("").await?;
        let mut left: BTreeSet<RealmId> =
            folders.iter().filter_map(|name| realm_named(name)).collect();
        let text = "there is no backup of an installation here: the folder `platform` is missing";
        if !left.remove(&RealmId::PLATFORM) {
            return Err(AppError::refused("no_backup", text));
        }
        let mut done = Restored::default();
        let realm = Realm::from(&platform);
        let (mut own, _) = self.restore_logs(realm, None, None).await?;
        let directory = self.fold_directory(&platform).await?;
        for slug in request.positions.keys() {
            if !directory.organizations.values().any(|row| row.slug == *slug) {
                return Err(AppError::NotFound("organization"));
            }
        }
        let rows: Vec<OrganizationRow> = directory.organizations.values().cloned().collect();
        for row in rows {
            if !left.remove(&RealmId(Some(row.id))) {
                // Registered, and no backup of it was ever made: it begins anew, with nothing in it.
                self.ports.directory.provision(&platform, row.id).await?;
                self.ensure_organization_keys(row.id).await?;
                done.unknown.push(row.id.to_string());
                continue;
            }
            let position = request.positions.get(&row.slug).copied();
            let mut realm = self.restore_organization(row.id, request.before, position).await?;
            realm.organization = Some(row.slug);
            done.realms.push(realm);
        }
        done.unknown.extend(left.iter().map(RealmId::to_string));
        let state = self.restore_secrets(realm, &mut own).await?;
        self.restore_directory(directory, state).await?;
        done.realms.insert(0, own);
        Ok(done)
    }

    async fn must_be_empty(&self) -> Result<(), AppError> {
        let platform = self.platform();
        let head = self.ports.log.head((&platform).into(), LogName::Events).await?;
        let keys = self.ports.keys.all((&platform).into(), None, 1).await?;
        if head.position == 0 && keys.is_empty() {
            return Ok(());
        }
        let text = "a backup is restored into an empty storage, and this one has data or what an \
                    unfinished restore left; give a fresh data_dir or database";
        Err(AppError::refused("not_empty", text))
    }

    async fn restore_organization(
        &self,
        id: OrganizationId,
        before: Option<Timestamp>,
        position: Option<Position>,
    ) -> Result<RestoredRealm, AppError> {
        self.ports.directory.provision(&self.platform(), id).await?;
        let scope = self.system_scope(id, "restore");
        let realm = Realm::from(&scope);
        let (mut done, erased) = self.restore_logs(realm, before, position).await?;
        done.erasures = self.carry_erasures(&scope, done.events.restored, erased).await?;
        self.restore_secrets(realm, &mut done).await?;
        done.rows = self.rebuild_views(&scope).await?.put_right;
        if done.events.restored < done.events.backup {
            self.rewrap_as_filed(&scope).await?;
        }
        self.restore_blobs(&scope, &mut done).await?;
        Ok(done)
    }

    /// Keys and rows. Answers every erasure in the backup, those that were not brought back too.
    async fn restore_logs(
        &self,
        realm: Realm<'_>,
        before: Option<Timestamp>,
        position: Option<Position>,
    ) -> Result<(RestoredRealm, Vec<StoredEvent>), AppError> {
        let id = realm.id();
        let no_keys = || {
            let text = format!("the backup of keys has no whole set of `{id}`");
            AppError::refused("no_keys", text)
        };
        let set = self.newest_keys(id).await?.ok_or_else(no_keys)?;
        if let Some(wanted) = position.filter(|wanted| *wanted > set.position) {
            let text = format!("the backup of `{id}` ends at {}, before {wanted}", set.position);
            return Err(AppError::refused("beyond_backup", text));
        }
        let mut done =
            RestoredRealm { realm: id.to_string(), keys: set.keys, ..Default::default() };
        for part in set.parts() {
            let keys = self.keys_of(id, &set, part).await?;
            self.ports.restore.put_keys(realm, keys).await?;
        }
        self.keyring.forget(id);
        // Beyond it the set may lack a key.
        let last = position.unwrap_or(Position::MAX).min(set.position);
        let mut erased = Vec::new();
        done.events = self.restore_log(realm, LogName::Events, last, before, &mut erased).await?;
        done.accesses =
            self.restore_log(realm, LogName::Access, Position::MAX, None, &mut erased).await?;
        Ok((done, erased))
    }

    async fn restore_log(
        &self,
        realm: Realm<'_>,
        log: LogName,
        last: Position,
        before: Option<Timestamp>,
        erased: &mut Vec<StoredEvent>,
    ) -> Result<RestoredLog, AppError> {
        let mut standing = Standing::new(realm.id());
        let mut done = RestoredLog::default();
        let mut cut = false;
        for segment in plan(self.segments(realm.id(), log).await?, realm.id(), log)? {
            done.backup = segment.last;
            let after = standing.position;
            let mut rows = Rows::default();
            for line in self.lines_of(realm, log, &segment).await? {
                if let Line::Event(line) = &line
                    && line.kind == "patient.erased"
                {
                    erased.push((**line).clone().into());
                }
                match line {
                    Line::Event(line) if line.position > after && !cut => {
                        cut = line.position > last
                            || before.is_some_and(|before| line.at_us >= before.micros());
                        if !cut {
                            standing.follow(&*line)?;
                            rows.events.push((*line).into());
                        }
                    }
                    Line::Resource(line) => {
                        let row = line.row()?;
                        let (first, last) = (after, standing.position);
                        if first < row.position && row.position <= last && !cut {
                            rows.resources.push(row);
                        }
                    }
                    Line::Access(line) if line.position > after => {
                        standing.follow(&*line)?;
                        rows.accesses.push((*line).into());
                    }
                    _ => {}
                }
            }
            if standing.position == after {
                continue;
            }
            as_written(&rows)?;
            let Rows { events, resources, accesses } = rows;
            let head = standing.head();
            let rows = RestoredRows { events, resources, accesses, after, log, head };
            self.ports.restore.put_rows(realm, rows).await?;
        }
        done.restored = standing.position;
        Ok(done)
    }

    async fn lines_of(
        &self,
        realm: Realm<'_>,
        log: LogName,
        segment: &Segment,
    ) -> Result<Vec<Line>, AppError> {
        let name = format!("{}/{}", log_folder(realm.id(), log), segment.name());
        let gone = || AppError::Damaged(format!("`{name}` is missing in the backup"));
        let vault = &*self.vaults()?.data;
        let file = SealedFile::read(vault, name.clone()).await?.ok_or_else(gone)?;
        let key = self.keyring.open(realm, &[file.key]).await?.get(file.key)?;
        let plain = file.open(realm.id(), &key)?;
        each(&plain, &name).collect()
    }

    async fn restore_blobs(
        &self,
        scope: &OrgScope,
        done: &mut RestoredRealm,
    ) -> Result<(), AppError> {
        let realm = Realm::from(scope);
        let vault = &*self.vaults()?.data;
        let there: Vec<BlobId> = self.blobs_in(vault, realm.id()).await?.into_iter().collect();
        for page in there.chunks(PAGE as usize) {
            let named = self.ports.items.blobs_of_items(scope, page).await?;
            for blob in named {
                if !self.keyring.rows_of(realm, &stream_of(blob)).await?.is_empty() {
                    self.restore_blob(vault, scope, blob).await?;
                    done.blobs += 1;
                }
            }
        }
        let there: BTreeSet<BlobId> = there.into_iter().collect();
        let (mut missing, mut before) = (BTreeSet::new(), None);
        loop {
            let rows = self.ports.items.items(scope, None, before, PAGE).await?;
            let Some(last) = rows.last() else { break };
            before = Some((last.received_at, last.id));
            for blob in rows.iter().filter_map(|row| row.blob) {
                // What was erased has no key and is not missed.
                if !there.contains(&blob)
                    && !self.keyring.rows_of(realm, &stream_of(blob)).await?.is_empty()
                {
                    missing.insert(blob);
                }
            }
        }
        done.blobs_missing = missing.len() as u64;
        Ok(())
    }

    async fn restore_blob(
        &self,
        vault: &dyn Vault,
        scope: &OrgScope,
        blob: BlobId,
    ) -> Result<(), AppError> {
        let name = blob_name(RealmId(Some(scope.organization())), blob);
        let mut writer = self.ports.blobs.create(scope, blob).await?;
        let mut offset = 0;
        loop {
            let piece = vault.read(&name, offset, PIECE).await?;
            let piece = piece.ok_or(StoreError::NoBlob(blob))?;
            let length = piece.len();
            offset += length as u64;
            writer.write(piece).await?;
            if length < PIECE as usize {
                return Ok(writer.finish().await?);
            }
        }
    }

    /// `None`: no run was ever complete, so there are none.
    async fn restore_secrets(
        &self,
        realm: Realm<'_>,
        done: &mut RestoredRealm,
    ) -> Result<Option<State>, AppError> {
        let Some(file) = self.newest_state(realm.id()).await? else { return Ok(None) };
        let key = self.keyring.open(realm, &[file.key]).await?.get(file.key)?;
        let state = decoded(&file, realm.id(), &key)?;
        done.backup_at = Some(Timestamp(state.at_us).to_rfc3339());
        // Of whom and what the events know that came back.
        let mut secrets = Secrets::default();
        for line in &state.tokens {
            let token = line.clone().row()?;
            if self.is_there(realm, &Stream::new("token", token.id)).await? {
                secrets.tokens.push(token);
            }
        }
        for (user, hash) in &state.passwords {
            if self.is_there(realm, &Stream::new("user", user)).await? {
                secrets.passwords.push((*user, hash.clone()));
            }
        }
        self.ports.restore.put_secrets(realm, secrets).await?;
        Ok(Some(state))
    }

    /// Now the organizations are there for everybody.
    async fn restore_directory(
        &self,
        directory: crate::view::directory::DirectoryNow,
        state: Option<State>,
    ) -> Result<(), AppError> {
        let platform = self.platform();
        let codes = state.map(|state| state.setup_codes).unwrap_or_default();
        let mut batch = Batch::default();
        for (id, row) in directory.organizations {
            batch.effects.push(crate::view::directory::slug_effect(&row));
            let setup_code_hash = codes.get(&id).cloned();
            batch.views.push(ViewChange::Organization(OrganizationRow { setup_code_hash, ..row }));
        }
        batch.views.extend(directory.sites.into_values().map(ViewChange::Site));
        self.append((&platform).into(), batch).await?;
        self.rebuild_platform(&platform).await?;
        Ok(())
    }

    /// The first event after those that were brought back.
    async fn write_restored(
        &self,
        done: &RestoredRealm,
        reason: Phi<String>,
    ) -> Result<(), AppError> {
        let (platform, scope);
        let id = realm_named(&done.realm).ok_or_else(|| AppError::Damaged(done.realm.clone()))?;
        let realm = match id.0 {
            Some(organization) => {
                scope = self.system_scope(organization, "restore");
                Realm::from(&scope)
            }
            None => {
                platform = self.platform();
                Realm::from(&platform)
            }
        };
        let stream = Stream::new("ledger", id);
        let events = self.ports.log.stream(realm, &stream).await?;
        let keys = self.keyring.realm(realm).await?;
        let fact = Event::LedgerRestored(LedgerRestored {
            events: done.events.restored,
            accesses: done.accesses.restored,
            backup_events: done.events.backup,
            reason,
        });
        let mut draft = Draft::new(self, realm);
        let version = events.last().map_or(0, |event| event.version) + 1;
        draft.event(&keys.organization, &stream, version, &fact);
        draft.commit(realm).await?;
        Ok(())
    }

    /// What a witness of before says of a realm that was brought back, up to where it was.
    pub async fn proven_by(
        &self,
        witness: Arc<dyn Witness>,
        done: &RestoredRealm,
        signer: &Signer,
    ) -> Result<Option<VerifyReport>, AppError> {
        let id = realm_named(&done.realm).ok_or_else(|| AppError::Damaged(done.realm.clone()))?;
        let Some(mut witnessed) = witness.witnessed(id).await? else { return Ok(None) };
        witnessed.checkpoints.retain(|checkpoint| match checkpoint.log {
            LogName::Events => checkpoint.position <= done.events.restored,
            LogName::Access => checkpoint.position <= done.accesses.restored,
        });
        let report = match id.0 {
            Some(organization) => {
                let scope = self.system_scope(organization, "restore");
                self.verify_by((&scope).into(), signer, Some(witnessed)).await?
            }
            None => self.verify_by((&self.platform()).into(), signer, Some(witnessed)).await?,
        };
        Ok(Some(report))
    }
}

/// The files that together have every row once, in order. Two runs at once may have left files that
/// overlap.
fn plan(mut all: Vec<Segment>, realm: RealmId, log: LogName) -> Result<Vec<Segment>, AppError> {
    all.sort_by_key(|segment| (segment.first, segment.last));
    let (mut chosen, mut next): (Vec<Segment>, Position) = (Vec::new(), 1);
    let end = all.iter().map(|segment| segment.last).max().unwrap_or(0);
    while next <= end {
        let fits = all.iter().filter(|one| one.first <= next && next <= one.last);
        let Some(best) = fits.max_by_key(|one| one.last) else {
            let text =
                format!("the backup of `{realm}` lacks row {next} of its {} log", log.name());
            return Err(AppError::Damaged(text));
        };
        next = best.last + 1;
        chosen.push(best.clone());
    }
    Ok(chosen)
}

/// Each event with the resource versions that it was chained with.
fn as_written(rows: &Rows) -> Result<(), AppError> {
    let mut written = rows.resources.as_slice();
    for event in &rows.events {
        let count = written.iter().take_while(|row| row.position == event.position).count();
        let (own, rest) = written.split_at(count);
        written = rest;
        if digest_of(own) != event.resources {
            let position = event.position;
            let text = format!("a resource version of event {position} in the backup was changed");
            return Err(AppError::Damaged(text));
        }
    }
    if written.is_empty() {
        return Ok(());
    }
    Err(AppError::Damaged(String::from("the backup has a resource version without its event")))
}
