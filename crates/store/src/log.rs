//! The two logs of a realm: events and accesses, their rows and their ends.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use precordia_app::access::OrgScope;
use precordia_app::chain::{Frontier, Hash};
use precordia_app::port::{
    Append, Batch, EventFilter, EventLog, Head, LogName, NewAccess, NewEvent, Position, Realm,
    StoreError, StoredAccess, StoredEvent, StoredResource, Stream, Version,
};

use crate::engine::{Connection, DbError, Lock, Query, Row, Script, Statement, Value};
use crate::store::Store;
use crate::{effect, resource, view};

const EVENTS: &str = "SELECT position, stream, version, kind, schema, actor, at, cause, request, \
     payload, resources, previous, hash FROM event";

const ACCESSES: &str = "SELECT position, at, actor, roles, action, target, purpose, outcome, \
     request, detail, previous, hash FROM access_log";

pub(crate) const PUT_EVENT: &str = "INSERT INTO event (position, stream, version, kind, schema, \
     actor, at, cause, request, payload, resources, previous, hash) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

pub(crate) const PUT_ACCESS: &str = "INSERT INTO access_log (position, at, actor, roles, action, \
     target, purpose, outcome, request, detail, previous, hash) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

fn read_event(row: Row) -> Result<StoredEvent, DbError> {
    let mut f = row.fields("event");
    Ok(StoredEvent {
        position: f.int()?,
        stream: f.text()?,
        version: f.int()?,
        kind: f.text()?,
        schema: f.int()?,
        actor: f.text()?,
        at: f.time()?,
        cause: f.int_opt()?,
        request: f.text()?,
        payload: f.blob()?,
        resources: f.hash()?,
        previous: f.hash()?,
        hash: f.hash()?,
    })
}

fn read_access(row: Row) -> Result<StoredAccess, DbError> {
    let mut f = row.fields("access row");
    Ok(StoredAccess {
        position: f.int()?,
        at: f.time()?,
        actor: f.text()?,
        roles: f.text()?,
        action: f.text()?,
        target: f.text()?,
        purpose: f.text()?,
        outcome: f.text()?,
        request: f.text()?,
        detail: f.blob_opt()?,
        previous: f.hash()?,
        hash: f.hash()?,
    })
}

/// What a numbered row is written with besides its own fields.
pub(crate) struct Link {
    pub(crate) position: Position,
    pub(crate) previous: Hash,
    pub(crate) hash: Hash,
}

pub(crate) fn put_event<'a>(
    script: &mut Script<'a>,
    event: &'a NewEvent,
    request: String,
    resources: Hash,
    link: &Link,
) {
    script.push(Statement {
        sql: PUT_EVENT,
        params: vec![
            link.position.into(),
            (&event.stream.0).into(),
            event.version.into(),
            (&event.kind).into(),
            event.schema.into(),
            (&event.actor).into(),
            event.at.into(),
            event.cause.into(),
            request.into(),
            (&event.payload).into(),
            resources.into(),
            link.previous.into(),
            link.hash.into(),
        ],
    });
}

pub(crate) fn put_access<'a>(
    script: &mut Script<'a>,
    row: &'a NewAccess,
    request: String,
    link: &Link,
) {
    script.push(Statement {
        sql: PUT_ACCESS,
        params: vec![
            link.position.into(),
            row.at.into(),
            (&row.actor).into(),
            (&row.roles).into(),
            (&row.action).into(),
            (&row.target).into(),
            (&row.purpose).into(),
            (&row.outcome).into(),
            request.into(),
            row.detail.as_ref().into(),
            link.previous.into(),
            link.hash.into(),
        ],
    });
}

/// The last version of each stream; streams without events are left out.
pub(crate) async fn versions<'a>(
    connection: &mut dyn Connection,
    streams: Vec<&'a str>,
) -> Result<HashMap<&'a str, Version>, DbError> {
    let sets: Vec<_> = streams.iter().map(|stream| vec![Value::from(*stream)]).collect();
    // Ordered and limited: an index lookup on both engines, where max() is a scan on neither.
    let sql = "SELECT version FROM event WHERE stream = $1 ORDER BY version DESC LIMIT 1";
    let answers = connection.query_each(sql, &sets).await?;
    let mut versions = HashMap::with_capacity(streams.len());
    for (stream, rows) in streams.into_iter().zip(answers) {
        if let Some(row) = rows.into_iter().next() {
            versions.insert(stream, row.fields("event").int()?);
        }
    }
    Ok(versions)
}

/// The end of a log as the writer holds it while the head rows are locked.
#[derive(Debug)]
pub(crate) struct LogEnd {
    pub(crate) position: Position,
    pub(crate) hash: Hash,
    pub(crate) frontier: Frontier,
}

impl LogEnd {
    /// Chains the row whose hash `hash_of` makes from its position and the hash before it.
    pub(crate) fn push(&mut self, hash_of: impl FnOnce(Position, &Hash) -> Hash) -> Link {
        let position = self.position + 1;
        let previous = self.hash;
        let hash = hash_of(position, &previous);
        self.position = position;
        self.hash = hash;
        self.frontier.push(&hash);
        Link { position, previous, hash }
    }

    pub(crate) fn put(&self, script: &mut Script<'_>, log: LogName) {
        script.push(Statement {
            sql: "UPDATE head SET position = $1, hash = $2, frontier = $3 WHERE log = $4",
            params: vec![
                self.position.into(),
                self.hash.into(),
                self.frontier.to_bytes().into(),
                log.name().into(),
            ],
        });
    }
}

/// Both logs' ends and the number of work pieces ever enqueued.
#[derive(Debug)]
pub(crate) struct Ends {
    pub(crate) events: LogEnd,
    pub(crate) access: LogEnd,
    pub(crate) work: i64,
}

/// Reads the head rows and locks them until the transaction ends: the one place where writers of a realm
/// wait for each other.
pub(crate) async fn lock_ends(connection: &mut dyn Connection) -> Result<Ends, DbError> {
    let sql = match connection.lock() {
        Lock::Whole => "SELECT log, position, hash, frontier FROM head ORDER BY log",
        Lock::Rows => "SELECT log, position, hash, frontier FROM head ORDER BY log FOR UPDATE",
    };
    let (mut events, mut access, mut work) = (None, None, 0);
    for row in connection.query(sql, &[]).await? {
        let mut f = row.fields("head");
        match f.text()?.as_str() {
            "events" => events = Some(read_end(&mut f)?),
            "access" => access = Some(read_end(&mut f)?),
            _ => work = f.int()?,
        }
    }
    let missing = || DbError::Damaged { what: "head", detail: "a row is missing".into() };
    Ok(Ends { events: events.ok_or_else(missing)?, access: access.ok_or_else(missing)?, work })
}

fn read_end(f: &mut crate::engine::Fields) -> Result<LogEnd, DbError> {
    let (position, hash) = (f.int()?, f.hash()?);
    let frontier = Frontier::from_bytes(&f.blob()?)
        .filter(|frontier| u64::try_from(position) == Ok(frontier.len()))
        .ok_or_else(|| f.damaged("position and frontier disagree"))?;
    Ok(LogEnd { position, hash, frontier })
}

/// One search for each kind, merged: each walks the index in the order of positions and ends at the
/// limit, where one search for all kinds would have to sort the rest of the log. One statement, so that
/// all of them see the same end of the log.
fn chosen(filter: &EventFilter, after: Position, limit: u32) -> Query {
    let mut kinds: Vec<Option<&String>> = filter.kinds.iter().map(Some).collect();
    kinds.sort_unstable();
    kinds.dedup();
    if kinds.is_empty() {
        kinds.push(None);
    }
    let mut query = Query::new("");
    for (n, kind) in kinds.into_iter().enumerate() {
        query.push(if n == 0 { "SELECT * FROM (" } else { " UNION ALL SELECT * FROM (" });
        query.push(EVENTS).push(" WHERE position > ").bind(after);
        if let Some(kind) = kind {
            query.push(" AND kind = ").bind(kind.clone());
        }
        if let Some(from) = filter.from {
            query.push(" AND at >= ").bind(from);
        }
        if let Some(before) = filter.before {
            query.push(" AND at < ").bind(before);
        }
        query.push(" ORDER BY position LIMIT ").bind(i64::from(limit)).push(") AS of_kind");
    }
    query.push(" ORDER BY position LIMIT ").bind(i64::from(limit));
    query
}

#[async_trait]
impl EventLog for Store {
    async fn append(&self, realm: Realm<'_>, batch: Batch) -> Result<Append, StoreError> {
        self.commit(realm, batch).await
    }

    async fn head(&self, realm: Realm<'_>, log: LogName) -> Result<Head, StoreError> {
        let context = "reading the end of a log";
        let mut query = Query::new("SELECT position, hash, frontier FROM head");
        query.and("log = ").bind(log.name());
        let head = self.find_one(realm, context, query, |row| {
            let end = read_end(&mut row.fields("head"))?;
            Ok(Head { position: end.position, hash: end.hash, frontier: end.frontier.to_bytes() })
        });
        head.await?.ok_or_else(|| {
            DbError::Damaged { what: "head", detail: "a row is missing".into() }.store(context)
        })
    }

    async fn events(
        &self,
        realm: Realm<'_>,
        after: Position,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let mut query = Query::new(EVENTS);
        query.and("position > ").bind(after);
        query.push(" ORDER BY position LIMIT ").bind(i64::from(limit));
        self.find(realm, "reading events", query, read_event).await
    }

    async fn events_where(
        &self,
        realm: Realm<'_>,
        filter: &EventFilter,
        after: Position,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.find(realm, "reading events", chosen(filter, after, limit), read_event).await
    }

    async fn stream(
        &self,
        realm: Realm<'_>,
        stream: &Stream,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let mut query = Query::new(EVENTS);
        query.and("stream = ").bind(stream.0.clone()).push(" ORDER BY version");
        self.find(realm, "reading a stream", query, read_event).await
    }

    async fn accesses(
        &self,
        realm: Realm<'_>,
        after: Position,
        limit: u32,
    ) -> Result<Vec<StoredAccess>, StoreError> {
        let mut query = Query::new(ACCESSES);
        query.and("position > ").bind(after);
        query.push(" ORDER BY position LIMIT ").bind(i64::from(limit));
        self.find(realm, "reading the access log", query, read_access).await
    }

    async fn accesses_to(
        &self,
        realm: Realm<'_>,
        target: Option<&str>,
        actor: Option<&str>,
        before: Option<Position>,
        limit: u32,
    ) -> Result<Vec<StoredAccess>, StoreError> {
        let mut query = Query::new(ACCESSES);
        if let Some(target) = target {
            query.and("target = ").bind(target.to_owned());
        }
        if let Some(actor) = actor {
            query.and("actor = ").bind(actor.to_owned());
        }
        if let Some(before) = before {
            query.and("position < ").bind(before);
        }
        query.push(" ORDER BY position DESC LIMIT ").bind(i64::from(limit));
        self.find(realm, "searching the access log", query, read_access).await
    }

    async fn effects(
        &self,
        realm: Realm<'_>,
        keys: &[String],
    ) -> Result<BTreeMap<String, String>, StoreError> {
        let keys = keys.to_vec();
        let open = self.realm(realm).await?;
        let known = open
            .database
            .read(move |connection: &mut dyn Connection| Box::pin(effect::read(connection, keys)));
        let known = known.await.map_err(|e| e.store("reading effects"))?;
        Ok(known.into_iter().filter_map(|(key, subject)| Some((key, subject?))).collect())
    }

    async fn rows_without_events(
        &self,
        scope: &OrgScope,
        limit: u32,
    ) -> Result<Vec<Stream>, StoreError> {
        let mut query = Query::new(view::WITHOUT_EVENTS);
        query.bind(i64::from(limit));
        let read = |row: Row| Ok(Stream(row.fields("view").text()?));
        self.find(scope.into(), "looking for rows without events", query, read).await
    }

    async fn resources(
        &self,
        realm: Realm<'_>,
        after: Position,
        limit: u32,
    ) -> Result<Vec<StoredResource>, StoreError> {
        let last = after.saturating_add(i64::from(limit));
        let mut query = Query::new(resource::COLUMNS);
        query.and("position > ").bind(after).and("position <= ").bind(last);
        query.push(" ORDER BY position, ordinal");
        self.find(realm, "reading resource versions", query, resource::read).await
    }
}
