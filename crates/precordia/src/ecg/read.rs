//! `precordia ecg read`: what a file holds.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use precordia_formats::READER_VERSION;
use precordia_model::{
    DeviceTime, OtherGroup, ProblemSeverity, Recording, Signal, TraceOrigin, ZoneKnowledge,
};
use serde_json::{Value, json};

use super::load::{Loaded, load};

/// `precordia ecg read FILE [--json] [--samples OUT.csv]`
pub fn read(files: &[PathBuf], json: bool, samples: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let recording = match load(files)? {
        Loaded::Recording(recording) => recording,
        Loaded::Refused(code) => return Ok(code),
    };
    if let Some(out) = samples {
        write_samples(&recording.rhythm, &out)
            .with_context(|| format!("could not write samples to `{}`", out.display()))?;
    }
    let mut stdout = io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut stdout, &as_json(&recording))?;
        writeln!(stdout)?;
    } else {
        write!(stdout, "{}", as_words(&recording))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A header of lead names in file order, derived ones after them; a row a sample; microvolts; a gap is
/// an empty cell.
fn write_samples(signal: &Signal, out: &Path) -> io::Result<()> {
    let mut csv = BufWriter::new(File::create(out)?);
    let names: Vec<&str> = signal.leads().map(|lead| lead.name()).collect();
    writeln!(csv, "{}", names.join(","))?;
    for row in 0..signal.len() {
        for (column, trace) in signal.traces.iter().enumerate() {
            if column > 0 {
                csv.write_all(b",")?;
            }
            match trace.samples_uv.get(row) {
                // `Display` of f32 prints the shortest text that reads back as the same number.
                Some(sample) if !sample.is_nan() => write!(csv, "{sample}")?,
                _ => {}
            }
        }
        csv.write_all(b"\n")?;
    }
    csv.flush()
}

fn as_json(recording: &Recording) -> Value {
    let patient = &recording.patient;
    let rhythm = &recording.rhythm;
    json!({
        "format": recording.format,
        "format_detail": recording.format_detail,
        "reader": READER_VERSION,
        "manufacturer": recording.device.manufacturer,
        "model": recording.device.model,
        "software": recording.device.software,
        "acquired_at": recording.acquired_at.as_ref().map(time_json),
        "accession": recording.accession,
        "sampling_hz": rhythm.rate.hz(),
        "duration_s": rhythm.duration_s(),
        "samples": rhythm.len(),
        "leads": lead_names(rhythm, |_| true),
        "derived_leads": lead_names(rhythm, |origin| *origin != TraceOrigin::Recorded),
        "patient": {
            "id": patient.id,
            "id_issuer": patient.id_issuer,
            "name": patient.name_as_written,
            "birth_date": patient.birth_date,
            "sex": patient.sex,
            "age_years": patient.age_years,
        },
        "other_groups": recording.other_groups.iter().map(group_json).collect::<Vec<Value>>(),
        "device_measurements": recording.device_measurements,
        "device_statements": recording.device_statements,
        "unmapped": recording.unmapped,
        "problems": recording.problems,
    })
}

fn time_json(time: &DeviceTime) -> Value {
    let offset_minutes = match time.zone {
        ZoneKnowledge::Offset { minutes } => Some(minutes),
        ZoneKnowledge::Unknown => None,
    };
    json!({
        "as_written": time.as_written,
        "local": time.local,
        "utc_offset_minutes": offset_minutes,
        "utc": time.utc().map(|utc| utc.to_rfc3339()),
    })
}

fn group_json(group: &OtherGroup) -> Value {
    json!({
        "kind": group.kind,
        "label": group.label,
        "sampling_hz": group.signal.rate.hz(),
        "samples": group.signal.len(),
        "leads": lead_names(&group.signal, |_| true),
    })
}

fn lead_names(signal: &Signal, wanted: impl Fn(&TraceOrigin) -> bool) -> Vec<&'static str> {
    signal
        .traces
        .iter()
        .filter(|trace| wanted(&trace.origin))
        .map(|trace| trace.lead.name())
        .collect()
}

fn as_words(recording: &Recording) -> String {
    let rhythm = &recording.rhythm;
    let unknown = || String::from("unknown");
    let device: Vec<&str> = [&recording.device.manufacturer, &recording.device.model]
        .into_iter()
        .filter_map(Option::as_deref)
        .collect();
    let mut lines = vec![
        format!("format      {} ({})", recording.format, recording.format_detail),
        format!("device      {}", if device.is_empty() { unknown() } else { device.join(" ") }),
        format!("acquired    {}", recording.acquired_at.as_ref().map_or_else(unknown, time_words)),
        format!("signal      {:.1} s at {} Hz", rhythm.duration_s(), rhythm.rate.hz()),
        format!(
            "recorded    {}",
            lead_names(rhythm, |origin| *origin == TraceOrigin::Recorded).join(" ")
        ),
    ];
    let derived = lead_names(rhythm, |origin| *origin != TraceOrigin::Recorded);
    if !derived.is_empty() {
        lines.push(format!("derived     {}", derived.join(" ")));
    }
    for measurement in &recording.device_measurements {
        let name = measurement.name.as_deref().unwrap_or(&measurement.label);
        lines.push(format!("device says {name} {} {}", measurement.value, measurement.unit));
    }
    for statement in &recording.device_statements {
        lines.push(format!("device says {}", statement.text.reveal()));
    }
    for problem in &recording.problems {
        let severity = match problem.severity {
            ProblemSeverity::Info => "info",
            ProblemSeverity::Warning => "warning",
            ProblemSeverity::Error => "error",
        };
        lines.push(format!(
            "{severity:<11} {} (at {}) [{}]",
            problem.text, problem.place, problem.code
        ));
    }
    lines.join("\n") + "\n"
}

fn time_words(time: &DeviceTime) -> String {
    let local = time.local.as_deref().unwrap_or(&time.as_written);
    match time.zone {
        ZoneKnowledge::Offset { minutes } => {
            let sign = if minutes < 0 { '-' } else { '+' };
            let minutes = minutes.unsigned_abs();
            format!("{local} {sign}{:02}:{:02}", minutes / 60, minutes % 60)
        }
        ZoneKnowledge::Unknown => format!("{local}, time zone unknown"),
    }
}
