//! The Lobachevsky University database: 10 s, 12 leads, every wave of every lead marked by
//! cardiologists. The reference is global: the second earliest onset and second latest offset of
//! the leads, where at least six of them mark the wave.
//!
//! The figures held here are a floor for this version on the half of the database that is at hand.

#![allow(clippy::disallowed_methods, clippy::print_stderr)]

#[allow(dead_code)]
mod wfdb;

use std::collections::BTreeMap;
use std::path::Path;

use precordia_analysis::measure;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Point {
    POnset,
    QrsOnset,
    QrsPeak,
    QrsOffset,
    TOffset,
}

/// Points of one lead: `(`, the wave's symbol, `)`.
fn points(bytes: &[u8]) -> Vec<(Point, i64)> {
    const P: u16 = 24;
    const QRS: u16 = 1;
    const T: u16 = 27;
    const OPEN: u16 = 39;
    const CLOSE: u16 = 40;
    let marks = wfdb::annotations(bytes);
    let mut out = Vec::new();
    for (k, &(at, code)) in marks.iter().enumerate() {
        let onset = k.checked_sub(1).map(|k| marks[k]).filter(|m| m.1 == OPEN);
        let offset = marks.get(k + 1).filter(|m| m.1 == CLOSE);
        match code {
            P => out.extend(onset.map(|m| (Point::POnset, m.0))),
            QRS => {
                out.extend(onset.map(|m| (Point::QrsOnset, m.0)));
                out.push((Point::QrsPeak, at));
                out.extend(offset.map(|m| (Point::QrsOffset, m.0)));
            }
            T => out.extend(offset.map(|m| (Point::TOffset, m.0))),
            _ => {}
        }
    }
    out
}

/// Global points of a record, and the stretch that is annotated at all.
fn reference(header: &Path) -> (BTreeMap<Point, Vec<i64>>, std::ops::RangeInclusive<i64>) {
    let mut pooled: BTreeMap<Point, Vec<i64>> = BTreeMap::new();
    for lead in ["i", "ii", "iii", "avr", "avl", "avf", "v1", "v2", "v3", "v4", "v5", "v6"] {
        for (point, at) in
            std::fs::read(header.with_extension(lead)).map_or(Vec::new(), |bytes| points(&bytes))
        {
            pooled.entry(point).or_default().push(at);
        }
    }
    let all: Vec<i64> = pooled.values().flatten().copied().collect();
    let window = all.iter().copied().min().unwrap_or(0)..=all.iter().copied().max().unwrap_or(-1);
    for (point, places) in &mut pooled {
        places.sort_unstable();
        let gap = if *point == Point::TOffset { 40 } else { 30 };
        let groups = places.chunk_by(|a, b| b - a <= gap).filter(|group| group.len() >= 6);
        *places = groups
            .map(|group| match point {
                Point::POnset | Point::QrsOnset => group[1],
                Point::QrsPeak => group[group.len() / 2],
                Point::QrsOffset | Point::TOffset => group[group.len() - 2],
            })
            .collect();
    }
    (pooled, window)
}

/// Median distance from points of one kind to the next of another, ms at 500 Hz.
fn interval(
    from: Option<&Vec<i64>>,
    to: Option<&Vec<i64>>,
    ms: std::ops::RangeInclusive<f64>,
) -> Option<f64> {
    let (from, to) = (from?, to?);
    let next = |a: &i64| to.iter().map(|b| (b - a) as f64 * 2.0).find(|d| ms.contains(d));
    let mut found: Vec<f64> = from.iter().filter_map(next).collect();
    found.sort_by(f64::total_cmp);
    found.get(found.len() / 2).copied()
}

#[derive(Default)]
struct Errors(Vec<f64>);

impl Errors {
    fn add(&mut self, got: Option<f64>, wanted: Option<f64>) {
        self.0.extend(got.zip(wanted).map(|(got, wanted)| got - wanted));
    }

    fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    fn deviation(&self) -> f64 {
        let mean = self.mean();
        (self.0.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / (self.0.len() - 1) as f64).sqrt()
    }
}

#[test]
fn annotated_recordings_are_measured_as_cardiologists_measure_them() {
    let records = wfdb::headers(&wfdb::annotated().join("ludb/data"));
    if records.is_empty() {
        eprintln!("skipped: corpus not found (100 cases)");
        return;
    }
    let (mut pr, mut qrs, mut qt) = (Errors::default(), Errors::default(), Errors::default());
    let (mut hits, mut misses, mut extra, mut p_invented) = (0, 0, 0, 0);
    for header in &records {
        let measured = measure(&wfdb::read(header).expect("a record of the corpus is readable"));
        let (points, window) = reference(header);
        let beats = points.get(&Point::QrsPeak).cloned().unwrap_or_default();
        let near = |a: i64, b: i64| (a - b).abs() <= 75;
        let found = |beat: &i64| measured.r_peaks.iter().any(|&r| near(i64::from(r), *beat));
        hits += beats.iter().filter(|beat| found(beat)).count();
        misses += beats.iter().filter(|beat| !found(beat)).count();
        let real = |r: &&u32| beats.iter().any(|&beat| near(i64::from(**r), beat));
        extra += measured
            .r_peaks
            .iter()
            .filter(|r| window.contains(&i64::from(**r)) && !real(r))
            .count();

        let point = |point| points.get(&point);
        let wanted_pr = interval(point(Point::POnset), point(Point::QrsOnset), 40.0..=450.0);
        pr.add(measured.pr_ms.value(), wanted_pr);
        p_invented += usize::from(measured.pr_ms.value().is_some() && wanted_pr.is_none());
        qrs.add(
            measured.qrs_ms.value(),
            interval(point(Point::QrsOnset), point(Point::QrsOffset), 20.0..=300.0),
        );
        qt.add(
            measured.qt_ms.value(),
            interval(point(Point::QrsOnset), point(Point::TOffset), 150.0..=800.0),
        );
    }
    let (sensitivity, precision) = (
        f64::from(hits as u32) / f64::from((hits + misses) as u32),
        f64::from(hits as u32) / f64::from((hits + extra) as u32),
    );
    for (name, errors) in [("PR", &pr), ("QRS", &qrs), ("QT", &qt)] {
        eprintln!(
            "{name}: {} records, {:+.1} +- {:.1} ms",
            errors.0.len(),
            errors.mean(),
            errors.deviation()
        );
    }
    eprintln!("R peaks: found {:.2} %, right {:.2} %", 100.0 * sensitivity, 100.0 * precision);
    assert!(sensitivity > 0.995 && precision > 0.995, "{sensitivity} {precision}");
    assert_eq!(p_invented, 0, "PR where nobody marked a P wave");
    assert!(pr.0.len() >= 80 && pr.mean().abs() < 3.0 && pr.deviation() < 9.0, "PR");
    assert!(qrs.0.len() >= 97 && qrs.mean().abs() < 5.0 && qrs.deviation() < 9.5, "QRS");
    assert!(qt.0.len() >= 95 && qt.mean().abs() < 5.0 && qt.deviation() < 12.0, "QT");
}
