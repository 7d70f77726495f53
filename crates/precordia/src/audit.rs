//! `audit verify` and `audit balance`: on the data itself, with or without a server beside it.

use std::process::ExitCode;

use anyhow::Result;
use precordia_app::App;
use precordia_app::audit::{BalanceReport, VerifyReport};
use serde_json::json;

use crate::output::{data, words};

/// All that is proven and chained.
const CLEAN: u8 = 0;
const DOES_NOT_CLOSE: u8 = 1;
const NO_WITNESS: u8 = 3;
const TAMPERED: u8 = 4;

pub async fn verify(app: &App, as_json: bool) -> Result<ExitCode> {
    let reports = app.verify_all().await?;
    if as_json {
        data(&serde_json::to_string_pretty(&reports)?);
    } else {
        reports.iter().for_each(print_verify);
    }
    let code = match () {
        () if !reports.iter().all(VerifyReport::is_clean) => TAMPERED,
        () if !reports.iter().all(|report| report.witness) => NO_WITNESS,
        () => CLEAN,
    };
    words(match code {
        CLEAN => "clean: every row is chained, and proven by the witness as far as it reaches",
        NO_WITNESS => {
            "chained, but a realm has no witness: whoever can rewrite the database can rewrite the chain"
        }
        _ => "TAMPERED: see the findings; the first one is where to look",
    });
    Ok(ExitCode::from(code))
}

fn print_verify(report: &VerifyReport) {
    for log in &report.logs {
        let proven = match log.witnessed_to {
            0 => String::from("nothing proven by the witness"),
            to if to >= log.rows => format!("all {to} proven by the witness"),
            to => format!(
                "proven by the witness to {to}, chained only from {} to {}",
                to + 1,
                log.rows
            ),
        };
        let verdict = if log.findings.is_empty() { "clean" } else { "WRONG" };
        data(&format!("{} {}: {verdict}, {} rows, {proven}", report.realm, log.log, log.rows));
        for finding in &log.findings {
            data(&format!("  {}", serde_json::to_string(finding).unwrap_or_default()));
        }
    }
    if let Some(views) = &report.views {
        let verdict = if views.is_equal() { "equal to a fresh fold" } else { "WRONG" };
        let (compared, different) = (views.compared, views.different);
        let realm = &report.realm;
        data(&format!("{realm} views: {verdict}, {compared} streams, {different} rows differ"));
        for difference in &views.differences {
            data(&format!("  {}: {}", difference.stream, difference.what));
        }
    }
}

pub async fn balance(app: &App, as_json: bool) -> Result<ExitCode> {
    let reports = app.balance_all().await?;
    if as_json {
        let rows: Vec<_> = reports.iter().map(as_value).collect();
        data(&serde_json::to_string_pretty(&rows)?);
    } else {
        reports.iter().for_each(print_balance);
    }
    let closes = reports.iter().all(BalanceReport::closes);
    Ok(ExitCode::from(if closes { CLEAN } else { DOES_NOT_CLOSE }))
}

fn print_balance(report: &BalanceReport) {
    data(&report.slug);
    for (door, b) in &report.doors {
        let sign = if b.closes() { "=" } else { "≠" };
        data(&format!(
            "  {}: {} received {sign} {} filed + {} linked + {} held + {} quarantined + {} rejected + {} in flight",
            door.name(),
            b.received,
            b.filed,
            b.linked,
            b.held,
            b.quarantined,
            b.rejected,
            b.in_flight
        ));
    }
    if report.work.dead > 0 {
        data(&format!("  {} pieces of work were given up and wait for a person", report.work.dead));
    }
    report.disagreements.iter().for_each(|line| data(&format!("  DOES NOT CLOSE: {line}")));
}

fn as_value(report: &BalanceReport) -> serde_json::Value {
    let balance = |b: &precordia_rules::intake::Balance| {
        json!({
            "received": b.received, "filed": b.filed, "linked": b.linked, "held": b.held,
            "quarantined": b.quarantined, "rejected": b.rejected, "in_flight": b.in_flight,
            "closes": b.closes(),
        })
    };
    let doors: Vec<_> = report
        .doors
        .iter()
        .map(|(door, b)| json!({ "door": door.name(), "balance": balance(b) }))
        .collect();
    json!({
        "organization": report.organization.to_string(),
        "slug": report.slug,
        "doors": doors,
        "by_events": balance(&report.by_events),
        "work_given_up": report.work.dead,
        "disagreements": report.disagreements,
        "closes": report.closes(),
    })
}
