//! How rows are chained and how a log is summed up.
//!
//! Every row of a log carries the hash of the row before it. Hashes are taken over ciphertext and clear
//! metadata as stored, so a key can be destroyed without touching the chain. A Merkle tree over the row
//! hashes (RFC 9162 section 2.1) lets one signed root stand for the whole log; only its peaks are kept.
//!
//! The encoding that is hashed is fixed for ever: a domain name with a version, then every field as an
//! unsigned 64-bit big-endian length followed by its bytes. Integers are 8 bytes big-endian, two's
//! complement; an absent value is the length 2^64 - 1 and no bytes.

use aws_lc_rs::digest::{Context, SHA256};

use crate::port::{NewAccess, NewEvent, NewResource, Position, RealmId};

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

/// The peaks of an append-only Merkle tree: for each set bit of the number of leaves, from the highest,
/// the root of a perfect subtree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    leaves: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// Adds a row's hash. Leaf and node hashes have different prefixes (RFC 9162 section 2.1.1).
    pub fn push(&mut self, row: &Hash) {
        let mut node = tagged(0, &[row]);
        let mut size = self.leaves;
        while size & 1 == 1 {
            let left = self.peaks.pop().expect("a set bit has a peak");
            node = tagged(1, &[&left, &node]);
            size >>= 1;
        }
        self.peaks.push(node);
        self.leaves += 1;
    }

    pub const fn len(&self) -> u64 {
        self.leaves
    }

    pub const fn is_empty(&self) -> bool {
        self.leaves == 0
    }

    /// Root over all leaves; of none, the hash of nothing.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return tagged_bytes(&[]) };
        peaks.fold(*last, |right, left| tagged(1, &[left, &right]))
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.leaves.to_be_bytes().to_vec();
        self.peaks.iter().for_each(|peak| bytes.extend_from_slice(peak));
        bytes
    }

    /// `None` if the bytes are not a frontier (count and peaks disagree). No bytes: the empty tree.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self::default());
        }
        let (count, rest) = bytes.split_first_chunk::<8>()?;
        let leaves = u64::from_be_bytes(*count);
        let (peaks, tail) = rest.as_chunks::<32>();
        let fits = tail.is_empty() && peaks.len() == leaves.count_ones() as usize;
        fits.then(|| Self { leaves, peaks: peaks.to_vec() })
    }
}

fn tagged(tag: u8, parts: &[&Hash]) -> Hash {
    let mut bytes = Vec::with_capacity(65);
    bytes.push(tag);
    parts.iter().for_each(|part| bytes.extend_from_slice(*part));
    tagged_bytes(&bytes)
}

fn tagged_bytes(bytes: &[u8]) -> Hash {
    let digest = aws_lc_rs::digest::digest(&SHA256, bytes);
    let mut hash = [0; 32];
    hash.copy_from_slice(digest.as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9162 section 2.1.1, written as the definition reads.
    fn root_by_definition(rows: &[Hash]) -> Hash {
        match rows {
            [] => tagged_bytes(&[]),
            [row] => tagged(0, &[row]),
            _ => {
                let split = rows.len().next_power_of_two() / 2;
                let (left, right) = rows.split_at(split);
                tagged(1, &[&root_by_definition(left), &root_by_definition(right)])
            }
        }
    }

    #[test]
    fn the_frontier_has_the_root_that_the_definition_gives() {
        let rows: Vec<Hash> = (0..70u8).map(|n| [n; 32]).collect();
        let mut frontier = Frontier::default();
        for n in 0..=rows.len() {
            assert_eq!(frontier.root(), root_by_definition(&rows[..n]), "{n} rows");
            assert_eq!(Frontier::from_bytes(&frontier.to_bytes()), Some(frontier.clone()));
            if n < rows.len() {
                frontier.push(&rows[n]);
            }
        }
    }

    #[test]
    fn a_frontier_whose_count_and_peaks_disagree_is_refused() {
        let mut frontier = Frontier::default();
        (0..5).for_each(|n| frontier.push(&[n; 32]));
        let bytes = frontier.to_bytes();
        assert_eq!(Frontier::from_bytes(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Frontier::from_bytes(&bytes[..40]), None);
        assert_eq!(Frontier::from_bytes(&[1]), None);
    }

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
