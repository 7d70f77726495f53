//! The samples, as they were read from the original.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use precordia_model::{GroupKind, RecordingId, Signal, Trace};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::{Addressed, Answers, Signed};
use crate::auth::Caller;
use crate::error::Failure;
use crate::item::attachment;
use crate::recording::detail::{LeadFilters, derived_from};
use crate::state::Server;

#[derive(Serialize, ToSchema)]
pub(crate) struct Waveform {
    sampling_hz: f64,
    leads: Vec<WaveformLead>,
    other_groups: Vec<WaveformGroup>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct WaveformLead {
    name: String,
    #[schema(min_items = 2, max_items = 2)]
    derived_from: Option<Vec<String>>,
    filters: LeadFilters,
    /// Little-endian 32-bit floats, microvolts; a gap is NaN.
    samples_uv_base64: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct WaveformGroup {
    kind: String,
    label: String,
    sampling_hz: f64,
    leads: Vec<WaveformLead>,
}

/// The samples of a recording.
#[utoipa::path(get, path = "/api/recordings/{id}/waveform", operation_id = "waveform", tag = "recordings",
    params(("id" = crate::id::Id, Path)), responses((status = 200, body = Waveform), Answers, Signed, Addressed))]
pub(crate) async fn waveform(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Waveform>, Failure> {
    let id = RecordingId(caller.id(&server, &id).await?);
    let recording = server.app.waveform(caller.scope(), id).await?;
    let encode = move || Waveform {
        sampling_hz: recording.rhythm.rate.hz(),
        leads: leads(&recording.rhythm),
        other_groups: recording
            .other_groups
            .iter()
            .map(|group| WaveformGroup {
                kind: kind_name(group.kind).to_owned(),
                label: group.label.clone(),
                sampling_hz: group.signal.rate.hz(),
                leads: leads(&group.signal),
            })
            .collect(),
    };
    // A day-long recording is many megabytes; other requests go on meanwhile.
    let waveform = tokio::task::spawn_blocking(encode).await.map_err(Failure::internal)?;
    Ok(Json(waveform))
}

/// The original bytes.
#[utoipa::path(get, path = "/api/recordings/{id}/original", operation_id = "recording_original", tag = "recordings",
    params(("id" = crate::id::Id, Path)),
    responses((status = 200, description = "the bytes as they were received",
        content(([u8] = "application/dicom"), ([u8] = "application/octet-stream"))), Answers, Signed, Addressed))]
pub(crate) async fn recording_original(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response<Body>, Failure> {
    let id = RecordingId(caller.id(&server, &id).await?);
    let (bytes, content_type) = server.app.original(caller.scope(), id).await?;
    let extension = if content_type == "application/dicom" { "dcm" } else { "bin" };
    Ok(attachment(bytes, content_type, &format!("{id}.{extension}")))
}

fn leads(signal: &Signal) -> Vec<WaveformLead> {
    signal.traces.iter().map(lead).collect()
}

fn lead(trace: &Trace) -> WaveformLead {
    let bytes: Vec<u8> = trace.samples_uv.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    WaveformLead {
        name: trace.lead.name().to_owned(),
        derived_from: derived_from(&trace.origin),
        filters: trace.filters.into(),
        samples_uv_base64: STANDARD.encode(bytes),
    }
}

const fn kind_name(kind: GroupKind) -> &'static str {
    match kind {
        GroupKind::MedianBeat => "median-beat",
        GroupKind::FurtherRhythm => "further-rhythm",
        GroupKind::Other => "other",
    }
}

#[cfg(test)]
mod tests {
    use precordia_model::{Filters, Lead, TraceOrigin};

    use super::*;

    #[test]
    fn samples_are_little_endian_floats_and_a_gap_stays_one() {
        let trace = Trace {
            lead: Lead::II,
            samples_uv: vec![1.0, -2.5, f32::NAN],
            origin: TraceOrigin::Derived { from: [Lead::I, Lead::III] },
            filters: Filters::default(),
        };
        let sent = lead(&trace);
        let bytes = STANDARD.decode(sent.samples_uv_base64).unwrap();
        let back: Vec<f32> = bytes
            .chunks_exact(4)
            .map(|four| f32::from_le_bytes(four.try_into().unwrap()))
            .collect();
        assert_eq!(back[..2], [1.0, -2.5]);
        assert!(back[2].is_nan());
        assert_eq!(
            sent.derived_from.as_deref(),
            Some(["I".to_owned(), "III".to_owned()].as_slice())
        );
    }
}
