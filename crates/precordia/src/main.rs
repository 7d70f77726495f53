//! The binary: verbs, configuration and wiring.

mod alarms;
mod audit;
mod backup;
mod config;
mod demo;
mod disk;
mod ecg;
mod key;
mod logging;
mod org;
mod output;
mod serve;
mod views;
mod web;
mod wiring;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::config::Config;
use crate::output::{data, words};

/// Carries a heart's signal from the device that recorded it to the people and systems that act on it.
#[derive(Parser)]
#[command(name = "precordia", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Args)]
struct ConfigFile {
    /// TOML file; `config show --default` prints one with comments.
    #[arg(long, short, env = "PRECORDIA_CONFIG")]
    config: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Verb {
    /// Start with sample patients in a fresh directory.
    Demo {
        #[arg(long, default_value = "127.0.0.1:8080")]
        address: SocketAddr,
        /// Where to keep the demo's data; it must not hold data yet.
        #[arg(long)]
        dir: Option<PathBuf>,
        #[arg(long, default_value = "warn")]
        log_level: String,
    },
    /// Run the server with all its roles.
    Serve {
        #[command(flatten)]
        file: ConfigFile,
    },
    /// Organizations of this installation.
    Org {
        #[command(subcommand)]
        verb: OrgVerb,
    },
    /// The master key, above every organization's.
    Key {
        #[command(subcommand)]
        verb: MasterVerb,
    },
    /// Alarms of operation: what needs a hand.
    Alarms {
        #[command(subcommand)]
        verb: AlarmsVerb,
    },
    /// Prove what is stored.
    Audit {
        #[command(subcommand)]
        verb: AuditVerb,
    },
    /// Read models of the ledger.
    Views {
        #[command(subcommand)]
        verb: ViewsVerb,
    },
    /// Copies of everything that cannot be made again, and the way back from them.
    Backup {
        #[command(subcommand)]
        verb: BackupVerb,
    },
    /// Show or check a configuration.
    Config {
        #[command(subcommand)]
        verb: ConfigVerb,
    },
    /// Read, measure or plot one ECG file; no server needed.
    Ecg {
        #[command(subcommand)]
        verb: ecg::EcgVerb,
    },
    /// Measure this program on this machine.
    Bench {
        #[command(subcommand)]
        verb: BenchVerb,
    },
    /// Print the OpenAPI description of the HTTP interface.
    Openapi,
}

#[derive(Subcommand)]
enum OrgVerb {
    /// Make an organization and its sites, or bring them to what the file says.
    Apply {
        file: PathBuf,
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Keys of an organization.
    Key {
        #[command(subcommand)]
        verb: KeyVerb,
    },
}

#[derive(Subcommand)]
enum KeyVerb {
    /// Put a new key in force and wrap everything anew; the server may run.
    Rotate {
        /// Short name of the organization.
        organization: String,
        #[command(flatten)]
        config: ConfigFile,
    },
}

#[derive(Subcommand)]
enum MasterVerb {
    /// Put a new master key in force and wrap every organization's key anew; the servers may run.
    ///
    /// The old one stays beside it, as `master.<id>.key`, until `--retire`. Backups made before need it:
    /// keep a copy with them, or make a new backup first.
    RotateMaster {
        /// Destroy the keys that are not in force and wrap nothing any more.
        #[arg(long)]
        retire: bool,
        #[command(flatten)]
        config: ConfigFile,
    },
}

#[derive(Subcommand)]
enum AlarmsVerb {
    /// What stands, the newest first. Exit 1 when something is critical that nobody acknowledged.
    List {
        /// What is over, too.
        #[arg(long)]
        all: bool,
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Say that somebody knows: reminders end.
    Acknowledge {
        /// As `list` shows it.
        alarm: precordia_model::AlarmId,
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Send a test over every channel. Exit 1 when one does not answer.
    Test {
        #[command(flatten)]
        config: ConfigFile,
    },
}

#[derive(Subcommand)]
enum AuditVerb {
    /// Exit 0: clean and witnessed; 3: nothing is wrong, but a witness, its key or a steady clock is
    /// missing; 4: tampered.
    Verify {
        #[command(flatten)]
        args: audit::VerifyArgs,
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Write an organization's logs as files that an outsider without keys can verify, and its accesses
    /// as FHIR AuditEvents.
    Export {
        #[command(flatten)]
        args: audit::ExportArgs,
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Prove one row against a checkpoint. Exit 0: proven; 3: no checkpoint saw it; 4: tampered.
    Prove {
        #[command(flatten)]
        args: audit::ProveArgs,
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Print the conservation equation; exit 1 when it does not close.
    Balance {
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigFile,
    },
    /// The events of a stream as they stand in the clear; their contents stay sealed.
    Show {
        #[command(flatten)]
        args: audit::ShowArgs,
        #[command(flatten)]
        config: ConfigFile,
    },
}

#[derive(Subcommand)]
enum ViewsVerb {
    /// Write again every row that is missing or differs from its events; the server may run.
    Rebuild {
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigFile,
    },
}

#[derive(Subcommand)]
enum BackupVerb {
    /// Bring the backup up to now; the servers may run, and do so themselves.
    Run {
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigFile,
    },
    /// How far the backup of each organization goes.
    List {
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Put a backup into an empty storage with a witness of its own, and verify what came back.
    ///
    /// The configuration names the fresh data_dir or database, a fresh witness.dir, the master key of before
    /// and the places of the backup. Exit 0: everything is there and proven; 4: something is not as it was.
    Restore {
        #[command(flatten)]
        args: backup::RestoreArgs,
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Restore to an empty place, verify, compare and remove it again. Exit 0: good; 4: see the problems.
    Drill {
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigFile,
    },
}

#[derive(Subcommand)]
enum ConfigVerb {
    /// The configuration in force, or with `--default` the commented defaults.
    Show {
        #[arg(long)]
        default: bool,
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Exit 0 when the file is valid.
    Check { file: PathBuf },
}

#[derive(Subcommand)]
enum BenchVerb {
    /// Appends a second and their latency at 1 to 512 waiters, beside one transaction each and the disk.
    Ledger {
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        options: precordia_bench::LedgerOptions,
    },
    /// Many organizations: the first answer of one that nobody used for a while, memory, open files.
    Organizations {
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        options: precordia_bench::OrganizationsOptions,
    },
    /// Files a second on one core, from bytes to flags.
    Ecg {
        #[arg(long)]
        json: bool,
        #[arg(long, default_value_t = 5.0)]
        seconds: f64,
        /// A Python with scripts/bench-requirements.txt: its programs run on the same files.
        #[arg(long)]
        peers: Option<std::path::PathBuf>,
    },
    /// Uploads a second over HTTP until visible and durable, beside the disk's own sync rate.
    Intake {
        #[arg(long)]
        json: bool,
        #[arg(long, default_value_t = 10.0)]
        seconds: f64,
        #[arg(long, default_value_t = 32)]
        clients: usize,
    },
    /// Append as the task on the input says, until killed: what the rig of writers starts.
    #[command(hide = true)]
    Write {
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Seconds and memory that `audit verify` takes for a long log.
    Verify {
        #[arg(long)]
        json: bool,
        #[arg(long, default_value_t = 1_000_000)]
        events: u64,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.verb) {
        Ok(code) => code,
        Err(error) => {
            words(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(verb: Verb) -> Result<ExitCode> {
    match verb {
        Verb::Demo { address, dir, log_level } => {
            logging::start(&config::Log { level: log_level, ..config::Log::default() })?;
            runtime()?.block_on(demo::run(demo::Options { address, dir }))
        }
        Verb::Serve { file } => {
            let config = Config::load(file.config.as_deref())?;
            logging::start(&config.log)?;
            runtime()?.block_on(serve::run(&config))
        }
        Verb::Org { verb } => match verb {
            OrgVerb::Apply { file, config } => {
                with_app(&config, true, async |app| org::apply(app, &file).await)
            }
            OrgVerb::Key { verb: KeyVerb::Rotate { organization, config } } => {
                with_app(&config, false, async |app| org::rotate_key(app, &organization).await)
            }
        },
        Verb::Key { verb: MasterVerb::RotateMaster { retire, config } } => {
            with_app(&config, false, async |app| key::rotate_master(app, retire).await)
        }
        Verb::Alarms { verb } => match verb {
            AlarmsVerb::List { all, json, config } => {
                with_app(&config, false, async |app| alarms::list(app, all, json).await)
            }
            AlarmsVerb::Acknowledge { alarm, config } => {
                with_app(&config, false, async |app| alarms::acknowledge(app, alarm).await)
            }
            AlarmsVerb::Test { config } => {
                with_app(&config, false, async |app| alarms::test(app).await)
            }
        },
        Verb::Audit { verb } => match verb {
            AuditVerb::Verify { args, config: file } => {
                let config = Config::load(file.config.as_deref())?;
                logging::start(&config.log)?;
                runtime()?.block_on(audit::verify(config, file.config.is_some(), args))
            }
            AuditVerb::Export { args, config } => {
                with_app(&config, false, async |app| audit::export(app, args).await)
            }
            AuditVerb::Prove { args, config } => {
                with_app(&config, false, async |app| audit::prove(app, args).await)
            }
            AuditVerb::Balance { json, config } => {
                with_app(&config, false, async |app| audit::balance(app, json).await)
            }
            AuditVerb::Show { args, config } => {
                with_app(&config, false, async |app| audit::show(app, args).await)
            }
        },
        Verb::Views { verb: ViewsVerb::Rebuild { json, config } } => {
            with_app(&config, false, async |app| views::rebuild(app, json).await)
        }
        Verb::Backup { verb } => match verb {
            BackupVerb::Run { json, config } => {
                with_app(&config, false, async |app| backup::run(app, json).await)
            }
            BackupVerb::List { json, config } => {
                with_app(&config, false, async |app| backup::list(app, json).await)
            }
            BackupVerb::Restore { args, config: file } => {
                let config = Config::load(file.config.as_deref())?;
                logging::start(&config.log)?;
                runtime()?.block_on(backup::restore(&config, args))
            }
            BackupVerb::Drill { json, config: file } => {
                let config = Config::load(file.config.as_deref())?;
                logging::start(&config.log)?;
                runtime()?.block_on(backup::drill(&config, json))
            }
        },
        Verb::Config { verb } => configuration(verb),
        Verb::Ecg { verb } => ecg::run(verb),
        Verb::Bench { verb } => bench(verb),
        Verb::Openapi => {
            data(&serde_json::to_string_pretty(&precordia_server::openapi())?);
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn configuration(verb: ConfigVerb) -> Result<ExitCode> {
    match verb {
        ConfigVerb::Show { default: true, .. } => data(config::COMMENTED.trim_end()),
        ConfigVerb::Show { default: false, config } => {
            data(Config::load(config.config.as_deref())?.show()?.trim_end());
        }
        ConfigVerb::Check { file } => {
            Config::load(Some(&file))?;
            words("valid");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn bench(verb: BenchVerb) -> Result<ExitCode> {
    let (figures, json) = match verb {
        BenchVerb::Ecg { json, seconds, peers } => {
            (precordia_bench::ecg(seconds, peers.as_deref())?, json)
        }
        BenchVerb::Intake { json, seconds, clients } => {
            (runtime()?.block_on(precordia_bench::intake(seconds, clients))?, json)
        }
        BenchVerb::Ledger { json, options } => {
            let measured = runtime()?.block_on(precordia_bench::ledger(options))?;
            let Some(figures) = measured else { return Ok(ExitCode::SUCCESS) };
            (figures, json)
        }
        BenchVerb::Organizations { json, options } => {
            let measured = runtime()?.block_on(precordia_bench::organizations(options))?;
            let Some(figures) = measured else { return Ok(ExitCode::SUCCESS) };
            (figures, json)
        }
        BenchVerb::Write { config: file } => {
            let config = Config::load(file.config.as_deref())?;
            logging::start(&config.log)?;
            return runtime()?.block_on(async {
                let ports = wiring::ports(&config, true).await?;
                let app = precordia_app::App::new(ports.clone(), config.settings());
                precordia_bench::write(&app, &ports).await.map(|()| ExitCode::SUCCESS)
            });
        }
        BenchVerb::Verify { json, events } => {
            (runtime()?.block_on(precordia_bench::verify(events))?, json)
        }
    };
    data(&if json { serde_json::to_string_pretty(&figures)? } else { figures.to_string() });
    Ok(ExitCode::SUCCESS)
}

/// Runs a verb on the data itself; a server may run beside it.
fn with_app(
    file: &ConfigFile,
    create_key: bool,
    verb: impl AsyncFnOnce(&precordia_app::App) -> Result<ExitCode>,
) -> Result<ExitCode> {
    let config = Config::load(file.config.as_deref())?;
    logging::start(&config.log)?;
    runtime()?.block_on(async {
        let app = wiring::open(&config, create_key).await?;
        let code = verb(&app).await;
        app.alarms().attend().await;
        let code = code?;
        // What a verb wrote is witnessed with it; a server looks at its own writing only.
        if let Err(cause) = app.checkpoint_grown().await {
            words(&format!("warning: the checkpoint could not be written: {cause}"));
        }
        Ok(code)
    })
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
