//! Bundle of type `searchset`.

use serde_json::{Value, json};

use super::json::{list, object};

/// One page of matches: each entry is its absolute URL and the resource. `total` counts all pages;
/// leave it out where it is not known exactly.
pub fn searchset(
    entries: Vec<(String, Value)>,
    self_link: &str,
    next_link: Option<&str>,
    total: Option<u64>,
) -> Value {
    let mut links = vec![json!({ "relation": "self", "url": self_link })];
    links.extend(next_link.map(|url| json!({ "relation": "next", "url": url })));
    let entries = entries.into_iter().map(|(url, resource)| {
        json!({ "fullUrl": url, "resource": resource, "search": { "mode": "match" } })
    });
    object([
        ("resourceType", Some("Bundle".into())),
        ("type", Some("searchset".into())),
        // `unsignedInt` ends at 2^31 - 1.
        ("total", total.filter(|&n| n <= 0x7fff_ffff).map(Value::from)),
        ("link", list(links)),
        ("entry", list(entries.collect())),
    ])
}
