//! Sealed FHIR resource versions.

use std::collections::HashMap;

use async_trait::async_trait;
use precordia_app::port::{
    NewResource, Position, Realm, ResourceVersions, StoreError, StoredResource,
};
use precordia_model::Timestamp;

use crate::engine::{Connection, DbError, Query, Row, Script, Statement, Value};
use crate::store::Store;

pub(crate) const COLUMNS: &str =
    "SELECT position, ordinal, kind, id, version, at, deleted, body FROM resource";

pub(crate) const PUT: &str = "INSERT INTO resource (position, ordinal, kind, id, version, at, \
     deleted, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

pub(crate) fn read(row: Row) -> Result<StoredResource, DbError> {
    let mut f = row.fields("resource version");
    Ok(StoredResource {
        position: f.int()?,
        ordinal: f.int()?,
        kind: f.text()?,
        id: f.text()?,
        version: f.int()?,
        at: f.time()?,
        deleted: f.bool()?,
        body: f.blob()?,
    })
}

pub(crate) fn put<'a>(
    script: &mut Script<'a>,
    resource: &'a NewResource,
    position: Position,
    ordinal: i64,
    at: Timestamp,
) {
    script.push(Statement {
        sql: PUT,
        params: vec![
            position.into(),
            ordinal.into(),
            (&resource.kind).into(),
            (&resource.id).into(),
            resource.version.into(),
            at.into(),
            resource.deleted.into(),
            (&resource.body).into(),
        ],
    });
}

/// Kind and id of a resource.
pub(crate) type Name<'a> = (&'a str, &'a str);

/// The newest version of each resource; those that do not exist are left out.
pub(crate) async fn versions<'a>(
    connection: &mut dyn Connection,
    names: Vec<Name<'a>>,
) -> Result<HashMap<Name<'a>, i64>, DbError> {
    let sets: Vec<_> =
        names.iter().map(|(kind, id)| vec![Value::from(*kind), Value::from(*id)]).collect();
    let sql = "SELECT version FROM resource WHERE kind = $1 AND id = $2 \
               ORDER BY version DESC LIMIT 1";
    let answers = connection.query_each(sql, &sets).await?;
    let mut versions = HashMap::with_capacity(names.len());
    for (name, rows) in names.into_iter().zip(answers) {
        if let Some(row) = rows.into_iter().next() {
            versions.insert(name, row.fields("resource version").int()?);
        }
    }
    Ok(versions)
}

#[async_trait]
impl ResourceVersions for Store {
    async fn newest(
        &self,
        realm: Realm<'_>,
        kind: &str,
        id: &str,
    ) -> Result<Option<StoredResource>, StoreError> {
        let mut query = Query::new(COLUMNS);
        query.and("kind = ").bind(kind.to_owned()).and("id = ").bind(id.to_owned());
        query.push(" ORDER BY version DESC LIMIT 1");
        self.find_one(realm, "reading a resource", query, read).await
    }

    async fn newest_of(
        &self,
        realm: Realm<'_>,
        kind: &str,
        ids: &[String],
    ) -> Result<Vec<StoredResource>, StoreError> {
        let context = "reading resources";
        let mut query = Query::new(COLUMNS);
        query.and("kind = ").bind(kind.to_owned());
        let ids = ids.iter().map(|id| Value::from(id.clone()));
        query.and("id IN ").list(ids).map_err(|e| e.store(context))?;
        query.and(
            "version = (SELECT max(newer.version) FROM resource newer \
             WHERE newer.kind = resource.kind AND newer.id = resource.id) ORDER BY id",
        );
        self.find(realm, context, query, read).await
    }

    async fn version(
        &self,
        realm: Realm<'_>,
        kind: &str,
        id: &str,
        version: i64,
    ) -> Result<Option<StoredResource>, StoreError> {
        let mut query = Query::new(COLUMNS);
        query.and("kind = ").bind(kind.to_owned()).and("id = ").bind(id.to_owned());
        query.and("version = ").bind(version);
        self.find_one(realm, "reading a resource version", query, read).await
    }

    async fn versions(
        &self,
        realm: Realm<'_>,
        kind: &str,
        id: &str,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<StoredResource>, StoreError> {
        let mut query = Query::new(COLUMNS);
        query.and("kind = ").bind(kind.to_owned()).and("id = ").bind(id.to_owned());
        if let Some(before) = before {
            query.and("version < ").bind(before);
        }
        query.push(" ORDER BY version DESC LIMIT ").bind(i64::from(limit));
        self.find(realm, "reading the versions of a resource", query, read).await
    }
}
