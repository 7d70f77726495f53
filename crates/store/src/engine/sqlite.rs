//! SQLite: one file a realm, one writer connection and a few readers a process.
//!
//! Jobs run whole on a blocking thread, so a caller that goes away cannot leave a transaction open.
//! Several processes may use one file; whoever holds the write lock is waited for.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::FutureExt;
use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{ErrorCode, OpenFlags, ffi};
use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};
use tokio::task::spawn_blocking;

use super::{Connection, DbError, Job, Lock, Row, ScrubTable, Statement, TransactionError, Value};
use crate::files::Files;
use crate::migration::{self, Shape};
use crate::syncs::Syncs;

/// Readers of one file in one process. More than two gain little on the disks that clinics have.
const READERS_MAX: usize = 2;

/// How long another process may hold the write lock before a caller is told.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(30);

/// Distinct statements of the product, with room.
const STATEMENTS_CACHED_MAX: usize = 192;

/// Where a realm's file is, and how it is reached.
#[derive(Clone)]
pub(crate) struct SqlitePlace {
    pub(crate) path: PathBuf,
    pub(crate) files: Arc<dyn Files>,
    pub(crate) syncs: Syncs,
    /// Pages of the journal from which a commit moves them to the main file.
    pub(crate) journal_pages: u32,
}

impl SqlitePlace {
    fn journal(&self) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push("-wal");
        path.into()
    }

    fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }

    /// Off the runtime's threads, unless nothing waits there.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        if self.files.are_in_memory() {
            return work();
        }
        spawn_blocking(work).await.unwrap_or_else(|_| Err(stopped()))
    }
}

/// A realm's file. Connections are opened when first needed.
pub(crate) struct SqliteDatabase {
    place: SqlitePlace,
    writer: Arc<Mutex<Option<SqliteConnection>>>,
    readers: Arc<Semaphore>,
    idle: Arc<StdMutex<Vec<SqliteConnection>>>,
}

impl SqliteDatabase {
    /// Opens an existing file and brings its tables up to date.
    pub(crate) async fn open(place: SqlitePlace, shape: Shape) -> Result<Self, DbError> {
        let opened = place.clone();
        let writer = place.run(move || {
            let mut connection = SqliteConnection::open_writer(&opened)?;
            migration::sqlite(&mut connection, shape)?;
            Ok(connection)
        });
        let writer = writer.await?;
        Ok(Self {
            place,
            writer: Arc::new(Mutex::new(Some(writer))),
            readers: Arc::new(Semaphore::new(READERS_MAX)),
            idle: Arc::default(),
        })
    }

    pub(crate) async fn read<T: Send + 'static>(&self, job: impl Job<T>) -> Result<T, DbError> {
        let permit = Arc::clone(&self.readers).acquire_owned().await;
        let (place, idle) = (self.place.clone(), Arc::clone(&self.idle));
        let read = move || {
            let _permit = permit;
            let waiting = lock(&idle).pop();
            let mut connection = match waiting {
                Some(connection) => connection,
                None => SqliteConnection::open(&place, Access::Read)?,
            };
            connection.batch("BEGIN")?;
            let answer = run_now(job, &mut connection);
            connection.batch("COMMIT")?;
            lock(&idle).push(connection);
            answer
        };
        self.place.run(read).await
    }

    pub(crate) async fn write<T: Send + 'static>(
        &self,
        job: impl Job<T>,
    ) -> Result<T, TransactionError> {
        let mut writer = Arc::clone(&self.writer).lock_owned().await;
        let place = self.place.clone();
        let work = move || (transact(&mut writer, &place, job), writer);
        let checkpoint = |mut writer: OwnedMutexGuard<Option<SqliteConnection>>| {
            if let Some(connection) = &mut *writer {
                connection.checkpoint_when_due();
            }
        };
        if self.place.files.are_in_memory() {
            let (answer, writer) = work();
            checkpoint(writer);
            return answer;
        }
        match spawn_blocking(work).await {
            Ok((answer, writer)) => {
                // Whoever waits for the answer need not wait for this; whoever writes next does.
                if writer.as_ref().is_some_and(SqliteConnection::is_checkpoint_due) {
                    spawn_blocking(move || checkpoint(writer));
                }
                answer
            }
            // A panic unwinds before the commit is sent: the dropped connection has rolled back.
            Err(_) => Err(TransactionError::RolledBack(stopped())),
        }
    }

    /// Writes the tables anew and empties the journal file.
    ///
    /// `secure_delete` zeroes what is removed, but a page that was split keeps stale copies of cells that
    /// moved away; only freed whole pages are zeroed for certain. So every row moves to a new table and
    /// back, which frees every page that the table ever had.
    pub(crate) async fn scrub(&self, tables: &'static [ScrubTable]) -> Result<(), DbError> {
        let mut writer = Arc::clone(&self.writer).lock_owned().await;
        let place = self.place.clone();
        let scrub = move || {
            let connection = match &mut *writer {
                Some(connection) => connection,
                None => writer.insert(SqliteConnection::open_writer(&place)?),
            };
            if let Some(failure) = place.syncs.failure() {
                return Err(DbError::Unsynced(failure.to_owned()));
            }
            let scrubbed = connection.scrub(tables);
            if !connection.is_idle() && connection.batch("ROLLBACK").is_err() {
                *writer = None;
            }
            scrubbed
        };
        self.place.run(scrub).await
    }
}

impl Drop for SqliteDatabase {
    /// Closing may checkpoint the journal, which syncs: never on a thread of the runtime.
    fn drop(&mut self) {
        let writer = Arc::clone(&self.writer);
        let idle = Arc::clone(&self.idle);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn_blocking(move || drop((writer, idle)));
        }
    }
}

/// The connection is put back only when its state is known; otherwise dropping it rolls back.
fn transact<T>(
    writer: &mut Option<SqliteConnection>,
    place: &SqlitePlace,
    job: impl Job<T>,
) -> Result<T, TransactionError> {
    let mut connection = match writer.take() {
        Some(connection) => connection,
        None => SqliteConnection::open_writer(place).map_err(TransactionError::RolledBack)?,
    };
    if let Some(failure) = place.syncs.failure() {
        *writer = Some(connection);
        return Err(TransactionError::RolledBack(DbError::Unsynced(failure.to_owned())));
    }
    if let Err(cause) = connection.batch("BEGIN IMMEDIATE") {
        *writer = Some(connection);
        return Err(TransactionError::RolledBack(cause));
    }
    match run_now(job, &mut connection) {
        Ok(value) => {
            if connection.batch("COMMIT").is_err() {
                // The journal may hold frames of it. The open connections know that these do not count
                // and write over them next; whoever opened the file anew would read them back as
                // committed. So nothing is closed.
                if connection.is_idle() || connection.batch("ROLLBACK").is_ok() {
                    *writer = Some(connection);
                }
                return Err(TransactionError::CommitUnknown);
            }
            *writer = Some(connection);
            Ok(value)
        }
        Err(cause) => {
            if connection.batch("ROLLBACK").is_ok() {
                *writer = Some(connection);
            }
            Err(TransactionError::RolledBack(cause))
        }
    }
}

/// On SQLite no call of a job waits, so one poll finishes it.
fn run_now<T>(job: impl Job<T>, connection: &mut SqliteConnection) -> Result<T, DbError> {
    job(connection).now_or_never().expect("calls on SQLite never wait")
}

fn stopped() -> DbError {
    DbError::Unable("the database thread stopped".into())
}

fn lock<T>(mutex: &StdMutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

pub(crate) struct SqliteConnection {
    connection: rusqlite::Connection,
    syncs: Syncs,
    /// The journal is so long that its pages are to be moved to the main file.
    checkpoint_due: Arc<AtomicBool>,
}

impl SqliteConnection {
    /// A connection that writes, on a journal whose every frame is durable.
    fn open_writer(place: &SqlitePlace) -> Result<Self, DbError> {
        let mut connection = Self::open(place, Access::Write)?;
        connection.checkpoint_on_close(false)?;
        connection.make_recovered_durable(place)?;
        connection.checkpoint_on_close(true)?;
        Ok(connection)
    }

    fn open(place: &SqlitePlace, access: Access) -> Result<Self, DbError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = match place.files.vfs() {
            Some(vfs) => rusqlite::Connection::open_with_flags_and_vfs(&place.path, flags, vfs),
            None => rusqlite::Connection::open_with_flags(&place.path, flags),
        };
        let mut connection = opened.map_err(failed)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED_MAX);
        let mut since = Instant::now();
        let wait = move |tries: i32| {
            if tries == 0 {
                since = Instant::now();
            }
            // Short and regular: SQLite's own back-off starves a second process beside a busy one.
            std::thread::sleep(Duration::from_millis(1));
            since.elapsed() < LOCK_WAIT_MAX
        };
        connection.busy_handler(Some(wait)).map_err(failed)?;
        // Else a statement with a bound `LIMIT` is prepared anew each time.
        let stable_plans = DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG;
        connection.set_db_config(stable_plans, true).map_err(failed)?;
        let syncs = place.syncs.clone();
        let mut connection = Self { connection, syncs, checkpoint_due: Arc::default() };
        // Read to its end: the change of a new file commits there, and a batch would not look.
        let mode = connection.query_now("PRAGMA journal_mode = WAL", &[])?;
        let mode = mode.into_iter().next().map(|row| row.fields("journal_mode").text());
        if mode.transpose()?.as_deref() != Some("wal") {
            return Err(DbError::Unable("the journal is not written ahead".into()));
        }
        connection.batch(
            "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; \
             PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; \
             PRAGMA foreign_keys = OFF; PRAGMA journal_size_limit = 67108864",
        )?;
        match access {
            Access::Write => {
                connection.batch("PRAGMA cache_size = -4096")?;
                connection.checkpoint_from(place.journal_pages)?;
            }
            Access::Read => {
                connection.batch("PRAGMA cache_size = -1024; PRAGMA query_only = ON")?
            }
        }
        Ok(connection)
    }

    /// In place of what SQLite would do by itself within the commit that makes the journal too long.
    fn checkpoint_from(&mut self, pages_max: u32) -> Result<(), DbError> {
        let due = Arc::clone(&self.checkpoint_due);
        let look = move |_: &mut Wal, pages: i32| {
            let is_long = u32::try_from(pages).is_ok_and(|pages| pages >= pages_max);
            due.store(is_long, Ordering::Relaxed);
            Ok(())
        };
        self.connection.wal_hook(Some(look)).map_err(failed)
    }

    fn is_checkpoint_due(&self) -> bool {
        self.checkpoint_due.load(Ordering::Relaxed)
    }

    /// A checkpoint in several parts syncs at its last one, so a failed sync loses pages that no later part
    /// writes again, and the journal that has them is written over. SQLite's own would tell nobody; this
    /// one stops all writing. What was committed before holds.
    fn checkpoint_when_due(&mut self) {
        if self.checkpoint_due.swap(false, Ordering::Relaxed) {
            // When somebody else is at it or the disk is full, the next commit asks again.
            let _ = self.query_now("PRAGMA wal_checkpoint(PASSIVE)", &[]);
        }
    }

    /// Who gives up before the journal is durable must leave the main file alone: with half of what the
    /// journal loses in it, the two no longer fit.
    fn checkpoint_on_close(&self, does: bool) -> Result<(), DbError> {
        let never = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
        self.connection.set_db_config(never, !does).map(drop).map_err(failed)
    }

    /// No transaction is open.
    fn is_idle(&self) -> bool {
        self.connection.is_autocommit()
    }

    /// Puts what the journal holds on stable storage before anybody stands on it.
    ///
    /// A process that died while it committed leaves frames that nobody synced, or that a sync failed to
    /// write. Whoever opens the file next reads them from the system's cache as committed; a power cut would
    /// take them away, and what was answered for meanwhile, such as a checkpoint in the witness. Whoever has
    /// the write lock is the only one to change the journal.
    fn make_recovered_durable(&mut self, place: &SqlitePlace) -> Result<(), DbError> {
        let journal = place.journal();
        let unable =
            |e: io::Error| DbError::Unable(format!("the journal could not be made durable: {e}"));
        match place.files.size(&journal) {
            Ok(0) => return place.files.sync_dir(place.directory()).map_err(unable),
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            sized => sized.map_err(unable)?,
        };
        self.batch("BEGIN IMMEDIATE")?;
        let durable = place
            .files
            .rewrite(&journal)
            .and_then(|()| place.files.sync_dir(place.directory()))
            .map_err(unable);
        self.batch("ROLLBACK")?;
        durable
    }

    /// Moves everything from the journal to the main file.
    pub(crate) fn checkpoint(&mut self) -> Result<(), DbError> {
        self.checkpointed("PRAGMA wal_checkpoint(FULL)")
    }

    fn checkpointed(&mut self, pragma: &str) -> Result<(), DbError> {
        let outcome = self.query_now(pragma, &[])?;
        let busy = outcome.into_iter().next().map(|row| row.fields("checkpoint").int());
        match busy.transpose()? {
            Some(0) => Ok(()),
            _ => Err(DbError::Unable("somebody holds the journal file".into())),
        }
    }

    fn scrub(&mut self, tables: &[ScrubTable]) -> Result<(), DbError> {
        self.batch("BEGIN IMMEDIATE")?;
        for table in tables {
            self.batch(&format!(
                "CREATE TABLE scrub AS SELECT * FROM {table}; DELETE FROM {table}; \
                 INSERT INTO {table} SELECT * FROM scrub; DROP TABLE scrub"
            ))?;
        }
        self.batch("COMMIT")?;
        self.checkpointed("PRAGMA wal_checkpoint(TRUNCATE)")
    }

    fn watched<T>(&self, done: Result<T, DbError>) -> Result<T, DbError> {
        if let Err(DbError::Unsynced(what)) = &done {
            self.syncs.fail(what.clone());
        }
        done
    }

    /// Fixed text of ours, any number of statements.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), DbError> {
        self.watched(self.connection.execute_batch(sql).map_err(failed))
    }

    pub(crate) fn query_now(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
    ) -> Result<Vec<Row>, DbError> {
        self.watched(self.rows(sql, params))
    }

    fn rows(&self, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>, DbError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        bind(&mut statement, params)?;
        let columns = statement.column_count();
        let mut rows = statement.raw_query();
        let mut answer = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let values =
                (0..columns).map(|column| read_value(row.get_ref(column).map_err(failed)?));
            answer.push(Row(values.collect::<Result<_, _>>()?));
        }
        Ok(answer)
    }

    fn execute_now(&mut self, sql: &str, params: &[Value<'_>]) -> Result<(), DbError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        bind(&mut statement, params)?;
        statement.raw_execute().map_err(failed)?;
        Ok(())
    }
}

fn bind(statement: &mut rusqlite::Statement<'_>, params: &[Value<'_>]) -> Result<(), DbError> {
    debug_assert_eq!(statement.parameter_count(), params.len());
    for (index, value) in params.iter().enumerate() {
        if !value.is_storable() {
            return Err(DbError::Refused(format!("text of parameter {} has a NUL", index + 1)));
        }
        statement.raw_bind_parameter(index + 1, value).map_err(failed)?;
    }
    Ok(())
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Int(value) => ValueRef::Integer(*value),
            Value::Text(value) => ValueRef::Text(value.as_bytes()),
            Value::Blob(value) => ValueRef::Blob(value),
        }))
    }
}

fn read_value(value: ValueRef<'_>) -> Result<Value<'static>, DbError> {
    let damaged = |detail: &str| DbError::Damaged { what: "column", detail: String::from(detail) };
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Int(value),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Value::from(text.to_owned()),
            Err(_) => return Err(damaged("text is not UTF-8")),
        },
        ValueRef::Blob(value) => Value::from(value.to_vec()),
        ValueRef::Real(_) => return Err(damaged("a floating-point number")),
    })
}

#[async_trait]
impl Connection for SqliteConnection {
    fn lock(&self) -> Lock {
        Lock::Whole
    }

    async fn query(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>, DbError> {
        self.query_now(sql, params)
    }

    async fn query_each(
        &mut self,
        sql: &str,
        sets: &[Vec<Value<'_>>],
    ) -> Result<Vec<Vec<Row>>, DbError> {
        sets.iter().map(|params| self.query_now(sql, params)).collect()
    }

    async fn run(&mut self, script: &[Statement<'_>]) -> Result<(), DbError> {
        script.iter().try_for_each(|statement| self.execute_now(statement.sql, &statement.params))
    }
}

/// SQLite's messages name tables and columns, never values; anything else is reduced to its kind.
fn failed(error: rusqlite::Error) -> DbError {
    let rusqlite::Error::SqliteFailure(code, message) = error else {
        return DbError::Refused("SQLite refused the statement".into());
    };
    let message = message.unwrap_or_else(|| format!("SQLite error {}", code.extended_code));
    if matches!(code.extended_code, ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC) {
        return DbError::Unsynced(format!("a database could not be synced: {message}"));
    }
    match code.code {
        ErrorCode::DiskFull => DbError::Full,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            DbError::Damaged { what: "database file", detail: message }
        }
        ErrorCode::ConstraintViolation
        | ErrorCode::TypeMismatch
        | ErrorCode::TooBig
        | ErrorCode::ParameterOutOfRange
        | ErrorCode::Unknown => DbError::Refused(message),
        _ => DbError::Unable(message),
    }
}
