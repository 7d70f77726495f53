//! Blind indexes: which tokens a patient is found by.
//!
//! A token is a keyed hash of a folded value (`precordia_interop::fhir::fold`), comparable only within one
//! organization and one field. It tells a reader of the database which patients share a value or a
//! prefix, and how many, but not the value. Tokens live in views only and go with the patient.

use std::collections::BTreeSet;

use precordia_interop::fhir::fold;
use precordia_interop::fhir::patient::full_name;
use precordia_model::{PartialDate, PatientIdentity};

use crate::keys::IndexKey;

/// Shorter prefixes would return half the hospital; longer ones are cut to the longest indexed one and
/// the rest is compared on the opened value.
pub(crate) const PREFIX_MIN: usize = 2;
pub(crate) const PREFIX_MAX: usize = 12;

pub(crate) fn patient_tokens(key: &IndexKey, identity: &PatientIdentity) -> Vec<Vec<u8>> {
    let mut tokens = BTreeSet::new();
    for identifier in &identity.identifiers {
        tokens.insert(identifier_token(key, &identifier.system, identifier.value.reveal()));
        tokens.insert(identifier_value_token(key, identifier.value.reveal()));
    }
    if let Some(family) = &identity.family {
        tokens.extend(prefixes(family.reveal()).map(|prefix| family_token(key, &prefix)));
    }
    for given in &identity.given {
        tokens.extend(prefixes(given.reveal()).map(|prefix| given_token(key, &prefix)));
    }
    if let Some(full) = full_name(identity) {
        tokens.extend(prefixes(&full).map(|prefix| full_name_token(key, &prefix)));
    }
    if let Some(date) = &identity.birth_date {
        tokens.extend(coarser(*date.reveal()).map(|date| birth_date_token(key, date)));
    }
    tokens.into_iter().collect()
}

pub(crate) fn identifier_token(key: &IndexKey, system: &str, value: &str) -> Vec<u8> {
    key.token("patient.identifier", &format!("{}|{system}|{value}", system.len()))
}

pub(crate) fn identifier_value_token(key: &IndexKey, value: &str) -> Vec<u8> {
    key.token("patient.identifier.value", value)
}

pub(crate) fn family_token(key: &IndexKey, prefix: &str) -> Vec<u8> {
    key.token("patient.family", prefix)
}

pub(crate) fn given_token(key: &IndexKey, prefix: &str) -> Vec<u8> {
    key.token("patient.given", prefix)
}

pub(crate) fn full_name_token(key: &IndexKey, prefix: &str) -> Vec<u8> {
    key.token("patient.full_name", prefix)
}

pub(crate) fn birth_date_token(key: &IndexKey, date: PartialDate) -> Vec<u8> {
    key.token("patient.birth_date", &date.to_string())
}

/// The indexed part of a folded search text; `None` if it is too short to search by.
pub(crate) fn indexed_prefix(folded: &str) -> Option<String> {
    let prefix: String = folded.chars().take(PREFIX_MAX).collect();
    (prefix.chars().count() >= PREFIX_MIN).then_some(prefix)
}

fn prefixes(value: &str) -> impl Iterator<Item = String> {
    let folded: Vec<char> = fold(value).chars().collect();
    (PREFIX_MIN..=folded.len().min(PREFIX_MAX)).map(move |length| folded[..length].iter().collect())
}

/// The date at its own and every coarser precision.
fn coarser(date: PartialDate) -> impl Iterator<Item = PartialDate> {
    let all = match date {
        PartialDate::Year(y) => vec![PartialDate::Year(y)],
        PartialDate::Month(y, m) => vec![PartialDate::Year(y), PartialDate::Month(y, m)],
        PartialDate::Day(y, m, d) => {
            vec![PartialDate::Year(y), PartialDate::Month(y, m), PartialDate::Day(y, m, d)]
        }
    };
    all.into_iter()
}
