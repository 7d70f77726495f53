//! `audit verify`: the installation's own data, or a copy of it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use precordia_app::audit::{
    ClockFault, LogReport, Signer, Verdict, Verification, VerifyReport, Warning, unhex,
};

use precordia_app::{Alarm, App};
use precordia_model::{AlarmCode, AlarmSubject};

use super::export::{MANIFEST, verify_export};
use crate::config::{Config, Engine};
use crate::output::{data, words};
use crate::wiring;

pub const UNPROVEN: u8 = Verdict::Unproven.exit_code();
pub const TAMPERED: u8 = Verdict::Tampered.exit_code();

#[derive(Args)]
pub struct VerifyArgs {
    /// Report in JSON; docs/audit-format describes it.
    #[arg(long)]
    pub json: bool,
    /// A copy of a data directory, or an export, to be verified instead of the configured data.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The witness to compare with, instead of the configured one.
    #[arg(long, value_name = "DIR")]
    pub witness: Option<PathBuf>,
    /// The key that must have signed the checkpoints, in hexadecimal; without it, for data, the one that
    /// the master key opens.
    #[arg(long, value_name = "HEX")]
    pub public_key: Option<String>,
    /// Raise the alarm `ledger.tampered`, or clear it, by what was found; for a run by the clock.
    #[arg(long, conflicts_with = "data")]
    pub alarm: bool,
}

pub async fn verify(mut config: Config, configured: bool, args: VerifyArgs) -> Result<ExitCode> {
    let given = args.public_key.as_deref().map(public_key).transpose()?;
    if let Some(dir) = args.data.as_deref().filter(|dir| dir.join(MANIFEST).is_file()) {
        let signer = given.map_or(Signer::Unknown, Signer::Key);
        return tell(&verify_export(dir, args.witness.as_deref(), &signer).await?, args.json);
    }
    if let Some(dir) = &args.data {
        point_at(&mut config, configured, dir)?;
    }
    if args.witness.is_some() {
        config.witness.dir = args.witness;
    }
    let (app, has_master) = wiring::open_to_verify(&config, args.alarm).await?;
    let signer = match (given, has_master) {
        (Some(key), _) => Signer::Key(key),
        (None, true) => app.signer().await?,
        (None, false) => Signer::Unknown,
    };
    let verification = app.verification(&signer).await?;
    if args.alarm {
        alarm(&app, verification.verdict == Verdict::Tampered).await;
    }
    tell(&verification, args.json)
}

async fn alarm(app: &App, tampered: bool) {
    let (code, subject) = (AlarmCode::LedgerTampered, AlarmSubject::platform("ledger"));
    match tampered {
        true => app.alarms().raise(Alarm::new(code, subject)).await,
        false => app.alarms().clear(code, subject).await,
    }
    app.alarms().attend().await;
}

fn public_key(text: &str) -> Result<Vec<u8>> {
    let key = unhex(text).filter(|key| key.len() == 32);
    key.context("--public-key takes 32 bytes in lower-case hexadecimal")
}

/// Everything but the data stays as configured; what follows from the place of the data, follows the copy
/// only if nothing was configured.
fn point_at(config: &mut Config, configured: bool, dir: &std::path::Path) -> Result<()> {
    if config.storage.engine != Engine::Sqlite {
        bail!("--data names a copy of a directory; the configured storage is not in one");
    }
    if !dir.join("control.db").is_file() {
        bail!("`{}` holds no data: there is no `control.db` in it", dir.display());
    }
    if configured {
        config.witness.dir = Some(config.witness_dir());
        if config.keys.master_env.is_none() {
            config.keys.master_file = Some(config.master_file());
        }
    }
    dir.clone_into(&mut config.data_dir);
    Ok(())
}

fn tell(verification: &Verification, as_json: bool) -> Result<ExitCode> {
    if as_json {
        data(&serde_json::to_string_pretty(verification)?);
    } else {
        verification.realms.iter().for_each(print_realm);
    }
    words(match verification.verdict {
        Verdict::Clean => {
            "clean: every row is chained, and proven by the witness as far as it reaches"
        }
        Verdict::Unproven => {
            "nothing contradicts, but less is proven than could be: a witness, its key or a steady clock is missing"
        }
        Verdict::Tampered => "TAMPERED: see the findings; the first one is where to look",
    });
    if let Some(first) = &verification.first {
        words(&format!(
            "first: realm {}, log {}, position {}: {}",
            first.realm, first.log, first.position, first.kind
        ));
    }
    Ok(ExitCode::from(verification.exit_code))
}

pub fn print_realm(realm: &VerifyReport) {
    for log in &realm.logs {
        print_log(&realm.realm, log);
    }
    if !realm.witness {
        data(&format!(
            "{}: no witness: whoever can rewrite the database can rewrite the chain",
            realm.realm
        ));
    }
    for line in &realm.witness_lines_wrong {
        data(&format!(
            "{}: WRONG, line {line} of the witness is missing, repeated or damaged",
            realm.realm
        ));
    }
    for file in &realm.files_wrong {
        data(&format!("{}: WRONG, `{file}` is not as it was exported", realm.realm));
    }
    realm
        .warnings
        .iter()
        .for_each(|warning| data(&format!("{}: {}", realm.realm, in_words(warning))));
    if let Some(views) = &realm.views {
        let verdict = if views.is_equal() { "equal to a fresh fold" } else { "WRONG" };
        let (realm, compared, different) = (&realm.realm, views.compared, views.different);
        data(&format!("{realm} views: {verdict}, {compared} streams, {different} rows differ"));
        for difference in &views.differences {
            data(&format!("  {}: {}", difference.stream, difference.what));
        }
    }
}

fn print_log(realm: &str, log: &LogReport) {
    let proven = match (log.proven_to, log.chained_only) {
        (0, None) => String::from("nothing to prove"),
        (to, None) => format!("all {to} proven by the witness"),
        (0, Some(_)) => String::from("nothing proven by the witness"),
        (to, Some(rest)) => {
            format!("proven by the witness to {to}, chained only from {} to {}", rest.from, rest.to)
        }
    };
    let verdict = if log.findings.is_empty() { "clean" } else { "WRONG" };
    data(&format!("{realm} {}: {verdict}, {} rows, {proven}", log.log, log.rows));
    for finding in &log.findings {
        data(&format!("  {}", serde_json::to_string(finding).unwrap_or_default()));
    }
    log.warnings.iter().for_each(|warning| data(&format!("  {}", in_words(warning))));
}

fn in_words(warning: &Warning) -> String {
    match warning {
        Warning::Clock { position, fault, at, checkpoint_at } => {
            let what = match fault {
                ClockFault::CheckpointBeforeCheckpoint => {
                    "the checkpoint there is older than the one before it"
                }
                ClockFault::RowAfterCheckpoint => {
                    "the row there is younger than a checkpoint that saw it"
                }
                ClockFault::RowBeforeCheckpoint => {
                    "the row there is older than a checkpoint before it"
                }
            };
            format!("clock: position {position}: {what} ({at}, {checkpoint_at})")
        }
        Warning::WitnessBehind { position, seconds } => format!(
            "witness behind: from position {position} on, rows were written for {seconds} s without a checkpoint"
        ),
        Warning::WitnessTorn { line } => {
            format!("line {line} of the witness was cut short by a crash; the others stand")
        }
        Warning::ViewsNotCompared => String::from(
            "the views were not compared: without the master key no event can be opened",
        ),
        Warning::KeyUnknown => String::from(
            "the signing key is not known here: say it with --public-key, or give the master key",
        ),
    }
}
