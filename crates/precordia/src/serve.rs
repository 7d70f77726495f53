//! All roles in one process, started and stopped in order.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use precordia_app::{App, Stop, WorkGauges};
use precordia_server::{DemoSignIn, ServerOptions};
use tokio::task::JoinHandle;
use tracing::info;
use zeroize::Zeroizing;

use crate::config::Config;
use crate::output::data;

/// The day of this version, for the FHIR CapabilityStatement.
const SOFTWARE_DATE: &str = "2026-11-20";

pub struct Running {
    pub address: SocketAddr,
    server: JoinHandle<Result<(), precordia_server::ServeError>>,
    workers: JoinHandle<()>,
    keeper: JoinHandle<()>,
    alarms: JoinHandle<()>,
}

/// `serve` knows no demo sign-in.
pub async fn run(config: &Config) -> Result<ExitCode> {
    let ports = crate::wiring::ports(config, true).await?;
    let app = App::new(ports.clone(), config.settings());
    app.ensure_platform(&app.local_operator()).await?;
    let stop = Stop::default();
    let backups = tokio::spawn({
        let (app, config, stop) = (app.clone(), config.clone(), stop.clone());
        async move { crate::backup::keep(&app, &ports, &config, stop).await }
    });
    let running = start(&app, config, &stop, None).await?;
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    data(&format!("ready {scheme}://{}", running.address));
    let code = running.until_signal(stop).await;
    // A drill that goes on is stopped, and its place is cleared.
    let _ = tokio::time::timeout(Duration::from_secs(20), backups).await;
    code
}

pub async fn start(
    app: &App,
    config: &Config,
    stop: &Stop,
    demo: Option<Vec<DemoSignIn>>,
) -> Result<Running> {
    let listener = tokio::net::TcpListener::bind(config.listen.address)
        .await
        .with_context(|| format!("could not listen on {}", config.listen.address))?;
    let address = listener.local_addr().context("a bound listener has an address")?;
    let options = ServerOptions {
        app: app.clone(),
        tls: config.tls.is_some(),
        loopback: config.listen.address.ip().is_loopback(),
        public_url: config.listen.public_url.clone(),
        trusted_proxies: config.listen.trusted_proxies()?,
        demo,
        software_version: env!("CARGO_PKG_VERSION"),
        software_date: SOFTWARE_DATE,
        web: Arc::new(crate::web::Built),
        metrics: precordia_server::install_metrics(),
        metrics_token: config.listen.metrics_token.clone().map(Zeroizing::new),
        stop: stop.clone(),
    };
    let router = precordia_server::router(options);
    let tls = config.tls.as_ref().map(|tls| precordia_server::TlsFiles {
        certificates: tls.certificate.clone(),
        key: tls.key.clone(),
    });
    let server = tokio::spawn(precordia_server::serve(listener, router, tls, stop.clone()));
    let workers = tokio::spawn({
        let (app, stop) = (app.clone(), stop.clone());
        async move { app.work(&stop).await }
    });
    let keeper = tokio::spawn({
        let (app, stop) = (app.clone(), stop.clone());
        async move { app.keep_checkpoints(&stop).await }
    });
    let alarms = tokio::spawn({
        let (app, stop) = (app.clone(), stop.clone());
        async move { app.keep_alarms(&stop).await }
    });
    tokio::spawn({
        let (app, stop) = (app.clone(), stop.clone());
        async move { watch_work(&app, stop).await }
    });
    tokio::spawn({
        let (app, stop) = (app.clone(), stop.clone());
        async move { sweep(&app, stop).await }
    });
    tokio::spawn({
        let (app, stop, places) = (app.clone(), stop.clone(), crate::disk::Places::of(config));
        async move { crate::disk::watch(&app, places, stop).await }
    });
    info!(%address, "listening");
    Ok(Running { address, server, workers, keeper, alarms })
}

impl Running {
    /// Runs until SIGINT or SIGTERM, or until a part fails; then stops the parts in order: no new requests,
    /// open ones end, workers end what they hold, last checkpoints.
    pub async fn until_signal(mut self, stop: Stop) -> Result<ExitCode> {
        let failed = tokio::select! {
            signal = signal() => { signal?; None }
            ended = &mut self.server => Some(ended),
        };
        info!("stopping");
        stop.now();
        let ended = match failed {
            Some(ended) => ended,
            None => (&mut self.server).await,
        };
        // Nothing is lost by going earlier: unfinished work keeps its place in the queue.
        let rest = async {
            let _ = (&mut self.workers).await;
            let _ = (&mut self.keeper).await;
            let _ = (&mut self.alarms).await;
        };
        let _ = tokio::time::timeout(Duration::from_secs(20), rest).await;
        ended.context("the server ended unexpectedly")?.context("the server failed")?;
        info!("stopped");
        Ok(ExitCode::SUCCESS)
    }
}

async fn signal() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("could not listen for SIGTERM")?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Keeps the gauges of what waits: how much, how long, and what was given up.
async fn watch_work(app: &App, stop: Stop) {
    describe_gauges();
    let mut stopping = stop.listen();
    loop {
        match app.work_gauges().await {
            Ok(gauges) => record(app, &gauges),
            Err(cause) => tracing::warn!(error = %cause, "gauges of the queue could not be read"),
        }
        if let Err(cause) = app.watch_queues().await {
            tracing::warn!(error = %cause, "the queues could not be looked at");
        }
        for (code, count) in app.alarms().gauges().await {
            let (code, severity) = (code.name(), code.severity().name());
            metrics::gauge!("precordia_alarms", "code" => code, "severity" => severity)
                .set(count as f64);
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(10)) => {}
            () = stopping.wait() => return,
        }
    }
}

/// What is looked at in every organization at the start and once a day: sealed bytes that nothing names,
/// and how often keys were used.
async fn sweep(app: &App, stop: Stop) {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let name = "precordia_blobs_swept_total";
    metrics::describe_counter!(name, "Sealed objects removed because nothing names them");
    let swept = metrics::counter!(name);
    let mut stopping = stop.listen();
    loop {
        match app.sweep_all_blobs().await {
            Ok(0) => {}
            Ok(removed) => {
                info!(removed, "removed sealed objects that nothing names");
                swept.increment(removed);
            }
            Err(cause) => tracing::warn!(error = %cause, "the sweep of objects did not end"),
        }
        match app.key_uses_max().await {
            Ok(uses) => metrics::gauge!("precordia_organization_key_uses_max").set(uses as f64),
            Err(cause) => tracing::warn!(error = %cause, "uses of keys could not be read"),
        }
        tokio::select! {
            () = tokio::time::sleep(DAY) => {}
            () = stopping.wait() => return,
        }
    }
}

fn record(app: &App, gauges: &WorkGauges) {
    metrics::gauge!("precordia_items_in_flight").set(gauges.in_flight as f64);
    metrics::gauge!("precordia_items_in_flight_oldest_seconds").set(gauges.oldest_seconds as f64);
    metrics::gauge!("precordia_items_given_up").set(gauges.given_up as f64);
    metrics::gauge!("precordia_items_overdue").set(if gauges.overdue { 1.0 } else { 0.0 });
    for (kind, counts) in &gauges.kinds {
        let states = [("ready", counts.ready), ("leased", counts.leased), ("dead", counts.dead)];
        for (state, count) in states {
            metrics::gauge!("precordia_work_pieces", "kind" => *kind, "state" => state)
                .set(count as f64);
        }
        let age = counts.oldest_at.map_or(0, |at| app.seconds_since(at));
        metrics::gauge!("precordia_work_oldest_seconds", "kind" => *kind).set(age as f64);
    }
}

fn describe_gauges() {
    metrics::describe_gauge!(
        "precordia_items_given_up",
        "Items whose work was given up and waits for a person"
    );
    metrics::describe_gauge!(
        "precordia_organization_key_uses_max",
        "Values sealed by the organization key that sealed most; at 2^30 it is rotated by itself"
    );
    metrics::describe_gauge!(
        "precordia_items_overdue",
        "1 when an item is in flight for longer than its limit"
    );
    metrics::describe_gauge!(
        "precordia_disk_free_bytes",
        metrics::Unit::Bytes,
        "Room on the file systems that the program writes to"
    );
    metrics::describe_gauge!("precordia_alarms", "Alarms of operation that stand, by code");
    metrics::describe_gauge!("precordia_work_pieces", "Pieces of work that are not done");
    metrics::describe_gauge!(
        "precordia_work_oldest_seconds",
        metrics::Unit::Seconds,
        "Age of the oldest piece of work that is not done"
    );
}
