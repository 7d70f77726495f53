//! From a configuration to a running application.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use precordia_app::App;
use precordia_app::port::{MasterKey, Ports, Witness};
use precordia_store::Store;

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
    Ok(put_together(&store, master, witness))
}

/// For proof alone, which needs no key that opens anything. Says whether the master key is there.
pub async fn open_to_verify(config: &Config) -> Result<(App, bool)> {
    config.check()?;
    let has_master = config.keys.master_env.is_some() || config.master_file().exists();
    let master = match has_master {
        true => master(config, false)?,
        false => precordia_store::master_absent(),
    };
    let witness = precordia_store::witness_of(&config.witness_dir());
    let ports = put_together(&store(config).await?, master, witness);
    Ok((App::new(ports, config.settings()), has_master))
}

async fn store(config: &Config) -> Result<Arc<Store>> {
    match config.storage.engine {
        Engine::Sqlite => {
            let mut options = precordia_store::SqliteOptions::new(&config.data_dir);
            if let Some(max) = config.storage.organizations_open_max {
                options.organizations_open_max = max;
            }
            precordia_store::open_sqlite(options).await
        }
        Engine::Postgres => {
            let url = config.storage.url.as_deref().context("storage.url is not set")?;
            let mut options = precordia_store::PostgresOptions::new(url, &config.data_dir);
            options.tls_ca_file.clone_from(&config.storage.tls_ca_file);
            precordia_store::open_postgres(options).await
        }
    }
    .with_context(|| format!("could not open the storage in `{}`", config.data_dir.display()))
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
