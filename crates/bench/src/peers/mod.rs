//! Independent programs on the same files in the same run: their figures are ratios to ours, which
//! hold on a noisy machine where times do not.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

const SCRIPT: &str = include_str!("ecg.py");

/// Runs the Python peers of an environment that has them (`scripts/bench-requirements.txt`).
pub(crate) fn ecg(python: &Path, files: &[Vec<u8>], seconds: f64) -> Result<Vec<(String, f64)>> {
    let folder = tempfile::tempdir().context("no place for the peers' files")?;
    let mut command = Command::new(python);
    command.args(["-c", SCRIPT, &seconds.to_string()]);
    for (number, bytes) in files.iter().enumerate() {
        let path = folder.path().join(format!("{number}.dcm"));
        std::fs::write(&path, bytes)?;
        command.arg(path);
    }
    let output =
        command.output().with_context(|| format!("`{}` could not be started", python.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() || !said.trim().is_empty() {
        bail!("a peer could not run: {}", said.trim());
    }
    let figures: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&output.stdout).context("the peers' figures cannot be read")?;
    Ok(figures.into_iter().filter_map(|(name, value)| Some((name, value.as_f64()?))).collect())
}
