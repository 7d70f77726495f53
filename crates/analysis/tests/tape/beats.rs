//! Beats of the long corpora against the streaming measurer: found or not, and their classes.

use std::path::Path;

use precordia_analysis::holter::Holter;
use precordia_model::{BeatClass, HolterReport, Lead, SampleRate};

use super::{Mark, Tape, headers, marks, read};

/// ANSI/AAMI EC57 and the literature match beats within this.
const NEAR_S: f64 = 0.150;

/// A recording and what was found on it.
pub struct Taped {
    pub set: &'static str,
    pub name: String,
    pub rate_hz: f64,
    pub marks: Vec<Mark>,
    pub report: HolterReport,
}

/// The recordings of a corpus that have annotated beats.
pub fn corpus(root: &Path, set: &'static str, folder: &str) -> Vec<Taped> {
    let taped = headers(&root.join(folder)).into_iter().filter_map(|header| {
        let marks: Vec<Mark> = marks(&header, "atr").into_iter().filter(|m| beat(m.code)).collect();
        let tape = if marks.is_empty() { None } else { read(&header) }?;
        let report = measured(&tape)?;
        Some(Taped { set, name: tape.name.clone(), rate_hz: tape.rate_hz, marks, report })
    });
    taped.collect()
}

/// In blocks of one second, as they arrive.
pub fn measured(tape: &Tape) -> Option<HolterReport> {
    let leads = Lead::TWELVE.get(..tape.leads.len())?;
    let mut holter = Holter::new(SampleRate::from_hz(tape.rate_hz)?, leads).ok()?;
    let len = tape.leads.iter().map(|lead| lead.1.len()).min()?;
    let block = tape.rate_hz as usize;
    for from in (0..len).step_by(block) {
        let rows: Vec<&[f32]> =
            tape.leads.iter().map(|lead| &lead.1[from..(from + block).min(len)]).collect();
        holter.push(&rows).ok()?;
    }
    Some(holter.finish())
}

/// WFDB codes of beats: N L R a V F J A S E j / Q e n f ? B r.
fn beat(code: u16) -> bool {
    matches!(code, 1..=13 | 25 | 30 | 34 | 35 | 38 | 41)
}

/// The classes of ANSI/AAMI EC57.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    Normal,
    Supraventricular,
    Ventricular,
    /// Fusion, paced, unclassifiable: neither a hit nor a false alarm of the others.
    Neither,
}

fn truth(code: u16) -> Truth {
    match code {
        1 | 2 | 3 | 11 | 34 => Truth::Normal,
        4 | 7 | 8 | 9 => Truth::Supraventricular,
        5 | 10 => Truth::Ventricular,
        _ => Truth::Neither,
    }
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Found {
    pub hits: usize,
    pub missed: usize,
    pub false_alarms: usize,
}

impl Found {
    pub fn sensitivity(&self) -> f64 {
        100.0 * self.hits as f64 / (self.hits + self.missed).max(1) as f64
    }

    pub fn predictivity(&self) -> f64 {
        100.0 * self.hits as f64 / (self.hits + self.false_alarms).max(1) as f64
    }

    pub fn add(&mut self, other: Found) {
        self.hits += other.hits;
        self.missed += other.missed;
        self.false_alarms += other.false_alarms;
    }
}

/// Beats, ventricular beats and supraventricular beats of one recording.
pub struct Score {
    pub beats: Found,
    pub ventricular: Found,
    pub supraventricular: Found,
}

/// One to one, nearest first, within the first and last annotated beat.
pub fn score(taped: &Taped) -> Score {
    let near = (NEAR_S * taped.rate_hz) as i64;
    let own: Vec<(i64, BeatClass)> =
        taped.report.beats.iter().map(|beat| (beat.at as i64, beat.class)).collect();
    let mut pairs: Vec<(i64, usize, usize)> = Vec::new();
    let mut from = 0;
    for (k, mark) in taped.marks.iter().enumerate() {
        while own.get(from).is_some_and(|b| b.0 < mark.at - near) {
            from += 1;
        }
        let close = own[from..].iter().take_while(|b| b.0 <= mark.at + near).enumerate();
        pairs.extend(close.map(|(j, b)| ((b.0 - mark.at).abs(), k, from + j)));
    }
    pairs.sort_unstable();
    let mut of_mark: Vec<Option<usize>> = vec![None; taped.marks.len()];
    let mut of_beat: Vec<Option<usize>> = vec![None; own.len()];
    for (_, mark, beat) in pairs {
        if of_mark[mark].is_none() && of_beat[beat].is_none() {
            of_mark[mark] = Some(beat);
            of_beat[beat] = Some(mark);
        }
    }
    let window = taped.marks[0].at..=taped.marks[taped.marks.len() - 1].at;
    let extra = |at: usize| of_beat[at].is_none() && window.contains(&own[at].0);
    let beats = Found {
        hits: of_mark.iter().flatten().count(),
        missed: of_mark.iter().filter(|m| m.is_none()).count(),
        false_alarms: (0..own.len()).filter(|&at| extra(at)).count(),
    };
    let of_class = |class: BeatClass, wanted: Truth| {
        let mut found = Found::default();
        for (mark, beat) in taped.marks.iter().zip(&of_mark) {
            let said = beat.is_some_and(|at| own[at].1 == class);
            match truth(mark.code) {
                t if t == wanted && said => found.hits += 1,
                t if t == wanted => found.missed += 1,
                Truth::Neither => {}
                _ => found.false_alarms += usize::from(said),
            }
        }
        found.false_alarms += (0..own.len()).filter(|&at| extra(at) && own[at].1 == class).count();
        found
    };
    Score {
        beats,
        ventricular: of_class(BeatClass::Ventricular, Truth::Ventricular),
        supraventricular: of_class(BeatClass::Supraventricular, Truth::Supraventricular),
    }
}
