//! What people and schedules change about the queue, inside an append and under its head lock.

use std::collections::HashMap;

use precordia_app::port::WorkChange;
use precordia_model::WorkId;

use crate::engine::{Connection, DbError, Script, Statement, Value, id};
use crate::work::pass_turn;

/// The piece that a change is about.
pub(crate) fn piece(change: &WorkChange) -> Option<WorkId> {
    match change {
        WorkChange::Retry { work, .. } | WorkChange::GiveUp { work, .. } => Some(*work),
        _ => None,
    }
}

/// The kind whose schedule a change moves.
pub(crate) fn schedule(change: &WorkChange) -> Option<&str> {
    match change {
        WorkChange::Advance { kind, .. } => Some(kind),
        _ => None,
    }
}

/// The states of pieces. Their rows are locked: a ready one cannot be claimed any more.
pub(crate) async fn states(
    connection: &mut dyn Connection,
    pieces: Vec<WorkId>,
) -> Result<HashMap<WorkId, String>, DbError> {
    let sets: Vec<_> = pieces.iter().map(|work| vec![id(*work)]).collect();
    let sql = "UPDATE work SET attempt = attempt WHERE id = $1 RETURNING state";
    let mut states = HashMap::with_capacity(pieces.len());
    for (work, rows) in pieces.into_iter().zip(connection.query_each(sql, &sets).await?) {
        if let Some(row) = rows.into_iter().next() {
            states.insert(work, row.fields("work").text()?);
        }
    }
    Ok(states)
}

/// When schedules are due. Who moves one holds the head lock, so none changes while we look.
pub(crate) async fn due<'a>(
    connection: &mut dyn Connection,
    kinds: Vec<&'a str>,
) -> Result<HashMap<&'a str, i64>, DbError> {
    let sets: Vec<_> = kinds.iter().map(|kind| vec![Value::from(*kind)]).collect();
    let sql = "SELECT next_due FROM work_schedule WHERE kind = $1";
    let mut due = HashMap::with_capacity(kinds.len());
    for (kind, rows) in kinds.into_iter().zip(connection.query_each(sql, &sets).await?) {
        if let Some(row) = rows.into_iter().next() {
            due.insert(kind, row.fields("schedule").int()?);
        }
    }
    Ok(due)
}

pub(crate) fn write<'a>(script: &mut Script<'a>, change: &'a WorkChange) {
    match change {
        WorkChange::Retry { work, at } => {
            // A later piece that has the turn and no worker gives it back; one at work is waited for.
            script.push(Statement {
                sql: "UPDATE work SET turn = 0 WHERE turn = 1 AND state = 'ready' \
                        AND lane = (SELECT lane FROM work WHERE id = $1) \
                        AND seq > (SELECT seq FROM work WHERE id = $1)",
                params: vec![id(*work)],
            });
            script.push(Statement {
                sql: "UPDATE work SET state = 'ready', attempt = 0, due = $1, turn = \
                        CASE WHEN EXISTS (SELECT 1 FROM work AS other \
                          WHERE other.lane = work.lane AND other.turn = 1) THEN 0 ELSE 1 END \
                      WHERE id = $2",
                params: vec![(*at).into(), id(*work)],
            });
        }
        WorkChange::GiveUp { work, reason } => {
            script.push(Statement {
                sql: "UPDATE work SET state = 'dead', turn = NULL, reason = $1 WHERE id = $2",
                params: vec![reason.into(), id(*work)],
            });
            pass_turn(script, *work);
        }
        WorkChange::Pause { kind, by, at } => script.push(Statement {
            sql: "INSERT INTO work_pause (kind, at, actor) VALUES ($1, $2, $3) \
                  ON CONFLICT (kind) DO NOTHING",
            params: vec![kind.into(), (*at).into(), by.into()],
        }),
        WorkChange::Resume { kind } => script.push(Statement {
            sql: "DELETE FROM work_pause WHERE kind = $1",
            params: vec![kind.into()],
        }),
        WorkChange::Advance { kind, to, .. } => script.push(Statement {
            sql: "UPDATE work_schedule SET next_due = $1 WHERE kind = $2",
            params: vec![(*to).into(), kind.into()],
        }),
    }
}
