//! Directories and files that only this user reads, made so that a power cut does not undo them.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use precordia_app::port::StoreError;
use tokio::task::spawn_blocking;

/// Creates a directory and those above it.
pub(crate) async fn create(dir: &Path) -> Result<(), StoreError> {
    let dir = dir.to_owned();
    run("creating a directory", move || create_now(&dir)).await
}

/// Creates an empty file below `base`, and its directories, unless they are there.
pub(crate) async fn create_file(base: &Path, path: &Path) -> Result<(), StoreError> {
    let (base, path) = (base.to_owned(), path.to_owned());
    run("creating a database file", move || {
        let dir = path.parent().unwrap_or(&base);
        ensure(&base, dir)?;
        OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?.sync_all()?;
        sync(dir)
    })
    .await
}

/// Creates what is missing of `dir` below `base`, which is created as well.
///
/// Every entry below `base` is synced even if it was there: whoever made it may not have come to that.
pub(crate) fn ensure(base: &Path, dir: &Path) -> io::Result<()> {
    match dir.parent() {
        Some(parent) if dir != base && dir.starts_with(base) => {
            ensure(base, parent)?;
            make(dir)?;
            sync(parent)
        }
        _ => create_now(dir),
    }
}

fn create_now(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        create_now(parent)?;
    }
    make(dir)?;
    sync(parent.unwrap_or(Path::new(".")))
}

fn make(dir: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
        done => done,
    }
}

/// Puts the entries of a directory on stable storage.
pub(crate) fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// File work, off the runtime's threads.
pub(crate) async fn run<T: Send + 'static>(
    context: &'static str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    match spawn_blocking(work).await {
        Ok(done) => done.map_err(|e| failed(context, &e)),
        Err(_) => Err(StoreError::Failed { context, message: "the file thread stopped".into() }),
    }
}

pub(crate) fn failed(context: &'static str, error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full { context },
        _ => StoreError::Failed { context, message: error.to_string() },
    }
}
