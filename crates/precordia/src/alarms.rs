//! `alarms list`, `alarms acknowledge` and `alarms test`.

use std::process::ExitCode;

use anyhow::Result;
use precordia_app::App;
use precordia_app::port::{AlarmFilter, AlarmRow, AlarmState};
use precordia_model::{AlarmCode, AlarmId, AlarmSeverity, Timestamp};
use serde_json::{Value, json};

use crate::output::{data, words};

const LIMIT: u32 = 200;

pub async fn list(app: &App, all: bool, as_json: bool) -> Result<ExitCode> {
    let cleared = if all { None } else { Some(false) };
    let filter = AlarmFilter { cleared, ..AlarmFilter::default() };
    let operator = app.local_operator();
    let page = app.alarms().list(&operator, &filter, LIMIT).await?;
    let organizations = app.organizations(&operator).await?;
    let whose = |row: &AlarmRow| match row.subject.organization {
        None => String::from("installation"),
        Some(id) => {
            let known = organizations.iter().find(|one| one.id == id);
            known.map_or_else(|| id.to_string(), |one| one.slug.clone())
        }
    };
    if as_json {
        let rows: Vec<Value> = page.rows.iter().map(|row| described(row, &whose(row))).collect();
        data(&serde_json::to_string_pretty(&rows)?);
    } else {
        page.rows.iter().for_each(|row| print(row, &whose(row)));
        if page.rows.is_empty() {
            words("nothing needs a hand");
        }
    }
    if page.more {
        words(&format!("there are more than {LIMIT}"));
    }
    let waits =
        |row: &AlarmRow| row.state() == AlarmState::Open && row.severity == AlarmSeverity::Critical;
    Ok(if page.rows.iter().any(waits) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn print(row: &AlarmRow, whose: &str) {
    let figures: Vec<String> =
        row.figures.iter().map(|(name, value)| format!(" {name}={value}")).collect();
    data(&format!(
        "{} {} {} {} {whose}/{} seen {} times, last at {}{}",
        row.id,
        row.severity.name(),
        row.state().name(),
        row.code,
        row.subject.component(),
        row.count,
        row.last_seen_at.to_rfc3339(),
        figures.concat(),
    ));
    if let Some(code) = AlarmCode::parse(&row.code).filter(|_| row.state() == AlarmState::Open) {
        words(&format!("  {} {}", code.meaning(), code.to_do()));
    }
}

fn described(row: &AlarmRow, whose: &str) -> Value {
    json!({
        "id": row.id,
        "code": row.code,
        "severity": row.severity.name(),
        "state": row.state().name(),
        "whose": whose,
        "component": row.subject.component(),
        "count": row.count,
        "figures": row.figures,
        "raised_at": row.raised_at.to_rfc3339(),
        "last_seen_at": row.last_seen_at.to_rfc3339(),
        "acknowledged_at": row.acknowledged.as_ref().map(|(at, _)| at.to_rfc3339()),
        "acknowledged_by": row.acknowledged.as_ref().map(|(_, by)| by),
        "cleared_at": row.cleared_at.map(Timestamp::to_rfc3339),
    })
}

pub async fn acknowledge(app: &App, alarm: AlarmId) -> Result<ExitCode> {
    let row = app.alarms().acknowledge(&app.local_operator(), alarm).await?;
    words(&format!("{} is acknowledged; nobody is reminded of it", row.code));
    Ok(ExitCode::SUCCESS)
}

pub async fn test(app: &App) -> Result<ExitCode> {
    let answers = app.alarms().test().await;
    if answers.is_empty() {
        words("no channel is configured: alarms are a metric, a line of the log and `alarms list`");
    }
    for one in &answers {
        let (kind, name) = (one.channel.kind, &one.channel.name);
        match &one.answer {
            Ok(answer) => data(&format!("{kind} {name}: told, {answer}")),
            Err(cause) => data(&format!("{kind} {name}: NOT told, {cause}")),
        }
    }
    let failed = answers.iter().any(|one| one.answer.is_err());
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
