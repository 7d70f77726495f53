//! Bodies and queries as typed values, or a refusal that says where and never what.

use std::marker::PhantomData;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
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
        let Object(value): Object<T> = serde_json::from_slice(&bytes).map_err(|cause| {
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

/// An object and nothing else: by itself serde also takes the bare list of its values.
pub(crate) struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// A whole number, also when it is written as `3.0`, which JSON Schema calls an integer too.
pub(crate) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let Some(number) = Option::<f64>::deserialize(deserializer)? else { return Ok(None) };
    let fits = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    if fits { Ok(Some(number as u32)) } else { Err(D::Error::custom("not a whole number")) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Page {
        #[serde(default, deserialize_with = "whole")]
        limit: Option<u32>,
    }

    #[test]
    fn a_body_is_an_object_and_a_whole_number_is_one_however_it_is_written() {
        for (text, expected) in [
            ("{}", Some(None)),
            (r#"{"limit":null}"#, Some(None)),
            (r#"{"limit":3}"#, Some(Some(3))),
            (r#"{"limit":3.0}"#, Some(Some(3))),
            (r#"{"limit":3.5}"#, None),
            (r#"{"limit":-1}"#, None),
            (r#"{"limit":1e10}"#, None),
            (r#"{"limit":1,"limit":2}"#, None),
            (r#"{"other":1}"#, None),
            ("[3]", None),
            ("[null]", None),
            ("null", None),
        ] {
            let read =
                serde_json::from_str::<Object<Page>>(text).ok().map(|Object(page)| page.limit);
            assert_eq!(read, expected, "{text}");
        }
    }
}
