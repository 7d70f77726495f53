//! Patients by id, by blind-index tokens, by merge.

use precordia_app::access::OrgScope;
use precordia_app::port::*;
use precordia_model::*;
use precordia_store::Store;

use crate::engines::Opened;
use crate::samples::*;

fn patient() -> PatientRow {
    PatientRow {
        id: PatientId(uuid()),
        merged_into: None,
        version: 1,
        resource_version: 1,
        sealed: vec![1, 0],
    }
}

async fn put(store: &Store, scope: &OrgScope, views: Vec<ViewChange>) {
    done(store.append(scope.into(), carrying(Batch { views, ..Batch::default() })).await);
}

fn tokens(names: &[&str]) -> Vec<Vec<u8>> {
    names.iter().map(|name| name.as_bytes().to_vec()).collect()
}

fn groups(names: &[&[&str]]) -> Vec<Vec<Vec<u8>>> {
    names.iter().map(|group| tokens(group)).collect()
}

pub async fn tokens_are_any_within_a_group_and_all_between(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    let carried: [&[&str]; 4] = [&["ka", "kb", "1960"], &["ka", "1961"], &["kb", "1960"], &[]];
    let mut patients: Vec<_> = carried.iter().map(|names| (patient(), *names)).collect();
    patients.sort_by_key(|(row, _)| row.id);
    let changes = patients.iter().flat_map(|(row, names)| {
        let tokens = tokens(names);
        [ViewChange::Patient(row.clone()), ViewChange::PatientTokens { patient: row.id, tokens }]
    });
    put(store, &scope, changes.collect()).await;

    let cases: [&[&[&str]]; 9] = [
        &[],
        &[&["ka"]],
        &[&["ka", "kb"]],
        &[&["ka"], &["kb"]],
        &[&["ka", "kb"], &["1960"]],
        &[&["ka"], &["1960"], &["kb"]],
        &[&["nobody"]],
        &[&["ka"], &["nobody"]],
        &[&["ka"], &[]],
    ];
    for case in cases {
        let matches = |names: &[&str]| {
            case.iter().all(|group| group.iter().any(|token| names.contains(token)))
        };
        let expected: Vec<_> = patients
            .iter()
            .filter(|(_, names)| matches(names))
            .map(|(row, _)| row.clone())
            .collect();
        let found = store.patients_by_tokens(&scope, &groups(case), None, 10).await.unwrap();
        assert_eq!(found, expected, "{case:?}");
        let mut paged = Vec::new();
        while let Some(row) = {
            let after = paged.last().map(|row: &PatientRow| row.id);
            let page = store.patients_by_tokens(&scope, &groups(case), after, 1).await.unwrap();
            page.into_iter().next()
        } {
            paged.push(row);
        }
        assert_eq!(paged, expected, "{case:?}");
    }
    let all: Vec<_> = patients.iter().map(|(row, _)| row.id).collect();
    let asked = [all[2], PatientId(uuid()), all[0], all[2]];
    let read = store.patients(&scope, &asked).await.unwrap();
    assert_eq!(read.iter().map(|row| row.id).collect::<Vec<_>>(), [all[0], all[2]]);
    assert_eq!(store.patients(&scope, &[]).await.unwrap(), []);
}

pub async fn tokens_are_replaced_and_removed_with_the_patient(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    let row = patient();
    let set = |names: &[&str]| ViewChange::PatientTokens { patient: row.id, tokens: tokens(names) };
    put(store, &scope, vec![ViewChange::Patient(row.clone()), set(&["a", "b", "a"])]).await;
    put(store, &scope, vec![set(&["b", "c"])]).await;
    for (name, found) in [("a", 0), ("b", 1), ("c", 1)] {
        let rows = store.patients_by_tokens(&scope, &groups(&[&[name]]), None, 10).await.unwrap();
        assert_eq!(rows.len(), found, "{name}");
    }
    put(store, &scope, vec![ViewChange::RemovePatient(row.id)]).await;
    assert_eq!(store.patient(&scope, row.id).await.unwrap(), None);
    put(store, &scope, vec![ViewChange::Patient(row.clone())]).await;
    let rows = store.patients_by_tokens(&scope, &groups(&[&["b"]]), None, 10).await.unwrap();
    assert_eq!(rows, [], "the tokens went with the patient");
}

pub async fn merged_patients_are_found_by_their_survivor(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    let survivor = patient();
    let mut merged: Vec<_> = (0..2)
        .map(|_| PatientRow { merged_into: Some(survivor.id), version: 2, ..patient() })
        .collect();
    let rows = merged.iter().chain([&survivor]).cloned().map(ViewChange::Patient).collect();
    put(store, &scope, rows).await;
    merged.sort_by_key(|row| row.id);
    let ids: Vec<_> = merged.iter().map(|row| row.id).collect();
    assert_eq!(store.merged_from(&scope, survivor.id).await.unwrap(), ids);
    assert_eq!(store.patient(&scope, ids[0]).await.unwrap().as_ref(), Some(&merged[0]));
    let unmerged = PatientRow { merged_into: None, version: 3, ..merged[0].clone() };
    put(store, &scope, vec![ViewChange::Patient(unmerged)]).await;
    assert_eq!(store.merged_from(&scope, survivor.id).await.unwrap(), ids[1..]);
}
