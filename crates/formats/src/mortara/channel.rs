//! One block of samples, described in attributes: of a lead, or of a typical beat and all its leads.

use precordia_model::{Filters, Lead, Problem, Refusal, RefusalReason, SampleRate, Signal};

use crate::xml::{Element, whole};
use crate::{base64, build, lead_code, rhythm};

/// What is said of samples.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Form {
    rate: SampleRate,
    uv_per_bit: f64,
    /// Number of samples, or milliseconds: at 1000 Hz they are the same.
    duration: Option<i64>,
}

impl Form {
    fn of(element: Element<'_>) -> Result<Self, Refusal> {
        let place = element.place();
        let ambiguous = |code: &str, text: &str| {
            Refusal::new(RefusalReason::Ambiguous, code, place.as_str(), text)
        };
        let Some(hz) = element.attribute_number("SAMPLE_FREQ") else {
            return Err(ambiguous("sampling_rate_absent", "the samples have no sampling rate"));
        };
        let units = element.attribute_number("UNITS_PER_MV").filter(|units| *units > 0.0);
        let Some(units_per_mv) = units else {
            return Err(ambiguous("scale_absent", "the samples have no number of units per mV"));
        };
        if element.attribute_number("OFFSET").is_some_and(|offset| offset != 0.0) {
            let text = "samples have an offset, and whether it is added or taken away is not known";
            return Err(ambiguous("offset_unknown", text));
        }
        let is = |name: &str, expected: &str| {
            element.attribute(name).is_none_or(|said| said.eq_ignore_ascii_case(expected))
        };
        if !is("BITS", "16") || !is("FORMAT", "SIGNED") || !is("ENCODING", "BASE64") {
            let text = "samples are not of 16 bits with a sign in Base64";
            let code = "sample_kind";
            return Err(Refusal::new(RefusalReason::Unsupported, code, place, text));
        }
        Ok(Self {
            rate: rhythm::rate(hz, &place)?,
            uv_per_bit: rhythm::uv_per_bit(1000.0 / units_per_mv, &place)?,
            duration: element.attribute("DURATION").and_then(whole),
        })
    }
}

/// Channels that each say their own form; all are of one rate and length.
pub(super) fn rhythm(
    root: Element<'_>,
    filters: Filters,
    problems: &mut Vec<Problem>,
) -> Result<Signal, Refusal> {
    let mut leads = Vec::new();
    for channel in root.children("CHANNEL") {
        let form = Form::of(channel)?;
        leads.push((form, lead(channel)?, samples(channel, form)?));
    }
    signal(leads, filters, "CHANNEL", problems)
}

/// A typical beat says its form for all its channels.
pub(super) fn beat(
    cycle: Element<'_>,
    filters: Filters,
    problems: &mut Vec<Problem>,
) -> Result<Signal, Refusal> {
    let form = Form::of(cycle)?;
    let mut leads = Vec::new();
    for channel in cycle.children("TYPICAL_CYCLE_CHANNEL") {
        leads.push((form, lead(channel)?, samples(channel, form)?));
    }
    signal(leads, filters, "TYPICAL_CYCLE", problems)
}

fn signal(
    leads: Vec<(Form, Lead, Vec<f32>)>,
    filters: Filters,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Result<Signal, Refusal> {
    let Some((first, _, samples)) = leads.first() else {
        let text = "the file holds no samples";
        return Err(Refusal::new(RefusalReason::NoWaveform, "rhythm_absent", place, text));
    };
    let (rate, length) = (first.rate, samples.len());
    if leads.iter().any(|(form, _, samples)| form.rate != rate || samples.len() != length) {
        let text = "the leads differ in rate or length, so they are not simultaneous throughout";
        return Err(Refusal::new(RefusalReason::Malformed, "lengths_differ", place, text));
    }
    let traces =
        leads.into_iter().map(|(_, lead, samples)| build::recorded(lead, samples, filters));
    build::signal(rate, traces.collect(), place, problems)
}

fn lead(channel: Element<'_>) -> Result<Lead, Refusal> {
    channel.attribute("NAME").and_then(lead_code::from_name).ok_or_else(|| {
        let text = "a channel has a name that is no lead's";
        Refusal::new(RefusalReason::Ambiguous, "leads_unknown", channel.place(), text)
    })
}

fn samples(channel: Element<'_>, form: Form) -> Result<Vec<f32>, Refusal> {
    let malformed = |code: &str, text: &str| {
        Err(Refusal::new(RefusalReason::Malformed, code, channel.place(), text))
    };
    let Some(bytes) = channel.attribute("DATA").and_then(base64::decode) else {
        return malformed("samples_damaged", "the samples are not Base64");
    };
    let (values, half) = bytes.as_chunks::<2>();
    if !half.is_empty() {
        return malformed("samples_damaged", "the channel ends within a sample");
    }
    let count = values.len() as f64;
    let agrees = |duration: i64| {
        let duration = duration as f64;
        duration == count || duration == count * form.rate.ms_per_sample()
    };
    if !form.duration.is_none_or(agrees) {
        let text = "the duration is neither the number of samples nor their milliseconds";
        return malformed("sample_count_contradicted", text);
    }
    let in_uv = |raw: &[u8; 2]| (f64::from(i16::from_le_bytes(*raw)) * form.uv_per_bit) as f32;
    Ok(values.iter().map(in_uv).collect())
}
