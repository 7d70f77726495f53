//! Directories and files that only this user reads, made so that a power cut does not undo them.

use std::io;
use std::path::Path;
use std::sync::Arc;

use precordia_app::port::StoreError;
use tokio::task::spawn_blocking;

use crate::files::{Files, LocalFiles};

/// Creates a directory of this machine and those above it.
pub(crate) async fn create(dir: &Path) -> Result<(), StoreError> {
    let dir = dir.to_owned();
    run("creating a directory", move || create_now(&LocalFiles, &dir)).await
}

/// Creates an empty file below `base`, and its directories, unless they are there.
pub(crate) async fn create_file(
    files: &Arc<dyn Files>,
    base: &Path,
    path: &Path,
) -> Result<(), StoreError> {
    let (base, path) = (base.to_owned(), path.to_owned());
    run_on(files, "creating a database file", move |files| {
        let dir = path.parent().unwrap_or(&base);
        ensure(files, &base, dir)?;
        files.open(&path)?.sync_all()?;
        files.sync_dir(dir)
    })
    .await
}

/// Creates what is missing of `dir` below `base`, which is created as well.
///
/// Every entry below `base` is synced even if it was there: whoever made it may not have come to that.
pub(crate) fn ensure(files: &dyn Files, base: &Path, dir: &Path) -> io::Result<()> {
    match dir.parent() {
        Some(parent) if dir != base && dir.starts_with(base) => {
            ensure(files, base, parent)?;
            make(files, dir)?;
            files.sync_dir(parent)
        }
        _ => create_now(files, dir),
    }
}

fn create_now(files: &dyn Files, dir: &Path) -> io::Result<()> {
    if files.is_dir(dir) {
        return Ok(());
    }
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        create_now(files, parent)?;
    }
    make(files, dir)?;
    files.sync_dir(parent.unwrap_or(Path::new(".")))
}

fn make(files: &dyn Files, dir: &Path) -> io::Result<()> {
    match files.make_dir(dir) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && files.is_dir(dir) => Ok(()),
        done => done,
    }
}

/// Puts the entries of a directory of this machine on stable storage.
pub(crate) fn sync(dir: &Path) -> io::Result<()> {
    LocalFiles.sync_dir(dir)
}

/// The same on other files: off the runtime's threads, unless nothing waits there.
pub(crate) async fn run_on<T: Send + 'static>(
    files: &Arc<dyn Files>,
    context: &'static str,
    work: impl FnOnce(&dyn Files) -> io::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    if files.are_in_memory() {
        return work(&**files).map_err(|e| failed(context, &e));
    }
    let files = Arc::clone(files);
    run(context, move || work(&*files)).await
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
