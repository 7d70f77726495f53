//! What was written once is read for ever: each golden line is a payload as some version stored it.
//!
//! A new kind adds a line. A line is never changed; a new form of a payload is a new schema and a new line.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use precordia_rules::event::Event;
use serde_json::Value;

const GOLDEN: &str = include_str!("golden/events.jsonl");

fn lines() -> Vec<(String, i64, Value)> {
    GOLDEN
        .lines()
        .map(|line| {
            let value: Value = serde_json::from_str(line).unwrap();
            (
                value["kind"].as_str().unwrap().to_owned(),
                value["schema"].as_i64().unwrap(),
                value["payload"].clone(),
            )
        })
        .collect()
}

#[test]
fn every_stored_form_decodes_to_the_same_fact() {
    for (kind, schema, payload) in lines() {
        let bytes = serde_json::to_vec(&payload).unwrap();
        let event = Event::decode(&kind, schema, &bytes).unwrap_or_else(|cause| panic!("{cause}"));
        assert_eq!(event.kind(), kind);
        if event.schema() == schema {
            let again: Value = serde_json::from_slice(&event.encode()).unwrap();
            assert_eq!(again, payload, "{kind} is written differently now");
        }
    }
}

#[test]
fn every_kind_has_a_golden_line() {
    let golden: BTreeSet<String> = lines().into_iter().map(|(kind, _, _)| kind).collect();
    let known: BTreeSet<String> = Event::KINDS.iter().map(|kind| (*kind).to_owned()).collect();
    assert_eq!(golden, known);
}

#[test]
fn an_unknown_kind_or_a_broken_payload_is_an_error_that_quotes_nothing() {
    let unknown = Event::decode("item.teleported", 1, b"{}").unwrap_err().to_string();
    assert!(unknown.contains("item.teleported"), "{unknown}");
    let broken = Event::decode("item.linked", 1, br#"{"to":"Noether"}"#).unwrap_err().to_string();
    assert!(!broken.contains("Noether"), "{broken}");
}
