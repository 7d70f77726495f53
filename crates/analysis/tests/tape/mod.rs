//! The annotated corpora of rhythm: WFDB records of formats 16 and 212, and their annotations.

// The crate sees no files; its tests and examples do.
#![allow(clippy::disallowed_methods, dead_code)]

pub mod atria;
pub mod beats;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use precordia_model::{
    DeviceDescription, DevicePatient, Filters, Lead, Recording, SampleRate, Signal, Trace,
    TraceOrigin,
};

/// One record: its signals in microvolts, and the comments of its header.
pub struct Tape {
    pub name: String,
    pub rate_hz: f64,
    pub leads: Vec<(String, Vec<f32>)>,
    pub comments: Vec<String>,
}

/// An annotation: sample, WFDB code, and the text that goes with it (a rhythm's name).
pub struct Mark {
    pub at: i64,
    pub code: u16,
    pub text: String,
}

/// The folder of annotated corpora; `None` where there is none.
pub fn corpus() -> Option<PathBuf> {
    let root = std::env::var_os("PRECORDIA_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let folder = root.join("annotated");
    folder.is_dir().then_some(folder)
}

/// The headers of a folder, in order.
pub fn headers(folder: &Path) -> Vec<PathBuf> {
    let Ok(folder) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut headers: Vec<PathBuf> = folder.filter_map(|entry| Some(entry.ok()?.path())).collect();
    headers.retain(|path| path.extension().is_some_and(|e| e == "hea"));
    headers.sort();
    headers
}

/// Reads a record whose signals all lie in one file.
pub fn read(header: &Path) -> Option<Tape> {
    let text = std::fs::read_to_string(header).ok()?;
    let comments = text.lines().filter_map(|line| Some(line.strip_prefix('#')?.trim().to_owned()));
    let mut lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let mut first = lines.next()?.split_whitespace();
    let name = first.next()?.to_owned();
    let count: usize = first.next()?.parse().ok()?;
    let rate_hz = first.next()?.split('/').next()?.parse().ok()?;
    let mut place = None;
    let mut scales: Vec<(f32, f32, String)> = Vec::new();
    for line in lines.take(count) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (format, skipped) = fields.get(1)?.split_once('+').unwrap_or((fields[1], "0"));
        let format: u16 = format.split('x').next()?.parse().ok()?;
        place = Some((header.with_file_name(fields[0]), format, skipped.parse::<usize>().ok()?));
        let gain = fields.get(2)?.split('/').next()?;
        let (gain, baseline) = match gain.split_once('(') {
            Some((gain, rest)) => (gain, rest.trim_end_matches(')').parse().ok()?),
            None => (gain, fields.get(4)?.parse().ok()?),
        };
        // A gain of zero is "not calibrated": 200 a millivolt is the format's default.
        let gain: f32 = gain.parse().ok()?;
        let name = fields.get(8..).map_or(String::new(), |words| words.join(" "));
        scales.push((if gain == 0.0 { 200.0 } else { gain }, baseline, name));
    }
    let (path, format, skipped) = place?;
    let bytes = std::fs::read(path).ok()?;
    let raw = samples(bytes.get(skipped..)?, format)?;
    let leads = scales.into_iter().enumerate().map(|(k, (gain, baseline, name))| {
        let own = raw.iter().skip(k).step_by(count);
        (name, own.map(|x| (f32::from(*x) - baseline) / gain * 1000.0).collect())
    });
    Some(Tape { name, rate_hz, leads: leads.collect(), comments: comments.collect() })
}

fn samples(bytes: &[u8], format: u16) -> Option<Vec<i16>> {
    let twelve = |value: u16| ((value << 4) as i16) >> 4;
    match format {
        16 => Some(bytes.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect()),
        212 => Some(
            bytes
                .chunks_exact(3)
                .flat_map(|b| {
                    let [low, middle, high] = [b[0], b[1], b[2]].map(u16::from);
                    [twelve((middle & 0x0f) << 8 | low), twelve((middle & 0xf0) << 4 | high)]
                })
                .collect(),
        ),
        _ => None,
    }
}

/// The annotations beside a header.
pub fn marks(header: &Path, extension: &str) -> Vec<Mark> {
    let bytes = std::fs::read(header.with_extension(extension)).unwrap_or_default();
    let words: Vec<u16> = bytes.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect();
    let (mut at, mut time, mut out) = (0, 0_i64, Vec::<Mark>::new());
    while let Some(&word) = words.get(at) {
        let (code, interval) = (word >> 10, word & 0x3ff);
        at += 1;
        match code {
            0 if interval == 0 => break,
            59 => {
                let Some(skip) = words.get(at..at + 2) else { break };
                time += i64::from((i32::from(skip[0]) << 16) | i32::from(skip[1]));
                at += 2;
            }
            60..=62 => {}
            63 => {
                let from = 2 * at;
                let text = bytes.get(from..from + usize::from(interval)).unwrap_or_default();
                if let Some(last) = out.last_mut() {
                    last.text =
                        String::from_utf8_lossy(text).trim_end_matches('\0').trim().to_owned();
                }
                at += usize::from(interval).div_ceil(2);
            }
            _ => {
                time += i64::from(interval);
                out.push(Mark { at: time, code, text: String::new() });
            }
        }
    }
    out
}

/// The columns of a table with quoted fields, by the first column.
pub fn table(path: &Path) -> BTreeMap<String, Vec<String>> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field).trim().to_owned()),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field).trim().to_owned());
                rows.push(std::mem::take(&mut row));
            }
            c => field.push(c),
        }
    }
    row.push(field.trim().to_owned());
    rows.push(row);
    rows.into_iter().filter(|row| row.len() > 1).map(|row| (row[0].clone(), row)).collect()
}

impl Tape {
    /// The samples from one to another.
    pub fn part(&self, from: usize, to: usize) -> Tape {
        let cut = |(name, x): &(String, Vec<f32>)| (name.clone(), x[from..to].to_vec());
        Tape {
            name: self.name.clone(),
            rate_hz: self.rate_hz,
            leads: self.leads.iter().map(cut).collect(),
            comments: self.comments.clone(),
        }
    }

    /// As a recording. Leads without a standard name get one that is free: the names matter to
    /// axes, not to rhythm.
    pub fn recording(&self) -> Option<Recording> {
        let mut traces: Vec<Trace> = Vec::new();
        for (name, samples_uv) in &self.leads {
            let taken = |lead: &Lead| traces.iter().any(|t| t.lead == *lead);
            let named = name.parse::<Lead>().ok().filter(|lead| !taken(lead));
            let lead = named.or_else(|| Lead::TWELVE.into_iter().find(|lead| !taken(lead)))?;
            traces.push(Trace {
                lead,
                samples_uv: samples_uv.clone(),
                origin: TraceOrigin::Recorded,
                filters: Filters::default(),
            });
        }
        Some(Recording {
            format: "test",
            format_detail: String::new(),
            source_id: None,
            device: DeviceDescription::default(),
            patient: DevicePatient::default(),
            acquired_at: None,
            accession: None,
            rhythm: Signal { rate: SampleRate::from_hz(self.rate_hz)?, traces },
            other_groups: Vec::new(),
            device_measurements: Vec::new(),
            device_statements: Vec::new(),
            unmapped: Vec::new(),
            problems: Vec::new(),
        })
    }
}
