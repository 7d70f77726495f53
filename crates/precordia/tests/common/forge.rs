//! An attacker's hands: an organization's event log as values, changed, and written back with or without a
//! chain that fits.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use precordia_app::audit::CheckpointLine;
use precordia_app::chain::{
    EventFields, Frontier, GENESIS, Hash, ResourceFields, event_hash, resources_hash,
};
use precordia_app::port::{Checkpoint, Clock, LogName, RealmId};
use precordia_app::{App, Settings};
use precordia_model::{OrganizationId, Timestamp};
use rusqlite::{Connection, params};
use zeroize::Zeroizing;

#[derive(Clone)]
pub struct Event {
    pub position: i64,
    pub stream: String,
    pub version: i64,
    pub kind: String,
    pub schema: i64,
    pub actor: String,
    pub at: i64,
    pub cause: Option<i64>,
    pub request: String,
    pub payload: Vec<u8>,
    pub resources: Hash,
    pub previous: Hash,
    pub hash: Hash,
    pub written: Vec<Resource>,
}

#[derive(Clone)]
pub struct Resource {
    kind: String,
    id: String,
    version: i64,
    at: i64,
    deleted: bool,
    body: Vec<u8>,
}

/// One organization's database in a data directory; with no organization said, the only one's.
pub struct Ledger {
    pub realm: RealmId,
    pub path: PathBuf,
}

impl Ledger {
    pub fn of(data: &Path, organization: &str) -> Self {
        let files = super::search::files(data);
        let path = files
            .into_iter()
            .find(|path| {
                path.ends_with("ledger.db") && path.to_string_lossy().contains(organization)
            })
            .unwrap();
        let id = path.parent().unwrap().file_name().unwrap().to_str().unwrap().parse().unwrap();
        Self { realm: RealmId(Some(OrganizationId(id))), path }
    }

    /// Whoever has the database drops the triggers first.
    pub fn open(&self) -> Connection {
        let open = Connection::open(&self.path).unwrap();
        let mut query =
            open.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").unwrap();
        let triggers: Vec<String> =
            query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        drop(query);
        for trigger in triggers {
            open.execute_batch(&format!("DROP TRIGGER {trigger}")).unwrap();
        }
        open
    }

    pub fn read(&self) -> Vec<Event> {
        let open = self.open();
        let mut resources: HashMap<i64, Vec<Resource>> = HashMap::new();
        let mut query = open
            .prepare("SELECT position, kind, id, version, at, deleted, body FROM resource ORDER BY position, ordinal")
            .unwrap();
        let mut rows = query.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            resources.entry(row.get(0).unwrap()).or_default().push(Resource {
                kind: row.get(1).unwrap(),
                id: row.get(2).unwrap(),
                version: row.get(3).unwrap(),
                at: row.get(4).unwrap(),
                deleted: row.get(5).unwrap(),
                body: row.get(6).unwrap(),
            });
        }
        let mut query = open
            .prepare("SELECT position, stream, version, kind, schema, actor, at, cause, request, payload, resources, previous, hash FROM event ORDER BY position")
            .unwrap();
        let mut rows = query.query([]).unwrap();
        let mut events = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            let position = row.get(0).unwrap();
            events.push(Event {
                position,
                stream: row.get(1).unwrap(),
                version: row.get(2).unwrap(),
                kind: row.get(3).unwrap(),
                schema: row.get(4).unwrap(),
                actor: row.get(5).unwrap(),
                at: row.get(6).unwrap(),
                cause: row.get(7).unwrap(),
                request: row.get(8).unwrap(),
                payload: row.get(9).unwrap(),
                resources: row.get(10).unwrap(),
                previous: row.get(11).unwrap(),
                hash: row.get(12).unwrap(),
                written: resources.remove(&position).unwrap_or_default(),
            });
        }
        events
    }

    /// Puts these in the place of all events, as they say they are.
    pub fn write(&self, events: &[Event]) {
        let open = self.open();
        open.execute_batch("BEGIN; DELETE FROM resource; DELETE FROM event;").unwrap();
        for e in events {
            open.execute(
                "INSERT INTO event (position, stream, version, kind, schema, actor, at, cause, request, payload, resources, previous, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                params![e.position, e.stream, e.version, e.kind, e.schema, e.actor, e.at, e.cause, e.request, e.payload, e.resources, e.previous, e.hash],
            )
            .unwrap();
            for (ordinal, r) in (0i64..).zip(&e.written) {
                open.execute(
                    "INSERT INTO resource (position, ordinal, kind, id, version, at, deleted, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    params![e.position, ordinal, r.kind, r.id, r.version, r.at, r.deleted, r.body],
                )
                .unwrap();
            }
        }
        open.execute_batch("COMMIT").unwrap();
    }

    /// The same with positions, versions, chain, tree and head that fit: nothing inside tells.
    pub fn forge(&self, mut events: Vec<Event>) {
        let (mut previous, mut tree) = (GENESIS, Frontier::default());
        let mut versions: HashMap<String, i64> = HashMap::new();
        let mut resource_versions: HashMap<(String, String), i64> = HashMap::new();
        for (position, event) in (1..).zip(&mut events) {
            event.position = position;
            event.previous = previous;
            let version = versions.entry(event.stream.clone()).or_default();
            *version += 1;
            event.version = *version;
            for r in &mut event.written {
                let version = resource_versions.entry((r.kind.clone(), r.id.clone())).or_default();
                *version += 1;
                r.version = *version;
            }
            event.resources = resources_hash(event.written.iter().map(|r| ResourceFields {
                kind: &r.kind,
                id: &r.id,
                version: r.version,
                deleted: r.deleted,
                body: &r.body,
            }));
            let fields = EventFields {
                stream: &event.stream,
                version: event.version,
                kind: &event.kind,
                schema: event.schema,
                actor: &event.actor,
                at_micros: event.at,
                cause: event.cause,
                request: &event.request,
                payload: &event.payload,
            };
            event.hash = event_hash(self.realm, position, fields, &event.resources, &previous);
            previous = event.hash;
            tree.push(&previous);
        }
        self.write(&events);
        let head = params![events.len() as i64, previous, tree.to_bytes()];
        let sql = "UPDATE head SET position = ?1, hash = ?2, frontier = ?3 WHERE log = 'events'";
        assert_eq!(self.open().execute(sql, head).unwrap(), 1);
    }

    fn head(&self, log: LogName) -> (i64, Hash, Frontier) {
        let sql = "SELECT position, hash, frontier FROM head WHERE log = ?1";
        let row = |row: &rusqlite::Row<'_>| {
            let frontier: Vec<u8> = row.get(2)?;
            Ok((row.get(0)?, row.get(1)?, Frontier::from_bytes(&frontier).unwrap()))
        };
        self.open().query_row(sql, [log.name()], row).unwrap()
    }

    /// Puts a witness of the forger's own in the place of the realm's: right in everything but the key.
    pub fn witness_with_own_key(&self, witness: &Path) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[66; 32]).unwrap();
        let mut text = String::new();
        for (number, log) in (1..).zip([LogName::Events, LogName::Access]) {
            let (position, hash, tree) = self.head(log);
            let mut checkpoint = Checkpoint {
                realm: self.realm,
                log,
                position,
                hash,
                root: tree.root(),
                at: now(),
                public_key: pair.public_key().as_ref().to_vec(),
                signature: Vec::new(),
            };
            let mut bytes = b"precordia.checkpoint.1".to_vec();
            bytes.extend_from_slice(&self.realm.bytes());
            bytes.extend_from_slice(log.name().as_bytes());
            bytes.push(0);
            bytes.extend_from_slice(&position.to_be_bytes());
            bytes.extend_from_slice(&hash);
            bytes.extend_from_slice(&checkpoint.root);
            bytes.extend_from_slice(&checkpoint.at.micros().to_be_bytes());
            checkpoint.signature = pair.sign(&bytes).as_ref().to_vec();
            let line = CheckpointLine::new(number, &checkpoint);
            text.push_str(&serde_json::to_string(&line).unwrap());
            text.push('\n');
        }
        std::fs::write(witness.join(format!("{}.jsonl", self.realm)), text).unwrap();
    }
}

fn now() -> Timestamp {
    precordia_store::SystemClock.now()
}

/// Signs with the installation's real key, by its master key, what the database now says: as the program
/// itself does, into any directory.
pub fn sign_with_master(data: &Path, master: &Path, witness: &Path) {
    std::fs::create_dir_all(witness).unwrap();
    run(data, master, witness, 0, async |app| app.checkpoint_all().await.unwrap());
}

/// Makes the views fit the events, wherever their payloads open.
pub fn rebuild_views(data: &Path, master: &Path) {
    run(data, master, Path::new("nowhere"), 0, async |app| {
        app.rebuild_all_views().await.unwrap();
    });
}

/// What happens when a person works on a machine whose clock was turned.
pub fn sign_in_with_clock(copy: &Path, by_us: i64, slug: &str, user: &str) {
    let (data, master) = (copy.join("data"), copy.join("data-keys/master.key"));
    run(&data, &master, &copy.join("data-witness"), by_us, async |app| {
        let password = Zeroizing::new(super::PASSWORD.to_owned());
        app.sign_in(slug, user, password, "test").await.unwrap();
        app.checkpoint_all().await.unwrap();
    });
}

struct TurnedClock(i64);

impl Clock for TurnedClock {
    fn now(&self) -> Timestamp {
        Timestamp(now().micros() + self.0)
    }
}

fn run(data: &Path, master: &Path, witness: &Path, by_us: i64, what: impl AsyncFnOnce(&App)) {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let options = precordia_store::SqliteOptions::new(data);
        let store = precordia_store::open_sqlite(options).await.unwrap();
        let ports = precordia_store::ports(
            &store,
            precordia_store::master_from_file(master, false).unwrap(),
            precordia_store::witness_of(witness),
            Arc::new(TurnedClock(by_us)),
            Arc::new(precordia_store::SecureRandom),
        );
        what(&App::new(ports, Settings::default())).await;
    });
}
