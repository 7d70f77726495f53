//! People, recordings, results: the clinical resources.

use super::super::Shape;
use super::super::primitive::{base64_binary, boolean, code, date, date_time, id, instant, string};
use super::super::rules::{contained_is_referenced, value_or_reason};
use super::{
    ANNOTATION, ATTACHMENT, CONCEPT, CONTAINED, EXTENSIONS, HUMAN_NAME, ID, IDENTIFIER, META,
    PERIOD, QUANTITY, REFERENCE, RESOURCE_TYPE, many_of, opt, opt_code, opt_of, req, req_code,
    req_of, some_of,
};

// Patient.

pub(super) static PATIENT: Shape = Shape {
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

pub(super) static PATIENT_LINK: Shape = Shape {
    name: "Patient.link",
    elements: &[
        req_of("other", &REFERENCE),
        req_code("type", &["replaced-by", "replaces", "refer", "seealso"]),
    ],
    rules: &[],
};

// ECG.

pub(super) static DEVICE: Shape = Shape {
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

pub(super) static DEVICE_NAME: Shape = Shape {
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

pub(super) static DEVICE_VERSION: Shape =
    Shape { name: "Device.version", elements: &[req("value", string)], rules: &[] };

pub(super) static OBSERVATION: Shape = Shape {
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

pub(super) static COMPONENT: Shape = Shape {
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

pub(super) static DIAGNOSTIC_REPORT: Shape = Shape {
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

pub(super) static DOCUMENT_REFERENCE: Shape = Shape {
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

pub(super) static DOCUMENT_CONTENT: Shape = Shape {
    name: "DocumentReference.content",
    elements: &[req_of("attachment", &ATTACHMENT)],
    rules: &[],
};

pub(super) static DOCUMENT_CONTEXT: Shape =
    Shape { name: "DocumentReference.context", elements: &[opt_of("period", &PERIOD)], rules: &[] };

pub(super) static BINARY: Shape = Shape {
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
