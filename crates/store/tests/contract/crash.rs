//! A process that is killed while it appends.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use precordia_app::port::*;
use precordia_model::OrganizationId;

use crate::engines::{Engine, Opened, scope};
use crate::samples::*;

const DIR: &str = "PRECORDIA_TEST_CRASH_DIR";
const CONNECTION: &str = "PRECORDIA_TEST_CRASH_CONNECTION";
const ORGANIZATION: &str = "PRECORDIA_TEST_CRASH_ORGANIZATION";

/// What is acknowledged is there, once, and what is there is one clean chain.
pub async fn a_process_killed_while_appending_leaves_a_clean_chain(opened: &Opened) {
    let scope = opened.organization().await;
    let mut acknowledged = Vec::new();
    for round in 0..6u64 {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "crash::the_process_that_is_killed", "--nocapture"])
            .env(DIR, opened.dir())
            .env(ORGANIZATION, scope.organization().to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        if let Engine::Postgres { connection } = &opened.engine {
            command.env(CONNECTION, connection);
        }
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let read = tokio::task::spawn_blocking(move || {
            let mut streams = Vec::new();
            for line in lines {
                let Some(stream) = line.unwrap().strip_prefix("acknowledged ").map(String::from)
                else {
                    continue;
                };
                streams.push(stream);
                if streams.len() as u64 == 40 + 13 * round {
                    std::thread::sleep(Duration::from_millis(round));
                    // SIGKILL: nothing is flushed, closed or said.
                    child.kill().unwrap();
                }
            }
            child.wait().unwrap();
            streams
        });
        let streams = read.await.unwrap();
        assert!(streams.len() as u64 >= 40 + 13 * round);
        acknowledged.extend(streams);
        settled(opened).await;
        // While this handle stayed open, and for one that opens now.
        verify(&opened.store, (&scope).into()).await;
        let reopened = opened.again().await;
        let (events, accesses) = verify(&reopened, (&scope).into()).await;
        assert_eq!(events, accesses, "each append wrote one of both");
        let (ready, ..) = crate::work::count(&reopened, &scope).await;
        assert_eq!(ready, events, "and one piece of work");
        let items = reopened.item_counts(&scope).await.unwrap();
        assert_eq!(items.iter().map(|count| count.count).sum::<i64>(), events);
    }
    for stream in &acknowledged {
        let events = opened.store.stream((&scope).into(), &Stream(stream.clone())).await.unwrap();
        assert_eq!(events.len(), 1, "{stream}");
    }
}

/// The server may still be working on what the killed process had sent.
async fn settled(opened: &Opened) {
    let Some(raw) = opened.raw_postgres().await else { return };
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
               AND state <> 'idle' AND pid <> pg_backend_pid()";
    while raw.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Appends from sixteen tasks until it is killed, and says what was acknowledged. The test above starts it
/// as a process of its own; without that one's environment it has nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_that_is_killed() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let organization: OrganizationId = std::env::var(ORGANIZATION).unwrap().parse().unwrap();
    let engine = match std::env::var(CONNECTION) {
        Ok(connection) => Engine::Postgres { connection },
        Err(_) => Engine::Sqlite,
    };
    let store = engine.open(Path::new(&dir)).await;
    let scope = scope(organization);
    let mut tasks = Vec::new();
    for _ in 0..16 {
        let (store, scope) = (Arc::clone(&store), scope.clone());
        tasks.push(tokio::spawn(async move {
            loop {
                let stream = new_stream();
                let batch = Batch {
                    access: vec![access("-", "a")],
                    views: vec![ViewChange::Item(item())],
                    work: vec![work(stream.as_str())],
                    effects: vec![effect(stream.as_str(), "s")],
                    ..one(&stream)
                };
                done(store.append((&scope).into(), batch).await);
                let mut out = std::io::stdout().lock();
                writeln!(out, "acknowledged {}", stream.as_str()).unwrap();
                out.flush().unwrap();
            }
        }));
    }
    futures_util::future::join_all(tasks).await;
}
