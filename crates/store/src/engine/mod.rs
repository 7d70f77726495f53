//! The two engines behind one small trait, so that every statement is written once.
//!
//! A transaction is a job: a closure that gets a [`Connection`] and answers a value. On SQLite it runs
//! on a blocking thread and never waits; on PostgreSQL it is an ordinary future. Nothing here knows a
//! table of the product.

mod error;
pub(crate) mod postgres;
pub(crate) mod postgres_pool;
pub(crate) mod postgres_tls;
mod query;
pub(crate) mod sqlite;
mod value;

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;

pub(crate) use error::{DbError, TransactionError};
pub(crate) use query::Query;
pub(crate) use value::{Fields, Row, Value, id, id_opt};

/// One statement of a script, with its parameters `$1..$n` in ascending order of first occurrence.
#[derive(Debug)]
pub(crate) struct Statement<'a> {
    pub(crate) sql: &'static str,
    pub(crate) params: Vec<Value<'a>>,
}

/// Statements that are executed in order.
pub(crate) type Script<'a> = Vec<Statement<'a>>;

/// An open transaction.
#[async_trait]
pub(crate) trait Connection: Send {
    /// What makes a `SELECT` lock its rows for this transaction. SQLite has locked everything already.
    fn lock(&self) -> Lock;

    async fn query(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>, DbError>;

    /// The same query once for each set of parameters; answers in their order.
    async fn query_each(
        &mut self,
        sql: &str,
        sets: &[Vec<Value<'_>>],
    ) -> Result<Vec<Vec<Row>>, DbError>;

    async fn run(&mut self, script: &[Statement<'_>]) -> Result<(), DbError>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lock {
    Whole,
    Rows,
}

/// A transaction's body.
pub(crate) trait Job<T>:
    for<'c> FnOnce(&'c mut dyn Connection) -> BoxFuture<'c, Result<T, DbError>> + Send + 'static
{
}

impl<T, F> Job<T> for F where
    F: for<'c> FnOnce(&'c mut dyn Connection) -> BoxFuture<'c, Result<T, DbError>> + Send + 'static
{
}

/// One realm's tables, wherever they are.
pub(crate) enum Database {
    Sqlite(Arc<sqlite::SqliteDatabase>),
    Postgres(postgres::PostgresSchema),
}

impl Database {
    /// Each query of the job sees what was committed when it began.
    pub(crate) async fn read<T: Send + 'static>(&self, job: impl Job<T>) -> Result<T, DbError> {
        match self {
            Database::Sqlite(database) => database.read(job).await,
            Database::Postgres(schema) => schema.read(job).await,
        }
    }

    /// Commits what the job wrote when it answers `Ok`, and nothing otherwise.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        job: impl Job<T>,
    ) -> Result<T, TransactionError> {
        match self {
            Database::Sqlite(database) => database.write(job).await,
            Database::Postgres(schema) => schema.write(job).await,
        }
    }

    /// Leaves no copy of overwritten or removed rows of these tables, as far as the engine can.
    pub(crate) async fn scrub(&self, tables: &'static [ScrubTable]) -> Result<(), DbError> {
        match self {
            Database::Sqlite(database) => database.scrub(tables).await,
            Database::Postgres(schema) => schema.scrub(tables).await,
        }
    }
}

/// A table whose old contents must be gone after an erasure.
pub(crate) type ScrubTable = &'static str;
