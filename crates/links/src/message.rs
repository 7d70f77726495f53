//! What an alarm says to a program and to a person. The form is documented in `docs/alarms.md`.

use precordia_app::port::{Notice, NoticeKind};
use precordia_model::{AlarmCode, Timestamp};
use serde_json::{Value, json};

/// Version of the JSON form.
const VERSION: u32 = 1;

pub(crate) fn json(installation: &str, notice: &Notice) -> Value {
    let alarm = &notice.alarm;
    let code = AlarmCode::parse(&alarm.code);
    let organization = alarm
        .subject
        .organization
        .map(|id| json!({ "id": id.to_string(), "slug": notice.organization_slug }));
    let acknowledged = alarm.acknowledged.as_ref().map(|(at, _)| at.to_rfc3339());
    json!({
        "version": VERSION,
        "id": notice.id,
        "kind": notice.kind.name(),
        "at": notice.at.to_rfc3339(),
        "installation": installation,
        "alarm": {
            "id": alarm.id.to_string(),
            "code": alarm.code,
            "severity": alarm.severity.name(),
            "state": alarm.state().name(),
            "organization": organization,
            "component": alarm.subject.component(),
            "count": alarm.count,
            "figures": alarm.figures,
            "raised_at": alarm.raised_at.to_rfc3339(),
            "last_seen_at": alarm.last_seen_at.to_rfc3339(),
            "acknowledged_at": acknowledged,
            "cleared_at": alarm.cleared_at.map(Timestamp::to_rfc3339),
            "meaning": code.map(AlarmCode::meaning),
            "to_do": code.map(AlarmCode::to_do),
        },
    })
}

pub(crate) fn subject(installation: &str, notice: &Notice) -> String {
    let alarm = &notice.alarm;
    let what = match notice.kind {
        NoticeKind::Raised => alarm.severity.name().to_uppercase(),
        NoticeKind::Reminder => {
            format!("{}, not acknowledged", alarm.severity.name().to_uppercase())
        }
        NoticeKind::Cleared => String::from("over"),
        NoticeKind::Test => String::from("test"),
    };
    format!("[{installation}] {what}: {} ({})", alarm.code, whose(notice))
}

pub(crate) fn text(installation: &str, notice: &Notice) -> String {
    let alarm = &notice.alarm;
    let code = AlarmCode::parse(&alarm.code);
    let mut lines = Vec::new();
    let mut line = |name: &str, value: &str| lines.push(format!("{name:<14}{value}"));
    line("what", &format!("{} ({})", alarm.code, alarm.severity.name()));
    line("whose", &format!("{}, {}", whose(notice), alarm.subject.component()));
    line("installation", installation);
    line("state", alarm.state().name());
    line("since", &alarm.raised_at.to_rfc3339());
    line("last seen", &alarm.last_seen_at.to_rfc3339());
    line("seen", &format!("{} times", alarm.count));
    for (name, value) in &alarm.figures {
        line(name, &value.to_string());
    }
    if let Some(at) = alarm.cleared_at {
        line("over since", &at.to_rfc3339());
    }
    line("alarm", &alarm.id.to_string());
    let mut text = String::new();
    if let Some(code) = code {
        text = format!("{}\n\n", code.meaning());
        if notice.kind != NoticeKind::Cleared {
            text = format!("{text}{}\n\n", code.to_do());
        }
    }
    text + &lines.join("\n") + "\n"
}

fn whose(notice: &Notice) -> String {
    match (&notice.organization_slug, notice.alarm.subject.organization) {
        (Some(slug), _) => slug.clone(),
        (None, Some(id)) => id.to_string(),
        (None, None) => String::from("installation"),
    }
}
