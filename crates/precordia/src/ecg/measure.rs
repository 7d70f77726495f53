//! `precordia ecg measure`: one file, from bytes to flags, no server.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use precordia_analysis::reversal::{Reversal, lead_reversal};
use precordia_analysis::{Limits, RhythmEvidence, Subject, state};
use precordia_model::{
    FlagReport, Measured, Measurements, PartialDate, QtFormula, Recording, StatementReport,
};
use serde_json::{Map, Value, json};

use super::delineation;
use super::load::{Loaded, load};
use crate::output::data;

pub fn measure(files: &[PathBuf], as_json: bool, waves: Option<&Path>) -> Result<ExitCode> {
    let recording = match load(files)? {
        Loaded::Recording(recording) => recording,
        Loaded::Refused(code) => return Ok(code),
    };
    if let Some(out) = waves {
        let stem = files[0].file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
        delineation::write(&stem, &recording.rhythm, out)
            .with_context(|| format!("could not write waves to `{}`", out.display()))?;
    }
    let measurements = precordia_analysis::measure(&recording);
    let statements = state(
        &measurements,
        subject(&recording),
        &Limits::default(),
        &RhythmEvidence::of(&measurements),
    );
    let exchanged = lead_reversal(&recording.rhythm, &measurements);
    let flags = precordia_analysis::flag(&measurements, subject(&recording), &Limits::default());
    if as_json {
        data(&serde_json::to_string_pretty(&as_value(
            &measurements,
            &flags,
            &statements,
            exchanged,
        ))?);
    } else {
        print(&measurements, &flags, &statements, exchanged);
    }
    Ok(ExitCode::SUCCESS)
}

/// Age and sex as the file says them.
pub fn subject(recording: &Recording) -> Subject {
    let patient = &recording.patient;
    let day = recording
        .acquired_at
        .as_ref()
        .and_then(|at| at.local.as_deref()?.get(..10).and_then(PartialDate::parse));
    let by_date = patient
        .birth_date
        .as_ref()
        .zip(day)
        .and_then(|(born, day)| born.reveal().age_years_on(day));
    Subject { age_years: by_date.or(patient.age_years), sex: patient.sex }
}

/// Every global value by its name, with its unit.
fn values(m: &Measurements) -> [(&'static str, Measured, &'static str); 6] {
    [
        ("heart_rate_bpm", m.heart_rate_bpm, "/min"),
        ("rr_ms", m.rr_ms, "ms"),
        ("p_ms", m.p_ms, "ms"),
        ("pr_ms", m.pr_ms, "ms"),
        ("qrs_ms", m.qrs_ms, "ms"),
        ("qt_ms", m.qt_ms, "ms"),
    ]
}

fn as_value(
    m: &Measurements,
    report: &FlagReport,
    statements: &StatementReport,
    exchanged: Reversal,
) -> Value {
    let number = |measured: Measured| measured.value().map(round);
    let mut missing = Map::new();
    let mut miss = |name: String, measured: Measured| {
        if let Some(reason) = measured.missing() {
            missing.insert(name, json!(reason.name()));
        }
    };
    let mut object = Map::new();
    for (name, measured, _) in values(m) {
        miss(name.to_owned(), measured);
        object.insert(name.to_owned(), json!(number(measured)));
    }
    let mut qtc = Map::new();
    for formula in QtFormula::ALL {
        miss(format!("qtc_ms.{}", formula.name()), m.qtc(formula));
        qtc.insert(formula.name().to_owned(), json!(number(m.qtc(formula))));
    }
    let axes = [("p", m.axis_deg.p), ("qrs", m.axis_deg.qrs), ("t", m.axis_deg.t)];
    let mut axis = Map::new();
    for (name, measured) in axes {
        miss(format!("axis_deg.{name}"), measured);
        axis.insert(name.to_owned(), json!(number(measured)));
    }
    let mut st = Map::new();
    for (lead, measured) in &m.st_uv {
        miss(format!("st_uv.{lead}"), *measured);
        st.insert(lead.name().to_owned(), json!(number(*measured)));
    }
    object.insert("qtc_ms".into(), qtc.into());
    object.insert("axis_deg".into(), axis.into());
    object.insert("st_uv".into(), st.into());
    object.insert("rhythm".into(), json!(m.rhythm.name()));
    object.insert("paced".into(), json!(m.paced));
    object.insert("beats".into(), json!(m.r_peaks.len()));
    object.insert("r_peaks".into(), json!(m.r_peaks));
    object.insert("flags".into(), json!(report.flags));
    let not_evaluated: Vec<Value> = report
        .not_evaluated
        .iter()
        .map(|(code, why)| json!({ "code": code.name(), "reason": why.name() }))
        .collect();
    object.insert("not_evaluated".into(), json!(not_evaluated));
    object.insert("statements".into(), json!(statements));
    object.insert("waves".into(), json!(m.waves));
    object.insert("rhythm_report".into(), json!(m.rhythm_report));
    object.insert("exchanged_electrodes".into(), exchanged_value(exchanged));
    object.insert("quality".into(), json!(m.quality));
    object.insert("missing".into(), missing.into());
    object.insert("measure_version".into(), json!(m.version));
    object.insert("rule_version".into(), json!(report.rule_version));
    object.into()
}

/// A tenth is finer than any device prints and keeps the figures readable.
fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn print(m: &Measurements, report: &FlagReport, statements: &StatementReport, exchanged: Reversal) {
    data(&format!("Machine measurements ({}), not reviewed by a clinician", m.version));
    let line = |name: &str, measured: Measured, unit: &str| match measured {
        Measured::Value(value) => data(&format!("  {name:<16} {:>7} {unit}", round(value))),
        Measured::Missing(reason) => data(&format!("  {name:<16} {:>7} ({})", "-", reason.name())),
    };
    for (name, measured, unit) in values(m) {
        line(name, measured, unit);
    }
    for formula in QtFormula::ALL {
        line(&format!("qtc_{}", formula.name()), m.qtc(formula), "ms");
    }
    line("p_axis", m.axis_deg.p, "deg");
    line("qrs_axis", m.axis_deg.qrs, "deg");
    line("t_axis", m.axis_deg.t, "deg");
    for (lead, measured) in &m.st_uv {
        line(&format!("st_{lead}"), *measured, "uV");
    }
    data(&format!("  rhythm           {}", m.rhythm.name()));
    match exchanged {
        Reversal::None => {}
        Reversal::Suspected { swap, .. } => {
            data(&format!("  electrodes       {} may be exchanged", swap.name()));
        }
        Reversal::NotEvaluated(why) => {
            data(&format!("  electrodes       exchange not evaluated: {}", why.name()));
        }
    }
    for flag in &report.flags {
        data(&format!(
            "  flag {} ({}): {} {} against {}",
            flag.code.name(),
            flag.severity.name(),
            round(flag.value),
            flag.unit,
            flag.limit
        ));
    }
    for statement in &statements.statements {
        data(&format!(
            "  statement {} ({}{}): {} {} {}",
            statement.code.name(),
            statement.severity.name(),
            if statement.experimental { ", experimental" } else { "" },
            statement.criterion,
            round(statement.value),
            statement.unit
        ));
    }
    for (code, why) in &report.not_evaluated {
        data(&format!("  not evaluated {}: {}", code.name(), why.name()));
    }
}

fn exchanged_value(exchanged: Reversal) -> Value {
    match exchanged {
        Reversal::None => json!({ "suspected": null }),
        Reversal::Suspected { swap, margin } => {
            json!({ "suspected": swap.name(), "margin": margin.map(round) })
        }
        Reversal::NotEvaluated(why) => json!({ "suspected": null, "not_evaluated": why.name() }),
    }
}
