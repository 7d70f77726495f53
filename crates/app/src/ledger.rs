//! Putting together what one decision writes, and reading streams back.

use std::sync::Arc;

use precordia_model::{KeyId, RequestId, Timestamp};
use precordia_rules::event::Event;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::app::{App, AppError};
use crate::keys::KeyError;
use crate::port::{
    Append, Batch, KeyChange, KeyKind, Members, NewEvent, NewResource, Position, Realm, RealmId,
    StoredEvent, StoredResource, Stream, Version, ViewChange, position_in_batch,
};
use crate::seal::{DataKey, Place, SealError, key_of};
use crate::view::Fact;

/// A batch in the making: seals what is put into it.
pub(crate) struct Draft<'a> {
    app: &'a App,
    realm: RealmId,
    actor: String,
    request: RequestId,
    at: Timestamp,
    pub(crate) batch: Batch,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(app: &'a App, realm: Realm<'_>) -> Self {
        let (actor, request) = match realm {
            Realm::Organization(scope) => (scope.actor().name(), scope.request()),
            Realm::Platform(scope) => (scope.actor().to_owned(), scope.request()),
        };
        Self { app, realm: realm.id(), actor, request, at: app.now(), batch: Batch::default() }
    }

    pub(crate) const fn at(&self) -> Timestamp {
        self.at
    }

    pub(crate) fn event(
        &mut self,
        key: &DataKey,
        stream: &Stream,
        version: Version,
        event: &Event,
    ) -> usize {
        let place = Place { realm: self.realm, stream: stream.as_str(), field: "payload", version };
        let payload = key.seal(&*self.app.ports.random, place, &event.encode());
        self.batch.events.push(NewEvent {
            stream: stream.clone(),
            version,
            kind: event.kind().to_owned(),
            schema: event.schema(),
            actor: self.actor.clone(),
            at: self.at,
            cause: None,
            request: self.request,
            payload,
        });
        self.batch.events.len() - 1
    }

    /// A FHIR resource version that the event `event` implies.
    pub(crate) fn resource(
        &mut self,
        key: &DataKey,
        event: usize,
        kind: &str,
        id: &str,
        version: i64,
        body: &serde_json::Value,
    ) {
        let stream = format!("{kind}/{id}");
        let place = Place { realm: self.realm, stream: &stream, field: "resource", version };
        let bytes = serde_json::to_vec(body).expect("a JSON value encodes");
        let body = key.seal(&*self.app.ports.random, place, &bytes);
        self.batch.resources.push(NewResource {
            event,
            kind: kind.to_owned(),
            id: id.to_owned(),
            version,
            deleted: false,
            body,
        });
    }

    /// Says that a resource is gone. The marker holds nothing of it.
    pub(crate) fn resource_gone(
        &mut self,
        key: &DataKey,
        event: usize,
        kind: &str,
        id: &str,
        version: i64,
    ) {
        let gone = serde_json::json!({ "resourceType": kind, "id": id });
        self.resource(key, event, kind, id, version, &gone);
        if let Some(resource) = self.batch.resources.last_mut() {
            resource.deleted = true;
        }
    }

    pub(crate) fn sealed<T: Serialize>(
        &self,
        key: &DataKey,
        stream: &str,
        field: &'static str,
        version: Version,
        value: &T,
    ) -> Vec<u8> {
        seal_value(self.app, self.realm, key, stream, field, version, value)
    }

    pub(crate) fn view(&mut self, change: ViewChange) {
        self.batch.views.push(change);
    }

    /// The event at `index` of this batch, as a view folds it.
    pub(crate) const fn fact<'e>(
        &self,
        index: usize,
        stream: &'e str,
        version: Version,
        event: &'e Event,
    ) -> Fact<'e> {
        Fact { position: position_in_batch(index), stream, version, at: self.at, event }
    }

    /// The decision rests on this stream as it stood at `version`, though nothing is written to it.
    pub(crate) fn expect(&mut self, stream: Stream, version: Version) {
        self.batch.expect.push((stream, version));
    }

    /// The decision is about all of these.
    pub(crate) fn exactly(&mut self, set: Members, ids: impl IntoIterator<Item = Uuid>) {
        self.batch.exactly.push((set, ids.into_iter().collect()));
    }

    /// Commits, unless what the decision rests on changed meanwhile or a key that seals or wraps here was
    /// destroyed.
    pub(crate) async fn append(mut self, realm: Realm<'_>) -> Result<Append, AppError> {
        let sealed = self.batch.events.iter().map(|event| &event.payload);
        let sealed = sealed.chain(self.batch.resources.iter().map(|resource| &resource.body));
        let wrapping = self.batch.keys.iter().filter_map(wrapped_by_another);
        let mut alive: Vec<KeyId> =
            sealed.filter_map(|bytes| key_of(bytes)).chain(wrapping).collect();
        alive.sort_unstable();
        alive.dedup();
        self.batch.alive = alive;
        Ok(self.app.append(realm, self.batch).await?)
    }

    /// Appends what cannot be a duplicate and has no lease; a conflict is an error for the caller.
    pub(crate) async fn commit(self, realm: Realm<'_>) -> Result<Vec<Position>, AppError> {
        match self.append(realm).await? {
            Append::Done { positions } => Ok(positions),
            Append::Conflict { stream, .. } => Err(AppError::Conflict(stream)),
            Append::KeyConflict { key } => Err(AppError::Conflict(format!("key/{key}"))),
            Append::Duplicate { key, .. } => Err(AppError::Conflict(key)),
            Append::KeyWorn { key } => Err(KeyError::Worn(key).into()),
            Append::LeaseLost { work } => Err(AppError::Conflict(format!("work/{work}"))),
        }
    }
}

/// The stored key that a change relies on; the master key is not stored.
fn wrapped_by_another(change: &KeyChange) -> Option<KeyId> {
    match change {
        KeyChange::Add(row) => {
            let by_master = matches!(row.kind, KeyKind::Organization | KeyKind::Signing);
            (!by_master).then_some(row.wrapped_by)
        }
        KeyChange::Rewrap { to, .. } => Some(*to),
        KeyChange::Retire { .. } | KeyChange::Destroy { .. } => None,
    }
}

pub(crate) fn seal_value<T: Serialize>(
    app: &App,
    realm: RealmId,
    key: &DataKey,
    stream: &str,
    field: &'static str,
    version: Version,
    value: &T,
) -> Vec<u8> {
    let bytes = serde_json::to_vec(value).expect("sealed values are plain data with text keys");
    key.seal(&*app.ports.random, Place { realm, stream, field, version }, &bytes)
}

/// Opens a sealed JSON value with an opened key.
pub(crate) fn open_value<T: DeserializeOwned>(
    realm: RealmId,
    key: &DataKey,
    stream: &str,
    field: &'static str,
    version: Version,
    sealed: &[u8],
) -> Result<T, AppError> {
    let plain = key.open(Place { realm, stream, field, version }, sealed)?;
    serde_json::from_slice(&plain)
        .map_err(|_| AppError::Damaged(format!("{field} of `{stream}` opens but does not decode")))
}

pub(crate) fn named_key(
    sealed: &[u8],
    stream: &str,
    field: &'static str,
) -> Result<KeyId, SealError> {
    key_of(sealed).ok_or_else(|| SealError::Malformed { stream: stream.to_owned(), field })
}

impl App {
    /// The facts of one stream, opened, with their positions.
    pub(crate) async fn facts(
        &self,
        realm: Realm<'_>,
        stream: &Stream,
    ) -> Result<Vec<(StoredEvent, Event)>, AppError> {
        let events = self.ports.log.stream(realm, stream).await?;
        self.open_events(realm, events).await
    }

    pub(crate) async fn open_events(
        &self,
        realm: Realm<'_>,
        events: Vec<StoredEvent>,
    ) -> Result<Vec<(StoredEvent, Event)>, AppError> {
        let mut ids: Vec<KeyId> = events
            .iter()
            .map(|event| named_key(&event.payload, &event.stream, "payload"))
            .collect::<Result<_, _>>()?;
        ids.dedup();
        let keys = self.keyring.open(realm, &ids).await?;
        events
            .into_iter()
            .map(|stored| {
                let key = keys.get(named_key(&stored.payload, &stored.stream, "payload")?)?;
                let event = open_event(realm.id(), &key, &stored)?;
                Ok((stored, event))
            })
            .collect()
    }

    /// Opens resource versions, each to its JSON.
    pub(crate) async fn open_resources(
        &self,
        realm: Realm<'_>,
        stored: &[StoredResource],
    ) -> Result<Vec<serde_json::Value>, AppError> {
        let place = |r: &StoredResource| format!("{}/{}", r.kind, r.id);
        let ids: Vec<KeyId> = stored
            .iter()
            .map(|r| named_key(&r.body, &place(r), "resource"))
            .collect::<Result<_, _>>()?;
        let keys = self.keyring.open(realm, &ids).await?;
        stored
            .iter()
            .zip(ids)
            .map(|(r, id)| {
                open_value(realm.id(), &*keys.get(id)?, &place(r), "resource", r.version, &r.body)
            })
            .collect()
    }

    /// The opened key of a subject; its absence is damage, because every subject is made with its key.
    pub(crate) async fn key_of_subject(
        &self,
        realm: Realm<'_>,
        subject: &str,
    ) -> Result<Arc<DataKey>, AppError> {
        self.keyring
            .of_subject(realm, subject)
            .await?
            .ok_or_else(|| AppError::Damaged(format!("`{subject}` has no key")))
    }
}

pub(crate) fn open_event(
    realm: RealmId,
    key: &DataKey,
    stored: &StoredEvent,
) -> Result<Event, AppError> {
    let place = Place { realm, stream: &stored.stream, field: "payload", version: stored.version };
    let plain = key.open(place, &stored.payload)?;
    Ok(Event::decode(&stored.kind, stored.schema, &plain)?)
}
