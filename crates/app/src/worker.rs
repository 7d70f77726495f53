//! The roles' loops: workers that take from the one queue, and the keeper that makes checkpoints.
//!
//! Where there is work, `waking` says; what recurs, `upkeep` does.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use precordia_model::{AlarmCode, AlarmSubject, OrganizationId};
use tokio::sync::watch;
use tracing::{error, info, warn};

use crate::access::OrgScope;
use crate::alarm::Alarm;
use crate::app::{App, AppError};
use crate::intake::{FOLLOW, INGEST};
use crate::port::{ClaimedWork, Lease, WorkEnd};
use crate::upkeep::{BACKUP, END_SESSIONS, PRUNE};

/// How many pieces a worker claims at once; one commit for all.
const CLAIM: u32 = 8;
/// A lease is prolonged while its worker is at it, but no longer than this: a worker that hangs must not
/// keep its piece for ever.
const TRY_SECONDS_MAX: i64 = 15 * 60;

/// All realms are checkpointed once in so many rounds, those that this process wrote to in each.
const ALL_ROUNDS: u64 = 120;

/// Every kind of work there is.
pub const KINDS: [&str; 5] = [INGEST, FOLLOW, PRUNE, END_SESSIONS, BACKUP];

/// Stops loops: they end what they hold and go.
#[derive(Clone)]
pub struct Stopping(watch::Receiver<bool>);

#[derive(Clone)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Default for Stop {
    fn default() -> Self {
        Self(Arc::new(watch::channel(false).0))
    }
}

impl Stop {
    pub fn now(&self) {
        self.0.send_replace(true);
    }

    pub fn listen(&self) -> Stopping {
        Stopping(self.0.subscribe())
    }
}

impl Stopping {
    pub fn is_now(&self) -> bool {
        *self.0.borrow()
    }

    pub async fn wait(&mut self) {
        // An error means that nobody can stop us any more, which is the same.
        let _ = self.0.wait_for(|stopped| *stopped).await;
    }
}

/// Ends with the try that it accompanies.
struct Heart(tokio::task::JoinHandle<()>);

impl Drop for Heart {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl App {
    /// Runs all loops of the worker role until told to stop.
    pub async fn work(&self, stop: &Stop) {
        let workers = self.settings.workers.unwrap_or_else(|| {
            std::thread::available_parallelism().map_or(2, std::num::NonZero::get) * 2
        });
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..workers.max(1) {
            let app = self.clone();
            let stopping = stop.listen();
            tasks.spawn(async move { app.worker(number, stopping).await });
        }
        let app = self.clone();
        let stopping = stop.listen();
        tasks.spawn(async move { app.poll(stopping).await });
        while tasks.join_next().await.is_some() {}
    }

    async fn worker(&self, number: usize, mut stopping: Stopping) {
        let owner = format!("{}-{number}", self.new_id().simple());
        let mut last = None;
        while !stopping.is_now() {
            let Some(organization) = self.waking.next(last) else {
                tokio::select! {
                    () = self.waking.wait() => {}
                    () = stopping.wait() => return,
                }
                continue;
            };
            last = Some(organization);
            if let Err(cause) = self.work_on(organization, &owner).await {
                error!(organization.id = %organization, error = %cause, "work could not be claimed");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    }

    /// One turn of a worker: does what can be claimed in an organization, or says when to look again. The
    /// loops are made of this; a test calls it alone.
    pub async fn work_on(&self, organization: OrganizationId, owner: &str) -> Result<(), AppError> {
        let scope = self.system_scope(organization, "worker");
        let now = self.now();
        self.enqueue_scheduled(&scope).await?;
        let until = now.plus_seconds(self.settings.lease_seconds);
        let claimed = self.ports.work.claim(&scope, &KINDS, owner, now, until, CLAIM).await?;
        if claimed.is_empty() {
            return self.rest(organization, now).await;
        }
        if claimed.len() == CLAIM as usize {
            // More is likely: let another worker look at once.
            self.work_arrived(organization);
        }
        for work in &claimed {
            let scope = self.system_scope(organization, "worker");
            if !self.still_ours(&scope, work).await? {
                continue;
            }
            let heart = self.beat_for(&scope, &work.lease);
            let done = self.try_once(&scope, work).await;
            drop(heart);
            let Err(cause) = done else { continue };
            if let Err(cause) = self.postpone(&scope, work, &cause).await {
                // Its lease ends by itself; the others are still to be done.
                error!(work.id = %work.lease.work, error = %cause, "work could not be postponed");
            }
        }
        self.work_arrived(organization);
        Ok(())
    }

    /// Prolongs a lease while its worker is at it, in a task beside it. A lease that is lost is left: what
    /// the worker brings will be refused.
    fn beat_for(&self, scope: &OrgScope, lease: &Lease) -> Heart {
        let (app, scope, lease) = (self.clone(), scope.clone(), lease.clone());
        let seconds = self.settings.lease_seconds;
        let pause = Duration::from_millis(seconds.unsigned_abs().saturating_mul(1000) / 3);
        Heart(tokio::spawn(async move {
            for _ in 0..TRY_SECONDS_MAX * 3 / seconds.max(1) {
                tokio::time::sleep(pause).await;
                match app.ports.work.extend(&scope, &lease, app.now().plus_seconds(seconds)).await {
                    Ok(true) => {}
                    Ok(false) => return warn!(work.id = %lease.work, "lease lost"),
                    Err(cause) => {
                        warn!(work.id = %lease.work, error = %cause, "lease not prolonged");
                    }
                }
            }
        }))
    }

    /// Behind slow pieces of the same claim the lease may be nearly over: then it is prolonged before the
    /// work begins, or is somebody else's already.
    async fn still_ours(&self, scope: &OrgScope, work: &ClaimedWork) -> Result<bool, AppError> {
        let now = self.now();
        let seconds = self.settings.lease_seconds;
        if now.plus_seconds(seconds - seconds / 2) <= work.lease.until {
            return Ok(true);
        }
        Ok(self.ports.work.extend(scope, &work.lease, now.plus_seconds(seconds)).await?)
    }

    /// One try. A panic is our own bug and a failed try like any other, so that it neither ends the
    /// worker nor is repeated for ever.
    async fn try_once(&self, scope: &OrgScope, work: &ClaimedWork) -> Result<(), AppError> {
        if work.attempt > self.settings.work_attempts_max {
            let text = "earlier tries began and never ended";
            return Err(AppError::Damaged(String::from(text)));
        }
        let work_on_it = async {
            match work.kind.as_str() {
                INGEST => self.ingest(scope, work).await,
                FOLLOW => self.follow(scope, work).await,
                PRUNE => self.prune(scope, work).await,
                END_SESSIONS => self.end_sessions(scope, work).await,
                BACKUP => self.do_backup(scope, work).await,
                kind => Err(AppError::Damaged(format!("nobody does work of kind `{kind}`"))),
            }
        };
        match std::panic::AssertUnwindSafe(work_on_it).catch_unwind().await {
            Ok(done) => done,
            Err(_) => Err(AppError::Damaged(String::from("the worker panicked at it"))),
        }
    }

    /// A failed try is repeated later, and given up with its reason after too many.
    async fn postpone(
        &self,
        scope: &OrgScope,
        work: &ClaimedWork,
        cause: &AppError,
    ) -> Result<(), AppError> {
        let reason = cause.to_string();
        let end = if work.attempt >= self.settings.work_attempts_max {
            error!(work.id = %work.lease.work, attempts = work.attempt, reason, "work given up");
            WorkEnd::Dead { reason }
        } else {
            warn!(work.id = %work.lease.work, attempt = work.attempt, reason, "work postponed");
            WorkEnd::Retry {
                not_before: self.now().plus_seconds(self.backoff_seconds(work.attempt)),
                reason,
            }
        };
        self.ports.work.end(scope, &work.lease, end).await?;
        Ok(())
    }

    /// Doubling, at most five minutes, with jitter so that a common cause is not met by all at once.
    fn backoff_seconds(&self, attempt: i64) -> i64 {
        let mut byte = [0u8; 1];
        self.ports.random.fill(&mut byte);
        let base = 1i64 << attempt.clamp(0, 8);
        base.min(300) + i64::from(byte[0]) % base.max(1)
    }

    /// Brings under the active keys what this process may have wrapped with retired ones before it learned
    /// of a rotation, and replaces a key that is worn.
    async fn rewrap_grown(&self) -> Result<(), AppError> {
        let grown: Vec<_> = self.grown().iter().filter_map(|realm| realm.0).collect();
        for organization in grown {
            let scope = self.system_scope(organization, "keeper");
            self.rotate_worn_key(&scope).await?;
            self.rewrap_retired(&scope).await?;
            self.rewrap_from_retired_masters((&scope).into()).await?;
        }
        Ok(())
    }

    /// Writes checkpoints of logs that grew, until told to stop and once more then. At the start and now
    /// and then all are looked at: another process may have written and died.
    pub async fn keep_checkpoints(&self, stop: &Stop) {
        let mut stopping = stop.listen();
        let pause = Duration::from_secs(self.settings.checkpoint_seconds.max(1));
        for round in 0u64.. {
            let stopped = stopping.is_now();
            let rewrapped = self.rewrap_grown().await;
            if let Err(cause) = &rewrapped {
                error!(error = %cause, "keys could not be brought under the active key");
            }
            self.tell(AlarmCode::KeyRewrapFailed, "keys", rewrapped.is_err()).await;
            let written = match round % ALL_ROUNDS {
                0 => self.checkpoint_all().await,
                _ => self.checkpoint_grown().await,
            };
            if let Err(cause) = &written {
                error!(error = %cause, "checkpoints could not be written");
            }
            self.tell(AlarmCode::CheckpointFailed, "witness", written.is_err()).await;
            if stopped {
                info!("last checkpoints written");
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stopping.wait() => {}
            }
        }
    }

    /// Raises the installation's alarm, or clears it.
    pub(crate) async fn tell(&self, code: AlarmCode, component: &'static str, is_so: bool) {
        let subject = AlarmSubject::platform(component);
        match is_so {
            true => self.alarms().raise(Alarm::new(code, subject)).await,
            false => self.alarms().clear(code, subject).await,
        }
    }
}
