//! The recording on ECG paper, for print and for the health record.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use precordia_app::{Authorities, PatientBanner, SheetFacts};
use precordia_model::{DevicePatient, Phi, RecordingId};
use precordia_render as render;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::{Addressed, Answers, BadQuery, Signed};
use crate::auth::Caller;
use crate::body::{Checked, Params};
use crate::error::Failure;
use crate::state::Server;

/// Sharp in print, and small enough for a record.
const PNG_DPI: u32 = 150;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct SheetQuery {
    /// `svg` when nothing is said.
    #[param(inline)]
    format: Option<SheetFormat>,
    /// `3x4` when nothing is said.
    #[param(inline)]
    layout: Option<SheetLayout>,
}

#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SheetFormat {
    Svg,
    Png,
    Pdf,
}

#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
pub(crate) enum SheetLayout {
    #[serde(rename = "3x4")]
    ThreeByFour,
    #[serde(rename = "6x2")]
    SixByTwo,
    #[serde(rename = "12x1")]
    TwelveByOne,
}

impl Checked for SheetQuery {
    fn check(&self) -> Result<(), Failure> {
        Ok(())
    }
}

/// The recording on ECG paper.
#[utoipa::path(get, path = "/api/recordings/{id}/sheet", operation_id = "recording_sheet", tag = "recordings",
    params(("id" = crate::id::Id, Path), SheetQuery),
    responses((status = 200, description = "the drawing",
        content(([u8] = "image/svg+xml"), ([u8] = "image/png"), ([u8] = "application/pdf"))),
        Answers, Signed, Addressed, BadQuery))]
pub(crate) async fn recording_sheet(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
    Params(query): Params<SheetQuery>,
) -> Result<Response, Failure> {
    let id = RecordingId(caller.id(&server, &id).await?);
    let facts = server.app.sheet(caller.scope(), id).await?;
    let authorities = server.app.authorities(caller.scope()).await?;
    let format = query.format.unwrap_or(SheetFormat::Svg);
    let layout = query.layout.unwrap_or(SheetLayout::ThreeByFour);
    let drawn =
        tokio::task::spawn_blocking(move || draw(facts, &authorities, format, layout)).await;
    let bytes = drawn.map_err(Failure::internal)?.map_err(Failure::internal)?;
    let (content_type, extension) = match format {
        SheetFormat::Svg => ("image/svg+xml", "svg"),
        SheetFormat::Png => ("image/png", "png"),
        SheetFormat::Pdf => ("application/pdf", "pdf"),
    };
    let disposition = format!("inline; filename=\"{id}.{extension}\"");
    let headers = [
        (header::CONTENT_TYPE, content_type.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, bytes).into_response())
}

fn draw(
    sheet: SheetFacts,
    authorities: &Authorities,
    format: SheetFormat,
    layout: SheetLayout,
) -> Result<Vec<u8>, render::RenderError> {
    let SheetFacts { mut recording, facts, patient } = sheet;
    let known = patient.is_some();
    if let Some(patient) = patient {
        recording.patient = verified(patient, authorities);
    }
    let mut sheet = render::Sheet::of(&recording, Some((&facts.measurements, &facts.flags)));
    if !known {
        let line = "Not assigned to a patient: name and id are the file's own and nobody has verified them";
        sheet.footer.insert(0, Phi::new(line.to_owned()));
    }
    sheet.layout = match layout {
        SheetLayout::ThreeByFour => render::Layout::ThreeByFourRhythm,
        SheetLayout::SixByTwo => render::Layout::SixByTwo,
        SheetLayout::TwelveByOne => render::Layout::TwelveByOne,
    };
    match format {
        SheetFormat::Svg => Ok(render::svg(&recording, &sheet).into_bytes()),
        SheetFormat::Png => render::png(&recording, &sheet, PNG_DPI),
        SheetFormat::Pdf => render::pdf(&recording, &sheet),
    }
}

/// The person as the organization knows them takes the place of what the file says.
fn verified(patient: PatientBanner, authorities: &Authorities) -> DevicePatient {
    let identity = patient.identity;
    let first = identity.identifiers.into_iter().next();
    let (issuer, id) =
        first.map_or((None, None), |one| (Some(authorities.name(&one.system)), Some(one.value)));
    DevicePatient {
        id,
        id_issuer: issuer,
        family: identity.family,
        given: identity.given,
        name_as_written: None,
        birth_date: identity.birth_date,
        sex: identity.sex,
        age_years: None,
    }
}
