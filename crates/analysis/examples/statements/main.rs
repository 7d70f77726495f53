//! Tries every statement on the labelled corpora and prints `docs/accuracy/statements.md`.
//!
//! `cargo run --release -p precordia-analysis --example statements`; the corpora are looked for in
//! `PRECORDIA_CORPUS`, else beside the project. With `--cases CODE` it lists the cases of that
//! statement and the recordings on which it is made.

// A program beside the crate: it may do what the crate may not.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)]

use std::process::ExitCode;

use precordia_analysis::{REAL_CASES_MIN, real_cases};
use precordia_model::{StatementCode, StatementCoding};

#[path = "../../tests/labelled/mod.rs"]
mod labelled;

use labelled::{Case, Corpus, Score, truth, wilson};

const HEAD: &str = "\
# Statements

Remade by `cargo run --release -p precordia-analysis --example statements`.

What each statement of `precordia_analysis::state` finds on real recordings whose diagnoses somebody
else made: LUDB (table of diagnoses), CinC 2021 (SNOMED codes of the headers) and PTB (text of the
header), as far as a corpus labels the diagnosis. Sensitivity and specificity with Wilson's 95%
interval. A case that a gate keeps from being judged counts as missed; a recording without the
diagnosis that was not judged counts for neither. Diagnoses are the experts', made with all that they
knew of the patient, not from the criteria here: a criterion can be right and a label say otherwise.

The samples of LUDB are taken as microvolts: its headers give as gain of a lead the range of that
lead's samples, by which Einthoven's law fails; by the samples themselves it holds exactly.

A statement with fewer than 20 real cases that were judged is experimental: it says so, and its
severity is info at most.

Limits are those of the literature; none was fitted. Three choices between readings of it were made
after a look at these recordings, so the figures are not blind: a long P counts only when it is
notched, an R' counts when it is wider or taller than R, and a conduction delay begins at 120 ms and
not at 110.
";

fn main() -> ExitCode {
    let root = labelled::root();
    let cases = labelled::cases(&root);
    if cases.is_empty() {
        eprintln!("no labelled recordings under {}", root.display());
        return ExitCode::FAILURE;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => print(&cases),
        ["--cases", name] => match StatementCode::parse(name) {
            Some(code) => list(code, &cases),
            None => {
                eprintln!("`{name}` is no statement");
                return ExitCode::FAILURE;
            }
        },
        _ => {
            eprintln!("usage: statements [--cases CODE]");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn print(cases: &[Case]) {
    println!("{HEAD}");
    let count = |corpus| cases.iter().filter(|case| case.corpus == corpus).count();
    let counts = Corpus::ALL.map(|corpus| format!("{} {}", corpus.name(), count(corpus)));
    println!("Recordings: {}.\n", counts.join(", "));
    println!(
        "| statement | codes | cases | of these not judged | sensitivity | judged without it | \
         specificity | cases by corpus | standing |\n|---|---|---|---|---|---|---|---|---|"
    );
    for &code in StatementCode::ALL {
        let score = Score::of(code, cases, None);
        let corpora: Vec<String> = Corpus::ALL
            .into_iter()
            .filter_map(|corpus| {
                let own = Score::of(code, cases, Some(corpus));
                let labelled = own.cases() + own.others() + own.others_not_judged > 0;
                labelled.then(|| format!("{} {}", corpus.name(), own.cases()))
            })
            .collect();
        println!(
            "| `{}` | {} | {} | {} | {} | {} | {} | {} | {} |",
            code.name(),
            codes(code.coding()),
            score.cases(),
            score.cases_not_judged,
            share(score.found, score.cases()),
            score.others(),
            share(score.quiet, score.others()),
            if corpora.is_empty() { unlabelled(code, cases) } else { corpora.join(", ") },
            if real_cases(code) < REAL_CASES_MIN { "experimental" } else { "stands" },
        );
    }
}

fn codes(coding: StatementCoding) -> String {
    let aha = coding.aha.map(|code| format!("AHA {code}"));
    let snomed = coding.snomed.map(|code| format!("SNOMED {code}"));
    let mdc = coding.mdc.map(str::to_owned);
    let all: Vec<String> = [aha, snomed, mdc].into_iter().flatten().collect();
    all.join(", ")
}

fn share(part: u32, whole: u32) -> String {
    wilson(part, whole).map_or(String::from("-"), |(p, low, high)| {
        format!("{:.1}% ({:.1} to {:.1})", 100.0 * p, 100.0 * low, 100.0 * high)
    })
}

fn unlabelled(code: StatementCode, cases: &[Case]) -> String {
    let stated = cases.iter().filter(|case| case.report.get(code).is_some()).count();
    format!("none labels it; stated on {stated} of {}", cases.len())
}

fn list(code: StatementCode, cases: &[Case]) {
    for case in cases {
        let Some(is_case) = truth(code, case) else { continue };
        let stated = case.report.get(code);
        if !is_case && stated.is_none() {
            continue;
        }
        let skipped = case.report.not_evaluated.iter().find(|(c, _)| *c == code);
        let what = match (stated, skipped) {
            (Some(s), _) => format!("stated: {} {} {} {}", s.criterion, s.value, s.limit, s.unit),
            (None, Some((_, reason))) => format!("not judged: {}", reason.name()),
            (None, None) => String::from("missed"),
        };
        let says = if is_case { "case" } else { "without" };
        println!("{} {}, {says}: {what}", case.corpus.name(), case.record);
    }
}
