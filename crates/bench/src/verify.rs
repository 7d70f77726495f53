//! How long it takes to verify a long log, and in how much memory.

use std::time::Instant;

use anyhow::{Result, ensure};
use precordia_app::App;
use precordia_app::port::{Append, Batch, NewEvent, NewResource, Ports, Realm, Stream};

use crate::Figures;
use crate::house::House;
use crate::memory::{forget_peak, memory_mb};

const BATCH: u64 = 1000;
/// About what a stream of a recording has. Its kind has no view, so the logs alone are measured.
const EVENTS_A_STREAM: u64 = 4;
const PAYLOAD_BYTES: usize = 400;
const RESOURCE_BYTES: usize = 1500;

/// Events of four to a stream, every second one with a resource version, on SQLite.
pub async fn verify(events: u64) -> Result<Figures> {
    let dir = tempfile::tempdir()?;
    let house = House::open(dir.path(), None).await?;
    let scope = house.scope(&house.organization("bench").await?).await?;
    let House { app, ports } = house;
    let realm = Realm::from(&scope);

    let mut random = vec![0; PAYLOAD_BYTES.max(RESOURCE_BYTES)];
    ports.random.fill(&mut random);
    for first in (0..events).step_by(BATCH as usize) {
        append(&app, &ports, realm, first..(first + BATCH).min(events), &random).await?;
        if first % (BATCH * 50) == 0 {
            app.checkpoint_all().await?;
        }
    }
    app.checkpoint_all().await?;

    forget_peak();
    let before_mb = memory_mb("VmRSS")?;
    let start = Instant::now();
    let verification = app.verification(&app.signer().await?).await?;
    let seconds = start.elapsed().as_secs_f64();
    ensure!(verification.exit_code == 0, "the log does not verify: {:?}", verification.first);
    let mut figures = Figures::new("verify");
    figures.value("events", events as f64);
    figures.value("verify_seconds", seconds);
    figures.value("events_per_second", events as f64 / seconds);
    figures.value("memory_mb_before", before_mb);
    figures.value("memory_mb_peak", memory_mb("VmHWM")?);
    let start = Instant::now();
    app.prove(realm, precordia_app::port::LogName::Events, 1, None).await?;
    figures.value("prove_seconds", start.elapsed().as_secs_f64());
    figures.limited_by = String::from("reading and hashing on one core");
    Ok(figures)
}

async fn append(
    app: &App,
    ports: &Ports,
    realm: Realm<'_>,
    numbers: std::ops::Range<u64>,
    random: &[u8],
) -> Result<()> {
    let mut batch = Batch::default();
    let request = app.new_request();
    for number in numbers {
        let stream = number / EVENTS_A_STREAM;
        let version = (number % EVENTS_A_STREAM) as i64 + 1;
        if number % 2 == 1 {
            batch.resources.push(NewResource {
                event: batch.events.len(),
                kind: "Observation".into(),
                id: format!("{stream:032x}"),
                version: version / 2,
                deleted: false,
                body: random[..RESOURCE_BYTES].to_vec(),
            });
        }
        batch.events.push(NewEvent {
            stream: Stream::new("bench", format!("{stream:032x}")),
            version,
            kind: "bench.measured".into(),
            schema: 1,
            actor: "system/bench".into(),
            at: app.now(),
            cause: None,
            request,
            payload: random[..PAYLOAD_BYTES].to_vec(),
        });
    }
    let answer = ports.log.append(realm, batch).await?;
    ensure!(matches!(answer, Append::Done { .. }), "the log answered {answer:?}");
    Ok(())
}
