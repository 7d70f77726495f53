//! One waveform: leads of 16-bit samples in base64, each with its own scale, limits and checksum.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use precordia_model::{Filters, Lead, Problem, Refusal, RefusalReason, SampleRate, Signal, Trace};

use crate::xml::Element;
use crate::{build, lead_code, rhythm, voltage};

/// A sampling rate is base times ten to the exponent.
const EXPONENT_MAX: f64 = 6.0;

#[derive(Debug)]
pub(crate) struct Waveform<'t> {
    element: Element<'t>,
    place: String,
    rate: SampleRate,
    filters: Filters,
}

impl<'t> Waveform<'t> {
    pub(crate) fn of(element: Element<'t>) -> Result<Self, Refusal> {
        let place = element.place();
        let kind = element.text_of("SampleType").unwrap_or("CONTINUOUS_SAMPLES");
        if kind != "CONTINUOUS_SAMPLES" {
            let text = "the samples are not said to be continuous";
            let reason = RefusalReason::Unsupported;
            return Err(Refusal::new(reason, "sample_type_unknown", place, text));
        }
        let rate = rate(element, &place)?;
        let count = element.number_of("NumberofLeads");
        let leads = element.children("LeadData").count();
        if count.is_some_and(|count| count != leads as f64) {
            let text =
                format!("the waveform declares another number of leads than the {leads} it has");
            let reason = RefusalReason::Malformed;
            return Err(Refusal::new(reason, "lead_count_contradicted", place, text));
        }
        Ok(Self { element, place, rate, filters: filters(element) })
    }

    /// The samples in microvolts, with limb leads derived.
    pub(crate) fn read(&self, problems: &mut Vec<Problem>) -> Result<Signal, Refusal> {
        let mut traces: Vec<Trace> = Vec::new();
        let mut start: Option<[String; 2]> = None;
        for data in self.element.children("LeadData") {
            let place = data.place();
            let own = ["LeadTimeOffset", "LeadOffsetFirstSample"]
                .map(|name| data.text_of(name).unwrap_or("0").to_owned());
            if start.as_ref().is_some_and(|first| *first != own) {
                let text = "leads of the waveform begin at different times";
                let reason = RefusalReason::Ambiguous;
                return Err(Refusal::new(reason, "lead_offsets_differ", place, text));
            }
            start = Some(own);
            let Some(lead) = data.text_of("LeadID").and_then(lead_code::from_name) else {
                let text = "the lead's name is none that is known; it was not read";
                problems.push(Problem::error("lead_unknown", place, text));
                continue;
            };
            let samples_uv = samples_uv(data, lead, &place, problems)?;
            traces.push(build::recorded(lead, samples_uv, self.filters));
            data.pass_over();
        }
        rhythm::check_same_length(&traces, &self.place)?;
        build::signal(self.rate, traces, &self.place, problems)
    }
}

fn rate(waveform: Element<'_>, place: &str) -> Result<SampleRate, Refusal> {
    let ambiguous =
        |code: &str, text: &str| Err(Refusal::new(RefusalReason::Ambiguous, code, place, text));
    let Some(base) = waveform.text_of("SampleBase") else {
        return ambiguous("sampling_rate_absent", "the waveform has no sampling rate");
    };
    let exponent = match waveform.child("SampleExponent").and_then(Element::some_text) {
        None => Some(0.0),
        Some(text) => crate::xml::decimal(text),
    };
    let exponent =
        exponent.filter(|exponent| exponent.fract() == 0.0 && exponent.abs() <= EXPONENT_MAX);
    match (crate::xml::decimal(base), exponent) {
        (Some(base), Some(exponent)) => rhythm::rate(base * 10_f64.powf(exponent), place),
        _ => ambiguous("sampling_rate_invalid", "the waveform's sampling rate is not a number"),
    }
}

/// The low-pass and the mains filter are in hertz. The high-pass filter is a number of the cart that is
/// documented nowhere (16 is not 16 Hz); it stays as written.
fn filters(waveform: Element<'_>) -> Filters {
    let mains =
        waveform.child("ACFilter").filter(|one| crate::xml::decimal(one.glance_text()).is_some());
    let low_pass = waveform
        .child("LowPassFilter")
        .filter(|one| crate::xml::decimal(one.glance_text()).is_some());
    Filters {
        low_hz: None,
        high_hz: low_pass.and_then(Element::number).filter(|hz| *hz > 0.0),
        notch_hz: mains.and_then(Element::number),
    }
}

fn samples_uv(
    data: Element<'_>,
    lead: Lead,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Result<Vec<f32>, Refusal> {
    let refuse = |reason: RefusalReason, code: &str, text: String| {
        Err(Refusal::new(reason, code, place, text))
    };
    let uv_per_bit = scale(data, lead, place)?;
    let size = data.text_of("LeadSampleSize").unwrap_or("2");
    if size != "2" {
        let text = format!("the samples of {lead} do not have two bytes each");
        return refuse(RefusalReason::Unsupported, "sample_size_unknown", text);
    }
    // Whether a baseline would be added or is told only is not known; it is nothing in all files.
    if data.number_of("FirstSampleBaseline").is_some_and(|baseline| baseline != 0.0) {
        let text =
            format!("{lead} has a baseline of its own, of which it is not known how it counts");
        return refuse(RefusalReason::Ambiguous, "baseline_unknown", text);
    }
    let encoded: Vec<u8> = data
        .text_of("WaveFormData")
        .unwrap_or_default()
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let Ok(bytes) = STANDARD.decode(&encoded) else {
        let text = format!("the samples of {lead} are not base64");
        return refuse(RefusalReason::Malformed, "samples_malformed", text);
    };
    let counts = [("LeadByteCountTotal", bytes.len()), ("LeadSampleCountTotal", bytes.len() / 2)];
    for (name, count) in counts {
        if data.number_of(name).is_some_and(|declared| declared != count as f64) {
            let text = format!("{lead} has {count} where {name} says another number");
            return refuse(RefusalReason::Malformed, "sample_count_contradicted", text);
        }
    }
    if bytes.is_empty() || bytes.len() % 2 == 1 {
        let text = format!("{lead} has no samples, or half a sample");
        return refuse(RefusalReason::Malformed, "samples_malformed", text);
    }
    checksum(data, &bytes, lead, place, problems)?;
    for (name, code) in [("LeadOff", "lead_off"), ("BaselineSway", "baseline_sway")] {
        if data.text_of(name).is_some_and(|text| text.eq_ignore_ascii_case("TRUE")) {
            let text = format!("the device says {name} of {lead}");
            problems.push(Problem::warning(code, place, text));
        }
    }
    let digits: Vec<i16> =
        bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
    limits(data, &digits, lead, place, problems);
    let digits = digits.into_iter().map(f64::from);
    Ok(rhythm::samples_uv(digits, uv_per_bit, 0.0, lead, place, problems))
}

fn scale(data: Element<'_>, lead: Lead, place: &str) -> Result<f64, Refusal> {
    let ambiguous =
        |code: &str, text: String| Err(Refusal::new(RefusalReason::Ambiguous, code, place, text));
    let Some(per_bit) = data.number_of("LeadAmplitudeUnitsPerBit") else {
        let text = format!("{lead} has no amplitude per bit, so its samples have none");
        return ambiguous("scale_absent", text);
    };
    let unit = data.text_of("LeadAmplitudeUnits").unwrap_or_default();
    if unit.is_empty() {
        return ambiguous("unit_absent", format!("the amplitude of {lead} has no unit"));
    }
    let Some(unit_uv) = voltage::microvolts_in_words(unit) else {
        let text = format!("the amplitude of {lead} has a unit that is not known");
        return ambiguous("unit_unknown", text);
    };
    rhythm::uv_per_bit(per_bit * unit_uv, place)
}

/// CRC-32 as in Ethernet, over the bytes that base64 stands for; so in every file that we have.
fn checksum(
    data: Element<'_>,
    bytes: &[u8],
    lead: Lead,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Result<(), Refusal> {
    let Some(written) = data.text_of("LeadDataCRC32") else {
        let text = format!("{lead} has no checksum");
        problems.push(Problem::info("checksum_absent", place, text));
        return Ok(());
    };
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    // Some writers print 32 bits as a signed number.
    let agrees = crate::xml::whole(written).is_some_and(|number| {
        number == i64::from(crc.sum()) || number == i64::from(crc.sum().cast_signed())
    });
    if agrees {
        return Ok(());
    }
    let text = format!("the checksum of {lead} does not fit its samples");
    Err(Refusal::new(RefusalReason::Malformed, "checksum_wrong", place, text)
        .hint("export the recording again"))
}

/// 32768 is written for -32768 by some versions.
fn limits(data: Element<'_>, digits: &[i16], lead: Lead, place: &str, problems: &mut Vec<Problem>) {
    let high = data.number_of("LeadHighLimit").unwrap_or(32_767.0);
    let low = data.number_of("LeadLowLimit").map_or(-32_768.0, |low| -low.abs());
    let beyond = digits
        .iter()
        .filter(|&&digit| {
            digit != i16::MIN && (f64::from(digit) >= high || f64::from(digit) <= low)
        })
        .count();
    if beyond > 0 {
        let text = format!("{beyond} samples of {lead} stand at the end of the range");
        problems.push(Problem::warning("lead_saturated", place, text));
    }
}
