//! The master key from a file or an environment variable: it wraps the organizations' keys.
//!
//! A wrapped key is one byte of format, a random 96-bit nonce, and the AES-256-GCM ciphertext with its
//! tag; the context is bound in. One master key wraps a handful of keys an organization, far below the
//! 2^32 wrappings that random nonces allow (NIST SP 800-38D section 8.3).

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use precordia_app::port::{MasterKey, MasterKeyError, Random};
use precordia_model::KeyId;
use zeroize::Zeroizing;

use crate::directories::sync;
use crate::system::SecureRandom;

const KEY_BYTES: usize = 32;
const FORMAT: u8 = 1;

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterSourceError {
    #[error("could not read master key file `{path}`")]
    Read {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("could not create master key file `{path}`")]
    Create {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("master key file `{path}` has mode {mode:03o}; others than its owner may use it")]
    Open { path: PathBuf, mode: u32 },
    #[error("master key file `{path}` does not hold exactly {KEY_BYTES} bytes")]
    Length { path: PathBuf },
    #[error("environment variable `{0}` is not set")]
    NoVariable(String),
    #[error("environment variable `{0}` is not {KEY_BYTES} bytes in base64 or hexadecimal")]
    Variable(String),
}

/// The key in a file of exactly 32 bytes that only its owner may use. With `create`, a file that does not
/// exist is made with a new random key; an existing one is never replaced.
pub fn master_from_file(
    path: &Path,
    create: bool,
) -> Result<Arc<dyn MasterKey>, MasterSourceError> {
    if create {
        create_file(path)
            .map_err(|cause| MasterSourceError::Create { path: path.to_owned(), cause })?;
    }
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
        Ok(0) => Ok(Arc::new(LocalMaster::new(&key))),
        Ok(_) => Err(MasterSourceError::Length { path: path.to_owned() }),
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
            Err(MasterSourceError::Length { path: path.to_owned() })
        }
        Err(cause) => Err(read(cause)),
    }
}

/// Writes the key aside and links it into place, so that a crash never leaves a short key file.
fn create_file(path: &Path) -> io::Result<()> {
    if path.try_exists()? {
        return Ok(());
    }
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    SecureRandom.fill(key.as_mut());
    let part = path.with_extension(format!("new-{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
    let linked = file
        .write_all(key.as_ref())
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::hard_link(&part, path));
    std::fs::remove_file(&part)?;
    match linked {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
        _ => {}
    }
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    sync(dir.unwrap_or(Path::new(".")))
}

/// The key in an environment variable, in base64 or hexadecimal.
pub fn master_from_env(variable: &str) -> Result<Arc<dyn MasterKey>, MasterSourceError> {
    let text = std::env::var(variable)
        .map(Zeroizing::new)
        .map_err(|_| MasterSourceError::NoVariable(variable.into()))?;
    let key = decode(text.trim()).ok_or_else(|| MasterSourceError::Variable(variable.into()))?;
    Ok(Arc::new(LocalMaster::new(&key)))
}

fn decode(text: &str) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let bytes = if text.len() == 2 * KEY_BYTES {
        let digit = |at: usize| char::from(text.as_bytes()[at]).to_digit(16);
        let byte = |n: usize| Some(digit(2 * n)? * 16 + digit(2 * n + 1)?);
        (0..KEY_BYTES).map(|n| byte(n)?.try_into().ok()).collect::<Option<Vec<u8>>>()?
    } else {
        STANDARD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)).ok()?
    };
    let bytes = Zeroizing::new(bytes);
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    (bytes.len() == KEY_BYTES).then(|| key.copy_from_slice(&bytes))?;
    Some(key)
}

/// For those who have no master key: nothing that it wraps can be opened, and each try says so.
pub fn master_absent() -> Arc<dyn MasterKey> {
    Arc::new(AbsentMaster)
}

struct AbsentMaster;

impl AbsentMaster {
    fn refusal() -> MasterKeyError {
        MasterKeyError::Failed("there is no master key here".into())
    }
}

#[async_trait]
impl MasterKey for AbsentMaster {
    fn id(&self) -> KeyId {
        KeyId(uuid::Uuid::nil())
    }

    async fn wrap(&self, _: &[u8], _: &[u8]) -> Result<Vec<u8>, MasterKeyError> {
        Err(Self::refusal())
    }

    async fn unwrap(
        &self,
        _: KeyId,
        _: &[u8],
        _: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, MasterKeyError> {
        Err(Self::refusal())
    }
}

struct LocalMaster {
    id: KeyId,
    key: LessSafeKey,
}

impl LocalMaster {
    fn new(key: &[u8; KEY_BYTES]) -> Self {
        // The id names the key and tells nothing about it.
        let hmac_key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let tag = hmac::sign(&hmac_key, b"precordia.master.id.1");
        let mut id = [0; 16];
        id.copy_from_slice(&tag.as_ref()[..16]);
        let id = KeyId(uuid::Builder::from_custom_bytes(id).into_uuid());
        let key = UnboundKey::new(&AES_256_GCM, key).expect("32 bytes are an AES-256 key");
        Self { id, key: LessSafeKey::new(key) }
    }
}

#[async_trait]
impl MasterKey for LocalMaster {
    fn id(&self) -> KeyId {
        self.id
    }

    async fn wrap(&self, key: &[u8], context: &[u8]) -> Result<Vec<u8>, MasterKeyError> {
        let mut nonce = [0; NONCE_LEN];
        SecureRandom.fill(&mut nonce);
        let mut sealed = Zeroizing::new(key.to_vec());
        let nonce_used = Nonce::assume_unique_for_key(nonce);
        self.key
            .seal_in_place_append_tag(nonce_used, Aad::from(context), &mut *sealed)
            .map_err(|_| MasterKeyError::Failed("the key is too long to wrap".into()))?;
        let mut wrapped = vec![FORMAT];
        wrapped.extend_from_slice(&nonce);
        wrapped.extend_from_slice(&sealed);
        Ok(wrapped)
    }

    async fn unwrap(
        &self,
        by: KeyId,
        wrapped: &[u8],
        context: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, MasterKeyError> {
        if by != self.id {
            return Err(MasterKeyError::Other { wanted: by, have: self.id });
        }
        let rejected = || MasterKeyError::Rejected(self.id);
        let (format, rest) = wrapped.split_first().ok_or_else(rejected)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>().ok_or_else(rejected)?;
        if *format != FORMAT {
            return Err(rejected());
        }
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let mut opened = Zeroizing::new(sealed.to_vec());
        let length = self
            .key
            .open_in_place(nonce, Aad::from(context), &mut opened)
            .map_err(|_| rejected())?
            .len();
        opened.truncate(length);
        Ok(opened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn now<T>(of: impl Future<Output = T>) -> T {
        futures_util::FutureExt::now_or_never(of).expect("a local key does not wait")
    }

    #[test]
    fn a_key_opens_only_with_its_key_id_context_and_bytes() {
        let master = LocalMaster::new(&[7; 32]);
        let wrapped = now(master.wrap(b"a key", b"here")).unwrap();
        assert_eq!(now(master.unwrap(master.id, &wrapped, b"here")).unwrap().as_slice(), b"a key");
        assert!(!wrapped.windows(5).any(|window| window == b"a key"));

        let other = LocalMaster::new(&[8; 32]);
        assert_ne!(master.id, other.id);
        let elsewhere = now(master.unwrap(master.id, &wrapped, b"there"));
        assert!(matches!(elsewhere, Err(MasterKeyError::Rejected(id)) if id == master.id));
        let by_other = now(other.unwrap(master.id, &wrapped, b"here"));
        assert!(matches!(by_other, Err(MasterKeyError::Other { have, .. }) if have == other.id));
        assert!(now(other.unwrap(other.id, &wrapped, b"here")).is_err());
        for n in 0..wrapped.len() {
            let mut changed = wrapped.clone();
            changed[n] ^= 1;
            assert!(now(master.unwrap(master.id, &changed, b"here")).is_err(), "byte {n}");
            assert!(now(master.unwrap(master.id, &wrapped[..n], b"here")).is_err(), "cut at {n}");
        }
    }

    #[test]
    fn wrapping_twice_gives_different_bytes() {
        let master = LocalMaster::new(&[7; 32]);
        assert_ne!(now(master.wrap(b"k", b"c")).unwrap(), now(master.wrap(b"k", b"c")).unwrap());
    }

    #[test]
    fn a_key_file_is_made_once_and_only_for_its_owner() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("master.key");
        assert!(matches!(master_from_file(&path, false), Err(MasterSourceError::Read { .. })));
        let first = master_from_file(&path, true).map(|key| key.id()).unwrap();
        let again = master_from_file(&path, true).map(|key| key.id()).unwrap();
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
    fn a_variable_holds_32_bytes_in_base64_or_hexadecimal() {
        let zeros = Some([0u8; 32]);
        let cases = [
            ("0".repeat(64), zeros),
            (format!("{}=", "A".repeat(43)), zeros),
            ("A".repeat(43), zeros),
            ("fF".repeat(32), Some([0xff; 32])),
            ("0".repeat(63), None),
            ("g".repeat(64), None),
            ("A".repeat(40), None),
            (String::new(), None),
            ("ä".repeat(32), None),
        ];
        for (text, expected) in cases {
            assert_eq!(decode(&text).map(|key| *key), expected, "{text}");
        }
    }
}
