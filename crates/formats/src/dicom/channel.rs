//! One channel definition: which lead, which scale, which doubts. PS3.3 C.10.9.1.4.
//!
//! A lead is known by its code and by its names, which must agree. A scale is known only when unit,
//! sensitivity, correction and baseline are all understood.

use precordia_model::{Filters, Lead, Problem, Refusal, RefusalReason};

use super::element::{Code, DataSet};
use super::tag::{self, Tag};
use super::text::decimal;
use crate::{lead_code, voltage};

/// No amplifier resolves finer or coarser than this a bit; a scale outside is a damaged number.
const UV_PER_BIT: std::ops::RangeInclusive<f64> = 1e-6..=1e6;

/// raw * `uv_per_bit` + `offset_uv`
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    pub uv_per_bit: f64,
    pub offset_uv: f64,
}

/// The lead of a channel; `None` when nothing names one that we know.
pub(crate) fn lead(
    channel: &DataSet<'_>,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Result<Option<Lead>, Refusal> {
    let sources: Vec<Code<'_>> = channel.items(tag::CHANNEL_SOURCE).iter().map(Code::of).collect();
    let coded: Vec<Option<Lead>> =
        sources.iter().filter(|code| code.value.is_some()).map(lead_of_code).collect();
    let named = sources
        .iter()
        .filter_map(Code::meaning_ascii)
        .chain(channel.ascii(tag::CHANNEL_LABEL))
        .filter_map(lead_code::from_name);
    let mut evidence: Vec<Lead> = coded.iter().copied().flatten().chain(named).collect();
    evidence.dedup();
    let lead = match evidence[..] {
        [] => return Ok(None),
        [lead] => lead,
        [first, second, ..] => {
            let text = format!(
                "code, meaning and label of the channel name different leads: {first} and {second}"
            );
            return Err(Refusal::new(RefusalReason::Ambiguous, "lead_conflict", place, text));
        }
    };
    if coded.is_empty() {
        let text = format!("the channel has no lead code; its name says {lead}");
        problems.push(Problem::warning("lead_code_absent", place, text));
    } else if coded.iter().any(Option::is_none) {
        let text = format!("the channel's lead code is not known; its name says {lead}");
        problems.push(Problem::warning("lead_code_unknown", place, text));
    }
    if !channel.items(tag::CHANNEL_SOURCE_MODIFIERS).is_empty() {
        let text = format!("{lead} has source modifiers that were not applied");
        problems.push(Problem::warning("lead_modified", place, text));
    }
    Ok(Some(lead))
}

/// The leads of a group's channels, for those that refer to channels by number.
pub(crate) fn leads(group: &DataSet<'_>) -> Vec<Option<Lead>> {
    let definitions = group.items(tag::CHANNEL_DEFINITIONS).iter();
    definitions.map(|channel| lead(channel, "", &mut Vec::new()).ok().flatten()).collect()
}

fn lead_of_code(code: &Code<'_>) -> Option<Lead> {
    let value = code.value?;
    match code.scheme {
        Some("MDC") => lead_code::from_mdc(value),
        Some("SCPECG") => lead_code::from_scpecg(value),
        // A vendor's own scheme: its code is a name as good as any other.
        _ => lead_code::from_name(value),
    }
}

/// PS3.3 C.10.9.1.4.2: value = raw * sensitivity * correction + baseline, in the channel's unit.
pub(crate) fn scale(
    channel: &DataSet<'_>,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Result<Scale, Refusal> {
    let Some(sensitivity) = number(channel, tag::SENSITIVITY, "ChannelSensitivity", place)? else {
        let text = "the channel has no sensitivity, so its samples have no amplitude";
        return Err(Refusal::new(RefusalReason::Ambiguous, "sensitivity_absent", place, text));
    };
    let correction =
        number(channel, tag::SENSITIVITY_CORRECTION, "ChannelSensitivityCorrectionFactor", place)?;
    let baseline = number(channel, tag::BASELINE, "ChannelBaseline", place)?;
    if correction.is_none() || baseline.is_none() {
        let text = "correction factor or baseline is not there; the standard's neutral 1 and 0 stand for them";
        problems.push(Problem::info("scale_incomplete", place, text));
    }
    let unit_uv = unit(channel, place, problems)?;
    let scale = Scale {
        uv_per_bit: sensitivity * correction.unwrap_or(1.0) * unit_uv,
        offset_uv: baseline.unwrap_or(0.0) * unit_uv,
    };
    if !UV_PER_BIT.contains(&scale.uv_per_bit.abs()) || scale.offset_uv.abs() > 1e9 {
        let text = "sensitivity, correction and baseline give no amplitude that an ECG has";
        return Err(Refusal::new(RefusalReason::Malformed, "sensitivity_invalid", place, text));
    }
    if scale.uv_per_bit < 0.0 {
        let text = "the sensitivity is negative; samples were inverted as it says";
        problems.push(Problem::warning("sensitivity_negative", place, text));
    }
    Ok(scale)
}

/// Microvolts in the channel's unit. PS3.3 10.9.1.4: UCUM, in which case matters.
fn unit(channel: &DataSet<'_>, place: &str, problems: &mut Vec<Problem>) -> Result<f64, Refusal> {
    let ambiguous =
        |code: &str, text: &str| Err(Refusal::new(RefusalReason::Ambiguous, code, place, text));
    let Some(unit) = channel.code(tag::SENSITIVITY_UNITS) else {
        return ambiguous("unit_absent", "the channel's sensitivity has no unit");
    };
    let Some(value) = unit.value else {
        return ambiguous("unit_absent", "the channel's unit has no code");
    };
    let coded = voltage::microvolts(value);
    let in_words = unit.meaning_ascii().and_then(voltage::microvolts_in_words);
    match (coded, in_words) {
        (Some(coded), Some(in_words)) if coded != in_words => {
            ambiguous("unit_conflict", "code and meaning of the channel's unit differ")
        }
        (Some(_), None) if unit.scheme != Some("UCUM") => ambiguous(
            "unit_unknown",
            "the channel's unit is not coded in UCUM and its meaning does not tell it",
        ),
        (Some(coded), _) => Ok(coded),
        // `mv` is no unit, but `mv` that calls itself a millivolt is one that lost its capital.
        (None, Some(in_words)) if is_miswritten(value, in_words) => {
            let text = "the unit's code is in the wrong case; its meaning tells which unit it is";
            problems.push(Problem::warning("unit_case", place, text));
            Ok(in_words)
        }
        (None, _) => {
            ambiguous("unit_unknown", "the channel's unit is no unit of voltage that is known")
        }
    }
}

fn is_miswritten(value: &str, factor: f64) -> bool {
    // `MV` is a unit of its own, the megavolt.
    value != "MV"
        && ["nV", "uV", "mV", "V"].into_iter().any(|code| {
            code.eq_ignore_ascii_case(value) && voltage::microvolts(code) == Some(factor)
        })
}

/// Significant bits a sample; between one and all of the allocated ones.
pub(crate) fn bits_stored(
    channel: &DataSet<'_>,
    allocated: u32,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Result<u32, Refusal> {
    match channel.unsigned(tag::BITS_STORED) {
        Some(stored) if (2..=allocated).contains(&stored) => Ok(stored),
        Some(stored) => {
            let text = format!("{stored} bits are stored of {allocated} allocated");
            Err(Refusal::new(RefusalReason::Malformed, "bits_stored_contradicted", place, text))
        }
        None => {
            let text = format!(
                "the file does not say how many bits are stored; all {allocated} were read"
            );
            problems.push(Problem::warning("bits_stored_absent", place, text));
            Ok(allocated)
        }
    }
}

/// Reports when a channel was sampled later than the others. Samples are not moved.
pub(crate) fn skew(channel: &DataSet<'_>, place: &str, problems: &mut Vec<Problem>) {
    for (tag, unit, name) in [
        (tag::TIME_SKEW, "s", "channel_time_skew"),
        (tag::SAMPLE_SKEW, "samples", "channel_sample_skew"),
    ] {
        match channel.ascii(tag).map(decimal) {
            None | Some(Some(0.0)) => {}
            Some(Some(skew)) => {
                let text = format!(
                    "the channel is {skew} {unit} late against the group; samples were not moved"
                );
                problems.push(Problem::info(name, place, text));
            }
            Some(None) => {
                problems.push(Problem::warning(name, place, "the channel's skew is not a number"))
            }
        }
    }
}

/// PS3.3 table C.10-9; a filter of 0 Hz is none.
pub(crate) fn filters(channel: &DataSet<'_>) -> Filters {
    let hz = |tag| channel.ascii(tag).and_then(decimal).filter(|&hz| hz > 0.0);
    Filters {
        low_hz: hz(tag::FILTER_LOW),
        high_hz: hz(tag::FILTER_HIGH),
        notch_hz: hz(tag::FILTER_NOTCH),
    }
}

/// A decimal that may be absent or empty, but not anything else.
fn number(
    channel: &DataSet<'_>,
    tag: Tag,
    name: &str,
    place: &str,
) -> Result<Option<f64>, Refusal> {
    let blank = |bytes: &[u8]| bytes.iter().all(|byte| matches!(byte, b' ' | b'\0'));
    if channel.bytes(tag).is_none_or(blank) {
        return Ok(None);
    }
    channel.ascii(tag).and_then(decimal).map(Some).ok_or_else(|| {
        let text = format!("{name} is not a decimal number");
        Refusal::new(RefusalReason::Malformed, "sensitivity_invalid", place, text)
    })
}
