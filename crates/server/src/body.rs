//! Bodies and queries as typed values, or a refusal that says where and never what.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::error::Failure;

/// The largest question a client may ask; uploads have their own limit.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;
const BODY_TIME: Duration = Duration::from_secs(15);

/// What a type says about its own values beyond their form.
pub(crate) trait Checked {
    fn check(&self) -> Result<(), Failure>;
}

/// A JSON body whose values are within their bounds.
pub(crate) struct Input<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Checked> FromRequest<S> for Input<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        expect_type(request.headers(), "application/json")?;
        let bytes = read(request.into_body()).await?;
        let value: T = serde_json::from_slice(&bytes).map_err(|cause| {
            // serde's own words may quote the value.
            let what = match cause.classify() {
                serde_json::error::Category::Data => "the body is not what this operation takes",
                _ => "the body is not JSON",
            };
            let detail = format!("{what} (line {}, column {})", cause.line(), cause.column());
            Failure::new(StatusCode::BAD_REQUEST, "invalid_body", detail)
        })?;
        value.check()?;
        Ok(Self(value))
    }
}

/// A text that is wiped from memory when it was used.
pub(crate) fn secret<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(deserializer).map(Zeroizing::new)
}

/// The whole of a small body.
pub(crate) async fn read(body: Body) -> Result<Bytes, Failure> {
    match tokio::time::timeout(BODY_TIME, to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(cause)) if is_too_long(&cause) => {
            let detail = format!("the body is larger than {BODY_BYTES_MAX} bytes");
            Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail))
        }
        Ok(Err(_)) => Err(Failure::new(
            StatusCode::BAD_REQUEST,
            "body_cut",
            "the body ended before it was whole",
        )),
        Err(_) => Err(Failure::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_slow",
            "the body did not come in time",
        )),
    }
}

fn is_too_long(cause: &axum::Error) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(cause);
    while let Some(error) = next {
        if error.to_string().contains("length limit exceeded") {
            return true;
        }
        next = error.source();
    }
    false
}

/// Refuses a body of another media type.
pub(crate) fn expect_type(headers: &HeaderMap, expected: &str) -> Result<(), Failure> {
    let given =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    let detail = format!("send the body as {expected}");
    Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", detail))
}

/// The parameters after `?`.
pub(crate) struct Params<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Checked> FromRequestParts<S> for Params<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Query(value): Query<T> =
            Query::from_request_parts(parts, state).await.map_err(|_| {
                let detail = "a parameter is missing, unknown, sent twice or outside its values";
                Failure::new(StatusCode::BAD_REQUEST, "invalid_query", detail)
            })?;
        value.check()?;
        Ok(Self(value))
    }
}
