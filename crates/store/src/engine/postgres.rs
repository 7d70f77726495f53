//! PostgreSQL: a schema and a role a realm, entered anew in every transaction.
//!
//! The login role owns nothing and inherits nothing; it may only become a realm's role. Inside a
//! transaction it *is* that role, which can reach its own schema only, and `RESET ROLE` leads to a role
//! that sees no table. What this does not stop is somebody who can send `SET ROLE` with another realm's
//! name: all statements are fixed text with parameters, so that is somebody with the login's password.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use async_trait::async_trait;
use bytes::BytesMut;
use futures_util::future::poll_fn;
use postgres_types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::postgres_pool::{PgClient, Pool, Taken};
use super::{Connection, DbError, Job, Lock, Row, ScrubTable, Statement, TransactionError, Value};
use crate::migration::{self, Shape};

/// One realm on a server.
pub(crate) struct PostgresSchema {
    pool: Arc<Pool>,
    /// Schema and role have one name; it needs no quoting rules beyond ours.
    name: String,
}

impl PostgresSchema {
    /// `None` when the realm was never provisioned here.
    pub(crate) async fn open(
        pool: Arc<Pool>,
        name: String,
        shape: Shape,
    ) -> Result<Option<Self>, DbError> {
        let mut taken = pool.take().await?;
        let there = migration::postgres_is_there(taken.client(), &name).await?;
        if there {
            migration::postgres(taken.client(), &name, shape).await?;
        }
        taken.give_back();
        Ok(there.then_some(Self { pool, name }))
    }

    /// Creates schema, role and tables; not an error when they are there.
    pub(crate) async fn provision(
        pool: &Arc<Pool>,
        name: &str,
        shape: Shape,
    ) -> Result<(), DbError> {
        let mut taken = pool.take().await?;
        migration::postgres(taken.client(), name, shape).await?;
        taken.give_back();
        Ok(())
    }

    pub(crate) async fn read<T: Send + 'static>(&self, job: impl Job<T>) -> Result<T, DbError> {
        let mut transaction = self.begin("ISOLATION LEVEL READ COMMITTED READ ONLY").await?;
        let answer = job(&mut transaction).await;
        transaction.end("COMMIT").await?;
        answer
    }

    pub(crate) async fn write<T: Send + 'static>(
        &self,
        job: impl Job<T>,
    ) -> Result<T, TransactionError> {
        let mut transaction = self
            .begin("ISOLATION LEVEL READ COMMITTED")
            .await
            .map_err(TransactionError::RolledBack)?;
        match job(&mut transaction).await {
            Ok(value) => match transaction.end("COMMIT").await {
                Ok(()) => Ok(value),
                Err(_) => Err(TransactionError::CommitUnknown),
            },
            Err(cause) => {
                // If this fails too, the connection is closed, which rolls back as well.
                let _ = transaction.end("ROLLBACK").await;
                Err(TransactionError::RolledBack(cause))
            }
        }
    }

    async fn begin(&self, mode: &str) -> Result<PgTransaction, DbError> {
        let name = &self.name;
        let sql = format!(
            "BEGIN {mode}; SET LOCAL ROLE \"{name}\"; SET LOCAL search_path TO \"{name}\", pg_temp; \
             SET LOCAL synchronous_commit TO on; SET LOCAL lock_timeout TO '30s'; \
             SET LOCAL idle_in_transaction_session_timeout TO '60s'"
        );
        let mut taken = self.pool.take().await?;
        let started = taken.client().client.batch_execute(&sql).await;
        if started.is_err() {
            // An idle connection may have died since its last use; a fresh one is the honest try.
            taken.reconnect().await?;
            taken.client().client.batch_execute(&sql).await.map_err(failed)?;
        }
        Ok(PgTransaction(taken))
    }

    /// Rewrites the tables into new files. The server's own journal keeps old pages until it recycles
    /// them, and the file system keeps freed blocks; neither can be reached from here.
    ///
    /// Not `VACUUM FULL`: it carries over removed rows that any transaction of the database may still see.
    /// An emptied table looks empty to a snapshot from before; reads here take theirs after the lock.
    pub(crate) async fn scrub(&self, tables: &'static [ScrubTable]) -> Result<(), DbError> {
        let mut sql = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL ROLE \"{}\"; \
             SET LOCAL search_path TO \"{}\", pg_temp; SET LOCAL synchronous_commit TO on; SET LOCAL lock_timeout TO '30s'; \
             SELECT position FROM head FOR UPDATE; ",
            migration::owner(&self.name),
            self.name
        );
        for table in tables {
            sql.push_str(&format!(
                "CREATE TABLE scrub AS SELECT * FROM {table}; TRUNCATE {table}; \
                 INSERT INTO {table} SELECT * FROM scrub; DROP TABLE scrub; "
            ));
        }
        sql.push_str("COMMIT");
        let mut taken = self.pool.take().await?;
        taken.client().client.batch_execute(&sql).await.map_err(failed)?;
        taken.give_back();
        Ok(())
    }
}

struct PgTransaction(Taken);

impl PgTransaction {
    async fn end(mut self, sql: &str) -> Result<(), DbError> {
        self.client().client.batch_execute(sql).await.map_err(failed)?;
        self.0.give_back();
        Ok(())
    }

    fn client(&mut self) -> &mut PgClient {
        self.0.client()
    }
}

#[async_trait]
impl Connection for PgTransaction {
    fn lock(&self) -> Lock {
        Lock::Rows
    }

    async fn query(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>, DbError> {
        let client = self.client();
        let statement = client.prepared(sql).await?;
        rows(client.client.query(&statement, &borrowed(params)?).await)
    }

    async fn query_each(
        &mut self,
        sql: &str,
        sets: &[Vec<Value<'_>>],
    ) -> Result<Vec<Vec<Row>>, DbError> {
        if sets.is_empty() {
            return Ok(Vec::new());
        }
        let client = self.client();
        let statement = client.prepared(sql).await?;
        let params = sets.iter().map(|set| borrowed(set)).collect::<Result<Vec<_>, _>>()?;
        let client = &client.client;
        let calls = params.iter().map(|params| client.query(&statement, params)).collect();
        in_order(calls).await.into_iter().map(rows).collect()
    }

    async fn run(&mut self, script: &[Statement<'_>]) -> Result<(), DbError> {
        let client = self.client();
        let mut prepared = Vec::with_capacity(script.len());
        for statement in script {
            prepared.push((client.prepared(statement.sql).await?, borrowed(&statement.params)?));
        }
        let client = &client.client;
        let calls = prepared.iter().map(|(sql, params)| client.execute(sql, params)).collect();
        for answer in in_order(calls).await {
            answer.map_err(failed)?;
        }
        Ok(())
    }
}

/// Sends every call before it waits for the first answer. A call sends when it is first polled, and the
/// server answers in order.
async fn in_order<F: Future>(calls: Vec<F>) -> Vec<F::Output> {
    let mut calls: Vec<_> = calls.into_iter().map(|call| (Box::pin(call), None)).collect();
    poll_fn(|context| {
        for (call, answer) in &mut calls {
            if let Poll::Ready(value) = Pin::new(call).poll(context) {
                *answer = Some(value);
            }
        }
        Poll::Ready(())
    })
    .await;
    let mut answers = Vec::with_capacity(calls.len());
    for (call, answer) in calls {
        answers.push(match answer {
            Some(answer) => answer,
            None => call.await,
        });
    }
    answers
}

type Params<'p> = Vec<&'p (dyn ToSql + Sync)>;

fn borrowed<'p>(values: &'p [Value<'_>]) -> Result<Params<'p>, DbError> {
    if let Some(index) = values.iter().position(|value| !value.is_storable()) {
        return Err(DbError::Refused(format!("text of parameter {} has a NUL", index + 1)));
    }
    Ok(values.iter().map(|value| value as &(dyn ToSql + Sync)).collect())
}

fn rows(
    answer: Result<Vec<tokio_postgres::Row>, tokio_postgres::Error>,
) -> Result<Vec<Row>, DbError> {
    let read = |row: &tokio_postgres::Row| {
        let values = (0..row.len()).map(|column| row.try_get::<_, Value<'static>>(column));
        values.collect::<Result<Vec<_>, _>>().map(Row).map_err(failed)
    };
    answer.map_err(failed)?.iter().map(read).collect()
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (self, ty) {
            (Value::Null, _) => Ok(IsNull::Yes),
            (Value::Int(value), &Type::INT8) => value.to_sql(ty, out),
            (Value::Text(value), &Type::TEXT) => value.as_ref().to_sql(ty, out),
            (Value::Blob(value), &Type::BYTEA) => value.as_ref().to_sql(ty, out),
            _ => Err(format!("a parameter does not fit the column type {ty}").into()),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::TEXT | Type::BYTEA)
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value<'static> {
    fn from_sql(
        ty: &Type,
        raw: &'a [u8],
    ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(match *ty {
            Type::INT8 => Value::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Value::Int(i32::from_sql(ty, raw)?.into()),
            Type::BYTEA => Value::Blob(Cow::Owned(raw.to_vec())),
            _ => Value::Text(Cow::Owned(String::from_sql(ty, raw)?)),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Value::Null)
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::INT4 | Type::TEXT | Type::NAME | Type::BYTEA)
    }
}

/// A server's message may quote values; only its code and the names of table and constraint are kept.
pub(crate) fn failed(error: tokio_postgres::Error) -> DbError {
    let Some(server) = error.as_db_error() else {
        return match std::error::Error::source(&error) {
            Some(cause) if cause.is::<std::io::Error>() => {
                DbError::Unable(format!("connection to PostgreSQL: {cause}"))
            }
            _ if error.is_closed() => DbError::Unable("connection to PostgreSQL is closed".into()),
            _ => DbError::Refused("PostgreSQL refused a value or its answer was not read".into()),
        };
    };
    let code = server.code().code();
    let place: Vec<&str> = [server.table(), server.constraint()].into_iter().flatten().collect();
    let message = format!("PostgreSQL error {code} {}", place.join(" ")).trim_end().to_owned();
    // SQLSTATE classes of PostgreSQL's appendix A.
    match &code[..2] {
        _ if code == "53100" => DbError::Full,
        "08" | "25" | "40" | "53" | "55" | "57" | "58" => DbError::Unable(message),
        "XX" => DbError::Damaged { what: "PostgreSQL table", detail: message },
        _ => DbError::Refused(message),
    }
}
