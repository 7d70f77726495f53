//! Bundles of types `searchset` and `history`.

use precordia_model::Timestamp;
use serde_json::{Value, json};

use super::date::instant;
use super::json::{list, object};
use super::{FhirId, ResourceType};

/// One page of matches: each entry is its absolute URL and the resource. `total` counts all pages;
/// leave it out where it is not known exactly.
pub fn searchset(
    entries: Vec<(String, Value)>,
    self_link: &str,
    next_link: Option<&str>,
    total: Option<u64>,
) -> Value {
    let entries = entries.into_iter().map(|(url, resource)| {
        json!({ "fullUrl": url, "resource": resource, "search": { "mode": "match" } })
    });
    object([
        ("resourceType", Some("Bundle".into())),
        ("type", Some("searchset".into())),
        // `unsignedInt` ends at 2^31 - 1.
        ("total", total.filter(|&n| n <= 0x7fff_ffff).map(Value::from)),
        ("link", links(self_link, next_link)),
        ("entry", list(entries.collect())),
    ])
}

/// One version of a resource; a deletion has no content.
#[derive(Clone, Debug)]
pub struct HistoryEntry {
    pub version: i64,
    pub at: Timestamp,
    pub resource: Option<Value>,
}

/// One page of a resource's versions, newest first (R4 http 3.1.0.10). A first version is told as the
/// creation that it was, another as an update, one without content as a deletion.
pub fn history(
    base_url: &str,
    kind: ResourceType,
    id: &FhirId,
    versions: Vec<HistoryEntry>,
    self_link: &str,
    next_link: Option<&str>,
) -> Value {
    let (kind, id) = (kind.name(), id.as_str());
    let entries = versions.into_iter().map(|HistoryEntry { version, at, resource }| {
        let (method, url, status) = match (version, &resource) {
            (_, None) => ("DELETE", format!("{kind}/{id}"), "204 No Content"),
            (1, Some(_)) => ("POST", kind.to_owned(), "201 Created"),
            (_, Some(_)) => ("PUT", format!("{kind}/{id}"), "200 OK"),
        };
        object([
            ("fullUrl", Some(format!("{base_url}/{kind}/{id}").into())),
            ("resource", resource),
            ("request", Some(json!({ "method": method, "url": url }))),
            (
                "response",
                Some(json!({
                    "status": status,
                    "etag": format!("W/\"{version}\""),
                    "lastModified": instant(at),
                })),
            ),
        ])
    });
    object([
        ("resourceType", Some("Bundle".into())),
        ("type", Some("history".into())),
        ("link", links(self_link, next_link)),
        ("entry", list(entries.collect())),
    ])
}

fn links(self_link: &str, next_link: Option<&str>) -> Option<Value> {
    let mut links = vec![json!({ "relation": "self", "url": self_link })];
    links.extend(next_link.map(|url| json!({ "relation": "next", "url": url })));
    list(links)
}
