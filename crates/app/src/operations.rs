//! What people see of the queue and do to it, and the gauges that an operator watches.
//!
//! Whatever is done here is an event of the ledger. Work names streams and no person.

use std::collections::BTreeMap;
use std::sync::Mutex;

use precordia_model::{AlarmCode, AlarmSubject, OrganizationId, Phi, Timestamp, WorkId};
use precordia_rules::access::Permission;
use precordia_rules::event::{Event, WorkGivenUp, WorkPaused, WorkResumed, WorkRetried};

use crate::access::OrgScope;
use crate::alarm::Alarm;
use crate::app::{App, AppError};
use crate::intake::{FOLLOW, INGEST};
use crate::ledger::Draft;
use crate::port::{
    AlarmRow, PausedKind, Realm, Schedule, Stream, WorkChange, WorkCounts, WorkFilter, WorkRow,
    WorkState,
};
use crate::worker::KINDS;

/// What stands as the reason of a piece that a person gave up; theirs is sealed in the event.
const GIVEN_UP_BY_HAND: &str = "given up by hand";

/// One kind of work in one organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkKind {
    pub kind: String,
    pub counts: WorkCounts,
    pub paused: Option<PausedKind>,
    /// If pieces of it come by the clock.
    pub schedule: Option<Schedule>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkPage {
    pub rows: Vec<WorkRow>,
    /// Where the next page begins, if there is one.
    pub next: Option<i64>,
}

impl App {
    /// Every kind, with or without work.
    pub async fn work_kinds(&self, scope: &OrgScope) -> Result<Vec<WorkKind>, AppError> {
        self.require(scope, Permission::ReadOperations, "work.count", "-").await?;
        let views = &self.ports.work_views;
        let counts = views.counts(scope).await?;
        let paused = views.paused(scope).await?;
        let schedules = views.schedules(scope).await?;
        let kind = |kind: &str| WorkKind {
            kind: kind.to_owned(),
            counts: WorkCounts::of(&counts, &[kind]),
            paused: paused.iter().find(|one| one.kind == kind).cloned(),
            schedule: schedules.iter().find(|one| one.kind == kind).cloned(),
        };
        Ok(KINDS.into_iter().map(kind).collect())
    }

    /// The newest first.
    pub async fn work_list(
        &self,
        scope: &OrgScope,
        filter: &WorkFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<WorkPage, AppError> {
        self.require(scope, Permission::ReadOperations, "work.list", "-").await?;
        let limit = limit.clamp(1, 200);
        let mut rows = self.ports.work_views.pieces(scope, filter, before, limit + 1).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|row| row.seq);
        Ok(WorkPage { rows, next })
    }

    /// Tries a given-up piece again, with all its tries and in its old place in its lane.
    pub async fn retry_work(&self, scope: &OrgScope, id: WorkId) -> Result<(), AppError> {
        let (row, stream) = self.piece_to_change(scope, id, "work.retry", WorkState::Dead).await?;
        let event = Event::WorkRetried(WorkRetried {
            kind: row.kind,
            subject: row.subject,
            attempts: row.attempts,
            reason: row.reason,
        });
        let change = WorkChange::Retry { work: id, at: self.now() };
        self.change_work(scope, &stream, &event, change).await
    }

    /// Gives up a piece that waits. What it was about stays in the books as not done.
    pub async fn give_up_work(
        &self,
        scope: &OrgScope,
        id: WorkId,
        reason: Phi<String>,
    ) -> Result<(), AppError> {
        let (row, stream) =
            self.piece_to_change(scope, id, "work.give-up", WorkState::Ready).await?;
        let event = Event::WorkGivenUp(WorkGivenUp {
            kind: row.kind,
            subject: row.subject,
            attempts: row.attempts,
            reason,
        });
        let reason = String::from(GIVEN_UP_BY_HAND);
        let change = WorkChange::GiveUp { work: id, reason };
        self.change_work(scope, &stream, &event, change).await
    }

    /// Stops taking work of a kind; what is under way goes on. Once paused, pausing changes nothing.
    pub async fn pause_work(&self, scope: &OrgScope, kind: &str) -> Result<(), AppError> {
        self.set_paused(scope, kind, true).await
    }

    pub async fn resume_work(&self, scope: &OrgScope, kind: &str) -> Result<(), AppError> {
        self.set_paused(scope, kind, false).await
    }

    async fn set_paused(&self, scope: &OrgScope, kind: &str, pause: bool) -> Result<(), AppError> {
        let action = if pause { "work.pause" } else { "work.resume" };
        let stream = Stream::new("work-kind", kind);
        self.require(scope, Permission::ManageOperations, action, stream.0.clone()).await?;
        let kind = KINDS.into_iter().find(|known| *known == kind);
        let kind = kind.ok_or(AppError::NotFound("kind of work"))?.to_owned();
        let paused = self.ports.work_views.paused(scope).await?;
        if paused.iter().any(|one| one.kind == kind) == pause {
            return Ok(());
        }
        let (event, change) = if pause {
            let (by, at) = (scope.actor().name(), self.now());
            let event = Event::WorkPaused(WorkPaused { kind: kind.clone() });
            (event, WorkChange::Pause { kind, by, at })
        } else {
            let event = Event::WorkResumed(WorkResumed { kind: kind.clone() });
            (event, WorkChange::Resume { kind })
        };
        self.change_work(scope, &stream, &event, change).await
    }

    async fn piece_to_change(
        &self,
        scope: &OrgScope,
        id: WorkId,
        action: &'static str,
        expected: WorkState,
    ) -> Result<(WorkRow, Stream), AppError> {
        let stream = Stream::new("work", id);
        self.require(scope, Permission::ManageOperations, action, stream.0.clone()).await?;
        let row = self.ports.work_views.piece(scope, id).await?;
        let row = row.ok_or(AppError::NotFound("piece of work"))?;
        if row.state != expected {
            let text = format!("the work is {} and not {}", row.state.name(), expected.name());
            return Err(AppError::Refused { code: "work_state", text });
        }
        Ok((row, stream))
    }

    async fn change_work(
        &self,
        scope: &OrgScope,
        stream: &Stream,
        event: &Event,
        change: WorkChange,
    ) -> Result<(), AppError> {
        let realm = Realm::from(scope);
        let keys = self.keyring.realm(realm).await?;
        let version = self.ports.log.stream(realm, stream).await?.len() as i64 + 1;
        let mut draft = Draft::new(self, realm);
        draft.event(&keys.organization, stream, version, event);
        draft.batch.work_changes.push(change);
        draft.commit(realm).await?;
        self.work_arrived(scope.organization());
        Ok(())
    }
}

/// The counts of the organizations as they were last seen.
#[derive(Default)]
pub(crate) struct Gauged(Mutex<BTreeMap<OrganizationId, Vec<(String, WorkCounts)>>>);

/// Sums over all organizations, for the gauges that an operator watches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkGauges {
    /// By kind; every kind is there.
    pub kinds: Vec<(&'static str, WorkCounts)>,
    /// Received items that are not decided about.
    pub in_flight: i64,
    /// Age of the oldest of them.
    pub oldest_seconds: i64,
    pub given_up: i64,
    /// Older than the limit of the configuration.
    pub overdue: bool,
}

impl App {
    /// Counts again where this process saw something change since the last call, so that organizations that
    /// rest are left alone.
    pub async fn work_gauges(&self) -> Result<WorkGauges, AppError> {
        for organization in self.waking.changed() {
            let scope = self.system_scope(organization, "metrics");
            let counts = self.ports.work_views.counts(&scope).await?;
            self.gauged().insert(organization, counts);
        }
        let all: Vec<_> = self.gauged().values().flatten().cloned().collect();
        let intake = WorkCounts::of(&all, &[INGEST, FOLLOW]);
        let oldest_seconds = intake.oldest_at.map_or(0, |at| self.seconds_since(at));
        Ok(WorkGauges {
            kinds: KINDS.map(|kind| (kind, WorkCounts::of(&all, &[kind]))).into(),
            in_flight: intake.ready + intake.leased + intake.dead,
            oldest_seconds,
            given_up: intake.dead,
            overdue: oldest_seconds > self.settings.in_flight_seconds_max,
        })
    }

    /// Raises alarms about the queues that this process knows, and clears those that are over: work that was
    /// given up, and work that is due and that nobody takes.
    pub async fn watch_queues(&self) -> Result<(), AppError> {
        let standing = self.alarms().standing().await?;
        let all: Vec<_> = self.gauged().iter().map(|(id, counts)| (*id, counts.clone())).collect();
        for (organization, counts) in all {
            let counts = WorkCounts::of(&counts, &KINDS);
            let mut say = Vec::new();
            if counts.dead > 0 {
                say.push((AlarmCode::WorkGivenUp, ("pieces", counts.dead)));
            }
            if counts.ready > 0 {
                let scope = self.system_scope(organization, "metrics");
                let due = self.ports.work.next_due(&scope, &KINDS).await?;
                let waits = due.map_or(0, |due| self.seconds_since(due));
                if waits > self.settings.in_flight_seconds_max {
                    say.push((AlarmCode::WorkStuck, ("seconds", waits)));
                }
            }
            let subject = || AlarmSubject::organization(organization, "work");
            for code in [AlarmCode::WorkGivenUp, AlarmCode::WorkStuck] {
                let stands = |row: &AlarmRow| row.code == code.name() && row.subject == subject();
                match say.iter().find(|(one, _)| *one == code) {
                    Some((_, (name, value))) => {
                        let alarm = Alarm::new(code, subject()).figure(name, *value);
                        self.alarms().raise(alarm).await;
                    }
                    None if standing.iter().any(stands) => {
                        self.alarms().clear(code, subject()).await;
                    }
                    None => {}
                }
            }
        }
        Ok(())
    }

    pub fn seconds_since(&self, at: Timestamp) -> i64 {
        (self.now().micros() - at.micros()).max(0) / 1_000_000
    }

    fn gauged(
        &self,
    ) -> std::sync::MutexGuard<'_, BTreeMap<OrganizationId, Vec<(String, WorkCounts)>>> {
        self.gauged.0.lock().expect("no code panics while it holds the counts")
    }
}
