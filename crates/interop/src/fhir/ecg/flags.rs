//! Rule flags: `Observation.interpretation` with HL7's code, our code and severity, and the
//! evidence in an extension; rules that could not be evaluated in another.

use precordia_model::{Evidence, Flag, FlagCode, FlagReport, NotEvaluated, Severity};
use serde_json::{Value, json};

use super::super::codes::{EXT_FLAG, EXT_FLAG_REPORT, FLAG_CODE, FLAG_SEVERITY, INTERPRETATION};
use super::super::json::{Node, coding, coding_with, concept, extension, nested, text};
use super::super::operation_outcome::{Invalid, IssueCode};
use super::super::validate;
use super::{numbers, quantity, read_numbers, read_quantity};

/// One concept a flag, with its evidence.
pub(super) fn interpretation(flag: &Flag) -> Value {
    let mut concept = short_interpretation(flag);
    if let Some(evidence) = evidence(flag) {
        concept["extension"] = json!([evidence]);
    }
    concept
}

/// The codings alone, for the component that the flag is about.
pub(super) fn short_interpretation(flag: &Flag) -> Value {
    let (code, display) = hl7_code(flag);
    concept(vec![
        coding_with(INTERPRETATION, code, display),
        coding(FLAG_CODE, flag.code.name()),
        coding(FLAG_SEVERITY, flag.severity.name()),
    ])
}

pub(super) fn normal() -> Value {
    concept(vec![coding_with(INTERPRETATION, "N", "Normal")])
}

/// Names of the panel's components that a flag speaks of.
pub(super) fn components(flag: &Flag) -> Vec<String> {
    match flag.code {
        FlagCode::Bradycardia | FlagCode::Tachycardia => vec!["heart_rate_bpm".into()],
        FlagCode::AvBlock1 => vec!["pr_ms".into()],
        FlagCode::LongQt => {
            flag.evidence.formula.iter().map(|f| format!("qtc_ms.{}", f.name())).collect()
        }
        FlagCode::AxisLeft | FlagCode::AxisRight | FlagCode::AxisExtreme => {
            vec!["axis_deg.qrs".into()]
        }
        FlagCode::StElevation | FlagCode::StDepression => {
            flag.evidence.leads.iter().map(|l| format!("st_uv.{}", l.name())).collect()
        }
    }
}

/// Whether every one of the rules was evaluated and none fired. With no rule version no rule ran.
pub(super) fn all_clear(report: &FlagReport, rules: &[FlagCode]) -> bool {
    !report.rule_version.is_empty()
        && rules.iter().all(|&rule| {
            report.flags.iter().all(|f| f.code != rule)
                && report.not_evaluated.iter().all(|&(code, _)| code != rule)
        })
}

/// Direction where the value is beyond a limit; "abnormal" where direction says nothing (axes) or
/// would be read against the sign (ST).
const fn hl7_code(flag: &Flag) -> (&'static str, &'static str) {
    let alert = matches!(flag.severity, Severity::Alert);
    match (flag.code, alert) {
        (FlagCode::Bradycardia, false) => ("L", "Low"),
        (FlagCode::Bradycardia, true) => ("LL", "Critical low"),
        (FlagCode::Tachycardia | FlagCode::AvBlock1 | FlagCode::LongQt, false) => ("H", "High"),
        (FlagCode::Tachycardia | FlagCode::AvBlock1 | FlagCode::LongQt, true) => {
            ("HH", "Critical high")
        }
        (_, false) => ("A", "Abnormal"),
        (_, true) => ("AA", "Critical abnormal"),
    }
}

fn evidence(flag: &Flag) -> Option<Value> {
    let evidence = &flag.evidence;
    let mut parts = vec![
        quantity(flag.value, &flag.unit).map(|q| extension("value", "valueQuantity", q)),
        quantity(flag.limit, &flag.unit).map(|q| extension("limit", "valueQuantity", q)),
        text(&flag.rule_version).map(|v| extension("rule-version", "valueString", v)),
        numbers(&evidence.beats).map(|n| extension("beats", "valueString", n)),
        evidence.formula.map(|f| extension("formula", "valueCode", f.name())),
    ];
    parts.extend(evidence.leads.iter().map(|l| Some(extension("lead", "valueCode", l.name()))));
    parts.extend(
        flag.notes.iter().map(|n| text(n).map(|text| extension("note", "valueString", text))),
    );
    nested(EXT_FLAG, parts)
}

/// The version of the rules, and the rules that were not evaluated.
pub(super) fn report(report: &FlagReport) -> Option<Value> {
    let mut parts =
        vec![text(&report.rule_version).map(|v| extension("rule-version", "valueString", v))];
    parts.extend(report.not_evaluated.iter().map(|(code, reason)| {
        nested(
            "not-evaluated",
            vec![
                Some(extension("flag", "valueCode", code.name())),
                Some(extension("reason", "valueCode", reason.name())),
            ],
        )
    }));
    nested(EXT_FLAG_REPORT, parts)
}

/// The flags of a panel Observation, as they were before.
pub fn flags_from_fhir(v: &Value) -> Result<FlagReport, Invalid> {
    let node = Node::resource(v, "Observation")?;
    if let Err(mut invalid) = validate::check(v) {
        return Err(invalid.swap_remove(0));
    }
    let concepts = node.items("interpretation")?;
    let mut report = FlagReport {
        flags: concepts.iter().map(read_flag).collect::<Result<_, _>>()?,
        ..FlagReport::default()
    };
    if let Some(found) = node.extension(EXT_FLAG_REPORT)? {
        report.rule_version = string_part(&found, "rule-version")?;
        let rules = found.extensions("not-evaluated")?;
        report.not_evaluated = rules.iter().map(read_not_evaluated).collect::<Result<_, _>>()?;
    }
    Ok(report)
}

fn read_not_evaluated(node: &Node) -> Result<(FlagCode, NotEvaluated), Invalid> {
    Ok((
        part(node, "flag")?.require("valueCode")?.code()?,
        part(node, "reason")?.require("valueCode")?.code()?,
    ))
}

fn read_flag(concept: &Node) -> Result<Flag, Invalid> {
    let missing = |what| concept.invalid(IssueCode::Required, format!("a {what} is required"));
    let code = concept.coding(FLAG_CODE)?.ok_or_else(|| missing("flag code"))?;
    let severity = concept.coding(FLAG_SEVERITY)?.ok_or_else(|| missing("flag severity"))?;
    let found = concept.extension(EXT_FLAG)?.ok_or_else(|| missing("flag extension"))?;
    let (value, unit) = read_quantity(&part(&found, "value")?.require("valueQuantity")?)?;
    let limit = part(&found, "limit")?.require("valueQuantity")?;
    let (limit_value, limit_unit) = read_quantity(&limit)?;
    if limit_unit != unit {
        return Err(limit.invalid(IssueCode::Value, "value and limit must have one unit"));
    }
    let notes = found.extensions("note")?;
    Ok(Flag {
        code: code.code()?,
        severity: severity.code()?,
        value,
        limit: limit_value,
        unit,
        rule_version: string_part(&found, "rule-version")?,
        evidence: read_evidence(&found)?,
        notes: notes
            .iter()
            .map(|n| n.require("valueString")?.string())
            .collect::<Result<_, _>>()?,
    })
}

fn read_evidence(found: &Node) -> Result<Evidence, Invalid> {
    let leads = found.extensions("lead")?;
    let beats = found.extension("beats")?;
    let formula = found.extension("formula")?;
    Ok(Evidence {
        leads: leads.iter().map(|l| l.require("valueCode")?.code()).collect::<Result<_, _>>()?,
        beats: match beats {
            Some(beats) => read_numbers(&beats.require("valueString")?)?,
            None => Vec::new(),
        },
        formula: formula.map(|f| f.require("valueCode")?.code()).transpose()?,
    })
}

fn part<'a>(node: &Node<'a>, url: &str) -> Result<Node<'a>, Invalid> {
    let found = node.extension(url)?;
    found.ok_or_else(|| node.invalid(IssueCode::Required, format!("the part `{url}` is required")))
}

fn string_part(node: &Node, url: &str) -> Result<String, Invalid> {
    let found = node.extension(url)?.map(|e| e.require("valueString")?.string()).transpose()?;
    Ok(found.unwrap_or_default())
}
