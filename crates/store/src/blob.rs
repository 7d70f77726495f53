//! Sealed original bytes as files, one an object.
//!
//! `org/<organization>/blobs/<window>/<blob>`, where a window is the first five hexadecimal digits of the
//! id. Ids are time-ordered, so a window is about three days: listing in id order reads one directory
//! after the other. What is being written lies in `blobs/part` until it is whole.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use precordia_app::access::OrgScope;
use precordia_app::port::{BlobWriter, Blobs, StoreError};
use precordia_model::{BlobId, OrganizationId, Timestamp};

use crate::directories::{ensure, failed, run_on};
use crate::files::{Files, OpenFile};
use crate::store::{Store, organization_dir};

const PARTS: &str = "part";
const WINDOW_DIGITS: usize = 5;

/// A part that nobody wrote to for this long belongs to a process that died.
const PART_AGE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Where the blobs of every organization lie.
pub(crate) struct BlobRoot {
    files: Arc<dyn Files>,
    data_dir: PathBuf,
    windows: Arc<SyncedWindows>,
}

impl BlobRoot {
    pub(crate) fn new(files: Arc<dyn Files>, data_dir: &Path) -> Self {
        Self { files, data_dir: data_dir.to_owned(), windows: Arc::default() }
    }

    pub(crate) async fn provision(&self, organization: OrganizationId) -> Result<(), StoreError> {
        let base = self.data_dir.clone();
        let parts = self.of(organization).join(PARTS);
        let context = "provisioning blobs";
        run_on(&self.files, context, move |files| ensure(files, &base, &parts)).await
    }

    fn of(&self, organization: OrganizationId) -> PathBuf {
        organization_dir(&self.data_dir, organization).join("blobs")
    }
}

/// Windows whose own directory entry this process has synced.
#[derive(Default)]
struct SyncedWindows(Mutex<HashSet<PathBuf>>);

impl SyncedWindows {
    /// More are forgotten and synced again, which costs a sync and nothing else.
    const MAX: usize = 4096;

    fn ensure(&self, files: &dyn Files, root: &Path, window: &Path) -> io::Result<()> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known().contains(window) {
            return Ok(());
        }
        ensure(files, root, window)?;
        let mut known = known();
        if known.len() >= Self::MAX {
            known.clear();
        }
        known.insert(window.to_owned());
        Ok(())
    }
}

fn window(root: &Path, id: BlobId) -> PathBuf {
    let mut digits = id.to_string();
    digits.truncate(WINDOW_DIGITS);
    root.join(digits)
}

fn path(root: &Path, id: BlobId) -> PathBuf {
    window(root, id).join(id.to_string())
}

fn not_read(context: &'static str, id: BlobId, error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::NotFound => StoreError::NoBlob(id),
        _ => failed(context, error),
    }
}

#[async_trait]
impl Blobs for Store {
    async fn create(
        &self,
        scope: &OrgScope,
        id: BlobId,
    ) -> Result<Box<dyn BlobWriter>, StoreError> {
        let context = "creating a blob";
        let organization = scope.organization();
        let root = self.blobs.of(organization);
        let windows = Arc::clone(&self.blobs.windows);
        let files = Arc::clone(&self.blobs.files);
        let part = root.join(PARTS).join(id.to_string());
        let created = run_on(&self.blobs.files, context, move |_| {
            if !files.is_dir(&root) {
                return Ok(None);
            }
            if files.exists(&path(&root, id))? {
                return Err(io::Error::from(io::ErrorKind::AlreadyExists));
            }
            let file = files.create(&part)?;
            Ok(Some(Writer { files, root, windows, id, part, file: Some(file) }))
        });
        match created.await? {
            Some(writer) => Ok(Box::new(writer)),
            None => Err(StoreError::UnknownOrganization(organization)),
        }
    }

    async fn read(
        &self,
        scope: &OrgScope,
        id: BlobId,
        offset: u64,
        length: u32,
    ) -> Result<Bytes, StoreError> {
        let context = "reading a blob";
        let path = path(&self.blobs.of(scope.organization()), id);
        let read = run_on(&self.blobs.files, context, move |files| {
            Ok(files.read(&path, offset, length).map(Bytes::from))
        });
        read.await?.map_err(|e| not_read(context, id, &e))
    }

    async fn size(&self, scope: &OrgScope, id: BlobId) -> Result<u64, StoreError> {
        let context = "reading the size of a blob";
        let path = path(&self.blobs.of(scope.organization()), id);
        let size = run_on(&self.blobs.files, context, move |files| Ok(files.size(&path)));
        size.await?.map_err(|e| not_read(context, id, &e))
    }

    async fn written_at(
        &self,
        scope: &OrgScope,
        id: BlobId,
    ) -> Result<Option<Timestamp>, StoreError> {
        let path = path(&self.blobs.of(scope.organization()), id);
        let context = "reading the age of a blob";
        let read = run_on(&self.blobs.files, context, move |files| match files.written_at(&path) {
            Ok(at) => Ok(Some(at)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        });
        Ok(read.await?.map(|at| {
            let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
        }))
    }

    async fn remove(&self, scope: &OrgScope, id: BlobId) -> Result<(), StoreError> {
        let root = self.blobs.of(scope.organization());
        let context = "removing a blob";
        let removed =
            run_on(&self.blobs.files, context, move |files| match files.remove(&path(&root, id)) {
                Ok(()) => files.sync_dir(&window(&root, id)),
                Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
                Err(e) => Err(e),
            });
        removed.await
    }

    async fn list(
        &self,
        scope: &OrgScope,
        after: Option<BlobId>,
        limit: u32,
    ) -> Result<Vec<BlobId>, StoreError> {
        let root = self.blobs.of(scope.organization());
        run_on(&self.blobs.files, "listing blobs", move |files| {
            if after.is_none() {
                remove_stale_parts(files, &root.join(PARTS))?;
            }
            list_now(files, &root, after, limit as usize)
        })
        .await
    }
}

fn list_now(
    files: &dyn Files,
    root: &Path,
    after: Option<BlobId>,
    limit: usize,
) -> io::Result<Vec<BlobId>> {
    let start = after.map(|id| window(root, id));
    let mut windows: Vec<PathBuf> = entries(files, root)?
        .into_iter()
        .filter(|path| path.file_name().is_some_and(|name| name.len() == WINDOW_DIGITS))
        .filter(|path| start.as_ref().is_none_or(|start| path >= start))
        .collect();
    windows.sort_unstable();
    let mut found = Vec::new();
    for window in windows {
        let names = entries(files, &window)?;
        let ids = names.iter().filter_map(|path| path.file_name()?.to_str()?.parse().ok());
        let mut ids: Vec<BlobId> = ids.filter(|id| after.is_none_or(|after| *id > after)).collect();
        ids.sort_unstable();
        ids.truncate(limit - found.len());
        found.append(&mut ids);
        if found.len() == limit {
            break;
        }
    }
    Ok(found)
}

fn entries(files: &dyn Files, dir: &Path) -> io::Result<Vec<PathBuf>> {
    match files.entries(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        listed => listed,
    }
}

pub(crate) fn remove_stale_parts(files: &dyn Files, parts: &Path) -> io::Result<()> {
    let now = SystemTime::now();
    for part in entries(files, parts)? {
        let Ok(written) = files.written_at(&part) else { continue };
        if now.duration_since(written).is_ok_and(|age| age > PART_AGE_MAX) {
            files.remove(&part)?;
        }
    }
    Ok(())
}

/// An object that is being written. Dropped unfinished, it removes what it wrote.
struct Writer {
    files: Arc<dyn Files>,
    root: PathBuf,
    windows: Arc<SyncedWindows>,
    id: BlobId,
    part: PathBuf,
    file: Option<Box<dyn OpenFile>>,
}

#[async_trait]
impl BlobWriter for Writer {
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        let context = "writing a blob";
        let mut file = self.file.take().ok_or_else(|| StoreError::Failed {
            context,
            message: "an earlier write failed or was cancelled".into(),
        })?;
        let write = move |_: &dyn Files| file.write_all(&bytes).map(|()| file);
        let file = run_on(&self.files, context, write).await?;
        self.file = Some(file);
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<(), StoreError> {
        let context = "finishing a blob";
        let mut file = self.file.take().ok_or_else(|| StoreError::Failed {
            context,
            message: "an earlier write failed or was cancelled".into(),
        })?;
        // The writer goes along: if anything fails, its drop removes the part.
        run_on(&Arc::clone(&self.files), context, move |files| {
            let window = window(&self.root, self.id);
            file.sync_all()?;
            self.windows.ensure(files, &self.root, &window)?;
            // A link, unlike a rename, never replaces what is there.
            files.link(&self.part, &window.join(self.id.to_string()))?;
            files.sync_dir(&window)
        })
        .await
    }

    async fn abandon(self: Box<Self>) {
        let files = Arc::clone(&self.files);
        let removed = run_on(&files, "abandoning a blob", move |_| {
            drop(self);
            Ok(())
        });
        // The drop has done what can be done; the sweep of old parts is behind it.
        let _ = removed.await;
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.files.remove(&self.part);
    }
}
