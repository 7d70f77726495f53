//! The clinician's pages: files that were built into the program, and the one page for every address of
//! the workspace.

use std::borrow::Cow;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::auth::{Caller, is_guarded};
use crate::error::Failure;
use crate::state::Server;

/// A file of the pages.
pub struct Asset {
    pub bytes: Cow<'static, [u8]>,
    pub content_type: Cow<'static, str>,
    /// Stands for the content; without quotation marks.
    pub etag: String,
}

/// Where the pages come from. Paths have no slash at the beginning: `index.html`, `assets/index-1f2e.js`.
pub trait WebAssets: Send + Sync {
    fn get(&self, path: &str) -> Option<Asset>;
}

/// A program that was built without its pages.
pub struct NoWeb;

impl WebAssets for NoWeb {
    fn get(&self, _: &str) -> Option<Asset> {
        None
    }
}

/// Files under this folder carry a hash of their content in their name and never change.
const HASHED: &str = "assets/";
const PAGE: &str = "index.html";
const NOT_BUILT: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Precordia</title>\n\
    <h1>Precordia is running</h1>\n<p>This program was built without its web pages. Build them with \
    <code>make web</code> and then build the program again.</p>\n\
    <p>The <a href=\"/openapi.json\">API</a> and <a href=\"/fhir/metadata\">FHIR</a> are here.</p>\n</html>\n";

/// Whatever no route knows: a page, a file, or nothing.
pub(crate) async fn anything_else(State(server): State<Server>, request: Request) -> Response {
    let path = request.uri().path();
    if is_guarded(path) {
        return match request.extensions().get::<Caller>() {
            Some(caller) => caller.nowhere(&server).await.into_response(),
            None => Failure::sign_in().into_response(),
        };
    }
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return Failure::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "pages are read with GET",
        )
        .header(header::ALLOW, HeaderValue::from_static("GET, HEAD"))
        .into_response();
    }
    let path = path.trim_start_matches('/');
    match find(&server, path) {
        Some((asset, keep)) => file(&request, asset, keep),
        None if is_page(path) => {
            ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], NOT_BUILT).into_response()
        }
        None => Failure::not_found().into_response(),
    }
}

fn find(server: &Server, path: &str) -> Option<(Asset, &'static str)> {
    const REVALIDATE: &str = "no-cache";
    const FOR_EVER: &str = "public, max-age=31536000, immutable";
    if path.is_empty() || is_page(path) {
        return server.web.get(PAGE).map(|page| (page, REVALIDATE));
    }
    let keep = if path.starts_with(HASHED) { FOR_EVER } else { REVALIDATE };
    server.web.get(path).map(|asset| (asset, keep))
}

/// Addresses of the workspace have no file extension.
fn is_page(path: &str) -> bool {
    path == PAGE || !path.rsplit('/').next().unwrap_or_default().contains('.')
}

fn file(request: &Request, asset: Asset, keep: &'static str) -> Response {
    let etag = format!("\"{}\"", asset.etag);
    let unchanged = matches_etag(request.headers().get(header::IF_NONE_MATCH), &etag);
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let body = match asset.bytes {
            Cow::Borrowed(bytes) => Body::from(bytes),
            Cow::Owned(bytes) => Body::from(bytes),
        };
        Response::new(body)
    };
    let headers = response.headers_mut();
    for (name, value) in [(header::CONTENT_TYPE, &*asset.content_type), (header::ETAG, &*etag)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    response
}

/// Weak comparison (RFC 9110 section 13.1.2).
pub(crate) fn matches_etag(given: Option<&HeaderValue>, etag: &str) -> bool {
    let Some(given) = given.and_then(|value| value.to_str().ok()) else { return false };
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    given.trim() == "*" || given.split(',').any(|tag| opaque(tag) == opaque(etag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_workspace_are_pages_and_files_are_files() {
        for (path, page) in [
            ("", true),
            ("worklist", true),
            ("recordings/0192f0aa-1111-7000-8000-00000000000a", true),
            ("index.html", true),
            ("favicon.svg", false),
            ("assets/index-1f2e.js", false),
            ("../etc/passwd.txt", false),
        ] {
            assert_eq!(is_page(path), page, "{path}");
        }
    }

    #[test]
    fn entity_tags_compare_weakly() {
        let given = |text: &str| HeaderValue::from_str(text).unwrap();
        for (text, same) in [
            ("\"3\"", true),
            ("W/\"3\"", true),
            ("\"2\", W/\"3\"", true),
            ("*", true),
            ("\"33\"", false),
            ("", false),
        ] {
            assert_eq!(matches_etag(Some(&given(text)), "W/\"3\""), same, "{text}");
        }
        assert!(!matches_etag(None, "W/\"3\""));
    }
}
