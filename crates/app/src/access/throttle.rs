//! Slows guessing: after a few failures a name, or a sender, has to wait, longer each time.
//!
//! A try counts as failed from its beginning until it succeeds, so that guesses made at once are not all
//! let through. A sender may be the one address of a whole house: it gets many more free failures.

use std::collections::BTreeMap;
use std::sync::Mutex;

use precordia_model::Timestamp;

const FREE_FAILURES: u32 = 5;
const FREE_FAILURES_OF_A_PEER: u32 = 50;
const WAIT_SECONDS_MAX: i64 = 15 * 60;
// How names begin. Each kind has its own beginning, so that no sign-in can be made to count as another's.
pub(crate) const ACCOUNT: &str = "account/";
pub(crate) const PEER: &str = "peer/";
pub(crate) const SETUP: &str = "setup/";
/// Bounds memory; the entries that would be forgotten first are those that may try again.
const ENTRIES_MAX: usize = 10_000;

#[derive(Default)]
pub(crate) struct Throttle(Mutex<BTreeMap<String, Failures>>);

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: Timestamp,
}

impl Failures {
    fn free_at(self, free: u32) -> Timestamp {
        let over = self.count.saturating_sub(free);
        let wait = if self.count < free { 0 } else { 1i64 << over.min(10) };
        self.last.plus_seconds(wait.min(WAIT_SECONDS_MAX))
    }
}

impl Throttle {
    /// Begins a try of these names: counted as failed until it succeeds. `Err`: seconds to wait first,
    /// and nothing is counted.
    pub(crate) fn begin(&self, names: &[&str], now: Timestamp) -> Result<(), i64> {
        let mut entries = self.lock();
        let until = names.iter().filter_map(|name| Some((entries.get(*name)?, free_of(name))));
        let until = until.map(|(failures, free)| failures.free_at(free)).max();
        let seconds =
            until.map_or(0, |until| ((until.micros() - now.micros()).max(0) + 999_999) / 1_000_000);
        if seconds > 0 {
            return Err(seconds);
        }
        if entries.len() >= ENTRIES_MAX {
            let stale = now.plus_seconds(-WAIT_SECONDS_MAX);
            entries.retain(|_, failures| failures.last > stale);
        }
        for name in names {
            if let Some(failures) = entries.get_mut(*name) {
                let forgotten = failures.last.plus_seconds(WAIT_SECONDS_MAX) < now;
                *failures =
                    Failures { count: if forgotten { 1 } else { failures.count + 1 }, last: now };
            } else if entries.len() < ENTRIES_MAX {
                entries.insert((*name).to_owned(), Failures { count: 1, last: now });
            }
        }
        Ok(())
    }

    /// The try was right: its name is free again, and its sender has one failure less.
    pub(crate) fn succeeded(&self, name: &str, peer: Option<&str>) {
        let mut entries = self.lock();
        entries.remove(name);
        if let Some(failures) = peer.and_then(|peer| entries.get_mut(peer)) {
            failures.count = failures.count.saturating_sub(1);
        }
    }

    /// The try could not be judged.
    pub(crate) fn undone(&self, names: &[&str]) {
        let mut entries = self.lock();
        for name in names {
            if let Some(failures) = entries.get_mut(*name) {
                failures.count = failures.count.saturating_sub(1);
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Failures>> {
        self.0.lock().expect("no code panics while it holds the throttle")
    }
}

fn free_of(name: &str) -> u32 {
    if name.starts_with(PEER) { FREE_FAILURES_OF_A_PEER } else { FREE_FAILURES }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixth_guess_waits_and_each_further_one_longer() {
        let throttle = Throttle::default();
        let mut now = Timestamp(0);
        let mut waits = Vec::new();
        for _ in 0..9 {
            let wait = throttle.begin(&["name", "other"], now).err().unwrap_or_default();
            now = now.plus_seconds(wait);
            if wait > 0 {
                assert_eq!(throttle.begin(&["name"], now), Ok(()));
            }
            waits.push(wait);
        }
        assert_eq!(waits, [0, 0, 0, 0, 0, 1, 2, 4, 8]);
        throttle.succeeded("name", None);
        assert_eq!(throttle.begin(&["name"], now), Ok(()));
    }

    #[test]
    fn a_house_behind_one_address_is_not_shut_out_by_one_who_forgot() {
        let throttle = Throttle::default();
        let (now, peer) = (Timestamp(0), "peer/10.0.0.1");
        (0..5).for_each(|_| throttle.begin(&["forgetful", peer], now).unwrap());
        assert!(throttle.begin(&["forgetful", peer], now).is_err());
        for _ in 0..1000 {
            throttle.begin(&["colleague", peer], now).unwrap();
            throttle.succeeded("colleague", Some(peer));
        }
        let guesses = (0..200).filter(|n| throttle.begin(&[&n.to_string(), peer], now).is_ok());
        assert_eq!(guesses.count(), 45);
    }
}
