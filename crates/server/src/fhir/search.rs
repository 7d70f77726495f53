//! Searches. `GET` names the question in the address, `POST` in the body; neither is ever logged.
//!
//! The self link of a `GET` repeats the query as it was sent. A `POST` was chosen to keep names out of
//! addresses, so its self link is the address alone. A next link holds one sealed token and nothing else.

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use precordia_app::{FhirPage, FhirSearchError};
use precordia_interop::fhir::search::{self, SearchRefusal};
use precordia_interop::fhir::{IssueCode, ResourceType, bundle, operation_outcome};
use serde_json::Value;

use crate::api::{FhirAnswers, FhirSigned};
use crate::auth::Caller;
use crate::body;
use crate::error::Failure;
use crate::fhir::{self, metadata, parameters};
use crate::state::Server;

const FORM: &str = "application/x-www-form-urlencoded";

/// Search a type. `/fhir/metadata` lists its parameters; any other is refused with 400.
#[utoipa::path(get, path = "/fhir/{type}", operation_id = "fhir_search", tag = "fhir",
    params(("type" = inline(crate::api::SearchableType), Path),
        ("_count" = Option<i64>, Query, minimum = 1, maximum = 4294967295.0),
        ("_id" = Option<String>, Query, pattern = "^[A-Za-z0-9.-]{1,64}$")),
    responses((status = 200, description = "Bundle", body = Object, content_type = "application/fhir+json"),
        FhirAnswers, FhirSigned))]
pub(crate) async fn by_get(
    State(server): State<Server>,
    caller: Caller,
    Path(kind): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let base = metadata::base(&server, &request);
    let kind = known(&server, &caller, &kind).await?;
    fhir::takes_json(request.headers())?;
    let query = request.uri().query().unwrap_or_default();
    let asked = parameters::decode(query)?;
    let link = match query {
        "" => format!("{base}/{}", kind.name()),
        query => format!("{base}/{}?{query}", kind.name()),
    };
    answer(&server, &caller, &base, kind, &asked, &link).await
}

/// Search a type with the question in the body.
#[utoipa::path(post, path = "/fhir/{type}/_search", operation_id = "fhir_search_by_post", tag = "fhir",
    params(("type" = inline(crate::api::SearchableType), Path)),
    request_body(content = inline(crate::api::SearchForm), content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "Bundle", body = Object, content_type = "application/fhir+json"),
        FhirAnswers, FhirSigned))]
pub(crate) async fn by_post(
    State(server): State<Server>,
    caller: Caller,
    Path(kind): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let base = metadata::base(&server, &request);
    let kind = known(&server, &caller, &kind).await?;
    fhir::takes_json(request.headers())?;
    let mut asked = parameters::decode(request.uri().query().unwrap_or_default())?;
    let typed = request.headers().contains_key(header::CONTENT_TYPE);
    let is_form = body::expect_type(request.headers(), FORM);
    let bytes = body::read(request.into_body()).await?;
    if typed || !bytes.is_empty() {
        is_form?;
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        Failure::new(StatusCode::BAD_REQUEST, "invalid_body", "the form is not UTF-8")
    })?;
    asked.extend(parameters::decode(text)?);
    let link = format!("{base}/{}/_search", kind.name());
    answer(&server, &caller, &base, kind, &asked, &link).await
}

/// Other types are addresses that lead nowhere.
async fn known(server: &Server, caller: &Caller, kind: &str) -> Result<ResourceType, Failure> {
    match ResourceType::parse(kind) {
        Some(kind) => Ok(kind),
        None => Err(caller.nowhere(server).await),
    }
}

async fn answer(
    server: &Server,
    caller: &Caller,
    base: &str,
    kind: ResourceType,
    asked: &[(String, String)],
    link: &str,
) -> Result<Response, Failure> {
    let query = search::parse(kind.name(), asked).map_err(|refusal| refused(&refusal))?;
    let page =
        server.app.fhir_search(caller.scope(), query).await.map_err(|cause| match cause {
            FhirSearchError::App(cause) => cause.into(),
            FhirSearchError::Page => not_a_page(),
        })?;
    let FhirPage { resources, next } = page;
    let next = next.map(|token| format!("{base}/{}?_page={token}", kind.name()));
    let entries =
        resources.into_iter().map(|resource| (address(base, &resource), resource)).collect();
    // How many there are in all is not counted: it would mean to open every one.
    Ok(fhir::resource(&bundle::searchset(entries, link, next.as_deref(), None)))
}

fn address(base: &str, resource: &Value) -> String {
    let text = |name| resource.get(name).and_then(Value::as_str).unwrap_or_default();
    format!("{base}/{}/{}", text("resourceType"), text("id"))
}

pub(crate) fn not_a_page() -> Failure {
    refused(&SearchRefusal {
        parameter: String::from("_page"),
        code: IssueCode::Value,
        text: FhirSearchError::Page.to_string(),
    })
}

pub(crate) fn refused(refusal: &SearchRefusal) -> Failure {
    let mut failure =
        Failure::new(StatusCode::BAD_REQUEST, "search_refused", "the search is not supported");
    failure.outcome = Some(operation_outcome::of_refusal(refusal));
    failure
}
