//! Items as the intake appends them: facts that open and fold, sealed, each with its row, its work and its
//! effect keys. Their bytes are missing, and nobody works on them.

use std::sync::Arc;

use anyhow::Result;
use precordia_app::access::OrgScope;
use precordia_app::keys::{Keyring, RealmKeys};
use precordia_app::port::{
    Batch, EffectKey, ItemRow, KeyKind, NewEvent, NewWork, Ports, Position, Priority, Realm,
    Stream, ViewChange, new_uuid, position_in_batch,
};
use precordia_app::seal::{DataKey, Place};
use precordia_app::{INGEST, ItemDetails};
use precordia_model::{BlobId, Door, ItemId, ItemState, RecordingId, WorkId};
use precordia_rules::event::{Event, ItemFiled, ItemReceived};
use uuid::Uuid;

/// Makes them for one organization.
pub(crate) struct Maker {
    ports: Ports,
    keyring: Keyring,
    scope: OrgScope,
}

/// As it stands after its last event.
#[derive(Clone)]
pub(crate) struct Item {
    row: ItemRow,
    details: ItemDetails,
    key: Arc<DataKey>,
}

impl Maker {
    pub(crate) fn new(ports: &Ports, scope: &OrgScope) -> Self {
        let keyring = Keyring::new(
            ports.keys.clone(),
            ports.master.clone(),
            ports.random.clone(),
            ports.clock.clone(),
        );
        Self { ports: ports.clone(), keyring, scope: scope.clone() }
    }

    pub(crate) fn new_id(&self) -> Uuid {
        new_uuid(&*self.ports.clock, &*self.ports.random)
    }

    pub(crate) async fn keys(&self) -> Result<RealmKeys> {
        Ok(self.keyring.realm((&self.scope).into()).await?)
    }

    /// Takes an item in. With no key given it gets one of its own, as every original has.
    pub(crate) fn received(
        &self,
        keys: &RealmKeys,
        key: Option<Arc<DataKey>>,
        id: ItemId,
        content: &[u8],
    ) -> (Item, Batch) {
        let realm = Realm::from(&self.scope).id();
        let blob = BlobId(self.new_id());
        let mut batch = Batch::default();
        let key = key.unwrap_or_else(|| {
            let subject = format!("blob/{blob}");
            let (key, added) =
                self.keyring.create(realm, KeyKind::Blob, &subject, &keys.organization);
            batch.keys.push(added);
            key
        });
        let content_hash: String =
            keys.index.content(content).iter().map(|byte| format!("{byte:02x}")).collect();
        let row = ItemRow {
            id,
            state: ItemState::InFlight,
            door: Door::Upload,
            sender: self.scope.actor().name(),
            site: None,
            received_at: self.ports.clock.now(),
            size_bytes: 100_000,
            blob: Some(blob),
            recording: None,
            linked_to: None,
            position: position_in_batch(0),
            version: 1,
            reason: None,
            sealed: Vec::new(),
        };
        let fact = ItemReceived {
            door: row.door,
            sender: row.sender.clone(),
            site: None,
            size_bytes: 100_000,
            blob,
            content_hash: content_hash.clone(),
            file_name: None,
        };
        let subject = id.to_string();
        batch.effects.push(EffectKey { key: format!("content/{content_hash}"), subject });
        let details = ItemDetails { content_hash: Some(content_hash), ..ItemDetails::default() };
        let item = Item { row, details, key };
        (item.clone(), self.finished(batch, item, INGEST, Event::ItemReceived(fact)))
    }

    /// The item's next event: its recording is filed, again and again as others take it back.
    pub(crate) fn filed(&self, item: &Item) -> (Item, Batch) {
        let recording = RecordingId(self.new_id());
        let mut item = item.clone();
        item.row.version += 1;
        item.row.state = ItemState::Filed;
        item.row.recording = Some(recording);
        let fact = Event::ItemFiled(ItemFiled { recording });
        (item.clone(), self.finished(Batch::default(), item, "bench", fact))
    }

    /// Adds the sealed event, the row that it makes, a piece of work and the keys that it stands on.
    fn finished(&self, mut batch: Batch, item: Item, work: &str, fact: Event) -> Batch {
        let Item { mut row, details, key } = item;
        let (random, at) = (&*self.ports.random, self.ports.clock.now());
        let stream = Stream::new("item", row.id);
        let place = |field| Place {
            realm: Realm::from(&self.scope).id(),
            stream: stream.as_str(),
            field,
            version: row.version,
        };
        let payload = key.seal(random, place("payload"), &fact.encode());
        let details = serde_json::to_vec(&details).expect("details are plain data with text keys");
        let sealed = key.seal(random, place("details"), &details);
        if row.version == 1 {
            row.received_at = at;
        }
        batch.events.push(NewEvent {
            stream: stream.clone(),
            version: row.version,
            kind: fact.kind().into(),
            schema: fact.schema(),
            actor: self.scope.actor().name(),
            at,
            cause: None,
            request: self.scope.request(),
            payload,
        });
        batch.work.push(NewWork {
            id: WorkId(self.new_id()),
            kind: work.into(),
            lane: stream.0.clone(),
            subject: stream.0,
            priority: Priority::Normal,
            not_before: at,
        });
        batch.views.push(ViewChange::Item(ItemRow { sealed, ..row }));
        batch.alive = batch.uses().into_keys().collect();
        batch
    }
}

impl Item {
    /// Where its first event is, as its writer was told, and when that says it was.
    pub(crate) fn begun(mut self, position: Position, first: &NewEvent) -> Self {
        self.row.position = position;
        self.row.received_at = first.at;
        self
    }

    pub(crate) fn id(&self) -> ItemId {
        self.row.id
    }

    pub(crate) fn version(&self) -> i64 {
        self.row.version
    }
}
