//! FHIR searches against a filter over everything, page by page.

use std::collections::BTreeSet;

use precordia_app::FhirSearchError;
use precordia_app::access::OrgScope;
use precordia_interop::fhir::search::{matches_resource, parse};
use precordia_model::{DevicePatient, PartialDate, Phi, Sex};
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
