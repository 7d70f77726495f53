//! Invariants between the elements of one object; each is named as R4 names it.

use serde_json::{Map, Value};

use super::super::codes;

/// What is wrong, or nothing.
pub(super) type Rule = fn(&Map<String, Value>) -> Option<&'static str>;

fn has(members: &Map<String, Value>, name: &str) -> bool {
    members.contains_key(name)
}

fn values(members: &Map<String, Value>) -> usize {
    members.keys().filter(|name| name.starts_with("value")).count()
}

/// The type that each of our extensions has; none for those made of parts.
const OWN_EXTENSIONS: &[(&str, Option<&str>)] = &[
    (codes::EXT_DEVICE_TIME, None),
    (codes::EXT_SIGNAL_QUALITY, None),
    (codes::EXT_FIDUCIALS, None),
    (codes::EXT_R_PEAKS, Some("valueString")),
    (codes::EXT_BEATS_USED, Some("valueString")),
    (codes::EXT_FLAG, None),
    (codes::EXT_FLAG_REPORT, None),
    (codes::EXT_MACHINE_OUTPUT, None),
    (codes::EXT_DEVICE_CODE, Some("valueString")),
    (codes::EXT_LEAD, Some("valueCode")),
];

const OWN_BASE: &str = "https://precordia.org/";

/// ext-1.
pub(super) fn extension_has_parts_or_one_value(m: &Map<String, Value>) -> Option<&'static str> {
    let parts = usize::from(has(m, "extension"));
    (parts + values(m) != 1).then_some("ext-1: must have either extensions or one value")
}

pub(super) fn own_extension_is_known(m: &Map<String, Value>) -> Option<&'static str> {
    let url = m.get("url").and_then(Value::as_str)?;
    if !url.starts_with(OWN_BASE) {
        return None;
    }
    match OWN_EXTENSIONS.iter().find(|(known, _)| *known == url) {
        None => Some("is no extension of this version"),
        Some((_, kind)) => (!has(m, kind.unwrap_or("extension")))
            .then_some("does not have the value that this extension has"),
    }
}

/// qty-3.
pub(super) fn quantity_code_has_system(m: &Map<String, Value>) -> Option<&'static str> {
    (has(m, "code") && !has(m, "system")).then_some("qty-3: a unit code needs its system")
}

/// obs-6 and its like for components, both ways: a result is there or its absence is explained.
pub(super) fn value_or_reason(m: &Map<String, Value>) -> Option<&'static str> {
    (values(m) + usize::from(has(m, "dataAbsentReason")) != 1)
        .then_some("obs-6: must have either one value or a reason for its absence")
}

/// dom-3: what is contained is referred to, and what is referred to is contained.
pub(super) fn contained_is_referenced(m: &Map<String, Value>) -> Option<&'static str> {
    let contained = m.get("contained").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let ids: Vec<&str> = contained.iter().filter_map(|c| c["id"].as_str()).collect();
    let mut references = Vec::new();
    for (name, value) in m {
        if name != "contained" {
            local_references(value, &mut references);
        }
    }
    let unused = ids.iter().any(|id| !references.contains(id));
    let missing = references.iter().any(|id| !ids.contains(id));
    (unused || missing).then_some("dom-3: contained resources and references do not agree")
}

fn local_references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            let reference = members.get("reference").and_then(Value::as_str);
            found.extend(reference.and_then(|r| r.strip_prefix('#')));
            members.values().for_each(|v| local_references(v, found));
        }
        Value::Array(items) => items.iter().for_each(|v| local_references(v, found)),
        _ => {}
    }
}

pub(super) fn reference_says_where(m: &Map<String, Value>) -> Option<&'static str> {
    (!has(m, "reference") && !has(m, "identifier"))
        .then_some("must have a reference or an identifier")
}

pub(super) fn one_detail_value(m: &Map<String, Value>) -> Option<&'static str> {
    (values(m) != 1).then_some("must have one value")
}

/// An empty CodeableConcept says nothing.
pub(super) fn concept_says_something(m: &Map<String, Value>) -> Option<&'static str> {
    (!has(m, "coding") && !has(m, "text")).then_some("must have a coding or a text")
}

/// bdl-7: a `fullUrl` stands once, in a history once for each version (a deletion has none to name).
pub(super) fn entries_are_distinct(m: &Map<String, Value>) -> Option<&'static str> {
    let is_history = m.get("type").and_then(Value::as_str) == Some("history");
    let mut urls: Vec<(&str, Option<&str>)> = entries(m)
        .iter()
        .filter(|e| !is_history || e.get("resource").is_some())
        .filter_map(|e| {
            let version = e["resource"]["meta"]["versionId"].as_str().filter(|_| is_history);
            Some((e["fullUrl"].as_str()?, version))
        })
        .collect();
    urls.sort_unstable();
    urls.windows(2).any(|pair| pair[0] == pair[1]).then_some("bdl-7: a fullUrl stands twice")
}

/// bdl-3 and bdl-4: what was asked and answered stands at each entry of a history and at no other;
/// a match is a resource.
pub(super) fn entries_suit_the_type(m: &Map<String, Value>) -> Option<&'static str> {
    let is_history = m.get("type").and_then(Value::as_str) == Some("history");
    let suits = |e: &Value| {
        let has = |name| e.get(name).is_some();
        match is_history {
            true => has("request") && has("response") && !has("search"),
            false => has("resource") && !has("request") && !has("response"),
        }
    };
    (!entries(m).iter().all(suits)).then_some("bdl-3, bdl-4: an entry does not suit the type")
}

fn entries(m: &Map<String, Value>) -> &[Value] {
    m.get("entry").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// bdl-1 and bdl-2 hold because every type that is taken may have totals and matches; cpb-9.
pub(super) fn types_are_distinct(m: &Map<String, Value>) -> Option<&'static str> {
    let resources = m.get("resource").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut types: Vec<&str> = resources.iter().filter_map(|r| r["type"].as_str()).collect();
    types.sort_unstable();
    types.windows(2).any(|pair| pair[0] == pair[1]).then_some("cpb-9: a type stands twice")
}
