//! `org apply` and `org key rotate`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use precordia_app::{App, OrganizationSpec};

use crate::output::{data, words};

pub async fn apply(app: &App, file: &Path) -> Result<ExitCode> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("could not read `{}`", file.display()))?;
    let spec: OrganizationSpec = toml::from_str(&text)
        .with_context(|| format!("`{}` is not a valid organization", file.display()))?;
    let applied = app.apply_organization(&app.local_operator(), &spec).await?;
    if applied.changes.is_empty() {
        words("nothing to change");
    }
    applied.changes.iter().for_each(|change| words(change));
    data(&format!("organization {} {}", applied.organization.slug, applied.organization.id));
    for site in &applied.sites {
        data(&format!("site {} {}", site.id, site.name));
    }
    if let Some(code) = applied.setup_code {
        words("The first administrator signs up at /setup with this code. It is shown once:");
        data(&format!("setup-code {}", &*code));
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn rotate_key(app: &App, slug: &str) -> Result<ExitCode> {
    let rotated = app.rotate_organization_key(slug).await?;
    words(&format!("a new key is in force; {} keys were wrapped anew", rotated.rewrapped));
    Ok(ExitCode::SUCCESS)
}
