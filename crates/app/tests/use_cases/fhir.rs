//! FHIR searches against a filter over everything, page by page.

use std::collections::BTreeSet;

use precordia_app::access::OrgScope;
use precordia_app::{FhirRead, FhirSearchError};
use precordia_interop::fhir::bundle::HistoryEntry;
use precordia_interop::fhir::search::{HistoryAsked, matches_resource, parse, parse_history};
use precordia_interop::fhir::{FhirId, ResourceType};
use precordia_model::{DevicePatient, PartialDate, Phi, Sex, Timestamp};
use serde_json::Value;

use crate::house::{
    House, Working, add_user, file, file_of, house, organization, person, scope_of, sign_in,
};

const FAMILIES: [&str; 7] = [
    "Noether",
    "Nöther",
    "du Châtelet",
    "Châtelet",
    "Erdős",
    "Ковалевская",
    "Noetherschwarzenberg",
];
const GIVEN: [&str; 5] = ["Emmy", "Emma", "Émilie", "Pál", "Paul"];

fn nth(n: usize) -> DevicePatient {
    let day = PartialDate::Day(1950 + (n % 9) as i16, 1 + (n % 12) as i8, 1 + (n % 28) as i8);
    DevicePatient {
        given: vec![Phi::new(GIVEN[n / 7 % 5].to_owned())],
        birth_date: (!n.is_multiple_of(11)).then(|| Phi::new(day)),
        sex: Some(if n.is_multiple_of(2) { Sex::Female } else { Sex::Male }),
        ..person(&format!("P-{}", n), FAMILIES[n % 7])
    }
}

/// All resources of a search over its pages, with the number of pages.
async fn pages(house: &House, kind: &str, parameters: &[(String, String)]) -> (Vec<Value>, usize) {
    let mut found = Vec::new();
    let mut query = parse(kind, parameters).unwrap();
    let mut count = 0;
    loop {
        let page = house.app.fhir_search(&house.all, query).await.unwrap();
        found.extend(page.resources);
        count += 1;
        assert!(count < 1000, "pages without end");
        let Some(next) = page.next else { return (found, count) };
        for secret in ["Noether", "patient", "family"] {
            assert!(!next.contains(secret));
        }
        query = parse(kind, &[("_page".into(), next)]).unwrap();
    }
}

fn ids(found: &[Value]) -> BTreeSet<String> {
    let ids: BTreeSet<_> = found.iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), found.len(), "a resource came twice");
    ids
}

fn with(parameters: &[(&str, String)], count: usize) -> Vec<(String, String)> {
    let mut all: Vec<_> =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    all.push((String::from("_count"), count.to_string()));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_answer_exactly_what_a_filter_over_everything_gives() {
    let house = house().await;
    let count = 150;
    for n in 0..count {
        house.send(&file_of(nth(n), n as u32)).await;
    }
    let working = Working::on(&house.app);
    house.settled().await;
    for n in 0..20 {
        house.send(&file_of(nth(n), 1000 + n as u32)).await;
    }
    house.settled().await;
    let everyone = pages(&house, "Patient", &with(&[], 200)).await.0;
    assert_eq!(ids(&everyone).len(), count);
    let one = everyone[17]["id"].as_str().unwrap().to_owned();
    let two = everyone[90]["id"].as_str().unwrap().to_owned();
    let system = everyone[3]["identifier"][0]["system"].as_str().unwrap().to_owned();
    let choices: [(&str, Vec<String>); 6] = [
        ("_id", vec![one.clone(), format!("{one},{two}"), "nobody".into()]),
        (
            "identifier",
            vec!["P-17".into(), format!("{system}|P-90"), "|P-3".into(), "P-1,P-2,P-3".into()],
        ),
        (
            "family",
            vec!["noe".into(), "Chatelet".into(), "ков,erd".into(), "noetherschwarzenb".into()],
        ),
        ("given", vec!["em".into(), "Émilie".into(), "pa".into()]),
        ("name", vec!["em".into(), "du ch".into(), "zz".into()]),
        ("birthdate", vec!["1955".into(), "1953-05".into(), "1954-06-06,1951".into()]),
    ];
    let mut searches: Vec<Vec<(&str, String)>> = vec![Vec::new()];
    for (name, values) in &choices {
        let mut more = Vec::new();
        for search in &searches {
            for value in values {
                let mut search = search.clone();
                search.push((name, value.clone()));
                more.push(search);
            }
        }
        searches.extend(more);
    }
    // Every combination of one and two filters, and every seventh of the others.
    let chosen = searches.iter().enumerate().filter(|(n, s)| s.len() <= 2 || n.is_multiple_of(29));
    let (mut compared, mut answered) = (0, 0);
    for (n, search) in chosen {
        let query = parse("Patient", &with(search, 1)).unwrap();
        let expected: Vec<_> =
            everyone.iter().filter(|r| matches_resource(&query, r)).cloned().collect();
        let size = [1, 2, 3, 7, 50, 200][n % 6];
        let (found, pages) = pages(&house, "Patient", &with(search, size)).await;
        assert_eq!(ids(&found), ids(&expected), "{search:?} by {size}");
        assert!(pages <= expected.len() / size + 1, "{search:?}: {pages} pages");
        compared += 1;
        answered += usize::from(!expected.is_empty());
    }
    assert!(compared > 100 && answered > 20, "{compared} searches, {answered} with an answer");

    for kind in ["Observation", "DiagnosticReport", "DocumentReference"] {
        let all = pages(&house, kind, &with(&[], 200)).await.0;
        let recordings = count + 20;
        assert!(ids(&all).len() >= recordings, "{kind}");
        let first = all[5]["id"].as_str().unwrap().to_owned();
        for search in [
            vec![],
            vec![("patient", one.clone())],
            vec![("subject", format!("Patient/{one},Patient/{two}"))],
            vec![("_id", first.clone())],
            vec![("_id", first), ("patient", one.clone())],
            vec![("status", String::from("final"))],
            vec![("date", String::from("ge2020-01-01"))],
        ] {
            for size in [1, 3, 200] {
                let Ok(query) = parse(kind, &with(&search, size)) else { continue };
                let expected: Vec<_> =
                    all.iter().filter(|r| matches_resource(&query, r)).cloned().collect();
                let found = pages(&house, kind, &with(&search, size)).await.0;
                assert_eq!(ids(&found), ids(&expected), "{kind} {search:?} by {size}");
            }
        }
    }
    working.end().await;
}

async fn refused(house: &House, scope: &OrgScope, kind: &str, token: &str) -> bool {
    let query = parse(kind, &[("_page".into(), token.to_owned())]).unwrap();
    matches!(house.app.fhir_search(scope, query).await, Err(FhirSearchError::Page))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_link_leads_on_in_its_own_type_and_organization_only() {
    let house = house().await;
    let _working = Working::on(&house.app);
    for n in 0..4 {
        house.filed(&file(&format!("P-{n}"), "Noether", n)).await;
    }
    let first = house.app.fhir_search(&house.all, parse("Patient", &with(&[], 2)).unwrap()).await;
    let token = first.unwrap().next.unwrap();
    assert!(!refused(&house, &house.all, "Patient", &token).await);
    for kind in ["Observation", "DiagnosticReport", "DocumentReference", "AuditEvent"] {
        assert!(refused(&house, &house.all, kind, &token).await, "{kind}");
    }
    let (other, _) = organization(&house.app, "northgate").await;
    add_user(&house.app, &other, "all", vec![precordia_model::Role::Cardiologist]).await;
    let signed_in = sign_in(&house.app, "northgate", "all").await;
    let stranger = scope_of(&house.app, &signed_in.cookie).await;
    assert!(refused(&house, &stranger, "Patient", &token).await);
    let half = token.len() / 2;
    let swapped = if &token[half..=half] == "A" { "B" } else { "A" };
    let changed = format!("{}{swapped}{}", &token[..half], &token[half + 1..]);
    for forged in [changed, token[..token.len() - 2].to_owned(), "AAAA".into()] {
        assert!(refused(&house, &house.all, "Patient", &forged).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_access_log_pages_without_repeating_what_the_reading_itself_adds() {
    let house = house().await;
    for _ in 0..9 {
        house.app.unknown_address(&house.all).await.unwrap();
    }
    let (found, count) = pages(&house, "AuditEvent", &with(&[], 4)).await;
    assert!(ids(&found).len() >= 9 && count >= 3);
}

fn asked(parameters: &[(&str, String)]) -> HistoryAsked {
    let all: Vec<_> = parameters.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
    parse_history(&all).unwrap()
}

async fn history(
    house: &House,
    kind: ResourceType,
    id: &FhirId,
    parameters: &[(&str, String)],
) -> Vec<HistoryEntry> {
    let mut found = Vec::new();
    let mut next = asked(parameters);
    loop {
        let page = house.app.fhir_history(&house.all, kind, id, next).await.unwrap();
        found.extend(page.versions);
        match page.next {
            Some(token) => next = asked(&[("_page", token)]),
            None => return found,
        }
    }
}

const VERSIONED: [ResourceType; 3] =
    [ResourceType::Observation, ResourceType::DiagnosticReport, ResourceType::DocumentReference];

#[tokio::test(flavor = "multi_thread")]
async fn every_version_is_told_newest_first_and_read_alone() {
    let house = house().await;
    let working = Working::on(&house.app);
    let (_, a) = house.filed(&file("A-1", "Noether", 1)).await;
    let item = house.send(&file("A-1", "Germain", 2)).await;
    let held = house.decided(item).await.row.recording.unwrap();
    house.app.assign(&house.all, held, a).await.unwrap();
    house.app.unassign(&house.all, held, "not theirs").await.unwrap();
    house.app.assign(&house.all, held, a).await.unwrap();
    working.end().await;
    let id = FhirId::parse(&held.to_string()).unwrap();
    let subject = Some(format!("Patient/{a}"));
    let subjects = [None, subject.clone(), None, subject];
    for kind in VERSIONED {
        let all = history(&house, kind, &id, &[]).await;
        assert_eq!(all.iter().map(|one| one.version).collect::<Vec<_>>(), [4, 3, 2, 1]);
        for count in 1..6 {
            let paged = history(&house, kind, &id, &[("_count", count.to_string())]).await;
            assert_eq!(format!("{paged:?}"), format!("{all:?}"), "{kind:?} by {count}");
        }
        for one in &all {
            let resource = one.resource.as_ref().unwrap();
            let told = resource["subject"]["reference"].as_str();
            assert_eq!(told, subjects[one.version as usize - 1].as_deref(), "{kind:?}");
            assert_eq!(resource["meta"]["versionId"], one.version.to_string());
            let alone = house.app.fhir_version(&house.all, kind, &id, one.version).await.unwrap();
            let FhirRead::Found(alone) = alone else { panic!("{kind:?} {}", one.version) };
            assert_eq!(
                (&alone.body, alone.version, alone.last_updated),
                (resource, one.version, one.at)
            );
            // From its own time on it is there, and it stood from then until the next was made.
            let since = [("_since", instant(one.at))];
            let later = history(&house, kind, &id, &since).await;
            assert_eq!(later.len() as i64, 5 - one.version, "{kind:?} since {}", one.version);
            let then = history(&house, kind, &id, &[("_at", instant(one.at))]).await;
            assert_eq!(then[0].version, one.version, "{kind:?}");
            assert!(then.len() == 1 || then[1].at > one.at, "{kind:?}");
        }
        assert!(history(&house, kind, &id, &[("_at", "1999".into())]).await.is_empty());
        let none = house.app.fhir_version(&house.all, kind, &id, 5).await.unwrap();
        assert!(matches!(none, FhirRead::NotFound));
    }
    // A link leads on in its own resource only.
    let first = asked(&[("_count", "1".into())]);
    let page = house.app.fhir_history(&house.all, VERSIONED[0], &id, first).await.unwrap();
    let token = page.next.unwrap();
    let patient = FhirId::parse(&a.to_string()).unwrap();
    for (kind, id) in [(VERSIONED[1], &id), (ResourceType::Patient, &patient)] {
        let page = asked(&[("_page", token.clone())]);
        let answer = house.app.fhir_history(&house.all, kind, id, page).await;
        assert!(matches!(answer, Err(FhirSearchError::Page)), "{kind:?}");
    }
}

/// The FHIR `instant` of a time, to the microsecond.
fn instant(at: Timestamp) -> String {
    let millis = at.to_rfc3339();
    format!("{}{:03}Z", millis.trim_end_matches('Z'), at.micros().rem_euclid(1000))
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_erased_patient_the_deletion_is_told_and_no_version_is_read() {
    let house = house().await;
    let working = Working::on(&house.app);
    let (recording, a) = house.filed(&file("A-1", "Noether", 1)).await;
    house.app.erase(&house.all, a, "Noether", "asked for", &[]).await.unwrap();
    working.end().await;
    let recording = FhirId::parse(&recording.to_string()).unwrap();
    let patient = FhirId::parse(&a.to_string()).unwrap();
    let mut of = VERSIONED.map(|kind| (kind, &recording)).to_vec();
    of.push((ResourceType::Patient, &patient));
    for (kind, id) in of {
        let told = history(&house, kind, id, &[]).await;
        assert_eq!(told.len(), 1, "{kind:?}: {told:?}");
        assert!(told[0].resource.is_none() && told[0].version > 1, "{kind:?}");
        for version in 1..=told[0].version {
            let read = house.app.fhir_version(&house.all, kind, id, version).await.unwrap();
            assert!(matches!(read, FhirRead::Gone), "{kind:?} {version}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_the_access_log_has_one_version() {
    let house = house().await;
    house.app.unknown_address(&house.all).await.unwrap();
    let (found, _) = pages(&house, "AuditEvent", &with(&[], 4)).await;
    let id = FhirId::parse(found[0]["id"].as_str().unwrap()).unwrap();
    let told = history(&house, ResourceType::AuditEvent, &id, &[]).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].resource.as_ref(), Some(&found[0]));
    let read = async |version| {
        let kind = ResourceType::AuditEvent;
        house.app.fhir_version(&house.all, kind, &id, version).await.unwrap()
    };
    assert!(matches!(read(1).await, FhirRead::Found(_)));
    assert!(matches!(read(2).await, FhirRead::NotFound));
}
