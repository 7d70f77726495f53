//! Objects.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use precordia_app::access::OrgScope;
use precordia_app::port::*;
use precordia_model::*;
use precordia_store::{Store, SystemClock};

use crate::engines::Opened;
use crate::samples::*;

async fn put(store: &Store, scope: &OrgScope, id: BlobId, pieces: &[&[u8]]) {
    let mut writer = store.create(scope, id).await.unwrap();
    for piece in pieces {
        writer.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    writer.finish().await.unwrap();
}

fn is_missing<T>(answer: Result<T, StoreError>, id: BlobId) -> bool {
    matches!(answer, Err(StoreError::NoBlob(missing)) if missing == id)
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

fn blob_dir(opened: &Opened, scope: &OrgScope) -> PathBuf {
    opened.dir().join(format!("org/{}/blobs", scope.organization()))
}

pub async fn a_blob_is_there_only_when_finished(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    let id = BlobId(uuid());
    assert!(is_missing(store.read(&scope, id, 0, 10).await, id));
    assert!(is_missing(store.size(&scope, id).await, id));
    let mut writer = store.create(&scope, id).await.unwrap();
    writer.write(Bytes::from_static(b"sealed ")).await.unwrap();
    assert!(is_missing(store.size(&scope, id).await, id));
    assert_eq!(store.list(&scope, None, 10).await.unwrap(), []);
    // A second writer of the same object is refused.
    assert!(store.create(&scope, id).await.is_err());
    writer.write(Bytes::from_static(b"bytes")).await.unwrap();
    writer.finish().await.unwrap();
    assert_eq!(store.size(&scope, id).await.unwrap(), 12);
    assert_eq!(store.read(&scope, id, 0, 100).await.unwrap(), "sealed bytes");
    assert_eq!(store.list(&scope, None, 10).await.unwrap(), [id]);
    assert!(store.create(&scope, id).await.is_err(), "what is there is never replaced");
    assert_eq!(opened.again().await.read(&scope, id, 0, 100).await.unwrap(), "sealed bytes");
    assert_eq!(files(&blob_dir(opened, &scope)).len(), 1);
}

pub async fn a_blob_is_read_in_any_piece(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    let (id, empty) = (BlobId(uuid()), BlobId(uuid()));
    let content: Vec<u8> = (0..200_000u32).map(|n| (n % 251) as u8).collect();
    put(store, &scope, id, &[&content[..1], &content[1..70_000], &[], &content[70_000..]]).await;
    put(store, &scope, empty, &[]).await;
    for (offset, length) in
        [(0, 0), (0, 1), (65_535, 3), (199_999, 1), (199_999, 9), (0, u32::MAX), (1, 200_000)]
    {
        let start = usize::try_from(offset).unwrap();
        let end = content.len().min(start + length as usize);
        let read = store.read(&scope, id, offset, length).await.unwrap();
        assert!(read == content[start..end], "{length} at {offset}");
    }
    for offset in [200_000, 200_001, u64::MAX] {
        assert_eq!(store.read(&scope, id, offset, 10).await.unwrap().len(), 0, "at {offset}");
    }
    assert_eq!(store.size(&scope, empty).await.unwrap(), 0);
    assert_eq!(store.read(&scope, empty, 0, 10).await.unwrap().len(), 0);
}

pub async fn an_abandoned_or_dropped_blob_leaves_nothing(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    let id = BlobId(uuid());
    for dropped in [false, true, false] {
        let mut writer = store.create(&scope, id).await.unwrap();
        writer.write(Bytes::from(vec![7; 100_000])).await.unwrap();
        assert_eq!(files(&blob_dir(opened, &scope)).len(), 1);
        if dropped {
            drop(writer);
        } else {
            writer.abandon().await;
        }
        assert_eq!(files(&blob_dir(opened, &scope)), Vec::<PathBuf>::new());
    }
    put(store, &scope, id, &[b"x"]).await;
}

pub async fn blobs_are_listed_in_pages_by_id(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    let mut chance = Chance(5);
    // Ids of all times, several in one window of time.
    let mut ids: Vec<BlobId> = (0..40u64)
        .map(|n| uuid::Uuid::from_u64_pair((n % 7) << 44 | chance.next() >> 24, chance.next()))
        .map(BlobId)
        .collect();
    for id in &ids {
        put(store, &scope, *id, &[b"x"]).await;
    }
    ids.sort_unstable();
    for limit in [1, 7, 40, 100] {
        let mut listed: Vec<BlobId> = Vec::new();
        loop {
            let page = store.list(&scope, listed.last().copied(), limit).await.unwrap();
            assert!(page.len() <= limit as usize);
            if page.is_empty() {
                break;
            }
            listed.extend(page);
        }
        assert_eq!(listed, ids, "by {limit}");
    }
    assert_eq!(store.list(&scope, None, 0).await.unwrap(), []);
}

pub async fn a_removed_blob_is_gone(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    let (id, kept) = (BlobId(uuid()), BlobId(uuid()));
    put(store, &scope, id, &[b"gone"]).await;
    put(store, &scope, kept, &[b"kept"]).await;
    store.remove(&scope, id).await.unwrap();
    store.remove(&scope, id).await.unwrap();
    store.remove(&scope, BlobId(uuid::Uuid::nil())).await.unwrap();
    assert!(is_missing(store.read(&scope, id, 0, 9).await, id));
    assert_eq!(store.list(&scope, None, 10).await.unwrap(), [kept]);
    assert_eq!(files(&blob_dir(opened, &scope)).len(), 1);
}

pub async fn blob_files_are_for_their_owner_only(opened: &Opened) {
    let scope = opened.organization().await;
    put(&opened.store, &scope, BlobId(uuid()), &[b"x"]).await;
    let unfinished = opened.store.create(&scope, BlobId(uuid())).await.unwrap();
    done(opened.store.append((&scope).into(), one(&new_stream())).await);
    let mut dirs = vec![opened.dir().join("org")];
    while let Some(dir) = dirs.pop() {
        let mode = std::fs::metadata(&dir).unwrap().mode();
        assert_eq!(mode & 0o777, 0o700, "{}", dir.display());
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else {
                let mode = std::fs::metadata(&path).unwrap().mode();
                assert_eq!(mode & 0o777, 0o600, "{}", path.display());
            }
        }
    }
    unfinished.abandon().await;
}

pub async fn blobs_of_another_organization_are_not_there(opened: &Opened) {
    let (a, b) = (opened.organization().await, opened.organization().await);
    let store = &*opened.store;
    let id = BlobId(uuid());
    put(store, &a, id, &[b"of a"]).await;
    assert!(is_missing(store.read(&b, id, 0, 9).await, id));
    assert!(is_missing(store.size(&b, id).await, id));
    assert_eq!(store.list(&b, None, 10).await.unwrap(), []);
    store.remove(&b, id).await.unwrap();
    assert_eq!(store.read(&a, id, 0, 9).await.unwrap(), "of a");
    put(store, &b, id, &[b"of b"]).await;
    assert_eq!(store.read(&a, id, 0, 9).await.unwrap(), "of a");
}

pub async fn a_blob_tells_when_it_was_written_and_which_items_name_it(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    let (named, alone, missing) = (BlobId(uuid()), BlobId(uuid()), BlobId(uuid()));
    let now = || SystemClock.now();
    let before = now();
    put(store, &scope, named, &[b"x"]).await;
    put(store, &scope, alone, &[b"y"]).await;
    let written = store.written_at(&scope, named).await.unwrap().unwrap();
    // The clock of a file system may be a tick behind.
    assert!(before.plus_seconds(-1) <= written && written <= now(), "{before:?} {written:?}");
    assert_eq!(store.written_at(&scope, missing).await.unwrap(), None);
    let view = |blob| ViewChange::Item(ItemRow { blob, ..item() });
    let views = vec![view(Some(named)), view(Some(named)), view(None)];
    done(store.append((&scope).into(), carrying(Batch { views, ..Batch::default() })).await);
    let all = [missing, named, alone];
    assert_eq!(store.blobs_of_items(&scope, &all).await.unwrap(), [named]);
    assert_eq!(store.blobs_of_items(&scope, &[]).await.unwrap(), []);
    let other = opened.organization().await;
    assert_eq!(store.blobs_of_items(&other, &all).await.unwrap(), []);
    assert_eq!(store.written_at(&other, named).await.unwrap(), None);
}
