//! DiagnosticReport: the machine's reading of one recording. Always preliminary; a person signs
//! elsewhere.

use precordia_model::{Flag, FlagReport};
use serde_json::{Value, json};

use super::super::codes::{self, EXT_MACHINE_OUTPUT, FLAG_CODE, FLAG_SEVERITY};
use super::super::date::instant;
use super::super::json::{coding, coding_with, concept, extension, list, nested, object, text};
use super::super::{Meta, ResourceType};
use super::{EcgFacts, MACHINE_LABEL, Shared, observation, panel_code};

pub fn diagnostic_report(facts: &EcgFacts, meta: &Meta) -> Value {
    let shared = Shared::of(&facts.document);
    let extensions = [machine_output(facts), shared.device_time];
    object([
        ("resourceType", Some(ResourceType::DiagnosticReport.name().into())),
        ("id", Some(facts.document.recording_id.to_string().into())),
        ("meta", Some(meta.to_fhir())),
        ("extension", list(extensions.into_iter().flatten().collect())),
        ("status", Some("preliminary".into())),
        ("category", Some(json!([electrocardiac()]))),
        ("code", Some(panel_code())),
        ("subject", shared.subject),
        ("effectiveDateTime", shared.effective),
        ("issued", Some(instant(facts.measured_at).into())),
        ("result", Some(json!([observation::result_reference(facts)]))),
        ("conclusion", Some(conclusion(facts.flags).into())),
        ("conclusionCode", list(facts.flags.flags.iter().map(conclusion_code).collect())),
    ])
}

fn electrocardiac() -> Value {
    concept(vec![coding_with(codes::DIAGNOSTIC_SERVICE, "EC", "Electrocardiac")])
}

/// Which programs made this: R4 lets no Device perform a report.
fn machine_output(facts: &EcgFacts) -> Option<Value> {
    let part = |url, version: &str| text(version).map(|v| extension(url, "valueString", v));
    let parts = vec![
        Some(extension("label", "valueString", MACHINE_LABEL)),
        part("measurement-version", &facts.measurements.version),
        part("rule-version", &facts.flags.rule_version),
    ];
    nested(EXT_MACHINE_OUTPUT, parts)
}

fn conclusion_code(flag: &Flag) -> Value {
    concept(vec![coding(FLAG_CODE, flag.code.name()), coding(FLAG_SEVERITY, flag.severity.name())])
}

/// Facts in a fixed form. The absence of a flag is not called normal.
fn conclusion(report: &FlagReport) -> String {
    let mut text = format!("{MACHINE_LABEL}.");
    if report.flags.is_empty() {
        text.push_str(" No rule flag; this does not mean a normal ECG.");
    } else {
        let flags: Vec<String> = report.flags.iter().map(sentence).collect();
        text.push_str(&format!(" Rule flags: {}.", flags.join("; ")));
    }
    let skipped: Vec<String> = report
        .not_evaluated
        .iter()
        .map(|(code, reason)| format!("{} ({})", code.name(), reason.name()))
        .collect();
    if !skipped.is_empty() {
        text.push_str(&format!(" Not evaluated: {}.", skipped.join("; ")));
    }
    text
}

fn sentence(flag: &Flag) -> String {
    let Flag { code, severity, value, limit, unit, .. } = flag;
    format!("{} ({}): {value} {unit}, limit {limit} {unit}", code.name(), severity.name())
}
