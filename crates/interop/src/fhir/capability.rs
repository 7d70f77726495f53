//! CapabilityStatement: what this server does, from the same tables that decide what it does.

use serde_json::{Value, json};

use super::json::{list, object, text};
use super::search::params::{self, ParamKind};
use super::{FHIR_VERSION, ResourceType};

/// `date` is when this software was made, as a FHIR `dateTime`; `base_url` is `[base]`.
pub fn statement(base_url: &str, software_version: &str, date: &str) -> Value {
    json!({
        "resourceType": "CapabilityStatement",
        "id": "metadata",
        "name": "Precordia",
        "status": "active",
        "date": date,
        "kind": "instance",
        "software": object([
            ("name", Some("Precordia".into())),
            ("version", text(software_version)),
        ]),
        "implementation": object([
            ("description", Some("ECG recordings, measurements and flags".into())),
            ("url", text(base_url)),
        ]),
        "fhirVersion": FHIR_VERSION,
        "format": ["application/fhir+json", "json"],
        "rest": [{
            "mode": "server",
            "documentation": "Read only. A search is answered exactly or refused: an unknown or \
                unsupported parameter, modifier, prefix, chain or include is answered with 400 and \
                an OperationOutcome that names it, whatever Prefer says. Dates without a zone are \
                taken as UTC. Searches may be sent with GET or with POST to _search; `_count` and \
                the links of a page are supported, `_format` is JSON. A history takes `_since`, \
                `_at`, `_count` and `_format`. Of what was erased nothing is left to read: its \
                versions are answered with 410, its history tells the deletion alone.",
            "security": { "description": "Bearer tokens of one organization" },
            "resource": ResourceType::ALL.map(resource),
        }],
    })
}

fn resource(kind: ResourceType) -> Value {
    let params = params::of(kind);
    let mut interactions = vec![json!({ "code": "read" })];
    if kind.has_versions() {
        interactions.extend(["vread", "history-instance"].map(|code| json!({ "code": code })));
    }
    if !params.is_empty() {
        interactions.push(json!({ "code": "search-type" }));
    }
    object([
        ("type", Some(kind.name().into())),
        ("interaction", list(interactions)),
        ("versioning", kind.has_versions().then(|| "versioned".into())),
        ("searchParam", list(params.iter().map(search_param).collect())),
    ])
}

fn search_param(param: &params::Param) -> Value {
    let kind = match param.kind {
        ParamKind::Id | ParamKind::Identifier | ParamKind::Code | ParamKind::Status => "token",
        ParamKind::Family | ParamKind::Given | ParamKind::Name => "string",
        ParamKind::Patient | ParamKind::Subject | ParamKind::Entity => "reference",
        ParamKind::BirthDate | ParamKind::Date => "date",
    };
    json!({ "name": param.name, "type": kind, "documentation": param.documentation() })
}
