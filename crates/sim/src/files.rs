//! The storage's own files on a simulated disk.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use precordia_store::{Files, OpenFile};

use crate::disk::{Disk, HandleId, Inode, Life, Synced, Trouble};
use crate::plant::Plant;
use crate::vfs;

/// The files as one life of the program sees them.
pub struct SimFiles {
    disk: Arc<Disk>,
    life: Life,
}

impl SimFiles {
    pub fn new(disk: &Arc<Disk>) -> Self {
        Self { disk: Arc::clone(disk), life: disk.life() }
    }

    fn opened(&self, path: &Path, new: bool) -> io::Result<Box<dyn OpenFile>> {
        let inode = self.disk.open(self.life, path, true, new).map_err(failed)?;
        let handle = self.disk.hold();
        Ok(Box::new(SimFile { disk: Arc::clone(&self.disk), life: self.life, inode, handle }))
    }

    fn inode(&self, path: &Path) -> io::Result<Inode> {
        self.disk.open(self.life, path, false, false).map_err(failed)
    }
}

fn failed(trouble: Trouble) -> io::Error {
    io::Error::from(match trouble {
        Trouble::Dead => io::ErrorKind::BrokenPipe,
        Trouble::Io => io::ErrorKind::Other,
        Trouble::Full => io::ErrorKind::StorageFull,
        Trouble::NotFound => io::ErrorKind::NotFound,
        Trouble::Exists => io::ErrorKind::AlreadyExists,
    })
}

impl Files for SimFiles {
    fn vfs(&self) -> Option<&str> {
        Some(vfs::NAME)
    }

    fn are_in_memory(&self) -> bool {
        true
    }

    fn is_dir(&self, path: &Path) -> bool {
        self.disk.is_dir(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.disk.exists(self.life, path).map_err(failed)
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.make_dir(self.life, dir).map_err(failed)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.sync_dir(self.life, dir).map_err(failed)
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        self.opened(path, false)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        self.opened(path, true)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.link(self.life, from, to).map_err(failed)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(self.life, path).map_err(failed)
    }

    fn size(&self, path: &Path) -> io::Result<u64> {
        let inode = self.inode(path)?;
        Ok(self.disk.size(self.life, inode).map_err(failed)? as u64)
    }

    /// Nothing is ever stale on this disk.
    fn written_at(&self, _: &Path) -> io::Result<SystemTime> {
        Ok(SystemTime::now())
    }

    fn read(&self, path: &Path, offset: u64, length: u32) -> io::Result<Vec<u8>> {
        let inode = self.inode(path)?;
        let size = self.disk.size(self.life, inode).map_err(failed)?;
        let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(size);
        let mut bytes = vec![0; (size - offset).min(length as usize)];
        self.disk.read(self.life, inode, offset, &mut bytes).map_err(failed)?;
        Ok(bytes)
    }

    fn rewrite(&self, path: &Path) -> io::Result<()> {
        let plant = self.disk.plant();
        let inode = match self.disk.open(self.life, path, false, false) {
            Err(Trouble::NotFound) => return Ok(()),
            _ if plant == Some(Plant::RecoveredUnsynced) => return Ok(()),
            opened => opened.map_err(failed)?,
        };
        if plant != Some(Plant::RecoveredTrusted) {
            self.disk.write_again(self.life, inode).map_err(failed)?;
        }
        self.disk.sync(self.life, inode, Synced::Recovered).map_err(failed)
    }

    fn entries(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        self.disk.entries(self.life, dir).map_err(failed)
    }
}

struct SimFile {
    disk: Arc<Disk>,
    life: Life,
    inode: Inode,
    handle: HandleId,
}

impl OpenFile for SimFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.disk.append(self.life, self.inode, bytes).map_err(failed)
    }

    fn sync_all(&mut self) -> io::Result<()> {
        self.disk.sync(self.life, self.inode, Synced::Plain).map_err(failed)
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        self.disk.let_go(self.life, self.inode, self.handle);
    }
}
