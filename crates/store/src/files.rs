//! The files under the data directory, as this storage uses them.
//!
//! In production this is the machine's own file system. It is a trait so that the same storage can be run
//! on one that forgets what was never synced (`crates/sim`).

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Everything is made for this user only. Nothing is durable before it was synced: content by the file's
/// own sync, a name by its directory's.
pub trait Files: Send + Sync {
    /// The SQLite VFS that reaches the same files; `None` for SQLite's own.
    fn vfs(&self) -> Option<&str>;

    /// Nothing waits for a device: what is done with these files may be done on the caller's thread.
    fn are_in_memory(&self) -> bool;

    fn is_dir(&self, path: &Path) -> bool;

    fn exists(&self, path: &Path) -> io::Result<bool>;

    /// `AlreadyExists` when something has that name.
    fn make_dir(&self, dir: &Path) -> io::Result<()>;

    /// Puts the entries of a directory on stable storage.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// An existing file or a new, empty one.
    fn open(&self, path: &Path) -> io::Result<Box<dyn OpenFile>>;

    /// `AlreadyExists` when something has that name.
    fn create(&self, path: &Path) -> io::Result<Box<dyn OpenFile>>;

    /// A second name; never replaces what is there.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;

    fn remove(&self, path: &Path) -> io::Result<()>;

    fn size(&self, path: &Path) -> io::Result<u64>;

    fn written_at(&self, path: &Path) -> io::Result<SystemTime>;

    /// At most `length` bytes from `offset`; shorter only at the end.
    fn read(&self, path: &Path, offset: u64, length: u32) -> io::Result<Vec<u8>>;

    /// Writes what a file holds once more in its place, and syncs it; nothing when there is no such file.
    ///
    /// A sync alone does not make durable what is read: after one that failed, the system shows pages that
    /// the disk does not have and that no later sync writes.
    fn rewrite(&self, path: &Path) -> io::Result<()>;

    fn entries(&self, dir: &Path) -> io::Result<Vec<PathBuf>>;
}

/// A file that is being written, at its end.
pub trait OpenFile: Send {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Puts the content on stable storage.
    fn sync_all(&mut self) -> io::Result<()>;
}

const REWRITTEN_AT_ONCE: usize = 256 * 1024;

/// The machine's own file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalFiles;

impl Files for LocalFiles {
    fn vfs(&self) -> Option<&str> {
        None
    }

    fn are_in_memory(&self) -> bool {
        false
    }

    fn is_dir(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        path.try_exists()
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        DirBuilder::new().mode(0o700).create(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        let mut options = OpenOptions::new();
        Ok(Box::new(LocalFile(options.append(true).create(true).mode(0o600).open(path)?)))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        let mut options = OpenOptions::new();
        Ok(Box::new(LocalFile(options.write(true).create_new(true).mode(0o600).open(path)?)))
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn size(&self, path: &Path) -> io::Result<u64> {
        Ok(fs::metadata(path)?.len())
    }

    fn written_at(&self, path: &Path) -> io::Result<SystemTime> {
        fs::metadata(path)?.modified()
    }

    fn read(&self, path: &Path, offset: u64, length: u32) -> io::Result<Vec<u8>> {
        let file = File::open(path)?;
        let left = file.metadata()?.len().saturating_sub(offset);
        let length = usize::try_from(left.min(u64::from(length))).unwrap_or(usize::MAX);
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }

    fn rewrite(&self, path: &Path) -> io::Result<()> {
        let file = match OpenOptions::new().read(true).write(true).open(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        let mut chunk = vec![0; REWRITTEN_AT_ONCE];
        let mut at = 0;
        loop {
            match file.read_at(&mut chunk, at) {
                Ok(0) => return file.sync_all(),
                Ok(got) => {
                    file.write_all_at(&chunk[..got], at)?;
                    at += got as u64;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    fn entries(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.path())).collect()
    }
}

struct LocalFile(File);

impl OpenFile for LocalFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn sync_all(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_written_again_is_what_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        LocalFiles.rewrite(&path).unwrap();
        assert!(!path.exists());
        for length in [0, 1, REWRITTEN_AT_ONCE, 2 * REWRITTEN_AT_ONCE + 7] {
            let content: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            fs::write(&path, &content).unwrap();
            LocalFiles.rewrite(&path).unwrap();
            assert_eq!(fs::read(&path).unwrap(), content);
        }
    }
}
