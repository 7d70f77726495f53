//! Work that recurs: its schedules, and what it does.

use std::collections::BTreeSet;
use std::time::Duration;

use precordia_model::{AlarmCode, AlarmSubject, WorkId};
use tracing::{error, info};

use crate::access::OrgScope;
use crate::alarm::Alarm;
use crate::app::{App, AppError};
use crate::ledger::Draft;
use crate::port::{Append, Batch, ClaimedWork, NewWork, Priority, Schedule, WorkChange};

pub const PRUNE: &str = "prune-work";
pub const END_SESSIONS: &str = "end-sessions";
pub const BACKUP: &str = "backup";

/// A run of a backup that takes longer stops where the next can go on, within what a try may take.
const BACKUP_TRY: Duration = Duration::from_secs(10 * 60);
/// After so long an organization asks again whether another's backup has ended.
const BACKUP_TURN_SECONDS: i64 = 10;
/// Tries before the next run by the schedule.
const BACKUP_TRIES: i64 = 5;

/// Finished pieces that one transaction removes.
const PAGE: u32 = 500;

impl App {
    /// Enqueues what is due by its schedule. The next time is moved in the same transaction, so that of
    /// several processes one enqueues and the others are told.
    pub(crate) async fn enqueue_scheduled(&self, scope: &OrgScope) -> Result<(), AppError> {
        self.ensure_schedules(scope).await?;
        let now = self.now();
        for schedule in self.ports.work.schedules_due(scope, now).await? {
            let to = schedule.after(now);
            let work = NewWork {
                id: WorkId(self.new_id()),
                kind: schedule.kind.clone(),
                lane: Schedule::lane_of(&schedule.kind),
                subject: Schedule::lane_of(&schedule.kind),
                priority: Priority::Background,
                not_before: now,
            };
            let batch = Batch {
                // One that is not done yet, because its kind is paused or fails, is enough.
                work: if schedule.open { Vec::new() } else { vec![work] },
                work_changes: vec![WorkChange::Advance {
                    kind: schedule.kind,
                    from: schedule.next_due,
                    to,
                }],
                ..Batch::default()
            };
            match self.append(scope.into(), batch).await? {
                Append::Done { .. } | Append::Conflict { .. } => {}
                other => return Err(AppError::Damaged(format!("a schedule met {other:?}"))),
            }
        }
        Ok(())
    }

    /// Every organization's, with their seconds from one time to the next.
    fn schedules(&self) -> Vec<(&'static str, i64)> {
        let backup = self.ports.vaults.as_ref().map(|_| (BACKUP, self.settings.backup_seconds));
        [(PRUNE, 60 * 60), (END_SESSIONS, 60 * 60)].into_iter().chain(backup).collect()
    }

    /// A run of the backup now, whenever the next is due; nothing where no backups are made.
    pub(crate) fn backup_work(&self) -> Option<NewWork> {
        self.backup_work_after(0)
    }

    fn backup_work_after(&self, seconds: i64) -> Option<NewWork> {
        self.ports.vaults.as_ref().map(|_| NewWork {
            id: WorkId(self.new_id()),
            kind: BACKUP.to_owned(),
            lane: Schedule::lane_of(BACKUP),
            subject: Schedule::lane_of(BACKUP),
            priority: Priority::Background,
            not_before: self.now().plus_seconds(seconds),
        })
    }

    /// Brings the organization's backup up to now.
    pub(crate) async fn do_backup(
        &self,
        scope: &OrgScope,
        work: &ClaimedWork,
    ) -> Result<(), AppError> {
        if self.ports.vaults.is_none() {
            // It was configured when this was enqueued.
            return self.finish(scope, work).await;
        }
        // One organization's at a time: a slow place must not hold every worker.
        let Ok(_permit) = self.backing_up.try_acquire() else {
            let mut draft = Draft::new(self, scope.into());
            draft.batch.finish = Some(work.lease.clone());
            draft.batch.work.extend(self.backup_work_after(BACKUP_TURN_SECONDS));
            return draft.append(scope.into()).await.map(drop);
        };
        let subject = AlarmSubject::organization(scope.organization(), "backup");
        match self.back_up_within(scope.into(), BACKUP_TRY).await {
            Ok(done) => {
                let mut draft = Draft::new(self, scope.into());
                draft.batch.finish = Some(work.lease.clone());
                if done.complete {
                    self.alarms().clear(AlarmCode::BackupFailed, subject).await;
                } else {
                    draft.batch.work.extend(self.backup_work());
                }
                info!(organization.id = %scope.organization(), rows = done.new_rows,
                    blobs = done.new_blobs, complete = done.complete, "backed up");
                draft.append(scope.into()).await.map(drop)
            }
            Err(cause) => {
                self.alarms().raise(Alarm::new(AlarmCode::BackupFailed, subject)).await;
                if work.attempt < BACKUP_TRIES.min(self.settings.work_attempts_max) {
                    return Err(cause);
                }
                // Given up, it would wait for a person and keep the next from being enqueued; the alarm
                // stands until one ends well.
                error!(organization.id = %scope.organization(), error = %cause, "not backed up");
                self.finish(scope, work).await
            }
        }
    }

    /// Once an organization and process. The first times of a thousand organizations are spread over the
    /// interval by their ids.
    async fn ensure_schedules(&self, scope: &OrgScope) -> Result<(), AppError> {
        let organization = scope.organization();
        if self.waking.has_schedules(organization) {
            return Ok(());
        }
        let there = self.ports.work_views.schedules(scope).await?;
        let there: BTreeSet<(&str, i64)> =
            there.iter().map(|one| (one.kind.as_str(), one.every_seconds)).collect();
        let schedules = self.schedules();
        if schedules.iter().any(|schedule| !there.contains(schedule)) {
            let all = schedules.into_iter().map(|(kind, every_seconds)| {
                let seconds = organization.0.as_u128() % every_seconds.unsigned_abs() as u128;
                let first = self.now().plus_seconds(i64::try_from(seconds).unwrap_or(0));
                Schedule { kind: kind.to_owned(), every_seconds, next_due: first, open: false }
            });
            self.ports.work.put_schedules(scope, &all.collect::<Vec<_>>()).await?;
        }
        self.waking.schedules_are_there(organization);
        Ok(())
    }

    /// Removes work that was finished long ago.
    pub(crate) async fn prune(&self, scope: &OrgScope, work: &ClaimedWork) -> Result<(), AppError> {
        let before = self.now().plus_seconds(-self.settings.work_kept_seconds);
        let mut removed = 0;
        loop {
            let page = self.ports.work.remove_done(scope, before, PAGE).await?;
            removed += page;
            if page < u64::from(PAGE) {
                break;
            }
        }
        if removed > 0 {
            info!(organization.id = %scope.organization(), removed, "finished work removed");
        }
        self.finish(scope, work).await
    }

    /// Removes sessions that ended.
    pub(crate) async fn end_sessions(
        &self,
        scope: &OrgScope,
        work: &ClaimedWork,
    ) -> Result<(), AppError> {
        self.ports.accounts.remove_sessions_expired(scope.into(), self.now()).await?;
        self.finish(scope, work).await
    }

    async fn finish(&self, scope: &OrgScope, work: &ClaimedWork) -> Result<(), AppError> {
        let mut draft = Draft::new(self, scope.into());
        draft.batch.finish = Some(work.lease.clone());
        draft.append(scope.into()).await.map(drop)
    }
}
