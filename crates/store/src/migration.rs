//! The tables of a realm, in two dialects, and how a realm is brought up to date.
//!
//! A migration is applied once and never edited; a file or schema that knows a migration which this
//! program does not is from a newer one and is refused.

use crate::engine::postgres::failed;
use crate::engine::postgres_pool::PgClient;
use crate::engine::sqlite::SqliteConnection;
use crate::engine::{DbError, Value};

/// Which tables a realm has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Organization,
    Platform,
}

struct Migration {
    name: &'static str,
    only: Option<Shape>,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! migrations {
    ($($name:literal $($only:ident)?;)+) => {
        &[$(Migration {
            name: $name,
            only: [$(Shape::$only,)? ].first().copied(),
            sqlite: include_str!(concat!("../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../migrations/postgres/", $name, ".sql")),
        },)+]
    };
}

const MIGRATIONS: &[Migration] = migrations! {
    "0001_log";
    "0002_resource";
    "0003_key";
    "0004_account";
    "0005_work" Organization;
    "0006_item" Organization;
    "0007_recording" Organization;
    "0008_patient" Organization;
    "0009_directory" Platform;
    "0010_queue" Organization;
    "0010_waiting" Platform;
    "0011_item_blob" Organization;
    "0012_event_by_kind";
    "0013_key_use";
    "0014_alarm" Platform;
    "0015_effect_in_order";
};

/// Tables whose rows PostgreSQL itself lets nobody of the realm change; SQLite has triggers for it.
const ONLY_GROW: &str = "event, access_log, resource";

fn wanted(shape: Shape) -> impl Iterator<Item = &'static Migration> {
    MIGRATIONS.iter().filter(move |m| m.only.is_none_or(|only| only == shape))
}

/// The migrations that are still to be applied.
fn missing(shape: Shape, applied: &[String]) -> Result<Vec<&'static Migration>, DbError> {
    if let Some(newer) = applied.iter().find(|name| wanted(shape).all(|m| m.name != **name)) {
        let detail = format!("migration `{newer}` is of a newer version of this program");
        return Err(DbError::Damaged { what: "schema", detail });
    }
    Ok(wanted(shape).filter(|m| !applied.iter().any(|name| name == m.name)).collect())
}

pub(crate) fn sqlite(connection: &mut SqliteConnection, shape: Shape) -> Result<(), DbError> {
    let missing = sqlite_missing(connection, shape)?;
    if missing.is_empty() {
        return Ok(());
    }
    if missing.len() == wanted(shape).count() {
        connection.batch(
            "CREATE TABLE IF NOT EXISTS migration (name TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID",
        )?;
        // SQLite throws the journal of an empty file away. So the file's first page is durable before
        // anything stands in the journal that somebody could miss.
        connection.checkpoint()?;
    }
    connection.batch("BEGIN IMMEDIATE")?;
    // Asked again under the lock: another process may have been first.
    for migration in sqlite_missing(connection, shape)? {
        connection.batch(migration.sqlite)?;
        let insert = "INSERT INTO migration (name) VALUES ($1)";
        connection.query_now(insert, &[migration.name.into()])?;
    }
    connection.batch("COMMIT")
}

fn sqlite_missing(
    connection: &mut SqliteConnection,
    shape: Shape,
) -> Result<Vec<&'static Migration>, DbError> {
    let table = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'migration'";
    if connection.query_now(table, &[])?.is_empty() {
        return missing(shape, &[]);
    }
    let rows = connection.query_now("SELECT name FROM migration ORDER BY name", &[])?;
    let applied = rows.into_iter().map(|row| row.fields("migration").text());
    missing(shape, &applied.collect::<Result<Vec<_>, _>>()?)
}

pub(crate) async fn postgres_is_there(pg: &mut PgClient, name: &str) -> Result<bool, DbError> {
    let statement =
        pg.prepared("SELECT 1 FROM pg_namespace WHERE CAST(nspname AS text) = $1").await?;
    let rows = pg.client.query(&statement, &[&Value::from(name)]).await.map_err(failed)?;
    Ok(!rows.is_empty())
}

/// The role that owns a realm's schema. Only migrations and scrubs become it.
pub(crate) fn owner(name: &str) -> String {
    format!("{name}_owner")
}

/// Creates what is missing of a realm: roles, schema, tables, rights.
///
/// The schema belongs to a role of its own and the login to neither: whoever leaves a realm's role without
/// entering another's sees no table. The working role is not the owner, because an owner can take back
/// every right that it lacks.
///
/// `name` is made by this crate from an id; it holds lower-case letters, digits and underscores only.
pub(crate) async fn postgres(pg: &mut PgClient, name: &str, shape: Shape) -> Result<(), DbError> {
    if postgres_is_there(pg, name).await? {
        let read = format!("BEGIN READ ONLY; SET LOCAL ROLE \"{name}\"");
        pg.client.batch_execute(&read).await.map_err(failed)?;
        let missing = postgres_missing(pg, name, shape).await?;
        pg.client.batch_execute("COMMIT").await.map_err(failed)?;
        if missing.is_empty() {
            return Ok(());
        }
    }
    // PostgreSQL 16 can grant the right to become a role without the role's own rights. Before, the login
    // says so for all of its roles; see `Pool::login_fault`.
    let inherit = if server_version(pg).await? >= 160_000 { " WITH INHERIT FALSE" } else { "" };
    let owner = owner(name);
    let role = |role: &str| {
        format!(
            "DO $$ BEGIN CREATE ROLE \"{role}\" NOLOGIN NOINHERIT; \
                EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$; \
             GRANT \"{role}\" TO CURRENT_USER{inherit}; "
        )
    };
    let prepare = format!(
        "BEGIN; SELECT pg_advisory_xact_lock(hashtext('precordia {name}')); {}{} \
         CREATE SCHEMA IF NOT EXISTS \"{name}\" AUTHORIZATION \"{owner}\"; \
         SET LOCAL ROLE \"{owner}\"; SET LOCAL search_path TO \"{name}\", pg_temp; \
         CREATE TABLE IF NOT EXISTS migration (name text COLLATE \"C\" NOT NULL PRIMARY KEY)",
        role(name),
        role(&owner),
    );
    pg.client.batch_execute(&prepare).await.map_err(failed)?;
    for migration in postgres_missing(pg, name, shape).await? {
        pg.client.batch_execute(migration.postgres).await.map_err(failed)?;
        let insert = format!("INSERT INTO migration (name) VALUES ('{}')", migration.name);
        pg.client.batch_execute(&insert).await.map_err(failed)?;
    }
    let rights = format!(
        "GRANT USAGE ON SCHEMA \"{name}\" TO \"{name}\"; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA \"{name}\" TO \"{name}\"; \
         REVOKE UPDATE, DELETE ON {ONLY_GROW} FROM \"{name}\"; \
         REVOKE INSERT, DELETE ON head FROM \"{name}\"; \
         REVOKE INSERT, UPDATE, DELETE ON migration FROM \"{name}\"; COMMIT"
    );
    pg.client.batch_execute(&rights).await.map_err(failed)
}

async fn postgres_missing(
    pg: &mut PgClient,
    name: &str,
    shape: Shape,
) -> Result<Vec<&'static Migration>, DbError> {
    let sql = format!("SELECT name FROM \"{name}\".migration ORDER BY name");
    let rows = pg.client.query(&sql, &[]).await.map_err(failed)?;
    let applied = rows.iter().map(|row| row.try_get(0));
    missing(shape, &applied.collect::<Result<Vec<String>, _>>().map_err(failed)?)
}

async fn server_version(pg: &PgClient) -> Result<i32, DbError> {
    let sql = "SELECT CAST(current_setting('server_version_num') AS int)";
    let row = pg.client.query_one(sql, &[]).await.map_err(failed)?;
    row.try_get(0).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a SQLite migration is in PostgreSQL's words. Triggers are rights there.
    fn translated(sqlite: &str) -> String {
        let mut text = String::new();
        let mut in_trigger = false;
        for line in sqlite.lines() {
            in_trigger |= line.starts_with("CREATE TRIGGER");
            if !in_trigger {
                text.push_str(line);
                text.push('\n');
            }
            in_trigger &= !line.ends_with("END;");
        }
        let words = [
            (") STRICT, WITHOUT ROWID;", ");"),
            (") STRICT;", ");"),
            (" INTEGER", " bigint"),
            (" TEXT", " text COLLATE \"C\""),
            (" BLOB", " bytea"),
            (" x'", " '\\x"),
        ];
        words.iter().fold(text, |text, (from, to)| text.replace(from, to))
    }

    /// Only PostgreSQL samples values behind our back, so only there it is told not to.
    fn without_blank_lines(text: &str) -> Vec<&str> {
        text.lines()
            .filter(|line| !line.is_empty() && !line.ends_with("SET STATISTICS 0;"))
            .filter(|line| !line.starts_with("-- The server's statistics"))
            .collect()
    }

    #[test]
    fn both_dialects_describe_the_same_tables() {
        for migration in MIGRATIONS {
            let translated = translated(migration.sqlite);
            assert_eq!(
                without_blank_lines(&translated),
                without_blank_lines(migration.postgres),
                "{}",
                migration.name
            );
        }
    }

    #[test]
    fn a_schema_of_a_newer_program_is_refused() {
        let newer = missing(Shape::Platform, &["9999_telepathy".into()]);
        assert!(matches!(newer, Err(DbError::Damaged { what: "schema", .. })));
        let foreign = missing(Shape::Platform, &["0008_patient".into()]);
        assert!(foreign.is_err(), "the platform has no table of patients");
    }
}
