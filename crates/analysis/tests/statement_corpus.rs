//! Statements on the labelled recordings at hand: what the page of evidence says still holds.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stderr)]

#[allow(dead_code)]
mod labelled;

use std::path::Path;

use labelled::Score;
use precordia_analysis::{REAL_CASES_MIN, real_cases};
use precordia_model::{Severity, StatementCode};

#[test]
fn every_statement_has_a_row_of_evidence() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/accuracy/statements.md");
    let page = std::fs::read_to_string(page).unwrap();
    for &code in StatementCode::ALL {
        let rows: Vec<&str> =
            page.lines().filter(|l| l.starts_with(&format!("| `{}` |", code.name()))).collect();
        assert_eq!(rows.len(), 1, "{}", code.name());
        let stands = real_cases(code) >= REAL_CASES_MIN;
        assert_eq!(rows[0].ends_with("| stands |"), stands, "{}", code.name());
    }
}

/// The corpus must carry the cases that the table in the code counts on, and the criteria must not
/// have become worse on them. Floors lie below what was measured by about one standard error.
#[test]
fn the_statements_that_stand_do_so_on_real_cases() {
    let root = labelled::root();
    let cases = labelled::cases(&root);
    if cases.is_empty() {
        eprintln!("skipped: no labelled recordings under {}", root.display());
        return;
    }
    for &code in StatementCode::ALL {
        let score = Score::of(code, &cases, None);
        let judged = score.cases() - score.cases_not_judged;
        assert!(judged >= real_cases(code), "{}: {judged} cases judged", code.name());
        for case in &cases {
            let Some(statement) = case.report.get(code) else { continue };
            let hint = !statement.experimental || statement.severity == Severity::Info;
            assert!(hint, "{} {}", case.record, code.name());
        }
        // Whatever is said of a recording whose experts do not say it must stay rare.
        if let Some((specificity, ..)) = labelled::wilson(score.quiet, score.others())
            && !matches!(code, StatementCode::SinusRhythm)
        {
            assert!(specificity >= 0.75, "{}: {score:?}", code.name());
        }
    }
    for (code, sensitivity) in [
        (StatementCode::SinusRhythm, 0.68),
        (StatementCode::SinusBradycardia, 0.76),
        (StatementCode::LeftVentricularHypertrophy, 0.24),
        (StatementCode::LeftAtrialEnlargement, 0.15),
        (StatementCode::RightBundleBranchBlock, 0.5),
    ] {
        let score = Score::of(code, &cases, None);
        let (share, ..) = labelled::wilson(score.found, score.cases()).unwrap();
        assert!(share >= sensitivity, "{}: {score:?}", code.name());
    }
}
