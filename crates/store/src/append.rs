//! One transaction for many batches: each is judged in turn, and only those that pass are written.
//!
//! What the preconditions look at is read for all batches at once, under the head lock. A batch that
//! passes changes that picture for those behind it, exactly as if they had run one after the other; a
//! batch that is refused leaves it as it was.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash as Key;

use precordia_app::chain::{ResourceFields, access_hash, new_event_hash, resources_hash};
use precordia_app::port::{
    Append, Batch, KEY_USES_MAX, KeyChange, Lease, LogName, Members, NewEvent, Position, RealmId,
    Version, WorkChange, WorkState,
};
use precordia_model::{KeyId, WorkId};
use uuid::Uuid;

use crate::engine::{Connection, DbError, Script};
use crate::key::{self, KeyNow};
use crate::log::{self, Ends};
use crate::resource::{self, Name};
use crate::work::LeaseName;
use crate::{effect, member, view, work, work_change};

/// What is wrong with a batch whatever the database holds. Such a one never joins a commit.
pub(crate) fn fault(batch: &Batch) -> Option<&'static str> {
    if batch.resources.iter().any(|r| r.event >= batch.events.len()) {
        return Some("a resource version names an event that the batch does not have");
    }
    if batch.events.is_empty() && batch.views.iter().any(view::needs_position) {
        return Some("a view row takes its position from an event, and the batch has none");
    }
    let mut keys: Vec<&str> = batch.effects.iter().map(|effect| effect.key.as_str()).collect();
    keys.sort_unstable();
    if keys.windows(2).any(|pair| pair[0] == pair[1]) {
        return Some("an effect key is in the batch twice");
    }
    None
}

/// Judges, numbers, hashes and writes; the answers are in the order of the batches. Nothing holds before
/// the caller commits.
pub(crate) async fn append(
    connection: &mut dyn Connection,
    realm: RealmId,
    batches: &[Batch],
) -> Result<Vec<Append>, DbError> {
    let mut ends = log::lock_ends(connection).await?;
    let mut known = Known::read(connection, batches).await?;
    let mut script = Script::new();
    let before = (ends.events.position, ends.access.position, ends.work);
    let mut answers = Vec::with_capacity(batches.len());
    let mut uses = BTreeMap::new();
    for batch in batches {
        let verdict = known.judge(batch)?;
        known.settle(verdict.is_ok());
        answers.push(match verdict {
            Ok(()) => {
                for (key, count) in batch.uses() {
                    *uses.entry(key).or_default() += count;
                }
                Append::Done { positions: write(&mut script, realm, &mut ends, batch) }
            }
            Err(refusal) => refusal,
        });
    }
    uses.into_iter().for_each(|(key, count)| key::put_uses(&mut script, key, count));
    if ends.events.position != before.0 {
        ends.events.put(&mut script, LogName::Events);
    }
    if ends.access.position != before.1 {
        ends.access.put(&mut script, LogName::Access);
    }
    if ends.work != before.2 {
        work::put_count(&mut script, ends.work);
    }
    connection.run(&script).await?;
    Ok(answers)
}

/// Numbers and chains a batch and adds its statements.
fn write<'a>(
    script: &mut Script<'a>,
    realm: RealmId,
    ends: &mut Ends,
    batch: &'a Batch,
) -> Vec<Position> {
    let mut positions = Vec::with_capacity(batch.events.len());
    for (index, event) in batch.events.iter().enumerate() {
        positions.push(write_event(script, realm, ends, batch, index, event));
    }
    for row in &batch.access {
        let request = row.request.to_string();
        let link = ends
            .access
            .push(|position, previous| access_hash(realm, position, row, &request, previous));
        log::put_access(script, row, request, &link);
    }
    batch.keys.iter().for_each(|change| key::put(script, change));
    let first = positions.first().copied().unwrap_or_default();
    batch.views.iter().for_each(|change| view::write(script, change, first));
    batch.forget_effects.iter().for_each(|key| effect::forget(script, key));
    batch.effects.iter().for_each(|effect| effect::put(script, &effect.key, &effect.subject));
    let at = batch.events.first().map(|event| event.at);
    if let Some(lease) = &batch.finish {
        work::finish(script, lease.work, at.unwrap_or(lease.until));
    }
    batch.work_changes.iter().for_each(|change| work_change::write(script, change));
    for piece in &batch.work {
        ends.work += 1;
        work::put(script, piece, ends.work, at.unwrap_or(piece.not_before));
    }
    positions
}

fn write_event<'a>(
    script: &mut Script<'a>,
    realm: RealmId,
    ends: &mut Ends,
    batch: &'a Batch,
    index: usize,
    event: &'a NewEvent,
) -> Position {
    let implied = || batch.resources.iter().filter(move |resource| resource.event == index);
    let resources = resources_hash(implied().map(ResourceFields::from));
    let request = event.request.to_string();
    let link = ends.events.push(|position, previous| {
        new_event_hash(realm, position, event, &request, &resources, previous)
    });
    log::put_event(script, event, request, resources, &link);
    for (ordinal, resource) in (0..).zip(implied()) {
        resource::put(script, resource, link.position, ordinal, event.at);
    }
    link.position
}

/// What the preconditions of a group of batches look at, as it stands after the batches judged so far.
struct Known<'a> {
    leases: Table<LeaseName<'a>, bool>,
    effects: Table<&'a str, Option<String>>,
    streams: Table<&'a str, Version>,
    resources: Table<Name<'a>, i64>,
    keys: Table<KeyId, KeyNow>,
    members: Table<Members, BTreeSet<Uuid>>,
    pieces: Table<WorkId, String>,
    schedules: Table<&'a str, i64>,
}

impl<'a> Known<'a> {
    async fn read(connection: &mut dyn Connection, batches: &'a [Batch]) -> Result<Self, DbError> {
        let all = batches.iter();
        let leases: Vec<&Lease> = all.clone().filter_map(|b| b.finish.as_ref()).collect();
        let effects = all.clone().flat_map(|b| &b.effects).map(|effect| effect.key.as_str());
        let written = all.clone().flat_map(|b| &b.events).map(|event| event.stream.as_str());
        let expected = all.clone().flat_map(|b| &b.expect).map(|(stream, _)| stream.as_str());
        let streams = written.chain(expected);
        let resources =
            all.clone().flat_map(|b| &b.resources).map(|r| (r.kind.as_str(), r.id.as_str()));
        let changed = all.clone().flat_map(|b| &b.keys).map(key::changed);
        let keys = changed.chain(all.clone().flat_map(|b| b.alive.iter().copied()));
        let members = all.clone().flat_map(|b| &b.exactly).map(|(set, _)| *set);
        let changes = all.clone().flat_map(|b| &b.work_changes);
        let pieces = distinct(changes.clone().filter_map(work_change::piece));
        let schedules = distinct(changes.filter_map(work_change::schedule));
        let held = work::hold(connection, leases).await?;
        Ok(Self {
            leases: Table::new(held.into_iter().map(|lease| (lease, true)).collect()),
            effects: Table::new(effect::read(connection, distinct(effects)).await?),
            streams: Table::new(log::versions(connection, distinct(streams)).await?),
            resources: Table::new(resource::versions(connection, distinct(resources)).await?),
            keys: Table::new(key::states(connection, distinct(keys)).await?),
            members: Table::new(member::read(connection, distinct(members)).await?),
            pieces: Table::new(work_change::states(connection, pieces).await?),
            schedules: Table::new(work_change::due(connection, schedules).await?),
        })
    }

    /// Nothing, or the answer that refuses the batch.
    fn judge(&mut self, batch: &'a Batch) -> Result<Result<(), Append>, DbError> {
        let refusal = self
            .take_lease(batch)
            .or_else(|| self.expected(batch))
            .or_else(|| self.add_effects(batch))
            .or_else(|| self.add_events(batch))
            .or_else(|| self.add_resources(batch))
            .or_else(|| batch.work_changes.iter().find_map(|change| self.change_work(change)));
        if let Some(refusal) = refusal {
            return Ok(Err(refusal));
        }
        for change in &batch.keys {
            if let Some(refusal) = self.change_key(change)? {
                return Ok(Err(refusal));
            }
        }
        if let Some(refusal) = self.alive(batch) {
            return Ok(Err(refusal));
        }
        self.move_members(batch);
        Ok(Ok(()))
    }

    /// What the batch relies on and does not write itself.
    fn expected(&self, batch: &'a Batch) -> Option<Append> {
        for (stream, expected) in &batch.expect {
            let found = self.streams.get(&stream.as_str()).copied().unwrap_or_default();
            if found != *expected {
                let (stream, expected) = (stream.0.clone(), *expected);
                return Some(Append::Conflict { stream, expected, found });
            }
        }
        for (set, expected) in &batch.exactly {
            let found = self.members.get(set).map_or(0, BTreeSet::len);
            let same = found == expected.len()
                && expected.iter().all(|id| self.members.get(set).is_some_and(|m| m.contains(id)));
            if !same {
                let (stream, expected) = (set.to_string(), expected.len() as Version);
                return Some(Append::Conflict { stream, expected, found: found as Version });
            }
        }
        None
    }

    /// After the batch's own key changes: a key that it adds is alive, one that it destroys is not.
    fn alive(&self, batch: &'a Batch) -> Option<Append> {
        let dead = |id: &&KeyId| self.keys.get(id).is_none_or(|key| key.destroyed);
        if let Some(key) = batch.alive.iter().find(dead) {
            return Some(Append::KeyConflict { key: *key });
        }
        let worn = |id: &&KeyId| self.keys.get(id).is_some_and(|key| key.uses >= KEY_USES_MAX);
        batch.alive.iter().find(worn).map(|key| Append::KeyWorn { key: *key })
    }

    fn move_members(&mut self, batch: &'a Batch) {
        for (id, kind, into) in batch.views.iter().filter_map(member::moved) {
            let sets: Vec<Members> =
                self.members.now.keys().filter(|set| member::kind(set) == kind).copied().collect();
            for set in sets {
                let belongs = into == Some(set);
                let Some(members) = self.members.get(&set) else { continue };
                if members.contains(&id) != belongs {
                    let mut members = members.clone();
                    if belongs {
                        members.insert(id);
                    } else {
                        members.remove(&id);
                    }
                    self.members.set(set, members);
                }
            }
        }
    }

    fn take_lease(&mut self, batch: &'a Batch) -> Option<Append> {
        let lease = batch.finish.as_ref()?;
        let name = work::name_of(lease);
        match self.leases.get(&name) {
            Some(true) => {
                self.leases.set(name, false);
                None
            }
            _ => Some(Append::LeaseLost { work: lease.work }),
        }
    }

    fn add_effects(&mut self, batch: &'a Batch) -> Option<Append> {
        for key in &batch.forget_effects {
            self.effects.set(key, None);
        }
        for effect in &batch.effects {
            if let Some(Some(subject)) = self.effects.get(&effect.key.as_str()) {
                let (key, subject) = (effect.key.clone(), subject.clone());
                return Some(Append::Duplicate { key, subject });
            }
            self.effects.set(&effect.key, Some(effect.subject.clone()));
        }
        None
    }

    fn add_events(&mut self, batch: &'a Batch) -> Option<Append> {
        for event in &batch.events {
            let stream = event.stream.as_str();
            let found = self.streams.get(&stream).copied().unwrap_or_default();
            let expected = event.version - 1;
            if found != expected {
                return Some(Append::Conflict { stream: stream.into(), expected, found });
            }
            self.streams.set(stream, event.version);
        }
        None
    }

    fn add_resources(&mut self, batch: &'a Batch) -> Option<Append> {
        for resource in &batch.resources {
            let name = (resource.kind.as_str(), resource.id.as_str());
            let found = self.resources.get(&name).copied().unwrap_or_default();
            let expected = resource.version - 1;
            if found != expected {
                let stream = format!("{}/{}", resource.kind, resource.id);
                return Some(Append::Conflict { stream, expected, found });
            }
            self.resources.set(name, resource.version);
        }
        None
    }

    /// What is not as its change expects is a conflict on it, without versions.
    fn change_work(&mut self, change: &'a WorkChange) -> Option<Append> {
        let conflict = |stream| Some(Append::Conflict { stream, expected: 0, found: 0 });
        let (work, from, to) = match change {
            WorkChange::Pause { .. } | WorkChange::Resume { .. } => return None,
            WorkChange::Advance { kind, from, to } => {
                let kind = kind.as_str();
                if self.schedules.get(&kind) != Some(&from.micros()) {
                    return conflict(format!("schedule/{kind}"));
                }
                self.schedules.set(kind, to.micros());
                return None;
            }
            WorkChange::Retry { work, .. } => (*work, WorkState::Dead, WorkState::Ready),
            WorkChange::GiveUp { work, .. } => (*work, WorkState::Ready, WorkState::Dead),
        };
        if self.pieces.get(&work).map(String::as_str) != Some(from.name()) {
            return conflict(format!("work/{work}"));
        }
        self.pieces.set(work, to.name().to_owned());
        None
    }

    fn change_key(&mut self, change: &'a KeyChange) -> Result<Option<Append>, DbError> {
        let id = key::changed(change);
        let now = self.keys.get(&id).cloned();
        let conflict = || Append::KeyConflict { key: id };
        let next = match (change, now) {
            (KeyChange::Add(key), None) => {
                KeyNow { wrapped_by: key.wrapped_by, destroyed: key.wrapped.is_empty(), uses: 0 }
            }
            (KeyChange::Add(_), Some(_)) => return Ok(Some(conflict())),
            (_, None) => return Err(DbError::Refused(format!("key `{id}` is not stored"))),
            (KeyChange::Rewrap { from, to, .. }, Some(now)) => {
                if now.destroyed || now.wrapped_by != *from {
                    return Ok(Some(conflict()));
                }
                KeyNow { wrapped_by: *to, ..now }
            }
            (KeyChange::Retire { .. }, Some(now)) => now,
            (KeyChange::Destroy { .. }, Some(now)) => KeyNow { destroyed: true, ..now },
        };
        self.keys.set(id, next);
        Ok(None)
    }

    /// Keeps or takes back what the last judged batch changed.
    fn settle(&mut self, keep: bool) {
        self.leases.settle(keep);
        self.effects.settle(keep);
        self.streams.settle(keep);
        self.resources.settle(keep);
        self.keys.settle(keep);
        self.members.settle(keep);
        self.pieces.settle(keep);
        self.schedules.settle(keep);
    }
}

fn distinct<T: Ord>(of: impl Iterator<Item = T>) -> Vec<T> {
    let mut all: Vec<T> = of.collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// A map that can take back what was set since it was last settled.
struct Table<K, V> {
    now: HashMap<K, V>,
    before: Vec<(K, Option<V>)>,
}

impl<K: Key + Eq + Clone, V> Table<K, V> {
    fn new(now: HashMap<K, V>) -> Self {
        Self { now, before: Vec::new() }
    }

    fn get(&self, key: &K) -> Option<&V> {
        self.now.get(key)
    }

    fn set(&mut self, key: K, value: V) {
        let old = self.now.insert(key.clone(), value);
        self.before.push((key, old));
    }

    fn settle(&mut self, keep: bool) {
        let before = self.before.drain(..);
        if keep {
            return;
        }
        for (key, old) in before.rev() {
            match old {
                Some(value) => self.now.insert(key, value),
                None => self.now.remove(&key),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_batch_leaves_the_picture_as_it_was() {
        let mut table = Table::new(HashMap::from([("a", 1)]));
        table.set("a", 2);
        table.set("a", 3);
        table.set("b", 1);
        table.settle(false);
        assert_eq!((table.get(&"a"), table.get(&"b")), (Some(&1), None));
        table.set("b", 2);
        table.settle(true);
        table.settle(false);
        assert_eq!(table.get(&"b"), Some(&2));
    }
}
