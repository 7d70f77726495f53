//! The master key in a file, and how another comes in force.
//!
//! `master.key` holds the key in force. Every key that ever was in force stands beside it under its own
//! name, `master.<id>.key`, before it wraps anything, so no step of a rotation and no second rotation at
//! the same time loses one. The files are read when they are needed: a server learns of a rotation by
//! itself.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use async_trait::async_trait;
use precordia_app::port::{MasterKey, MasterKeyError, MasterWrapped, Random, RetiredMaster};
use precordia_model::{KeyId, Timestamp};
use zeroize::Zeroizing;

use crate::directories::sync;
use crate::master::{KEY_BYTES, LocalMaster, MasterSourceError};
use crate::system::SecureRandom;

/// The key in a file of exactly 32 bytes that only its owner may use. With `create`, a file that does not
/// exist is made with a new random key; an existing one is never replaced.
pub fn master_from_file(
    path: &Path,
    create: bool,
) -> Result<Arc<dyn MasterKey>, MasterSourceError> {
    if create {
        let made = match path.try_exists() {
            Ok(false) => create_file(path, &new_key()),
            Ok(true) => settle(path),
            Err(cause) => Err(cause),
        };
        made.map_err(|cause| not_made(path, cause))?;
    }
    let active = Arc::new(read(path)?);
    let known = Mutex::new(BTreeMap::from([(active.id(), active)]));
    Ok(Arc::new(FileMaster { path: path.to_owned(), known }))
}

/// Endings of files in the making begin like this.
const PART: &str = "part-";

struct FileMaster {
    path: PathBuf,
    /// Keys that were read before; ids name contents, so one never changes.
    known: Mutex<BTreeMap<KeyId, Arc<LocalMaster>>>,
}

impl FileMaster {
    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<KeyId, Arc<LocalMaster>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, key: LocalMaster) -> Arc<LocalMaster> {
        let key = Arc::new(key);
        self.known().insert(key.id(), key.clone());
        key
    }

    fn in_force(&self) -> Result<Arc<LocalMaster>, MasterKeyError> {
        Ok(self.keep(read(&self.path).map_err(failed)?))
    }

    fn key(&self, id: KeyId) -> Result<Arc<LocalMaster>, MasterKeyError> {
        if let Some(key) = self.known().get(&id) {
            return Ok(key.clone());
        }
        let active = self.in_force()?;
        if active.id() == id {
            return Ok(active);
        }
        match read(&named(&self.path, id)) {
            Ok(key) if key.id() == id => Ok(self.keep(key)),
            Ok(_) => {
                Err(MasterKeyError::Failed(format!("the file of master key `{id}` holds another")))
            }
            Err(MasterSourceError::Read { cause, .. })
                if cause.kind() == io::ErrorKind::NotFound =>
            {
                Err(MasterKeyError::Other { wanted: id, have: active.id() })
            }
            Err(other) => Err(failed(other)),
        }
    }
}

#[async_trait]
impl MasterKey for FileMaster {
    async fn active(&self) -> Result<KeyId, MasterKeyError> {
        Ok(self.in_force()?.id())
    }

    async fn wrap(&self, key: &[u8], context: &[u8]) -> Result<MasterWrapped, MasterKeyError> {
        self.in_force()?.wrap(key, context)
    }

    async fn unwrap(
        &self,
        by: KeyId,
        wrapped: &[u8],
        context: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, MasterKeyError> {
        self.key(by)?.unwrap(wrapped, context)
    }

    async fn retired(&self) -> Result<Vec<RetiredMaster>, MasterKeyError> {
        let active = self.in_force()?.id();
        let at = |cause| failed(MasterSourceError::Read { path: self.path.clone(), cause });
        let since = fs::metadata(&self.path).and_then(|file| file.modified()).map_err(at)?;
        let mut ids = others(&self.path).map_err(at)?;
        ids.retain(|id| *id != active);
        Ok(ids.into_iter().map(|id| RetiredMaster { id, since: Some(micros(since)) }).collect())
    }

    async fn renew(&self) -> Result<KeyId, MasterKeyError> {
        let old = self.in_force()?;
        let at = |cause| failed(not_made(&self.path, cause));
        link(&self.path, &named(&self.path, old.id())).map_err(at)?;
        let bytes = new_key();
        let new = LocalMaster::new(&bytes);
        create_file(&named(&self.path, new.id()), &bytes).map_err(at)?;
        put_in_force(&self.path, new.id()).map_err(at)?;
        Ok(self.keep(new).id())
    }

    async fn destroy(&self, id: KeyId) -> Result<(), MasterKeyError> {
        if self.in_force()?.id() == id {
            return Err(MasterKeyError::Failed(format!("master key `{id}` is in force")));
        }
        let at = |cause| failed(not_made(&self.path, cause));
        remove(&named(&self.path, id)).map_err(at)?;
        remove_parts(&self.path).map_err(at)?;
        sync(dir_of(&self.path)).map_err(at)?;
        self.known().remove(&id);
        Ok(())
    }
}

fn failed(cause: MasterSourceError) -> MasterKeyError {
    MasterKeyError::Failed(match std::error::Error::source(&cause) {
        Some(below) => format!("{cause}: {below}"),
        None => cause.to_string(),
    })
}

fn not_made(path: &Path, cause: io::Error) -> MasterSourceError {
    MasterSourceError::Create { path: path.to_owned(), cause }
}

fn micros(at: SystemTime) -> Timestamp {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

fn dir_of(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// `master.key` → `master.<id>.key`.
fn named(path: &Path, id: KeyId) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!(".{id}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

/// The keys that have a file of their own name.
fn others(path: &Path) -> io::Result<Vec<KeyId>> {
    let mut ids = Vec::new();
    for entry in fs::read_dir(dir_of(path))? {
        let name = entry?.file_name();
        let id = name.to_str().and_then(|name| {
            let stem = format!("{}.", path.file_stem()?.to_str()?);
            name.strip_prefix(&stem)?.split('.').next()?.parse().ok()
        });
        ids.extend(id.filter(|id| named(path, *id).file_name() == Some(&name)));
    }
    ids.sort_unstable();
    Ok(ids)
}

fn new_key() -> Zeroizing<[u8; KEY_BYTES]> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    SecureRandom.fill(key.as_mut());
    key
}

fn read(path: &Path) -> Result<LocalMaster, MasterSourceError> {
    let read = |cause| MasterSourceError::Read { path: path.to_owned(), cause };
    let mut file = File::open(path).map_err(read)?;
    let mode = file.metadata().map_err(read)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(MasterSourceError::Open { path: path.to_owned(), mode });
    }
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    let mut more = [0; 1];
    let whole = file.read_exact(key.as_mut()).and_then(|()| file.read(&mut more));
    match whole {
        Ok(0) => Ok(LocalMaster::new(&key)),
        Ok(_) => Err(MasterSourceError::Length { path: path.to_owned() }),
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
            Err(MasterSourceError::Length { path: path.to_owned() })
        }
        Err(cause) => Err(read(cause)),
    }
}

/// Writes the key aside and links it into place, so that a crash never leaves a short key file.
fn create_file(path: &Path, key: &[u8; KEY_BYTES]) -> io::Result<()> {
    let part = path.with_extension(format!("{PART}{}", std::process::id()));
    remove(&part)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
    let linked =
        file.write_all(key).and_then(|()| file.sync_all()).and_then(|()| link(&part, path));
    fs::remove_file(&part)?;
    linked?;
    sync(dir_of(path))
}

/// Whoever made the file may not have come to sync its name, and everything will stand on it.
fn settle(path: &Path) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, ReadOnlyFilesystem, Unsupported};
    match sync(dir_of(path)) {
        // A place that nobody writes to, such as a mounted secret.
        Err(e) if matches!(e.kind(), InvalidInput | ReadOnlyFilesystem | Unsupported) => Ok(()),
        done => done,
    }
}

/// Another name of the same file, durable; nothing when the name is there.
fn link(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(e),
        _ => sync(dir_of(to)),
    }
}

/// From now on, at once and durably, the file holds the key that stands under its own name.
fn put_in_force(path: &Path, id: KeyId) -> io::Result<()> {
    let next = path.with_extension(format!("{PART}{}", std::process::id()));
    remove(&next)?;
    fs::hard_link(named(path, id), &next)?;
    fs::rename(&next, path)?;
    sync(dir_of(path))
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// What crashes left of files in the making: each may be a copy of a key.
fn remove_parts(path: &Path) -> io::Result<()> {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    for entry in fs::read_dir(dir_of(path))? {
        let entry = entry?;
        let name = entry.file_name();
        let is_ours = name.to_str().and_then(|name| name.strip_prefix(stem)?.strip_prefix('.'));
        if is_ours.is_some_and(|rest| {
            rest.split('.').next_back().is_some_and(|end| end.starts_with(PART))
        }) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn now<T>(of: impl Future<Output = T>) -> T {
        futures_util::FutureExt::now_or_never(of).expect("a key file does not wait")
    }

    fn active(path: &Path) -> KeyId {
        now(master_from_file(path, false).unwrap().active()).unwrap()
    }

    #[test]
    fn a_key_file_is_made_once_and_only_for_its_owner() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("master.key");
        assert!(matches!(master_from_file(&path, false), Err(MasterSourceError::Read { .. })));
        let first = now(master_from_file(&path, true).unwrap().active()).unwrap();
        let again = now(master_from_file(&path, true).unwrap().active()).unwrap();
        assert_eq!(first, again);
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_key_file_that_others_may_use_or_of_another_length_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("master.key");
        for (mode, length, accepted) in
            [(0o600, 32, true), (0o400, 32, true), (0o640, 32, false), (0o604, 32, false)]
                .into_iter()
                .chain([(0o600, 31, false), (0o600, 33, false), (0o600, 0, false)])
        {
            let _ = std::fs::remove_file(&path);
            std::fs::write(&path, vec![1; length]).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let read = master_from_file(&path, false);
            assert_eq!(read.is_ok(), accepted, "mode {mode:o}, {length} bytes");
        }
    }

    #[test]
    fn a_new_key_wraps_and_the_old_one_opens_until_it_is_destroyed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("master.key");
        let master = master_from_file(&path, true).unwrap();
        // A server that runs meanwhile.
        let server = master_from_file(&path, false).unwrap();
        let old = now(master.active()).unwrap();
        let copy = fs::read(&path).unwrap();
        let wrapped = now(server.wrap(b"k", b"c")).unwrap();
        assert_eq!(now(master.retired()).unwrap(), []);
        assert!(now(master.destroy(old)).is_err(), "it is in force");

        let new = now(master.renew()).unwrap();
        assert_ne!(old, new);
        let again = now(server.wrap(b"k", b"c")).unwrap();
        assert_eq!((wrapped.by, again.by), (old, new));
        for master in [&master, &server, &master_from_file(&path, false).unwrap()] {
            for wrapped in [&wrapped, &again] {
                let opened = now(master.unwrap(wrapped.by, &wrapped.bytes, b"c")).unwrap();
                assert_eq!(opened.as_slice(), b"k");
            }
            let retired = now(master.retired()).unwrap();
            assert_eq!(retired.iter().map(|old| old.id).collect::<Vec<_>>(), [old]);
        }
        for entry in fs::read_dir(dir.path()).unwrap() {
            assert_eq!(entry.unwrap().metadata().unwrap().mode() & 0o777, 0o600);
        }
        now(master.destroy(old)).unwrap();
        now(master.destroy(old)).unwrap();
        assert_eq!(now(master.retired()).unwrap(), []);
        let fresh = master_from_file(&path, false).unwrap();
        let gone = now(fresh.unwrap(old, &wrapped.bytes, b"c"));
        assert!(
            matches!(gone, Err(MasterKeyError::Other { wanted, have }) if (wanted, have) == (old, new))
        );
        for entry in fs::read_dir(dir.path()).unwrap() {
            assert_ne!(fs::read(entry.unwrap().path()).unwrap(), copy);
        }
    }

    /// What a crash between two steps of a rotation leaves.
    #[test]
    fn an_interrupted_renewal_loses_no_key_and_can_be_repeated() {
        for step in 0..4 {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("master.key");
            let old = now(master_from_file(&path, true).unwrap().active()).unwrap();
            let bytes = new_key();
            let new = LocalMaster::new(&bytes).id();
            if step > 0 {
                link(&path, &named(&path, old)).unwrap();
            }
            if step > 1 {
                create_file(&named(&path, new), &bytes).unwrap();
            }
            if step > 2 {
                let next = path.with_extension("part-1");
                fs::hard_link(named(&path, new), next).unwrap();
            }
            assert_eq!(active(&path), old, "step {step}");
            let master = master_from_file(&path, true).unwrap();
            let by_old = now(master.wrap(b"k", b"c")).unwrap();
            let newest = now(master.renew()).unwrap();
            assert_eq!(active(&path), newest);
            let fresh = master_from_file(&path, false).unwrap();
            assert!(now(fresh.unwrap(old, &by_old.bytes, b"c")).is_ok());
            let retired: Vec<_> = now(fresh.retired()).unwrap().iter().map(|r| r.id).collect();
            assert!(retired.contains(&old) && !retired.contains(&newest), "step {step}");
            assert_eq!(retired.contains(&new), step > 1);
            for id in retired {
                now(fresh.destroy(id)).unwrap();
            }
            // The key in force, and its own name.
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "step {step}");
        }
    }

    #[test]
    fn a_file_under_the_name_of_another_key_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("master.key");
        let master = master_from_file(&path, true).unwrap();
        let wanted = KeyId(uuid::Uuid::from_u128(7));
        fs::copy(&path, named(&path, wanted)).unwrap();
        let refused = now(master.unwrap(wanted, b"", b""));
        assert!(matches!(refused, Err(MasterKeyError::Failed(text)) if text.contains("another")));
    }
}
