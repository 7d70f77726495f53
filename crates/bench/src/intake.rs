//! Uploads over HTTP until each is visible and durable, with the generator on the same machine, beside the
//! disk's own sync rate in the same directory.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use precordia_app::{App, Stop};
use precordia_model::{ItemState, Role};
use precordia_server::{NoWeb, ServerOptions};
use precordia_synth::{Pattern, Person, Spec};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::figures::{Figures, percentile};
use crate::house::House;

pub async fn intake(seconds: f64, clients: usize) -> Result<Figures> {
    let dir = tempfile::tempdir().context("could not make a temporary directory")?;
    let syncs = sync_rate(dir.path())?;
    let house = House::open(dir.path(), None).await?;
    let organization_scope = house.scope(&house.organization("bench").await?).await?;
    let app = house.app;
    let roles = vec![Role::Service];
    let (_, token) = app.issue_token(&organization_scope, "bench", roles, None).await?;
    let token = token.to_string();
    let stop = Stop::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = precordia_server::router(ServerOptions {
        app: app.clone(),
        tls: false,
        loopback: true,
        public_url: None,
        trusted_proxies: Vec::new(),
        demo: None,
        software_version: env!("CARGO_PKG_VERSION"),
        software_date: "2026-11-20",
        web: Arc::new(NoWeb),
        metrics: precordia_server::install_metrics(),
        metrics_token: None,
        stop: stop.clone(),
    });
    let server = tokio::spawn(precordia_server::serve(listener, router, None, stop.clone()));
    let workers = tokio::spawn({
        let (app, stop) = (app.clone(), stop.clone());
        async move { app.work(&stop).await }
    });

    let samples = Arc::new(Samples::make()?);
    let clients = clients.clamp(1, 256);
    let deadline = Instant::now() + Duration::from_secs_f64(seconds.clamp(1.0, 120.0));
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..clients {
        let (samples, token) = (samples.clone(), token.clone());
        tasks.spawn(async move { client(address, &token, &samples, deadline).await });
    }
    let mut acknowledged_ms = Vec::new();
    while let Some(task) = tasks.join_next().await {
        acknowledged_ms.extend(task??);
    }
    let acknowledged_seconds = started.elapsed().as_secs_f64();
    let visible_seconds =
        wait_until_visible(&app, &organization_scope, acknowledged_ms.len(), started).await?;
    stop.now();
    server.await??;
    workers.await?;

    acknowledged_ms.sort_by(f64::total_cmp);
    let count = acknowledged_ms.len() as f64;
    let mut figures = Figures::new("intake");
    figures.value("uploads_visible_per_second", count / visible_seconds);
    figures.value("uploads_acknowledged_per_second", count / acknowledged_seconds);
    figures.value("acknowledge_ms_median", percentile(&acknowledged_ms, 0.5));
    figures.value("acknowledge_ms_p99", percentile(&acknowledged_ms, 0.99));
    figures.value("backlog_seconds_after_last", visible_seconds - acknowledged_seconds);
    figures.value("uploads", count);
    figures.value("clients", clients as f64);
    figures.value("disk_syncs_per_second_alone", syncs);
    figures.limited_by = String::from(
        "two cores shared by generator, server, sealing, measuring and SQLite; then the disk's syncs",
    );
    Ok(figures)
}

/// Different recordings without number: one file a pattern and person, made distinct by its last bytes.
struct Samples {
    files: Vec<Vec<u8>>,
    next: AtomicUsize,
}

impl Samples {
    fn make() -> Result<Self> {
        let files = (0..60)
            .map(|number| {
                let spec = Spec {
                    person: Person::demo(number),
                    seed: number as u64,
                    ..Spec::pattern(Pattern::ALL[number % Pattern::ALL.len()])
                };
                crate::ecg::file(spec, number)
            })
            .collect::<Result<_>>()?;
        Ok(Self { files, next: AtomicUsize::new(0) })
    }

    /// A data set trailing padding element (FFFC,FFFC) with a number makes each upload its own content.
    fn take(&self) -> Vec<u8> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut bytes = self.files[number % self.files.len()].clone();
        bytes.extend_from_slice(&[0xFC, 0xFF, 0xFC, 0xFF, b'O', b'B', 0, 0, 8, 0, 0, 0]);
        bytes.extend_from_slice(&(number as u64).to_le_bytes());
        bytes
    }
}

async fn client(
    address: std::net::SocketAddr,
    token: &str,
    samples: &Samples,
    deadline: Instant,
) -> Result<Vec<f64>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut acknowledged_ms = Vec::new();
    while Instant::now() < deadline {
        let file = samples.take();
        let start = Instant::now();
        let status = upload(&mut stream, address, token, &file).await?;
        if status != 202 {
            bail!("an upload was answered {status}");
        }
        acknowledged_ms.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(acknowledged_ms)
}

/// One request on a kept connection, written by hand so that the generator costs little.
async fn upload(
    stream: &mut TcpStream,
    address: std::net::SocketAddr,
    token: &str,
    file: &[u8],
) -> Result<u16> {
    const HEAD: &str = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.dcm\"\r\nContent-Type: application/dicom\r\n\r\n";
    const TAIL: &str = "\r\n--b--\r\n";
    let length = HEAD.len() + file.len() + TAIL.len();
    let head = format!(
        "POST /api/uploads HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {length}\r\n\r\n{HEAD}"
    );
    let mut request = Vec::with_capacity(head.len() + file.len() + TAIL.len());
    request.extend_from_slice(head.as_bytes());
    request.extend_from_slice(file);
    request.extend_from_slice(TAIL.as_bytes());
    stream.write_all(&request).await?;
    read_answer(stream).await
}

async fn read_answer(stream: &mut TcpStream) -> Result<u16> {
    let mut answer = Vec::with_capacity(2048);
    loop {
        let mut chunk = [0u8; 4096];
        let got = stream.read(&mut chunk).await?;
        if got == 0 {
            bail!("the server closed the connection");
        }
        answer.extend_from_slice(&chunk[..got]);
        let Some(end) = find(&answer, b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&answer[..end]).context("an answer's head is not text")?;
        let status =
            head.split(' ').nth(1).and_then(|code| code.parse().ok()).context("no status")?;
        let length: usize = head
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length:")
                    .map(|n| n.trim().to_owned())
            })
            .and_then(|n| n.parse().ok())
            .ok_or_else(|| anyhow!("an answer without a length"))?;
        if answer.len() >= end + 4 + length {
            return Ok(status);
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// Seconds from the start until every acknowledged upload was decided.
async fn wait_until_visible(
    app: &App,
    scope: &precordia_app::access::OrgScope,
    count: usize,
    started: Instant,
) -> Result<f64> {
    loop {
        let in_flight = app.items(scope, Some(ItemState::InFlight), None, 1).await?;
        if in_flight.is_empty() {
            break;
        }
        if started.elapsed() > Duration::from_secs(300) {
            bail!("uploads are still in flight after five minutes");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let seconds = started.elapsed().as_secs_f64();
    let received: i64 =
        app.item_counts(scope).await?.iter().map(|(_, balance)| balance.received).sum();
    if received != count as i64 {
        bail!("{count} uploads were acknowledged, {received} are in the ledger");
    }
    Ok(seconds)
}

/// How often a second this disk makes four kilobytes durable, one after the other.
fn sync_rate(dir: &Path) -> Result<f64> {
    let mut file = std::fs::File::create(dir.join("sync-rate"))?;
    let block = [0u8; 4096];
    let started = Instant::now();
    let mut syncs = 0u32;
    while started.elapsed() < Duration::from_millis(500) {
        file.write_all(&block)?;
        file.sync_data()?;
        syncs += 1;
    }
    Ok(f64::from(syncs) / started.elapsed().as_secs_f64())
}
