//! A master key held in memory, and the source that is the environment; [`crate::master_file`] is the other.
//!
//! A wrapped key is one byte of format, a random 96-bit nonce, and the AES-256-GCM ciphertext with its
//! tag; the context is bound in. One master key wraps a handful of keys an organization, far below the
//! 2^32 wrappings that random nonces allow (NIST SP 800-38D section 8.3).

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use precordia_app::port::{MasterKey, MasterKeyError, MasterWrapped, Random, RetiredMaster};
use precordia_model::KeyId;
use zeroize::Zeroizing;

use crate::system::SecureRandom;

pub(crate) const KEY_BYTES: usize = 32;
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

/// The key in force in one environment variable and, while a rotation goes on, the one before it in
/// another; both in base64 or hexadecimal.
pub fn master_from_env(
    variable: &str,
    retired: Option<&str>,
) -> Result<Arc<dyn MasterKey>, MasterSourceError> {
    let active = read_variable(variable)?;
    let retired = retired.map(read_variable).transpose()?;
    let retired = retired.filter(|old| old.id() != active.id());
    Ok(Arc::new(EnvironmentMaster { variable: variable.to_owned(), active, retired }))
}

fn read_variable(variable: &str) -> Result<LocalMaster, MasterSourceError> {
    let text = std::env::var(variable)
        .map(Zeroizing::new)
        .map_err(|_| MasterSourceError::NoVariable(variable.into()))?;
    let key = decode(text.trim()).ok_or_else(|| MasterSourceError::Variable(variable.into()))?;
    Ok(LocalMaster::new(&key))
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
    async fn active(&self) -> Result<KeyId, MasterKeyError> {
        Err(Self::refusal())
    }

    async fn wrap(&self, _: &[u8], _: &[u8]) -> Result<MasterWrapped, MasterKeyError> {
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

    async fn retired(&self) -> Result<Vec<RetiredMaster>, MasterKeyError> {
        Ok(Vec::new())
    }

    async fn renew(&self) -> Result<KeyId, MasterKeyError> {
        Err(Self::refusal())
    }

    async fn destroy(&self, _: KeyId) -> Result<(), MasterKeyError> {
        Err(Self::refusal())
    }
}

/// A key that was read.
pub(crate) struct LocalMaster {
    id: KeyId,
    key: LessSafeKey,
}

impl LocalMaster {
    pub(crate) fn new(key: &[u8; KEY_BYTES]) -> Self {
        // The id names the key and tells nothing about it.
        let hmac_key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let tag = hmac::sign(&hmac_key, b"precordia.master.id.1");
        let mut id = [0; 16];
        id.copy_from_slice(&tag.as_ref()[..16]);
        let id = KeyId(uuid::Builder::from_custom_bytes(id).into_uuid());
        let key = UnboundKey::new(&AES_256_GCM, key).expect("32 bytes are an AES-256 key");
        Self { id, key: LessSafeKey::new(key) }
    }

    pub(crate) const fn id(&self) -> KeyId {
        self.id
    }

    pub(crate) fn wrap(&self, key: &[u8], context: &[u8]) -> Result<MasterWrapped, MasterKeyError> {
        let mut nonce = [0; NONCE_LEN];
        SecureRandom.fill(&mut nonce);
        let mut sealed = Zeroizing::new(key.to_vec());
        let nonce_used = Nonce::assume_unique_for_key(nonce);
        self.key
            .seal_in_place_append_tag(nonce_used, Aad::from(context), &mut *sealed)
            .map_err(|_| MasterKeyError::Failed("the key is too long to wrap".into()))?;
        let mut bytes = vec![FORMAT];
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&sealed);
        Ok(MasterWrapped { by: self.id, bytes })
    }

    pub(crate) fn unwrap(
        &self,
        wrapped: &[u8],
        context: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, MasterKeyError> {
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

struct EnvironmentMaster {
    variable: String,
    active: LocalMaster,
    retired: Option<LocalMaster>,
}

#[async_trait]
impl MasterKey for EnvironmentMaster {
    async fn active(&self) -> Result<KeyId, MasterKeyError> {
        Ok(self.active.id)
    }

    async fn wrap(&self, key: &[u8], context: &[u8]) -> Result<MasterWrapped, MasterKeyError> {
        self.active.wrap(key, context)
    }

    async fn unwrap(
        &self,
        by: KeyId,
        wrapped: &[u8],
        context: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, MasterKeyError> {
        let mut keys = std::iter::once(&self.active).chain(&self.retired);
        match keys.find(|key| key.id == by) {
            Some(key) => key.unwrap(wrapped, context),
            None => Err(MasterKeyError::Other { wanted: by, have: self.active.id }),
        }
    }

    async fn retired(&self) -> Result<Vec<RetiredMaster>, MasterKeyError> {
        Ok(self.retired.iter().map(|old| RetiredMaster { id: old.id, since: None }).collect())
    }

    async fn renew(&self) -> Result<KeyId, MasterKeyError> {
        Err(MasterKeyError::NotHere(format!(
            "the master key stands in the environment: put a new one into `{}`, the old one into the variable that keys.master_env_retired names, restart the servers and repeat",
            self.variable
        )))
    }

    async fn destroy(&self, _: KeyId) -> Result<(), MasterKeyError> {
        // The operator takes it out of the environment; nothing here can.
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_opens_only_with_its_key_context_and_bytes() {
        let master = LocalMaster::new(&[7; 32]);
        let wrapped = master.wrap(b"a key", b"here").unwrap();
        assert_eq!(wrapped.by, master.id);
        let wrapped = wrapped.bytes;
        assert_eq!(master.unwrap(&wrapped, b"here").unwrap().as_slice(), b"a key");
        assert!(!wrapped.windows(5).any(|window| window == b"a key"));

        let other = LocalMaster::new(&[8; 32]);
        assert_ne!(master.id, other.id);
        let elsewhere = master.unwrap(&wrapped, b"there");
        assert!(matches!(elsewhere, Err(MasterKeyError::Rejected(id)) if id == master.id));
        assert!(other.unwrap(&wrapped, b"here").is_err());
        for n in 0..wrapped.len() {
            let mut changed = wrapped.clone();
            changed[n] ^= 1;
            assert!(master.unwrap(&changed, b"here").is_err(), "byte {n}");
            assert!(master.unwrap(&wrapped[..n], b"here").is_err(), "cut at {n}");
        }
    }

    #[test]
    fn wrapping_twice_gives_different_bytes() {
        let master = LocalMaster::new(&[7; 32]);
        assert_ne!(master.wrap(b"k", b"c").unwrap(), master.wrap(b"k", b"c").unwrap());
    }

    #[tokio::test]
    async fn beside_the_key_in_force_the_old_one_opens_and_does_not_wrap() {
        let (old, new) = (LocalMaster::new(&[1; 32]), LocalMaster::new(&[2; 32]));
        let (old_id, new_id) = (old.id, new.id);
        let by_old = old.wrap(b"k", b"c").unwrap();
        let master = EnvironmentMaster { variable: "V".into(), active: new, retired: Some(old) };
        assert_eq!(master.wrap(b"k", b"c").await.unwrap().by, new_id);
        assert_eq!(master.unwrap(old_id, &by_old.bytes, b"c").await.unwrap().as_slice(), b"k");
        assert!(master.unwrap(new_id, &by_old.bytes, b"c").await.is_err());
        let (unknown, active) = (KeyId(uuid::Uuid::nil()), new_id);
        let other = master.unwrap(unknown, &by_old.bytes, b"c").await;
        assert!(matches!(other, Err(MasterKeyError::Other { have, .. }) if have == active));
        assert!(
            matches!(master.renew().await, Err(MasterKeyError::NotHere(text)) if text.contains("`V`"))
        );
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
