//! The queue as people see it, and the platform's note of who has work waiting.

use async_trait::async_trait;
use precordia_app::access::{OrgScope, PlatformScope};
use precordia_app::port::{
    PausedKind, Priority, Schedule, StoreError, WorkCounts, WorkFilter, WorkRow, WorkState,
    WorkViews, WorkWaiting,
};
use precordia_model::{OrganizationId, Timestamp, WorkId};

use crate::engine::{DbError, Query, Row, Statement, id};
use crate::store::Store;

const PIECES: &str = "SELECT seq, id, kind, lane, subject, priority, state, enqueued_at, due, \
                        attempt, reason FROM work";

fn read_piece(row: Row) -> Result<WorkRow, DbError> {
    let mut f = row.fields("work");
    Ok(WorkRow {
        seq: f.int()?,
        id: f.id()?,
        kind: f.text()?,
        lane: f.text()?,
        subject: f.text()?,
        priority: Priority::from_level(f.int()?).ok_or_else(|| f.damaged("unknown priority"))?,
        state: f.named(WorkState::parse)?,
        enqueued_at: f.time()?,
        due: f.time()?,
        attempts: f.int()?,
        reason: f.text_opt()?,
    })
}

fn read_counts(row: Row) -> Result<(String, WorkCounts), DbError> {
    let mut f = row.fields("work counts");
    let kind = f.text()?;
    let (ready, leased, dead) = (f.int()?, f.int()?, f.int()?);
    Ok((kind, WorkCounts { ready, leased, dead, oldest_at: f.time_opt()? }))
}

fn read_paused(row: Row) -> Result<PausedKind, DbError> {
    let mut f = row.fields("pause");
    Ok(PausedKind { kind: f.text()?, at: f.time()?, by: f.text()? })
}

/// A schedule's pieces share a lane, and one that is not ended has the turn there or waits for it.
pub(crate) fn schedules() -> Query {
    Query::new(
        "SELECT kind, every_seconds, next_due, CASE WHEN EXISTS (SELECT 1 FROM work \
           WHERE work.lane = 'schedule/' || work_schedule.kind AND work.turn IS NOT NULL) \
           THEN 1 ELSE 0 END FROM work_schedule",
    )
}

pub(crate) fn read_schedule(row: Row) -> Result<Schedule, DbError> {
    let mut f = row.fields("schedule");
    let (kind, every_seconds, next_due) = (f.text()?, f.int()?, f.time()?);
    Ok(Schedule { kind, every_seconds, next_due, open: f.bool()? })
}

#[async_trait]
impl WorkViews for Store {
    async fn pieces(
        &self,
        scope: &OrgScope,
        filter: &WorkFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<WorkRow>, StoreError> {
        let mut query = Query::new(PIECES);
        if let Some(state) = filter.state {
            query.and("state = ").bind(state.name());
        }
        if let Some(kind) = &filter.kind {
            query.and("kind = ").bind(kind.clone());
        }
        if let Some(before) = before {
            query.and("seq < ").bind(before);
        }
        query.push(" ORDER BY seq DESC LIMIT ").bind(i64::from(limit));
        self.find(scope.into(), "listing work", query, read_piece).await
    }

    async fn piece(&self, scope: &OrgScope, work: WorkId) -> Result<Option<WorkRow>, StoreError> {
        let mut query = Query::new(PIECES);
        query.and("id = ").bind(id(work));
        self.find_one(scope.into(), "reading a piece of work", query, read_piece).await
    }

    async fn counts(&self, scope: &OrgScope) -> Result<Vec<(String, WorkCounts)>, StoreError> {
        let query = Query::new(
            "SELECT kind, count(*) FILTER (WHERE state = 'ready'), \
               count(*) FILTER (WHERE state = 'leased'), \
               count(*) FILTER (WHERE state = 'dead'), min(enqueued_at) \
             FROM work WHERE state <> 'done' GROUP BY kind ORDER BY kind",
        );
        self.find(scope.into(), "counting work", query, read_counts).await
    }

    async fn is_open(
        &self,
        scope: &OrgScope,
        kind: &str,
        lane: &str,
        subject: &str,
    ) -> Result<bool, StoreError> {
        // A dead piece has left its lane's order; there are few of them.
        let mut query = Query::new("SELECT seq FROM work WHERE turn IS NOT NULL");
        query.push(" AND lane = ").bind(lane.to_owned());
        query.push(" AND kind = ").bind(kind.to_owned());
        query.push(" AND subject = ").bind(subject.to_owned());
        query.push(" UNION ALL SELECT seq FROM work WHERE state = 'dead' AND kind = ");
        query.bind(kind.to_owned()).push(" AND subject = ").bind(subject.to_owned());
        query.push(" LIMIT 1");
        let read = |row: Row| row.fields("work").int();
        let found = self.find_one(scope.into(), "looking for open work", query, read);
        Ok(found.await?.is_some())
    }

    async fn paused(&self, scope: &OrgScope) -> Result<Vec<PausedKind>, StoreError> {
        let query = Query::new("SELECT kind, at, actor FROM work_pause ORDER BY kind");
        self.find(scope.into(), "listing paused work", query, read_paused).await
    }

    async fn schedules(&self, scope: &OrgScope) -> Result<Vec<Schedule>, StoreError> {
        let mut query = schedules();
        query.push(" ORDER BY kind");
        self.find(scope.into(), "listing schedules", query, read_schedule).await
    }
}

#[async_trait]
impl WorkWaiting for Store {
    async fn waiting(
        &self,
        scope: &PlatformScope,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<OrganizationId>, StoreError> {
        let mut query = Query::new(
            "SELECT organization.id FROM organization \
             LEFT JOIN work_waiting ON work_waiting.organization = organization.id",
        );
        query.and("coalesce(due, 0) <= ").bind(now);
        query.push(" ORDER BY coalesce(due, 0), organization.id LIMIT ").bind(i64::from(limit));
        let read = |row: Row| row.fields("waiting").id();
        self.find(scope.into(), "looking for who has work", query, read).await
    }

    async fn mark(
        &self,
        scope: &PlatformScope,
        organizations: &[OrganizationId],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mark = |organization: &OrganizationId| Statement {
            sql: "INSERT INTO work_waiting (organization, due, marked_at) VALUES ($1, $2, $2) \
                  ON CONFLICT (organization) DO UPDATE SET \
                    due = CASE WHEN work_waiting.due < excluded.due \
                      THEN work_waiting.due ELSE excluded.due END, \
                    marked_at = CASE WHEN work_waiting.marked_at < excluded.marked_at \
                      THEN excluded.marked_at ELSE work_waiting.marked_at END",
            params: vec![id(*organization), now.into()],
        };
        let script = organizations.iter().map(mark).collect();
        self.run(scope.into(), "noting who has work", script).await
    }

    async fn settle(
        &self,
        scope: &PlatformScope,
        settled: &[(OrganizationId, Timestamp, Timestamp)],
    ) -> Result<(), StoreError> {
        let settle =
            |(organization, looked_at, next): &(OrganizationId, Timestamp, Timestamp)| Statement {
                sql: "INSERT INTO work_waiting (organization, due, marked_at) VALUES ($1, $2, 0) \
                      ON CONFLICT (organization) DO UPDATE SET due = excluded.due \
                        WHERE work_waiting.marked_at < $3",
                params: vec![id(*organization), (*next).into(), (*looked_at).into()],
            };
        let script = settled.iter().map(settle).collect();
        self.run(scope.into(), "noting who has no work", script).await
    }
}
