//! The one door: a file comes in, chunk by chunk, and is acknowledged when it is safe.

use std::time::Duration;

use axum::Json;
use axum::extract::multipart::{Field, Multipart};
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use precordia_app::access::OrgScope;
use precordia_app::{Arrival, ReceiveError, Receiving};
use precordia_model::{Door, ItemId, Phi, SiteId};
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::api::{Addressed, Answers, Signed, WithBody};
use crate::auth::Caller;
use crate::body::expect_type;
use crate::error::Failure;
use crate::id::Id;
use crate::item::{self, Item};
use crate::observe::uploaded;
use crate::state::{Inner, Server};

const SITE_BYTES_MAX: usize = 64;
const FILE_NAME_CHARS_MAX: usize = 255;
/// What a form of two small parts may need around the file.
const FORM_BYTES_MAX: u64 = 64 * 1024;
/// A sender who says nothing for so long is gone.
const CHUNK_TIME: Duration = Duration::from_secs(30);
/// A whole file takes no longer, or its place goes to another.
const FILE_TIME: Duration = Duration::from_secs(15 * 60);
/// How long an upload waits for its turn.
const TURN_TIME: Duration = Duration::from_secs(10);
const WAIT_SECONDS_MAX: u64 = 30;
/// Bytes of a refused upload that are read and dropped, so that its sender reads the answer.
const DRAIN_BYTES_MAX: usize = 256 * 1024 * 1024;

/// A form with one file.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form; the parts are read one by one")]
pub(crate) struct Upload {
    /// The recording. Its name is kept sealed and never becomes the name of a file.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// Where it was recorded.
    #[schema(required = false)]
    site_id: Id,
}

/// Send a file in. The answer comes when it is safely kept; with `Prefer: wait=N` it waits up to N seconds
/// for what becomes of it.
#[utoipa::path(post, path = "/api/uploads", operation_id = "upload", tag = "intake",
    params(("Prefer" = Option<String>, Header, description = "`wait=N`: wait up to N seconds, at most 30")),
    request_body(content = Upload, content_type = "multipart/form-data"),
    responses((status = 202, body = Item), Answers, Signed, WithBody, Addressed))]
pub(crate) async fn upload(
    State(server): State<Server>,
    caller: Caller,
    request: Request,
) -> Result<Response, Failure> {
    expect_type(request.headers(), "multipart/form-data")?;
    let scope = caller.scope();
    let turn = server.uploads.wait(scope.organization());
    let Ok(Some(_turn)) = tokio::time::timeout(TURN_TIME, turn).await else {
        return Err(Failure::busy("too many uploads are coming in"));
    };
    let wait = wait_of(request.headers());
    let received = receive(&server, scope, request).await;
    let (id, bytes) = match received {
        Ok(received) => received,
        Err(failure) => {
            uploaded(
                if failure.status == StatusCode::PAYLOAD_TOO_LARGE {
                    "too_large"
                } else {
                    "refused"
                },
                0,
            );
            return Err(caller
                .done(&server, Err::<(), _>(failure))
                .await
                .err()
                .unwrap_or_else(Failure::not_found));
        }
    };
    uploaded("acknowledged", bytes);
    let item = match wait {
        Some(wait) => server.app.wait_for_item(scope, id, wait).await?,
        None => server.app.item(scope, id).await?,
    };
    let body: Json<Item> = Json(item::answer(&server, scope, item).await?);
    Ok((StatusCode::ACCEPTED, body).into_response())
}

async fn receive(
    server: &Inner,
    scope: &OrgScope,
    mut request: Request,
) -> Result<(ItemId, u64), Failure> {
    let limit = server.app.settings().upload_bytes_max;
    // The form's own bytes are few; what is longer than the limit by more than them has too long a file.
    let declared = content_length(request.headers());
    let mut arrival =
        Arrival { door: Door::Upload, site: None, file_name: None, declared_bytes: None };
    if declared.is_some_and(|bytes| bytes > limit.saturating_add(FORM_BYTES_MAX)) {
        arrival.declared_bytes = declared;
        let refused = refusal(server.app.receive(scope, arrival).await.err());
        drain(request).await;
        return Err(refused);
    }
    // Without a word from us the form would end at 2 MB. A file over our limit is noticed and drained as
    // long as its sender may go on; nothing is read beyond that.
    let bytes_max = usize::try_from(limit).unwrap_or(usize::MAX);
    DefaultBodyLimit::max(bytes_max.saturating_add(DRAIN_BYTES_MAX)).apply(&mut request);
    let mut form =
        Multipart::from_request(request, &()).await.map_err(|_| malformed("it has no boundary"))?;
    let mut parts = Parts {
        server,
        scope,
        receiving: None,
        site: None,
        bytes: 0,
        end: Instant::now() + FILE_TIME,
    };
    match parts.read(&mut form, &mut arrival).await {
        Ok(()) => parts.finish().await,
        Err(failure) => {
            parts.abandon().await;
            Err(failure)
        }
    }
}

/// A form being read: its parts may come in either order.
struct Parts<'a> {
    server: &'a Inner,
    scope: &'a OrgScope,
    receiving: Option<Receiving<'a>>,
    site: Option<SiteId>,
    bytes: u64,
    end: Instant,
}

impl<'a> Parts<'a> {
    async fn read(&mut self, form: &mut Multipart, arrival: &mut Arrival) -> Result<(), Failure> {
        while let Some(field) = in_time(self.end, form.next_field()).await? {
            match field.name() {
                Some("file") if self.receiving.is_none() => self.read_file(field, arrival).await?,
                Some("site_id") if self.site.is_none() => self.read_site(field).await?,
                _ => {
                    return Err(malformed(
                        "it takes one part `file` and at most one part `site_id`",
                    ));
                }
            }
        }
        Ok(())
    }

    async fn read_file(
        &mut self,
        mut field: Field<'_>,
        arrival: &mut Arrival,
    ) -> Result<(), Failure> {
        arrival.site = self.site;
        arrival.file_name = field.file_name().map(file_name);
        let receiving = self.server.app.receive(self.scope, arrival.clone()).await;
        let mut receiving = receiving.map_err(|cause| refusal(Some(cause)))?;
        loop {
            let chunk = match in_time(self.end, field.chunk()).await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                Err(failure) => {
                    receiving.abandon().await;
                    return Err(failure);
                }
            };
            if receiving.is_full(chunk.len()) {
                let refused = receiving.refuse().await?;
                // The sender reads the answer after it has sent everything.
                drain_field(self.end, field).await;
                return Err(refusal(Some(refused)));
            }
            self.bytes += chunk.len() as u64;
            if let Err(cause) = receiving.write(&chunk).await {
                receiving.abandon().await;
                return Err(refusal(Some(cause)));
            }
        }
        self.receiving = Some(receiving);
        Ok(())
    }

    async fn read_site(&mut self, mut field: Field<'_>) -> Result<(), Failure> {
        let mut text = Vec::new();
        while let Some(chunk) = in_time(self.end, field.chunk()).await? {
            if text.len() + chunk.len() > SITE_BYTES_MAX {
                return Err(Failure::invalid("site_id", "it is not an id"));
            }
            text.extend_from_slice(&chunk);
        }
        let id = std::str::from_utf8(&text).ok().and_then(Id::parse);
        let site = SiteId(id.ok_or_else(|| Failure::invalid("site_id", "it is not an id"))?.0);
        if let Some(receiving) = &mut self.receiving {
            receiving.at_site(site).await?;
        }
        self.site = Some(site);
        Ok(())
    }

    async fn finish(self) -> Result<(ItemId, u64), Failure> {
        let receiving = self.receiving.ok_or_else(|| malformed("its part `file` is missing"))?;
        let id = receiving.finish().await.map_err(|cause| refusal(Some(cause)))?;
        Ok((id, self.bytes))
    }

    async fn abandon(self) {
        if let Some(receiving) = self.receiving {
            receiving.abandon().await;
        }
    }
}

fn refusal(cause: Option<ReceiveError>) -> Failure {
    match cause {
        Some(ReceiveError::TooLarge { item, limit_bytes }) => {
            let detail = format!(
                "the file is larger than the limit of {limit_bytes} bytes; the refusal is counted"
            );
            let mut failure = Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
                .hint("send a single recording; archives of many are not taken here");
            failure.item = Some(item);
            failure
        }
        Some(ReceiveError::App(cause)) => cause.into(),
        None => Failure::internal("an upload over the limit was not refused"),
    }
}

async fn in_time<T>(
    end: Instant,
    next: impl Future<Output = Result<T, axum::extract::multipart::MultipartError>>,
) -> Result<T, Failure> {
    match tokio::time::timeout_at(end.min(Instant::now() + CHUNK_TIME), next).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(_)) => Err(malformed("it is cut off or not well formed")),
        Err(_) => {
            Err(Failure::new(StatusCode::REQUEST_TIMEOUT, "body_slow", "the file stopped coming"))
        }
    }
}

fn malformed(text: &str) -> Failure {
    Failure::new(
        StatusCode::BAD_REQUEST,
        "invalid_form",
        format!("the form cannot be taken: {text}"),
    )
}

async fn drain(request: Request) {
    let mut stream = request.into_body().into_data_stream();
    let mut left = DRAIN_BYTES_MAX;
    let end = Instant::now() + FILE_TIME;
    let chunk_end = || end.min(Instant::now() + CHUNK_TIME);
    while let Ok(Some(Ok(chunk))) = tokio::time::timeout_at(chunk_end(), stream.next()).await {
        match left.checked_sub(chunk.len()) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

async fn drain_field(end: Instant, mut field: Field<'_>) {
    let mut left = DRAIN_BYTES_MAX;
    while let Ok(Some(chunk)) = in_time(end, field.chunk()).await {
        match left.checked_sub(chunk.len()) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn file_name(name: &str) -> Phi<String> {
    let printable = name.chars().filter(|c| !c.is_control()).take(FILE_NAME_CHARS_MAX);
    Phi::new(printable.collect())
}

/// `Prefer: wait=N` (RFC 7240 section 4.3). What is not understood is not followed.
fn wait_of(headers: &HeaderMap) -> Option<Duration> {
    headers
        .get_all(HeaderName::from_static("prefer"))
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .filter_map(|one| one.split(';').next())
        .find_map(|one| {
            let (name, value) = one.split_once('=')?;
            let seconds: u64 = value.trim().trim_matches('"').parse().ok()?;
            name.trim()
                .eq_ignore_ascii_case("wait")
                .then(|| Duration::from_secs(seconds.min(WAIT_SECONDS_MAX)))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_to_wait_is_followed_within_its_bound() {
        for (text, seconds) in [
            ("wait=2", Some(2)),
            ("WAIT = 2", Some(2)),
            ("respond-async, wait=10", Some(10)),
            ("wait=\"3\"", Some(3)),
            ("wait=900", Some(30)),
            ("wait=-1", None),
            ("wait", None),
            ("handling=strict", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("prefer", text.parse().unwrap());
            assert_eq!(wait_of(&headers), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
