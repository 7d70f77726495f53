//! Two recordings of one person: changes are told from their limit on, in the right direction.

#![allow(clippy::unwrap_used)]

use precordia_analysis::measure;
use precordia_analysis::serial::{Compared, compare};
use precordia_model::{Lead, Measured, Measurements, MissingReason, Rhythm};
use precordia_synth::{Spec, synthesize};

fn measured(spec: Spec) -> Measurements {
    measure(&synthesize(&spec).recording)
}

#[test]
fn an_unchanged_heart_has_no_changes() {
    let first = measured(Spec { seed: 1, ..Spec::default() });
    let second = measured(Spec { seed: 2, ..Spec::default() });
    let comparison = compare(&first, &second);
    assert_eq!(comparison.changes, []);
    assert_eq!((comparison.rhythm, comparison.not_compared.len()), (None, 0));
}

#[test]
fn what_changed_is_told_with_its_direction_and_nothing_else_is() {
    let first = measured(Spec::default());
    let second =
        measured(Spec { pr_ms: 230.0, st_uv: [(Lead::V2, 250.0)].into(), ..Spec::default() });
    let changes = compare(&first, &second).changes;
    let found: Vec<Compared> = changes.iter().map(|change| change.of).collect();
    assert!(found.contains(&Compared::Pr) && found.contains(&Compared::St(Lead::V2)), "{found:?}");
    assert_eq!(found.len(), 2, "{changes:?}");
    assert!(changes.iter().all(|change| change.difference > change.of.limit()));
    let back = compare(&second, &first).changes;
    assert!(back.iter().all(|change| change.difference < 0.0));
}

#[test]
fn a_change_is_told_from_its_limit_on() {
    let mut first = measured(Spec::default());
    let mut second = first.clone();
    first.qrs_ms = Measured::Value(90.0);
    second.qrs_ms = Measured::Value(104.9);
    assert_eq!(compare(&first, &second).changes, []);
    second.qrs_ms = Measured::Value(105.0);
    assert_eq!(compare(&first, &second).changes[0].of, Compared::Qrs);
}

#[test]
fn an_axis_turns_the_shorter_way() {
    let mut first = measured(Spec::default());
    let mut second = first.clone();
    first.axis_deg.qrs = Measured::Value(170.0);
    second.axis_deg.qrs = Measured::Value(-150.0);
    let change = compare(&first, &second).changes[0];
    assert_eq!((change.of, change.difference), (Compared::QrsAxis, 40.0));
}

#[test]
fn what_one_recording_lacks_is_not_compared_and_the_rhythm_is() {
    let first = measured(Spec::default());
    let mut second = first.clone();
    second.rhythm = Rhythm::AtrialFibrillation;
    second.pr_ms = Measured::Missing(MissingReason::Rhythm);
    let comparison = compare(&first, &second);
    assert_eq!(comparison.rhythm, Some((Rhythm::Sinus, Rhythm::AtrialFibrillation)));
    assert_eq!(comparison.not_compared, [(Compared::Pr, MissingReason::Rhythm)]);
    second.rhythm = Rhythm::Undetermined;
    assert_eq!(compare(&first, &second).rhythm, None);
}
