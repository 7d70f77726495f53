//! For whoever runs the program: is it up, can it work, how is it doing.

use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::bearer;
use crate::error::Failure;
use crate::state::Server;

#[derive(Serialize, ToSchema)]
pub(crate) struct Live {
    live: bool,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Ready {
    ready: bool,
    /// Whether the storage answers.
    storage: bool,
    /// Whether the program is about to end.
    stopping: bool,
}

const STORAGE_TIME: Duration = Duration::from_secs(2);

/// Whether the process is up.
#[utoipa::path(get, path = "/livez", operation_id = "live", tag = "operations",
    responses((status = 200, body = Live)), security(()))]
pub(crate) async fn live() -> Json<Live> {
    Json(Live { live: true })
}

/// Whether requests can be answered now.
#[utoipa::path(get, path = "/readyz", operation_id = "ready", tag = "operations",
    responses((status = 200, body = Ready), (status = 503, body = Ready)), security(()))]
pub(crate) async fn ready(State(server): State<Server>) -> Response {
    let operator = server.app.local_operator();
    let asked = tokio::time::timeout(STORAGE_TIME, server.app.organizations(&operator)).await;
    let storage = matches!(asked, Ok(Ok(_)));
    let stopping = server.stopping.is_now();
    let ready = storage && !stopping;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Ready { ready, storage, stopping })).into_response()
}

/// For Prometheus, from this machine or with the configured token. To others there is nothing here.
pub(crate) async fn metrics(State(server): State<Server>, request: Request) -> Response {
    let client = server.proxies.client_of(&request);
    let local = client.is_some_and(|client| client.is_loopback() && !server.proxies.trusts(client))
        && !is_forwarded(request.headers());
    if !local && !has_token(&server, request.headers()) {
        return Failure::not_found().into_response();
    }
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, server.metrics.render()).into_response()
}

/// A proxy on this machine speaks for somebody elsewhere.
fn is_forwarded(headers: &HeaderMap) -> bool {
    ["forwarded", "x-forwarded-for", "x-real-ip"].iter().any(|name| headers.contains_key(*name))
}

fn has_token(server: &Server, headers: &HeaderMap) -> bool {
    let given =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bearer);
    match (&server.metrics_token, given) {
        (Some(expected), Some(given)) => same(expected.as_bytes(), given.as_bytes()),
        _ => false,
    }
}

/// Takes the same time wherever the first difference is.
fn same(expected: &[u8], given: &[u8]) -> bool {
    let differing = expected.iter().zip(given).fold(0, |all, (a, b)| all | (a ^ b));
    expected.len() == given.len() && !expected.is_empty() && differing == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_right_only_as_a_whole() {
        assert!(same(b"secret", b"secret"));
        for given in ["secre", "secret1", "Secret", ""] {
            assert!(!same(b"secret", given.as_bytes()), "{given}");
        }
        assert!(!same(b"", b""));
    }
}
