//! The one queue: enqueued with an append, claimed by leases, done with another append.
//!
//! A lane's first unfinished piece has the turn; only pieces with the turn can be claimed, so a claim
//! costs the same however long a lane is. Who passes a turn on holds the head lock, as who enqueues does.
//! What people do to the queue is in `work_change`, what they see of it in `work_view`.

use std::collections::BTreeSet;

use async_trait::async_trait;
use precordia_app::access::OrgScope;
use precordia_app::port::{
    ClaimedWork, Lease, NewWork, Priority, Schedule, StoreError, WorkEnd, WorkQueue,
};
use precordia_model::{Timestamp, WorkId};

use crate::engine::{Connection, DbError, Lock, Script, Statement, Value, id};
use crate::store::Store;
use crate::{log, work_view};

pub(crate) fn put<'a>(script: &mut Script<'a>, work: &'a NewWork, seq: i64, at: Timestamp) {
    script.push(Statement {
        sql: "INSERT INTO work (seq, id, kind, lane, subject, priority, enqueued_at, state, turn, \
                due, attempt, claim) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, 'ready', \
                CASE WHEN EXISTS (SELECT 1 FROM work WHERE lane = $4 AND turn IS NOT NULL) \
                  THEN 0 ELSE 1 END, $8, 0, 0)",
        params: vec![
            seq.into(),
            id(work.id),
            (&work.kind).into(),
            (&work.lane).into(),
            (&work.subject).into(),
            work.priority.level().into(),
            at.into(),
            work.not_before.into(),
        ],
    });
}

pub(crate) fn put_count(script: &mut Script<'_>, enqueued: i64) {
    script.push(Statement {
        sql: "UPDATE head SET position = $1 WHERE log = 'work'",
        params: vec![enqueued.into()],
    });
}

/// What tells one lease from every other.
pub(crate) type LeaseName<'a> = (WorkId, &'a str, i64);

pub(crate) fn name_of(lease: &Lease) -> LeaseName<'_> {
    (lease.work, lease.owner.as_str(), lease.claim)
}

/// Those leases that still hold. Their rows are locked.
///
/// An expired lease holds until somebody else claims the work: finishing late is better than doing twice.
pub(crate) async fn hold<'a>(
    connection: &mut dyn Connection,
    leases: Vec<&'a Lease>,
) -> Result<Vec<LeaseName<'a>>, DbError> {
    let set =
        |lease: &&Lease| vec![id(lease.work), Value::from(lease.owner.clone()), lease.claim.into()];
    let sets: Vec<_> = leases.iter().map(set).collect();
    // An update that changes nothing is how both engines lock a row in the same words.
    let sql = "UPDATE work SET attempt = attempt \
               WHERE id = $1 AND owner = $2 AND claim = $3 AND state = 'leased' RETURNING id";
    let answers = connection.query_each(sql, &sets).await?;
    let held = leases.into_iter().zip(answers).filter(|(_, rows)| !rows.is_empty());
    Ok(held.map(|(lease, _)| name_of(lease)).collect())
}

pub(crate) fn finish(script: &mut Script<'_>, work: WorkId, at: Timestamp) {
    script.push(Statement {
        sql: "UPDATE work SET state = 'done', turn = NULL, owner = NULL, ended_at = $1 \
              WHERE id = $2",
        params: vec![at.into(), id(work)],
    });
    pass_turn(script, work);
}

/// Gives the turn to the next piece of this one's lane, if one waits and nobody has it.
pub(crate) fn pass_turn(script: &mut Script<'_>, work: WorkId) {
    script.push(Statement {
        sql: "UPDATE work SET turn = 1 WHERE seq = \
                (SELECT min(seq) FROM work WHERE turn IS NOT NULL \
                  AND lane = (SELECT lane FROM work WHERE id = $1)) \
                AND NOT EXISTS (SELECT 1 FROM work WHERE turn = 1 \
                  AND lane = (SELECT lane FROM work WHERE id = $1))",
        params: vec![id(work)],
    });
}

/// A claim's request.
struct Claim {
    kinds: Vec<String>,
    owner: String,
    now: Timestamp,
    until: Timestamp,
    limit: u32,
}

async fn claim(connection: &mut dyn Connection, claim: Claim) -> Result<Vec<ClaimedWork>, DbError> {
    let Claim { owner, until, .. } = &claim;
    let set = |seq| vec![Value::from(owner.as_str()), (*until).into(), Value::Int(seq)];
    let sets: Vec<_> = pick(connection, &claim).await?.into_iter().map(set).collect();
    let sql = "UPDATE work SET state = 'leased', owner = $1, due = $2, attempt = attempt + 1, \
                 claim = claim + 1 \
               WHERE seq = $3 RETURNING id, kind, lane, subject, attempt, claim";
    let mut claimed = Vec::with_capacity(sets.len());
    for row in connection.query_each(sql, &sets).await?.into_iter().flatten() {
        let mut f = row.fields("work");
        let (work, kind, lane, subject) = (f.id()?, f.text()?, f.text()?, f.text()?);
        let attempt = f.int()?;
        let lease = Lease { work, owner: owner.clone(), claim: f.int()?, until: *until };
        claimed.push(ClaimedWork { lease, kind, lane, subject, attempt });
    }
    Ok(claimed)
}

macro_rules! first_of_level {
    ($lock:literal) => {
        concat!(
            "SELECT seq, due FROM work WHERE turn = 1 AND kind = $1 AND priority = $2 AND due <= $3 \
             ORDER BY due, seq LIMIT $4",
            $lock
        )
    };
}

/// The first of what is ready, by rank. Each kind and level has an order of its own in the index, so a
/// look at the first few of each is all it takes, whatever else waits there, is paused or is not due.
///
/// Claiming is the one place where the engines need different words: rows that another worker is
/// claiming are skipped on PostgreSQL, and cannot exist on SQLite.
async fn pick(connection: &mut dyn Connection, claim: &Claim) -> Result<Vec<i64>, DbError> {
    let sql = match connection.lock() {
        Lock::Whole => first_of_level!(""),
        Lock::Rows => first_of_level!(" FOR UPDATE SKIP LOCKED"),
    };
    let mut sets = Vec::new();
    let mut levels = Vec::new();
    for kind in running(connection, &claim.kinds).await? {
        for priority in Priority::ALL {
            let (level, limit) = (priority.level(), i64::from(claim.limit));
            sets.push(vec![kind.into(), level.into(), claim.now.into(), limit.into()]);
            levels.push(priority);
        }
    }
    let mut found = Vec::new();
    for (rows, priority) in connection.query_each(sql, &sets).await?.into_iter().zip(levels) {
        for row in rows {
            let mut f = row.fields("work");
            let (seq, due) = (f.int()?, f.time()?);
            found.push((priority.rank(due), seq));
        }
    }
    found.sort_unstable();
    found.truncate(claim.limit as usize);
    Ok(found.into_iter().map(|(_, seq)| seq).collect())
}

/// Those of the kinds that are not paused.
async fn running<'a>(
    connection: &mut dyn Connection,
    kinds: &'a [String],
) -> Result<Vec<&'a str>, DbError> {
    let rows = connection.query("SELECT kind FROM work_pause", &[]).await?;
    let paused = rows.into_iter().map(|row| row.fields("pause").text());
    let paused = paused.collect::<Result<BTreeSet<String>, _>>()?;
    // A kind that is named twice must not be claimed twice.
    let kinds: BTreeSet<&str> = kinds.iter().map(String::as_str).collect();
    Ok(kinds.into_iter().filter(|kind| !paused.contains(*kind)).collect())
}

async fn end(connection: &mut dyn Connection, lease: Lease, end: WorkEnd) -> Result<bool, DbError> {
    let name = |first: Vec<Value<'static>>| {
        let mut params = first;
        params.extend([id(lease.work), lease.owner.clone().into(), lease.claim.into()]);
        params
    };
    match end {
        WorkEnd::Retry { not_before, reason } => {
            let sql = "UPDATE work SET state = 'ready', owner = NULL, due = $1, reason = $2 \
                       WHERE id = $3 AND owner = $4 AND claim = $5 AND state = 'leased' \
                       RETURNING id";
            let params = name(vec![not_before.into(), reason.into()]);
            Ok(!connection.query(sql, &params).await?.is_empty())
        }
        WorkEnd::Dead { reason } => {
            // The turn is passed on: nobody may enqueue into the lane meanwhile.
            log::lock_ends(connection).await?;
            let sql = "UPDATE work SET state = 'dead', turn = NULL, owner = NULL, reason = $1 \
                       WHERE id = $2 AND owner = $3 AND claim = $4 AND state = 'leased' \
                       RETURNING id";
            let params = name(vec![reason.into()]);
            if connection.query(sql, &params).await?.is_empty() {
                return Ok(false);
            }
            let mut script = Script::new();
            pass_turn(&mut script, lease.work);
            connection.run(&script).await?;
            Ok(true)
        }
    }
}

async fn next_due(
    connection: &mut dyn Connection,
    kinds: Vec<String>,
) -> Result<Option<Timestamp>, DbError> {
    let (mut levels, mut schedules) = (Vec::new(), Vec::new());
    for kind in running(connection, &kinds).await? {
        let levels_of = Priority::ALL.map(|p| vec![Value::from(kind), p.level().into()]);
        levels.extend(levels_of);
        schedules.push(vec![Value::from(kind)]);
    }
    let first = "SELECT due FROM work WHERE turn = 1 AND kind = $1 AND priority = $2 \
                 ORDER BY due, seq LIMIT 1";
    let scheduled = "SELECT next_due FROM work_schedule WHERE kind = $1";
    let mut rows = connection.query_each(first, &levels).await?;
    rows.extend(connection.query_each(scheduled, &schedules).await?);
    let times = rows.into_iter().flatten().map(|row| row.fields("work").time());
    Ok(times.collect::<Result<Vec<_>, _>>()?.into_iter().min())
}

#[async_trait]
impl WorkQueue for Store {
    async fn claim(
        &self,
        scope: &OrgScope,
        kinds: &[&str],
        owner: &str,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<ClaimedWork>, StoreError> {
        let wanted = Claim { kinds: owned(kinds), owner: owner.into(), now, until, limit };
        let open = self.realm(scope.into()).await?;
        let claimed = open
            .database
            .write(move |connection: &mut dyn Connection| Box::pin(claim(connection, wanted)));
        claimed.await.map_err(|e| e.store("claiming work"))
    }

    async fn extend(
        &self,
        scope: &OrgScope,
        lease: &Lease,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE work SET due = $1 \
                   WHERE id = $2 AND owner = $3 AND claim = $4 AND state = 'leased' RETURNING id";
        let owner = lease.owner.clone();
        let params = vec![until.into(), id(lease.work), owner.into(), lease.claim.into()];
        let rows = self.change(scope.into(), "extending a lease", sql, params).await?;
        Ok(!rows.is_empty())
    }

    async fn end(&self, scope: &OrgScope, lease: &Lease, how: WorkEnd) -> Result<bool, StoreError> {
        let lease = lease.clone();
        let open = self.realm(scope.into()).await?;
        let ended = open
            .database
            .write(move |connection: &mut dyn Connection| Box::pin(end(connection, lease, how)));
        ended.await.map_err(|e| e.store("ending work"))
    }

    async fn next_due(
        &self,
        scope: &OrgScope,
        kinds: &[&str],
    ) -> Result<Option<Timestamp>, StoreError> {
        let kinds = owned(kinds);
        let open = self.realm(scope.into()).await?;
        let next = open
            .database
            .read(move |connection: &mut dyn Connection| Box::pin(next_due(connection, kinds)));
        next.await.map_err(|e| e.store("looking for the next work"))
    }

    async fn schedules_due(
        &self,
        scope: &OrgScope,
        now: Timestamp,
    ) -> Result<Vec<Schedule>, StoreError> {
        let mut query = work_view::schedules();
        query.and("next_due <= ").bind(now).push(" ORDER BY kind");
        let read = work_view::read_schedule;
        self.find(scope.into(), "reading due schedules", query, read).await
    }

    async fn put_schedules(
        &self,
        scope: &OrgScope,
        schedules: &[Schedule],
    ) -> Result<(), StoreError> {
        let put = |schedule: &Schedule| Statement {
            sql: "INSERT INTO work_schedule (kind, every_seconds, next_due) VALUES ($1, $2, $3) \
                  ON CONFLICT (kind) DO UPDATE SET every_seconds = excluded.every_seconds",
            params: vec![
                schedule.kind.clone().into(),
                schedule.every_seconds.into(),
                schedule.next_due.into(),
            ],
        };
        let script = schedules.iter().map(put).collect();
        self.run(scope.into(), "writing schedules", script).await
    }

    async fn remove_done(
        &self,
        scope: &OrgScope,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let sql = "DELETE FROM work WHERE seq IN (SELECT seq FROM work \
                     WHERE state = 'done' AND ended_at < $1 ORDER BY ended_at LIMIT $2) \
                   RETURNING seq";
        let params = vec![before.into(), i64::from(limit).into()];
        let rows = self.change(scope.into(), "removing finished work", sql, params).await?;
        Ok(rows.len() as u64)
    }
}

fn owned(kinds: &[&str]) -> Vec<String> {
    kinds.iter().map(|kind| String::from(*kind)).collect()
}
