//! The memory and the eight locks that SQLite's connections share about one write-ahead journal.

#![allow(unsafe_code)] // SQLite is given addresses; see `Regions`.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::disk::HandleId;

const LOCKS: usize = 8;

#[derive(Default)]
pub struct Shm(Mutex<Inside>);

#[derive(Default)]
struct Inside {
    regions: Regions,
    users: BTreeMap<HandleId, ()>,
    held: [BTreeMap<HandleId, Held>; LOCKS],
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Held {
    Shared,
    Alone,
}

impl Shm {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The region of that number, made with those before it when `extend` says so.
    pub fn region(&self, user: HandleId, number: usize, bytes: usize, extend: bool) -> *mut u8 {
        let mut inside = self.inside();
        inside.users.insert(user, ());
        while extend && inside.regions.0.len() <= number {
            inside.regions.add(bytes);
        }
        inside.regions.0.get(number).map_or(std::ptr::null_mut(), |(start, _)| start.cast())
    }

    pub fn leave(&self, user: HandleId) {
        let mut inside = self.inside();
        inside.users.remove(&user);
        inside.held.iter_mut().for_each(|held| {
            held.remove(&user);
        });
    }

    pub fn is_alone(&self) -> bool {
        self.inside().users.is_empty()
    }

    /// All of the locks or none.
    pub fn lock(&self, user: HandleId, first: usize, count: usize, how: Held) -> bool {
        let mut inside = self.inside();
        let Some(wanted) = inside.held.get_mut(first..first + count) else { return false };
        let stands = |other: Held| how == Held::Alone || other == Held::Alone;
        let free = wanted
            .iter()
            .all(|held| held.iter().all(|(other, has)| *other == user || !stands(*has)));
        if free {
            wanted.iter_mut().for_each(|held| {
                held.insert(user, how);
            });
        }
        free
    }

    pub fn unlock(&self, user: HandleId, first: usize, count: usize) {
        let mut inside = self.inside();
        if let Some(held) = inside.held.get_mut(first..first + count) {
            held.iter_mut().for_each(|held| {
                held.remove(&user);
            });
        }
    }
}

/// Zeroed memory whose addresses never move.
#[derive(Default)]
struct Regions(Vec<(*mut u64, usize)>);

impl Regions {
    fn add(&mut self, bytes: usize) {
        let words = bytes.div_ceil(8);
        let memory: Box<[u64]> = vec![0; words].into();
        self.0.push((Box::into_raw(memory).cast(), words));
    }
}

// SAFETY: the regions are plain words that SQLite alone reads and writes, in the order that its own
// locks and barriers give; this program never looks into them.
unsafe impl Send for Regions {}

impl Drop for Regions {
    fn drop(&mut self) {
        for (start, words) in self.0.drain(..) {
            // SAFETY: the address and the length are those of the boxed slice made in `add`, and it is
            // given back once. Every connection holds the `Shm`, so none outlives it.
            drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(start, words)) });
        }
    }
}
