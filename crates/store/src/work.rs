//! The one queue: enqueued with an append, claimed by leases, done with another append.
//!
//! A lane's first unfinished piece has the turn; only pieces with the turn can be claimed, so a claim
//! costs the same however long a lane is. Who passes a turn on holds the head lock, as who enqueues does.

use std::collections::HashMap;

use async_trait::async_trait;
use precordia_app::access::OrgScope;
use precordia_app::port::{
    ClaimedWork, Lease, NewWork, StoreError, WorkCounts, WorkEnd, WorkQueue,
};
use precordia_model::{Timestamp, WorkId};

use crate::engine::{Connection, DbError, Lock, Query, Script, Statement, Value, id};
use crate::log;
use crate::store::Store;

pub(crate) fn put<'a>(script: &mut Script<'a>, work: &'a NewWork, seq: i64, at: Timestamp) {
    script.push(Statement {
        sql: "INSERT INTO work (seq, id, kind, lane, subject, priority, enqueued_at, state, turn, \
                due, attempt) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, 'ready', \
                CASE WHEN EXISTS (SELECT 1 FROM work WHERE lane = $4 AND turn IS NOT NULL) \
                  THEN 0 ELSE 1 END, $8, 0)",
        params: vec![
            seq.into(),
            id(work.id),
            (&work.kind).into(),
            (&work.lane).into(),
            (&work.subject).into(),
            work.priority.into(),
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

/// The lanes of those leases that still hold, by work and owner. Their rows are locked.
///
/// An expired lease holds until somebody else claims the work: finishing late is better than doing twice.
pub(crate) async fn hold<'a>(
    connection: &mut dyn Connection,
    leases: Vec<&'a Lease>,
) -> Result<HashMap<(WorkId, &'a str), String>, DbError> {
    let sets: Vec<_> =
        leases.iter().map(|lease| vec![id(lease.work), (&lease.owner).into()]).collect();
    // An update that changes nothing is how both engines lock a row in the same words.
    let sql = "UPDATE work SET attempt = attempt \
               WHERE id = $1 AND owner = $2 AND state = 'leased' RETURNING lane";
    let answers = connection.query_each(sql, &sets).await?;
    let mut lanes = HashMap::with_capacity(leases.len());
    for (lease, rows) in leases.into_iter().zip(answers) {
        if let Some(row) = rows.into_iter().next() {
            lanes.insert((lease.work, lease.owner.as_str()), row.fields("work").text()?);
        }
    }
    Ok(lanes)
}

pub(crate) fn finish(script: &mut Script<'_>, work: WorkId, lane: String) {
    script.push(Statement {
        sql: "UPDATE work SET state = 'done', turn = NULL, owner = NULL WHERE id = $1",
        params: vec![id(work)],
    });
    pass_turn(script, lane);
}

/// Gives the turn to the next piece of the lane, if one waits.
fn pass_turn(script: &mut Script<'_>, lane: String) {
    script.push(Statement {
        sql: "UPDATE work SET turn = 1 WHERE seq = \
                (SELECT min(seq) FROM work WHERE lane = $1 AND turn IS NOT NULL)",
        params: vec![lane.into()],
    });
}

/// Claiming is the one place where the engines need different words: rows that another worker is
/// claiming are skipped on PostgreSQL, and cannot exist on SQLite.
async fn claim(
    connection: &mut dyn Connection,
    kinds: Vec<Value<'static>>,
    owner: String,
    now: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<ClaimedWork>, DbError> {
    let mut pick = Query::new("SELECT seq FROM work WHERE turn = 1 AND due <= ");
    pick.bind(now).push(" AND kind IN ").list(kinds)?;
    pick.push(" ORDER BY priority, due, seq LIMIT ").bind(i64::from(limit));
    if connection.lock() == Lock::Rows {
        pick.push(" FOR UPDATE SKIP LOCKED");
    }
    let mut sets = Vec::new();
    for row in pick.rows(connection).await? {
        let seq = row.fields("work").int()?;
        sets.push(vec![Value::from(owner.clone()), until.into(), seq.into()]);
    }
    let sql = "UPDATE work SET state = 'leased', owner = $1, due = $2, attempt = attempt + 1 \
               WHERE seq = $3 RETURNING id, kind, lane, subject, attempt";
    let mut claimed = Vec::with_capacity(sets.len());
    for row in connection.query_each(sql, &sets).await?.into_iter().flatten() {
        let mut f = row.fields("work");
        claimed.push(ClaimedWork {
            lease: Lease { work: f.id()?, owner: owner.clone(), until },
            kind: f.text()?,
            lane: f.text()?,
            subject: f.text()?,
            attempt: f.int()?,
        });
    }
    Ok(claimed)
}

async fn end(connection: &mut dyn Connection, lease: Lease, end: WorkEnd) -> Result<bool, DbError> {
    match end {
        WorkEnd::Retry { not_before, reason } => {
            let sql = "UPDATE work SET state = 'ready', owner = NULL, due = $1, reason = $2 \
                       WHERE id = $3 AND owner = $4 AND state = 'leased' RETURNING lane";
            let params = [not_before.into(), reason.into(), id(lease.work), lease.owner.into()];
            Ok(!connection.query(sql, &params).await?.is_empty())
        }
        WorkEnd::Dead { reason } => {
            // The turn is passed on: nobody may enqueue into the lane meanwhile.
            log::lock_ends(connection).await?;
            let sql = "UPDATE work SET state = 'dead', turn = NULL, owner = NULL, reason = $1 \
                       WHERE id = $2 AND owner = $3 AND state = 'leased' RETURNING lane";
            let params = [reason.into(), id(lease.work), lease.owner.into()];
            let Some(row) = connection.query(sql, &params).await?.into_iter().next() else {
                return Ok(false);
            };
            let mut script = Script::new();
            pass_turn(&mut script, row.fields("work").text()?);
            connection.run(&script).await?;
            Ok(true)
        }
    }
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
        let kinds: Vec<Value<'static>> =
            kinds.iter().map(|kind| Value::from(String::from(*kind))).collect();
        let owner = String::from(owner);
        let open = self.realm(scope.into()).await?;
        let claimed = open.database.write(move |connection: &mut dyn Connection| {
            Box::pin(claim(connection, kinds, owner, now, until, limit))
        });
        claimed.await.map_err(|e| e.store("claiming work"))
    }

    async fn extend(
        &self,
        scope: &OrgScope,
        lease: &Lease,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE work SET due = $1 \
                   WHERE id = $2 AND owner = $3 AND state = 'leased' RETURNING id";
        let params = vec![until.into(), id(lease.work), lease.owner.clone().into()];
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

    async fn counts(&self, scope: &OrgScope) -> Result<WorkCounts, StoreError> {
        let query = Query::new(
            "SELECT count(*) FILTER (WHERE state = 'ready'), \
               count(*) FILTER (WHERE state = 'leased'), \
               count(*) FILTER (WHERE state = 'dead'), min(enqueued_at) \
             FROM work WHERE state <> 'done'",
        );
        let counts = self.find_one(scope.into(), "counting work", query, |row| {
            let mut f = row.fields("work counts");
            Ok(WorkCounts {
                ready: f.int()?,
                leased: f.int()?,
                dead: f.int()?,
                oldest_at: f.time_opt()?,
            })
        });
        Ok(counts.await?.unwrap_or_default())
    }

    async fn open_subjects(&self, scope: &OrgScope, kind: &str) -> Result<Vec<String>, StoreError> {
        let mut query = Query::new("SELECT subject FROM work WHERE state <> 'done' AND kind = ");
        query.bind(String::from(kind)).push(" ORDER BY seq");
        self.find(scope.into(), "listing open work", query, |row| row.fields("work").text()).await
    }
}
