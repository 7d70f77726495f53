//! Appends a second at 1, 8, 64 and 512 waiters, beside the disk's own sync rate.
//!
//! An append is one sealed event of 300 bytes, one view row, one work item and one effect key.
//! `cargo run --release --example append_rate -- DIR [SECONDS [CONNECTION ORGANIZATION]]`; with a
//! PostgreSQL connection string the tables are there, and several processes may name one organization.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use precordia_app::access::{OrgScope, PlatformScope};
use precordia_app::port::*;
use precordia_model::*;
use precordia_store::*;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let dir = arguments.next().expect("a directory");
    let seconds: u64 = arguments.next().map_or(5, |text| text.parse().unwrap());
    let connection = arguments.next();
    let organization = arguments.next().map_or_else(uuid, |text| text.parse().unwrap());

    let store = match connection {
        None => open_sqlite(SqliteOptions::new(&dir)).await,
        Some(connection) => open_postgres(PostgresOptions::new(connection, &dir)).await,
    };
    let store = store.unwrap();
    let organization = OrganizationId(organization);
    let platform = PlatformScope::for_tests(RequestId(uuid()));
    store.provision(&platform, organization).await.unwrap();
    let scope = OrgScope::for_tests(organization, RequestId(uuid()));

    println!("disk: {:.0} syncs/s of 4096 bytes each, one after the other", syncs(Path::new(&dir)));
    for waiters in [1, 8, 64, 512] {
        let mut times = run(&store, &scope, waiters, Duration::from_secs(seconds)).await;
        times.sort_unstable();
        let at = |share: f64| times[(times.len() as f64 * share) as usize].as_secs_f64() * 1e3;
        let rate = times.len() as f64 / seconds as f64;
        println!(
            "{waiters:4} waiters: {rate:7.0}/s, p50 {:.2} ms, p99 {:.2} ms",
            at(0.5),
            at(0.99)
        );
    }
    println!("disk: {:.0} syncs/s", syncs(Path::new(&dir)));
}

fn uuid() -> uuid::Uuid {
    new_uuid(&SystemClock, &SecureRandom)
}

fn syncs(dir: &Path) -> f64 {
    let path = dir.join("sync-rate");
    let mut file = std::fs::File::create(&path).unwrap();
    let start = Instant::now();
    let mut count = 0.0;
    while start.elapsed() < Duration::from_secs(1) {
        file.write_all(&[0; 4096]).unwrap();
        file.sync_data().unwrap();
        count += 1.0;
    }
    let rate = count / start.elapsed().as_secs_f64();
    std::fs::remove_file(path).unwrap();
    rate
}

async fn run(
    store: &Arc<Store>,
    scope: &OrgScope,
    waiters: usize,
    time: Duration,
) -> Vec<Duration> {
    let end = Instant::now() + time;
    let mut tasks = Vec::new();
    for _ in 0..waiters {
        let (store, scope) = (Arc::clone(store), scope.clone());
        tasks.push(tokio::spawn(async move {
            let mut times = Vec::new();
            while Instant::now() < end {
                let batch = batch();
                let start = Instant::now();
                let answer = store.append((&scope).into(), batch).await.unwrap();
                assert!(matches!(answer, Append::Done { .. }));
                times.push(start.elapsed());
            }
            times
        }));
    }
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.unwrap());
    }
    times
}

fn batch() -> Batch {
    let item = ItemId(uuid());
    let stream = Stream::new("item", item);
    let now = SystemClock.now();
    Batch {
        events: vec![NewEvent {
            stream: stream.clone(),
            version: 1,
            kind: "item.received".into(),
            schema: 1,
            actor: "system/bench".into(),
            at: now,
            cause: None,
            request: RequestId(item.0),
            payload: vec![7; 300],
        }],
        views: vec![ViewChange::Item(ItemRow {
            id: item,
            state: ItemState::InFlight,
            door: Door::Upload,
            sender: "system/bench".into(),
            site: None,
            received_at: now,
            size_bytes: 100_000,
            blob: Some(BlobId(item.0)),
            recording: None,
            linked_to: None,
            position: position_in_batch(0),
            version: 1,
            reason: None,
            sealed: vec![7; 120],
        })],
        work: vec![NewWork {
            id: WorkId(item.0),
            kind: "ingest".into(),
            lane: stream.0.clone(),
            subject: stream.0.clone(),
            priority: Priority::Normal,
            not_before: now,
        }],
        effects: vec![EffectKey { key: format!("content/{}", uuid().simple()), subject: stream.0 }],
        ..Batch::default()
    }
}
