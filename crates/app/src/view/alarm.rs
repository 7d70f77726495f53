//! Alarms of operation, in the platform's ledger: one stream, and one row, each time that something is wrong.

use std::collections::BTreeMap;

use precordia_model::AlarmId;
use precordia_rules::event::Event;

use super::platform::Wrong;
use super::rebuild::{fact_of, unequal};
use super::{Fact, misplaced};
use crate::access::PlatformScope;
use crate::app::{App, AppError};
use crate::ledger::Draft;
use crate::port::{AlarmFilter, AlarmRow, EffectKey, EventFilter, Stream, ViewChange};
use crate::seal::DataKey;

impl Draft<'_> {
    /// Appends an alarm's next event and puts the row that it makes beside it.
    pub(crate) fn alarm(
        &mut self,
        key: &DataKey,
        id: AlarmId,
        before: Option<AlarmRow>,
        event: &Event,
    ) -> Result<AlarmRow, AppError> {
        let stream = stream(id);
        let version = before.as_ref().map_or(1, |row| row.version + 1);
        let index = self.event(key, &stream, version, event);
        let row = fold(id, before, &self.fact(index, stream.as_str(), version, event))?;
        self.view(ViewChange::Alarm(row.clone()));
        Ok(row)
    }
}

pub(crate) fn stream(id: AlarmId) -> Stream {
    Stream::new("alarm", id)
}

/// Held while an alarm stands, so that of a code and subject there is one.
pub(crate) fn standing_effect(row: &AlarmRow) -> EffectKey {
    let key = format!("alarm/{}/{}", row.code, row.subject);
    EffectKey { key, subject: stream(row.id).0 }
}

pub(crate) fn fold(
    id: AlarmId,
    before: Option<AlarmRow>,
    fact: &Fact<'_>,
) -> Result<AlarmRow, AppError> {
    let row = match (fact.event, before) {
        (Event::AlarmRaised(raised), None) => {
            return Ok(AlarmRow {
                id,
                code: raised.code.clone(),
                subject: raised.subject.clone(),
                severity: raised.severity,
                raised_at: raised.since,
                last_seen_at: fact.at,
                count: raised.count,
                figures: raised.figures.clone(),
                acknowledged: None,
                cleared_at: None,
                version: fact.version,
            });
        }
        (Event::AlarmRepeated(again), Some(row)) if row.cleared_at.is_none() => AlarmRow {
            count: row.count + again.more,
            last_seen_at: again.last_seen_at,
            figures: again.figures.clone(),
            ..row
        },
        (Event::AlarmAcknowledged(by), Some(row)) if row.acknowledged.is_none() => {
            AlarmRow { acknowledged: Some((fact.at, by.by.clone())), ..row }
        }
        (Event::AlarmCleared(cleared), Some(row)) if row.cleared_at.is_none() => AlarmRow {
            count: row.count + cleared.more,
            last_seen_at: cleared.last_seen_at,
            cleared_at: Some(fact.at),
            ..row
        },
        _ => return Err(misplaced(fact)),
    };
    Ok(AlarmRow { version: fact.version, ..row })
}

/// Events or rows that are read at once.
const PAGE: u32 = 500;
const KINDS: [&str; 4] = ["alarm.raised", "alarm.repeated", "alarm.acknowledged", "alarm.cleared"];

impl App {
    /// Rows of alarms that are not what the events make of them, and how many there are.
    pub(super) async fn wrong_alarms(
        &self,
        platform: &PlatformScope,
    ) -> Result<(u64, Vec<Wrong>), AppError> {
        let now = self.fold_alarms(platform).await?;
        let mut stored = BTreeMap::new();
        let mut filter = AlarmFilter::default();
        loop {
            let rows = self.ports.alarms.alarms(platform, &filter, PAGE).await?;
            let Some(last) = rows.last() else { break };
            filter.before = Some((last.raised_at, last.id));
            stored.extend(rows.into_iter().map(|row| (row.id, row)));
        }
        let standing = now.values().filter(|row| row.cleared_at.is_none()).map(standing_effect);
        let keys: Vec<String> = standing.map(|effect| effect.key).collect();
        let mut effects = BTreeMap::new();
        for some in keys.chunks(PAGE as usize) {
            effects.extend(self.ports.log.effects(platform.into(), some).await?);
        }
        let mut wrong = Vec::new();
        for (id, row) in &now {
            let effect = standing_effect(row);
            let known =
                row.cleared_at.is_some() || effects.get(&effect.key) == Some(&effect.subject);
            let what = match stored.remove(id) {
                None => Some(String::from("missing")),
                Some(there) => unequal(&[("row", there == *row), ("effects", known)]),
            };
            wrong.extend(what.map(|what| Wrong {
                stream: stream(*id),
                version: row.version,
                what,
                put: vec![ViewChange::Alarm(row.clone())],
                effect: (!known).then_some(effect),
            }));
        }
        for id in stored.into_keys() {
            let (stream, what) = (stream(id), String::from("unexplained"));
            // One that was raised while this looked has its events by now.
            if self.ports.log.stream(platform.into(), &stream).await?.is_empty() {
                let put = vec![ViewChange::Remove(stream.clone())];
                wrong.push(Wrong { stream, version: 0, what, put, effect: None });
            }
        }
        Ok((now.len() as u64, wrong))
    }

    async fn fold_alarms(
        &self,
        platform: &PlatformScope,
    ) -> Result<BTreeMap<AlarmId, AlarmRow>, AppError> {
        let filter = EventFilter { kinds: KINDS.map(String::from).into(), ..Default::default() };
        let (mut now, mut after) = (BTreeMap::new(), 0);
        loop {
            let events = self.ports.log.events_where(platform.into(), &filter, after, PAGE).await?;
            let Some(last) = events.last() else { return Ok(now) };
            after = last.position;
            for pair in self.open_events(platform.into(), events).await? {
                let fact = fact_of(&pair);
                let id = fact.stream.strip_prefix("alarm/").and_then(|id| id.parse().ok());
                let id: AlarmId = id.ok_or_else(|| misplaced(&fact))?;
                let row = fold(id, now.remove(&id), &fact)?;
                now.insert(id, row);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use precordia_model::{AlarmSeverity, AlarmSubject, Timestamp};
    use precordia_rules::event::{AlarmAcknowledged, AlarmCleared, AlarmRaised, AlarmRepeated};
    use uuid::Uuid;

    use super::*;
    use crate::port::AlarmState;

    const ID: AlarmId = AlarmId(Uuid::from_u128(7));

    fn raised() -> Event {
        Event::AlarmRaised(AlarmRaised {
            code: String::from("disk.low"),
            subject: AlarmSubject::platform("disk"),
            severity: AlarmSeverity::Warning,
            count: 1,
            since: Timestamp(10),
            figures: BTreeMap::new(),
        })
    }

    fn repeated(more: i64, at: i64) -> Event {
        let figures = BTreeMap::from([(String::from("free_bytes"), at)]);
        Event::AlarmRepeated(AlarmRepeated { more, last_seen_at: Timestamp(at), figures })
    }

    fn acknowledged() -> Event {
        Event::AlarmAcknowledged(AlarmAcknowledged { by: String::from("platform/local") })
    }

    fn cleared(more: i64, at: i64) -> Event {
        Event::AlarmCleared(AlarmCleared { more, last_seen_at: Timestamp(at) })
    }

    fn after(events: &[Event]) -> Result<AlarmRow, AppError> {
        let mut row = None;
        for (version, event) in (1..).zip(events) {
            let at = Timestamp(100 * version);
            let fact = Fact { position: version, stream: "alarm/7", version, at, event };
            row = Some(fold(ID, row, &fact)?);
        }
        Ok(row.unwrap())
    }

    #[test]
    fn a_condition_that_lasts_is_one_alarm_that_counts() {
        let row = after(&[raised(), repeated(4, 250), acknowledged(), cleared(2, 290)]).unwrap();
        assert_eq!((row.count, row.version, row.state()), (7, 4, AlarmState::Cleared));
        assert_eq!((row.raised_at, row.last_seen_at), (Timestamp(10), Timestamp(290)));
        assert_eq!(row.figures["free_bytes"], 250);
        assert_eq!(row.acknowledged, Some((Timestamp(300), String::from("platform/local"))));
        assert_eq!(row.cleared_at, Some(Timestamp(400)));
    }

    #[test]
    fn it_is_open_until_somebody_says_that_they_know() {
        assert_eq!(after(&[raised(), repeated(1, 150)]).unwrap().state(), AlarmState::Open);
        let row = after(&[raised(), acknowledged(), repeated(1, 250)]).unwrap();
        assert_eq!(row.state(), AlarmState::Acknowledged);
    }

    #[test]
    fn what_cannot_follow_is_refused() {
        for events in [
            vec![repeated(1, 1)],
            vec![raised(), raised()],
            vec![raised(), acknowledged(), acknowledged()],
            vec![raised(), cleared(0, 1), repeated(1, 2)],
            vec![raised(), cleared(0, 1), cleared(0, 2)],
        ] {
            let outcome = after(&events);
            assert!(matches!(outcome, Err(AppError::Damaged(_))), "{events:?}: {outcome:?}");
        }
    }

    #[test]
    fn one_stands_of_a_code_and_subject() {
        let key = standing_effect(&after(&[raised()]).unwrap());
        assert_eq!(key.key, "alarm/disk.low/platform/disk");
        assert_eq!(key.subject, format!("alarm/{}", ID));
    }
}
