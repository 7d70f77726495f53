//! How many real cases stand behind each statement, from `docs/accuracy/statements.md`.

use precordia_model::StatementCode;

/// Cases from which a statement is more than experimental.
pub const REAL_CASES_MIN: u32 = 20;

/// Recordings of people with the diagnosis on which the criteria were judged, where there are
/// enough of them.
const REAL_CASES: &[(StatementCode, u32)] = &[
    (StatementCode::SinusRhythm, 84),
    (StatementCode::LeftVentricularHypertrophy, 52),
    (StatementCode::LeftAtrialEnlargement, 59),
];

/// Cases behind a statement; zero also where there are fewer than [`REAL_CASES_MIN`].
pub fn real_cases(code: StatementCode) -> u32 {
    REAL_CASES.iter().find(|(listed, _)| *listed == code).map_or(0, |(_, cases)| *cases)
}
