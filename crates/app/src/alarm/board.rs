//! What this process knows of alarms and the ledger may not yet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use precordia_model::{AlarmCode, AlarmFigures, AlarmId, AlarmSubject, Timestamp};
use tokio::sync::Notify;
use uuid::Uuid;

use super::Alarm;
use crate::port::{AlarmRow, RealmId};

/// A repetition is written at most so often; in between it is counted here.
pub(super) const REPEAT_SECONDS: i64 = 10 * 60;

pub(super) type Key = (AlarmCode, AlarmSubject);

/// One condition, as this process met it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) id: AlarmId,
    /// When this process last wrote of it; `None` before it did.
    pub(super) written_at: Option<Timestamp>,
    pub(super) first_at: Timestamp,
    pub(super) last_at: Timestamp,
    /// How often it was met since it was last written.
    pub(super) pending: i64,
    pub(super) figures: AlarmFigures,
    /// It is over, and the ledger does not know.
    pub(super) ended: bool,
    /// Channels that were told that it was raised, without the ledger.
    pub(super) told: BTreeSet<String>,
    /// When to try the other channels without the ledger again.
    pub(super) tell_at: Timestamp,
    /// The log says already that it cannot be written.
    pub(super) stuck: bool,
}

impl Seen {
    fn new(id: AlarmId, at: Timestamp) -> Self {
        Self {
            id,
            written_at: None,
            first_at: at,
            last_at: at,
            pending: 0,
            figures: AlarmFigures::new(),
            ended: false,
            told: BTreeSet::new(),
            tell_at: at,
            stuck: false,
        }
    }

    /// Whether the ledger is to hear of it now.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        let late = |at: Timestamp| now >= at.plus_seconds(REPEAT_SECONDS);
        self.ended
            || self.written_at.is_none()
            || (self.pending > 0 && self.written_at.is_some_and(late))
    }
}

#[derive(Default)]
pub(crate) struct Board {
    seen: Mutex<BTreeMap<Key, Seen>>,
    storage: Mutex<Storage>,
    changed: Notify,
    /// Who writes holds it, so that what was met is counted once.
    pub(super) writing: tokio::sync::Mutex<()>,
    /// The alarms that stood when the ledger could last be asked.
    known: Mutex<Vec<AlarmRow>>,
}

/// What commits of each realm said of its storage.
#[derive(Default)]
struct Storage {
    /// Wrote since they last failed, and nobody looked yet whether an alarm stands.
    works: BTreeSet<RealmId>,
    /// Wrote, and no alarm stands.
    proven: BTreeSet<RealmId>,
}

impl Board {
    fn seen(&self) -> MutexGuard<'_, BTreeMap<Key, Seen>> {
        self.seen.lock().expect("no code panics while it holds the board")
    }

    fn storage(&self) -> MutexGuard<'_, Storage> {
        self.storage.lock().expect("no code panics while it holds the set")
    }

    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Counts it; `true` when it is new here.
    pub(super) fn put(&self, alarm: Alarm, now: Timestamp, new_id: impl FnOnce() -> Uuid) -> bool {
        let mut board = self.seen();
        let key = (alarm.code, alarm.subject);
        let is_new = !board.contains_key(&key);
        let seen = board.entry(key).or_insert_with(|| Seen::new(AlarmId(new_id()), now));
        seen.pending += 1;
        seen.last_at = now;
        seen.figures = alarm.figures;
        seen.ended = false;
        drop(board);
        self.changed.notify_one();
        is_new
    }

    /// `false` when it is not here.
    pub(super) fn end(&self, key: &Key) -> bool {
        let mut board = self.seen();
        let Some(seen) = board.get_mut(key) else { return false };
        seen.ended = true;
        drop(board);
        self.changed.notify_one();
        true
    }

    /// One that another process, or this one before it started, wrote.
    pub(super) fn end_stored(&self, key: &Key, row: &AlarmRow) {
        let mut board = self.seen();
        let seen = board.entry(key.clone()).or_insert_with(|| Seen {
            written_at: Some(row.last_seen_at),
            figures: row.figures.clone(),
            ..Seen::new(row.id, row.last_seen_at)
        });
        seen.ended = true;
    }

    pub(super) fn get(&self, key: &Key) -> Option<Seen> {
        self.seen().get(key).cloned()
    }

    pub(super) fn all(&self) -> Vec<(Key, Seen)> {
        self.seen().iter().map(|(key, seen)| (key.clone(), seen.clone())).collect()
    }

    /// The ledger has what `was` said, as the alarm `id`; what was met since then stays to be written.
    pub(super) fn written(&self, key: &Key, was: &Seen, id: AlarmId, now: Timestamp) {
        if let Some(seen) = self.seen().get_mut(key) {
            seen.id = id;
            seen.pending -= was.pending;
            seen.written_at = Some(now);
            seen.stuck = false;
        }
    }

    /// It could not be written; `true` for the first time.
    pub(super) fn stuck(&self, key: &Key) -> bool {
        self.seen().get_mut(key).is_some_and(|seen| !std::mem::replace(&mut seen.stuck, true))
    }

    /// The ledger knows that it is over, or never knew it; forgotten unless it was met since.
    pub(super) fn over(&self, key: &Key, was: &Seen, new_id: impl FnOnce() -> Uuid) {
        let mut board = self.seen();
        let Some(seen) = board.get_mut(key) else { return };
        if seen.pending == was.pending {
            board.remove(key);
            return;
        }
        let again = Seen {
            last_at: seen.last_at,
            pending: seen.pending - was.pending,
            figures: std::mem::take(&mut seen.figures),
            ended: seen.ended,
            ..Seen::new(AlarmId(new_id()), seen.last_at)
        };
        *seen = again;
    }

    /// A channel was told without the ledger.
    pub(super) fn told(&self, key: &Key, channel: &str) {
        if let Some(seen) = self.seen().get_mut(key) {
            seen.told.insert(channel.to_owned());
        }
    }

    pub(super) fn tell_again_at(&self, key: &Key, at: Timestamp) {
        if let Some(seen) = self.seen().get_mut(key) {
            seen.tell_at = at;
        }
    }

    pub(super) fn wrote(&self, realm: RealmId) {
        let mut storage = self.storage();
        if !storage.proven.contains(&realm) && storage.works.insert(realm) {
            self.changed.notify_one();
        }
    }

    pub(super) fn failed(&self, realm: RealmId) {
        let mut storage = self.storage();
        storage.works.remove(&realm);
        storage.proven.remove(&realm);
    }

    /// Realms that wrote since they failed or since the start; asked about once.
    pub(super) fn works(&self) -> BTreeSet<RealmId> {
        let mut storage = self.storage();
        let works = std::mem::take(&mut storage.works);
        storage.proven.extend(&works);
        works
    }

    pub(super) fn known(&self) -> MutexGuard<'_, Vec<AlarmRow>> {
        self.known.lock().expect("no code panics while it holds the list")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        (AlarmCode::DiskLow, AlarmSubject::platform("disk"))
    }

    fn put(board: &Board, at: i64) -> bool {
        let alarm = Alarm::new(key().0, key().1).figure("free_bytes", at);
        board.put(alarm, Timestamp(0).plus_seconds(at), Uuid::nil)
    }

    fn now(seconds: i64) -> Timestamp {
        Timestamp(0).plus_seconds(seconds)
    }

    #[test]
    fn what_repeats_is_counted_and_written_now_and_then() {
        let board = Board::default();
        assert!(put(&board, 1));
        assert!(!put(&board, 2));
        let seen = board.get(&key()).unwrap();
        assert_eq!((seen.pending, seen.figures["free_bytes"]), (2, 2));
        assert!(seen.is_due(now(2)), "the ledger does not know it");
        put(&board, 3);
        board.written(&key(), &seen, seen.id, now(3));
        let seen = board.get(&key()).unwrap();
        assert_eq!(seen.pending, 1, "met while the others were written");
        assert!(!seen.is_due(now(4)));
        assert!(seen.is_due(now(3 + REPEAT_SECONDS)));
        board.end(&key());
        assert!(board.get(&key()).unwrap().is_due(now(4)));
    }

    #[test]
    fn what_is_met_while_its_end_is_written_is_a_new_one() {
        let board = Board::default();
        put(&board, 1);
        board.end(&key());
        let was = board.get(&key()).unwrap();
        put(&board, 2);
        board.over(&key(), &was, || Uuid::from_u128(2));
        let seen = board.get(&key()).unwrap();
        assert_eq!((seen.id, seen.pending, seen.ended), (AlarmId(Uuid::from_u128(2)), 1, false));
        assert_eq!(seen.first_at, now(2));
        board.over(&key(), &seen, Uuid::nil);
        assert_eq!(board.get(&key()), None);
    }

    #[test]
    fn a_realm_that_writes_is_asked_about_once_until_it_fails() {
        let board = Board::default();
        board.wrote(RealmId::PLATFORM);
        assert_eq!(board.works().len(), 1);
        board.wrote(RealmId::PLATFORM);
        assert!(board.works().is_empty());
        board.failed(RealmId::PLATFORM);
        board.wrote(RealmId::PLATFORM);
        assert_eq!(board.works().len(), 1);
    }
}
