//! Slows guessing: after a few failures a name, or a sender, has to wait, longer each time.

use std::collections::BTreeMap;
use std::sync::Mutex;

use precordia_model::Timestamp;

const FREE_FAILURES: u32 = 5;
const WAIT_SECONDS_MAX: i64 = 15 * 60;
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
    fn free_at(self) -> Timestamp {
        let over = self.count.saturating_sub(FREE_FAILURES);
        let wait = if self.count < FREE_FAILURES { 0 } else { 1i64 << over.min(10) };
        self.last.plus_seconds(wait.min(WAIT_SECONDS_MAX))
    }
}

impl Throttle {
    /// Seconds to wait before the next try of any of these names; zero when it may go on.
    pub(crate) fn wait_seconds(&self, names: &[&str], now: Timestamp) -> i64 {
        let entries = self.lock();
        let until = names.iter().filter_map(|name| entries.get(*name)).map(|f| f.free_at()).max();
        until.map_or(0, |until| ((until.micros() - now.micros()).max(0) + 999_999) / 1_000_000)
    }

    pub(crate) fn failed(&self, names: &[&str], now: Timestamp) {
        let mut entries = self.lock();
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
    }

    pub(crate) fn succeeded(&self, name: &str) {
        self.lock().remove(name);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Failures>> {
        self.0.lock().expect("no code panics while it holds the throttle")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixth_guess_waits_and_each_further_one_longer() {
        let throttle = Throttle::default();
        let now = Timestamp(0);
        let waits: Vec<i64> = (0..9)
            .map(|_| {
                throttle.failed(&["name"], now);
                throttle.wait_seconds(&["name", "other"], now)
            })
            .collect();
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16]);
        assert_eq!(throttle.wait_seconds(&["name"], now.plus_seconds(16)), 0);
        throttle.succeeded("name");
        assert_eq!(throttle.wait_seconds(&["name"], now), 0);
    }
}
