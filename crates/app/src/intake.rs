//! The one way in. Every door ends here: bytes are sealed and on disk, the fact is in the ledger and one
//! piece of work is queued before the sender is told.

use precordia_model::{
    BlobId, Door, ItemId, ItemState, Phi, RecordingId, SiteId, Timestamp, WorkId,
};
use precordia_rules::access::Permission;
use precordia_rules::event::{Event, ItemLinked, ItemReceived, ItemRejected};
use precordia_rules::intake::Balance;
use serde::{Deserialize, Serialize};

use crate::access::OrgScope;
use crate::app::{App, AppError};
use crate::blob::{BlobSealer, Written, stream_of};
use crate::ledger::{Draft, named_key};
use crate::live::Change;
use crate::port::{
    Append, DoorCount, EffectKey, ItemRow, KeyKind, NewWork, Priority, Realm, Stream,
};
use crate::seal::{SealError, Sealed};
use crate::user::hex;

/// Kind of the work that reads a received object.
pub const INGEST: &str = "ingest";

/// Kind of the work that tells a copy which recording the first became. It stands in the first one's
/// lane, so it runs when that is decided.
pub const FOLLOW: &str = "follow";

/// What a door knows of an object, whatever the door.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub door: Door,
    pub site: Option<SiteId>,
    pub file_name: Option<Phi<String>>,
    pub declared_bytes: Option<u64>,
}

/// What is told of an item.
#[derive(Clone, Debug)]
pub struct Item {
    pub row: ItemRow,
    pub details: ItemDetails,
}

/// Sealed beside the item's row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ItemDetails {
    pub file_name: Option<Phi<String>>,
    pub content_hash: Option<String>,
    pub reason: Option<Reason>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    pub code: String,
    pub text: String,
    pub hint: Option<String>,
}

/// An object that is being received. Dropping it without [`Receiving::finish`] leaves no fact behind.
pub struct Receiving<'a> {
    app: &'a App,
    scope: &'a OrgScope,
    arrival: Arrival,
    blob: BlobId,
    sealer: BlobSealer,
    key: std::sync::Arc<crate::seal::DataKey>,
    key_change: crate::port::KeyChange,
}

/// The object was over the limit; the refusal is in the ledger.
#[derive(Debug)]
pub enum ReceiveError {
    TooLarge { item: ItemId, limit_bytes: u64 },
    App(AppError),
}

impl<E: Into<AppError>> From<E> for ReceiveError {
    fn from(cause: E) -> Self {
        Self::App(cause.into())
    }
}

impl App {
    /// Starts to take an object in. What declares itself too large is refused before its bytes are read.
    pub async fn receive<'a>(
        &'a self,
        scope: &'a OrgScope,
        arrival: Arrival,
    ) -> Result<Receiving<'a>, ReceiveError> {
        self.require(scope, Permission::Upload, "item.receive", "-").await?;
        if let Some(site) = arrival.site {
            self.known_site(scope, site).await?;
        }
        if arrival.declared_bytes.is_some_and(|bytes| bytes > self.settings.upload_bytes_max) {
            return Err(self.reject(scope, &arrival, "declared size is over the limit").await?);
        }
        let keys = self.keyring.realm(scope.into()).await?;
        let blob = BlobId(self.new_id());
        let realm = Realm::from(scope).id();
        let (key, key_change) =
            self.keyring.create(realm, KeyKind::Blob, &stream_of(blob), &keys.organization);
        let sealer = BlobSealer::create(&*self.ports.blobs, scope, blob, key.clone()).await?;
        Ok(Receiving { app: self, scope, arrival, blob, sealer, key, key_change })
    }

    async fn known_site(&self, scope: &OrgScope, site: SiteId) -> Result<(), AppError> {
        let known = self.sites(scope).await?.iter().any(|(id, _)| *id == site);
        if known { Ok(()) } else { Err(AppError::NotFound("site")) }
    }

    /// Counts an object that was not taken, with what its sender declared.
    async fn reject(
        &self,
        scope: &OrgScope,
        arrival: &Arrival,
        reason: &str,
    ) -> Result<ReceiveError, AppError> {
        let realm = Realm::from(scope);
        let keys = self.keyring.realm(realm).await?;
        let id = ItemId(self.new_id());
        let limit_bytes = self.settings.upload_bytes_max;
        let mut draft = Draft::new(self, realm);
        let rejected = ItemRejected {
            door: arrival.door,
            sender: scope.actor().name(),
            site: arrival.site,
            declared_bytes: arrival.declared_bytes,
            limit_bytes,
            reason: reason.to_owned(),
        };
        draft.item(&keys.organization, id, None, Event::ItemRejected(rejected))?;
        draft.commit(realm).await?;
        self.live.tell(
            scope.organization(),
            Change::Item { item: id, state: ItemState::Rejected, recording: None },
        );
        Ok(ReceiveError::TooLarge { item: id, limit_bytes })
    }
}

impl Receiving<'_> {
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), ReceiveError> {
        Ok(self.sealer.write(bytes).await.map_err(AppError::from)?)
    }

    /// For a sender who names the site after the bytes.
    pub async fn at_site(&mut self, site: SiteId) -> Result<(), AppError> {
        self.app.known_site(self.scope, site).await?;
        self.arrival.site = Some(site);
        Ok(())
    }

    /// Whether more bytes would pass the limit.
    pub fn is_full(&self, more: usize) -> bool {
        self.sealer.size_bytes() + more as u64 > self.app.settings.upload_bytes_max
    }

    /// The object turned out too large while it came.
    pub async fn refuse(self) -> Result<ReceiveError, AppError> {
        self.sealer.abandon().await;
        self.app.reject(self.scope, &self.arrival, "content is over the limit").await
    }

    pub async fn abandon(self) {
        self.sealer.abandon().await;
    }

    /// Durable when it answers: acknowledge only now.
    pub async fn finish(self) -> Result<ItemId, ReceiveError> {
        let Receiving { app, scope, arrival, blob, sealer, key, key_change } = self;
        let written = sealer.finish().await?;
        let realm = Realm::from(scope);
        let keys = app.keyring.realm(realm).await?;
        // A long upload may have outlived the key that wrapped its own.
        let key_change = app.keyring.wrapped_now(realm, key_change, &keys.organization).await?;
        let content = hex(&keys.index.content(&written.digest));
        let id = ItemId(app.new_id());
        let stream = Stream::new("item", id);
        let mut draft = Draft::new(app, realm);
        let received = received(scope, &arrival, blob, &written, &content);
        draft.item(&key, id, None, Event::ItemReceived(received))?;
        draft.batch.keys.push(key_change);
        draft.batch.effects.push(content_effect(&content, id));
        draft.batch.work.push(work(app, INGEST, stream.0.clone(), stream.0));
        match draft.append(realm).await? {
            Append::Done { .. } => {
                app.live.tell(
                    scope.organization(),
                    Change::Item { item: id, state: ItemState::InFlight, recording: None },
                );
                app.work_arrived(scope.organization());
                Ok(id)
            }
            Append::Duplicate { subject, .. } => {
                app.ports.blobs.remove(scope, blob).await.map_err(AppError::from)?;
                let first = subject
                    .parse()
                    .map_err(|_| AppError::Damaged("a content key names no item".into()))?;
                app.link(scope, &arrival, first, &written, &content).await
            }
            other => {
                app.ports.blobs.remove(scope, blob).await.map_err(AppError::from)?;
                Err(AppError::Conflict(format!("{other:?}")).into())
            }
        }
    }
}

impl App {
    /// The same content was here before: a fact of its own that points to the first.
    async fn link(
        &self,
        scope: &OrgScope,
        arrival: &Arrival,
        first: ItemId,
        written: &Written,
        content: &str,
    ) -> Result<ItemId, ReceiveError> {
        let realm = Realm::from(scope);
        let first_row =
            self.ports.items.item(scope, first).await?.ok_or(AppError::NotFound("item"))?;
        // Sealed with the first one's key, so that an erasure of that patient reaches this fact too.
        let Some(blob) = first_row.blob else {
            // Erased since its content was found to be known; sent again, it is new.
            return Err(AppError::Conflict(format!("item/{first}")).into());
        };
        let key = self.key_of_subject(realm, &stream_of(blob)).await?;
        let id = ItemId(self.new_id());
        let stream = Stream::new("item", id);
        let mut draft = Draft::new(self, realm);
        let received = received(scope, arrival, blob, written, content);
        let item = draft.item(&key, id, None, Event::ItemReceived(received))?;
        let recording = first_row.recording;
        let linked = ItemLinked { to: first, recording };
        draft.item(&key, id, Some(item), Event::ItemLinked(linked))?;
        let follows = first_row.state == ItemState::InFlight;
        if follows {
            let lane = Stream::new("item", first).0;
            draft.batch.work.push(work(self, FOLLOW, lane, stream.0));
        }
        draft.commit(realm).await?;
        if follows {
            self.work_arrived(scope.organization());
        }
        self.live.tell(
            scope.organization(),
            Change::Item { item: id, state: ItemState::Linked, recording },
        );
        Ok(id)
    }

    /// What became of an item. An erased one keeps its state and loses its details.
    pub async fn item(&self, scope: &OrgScope, id: ItemId) -> Result<Item, AppError> {
        let reading = self.reading_items(scope, "item.read", format!("item/{id}")).await?;
        let result = async {
            let row = self.ports.items.item(scope, id).await?.ok_or(AppError::NotFound("item"))?;
            let mut items = self.open_items(scope, vec![row]).await?;
            items.pop().ok_or(AppError::NotFound("item"))
        }
        .await;
        reading.record(result).await
    }

    /// Those who send may see what became of what they sent; those who watch the intake see all.
    async fn reading_items<'a>(
        &'a self,
        scope: &'a OrgScope,
        action: &'static str,
        target: String,
    ) -> Result<crate::access::Reading<'a>, AppError> {
        let permission =
            if scope.may(Permission::Upload) { Permission::Upload } else { Permission::ReadIntake };
        self.reading(scope, permission, action, target).await
    }

    pub async fn items(
        &self,
        scope: &OrgScope,
        state: Option<ItemState>,
        before: Option<(Timestamp, ItemId)>,
        limit: u32,
    ) -> Result<Vec<Item>, AppError> {
        let reading = self.reading(scope, Permission::ReadIntake, "item.list", "-").await?;
        let result = async {
            let rows = self.ports.items.items(scope, state, before, limit).await?;
            self.open_items(scope, rows).await
        }
        .await;
        reading.record(result).await
    }

    pub(crate) async fn open_items(
        &self,
        scope: &OrgScope,
        rows: Vec<ItemRow>,
    ) -> Result<Vec<Item>, AppError> {
        let realm = Realm::from(scope);
        let stream = |row: &ItemRow| format!("item/{}", row.id);
        let ids = rows
            .iter()
            .filter(|row| !row.sealed.is_empty())
            .map(|row| named_key(&row.sealed, &stream(row), "details"))
            .collect::<Result<Vec<_>, _>>()?;
        let keys = self.keyring.open(realm, &ids).await?;
        rows.into_iter()
            .map(|row| {
                let details = if row.sealed.is_empty() {
                    ItemDetails::default()
                } else {
                    let sealed = Sealed::<ItemDetails>::new(row.sealed.clone());
                    let id = named_key(sealed.bytes(), &stream(&row), "details")?;
                    match keys.get(id) {
                        Ok(key) => crate::ledger::open_value(
                            realm.id(),
                            &key,
                            &stream(&row),
                            "details",
                            row.version,
                            sealed.bytes(),
                        )?,
                        // Erased between the reading of the row and of its key.
                        Err(SealError::Destroyed(_)) => ItemDetails::default(),
                        Err(other) => return Err(other.into()),
                    }
                };
                Ok(Item { row, details })
            })
            .collect()
    }

    pub async fn item_counts(&self, scope: &OrgScope) -> Result<Vec<(Door, Balance)>, AppError> {
        self.require(scope, Permission::ReadIntake, "item.count", "-").await?;
        Ok(balances(&self.ports.items.item_counts(scope).await?))
    }

    /// Waits until a worker has decided about the item, at most so long.
    pub async fn wait_for_item(
        &self,
        scope: &OrgScope,
        id: ItemId,
        at_most: std::time::Duration,
    ) -> Result<Item, AppError> {
        let mut changes = crate::live::Changes::of(scope.organization(), &self.live);
        let decided = async {
            if !scope.may(Permission::Upload) && !scope.may(Permission::ReadIntake) {
                return Ok(());
            }
            loop {
                let row = self.ports.items.item(scope, id).await?;
                // What is not there is said, and written down, by the reading below.
                if row.is_none_or(|row| row.state != ItemState::InFlight) {
                    return Ok::<(), AppError>(());
                }
                loop {
                    match changes.next().await {
                        Some(crate::live::Next::Change(Change::Item { item, .. }))
                            if item == id =>
                        {
                            break;
                        }
                        Some(crate::live::Next::Missed) | None => break,
                        Some(_) => {}
                    }
                }
            }
        };
        if let Ok(Err(cause)) = tokio::time::timeout(at_most, decided).await {
            return Err(cause);
        }
        self.item(scope, id).await
    }

    pub fn changes(&self, scope: &OrgScope) -> crate::live::Changes {
        crate::live::Changes::of(scope.organization(), &self.live)
    }
}

/// The same content comes in once; what comes again is linked to the first.
pub(crate) fn content_effect(content: &str, first: ItemId) -> EffectKey {
    EffectKey { key: format!("content/{content}"), subject: first.to_string() }
}

/// A piece of work that may be taken at once.
pub(crate) fn work(app: &App, kind: &str, lane: String, subject: String) -> NewWork {
    NewWork {
        id: WorkId(app.new_id()),
        kind: kind.to_owned(),
        lane,
        subject,
        priority: Priority::Normal,
        not_before: app.now(),
    }
}

fn received(
    scope: &OrgScope,
    arrival: &Arrival,
    blob: BlobId,
    written: &Written,
    content: &str,
) -> ItemReceived {
    ItemReceived {
        door: arrival.door,
        sender: scope.actor().name(),
        site: arrival.site,
        size_bytes: written.size_bytes,
        blob,
        content_hash: content.to_owned(),
        file_name: arrival.file_name.clone(),
    }
}

/// Every door, also one that nothing came through.
pub(crate) fn balances(counts: &[DoorCount]) -> Vec<(Door, Balance)> {
    Door::ALL
        .into_iter()
        .map(|door| {
            let count = |state| {
                counts.iter().filter(|c| c.door == door && c.state == state).map(|c| c.count).sum()
            };
            let balance = Balance {
                received: ItemState::ALL.into_iter().map(&count).sum::<i64>(),
                filed: count(ItemState::Filed),
                linked: count(ItemState::Linked),
                held: count(ItemState::Held),
                quarantined: count(ItemState::Quarantined),
                rejected: count(ItemState::Rejected),
                in_flight: count(ItemState::InFlight),
            };
            (door, balance)
        })
        .collect()
}

/// Where an item's recording is, once it has one.
pub type ItemOutcome = (ItemState, Option<RecordingId>);
