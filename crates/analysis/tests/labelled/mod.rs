//! Real recordings with diagnoses: LUDB (its table of diagnoses), CinC 2021 (SNOMED codes in the
//! headers) and PTB (text in the header), and which of them says what of each statement.

#![allow(clippy::disallowed_methods)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use precordia_analysis::{Limits, RhythmEvidence, Subject, measure, state};
use precordia_model::{Sex, StatementCode, StatementReport};

#[allow(dead_code)]
#[path = "../wfdb/mod.rs"]
mod wfdb;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Corpus {
    Ludb,
    Cinc2021,
    Ptb,
}

impl Corpus {
    pub const ALL: [Corpus; 3] = [Corpus::Ludb, Corpus::Cinc2021, Corpus::Ptb];

    pub const fn name(self) -> &'static str {
        match self {
            Corpus::Ludb => "LUDB",
            Corpus::Cinc2021 => "CinC2021",
            Corpus::Ptb => "PTB",
        }
    }
}

/// A recording: what its experts say, in lower case or as SNOMED codes, and what we state.
pub struct Case {
    pub corpus: Corpus,
    pub record: String,
    pub says: BTreeSet<String>,
    pub report: StatementReport,
}

pub fn root() -> PathBuf {
    std::env::var_os("PRECORDIA_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    )
}

/// Every labelled recording under a folder, in the order of their names.
pub fn cases(root: &Path) -> Vec<Case> {
    let folder = |name: &str| root.join("annotated").join(name);
    let mut cases = Vec::new();
    let table = std::fs::read_to_string(folder("ludb/ludb.csv")).unwrap_or_default();
    let rows = csv(&table);
    for header in headers(&folder("ludb/data")) {
        let record = stem(&header);
        let Some(row) = rows.iter().find(|row| row[0] == record) else { continue };
        let columns = rows[0].iter().zip(row).skip(3);
        let says =
            columns.flat_map(|(_, cell)| cell.lines().map(|line| line.trim().to_lowercase()));
        let subject = subject(&row[1], &row[2]);
        cases.extend(case(
            Corpus::Ludb,
            &header,
            subject,
            says.filter(|s| !s.is_empty()).collect(),
        ));
    }
    for (corpus, name) in [(Corpus::Cinc2021, "cinc2021"), (Corpus::Ptb, "ptb")] {
        for header in headers(&folder(name)) {
            let text = std::fs::read_to_string(&header).unwrap_or_default();
            let comment = |key: &str| {
                let line = text.lines().find_map(|line| {
                    let line = line.trim_start_matches('#').trim();
                    line.to_lowercase().starts_with(key).then(|| line[key.len()..].trim())
                });
                line.unwrap_or_default().to_owned()
            };
            let says = match corpus {
                Corpus::Cinc2021 => comment("dx:").split(',').map(|c| c.trim().into()).collect(),
                _ => text.lines().map(str::to_lowercase).collect(),
            };
            let subject = subject(&comment("sex:"), &comment("age:"));
            cases.extend(case(corpus, &header, subject, says));
        }
    }
    cases
}

fn case(corpus: Corpus, header: &Path, subject: Subject, says: BTreeSet<String>) -> Option<Case> {
    let recording = match corpus {
        Corpus::Ludb => wfdb::read_microvolts(header)?,
        Corpus::Cinc2021 | Corpus::Ptb => wfdb::read(header)?,
    };
    let measured = measure(&recording);
    let report = state(&measured, subject, &Limits::default(), &RhythmEvidence::of(&measured));
    Some(Case { corpus, record: stem(header), says, report })
}

fn subject(sex: &str, age: &str) -> Subject {
    let sex = match sex.trim().chars().next().map(|c| c.to_ascii_lowercase()) {
        Some('m') => Some(Sex::Male),
        Some('f') => Some(Sex::Female),
        _ => None,
    };
    Subject { age_years: age.trim().parse().ok(), sex }
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

fn headers(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut headers: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    headers.retain(|path| path.extension().is_some_and(|e| e == "hea"));
    headers.sort();
    headers
}

/// Rows of comma-separated text whose quoted cells may hold commas and line ends.
fn csv(text: &str) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    let mut quoted = false;
    for c in text.chars() {
        let row = rows.last_mut().expect("there is always a row");
        let cell = row.last_mut().expect("a row has a cell");
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(String::new()),
            '\n' if !quoted => rows.push(vec![String::new()]),
            '\r' => {}
            c => cell.push(c),
        }
    }
    for cell in rows.iter_mut().flatten() {
        *cell = cell.trim().to_owned();
    }
    rows.retain(|row| row.len() > 3);
    rows
}

/// Whether the experts of a recording say it; `None` where its corpus does not label it.
pub fn truth(code: StatementCode, case: &Case) -> Option<bool> {
    match case.corpus {
        Corpus::Ludb => {
            let words = ludb(code)?;
            Some(case.says.iter().any(|said| words.iter().any(|word| said.starts_with(word))))
        }
        Corpus::Cinc2021 => {
            let codes = cinc(code)?;
            Some(codes.iter().any(|code| case.says.contains(*code)))
        }
        Corpus::Ptb => ptb(code, &case.says),
    }
}

fn ludb(code: StatementCode) -> Option<&'static [&'static str]> {
    use StatementCode as S;
    Some(match code {
        S::SinusRhythm => &["sinus rhythm", "sinus arrhythmia", "irregular sinus rhythm"],
        S::SinusTachycardia => &["sinus tachycardia"],
        S::SinusBradycardia => &["sinus bradycardia"],
        S::AtrialFibrillation => &["atrial fibrillation"],
        S::AtrialFlutter => &["atrial flutter"],
        S::SupraventricularEctopy => &["atrial extrasystole"],
        S::VentricularEctopy => &["ventricular extrasystole"],
        S::FirstDegreeAvBlock => &["i degree av block"],
        S::SecondDegreeAvBlock => &["ii degree av"],
        S::ThirdDegreeAvBlock => &["iii degree av-block"],
        S::PacedRhythm => &[
            "bipolar ventricular pacing",
            "unipolar ventricular pacing",
            "biventricular pacing",
            "pacemaker presence",
        ],
        S::WideQrs => &["complete left bundle", "complete right bundle"],
        S::LeftBundleBranchBlock => &["complete left bundle branch block"],
        S::RightBundleBranchBlock => &["complete right bundle branch block"],
        S::IncompleteLeftBundleBranchBlock => &["incomplete left bundle branch block"],
        S::IncompleteRightBundleBranchBlock => &["incomplete right bundle branch block"],
        S::IntraventricularConductionDelay => &["non-specific intravintricular conduction delay"],
        S::LeftAnteriorFascicularBlock => &["left anterior hemiblock"],
        S::LeftPosteriorFascicularBlock => &["left posterior hemiblock"],
        S::LeftVentricularHypertrophy => &["left ventricular hypertrophy"],
        S::RightVentricularHypertrophy => &["right ventricular hypertrophy"],
        S::LeftAtrialEnlargement => &["left atrial hypertrophy", "left atrial overload"],
        S::RightAtrialEnlargement => &["right atrial hypertrophy", "right atrial overload"],
        S::StemiCriteriaAnterior => &["stemi: anterior", "stemi: septal", "stemi: apical"],
        S::StemiCriteriaInferior => &["stemi: inferior"],
        S::StemiCriteriaLateral => &["stemi: lateral"],
        S::InfarctQAnterior => {
            &["scar formation: anterior", "scar formation: septal", "scar formation: apical"]
        }
        S::InfarctQInferior => &["scar formation: inferior"],
        S::InfarctQLateral => &["scar formation: lateral"],
        S::InfarctRPosterior => &["scar formation: posterior"],
        S::EarlyRepolarization => &["early repolarization"],
        _ => return None,
    })
}

fn cinc(code: StatementCode) -> Option<&'static [&'static str]> {
    use StatementCode as S;
    Some(match code {
        S::SinusRhythm => &["426783006", "427393009"],
        S::SinusTachycardia => &["427084000"],
        S::SinusBradycardia => &["426177001"],
        S::AtrialFibrillation => &["164889003", "195080001"],
        S::AtrialFlutter => &["164890007", "195080001"],
        S::SupraventricularEctopy => &["284470004", "63593006"],
        S::VentricularEctopy => &["427172004", "17338001", "164884008"],
        S::FirstDegreeAvBlock => &["270492004", "164947007"],
        S::SecondDegreeAvBlock => &["195042002", "426183003", "54016002"],
        S::ThirdDegreeAvBlock => &["27885002"],
        S::PacedRhythm => &["10370003", "251266004"],
        S::WideQrs => &["733534002", "164909002", "713427006", "59118001"],
        S::LeftBundleBranchBlock => &["733534002", "164909002"],
        S::RightBundleBranchBlock => &["713427006", "59118001"],
        S::IncompleteLeftBundleBranchBlock => &["251120003"],
        S::IncompleteRightBundleBranchBlock => &["713426002"],
        S::IntraventricularConductionDelay => &["698252002"],
        S::LeftAnteriorFascicularBlock => &["445118002"],
        S::LeftPosteriorFascicularBlock => &["445211001"],
        S::VentricularPreExcitation => &["195060002", "74390002"],
        S::LeftVentricularHypertrophy => &["164873001", "55827005"],
        S::RightVentricularHypertrophy => &["89792004"],
        S::LeftAtrialEnlargement => &["67741000119109", "253352002", "446813000"],
        S::RightAtrialEnlargement => &["253339007", "446358003", "67751000119106"],
        S::LowVoltage => &["251146004"],
        S::EarlyRepolarization => &["428417006"],
        S::BrugadaType1Pattern => &["418818005"],
        S::ShortQt => &["77867006"],
        _ => return None,
    })
}

/// The one word that PTB says of where an infarction is; what it is called ends anywhere.
fn ptb(code: StatementCode, says: &BTreeSet<String>) -> Option<bool> {
    use StatementCode as S;
    let words: &[&str] = match code {
        S::StemiCriteriaAnterior | S::InfarctQAnterior => &["anter", "antero", "septal"],
        S::StemiCriteriaInferior | S::InfarctQInferior => &["infer"],
        S::StemiCriteriaLateral | S::InfarctQLateral => &["later"],
        _ => return None,
    };
    let acute = matches!(
        code,
        S::StemiCriteriaAnterior | S::StemiCriteriaInferior | S::StemiCriteriaLateral
    );
    let line = if acute { "acute infarction" } else { "infarction (localization)" };
    let lines = says.iter().filter(|said| said.contains(line));
    Some(lines.into_iter().any(|said| words.iter().any(|word| said.contains(word))))
}

/// What a statement did on the recordings that are labelled for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    pub found: u32,
    pub missed: u32,
    pub false_found: u32,
    pub quiet: u32,
    /// Of the cases, those that were not judged; they count as missed.
    pub cases_not_judged: u32,
    /// Without the diagnosis and not judged; they count for nothing.
    pub others_not_judged: u32,
}

impl Score {
    pub fn of(code: StatementCode, cases: &[Case], corpus: Option<Corpus>) -> Score {
        let mut score = Score::default();
        for case in cases.iter().filter(|case| corpus.is_none_or(|c| c == case.corpus)) {
            let Some(is_case) = truth(code, case) else { continue };
            let stated = case.report.get(code).is_some();
            let skipped = case.report.not_evaluated.iter().any(|(c, _)| *c == code);
            let place = match (is_case, stated) {
                (true, true) => &mut score.found,
                (true, false) => &mut score.missed,
                (false, true) => &mut score.false_found,
                (false, false) if skipped => &mut score.others_not_judged,
                (false, false) => &mut score.quiet,
            };
            *place += 1;
            score.cases_not_judged += u32::from(is_case && skipped);
        }
        score
    }

    pub const fn cases(&self) -> u32 {
        self.found + self.missed
    }

    pub const fn others(&self) -> u32 {
        self.false_found + self.quiet
    }
}

/// Wilson's interval of a share, 95%.
pub fn wilson(part: u32, whole: u32) -> Option<(f64, f64, f64)> {
    if whole == 0 {
        return None;
    }
    let (n, z) = (f64::from(whole), 1.96_f64);
    let p = f64::from(part) / n;
    let middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    Some((p, (middle - half).max(0.0), (middle + half).min(1.0)))
}
