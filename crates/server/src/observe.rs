//! One line in the log and one count a request. Neither holds more of the address than the route's
//! template: ids may stand in a log, but a path or a query can hold anything that somebody typed.

use std::sync::OnceLock;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::info;

use crate::state::Server;

const REQUESTS: &str = "precordia_http_requests_total";
const DURATION: &str = "precordia_http_request_duration_seconds";
const UPLOADS: &str = "precordia_uploads_total";
const UPLOAD_BYTES: &str = "precordia_upload_bytes_total";
const BUILD: &str = "precordia_build_info";
const STARTED: &str = "process_start_time_seconds";
const IN_FLIGHT: &str = "precordia_items_in_flight";
const OLDEST: &str = "precordia_items_in_flight_oldest_seconds";

const BUCKETS_S: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Starts to keep metrics for this process. Asking again gives the same ones.
pub fn install_metrics() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(install).clone()
}

fn install() -> PrometheusHandle {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix(String::from("_duration_seconds")), &BUCKETS_S)
        .and_then(PrometheusBuilder::install_recorder)
        .expect("buckets are given, and this is the only recorder of the process");
    describe_counter!(REQUESTS, "HTTP requests answered");
    describe_histogram!(DURATION, Unit::Seconds, "Time from a request to the head of its answer");
    describe_counter!(UPLOADS, "Uploads by what the sender was told");
    describe_counter!(UPLOAD_BYTES, Unit::Bytes, "Bytes of acknowledged uploads");
    describe_gauge!(BUILD, "Always 1; the labels say what runs");
    describe_gauge!(STARTED, Unit::Seconds, "Start of the process since the epoch");
    describe_gauge!(IN_FLIGHT, "Received items that no worker has decided about yet");
    describe_gauge!(OLDEST, Unit::Seconds, "Age of the oldest item in flight");
    handle
}

/// What is known when the server starts.
pub(crate) fn started(server: &Server) {
    metrics::gauge!(BUILD, "version" => server.software_version).set(1.0);
    metrics::gauge!(STARTED).set(server.app.now().micros() as f64 / 1e6);
}

pub(crate) fn uploaded(outcome: &'static str, bytes: u64) {
    counter!(UPLOADS, "outcome" => outcome).increment(1);
    counter!(UPLOAD_BYTES).increment(bytes);
}

/// The outermost layer: gives the request its id, never the client's.
pub(crate) async fn request(
    State(server): State<Server>,
    mut request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let id = server.app.new_request();
    request.extensions_mut().insert(id);
    let method = method_name(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str).to_owned();

    let mut response = next.run(request).await;

    let took = began.elapsed();
    let status = response.status().as_u16();
    counter!(REQUESTS, "method" => method, "route" => route.clone(), "status" => status.to_string()).increment(1);
    histogram!(DURATION, "method" => method, "route" => route.clone()).record(took.as_secs_f64());
    let ms = took.as_secs_f64() * 1000.0;
    info!(method, route, status, took_ms = (ms * 1000.0).round() / 1000.0, request.id = %id, "answered");
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// A bounded set: a client may invent methods.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}
