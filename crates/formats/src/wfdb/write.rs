//! A recording to a WFDB record: a header and one signal file. header(5), signal(5).
//!
//! Recorded traces of the rhythm are written; derived ones follow from them again, and WFDB has no
//! place for a median beat or for a name. Samples become integers, exactly where a usual step
//! allows it.

use precordia_model::{Lead, Recording, Sex, Trace, TraceOrigin};

use crate::dicom::quantize::{self, Quantized};

/// How samples are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalFormat {
    /// 16 bits a sample.
    Bits16,
    /// 12 bits a sample, two in three bytes: format 212.
    Bits12,
}

/// Why a recording has no WFDB form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    #[error("a record's name has 1 to 64 letters, digits, underscores and hyphens")]
    NameInvalid,
    #[error("the recording has no recorded samples, or leads of different lengths")]
    SignalUnwritable,
    #[error("lead {lead} does not fit {bits} bits of at most 5 uV")]
    AmplitudeOutOfRange { lead: Lead, bits: u8 },
}

/// Files by name, the header first.
pub fn write(
    recording: &Recording,
    name: &str,
    format: SignalFormat,
) -> Result<Vec<(String, Vec<u8>)>, WriteError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !(1..=64).contains(&name.len()) || !name.bytes().all(plain) || name == "-" {
        return Err(WriteError::NameInvalid);
    }
    let traces: Vec<&Trace> = recording
        .rhythm
        .traces
        .iter()
        .filter(|trace| trace.origin == TraceOrigin::Recorded)
        .collect();
    let length = traces.first().map_or(0, |trace| trace.samples_uv.len());
    if length == 0 || traces.iter().any(|trace| trace.samples_uv.len() != length) {
        return Err(WriteError::SignalUnwritable);
    }
    let channels = traces
        .iter()
        .map(|trace| channel(trace, format))
        .collect::<Result<Vec<Quantized>, WriteError>>()?;
    let header = header(recording, name, format, &traces, &channels, length);
    Ok(vec![
        (format!("{name}.hea"), header.into_bytes()),
        (format!("{name}.dat"), samples(format, &channels, length)),
    ])
}

impl SignalFormat {
    const fn bits(self) -> u8 {
        match self {
            SignalFormat::Bits16 => 16,
            SignalFormat::Bits12 => 12,
        }
    }

    const fn number(self) -> u16 {
        match self {
            SignalFormat::Bits16 => 16,
            SignalFormat::Bits12 => 212,
        }
    }

    /// The lowest value stands for a gap.
    const fn lowest(self) -> i16 {
        i16::MIN >> (16 - self.bits())
    }
}

fn channel(trace: &Trace, format: SignalFormat) -> Result<Quantized, WriteError> {
    let quantized = quantize::quantize_within(trace, -(format.lowest() + 1));
    let mut quantized = quantized
        .ok_or(WriteError::AmplitudeOutOfRange { lead: trace.lead, bits: format.bits() })?;
    for value in quantized.values.iter_mut().filter(|value| **value == quantize::PADDING) {
        *value = format.lowest();
    }
    Ok(quantized)
}

fn header(
    recording: &Recording,
    name: &str,
    format: SignalFormat,
    traces: &[&Trace],
    channels: &[Quantized],
    length: usize,
) -> String {
    let rate = recording.rhythm.rate.hz();
    let mut text = format!("{name} {} {rate} {length}{}\n", traces.len(), when(recording));
    for (trace, channel) in traces.iter().zip(channels) {
        let gain = 1000.0 / channel.step_uv;
        let first = channel.values.first().copied().unwrap_or(0);
        let sum = channel.values.iter().fold(0_i16, |sum, value| sum.wrapping_add(*value));
        text.push_str(&format!(
            "{name}.dat {} {gain}(0)/mV {} 0 {first} {sum} 0 {}\n",
            format.number(),
            format.bits(),
            trace.lead
        ));
    }
    for comment in comments(recording) {
        text.push_str(&format!("# {comment}\n"));
    }
    text
}

/// Base time and base date, where both are known.
fn when(recording: &Recording) -> String {
    let local = recording.acquired_at.as_ref().and_then(|time| time.local.as_deref());
    let written = local.and_then(|local| {
        let (date, time) = local.split_once('T')?;
        let mut fields = date.split('-');
        let (year, month, day) = (fields.next()?, fields.next()?, fields.next()?);
        Some(format!(" {time} {day}/{month}/{year}"))
    });
    written.unwrap_or_default()
}

/// As the PhysioNet/CinC challenges write them, so that they are read again.
fn comments(recording: &Recording) -> Vec<String> {
    let mut comments = Vec::new();
    comments.extend(recording.patient.age_years.map(|years| format!("Age: {years}")));
    comments.extend(match recording.patient.sex {
        Some(Sex::Male) => Some("Sex: Male".to_owned()),
        Some(Sex::Female) => Some("Sex: Female".to_owned()),
        _ => None,
    });
    let codes: Vec<&str> = recording
        .device_statements
        .iter()
        .filter_map(|statement| statement.code.as_deref()?.strip_prefix("SCT:"))
        .collect();
    if !codes.is_empty() {
        comments.push(format!("Dx: {}", codes.join(",")));
    }
    let is_text = |code: Option<&str>| !code.is_some_and(|code| code.starts_with("SCT:"));
    for statement in &recording.device_statements {
        if is_text(statement.code.as_deref()) {
            let line: Vec<&str> = statement.text.reveal().split_whitespace().collect();
            comments.push(format!("Statement: {}", line.join(" ")));
        }
    }
    comments
}

fn samples(format: SignalFormat, channels: &[Quantized], length: usize) -> Vec<u8> {
    let stream =
        (0..length).flat_map(|row| channels.iter().map(move |channel| channel.values[row]));
    match format {
        SignalFormat::Bits16 => stream.flat_map(i16::to_le_bytes).collect(),
        SignalFormat::Bits12 => {
            let values: Vec<i16> = stream.collect();
            values.chunks(2).flat_map(pair).collect()
        }
    }
}

fn pair(values: &[i16]) -> impl Iterator<Item = u8> + use<> {
    let first = values[0].to_le_bytes();
    let second = values.get(1).map(|value| value.to_le_bytes());
    let high = second.map_or(0, |bytes| bytes[1] << 4);
    [first[0], first[1] & 0x0F | high].into_iter().chain(second.map(|bytes| bytes[0]))
}
