//! What became of a recording, in the order of the ledger.

use axum::Json;
use axum::extract::{Path, State};
use precordia_app::{PastStep, Step};
use precordia_model::RecordingId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::{Addressed, Answers, Signed};
use crate::auth::Caller;
use crate::error::Failure;
use crate::id::Id;
use crate::state::Server;
use crate::words;

#[derive(Serialize, ToSchema)]
pub(crate) struct RecordingHistory {
    /// The oldest first.
    steps: Vec<HistoryStep>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct HistoryStep {
    /// In the organization's ledger.
    position: i64,
    #[schema(format = DateTime)]
    at: String,
    actor: String,
    what: HistoryWhat,
    /// Whose the recording was from then on; nobody's while it is held.
    patient_id: Option<Id>,
    /// Whose it was before, where that was somebody's.
    from_patient_id: Option<Id>,
    /// What somebody gave as the reason, or why the recording was held.
    reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HistoryWhat {
    Filed,
    Held,
    Assigned,
    Unassigned,
    Merged,
    Unmerged,
}

/// What became of a recording: filed or held, given to patients and taken back, moved with merged records.
#[utoipa::path(get, path = "/api/recordings/{id}/history", operation_id = "recording_history", tag = "recordings",
    params(("id" = Id, Path)), responses((status = 200, body = RecordingHistory), Answers, Signed, Addressed))]
pub(crate) async fn recording_history(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<RecordingHistory>, Failure> {
    let id = RecordingId(caller.id(&server, &id).await?);
    let steps = server.app.recording_history(caller.scope(), id).await?;
    Ok(Json(RecordingHistory { steps: steps.into_iter().map(HistoryStep::from).collect() }))
}

impl From<PastStep> for HistoryStep {
    fn from(past: PastStep) -> Self {
        let PastStep { position, at, actor, actor_name, step } = past;
        let (what, patient, from, reason) = match step {
            Step::Filed { patient: Some(patient), .. } => {
                (HistoryWhat::Filed, Some(patient), None, None)
            }
            Step::Filed { patient: None, hold } => {
                (HistoryWhat::Held, None, None, hold.map(|hold| hold.text().to_owned()))
            }
            Step::Assigned { to } => (HistoryWhat::Assigned, Some(to), None, None),
            Step::Unassigned { from, reason } => {
                (HistoryWhat::Unassigned, None, Some(from), Some(words::shown(&reason)))
            }
            Step::Merged { from, into, reason } => {
                (HistoryWhat::Merged, Some(into), Some(from), Some(words::shown(&reason)))
            }
            Step::Unmerged { from, to, reason } => {
                (HistoryWhat::Unmerged, Some(to), Some(from), Some(words::shown(&reason)))
            }
        };
        Self {
            position,
            at: words::time(at),
            actor: words::actor(&actor, actor_name.as_ref()),
            what,
            patient_id: patient.map(|id| Id(id.0)),
            from_patient_id: from.map(|id| Id(id.0)),
            reason,
        }
    }
}
