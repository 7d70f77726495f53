//! One block of samples: rate, resolution and a list of whole numbers a lead.

use precordia_model::{Filters, Lead, Problem, Refusal, RefusalReason, SampleRate, Signal, Trace};

use crate::xml::{Element, decimal};
use crate::{build, lead_code, rhythm};

/// The samples in microvolts, with limb leads derived.
pub(crate) fn read(
    block: Element<'_>,
    filters: Filters,
    problems: &mut Vec<Problem>,
) -> Result<Signal, Refusal> {
    let place = block.place();
    let rate = rate(block, &place)?;
    let uv_per_bit = resolution(block, &place)?;
    let leads: Vec<Element<'_>> = block.children("WaveformData").collect();
    if block.number_of("NumberOfLeads").is_some_and(|count| count != leads.len() as f64) {
        let text =
            format!("the block declares another number of leads than the {} it has", leads.len());
        let reason = RefusalReason::Malformed;
        return Err(Refusal::new(reason, "lead_count_contradicted", place, text));
    }
    let declared = block.number_of("ChannelSampleCountTotal");
    let mut traces: Vec<Trace> = Vec::new();
    for data in leads {
        let place = data.place();
        let Some(lead) = data.attribute("lead").and_then(lead_code::from_name) else {
            let text = "the lead's name is none that is known; it was not read";
            problems.push(Problem::error("lead_unknown", place, text));
            continue;
        };
        let digits = digits(data, lead, &place)?;
        if declared.is_some_and(|count| count != digits.len() as f64) {
            let text =
                format!("{lead} has {} samples and another number is declared", digits.len());
            let reason = RefusalReason::Malformed;
            return Err(Refusal::new(reason, "sample_count_contradicted", place, text));
        }
        let samples_uv = rhythm::samples_uv(digits, uv_per_bit, 0.0, lead, &place, problems);
        traces.push(build::recorded(lead, samples_uv, filters));
    }
    rhythm::check_same_length(&traces, &place)?;
    mark_invalid(block, &mut traces, &place, problems);
    build::signal(rate, traces, &place, problems)
}

fn rate(block: Element<'_>, place: &str) -> Result<SampleRate, Refusal> {
    let ambiguous =
        |code: &str, text: &str| Err(Refusal::new(RefusalReason::Ambiguous, code, place, text));
    let Some(element) = block.child("SampleRate").filter(|one| !one.glance_text().is_empty())
    else {
        return ambiguous("sampling_rate_absent", "the block has no sampling rate");
    };
    match (element.number(), element.attribute("units")) {
        (Some(hz), Some("Hz")) => rhythm::rate(hz, place),
        _ => ambiguous("sampling_rate_invalid", "the sampling rate is not a number of hertz"),
    }
}

fn resolution(block: Element<'_>, place: &str) -> Result<f64, Refusal> {
    let ambiguous =
        |code: &str, text: &str| Err(Refusal::new(RefusalReason::Ambiguous, code, place, text));
    let Some(element) = block.child("Resolution") else {
        return ambiguous(
            "scale_absent",
            "the block has no resolution, so its samples have no amplitude",
        );
    };
    let Some(value) = element.number() else {
        return ambiguous("scale_invalid", "the resolution is not a number");
    };
    match element.attribute("units") {
        Some("uVperLsb") => rhythm::uv_per_bit(value, place),
        None | Some("") => ambiguous("unit_absent", "the resolution has no unit"),
        Some(_) => ambiguous("unit_unknown", "the resolution has a unit that is not known"),
    }
}

/// Whole numbers with commas between them, and white space anywhere around.
fn digits(data: Element<'_>, lead: Lead, place: &str) -> Result<Vec<f64>, Refusal> {
    let text = data.text();
    if text.is_empty() {
        let text = format!("{lead} has no samples");
        return Err(Refusal::new(RefusalReason::NoWaveform, "samples_absent", place, text));
    }
    let number = |(index, text): (usize, &str)| {
        text.trim().parse::<i32>().map(f64::from).map_err(|_| {
            let text = format!("sample {} of {lead} is not a whole number", index + 1);
            Refusal::new(RefusalReason::Malformed, "digits_invalid", place, text)
        })
    };
    text.split(',').enumerate().map(number).collect()
}

/// A block may say which of its samples are valid. Writers count its end from 0 and from 1.
fn mark_invalid(
    block: Element<'_>,
    traces: &mut [Trace],
    place: &str,
    problems: &mut Vec<Problem>,
) {
    let bound = |name: &str| {
        let text = block.text_of(name)?;
        decimal(text).filter(|at| *at >= 0.0).map(|at| at as usize)
    };
    let first = bound("FirstValid").unwrap_or(0);
    let last = bound("LastValid").unwrap_or(usize::MAX);
    let mut marked = 0_usize;
    for trace in traces {
        let invalid =
            trace.samples_uv.iter_mut().enumerate().filter(|(at, _)| *at < first || *at > last);
        for (_, sample) in invalid {
            *sample = f32::NAN;
            marked += 1;
        }
    }
    if marked > 0 {
        let text = format!("{marked} samples are said to be invalid and were read as gaps");
        problems.push(Problem::info("padding", place, text));
    }
}
