//! Whose a recording is: giving, taking back, merging, un-merging, erasing.

use precordia_app::{AppError, WorklistQuery};
use precordia_interop::fhir::ResourceType;
use precordia_model::{ItemState, PatientId, RecordingId};
use precordia_rules::event::RecordingFacts;

use crate::house::{House, Working, file, house};

/// Everything about a recording opens and says the same patient.
async fn whole(house: &House, id: RecordingId, patient: Option<PatientId>) -> RecordingFacts {
    let detail = house.app.recording(&house.all, id).await.unwrap();
    assert_eq!((detail.head.row.patient, detail.facts.patient), (patient, patient));
    assert_eq!(detail.facts.hold.is_some(), patient.is_none());
    house.app.waveform(&house.all, id).await.unwrap();
    house.app.original(&house.all, id).await.unwrap();
    let subject = patient.map(|id| format!("Patient/{id}"));
    for kind in
        [ResourceType::Observation, ResourceType::DiagnosticReport, ResourceType::DocumentReference]
    {
        let read = house.app.fhir_read(&house.all, kind, &id.to_string()).await.unwrap();
        let precordia_app::FhirRead::Found(resource) = read else { panic!("{kind:?}: {read:?}") };
        assert_eq!(resource.body["subject"]["reference"].as_str(), subject.as_deref(), "{kind:?}");
        assert_eq!(resource.body["meta"]["versionId"], resource.version.to_string());
    }
    detail.facts
}

fn refusal<T: std::fmt::Debug>(result: Result<T, AppError>) -> &'static str {
    match result {
        Err(AppError::Refused { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_recording_is_given_taken_back_and_given_to_another() {
    let house = house().await;
    let _working = Working::on(&house.app);
    let (first, a) = house.filed(&file("A-1", "Noether", 1)).await;
    let item = house.send(&file("A-1", "Germain", 2)).await;
    let held = house.decided(item).await.row.recording.unwrap();
    whole(&house, held, None).await;
    house.app.assign(&house.all, held, a).await.unwrap();
    whole(&house, held, Some(a)).await;
    assert_eq!(refusal(house.app.assign(&house.all, held, a).await), "not_assignable");
    assert_eq!(house.app.item(&house.all, item).await.unwrap().row.state, ItemState::Filed);
    house.app.unassign(&house.all, held, "not theirs").await.unwrap();
    assert_eq!(house.app.item(&house.all, item).await.unwrap().row.state, ItemState::Held);
    whole(&house, held, None).await;
    // The id is taken, so a new patient of that id would be a second one.
    let identity = house.row(first).await.patient.unwrap().identity;
    let taken = house.app.assign_new(&house.all, held, identity.clone()).await;
    assert_eq!(refusal(taken), "identifier_taken");
    let identity = precordia_model::PatientIdentity { identifiers: Vec::new(), ..identity };
    house.app.assign_new(&house.all, held, identity).await.unwrap();
    let b = house.row(held).await.row.patient.unwrap();
    assert_ne!(a, b);
    whole(&house, held, Some(b)).await;
    whole(&house, first, Some(a)).await;
    house.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recordings_follow_merges_and_go_back_with_what_came_meanwhile() {
    let house = house().await;
    let working = Working::on(&house.app);
    let (of_a, a) = house.filed(&file("A-1", "Noether", 1)).await;
    let (of_b, b) = house.filed(&file("B-1", "Noether", 2)).await;
    for round in 0..2 {
        house.app.merge(&house.all, a, b, "the same person").await.unwrap();
        whole(&house, of_a, Some(b)).await;
        whole(&house, of_b, Some(b)).await;
        assert_eq!(refusal(house.app.merge(&house.all, a, b, "again").await), "not_mergeable");
        assert_eq!(refusal(house.app.merge(&house.all, b, a, "around").await), "not_mergeable");
        // What comes meanwhile goes to the merged patient, and back with the id that it names.
        let (meanwhile_a, at) = house.filed(&file("A-1", "Noether", 10 + round)).await;
        assert_eq!(at, b);
        let (meanwhile_b, at) = house.filed(&file("B-1", "Noether", 20 + round)).await;
        assert_eq!(at, b);
        let page = house.app.patient_page(&house.all, b).await.unwrap();
        assert_eq!(page.merged_from, [a]);
        house.app.unmerge(&house.all, a, "two people").await.unwrap();
        for (recording, patient) in [(of_a, a), (of_b, b), (meanwhile_a, a), (meanwhile_b, b)] {
            whole(&house, recording, Some(patient)).await;
        }
        assert_eq!(refusal(house.app.unmerge(&house.all, a, "again").await), "not_merged");
    }
    // The other way round after all that.
    house.app.merge(&house.all, b, a, "it was b").await.unwrap();
    whole(&house, of_b, Some(a)).await;
    working.end().await;
    assert_eq!(house.worklist().await.len(), 6);
    house.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worklist_finds_a_merged_patient_by_either_name() {
    let house = house().await;
    let _working = Working::on(&house.app);
    let (_, a) = house.filed(&file("A-1", "Noether", 1)).await;
    let (_, b) = house.filed(&file("B-1", "Germain", 2)).await;
    house.app.merge(&house.all, a, b, "married").await.unwrap();
    for text in ["noether", "germain", "A-1", "B-1"] {
        let query = WorklistQuery { patient: Some(text.into()), limit: 10, ..Default::default() };
        let rows = house.app.worklist(&house.all, query).await.unwrap().rows;
        assert_eq!(rows.len(), 2, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_looks_at_some_patients_only_says_so() {
    let house = house().await;
    let _working = Working::on(&house.app);
    for n in 1..=3 {
        house.filed(&file(&format!("N-{n}"), "Noether", n)).await;
    }
    for (max, shown, truncated) in [(2, 2, true), (3, 3, false)] {
        let query = WorklistQuery {
            patient: Some("noe".into()),
            patients_max: max,
            ..WorklistQuery::default()
        };
        let list = house.app.worklist(&house.all, query).await.unwrap();
        assert_eq!((list.rows.len(), list.truncated), (shown, truncated));
        assert_eq!(list.counts.total, shown as i64);
        let found = house.app.search_patients(&house.all, "noe", max).await.unwrap();
        assert_eq!((found.patients.len(), found.truncated), (shown, truncated));
    }
    let all = house.app.worklist(&house.all, WorklistQuery::default()).await.unwrap();
    assert_eq!((all.rows.len(), all.truncated), (3, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_merged_patients_one_is_erased_and_the_other_stays_whole() {
    let house = house().await;
    let working = Working::on(&house.app);
    let (of_a, a) = house.filed(&file("GONE-51201", "Ladyzhenskaja", 1)).await;
    // A copy that came while the first was in flight, and one that came after.
    let in_flight = file("GONE-51201", "Ladyzhenskaja", 2);
    working.end().await;
    let first = house.send(&in_flight).await;
    let early_copy = house.send(&in_flight).await;
    let working = Working::on(&house.app);
    house.decided(first).await;
    let late_copy = house.send(&in_flight).await;
    let (of_b, b) = house.filed(&file("B-1", "Noether", 3)).await;
    let letter = house.send(b"a letter").await;
    house.decided(letter).await;
    house.app.merge(&house.all, a, b, "the same person").await.unwrap();
    let blobs = house.blob_files();

    let wrong = house.app.erase(&house.all, a, "Noether", "asked for", &[]).await;
    assert_eq!(refusal(wrong), "not_confirmed");
    house.app.erase(&house.all, a, "ladyzhenskaja", "asked for", &[]).await.unwrap();

    whole(&house, of_b, Some(b)).await;
    assert!(matches!(
        house.app.recording(&house.all, of_a).await,
        Err(AppError::NotFound("recording"))
    ));
    let gone = house.app.fhir_read(&house.all, ResourceType::Observation, &of_a.to_string()).await;
    assert!(matches!(gone.unwrap(), precordia_app::FhirRead::Gone));
    let gone = house.app.fhir_read(&house.all, ResourceType::Patient, &a.to_string()).await;
    assert!(matches!(gone.unwrap(), precordia_app::FhirRead::Gone));
    assert_eq!(house.worklist().await.len(), 1);
    assert_eq!(house.blob_files(), blobs - 2);
    let items = house.app.items(&house.all, None, None, 100).await.unwrap();
    assert_eq!(items.len(), 6, "erased items stay counted");
    for item in [first, early_copy, late_copy] {
        let item = house.app.item(&house.all, item).await.unwrap();
        assert!(item.details.file_name.is_none() && item.row.blob.is_none());
    }
    let page = house.app.patient_page(&house.all, b).await.unwrap();
    assert!(page.merged_from.is_empty());
    for text in ["GONE-51201", "Ladyzhenskaja", "ladyzhenskaja"] {
        assert_eq!(house.on_disk(text), Vec::<String>::new());
    }
    let tokens = house.app.search_patients(&house.all, "ladyzhenskaja", 10).await.unwrap();
    assert!(tokens.patients.is_empty());
    house.check().await;
    // The same bytes are new again, and so is the patient.
    let (_, again) = house.filed(&in_flight).await;
    assert_ne!(again, a);
    // Erasing the one that another is merged into takes them apart first.
    house.app.merge(&house.all, again, b, "the same person").await.unwrap();
    house.app.erase(&house.all, b, "Noether", "asked for", &[]).await.unwrap();
    let page = house.app.patient_page(&house.all, again).await.unwrap();
    assert_eq!((page.recordings.len(), page.patient.merged_into), (1, None));
    working.end().await;
    house.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_with_many_recordings_merges_and_is_erased() {
    let house = house().await;
    let (count, others) = (230, 3);
    for number in 0..count {
        house.send(&file("A-1", "Noether", number)).await;
    }
    for number in 0..others {
        house.send(&file("B-1", "Noether", 1000 + number)).await;
    }
    let working = Working::on(&house.app);
    house.settled().await;
    working.end().await;
    let of =
        |rows: Vec<precordia_app::PatientBanner>| rows.into_iter().map(|p| p.id).next().unwrap();
    let a = of(house.app.search_patients(&house.all, "A-1", 10).await.unwrap().patients);
    let b = of(house.app.search_patients(&house.all, "B-1", 10).await.unwrap().patients);
    house.app.merge(&house.all, a, b, "the same person").await.unwrap();
    house.app.erase(&house.all, a, "Noether", "asked for", &[]).await.unwrap();
    assert_eq!(house.worklist().await.len(), others as usize);
    assert_eq!(house.blob_files(), others as usize);
    house.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_filed_while_patients_are_merged_or_erased_is_never_stranded() {
    let house = house().await;
    let other = house.another_process().await;
    let working = Working::on(&house.app);
    let (_, a) = house.filed(&file("A-1", "Noether", 1)).await;
    let (_, b) = house.filed(&file("B-1", "Noether", 2)).await;
    for round in 0..6u32 {
        let sends = async {
            for number in 0..6 {
                house.send(&file("A-1", "Noether", 100 + round * 10 + number)).await;
            }
        };
        let moves = async {
            tokio::time::sleep(std::time::Duration::from_millis(60)).await;
            for _ in 0..50 {
                let moved = match round % 2 {
                    0 => other.merge(&house.all, a, b, "the same").await,
                    _ => other.unmerge(&house.all, a, "two people").await,
                };
                match moved {
                    Err(AppError::Conflict(_)) => continue,
                    other => return other.unwrap(),
                }
            }
            panic!("fifty conflicts in a row");
        };
        tokio::join!(sends, moves);
        house.settled().await;
        let expected = if round % 2 == 0 { b } else { a };
        for row in house.worklist().await {
            if row.summary.device_patient.id.unwrap().reveal() == "A-1" {
                assert_eq!(row.row.patient, Some(expected), "round {round}");
            }
        }
    }
    let sends = async {
        for number in 0..8 {
            house.send(&file("A-1", "Noether", 900 + number)).await;
        }
    };
    let erase = async {
        tokio::time::sleep(std::time::Duration::from_millis(60)).await;
        for _ in 0..50 {
            match other.erase(&house.all, a, "Noether", "asked for", &[]).await {
                Err(AppError::Conflict(_)) => continue,
                other => return other.unwrap(),
            }
        }
        panic!("fifty conflicts in a row");
    };
    tokio::join!(sends, erase);
    house.settled().await;
    for row in house.worklist().await {
        assert_ne!(row.row.patient, Some(a), "nothing belongs to an erased patient");
        house.app.waveform(&house.all, row.row.id).await.unwrap();
    }
    house.app.items(&house.all, None, None, 200).await.unwrap();
    working.end().await;
    house.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn merges_at_once_never_make_a_chain() {
    let house = house().await;
    let other = house.another_process().await;
    let _working = Working::on(&house.app);
    let (_, a) = house.filed(&file("A-1", "Noether", 1)).await;
    let (_, b) = house.filed(&file("B-1", "Noether", 2)).await;
    let (_, c) = house.filed(&file("C-1", "Noether", 3)).await;
    for _ in 0..10 {
        let (first, second) = tokio::join!(
            house.app.merge(&house.all, a, b, "same"),
            other.merge(&house.all, b, c, "same"),
        );
        assert!(first.is_err() || second.is_err(), "a is in b and b is in c");
        for (merged, id) in [(first, a), (second, b)] {
            if merged.is_ok() {
                house.app.unmerge(&house.all, id, "apart").await.unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_tells_which_held_recordings_name_the_patient_and_takes_those_it_is_told_to() {
    use precordia_app::NamedBy;
    let house = house().await;
    let working = Working::on(&house.app);
    let gone = "Ladyzhenskaja";
    let held = async |bytes: Vec<u8>| {
        let item = house.send(&bytes).await;
        let item = house.decided(item).await;
        assert_eq!(item.row.state, ItemState::Held);
        item.row.recording.unwrap()
    };
    let (_, patient) = house.filed(&file("GONE-51201", gone, 1)).await;
    let (theirs, _) = house.filed(&file("GONE-51201", gone, 2)).await;
    let (other, other_patient) = house.filed(&file("B-1", "Noether", 3)).await;
    house.app.unassign(&house.all, theirs, "not sure").await.unwrap();
    // Once theirs, though its file names nobody; nobody's from the beginning; another's again.
    let once = held(file("", "Abel", 4)).await;
    house.app.assign(&house.all, once, patient).await.unwrap();
    house.app.unassign(&house.all, once, "a slip").await.unwrap();
    let nobody = held(file("", "Abel", 5)).await;
    let moved = held(file("", "Abel", 6)).await;
    house.app.assign(&house.all, moved, patient).await.unwrap();
    house.app.unassign(&house.all, moved, "a slip").await.unwrap();
    house.app.assign(&house.all, moved, other_patient).await.unwrap();
    let same_id = held(file("GONE-51201", "Germain", 7)).await;
    let same_name = held(file("", gone, 8)).await;

    let mut expected = vec![
        (theirs, NamedBy::SameIdentifier),
        (once, NamedBy::OnceTheirs),
        (same_id, NamedBy::SameIdentifier),
        (same_name, NamedBy::SameName),
    ];
    expected.sort_by_key(|(id, _)| *id);
    let told = |named: Vec<precordia_app::NamedRecording>| {
        let mut told: Vec<_> = named.into_iter().map(|one| (one.id, one.by)).collect();
        told.sort_by_key(|(id, _)| *id);
        told
    };
    assert_eq!(told(house.app.held_naming(&house.all, patient).await.unwrap()), expected);
    for not_theirs in [nobody, moved, other, RecordingId(uuid::Uuid::nil())] {
        let also = [theirs, not_theirs];
        let refused = house.app.erase(&house.all, patient, gone, "asked for", &also).await;
        assert_eq!(refusal(refused), "not_named");
    }
    whole(&house, theirs, None).await;

    let also = [theirs, same_name, once, theirs];
    let left = house.app.erase(&house.all, patient, gone, "asked for", &also).await.unwrap();
    assert_eq!(told(left), [(same_id, NamedBy::SameIdentifier)]);
    for erased in [theirs, same_name, once] {
        house.app.recording(&house.all, erased).await.map(drop).unwrap_err();
    }
    for (kept, of) in [
        (nobody, None),
        (same_id, None),
        (moved, Some(other_patient)),
        (other, Some(other_patient)),
    ] {
        whole(&house, kept, of).await;
    }
    assert_eq!(house.blob_files(), 4);
    assert_eq!(house.on_disk(gone), Vec::<String>::new());
    working.end().await;
    house.check().await;
}
