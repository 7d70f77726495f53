//! Backups in a directory, which belongs on another disk or machine.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use precordia_app::port::{BlobWriter, StoreError, Vault};

use crate::blob::remove_stale_parts;
use crate::directories::{ensure, run};
use crate::files::{Files, LocalFiles, OpenFile};

/// What is being written lies here until it is whole.
const PARTS: &str = ".parts";

struct DirectoryVault {
    files: Arc<dyn Files>,
    dir: PathBuf,
    /// Tells the parts of this process from each other.
    written: AtomicU64,
    /// Folders whose own entries this process has synced; there are few, a window of originals is three days.
    made: Arc<Mutex<HashSet<PathBuf>>>,
}

/// A vault in `dir`, which must lie apart from each of `others`. It is made when the first file is.
pub fn vault_in(dir: &Path, others: &[&Path]) -> Result<Arc<dyn Vault>, StoreError> {
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let own = whole(dir);
    for other in others {
        let other = whole(other);
        if own.starts_with(&other) || other.starts_with(&own) {
            let message = format!("`{}` and `{}` must be apart", dir.display(), other.display());
            return Err(StoreError::Failed { context: "placing a backup", message });
        }
    }
    Ok(vault_on(Arc::new(LocalFiles), dir))
}

/// A vault on other files than the machine's own.
pub fn vault_on(files: Arc<dyn Files>, dir: &Path) -> Arc<dyn Vault> {
    let (written, made) = (AtomicU64::new(0), Arc::default());
    Arc::new(DirectoryVault { files, dir: dir.to_owned(), written, made })
}

impl DirectoryVault {
    /// No part of a name leads out of the directory.
    fn path(&self, name: &str) -> Result<PathBuf, StoreError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_plain = |part: &str| !part.is_empty() && part.chars().all(plain);
        if !name.split('/').all(is_plain) {
            let message = format!("`{name}` is not a name of a backup's file");
            return Err(StoreError::Failed { context: "naming a backup's file", message });
        }
        Ok(self.dir.join(name))
    }
}

#[async_trait]
impl Vault for DirectoryVault {
    async fn create(&self, name: &str) -> Result<Box<dyn BlobWriter>, StoreError> {
        let path = self.path(name)?;
        let (files, dir) = (Arc::clone(&self.files), self.dir.clone());
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let part = format!("{}-{number}", std::process::id());
        let made = Arc::clone(&self.made);
        let writer = run("creating a backup's file", move || {
            let parent = path.parent().unwrap_or(&dir).to_owned();
            let parts = dir.join(PARTS);
            for folder in [&parent, &parts] {
                let known = || made.lock().unwrap_or_else(PoisonError::into_inner);
                if !known().contains(folder) {
                    ensure(&*files, &dir, folder)?;
                    known().insert(folder.clone());
                }
            }
            if number == 0 {
                remove_stale_parts(&*files, &parts)?;
            }
            let part = parts.join(part);
            // Of an earlier process with the same number.
            let _ = files.remove(&part);
            let created = files.create(&part);
            if created.is_err() {
                forget(&made);
            }
            Ok(Writer { files, made, parent, part, path, file: Some(created?) })
        });
        Ok(Box::new(writer.await?))
    }

    async fn read(
        &self,
        name: &str,
        offset: u64,
        length: u32,
    ) -> Result<Option<Bytes>, StoreError> {
        let (files, path) = (Arc::clone(&self.files), self.path(name)?);
        run("reading a backup", move || match files.read(&path, offset, length) {
            Ok(bytes) => Ok(Some(Bytes::from(bytes))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        })
        .await
    }

    async fn list(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        let path = if folder.is_empty() { self.dir.clone() } else { self.path(folder)? };
        let files = Arc::clone(&self.files);
        run("listing a backup", move || {
            let entries = match files.entries(&path) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                entries => entries?,
            };
            let names = entries.iter().filter_map(|path| path.file_name()?.to_str());
            let mut names: Vec<String> =
                names.filter(|name| !name.contains('.')).map(str::to_owned).collect();
            names.sort_unstable();
            Ok(names)
        })
        .await
    }

    async fn remove(&self, name: &str) -> Result<(), StoreError> {
        let (files, path) = (Arc::clone(&self.files), self.path(name)?);
        run("removing a backup's file", move || match files.remove(&path) {
            Ok(()) => files.sync_dir(path.parent().unwrap_or(Path::new("."))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(e),
        })
        .await
    }
}

/// Another disk may have been mounted in the place: then the folders are made again.
fn forget(made: &Mutex<HashSet<PathBuf>>) {
    made.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

/// A file that is being written. Dropped unfinished, it removes what it wrote.
struct Writer {
    files: Arc<dyn Files>,
    made: Arc<Mutex<HashSet<PathBuf>>>,
    parent: PathBuf,
    part: PathBuf,
    path: PathBuf,
    file: Option<Box<dyn OpenFile>>,
}

fn gone(context: &'static str) -> StoreError {
    let message = String::from("an earlier write failed or was cancelled");
    StoreError::Failed { context, message }
}

#[async_trait]
impl BlobWriter for Writer {
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        let context = "writing a backup";
        let mut file = self.file.take().ok_or_else(|| gone(context))?;
        self.file = Some(run(context, move || file.write_all(&bytes).map(|()| file)).await?);
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<(), StoreError> {
        let context = "finishing a backup's file";
        let mut file = self.file.take().ok_or_else(|| gone(context))?;
        run(context, move || {
            file.sync_all()?;
            match self.files.link(&self.part, &self.path) {
                Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {
                    forget(&self.made);
                    return Err(e);
                }
                _ => {}
            }
            self.files.sync_dir(&self.parent)
        })
        .await
    }

    async fn abandon(self: Box<Self>) {
        let removed = run("abandoning a backup's file", move || {
            drop(self);
            Ok(())
        });
        let _ = removed.await;
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.files.remove(&self.part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn put(vault: &dyn Vault, name: &str, text: &'static str) -> Result<(), StoreError> {
        let mut writer = vault.create(name).await?;
        writer.write(Bytes::from(text)).await?;
        writer.finish().await
    }

    async fn text(vault: &dyn Vault, name: &str) -> Option<Bytes> {
        vault.read(name, 0, 100).await.unwrap()
    }

    #[tokio::test]
    async fn a_file_is_whole_or_not_there_and_stays_as_it_was_written_first() {
        let dir = tempfile::tempdir().unwrap();
        let vault = vault_in(&dir.path().join("vault"), &[]).unwrap();
        assert_eq!(vault.list("").await.unwrap(), Vec::<String>::new());
        let mut writer = vault.create("a/b").await.unwrap();
        writer.write(Bytes::from("half")).await.unwrap();
        assert_eq!((text(&*vault, "a/b").await, vault.list("a").await.unwrap()), (None, vec![]));
        drop(writer);
        put(&*vault, "a/b", "first").await.unwrap();
        put(&*vault, "a/b", "second").await.unwrap();
        put(&*vault, "a/c", "third").await.unwrap();
        assert_eq!(text(&*vault, "a/b").await.unwrap(), "first");
        assert_eq!(vault.read("a/b", 3, 100).await.unwrap().unwrap(), "st");
        assert_eq!(vault.list("a").await.unwrap(), ["b", "c"]);
        assert_eq!(vault.list("").await.unwrap(), ["a"]);
        for _ in 0..2 {
            vault.remove("a/b").await.unwrap();
        }
        assert_eq!(vault.list("a").await.unwrap(), ["c"]);
        let parts = std::fs::read_dir(dir.path().join("vault").join(PARTS)).unwrap();
        assert_eq!(parts.count(), 0, "no part is left");
    }

    #[tokio::test]
    async fn no_name_leads_out_of_the_place() {
        let dir = tempfile::tempdir().unwrap();
        let vault = vault_in(&dir.path().join("vault"), &[]).unwrap();
        for name in ["", "/", "..", "a/../b", "/etc/passwd", "a//b", "A", "a b", ".parts/x", "a."] {
            assert!(vault.create(name).await.is_err(), "{name}");
            assert!(vault.read(name, 0, 1).await.is_err(), "{name}");
            assert!(vault.remove(name).await.is_err(), "{name}");
        }
        for (own, other) in [("data/vault", "data"), ("data", "data/vault"), ("data", "data")] {
            let other = dir.path().join(other);
            assert!(vault_in(&dir.path().join(own), &[&other]).is_err(), "{own}");
        }
    }

    #[tokio::test]
    async fn a_place_that_was_emptied_is_made_again() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("vault");
        let vault = vault_in(&place, &[]).unwrap();
        put(&*vault, "a/b", "first").await.unwrap();
        std::fs::remove_dir_all(&place).unwrap();
        assert!(put(&*vault, "a/b", "again").await.is_err());
        put(&*vault, "a/b", "again").await.unwrap();
        std::fs::remove_dir_all(place.join("a")).unwrap();
        assert!(put(&*vault, "a/b", "again").await.is_err());
        put(&*vault, "a/b", "again").await.unwrap();
        assert_eq!(text(&*vault, "a/b").await.unwrap(), "again");
    }
}
