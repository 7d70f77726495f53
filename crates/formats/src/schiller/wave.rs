//! Rhythm and averages: blocks of channels, each with a rate and a scale of its own.

use precordia_model::{
    Filters, GroupKind, OtherGroup, Problem, Refusal, RefusalReason, SampleRate, Signal,
};

use crate::xml::{Element, decimal, whole};
use crate::{build, lead_code, rhythm, voltage};

const RHYTHM: &str = "ECG_RHYTHMS";
const AVERAGES: &str = "ECG_AVERAGES";

/// The first rhythm, and every other block.
pub(super) fn read(
    root: Element<'_>,
    problems: &mut Vec<Problem>,
) -> Result<(Signal, Vec<OtherGroup>), Refusal> {
    let mut found: Option<Signal> = None;
    let mut others = Vec::new();
    for event in root.descendants("event") {
        let filters = filters(event);
        for block in event.children("wavedata") {
            let kind = block.text_of("type").unwrap_or_default();
            let mut own = Vec::new();
            let read = signal(event, block, filters, &mut own);
            if kind == RHYTHM && found.is_none() {
                let signal = read?;
                rhythm::check_length(signal.duration_s(), &block.place(), &mut own)?;
                problems.extend(own);
                found = Some(signal);
                continue;
            }
            match read {
                Ok(signal) => {
                    // A beat of one lead may be flat without any fault of the recording.
                    problems.extend(own.into_iter().filter(|problem| problem.code != "lead_flat"));
                    let kind = match kind {
                        RHYTHM => GroupKind::FurtherRhythm,
                        AVERAGES => GroupKind::MedianBeat,
                        _ => GroupKind::Other,
                    };
                    let label = block.text_of("type").unwrap_or_default().to_owned();
                    others.push(OtherGroup { kind, label, signal });
                }
                Err(refusal) => {
                    let text = format!("a group beside the rhythm was not read: {}", refusal.text);
                    problems.push(Problem::error("group_not_read", refusal.place, text));
                }
            }
        }
    }
    let signal = found.ok_or_else(|| {
        let text = "the file holds no rhythm";
        Refusal::new(RefusalReason::NoWaveform, "rhythm_absent", "eventdata", text)
    })?;
    Ok((signal, others))
}

fn signal(
    event: Element<'_>,
    block: Element<'_>,
    filters: Filters,
    problems: &mut Vec<Problem>,
) -> Result<Signal, Refusal> {
    let place = block.place();
    let rate = rate(event, block, &place, problems)?;
    let uv_per_bit = uv_per_bit(block, &place)?;
    let mut traces = Vec::new();
    let mut length = None;
    for channel in block.children("channel") {
        let place = channel.place();
        let name = channel.text_of("name").unwrap_or_default();
        let Some(lead) = lead_code::from_name(name) else {
            let text = "a channel has a name that is no lead's";
            return Err(Refusal::new(RefusalReason::Ambiguous, "leads_unknown", place, text));
        };
        let samples_uv = samples(channel, uv_per_bit, &place)?;
        if *length.get_or_insert(samples_uv.len()) != samples_uv.len() {
            let text = "the leads differ in length, so they are not simultaneous throughout";
            return Err(Refusal::new(RefusalReason::Malformed, "lengths_differ", place, text));
        }
        traces.push(build::recorded(lead, samples_uv, filters));
    }
    build::signal(rate, traces, &place, problems)
}

/// `value` is the rate. The exponent of 1 beside it multiplies nothing: fiducials, which are
/// sample numbers, and durations, which are milliseconds, of the same file show it.
fn rate(
    event: Element<'_>,
    block: Element<'_>,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Result<SampleRate, Refusal> {
    let said = block.path("resolution/samplerate");
    let ambiguous =
        |code: &str, text: &str| Refusal::new(RefusalReason::Ambiguous, code, place, text);
    let Some(hz) = said.and_then(|said| said.number_of("value")) else {
        let text = "the samples have no sampling rate";
        return Err(ambiguous("sampling_rate_absent", text));
    };
    let exponent = said.and_then(|said| said.text_of("exponent"));
    if exponent.is_some_and(|exponent| !matches!(whole(exponent), Some(0 | 1))) {
        let text = "the exponent of the sampling rate is none that is known";
        return Err(ambiguous("rate_exponent_unknown", text));
    }
    let rate = rhythm::rate(hz, place)?;
    match is_proven(event, rate) {
        Some(true) => {}
        Some(false) => {
            let text = "fiducials and durations of the file show another sampling rate";
            return Err(ambiguous("sampling_rate_contradicted", text));
        }
        None if exponent.is_some_and(|exponent| whole(exponent) == Some(1)) => {
            let text = "the sampling rate has an exponent of 1, which was not multiplied with";
            problems.push(Problem::warning("rate_exponent", place, text));
        }
        None => {}
    }
    Ok(rate)
}

/// Whether what is said of P and QRS in samples and in milliseconds agrees at a rate.
fn is_proven(event: Element<'_>, rate: SampleRate) -> Option<bool> {
    let said = |name: &str| {
        let of_name = |one: &Element<'_>| one.text_of("name") == Some(name);
        event.children("annotation_global").find(of_name)?.number_of("value")
    };
    let agreements: Vec<bool> = [("QRS_ON", "QRS_OFF", "QRS"), ("P_ON", "P_OFF", "P")]
        .into_iter()
        .filter_map(|(onset, offset, duration)| {
            let (onset, offset, duration_ms) = (said(onset)?, said(offset)?, said(duration)?);
            let is_one = offset > onset && duration_ms > 0.0;
            let off_ms = (offset - onset) * rate.ms_per_sample() - duration_ms;
            is_one.then(|| off_ms.abs() <= 2.0 * rate.ms_per_sample().max(1.0))
        })
        .collect();
    (!agreements.is_empty()).then(|| agreements.iter().all(|agrees| *agrees))
}

fn uv_per_bit(block: Element<'_>, place: &str) -> Result<f64, Refusal> {
    let refused =
        |code: &str, text: &str| Err(Refusal::new(RefusalReason::Ambiguous, code, place, text));
    let said = block.path("resolution/yres");
    let Some(size) = said.and_then(|said| said.number_of("unitperbit")).filter(|size| *size > 0.0)
    else {
        return refused("scale_absent", "the samples have no amplitude of a bit");
    };
    let Some(unit) = said.and_then(|said| said.text_of("units")) else {
        return refused("unit_absent", "the samples have no unit");
    };
    // SEMA writes units in capitals. "MV" would be two units and is not read.
    let unit = match unit {
        "UV" => Some(1.0),
        unit => voltage::microvolts_in_words(unit),
    };
    match unit {
        Some(unit) => rhythm::uv_per_bit(size * unit, place),
        None => refused("unit_unknown", "the unit of the samples is none that is known"),
    }
}

fn samples(channel: Element<'_>, uv_per_bit: f64, place: &str) -> Result<Vec<f32>, Refusal> {
    let malformed =
        |code: &str, text: &str| Err(Refusal::new(RefusalReason::Malformed, code, place, text));
    if channel.text_of("datastype").is_some_and(|kind| kind != "COMMASEPARATE") {
        let text = "the samples are written in a way that is not known";
        return Err(Refusal::new(RefusalReason::Unsupported, "encoding_unknown", place, text));
    }
    let data = channel.text_of("data").unwrap_or_default();
    let numbers = data.trim_end_matches(',').split(',').filter(|_| !data.is_empty());
    let samples: Option<Vec<f32>> =
        numbers.map(|text| decimal(text).map(|raw| (raw * uv_per_bit) as f32)).collect();
    let Some(samples) = samples.filter(|samples| samples.iter().all(|uv| uv.is_finite())) else {
        return malformed("value_invalid", "a sample is not a number");
    };
    let declared = channel.text_of("samplecount").map(whole);
    if declared.is_some_and(|count| count != i64::try_from(samples.len()).ok()) {
        return malformed("sample_count_contradicted", "the number of samples is not the declared");
    }
    Ok(samples)
}

/// Of the acquisition; a dash is none.
fn filters(event: Element<'_>) -> Filters {
    let hz = |name: &str| {
        let of_name = |one: &Element<'_>| one.text_of("name") == Some(name);
        let filter = event.path("filters_data")?.children("filter").find(of_name)?;
        decimal(filter.text_of("value")?).filter(|hz| *hz > 0.0)
    };
    Filters {
        low_hz: hz("HIGHPASS_CUTOFF_FREQ"),
        high_hz: hz("LOWPASS_CUTOFF_FREQ"),
        notch_hz: hz("MAINS"),
    }
}
