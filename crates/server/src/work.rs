//! The queue as administrators and auditors see it, and what administrators do to it.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use precordia_app::port::{WorkFilter, WorkRow};
use precordia_model::{Phi, WorkId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::{Addressed, Answers, Changing, Signed, WithBody};
use crate::auth::Caller;
use crate::body::{Checked, Input, whole};
use crate::error::Failure;
use crate::id::Id;
use crate::patient::ReasonRequest;
use crate::state::Server;
use crate::words::{self, WorkPriority, WorkState};
use crate::{check, cursor};

#[derive(Serialize, ToSchema)]
pub(crate) struct WorkKinds {
    kinds: Vec<WorkKind>,
}

/// A kind of work; every one is listed, with or without work.
#[derive(Serialize, ToSchema)]
pub(crate) struct WorkKind {
    kind: String,
    ready: i64,
    leased: i64,
    dead: i64,
    /// When the oldest that is not done was enqueued.
    #[schema(format = DateTime)]
    oldest_at: Option<String>,
    paused: Option<WorkPause>,
    schedule: Option<WorkSchedule>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct WorkPause {
    #[schema(format = DateTime)]
    at: String,
    by: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct WorkSchedule {
    every_seconds: i64,
    #[schema(format = DateTime)]
    next_due: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WorkSearch {
    state: Option<WorkState>,
    #[schema(min_length = 1, max_length = 40)]
    kind: Option<String>,
    #[schema(pattern = "^[1-9][0-9]{0,17}$")]
    cursor: Option<String>,
    #[serde(default, deserialize_with = "whole")]
    #[schema(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

impl Checked for WorkSearch {
    fn check(&self) -> Result<(), Failure> {
        check::limit(self.limit, 200, 50)?;
        if let Some(kind) = &self.kind {
            check::line("kind", kind, 1, 40)?;
        }
        self.cursor.as_deref().map(cursor::position).transpose().map(drop)
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct WorkPage {
    rows: Vec<WorkPiece>,
    next_cursor: Option<String>,
}

/// A piece of work. It names what it is about and no person.
#[derive(Serialize, ToSchema)]
pub(crate) struct WorkPiece {
    id: Id,
    kind: String,
    /// Pieces of one lane run in order and never at once.
    lane: String,
    /// `item/<id>` and the like.
    subject: String,
    priority: WorkPriority,
    state: WorkState,
    #[schema(format = DateTime)]
    enqueued_at: String,
    /// When a ready piece may be taken, and until when a worker has a leased one.
    #[schema(format = DateTime)]
    due_at: String,
    attempts: i64,
    /// Why the last try failed.
    reason: Option<String>,
}

/// What waits, by kind.
#[utoipa::path(get, path = "/api/work-kinds", operation_id = "work_kinds", tag = "operations",
    responses((status = 200, body = WorkKinds), Answers, Signed))]
pub(crate) async fn work_kinds(
    State(server): State<Server>,
    caller: Caller,
) -> Result<Json<WorkKinds>, Failure> {
    let scope = caller.scope();
    let kinds = server.app.work_kinds(scope).await?;
    let pausers: Vec<&str> =
        kinds.iter().filter_map(|kind| kind.paused.as_ref()).map(|p| p.by.as_str()).collect();
    let names = server.app.actor_names(scope, &pausers).await?;
    Ok(Json(WorkKinds { kinds: kinds.into_iter().map(|kind| shown(kind, &names)).collect() }))
}

/// Pieces of work, the newest first.
#[utoipa::path(post, path = "/api/work-pieces/search", operation_id = "search_work", tag = "operations",
    request_body = WorkSearch, responses((status = 200, body = WorkPage), Answers, Signed, WithBody))]
pub(crate) async fn search_work(
    State(server): State<Server>,
    caller: Caller,
    Input(body): Input<WorkSearch>,
) -> Result<Json<WorkPage>, Failure> {
    let limit = check::limit(body.limit, 200, 50)?;
    let before = body.cursor.as_deref().map(cursor::position).transpose()?;
    let filter = WorkFilter { state: body.state.map(Into::into), kind: body.kind };
    let page = server.app.work_list(caller.scope(), &filter, before, limit).await?;
    let next_cursor = page.next.map(|seq| seq.to_string());
    Ok(Json(WorkPage { rows: page.rows.into_iter().map(WorkPiece::from).collect(), next_cursor }))
}

/// Try work again that was given up, with all its tries and in its old place.
#[utoipa::path(post, path = "/api/work-pieces/{id}/retry", operation_id = "retry_work", tag = "operations",
    params(("id" = Id, Path)), responses((status = 204), Answers, Signed, Addressed, Changing))]
pub(crate) async fn retry_work(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let id = WorkId(caller.id(&server, &id).await?);
    let retried = server.app.retry_work(caller.scope(), id).await;
    caller.done(&server, retried).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give up work that waits. What it is about stays in the balance as in flight.
#[utoipa::path(post, path = "/api/work-pieces/{id}/give-up", operation_id = "give_up_work", tag = "operations",
    params(("id" = Id, Path)), request_body = ReasonRequest,
    responses((status = 204), Answers, Signed, Addressed, WithBody, Changing))]
pub(crate) async fn give_up_work(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
    Input(body): Input<ReasonRequest>,
) -> Result<StatusCode, Failure> {
    let id = WorkId(caller.id(&server, &id).await?);
    let given_up = server.app.give_up_work(caller.scope(), id, Phi::new(body.reason)).await;
    caller.done(&server, given_up).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take no more work of a kind. What is under way is ended.
#[utoipa::path(post, path = "/api/work-kinds/{kind}/pause", operation_id = "pause_work", tag = "operations",
    params(("kind" = String, Path)), responses((status = 204), Answers, Signed, Addressed, Changing))]
pub(crate) async fn pause_work(
    State(server): State<Server>,
    caller: Caller,
    Path(kind): Path<String>,
) -> Result<StatusCode, Failure> {
    let paused = server.app.pause_work(caller.scope(), &kind).await;
    caller.done(&server, paused).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take work of a kind again.
#[utoipa::path(post, path = "/api/work-kinds/{kind}/resume", operation_id = "resume_work", tag = "operations",
    params(("kind" = String, Path)), responses((status = 204), Answers, Signed, Addressed, Changing))]
pub(crate) async fn resume_work(
    State(server): State<Server>,
    caller: Caller,
    Path(kind): Path<String>,
) -> Result<StatusCode, Failure> {
    let resumed = server.app.resume_work(caller.scope(), &kind).await;
    caller.done(&server, resumed).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn shown(kind: precordia_app::WorkKind, names: &BTreeMap<String, Phi<String>>) -> WorkKind {
    WorkKind {
        kind: kind.kind,
        ready: kind.counts.ready,
        leased: kind.counts.leased,
        dead: kind.counts.dead,
        oldest_at: kind.counts.oldest_at.map(words::time),
        paused: kind.paused.map(|paused| WorkPause {
            at: words::time(paused.at),
            by: words::actor(&paused.by, names.get(&paused.by)),
        }),
        schedule: kind.schedule.map(|schedule| WorkSchedule {
            every_seconds: schedule.every_seconds,
            next_due: words::time(schedule.next_due),
        }),
    }
}

impl From<WorkRow> for WorkPiece {
    fn from(row: WorkRow) -> Self {
        Self {
            id: Id(row.id.0),
            kind: row.kind,
            lane: row.lane,
            subject: row.subject,
            priority: row.priority.into(),
            state: row.state.into(),
            enqueued_at: words::time(row.enqueued_at),
            due_at: words::time(row.due),
            attempts: row.attempts,
            reason: row.reason,
        }
    }
}
