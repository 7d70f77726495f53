//! Versions of one resource (R4 http 3.1.0.2 and 3.1.0.10).
//!
//! The self link repeats the query as it was sent; a next link holds one sealed token and nothing else.

use axum::extract::{Path, Request, State};
use axum::response::Response;
use precordia_app::{FhirHistory, FhirRead, FhirSearchError};
use precordia_interop::fhir::search::parse_history;
use precordia_interop::fhir::{FhirId, ResourceType, bundle};

use crate::api::{FhirAnswers, FhirSigned};
use crate::auth::Caller;
use crate::error::Failure;
use crate::fhir::read::{erased, only_format, versioned};
use crate::fhir::search::{not_a_page, refused};
use crate::fhir::{self, metadata, parameters};
use crate::state::Server;

/// One version of a resource. A version that is a deletion, or that was erased, is answered 410.
#[utoipa::path(get, path = "/fhir/{type}/{id}/_history/{vid}", operation_id = "fhir_vread", tag = "fhir",
    params(
        ("type" = inline(crate::api::SearchableType), Path),
        ("id" = String, Path, pattern = "^[A-Za-z0-9.-]{1,64}$"),
        ("vid" = String, Path, pattern = "^[1-9][0-9]{0,17}$"),
        ("If-None-Match" = Option<String>, Header, description = "answered 304 when it is this version"),
    ),
    responses((status = 200, description = "the version", body = Object, content_type = "application/fhir+json"),
        (status = 304, description = "the version that the reader has"),
        (status = 410, description = "OperationOutcome: it was erased, or the version is its deletion",
            body = Object, content_type = "application/fhir+json"),
        FhirAnswers, FhirSigned))]
pub(crate) async fn version(
    State(server): State<Server>,
    caller: Caller,
    Path((kind, id, version)): Path<(String, String, String)>,
    request: Request,
) -> Result<Response, Failure> {
    let (Some((kind, id)), Some(version)) = (resource(&kind, &id), number(&version)) else {
        return Err(caller.nowhere(&server).await);
    };
    only_format(request.uri().query())?;
    fhir::takes_json(request.headers())?;
    match server.app.fhir_version(caller.scope(), kind, &id, version).await? {
        FhirRead::Found(found) => {
            let answer = fhir::resource(&found.body);
            Ok(versioned(answer, found.version, found.last_updated, request.headers()))
        }
        FhirRead::Gone => Err(erased()),
        FhirRead::NotFound => Err(Failure::not_found()),
    }
}

/// The versions of a resource, newest first. What was erased leaves its deletion and nothing else.
#[utoipa::path(get, path = "/fhir/{type}/{id}/_history", operation_id = "fhir_history", tag = "fhir",
    params(
        ("type" = inline(crate::api::SearchableType), Path),
        ("id" = String, Path, pattern = "^[A-Za-z0-9.-]{1,64}$"),
        ("_count" = Option<i64>, Query, minimum = 1, maximum = 4294967295.0),
        ("_since" = Option<String>, Query, description = "versions made at this instant or later",
            pattern = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$"),
        ("_at" = Option<String>, Query, description = "versions that were current in this year, month, day or time",
            pattern = "^[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$"),
    ),
    responses((status = 200, description = "Bundle", body = Object, content_type = "application/fhir+json"),
        (status = 410, description = "OperationOutcome: it was erased", body = Object,
            content_type = "application/fhir+json"),
        FhirAnswers, FhirSigned))]
pub(crate) async fn history(
    State(server): State<Server>,
    caller: Caller,
    Path((kind, id)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Failure> {
    let Some((kind, id)) = resource(&kind, &id) else {
        return Err(caller.nowhere(&server).await);
    };
    fhir::takes_json(request.headers())?;
    let query = request.uri().query().unwrap_or_default();
    let asked = parse_history(&parameters::decode(query)?).map_err(|cause| refused(&cause))?;
    let found = server.app.fhir_history(caller.scope(), kind, &id, asked).await;
    let FhirHistory { versions, next } = found.map_err(|cause| match cause {
        FhirSearchError::App(cause) => cause.into(),
        FhirSearchError::Page => not_a_page(),
    })?;
    let base = metadata::base(&server, &request);
    let address = format!("{base}/{}/{}/_history", kind.name(), id.as_str());
    let next = next.map(|token| format!("{address}?_page={token}"));
    let link = match query {
        "" => address,
        query => format!("{address}?{query}"),
    };
    Ok(fhir::resource(&bundle::history(&base, kind, &id, versions, &link, next.as_deref())))
}

/// A resource of a type that has versions.
fn resource(kind: &str, id: &str) -> Option<(ResourceType, FhirId)> {
    let kind = ResourceType::parse(kind).filter(|kind| kind.has_versions())?;
    Some((kind, FhirId::parse(id)?))
}

/// Versions count from 1 and have one spelling.
fn number(text: &str) -> Option<i64> {
    text.parse().ok().filter(|number: &i64| *number > 0 && number.to_string() == text)
}
