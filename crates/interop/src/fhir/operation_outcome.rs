//! OperationOutcome: what went wrong, in the words of R4's issue-type value set.
//!
//! Texts name elements and parameters, never the values in them: a value may identify a person.

use serde_json::{Map, Value, json};

use super::search::SearchRefusal;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssueSeverity {
    Fatal,
    Error,
    Warning,
    Information,
}

impl IssueSeverity {
    pub const fn name(self) -> &'static str {
        match self {
            IssueSeverity::Fatal => "fatal",
            IssueSeverity::Error => "error",
            IssueSeverity::Warning => "warning",
            IssueSeverity::Information => "information",
        }
    }
}

/// The issue types in use (`http://hl7.org/fhir/issue-type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssueCode {
    Invalid,
    Structure,
    Required,
    Value,
    Invariant,
    Login,
    Expired,
    Forbidden,
    NotSupported,
    NotFound,
    Deleted,
    TooLong,
    CodeInvalid,
    Extension,
    TooCostly,
    BusinessRule,
    Conflict,
    Transient,
    Throttled,
    Processing,
    Exception,
}

impl IssueCode {
    pub const fn name(self) -> &'static str {
        match self {
            IssueCode::Invalid => "invalid",
            IssueCode::Structure => "structure",
            IssueCode::Required => "required",
            IssueCode::Value => "value",
            IssueCode::Invariant => "invariant",
            IssueCode::Login => "login",
            IssueCode::Expired => "expired",
            IssueCode::Forbidden => "forbidden",
            IssueCode::NotSupported => "not-supported",
            IssueCode::NotFound => "not-found",
            IssueCode::Deleted => "deleted",
            IssueCode::TooLong => "too-long",
            IssueCode::CodeInvalid => "code-invalid",
            IssueCode::Extension => "extension",
            IssueCode::TooCostly => "too-costly",
            IssueCode::BusinessRule => "business-rule",
            IssueCode::Conflict => "conflict",
            IssueCode::Transient => "transient",
            IssueCode::Throttled => "throttled",
            IssueCode::Processing => "processing",
            IssueCode::Exception => "exception",
        }
    }
}

/// One element of a resource that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text} (at {expression})")]
pub struct Invalid {
    /// FHIRPath of the element: `Observation.component[3].valueQuantity.value`.
    pub expression: String,
    pub code: IssueCode,
    pub text: String,
}

impl Invalid {
    pub(super) fn new(
        expression: impl Into<String>,
        code: IssueCode,
        text: impl Into<String>,
    ) -> Self {
        Self { expression: expression.into(), code, text: text.into() }
    }
}

/// An outcome of one issue.
pub fn of(
    severity: IssueSeverity,
    code: IssueCode,
    diagnostics: &str,
    expression: Option<&str>,
) -> Value {
    outcome(vec![issue(severity, code, diagnostics, "expression", expression)])
}

/// An outcome of everything that a resource got wrong.
pub fn of_invalid(invalid: &[Invalid]) -> Value {
    let issues = invalid
        .iter()
        .map(|i| issue(IssueSeverity::Error, i.code, &i.text, "expression", Some(&i.expression)))
        .collect();
    outcome(issues)
}

/// The outcome of a refused search. R4 says of `issue.location`: for HTTP errors `http.` and the
/// parameter's name.
pub fn of_refusal(refusal: &SearchRefusal) -> Value {
    let location = format!("http.{}", refusal.parameter);
    let text = refusal.to_string();
    outcome(vec![issue(IssueSeverity::Error, refusal.code, &text, "location", Some(&location))])
}

fn outcome(issues: Vec<Value>) -> Value {
    json!({ "resourceType": "OperationOutcome", "issue": issues })
}

fn issue(
    severity: IssueSeverity,
    code: IssueCode,
    diagnostics: &str,
    place: &str,
    at: Option<&str>,
) -> Value {
    let mut issue = Map::new();
    issue.insert("severity".into(), severity.name().into());
    issue.insert("code".into(), code.name().into());
    if !diagnostics.is_empty() {
        issue.insert("diagnostics".into(), diagnostics.into());
    }
    if let Some(at) = at.filter(|at| !at.is_empty()) {
        issue.insert(place.into(), json!([at]));
    }
    Value::Object(issue)
}
