//! Scores a delineation against the marks of experts.
//!
//! Each kind of point (onset, peak, offset of P, QRS, T) is matched on its own, one to one, nearest
//! pairs first, within 150 ms (as ANSI/AAMI EC57). A point found between the first and last marked
//! ones without a partner is a false one. Errors are found less marked, in ms.

use std::collections::BTreeMap;
use std::path::Path;

use precordia_analysis::{Delineation, Waves};

use crate::wfdb::{MarkedWave, Record, Wave, annotated, headers, marked_waves, read_record};

const TOLERANCE_MS: f64 = 150.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Onset,
    Peak,
    Offset,
}

pub type Kind = (Wave, Key);
pub type Points = BTreeMap<Kind, Vec<f64>>;

pub const KINDS: [Kind; 9] = [
    (Wave::P, Key::Onset),
    (Wave::P, Key::Peak),
    (Wave::P, Key::Offset),
    (Wave::Qrs, Key::Onset),
    (Wave::Qrs, Key::Peak),
    (Wave::Qrs, Key::Offset),
    (Wave::T, Key::Onset),
    (Wave::T, Key::Peak),
    (Wave::T, Key::Offset),
];

/// Errors of one kind of point, record by record.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub found: usize,
    pub missed: usize,
    pub false_ones: usize,
    pub records: BTreeMap<String, Vec<f64>>,
}

impl Tally {
    pub fn sensitivity(&self) -> f64 {
        100.0 * self.found as f64 / (self.found + self.missed) as f64
    }

    pub fn precision(&self) -> f64 {
        100.0 * self.found as f64 / (self.found + self.false_ones) as f64
    }

    pub fn f1(&self) -> f64 {
        let (s, p) = (self.sensitivity(), self.precision());
        2.0 * s * p / (s + p)
    }

    pub fn errors(&self) -> Vec<f64> {
        self.records.values().flatten().copied().collect()
    }

    pub fn bias(&self) -> f64 {
        mean(&self.errors())
    }

    pub fn deviation(&self) -> f64 {
        deviation(&self.errors())
    }

    /// Mean over the records of each record's own deviation.
    pub fn record_deviation(&self) -> f64 {
        let own: Vec<f64> =
            self.records.values().filter(|e| e.len() > 1).map(|e| deviation(e)).collect();
        mean(&own)
    }
}

pub type Table = BTreeMap<Kind, Tally>;

pub fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

pub fn deviation(x: &[f64]) -> f64 {
    let middle = mean(x);
    (x.iter().map(|e| (e - middle).powi(2)).sum::<f64>() / (x.len() as f64 - 1.0)).sqrt()
}

pub fn median(x: &mut [f64]) -> Option<f64> {
    x.sort_by(f64::total_cmp);
    let (low, high) = (x.get(x.len().checked_sub(1)? / 2)?, x.get(x.len() / 2)?);
    Some(0.5 * (low + high))
}

/// Points of experts' marks.
pub fn marked(waves: &[MarkedWave]) -> Points {
    let mut out = Points::new();
    for wave in waves {
        let places = [(Key::Onset, wave.onset), (Key::Peak, wave.peak), (Key::Offset, wave.offset)];
        for (key, at) in places {
            out.entry((wave.wave, key)).or_default().extend(at.map(|at| at as f64));
        }
    }
    tidy(out)
}

/// Points of a delineation: of one lead, or of all together.
pub fn found(delineation: &Delineation, lead: Option<usize>) -> Points {
    let mut out = Points::new();
    for beat in &delineation.beats {
        let waves: Waves = lead.map_or(beat.global, |lead| beat.leads[lead]);
        for (kind, wave) in [(Wave::P, waves.p), (Wave::Qrs, waves.qrs), (Wave::T, waves.t)] {
            let Some(wave) = wave else { continue };
            out.entry((kind, Key::Onset)).or_default().push(f64::from(wave.onset));
            out.entry((kind, Key::Peak)).or_default().push(f64::from(wave.peak));
            out.entry((kind, Key::Offset)).or_default().push(f64::from(wave.offset));
        }
    }
    tidy(out)
}

fn tidy(mut points: Points) -> Points {
    for places in points.values_mut() {
        places.sort_by(f64::total_cmp);
        places.dedup();
    }
    points
}

/// One to one, nearest first: the partner of each reference point, and which points have one.
fn matched(reference: &[f64], points: &[f64], tolerance: f64) -> (Vec<Option<usize>>, Vec<bool>) {
    let mut pairs = Vec::new();
    let mut low = 0;
    for (i, r) in reference.iter().enumerate() {
        while low < points.len() && points[low] < r - tolerance {
            low += 1;
        }
        let near = points.iter().enumerate().skip(low).take_while(|(_, p)| **p <= r + tolerance);
        pairs.extend(near.map(|(j, p)| ((p - r).abs(), i, j)));
    }
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let (mut partner, mut taken) = (vec![None; reference.len()], vec![false; points.len()]);
    for (_, i, j) in pairs {
        if partner[i].is_none() && !taken[j] {
            partner[i] = Some(j);
            taken[j] = true;
        }
    }
    (partner, taken)
}

/// Adds one annotated trace. Of several sets the nearest point counts, and the fewest false ones.
pub fn add(
    table: &mut Table,
    record: &str,
    kinds: &[Kind],
    reference: &Points,
    sets: &[Points],
    rate_hz: f64,
    successive: bool,
) {
    let all = || reference.values().flatten().copied();
    let (first, last) = (all().fold(f64::MAX, f64::min), all().fold(f64::MIN, f64::max));
    let empty = Vec::new();
    let spans = successive.then(|| spans(reference.get(&(Wave::Qrs, Key::Peak)).unwrap_or(&empty)));
    let counts = |p: f64| {
        (first..=last).contains(&p)
            && spans.as_ref().is_none_or(|s| s.iter().any(|(a, b)| (*a..=*b).contains(&p)))
    };
    for kind in kinds {
        let wanted = reference.get(kind).unwrap_or(&empty);
        let mut best: Vec<Option<f64>> = vec![None; wanted.len()];
        let mut fewest = usize::MAX;
        for set in sets {
            let points = set.get(kind).unwrap_or(&empty);
            let (partner, taken) = matched(wanted, points, TOLERANCE_MS * rate_hz / 1000.0);
            let lone = points.iter().zip(&taken).filter(|(p, taken)| !**taken && counts(**p));
            fewest = fewest.min(lone.count());
            for ((best, partner), wanted) in best.iter_mut().zip(partner).zip(wanted) {
                let Some(j) = partner else { continue };
                let error = (points[j] - wanted) * 1000.0 / rate_hz;
                if best.is_none_or(|b| error.abs() < b.abs()) {
                    *best = Some(error);
                }
            }
        }
        let tally = table.entry(*kind).or_default();
        let errors: Vec<f64> = best.iter().flatten().copied().collect();
        tally.found += errors.len();
        tally.missed += wanted.len() - errors.len();
        tally.false_ones += if sets.is_empty() { 0 } else { fewest };
        tally.records.entry(record.to_owned()).or_default().extend(errors);
    }
}

/// Between beats that were marked one after the other.
fn spans(qrs: &[f64]) -> Vec<(f64, f64)> {
    let mut rr: Vec<f64> = qrs.windows(2).map(|w| w[1] - w[0]).collect();
    rr.sort_by(f64::total_cmp);
    let Some(&usual) = rr.get(rr.len() / 4) else { return Vec::new() };
    qrs.windows(2).map(|w| (w[0], w[1])).filter(|(a, b)| b - a <= 1.25 * usual).collect()
}

/// Kinds of points that somebody marked.
pub fn kinds_of<'a>(references: impl Iterator<Item = &'a Points> + Clone) -> Vec<Kind> {
    let there = |kind: &Kind| {
        references.clone().any(|points| points.get(kind).is_some_and(|p| !p.is_empty()))
    };
    KINDS.into_iter().filter(there).collect()
}

/// A record of the Lobachevsky University database with the marks of each of its leads.
pub struct Marked {
    pub record: Record,
    pub marks: Vec<Vec<MarkedWave>>,
}

pub fn ludb() -> Vec<Marked> {
    let read = |header: &std::path::PathBuf| {
        let record = read_record(header)?;
        let marks = record
            .signals
            .iter()
            .map(|(name, _)| Some(marked_waves(&std::fs::read(header.with_extension(name)).ok()?)));
        let marks = marks.collect::<Option<Vec<_>>>()?;
        Some(Marked { record, marks })
    };
    headers(&annotated().join("ludb/data")).iter().filter_map(read).collect()
}

/// Global points of twelve leads: points of all leads that lie together, in at least six of them;
/// of onsets the second earliest counts, of offsets the second latest, of peaks the middle one.
pub fn global(leads: &[Points], rate_hz: f64) -> Points {
    let mut out = Points::new();
    for kind in KINDS {
        let mut all: Vec<(f64, usize)> = Vec::new();
        for (lead, points) in leads.iter().enumerate() {
            all.extend(points.get(&kind).into_iter().flatten().map(|&at| (at, lead)));
        }
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let gap = if kind.0 == Wave::T { 0.080 } else { 0.060 } * rate_hz;
        for group in all.chunk_by(|a, b| b.0 - a.0 <= gap) {
            let mut who: Vec<usize> = group.iter().map(|g| g.1).collect();
            who.sort_unstable();
            who.dedup();
            if who.len() < 6 {
                continue;
            }
            let at = match kind.1 {
                Key::Onset => group[1].0,
                Key::Offset => group[group.len() - 2].0,
                Key::Peak => group[group.len() / 2].0,
            };
            out.entry(kind).or_default().push(at);
        }
    }
    out
}

/// Intervals of a record, ms: the middle over leads of the middle over beats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Interval {
    P,
    Pr,
    Qrs,
    Qt,
}

pub const INTERVALS: [Interval; 4] = [Interval::P, Interval::Pr, Interval::Qrs, Interval::Qt];

pub fn interval(leads: &[Points], kind: Interval, rate_hz: f64) -> Option<f64> {
    let (from, to, low, high) = match kind {
        Interval::P => ((Wave::P, Key::Onset), (Wave::P, Key::Offset), 0.002, 0.3),
        Interval::Pr => ((Wave::P, Key::Onset), (Wave::Qrs, Key::Onset), 0.04, 0.45),
        Interval::Qrs => ((Wave::Qrs, Key::Onset), (Wave::Qrs, Key::Offset), 0.002, 0.3),
        Interval::Qt => ((Wave::Qrs, Key::Onset), (Wave::T, Key::Offset), 0.15, 0.8),
    };
    let of = |points: &Points| {
        let (from, to) = (points.get(&from)?, points.get(&to)?);
        let next = |(k, a): (usize, &f64)| {
            let end = from.get(k + 1).copied().unwrap_or(f64::MAX);
            let end = if kind == Interval::Pr { f64::MAX } else { end };
            let near =
                |b: &&f64| (low * rate_hz..=high * rate_hz).contains(&(**b - a)) && **b <= end;
            to.iter().find(near).map(|b| (b - a) * 1000.0 / rate_hz)
        };
        median(&mut from.iter().enumerate().filter_map(next).collect::<Vec<f64>>())
    };
    median(&mut leads.iter().filter_map(of).collect::<Vec<f64>>())
}

/// What a delineation of the database is worth.
#[derive(Default)]
pub struct LudbScore {
    pub leads: Table,
    pub global: Table,
    pub intervals: BTreeMap<Interval, Vec<f64>>,
}

impl LudbScore {
    pub fn add(&mut self, case: &Marked, delineation: &Delineation) {
        let rate_hz = case.record.rate.hz();
        let name = &case.record.name;
        let wanted: Vec<Points> = case.marks.iter().map(|marks| marked(marks)).collect();
        let kinds = kinds_of(wanted.iter());
        let lead_of = |name: &str| {
            delineation.leads.iter().position(|lead| lead.name().eq_ignore_ascii_case(name))
        };
        let got: Vec<Points> = case
            .record
            .signals
            .iter()
            .map(|(name, _)| {
                lead_of(name).map_or_else(Points::new, |l| found(delineation, Some(l)))
            })
            .collect();
        for (wanted, got) in wanted.iter().zip(&got) {
            let set = std::slice::from_ref(got);
            add(&mut self.leads, name, &kinds, wanted, set, rate_hz, false);
        }
        let together = global(&wanted, rate_hz);
        let kinds = kinds_of(std::iter::once(&together));
        let set = [found(delineation, None)];
        add(&mut self.global, name, &kinds, &together, &set, rate_hz, false);
        for kind in INTERVALS {
            let pair = interval(&got, kind, rate_hz).zip(interval(&wanted, kind, rate_hz));
            self.intervals.entry(kind).or_default().extend(pair.map(|(got, wanted)| got - wanted));
        }
    }
}

/// Markdown rows of a table.
pub fn print(title: &str, table: &Table, by_record: bool) {
    eprintln!(
        "\n{title}\n\n| point | n | Se % | PPV % | F1 % | bias ms | SD ms |{}",
        if by_record { " SD of a record ms |" } else { "" }
    );
    eprintln!("|---|---|---|---|---|---|---|{}", if by_record { "---|" } else { "" });
    for ((wave, key), t) in table {
        eprint!(
            "| {wave:?} {} | {} | {:.2} | {:.2} | {:.2} | {:+.1} | {:.1} |",
            format!("{key:?}").to_lowercase(),
            t.found + t.missed,
            t.sensitivity(),
            t.precision(),
            t.f1(),
            t.bias(),
            t.deviation()
        );
        eprintln!(
            "{}",
            if by_record { format!(" {:.1} |", t.record_deviation()) } else { String::new() }
        );
    }
}

pub fn print_intervals(intervals: &BTreeMap<Interval, Vec<f64>>) {
    eprintln!("\n| interval of a record | n | bias ms | SD ms |\n|---|---|---|---|");
    for (kind, errors) in intervals {
        eprintln!(
            "| {kind:?} | {} | {:+.1} | {:.1} |",
            errors.len(),
            mean(errors),
            deviation(errors)
        );
    }
}

/// Marks of one annotator of a record of the QT database.
pub fn marks(header: &Path, annotator: &str) -> Option<Points> {
    Some(marked(&marked_waves(&std::fs::read(header.with_extension(annotator)).ok()?)))
}
