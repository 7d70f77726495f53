//! The one queue: what workers need of it, what people see of it, and who has work waiting.

use async_trait::async_trait;
use precordia_model::{OrganizationId, Timestamp, WorkId};

use super::StoreError;
use crate::access::{OrgScope, PlatformScope};

/// How much sooner than others a piece is taken. It is worth a head start in waiting time and no more, so
/// that nothing waits for ever; see [`Priority::HEAD_START_SECONDS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    Urgent,
    #[default]
    Normal,
    Background,
}

impl Priority {
    pub const ALL: [Priority; 3] = [Priority::Urgent, Priority::Normal, Priority::Background];

    /// A piece goes before one of the next level that was due at most so much earlier. Two minutes after it
    /// became due, nothing that comes later is taken before a piece, whatever its level.
    pub const HEAD_START_SECONDS: i64 = 60;

    pub const fn name(self) -> &'static str {
        match self {
            Priority::Urgent => "urgent",
            Priority::Normal => "normal",
            Priority::Background => "background",
        }
    }

    /// The stored number.
    pub const fn level(self) -> i64 {
        match self {
            Priority::Urgent => -1,
            Priority::Normal => 0,
            Priority::Background => 1,
        }
    }

    pub fn from_level(level: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|priority| priority.level() == level)
    }

    /// Where a piece stands in the order of taking: the earliest first.
    pub const fn rank(self, due: Timestamp) -> Timestamp {
        due.plus_seconds(self.level() * Self::HEAD_START_SECONDS)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewWork {
    pub id: WorkId,
    /// `ingest`, `deliver`, …
    pub kind: String,
    /// Pieces of one lane run in order and never at once; lanes run in parallel.
    pub lane: String,
    /// A stream: what to work on. Never holds anything that identifies a person.
    pub subject: String,
    pub priority: Priority,
    pub not_before: Timestamp,
}

/// A claim: proof that the work is this worker's until `until`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub work: WorkId,
    pub owner: String,
    /// Counts the claims of this piece and never starts again, so that no two leases of it are equal,
    /// whoever holds them.
    pub claim: i64,
    pub until: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedWork {
    pub lease: Lease,
    pub kind: String,
    pub lane: String,
    pub subject: String,
    /// 1 on the first try, and again on the first after a person asked for another.
    pub attempt: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkEnd {
    /// Try again not before this time.
    Retry { not_before: Timestamp, reason: String },
    /// Given up; kept with its reason for a person.
    Dead { reason: String },
}

/// What a person or a schedule changes about the queue, in one transaction with the event that says so.
/// What does not find things as it expects them is a conflict on `work/<id>` or `schedule/<kind>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkChange {
    /// A dead piece is ready again, with all its tries, in its old place in its lane.
    Retry {
        work: WorkId,
        at: Timestamp,
    },
    /// A ready piece is dead.
    GiveUp {
        work: WorkId,
        reason: String,
    },
    /// Nothing of this kind is claimed any more.
    Pause {
        kind: String,
        by: String,
        at: Timestamp,
    },
    Resume {
        kind: String,
    },
    /// A schedule is due next at `to`, if it was at `from` until now.
    Advance {
        kind: String,
        from: Timestamp,
        to: Timestamp,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkCounts {
    pub ready: i64,
    pub leased: i64,
    pub dead: i64,
    /// Enqueue time of the oldest that is not done.
    pub oldest_at: Option<Timestamp>,
}

impl WorkCounts {
    /// Sums those of these kinds.
    pub fn of(counts: &[(String, WorkCounts)], kinds: &[&str]) -> Self {
        let of_kinds = counts.iter().filter(|(kind, _)| kinds.contains(&kind.as_str()));
        of_kinds.fold(Self::default(), |sum, (_, one)| Self {
            ready: sum.ready + one.ready,
            leased: sum.leased + one.leased,
            dead: sum.dead + one.dead,
            oldest_at: [sum.oldest_at, one.oldest_at].into_iter().flatten().min(),
        })
    }
}

#[async_trait]
pub trait WorkQueue: Send + Sync {
    /// Claims up to `limit` pieces of the given kinds, at most one a lane, in lane order: a lane
    /// with an unfinished earlier piece is passed over. Expired leases are claimable, paused kinds are not.
    async fn claim(
        &self,
        scope: &OrgScope,
        kinds: &[&str],
        owner: &str,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<ClaimedWork>, StoreError>;

    /// Prolongs a lease; `false` when it is lost.
    async fn extend(
        &self,
        scope: &OrgScope,
        lease: &Lease,
        until: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Ends a try without success; `false` when the lease is lost.
    async fn end(&self, scope: &OrgScope, lease: &Lease, end: WorkEnd) -> Result<bool, StoreError>;

    /// When something of these kinds can be claimed or enqueued by its schedule; a time that is past, if now.
    async fn next_due(
        &self,
        scope: &OrgScope,
        kinds: &[&str],
    ) -> Result<Option<Timestamp>, StoreError>;

    /// Schedules that are due.
    async fn schedules_due(
        &self,
        scope: &OrgScope,
        now: Timestamp,
    ) -> Result<Vec<Schedule>, StoreError>;

    /// Adds schedules that are not there, and changes how often those run that are.
    async fn put_schedules(
        &self,
        scope: &OrgScope,
        schedules: &[Schedule],
    ) -> Result<(), StoreError>;

    /// Removes the oldest finished pieces that ended before a time, at most `limit`; says how many.
    async fn remove_done(
        &self,
        scope: &OrgScope,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError>;
}

/// Recurring work: a piece of this kind, every so many seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Also the name of the schedule; its pieces are in the lane `schedule/<kind>`.
    pub kind: String,
    pub every_seconds: i64,
    pub next_due: Timestamp,
    /// Whether an earlier piece of it is not ended yet; then it is not enqueued a second time.
    pub open: bool,
}

impl Schedule {
    pub fn lane_of(kind: &str) -> String {
        format!("schedule/{kind}")
    }

    /// The first time of the schedule's beat that is after `now`: what was missed is not made up for.
    pub fn after(&self, now: Timestamp) -> Timestamp {
        let every = self.every_seconds.max(1);
        let late_seconds = (now.micros() - self.next_due.micros()).max(0) / 1_000_000;
        self.next_due.plus_seconds((late_seconds / every + 1) * every)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkState {
    /// Waits for its lane, its time or a worker.
    Ready,
    /// A worker has it.
    Leased,
    /// Given up with a reason; waits for a person.
    Dead,
    Done,
}

impl WorkState {
    pub const ALL: [WorkState; 4] =
        [WorkState::Ready, WorkState::Leased, WorkState::Dead, WorkState::Done];

    pub const fn name(self) -> &'static str {
        match self {
            WorkState::Ready => "ready",
            WorkState::Leased => "leased",
            WorkState::Dead => "dead",
            WorkState::Done => "done",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A piece of work as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkRow {
    /// The order of enqueueing.
    pub seq: i64,
    pub id: WorkId,
    pub kind: String,
    pub lane: String,
    pub subject: String,
    pub priority: Priority,
    pub state: WorkState,
    pub enqueued_at: Timestamp,
    /// When a ready piece may be claimed, and when the lease of a leased one ends.
    pub due: Timestamp,
    pub attempts: i64,
    /// Why the last try failed.
    pub reason: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkFilter {
    pub state: Option<WorkState>,
    pub kind: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PausedKind {
    pub kind: String,
    pub at: Timestamp,
    /// `user/<id>`.
    pub by: String,
}

/// The queue as people see it.
#[async_trait]
pub trait WorkViews: Send + Sync {
    /// The newest first, before `before` (exclusive) if given.
    async fn pieces(
        &self,
        scope: &OrgScope,
        filter: &WorkFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<WorkRow>, StoreError>;

    async fn piece(&self, scope: &OrgScope, work: WorkId) -> Result<Option<WorkRow>, StoreError>;

    /// What is not done, by kind.
    async fn counts(&self, scope: &OrgScope) -> Result<Vec<(String, WorkCounts)>, StoreError>;

    /// Whether a lane has work of a kind on a subject that is not done (ready, leased or dead). Costs the
    /// same however much waits in other lanes.
    async fn is_open(
        &self,
        scope: &OrgScope,
        kind: &str,
        lane: &str,
        subject: &str,
    ) -> Result<bool, StoreError>;

    async fn paused(&self, scope: &OrgScope) -> Result<Vec<PausedKind>, StoreError>;

    async fn schedules(&self, scope: &OrgScope) -> Result<Vec<Schedule>, StoreError>;
}

/// Where there is work: the control ledger's note of when each organization is to be looked at next, so
/// that nobody opens the storage of those that rest.
///
/// A note may be early and is never the truth; that is in the organization's own queue.
#[async_trait]
pub trait WorkWaiting: Send + Sync {
    /// Organizations to be looked at now, the longest waiting first. One without a note is among them.
    async fn waiting(
        &self,
        scope: &PlatformScope,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<OrganizationId>, StoreError>;

    /// Says that these organizations have work since `now`.
    async fn mark(
        &self,
        scope: &PlatformScope,
        organizations: &[OrganizationId],
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Nothing was found at `looked_at`: look again at `next`. Without effect on an organization that
    /// somebody marked at `looked_at` or later.
    async fn settle(
        &self,
        scope: &PlatformScope,
        settled: &[(OrganizationId, Timestamp, Timestamp)],
    ) -> Result<(), StoreError>;
}
