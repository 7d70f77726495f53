//! `precordia ecg convert`: a recording in another format.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use aws_lc_rs::digest::{Context, SHA256};
use precordia_formats::aecg::{self, DocumentId};
use precordia_formats::dicom::{self, ObjectIds};
use precordia_formats::{csv, edf, wfdb};
use precordia_interop::fhir::waveform;
use precordia_model::Recording;

use super::load::{Loaded, load};

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Target {
    /// 12-lead ECG where the object's rules are met, else General ECG.
    Dicom,
    /// Observation with sampled data.
    Fhir,
    /// HL7 annotated ECG.
    Aecg,
    /// A `.hea` header and a `.dat` file of 16 bits a sample beside it.
    Wfdb,
    /// EDF+.
    Edf,
    /// A table in microvolts with its layout, a column a lead.
    Csv,
}

/// `precordia ecg convert FILE... --to FORMAT --out PATH`
pub fn convert(files: &[PathBuf], to: Target, out: &Path) -> anyhow::Result<ExitCode> {
    let recording = match load(files)? {
        Loaded::Recording(recording) => recording,
        Loaded::Refused(code) => return Ok(code),
    };
    let attempt = || format!("could not write `{}`", out.display());
    match to {
        Target::Dicom => std::fs::write(out, in_dicom(&recording)?),
        Target::Fhir => {
            let resource = waveform::write(&recording).with_context(attempt)?;
            std::fs::write(out, serde_json::to_vec_pretty(&resource)?)
        }
        Target::Aecg => {
            let id = DocumentId(derived_uuid(&recording, "document").to_string());
            std::fs::write(out, aecg::write(&recording, &id).with_context(attempt)?)
        }
        Target::Wfdb => write_wfdb(&recording, out)?,
        Target::Edf => std::fs::write(out, edf::write(&recording).with_context(attempt)?),
        Target::Csv => std::fs::write(out, csv::write(&recording)),
    }
    .with_context(attempt)?;
    Ok(ExitCode::SUCCESS)
}

/// The record's name is the stem of the output's; its files stand beside each other.
fn write_wfdb(recording: &Recording, out: &Path) -> anyhow::Result<std::io::Result<()>> {
    let stem = out.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
    let files = wfdb::write(recording, &stem, wfdb::SignalFormat::Bits16)
        .with_context(|| format!("could not write `{}`", out.display()))?;
    let folder = out.parent().unwrap_or(Path::new(""));
    Ok(files.iter().try_for_each(|(name, bytes)| std::fs::write(folder.join(name), bytes)))
}

/// A copy is an object of its own, with UIDs of its own (PS3.5 B.2).
fn in_dicom(recording: &Recording) -> anyhow::Result<Vec<u8>> {
    let uid = |level| format!("2.25.{}", derived_uuid(recording, level).as_u128());
    dicom::write(recording, &ObjectIds::new(uid("object"), uid("study"), uid("series")))
        .context("the recording does not fit a DICOM waveform object")
}

/// An id that follows from what is written, so that a recording converted twice is one object and
/// not two.
fn derived_uuid(recording: &Recording, level: &str) -> uuid::Uuid {
    let mut hash = Context::new(&SHA256);
    hash.update(level.as_bytes());
    hash.update(&recording.rhythm.rate.hz().to_le_bytes());
    for trace in &recording.rhythm.traces {
        hash.update(trace.lead.name().as_bytes());
        trace.samples_uv.iter().for_each(|uv| hash.update(&uv.to_le_bytes()));
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finish().as_ref()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
