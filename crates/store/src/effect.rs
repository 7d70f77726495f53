//! Effects that happened, each once: their keys, and what each happened to.
//!
//! Rows stand in the order in which they came and are found by the last eight characters of their keys: most
//! keys are keyed hashes, and with them as the order of the table every append would change a page of its own.
//! Eight hexadecimal digits are 32 bits, so a search meets another key's row once in a thousand times when
//! there are four million of them; what counts is the whole key, which every statement here compares.
//!
//! No constraint of the engine keeps a key from standing here twice. The append does: it looks for its keys
//! and writes them in one transaction that holds the realm's head rows from its first statement on, and on
//! both engines what it then reads was committed by everybody who held them before. So nobody may write
//! here without [`lock_ends`](crate::log::lock_ends). Where an effect comes with an event, as nearly all do, two
//! writers who both passed would also want the same position, and that is a constraint.

use std::collections::HashMap;

use crate::engine::{Connection, DbError, Script, Statement, Value};

/// The end is taken by the engine on both sides, so that the two agree about every text. The whole key is
/// compared as an expression: SQLite would put a known column's value into the other condition, which is
/// then none of the index.
macro_rules! of_key {
    ($what:literal) => {
        concat!(
            $what,
            " FROM effect WHERE substr(effect_key, length(effect_key) - 7) \
               = substr(CAST($1 AS text), length(CAST($1 AS text)) - 7) \
               AND effect_key || '' = $1"
        )
    };
}

/// Subjects of the effects that happened, by key.
pub(crate) async fn read<K: AsRef<str> + std::hash::Hash + Eq>(
    connection: &mut dyn Connection,
    keys: Vec<K>,
) -> Result<HashMap<K, Option<String>>, DbError> {
    let sets: Vec<_> = keys.iter().map(|key| vec![Value::from(key.as_ref())]).collect();
    let answers = connection.query_each(of_key!("SELECT subject"), &sets).await?;
    let mut effects = HashMap::with_capacity(keys.len());
    for (key, rows) in keys.into_iter().zip(answers) {
        let subject = rows.into_iter().next().map(|row| row.fields("effect").text());
        effects.insert(key, subject.transpose()?);
    }
    Ok(effects)
}

pub(crate) fn put<'a>(script: &mut Script<'a>, key: &'a str, subject: &'a str) {
    script.push(Statement {
        sql: "INSERT INTO effect (effect_key, subject) VALUES ($1, $2)",
        params: vec![key.into(), subject.into()],
    });
}

pub(crate) fn forget<'a>(script: &mut Script<'a>, key: &'a str) {
    script.push(Statement { sql: of_key!("DELETE"), params: vec![key.into()] });
}

#[cfg(test)]
mod tests {
    const TABLE: &str = include_str!("../migrations/sqlite/0001_log.sql");
    const IN_ORDER: &str = include_str!("../migrations/sqlite/0015_effect_in_order.sql");

    #[test]
    fn a_key_is_found_by_the_index() {
        let database = rusqlite::Connection::open_in_memory().unwrap();
        database.execute_batch(&format!("{TABLE}{IN_ORDER}")).unwrap();
        for sql in [of_key!("SELECT subject"), of_key!("DELETE")] {
            let explain = format!("EXPLAIN QUERY PLAN {sql}");
            let plan: String = database.query_row(&explain, ["k"], |row| row.get(3)).unwrap();
            assert_eq!(plan, "SEARCH effect USING INDEX effect_by_end (<expr>=?)");
        }
    }
}
