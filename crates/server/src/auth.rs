//! Who asks. Nothing under `/api` and `/fhir` is reached without an answer to that, but for the few
//! addresses in [`OPEN`].

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use precordia_app::access::{OrgScope, Session};
use precordia_model::RequestId;
use uuid::Uuid;

use crate::error::Failure;
use crate::host;
use crate::id::Id;
use crate::problem::is_fhir;
use crate::state::Server;

/// Addresses that answer anybody.
const OPEN: [(Method, &str); 5] = [
    (Method::GET, "/api/setup"),
    (Method::POST, "/api/setup"),
    (Method::POST, "/api/session"),
    (Method::GET, "/api/demo-sign-ins"),
    (Method::GET, "/fhir/metadata"),
];

pub(crate) const CSRF_HEADER: &str = "x-csrf-token";

/// Somebody who was let in, for one request.
#[derive(Clone)]
pub(crate) struct Caller(Arc<LetIn>);

enum LetIn {
    Session(Box<Session>),
    Token(Box<OrgScope>),
}

impl Caller {
    pub fn scope(&self) -> &OrgScope {
        match &*self.0 {
            LetIn::Session(session) => &session.scope,
            LetIn::Token(scope) => scope,
        }
    }

    /// For what only a person at a screen can do.
    pub fn session(&self) -> Result<&Session, Failure> {
        match &*self.0 {
            LetIn::Session(session) => Ok(session),
            LetIn::Token(_) => {
                let detail = "an API token has no session";
                Err(Failure::new(StatusCode::FORBIDDEN, "session_required", detail))
            }
        }
    }

    /// The id in an address. Anything that is no id leads nowhere, which is written down.
    pub async fn id(&self, server: &Server, text: &str) -> Result<Uuid, Failure> {
        match Id::parse(text) {
            Some(Id(id)) => Ok(id),
            None => Err(self.nowhere(server).await),
        }
    }

    /// The answer to an address that leads nowhere.
    pub async fn nowhere(&self, server: &Server) -> Failure {
        match server.app.unknown_address(self.scope()).await {
            Ok(()) => Failure::not_found(),
            Err(cause) => cause.into(),
        }
    }

    /// The result of a command. What it did not find is written down like any unknown address.
    pub async fn done<T, E: Into<Failure>>(
        &self,
        server: &Server,
        result: Result<T, E>,
    ) -> Result<T, Failure> {
        match result.map_err(Into::into) {
            Err(failure) if failure.is_not_found() => Err(self.nowhere(server).await),
            other => other,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        parts.extensions.get::<Caller>().cloned().ok_or_else(Failure::sign_in)
    }
}

/// Lets in, or refuses, before any handler is asked.
pub(crate) async fn guard(
    State(server): State<Server>,
    mut request: Request,
    next: Next,
) -> Response {
    if !is_guarded(request.uri().path()) {
        return next.run(request).await;
    }
    if is_open(request.method(), request.uri().path()) {
        // Signing in from another site's page would put a person into a stranger's session.
        let checked = if request.method().is_safe() {
            Ok(())
        } else {
            same_origin(&server, request.headers())
        };
        return match checked {
            Ok(()) => next.run(request).await,
            Err(failure) => failure.into_response(),
        };
    }
    let id = request.extensions().get::<RequestId>().copied();
    match identify(&server, id, request.method(), request.headers()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(failure) => failure.into_response(),
    }
}

/// Addresses of data.
pub(crate) fn is_guarded(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/") || is_fhir(path)
}

fn is_open(method: &Method, path: &str) -> bool {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    OPEN.iter().any(|(open, at)| open == method && *at == path)
}

async fn identify(
    server: &Server,
    id: Option<RequestId>,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Caller, Failure> {
    let id = id.ok_or_else(|| Failure::internal("a request without an id"))?;
    // A header that was sent on purpose goes before a cookie that comes by itself.
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let token = value.to_str().ok().and_then(bearer).ok_or_else(Failure::sign_in)?;
        let scope = server.app.api_token(token, id).await?.ok_or_else(Failure::sign_in)?;
        return Ok(Caller(Arc::new(LetIn::Token(Box::new(scope)))));
    }
    let cookie = cookie(headers, cookie_name(server)).ok_or_else(Failure::sign_in)?;
    let session = server.app.session(cookie, id).await?.ok_or_else(Failure::sign_in)?;
    if !method.is_safe() {
        same_origin(server, headers)?;
        let token =
            headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !session.csrf_matches(token) {
            return Err(foreign("the request lacks this session's CSRF token"));
        }
    }
    Ok(Caller(Arc::new(LetIn::Session(Box::new(session)))))
}

/// The credentials of `Authorization: Bearer …` (RFC 6750 section 2.1); the scheme in any case.
pub(crate) fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}

/// Browsers bind a name with this prefix to TLS, to this host and to the whole of it (RFC 6265bis 4.1.3.2).
pub(crate) fn cookie_name(server: &Server) -> &'static str {
    if server.is_secure() { "__Host-precordia_session" } else { "precordia_session" }
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(given, _)| *given == name);
    let (_, value) = found.next()?;
    // Two cookies of one name: one was planted, and which is not known.
    found.next().is_none().then_some(value)
}

/// A browser says from where a request comes; other programs say nothing.
fn same_origin(server: &Server, headers: &HeaderMap) -> Result<(), Failure> {
    let text =
        |name: header::HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if text(header::HeaderName::from_static("sec-fetch-site"))
        .is_some_and(|site| site != "same-origin")
    {
        return Err(foreign("the request comes from another site"));
    }
    match text(header::ORIGIN) {
        Some(origin) if !server.hosts.is_own_origin(origin, host::of_headers(headers)) => {
            Err(foreign("the request comes from another origin"))
        }
        _ => Ok(()),
    }
}

fn foreign(detail: &str) -> Failure {
    Failure::new(StatusCode::FORBIDDEN, "cross_site", detail).hint("reload the page and try again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_open_addresses_are_open() {
        for (method, path, open) in [
            (Method::GET, "/api/setup", true),
            (Method::HEAD, "/api/setup", true),
            (Method::POST, "/api/session", true),
            (Method::GET, "/api/session", false),
            (Method::DELETE, "/api/session", false),
            (Method::GET, "/api/setup/", false),
            (Method::GET, "/api/users", false),
            (Method::GET, "/fhir/metadata", true),
            (Method::POST, "/fhir/metadata", false),
            (Method::GET, "/fhir/Patient", false),
        ] {
            assert_eq!(is_open(&method, path), open, "{method} {path}");
        }
        for (path, guarded) in [
            ("/api", true),
            ("/api/", true),
            ("/api//x", true),
            ("/fhir", true),
            ("/apix", false),
            ("/", false),
        ] {
            assert_eq!(is_guarded(path), guarded, "{path}");
        }
    }

    #[test]
    fn a_cookie_counts_only_when_it_is_the_only_one_of_its_name() {
        let headers = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::COOKIE, line.parse().unwrap());
            }
            headers
        };
        assert_eq!(cookie(&headers(&["a=1; s=x.y.z; b=2"]), "s"), Some("x.y.z"));
        assert_eq!(cookie(&headers(&["a=1", "s=x"]), "s"), Some("x"));
        assert_eq!(cookie(&headers(&["s=x; s=y"]), "s"), None);
        assert_eq!(cookie(&headers(&["s=x", "s=y"]), "s"), None);
        assert_eq!(cookie(&headers(&["ss=x; s"]), "s"), None);
    }

    #[test]
    fn the_bearer_scheme_is_read_in_any_case_and_no_other_is() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        for other in ["Basic abc", "Bearer", "Bearer ", "abc", ""] {
            assert_eq!(bearer(other), None, "{other}");
        }
    }
}
