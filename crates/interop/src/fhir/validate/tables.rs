//! Elements of the types that we write and take, as R4 (4.0.1) defines them: name, cardinality,
//! type, closed codes. Elements of R4 that we neither write nor take are left out on purpose.

use super::primitive::{
    base64_binary, boolean, code, date, date_time, decimal, id, instant, integer, string,
    unsigned_int, uri,
};
use super::rules::{
    concept_says_something, contained_is_referenced, entries_are_distinct,
    extension_has_parts_or_one_value, one_detail_value, own_extension_is_known,
    quantity_code_has_system, reference_says_where, types_are_distinct, value_or_reason,
};
use super::{Element, Kind, Shape, primitive};

const fn element(name: &'static str, required: bool, array: bool, kind: Kind) -> Element {
    Element { name, required, array, kind }
}

/// 0..1
const fn opt(name: &'static str, check: primitive::Check) -> Element {
    element(name, false, false, Kind::Primitive(check))
}

/// 1..1
const fn req(name: &'static str, check: primitive::Check) -> Element {
    element(name, true, false, Kind::Primitive(check))
}

/// 0..*
const fn many(name: &'static str, check: primitive::Check) -> Element {
    element(name, false, true, Kind::Primitive(check))
}

const fn opt_of(name: &'static str, shape: &'static Shape) -> Element {
    element(name, false, false, Kind::Object(shape))
}

const fn req_of(name: &'static str, shape: &'static Shape) -> Element {
    element(name, true, false, Kind::Object(shape))
}

const fn many_of(name: &'static str, shape: &'static Shape) -> Element {
    element(name, false, true, Kind::Object(shape))
}

/// 1..*
const fn some_of(name: &'static str, shape: &'static Shape) -> Element {
    element(name, true, true, Kind::Object(shape))
}

const fn opt_code(name: &'static str, codes: &'static [&'static str]) -> Element {
    element(name, false, false, Kind::Code(codes))
}

const fn req_code(name: &'static str, codes: &'static [&'static str]) -> Element {
    element(name, true, false, Kind::Code(codes))
}

const RESOURCE_TYPE: Element = req("resourceType", string);
const ID: Element = opt("id", id);
const META: Element = opt_of("meta", &META_TYPE);
const EXTENSIONS: Element = many_of("extension", &EXTENSION);
const CONTAINED: Element = element("contained", false, true, Kind::Resource(DEVICES));

// Data types.

static EXTENSION: Shape = Shape {
    name: "Extension",
    elements: &[
        req("url", uri),
        many_of("extension", &EXTENSION),
        opt("valueBoolean", boolean),
        opt("valueCode", code),
        opt("valueDecimal", decimal),
        opt("valueInteger", integer),
        opt("valueString", string),
        opt_of("valueQuantity", &QUANTITY),
    ],
    rules: &[extension_has_parts_or_one_value, own_extension_is_known],
};

static META_TYPE: Shape = Shape {
    name: "Meta",
    elements: &[opt("versionId", id), opt("lastUpdated", instant)],
    rules: &[],
};

static CODING: Shape = Shape {
    name: "Coding",
    elements: &[opt("system", uri), req("code", code), opt("display", string)],
    rules: &[],
};

static CONCEPT: Shape = Shape {
    name: "CodeableConcept",
    elements: &[EXTENSIONS, many_of("coding", &CODING), opt("text", string)],
    rules: &[concept_says_something],
};

static QUANTITY: Shape = Shape {
    name: "Quantity",
    elements: &[req("value", decimal), opt("unit", string), opt("system", uri), opt("code", code)],
    rules: &[quantity_code_has_system],
};

static IDENTIFIER: Shape = Shape {
    name: "Identifier",
    elements: &[EXTENSIONS, opt("system", uri), req("value", string)],
    rules: &[],
};

static REFERENCE: Shape = Shape {
    name: "Reference",
    elements: &[
        opt("reference", string),
        opt_of("identifier", &IDENTIFIER),
        opt("display", string),
    ],
    rules: &[reference_says_where],
};

static PERIOD: Shape = Shape {
    name: "Period",
    elements: &[opt("start", date_time), opt("end", date_time)],
    rules: &[],
};

static HUMAN_NAME: Shape = Shape {
    name: "HumanName",
    elements: &[EXTENSIONS, opt("text", string), opt("family", string), many("given", string)],
    rules: &[],
};

static ATTACHMENT: Shape = Shape {
    name: "Attachment",
    elements: &[
        opt("contentType", code),
        opt("url", uri),
        opt("size", unsigned_int),
        opt("title", string),
    ],
    rules: &[],
};

static ANNOTATION: Shape = Shape {
    name: "Annotation",
    elements: &[req("text", string), opt("time", date_time)],
    rules: &[],
};

// Patient.

static PATIENT: Shape = Shape {
    name: "Patient",
    elements: &[
        RESOURCE_TYPE,
        ID,
        META,
        EXTENSIONS,
        many_of("identifier", &IDENTIFIER),
        opt("active", boolean),
        many_of("name", &HUMAN_NAME),
        opt_code("gender", &["male", "female", "other", "unknown"]),
        opt("birthDate", date),
        many_of("link", &PATIENT_LINK),
    ],
    rules: &[],
};

static PATIENT_LINK: Shape = Shape {
    name: "Patient.link",
    elements: &[
        req_of("other", &REFERENCE),
        req_code("type", &["replaced-by", "replaces", "refer", "seealso"]),
    ],
    rules: &[],
};

// ECG.

static DEVICE: Shape = Shape {
    name: "Device",
    elements: &[
        RESOURCE_TYPE,
        req("id", id),
        opt("manufacturer", string),
        opt("modelNumber", string),
        opt("serialNumber", string),
        many_of("deviceName", &DEVICE_NAME),
        many_of("version", &DEVICE_VERSION),
    ],
    rules: &[],
};

const DEVICES: &[&Shape] = &[&DEVICE];

static DEVICE_NAME: Shape = Shape {
    name: "Device.deviceName",
    elements: &[
        req("name", string),
        req_code(
            "type",
            &[
                "udi-label-name",
                "user-friendly-name",
                "patient-reported-name",
                "manufacturer-name",
                "model-name",
                "other",
            ],
        ),
    ],
    rules: &[],
};

static DEVICE_VERSION: Shape =
    Shape { name: "Device.version", elements: &[req("value", string)], rules: &[] };

static OBSERVATION: Shape = Shape {
    name: "Observation",
    elements: &[
        RESOURCE_TYPE,
        ID,
        META,
        CONTAINED,
        EXTENSIONS,
        req_code(
            "status",
            &[
                "registered",
                "preliminary",
                "final",
                "amended",
                "corrected",
                "cancelled",
                "entered-in-error",
                "unknown",
            ],
        ),
        many_of("category", &CONCEPT),
        req_of("code", &CONCEPT),
        opt_of("subject", &REFERENCE),
        opt("effectiveDateTime", date_time),
        opt("issued", instant),
        many_of("interpretation", &CONCEPT),
        many_of("note", &ANNOTATION),
        opt_of("device", &REFERENCE),
        many_of("derivedFrom", &REFERENCE),
        many_of("component", &COMPONENT),
    ],
    rules: &[contained_is_referenced],
};

static COMPONENT: Shape = Shape {
    name: "Observation.component",
    elements: &[
        EXTENSIONS,
        req_of("code", &CONCEPT),
        opt_of("valueQuantity", &QUANTITY),
        opt_of("valueCodeableConcept", &CONCEPT),
        opt("valueString", string),
        opt("valueBoolean", boolean),
        opt_of("dataAbsentReason", &CONCEPT),
        many_of("interpretation", &CONCEPT),
    ],
    rules: &[value_or_reason],
};

static DIAGNOSTIC_REPORT: Shape = Shape {
    name: "DiagnosticReport",
    elements: &[
        RESOURCE_TYPE,
        ID,
        META,
        EXTENSIONS,
        req_code(
            "status",
            &[
                "registered",
                "partial",
                "preliminary",
                "final",
                "amended",
                "corrected",
                "appended",
                "cancelled",
                "entered-in-error",
                "unknown",
            ],
        ),
        many_of("category", &CONCEPT),
        req_of("code", &CONCEPT),
        opt_of("subject", &REFERENCE),
        opt("effectiveDateTime", date_time),
        opt("issued", instant),
        many_of("result", &REFERENCE),
        opt("conclusion", string),
        many_of("conclusionCode", &CONCEPT),
    ],
    rules: &[contained_is_referenced],
};

static DOCUMENT_REFERENCE: Shape = Shape {
    name: "DocumentReference",
    elements: &[
        RESOURCE_TYPE,
        ID,
        META,
        CONTAINED,
        EXTENSIONS,
        req_code("status", &["current", "superseded", "entered-in-error"]),
        opt_of("type", &CONCEPT),
        opt_of("subject", &REFERENCE),
        opt("date", instant),
        many_of("author", &REFERENCE),
        some_of("content", &DOCUMENT_CONTENT),
        opt_of("context", &DOCUMENT_CONTEXT),
    ],
    rules: &[contained_is_referenced],
};

static DOCUMENT_CONTENT: Shape = Shape {
    name: "DocumentReference.content",
    elements: &[req_of("attachment", &ATTACHMENT)],
    rules: &[],
};

static DOCUMENT_CONTEXT: Shape =
    Shape { name: "DocumentReference.context", elements: &[opt_of("period", &PERIOD)], rules: &[] };

static BINARY: Shape = Shape {
    name: "Binary",
    elements: &[
        RESOURCE_TYPE,
        ID,
        META,
        req("contentType", code),
        opt_of("securityContext", &REFERENCE),
        opt("data", base64_binary),
    ],
    rules: &[],
};

// Audit.

static AUDIT_EVENT: Shape = Shape {
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

static AUDIT_AGENT: Shape = Shape {
    name: "AuditEvent.agent",
    elements: &[
        opt_of("who", &REFERENCE),
        many_of("role", &CONCEPT),
        req("requestor", boolean),
        opt_of("network", &AUDIT_NETWORK),
    ],
    rules: &[],
};

static AUDIT_NETWORK: Shape = Shape {
    name: "AuditEvent.agent.network",
    elements: &[opt("address", string), opt_code("type", &["1", "2", "3", "4", "5"])],
    rules: &[],
};

static AUDIT_SOURCE: Shape = Shape {
    name: "AuditEvent.source",
    elements: &[req_of("observer", &REFERENCE), many_of("type", &CODING)],
    rules: &[],
};

static AUDIT_ENTITY: Shape = Shape {
    name: "AuditEvent.entity",
    elements: &[
        opt_of("what", &REFERENCE),
        opt_of("type", &CODING),
        opt_of("role", &CODING),
        many_of("detail", &AUDIT_DETAIL),
    ],
    rules: &[],
};

static AUDIT_DETAIL: Shape = Shape {
    name: "AuditEvent.entity.detail",
    elements: &[req("type", string), opt("valueString", string)],
    rules: &[one_detail_value],
};

// Answers of the server.

static BUNDLE: Shape = Shape {
    name: "Bundle",
    elements: &[
        RESOURCE_TYPE,
        ID,
        META,
        req_code("type", &["searchset"]),
        opt("total", unsigned_int),
        many_of("link", &BUNDLE_LINK),
        many_of("entry", &BUNDLE_ENTRY),
    ],
    rules: &[entries_are_distinct],
};

static BUNDLE_LINK: Shape = Shape {
    name: "Bundle.link",
    elements: &[req("relation", string), req("url", uri)],
    rules: &[],
};

static BUNDLE_ENTRY: Shape = Shape {
    name: "Bundle.entry",
    elements: &[
        opt("fullUrl", uri),
        element("resource", true, false, Kind::Resource(ENTRIES)),
        opt_of("search", &BUNDLE_SEARCH),
    ],
    rules: &[],
};

static BUNDLE_SEARCH: Shape = Shape {
    name: "Bundle.entry.search",
    elements: &[opt_code("mode", &["match", "include", "outcome"])],
    rules: &[],
};

static OPERATION_OUTCOME: Shape = Shape {
    name: "OperationOutcome",
    elements: &[RESOURCE_TYPE, ID, META, some_of("issue", &ISSUE)],
    rules: &[],
};

static ISSUE: Shape = Shape {
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

static CAPABILITY: Shape = Shape {
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

static SOFTWARE: Shape = Shape {
    name: "CapabilityStatement.software",
    elements: &[req("name", string), opt("version", string)],
    rules: &[],
};

static IMPLEMENTATION: Shape = Shape {
    name: "CapabilityStatement.implementation",
    elements: &[req("description", string), opt("url", uri)],
    rules: &[],
};

static REST: Shape = Shape {
    name: "CapabilityStatement.rest",
    elements: &[
        req_code("mode", &["client", "server"]),
        opt("documentation", string),
        opt_of("security", &REST_SECURITY),
        many_of("resource", &REST_RESOURCE),
    ],
    rules: &[types_are_distinct],
};

static REST_SECURITY: Shape = Shape {
    name: "CapabilityStatement.rest.security",
    elements: &[opt("description", string)],
    rules: &[],
};

static REST_RESOURCE: Shape = Shape {
    name: "CapabilityStatement.rest.resource",
    elements: &[
        req("type", code),
        many_of("interaction", &INTERACTION),
        many_of("searchParam", &SEARCH_PARAM),
    ],
    rules: &[],
};

static INTERACTION: Shape = Shape {
    name: "CapabilityStatement.rest.resource.interaction",
    elements: &[req_code("code", &["read", "vread", "search-type"])],
    rules: &[],
};

static SEARCH_PARAM: Shape = Shape {
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

const ENTRIES: &[&Shape] = &[
    &PATIENT,
    &OBSERVATION,
    &DIAGNOSTIC_REPORT,
    &DOCUMENT_REFERENCE,
    &BINARY,
    &AUDIT_EVENT,
    &OPERATION_OUTCOME,
];

pub(super) static RESOURCES: &[&Shape] = &[
    &PATIENT,
    &OBSERVATION,
    &DIAGNOSTIC_REPORT,
    &DOCUMENT_REFERENCE,
    &BINARY,
    &AUDIT_EVENT,
    &OPERATION_OUTCOME,
    &BUNDLE,
    &CAPABILITY,
];
