//! Every view beside a fresh fold of its events: compared by `audit verify`, put right by `views rebuild`.
//!
//! Both run while the program serves. A row that seems to differ is looked at again, because somebody may
//! have changed it between the reading of its events and its own; a row is written only if its stream
//! still stands where it was folded.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use precordia_model::{ItemId, RecordingId};
use precordia_rules::event::{ErasedItem, Event};
use serde::Serialize;

use super::Fact;
use crate::access::OrgScope;
use crate::app::{App, AppError};
use crate::ledger::Draft;
use crate::patient::is_erased;
use crate::port::{
    Append, EffectKey, EventFilter, NewWork, Position, Realm, StoreError, StoredEvent, Stream,
    Version, ViewChange,
};

/// Events that are read at once.
const PAGE: u32 = 1000;
/// Streams that are looked at side by side: fewer than a server's connections, which others need, too.
const AT_ONCE: usize = 8;
/// Rows that one transaction puts right.
const ROWS_A_BATCH: usize = 200;
/// How often a row that seems to differ is looked at again.
pub(super) const LOOKS_MAX: u32 = 4;
pub(super) const LOOK_PAUSE: Duration = Duration::from_millis(5);
/// Events of patients that change rows of recordings and items.
const MOVING: [&str; 3] = ["patient.merged", "patient.unmerged", "patient.erased"];
/// The most differences that are listed.
const LISTED_MAX: usize = 100;

/// A row that is not what its events say. Names fields, never values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ViewDifference {
    /// The stream whose row it is.
    pub stream: String,
    /// `missing`, `unexplained`, the fields that differ, or why the events cannot be folded.
    pub what: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ViewReport {
    /// Streams whose rows were compared.
    pub compared: u64,
    pub different: u64,
    /// The first of them.
    pub differences: Vec<ViewDifference>,
}

impl ViewReport {
    /// The events could not be read on, so that nothing can be said of the rows.
    pub(crate) fn unreadable(detail: String) -> Self {
        let difference = ViewDifference { stream: String::from("-"), what: detail };
        Self { compared: 0, different: 1, differences: vec![difference] }
    }

    pub const fn is_equal(&self) -> bool {
        self.different == 0
    }

    pub(crate) fn tell(&mut self, stream: &Stream, what: String) {
        self.different += 1;
        if self.differences.len() < LISTED_MAX {
            self.differences.push(ViewDifference { stream: stream.0.clone(), what });
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rebuilt {
    pub compared: u64,
    /// Rows that were written or removed.
    pub put_right: u64,
}

/// One row beside its fold.
pub(crate) struct Check {
    pub(crate) stream: Stream,
    /// Of the stream as it was folded.
    pub(crate) version: Version,
    /// What differs; `None` when nothing does.
    pub(crate) differs: Option<String>,
    /// What puts the row right.
    pub(crate) put: Vec<ViewChange>,
    /// Effects that the stream's events had.
    pub(crate) effects: Vec<EffectKey>,
    /// Of `effects`, those that the storage does not know, or knows as another's.
    effects_wrong: Vec<EffectKey>,
    /// Work that the stream waits for and nobody has.
    pub(crate) work: Option<NewWork>,
}

impl Check {
    pub(crate) fn new(events: &[StoredEvent], stream: Stream) -> Self {
        let version = events.last().map_or(0, |event| event.version);
        Self {
            stream,
            version,
            differs: None,
            put: Vec::new(),
            effects: Vec::new(),
            effects_wrong: Vec::new(),
            work: None,
        }
    }

    /// One more thing that is not as it should be.
    fn also(&mut self, what: &str) {
        self.differs = Some(match self.differs.take() {
            Some(before) => format!("{before}, {what}"),
            None => what.to_owned(),
        });
    }

    fn can_be_put_right(&self) -> bool {
        !self.put.is_empty() || !self.effects_wrong.is_empty() || self.work.is_some()
    }

    pub(crate) fn differing(mut self, what: impl Into<String>, put: Vec<ViewChange>) -> Self {
        self.differs = Some(what.into());
        self.put = put;
        self
    }
}

/// The names of those that are not equal.
pub(crate) fn unequal(fields: &[(&str, bool)]) -> Option<String> {
    let names: Vec<&str> = fields.iter().filter(|(_, same)| !same).map(|(name, _)| *name).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// What patients' events say of recordings and items, which have streams of their own.
#[derive(Default)]
pub(crate) struct Moves {
    after: Position,
    events: Vec<(StoredEvent, Event)>,
    of_recording: BTreeMap<RecordingId, Vec<usize>>,
    erased_items: BTreeMap<ItemId, ErasedItem>,
}

impl Moves {
    pub(crate) fn of_recording(&self, id: RecordingId) -> impl Iterator<Item = Fact<'_>> {
        let places = self.of_recording.get(&id).map_or(&[][..], Vec::as_slice);
        places.iter().map(|place| fact_of(&self.events[*place]))
    }

    pub(crate) fn erased_item(&self, id: ItemId) -> Option<&ErasedItem> {
        self.erased_items.get(&id)
    }

    fn add(&mut self, stored: StoredEvent, event: Event) {
        match &event {
            Event::PatientErased(erased) => {
                let items = erased.items.iter().map(|item| (item.item, item.clone()));
                self.erased_items.extend(items);
            }
            Event::PatientMerged(moved) => self.point(&moved.recordings),
            Event::PatientUnmerged(moved) => self.point(&moved.recordings),
            _ => return,
        }
        self.events.push((stored, event));
    }

    fn point(&mut self, recordings: &[RecordingId]) {
        let place = self.events.len();
        for id in recordings {
            self.of_recording.entry(*id).or_default().push(place);
        }
    }
}

pub(crate) fn fact_of((stored, event): &(StoredEvent, Event)) -> Fact<'_> {
    Fact {
        position: stored.position,
        stream: &stored.stream,
        version: stored.version,
        at: stored.at,
        event,
    }
}

impl App {
    /// Compares every row of an organization's views with a fresh fold of its events.
    pub async fn compare_views(&self, scope: &OrgScope) -> Result<ViewReport, AppError> {
        let mut report = ViewReport::default();
        let mut moves = Moves::default();
        let mut after = 0;
        loop {
            let (streams, last) = self.new_streams(scope, after).await?;
            let Some(last) = last else { break };
            after = last;
            for streams in streams.chunks(AT_ONCE) {
                let checks = self.checked_at_once(scope, &mut moves, streams).await?;
                checks.iter().for_each(|check| tell(&mut report, check));
            }
        }
        for stream in self.ports.log.rows_without_events(scope, PAGE).await? {
            tell(&mut report, &unexplained(stream));
        }
        Ok(report)
    }

    /// The control ledger's views, and [`App::rebuild_views`] for every organization, by its slug.
    pub async fn rebuild_all_views(&self) -> Result<Vec<(String, Rebuilt)>, AppError> {
        let platform = self.platform();
        let mut all = vec![(String::from("platform"), self.rebuild_platform(&platform).await?)];
        for organization in self.ports.directory.organizations(&platform).await? {
            let scope = self.system_scope(organization.id, "rebuild");
            all.push((organization.slug, self.rebuild_views(&scope).await?));
        }
        Ok(all)
    }

    /// Writes every row that is missing or differs from its fold, and removes those that no event explains.
    pub async fn rebuild_views(&self, scope: &OrgScope) -> Result<Rebuilt, AppError> {
        let mut rebuilt = Rebuilt::default();
        let mut moves = Moves::default();
        let mut after = 0;
        loop {
            let (streams, last) = self.new_streams(scope, after).await?;
            let Some(last) = last else { break };
            after = last;
            let mut wrong = Vec::new();
            for streams in streams.chunks(AT_ONCE) {
                let checks = self.checked_at_once(scope, &mut moves, streams).await?;
                rebuilt.compared += checks.len() as u64;
                wrong.extend(checks.into_iter().filter(Check::can_be_put_right));
            }
            for group in chunks(wrong) {
                rebuilt.put_right += self.put_right(scope, &mut moves, group).await?;
            }
        }
        loop {
            let extra = self.ports.log.rows_without_events(scope, PAGE).await?;
            if extra.is_empty() {
                return Ok(rebuilt);
            }
            for group in chunks(extra.into_iter().map(unexplained).collect()) {
                rebuilt.put_right += self.put_right(scope, &mut moves, group).await?;
            }
        }
    }

    /// The streams that begin after a position, in the order of their beginnings, and the last position
    /// that was looked at.
    async fn new_streams(
        &self,
        scope: &OrgScope,
        after: Position,
    ) -> Result<(Vec<Stream>, Option<Position>), AppError> {
        let events = self.ports.log.events(scope.into(), after, PAGE).await?;
        let last = events.last().map(|event| event.position);
        let first = events.into_iter().filter(|event| event.version == 1);
        Ok((first.map(|event| Stream(event.stream)).collect(), last))
    }

    /// Those of the streams that have rows. They are looked at side by side, because each look waits for
    /// the storage several times; what seems to differ then is looked at again, alone.
    async fn checked_at_once(
        &self,
        scope: &OrgScope,
        moves: &mut Moves,
        streams: &[Stream],
    ) -> Result<Vec<Check>, AppError> {
        self.read_moves(scope, moves).await?;
        let looks = streams.iter().map(|stream| self.look(scope, moves, stream));
        let looks = join_all(looks).await;
        let mut checks = Vec::with_capacity(streams.len());
        for (stream, look) in streams.iter().zip(looks) {
            match look {
                Ok(None) => {}
                Ok(Some(check)) if check.differs.is_none() => checks.push(check),
                _ => checks.extend(self.checked(scope, moves, stream).await?),
            }
        }
        Ok(checks)
    }

    /// `None`: the stream has no row in any view.
    async fn checked(
        &self,
        scope: &OrgScope,
        moves: &mut Moves,
        stream: &Stream,
    ) -> Result<Option<Check>, AppError> {
        let mut looks = 0;
        loop {
            self.read_moves(scope, moves).await?;
            let check = match self.look(scope, moves, stream).await {
                Ok(Some(check)) => check,
                Ok(None) => return Ok(None),
                Err(AppError::Store(cause @ StoreError::Damaged { .. })) => {
                    Check::new(&[], stream.clone()).differing(cause.to_string(), Vec::new())
                }
                Err(AppError::Store(cause)) => return Err(cause.into()),
                // A fact that does not open or follow is for the chain to explain; here it has no fold.
                Err(cause) => {
                    Check::new(&[], stream.clone()).differing(cause.to_string(), Vec::new())
                }
            };
            looks += 1;
            if check.differs.is_none() || looks == LOOKS_MAX {
                return Ok(Some(check));
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
    }

    /// Every view has its line here.
    async fn look(
        &self,
        scope: &OrgScope,
        moves: &Moves,
        stream: &Stream,
    ) -> Result<Option<Check>, AppError> {
        let events = self.ports.log.stream(scope.into(), stream).await?;
        let mut check = Check::new(&events, stream.clone());
        let (kind, id) = stream.as_str().split_once('/').unwrap_or_default();
        check = match kind {
            "item" => self.check_item(scope, moves, parsed(stream, id)?, events, check).await?,
            "recording" => {
                self.check_recording(scope, moves, parsed(stream, id)?, events, check).await?
            }
            "patient" => self.check_patient(scope, parsed(stream, id)?, events, check).await?,
            "user" => self.check_user(scope, parsed(stream, id)?, events, check).await?,
            _ => return Ok(None),
        };
        self.check_effects(scope.into(), &mut check).await?;
        if check.work.is_some() {
            check.also("work");
        }
        Ok(Some(check))
    }

    /// Whether what must happen once is still known to have happened.
    async fn check_effects(&self, realm: Realm<'_>, check: &mut Check) -> Result<(), AppError> {
        if check.effects.is_empty() {
            return Ok(());
        }
        let keys: Vec<String> = check.effects.iter().map(|effect| effect.key.clone()).collect();
        let known = self.ports.log.effects(realm, &keys).await?;
        check.effects_wrong = std::mem::take(&mut check.effects);
        check.effects_wrong.retain(|effect| known.get(&effect.key) != Some(&effect.subject));
        if !check.effects_wrong.is_empty() {
            check.also("effects");
        }
        Ok(())
    }

    /// Reads the patients' events that came since the last look.
    async fn read_moves(&self, scope: &OrgScope, moves: &mut Moves) -> Result<(), AppError> {
        let kinds = MOVING.map(String::from).to_vec();
        let filter = EventFilter { kinds, ..EventFilter::default() };
        loop {
            let events =
                self.ports.log.events_where(scope.into(), &filter, moves.after, PAGE).await?;
            let Some(last) = events.last() else { return Ok(()) };
            moves.after = last.position;
            for event in events {
                match self.open_events(scope.into(), vec![event]).await {
                    Ok(opened) => opened.into_iter().for_each(|(s, e)| moves.add(s, e)),
                    // Of a patient who was erased since; their recordings are, too.
                    Err(cause) if is_erased(&cause) => {}
                    Err(cause) => return Err(cause),
                }
            }
        }
    }

    /// One transaction for many rows; one by one when somebody changed one of them meanwhile.
    async fn put_right(
        &self,
        scope: &OrgScope,
        moves: &mut Moves,
        wrong: Vec<Check>,
    ) -> Result<u64, AppError> {
        if self.put_rows(scope, &wrong).await? {
            return Ok(wrong.len() as u64);
        }
        let mut count = 0;
        for check in wrong {
            let Some(again) = self.checked(scope, moves, &check.stream).await? else { continue };
            if again.can_be_put_right() && self.put_rows(scope, &[again]).await? {
                count += 1;
            }
        }
        Ok(count)
    }

    async fn put_rows(&self, scope: &OrgScope, wrong: &[Check]) -> Result<bool, AppError> {
        let mut draft = Draft::new(self, scope.into());
        for check in wrong {
            draft.expect(check.stream.clone(), check.version);
            draft.batch.views.extend(check.put.iter().cloned());
            let keys = check.effects_wrong.iter().map(|effect| effect.key.clone());
            draft.batch.forget_effects.extend(keys);
            draft.batch.effects.extend(check.effects_wrong.iter().cloned());
            draft.batch.work.extend(check.work.iter().cloned());
        }
        Ok(matches!(draft.append(scope.into()).await?, Append::Done { .. }))
    }
}

fn tell(report: &mut ViewReport, check: &Check) {
    report.compared += 1;
    if let Some(what) = &check.differs {
        report.tell(&check.stream, what.clone());
    }
}

fn unexplained(stream: Stream) -> Check {
    let put = vec![ViewChange::Remove(stream.clone())];
    Check::new(&[], stream).differing("unexplained", put)
}

fn chunks(checks: Vec<Check>) -> impl Iterator<Item = Vec<Check>> {
    let mut rest = checks.into_iter().peekable();
    std::iter::from_fn(move || {
        rest.peek()?;
        Some(rest.by_ref().take(ROWS_A_BATCH).collect())
    })
}

fn parsed<T: std::str::FromStr>(stream: &Stream, id: &str) -> Result<T, AppError> {
    id.parse().map_err(|_| AppError::Damaged(format!("stream `{}` names no id", stream.0)))
}
