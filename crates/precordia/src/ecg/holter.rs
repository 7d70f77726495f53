//! `precordia ecg holter`: a recording of hours, block by block in a few megabytes.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use precordia_analysis::holter::Holter;
use precordia_formats::{NamedSource, OpenError, Part, companions, open};
use precordia_model::{HolterReport, Lead};
use serde_json::json;

use super::load::{PARTS_MAX, file_name, say_refused};
use crate::output::data;

/// A header that names further files lies within this.
const HEADER_BYTES_MAX: u64 = 1 << 20;

/// `precordia ecg holter FILE... [--json]`
pub fn holter(files: &[PathBuf], as_json: bool) -> Result<ExitCode> {
    let opened = match open(sources(files)?) {
        Ok(opened) => opened,
        Err(OpenError::Refused(refusal)) => return Ok(say_refused(&files[0], &refusal)?),
        Err(cause) => return Err(cause.into()),
    };
    let leads: Vec<Lead> = opened.header.rhythm.leads().collect();
    let mut measurer = Holter::new(opened.header.rhythm.rate, &leads)
        .context("the recording cannot be measured as it arrives")?;
    for block in opened.blocks {
        let block = match block {
            Ok(block) => block,
            Err(OpenError::Refused(refusal)) => return Ok(say_refused(&files[0], &refusal)?),
            Err(cause) => return Err(cause.into()),
        };
        // Derived leads follow the recorded ones and say nothing new.
        let traces = block.signal.traces.iter().take(leads.len());
        let rows: Vec<&[f32]> = traces.map(|trace| &trace.samples_uv[..]).collect();
        measurer.push(&rows).context("the blocks of the recording do not fit each other")?;
    }
    let report = measurer.finish();
    if as_json {
        let value = json!({ "report": report, "problems": opened.header.problems });
        data(&serde_json::to_string_pretty(&value)?);
    } else {
        print(&report);
    }
    Ok(ExitCode::SUCCESS)
}

/// The files, and those that they name from the same folder.
fn sources(files: &[PathBuf]) -> Result<Vec<NamedSource<'static>>> {
    let folder = files[0].parent().map(Path::to_owned).unwrap_or_default();
    let mut waiting: Vec<PathBuf> = files.to_vec();
    let mut names: Vec<String> = files.iter().map(|path| file_name(path)).collect();
    let mut sources = Vec::new();
    while let Some(path) = waiting.pop() {
        let attempt = || format!("could not read recording file `{}`", path.display());
        let name = file_name(&path);
        let mut head = Vec::new();
        let file = File::open(&path).with_context(attempt)?;
        file.take(HEADER_BYTES_MAX).read_to_end(&mut head).with_context(attempt)?;
        for further in companions(&Part { name: &name, bytes: &head }) {
            let beside = folder.join(&further);
            // One that is missing is for the reader to refuse.
            if names.len() < PARTS_MAX && !names.contains(&further) && beside.is_file() {
                names.push(further);
                waiting.push(beside);
            }
        }
        let source = Box::new(File::open(&path).with_context(attempt)?);
        sources.push(NamedSource { name, source });
    }
    Ok(sources)
}

fn print(report: &HolterReport) {
    let hours =
        |s: f64| format!("{:.0}:{:02.0}", (s / 3600.0).floor(), (s % 3600.0 / 60.0).floor());
    data(&format!("Machine measurements ({}), not reviewed by a clinician", report.version));
    data(&format!(
        "  duration         {:>9} h, {} analyzed",
        hours(report.duration_s),
        hours(report.analyzed_s)
    ));
    data(&format!("  beats            {:>9}", report.beats.len()));
    data(&format!("  ventricular      {:>9}", report.ectopy.ventricular));
    data(&format!("  supraventricular {:>9}", report.ectopy.supraventricular));
    if let Some(rr) = &report.rr {
        data(&format!("  mean rate        {:>9.0} /min", 60_000.0 / rr.mean_ms));
    }
    for (name, extreme) in
        [("longest RR", &report.longest_rr), ("shortest RR", &report.shortest_rr)]
    {
        if let Some(extreme) = extreme {
            data(&format!("  {name:<16} {:>9.0} ms", extreme.rr_ms));
        }
    }
    data(&format!("  pauses           {:>9}", report.pauses.len()));
}
