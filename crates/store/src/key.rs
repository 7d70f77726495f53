//! Wrapped keys.

use std::collections::HashMap;

use async_trait::async_trait;
use precordia_app::port::{
    KeyChange, KeyKind, KeyRow, KeyState, KeyStore, Realm, StoreError, WrappedKey,
};
use precordia_model::{KeyId, Timestamp};

use crate::engine::{
    Connection, DbError, Fields, Query, Row, Script, ScrubTable, Statement, Value, id,
};
use crate::store::Store;

const COLUMNS: &str = "SELECT id, kind, subject, wrapped_by, wrapped, state, destroyed_at, created_at \
     FROM wrapped_key";
const WITH_USES: &str = "SELECT id, kind, subject, wrapped_by, wrapped, state, destroyed_at, \
     created_at, uses FROM wrapped_key";

/// Where an erased person or key could still be read. Everything else is sealed by a destroyed key.
const SCRUBBED_IN_ORGANIZATION: &[ScrubTable] = &["wrapped_key", "patient_token", "effect"];
const SCRUBBED_IN_PLATFORM: &[ScrubTable] = &["wrapped_key", "effect"];

fn read(row: Row) -> Result<WrappedKey, DbError> {
    read_fields(&mut row.fields("key"))
}

fn read_with_uses(row: Row) -> Result<KeyRow, DbError> {
    let mut f = row.fields("key");
    Ok(KeyRow { key: read_fields(&mut f)?, uses: f.int()? })
}

fn read_fields(f: &mut Fields) -> Result<WrappedKey, DbError> {
    let (id, kind, subject, wrapped_by, wrapped) =
        (f.id()?, f.named(KeyKind::parse)?, f.text()?, f.id()?, f.blob()?);
    let state = match (f.text()?.as_str(), f.time_opt()?) {
        ("active", None) => KeyState::Active,
        ("retired", None) => KeyState::Retired,
        ("destroyed", Some(at)) => KeyState::Destroyed { at },
        _ => return Err(f.damaged("the state is not known")),
    };
    Ok(WrappedKey { id, kind, subject, wrapped_by, wrapped, state, created_at: f.time()? })
}

/// What the preconditions of key changes look at.
#[derive(Clone, Debug)]
pub(crate) struct KeyNow {
    pub(crate) wrapped_by: KeyId,
    pub(crate) destroyed: bool,
    pub(crate) uses: i64,
}

/// Those of the keys that exist.
pub(crate) async fn states(
    connection: &mut dyn Connection,
    keys: Vec<KeyId>,
) -> Result<HashMap<KeyId, KeyNow>, DbError> {
    let sets: Vec<_> = keys.iter().map(|key| vec![id(key)]).collect();
    let sql = "SELECT wrapped_by, state, uses FROM wrapped_key WHERE id = $1";
    let answers = connection.query_each(sql, &sets).await?;
    let mut states = HashMap::with_capacity(keys.len());
    for (key, rows) in keys.into_iter().zip(answers) {
        if let Some(row) = rows.into_iter().next() {
            let mut f = row.fields("key");
            let wrapped_by = f.id()?;
            let destroyed = f.text()? == "destroyed";
            states.insert(key, KeyNow { wrapped_by, destroyed, uses: f.int()? });
        }
    }
    Ok(states)
}

pub(crate) const fn changed(change: &KeyChange) -> KeyId {
    match change {
        KeyChange::Add(key) => key.id,
        KeyChange::Rewrap { id, .. } | KeyChange::Retire { id } | KeyChange::Destroy { id, .. } => {
            *id
        }
    }
}

const fn state_columns(state: &KeyState) -> (&'static str, Option<Timestamp>) {
    match state {
        KeyState::Active => ("active", None),
        KeyState::Retired => ("retired", None),
        KeyState::Destroyed { at } => ("destroyed", Some(*at)),
    }
}

/// A key of a backup, unless it is there.
pub(crate) fn restore(KeyRow { key, uses }: KeyRow) -> Statement<'static> {
    let (state, destroyed_at) = state_columns(&key.state);
    Statement {
        sql: "INSERT INTO wrapped_key (id, kind, subject, wrapped_by, wrapped, state, \
                destroyed_at, created_at, uses) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
              ON CONFLICT (id) DO NOTHING",
        params: vec![
            id(key.id),
            key.kind.name().into(),
            key.subject.into(),
            id(key.wrapped_by),
            key.wrapped.into(),
            state.into(),
            destroyed_at.into(),
            key.created_at.into(),
            uses.into(),
        ],
    }
}

pub(crate) fn put<'a>(script: &mut Script<'a>, change: &'a KeyChange) {
    let (sql, params) = match change {
        KeyChange::Add(key) => {
            let (state, destroyed_at) = state_columns(&key.state);
            let params = vec![
                id(key.id),
                key.kind.name().into(),
                (&key.subject).into(),
                id(key.wrapped_by),
                (&key.wrapped).into(),
                state.into(),
                destroyed_at.into(),
                key.created_at.into(),
            ];
            let sql = "INSERT INTO wrapped_key (id, kind, subject, wrapped_by, wrapped, state, \
                         destroyed_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
            (sql, params)
        }
        KeyChange::Rewrap { id: key, from, to, wrapped } => (
            "UPDATE wrapped_key SET wrapped_by = $1, wrapped = $2 \
             WHERE id = $3 AND wrapped_by = $4 AND state <> 'destroyed'",
            vec![id(to), wrapped.into(), id(key), id(from)],
        ),
        KeyChange::Retire { id: key } => (
            "UPDATE wrapped_key SET state = 'retired' WHERE id = $1 AND state = 'active'",
            vec![id(key)],
        ),
        KeyChange::Destroy { id: key, at } => (
            "UPDATE wrapped_key SET state = 'destroyed', destroyed_at = $1, wrapped = $2 \
             WHERE id = $3 AND state <> 'destroyed'",
            vec![(*at).into(), Value::from(Vec::new()), id(key)],
        ),
    };
    script.push(Statement { sql, params });
}

pub(crate) fn put_uses(script: &mut Script<'_>, key: KeyId, uses: i64) {
    script.push(Statement {
        sql: "UPDATE wrapped_key SET uses = uses + $1 WHERE id = $2",
        params: vec![uses.into(), id(key)],
    });
}

#[async_trait]
impl KeyStore for Store {
    async fn chain(&self, realm: Realm<'_>, ids: &[KeyId]) -> Result<Vec<WrappedKey>, StoreError> {
        let context = "reading keys";
        let mut query =
            Query::new("WITH RECURSIVE up (id) AS (SELECT id FROM wrapped_key WHERE id IN ");
        query.list(ids.iter().map(id)).map_err(|e| e.store(context))?;
        // UNION drops what was seen before, so keys that wrap each other end the search too.
        query.push(
            " UNION SELECT wrapped_key.wrapped_by FROM wrapped_key JOIN up ON wrapped_key.id = up.id) ",
        );
        query.push(COLUMNS).push(" WHERE id IN (SELECT id FROM up) ORDER BY id");
        self.find(realm, context, query, read).await
    }

    async fn of_subject(
        &self,
        realm: Realm<'_>,
        subject: &str,
    ) -> Result<Vec<WrappedKey>, StoreError> {
        let mut query = Query::new(COLUMNS);
        query.and("subject = ").bind(subject.to_owned());
        query.push(" ORDER BY created_at DESC, id DESC");
        self.find(realm, "reading the keys of a subject", query, read).await
    }

    async fn wrapped_by(
        &self,
        realm: Realm<'_>,
        by: KeyId,
        limit: u32,
    ) -> Result<Vec<WrappedKey>, StoreError> {
        let mut query = Query::new(COLUMNS);
        query.and("wrapped_by = ").bind(id(by)).and("state <> 'destroyed'");
        query.push(" ORDER BY id LIMIT ").bind(i64::from(limit));
        self.find(realm, "reading the keys that a key wraps", query, read).await
    }

    async fn all(
        &self,
        realm: Realm<'_>,
        after: Option<KeyId>,
        limit: u32,
    ) -> Result<Vec<KeyRow>, StoreError> {
        let mut query = Query::new(WITH_USES);
        if let Some(after) = after {
            query.and("id > ").bind(id(after));
        }
        query.push(" ORDER BY id LIMIT ").bind(i64::from(limit));
        self.find(realm, "reading all keys", query, read_with_uses).await
    }

    async fn uses(&self, realm: Realm<'_>, key: KeyId) -> Result<i64, StoreError> {
        let mut query = Query::new("SELECT uses FROM wrapped_key");
        query.and("id = ").bind(id(key));
        let read = |row: Row| row.fields("key").int();
        let uses = self.find_one(realm, "reading the uses of a key", query, read).await?;
        Ok(uses.unwrap_or_default())
    }

    async fn scrub(&self, realm: Realm<'_>) -> Result<(), StoreError> {
        let tables = match realm {
            Realm::Organization(_) => SCRUBBED_IN_ORGANIZATION,
            Realm::Platform(_) => SCRUBBED_IN_PLATFORM,
        };
        let open = self.realm(realm).await?;
        open.database.scrub(tables).await.map_err(|e| e.store("scrubbing erased rows"))
    }
}
