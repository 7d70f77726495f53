//! How long it takes to verify a long log, and in how much memory.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use precordia_app::port::{Append, Batch, NewEvent, NewResource, Ports, Realm, Stream};
use precordia_app::{App, OrganizationSpec, Settings};
use zeroize::Zeroizing;

use crate::Figures;

const BATCH: u64 = 1000;
/// About what a stream of a recording has. Its kind has no view, so the logs alone are measured.
const EVENTS_A_STREAM: u64 = 4;
const PAYLOAD_BYTES: usize = 400;
const RESOURCE_BYTES: usize = 1500;

/// Events of four to a stream, every second one with a resource version, on SQLite.
pub async fn verify(events: u64) -> Result<Figures> {
    let dir = tempfile::tempdir()?;
    let data = dir.path().join("data");
    let store = precordia_store::open_sqlite(precordia_store::SqliteOptions::new(&data)).await?;
    let ports = precordia_store::ports(
        &store,
        precordia_store::master_from_file(&dir.path().join("master.key"), true)?,
        precordia_store::witness_in(&dir.path().join("witness"), &data).await?,
        Arc::new(precordia_store::SystemClock),
        Arc::new(precordia_store::SecureRandom),
    );
    let app = App::new(ports.clone(), Settings::default());
    let spec = OrganizationSpec { slug: "bench".into(), name: "Bench".into(), sites: Vec::new() };
    let applied = app.apply_organization(&app.local_operator(), &spec).await?;
    let code = applied.setup_code.context("a fresh organization has a set-up code")?;
    let password = Zeroizing::new(String::from("only-for-this-bench"));
    let signed_in = app.set_up("bench", &code, "bench-admin", "Bench", password).await?;
    let session = app.session(&signed_in.cookie, app.new_request()).await?;
    let scope = session.context("a fresh session is valid")?.scope;
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

/// What was needed to make the log is not what is measured. Where this cannot be done, the peak is higher.
fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// A line of `/proc/self/status`, which counts in kB.
fn memory_mb(name: &str) -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kilobytes = line.and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok());
    Ok(kilobytes.with_context(|| format!("`{name}` is not known here"))? / 1024.0)
}
