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

/// A record as its header describes it.
pub struct Record {
    pub name: String,
    pub rate: SampleRate,
    /// Names as written, and microvolts.
    pub signals: Vec<(String, Vec<f32>)>,
}

impl Record {
    /// The record as a recording; a signal whose lead is unknown, or known twice, gets a lead that
    /// no other has.
    pub fn recording(&self) -> Recording {
        let mut traces: Vec<(Lead, Vec<f32>)> = Vec::new();
        for (name, samples_uv) in &self.signals {
            let free = |lead: &Lead| traces.iter().all(|(taken, _)| taken != lead);
            let named = name.parse().ok().filter(free);
            let ambulatory = [Lead::CM5, Lead::CC5, Lead::V7, Lead::V8, Lead::V9];
            let Some(lead) = named.or(ambulatory.into_iter().find(free)) else { continue };
            traces.push((lead, samples_uv.clone()));
        }
        recording(self.rate, traces)
    }
}

/// Reads the record of a header file as a recording; every lead must be known.
pub fn read(header: &Path) -> Option<Recording> {
    let record = read_record(header)?;
    let lead = |(name, samples): (String, Vec<f32>)| Some((name.parse().ok()?, samples));
    let traces = record.signals.into_iter().map(lead).collect::<Option<Vec<_>>>()?;
    Some(recording(record.rate, traces))
}

/// Reads a record whose samples are microvolts whatever its header says. That of LUDB gives as gain
/// of each lead the range of its samples; by that I + III differs from II by up to 100 uV, by the
/// samples themselves not at all.
#[allow(dead_code)]
pub fn read_microvolts(header: &Path) -> Option<Recording> {
    let record = read_scaled(header, Some((1000.0, 0.0)))?;
    let lead = |(name, samples): (String, Vec<f32>)| Some((name.parse().ok()?, samples));
    let traces = record.signals.into_iter().map(lead).collect::<Option<Vec<_>>>()?;
    Some(recording(record.rate, traces))
}

/// Reads the record of a header file: formats 16 and 212, one file of samples.
pub fn read_record(header: &Path) -> Option<Record> {
    read_scaled(header, None)
}

/// With a gain in units a millivolt and a baseline in place of the header's own, if given.
fn read_scaled(header: &Path, scale: Option<(f32, f32)>) -> Option<Record> {
    let text = std::fs::read_to_string(header).ok()?;
    let mut lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let mut first = lines.next()?.split_whitespace();
    let name = first.next()?.to_owned();
    let count: usize = first.next()?.parse().ok()?;
    let hz = first.next()?;
    let rate = SampleRate::from_hz(hz.split('/').next()?.parse().ok()?)?;
    let mut file = None;
    let (mut skipped, mut packed) = (0, false);
    let mut scales: Vec<(f32, f32, String)> = Vec::new();
    for line in lines.take(count) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let own = header.with_file_name(fields.first()?);
        // Signals of a second file (the Frank leads of PTB) are left out.
        if file.as_ref().is_some_and(|first| *first != own) {
            break;
        }
        file = Some(own);
        let format = fields.get(1)?;
        skipped = format.split_once('+').map_or(Ok(0), |(_, bytes)| bytes.parse()).ok()?;
        packed = format.starts_with("212");
        let gain = fields.get(2)?.split('/').next()?;
        let zero = fields.get(4).and_then(|f| f.parse().ok()).unwrap_or(0.0);
        let (gain, baseline) = match gain.split_once('(') {
            Some((gain, rest)) => (gain, rest.split_once(')')?.0.parse().ok()?),
            None => (gain, zero),
        };
        // A gain of zero is the format's way of saying "not known": 200 units a millivolt.
        let gain: f32 = gain.parse().ok()?;
        let own = (if gain == 0.0 { 200.0 } else { gain }, baseline);
        let (gain, baseline) = scale.unwrap_or(own);
        scales.push((gain, baseline, (*fields.last()?).to_owned()));
    }
    let count = scales.len();
    let bytes = std::fs::read(file?).ok()?;
    let bytes = bytes.get(skipped..)?;
    let raw: Vec<f32> = if packed {
        bytes.chunks_exact(3).flat_map(two_of_twelve_bits).collect()
    } else {
        bytes.chunks_exact(2).map(|b| f32::from(i16::from_le_bytes([b[0], b[1]]))).collect()
    };
    let microvolts = |(k, (gain, baseline, name)): (usize, (f32, f32, String))| {
        (name, raw.iter().skip(k).step_by(count).map(|x| (x - baseline) / gain * 1000.0).collect())
    };
    Some(Record { name, rate, signals: scales.into_iter().enumerate().map(microvolts).collect() })
}

fn two_of_twelve_bits(b: &[u8]) -> [f32; 2] {
    let signed = |low: u8, high: u8| {
        let value = i16::from(low) | (i16::from(high) << 8);
        f32::from((value << 4) >> 4)
    };
    [signed(b[0], b[1] & 0x0f), signed(b[2], b[1] >> 4)]
}

/// Sample and code of every annotation (WFDB annotation format).
pub fn annotations(bytes: &[u8]) -> Vec<(i64, u16)> {
    let words: Vec<u16> = bytes.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect();
    let (mut at, mut time, mut out) = (0, 0_i64, Vec::new());
    while let Some(&word) = words.get(at) {
        let (code, interval) = (word >> 10, word & 0x3ff);
        at += 1;
        match code {
            0 if interval == 0 => break,
            59 => {
                let Some(skip) = words.get(at..at + 2) else { break };
                time += i64::from((i32::from(skip[0] as i16) << 16) | i32::from(skip[1]));
                at += 2;
            }
            60..=62 => {}
            63 => at += usize::from(interval).div_ceil(2),
            _ => {
                time += i64::from(interval);
                out.push((time, code));
            }
        }
    }
    out
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wave {
    P,
    Qrs,
    T,
}

/// A wave as experts marked it, in samples; what they did not mark is absent.
#[derive(Clone, Copy, Debug)]
pub struct MarkedWave {
    pub wave: Wave,
    pub onset: Option<i64>,
    pub peak: Option<i64>,
    pub offset: Option<i64>,
}

/// Whether an annotation's code is that of a beat, of whatever kind.
pub fn is_beat(code: u16) -> bool {
    matches!(code, 1..=13 | 25 | 30 | 34 | 35 | 38 | 41)
}

/// The waves of an annotation file: `(`, the wave's symbol, `)`. A second symbol of one wave (of a
/// biphasic one) is passed over.
pub fn marked_waves(bytes: &[u8]) -> Vec<MarkedWave> {
    let mut out = Vec::new();
    let (mut onset, mut open): (Option<i64>, Option<MarkedWave>) = (None, None);
    for (at, code) in annotations(bytes) {
        let wave = match code {
            24 => Some(Wave::P),
            27 => Some(Wave::T),
            code if is_beat(code) => Some(Wave::Qrs),
            _ => None,
        };
        match (code, wave) {
            (39, _) => {
                out.extend(open.take());
                onset = Some(at);
            }
            (40, _) => {
                out.extend(open.take().map(|w| MarkedWave { offset: Some(at), ..w }));
                onset = None;
            }
            (_, Some(wave)) => {
                if onset.is_none() && open.is_some_and(|w| w.wave == wave) {
                    continue;
                }
                out.extend(open.take());
                open = Some(MarkedWave { wave, onset: onset.take(), peak: Some(at), offset: None });
            }
            (_, None) => {
                out.extend(open.take());
                onset = None;
            }
        }
    }
    out.extend(open);
    out
}

/// The corpora's folder of annotated records.
pub fn annotated() -> std::path::PathBuf {
    let root = std::env::var_os("PRECORDIA_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        std::path::PathBuf::from,
    );
    root.join("annotated")
}

/// Header files of a folder in their order; none where there is no such folder.
pub fn headers(folder: &Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut headers: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    headers.retain(|path| path.extension().is_some_and(|e| e == "hea"));
    headers.sort();
    headers
}
