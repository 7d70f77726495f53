//! Alarms of operation that are about the organization of whoever asks. Not clinical alerts.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use precordia_app::port::{AlarmFilter, AlarmRow};
use precordia_model::AlarmCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::{Answers, Signed};
use crate::auth::Caller;
use crate::error::Failure;
use crate::id::Id;
use crate::state::Server;
use crate::words::{self, AlarmSeverity, AlarmState};

/// The most that stand, and the most that are over, which are shown.
const STANDING_MAX: u32 = 100;
const CLEARED_MAX: u32 = 20;

#[derive(Serialize, ToSchema)]
pub(crate) struct Alarms {
    /// Those that stand, then the last ones that are over; each the newest first.
    rows: Vec<Alarm>,
}

/// What needs a hand, or did. Of codes, counts and times; it names no person.
#[derive(Serialize, ToSchema)]
pub(crate) struct Alarm {
    id: Id,
    /// `work.given-up` and the like; docs/alarms.md lists them.
    code: String,
    severity: AlarmSeverity,
    state: AlarmState,
    /// The part of the program.
    component: String,
    /// What the code says.
    meaning: Option<String>,
    /// What to do about it.
    to_do: Option<String>,
    /// How often it was seen.
    count: i64,
    /// How much of what.
    figures: BTreeMap<String, i64>,
    #[schema(format = DateTime)]
    raised_at: String,
    #[schema(format = DateTime)]
    last_seen_at: String,
    #[schema(format = DateTime)]
    acknowledged_at: Option<String>,
    #[schema(format = DateTime)]
    cleared_at: Option<String>,
}

/// What needs a hand in this organization. Who runs the installation is told by other ways.
#[utoipa::path(get, path = "/api/alarms", operation_id = "alarms", tag = "operations",
    responses((status = 200, body = Alarms), Answers, Signed))]
pub(crate) async fn alarms(
    State(server): State<Server>,
    caller: Caller,
) -> Result<Json<Alarms>, Failure> {
    let alarms = server.app.alarms();
    let mut rows = Vec::new();
    for (cleared, limit) in [(false, STANDING_MAX), (true, CLEARED_MAX)] {
        let filter = AlarmFilter { cleared: Some(cleared), ..AlarmFilter::default() };
        let page = alarms.list_own(caller.scope(), &filter, limit).await?;
        rows.extend(page.rows.into_iter().map(Alarm::from));
    }
    Ok(Json(Alarms { rows }))
}

impl From<AlarmRow> for Alarm {
    fn from(row: AlarmRow) -> Self {
        let code = AlarmCode::parse(&row.code);
        Self {
            id: Id(row.id.0),
            severity: row.severity.into(),
            state: row.state().into(),
            component: row.subject.component().to_owned(),
            meaning: code.map(|code| code.meaning().to_owned()),
            to_do: code.map(|code| code.to_do().to_owned()),
            code: row.code,
            count: row.count,
            figures: row.figures,
            raised_at: words::time(row.raised_at),
            last_seen_at: words::time(row.last_seen_at),
            acknowledged_at: row.acknowledged.map(|(at, _)| words::time(at)),
            cleared_at: row.cleared_at.map(words::time),
        }
    }
}
