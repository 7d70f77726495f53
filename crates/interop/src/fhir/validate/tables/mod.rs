//! Elements of the types that we write and take, as R4 (4.0.1) defines them: name, cardinality,
//! type, closed codes. Elements of R4 that we neither write nor take are left out on purpose.

mod answers;
mod clinical;

use answers::{AUDIT_EVENT, BUNDLE, CAPABILITY, OPERATION_OUTCOME};
use clinical::{BINARY, DEVICE, DIAGNOSTIC_REPORT, DOCUMENT_REFERENCE, OBSERVATION, PATIENT};

use super::primitive::{
    boolean, code, date_time, decimal, id, instant, integer, string, unsigned_int, uri,
};
use super::rules::{
    concept_says_something, extension_has_parts_or_one_value, own_extension_is_known,
    quantity_code_has_system, reference_says_where,
};
use super::{Element, Kind, Shape, primitive};

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
const DEVICES: &[&Shape] = &[&DEVICE];
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
