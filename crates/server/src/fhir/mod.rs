//! FHIR R4 over HTTP: reading and searching. What a resource or a search means is decided in `interop`;
//! which resources answer it, in `app`. Here are addresses, headers, links and status codes.

pub(crate) mod history;
pub(crate) mod metadata;
pub(crate) mod parameters;
pub(crate) mod read;
pub(crate) mod search;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::error::Failure;

pub(crate) const FHIR_JSON: &str = "application/fhir+json";

/// Whether a reader takes JSON: 406 when not (R4 http 3.1.0.1.11).
pub(crate) fn takes_json(headers: &HeaderMap) -> Result<(), Failure> {
    let ranges = accepted(headers);
    let json = ["*/*", "application/*", FHIR_JSON, "application/json", "text/json"];
    let asked = headers
        .get_all(header::ACCEPT)
        .iter()
        .any(|value| !value.as_bytes().trim_ascii().is_empty());
    if !asked || ranges.iter().any(|range| json.contains(&range.as_str())) {
        return Ok(());
    }
    Err(Failure::new(
        StatusCode::NOT_ACCEPTABLE,
        "not_acceptable",
        "only application/fhir+json is answered",
    ))
}

/// Media ranges that are not refused with `q=0`, in lower case.
pub(crate) fn accepted(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .filter(|range| {
            let mut weights =
                range.split(';').skip(1).filter_map(|one| one.trim().strip_prefix("q="));
            !weights.any(|q| q.trim().parse::<f32>().is_ok_and(|q| q <= 0.0))
        })
        .filter_map(|range| range.split(';').next())
        .map(|range| range.trim().to_ascii_lowercase())
        .filter(|range| !range.is_empty())
        .collect()
}

pub(crate) fn resource(body: &Value) -> Response {
    ([(header::CONTENT_TYPE, FHIR_JSON)], body.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_takes_json_gets_it_and_others_are_told() {
        for (accept, taken) in [
            ("", true),
            ("*/*", true),
            ("application/fhir+json", true),
            ("Application/FHIR+JSON; fhirVersion=4.0", true),
            ("text/html, application/json;q=0.5", true),
            ("application/fhir+xml", false),
            ("text/html", false),
            ("application/json;q=0", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            assert_eq!(takes_json(&headers).is_ok(), taken, "{accept}");
        }
        assert!(takes_json(&HeaderMap::new()).is_ok());
    }
}
