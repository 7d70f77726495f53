//! The key hierarchy at work: making, opening, re-wrapping, rotating and destroying keys.
//!
//! master → organization → patient → recording, blob. Opened organization and index keys are kept for a
//! short while, because every request needs them; patients', recordings' and blobs' keys never are, so
//! that an erased one is gone at once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::aead::{Aad, NONCE_LEN, Nonce};
use aws_lc_rs::hmac;
use precordia_model::{KeyId, Timestamp};
use zeroize::Zeroizing;

use crate::port::{
    Clock, KeyChange, KeyKind, KeyState, KeyStore, MasterKey, MasterWrapped, Random, Realm,
    RealmId, StoreError, WrappedKey, new_uuid,
};
use crate::seal::{DataKey, SealError};

/// How long an opened organization key is used without asking the store again.
const KEEP_SECONDS: i64 = 30;
/// Bounds the memory of opened keys; one entry a realm.
const KEEP_REALMS_MAX: usize = 1024;

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error("key `{0}` was used as often as a key may be and seals nothing more")]
    Worn(KeyId),
    #[error("organization `{0}` has no active key")]
    NoOrganizationKey(RealmId),
    #[error(transparent)]
    Master(#[from] crate::port::MasterKeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The keys that nearly every use case of a realm needs.
#[derive(Clone)]
pub struct RealmKeys {
    /// Seals what belongs to no patient and wraps what does not belong to one yet.
    pub organization: Arc<DataKey>,
    pub index: Arc<IndexKey>,
    opened_at: Timestamp,
}

/// Keyed hashing for blind indexes and content keys.
pub struct IndexKey(hmac::Key);

impl IndexKey {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// 16 bytes that stand for a value of a field, comparable only within this realm and field.
    pub fn token(&self, field: &str, value: &str) -> Vec<u8> {
        self.mac(field, value.as_bytes())[..16].to_vec()
    }

    /// 32 bytes that stand for a content, comparable only within this realm.
    pub fn content(&self, digest: &[u8]) -> Vec<u8> {
        self.mac("content", digest)
    }

    fn mac(&self, field: &str, value: &[u8]) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&(field.len() as u64).to_be_bytes());
        context.update(field.as_bytes());
        context.update(value);
        context.sign().as_ref().to_vec()
    }
}

/// Opened keys of one read, each present or with the reason why not.
#[derive(Default)]
pub struct OpenKeys(BTreeMap<KeyId, Result<Arc<DataKey>, SealError>>);

impl OpenKeys {
    pub fn get(&self, id: KeyId) -> Result<Arc<DataKey>, SealError> {
        self.0.get(&id).cloned().unwrap_or(Err(SealError::Missing(id)))
    }
}

pub struct Keyring {
    store: Arc<dyn KeyStore>,
    master: Arc<dyn MasterKey>,
    random: Arc<dyn Random>,
    clock: Arc<dyn Clock>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    realms: BTreeMap<RealmId, RealmKeys>,
    /// Counts what was forgotten: who began to read before that must not keep what they read.
    forgotten: u64,
}

impl Keyring {
    pub fn new(
        store: Arc<dyn KeyStore>,
        master: Arc<dyn MasterKey>,
        random: Arc<dyn Random>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { store, master, random, clock, kept: Mutex::default() }
    }

    /// The active organization key and the index key, opened.
    pub async fn realm(&self, realm: Realm<'_>) -> Result<RealmKeys, KeyError> {
        let now = self.clock.now();
        let forgotten = {
            let kept = self.lock();
            let fresh = |keys: &&RealmKeys| now < keys.opened_at.plus_seconds(KEEP_SECONDS);
            if let Some(keys) = kept.realms.get(&realm.id()).filter(fresh) {
                return Ok(keys.clone());
            }
            kept.forgotten
        };
        let active = |keys: Vec<WrappedKey>| keys.into_iter().find(|k| k.state == KeyState::Active);
        let organization = active(self.store.of_subject(realm, "organization").await?)
            .ok_or(KeyError::NoOrganizationKey(realm.id()))?;
        let index = active(self.store.of_subject(realm, "index").await?)
            .ok_or(KeyError::NoOrganizationKey(realm.id()))?;
        let organization_bytes = self.open_top(realm.id(), &organization).await?;
        let organization = data_key(organization.id, &organization_bytes)?;
        let wrapping = if index.wrapped_by == organization.id() {
            Arc::new(organization)
        } else {
            let above = self.open(realm, &[index.wrapped_by]).await?.get(index.wrapped_by)?;
            let index_bytes = unwrap(&above, realm.id(), &index)?;
            return Ok(self.keep(realm.id(), Arc::new(organization), &index_bytes, now, forgotten));
        };
        let index_bytes = unwrap(&wrapping, realm.id(), &index)?;
        Ok(self.keep(realm.id(), wrapping, &index_bytes, now, forgotten))
    }

    fn keep(
        &self,
        realm: RealmId,
        organization: Arc<DataKey>,
        index: &[u8],
        now: Timestamp,
        forgotten: u64,
    ) -> RealmKeys {
        let index = Arc::new(IndexKey::new(index));
        let keys = RealmKeys { organization, index, opened_at: now };
        let mut kept = self.lock();
        if kept.forgotten != forgotten {
            return keys;
        }
        if kept.realms.len() >= KEEP_REALMS_MAX {
            kept.realms.retain(|_, k| now < k.opened_at.plus_seconds(KEEP_SECONDS));
        }
        kept.realms.insert(realm, keys.clone());
        keys
    }

    /// Forgets what is kept of a realm, after a rotation.
    pub fn forget(&self, realm: RealmId) {
        let mut kept = self.lock();
        kept.realms.remove(&realm);
        kept.forgotten += 1;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().expect("no code panics while it holds the kept keys")
    }

    /// Opens keys by id: one read of the store, however deep they are wrapped.
    pub async fn open(&self, realm: Realm<'_>, ids: &[KeyId]) -> Result<OpenKeys, KeyError> {
        let rows: BTreeMap<KeyId, WrappedKey> =
            self.store.chain(realm, ids).await?.into_iter().map(|key| (key.id, key)).collect();
        let mut open = OpenKeys::default();
        for &id in ids {
            self.open_upwards(realm.id(), id, &rows, &mut open).await?;
        }
        Ok(open)
    }

    async fn open_upwards(
        &self,
        realm: RealmId,
        id: KeyId,
        rows: &BTreeMap<KeyId, WrappedKey>,
        open: &mut OpenKeys,
    ) -> Result<(), KeyError> {
        // From the wanted key up to the first one that is open already or wrapped by the master.
        let mut path = Vec::new();
        let mut next = id;
        while !open.0.contains_key(&next) {
            let Some(row) = rows.get(&next) else {
                // Without a row above, what wraps the uppermost row is a master key.
                match path.last() {
                    Some(WrappedKey { kind: KeyKind::Organization | KeyKind::Signing, .. }) => {
                        break;
                    }
                    _ => {
                        open.0.insert(next, Err(SealError::Missing(next)));
                        break;
                    }
                }
            };
            if path.len() > 4 {
                open.0.insert(next, Err(SealError::Unwrap { key: next, by: row.wrapped_by }));
                break;
            }
            next = row.wrapped_by;
            path.push(row.clone());
        }
        for row in path.iter().rev() {
            let opened = self.open_one(realm, row, open).await?;
            open.0.insert(row.id, opened);
        }
        Ok(())
    }

    async fn open_one(
        &self,
        realm: RealmId,
        row: &WrappedKey,
        open: &OpenKeys,
    ) -> Result<Result<Arc<DataKey>, SealError>, KeyError> {
        if matches!(row.state, KeyState::Destroyed { .. }) {
            return Ok(Err(SealError::Destroyed(row.id)));
        }
        if matches!(row.kind, KeyKind::Organization | KeyKind::Signing) {
            let bytes = self.open_top(realm, row).await?;
            return Ok(data_key(row.id, &bytes).map(Arc::new));
        }
        Ok(match open.get(row.wrapped_by) {
            Ok(above) => {
                unwrap(&above, realm, row).and_then(|bytes| data_key(row.id, &bytes)).map(Arc::new)
            }
            Err(why) => Err(why),
        })
    }

    /// Opens a key that the master wraps.
    async fn open_top(
        &self,
        realm: RealmId,
        row: &WrappedKey,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let context = associated(realm, row.id, row.kind, &row.subject);
        Ok(self.master.unwrap(row.wrapped_by, &row.wrapped, &context).await?)
    }

    /// A new key of a subject, wrapped by `by`.
    pub fn create(
        &self,
        realm: RealmId,
        kind: KeyKind,
        subject: &str,
        by: &DataKey,
    ) -> (Arc<DataKey>, KeyChange) {
        let bytes = self.fresh();
        let id = KeyId(new_uuid(&*self.clock, &*self.random));
        let row = self.row(
            id,
            kind,
            subject,
            by.id(),
            wrap(&*self.random, by, realm, id, kind, subject, &bytes),
        );
        let key = data_key(id, &bytes).expect("a fresh key is 32 bytes long");
        (Arc::new(key), KeyChange::Add(row))
    }

    /// A new key that the master wraps: an organization's, or the signing key.
    pub async fn create_top(
        &self,
        realm: RealmId,
        kind: KeyKind,
        subject: &str,
    ) -> Result<(Arc<DataKey>, Zeroizing<Vec<u8>>, KeyChange), KeyError> {
        let bytes = self.fresh();
        let id = KeyId(new_uuid(&*self.clock, &*self.random));
        let wrapped = self.master.wrap(&bytes, &associated(realm, id, kind, subject)).await?;
        let row = self.row(id, kind, subject, wrapped.by, wrapped.bytes);
        Ok((Arc::new(data_key(id, &bytes)?), bytes, KeyChange::Add(row)))
    }

    /// The bytes of a key that the master wraps; for the signing key only.
    pub(crate) async fn open_signing(
        &self,
        realm: RealmId,
        row: &WrappedKey,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.open_top(realm, row).await
    }

    fn fresh(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(vec![0; 32]);
        self.random.fill(&mut bytes);
        bytes
    }

    fn row(
        &self,
        id: KeyId,
        kind: KeyKind,
        subject: &str,
        by: KeyId,
        wrapped: Vec<u8>,
    ) -> WrappedKey {
        WrappedKey {
            id,
            kind,
            subject: subject.to_owned(),
            wrapped_by: by,
            wrapped,
            state: KeyState::Active,
            created_at: self.clock.now(),
        }
    }

    /// The active keys of subjects, as rows.
    pub async fn rows_of(
        &self,
        realm: Realm<'_>,
        subject: &str,
    ) -> Result<Vec<WrappedKey>, KeyError> {
        let rows = self.store.of_subject(realm, subject).await?;
        Ok(rows
            .into_iter()
            .filter(|row| !matches!(row.state, KeyState::Destroyed { .. }))
            .collect())
    }

    /// The newest usable key of a subject, opened.
    pub async fn of_subject(
        &self,
        realm: Realm<'_>,
        subject: &str,
    ) -> Result<Option<Arc<DataKey>>, KeyError> {
        let rows = self.store.of_subject(realm, subject).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        if let Some(above) = self.kept(realm.id(), row.wrapped_by) {
            let bytes = unwrap(&above, realm.id(), row)?;
            return Ok(Some(Arc::new(data_key(row.id, &bytes)?)));
        }
        Ok(Some(self.open(realm, &[row.id]).await?.get(row.id)?))
    }

    /// The organization key, if it is this one and was opened just now: spares a read of the store.
    fn kept(&self, realm: RealmId, id: KeyId) -> Option<Arc<DataKey>> {
        let now = self.clock.now();
        let kept = self.lock();
        let keys = kept.realms.get(&realm)?;
        let usable =
            keys.organization.id() == id && now < keys.opened_at.plus_seconds(KEEP_SECONDS);
        usable.then(|| Arc::clone(&keys.organization))
    }

    /// A key that is about to be added, under `to` if it was made under another.
    pub(crate) async fn wrapped_now(
        &self,
        realm: Realm<'_>,
        change: KeyChange,
        to: &DataKey,
    ) -> Result<KeyChange, KeyError> {
        match change {
            KeyChange::Add(row) if row.wrapped_by != to.id() => {
                match self.rewrap(realm, &row, to).await? {
                    KeyChange::Rewrap { to, wrapped, .. } => {
                        Ok(KeyChange::Add(WrappedKey { wrapped_by: to, wrapped, ..row }))
                    }
                    other => Ok(other),
                }
            }
            as_it_is => Ok(as_it_is),
        }
    }

    /// Same key, wrapped by `to` from now on.
    pub async fn rewrap(
        &self,
        realm: Realm<'_>,
        row: &WrappedKey,
        to: &DataKey,
    ) -> Result<KeyChange, KeyError> {
        let above = match self.kept(realm.id(), row.wrapped_by) {
            Some(above) => above,
            None => self.open(realm, &[row.wrapped_by]).await?.get(row.wrapped_by)?,
        };
        let bytes = unwrap(&above, realm.id(), row)?;
        let wrapped = wrap(&*self.random, to, realm.id(), row.id, row.kind, &row.subject, &bytes);
        Ok(KeyChange::Rewrap { id: row.id, from: row.wrapped_by, to: to.id(), wrapped })
    }

    /// Re-wraps a key that the master wraps (master rotation).
    pub async fn rewrap_top(
        &self,
        realm: RealmId,
        row: &WrappedKey,
    ) -> Result<KeyChange, KeyError> {
        let bytes = self.open_top(realm, row).await?;
        let wrapped =
            self.master.wrap(&bytes, &associated(realm, row.id, row.kind, &row.subject)).await?;
        let MasterWrapped { by: to, bytes: wrapped } = wrapped;
        Ok(KeyChange::Rewrap { id: row.id, from: row.wrapped_by, to, wrapped })
    }

    pub(crate) async fn wrapped_by(
        &self,
        realm: Realm<'_>,
        by: KeyId,
        limit: u32,
    ) -> Result<Vec<WrappedKey>, KeyError> {
        Ok(self.store.wrapped_by(realm, by, limit).await?)
    }

    pub(crate) async fn scrub(&self, realm: Realm<'_>) -> Result<(), KeyError> {
        Ok(self.store.scrub(realm).await?)
    }
}

fn data_key(id: KeyId, bytes: &[u8]) -> Result<DataKey, SealError> {
    DataKey::new(id, bytes).ok_or(SealError::Unwrap { key: id, by: id })
}

/// What a wrapped key is bound to: it opens only as itself, in its realm, for its subject.
fn associated(realm: RealmId, id: KeyId, kind: KeyKind, subject: &str) -> Vec<u8> {
    let mut bytes = b"precordia.key.1".to_vec();
    for part in [&realm.bytes()[..], id.0.as_bytes(), kind.name().as_bytes(), subject.as_bytes()] {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

/// `nonce (12) | ciphertext and tag`.
fn wrap(
    random: &dyn Random,
    by: &DataKey,
    realm: RealmId,
    id: KeyId,
    kind: KeyKind,
    subject: &str,
    bytes: &[u8],
) -> Vec<u8> {
    let mut nonce = [0; NONCE_LEN];
    random.fill(&mut nonce);
    let mut body = bytes.to_vec();
    let aad = Aad::from(associated(realm, id, kind, subject));
    by.aead()
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut body)
        .expect("AES-GCM seals 32 bytes");
    [&nonce[..], &body[..]].concat()
}

fn unwrap(by: &DataKey, realm: RealmId, row: &WrappedKey) -> Result<Zeroizing<Vec<u8>>, SealError> {
    if matches!(row.state, KeyState::Destroyed { .. }) {
        return Err(SealError::Destroyed(row.id));
    }
    let fail = || SealError::Unwrap { key: row.id, by: by.id() };
    let (nonce, body) = row.wrapped.split_first_chunk::<NONCE_LEN>().ok_or_else(fail)?;
    let mut bytes = Zeroizing::new(body.to_vec());
    let aad = Aad::from(associated(realm, row.id, row.kind, &row.subject));
    let length = by
        .aead()
        .open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut bytes)
        .map_err(|_| fail())?
        .len();
    bytes.truncate(length);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededRandom;
    use precordia_model::OrganizationId;

    fn id(n: u128) -> uuid::Uuid {
        uuid::Uuid::from_u128(n)
    }

    #[test]
    fn a_wrapped_key_opens_only_as_itself_in_its_realm_and_for_its_subject() {
        let by = DataKey::new(KeyId(id(1)), &[1; 32]).unwrap();
        let realm = RealmId(Some(OrganizationId(id(5))));
        let subject = "patient/a";
        let key = KeyId(id(2));
        let wrapped =
            wrap(&SeededRandom::new(1), &by, realm, key, KeyKind::Patient, subject, &[7; 32]);
        let row = WrappedKey {
            id: key,
            kind: KeyKind::Patient,
            subject: subject.into(),
            wrapped_by: by.id(),
            wrapped,
            state: KeyState::Active,
            created_at: Timestamp(0),
        };
        assert_eq!(unwrap(&by, realm, &row).unwrap().as_slice(), [7; 32]);
        let moved = |change: fn(&mut WrappedKey)| {
            let mut row = row.clone();
            change(&mut row);
            unwrap(&by, realm, &row).is_err()
        };
        assert!(moved(|row| row.id = KeyId(id(3))));
        assert!(moved(|row| row.kind = KeyKind::Recording));
        assert!(moved(|row| row.subject = "patient/b".into()));
        assert!(moved(|row| row.state = KeyState::Destroyed { at: Timestamp(1) }));
        assert!(moved(|row| row.wrapped.truncate(11)));
        for elsewhere in [RealmId::PLATFORM, RealmId(Some(OrganizationId(id(6))))] {
            assert!(unwrap(&by, elsewhere, &row).is_err());
        }
        let other = DataKey::new(by.id(), &[2; 32]).unwrap();
        assert!(unwrap(&other, realm, &row).is_err());
    }

    /// Lengths are bound in: no part of the context can be read as the next one's beginning.
    #[test]
    fn no_two_contexts_of_a_wrapped_key_are_the_same_bytes() {
        let of = |kind, subject| associated(RealmId::PLATFORM, KeyId(id(1)), kind, subject);
        let kinds = [
            KeyKind::Organization,
            KeyKind::Patient,
            KeyKind::Recording,
            KeyKind::Blob,
            KeyKind::Index,
            KeyKind::Signing,
        ];
        let mut all: Vec<_> = kinds
            .iter()
            .flat_map(|kind| ["", "a", "patient/a", "index"].map(|subject| of(*kind, subject)))
            .collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
