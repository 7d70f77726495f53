//! A recording's past: its steps, and how it stood at a moment.

use precordia_app::{AppError, PastStep, Step};
use precordia_model::{ItemState, PatientId, RecordingId, Timestamp};

use crate::house::{House, Working, file, house};

/// A step in words, with patients by the names of the test.
fn told(past: &[PastStep], names: &[(PatientId, &str)]) -> Vec<String> {
    let name = |id: &PatientId| names.iter().find(|(one, _)| one == id).map_or("?", |(_, n)| n);
    let patient = |id: &Option<PatientId>| id.as_ref().map_or("nobody", name);
    past.iter()
        .map(|past| match &past.step {
            Step::Filed { patient: to, .. } => format!("filed {}", patient(to)),
            Step::Assigned { to } => format!("assigned {}", name(to)),
            Step::Unassigned { from, reason } => {
                format!("unassigned {}: {}", name(from), reason.reveal())
            }
            Step::Merged { from, into, reason } => {
                format!("merged {} {}: {}", name(from), name(into), reason.reveal())
            }
            Step::Unmerged { from, to, reason } => {
                format!("unmerged {} {}: {}", name(from), name(to), reason.reveal())
            }
        })
        .collect()
}

/// What a page shows now of whose it is and what applies, to be compared with the same page later.
async fn page(house: &House, id: RecordingId, as_of: Option<Timestamp>) -> String {
    let detail = match as_of {
        None => house.app.recording(&house.all, id).await.unwrap(),
        Some(at) => house.app.recording_as_of(&house.all, id, at).await.unwrap(),
    };
    let (row, facts) = (&detail.head.row, &detail.facts);
    assert_eq!(row.patient, facts.patient);
    let banner = detail.head.patient.as_ref().map(|banner| banner.id);
    assert_eq!(banner, row.patient);
    let flags = facts.flags.flags.iter().map(|flag| (flag.code, flag.severity)).collect::<Vec<_>>();
    assert_eq!(row.flags, flags);
    let items: Vec<_> = detail
        .provenance
        .iter()
        .map(|one| (one.item.row.id, one.item.row.state, one.item.row.reason.clone()))
        .collect();
    format!(
        "{:?} {:?} {:?} {:?} {} {:?} {items:?} {:?} {:?}",
        row.status,
        row.patient,
        row.patient_before_merge,
        facts.hold,
        row.version,
        row.flags,
        detail.head.summary.heart_rate_bpm,
        facts.measurements,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_that_was_shown_is_shown_again_as_of_its_moment() {
    let house = house().await;
    let working = Working::on(&house.app);
    let (_, a) = house.filed(&file("A-1", "Noether", 1)).await;
    let (_, b) = house.filed(&file("B-1", "Noether", 2)).await;
    let before = house.app.now();
    tokio::time::sleep(std::time::Duration::from_millis(3)).await;
    let item = house.send(&file("A-1", "Germain", 3)).await;
    let id = house.decided(item).await.row.recording.unwrap();
    let mut seen = Vec::new();
    // The page as it is, and a moment at which it was so.
    let look = async |seen: &mut Vec<(Timestamp, String)>| {
        tokio::time::sleep(std::time::Duration::from_millis(3)).await;
        seen.push((house.app.now(), page(&house, id, None).await));
        tokio::time::sleep(std::time::Duration::from_millis(3)).await;
    };
    look(&mut seen).await;
    house.app.assign(&house.all, id, a).await.unwrap();
    look(&mut seen).await;
    house.app.merge(&house.all, a, b, "the same person").await.unwrap();
    look(&mut seen).await;
    house.app.unmerge(&house.all, a, "two people").await.unwrap();
    look(&mut seen).await;
    house.app.unassign(&house.all, id, "not theirs").await.unwrap();
    look(&mut seen).await;
    house.app.assign(&house.all, id, b).await.unwrap();
    look(&mut seen).await;
    working.end().await;

    for (at, shown) in &seen {
        assert_eq!(page(&house, id, Some(*at)).await, *shown);
    }
    let pages: std::collections::BTreeSet<_> = seen.iter().map(|(_, shown)| shown).collect();
    assert!(pages.len() >= 5, "the pages hardly differ: {pages:?}");
    let early = house.app.recording_as_of(&house.all, id, before).await;
    assert!(matches!(early, Err(AppError::NotFound(_))), "{early:?}");

    let past = house.app.recording_history(&house.all, id).await.unwrap();
    assert_eq!(
        told(&past, &[(a, "A"), (b, "B")]),
        [
            "filed nobody",
            "assigned A",
            "merged A B: the same person",
            "unmerged B A: two people",
            "unassigned A: not theirs",
            "assigned B",
        ]
    );
    assert!(past.is_sorted_by(|x, y| x.position < y.position));
    assert_eq!(past[0].actor_name, None);
    assert!(past[0].actor.starts_with("system/"), "{}", past[0].actor);
    assert_eq!(past[1].actor_name.as_ref().map(|name| name.reveal().as_str()), Some("Display all"));

    // What the recording was once given to is erased: what that patient's events told is gone.
    house.app.erase(&house.all, a, "Noether", "asked for", &[]).await.unwrap();
    let past = house.app.recording_history(&house.all, id).await.unwrap();
    let left = told(&past, &[(a, "A"), (b, "B")]);
    assert_eq!(left, ["filed nobody", "assigned A", "unassigned A: not theirs", "assigned B"]);
    let (at, _) = seen[1];
    let then = house.app.recording_as_of(&house.all, id, at).await.unwrap();
    assert!(then.head.patient.is_none() && then.head.row.patient == Some(a));
    assert_eq!(then.provenance[0].item.row.state, ItemState::Filed);
}
