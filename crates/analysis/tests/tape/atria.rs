//! Recordings and windows of recordings with and without atrial fibrillation or flutter.

use std::path::Path;

use precordia_analysis::measure;
use precordia_model::{AtrialEvidence, Measurements};

use super::{Mark, Tape, headers, marks, read, table};

/// One judged recording or window.
pub struct Case {
    pub set: &'static str,
    pub record: String,
    /// Whose heart it is: never on both sides of a cross-validation.
    pub person: String,
    pub fibrillation: bool,
    pub evidence: Option<AtrialEvidence>,
}

/// Windows of the long recordings, seconds; and every how many of them, where all are alike.
const WINDOW_S: f64 = 30.0;
const ONE_OF: usize = 5;

fn atria(measurements: &Measurements) -> Option<AtrialEvidence> {
    measurements.rhythm_report.as_ref()?.atria
}

fn case(set: &'static str, tape: &Tape, fibrillation: bool) -> Option<Case> {
    let evidence = atria(&measure(&tape.recording()?));
    Some(Case { set, record: tape.name.clone(), person: tape.name.clone(), fibrillation, evidence })
}

/// LUDB, 10 s, 12 leads: fibrillation and flutter against all else.
pub fn ludb(root: &Path) -> Vec<Case> {
    let labels = table(&root.join("ludb/ludb.csv"));
    let cases = headers(&root.join("ludb/data")).into_iter().filter_map(|header| {
        let tape = read(&header)?;
        let rhythm = labels.get(&tape.name)?.get(3)?;
        let found = rhythm.contains("fibrillation") || rhythm.contains("flutter");
        case("LUDB", &tape, found)
    });
    cases.collect()
}

/// The sample of CinC 2017, one lead: fibrillation against normal and other rhythms; the noisy ones
/// have no label.
pub fn cinc2017(root: &Path) -> Vec<Case> {
    let folder = root.join("cinc2017");
    let Ok(files) = std::fs::read_dir(&folder) else { return Vec::new() };
    let labels = files
        .filter_map(|file| Some(file.ok()?.path()))
        .find(|path| path.extension().is_some_and(|e| e == "csv"))
        .map(|path| table(&path))
        .unwrap_or_default();
    let cases = headers(&folder).into_iter().filter_map(|header| {
        let tape = read(&header)?;
        let label = labels.get(&tape.name)?.get(1)?;
        (label != "~").then(|| case("CinC 2017", &tape, label == "A"))?
    });
    cases.collect()
}

/// The sample of CinC 2021, 10 s, 12 leads: SNOMED codes in the header.
pub fn cinc2021(root: &Path) -> Vec<Case> {
    const FIBRILLATION: &str = "164889003";
    const FLUTTER: &str = "164890007";
    let cases = headers(&root.join("cinc2021")).into_iter().filter_map(|header| {
        let tape = read(&header)?;
        let codes = tape.comments.iter().find_map(|line| line.strip_prefix("Dx:"))?;
        let found = codes.split(',').any(|code| [FIBRILLATION, FLUTTER].contains(&code.trim()));
        case("CinC 2021", &tape, found)
    });
    cases.collect()
}

/// CPSC 2021, two leads: windows that lie in an episode or outside any.
pub fn cpsc2021(root: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    for header in headers(&root.join("cpsc2021")) {
        let Some(tape) = read(&header) else { continue };
        let episodes = episodes(&marks(&header, "atr"), tape.leads[0].1.len());
        // The name is data_PERSON_PART.
        let person = tape.name.rsplit_once('_').map_or(tape.name.as_str(), |(person, _)| person);
        for (from, to, part) in windows(&tape, 1) {
            let inside: usize =
                episodes.iter().map(|&(a, b)| b.min(to).saturating_sub(a.max(from))).sum();
            if inside == 0 || inside == to - from {
                let case = case("CPSC 2021", &part, inside > 0);
                cases.extend(case.map(|case| Case { person: person.to_owned(), ..case }));
            }
        }
    }
    cases
}

/// Stretches of fibrillation or flutter, samples.
pub fn episodes(marks: &[Mark], len: usize) -> Vec<(usize, usize)> {
    let rhythms = marks.iter().filter(|mark| mark.text.starts_with('('));
    let mut found: Vec<(usize, usize)> = Vec::new();
    let mut since = None;
    for mark in rhythms {
        let (at, fibrillation) = (mark.at as usize, ["(AFIB", "(AFL"].contains(&&*mark.text));
        match (since, fibrillation) {
            (None, true) => since = Some(at),
            (Some(from), false) => {
                found.push((from, at));
                since = None;
            }
            _ => {}
        }
    }
    found.extend(since.map(|from| (from, len)));
    found
}

/// Windows of long recordings without fibrillation: early beats, pauses, noise. Those without
/// annotated beats are left out: nobody says what their rhythm is.
pub fn without(root: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    for (set, folder) in [("QTDB", "qtdb"), ("MIT-BIH", "mitdb"), ("SVDB", "svdb")] {
        for header in headers(&root.join(folder)) {
            if marks(&header, "atr").is_empty() {
                continue;
            }
            let Some(tape) = read(&header) else { continue };
            cases.extend(windows(&tape, ONE_OF).filter_map(|(_, _, part)| case(set, &part, false)));
        }
    }
    cases
}

/// First sample, end, and the window itself.
fn windows(tape: &Tape, one_of: usize) -> impl Iterator<Item = (usize, usize, Tape)> + '_ {
    let width = (WINDOW_S * tape.rate_hz) as usize;
    let len = tape.leads.first().map_or(0, |lead| lead.1.len());
    (0..len / width).step_by(one_of).map(move |k| {
        let (from, to) = (k * width, (k + 1) * width);
        (from, to, tape.part(from, to))
    })
}

/// Records judged, found among those with it, and found among those without.
#[derive(Clone, Copy, Default, Debug)]
pub struct Counts {
    pub with: usize,
    pub found: usize,
    pub without: usize,
    pub false_alarms: usize,
}

impl Counts {
    pub fn add(&mut self, truth: bool, said: bool) {
        self.with += usize::from(truth);
        self.without += usize::from(!truth);
        self.found += usize::from(truth && said);
        self.false_alarms += usize::from(!truth && said);
    }

    pub fn of(cases: &[Case]) -> Self {
        let mut counts = Counts::default();
        for case in cases {
            let said = case.evidence.is_some_and(|e| e.fibrillation_or_flutter);
            counts.add(case.fibrillation, said);
        }
        counts
    }

    pub fn sensitivity(&self) -> f64 {
        100.0 * self.found as f64 / self.with.max(1) as f64
    }

    pub fn specificity(&self) -> f64 {
        100.0 * (self.without - self.false_alarms) as f64 / self.without.max(1) as f64
    }
}
