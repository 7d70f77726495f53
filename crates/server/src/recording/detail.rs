//! One recording: everything that was found out about it, and how it came here.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use precordia_app::access::OrgScope;
use precordia_model as model;
use precordia_model::{Measured, RecordingId, Timestamp, TraceOrigin};
use precordia_rules::event::RecordingFacts;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::{Addressed, Answers, BadQuery, Signed};
use crate::auth::Caller;
use crate::body::{Checked, Params};
use crate::error::Failure;
use crate::id::Id;
use crate::recording::worklist::{Names, WorklistRow};
use crate::state::Server;
use crate::words::{self, FlagCode, ItemState, ProblemSeverity, QtFormula, Severity};

#[derive(Serialize, ToSchema)]
pub(crate) struct RecordingDetail {
    #[serde(flatten)]
    head: WorklistRow,
    device: DeviceRef,
    sampling_hz: f64,
    duration_s: f64,
    leads: Vec<LeadInfo>,
    measurements: Measurements,
    flag_report: FlagReport,
    device_measurements: Vec<DeviceMeasurement>,
    device_statements: Vec<DeviceStatement>,
    problems_detail: Vec<RecordingProblem>,
    provenance: Vec<Provenance>,
    blob_id: Id,
    /// The moment that was asked for; `null` stands for now.
    #[schema(format = DateTime)]
    as_of: Option<String>,
    /// Other recordings of the patient, newest first; none of them when a moment was asked for.
    priors: Vec<WorklistRow>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct DeviceRef {
    manufacturer: Option<String>,
    model: Option<String>,
    software: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct LeadInfo {
    name: String,
    /// The two leads that we computed it from.
    #[schema(min_items = 2, max_items = 2)]
    derived_from: Option<Vec<String>>,
    filters: LeadFilters,
    usable: bool,
    issues: Vec<String>,
}

/// The device's own filters, as the file declares them.
#[derive(Serialize, ToSchema)]
pub(crate) struct LeadFilters {
    low_hz: Option<f64>,
    high_hz: Option<f64>,
    /// 0 is a declared "no notch".
    notch_hz: Option<f64>,
}

impl From<model::Filters> for LeadFilters {
    fn from(filters: model::Filters) -> Self {
        let model::Filters { low_hz, high_hz, notch_hz } = filters;
        Self { low_hz, high_hz, notch_hz }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Measurements {
    version: String,
    values: Vec<Measurement>,
    qtc: Vec<QtcValue>,
    axes: AxesValue,
    st_uv: Vec<StValue>,
    rhythm: String,
    paced: bool,
    /// Samples from the start.
    r_peaks: Vec<u32>,
    /// Indices into `r_peaks`.
    beats_used: Vec<u32>,
    fiducials: Fiducials,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Measurement {
    name: MeasurementName,
    value: Option<f64>,
    unit: String,
    missing: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MeasurementName {
    HeartRateBpm,
    RrMs,
    PMs,
    PrMs,
    QrsMs,
    QtMs,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct QtcValue {
    formula: QtFormula,
    value: Option<f64>,
    missing: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct AxesValue {
    p: MeasuredValue,
    qrs: MeasuredValue,
    t: MeasuredValue,
}

/// A value, or the reason why there is none.
#[derive(Serialize, ToSchema)]
pub(crate) struct MeasuredValue {
    value: Option<f64>,
    missing: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct StValue {
    lead: String,
    value: Option<f64>,
    missing: Option<String>,
}

/// Samples from the R peak of the representative beat.
#[derive(Serialize, ToSchema)]
pub(crate) struct Fiducials {
    p_onset: Option<i32>,
    p_offset: Option<i32>,
    qrs_onset: Option<i32>,
    qrs_offset: Option<i32>,
    t_peak: Option<i32>,
    t_offset: Option<i32>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct FlagReport {
    rule_version: String,
    flags: Vec<FlagDetail>,
    not_evaluated: Vec<NotEvaluatedFlag>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct FlagDetail {
    code: FlagCode,
    severity: Severity,
    value: f64,
    limit: f64,
    unit: String,
    rule_version: String,
    evidence: FlagEvidence,
    notes: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct FlagEvidence {
    leads: Vec<String>,
    beats: Vec<u32>,
    formula: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct NotEvaluatedFlag {
    code: FlagCode,
    reason: String,
}

/// What the device itself computed.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeviceMeasurement {
    label: String,
    name: Option<String>,
    code: Option<String>,
    value: f64,
    unit: String,
    lead: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct DeviceStatement {
    text: String,
    code: Option<String>,
}

/// What was noticed while the file was read.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecordingProblem {
    code: String,
    place: String,
    severity: ProblemSeverity,
    text: String,
}

/// One arrival of the recording's bytes.
#[derive(Serialize, ToSchema)]
pub(crate) struct Provenance {
    item_id: Id,
    door: String,
    sender: String,
    #[schema(format = DateTime)]
    received_at: String,
    size_bytes: i64,
    /// Keyed with the organization's own key: comparable here and nowhere else.
    content_hash: String,
    ledger_position: i64,
    outcome: ItemState,
    reader: String,
    format: String,
    format_detail: String,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordingQuery {
    /// Show the recording as it stood at this moment (RFC 3339, with its zone).
    #[param(format = DateTime)]
    as_of: Option<String>,
}

impl RecordingQuery {
    fn moment(&self) -> Result<Option<Timestamp>, Failure> {
        let Some(text) = self.as_of.as_deref() else { return Ok(None) };
        let moment = Timestamp::parse_rfc3339(text);
        let wrong =
            || Failure::invalid("as_of", "give a time with its zone, as in 2026-05-17T08:30:00Z");
        moment.map(Some).ok_or_else(wrong)
    }
}

impl Checked for RecordingQuery {
    fn check(&self) -> Result<(), Failure> {
        self.moment().map(drop)
    }
}

/// One recording, now or as it stood at a moment; 404 when it was not there yet.
#[utoipa::path(get, path = "/api/recordings/{id}", operation_id = "recording", tag = "recordings",
    params(("id" = Id, Path), RecordingQuery),
    responses((status = 200, body = RecordingDetail), Answers, Signed, Addressed, BadQuery))]
pub(crate) async fn recording(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
    Params(query): Params<RecordingQuery>,
) -> Result<Json<RecordingDetail>, Failure> {
    let id = RecordingId(caller.id(&server, &id).await?);
    let Some(at) = query.moment()? else {
        return Ok(Json(read(&server, caller.scope(), id).await?));
    };
    let detail = server.app.recording_as_of(caller.scope(), id, at).await?;
    let mut shown = shown(&server, caller.scope(), detail).await?;
    shown.as_of = Some(words::time(at));
    Ok(Json(shown))
}

pub(crate) async fn read(
    server: &Server,
    scope: &OrgScope,
    id: RecordingId,
) -> Result<RecordingDetail, Failure> {
    let detail = server.app.recording(scope, id).await?;
    shown(server, scope, detail).await
}

async fn shown(
    server: &Server,
    scope: &OrgScope,
    detail: precordia_app::RecordingDetail,
) -> Result<RecordingDetail, Failure> {
    let names = Names::of(server, scope).await?;
    let senders: Vec<&str> =
        detail.provenance.iter().map(|one| one.item.row.sender.as_str()).collect();
    let actors = server.app.actor_names(scope, &senders).await?;
    let now = server.app.now();
    let precordia_app::RecordingDetail { head, facts, provenance, priors } = detail;
    Ok(RecordingDetail {
        blob_id: Id(head.row.blob.0),
        head: WorklistRow::of(head, &names, now),
        device: DeviceRef {
            manufacturer: facts.device.manufacturer.clone(),
            model: facts.device.model.clone(),
            software: facts.device.software.clone(),
        },
        sampling_hz: facts.sampling_hz,
        duration_s: facts.duration_s,
        leads: leads(&facts),
        provenance: provenance.into_iter().map(|one| arrival(one, &facts, &actors)).collect(),
        measurements: Measurements::from(&facts.measurements),
        flag_report: FlagReport::from(facts.flags),
        device_measurements: facts
            .device_measurements
            .into_iter()
            .map(DeviceMeasurement::from)
            .collect(),
        device_statements: facts
            .device_statements
            .into_iter()
            .map(|one| DeviceStatement { text: one.text.into_revealed(), code: one.code })
            .collect(),
        problems_detail: facts.problems.into_iter().map(RecordingProblem::from).collect(),
        as_of: None,
        priors: priors.into_iter().map(|row| WorklistRow::of(row, &names, now)).collect(),
    })
}

fn leads(facts: &RecordingFacts) -> Vec<LeadInfo> {
    facts
        .leads
        .iter()
        .map(|fact| {
            let quality = facts.measurements.quality.leads.get(&fact.lead);
            LeadInfo {
                name: fact.lead.name().to_owned(),
                derived_from: derived_from(&fact.origin),
                filters: fact.filters.into(),
                usable: quality.is_some_and(|quality| quality.usable),
                issues: quality
                    .map(|quality| {
                        quality.issues.iter().map(|issue| issue_name(*issue).to_owned()).collect()
                    })
                    .unwrap_or_default(),
            }
        })
        .collect()
}

pub(crate) fn derived_from(origin: &TraceOrigin) -> Option<Vec<String>> {
    match origin {
        TraceOrigin::Recorded => None,
        TraceOrigin::Derived { from } => {
            Some(from.iter().map(|lead| lead.name().to_owned()).collect())
        }
    }
}

const fn issue_name(issue: model::QualityIssue) -> &'static str {
    match issue {
        model::QualityIssue::Flat => "flat",
        model::QualityIssue::Clipped => "clipped",
        model::QualityIssue::Noise => "noise",
        model::QualityIssue::BaselineWander => "baseline_wander",
        model::QualityIssue::Mains => "mains",
        model::QualityIssue::Gaps => "gaps",
    }
}

fn arrival(
    one: precordia_app::Provenance,
    facts: &RecordingFacts,
    names: &BTreeMap<String, model::Phi<String>>,
) -> Provenance {
    let precordia_app::Item { row, details } = one.item;
    Provenance {
        item_id: Id(row.id.0),
        door: row.door.name().to_owned(),
        sender: words::actor(&row.sender, names.get(&row.sender)),
        received_at: words::time(row.received_at),
        size_bytes: row.size_bytes,
        content_hash: details.content_hash.unwrap_or_default(),
        ledger_position: one.ledger_position,
        outcome: row.state.into(),
        reader: facts.reader.clone(),
        format: facts.format.clone(),
        format_detail: facts.format_detail.clone(),
    }
}

fn missing(measured: Measured) -> Option<String> {
    measured.missing().map(|reason| reason.name().to_owned())
}

impl From<Measured> for MeasuredValue {
    fn from(measured: Measured) -> Self {
        Self { value: measured.value(), missing: missing(measured) }
    }
}

impl From<&model::Measurements> for Measurements {
    fn from(m: &model::Measurements) -> Self {
        let value = |name, measured: Measured, unit: &str| Measurement {
            name,
            value: measured.value(),
            unit: unit.to_owned(),
            missing: missing(measured),
        };
        let f = m.fiducials;
        Self {
            version: m.version.clone(),
            values: vec![
                value(MeasurementName::HeartRateBpm, m.heart_rate_bpm, "/min"),
                value(MeasurementName::RrMs, m.rr_ms, "ms"),
                value(MeasurementName::PMs, m.p_ms, "ms"),
                value(MeasurementName::PrMs, m.pr_ms, "ms"),
                value(MeasurementName::QrsMs, m.qrs_ms, "ms"),
                value(MeasurementName::QtMs, m.qt_ms, "ms"),
            ],
            qtc: model::QtFormula::ALL
                .into_iter()
                .map(|formula| {
                    let measured = m.qtc(formula);
                    QtcValue {
                        formula: formula.into(),
                        value: measured.value(),
                        missing: missing(measured),
                    }
                })
                .collect(),
            axes: AxesValue {
                p: m.axis_deg.p.into(),
                qrs: m.axis_deg.qrs.into(),
                t: m.axis_deg.t.into(),
            },
            st_uv: m
                .st_uv
                .iter()
                .map(|(lead, measured)| StValue {
                    lead: lead.name().to_owned(),
                    value: measured.value(),
                    missing: missing(*measured),
                })
                .collect(),
            rhythm: m.rhythm.name().to_owned(),
            paced: m.paced,
            r_peaks: m.r_peaks.clone(),
            beats_used: m.beats_used.clone(),
            fiducials: Fiducials {
                p_onset: f.p_onset,
                p_offset: f.p_offset,
                qrs_onset: f.qrs_onset,
                qrs_offset: f.qrs_offset,
                t_peak: f.t_peak,
                t_offset: f.t_offset,
            },
        }
    }
}

impl From<model::FlagReport> for FlagReport {
    fn from(report: model::FlagReport) -> Self {
        let not_evaluated = |(code, reason): (model::FlagCode, model::NotEvaluated)| {
            NotEvaluatedFlag { code: code.into(), reason: reason.name().to_owned() }
        };
        Self {
            rule_version: report.rule_version,
            flags: report.flags.into_iter().map(FlagDetail::from).collect(),
            not_evaluated: report.not_evaluated.into_iter().map(not_evaluated).collect(),
        }
    }
}

impl From<model::Flag> for FlagDetail {
    fn from(flag: model::Flag) -> Self {
        Self {
            code: flag.code.into(),
            severity: flag.severity.into(),
            value: flag.value,
            limit: flag.limit,
            unit: flag.unit,
            rule_version: flag.rule_version,
            evidence: FlagEvidence {
                leads: flag.evidence.leads.iter().map(|lead| lead.name().to_owned()).collect(),
                beats: flag.evidence.beats,
                formula: flag.evidence.formula.map(|formula| formula.name().to_owned()),
            },
            notes: flag.notes,
        }
    }
}

impl From<model::DeviceMeasurement> for DeviceMeasurement {
    fn from(m: model::DeviceMeasurement) -> Self {
        let lead = m.lead.map(|lead| lead.name().to_owned());
        Self { label: m.label, name: m.name, code: m.code, value: m.value, unit: m.unit, lead }
    }
}

impl From<model::Problem> for RecordingProblem {
    fn from(problem: model::Problem) -> Self {
        let model::Problem { code, place, severity, text } = problem;
        Self { code, place, severity: severity.into(), text }
    }
}
