//! The parts of a record to the plan by which its samples are read.

use precordia_model::{
    DeviceDescription, Filters, Phi, Problem, Recording, Refusal, RefusalReason, SampleRate,
};

use super::header::{self, Body, Header};
use super::layout::Stretch;
use super::{channel, comment, layout, segments, time};
use crate::channel_name::Naming;
use crate::frames::{Channel, Group, Layout, Parts, Plan, Sampled, grouped};

/// Samples of one signal in a frame; more would be another recording's.
const PER_FRAME_MAX: u32 = 10_000;

pub(crate) fn plan(parts: &mut Parts<'_>) -> Result<Plan, Refusal> {
    let headers = headers(parts)?;
    let index = master(&headers)?;
    let (name, text) = ("header", &headers[index].1);
    let mut problems = Vec::new();
    let header = header::parse(text, name, &mut problems)?;
    let rate_hz = rate(&header, name)?;
    let groups = match &header.body {
        Body::Signals(signals) => {
            let (stretches, frames) =
                layout::stretches(&header, signals, parts, name, &mut problems)?;
            let mut naming = Naming::default();
            let mut channels = Vec::new();
            for (index, (line, stretch)) in signals.iter().zip(&stretches).enumerate() {
                let place = header::place(name, index);
                let Some(lead) = channel::lead(line, &mut naming, &place, &mut problems)? else {
                    continue;
                };
                let scale = channel::scale(line, &place, &mut problems)?;
                skew(stretch, &place, &mut problems);
                let samples = samples(frames, stretch.per_frame, &place)?;
                let runs = stretch.run(0, samples, scale).into_iter().collect();
                let channel = Channel { lead, filters: Filters::default(), runs };
                channels.push((stretch.per_frame, channel));
            }
            by_rate(channels, rate_hz, frames, name)?
        }
        Body::Segments(list) => {
            segments::groups(&header, list, &headers, parts, rate_hz, &mut problems)?
        }
    };
    let layout = Layout { groups };
    let acquired_at = time::acquired_at(header.record.when, name, &mut problems);
    let header = Recording {
        format: super::FORMAT,
        format_detail: detail(&header),
        source_id: Some(Phi::new(header.record.name.to_owned())),
        device: DeviceDescription::default(),
        patient: comment::patient(&header.comments),
        acquired_at,
        accession: None,
        rhythm: Plan::no_samples(&layout)?,
        other_groups: Vec::new(),
        device_measurements: Vec::new(),
        device_statements: comment::statements(&header.comments),
        unmapped: comment::unmapped(&header.comments),
        problems,
    };
    Ok(Plan { header, layout, place: name.to_owned() })
}

/// All parts that are headers, with their names.
fn headers(parts: &mut Parts<'_>) -> Result<Vec<(String, String)>, Refusal> {
    let mut found = Vec::new();
    for index in 0..parts.len() {
        let bytes = parts.prefix(index, header::HEADER_BYTES_MAX)?;
        if header::looks_like_header(&bytes) {
            let name = parts.name(index);
            if parts.size(index) > header::HEADER_BYTES_MAX {
                let text = "the header is larger than any header is";
                let place = Parts::label(index);
                return Err(Refusal::new(RefusalReason::TooLarge, "header_too_large", place, text));
            }
            found.push((name, String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    Ok(found)
}

/// The header of the whole record: the only one, or the one with segments.
fn master(headers: &[(String, String)]) -> Result<usize, Refusal> {
    if headers.len() == 1 {
        return Ok(0);
    }
    let has_segments = |text: &str| {
        header::parse(text, "", &mut Vec::new())
            .is_ok_and(|header| matches!(header.body, Body::Segments(_)))
    };
    let mut with = (0..headers.len()).filter(|&index| has_segments(&headers[index].1));
    match (with.next(), with.next()) {
        (Some(index), None) => Ok(index),
        _ => {
            let text = format!(
                "{} headers came together and it is not clear which is the record's",
                headers.len()
            );
            Err(Refusal::new(RefusalReason::Ambiguous, "headers_several", "input", text))
        }
    }
}

/// header(5) would have 250 Hz stand for an absent rate. A time base is never assumed here.
fn rate(header: &Header<'_>, name: &str) -> Result<f64, Refusal> {
    let Some(rate) = header.record.rate_hz else {
        let text = "the header does not say the sampling frequency";
        return Err(Refusal::new(RefusalReason::Ambiguous, "rate_absent", name, text)
            .hint("add the frequency to the record line"));
    };
    SampleRate::from_hz(rate).map(|_| rate).ok_or_else(|| {
        let text = "the sampling frequency is none that an ECG can have";
        Refusal::new(RefusalReason::Malformed, "rate_invalid", name, text)
    })
}

pub(crate) fn samples(frames: u64, per_frame: u64, place: &str) -> Result<u64, Refusal> {
    frames.checked_mul(per_frame).filter(|&count| count > 0).ok_or_else(|| {
        let text = "the record has no samples, or more than can be counted";
        Refusal::new(RefusalReason::NoWaveform, "samples_absent", place, text)
    })
}

pub(crate) fn skew(stretch: &Stretch, place: &str, problems: &mut Vec<Problem>) {
    if stretch.skew > 0 {
        let text = format!(
            "the signal was recorded {} samples late; it was moved, and ends in a gap",
            stretch.skew
        );
        problems.push(Problem::info("channel_sample_skew", place, text));
    }
}

/// The rate and length of each signal, by its samples in a frame.
pub(crate) fn by_rate(
    channels: Vec<(u64, Channel)>,
    rate_hz: f64,
    frames: u64,
    name: &str,
) -> Result<Vec<Group>, Refusal> {
    let sampled = |(per_frame, channel): (u64, Channel)| {
        let rate = u32::try_from(per_frame)
            .ok()
            .filter(|&count| count <= PER_FRAME_MAX)
            .and_then(|count| SampleRate::from_hz(rate_hz * f64::from(count)));
        let rate = rate.ok_or_else(|| {
            let text = "a signal is sampled at a rate that no ECG has";
            Refusal::new(RefusalReason::Malformed, "rate_invalid", name, text)
        })?;
        Ok(Sampled { rate, length: samples(frames, per_frame, name)?, channel })
    };
    Ok(grouped(channels.into_iter().map(sampled).collect::<Result<_, Refusal>>()?))
}

fn detail(header: &Header<'_>) -> String {
    match &header.body {
        Body::Signals(signals) => {
            let mut formats: Vec<u32> = signals.iter().map(|line| line.format).collect();
            formats.dedup();
            let formats: Vec<String> = formats.iter().map(u32::to_string).collect();
            format!("signal format {}", formats.join(", "))
        }
        Body::Segments(segments) => format!("{} segments", segments.len()),
    }
}
