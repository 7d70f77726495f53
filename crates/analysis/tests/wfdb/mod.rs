//! Reads WFDB records of 16-bit samples, as far as the corpora need it.

// The crate sees no files; its tests do.
#![allow(clippy::disallowed_methods)]

use std::path::Path;

use precordia_model::{
    DeviceDescription, DevicePatient, Filters, Lead, Recording, SampleRate, Signal, Trace,
    TraceOrigin,
};

/// A recording around a signal.
pub fn recording(rate: SampleRate, traces: Vec<(Lead, Vec<f32>)>) -> Recording {
    let trace = |(lead, samples_uv)| Trace {
        lead,
        samples_uv,
        origin: TraceOrigin::Recorded,
        filters: Filters::default(),
    };
    Recording {
        format: "test",
        format_detail: String::new(),
        source_id: None,
        device: DeviceDescription::default(),
        patient: DevicePatient::default(),
        acquired_at: None,
        accession: None,
        rhythm: Signal { rate, traces: traces.into_iter().map(trace).collect() },
        other_groups: Vec::new(),
        device_measurements: Vec::new(),
        device_statements: Vec::new(),
        unmapped: Vec::new(),
        problems: Vec::new(),
    }
}

/// Reads the record of a header file.
pub fn read(header: &Path) -> Option<Recording> {
    let text = std::fs::read_to_string(header).ok()?;
    let mut lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let mut first = lines.next()?.split_whitespace().skip(1);
    let count: usize = first.next()?.parse().ok()?;
    let rate = SampleRate::from_hz(first.next()?.parse().ok()?)?;
    let mut file = None;
    let mut skipped = 0;
    let mut scales: Vec<(f32, f32, Lead)> = Vec::new();
    for line in lines.take(count) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        file = Some(header.with_file_name(fields.first()?));
        skipped = fields.get(1)?.split_once('+').map_or(Ok(0), |(_, bytes)| bytes.parse()).ok()?;
        let (gain, rest) = fields.get(2)?.split_once('(')?;
        let baseline = rest.split_once(')')?.0.parse().ok()?;
        scales.push((gain.parse().ok()?, baseline, fields.last()?.parse().ok()?));
    }
    let bytes = std::fs::read(file?).ok()?;
    let raw: Vec<f32> = bytes
        .get(skipped..)?
        .chunks_exact(2)
        .map(|b| f32::from(i16::from_le_bytes([b[0], b[1]])))
        .collect();
    let microvolts = |(k, (gain, baseline, lead)): (usize, (f32, f32, Lead))| {
        (lead, raw.iter().skip(k).step_by(count).map(|x| (x - baseline) / gain * 1000.0).collect())
    };
    Some(recording(rate, scales.into_iter().enumerate().map(microvolts).collect()))
}
