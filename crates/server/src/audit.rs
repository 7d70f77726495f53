//! Who looked at what.

use axum::Json;
use axum::extract::{Path, State};
use precordia_app::AccessEntry;
use precordia_model::{RecordingId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::{Addressed, Answers, Signed, WithBody};
use crate::auth::Caller;
use crate::body::{Checked, Input, whole};
use crate::error::Failure;
use crate::id::Id;
use crate::state::Server;
use crate::{check, cursor, words};

/// One look at a recording.
#[derive(Serialize, ToSchema)]
pub(crate) struct Access {
    #[schema(format = DateTime)]
    at: String,
    actor: String,
    roles: Vec<String>,
    action: String,
    purpose: String,
    reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Accesses {
    accesses: Vec<Access>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccessLogSearch {
    recording_id: Option<Id>,
    user_id: Option<Id>,
    #[schema(pattern = "^[1-9][0-9]{0,17}$")]
    cursor: Option<String>,
    #[serde(default, deserialize_with = "whole")]
    #[schema(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

impl Checked for AccessLogSearch {
    fn check(&self) -> Result<(), Failure> {
        check::limit(self.limit, 200, 50)?;
        self.cursor.as_deref().map(cursor::position).transpose().map(drop)
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct AccessLogRow {
    position: i64,
    #[schema(format = DateTime)]
    at: String,
    actor: String,
    roles: Vec<String>,
    action: String,
    target: String,
    purpose: String,
    outcome: String,
    reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct AccessLog {
    rows: Vec<AccessLogRow>,
    next_cursor: Option<String>,
}

/// Who looked at a recording, newest first.
#[utoipa::path(get, path = "/api/recordings/{id}/accesses", operation_id = "recording_accesses", tag = "audit",
    params(("id" = Id, Path)), responses((status = 200, body = Accesses), Answers, Signed, Addressed))]
pub(crate) async fn recording_accesses(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Accesses>, Failure> {
    let id = RecordingId(caller.id(&server, &id).await?);
    let entries = server.app.accesses(caller.scope(), id).await?;
    Ok(Json(Accesses { accesses: entries.into_iter().map(Access::from).collect() }))
}

/// The access log, newest first.
#[utoipa::path(post, path = "/api/access-log/search", operation_id = "search_access_log", tag = "audit",
    request_body = AccessLogSearch, responses((status = 200, body = AccessLog), Answers, Signed, WithBody))]
pub(crate) async fn search_access_log(
    State(server): State<Server>,
    caller: Caller,
    Input(body): Input<AccessLogSearch>,
) -> Result<Json<AccessLog>, Failure> {
    let limit = check::limit(body.limit, 200, 50)?;
    let before = body.cursor.as_deref().map(cursor::position).transpose()?;
    let recording = body.recording_id.map(|id| RecordingId(id.0));
    let user = body.user_id.map(|id| UserId(id.0));
    let mut entries =
        server.app.access_log(caller.scope(), recording, user, before, limit + 1).await?;
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let next_cursor = entries.last().filter(|_| more).map(|entry| entry.row.position.to_string());
    Ok(Json(AccessLog { rows: entries.into_iter().map(AccessLogRow::from).collect(), next_cursor }))
}

impl From<AccessEntry> for Access {
    fn from(entry: AccessEntry) -> Self {
        let AccessEntry { row, actor_name, detail } = entry;
        Self {
            at: words::time(row.at),
            actor: words::actor(&row.actor, actor_name.as_ref()),
            roles: words::roles(&row.roles),
            action: row.action,
            purpose: row.purpose,
            reason: detail.as_ref().map(words::shown),
        }
    }
}

impl From<AccessEntry> for AccessLogRow {
    fn from(entry: AccessEntry) -> Self {
        let AccessEntry { row, actor_name, detail } = entry;
        Self {
            position: row.position,
            at: words::time(row.at),
            actor: words::actor(&row.actor, actor_name.as_ref()),
            roles: words::roles(&row.roles),
            action: row.action,
            target: row.target,
            purpose: row.purpose,
            outcome: row.outcome,
            reason: detail.as_ref().map(words::shown),
        }
    }
}
