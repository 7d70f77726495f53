//! How rows are chained and how a log is summed up.
//!
//! Every row of a log carries the hash of the row before it. Hashes are taken over ciphertext and clear
//! metadata as stored, so a key can be destroyed without touching the chain. A Merkle tree over the row
//! hashes (RFC 9162 section 2.1) lets one signed root stand for the whole log; only its peaks are kept.
//! With [`Inclusion`] and [`Consistency`] an outsider who has the root checks a single row, or that a later
//! root still holds everything an earlier one held, without the log.
//!
//! The encoding that is hashed is fixed for ever: a domain name with a version, then every field as an
//! unsigned 64-bit big-endian length followed by its bytes. Integers are 8 bytes big-endian, two's
//! complement; an absent value is the length 2^64 - 1 and no bytes.

mod proof;
mod tree;

use aws_lc_rs::digest::{Context, SHA256};

use crate::port::{NewAccess, NewEvent, NewResource, Position, RealmId};

pub use proof::{Consistency, Inclusion, consistency_holds, inclusion_holds};
pub use tree::Frontier;

/// SHA-256.
pub type Hash = [u8; 32];

/// What the first row of a log is chained to.
pub const GENESIS: Hash = [0; 32];

struct Hasher(Context);

impl Hasher {
    fn new(domain: &str) -> Self {
        let mut hasher = Self(Context::new(&SHA256));
        hasher.bytes(domain.as_bytes());
        hasher
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn int(&mut self, value: i64) {
        self.bytes(&value.to_be_bytes());
    }

    fn absent(&mut self) {
        self.0.update(&u64::MAX.to_be_bytes());
    }

    fn finish(self) -> Hash {
        let digest = self.0.finish();
        let mut hash = [0; 32];
        hash.copy_from_slice(digest.as_ref());
        hash
    }
}

/// The clear fields of an event row, borrowed from a new or a stored event.
#[derive(Clone, Copy)]
pub struct EventFields<'a> {
    pub stream: &'a str,
    pub version: i64,
    pub kind: &'a str,
    pub schema: i64,
    pub actor: &'a str,
    pub at_micros: i64,
    pub cause: Option<Position>,
    pub request: &'a str,
    pub payload: &'a [u8],
}

pub fn event_hash(
    realm: RealmId,
    position: Position,
    event: EventFields<'_>,
    resources: &Hash,
    previous: &Hash,
) -> Hash {
    let mut h = Hasher::new("precordia.event.1");
    h.bytes(&realm.bytes());
    h.int(position);
    h.bytes(previous);
    h.bytes(event.stream.as_bytes());
    h.int(event.version);
    h.bytes(event.kind.as_bytes());
    h.int(event.schema);
    h.bytes(event.actor.as_bytes());
    h.int(event.at_micros);
    match event.cause {
        Some(cause) => h.int(cause),
        None => h.absent(),
    }
    h.bytes(event.request.as_bytes());
    h.bytes(event.payload);
    h.bytes(resources);
    h.finish()
}

/// Convenience for the writer: hashes a [`NewEvent`] that is about to get `position`.
pub fn new_event_hash(
    realm: RealmId,
    position: Position,
    event: &NewEvent,
    request: &str,
    resources: &Hash,
    previous: &Hash,
) -> Hash {
    let fields = EventFields {
        stream: event.stream.as_str(),
        version: event.version,
        kind: &event.kind,
        schema: event.schema,
        actor: &event.actor,
        at_micros: event.at.micros(),
        cause: event.cause,
        request,
        payload: &event.payload,
    };
    event_hash(realm, position, fields, resources, previous)
}

/// The clear fields of a resource version.
#[derive(Clone, Copy)]
pub struct ResourceFields<'a> {
    pub kind: &'a str,
    pub id: &'a str,
    pub version: i64,
    pub deleted: bool,
    pub body: &'a [u8],
}

impl<'a> From<&'a NewResource> for ResourceFields<'a> {
    fn from(r: &'a NewResource) -> Self {
        Self { kind: &r.kind, id: &r.id, version: r.version, deleted: r.deleted, body: &r.body }
    }
}

/// Digest over the resource versions of one event, in their order; [`GENESIS`] for none.
pub fn resources_hash<'a>(resources: impl IntoIterator<Item = ResourceFields<'a>>) -> Hash {
    let mut h = Hasher::new("precordia.resources.1");
    let mut any = false;
    for r in resources {
        any = true;
        h.bytes(r.kind.as_bytes());
        h.bytes(r.id.as_bytes());
        h.int(r.version);
        h.int(i64::from(r.deleted));
        h.bytes(r.body);
    }
    if any { h.finish() } else { GENESIS }
}

pub fn access_hash(
    realm: RealmId,
    position: Position,
    row: &NewAccess,
    request: &str,
    previous: &Hash,
) -> Hash {
    let mut h = Hasher::new("precordia.access.1");
    h.bytes(&realm.bytes());
    h.int(position);
    h.bytes(previous);
    h.int(row.at.micros());
    for text in [&row.actor, &row.roles, &row.action, &row.target, &row.purpose, &row.outcome] {
        h.bytes(text.as_bytes());
    }
    h.bytes(request.as_bytes());
    match &row.detail {
        Some(detail) => h.bytes(detail),
        None => h.absent(),
    }
    h.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_an_event_changes_its_hash() {
        let realm = RealmId::PLATFORM;
        let base = EventFields {
            stream: "item/a",
            version: 1,
            kind: "item.received",
            schema: 1,
            actor: "user/u",
            at_micros: 5,
            cause: None,
            request: "r",
            payload: b"p",
        };
        let hash = |e: EventFields<'_>| event_hash(realm, 1, e, &GENESIS, &GENESIS);
        let changed = [
            hash(EventFields { stream: "item/b", ..base }),
            hash(EventFields { version: 2, ..base }),
            hash(EventFields { kind: "item.filed", ..base }),
            hash(EventFields { schema: 2, ..base }),
            hash(EventFields { actor: "user/v", ..base }),
            hash(EventFields { at_micros: 6, ..base }),
            hash(EventFields { cause: Some(0), ..base }),
            hash(EventFields { request: "s", ..base }),
            hash(EventFields { payload: b"q", ..base }),
            event_hash(realm, 2, base, &GENESIS, &GENESIS),
            event_hash(realm, 1, base, &[1; 32], &GENESIS),
            event_hash(realm, 1, base, &GENESIS, &[1; 32]),
            event_hash(
                RealmId(Some(precordia_model::OrganizationId(uuid::Uuid::from_u128(1)))),
                1,
                base,
                &GENESIS,
                &GENESIS,
            ),
        ];
        let mut all: Vec<Hash> = changed.to_vec();
        all.push(hash(base));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), changed.len() + 1);
    }
}
