//! What follows when a sync fails: nothing more is written, and whoever runs the storage is told.
//!
//! The system forgets what it could not write. The pages count as clean, so the next sync answers well and
//! the disk still lacks them, while every reader sees them. Trying again would be a lie; so would going on
//! (`docs/decisions/0007-failed-sync.md`).

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use crate::files::{Files, OpenFile};

/// Told once, with what failed, before anybody else can write. Ending the process is what it is for.
#[derive(Clone)]
pub struct SyncAlarm(Arc<dyn Fn(&str) + Send + Sync>);

impl SyncAlarm {
    pub fn new(tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }
}

/// Tells nobody: writing ends all the same.
impl Default for SyncAlarm {
    fn default() -> Self {
        Self::new(|_| ())
    }
}

impl fmt::Debug for SyncAlarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SyncAlarm(…)")
    }
}

/// Whether every sync of this storage has done what it was asked to.
#[derive(Clone, Debug)]
pub(crate) struct Syncs {
    failed: Arc<OnceLock<String>>,
    alarm: SyncAlarm,
}

impl Syncs {
    pub(crate) fn new(alarm: SyncAlarm) -> Self {
        Self { failed: Arc::default(), alarm }
    }

    /// Takes note of a failure. The first one is told.
    pub(crate) fn fail(&self, what: String) {
        if self.failed.set(what).is_ok() {
            (self.alarm.0)(self.failure().unwrap_or_default());
        }
    }

    /// The first failure. Once there is one, nobody may write.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.failed.get().map(String::as_str)
    }

    fn watched(&self, path: &Path, sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        if let Some(failure) = self.failure() {
            return Err(io::Error::other(failure.to_owned()));
        }
        let done = sync();
        if let Err(cause) = &done {
            self.fail(format!("`{}` could not be synced: {cause}", path.display()));
        }
        done
    }
}

/// Files whose syncs are watched.
pub(crate) struct WatchedFiles {
    pub(crate) files: Arc<dyn Files>,
    pub(crate) syncs: Syncs,
}

impl WatchedFiles {
    fn watched(&self, path: &Path, file: Box<dyn OpenFile>) -> Box<dyn OpenFile> {
        Box::new(WatchedFile { file, path: path.to_owned(), syncs: self.syncs.clone() })
    }
}

impl Files for WatchedFiles {
    fn vfs(&self) -> Option<&str> {
        self.files.vfs()
    }

    fn are_in_memory(&self) -> bool {
        self.files.are_in_memory()
    }

    fn is_dir(&self, path: &Path) -> bool {
        self.files.is_dir(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.files.exists(path)
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        self.files.make_dir(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.syncs.watched(dir, || self.files.sync_dir(dir))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        Ok(self.watched(path, self.files.open(path)?))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        Ok(self.watched(path, self.files.create(path)?))
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.files.link(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.files.remove(path)
    }

    fn size(&self, path: &Path) -> io::Result<u64> {
        self.files.size(path)
    }

    fn written_at(&self, path: &Path) -> io::Result<SystemTime> {
        self.files.written_at(path)
    }

    fn read(&self, path: &Path, offset: u64, length: u32) -> io::Result<Vec<u8>> {
        self.files.read(path, offset, length)
    }

    /// Not watched: nobody stands on it yet, and who tries again writes everything again.
    fn rewrite(&self, path: &Path) -> io::Result<()> {
        self.files.rewrite(path)
    }

    fn entries(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        self.files.entries(dir)
    }
}

struct WatchedFile {
    file: Box<dyn OpenFile>,
    path: PathBuf,
    syncs: Syncs,
}

impl OpenFile for WatchedFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    fn sync_all(&mut self) -> io::Result<()> {
        self.syncs.watched(&self.path, || self.file.sync_all())
    }
}
