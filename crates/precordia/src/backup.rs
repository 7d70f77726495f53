//! `backup run|list|restore|drill`, and what `serve` does of it by itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use precordia_app::port::{Ports, Position};
use precordia_app::{App, Drill, RestoreRequest, Restored, RestoredRealm, Stop};
use precordia_model::Timestamp;
use serde_json::json;
use tracing::{error, info};

use crate::config::Config;
use crate::output::{data, words};
use crate::wiring;

/// As of `audit verify`: something is not as it was.
const NOT_GOOD: u8 = 4;

const REMOVE_TRIES: u32 = 20;

#[derive(clap::Args)]
pub struct RestoreArgs {
    /// Why; it is written down in each ledger.
    #[arg(long)]
    reason: String,
    /// Bring back what happened before this moment only: 2026-11-21T09:30:00Z.
    #[arg(long)]
    before: Option<String>,
    /// Of one organization: the last event to bring back. May be repeated.
    #[arg(long, value_name = "ORGANIZATION=POSITION")]
    position: Vec<String>,
    /// The witness of before: what came back is proven by it.
    #[arg(long)]
    witness: Option<PathBuf>,
    #[arg(long)]
    json: bool,
}

impl RestoreArgs {
    fn request(&self) -> Result<RestoreRequest> {
        let before = self.before.as_deref().map(|text| {
            let wrong = || format!("--before: `{text}` is not a time such as 2026-11-21T09:30:00Z");
            Timestamp::parse_rfc3339(text).with_context(wrong)
        });
        let mut positions = BTreeMap::new();
        for text in &self.position {
            let wrong = || format!("--position: `{text}` is not ORGANIZATION=POSITION");
            let (slug, position) = text.split_once('=').with_context(wrong)?;
            let position: Position =
                position.parse().ok().filter(|p| *p >= 0).with_context(wrong)?;
            positions.insert(slug.to_owned(), position);
        }
        if self.reason.trim().is_empty() {
            bail!("--reason: say why");
        }
        Ok(RestoreRequest { before: before.transpose()?, positions, reason: self.reason.clone() })
    }
}

pub async fn run(app: &App, as_json: bool) -> Result<ExitCode> {
    let all = app.back_up_all().await?;
    if as_json {
        data(&serde_json::to_string_pretty(&all)?);
        return Ok(ExitCode::SUCCESS);
    }
    for one in all {
        data(&format!(
            "{}: to event {}, access {}; {} rows and {} originals are new, {} removed, {} keys",
            one.realm,
            one.events,
            one.accesses,
            one.new_rows,
            one.new_blobs,
            one.removed_blobs,
            one.keys
        ));
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn list(app: &App, as_json: bool) -> Result<ExitCode> {
    let states = app.backup_states().await?;
    if as_json {
        data(&serde_json::to_string_pretty(&states)?);
        return Ok(ExitCode::SUCCESS);
    }
    for one in states {
        data(&format!(
            "{}: {}, to event {}, access {}; {} originals, {} keys",
            one.realm, one.at, one.events, one.accesses, one.blobs, one.keys
        ));
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn restore(config: &Config, args: RestoreArgs) -> Result<ExitCode> {
    let request = args.request()?;
    let ports = wiring::ports_to_restore(config).await?;
    if !ports.witness.realms().await?.is_empty() {
        bail!(
            "the witness in `{}` has seen a ledger already; it is the record of what was: keep it, set \
             witness.dir to a new directory, and name the old one with --witness",
            config.witness_dir().display()
        );
    }
    let app = App::new(ports, config.settings());
    let restored = app.restore(&request).await?;
    let mut proofs = Vec::new();
    if let Some(dir) = &args.witness {
        let (witness, signer) = (precordia_store::witness_of(dir), app.signer().await?);
        for realm in &restored.realms {
            proofs.extend(app.proven_by(witness.clone(), realm, &signer).await?);
        }
        if proofs.is_empty() {
            bail!("`{}` holds no witness; what came back was not proven", dir.display());
        }
    }
    app.checkpoint_all().await?;
    let missing: u64 = restored.realms.iter().map(|realm| realm.blobs_missing).sum();
    let is_good = missing == 0
        && proofs.iter().all(|report| {
            report.logs.iter().all(|log| log.findings.is_empty())
                && report.views.as_ref().is_some_and(|views| views.is_equal())
        });
    if args.json {
        let restored = json!({ "restored": restored, "proofs": proofs, "good": is_good });
        data(&serde_json::to_string_pretty(&restored)?);
    } else {
        tell(&restored);
        proofs.iter().for_each(crate::audit::print_realm);
    }
    match is_good {
        true => words("restored; `audit verify` looks at it again, and `serve` goes on from here"),
        false => words("NOT GOOD: see what is missing or not as it was"),
    }
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::from(NOT_GOOD) })
}

fn tell(restored: &Restored) {
    restored.realms.iter().for_each(tell_realm);
    for realm in &restored.unknown {
        words(&format!("warning: `{realm}` is in the directory or in the backup alone"));
    }
}

fn tell_realm(realm: &RestoredRealm) {
    let name = realm.organization.as_deref().unwrap_or(&realm.realm);
    let RestoredRealm { events, accesses, blobs, keys, .. } = realm;
    data(&format!(
        "{name}: events to {} of {}, accesses to {} of {}, {blobs} originals, {keys} keys",
        events.restored, events.backup, accesses.restored, accesses.backup
    ));
    if realm.erasures > 0 {
        data(&format!("{name}: {} erasures of later were made anew", realm.erasures));
    }
    if realm.blobs_missing > 0 {
        data(&format!("{name}: MISSING, {} originals", realm.blobs_missing));
    }
}

pub async fn drill(config: &Config, as_json: bool) -> Result<ExitCode> {
    let ports = wiring::ports(config, false).await?;
    let app = App::new(ports.clone(), config.settings());
    let drilled = drill_in(&app, &ports, &config.drill_dir(), std::future::pending()).await?;
    let Some(drill) = drilled else { return Ok(ExitCode::FAILURE) };
    app.alarms().attend().await;
    if as_json {
        data(&serde_json::to_string_pretty(&drill)?);
    } else {
        drill.realms.iter().for_each(tell_realm);
        drill.problems.iter().for_each(|problem| data(&format!("PROBLEM: {problem}")));
        let (opened, seconds) = (drill.opened, drill.seconds);
        words(&format!("{opened} originals opened, {seconds} s"));
    }
    Ok(if drill.is_good() { ExitCode::SUCCESS } else { ExitCode::from(NOT_GOOD) })
}

/// One drill at a time uses the place; what a killed one left is removed first. `None`: it was stopped.
async fn drill_in(
    app: &App,
    ports: &Ports,
    dir: &Path,
    stopped: impl Future<Output = ()>,
) -> Result<Option<Drill>> {
    let _lock = cleared(dir).await?;
    let data = dir.join("data");
    let drilling = async {
        let scratch = wiring::ports_to_drill(ports, &data).await?;
        anyhow::Ok(Some(app.drill(scratch).await?))
    };
    let drilled = tokio::select! {
        drilled = drilling => drilled,
        () = stopped => Ok(None),
    };
    remove(&data).await?;
    drilled
}

/// Locks the place and removes what a killed drill left there: it may hold keys that were destroyed since.
async fn cleared(dir: &Path) -> Result<std::fs::File> {
    let not_usable = || format!("`{}` cannot be used for a drill", dir.display());
    std::fs::create_dir_all(dir).with_context(not_usable)?;
    let lock = std::fs::File::create(dir.join("lock")).with_context(not_usable)?;
    lock.try_lock().with_context(|| format!("another drill goes on in `{}`", dir.display()))?;
    remove(&dir.join("data")).await?;
    Ok(lock)
}

/// What a drill that was stopped still writes, it writes soon.
async fn remove(dir: &Path) -> Result<()> {
    let mut tries = 0;
    loop {
        match std::fs::remove_dir_all(dir) {
            Ok(()) => return Ok(()),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(_) if tries < REMOVE_TRIES => tries += 1,
            Err(cause) => {
                return Err(cause)
                    .with_context(|| format!("`{}` could not be removed", dir.display()));
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// What an organization's queue does not do: the control ledger's backup, its age, and drills.
pub async fn keep(app: &App, ports: &Ports, config: &Config, stop: Stop) {
    if ports.vaults.is_none() {
        return;
    }
    metrics::describe_gauge!(
        "precordia_backup_oldest_seconds",
        metrics::Unit::Seconds,
        "Age of the oldest of the newest backups of all organizations"
    );
    let mut stopping = stop.listen();
    let drill_dir = config.drill_dir();
    if drill_dir.exists()
        && let Err(cause) = cleared(&drill_dir).await
    {
        error!(error = %cause, "what a drill left could not be removed");
    }
    let seconds = config.backup.every_seconds;
    let pause = Duration::from_secs(seconds.unsigned_abs().min(300));
    let mut next = app.now();
    while !stopping.is_now() {
        if next <= app.now() {
            next = app.now().plus_seconds(seconds);
            app.back_up_platform().await;
        }
        match app.late_backups(seconds.saturating_mul(3)).await {
            Ok(oldest) => metrics::gauge!("precordia_backup_oldest_seconds").set(oldest as f64),
            Err(cause) => error!(error = %cause, "the age of the backups could not be read"),
        }
        if config.backup.drill_every_seconds > 0 {
            match app.drill_is_due(config.backup.drill_every_seconds).await {
                Ok(false) => {}
                Ok(true) => match drill_in(app, ports, &drill_dir, stopping.wait()).await {
                    Ok(Some(drill)) => {
                        info!(good = drill.is_good(), seconds = drill.seconds, "drilled");
                    }
                    Ok(None) => info!("the drill was stopped"),
                    Err(cause) => error!(error = %cause, "the drill could not be made"),
                },
                Err(cause) => error!(error = %cause, "it could not be read when a drill is due"),
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stopping.wait() => {}
        }
    }
}
