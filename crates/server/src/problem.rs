//! The last step of every refused or failed request: one line in the log if it is our fault, and a body in
//! the form that the address speaks (RFC 9457 Problem, FHIR OperationOutcome).

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use precordia_interop::fhir::{IssueCode, IssueSeverity, operation_outcome};
use precordia_model::RequestId;
use serde::Serialize;
use tracing::error;
use utoipa::ToSchema;

use crate::error::Failure;
use crate::id::Id;

/// What every answer of 400 and above says.
#[derive(Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Names the kind of problem; the same as `code`, as a URI.
    pub r#type: String,
    pub title: String,
    pub status: u16,
    pub detail: String,
    /// Stable snake_case code.
    pub code: String,
    /// Tell it to whoever runs this server: the log knows more.
    pub request_id: String,
    /// What would likely help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The item under which a refused upload is counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_id: Option<Id>,
}

/// Gives refusals and failures their bodies.
pub(crate) async fn answer(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default();
    let fhir = is_fhir(request.uri().path());
    let response = next.run(request).await;
    match failure_of(&response) {
        Some(failure) => body(response, &failure, &id, fhir),
        None => response,
    }
}

pub(crate) fn is_fhir(path: &str) -> bool {
    path == "/fhir" || path.starts_with("/fhir/")
}

/// Also those that a library answered in words of its own.
fn failure_of(response: &Response) -> Option<Arc<Failure>> {
    if let Some(failure) = response.extensions().get::<Arc<Failure>>() {
        return Some(failure.clone());
    }
    let status = response.status();
    let plain = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_none_or(|value| value.as_bytes().starts_with(b"text/plain"));
    if !plain || !(status.is_client_error() || status.is_server_error()) {
        return None;
    }
    Some(Arc::new(match status {
        StatusCode::NOT_FOUND => Failure::not_found(),
        StatusCode::METHOD_NOT_ALLOWED => {
            Failure::new(status, "method_not_allowed", "this address does not know that method")
        }
        StatusCode::INTERNAL_SERVER_ERROR => Failure::internal("a library answered 500"),
        other => Failure::new(other, "refused", "the request could not be understood"),
    }))
}

fn body(response: Response, failure: &Failure, request_id: &str, fhir: bool) -> Response {
    if let Some(cause) = &failure.cause {
        error!(request.id = request_id, code = failure.code, cause = &**cause, "request failed");
    }
    let mut answer = if fhir { outcome(failure) } else { problem(failure, request_id) };
    *answer.status_mut() = failure.status;
    // `Allow` and the like, which the router set.
    for (name, value) in response.headers() {
        if *name != header::CONTENT_TYPE && *name != header::CONTENT_LENGTH {
            answer.headers_mut().append(name.clone(), value.clone());
        }
    }
    for (name, value) in &failure.headers {
        answer.headers_mut().insert(name.clone(), value.clone());
    }
    answer
}

fn problem(failure: &Failure, request_id: &str) -> Response {
    let problem = Problem {
        r#type: format!("urn:precordia:problem:{}", failure.code),
        title: failure.status.canonical_reason().unwrap_or("Refused").to_owned(),
        status: failure.status.as_u16(),
        detail: failure.detail.clone(),
        code: failure.code.to_owned(),
        request_id: request_id.to_owned(),
        hint: failure.hint.map(str::to_owned),
        item_id: failure.item.map(|item| Id(item.0)),
    };
    typed(Json(problem).into_response(), "application/problem+json")
}

fn outcome(failure: &Failure) -> Response {
    let outcome = failure.outcome.clone().unwrap_or_else(|| {
        operation_outcome::of(IssueSeverity::Error, issue_code(failure), &failure.detail, None)
    });
    typed(Json(outcome).into_response(), "application/fhir+json")
}

fn issue_code(failure: &Failure) -> IssueCode {
    match failure.status {
        StatusCode::BAD_REQUEST if failure.code == "search_too_long" => IssueCode::TooLong,
        StatusCode::BAD_REQUEST => IssueCode::Invalid,
        StatusCode::UNAUTHORIZED => IssueCode::Login,
        StatusCode::FORBIDDEN => IssueCode::Forbidden,
        StatusCode::NOT_FOUND => IssueCode::NotFound,
        StatusCode::GONE => IssueCode::Deleted,
        StatusCode::METHOD_NOT_ALLOWED
        | StatusCode::NOT_ACCEPTABLE
        | StatusCode::UNSUPPORTED_MEDIA_TYPE => IssueCode::NotSupported,
        StatusCode::CONFLICT => IssueCode::Conflict,
        StatusCode::PAYLOAD_TOO_LARGE => IssueCode::TooLong,
        StatusCode::TOO_MANY_REQUESTS => IssueCode::Throttled,
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::INSUFFICIENT_STORAGE => IssueCode::Transient,
        _ => IssueCode::Exception,
    }
}

fn typed(mut response: Response<Body>, content_type: &'static str) -> Response {
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
