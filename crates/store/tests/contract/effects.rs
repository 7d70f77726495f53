//! Effects, whose keys no constraint of the engine keeps apart.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use precordia_app::access::OrgScope;
use precordia_app::port::*;

use crate::engines::Opened;
use crate::samples::*;

/// How many rows the table has, read past the program.
async fn rows(opened: &Opened, scope: &OrgScope) -> i64 {
    let sql = "SELECT count(*) FROM effect";
    if let Some(raw) = opened.raw_sqlite(scope.organization()) {
        return raw.query_row(sql, [], |row| row.get(0)).unwrap();
    }
    let raw = opened.raw_postgres().await.unwrap();
    raw.batch_execute(&enter(scope, "")).await.unwrap();
    raw.query_one(sql, &[]).await.unwrap().get(0)
}

/// Becomes the role that works in an organization's schema, or its owner.
fn enter(scope: &OrgScope, suffix: &str) -> String {
    let schema = format!("org_{}", scope.organization().0.simple());
    format!("SET ROLE \"{schema}{suffix}\"; SET search_path TO \"{schema}\"")
}

fn with(effects: Vec<EffectKey>) -> Batch {
    Batch { effects, ..one(&new_stream()) }
}

pub async fn keys_that_end_alike_are_told_apart(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &opened.store;
    // Longer than, as long as and shorter than the end by which they are found, and beyond ASCII.
    let keys = [
        "content/0011223344556677",
        "login/0011223344556677",
        "44556677",
        "4556677",
        "677",
        "77",
        "7",
        "slug/Bäärüßöä",
        "Bäärüßöä",
        "äärüßöä",
        "ä",
        "%",
        "_",
        "",
    ];
    let expected: BTreeMap<String, String> =
        keys.iter().map(|key| (String::from(*key), format!("subject of {key}"))).collect();
    for (key, subject) in &expected {
        done(store.append((&scope).into(), with(vec![effect(key, subject)])).await);
    }
    for (key, subject) in &expected {
        let again = store.append((&scope).into(), with(vec![effect(key, "again")])).await.unwrap();
        assert_eq!(again, Append::Duplicate { key: key.clone(), subject: subject.clone() });
    }
    let mut asked: Vec<String> = expected.keys().cloned().collect();
    asked.extend(["never", "677\n", "0011223344556677"].map(String::from));
    assert_eq!(store.effects((&scope).into(), &asked).await.unwrap(), expected);

    let forget_effects = vec![String::from("login/0011223344556677"), String::from("677")];
    let forget = Batch { forget_effects: forget_effects.clone(), ..one(&new_stream()) };
    done(store.append((&scope).into(), forget).await);
    let mut left = expected;
    left.retain(|key, _| !forget_effects.contains(key));
    assert_eq!(store.effects((&scope).into(), &asked).await.unwrap(), left);
    assert_eq!(rows(opened, &scope).await, left.len() as i64);
}

/// Two handles are what two processes are: they share the database and nothing else.
///
/// Without an event there is no position that only one of two can take, so nothing but the lock is between
/// them; on PostgreSQL this fails when the head rows are read without it.
pub async fn of_two_handles_that_want_an_effect_one_gets_it(opened: &Opened) {
    const TASKS: usize = 16;
    const EFFECTS: usize = 60;
    let scope = opened.organization().await;
    let stores = [Arc::clone(&opened.store), opened.again().await];
    let mut tasks = Vec::new();
    for task in 0..TASKS {
        let (store, scope) = (Arc::clone(&stores[task % 2]), scope.clone());
        tasks.push(tokio::spawn(async move {
            let mut told = Vec::new();
            for n in 0..EFFECTS {
                let (key, subject) = (format!("content/{n:016x}"), format!("task/{task}"));
                let batch = Batch { effects: vec![effect(&key, &subject)], ..Batch::default() };
                told.push(match store.append((&scope).into(), batch).await.unwrap() {
                    Append::Done { .. } => (true, subject),
                    Append::Duplicate { subject, .. } => (false, subject),
                    other => panic!("{other:?}"),
                });
            }
            told
        }));
    }
    let mut all = Vec::new();
    for task in tasks {
        all.push(task.await.unwrap());
    }
    for n in 0..EFFECTS {
        let won: Vec<&String> =
            all.iter().map(|told| &told[n]).filter(|(won, _)| *won).map(|(_, s)| s).collect();
        assert_eq!(won.len(), 1, "effect {n} happened to {won:?}");
        assert!(all.iter().all(|told| told[n].1 == *won[0]), "effect {n}");
    }
    assert_eq!(rows(opened, &scope).await, EFFECTS as i64);
}

pub async fn effects_of_an_older_program_are_carried_over(opened: &Opened) {
    let scope = opened.organization().await;
    // The table as the program before made it.
    let create = if opened.is_sqlite() {
        "CREATE TABLE effect (effect_key TEXT NOT NULL PRIMARY KEY, subject TEXT NOT NULL) \
         STRICT, WITHOUT ROWID"
    } else {
        "CREATE TABLE effect (effect_key text COLLATE \"C\" NOT NULL PRIMARY KEY, \
           subject text COLLATE \"C\" NOT NULL)"
    };
    let before = format!(
        "DROP TABLE effect; {create}; \
         INSERT INTO effect VALUES ('content/1', 'item/1'), ('content/2', 'item/2'), ('a', 'b'); \
         DELETE FROM migration WHERE name = '0015_effect_in_order'"
    );
    match opened.raw_sqlite(scope.organization()) {
        Some(raw) => raw.execute_batch(&before).unwrap(),
        None => {
            let raw = opened.raw_postgres().await.unwrap();
            raw.batch_execute(&enter(&scope, "_owner")).await.unwrap();
            raw.batch_execute(&before).await.unwrap();
        }
    }
    let store = opened.again().await;
    let keys = ["content/1", "content/2", "a", "content/3"].map(String::from);
    let known = store.effects((&scope).into(), &keys).await.unwrap();
    let expected = [("a", "b"), ("content/1", "item/1"), ("content/2", "item/2")];
    assert_eq!(known, expected.map(|(k, s)| (String::from(k), String::from(s))).into());
    let again = store.append((&scope).into(), with(vec![effect("content/2", "item/3")])).await;
    let first = Append::Duplicate { key: "content/2".into(), subject: "item/2".into() };
    assert_eq!(again.unwrap(), first);
    done(store.append((&scope).into(), with(vec![effect("content/3", "item/3")])).await);
    assert_eq!(rows(opened, &scope).await, 4);
}

pub async fn an_effect_costs_the_same_among_sixty_thousand(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    let name = |n: u64| format!("content/{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let cheapest = async |first: u64| {
        let mut best = Duration::MAX;
        for n in first..first + 20 {
            let begun = Instant::now();
            done(store.append((&scope).into(), with(vec![effect(&name(n), "s")])).await);
            best = best.min(begun.elapsed());
        }
        best
    };
    let few = cheapest(0).await;
    for page in 1..=60 {
        let effects = (0..1000).map(|n| effect(&name(page * 1000 + n), "s")).collect();
        done(store.append((&scope).into(), with(effects)).await);
    }
    let many = cheapest(1_000_000).await;
    eprintln!("an append with an effect: {few:?} among few and {many:?} among 60,000");
    assert!(many < few * 3 + Duration::from_millis(2), "{few:?} grew to {many:?}");
}
