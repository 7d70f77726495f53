//! The header record: fixed fields of ASCII, then one row of fields a signal.

use precordia_model::{Refusal, RefusalReason};

use crate::frames::Parts;

const FIXED_BYTES: u64 = 256;

/// The same for each signal.
const SIGNAL_BYTES: u64 = 256;

/// Amplifiers have at most some hundred signals.
const SIGNALS_MAX: u64 = 4096;

const EDF_MAGIC: &[u8; 8] = b"0       ";
const BDF_MAGIC: &[u8; 8] = b"\xFFBIOSEMI";

#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub is_bdf: bool,
    /// `EDF+C`, `EDF+D` and the like, or what else the reserved field holds.
    pub reserved: String,
    pub patient: String,
    pub recording: String,
    pub date: String,
    pub time: String,
    pub header_bytes: u64,
    /// `None` where it is -1: not known when the header was written.
    pub records: Option<u64>,
    pub record_s: f64,
    pub signals: Vec<Signal>,
}

#[derive(Clone, Debug)]
pub(crate) struct Signal {
    pub label: String,
    pub transducer: String,
    pub unit: String,
    pub physical: [Option<f64>; 2],
    pub digital: [Option<i64>; 2],
    pub prefilter: String,
    /// Samples in a record.
    pub samples: u64,
}

impl Signal {
    pub(crate) fn is_annotations(&self) -> bool {
        matches!(self.label.as_str(), "EDF Annotations" | "BDF Annotations")
    }
}

impl Header {
    pub(crate) fn is_plus(&self) -> bool {
        self.reserved.starts_with("EDF+") || self.reserved.starts_with("BDF+")
    }

    pub(crate) fn sample_bytes(&self) -> u64 {
        if self.is_bdf { 3 } else { 2 }
    }

    /// Samples of all signals in one record.
    pub(crate) fn record_samples(&self) -> Option<u64> {
        self.signals.iter().try_fold(0_u64, |sum, signal| sum.checked_add(signal.samples))
    }
}

/// The version field, and numbers where the header says its own size.
pub(crate) fn looks_like_edf(bytes: &[u8]) -> bool {
    let magic = bytes.starts_with(EDF_MAGIC) || bytes.starts_with(BDF_MAGIC);
    let number = |range| bytes.get(range).is_some_and(|field| whole(&text(field)).is_some());
    magic && number(184..192) && number(252..256)
}

pub(crate) fn read(parts: &mut Parts<'_>, part: usize) -> Result<Header, Refusal> {
    let has = parts.size(part);
    if has < FIXED_BYTES {
        return Err(truncated());
    }
    let fixed = parts.slice(part, 0, FIXED_BYTES)?;
    let field = |from: usize, width: usize| text(&fixed[from..from + width]);
    let count = whole(&field(252, 4)).filter(|&count| (1..=SIGNALS_MAX).contains(&count));
    let count =
        count.ok_or_else(|| malformed("signals_invalid", "the number of signals is none"))?;
    let header_bytes = FIXED_BYTES + count * SIGNAL_BYTES;
    if whole(&field(184, 8)) != Some(header_bytes) {
        let text = "the header's stated size is not that of its signals";
        return Err(malformed("header_size_invalid", text));
    }
    if has < header_bytes {
        return Err(truncated());
    }
    let rows = parts.slice(part, FIXED_BYTES, count * SIGNAL_BYTES)?;
    let record_s = decimal(&field(244, 8)).filter(|seconds| *seconds >= 0.0);
    let records = field(236, 8);
    Ok(Header {
        is_bdf: fixed.starts_with(BDF_MAGIC),
        reserved: field(192, 44),
        patient: field(8, 80),
        recording: field(88, 80),
        date: field(168, 8),
        time: field(176, 8),
        header_bytes,
        records: match records.as_str() {
            "-1" => None,
            other => Some(whole(other).ok_or_else(|| {
                malformed("record_count_invalid", "the number of records is no number")
            })?),
        },
        record_s: record_s
            .ok_or_else(|| malformed("rate_invalid", "the duration of a record is no number"))?,
        signals: signals(&rows, count as usize)?,
    })
}

/// All labels, then all transducers, and so on.
fn signals(rows: &[u8], count: usize) -> Result<Vec<Signal>, Refusal> {
    let field = |before: usize, width: usize, index: usize| {
        let from = count * before + index * width;
        text(&rows[from..from + width])
    };
    let signal = |index: usize| {
        let samples = whole(&field(216, 8, index)).filter(|&samples| samples > 0);
        let digital = |before| field(before, 8, index).parse().ok();
        Ok(Signal {
            label: field(0, 16, index),
            transducer: field(16, 80, index),
            unit: field(96, 8, index),
            physical: [decimal(&field(104, 8, index)), decimal(&field(112, 8, index))],
            digital: [digital(120), digital(128)],
            prefilter: field(136, 80, index),
            samples: samples.ok_or_else(|| {
                let text = "a signal's number of samples in a record is none";
                let place = format!("signal {}", index + 1);
                Refusal::new(RefusalReason::Malformed, "sample_count_invalid", place, text)
            })?,
        })
    };
    (0..count).map(signal).collect()
}

/// The fields are ASCII; some writers put Latin-1 or UTF-8 there.
fn text(field: &[u8]) -> String {
    let text = match std::str::from_utf8(field) {
        Ok(text) => text.to_owned(),
        Err(_) => field.iter().map(|&byte| char::from(byte)).collect(),
    };
    text.trim_matches(|c: char| c.is_whitespace() || c == '\0').to_owned()
}

fn whole(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// A finite decimal. A comma is never one in these headers.
fn decimal(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse().ok().filter(|number: &f64| plain && number.is_finite())
}

pub(crate) fn malformed(code: &str, text: &str) -> Refusal {
    Refusal::new(RefusalReason::Malformed, code, "header", text)
}

fn truncated() -> Refusal {
    Refusal::new(RefusalReason::Truncated, "header_truncated", "header", "the header ends early")
}
