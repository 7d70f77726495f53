//! Who has work: how workers learn of it without opening the storage of those that rest.
//!
//! What this process appends wakes a worker at once. What others append is noted in the control ledger, and
//! every [`POLL`] the organizations whose note is due are looked at; so is each one every [`LOOK_AGAIN_SECONDS`],
//! because a note can be lost with the process that meant to write it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use precordia_model::{OrganizationId, Timestamp};
use tokio::sync::Notify;
use tracing::error;

use crate::app::{App, AppError};
use crate::worker::{KINDS, Stopping};

/// How often the control ledger is asked, and written to if there is something to say.
const POLL: Duration = Duration::from_secs(2);
/// Organizations that one poll takes.
const POLL_MAX: u32 = 256;
/// An organization without work is looked at so often.
const LOOK_AGAIN_SECONDS: i64 = 10 * 60;
/// A note of others counts if it may be from the time of our look, by clocks that differ so much.
const CLOCKS_DIFFER_SECONDS: i64 = 5;

/// What this process knows of who has work.
#[derive(Default)]
pub(crate) struct Waking {
    board: Mutex<Board>,
    arrived: Notify,
}

#[derive(Default)]
struct Board {
    /// To be looked at now.
    look: BTreeSet<OrganizationId>,
    /// Have work that the control ledger does not know of.
    unmarked: BTreeSet<OrganizationId>,
    /// Had nothing at the first time and are to be looked at again at the second.
    rested: BTreeMap<OrganizationId, (Timestamp, Timestamp)>,
    /// Had work, or were looked at, since the gauges were read.
    changed: BTreeSet<OrganizationId>,
    /// Have the schedules of this program.
    scheduled: BTreeSet<OrganizationId>,
}

impl Waking {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().expect("no code panics while it holds the board")
    }

    /// There is work, as this process knows for itself.
    pub(crate) fn arrived(&self, organization: OrganizationId) {
        let mut board = self.board();
        board.unmarked.insert(organization);
        board.rested.remove(&organization);
        drop(board);
        self.look_at(organization);
    }

    /// There may be work.
    pub(crate) fn look_at(&self, organization: OrganizationId) {
        let mut board = self.board();
        board.look.insert(organization);
        board.changed.insert(organization);
        drop(board);
        self.arrived.notify_one();
    }

    pub(crate) async fn wait(&self) {
        self.arrived.notified().await;
    }

    /// Takes turns over the organizations, so that one with much work does not starve another. Taken off
    /// before looking: work that comes meanwhile puts it on again.
    pub(crate) fn next(&self, after: Option<OrganizationId>) -> Option<OrganizationId> {
        let mut board = self.board();
        let next = after.and_then(|after| board.look.iter().find(|id| **id > after));
        let next = next.or_else(|| board.look.iter().next()).copied()?;
        board.look.remove(&next);
        Some(next)
    }

    /// Nothing more can be claimed there before `next`.
    fn rests(&self, organization: OrganizationId, looked_at: Timestamp, next: Timestamp) {
        let mut board = self.board();
        board.changed.insert(organization);
        if !board.look.contains(&organization) {
            board.unmarked.remove(&organization);
            board.rested.insert(organization, (looked_at, next));
        }
    }

    pub(crate) fn has_schedules(&self, organization: OrganizationId) -> bool {
        self.board().scheduled.contains(&organization)
    }

    pub(crate) fn schedules_are_there(&self, organization: OrganizationId) {
        self.board().scheduled.insert(organization);
    }

    /// Organizations whose counts may have changed since the last call.
    pub(crate) fn changed(&self) -> BTreeSet<OrganizationId> {
        std::mem::take(&mut self.board().changed)
    }
}

impl App {
    /// Remembers that an organization has work, and wakes a worker.
    pub(crate) fn work_arrived(&self, organization: OrganizationId) {
        self.waking.arrived(organization);
    }

    /// After a look that found nothing: when to look again.
    pub(crate) async fn rest(
        &self,
        organization: OrganizationId,
        looked_at: Timestamp,
    ) -> Result<(), AppError> {
        let scope = self.system_scope(organization, "worker");
        let again = looked_at.plus_seconds(LOOK_AGAIN_SECONDS);
        let next = self.ports.work.next_due(&scope, &KINDS).await?;
        self.waking.rests(organization, looked_at, next.map_or(again, |next| next.min(again)));
        Ok(())
    }

    /// Looks at everybody at the start, and from then on at those whose time has come.
    pub(crate) async fn poll(&self, mut stopping: Stopping) {
        match self.ports.directory.organizations(&self.platform()).await {
            Ok(all) => all.iter().for_each(|row| self.waking.look_at(row.id)),
            Err(cause) => error!(error = %cause, "organizations could not be listed"),
        }
        loop {
            if let Err(cause) = self.exchange().await {
                error!(error = %cause, "the control ledger could not be asked who has work");
            }
            tokio::select! {
                () = tokio::time::sleep(POLL) => {}
                () = stopping.wait() => break,
            }
        }
        // What this process leaves behind, another takes up at once.
        if let Err(cause) = self.note().await {
            error!(error = %cause, "the control ledger could not be told who has work");
        }
    }

    async fn exchange(&self) -> Result<(), AppError> {
        self.note().await?;
        let (platform, now) = (self.platform(), self.now());
        for organization in self.ports.work_waiting.waiting(&platform, now, POLL_MAX).await? {
            self.waking.look_at(organization);
        }
        Ok(())
    }

    /// Tells the control ledger what was learned since the last time.
    async fn note(&self) -> Result<(), AppError> {
        let (marked, rested) = {
            let mut board = self.waking.board();
            (std::mem::take(&mut board.unmarked), std::mem::take(&mut board.rested))
        };
        let (platform, waiting) = (self.platform(), &self.ports.work_waiting);
        if !marked.is_empty() {
            let marked: Vec<_> = marked.into_iter().collect();
            waiting.mark(&platform, &marked, self.now()).await?;
        }
        if !rested.is_empty() {
            let settled = rested.into_iter().map(|(organization, (looked_at, next))| {
                (organization, looked_at.plus_seconds(-CLOCKS_DIFFER_SECONDS), next)
            });
            waiting.settle(&platform, &settled.collect::<Vec<_>>()).await?;
        }
        Ok(())
    }
}
