//! The worklist: newest first, filtered by what a person knows.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use precordia_app::Authorities;
use precordia_app::access::OrgScope;
use precordia_app::port::RecordingFilter;
use precordia_interop::fhir::DateRange;
use precordia_model::{
    DevicePatient as ModelDevicePatient, DeviceTime, PartialDate, PatientId, Phi, RecordingId,
    SiteId, Timestamp, ZoneKnowledge,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::{Answers, Signed, WithBody};
use crate::auth::Caller;
use crate::body::{Checked, Input, whole};
use crate::error::Failure;
use crate::id::Id;
use crate::patient::PatientBanner;
use crate::session::SiteRef;
use crate::state::Server;
use crate::words::{self, FlagCode, RecordingStatus, Severity};
use crate::{check, cursor};

const LIMIT_MAX: u32 = 200;
const LIMIT: u32 = 50;

/// Every filter that is given must hold.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WorklistQuery {
    /// Beginnings of names of two letters or more, or an identifier.
    #[schema(min_length = 2, max_length = 200)]
    patient: Option<String>,
    patient_id: Option<Id>,
    /// First day of acquisition, `YYYY-MM-DD`.
    #[schema(format = Date, pattern = "^(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    acquired_from: Option<String>,
    /// Last day of acquisition, `YYYY-MM-DD`.
    #[schema(format = Date, pattern = "^(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    acquired_to: Option<String>,
    site_id: Option<Id>,
    flag: Option<FlagCode>,
    /// At least so severe.
    severity: Option<Severity>,
    status: Option<RecordingStatus>,
    #[schema(pattern = "^[0-9]{1,16}-[0-9a-f]{32}$")]
    cursor: Option<String>,
    #[serde(default, deserialize_with = "whole")]
    #[schema(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

impl Checked for WorklistQuery {
    fn check(&self) -> Result<(), Failure> {
        if let Some(text) = &self.patient {
            check::line("patient", text, 2, 200)?;
        }
        check::limit(self.limit, LIMIT_MAX, LIMIT)?;
        self.filter().map(drop)
    }
}

impl WorklistQuery {
    fn filter(&self) -> Result<RecordingFilter, Failure> {
        let from = day("acquired_from", self.acquired_from.as_deref())?;
        let to = day("acquired_to", self.acquired_to.as_deref())?;
        let before = self.cursor.as_deref().map(cursor::decode).transpose()?;
        Ok(RecordingFilter {
            patients: self.patient_id.map(|id| vec![PatientId(id.0)]),
            acquired_from: from.map(|day| day.from),
            acquired_before: to.map(|day| day.until),
            site: self.site_id.map(|id| SiteId(id.0)),
            flag: self.flag.map(Into::into),
            severity_min: self.severity.map(Into::into),
            status: self.status.map(Into::into),
            before: before.map(|(at, id)| (at, RecordingId(id))),
            ..RecordingFilter::default()
        })
    }
}

fn day(field: &str, text: Option<&str>) -> Result<Option<DateRange>, Failure> {
    let Some(text) = text else { return Ok(None) };
    match PartialDate::parse(text) {
        Some(date @ PartialDate::Day(..)) => Ok(Some(DateRange::of_date(date))),
        _ => Err(Failure::invalid(field, "give a day as YYYY-MM-DD")),
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Worklist {
    rows: Vec<WorklistRow>,
    next_cursor: Option<String>,
    counts: WorklistCounts,
    /// The text fits more patients than were looked at: recordings of others may be missing, here and in
    /// the counts.
    truncated: bool,
}

/// Over everything that the filter holds for.
#[derive(Serialize, ToSchema)]
pub(crate) struct WorklistCounts {
    total: i64,
    alert: i64,
    borderline: i64,
    info: i64,
    held: i64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct WorklistRow {
    recording_id: Id,
    /// Place in the ledger.
    position: i64,
    #[schema(format = DateTime)]
    received_at: String,
    acquired: Option<Acquired>,
    status: RecordingStatus,
    /// `null` when the sender named none.
    site: Option<SiteRef>,
    door: String,
    patient: Option<PatientBanner>,
    /// The person as the file names them, while nobody has said whose the recording is.
    device_patient: Option<DevicePatient>,
    heart_rate_bpm: Option<f64>,
    flags: Vec<FlagMark>,
    highest: Option<Severity>,
    quality_usable: bool,
    problems: usize,
}

/// When the device says it recorded.
#[derive(Serialize, ToSchema)]
pub(crate) struct Acquired {
    as_written: String,
    /// ISO 8601, as far as it is known, in the device's own time.
    local: Option<String>,
    #[schema(format = DateTime)]
    utc: Option<String>,
    zone: ZoneWord,
}

/// Whether the file says the offset from UTC.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ZoneWord {
    Known,
    Unknown,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct DevicePatient {
    id: Option<String>,
    name: Option<String>,
    birth_date: Option<String>,
    sex: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct FlagMark {
    code: FlagCode,
    severity: Severity,
}

/// Recordings, newest first.
#[utoipa::path(post, path = "/api/recordings/search", operation_id = "search_recordings", tag = "recordings",
    request_body = WorklistQuery, responses((status = 200, body = Worklist), Answers, Signed, WithBody))]
pub(crate) async fn search_recordings(
    State(server): State<Server>,
    caller: Caller,
    Input(body): Input<WorklistQuery>,
) -> Result<Json<Worklist>, Failure> {
    let query = precordia_app::WorklistQuery {
        filter: body.filter()?,
        limit: check::limit(body.limit, LIMIT_MAX, LIMIT)?,
        patient: body.patient,
        ..precordia_app::WorklistQuery::default()
    };
    let list = server.app.worklist(caller.scope(), query).await?;
    let names = Names::of(&server, caller.scope()).await?;
    let now = server.app.now();
    let counts = list.counts;
    Ok(Json(Worklist {
        rows: list.rows.into_iter().map(|row| WorklistRow::of(row, &names, now)).collect(),
        next_cursor: list.next.map(|(at, id)| cursor::encode(at, id.0)),
        counts: WorklistCounts {
            total: counts.total,
            alert: counts.alert,
            borderline: counts.borderline,
            info: counts.info,
            held: counts.held,
        },
        truncated: list.truncated,
    }))
}

/// How the organization calls its sites and those who give identifiers.
pub(crate) struct Names {
    sites: BTreeMap<SiteId, String>,
    pub authorities: Authorities,
}

impl Names {
    pub async fn of(server: &Server, scope: &OrgScope) -> Result<Self, Failure> {
        let sites = server.app.sites(scope).await?.into_iter().collect();
        Ok(Self { sites, authorities: server.app.authorities(scope).await? })
    }

    fn site(&self, id: SiteId) -> Option<SiteRef> {
        self.sites.get(&id).map(|name| SiteRef { id: Id(id.0), name: name.clone() })
    }
}

impl WorklistRow {
    pub fn of(line: precordia_app::WorklistRow, names: &Names, now: Timestamp) -> Self {
        let precordia_app::WorklistRow { row, summary, patient } = line;
        let held = row.status == precordia_app::port::RecordingStatus::Held;
        Self {
            recording_id: Id(row.id.0),
            position: row.position,
            received_at: words::time(row.received_at),
            acquired: summary.acquired_at.map(Acquired::from),
            status: row.status.into(),
            site: row.site.and_then(|id| names.site(id)),
            door: row.door.name().to_owned(),
            patient: patient.map(|patient| PatientBanner::of(&patient, names, now)),
            device_patient: held.then(|| DevicePatient::from(&summary.device_patient)),
            heart_rate_bpm: summary.heart_rate_bpm,
            highest: row.flags.iter().map(|(_, severity)| *severity).max().map(Severity::from),
            flags: row
                .flags
                .into_iter()
                .map(|(code, severity)| FlagMark { code: code.into(), severity: severity.into() })
                .collect(),
            quality_usable: summary.quality_usable,
            problems: summary.problems,
        }
    }
}

impl From<DeviceTime> for Acquired {
    fn from(time: DeviceTime) -> Self {
        let utc = time.utc().map(words::time);
        let zone = match time.zone {
            ZoneKnowledge::Offset { .. } => ZoneWord::Known,
            ZoneKnowledge::Unknown => ZoneWord::Unknown,
        };
        Self { as_written: time.as_written, local: time.local, utc, zone }
    }
}

impl From<&ModelDevicePatient> for DevicePatient {
    fn from(patient: &ModelDevicePatient) -> Self {
        Self {
            id: patient.id.as_ref().map(words::shown),
            name: name_of(patient),
            birth_date: patient.birth_date.as_ref().map(|date| date.reveal().to_string()),
            sex: patient.sex.map(|sex| words::Sex::from(sex).name().to_owned()),
        }
    }
}

/// `Family, Given Given`, or what the file wrote.
fn name_of(patient: &ModelDevicePatient) -> Option<String> {
    let given =
        patient.given.iter().map(|given| given.reveal().as_str()).collect::<Vec<_>>().join(" ");
    match (patient.family.as_ref().map(Phi::reveal), given.is_empty()) {
        (Some(family), true) => Some(family.clone()),
        (Some(family), false) => Some(format!("{family}, {given}")),
        (None, false) => Some(given),
        (None, true) => patient.name_as_written.as_ref().map(words::shown),
    }
}
