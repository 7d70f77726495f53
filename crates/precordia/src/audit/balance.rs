//! `audit balance`: the conservation equation.

use std::process::ExitCode;

use anyhow::Result;
use precordia_app::App;
use precordia_app::audit::BalanceReport;
use serde_json::json;

use crate::output::data;

const DOES_NOT_CLOSE: u8 = 1;

pub async fn balance(app: &App, as_json: bool) -> Result<ExitCode> {
    let reports = app.balance_all().await?;
    if as_json {
        let rows: Vec<_> = reports.iter().map(as_value).collect();
        data(&serde_json::to_string_pretty(&rows)?);
    } else {
        reports.iter().for_each(print_balance);
    }
    let closes = reports.iter().all(BalanceReport::closes);
    Ok(ExitCode::from(if closes { 0 } else { DOES_NOT_CLOSE }))
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
