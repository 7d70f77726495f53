//! A file to the plan by which its samples are read.

use precordia_model::{Phi, Problem, Recording, Refusal, RefusalReason, SampleRate, UnmappedField};

use super::header::{Header, Signal};
use super::records::{Records, Span};
use super::{channel, header, identity, records};
use crate::channel_name::{Naming, shown};
use crate::frames::{Channel, Encoding, Layout, Parts, Plan, Run, Sampled, Scale, grouped};

/// Every file is one part.
const PART: usize = 0;

pub(crate) fn plan(parts: &mut Parts<'_>) -> Result<Plan, Refusal> {
    let header = header::read(parts, PART)?;
    let mut problems = Vec::new();
    let Records { count, spans, begins_s, statements, unmapped } =
        records::read(&header, parts, PART, &mut problems)?;
    let channels = channels(&header, count, &spans, &mut problems)?;
    let layout = Layout { groups: grouped(channels) };
    let begins_micros = if (0.0..1.0).contains(&begins_s) { (begins_s * 1e6).round() } else { 0.0 };
    let acquired_at =
        identity::acquired_at(&header, (begins_micros as u32).min(999_999), &mut problems);
    let mut fields = fields(&header);
    fields.extend(unmapped);
    let recording = Recording {
        format: if header.is_bdf { super::FORMAT_BDF } else { super::FORMAT },
        format_detail: detail(&header),
        source_id: None,
        device: identity::device(&header),
        patient: identity::patient(&header),
        acquired_at,
        accession: None,
        rhythm: Plan::no_samples(&layout)?,
        other_groups: Vec::new(),
        device_measurements: Vec::new(),
        device_statements: statements,
        unmapped: fields,
        problems,
    };
    Ok(Plan { header: recording, layout, place: "signals".to_owned() })
}

fn channels(
    header: &Header,
    count: u64,
    spans: &[Span],
    problems: &mut Vec<Problem>,
) -> Result<Vec<Sampled>, Refusal> {
    let mut naming = Naming::default();
    let mut found = Vec::new();
    let mut others = Vec::new();
    let mut first = 0;
    let frame = header.record_samples().unwrap_or(0) * header.sample_bytes();
    for (index, signal) in header.signals.iter().enumerate() {
        let place = format!("signal {}", index + 1);
        let begins = first;
        first += signal.samples * header.sample_bytes();
        if signal.is_annotations() {
            continue;
        }
        let Some(meaning) = channel::meaning(signal) else {
            others.push(shown(&signal.label));
            continue;
        };
        let Some(lead) = naming.lead(&signal.label, meaning, &place, problems) else { continue };
        let scale = channel::scale(signal, &place, problems)?;
        let rate = rate(header, signal, &place)?;
        let storage = Storage { header, scale, begins, frame, rate };
        let (runs, length) = storage.runs(signal, spans, &place)?;
        let channel = Channel { lead, filters: channel::filters(&signal.prefilter), runs };
        found.push(Sampled { rate, length, channel });
    }
    if found.is_empty() || count == 0 {
        let text = match others.len() {
            0 => "the file holds no signals".to_owned(),
            count => format!("none of the {count} signals is labelled as an ECG"),
        };
        return Err(Refusal::new(RefusalReason::NoWaveform, "ecg_absent", "signals", text)
            .hint("an ECG is known by a label such as `ECG I` or `V1`"));
    }
    if !others.is_empty() {
        let text = format!("{} signals are no ECG and were not read", others.len());
        problems.push(Problem::info("channel_not_ecg", "signals", text));
    }
    Ok(found)
}

fn rate(header: &Header, signal: &Signal, place: &str) -> Result<SampleRate, Refusal> {
    SampleRate::from_hz(signal.samples as f64 / header.record_s).ok_or_else(|| {
        let text = "a record's duration and samples give no rate that an ECG can have";
        Refusal::new(RefusalReason::Malformed, "rate_invalid", place, text)
    })
}

struct Storage<'h> {
    header: &'h Header,
    scale: Scale,
    /// Byte of a record at which the signal's samples begin.
    begins: u64,
    /// Bytes of a record.
    frame: u64,
    rate: SampleRate,
}

impl Storage<'_> {
    /// The signal's stretches, and how long it is with the gaps between them.
    fn runs(
        &self,
        signal: &Signal,
        spans: &[Span],
        place: &str,
    ) -> Result<(Vec<Run>, u64), Refusal> {
        let mut runs: Vec<Run> = Vec::with_capacity(spans.len());
        let mut end = 0;
        for span in spans {
            let at = (span.onset_s * self.rate.hz()).round();
            let at = if at < 9e15 { (at as u64).max(end) } else { u64::MAX };
            let count = span.count.checked_mul(signal.samples);
            let next = count.and_then(|count| at.checked_add(count));
            let (Some(count), Some(next)) = (count, next) else {
                let text = "the records are too long to count";
                let refusal =
                    Refusal::new(RefusalReason::Malformed, "sample_count_invalid", place, text);
                return Err(refusal);
            };
            end = next;
            runs.push(Run {
                at,
                count,
                skip: span.first * signal.samples,
                part: PART,
                start: self.header.header_bytes,
                first: self.begins,
                frame: self.frame,
                per_frame: signal.samples,
                encoding: if self.header.is_bdf { Encoding::I24Le } else { Encoding::I16Le },
                scale: self.scale,
                gap: None,
                stated: None,
            });
        }
        Ok((runs, end))
    }
}

/// What the header says and a recording has no place for.
fn fields(header: &Header) -> Vec<UnmappedField> {
    let mut fields = Vec::new();
    let mut keep = |place: String, value: &str| {
        if !value.is_empty() {
            fields.push(UnmappedField { place, value: Phi::new(value.to_owned()) });
        }
    };
    keep("local patient identification".to_owned(), &header.patient);
    keep("local recording identification".to_owned(), &header.recording);
    for (index, signal) in header.signals.iter().enumerate() {
        keep(format!("signal {} label", index + 1), &signal.label);
        keep(format!("signal {} transducer", index + 1), &signal.transducer);
        keep(format!("signal {} prefiltering", index + 1), &signal.prefilter);
    }
    fields
}

fn detail(header: &Header) -> String {
    match header.reserved.get(..5) {
        Some(name) if header.is_plus() => name.to_owned(),
        _ if header.is_bdf => "BDF".to_owned(),
        _ => "EDF".to_owned(),
    }
}
