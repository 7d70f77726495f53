//! The ledger: events, resource versions, views, work and effect keys of one realm, in one transaction.

use std::collections::BTreeMap;

use async_trait::async_trait;
use precordia_model::{BlobId, KeyId, PatientId, RequestId, Timestamp, WorkId};
use uuid::Uuid;

use super::{KeyChange, Realm, StoreError, ViewChange};
use crate::access::OrgScope;
use crate::chain::Hash;
use crate::seal::key_of;

/// Place of an event (or of an access row) in its realm's log: 1, 2, 3 … without holes.
pub type Position = i64;

/// Place of an event in its stream: 1, 2, 3 …
pub type Version = i64;

/// `kind/id`, for example `recording/0190…`. Never holds anything that identifies a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stream(pub String);

impl Stream {
    pub fn new(kind: &str, id: impl std::fmt::Display) -> Self {
        Self(format!("{kind}/{id}"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An event ready to be numbered and hashed. The payload is ciphertext already; nothing after this
/// point can read it.
#[derive(Clone, Debug)]
pub struct NewEvent {
    pub stream: Stream,
    /// The version that this event will be: the writer saw `version - 1`.
    pub version: Version,
    /// `noun.verb`, for example `recording.filed`.
    pub kind: String,
    /// Version of the payload's schema.
    pub schema: i64,
    /// `user/<id>`, `system/<role>`, `platform/<operator>`.
    pub actor: String,
    pub at: Timestamp,
    /// The position of the event that led to this one, if one did.
    pub cause: Option<Position>,
    pub request: RequestId,
    pub payload: Vec<u8>,
}

/// A sealed FHIR resource version that an event of the same batch implies.
#[derive(Clone, Debug)]
pub struct NewResource {
    /// Index into [`Batch::events`].
    pub event: usize,
    pub kind: String,
    pub id: String,
    /// 1, 2, 3 … per resource; a taken version is a conflict.
    pub version: i64,
    pub deleted: bool,
    pub body: Vec<u8>,
}

/// A row of the access log: who looked at what, when, why, and whether they were let.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAccess {
    pub at: Timestamp,
    pub actor: String,
    pub roles: String,
    /// `noun.verb`: `recording.read`, `patient.search`, `address.unknown`.
    pub action: String,
    /// A stream, or `-`.
    pub target: String,
    pub purpose: String,
    /// `ok`, `denied`, `unknown`, `failed`.
    pub outcome: String,
    pub request: RequestId,
    /// Sealed free text: the reason of a break-glass access, the search that was made.
    pub detail: Option<Vec<u8>>,
}

/// A key that makes an effect happen once: the second append that carries it is answered
/// [`Append::Duplicate`] with the subject of the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectKey {
    pub key: String,
    pub subject: String,
}

/// One unit of change. It is committed whole or not at all.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub events: Vec<NewEvent>,
    pub resources: Vec<NewResource>,
    pub access: Vec<NewAccess>,
    pub keys: Vec<KeyChange>,
    pub views: Vec<ViewChange>,
    pub work: Vec<super::NewWork>,
    pub work_changes: Vec<super::WorkChange>,
    pub effects: Vec<EffectKey>,
    /// Effect keys to forget (erasure).
    pub forget_effects: Vec<String>,
    /// Work that this batch completes. If its lease is lost, nothing is written.
    pub finish: Option<super::Lease>,
    /// Streams that stand at these versions still, though the batch does not write to them.
    pub expect: Vec<(Stream, Version)>,
    /// Keys that must not be destroyed: a fact sealed with a destroyed key would be lost.
    pub alive: Vec<KeyId>,
    /// Sets that have exactly these members still.
    pub exactly: Vec<(Members, Vec<Uuid>)>,
}

impl Batch {
    /// How many values each key seals and keys it wraps in what this batch writes.
    pub fn uses(&self) -> BTreeMap<KeyId, i64> {
        let events = self.events.iter().map(|event| &event.payload);
        let resources = self.resources.iter().map(|resource| &resource.body);
        let access = self.access.iter().filter_map(|row| row.detail.as_ref());
        let views = self.views.iter().filter_map(|change| match change {
            ViewChange::Item(row) => Some(&row.sealed),
            ViewChange::Recording(row) => Some(&row.sealed),
            ViewChange::Patient(row) => Some(&row.sealed),
            ViewChange::User(row) => Some(&row.sealed),
            _ => None,
        });
        let sealed = events.chain(resources).chain(access).chain(views);
        let wrapped = self.keys.iter().filter_map(|change| match change {
            KeyChange::Add(row) => Some(row.wrapped_by),
            KeyChange::Rewrap { to, .. } => Some(*to),
            KeyChange::Retire { .. } | KeyChange::Destroy { .. } => None,
        });
        let mut uses = BTreeMap::new();
        for key in sealed.filter_map(|bytes| key_of(bytes)).chain(wrapped) {
            *uses.entry(key).or_default() += 1;
        }
        uses
    }
}

/// A set of rows that a decision was taken about. Who decides about all of them is refused when one came
/// or went meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Members {
    /// Recordings that are this patient's.
    RecordingsOf(PatientId),
    /// Items with this content.
    ItemsOf(BlobId),
    /// Patients merged into this one.
    MergedInto(PatientId),
}

impl std::fmt::Display for Members {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Members::RecordingsOf(id) => write!(f, "patient/{id}/recordings"),
            Members::ItemsOf(id) => write!(f, "blob/{id}/items"),
            Members::MergedInto(id) => write!(f, "patient/{id}/merged"),
        }
    }
}

/// The answer to an append. Only `Done` wrote anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Append {
    /// The events' positions, in the batch's order.
    Done { positions: Vec<Position> },
    /// Another writer was first on this stream or resource.
    Conflict { stream: String, expected: Version, found: Version },
    /// A key is not as its change expects: there already, destroyed, or wrapped by another.
    KeyConflict { key: KeyId },
    /// The effect already happened; `subject` is what the first append named.
    Duplicate { key: String, subject: String },
    /// A key was used [`KEY_USES_MAX`](super::KEY_USES_MAX) times: it seals and wraps nothing more.
    KeyWorn { key: KeyId },
    /// The work is no longer this worker's.
    LeaseLost { work: WorkId },
}

/// An event as stored. `resources` is the digest over the resource versions written with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    pub position: Position,
    pub stream: String,
    pub version: Version,
    pub kind: String,
    pub schema: i64,
    pub actor: String,
    pub at: Timestamp,
    pub cause: Option<Position>,
    pub request: String,
    pub payload: Vec<u8>,
    pub resources: Hash,
    pub previous: Hash,
    pub hash: Hash,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAccess {
    pub position: Position,
    pub at: Timestamp,
    pub actor: String,
    pub roles: String,
    pub action: String,
    pub target: String,
    pub purpose: String,
    pub outcome: String,
    pub request: String,
    pub detail: Option<Vec<u8>>,
    pub previous: Hash,
    pub hash: Hash,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredResource {
    pub position: Position,
    pub ordinal: i64,
    pub kind: String,
    pub id: String,
    pub version: i64,
    pub at: Timestamp,
    pub deleted: bool,
    pub body: Vec<u8>,
}

/// The end of a log: what the next row is chained to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub position: Position,
    pub hash: Hash,
    /// Peaks of the Merkle tree over all hashes so far (see [`crate::chain::Frontier`]).
    pub frontier: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogName {
    Events,
    Access,
}

impl LogName {
    pub const fn name(self) -> &'static str {
        match self {
            LogName::Events => "events",
            LogName::Access => "access",
        }
    }
}

/// Which events a read is about. The default is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of one of these kinds; of any when empty.
    pub kinds: Vec<String>,
    /// Not before this moment.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub before: Option<Timestamp>,
}

#[async_trait]
pub trait EventLog: Send + Sync {
    /// Numbers, chains and commits the batch durably. Waiters may share a commit and nothing else.
    async fn append(&self, realm: Realm<'_>, batch: Batch) -> Result<Append, StoreError>;

    async fn head(&self, realm: Realm<'_>, log: LogName) -> Result<Head, StoreError>;

    /// Events after `after`, ascending, at most `limit`.
    async fn events(
        &self,
        realm: Realm<'_>,
        after: Position,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError>;

    /// Events after `after` that the filter names, ascending by position, at most `limit`.
    async fn events_where(
        &self,
        realm: Realm<'_>,
        filter: &EventFilter,
        after: Position,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError>;

    /// All events of one stream, ascending.
    async fn stream(
        &self,
        realm: Realm<'_>,
        stream: &Stream,
    ) -> Result<Vec<StoredEvent>, StoreError>;

    async fn accesses(
        &self,
        realm: Realm<'_>,
        after: Position,
        limit: u32,
    ) -> Result<Vec<StoredAccess>, StoreError>;

    /// Newest first, before `before` (exclusive) if given; `target` and `actor` must match exactly if given.
    async fn accesses_to(
        &self,
        realm: Realm<'_>,
        target: Option<&str>,
        actor: Option<&str>,
        before: Option<Position>,
        limit: u32,
    ) -> Result<Vec<StoredAccess>, StoreError>;

    /// The subjects of those effects that happened.
    async fn effects(
        &self,
        realm: Realm<'_>,
        keys: &[String],
    ) -> Result<BTreeMap<String, String>, StoreError>;

    /// Streams that have a row in a view of the organization and no event, at most `limit`.
    async fn rows_without_events(
        &self,
        scope: &OrgScope,
        limit: u32,
    ) -> Result<Vec<Stream>, StoreError>;

    /// Resource versions written with events `after < position`, ascending by position and ordinal.
    /// `limit` bounds the number of event positions covered: `after < position <= after + limit`.
    async fn resources(
        &self,
        realm: Realm<'_>,
        after: Position,
        limit: u32,
    ) -> Result<Vec<StoredResource>, StoreError>;
}

/// Sealed FHIR resource versions by identity.
#[async_trait]
pub trait ResourceVersions: Send + Sync {
    /// The newest version, also when it is a deletion.
    async fn newest(
        &self,
        realm: Realm<'_>,
        kind: &str,
        id: &str,
    ) -> Result<Option<StoredResource>, StoreError>;

    /// The newest versions of many resources of one kind; those that do not exist are left out.
    async fn newest_of(
        &self,
        realm: Realm<'_>,
        kind: &str,
        ids: &[String],
    ) -> Result<Vec<StoredResource>, StoreError>;

    async fn version(
        &self,
        realm: Realm<'_>,
        kind: &str,
        id: &str,
        version: i64,
    ) -> Result<Option<StoredResource>, StoreError>;

    /// The versions of one resource, newest first, before version `before` if given, at most `limit`.
    async fn versions(
        &self,
        realm: Realm<'_>,
        kind: &str,
        id: &str,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<StoredResource>, StoreError>;
}

/// The id of the key that a sealed value names in its own header.
pub type SealedBy = KeyId;
