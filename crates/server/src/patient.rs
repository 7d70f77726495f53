//! Patients: finding, seeing, merging, un-merging, erasing.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use precordia_model::{PartialDate, PatientId, RecordingId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::{Addressed, Answers, Changing, Signed, WithBody};
use crate::auth::Caller;
use crate::body::{Checked, Input, whole};
use crate::check;
use crate::error::Failure;
use crate::id::Id;
use crate::recording::worklist::{Names, WorklistRow};
use crate::state::Server;
use crate::words::{self, Sex};

/// What stands at the top of every page that shows a patient.
#[derive(Serialize, ToSchema)]
pub(crate) struct PatientBanner {
    id: Id,
    family: Option<String>,
    given: Vec<String>,
    /// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`, as far as it is known.
    birth_date: Option<String>,
    /// Today.
    age_years: Option<u16>,
    sex: Option<Sex>,
    identifiers: Vec<KnownIdentifier>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct KnownIdentifier {
    /// URI of the authority that gave the identifier.
    system: String,
    /// The authority as people call it; the URI where no name is known.
    authority: String,
    value: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Identifier {
    /// URI of the authority that gave the identifier.
    #[schema(min_length = 1, max_length = 200)]
    pub system: String,
    #[schema(min_length = 1, max_length = 100)]
    pub value: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatientSearch {
    /// Beginnings of names of two letters or more, or an identifier; nothing finds nobody.
    #[schema(max_length = 200)]
    text: Option<String>,
    #[serde(default, deserialize_with = "whole")]
    #[schema(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

impl Checked for PatientSearch {
    fn check(&self) -> Result<(), Failure> {
        check::line("text", self.text.as_deref().unwrap_or_default(), 0, 200)?;
        check::limit(self.limit, 100, 50).map(drop)
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Patients {
    patients: Vec<PatientBanner>,
    /// More patients may fit than were looked at.
    truncated: bool,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PatientDetail {
    patient: PatientBanner,
    merged_into: Option<Id>,
    merged_from: Vec<Id>,
    recordings: Vec<WorklistRow>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MergeRequest {
    /// The record that stays.
    into: Id,
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

impl Checked for MergeRequest {
    fn check(&self) -> Result<(), Failure> {
        check::line("reason", &self.reason, 1, 500)
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReasonRequest {
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
}

impl Checked for ReasonRequest {
    fn check(&self) -> Result<(), Failure> {
        check::line("reason", &self.reason, 1, 500)
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EraseRequest {
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
    /// The patient's family name, typed again; empty for one without.
    #[schema(max_length = 200)]
    confirm_family: String,
    /// Held recordings that name the patient and are erased with them; `held` lists which do.
    #[serde(default)]
    #[schema(max_items = 1000)]
    also: Vec<Id>,
}

/// A recording that is nobody's and may be of a patient.
#[derive(Serialize, ToSchema)]
pub(crate) struct HeldRecording {
    id: Id,
    received_at: String,
    named_by: NamedBy,
}

/// Why a held recording may be of a patient.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum NamedBy {
    /// It was this patient's and was taken back.
    OnceTheirs,
    /// Its file carries an identifier of the patient.
    SameIdentifier,
    /// Its file carries the patient's family name, and no other birth date.
    SameName,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct HeldRecordings {
    recordings: Vec<HeldRecording>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Erased {
    /// Held recordings that name the patient and were not erased. Whoever erases decides what becomes of
    /// them: given to a patient, they can be erased with that one.
    left: Vec<HeldRecording>,
}

impl Checked for EraseRequest {
    fn check(&self) -> Result<(), Failure> {
        check::line("reason", &self.reason, 1, 500)?;
        check::line("confirm_family", &self.confirm_family, 0, 200)?;
        match self.also.len() {
            0..=1000 => Ok(()),
            _ => Err(Failure::invalid("also", "give at most 1000 recordings")),
        }
    }
}

/// Find patients.
#[utoipa::path(post, path = "/api/patients/search", operation_id = "search_patients", tag = "patients",
    request_body = PatientSearch, responses((status = 200, body = Patients), Answers, Signed, WithBody))]
pub(crate) async fn search_patients(
    State(server): State<Server>,
    caller: Caller,
    Input(body): Input<PatientSearch>,
) -> Result<Json<Patients>, Failure> {
    let limit = check::limit(body.limit, 100, 50)?;
    let text = body.text.unwrap_or_default();
    let found = server.app.search_patients(caller.scope(), &text, limit).await?;
    let now = server.app.now();
    let names = Names::of(&server, caller.scope()).await?;
    let banner = |patient| PatientBanner::of(&patient, &names, now);
    let patients = found.patients.into_iter().map(banner).collect();
    Ok(Json(Patients { patients, truncated: found.truncated }))
}

/// A patient and their recordings.
#[utoipa::path(get, path = "/api/patients/{id}", operation_id = "patient", tag = "patients",
    params(("id" = Id, Path)), responses((status = 200, body = PatientDetail), Answers, Signed, Addressed))]
pub(crate) async fn patient(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<PatientDetail>, Failure> {
    let id = PatientId(caller.id(&server, &id).await?);
    let page = server.app.patient_page(caller.scope(), id).await?;
    let now = server.app.now();
    let names = Names::of(&server, caller.scope()).await?;
    Ok(Json(PatientDetail {
        patient: PatientBanner::of(&page.patient, &names, now),
        merged_into: page.patient.merged_into.map(|id| Id(id.0)),
        merged_from: page.merged_from.into_iter().map(|id| Id(id.0)).collect(),
        recordings: page
            .recordings
            .into_iter()
            .map(|row| WorklistRow::of(row, &names, now))
            .collect(),
    }))
}

/// One person had two records: this one becomes part of another.
#[utoipa::path(post, path = "/api/patients/{id}/merge", operation_id = "merge", tag = "patients",
    params(("id" = Id, Path)), request_body = MergeRequest,
    responses((status = 200), Answers, Signed, Addressed, WithBody, Changing))]
pub(crate) async fn merge(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
    Input(body): Input<MergeRequest>,
) -> Result<StatusCode, Failure> {
    let from = PatientId(caller.id(&server, &id).await?);
    let merged = server.app.merge(caller.scope(), from, PatientId(body.into.0), &body.reason).await;
    caller.done(&server, merged).await?;
    Ok(StatusCode::OK)
}

/// The merge was a mistake.
#[utoipa::path(post, path = "/api/patients/{id}/unmerge", operation_id = "unmerge", tag = "patients",
    params(("id" = Id, Path)), request_body = ReasonRequest,
    responses((status = 200), Answers, Signed, Addressed, WithBody, Changing))]
pub(crate) async fn unmerge(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
    Input(body): Input<ReasonRequest>,
) -> Result<StatusCode, Failure> {
    let id = PatientId(caller.id(&server, &id).await?);
    let unmerged = server.app.unmerge(caller.scope(), id, &body.reason).await;
    caller.done(&server, unmerged).await?;
    Ok(StatusCode::OK)
}

/// Held recordings that name a patient: what an erasure of the patient alone leaves.
#[utoipa::path(get, path = "/api/patients/{id}/held", operation_id = "held_naming", tag = "patients",
    params(("id" = Id, Path)),
    responses((status = 200, body = HeldRecordings), Answers, Signed, Addressed))]
pub(crate) async fn held_naming(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<HeldRecordings>, Failure> {
    let id = PatientId(caller.id(&server, &id).await?);
    let named = server.app.held_naming(caller.scope(), id).await?;
    Ok(Json(HeldRecordings { recordings: named.into_iter().map(HeldRecording::from).collect() }))
}

/// Destroy a patient's key: everything sealed for them is unreadable from then on.
#[utoipa::path(post, path = "/api/patients/{id}/erase", operation_id = "erase", tag = "patients",
    params(("id" = Id, Path)), request_body = EraseRequest,
    responses((status = 200, body = Erased), Answers, Signed, Addressed, WithBody, Changing))]
pub(crate) async fn erase(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
    Input(body): Input<EraseRequest>,
) -> Result<Json<Erased>, Failure> {
    let id = PatientId(caller.id(&server, &id).await?);
    let also: Vec<_> = body.also.iter().map(|id| RecordingId(id.0)).collect();
    // It reads first, and so writes an address that leads nowhere down itself.
    let left =
        server.app.erase(caller.scope(), id, &body.confirm_family, &body.reason, &also).await?;
    Ok(Json(Erased { left: left.into_iter().map(HeldRecording::from).collect() }))
}

impl From<precordia_app::NamedRecording> for HeldRecording {
    fn from(named: precordia_app::NamedRecording) -> Self {
        let named_by = match named.by {
            precordia_app::NamedBy::OnceTheirs => NamedBy::OnceTheirs,
            precordia_app::NamedBy::SameIdentifier => NamedBy::SameIdentifier,
            precordia_app::NamedBy::SameName => NamedBy::SameName,
        };
        Self { id: Id(named.id.0), received_at: words::time(named.received_at), named_by }
    }
}

impl PatientBanner {
    pub fn of(patient: &precordia_app::PatientBanner, names: &Names, now: Timestamp) -> Self {
        let identity = &patient.identity;
        let today = now.to_rfc3339().get(..10).and_then(PartialDate::parse);
        let birth = identity.birth_date.as_ref().map(|date| *date.reveal());
        Self {
            id: Id(patient.id.0),
            family: identity.family.as_ref().map(words::shown),
            given: words::shown_all(&identity.given),
            birth_date: birth.map(|date| date.to_string()),
            age_years: birth.zip(today).and_then(|(birth, today)| birth.age_years_on(today)),
            sex: identity.sex.map(Sex::from),
            identifiers: identity
                .identifiers
                .iter()
                .map(|one| KnownIdentifier {
                    system: one.system.clone(),
                    authority: names.authorities.name(&one.system),
                    value: words::shown(&one.value),
                })
                .collect(),
        }
    }
}
