//! What this process holds, as Linux tells it.

use anyhow::{Context, Result};

/// What was needed to prepare is not what is measured. Where this cannot be done, the peak is higher.
pub(crate) fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// A line of `/proc/self/status`, which counts in kB.
pub(crate) fn memory_mb(name: &str) -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kilobytes = line.and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok());
    Ok(kilobytes.with_context(|| format!("`{name}` is not known here"))? / 1024.0)
}

/// Files, sockets and whatever else is open.
pub(crate) fn open_files() -> Result<usize> {
    Ok(std::fs::read_dir("/proc/self/fd").context("open files are not known here")?.count())
}
