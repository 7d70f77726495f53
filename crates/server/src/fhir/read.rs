//! One resource by its id.

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use precordia_app::FhirRead;
use precordia_interop::fhir::{
    FhirId, IssueCode, IssueSeverity, Meta, ResourceType, binary, operation_outcome,
};
use precordia_model::{BlobId, Timestamp};
use uuid::Uuid;

use crate::api::{FhirAnswers, FhirSigned};
use crate::auth::Caller;
use crate::error::Failure;
use crate::fhir::{self, FHIR_JSON, parameters};
use crate::id::Id;
use crate::state::Server;
use crate::web::matches_etag;

/// One resource. A Binary is answered as its bytes, unless `Accept` asks for FHIR JSON.
#[utoipa::path(get, path = "/fhir/{type}/{id}", operation_id = "fhir_read", tag = "fhir",
    params(
        ("type" = inline(crate::api::ReadableType), Path),
        ("id" = String, Path, pattern = "^[A-Za-z0-9.-]{1,64}$"),
        ("If-None-Match" = Option<String>, Header, description = "answered 304 when it is still this version"),
    ),
    responses((status = 200, description = "the resource",
        content((Object = "application/fhir+json"), ([u8] = "application/dicom"), ([u8] = "application/octet-stream"))),
        (status = 304, description = "still the version that the reader has"),
        (status = 410, description = "OperationOutcome: it was erased", body = Object,
            content_type = "application/fhir+json"),
        FhirAnswers, FhirSigned))]
pub(crate) async fn read(
    State(server): State<Server>,
    caller: Caller,
    Path((kind, id)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Failure> {
    let (Some(kind), Some(id)) = (ResourceType::parse(&kind), FhirId::parse(&id)) else {
        return Err(caller.nowhere(&server).await);
    };
    only_format(request.uri().query())?;
    if kind == ResourceType::Binary {
        return read_binary(&server, &caller, id.as_str(), request.headers()).await;
    }
    fhir::takes_json(request.headers())?;
    match server.app.fhir_read(caller.scope(), kind, id.as_str()).await? {
        FhirRead::Found(found) => {
            let answer = fhir::resource(&found.body);
            Ok(versioned(answer, found.version, found.last_updated, request.headers()))
        }
        FhirRead::Gone => Err(erased()),
        FhirRead::NotFound => Err(Failure::not_found()),
    }
}

pub(crate) fn erased() -> Failure {
    Failure::new(StatusCode::GONE, "erased", "it was here and has been erased")
}

async fn read_binary(
    server: &Server,
    caller: &Caller,
    id: &str,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    let Some(Id(uuid)) = Id::parse(id) else { return Err(caller.nowhere(server).await) };
    let blob = BlobId(uuid);
    let found = server.app.fhir_binary(caller.scope(), blob).await?;
    let as_resource = fhir::accepted(headers)
        .iter()
        .any(|range| range == FHIR_JSON || range == "application/json");
    let answer = if as_resource {
        let meta = Meta { version: 1, last_updated: found.received_at };
        fhir::resource(&binary::to_fhir(
            blob,
            found.content_type,
            &found.bytes,
            found.recording,
            &meta,
        ))
    } else {
        let context = security_context(found.recording.0);
        let headers = [
            (header::CONTENT_TYPE, found.content_type),
            (HeaderName::from_static("x-security-context"), &*context),
        ];
        (headers, found.bytes).into_response()
    };
    // The bytes never change, so there is one version.
    Ok(versioned(answer, 1, found.received_at, headers))
}

/// R4 binary 2.40.3: a reader of plain bytes learns from a header whose rules hold for them.
fn security_context(recording: Uuid) -> String {
    format!("DocumentReference/{recording}")
}

/// A read takes no parameters but the format. What would be dropped silently is refused.
pub(crate) fn only_format(query: Option<&str>) -> Result<(), Failure> {
    for (name, value) in parameters::decode(query.unwrap_or_default())? {
        let known = name == "_format"
            && ["json", "application/json", "application/fhir+json", "application/fhir json"]
                .contains(&&*value);
        if !known {
            let detail = "a read takes no parameter but `_format`, and that only for JSON";
            let mut failure = Failure::new(StatusCode::BAD_REQUEST, "not_supported", detail);
            failure.outcome = Some(operation_outcome::of(
                IssueSeverity::Error,
                IssueCode::NotSupported,
                detail,
                None,
            ));
            return Err(failure);
        }
    }
    Ok(())
}

/// `ETag` and `Last-Modified` (R4 http 3.1.0.1.3); 304 when the reader has this version.
pub(crate) fn versioned(
    mut answer: Response,
    version: i64,
    at: Timestamp,
    asked: &HeaderMap,
) -> Response {
    let etag = format!("W/\"{version}\"");
    if matches_etag(asked.get(header::IF_NONE_MATCH), &etag) {
        answer = StatusCode::NOT_MODIFIED.into_response();
    }
    let headers = answer.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, value);
    }
    if let Some(value) = http_date(at).and_then(|text| HeaderValue::from_str(&text).ok()) {
        headers.insert(header::LAST_MODIFIED, value);
    }
    answer
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7).
fn http_date(at: Timestamp) -> Option<String> {
    let at = jiff::Timestamp::from_second(at.micros().div_euclid(1_000_000)).ok()?;
    Some(at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_dates_are_in_the_preferred_form() {
        assert_eq!(
            http_date(Timestamp(784_111_777_999_999)).as_deref(),
            Some("Sun, 06 Nov 1994 08:49:37 GMT")
        );
    }

    #[test]
    fn a_reader_with_the_version_gets_no_body() {
        let mut asked = HeaderMap::new();
        let answer = || versioned(fhir::resource(&serde_json::json!({})), 3, Timestamp(0), &asked);
        assert_eq!(answer().status(), StatusCode::OK);
        assert_eq!(answer().headers()[header::ETAG], "W/\"3\"");
        asked.insert(header::IF_NONE_MATCH, HeaderValue::from_static("W/\"3\""));
        let answer = versioned(fhir::resource(&serde_json::json!({})), 3, Timestamp(0), &asked);
        assert_eq!(answer.status(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn a_read_takes_no_parameter_but_the_format() {
        for (query, taken) in [
            (None, true),
            (Some("_format=json"), true),
            (Some("_format=application/fhir+json"), true),
            (Some("_format=xml"), false),
            (Some("_summary=true"), false),
            (Some("_elements=name"), false),
        ] {
            assert_eq!(only_format(query).is_ok(), taken, "{query:?}");
        }
    }
}
