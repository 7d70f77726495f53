//! The samples of the rhythm.

use std::ops::Range;

use precordia_model::{Problem, Refusal, RefusalReason, Signal};

use super::document::Form;
use super::xli::{self, Damage};
use super::{calibration, leads};
use crate::xml::Element;
use crate::{base64, build, limb, rhythm};

/// Half an hour at 500 Hz; carts record ten seconds.
const SAMPLES_MAX: usize = 1 << 20;

pub(super) fn read(
    root: Element<'_>,
    samples: Element<'_>,
    form: &Form,
    problems: &mut Vec<Problem>,
) -> Result<Signal, Refusal> {
    let place = samples.place();
    let leads = leads::of_channels(root, samples)?;
    let mut channels = channels(samples, leads.len(), &place)?;
    if channels.len() < leads.len() {
        let text = format!("{} leads are named and {} are there", leads.len(), channels.len());
        return Err(Refusal::new(RefusalReason::Truncated, "channels_missing", place, text));
    }
    let unnamed = channels.split_off(leads.len());
    if form.channels_valid.is_some_and(|valid| valid < leads.len() as i64) {
        let text = "the file says that some of its channels are not valid and not which";
        problems.push(Problem::warning("channels_invalid", place.as_str(), text));
    }
    let length = channels.first().map_or(0, Vec::len);
    if channels.iter().any(|channel| channel.len() != length) {
        let text = "the leads differ in length, so they are not simultaneous throughout";
        return Err(Refusal::new(RefusalReason::Malformed, "lengths_differ", place, text));
    }
    check_duration(samples, form, length, problems)?;
    if is_compressed(samples, &place)? {
        leads::restore(&leads, &mut channels)?;
    }
    let pulse = calibration::find(&channels, form.uv_per_bit, form.rate);
    if unnamed.iter().any(|channel| !is_empty(channel, pulse.as_ref())) {
        let text = "the file holds channels that it does not name; they were not read";
        problems.push(Problem::warning("channels_unnamed", place.as_str(), text));
    }
    let traces = leads.into_iter().zip(channels).map(|(lead, channel)| {
        let in_uv = |&raw: &i16| (f64::from(raw) * form.uv_per_bit) as f32;
        build::recorded(lead, channel.iter().map(in_uv).collect(), form.filters)
    });
    rhythm::check_length(form.rate.seconds(length), &place, problems)?;
    let mut doubts = Vec::new();
    let signal = build::signal(form.rate, traces.collect(), &place, &mut doubts)?;
    if let Some(pulse) = pulse {
        // The same pulse in all limb leads follows no law of theirs and is no doubt about them.
        doubts.retain(|problem| !problem.code.starts_with("limb_leads"));
        doubts.extend(limb::check(&before(&signal, pulse.start), &place));
        calibration::report(&pulse, &place, &mut doubts);
    }
    problems.extend(doubts);
    Ok(signal)
}

fn before(signal: &Signal, end: usize) -> Signal {
    let mut signal = signal.clone();
    signal.traces.iter_mut().for_each(|trace| trace.samples_uv.truncate(end));
    signal
}

/// Carts of twelve leads write sixteen channels, of which the last hold the pulse alone.
fn is_empty(channel: &[i16], pulse: Option<&Range<usize>>) -> bool {
    let is_of_pulse = |at: &usize| pulse.is_some_and(|pulse| pulse.contains(at));
    channel.iter().enumerate().all(|(at, value)| *value == 0 || is_of_pulse(&at))
}

/// Version 1.03 has a flag and a method, 1.04 the method alone.
fn is_compressed(samples: Element<'_>, place: &str) -> Result<bool, Refusal> {
    let method = samples.some_attribute("compression").or(samples.some_attribute("compressmethod"));
    match (samples.some_attribute("compressflag"), method) {
        (Some("True") | None, Some("XLI")) => Ok(true),
        (Some("False"), _) | (None, None | Some("None" | "Uncompressed")) => Ok(false),
        _ => {
            let text = "samples are compressed in a way that is not known; XLI is";
            Err(Refusal::new(RefusalReason::Unsupported, "compression_unknown", place, text))
        }
    }
}

fn channels(samples: Element<'_>, named: usize, place: &str) -> Result<Vec<Vec<i16>>, Refusal> {
    let malformed =
        |code: &str, text: &str| Refusal::new(RefusalReason::Malformed, code, place, text);
    if samples.attribute("dataencoding").is_some_and(|encoding| encoding != "Base64") {
        let text = "samples are written in a way that is not known; Base64 is";
        return Err(Refusal::new(RefusalReason::Unsupported, "encoding_unknown", place, text));
    }
    let bytes = base64::decode(samples.text())
        .ok_or_else(|| malformed("samples_damaged", "the samples are not Base64"))?;
    if bytes.is_empty() {
        let text = "the file holds no samples";
        return Err(Refusal::new(RefusalReason::NoWaveform, "rhythm_absent", place, text));
    }
    if is_compressed(samples, place)? {
        return xli::channels(&bytes, SAMPLES_MAX).map_err(|damage| match damage {
            Damage::Truncated => {
                let text = "a channel ends before its declared length or without its end code";
                Refusal::new(RefusalReason::Truncated, "samples_truncated", place, text)
            }
            Damage::Code => {
                malformed("samples_damaged", "a code of the samples stands for nothing")
            }
            Damage::HalfSample => malformed("samples_damaged", "a channel ends within a sample"),
            Damage::TooMany => {
                malformed("samples_damaged", "there are more channels than any cart records")
            }
            Damage::TooLong => {
                let text = format!("a channel has more than {SAMPLES_MAX} samples");
                Refusal::new(RefusalReason::TooLarge, "samples_many", place, text)
            }
        });
    }
    let (values, half) = bytes.as_chunks::<2>();
    if named == 0 || !half.is_empty() || !values.len().is_multiple_of(named) {
        return Err(malformed("samples_damaged", "the leads have not the same number of samples"));
    }
    let of_lead = |lead: &[[u8; 2]]| lead.iter().map(|value| i16::from_le_bytes(*value)).collect();
    Ok(values.chunks(values.len() / named).map(of_lead).collect())
}

/// Duration and rate prove the number of samples, and the reverse.
fn check_duration(
    samples: Element<'_>,
    form: &Form,
    length: usize,
    problems: &mut Vec<Problem>,
) -> Result<(), Refusal> {
    let place = samples.place();
    let Some(duration_ms) = samples.attribute_number("durationperchannel") else { return Ok(()) };
    let expected = duration_ms / form.rate.ms_per_sample();
    let missing = expected - length as f64;
    if missing.abs() < 0.5 {
        return Ok(());
    }
    let text = format!("{length} samples are there and {expected:.0} are declared by duration");
    if missing.abs() < 1.5 {
        problems.push(Problem::info("sample_count", place, text));
        return Ok(());
    }
    let reason = if missing > 0.0 { RefusalReason::Truncated } else { RefusalReason::Malformed };
    Err(Refusal::new(reason, "sample_count_contradicted", place, text))
}
