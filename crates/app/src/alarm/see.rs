//! What people see of alarms and do about them.

use std::cmp::Reverse;
use std::time::Duration;

use precordia_model::{AlarmCode, AlarmId};
use precordia_rules::access::Permission;
use precordia_rules::event::{AlarmAcknowledged, Event};
use tracing::warn;

use super::Alarms;
use super::board::Seen;
use super::tell::row_of;
use crate::access::{OrgScope, PlatformScope};
use crate::app::AppError;
use crate::ledger::Draft;
use crate::port::{AlarmFilter, AlarmRow, AlarmState, Append, Realm, ViewChange};

/// The most alarms that are counted as standing.
const STANDING_MAX: u32 = 1000;
const TRIES: usize = 4;
/// The most that stand, and the most that are over, in an overview.
const OVERVIEW_STANDING_MAX: u32 = 200;
const OVERVIEW_CLEARED_MAX: u32 = 20;
/// An overview does not wait longer for the ledger: it is looked at when something is wrong.
const LEDGER_TIME: Duration = Duration::from_secs(2);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlarmPage {
    /// The newest first.
    pub rows: Vec<AlarmRow>,
    /// Whether there are older ones.
    pub more: bool,
}

/// What whoever runs the installation looks at. It is there whatever the ledger does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlarmOverview {
    /// The worst first, of one severity the newest first.
    pub standing: Vec<AlarmRow>,
    /// Whether more of them stand.
    pub more: bool,
    /// The last ones that are over, the newest first.
    pub cleared: Vec<AlarmRow>,
    /// Otherwise `standing` is what was last known and what this process met since, and `cleared` is empty.
    pub ledger_answers: bool,
}

impl Alarms<'_> {
    /// For an operator: everybody's, with what the ledger does not know yet.
    pub async fn overview(&self, scope: &PlatformScope) -> AlarmOverview {
        let mut overview = match tokio::time::timeout(LEDGER_TIME, self.written(scope)).await {
            Ok(Ok(written)) => written,
            Ok(Err(cause)) => {
                warn!(error = %cause, "alarms could not be read; what is known without them is shown");
                self.last_known()
            }
            Err(_) => {
                let seconds = LEDGER_TIME.as_secs();
                warn!(seconds, "alarms were not read in time; what is known without them is shown");
                self.last_known()
            }
        };
        self.add_unwritten(&mut overview.standing);
        overview.standing.sort_by_key(|row| (Reverse(row.severity), Reverse(row.raised_at)));
        overview
    }

    async fn written(&self, scope: &PlatformScope) -> Result<AlarmOverview, AppError> {
        let cleared = |is: bool| AlarmFilter { cleared: Some(is), ..AlarmFilter::default() };
        let standing = self.list(scope, &cleared(false), OVERVIEW_STANDING_MAX).await?;
        let over = self.list(scope, &cleared(true), OVERVIEW_CLEARED_MAX).await?;
        Ok(AlarmOverview {
            standing: standing.rows,
            more: standing.more,
            cleared: over.rows,
            ledger_answers: true,
        })
    }

    fn last_known(&self) -> AlarmOverview {
        let mut standing = self.app.board.known().clone();
        self.with_what_is_pending(&mut standing);
        AlarmOverview { standing, ..AlarmOverview::default() }
    }

    /// For an operator: everybody's.
    pub async fn list(
        &self,
        scope: &PlatformScope,
        filter: &AlarmFilter,
        limit: u32,
    ) -> Result<AlarmPage, AppError> {
        let limit = limit.clamp(1, 200);
        let mut rows = self.app.ports.alarms.alarms(scope, filter, limit + 1).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        self.with_what_is_pending(&mut rows);
        Ok(AlarmPage { rows, more })
    }

    /// For an organization: its own.
    pub async fn list_own(
        &self,
        scope: &OrgScope,
        filter: &AlarmFilter,
        limit: u32,
    ) -> Result<AlarmPage, AppError> {
        self.app.require(scope, Permission::ReadOperations, "alarm.list", "-").await?;
        let organization = Some(scope.organization());
        let filter = AlarmFilter { organization, ..filter.clone() };
        self.list(&self.app.platform(), &filter, limit).await
    }

    /// Says that somebody knows of it: nobody is reminded any more. Once acknowledged, it stays so.
    pub async fn acknowledge(
        &self,
        scope: &PlatformScope,
        id: AlarmId,
    ) -> Result<AlarmRow, AppError> {
        let app = self.app;
        let realm = Realm::from(scope);
        for _ in 0..TRIES {
            let row =
                app.ports.alarms.alarm(scope, id).await?.ok_or(AppError::NotFound("alarm"))?;
            match row.state() {
                AlarmState::Acknowledged => return Ok(row),
                AlarmState::Cleared => {
                    return Err(AppError::refused("alarm_cleared", "the alarm is over"));
                }
                AlarmState::Open => {}
            }
            let keys = app.keyring.realm(realm).await?;
            let mut draft = Draft::new(app, realm);
            let by = scope.actor().to_owned();
            let event = Event::AlarmAcknowledged(AlarmAcknowledged { by });
            let now = draft.alarm(&keys.organization, id, Some(row), &event)?;
            draft.view(ViewChange::EndReminders(id));
            match draft.append(realm).await? {
                Append::Done { .. } => return Ok(now),
                // It was met again meanwhile.
                Append::Conflict { .. } => {}
                other => return Err(AppError::Conflict(format!("{other:?}"))),
            }
        }
        Err(AppError::Conflict(format!("alarm/{id}")))
    }

    /// How many alarms stand, by code; every code is there. While the ledger cannot be asked, what was last
    /// known and what this process meets.
    pub async fn gauges(&self) -> Vec<(AlarmCode, i64)> {
        if let Ok(rows) = self.standing().await {
            *self.app.board.known() = rows;
        }
        let mut codes: Vec<Option<AlarmCode>> =
            self.app.board.known().iter().map(|row| AlarmCode::parse(&row.code)).collect();
        let unwritten = |(_, seen): &(_, Seen)| seen.written_at.is_none() && !seen.ended;
        let board = self.app.board.all();
        codes.extend(board.into_iter().filter(unwritten).map(|((code, _), _)| Some(code)));
        let count = |code| (code, codes.iter().filter(|one| **one == Some(code)).count() as i64);
        AlarmCode::ALL.map(count).into()
    }

    /// The alarms that stand, as the ledger has them.
    pub(crate) async fn standing(&self) -> Result<Vec<AlarmRow>, AppError> {
        let filter = AlarmFilter { cleared: Some(false), ..AlarmFilter::default() };
        let platform = self.app.platform();
        Ok(self.app.ports.alarms.alarms(&platform, &filter, STANDING_MAX).await?)
    }

    /// Adds the alarms that stand on this process's board alone.
    fn add_unwritten(&self, rows: &mut Vec<AlarmRow>) {
        for (key, seen) in self.app.board.all() {
            let is_there = rows.iter().any(|row| row.code == key.0.name() && row.subject == key.1);
            if seen.written_at.is_none() && !seen.ended && !is_there {
                let row = row_of(&key, seen.id, seen.first_at, seen.pending, seen.figures);
                rows.push(AlarmRow { last_seen_at: seen.last_at, ..row });
            }
        }
    }

    /// Adds what this process met and did not write yet.
    fn with_what_is_pending(&self, rows: &mut [AlarmRow]) {
        let board = self.app.board.all();
        for row in rows.iter_mut().filter(|row| row.cleared_at.is_none()) {
            let same = board.iter().find(|(_, seen)| seen.id == row.id && seen.pending > 0);
            if let Some((_, seen)) = same {
                row.count += seen.pending;
                row.last_seen_at = row.last_seen_at.max(seen.last_at);
                row.figures.clone_from(&seen.figures);
            }
        }
    }
}
