//! Sealing: AES-256-GCM with the place of the value bound in.
//!
//! A sealed value is `1 | key id (16) | nonce (12) | ciphertext and tag`. Realm, stream, field and version
//! are associated data: a value that is moved to another place does not open there. Nonces are random, so
//! one key must stay far under 2^32 uses (NIST SP 800-38D section 8.3); the keys that seal most often
//! belong to one recording or one patient.

use std::marker::PhantomData;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use precordia_model::KeyId;
use zeroize::Zeroizing;

use crate::port::{Random, RealmId};

const FORMAT: u8 = 1;
const HEADER: usize = 1 + 16 + NONCE_LEN;

/// An opened key. Its bytes are not reachable.
pub struct DataKey {
    id: KeyId,
    aead: LessSafeKey,
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DataKey({})", self.id)
    }
}

/// Names the key, never the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("key `{0}` is not in the key store")]
    Missing(KeyId),
    #[error("key `{0}` was destroyed")]
    Destroyed(KeyId),
    #[error(
        "key `{key}` does not open {field} of `{stream}`: wrong key, or the value was changed or moved"
    )]
    Rejected { key: KeyId, stream: String, field: &'static str },
    #[error("{field} of `{stream}` is not a sealed value")]
    Malformed { stream: String, field: &'static str },
    #[error("key `{key}` is wrapped by `{by}`, which does not open it")]
    Unwrap { key: KeyId, by: KeyId },
}

/// Where a sealed value stands.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub realm: RealmId,
    pub stream: &'a str,
    pub field: &'static str,
    pub version: i64,
}

impl Place<'_> {
    fn associated(&self) -> Vec<u8> {
        let mut bytes = b"precordia.seal.1".to_vec();
        for part in [&self.realm.bytes()[..], self.stream.as_bytes(), self.field.as_bytes()] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        bytes.extend_from_slice(&self.version.to_be_bytes());
        bytes
    }
}

impl DataKey {
    /// `bytes` must be 32 long; keys are made and unwrapped only by [`crate::keys`].
    pub(crate) fn new(id: KeyId, bytes: &[u8]) -> Option<Self> {
        let aead = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, bytes).ok()?);
        Some(Self { id, aead })
    }

    pub const fn id(&self) -> KeyId {
        self.id
    }

    pub(crate) fn aead(&self) -> &LessSafeKey {
        &self.aead
    }

    pub fn seal(&self, random: &dyn Random, place: Place<'_>, plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        random.fill(&mut nonce);
        let mut sealed = Vec::with_capacity(HEADER + plain.len() + 16);
        sealed.push(FORMAT);
        sealed.extend_from_slice(self.id.0.as_bytes());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let tag = self
            .aead
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place.associated()),
                &mut sealed[HEADER..],
            )
            .expect("AES-GCM seals anything under 64 GiB");
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let malformed =
            || SealError::Malformed { stream: place.stream.to_owned(), field: place.field };
        let rejected = || SealError::Rejected {
            key: self.id,
            stream: place.stream.to_owned(),
            field: place.field,
        };
        if key_of(sealed).ok_or_else(malformed)? != self.id {
            return Err(rejected());
        }
        let nonce =
            Nonce::try_assume_unique_for_key(&sealed[17..HEADER]).map_err(|_| malformed())?;
        let mut plain = Zeroizing::new(sealed[HEADER..].to_vec());
        let length = self
            .aead
            .open_in_place(nonce, Aad::from(place.associated()), &mut plain)
            .map_err(|_| rejected())?
            .len();
        plain.truncate(length);
        Ok(plain)
    }
}

/// The key that a sealed value names in its header; `None` when it is not a sealed value.
pub fn key_of(sealed: &[u8]) -> Option<KeyId> {
    let long_enough = sealed.len() >= HEADER + 16 && sealed[0] == FORMAT;
    let id = sealed.get(1..17).filter(|_| long_enough)?;
    uuid::Uuid::from_slice(id).ok().map(KeyId)
}

/// Ciphertext of a `T`. Only [`crate::access::Reading`] opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed<T> {
    bytes: Vec<u8>,
    of: PhantomData<fn() -> T>,
}

impl<T> Sealed<T> {
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, of: PhantomData }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededRandom;

    fn key(n: u8) -> DataKey {
        DataKey::new(KeyId(uuid::Uuid::from_u128(n.into())), &[n; 32]).unwrap()
    }

    const PLACE: Place<'static> =
        Place { realm: RealmId::PLATFORM, stream: "recording/1", field: "payload", version: 1 };

    #[test]
    fn a_value_opens_only_with_its_key_and_in_its_place() {
        let random = SeededRandom::new(1);
        let sealed = key(1).seal(&random, PLACE, b"tracing");
        assert_eq!(key(1).open(PLACE, &sealed).unwrap().as_slice(), b"tracing");
        assert_eq!(key_of(&sealed), Some(key(1).id()));
        for moved in [
            Place { stream: "recording/2", ..PLACE },
            Place { field: "summary", ..PLACE },
            Place { version: 2, ..PLACE },
            Place {
                realm: RealmId(Some(precordia_model::OrganizationId(uuid::Uuid::from_u128(9)))),
                ..PLACE
            },
        ] {
            assert!(matches!(key(1).open(moved, &sealed), Err(SealError::Rejected { .. })));
        }
        assert!(matches!(key(2).open(PLACE, &sealed), Err(SealError::Rejected { .. })));
    }

    #[test]
    fn every_changed_bit_is_noticed() {
        let random = SeededRandom::new(2);
        let sealed = key(1).seal(&random, PLACE, b"x");
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(key(1).open(PLACE, &changed).is_err(), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(key(1).open(PLACE, &sealed[..length]).is_err(), "length {length}");
        }
    }
}
