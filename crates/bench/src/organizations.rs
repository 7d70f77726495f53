//! Many organizations on one program: how long one that nobody used for a while takes to answer, and what
//! they all cost in memory and open files.
//!
//! An answer is what a signed-in administrator gets who asks for the users of their organization: the
//! session is looked up, keys are unwrapped, names opened, and a row of the access log committed. Every
//! organization is asked in turn, so that each was closed again when its turn comes.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use precordia_app::Stop;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use zeroize::Zeroizing;

use crate::figures::{Figures, percentile};
use crate::house::House;
use crate::memory::{memory_mb, open_files};

/// More than are open at once, or none would be cold.
const COUNT_MIN: usize = 100;
const COUNT_MAX: usize = 20_000;
/// Who asks at the same time in the second round.
const AT_ONCE: usize = 8;

/// What is measured.
#[derive(Clone, Debug, clap::Args)]
pub struct OrganizationsOptions {
    #[arg(long, default_value_t = 1000)]
    pub count: usize,
    /// Be the copy that makes the organizations in a directory for the process that started it.
    #[arg(long, hide = true)]
    pub make_in: Option<PathBuf>,
}

/// Measures; a copy that only makes the organizations answers `None`.
pub async fn organizations(options: OrganizationsOptions) -> Result<Option<Figures>> {
    let count = options.count;
    ensure!(
        (COUNT_MIN..=COUNT_MAX).contains(&count),
        "between {COUNT_MIN} and {COUNT_MAX} organizations can be measured"
    );
    if let Some(dir) = &options.make_in {
        return make(dir, count).await.map(|()| None);
    }
    let dir = tempfile::tempdir()?;
    let making = Instant::now();
    let cookies = Arc::new(made(dir.path(), count).await?);
    let made_seconds = making.elapsed().as_secs_f64();

    // With its workers and checkpoints, as a server has them.
    let house = Arc::new(House::open(dir.path(), None).await?);
    let stop = Stop::default();
    let workers = tokio::spawn({
        let (app, stop) = (house.app.clone(), stop.clone());
        async move { app.work(&stop).await }
    });
    let mut files = open_files()?;
    let mut alone_ms = Vec::with_capacity(count);
    for cookie in cookies.iter() {
        alone_ms.push(answer(&house, cookie).await?);
        files = files.max(open_files()?);
    }
    let mut together_ms = Vec::with_capacity(count);
    let mut tasks = tokio::task::JoinSet::new();
    for share in 0..AT_ONCE {
        let (house, cookies) = (Arc::clone(&house), Arc::clone(&cookies));
        tasks.spawn(async move {
            let mut times_ms = Vec::new();
            let mut files = 0;
            for cookie in cookies.iter().skip(share).step_by(AT_ONCE) {
                times_ms.push(answer(&house, cookie).await?);
                files = files.max(open_files()?);
            }
            anyhow::Ok((times_ms, files))
        });
    }
    while let Some(done) = tasks.join_next().await {
        let (times_ms, seen) = done??;
        together_ms.extend(times_ms);
        files = files.max(seen);
    }
    let start = Instant::now();
    house.app.checkpoint_all().await?;
    let checkpoint_seconds = start.elapsed().as_secs_f64();
    files = files.max(open_files()?);
    stop.now();
    workers.await?;

    let mut figures = Figures::new("organizations");
    figures.value("organizations", count as f64);
    figures.value("made_per_second", count as f64 / made_seconds);
    for (how, mut times_ms) in [("one_at_a_time", alone_ms), ("eight_at_once", together_ms)] {
        times_ms.sort_by(f64::total_cmp);
        for (name, share) in [("median", 0.5), ("p99", 0.99), ("worst", 1.0)] {
            let value = percentile(&times_ms, share);
            figures.value(format!("cold_answer_ms_{name}_{how}"), value);
        }
    }
    figures.value("checkpoint_of_all_seconds", checkpoint_seconds);
    figures.value("open_files_most", files as f64);
    figures.value("memory_mb_peak", memory_mb("VmHWM")?);
    figures.limited_by = String::from(
        "opening a file, checking its migrations and preparing statements; a closed one is checkpointed",
    );
    Ok(Some(figures))
}

/// Makes organizations and tells the sessions of their administrators.
async fn make(dir: &Path, count: usize) -> Result<()> {
    let house = House::open(dir, None).await?;
    let mut cookies = Vec::with_capacity(count);
    for number in 0..count {
        let cookie = house.organization(&format!("org-{number}")).await?;
        cookies.push(String::clone(&cookie));
    }
    let text = serde_json::to_string(&cookies)?;
    let mut output = tokio::io::stdout();
    output.write_all(text.as_bytes()).await?;
    Ok(output.flush().await?)
}

/// [`make`] in another process: a thousand password hashes leave memory behind that this one would be
/// blamed for.
async fn made(dir: &Path, count: usize) -> Result<Vec<Zeroizing<String>>> {
    let program = std::env::current_exe().context("could not find this program's file")?;
    let output = Command::new(program)
        .args(["bench", "organizations", "--count", &count.to_string(), "--make-in"])
        .arg(dir)
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .context("could not start a second process")?;
    ensure!(output.status.success(), "the second process ended with {}", output.status);
    let cookies: Vec<String> = serde_json::from_slice(&output.stdout)?;
    Ok(cookies.into_iter().map(Zeroizing::new).collect())
}

/// How long an answer took, in milliseconds.
async fn answer(house: &House, cookie: &Zeroizing<String>) -> Result<f64> {
    let start = Instant::now();
    let scope = house.scope(cookie).await?;
    let users = house.app.users(&scope).await?;
    ensure!(users.len() == 1, "an organization has {} users", users.len());
    Ok(start.elapsed().as_secs_f64() * 1000.0)
}
