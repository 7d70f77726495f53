//! The figures of rhythm on the annotated corpora, as Markdown tables; with `fit`, the model of
//! atrial fibrillation fitted anew on them, with its cross-validation.
//!
//! `PRECORDIA_CORPUS=... cargo run --release -p precordia-analysis --example rhythm [-- fit]`

#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::print_stderr)]

mod fit;
#[path = "../../tests/tape/mod.rs"]
mod tape;

use std::path::Path;

use tape::atria::{self, Case, Counts};
use tape::beats::{self, Found, Taped};

fn main() {
    let Some(root) = tape::corpus() else {
        eprintln!("no corpus; set PRECORDIA_CORPUS to the folder that holds `annotated`");
        std::process::exit(2);
    };
    let mut cases = atria::ludb(&root);
    cases.extend(atria::cinc2017(&root));
    cases.extend(atria::cpsc2021(&root));
    cases.extend(atria::cinc2021(&root));
    cases.extend(atria::without(&root));
    if std::env::args().any(|argument| argument == "fit") {
        fit::print(&cases);
        return;
    }
    println!("## Atrial fibrillation and flutter\n");
    print_atria(&cases, |case| case.evidence.is_some_and(|e| e.fibrillation_or_flutter));
    let mut tapes = beats::corpus(&root, "QTDB", "qtdb");
    tapes.extend(beats::corpus(&root, "MIT-BIH", "mitdb"));
    tapes.extend(beats::corpus(&root, "SVDB", "svdb"));
    tapes.extend(beats::corpus(&root, "CPSC 2021", "cpsc2021"));
    let each = std::env::args().any(|argument| argument == "each");
    print_beats(&tapes, each);
    print_episodes(&root);
}

/// One row a corpus, or a recording.
fn print_beats(tapes: &[Taped], each: bool) {
    println!("\n## Beats of long recordings\n");
    println!(
        "| corpus | recordings | beats | Se / PPV | ventricular | Se / PPV | supraventricular | Se / PPV |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let said = |found: &Found, digits: usize| match found.hits + found.missed {
        0 => format!("- ({} false)", found.false_alarms),
        _ => format!(
            "{:.digits$}% / {:.digits$}% ({} missed, {} false)",
            found.sensitivity(),
            found.predictivity(),
            found.missed,
            found.false_alarms
        ),
    };
    let row = |name: &str, tapes: &[Taped]| {
        let mut sums = [Found::default(); 3];
        for score in tapes.iter().map(beats::score) {
            sums[0].add(score.beats);
            sums[1].add(score.ventricular);
            sums[2].add(score.supraventricular);
        }
        let [all, v, s] = sums;
        let count = |found: &Found| found.hits + found.missed;
        println!(
            "| {name} | {} | {} | {} | {} | {} | {} | {} |",
            tapes.len(),
            count(&all),
            said(&all, 2),
            count(&v),
            said(&v, 1),
            count(&s),
            said(&s, 1)
        );
    };
    for set in tapes.chunk_by(|a, b| a.set == b.set) {
        row(set[0].set, set);
        if each {
            set.iter().for_each(|taped| row(&taped.name, std::slice::from_ref(taped)));
        }
    }
}

/// Time in fibrillation that was found, and time without that was called so.
fn print_episodes(root: &Path) {
    println!("\n## Episodes of atrial fibrillation in long recordings, CPSC 2021\n");
    println!("| recording | length s | in fibrillation s | of it found s | without, called so s |");
    println!("|---|---|---|---|---|");
    let mut sums = [0.0; 4];
    for header in tape::headers(&root.join("cpsc2021")) {
        let Some(tape) = tape::read(&header) else { continue };
        let Some(report) = beats::measured(&tape) else { continue };
        let rate_hz = tape.rate_hz;
        let truth = atria::episodes(&tape::marks(&header, "atr"), tape.leads[0].1.len());
        let truth: Vec<(f64, f64)> =
            truth.iter().map(|&(a, b)| (a as f64 / rate_hz, b as f64 / rate_hz)).collect();
        let length = report.duration_s;
        let with: f64 = truth.iter().map(|(a, b)| b - a).sum();
        let said: f64 = report.atrial_episodes.iter().map(|e| e.to_s - e.from_s).sum();
        let both: f64 = report
            .atrial_episodes
            .iter()
            .flat_map(|e| truth.iter().map(|(a, b)| (e.to_s.min(*b) - e.from_s.max(*a)).max(0.0)))
            .sum();
        // The sum of nothing is minus zero.
        let row = [length, with, both, said - both].map(|seconds| seconds + 0.0);
        println!(
            "| {} | {:.0} | {:.0} | {:.0} | {:.0} |",
            tape.name, row[0], row[1], row[2], row[3]
        );
        sums.iter_mut().zip(row).for_each(|(s, x)| *s += x);
    }
    println!("| all | {:.0} | {:.0} | {:.0} | {:.0} |", sums[0], sums[1], sums[2], sums[3]);
}

/// One row a corpus.
fn print_atria(cases: &[Case], said: impl Fn(&Case) -> bool) {
    println!("| corpus | with | sensitivity | without | specificity |");
    println!("|---|---|---|---|---|");
    for set in cases.chunk_by(|a, b| a.set == b.set) {
        let mut counts = Counts::default();
        set.iter().for_each(|case| counts.add(case.fibrillation, said(case)));
        let share = |n: usize, of: usize, percent: f64| match of {
            0 => "-".to_owned(),
            _ => format!("{percent:.1}% ({n}/{of})"),
        };
        println!(
            "| {} | {} | {} | {} | {} |",
            set[0].set,
            counts.with,
            share(counts.found, counts.with, counts.sensitivity()),
            counts.without,
            share(counts.without - counts.false_alarms, counts.without, counts.specificity()),
        );
    }
}
