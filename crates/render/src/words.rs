//! The words of a usual sheet: who, when, what was measured, which flags, what the device says.

use precordia_model::{
    Axes, DeviceTime, Flag, FlagCode, FlagReport, Measured, Measurements, PartialDate, Phi,
    ProblemSeverity, QtFormula, Recording, Rhythm, Severity, Sex, ZoneKnowledge,
};

use crate::{Block, Sheet};

const NOT_CONFIRMED: &str = "Machine output, not confirmed";

impl Sheet {
    /// A sheet with what the recording says of itself, and with our measurements and flags if there
    /// are any. The patient is the one the file names, which nobody has verified.
    pub fn of(recording: &Recording, measured: Option<(&Measurements, &FlagReport)>) -> Self {
        let mut blocks = Vec::new();
        if let Some((measurements, flags)) = measured {
            blocks.push(measurement_block(measurements));
            blocks.push(flag_block(flags));
        }
        blocks.extend(device_block(recording));
        Sheet {
            title: title(recording),
            header: who(recording),
            blocks,
            footer: footer(recording),
            ..Sheet::default()
        }
    }
}

/// What a reader of the trace must know of how it was read, and who drew it.
fn footer(recording: &Recording) -> Vec<Phi<String>> {
    const SHOWN: usize = 3;
    let doubts = recording.problems.iter().filter(|p| p.severity >= ProblemSeverity::Warning);
    let texts: Vec<&str> = doubts.map(|p| p.text.as_str()).collect();
    let mut lines = Vec::new();
    if !texts.is_empty() {
        let shown = texts.iter().take(SHOWN).copied().collect::<Vec<_>>().join("; ");
        let more = texts.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        lines.push(format!("Noticed while reading the file: {shown}{more}"));
    }
    lines.push(format!("Drawn by Precordia {}", env!("CARGO_PKG_VERSION")));
    lines.into_iter().map(Phi::new).collect()
}

fn title(recording: &Recording) -> String {
    let leads = recording.rhythm.traces.len();
    let device = [&recording.device.manufacturer, &recording.device.model];
    let device: Vec<&str> = device.into_iter().flatten().map(String::as_str).collect();
    let plural = if leads == 1 { "" } else { "s" };
    format!("ECG · {leads} lead{plural} · {} · {}", recording.format, device.join(" "))
        .trim_end_matches(" · ")
        .to_owned()
}

fn who(recording: &Recording) -> Vec<Phi<String>> {
    let patient = &recording.patient;
    let given = patient.given.iter().map(|g| g.reveal().as_str()).collect::<Vec<_>>().join(" ");
    let name = match (&patient.family, given.as_str(), &patient.name_as_written) {
        (Some(family), "", _) => family.reveal().clone(),
        (Some(family), given, _) => format!("{}, {given}", family.reveal()),
        (None, "", Some(written)) => written.reveal().clone(),
        (None, "", None) => String::from("Name not stated"),
        (None, given, _) => given.to_owned(),
    };
    let id = match (&patient.id, &patient.id_issuer) {
        (Some(id), Some(issuer)) => format!("ID {} ({issuer})", id.reveal()),
        (Some(id), None) => format!("ID {}", id.reveal()),
        (None, _) => String::from("ID not stated"),
    };
    let birth = match (&patient.birth_date, patient.age_years) {
        (Some(date), _) => {
            let age = age_years(recording, *date.reveal()).map(|years| format!(" · {years} years"));
            format!("Born {}{}", date.reveal(), age.unwrap_or_default())
        }
        (None, Some(years)) => format!("Birth date not stated · {years} years"),
        (None, None) => String::from("Birth date not stated"),
    };
    let sex = match patient.sex {
        Some(Sex::Male) => "male",
        Some(Sex::Female) => "female",
        Some(Sex::Other) => "other",
        Some(Sex::Unknown) | None => "sex not stated",
    };
    let lines = [name, id, format!("{birth} · {sex}"), recorded(recording.acquired_at.as_ref())];
    lines.into_iter().map(Phi::new).collect()
}

fn age_years(recording: &Recording, birth: PartialDate) -> Option<u16> {
    let local = recording.acquired_at.as_ref()?.local.as_deref()?;
    birth.age_years_on(PartialDate::parse(local.get(..10)?)?)
}

fn recorded(at: Option<&DeviceTime>) -> String {
    let Some(at) = at else { return String::from("Recording time not stated") };
    let local = at.local.as_deref().unwrap_or(&at.as_written).replacen('T', " ", 1);
    match at.zone {
        ZoneKnowledge::Offset { minutes } => {
            let sign = if minutes < 0 { '-' } else { '+' };
            let minutes = minutes.unsigned_abs();
            format!("Recorded {local} UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60)
        }
        ZoneKnowledge::Unknown => format!("Recorded {local}, zone not stated"),
    }
}

fn measurement_block(measurements: &Measurements) -> Block {
    let Axes { p, qrs, t } = measurements.axis_deg;
    let axis =
        |value: Measured| value.value().map_or(String::from("–"), |deg| format!("{deg:.0}°"));
    // The formula that the flags use: Bazett from 60 to 100 /min, Fridericia outside.
    let formula = match measurements.heart_rate_bpm.value() {
        Some(rate) if (60.0..=100.0).contains(&rate) => QtFormula::Bazett,
        _ => QtFormula::Fridericia,
    };
    let formula_name = match formula {
        QtFormula::Bazett => "Bazett",
        _ => "Fridericia",
    };
    let rhythm = match measurements.rhythm {
        Rhythm::Sinus => "P wave before each QRS",
        Rhythm::AtrialFibrillation => "irregular without P waves, as in atrial fibrillation",
        Rhythm::AtrialFlutter => "regular atrial waves as in flutter, no P wave before the QRS",
        Rhythm::Paced => "ventricular pacing",
        Rhythm::Undetermined => "undetermined",
    };
    let lines = [
        format!("Ventricular rate {}", said(measurements.heart_rate_bpm, "/min")),
        format!("PR {}", said(measurements.pr_ms, "ms")),
        format!("QRS {}", said(measurements.qrs_ms, "ms")),
        format!("QT {}", said(measurements.qt_ms, "ms")),
        format!("QTc {} ({formula_name})", said(measurements.qtc(formula), "ms")),
        format!("Axes P {} · QRS {} · T {}", axis(p), axis(qrs), axis(t)),
        format!("Rhythm: {rhythm}"),
    ];
    Block {
        heading: String::from("Measurements"),
        label: format!("{NOT_CONFIRMED} · {}", measurements.version),
        lines: lines.into_iter().map(Phi::new).collect(),
    }
}

fn said(value: Measured, unit: &str) -> String {
    match value {
        Measured::Value(value) => format!("{value:.0} {unit}"),
        Measured::Missing(reason) => format!("– ({})", reason.name().replace('_', " ")),
    }
}

fn flag_block(report: &FlagReport) -> Block {
    let mut flags: Vec<&Flag> = report.flags.iter().collect();
    flags.sort_by_key(|flag| std::cmp::Reverse(flag.severity));
    let mut lines: Vec<String> = flags.into_iter().map(flag_line).collect();
    if lines.is_empty() {
        lines.push(String::from("No flag"));
    }
    for (code, reason) in &report.not_evaluated {
        lines.push(format!(
            "{}: not evaluated ({})",
            flag_name(*code),
            reason.name().replace('_', " ")
        ));
    }
    Block {
        heading: String::from("Flags"),
        label: format!("{NOT_CONFIRMED} · rules {}", report.rule_version),
        lines: lines.into_iter().map(Phi::new).collect(),
    }
}

fn flag_line(flag: &Flag) -> String {
    // Shape and word, so that severity survives a black and white print.
    let severity = match flag.severity {
        Severity::Alert => "!! ALERT",
        Severity::Borderline => "! Borderline",
        Severity::Info => "Info",
    };
    let unit = shown_unit(&flag.unit);
    let leads: Vec<&str> = flag.evidence.leads.iter().map(|lead| lead.name()).collect();
    let leads = if leads.is_empty() { String::new() } else { format!(" · {}", leads.join(" ")) };
    let notes = if flag.notes.is_empty() {
        String::new()
    } else {
        format!(" · {}", flag.notes.join("; "))
    };
    format!(
        "{severity} · {} {:.0}{unit} (limit {:.0}){leads}{notes}",
        flag_name(flag.code),
        flag.value,
        flag.limit
    )
}

fn flag_name(code: FlagCode) -> &'static str {
    match code {
        FlagCode::Bradycardia => "Bradycardia",
        FlagCode::Tachycardia => "Tachycardia",
        FlagCode::AvBlock1 => "First degree AV block",
        FlagCode::LongQt => "Long QT",
        FlagCode::AxisLeft => "Left axis",
        FlagCode::AxisRight => "Right axis",
        FlagCode::AxisExtreme => "Extreme axis",
        FlagCode::StElevation => "ST elevation",
        FlagCode::StDepression => "ST depression",
    }
}

fn device_block(recording: &Recording) -> Option<Block> {
    let statements = recording.device_statements.iter().map(|s| s.text.clone());
    let numbers = recording.device_measurements.iter().filter(|m| m.lead.is_none()).map(|m| {
        let value = format!("{:.3}", m.value);
        let value = value.trim_end_matches('0').trim_end_matches('.');
        Phi::new(format!("{} {value}{}", m.label, shown_unit(&m.unit)))
    });
    let lines: Vec<Phi<String>> = statements.chain(numbers).collect();
    (!lines.is_empty()).then(|| Block {
        heading: String::from("Device says"),
        label: String::from("From the file, not confirmed"),
        lines,
    })
}

/// A UCUM code as people write it.
fn shown_unit(unit: &str) -> String {
    match unit {
        "uV" => String::from(" µV"),
        "deg" => String::from("°"),
        "" => String::new(),
        other => format!(" {other}"),
    }
}
