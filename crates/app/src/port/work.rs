//! The one queue.

use async_trait::async_trait;
use precordia_model::{Timestamp, WorkId};

use super::StoreError;
use crate::access::OrgScope;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewWork {
    pub id: WorkId,
    /// `ingest`, `deliver`, …
    pub kind: String,
    /// Pieces of one lane run in order and never at once; lanes run in parallel.
    pub lane: String,
    /// A stream: what to work on. Never holds anything that identifies a person.
    pub subject: String,
    /// Lower first.
    pub priority: i64,
    pub not_before: Timestamp,
}

/// A claim: proof that the work is this worker's until `until`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub work: WorkId,
    pub owner: String,
    pub until: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedWork {
    pub lease: Lease,
    pub kind: String,
    pub lane: String,
    pub subject: String,
    /// 1 on the first try.
    pub attempt: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkEnd {
    /// Try again not before this time.
    Retry { not_before: Timestamp, reason: String },
    /// Given up; kept with its reason for a person.
    Dead { reason: String },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkCounts {
    pub ready: i64,
    pub leased: i64,
    pub dead: i64,
    /// Enqueue time of the oldest that is not done, microseconds UTC.
    pub oldest_at: Option<Timestamp>,
}

#[async_trait]
pub trait WorkQueue: Send + Sync {
    /// Claims up to `limit` pieces of the given kinds, at most one a lane, in lane order: a lane
    /// with an unfinished earlier piece is passed over. Expired leases are claimable.
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

    async fn counts(&self, scope: &OrgScope) -> Result<WorkCounts, StoreError>;

    /// Subjects of all work of a kind that is not done (ready, leased or dead).
    async fn open_subjects(&self, scope: &OrgScope, kind: &str) -> Result<Vec<String>, StoreError>;
}
