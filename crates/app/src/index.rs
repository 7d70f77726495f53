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

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::hmac;
    use precordia_model::{Identifier, Phi};

    fn key(n: u8) -> IndexKey {
        IndexKey::new(&[n; 32])
    }

    fn phi(text: &str) -> Phi<String> {
        Phi::new(text.to_owned())
    }

    fn named(family: &str, given: &[&str]) -> PatientIdentity {
        PatientIdentity {
            family: Some(phi(family)),
            given: given.iter().map(|name| phi(name)).collect(),
            ..PatientIdentity::default()
        }
    }

    #[test]
    fn a_token_is_of_one_organization_and_one_field() {
        let tokens = |key: &IndexKey| {
            [
                family_token(key, "martin"),
                given_token(key, "martin"),
                full_name_token(key, "martin"),
                identifier_value_token(key, "martin"),
                identifier_token(key, "", "martin"),
                key.content(b"martin"),
            ]
        };
        let mut all: Vec<_> = tokens(&key(1)).into_iter().chain(tokens(&key(2))).collect();
        assert_eq!(tokens(&key(1)), tokens(&key(1)));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 12, "equal tokens of two fields or two organizations");
        let whole = patient_tokens(&key(1), &named("Martin", &["Martin"]));
        let other = patient_tokens(&key(2), &named("Martin", &["Martin"]));
        assert!(whole.iter().all(|token| !other.contains(token)));
    }

    #[test]
    fn an_authority_and_a_number_cannot_change_their_places() {
        let key = key(1);
        let of = |system, value| identifier_token(&key, system, value);
        assert_ne!(of("urn:a", "b|1"), of("urn:a|b", "1"));
        assert_ne!(of("urn:a", "1"), of("urn:b", "1"));
        // A number is compared as it is written: `a-1` and `A-1` may be two people.
        assert_ne!(of("urn:a", "a-1"), of("urn:a", "A-1"));
    }

    #[test]
    fn case_accents_and_spaces_do_not_count_and_a_name_is_found_by_each_beginning() {
        let key = key(1);
        let tokens = patient_tokens(&key, &named("Müller  Łukasik", &["José", "Renée"]));
        for other in ["MULLER LUKASIK", " müller łukasik ", "mu\u{308}ller lukasik"] {
            assert_eq!(patient_tokens(&key, &named(other, &["JOSE", "renee"])), tokens, "{other}");
        }
        // Given names in another order are the same for each word, not for the name as a whole.
        let turned = patient_tokens(&key, &named("Müller Łukasik", &["Renée", "José"]));
        let full = full_name_token(&key, "jose renee m");
        assert!(tokens.contains(&full) && !turned.contains(&full));
        for word in ["jo", "jose", "re", "renee"] {
            let token = given_token(&key, word);
            assert!(tokens.contains(&token) && turned.contains(&token), "{word}");
        }
        for (text, indexed) in
            [("m", None), ("MÜ", Some("mu")), ("Müller Łukasik", Some("muller lukas"))]
        {
            let prefix = indexed_prefix(&fold(text));
            assert_eq!(prefix.as_deref(), indexed, "{text}");
            if let Some(prefix) = prefix {
                assert!(tokens.contains(&family_token(&key, &prefix)), "{text}");
            }
        }
    }

    /// What a token list tells by its length, and no more of it.
    #[test]
    fn a_name_has_one_token_for_each_beginning_of_2_to_12_letters() {
        let count = |family| patient_tokens(&key(1), &named(family, &[])).len();
        for (family, expected) in [("A", 0), ("Li", 1), ("Noether", 6), (&*"x".repeat(40), 11)] {
            assert_eq!(count(family), expected, "{family}");
        }
        let identity = PatientIdentity {
            identifiers: vec![Identifier { system: "urn:a".into(), value: phi("1") }],
            birth_date: Some(Phi::new(PartialDate::Day(1960, 2, 3))),
            ..PatientIdentity::default()
        };
        assert_eq!(patient_tokens(&key(1), &identity).len(), 2 + 3);
    }

    #[test]
    fn a_token_is_the_beginning_of_a_keyed_hash_of_field_and_value() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[1; 32]);
        let field = b"patient.family";
        let text = [&14u64.to_be_bytes()[..], field, b"li"].concat();
        let tag = hmac::sign(&key, &text);
        assert_eq!(family_token(&IndexKey::new(&[1; 32]), "li"), tag.as_ref()[..16]);
    }
}
