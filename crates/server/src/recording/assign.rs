//! Whose a recording is.

use axum::Json;
use axum::extract::{Path, State};
use precordia_model::{PartialDate, PatientId, PatientIdentity, Phi, RecordingId};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::{Addressed, Answers, Changing, Signed, WithBody};
use crate::auth::Caller;
use crate::body::{Checked, Input, Object};
use crate::check;
use crate::error::Failure;
use crate::id::Id;
use crate::patient::{Identifier, ReasonRequest};
use crate::recording::detail::{self, RecordingDetail};
use crate::state::Server;
use crate::words::Sex;

/// A patient who is known, or one who is registered in the same step.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum AssignRequest {
    Known(AssignKnown),
    New(AssignNew),
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssignKnown {
    patient_id: Id,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssignNew {
    #[schema(value_type = NewPatient)]
    new_patient: Object<NewPatient>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPatient {
    #[schema(value_type = Vec<Identifier>, min_items = 1, max_items = 10)]
    identifiers: Vec<Object<Identifier>>,
    #[schema(min_length = 1, max_length = 200)]
    family: Option<String>,
    #[serde(default)]
    #[schema(max_items = 10)]
    given: Vec<String>,
    /// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`, as far as it is known.
    #[schema(pattern = "^(?!0000)[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$")]
    birth_date: Option<String>,
    sex: Option<Sex>,
}

impl Checked for AssignRequest {
    fn check(&self) -> Result<(), Failure> {
        let AssignRequest::New(AssignNew { new_patient: Object(new) }) = self else {
            return Ok(());
        };
        check::count("identifiers", new.identifiers.len(), 1, 10)?;
        for Object(identifier) in &new.identifiers {
            check::line("system", &identifier.system, 1, 200)?;
            check::line("value", &identifier.value, 1, 100)?;
        }
        if let Some(family) = &new.family {
            check::line("family", family, 1, 200)?;
        }
        check::count("given", new.given.len(), 0, 10)?;
        for given in &new.given {
            check::line("given", given, 1, check::NAME_CHARS_MAX)?;
        }
        new.birth_date().map(drop)
    }
}

impl NewPatient {
    fn birth_date(&self) -> Result<Option<Phi<PartialDate>>, Failure> {
        let wrong = || Failure::invalid("birth_date", "give YYYY, YYYY-MM or YYYY-MM-DD");
        let parse = |text: &str| PartialDate::parse(text).map(Phi::new).ok_or_else(wrong);
        self.birth_date.as_deref().map(parse).transpose()
    }

    fn identity(self) -> Result<PatientIdentity, Failure> {
        let birth_date = self.birth_date()?;
        let trimmed = |text: String| Phi::new(text.trim().to_owned());
        Ok(PatientIdentity {
            identifiers: self
                .identifiers
                .into_iter()
                .map(|Object(one)| precordia_model::Identifier {
                    system: one.system.trim().to_owned(),
                    value: trimmed(one.value),
                })
                .collect(),
            family: self.family.map(trimmed),
            given: self.given.into_iter().map(trimmed).collect(),
            birth_date,
            sex: self.sex.map(Into::into),
        })
    }
}

/// Give a held recording to a patient.
#[utoipa::path(post, path = "/api/recordings/{id}/assign", operation_id = "assign", tag = "recordings",
    params(("id" = Id, Path)), request_body = AssignRequest,
    responses((status = 200, body = RecordingDetail), Answers, Signed, Addressed, WithBody, Changing))]
pub(crate) async fn assign(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
    Input(body): Input<AssignRequest>,
) -> Result<Json<RecordingDetail>, Failure> {
    let id = RecordingId(caller.id(&server, &id).await?);
    let scope = caller.scope();
    let assigned = match body {
        AssignRequest::Known(known) => {
            server.app.assign(scope, id, PatientId(known.patient_id.0)).await
        }
        AssignRequest::New(new) => {
            server.app.assign_new(scope, id, new.new_patient.0.identity()?).await
        }
    };
    caller.done(&server, assigned).await?;
    Ok(Json(detail::read(&server, scope, id).await?))
}

/// Take a recording back from its patient; it waits for a person again.
#[utoipa::path(post, path = "/api/recordings/{id}/unassign", operation_id = "unassign", tag = "recordings",
    params(("id" = Id, Path)), request_body = ReasonRequest,
    responses((status = 200, body = RecordingDetail), Answers, Signed, Addressed, WithBody, Changing))]
pub(crate) async fn unassign(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
    Input(body): Input<ReasonRequest>,
) -> Result<Json<RecordingDetail>, Failure> {
    let id = RecordingId(caller.id(&server, &id).await?);
    let unassigned = server.app.unassign(caller.scope(), id, &body.reason).await;
    caller.done(&server, unassigned).await?;
    Ok(Json(detail::read(&server, caller.scope(), id).await?))
}
