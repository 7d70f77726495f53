//! Rows and batches to test with, and chance that can be repeated.

use precordia_app::chain::{self, EventFields, Frontier, GENESIS, ResourceFields};
use precordia_app::port::*;
use precordia_model::*;
use precordia_store::{SecureRandom, Store, SystemClock};
use uuid::Uuid;

pub fn uuid() -> Uuid {
    new_uuid(&SystemClock, &SecureRandom)
}

pub fn event(stream: &Stream, version: Version) -> NewEvent {
    NewEvent {
        stream: stream.clone(),
        version,
        kind: "item.received".into(),
        schema: 1,
        actor: "system/test".into(),
        at: Timestamp(1_000_000 + version),
        cause: None,
        request: RequestId(uuid()),
        payload: vec![0, 159, 146, 150, 255],
    }
}

pub fn new_stream() -> Stream {
    Stream::new("item", uuid())
}

/// One event that starts a stream.
pub fn one(stream: &Stream) -> Batch {
    Batch { events: vec![event(stream, 1)], ..Batch::default() }
}

pub fn access(target: &str, actor: &str) -> NewAccess {
    NewAccess {
        at: Timestamp(77),
        actor: actor.into(),
        roles: "nurse".into(),
        action: "recording.read".into(),
        target: target.into(),
        purpose: "treatment".into(),
        outcome: "ok".into(),
        request: RequestId(uuid()),
        detail: Some(vec![1, 0, 2]),
    }
}

pub fn resource(event: usize, id: &str, version: i64) -> NewResource {
    NewResource {
        event,
        kind: "Observation".into(),
        id: id.into(),
        version,
        deleted: false,
        body: vec![9; 40],
    }
}

pub fn work(lane: &str) -> NewWork {
    NewWork {
        id: WorkId(uuid()),
        kind: "ingest".into(),
        lane: lane.into(),
        subject: format!("item/{}", uuid()),
        priority: Priority::Normal,
        not_before: Timestamp(0),
    }
}

pub fn effect(key: &str, subject: &str) -> EffectKey {
    EffectKey { key: key.into(), subject: subject.into() }
}

pub fn item() -> ItemRow {
    ItemRow {
        id: ItemId(uuid()),
        state: ItemState::InFlight,
        door: Door::Upload,
        sender: format!("user/{}", uuid()),
        site: Some(SiteId(uuid())),
        received_at: Timestamp(10),
        size_bytes: 1234,
        blob: Some(BlobId(uuid())),
        recording: None,
        linked_to: None,
        position: position_in_batch(0),
        version: 1,
        reason: None,
        sealed: vec![1, 2, 3],
    }
}

pub fn recording() -> RecordingRow {
    RecordingRow {
        id: RecordingId(uuid()),
        status: RecordingStatus::Filed,
        patient: Some(PatientId(uuid())),
        patient_before_merge: None,
        site: None,
        door: Door::Upload,
        item: ItemId(uuid()),
        blob: BlobId(uuid()),
        received_at: Timestamp(10),
        acquired_sort: None,
        flags: Vec::new(),
        position: position_in_batch(0),
        version: 1,
        sealed: vec![4, 5],
    }
}

pub fn key(subject: &str, wrapped_by: KeyId) -> WrappedKey {
    let mut wrapped = vec![0; 61];
    SecureRandom.fill(&mut wrapped);
    WrappedKey {
        id: KeyId(uuid()),
        kind: KeyKind::Recording,
        subject: subject.into(),
        wrapped_by,
        wrapped,
        state: KeyState::Active,
        created_at: Timestamp(5),
    }
}

/// Appends and answers the positions; anything but `Done` fails the test.
#[track_caller]
pub fn done(answer: Result<Append, StoreError>) -> Vec<Position> {
    match answer.unwrap() {
        Append::Done { positions } => positions,
        other => panic!("the append answered {other:?}"),
    }
}

/// Only views, keys or work, with one event to carry them.
pub fn carrying(batch: Batch) -> Batch {
    Batch { events: vec![event(&new_stream(), 1)], ..batch }
}

/// Recomputes both logs of a realm from their rows: positions, links, hashes, resource digests, frontiers
/// and heads. Answers how many rows they have.
pub async fn verify(store: &Store, realm: Realm<'_>) -> (i64, i64) {
    let (mut frontier, mut previous, mut position) = (Frontier::default(), GENESIS, 0);
    loop {
        let events = store.events(realm, position, 100).await.unwrap();
        let resources = EventLog::resources(store, realm, position, 100).await.unwrap();
        if events.is_empty() {
            break;
        }
        for event in events {
            position += 1;
            assert_eq!(event.position, position);
            assert_eq!(event.previous, previous);
            let own: Vec<_> = resources.iter().filter(|r| r.position == position).collect();
            assert!(own.iter().zip(0..).all(|(r, ordinal)| r.ordinal == ordinal));
            assert!(own.iter().all(|r| r.at == event.at));
            let fields = own.iter().map(|r| ResourceFields {
                kind: &r.kind,
                id: &r.id,
                version: r.version,
                deleted: r.deleted,
                body: &r.body,
            });
            assert_eq!(event.resources, chain::resources_hash(fields));
            let fields = EventFields {
                stream: &event.stream,
                version: event.version,
                kind: &event.kind,
                schema: event.schema,
                actor: &event.actor,
                at_micros: event.at.micros(),
                cause: event.cause,
                request: &event.request,
                payload: &event.payload,
            };
            let hash = chain::event_hash(realm.id(), position, fields, &event.resources, &previous);
            assert_eq!(event.hash, hash);
            frontier.push(&hash);
            previous = hash;
        }
    }
    let head = store.head(realm, LogName::Events).await.unwrap();
    assert_eq!(head, Head { position, hash: previous, frontier: to_bytes(&frontier) });
    (position, verify_accesses(store, realm).await)
}

async fn verify_accesses(store: &Store, realm: Realm<'_>) -> i64 {
    let (mut frontier, mut previous, mut position) = (Frontier::default(), GENESIS, 0);
    for row in store.accesses(realm, 0, u32::MAX).await.unwrap() {
        position += 1;
        assert_eq!((row.position, row.previous), (position, previous));
        let fields = NewAccess {
            at: row.at,
            actor: row.actor,
            roles: row.roles,
            action: row.action,
            target: row.target,
            purpose: row.purpose,
            outcome: row.outcome,
            request: RequestId(Uuid::nil()),
            detail: row.detail,
        };
        let hash = chain::access_hash(realm.id(), position, &fields, &row.request, &previous);
        assert_eq!(row.hash, hash);
        frontier.push(&hash);
        previous = hash;
    }
    let head = store.head(realm, LogName::Access).await.unwrap();
    assert_eq!(head, Head { position, hash: previous, frontier: to_bytes(&frontier) });
    position
}

/// A head before the first row has no frontier bytes or those of the empty tree; both mean it.
fn to_bytes(frontier: &Frontier) -> Vec<u8> {
    frontier.to_bytes()
}

/// SplitMix64.
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub fn one_of<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}
