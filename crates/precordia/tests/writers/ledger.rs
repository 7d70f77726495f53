//! What the tables hold, read past the program, and whether it is what the writers were told.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use precordia_bench::{Answer, Told, own_effect, own_subject};
use uuid::Uuid;

use super::book::Book;
use crate::common::Site;

type Place = (String, i64);

pub struct Ledger {
    /// Stream and version, by position.
    events: Vec<Place>,
    /// Positions of items' events.
    positions: HashMap<(Uuid, i64), i64>,
    /// Subject, by key.
    effects: HashMap<String, String>,
    /// Version and position of its first event, by stream.
    items: BTreeMap<String, (i64, i64)>,
    /// How often each subject has a piece of work.
    work: BTreeMap<String, u64>,
    keys: usize,
}

/// What there was to judge.
#[derive(Debug, Default)]
pub struct Judged {
    pub items: u64,
    pub refused: u64,
    /// Appends that are there and whose writer was killed before it was told.
    pub untold: u64,
}

impl Ledger {
    pub fn read(site: &Site) -> Self {
        let lines = |sql: &str| {
            let rows = site.column(sql).into_iter();
            rows.map(|row| String::from_utf8(row).unwrap()).collect::<Vec<_>>()
        };
        let events = lines(
            "SELECT position || ' ' || stream || ' ' || version FROM event ORDER BY position",
        );
        let events: Vec<Place> = (1..)
            .zip(&events)
            .map(|(expected, line)| {
                let [position, stream, version] = words(line);
                assert_eq!(number(position), expected, "a position is missing");
                (stream.to_owned(), number(version))
            })
            .collect();
        let positions = (1..).zip(&events).filter_map(|(position, (stream, version))| {
            Some(((item_of(stream)?, *version), position))
        });
        let effects = lines("SELECT effect_key || ' ' || subject FROM effect");
        let rows = effects.len();
        let effects: HashMap<String, String> = effects
            .iter()
            .map(|line| words(line).map(str::to_owned))
            .map(|[key, subject]| (key, subject))
            .collect();
        assert_eq!(effects.len(), rows, "an effect is there twice");
        let items = lines("SELECT 'item/' || id || ' ' || version || ' ' || position FROM item");
        let items = items.iter().map(|line| {
            let [stream, version, position] = words(line);
            (stream.to_owned(), (number(version), number(position)))
        });
        let mut work = BTreeMap::new();
        for subject in lines("SELECT subject FROM work") {
            *work.entry(subject).or_default() += 1;
        }
        Self {
            positions: positions.collect(),
            events,
            effects,
            items: items.collect(),
            work,
            keys: lines("SELECT id FROM wrapped_key").len(),
        }
    }

    /// Compares everything with the books: what is there must have been asked for, and what was
    /// acknowledged must be there, at the position that was told.
    pub fn judge(&self, before: &Self, books: &[Book]) -> Judged {
        let mut judged = Judged::default();
        let mut there: BTreeSet<(i64, Place)> = BTreeSet::new();
        for book in books {
            let mut next = vec![0; usize::try_from(book.writers).unwrap()];
            for told in &book.told {
                let number = &mut next[usize::try_from(told.writer).unwrap()];
                assert_eq!(told.number, *number, "writer {} skipped one", told.writer);
                *number += 1;
                match self.check(book.life, told) {
                    Some(place) => assert!(there.insert(place), "told twice: {told:?}"),
                    None => judged.refused += 1,
                }
            }
            // What each writer was in when it was killed.
            for (writer, number) in (0..).zip(next) {
                if let Some(subject) = self.effects.get(&own_effect(book.life, writer, number)) {
                    judged.untold += 1;
                    assert!(there.insert(self.settled(subject)), "told another: {subject}");
                }
            }
        }
        self.count(before, &there);
        judged.items = (self.items.len() - before.items.len()) as u64;
        judged
    }

    /// Whether an answer was the truth; where the append is, if it is there.
    fn check(&self, life: u64, told: &Told) -> Option<(i64, Place)> {
        let effect = self.effects.get(&own_effect(life, told.writer, told.number));
        let stream = format!("item/{}", told.item);
        match &told.answer {
            Answer::Done(position) => {
                let subject = own_subject(told.item, told.version);
                assert_eq!(effect, Some(&subject), "{told:?}");
                assert_eq!(self.at(*position), Some(&(stream, told.version)), "{told:?}");
                return Some((*position, self.at(*position)?.clone()));
            }
            Answer::Conflict { stream: of, expected, found } => {
                assert_eq!((of, *expected), (&stream, told.version - 1), "{told:?}");
                assert!(found >= &told.version && self.version(of) >= *found, "{told:?}");
            }
            Answer::Duplicate { key, subject } => {
                assert_eq!(self.effects.get(key), Some(subject), "{told:?}");
                assert!(!self.items.contains_key(&stream), "{told:?}");
            }
            Answer::Unknown => return effect.map(|subject| self.settled(subject)),
            Answer::Failed(why) => panic!("an append failed: {why}"),
        }
        assert_eq!(effect, None, "refused, and there: {told:?}");
        None
    }

    /// Where the append is whose effect was found. Its subject is `item/<id>/<version>`.
    fn settled(&self, subject: &str) -> (i64, Place) {
        let (stream, version) = subject.rsplit_once('/').unwrap();
        let version = number(version);
        let position = self.positions.get(&(item_of(stream).unwrap(), version));
        (*position.expect("an effect has its event"), (stream.to_owned(), version))
    }

    /// Nothing is there but what was there before and what is in the set.
    fn count(&self, before: &Self, there: &BTreeSet<(i64, Place)>) {
        assert_eq!(self.events.len(), before.events.len() + there.len(), "events");
        let mut expected: BTreeMap<String, (i64, i64)> = before.items.clone();
        let mut work = before.work.clone();
        for (position, (stream, version)) in there {
            let row = expected.entry(stream.clone()).or_insert((0, *position));
            assert_eq!(row.0 + 1, *version, "versions of {stream} are in order");
            row.0 = *version;
            *work.entry(stream.clone()).or_default() += 1;
        }
        assert!(self.items == expected, "rows of items");
        assert!(self.work == work, "pieces of work");
        let new = self.items.len() - before.items.len();
        // Its own of each append, and that of each content.
        assert_eq!(self.effects.len(), before.effects.len() + there.len() + new, "effects");
        assert_eq!(self.keys, before.keys + new, "keys");
    }

    fn at(&self, position: i64) -> Option<&Place> {
        self.events.get(usize::try_from(position - 1).ok()?)
    }

    fn version(&self, stream: &str) -> i64 {
        self.items.get(stream).map_or(0, |item| item.0)
    }
}

fn item_of(stream: &str) -> Option<Uuid> {
    stream.strip_prefix("item/")?.parse().ok()
}

fn number(text: &str) -> i64 {
    text.parse().unwrap()
}

#[track_caller]
fn words<const N: usize>(line: &str) -> [&str; N] {
    line.split(' ').collect::<Vec<_>>().try_into().unwrap()
}
