//! How well waves are marked: on the development half of the Lobachevsky University database and
//! on the QT database, which the weights have not seen. Fails where a figure falls under its floor.
//! With `--nocapture` it prints the tables of `docs/accuracy.md`.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::print_stderr)]

#[allow(dead_code)]
mod score;
#[allow(dead_code)]
mod wfdb;

use precordia_analysis::delineate;
use score::{
    Interval, Key, LudbScore, Points, Table, add, deviation, found, kinds_of, marks, mean,
};
use wfdb::Wave;

#[track_caller]
fn at_most(what: &str, value: f64, limit: f64) {
    assert!(value <= limit, "{what}: {value:.2}, and at most {limit} is allowed");
}

#[track_caller]
fn at_least(what: &str, value: f64, limit: f64) {
    assert!(value >= limit, "{what}: {value:.2}, and at least {limit} is wanted");
}

#[test]
fn waves_are_marked_as_the_cardiologists_of_ludb_mark_them() {
    let cases = score::ludb();
    if cases.is_empty() {
        eprintln!("skipped: corpus not found (100 cases)");
        return;
    }
    let mut score = LudbScore::default();
    for case in &cases {
        score.add(case, &delineate(&case.record.recording().rhythm));
    }
    score::print("LUDB, each lead, records that the weights were fitted on", &score.leads, false);
    score::print("LUDB, all leads together", &score.global, false);
    score::print_intervals(&score.intervals);

    let peak = &score.leads[&(Wave::Qrs, Key::Peak)];
    at_least("R peaks found", peak.sensitivity(), 99.8);
    at_least("R peaks right", peak.precision(), 99.8);
    let lead_floors = [
        (Wave::P, Key::Onset, 97.8, 17.0),
        (Wave::P, Key::Offset, 97.8, 16.0),
        (Wave::Qrs, Key::Onset, 99.8, 11.0),
        (Wave::Qrs, Key::Offset, 99.8, 11.0),
        (Wave::T, Key::Offset, 99.0, 21.0),
    ];
    check(&score.leads, &lead_floors);
    let global_floors = [
        (Wave::P, Key::Onset, 98.5, 10.2),
        (Wave::P, Key::Offset, 98.5, 10.0),
        (Wave::Qrs, Key::Onset, 99.8, 9.0),
        (Wave::Qrs, Key::Offset, 99.8, 9.5),
        (Wave::T, Key::Offset, 99.0, 16.0),
    ];
    check(&score.global, &global_floors);
    for (kind, limit) in [(Interval::Pr, 9.0), (Interval::Qrs, 8.0), (Interval::Qt, 9.0)] {
        let errors = &score.intervals[&kind];
        at_most(&format!("{kind:?} bias"), mean(errors).abs(), 3.0);
        at_most(&format!("{kind:?}"), deviation(errors), limit);
    }
}

fn check(table: &Table, floors: &[(Wave, Key, f64, f64)]) {
    for &(wave, key, f1, limit) in floors {
        let tally = &table[&(wave, key)];
        let what = format!("{wave:?} {key:?}");
        at_least(&what, tally.f1(), f1);
        at_most(&what, tally.deviation(), limit);
        at_most(
            &format!("{what} bias"),
            tally.bias().abs(),
            if wave == Wave::T { 6.0 } else { 3.0 },
        );
    }
}

#[test]
fn holter_recordings_of_other_people_are_marked_steadily() {
    let headers = wfdb::headers(&wfdb::annotated().join("qtdb"));
    if headers.is_empty() {
        eprintln!("skipped: corpus not found (53 cases)");
        return;
    }
    let (mut waves, mut beats, mut experts) = (Table::new(), Table::new(), Table::new());
    for header in &headers {
        let record = wfdb::read_record(header).expect("a record of the corpus is readable");
        let rate_hz = record.rate.hz();
        let delineation = delineate(&record.recording().rhythm);
        let all = found(&delineation, None);
        let mut sets: Vec<Points> =
            (0..delineation.leads.len()).map(|lead| found(&delineation, Some(lead))).collect();
        sets.push(all.clone());
        if let Some(wanted) = marks(header, "q1c") {
            let kinds = kinds_of(std::iter::once(&wanted));
            add(&mut waves, &record.name, &kinds, &wanted, &sets, rate_hz, true);
            if let Some(second) = marks(header, "q2c") {
                let mut kinds = kinds_of(std::iter::once(&second));
                kinds.retain(|kind| wanted.get(kind).is_some_and(|places| !places.is_empty()));
                add(&mut experts, &record.name, &kinds, &wanted, &[second], rate_hz, true);
            }
        }
        if let Ok(bytes) = std::fs::read(header.with_extension("atr")) {
            let kinds = [(Wave::Qrs, Key::Peak)];
            let beat = |(at, code): (i64, u16)| wfdb::is_beat(code).then_some(at as f64);
            let places = wfdb::annotations(&bytes).into_iter().filter_map(beat).collect();
            let peaks = Points::from([(kinds[0], places)]);
            add(&mut beats, &record.name, &kinds, &peaks, &[all], rate_hz, false);
        }
    }
    score::print("QTDB, the better of the two leads", &waves, true);
    score::print("QTDB, beats", &beats, true);
    score::print("QTDB, the second expert against the first", &experts, true);

    let floors = [
        (Wave::P, Key::Onset, 12.0),
        (Wave::P, Key::Offset, 10.5),
        (Wave::Qrs, Key::Onset, 7.0),
        (Wave::Qrs, Key::Offset, 8.2),
        (Wave::T, Key::Offset, 15.0),
    ];
    for (wave, key, limit) in floors {
        at_most(&format!("{wave:?} {key:?}"), waves[&(wave, key)].record_deviation(), limit);
    }
    let peaks = &beats[&(Wave::Qrs, Key::Peak)];
    at_least("beats found", peaks.sensitivity(), 99.95);
    at_least("beats right", peaks.precision(), 99.95);
}
