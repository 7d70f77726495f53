//! What the server answers beside clinical resources: audit, pages, outcomes, its capabilities.

use super::super::primitive::{boolean, code, date_time, instant, string, unsigned_int, uri};
use super::super::rules::{
    entries_are_distinct, entries_suit_the_type, one_detail_value, types_are_distinct,
};
use super::super::{Kind, Shape};
use super::{
    CODING, CONCEPT, ENTRIES, ID, META, REFERENCE, RESOURCE_TYPE, element, many, many_of, opt,
    opt_code, opt_of, req, req_code, req_of, some_of,
};

// Audit.

pub(super) static AUDIT_EVENT: Shape = Shape {
    name: "AuditEvent",
    elements: &[
        RESOURCE_TYPE,
        ID,
        META,
        req_of("type", &CODING),
        many_of("subtype", &CODING),
        opt_code("action", &["C", "R", "U", "D", "E"]),
        req("recorded", instant),
        opt_code("outcome", &["0", "4", "8", "12"]),
        many_of("purposeOfEvent", &CONCEPT),
        some_of("agent", &AUDIT_AGENT),
        req_of("source", &AUDIT_SOURCE),
        many_of("entity", &AUDIT_ENTITY),
    ],
    rules: &[],
};

pub(super) static AUDIT_AGENT: Shape = Shape {
    name: "AuditEvent.agent",
    elements: &[
        opt_of("who", &REFERENCE),
        many_of("role", &CONCEPT),
        req("requestor", boolean),
        opt_of("network", &AUDIT_NETWORK),
    ],
    rules: &[],
};

pub(super) static AUDIT_NETWORK: Shape = Shape {
    name: "AuditEvent.agent.network",
    elements: &[opt("address", string), opt_code("type", &["1", "2", "3", "4", "5"])],
    rules: &[],
};

pub(super) static AUDIT_SOURCE: Shape = Shape {
    name: "AuditEvent.source",
    elements: &[req_of("observer", &REFERENCE), many_of("type", &CODING)],
    rules: &[],
};

pub(super) static AUDIT_ENTITY: Shape = Shape {
    name: "AuditEvent.entity",
    elements: &[
        opt_of("what", &REFERENCE),
        opt_of("type", &CODING),
        opt_of("role", &CODING),
        many_of("detail", &AUDIT_DETAIL),
    ],
    rules: &[],
};

pub(super) static AUDIT_DETAIL: Shape = Shape {
    name: "AuditEvent.entity.detail",
    elements: &[req("type", string), opt("valueString", string)],
    rules: &[one_detail_value],
};

// Answers of the server.

pub(super) static BUNDLE: Shape = Shape {
    name: "Bundle",
    elements: &[
        RESOURCE_TYPE,
        ID,
        META,
        req_code("type", &["searchset", "history"]),
        opt("total", unsigned_int),
        many_of("link", &BUNDLE_LINK),
        many_of("entry", &BUNDLE_ENTRY),
    ],
    rules: &[entries_are_distinct, entries_suit_the_type],
};

pub(super) static BUNDLE_LINK: Shape = Shape {
    name: "Bundle.link",
    elements: &[req("relation", string), req("url", uri)],
    rules: &[],
};

pub(super) static BUNDLE_ENTRY: Shape = Shape {
    name: "Bundle.entry",
    elements: &[
        opt("fullUrl", uri),
        element("resource", false, false, Kind::Resource(ENTRIES)),
        opt_of("search", &BUNDLE_SEARCH),
        opt_of("request", &BUNDLE_REQUEST),
        opt_of("response", &BUNDLE_RESPONSE),
    ],
    rules: &[],
};

pub(super) static BUNDLE_REQUEST: Shape = Shape {
    name: "Bundle.entry.request",
    elements: &[
        req_code("method", &["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"]),
        req("url", uri),
    ],
    rules: &[],
};

pub(super) static BUNDLE_RESPONSE: Shape = Shape {
    name: "Bundle.entry.response",
    elements: &[
        req("status", string),
        opt("location", uri),
        opt("etag", string),
        opt("lastModified", instant),
    ],
    rules: &[],
};

pub(super) static BUNDLE_SEARCH: Shape = Shape {
    name: "Bundle.entry.search",
    elements: &[opt_code("mode", &["match", "include", "outcome"])],
    rules: &[],
};

pub(super) static OPERATION_OUTCOME: Shape = Shape {
    name: "OperationOutcome",
    elements: &[RESOURCE_TYPE, ID, META, some_of("issue", &ISSUE)],
    rules: &[],
};

pub(super) static ISSUE: Shape = Shape {
    name: "OperationOutcome.issue",
    elements: &[
        req_code("severity", &["fatal", "error", "warning", "information"]),
        req_code("code", ISSUE_TYPES),
        opt("diagnostics", string),
        many("location", string),
        many("expression", string),
    ],
    rules: &[],
};

const ISSUE_TYPES: &[&str] = &[
    "invalid",
    "structure",
    "required",
    "value",
    "invariant",
    "security",
    "login",
    "unknown",
    "expired",
    "forbidden",
    "suppressed",
    "processing",
    "not-supported",
    "duplicate",
    "multiple-matches",
    "not-found",
    "deleted",
    "too-long",
    "code-invalid",
    "extension",
    "too-costly",
    "business-rule",
    "conflict",
    "transient",
    "lock-error",
    "no-store",
    "exception",
    "timeout",
    "incomplete",
    "throttled",
    "informational",
];

pub(super) static CAPABILITY: Shape = Shape {
    name: "CapabilityStatement",
    elements: &[
        RESOURCE_TYPE,
        ID,
        META,
        opt("name", string),
        req_code("status", &["draft", "active", "retired", "unknown"]),
        req("date", date_time),
        req_code("kind", &["instance", "capability", "requirements"]),
        opt_of("software", &SOFTWARE),
        opt_of("implementation", &IMPLEMENTATION),
        req_code("fhirVersion", &["4.0.1"]),
        element("format", true, true, Kind::Primitive(code)),
        many_of("rest", &REST),
    ],
    rules: &[],
};

pub(super) static SOFTWARE: Shape = Shape {
    name: "CapabilityStatement.software",
    elements: &[req("name", string), opt("version", string)],
    rules: &[],
};

pub(super) static IMPLEMENTATION: Shape = Shape {
    name: "CapabilityStatement.implementation",
    elements: &[req("description", string), opt("url", uri)],
    rules: &[],
};

pub(super) static REST: Shape = Shape {
    name: "CapabilityStatement.rest",
    elements: &[
        req_code("mode", &["client", "server"]),
        opt("documentation", string),
        opt_of("security", &REST_SECURITY),
        many_of("resource", &REST_RESOURCE),
    ],
    rules: &[types_are_distinct],
};

pub(super) static REST_SECURITY: Shape = Shape {
    name: "CapabilityStatement.rest.security",
    elements: &[opt("description", string)],
    rules: &[],
};

pub(super) static REST_RESOURCE: Shape = Shape {
    name: "CapabilityStatement.rest.resource",
    elements: &[
        req("type", code),
        many_of("interaction", &INTERACTION),
        opt_code("versioning", &["no-version", "versioned", "versioned-update"]),
        many_of("searchParam", &SEARCH_PARAM),
    ],
    rules: &[],
};

pub(super) static INTERACTION: Shape = Shape {
    name: "CapabilityStatement.rest.resource.interaction",
    elements: &[req_code("code", &["read", "vread", "history-instance", "search-type"])],
    rules: &[],
};

pub(super) static SEARCH_PARAM: Shape = Shape {
    name: "CapabilityStatement.rest.resource.searchParam",
    elements: &[
        req("name", string),
        req_code(
            "type",
            &[
                "number",
                "date",
                "string",
                "token",
                "reference",
                "composite",
                "quantity",
                "uri",
                "special",
            ],
        ),
        opt("documentation", string),
    ],
    rules: &[],
};
