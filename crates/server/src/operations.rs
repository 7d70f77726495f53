//! For whoever runs the program: is it up, can it work, how is it doing.

use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

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

pub(crate) const STORAGE_TIME: Duration = Duration::from_secs(2);

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

/// For Prometheus. To others there is nothing here.
pub(crate) async fn metrics(State(server): State<Server>, request: Request) -> Response {
    if !is_of_operator(&server, &request) {
        return Failure::not_found().into_response();
    }
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, server.metrics.render()).into_response()
}

/// Whether whoever runs the installation asks: from this machine, or with the configured token.
pub(crate) fn is_of_operator(server: &Server, request: &Request) -> bool {
    let client = server.proxies.client_of(request);
    let local = client.is_some_and(|client| client.is_loopback() && !server.proxies.trusts(client))
        && !is_forwarded(request.headers());
    local || has_token(server, request.headers())
}

/// A proxy on this machine speaks for somebody elsewhere.
fn is_forwarded(headers: &HeaderMap) -> bool {
    ["forwarded", "x-forwarded-for", "x-real-ip"].iter().any(|name| headers.contains_key(*name))
}

fn has_token(server: &Server, headers: &HeaderMap) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match (&server.metrics_token, given.and_then(token_of)) {
        (Some(expected), Some(given)) => same(expected.as_bytes(), &given),
        _ => false,
    }
}

/// Programs give it as they are, browsers as the password of a user of any name.
fn token_of(authorization: &str) -> Option<Zeroizing<Vec<u8>>> {
    let token = |token: &str| Zeroizing::new(token.as_bytes().to_vec());
    bearer(authorization).map(token).or_else(|| password(authorization))
}

/// The password of `Authorization: Basic …` (RFC 7617 section 2); the scheme in any case.
fn password(authorization: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (scheme, credentials) = authorization.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = Zeroizing::new(STANDARD.decode(credentials.trim()).ok()?);
    // A name has no colon; a password may.
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    Some(Zeroizing::new(decoded[colon + 1..].to_vec()))
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

    #[test]
    fn a_token_is_a_bearers_or_the_password_of_anybody() {
        let of = |text: &str| token_of(text).map(|token| token.to_vec());
        let basic = |credentials: &[u8]| format!("Basic {}", STANDARD.encode(credentials));
        assert_eq!(of("Bearer abc"), Some(b"abc".to_vec()));
        assert_eq!(of(&basic(b"operator:abc")), Some(b"abc".to_vec()));
        assert_eq!(of(&basic(b":a:b\xff")), Some(b"a:b\xff".to_vec()));
        assert_eq!(of(&basic(b"abc:")), Some(Vec::new()));
        assert_eq!(of(&basic(b"operator:abc").replace("Basic", "bASIC")), Some(b"abc".to_vec()));
        for other in [&*basic(b"abc"), "Basic abc:", "Basic", "Digest YTph", ""] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
