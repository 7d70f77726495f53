//! Refusals and failures of a request. Which form they take (Problem, OperationOutcome) is decided where
//! the answer leaves, in [`crate::problem`].
//!
//! No text here may repeat a value of the request: it may name a person.

use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use precordia_app::AppError;
use precordia_app::access::SignInRefusal;
use precordia_app::keys::KeyError;
use precordia_app::port::StoreError;
use precordia_app::seal::SealError;
use precordia_model::ItemId;
use serde_json::Value;

/// Boxed: results carry it through every handler, and nearly all of them hold none.
#[derive(Clone, Debug)]
pub(crate) struct Failure(Box<Parts>);

#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub status: StatusCode,
    /// Stable snake_case code.
    pub code: &'static str,
    pub detail: String,
    pub hint: Option<&'static str>,
    /// The item under which a refused upload is counted.
    pub item: Option<ItemId>,
    /// For FHIR: an outcome that says more than the detail does.
    pub outcome: Option<Value>,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What went wrong inside, for the log alone.
    pub cause: Option<Arc<str>>,
}

impl std::ops::Deref for Failure {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl std::ops::DerefMut for Failure {
    fn deref_mut(&mut self) -> &mut Parts {
        &mut self.0
    }
}

impl Failure {
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            status,
            code,
            detail: detail.into(),
            hint: None,
            item: None,
            outcome: None,
            headers: Vec::new(),
            cause: None,
        }))
    }

    /// Unknown, foreign and erased addresses that never were: all the same.
    pub fn not_found() -> Self {
        let detail = "there is nothing here, or it is not yours to see";
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    pub fn sign_in() -> Self {
        let challenge = HeaderValue::from_static("Bearer realm=\"precordia\"");
        Self::new(StatusCode::UNAUTHORIZED, "sign_in", "sign in to see this")
            .header(header::WWW_AUTHENTICATE, challenge)
    }

    pub fn invalid(field: &str, text: &str) -> Self {
        let detail = format!("the value of `{field}` is not acceptable: {text}");
        Self::new(StatusCode::BAD_REQUEST, "invalid_value", detail)
    }

    pub fn busy(detail: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).retry_after_s(5)
    }

    pub fn internal(cause: impl std::fmt::Display) -> Self {
        let detail = "the server failed; the request id helps to find out why";
        let mut failure = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail);
        failure.cause = Some(cause.to_string().into());
        failure
    }

    pub fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub fn retry_after_s(self, seconds: i64) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)))
    }

    pub fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

impl From<AppError> for Failure {
    fn from(cause: AppError) -> Self {
        match cause {
            AppError::NotFound(_) => Self::not_found(),
            AppError::Forbidden(_) => {
                Self::new(StatusCode::FORBIDDEN, "forbidden", cause.to_string())
            }
            AppError::Refused { code: "setup_code_wrong", text } => {
                Self::new(StatusCode::FORBIDDEN, "setup_code_wrong", text)
            }
            AppError::Refused { code: "search_too_long", text } => {
                Self::new(StatusCode::BAD_REQUEST, "search_too_long", text)
            }
            AppError::Refused { code, text } => Self::new(StatusCode::CONFLICT, code, text),
            AppError::Conflict(_) => {
                let detail = "it was changed by somebody else meanwhile";
                Self::new(StatusCode::CONFLICT, "changed_meanwhile", detail)
                    .hint("look again and repeat")
            }
            AppError::Invalid { field, text } => Self::invalid(field, &text),
            AppError::Store(cause) => cause.into(),
            AppError::Keys(KeyError::Seal(SealError::Destroyed(_))) => {
                Self::new(StatusCode::GONE, "erased", "it was here and has been erased")
            }
            AppError::Keys(KeyError::Store(cause)) => cause.into(),
            other => Self::internal(chain(&other)),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(cause: StoreError) -> Self {
        match cause {
            StoreError::Full { .. } => {
                let mut full = Self::new(
                    StatusCode::INSUFFICIENT_STORAGE,
                    "storage_full",
                    "the storage is full; nothing was kept",
                );
                full.cause = Some(cause.to_string().into());
                full
            }
            StoreError::OutcomeUnknown { .. } => {
                let detail = "the storage did not say whether the change was kept";
                let mut unknown =
                    Self::new(StatusCode::SERVICE_UNAVAILABLE, "outcome_unknown", detail)
                        .hint("look whether it is there before you repeat");
                unknown.cause = Some(cause.to_string().into());
                unknown
            }
            other => Self::internal(chain(&other)),
        }
    }
}

impl From<SignInRefusal> for Failure {
    fn from(cause: SignInRefusal) -> Self {
        match cause {
            SignInRefusal::Wrong => {
                let challenge = HeaderValue::from_static("Bearer realm=\"precordia\"");
                Self::new(
                    StatusCode::UNAUTHORIZED,
                    "sign_in_wrong",
                    SignInRefusal::Wrong.to_string(),
                )
                .header(header::WWW_AUTHENTICATE, challenge)
            }
            SignInRefusal::Wait { seconds } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "wait", cause.to_string())
                    .retry_after_s(seconds)
            }
            SignInRefusal::App(cause) => cause.into(),
        }
    }
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let more = cause.to_string();
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use precordia_model::KeyId;
    use precordia_rules::access::Permission;

    use super::*;

    #[track_caller]
    fn check(cause: AppError, status: u16, code: &str) {
        let failure = Failure::from(cause);
        assert_eq!((failure.status.as_u16(), failure.code), (status, code));
    }

    #[test]
    fn each_error_of_a_use_case_has_its_status() {
        check(AppError::NotFound("recording"), 404, "not_found");
        check(AppError::Forbidden(Permission::Upload), 403, "forbidden");
        check(
            AppError::Refused { code: "not_assignable", text: "why".into() },
            409,
            "not_assignable",
        );
        check(
            AppError::Refused { code: "setup_code_wrong", text: "why".into() },
            403,
            "setup_code_wrong",
        );
        check(
            AppError::Refused { code: "search_too_long", text: "why".into() },
            400,
            "search_too_long",
        );
        check(AppError::Conflict("recording/1".into()), 409, "changed_meanwhile");
        check(AppError::Invalid { field: "reason", text: "why".into() }, 400, "invalid_value");
        check(AppError::Store(StoreError::Full { context: "writing" }), 507, "storage_full");
        check(
            AppError::Store(StoreError::OutcomeUnknown { context: "writing" }),
            503,
            "outcome_unknown",
        );
        let destroyed = SealError::Destroyed(KeyId(uuid::Uuid::nil()));
        check(AppError::Keys(KeyError::Seal(destroyed)), 410, "erased");
        check(AppError::Damaged("a row".into()), 500, "internal");
    }

    #[test]
    fn what_failed_inside_is_for_the_log_alone() {
        let failure = Failure::from(AppError::Damaged("row 7 of a table".into()));
        assert!(!failure.detail.contains("row 7"));
        assert_eq!(failure.cause.as_deref(), Some("row 7 of a table"));
    }

    #[test]
    fn every_unknown_address_gets_the_same_answer() {
        let all = ["recording", "patient", "item", "user"].map(|kind| {
            let failure = Failure::from(AppError::NotFound(kind));
            (failure.status, failure.code, failure.detail.clone(), failure.hint)
        });
        assert!(all.iter().all(|one| *one == all[0]));
    }
}
