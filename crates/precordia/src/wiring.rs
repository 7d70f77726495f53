//! From a configuration to a running application.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use precordia_app::App;
use precordia_app::port::{MasterKey, Notifier, Ports, Vaults, Witness};
use precordia_store::{Store, SyncAlarm};

use crate::config::{Config, Engine};

/// What the adapters need, opened.
pub async fn open(config: &Config, create_key: bool) -> Result<App> {
    Ok(App::new(ports(config, create_key).await?, config.settings()))
}

/// What [`open`] puts together, for somebody who needs the parts as well.
pub async fn ports(config: &Config, create_key: bool) -> Result<Ports> {
    let store = store(config).await?;
    if create_key {
        make_private_parent(&config.master_file())?;
    }
    let master = master(config, create_key)?;
    // Only those who write need a witness to write to; a verifier must not make one.
    let witness = match create_key {
        true => precordia_store::witness_in(&config.witness_dir(), &config.data_dir).await?,
        false => precordia_store::witness_of(&config.witness_dir()),
    };
    let ports = put_together(&store, master, witness);
    Ok(Ports { vaults: vaults(config)?, notifier: notifier(config)?, ..ports })
}

/// Who is told of alarms.
fn notifier(config: &Config) -> Result<Arc<dyn Notifier>> {
    Ok(Arc::new(config.alarms.open()?))
}

/// An empty storage with a witness of its own, for a restore. The master key is the one of before.
pub async fn ports_to_restore(config: &Config) -> Result<Ports> {
    let store = store(config).await?;
    let master = master(config, false)?;
    let witness = precordia_store::witness_in(&config.witness_dir(), &config.data_dir).await?;
    let ports = put_together(&store, master, witness);
    Ok(Ports { vaults: vaults(config)?, ..ports })
}

/// An embedded storage in `dir`, for a drill: the keys, the vaults and the witness are those of `ports`.
pub async fn ports_to_drill(ports: &Ports, dir: &Path) -> Result<Ports> {
    let store = precordia_store::open_sqlite(precordia_store::SqliteOptions::new(dir)).await?;
    let (master, witness) = (Arc::clone(&ports.master), Arc::clone(&ports.witness));
    let drill = put_together(&store, master, witness);
    Ok(Ports { vaults: ports.vaults.clone(), ..drill })
}

fn vaults(config: &Config) -> Result<Option<Vaults>> {
    let (Some(data), Some(keys)) = (&config.backup.data_dir, &config.backup.keys_dir) else {
        return Ok(None);
    };
    let (witness, master) = (config.witness_dir(), config.master_file());
    let master = master.parent().filter(|_| config.keys.master_env.is_none());
    let mut others: Vec<&Path> = vec![&config.data_dir, &witness];
    others.extend(master);
    let of = |dir: &Path, other: &Path| {
        let others: Vec<&Path> = others.iter().copied().chain([other]).collect();
        precordia_store::vault_in(dir, &others)
    };
    Ok(Some(Vaults { data: of(data, keys)?, keys: of(keys, data)? }))
}

/// For proof alone, which needs no key that opens anything, and the channels of alarms only if it `tells`.
/// Says whether the master key is there.
pub async fn open_to_verify(config: &Config, tells: bool) -> Result<(App, bool)> {
    config.check()?;
    let has_master = config.keys.master_env.is_some() || config.master_file().exists();
    let master = match has_master {
        true => master(config, false)?,
        false => precordia_store::master_absent(),
    };
    let witness = precordia_store::witness_of(&config.witness_dir());
    let ports = put_together(&store(config).await?, master, witness);
    let notifier = if tells { notifier(config)? } else { ports.notifier };
    let ports = Ports { notifier, ..ports };
    Ok((App::new(ports, config.settings()), has_master))
}

async fn store(config: &Config) -> Result<Arc<Store>> {
    match config.storage.engine {
        Engine::Sqlite => {
            let mut options = precordia_store::SqliteOptions::new(&config.data_dir);
            options.on_failed_sync = SyncAlarm::new(end_unsynced);
            if let Some(max) = config.storage.organizations_open_max {
                options.organizations_open_max = max;
            }
            precordia_store::open_sqlite(options).await
        }
        Engine::Postgres => {
            let url = config.storage.url.as_deref().context("storage.url is not set")?;
            let mut options = precordia_store::PostgresOptions::new(url, &config.data_dir);
            options.tls_ca_file.clone_from(&config.storage.tls_ca_file);
            options.on_failed_sync = SyncAlarm::new(end_unsynced);
            precordia_store::open_postgres(options).await
        }
    }
    .with_context(|| format!("could not open the storage in `{}`", config.data_dir.display()))
}

/// The exit code after a failed sync.
const UNSYNCED: i32 = 5;

/// Ends the program where it stands: nothing that it could still write or answer would be sure to last.
fn end_unsynced(what: &str) {
    tracing::error!(
        what,
        hint = "look at the disk and its log, then start again: what is doubtful is written once more before \
                it is used, and an organization for which that fails stays closed",
        "the disk did not take what it was given: ending"
    );
    std::process::exit(UNSYNCED);
}

fn master(config: &Config, create: bool) -> Result<Arc<dyn MasterKey>> {
    match &config.keys.master_env {
        Some(variable) => {
            let retired = config.keys.master_env_retired.as_deref();
            precordia_store::master_from_env(variable, retired)
                .context("the environment holds no master key")
        }
        None => {
            let path = config.master_file();
            precordia_store::master_from_file(&path, create)
                .with_context(|| format!("could not read the master key `{}`", path.display()))
        }
    }
}

fn put_together(
    store: &Arc<Store>,
    master: Arc<dyn MasterKey>,
    witness: Arc<dyn Witness>,
) -> Ports {
    let clock = Arc::new(precordia_store::SystemClock);
    let random = Arc::new(precordia_store::SecureRandom);
    precordia_store::ports(store, master, witness, clock, random)
}

/// The master key's directory, for this user only.
fn make_private_parent(file: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let Some(dir) = file.parent().filter(|dir| !dir.as_os_str().is_empty()) else { return Ok(()) };
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("could not make `{}`", dir.display()))
}
