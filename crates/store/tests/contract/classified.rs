//! Every stored column has its class in `docs/safety/phi.md`, and nothing stands there that is not stored.

use std::collections::{BTreeMap, BTreeSet};

use crate::engines::Opened;

const DOCUMENT: &str = include_str!("../../../../docs/safety/phi.md");
const CLASSES: &[&str] = &["sealed", "token", "opaque", "pseudonymous", "secret", "clear"];
const OUTSIDE: &[&str] =
    &["sealed originals", "witness", "master key", "configuration", "log lines", "metrics"];

type Columns = BTreeSet<(String, String)>;

/// The cells of the rows of the table below a heading.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let below = DOCUMENT.split_once(&format!("\n## {heading}\n")).expect("the heading is there").1;
    let lines = below.lines().skip_while(|line| !line.starts_with('|'));
    let table = lines.take_while(|line| line.starts_with('|')).skip(2);
    table.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

fn classified() -> BTreeMap<(String, String), String> {
    let mut classes = BTreeMap::new();
    for row in rows("Tables") {
        let [table, columns, class, note] = row[..] else { panic!("four cells: {row:?}") };
        assert!(CLASSES.contains(&class), "{table}: `{class}` is none of {CLASSES:?}");
        assert!(class != "sealed" || !note.is_empty(), "{table}: by which key?");
        for column in columns.split(", ") {
            let twice = classes.insert((table.into(), column.into()), class.into());
            assert_eq!(twice, None, "{table}.{column} stands twice in docs/safety/phi.md");
        }
    }
    classes
}

async fn stored(opened: &Opened) -> Columns {
    let scope = opened.organization().await;
    let mut columns = Columns::new();
    if let Some(client) = opened.raw_postgres().await {
        let sql = "SELECT CAST(table_name AS text), CAST(column_name AS text) \
                   FROM information_schema.columns \
                   WHERE table_schema NOT IN ('pg_catalog', 'information_schema')";
        let organization = format!("org_{}", scope.organization().0.simple());
        for role in ["precordia_platform", &organization] {
            client.batch_execute(&format!("SET ROLE \"{role}\"")).await.unwrap();
            for row in client.query(sql, &[]).await.unwrap() {
                columns.insert((row.get(0), row.get(1)));
            }
        }
        return columns;
    }
    let control = rusqlite::Connection::open(opened.dir().join("control.db")).unwrap();
    for open in [control, opened.raw_sqlite(scope.organization()).unwrap()] {
        let sql = "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c \
                   WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'";
        let mut query = open.prepare(sql).unwrap();
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        columns.extend(rows.map(Result::unwrap));
    }
    columns
}

pub async fn every_column_has_its_class_and_every_class_its_column(opened: &Opened) {
    let stored = stored(opened).await;
    assert!(stored.len() > 80, "the schema was not read: {stored:?}");
    let classified = classified();
    let mut wrong = String::new();
    for (table, column) in stored.iter().filter(|column| !classified.contains_key(column)) {
        wrong += &format!(
            "\n  not classified: add to the table of docs/safety/phi.md `| {table} | {column} | \
             <{}> | <key, or what it is> |`",
            CLASSES.join(" or ")
        );
    }
    for (table, column) in classified.keys().filter(|column| !stored.contains(column)) {
        wrong += &format!("\n  not stored: remove `{column}` of `{table}` from docs/safety/phi.md");
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// What is not a table, and what must not be in the clear wherever it stands.
pub async fn what_is_not_a_table_has_its_class_too(_: &Opened) {
    let outside: Vec<&str> = rows("Outside the tables").into_iter().map(|row| row[0]).collect();
    for what in OUTSIDE {
        assert!(outside.contains(what), "`{what}` is missing under `Outside the tables`");
    }
    let classes = classified();
    for (table, column) in [
        ("event", "payload"),
        ("resource", "body"),
        ("access_log", "detail"),
        ("item", "sealed"),
        ("recording", "sealed"),
        ("patient", "sealed"),
        ("account", "sealed"),
        ("session", "break_glass_reason"),
        ("wrapped_key", "wrapped"),
    ] {
        assert_eq!(classes[&(table.into(), column.into())], "sealed", "{table}.{column}");
    }
}
