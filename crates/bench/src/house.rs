//! The whole program on storage of its own, and organizations in it.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use precordia_app::access::OrgScope;
use precordia_app::port::Ports;
use precordia_app::{App, OrganizationSpec, Settings};
use precordia_store::{PostgresOptions, SqliteOptions};
use zeroize::Zeroizing;

const ADMINISTRATOR: &str = "bench-admin";

/// Wraps the keys of every measurement on a PostgreSQL server, whose tables outlive the directory. With a key
/// of each run's own the second one could not open the control ledger of the first. It keeps no secret: there
/// is nothing in those tables but what measurements made, and an installation's own are refused.
const MASTER_KEY: &[u8; 32] = b"known to all, keeps measurements";

pub(crate) struct House {
    pub(crate) ports: Ports,
    pub(crate) app: App,
}

impl House {
    /// Keys and originals in the directory; tables there as well, or on a PostgreSQL server.
    pub(crate) async fn open(dir: &Path, postgres: Option<&str>) -> Result<Self> {
        let data = dir.join("data");
        let master_key = dir.join("master.key");
        if postgres.is_some() && !master_key.exists() {
            let mut file = File::options();
            let mut file = file.write(true).create_new(true).mode(0o600).open(&master_key)?;
            file.write_all(MASTER_KEY)?;
        }
        let store = match postgres {
            None => precordia_store::open_sqlite(SqliteOptions::new(&data)).await?,
            Some(server) => {
                precordia_store::open_postgres(PostgresOptions::new(server, &data)).await?
            }
        };
        let ports = precordia_store::ports(
            &store,
            precordia_store::master_from_file(&master_key, true)?,
            precordia_store::witness_in(&dir.join("witness"), &data).await?,
            Arc::new(precordia_store::SystemClock),
            Arc::new(precordia_store::SecureRandom),
        );
        Ok(Self { app: App::new(ports.clone(), Settings::default()), ports })
    }

    /// A fresh organization, and the session of its administrator.
    pub(crate) async fn organization(&self, slug: &str) -> Result<Zeroizing<String>> {
        let spec = OrganizationSpec { slug: slug.into(), name: "Bench".into(), sites: Vec::new() };
        let applied = self.app.apply_organization(&self.app.local_operator(), &spec).await?;
        let code = applied.setup_code.context("a fresh organization has a set-up code")?;
        let signed_in = self.app.set_up(slug, &code, ADMINISTRATOR, "Bench", password()).await?;
        Ok(signed_in.cookie)
    }

    /// Another session of the administrator, from another process.
    pub(crate) async fn sign_in(&self, slug: &str) -> Result<Zeroizing<String>> {
        let signed_in = self.app.sign_in(slug, ADMINISTRATOR, password(), "bench").await;
        Ok(signed_in.ok().context("the administrator was not let in")?.cookie)
    }

    pub(crate) async fn scope(&self, cookie: &str) -> Result<OrgScope> {
        let session = self.app.session(cookie, self.app.new_request()).await?;
        Ok(session.context("a fresh session is valid")?.scope)
    }
}

fn password() -> Zeroizing<String> {
    Zeroizing::new(String::from("only-for-this-bench"))
}
