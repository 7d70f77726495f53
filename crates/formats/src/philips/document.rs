//! What kind of document it is, and what it says of all samples.

use precordia_model::{Filters, Problem, Refusal, RefusalReason, SampleRate};

use crate::rhythm;
use crate::xml::{Element, decimal, whole};

const TYPES: [&str; 2] = ["SierraECG", "PhilipsECG"];

/// Type and version, once they are ones that can be read.
pub(super) fn accept(root: Element<'_>, problems: &mut Vec<Problem>) -> Result<String, Refusal> {
    let unsupported = |code: &str, place: &str, text: &str| {
        Err(Refusal::new(RefusalReason::Unsupported, code, place, text))
    };
    let info = root.child("documentinfo");
    let said = |name: &str| info.and_then(|info| info.text_of(name));
    let place = "documentinfo/documenttype";
    let Some(kind) = said("documenttype").filter(|kind| TYPES.contains(kind)) else {
        let text = "the document is of a type that is not known; SierraECG and PhilipsECG are";
        return unsupported("document_type_unknown", place, text);
    };
    let place = "documentinfo/documentversion";
    let version = said("documentversion").unwrap_or_default();
    let mut parts = version.split('.').map(whole);
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(1), Some(3 | 4)) => {}
        (Some(1), Some(minor)) => {
            let text =
                format!("version 1.{minor:02} is not known; it was read as 1.03 and 1.04 are");
            problems.push(Problem::warning("version_unknown", place, text));
        }
        _ => {
            let text = "the document is of a version that is not known; 1.03 and 1.04 are";
            return unsupported("version_unsupported", place, text);
        }
    }
    Ok(format!("{kind} {}", version.chars().take(20).collect::<String>()))
}

/// The form of the samples, said once of the acquisition (1.03, 1.04) and again of the samples (1.04).
#[derive(Debug)]
pub(super) struct Form {
    pub rate: SampleRate,
    pub uv_per_bit: f64,
    pub filters: Filters,
    pub channels_valid: Option<i64>,
}

pub(super) fn form(root: Element<'_>, samples: Element<'_>) -> Result<Form, Refusal> {
    let signal = root.path("dataacquisition/signalcharacteristics");
    let said = |names: [&str; 2]| {
        names.iter().find_map(|name| signal.and_then(|signal| signal.text_of(name)))
    };
    let both = |name: &str, attribute: &str, names: [&str; 2]| {
        agreed(name, samples.some_attribute(attribute), said(names))
    };
    let place = samples.place();
    let rate = both("sampling rate", "samplespersecond", ["samplingrate"; 2])?;
    let Some(rate) = rate else {
        let text = "the file does not say its sampling rate";
        return Err(ambiguous("sampling_rate_absent", &place, text));
    };
    let resolution = both("resolution", "resolution", ["resolution", "signalresolution"])?;
    let Some(resolution) = resolution else {
        let text = "the file does not say the amplitude of a bit";
        return Err(ambiguous("scale_absent", &place, text));
    };
    if resolution <= 0.0 {
        return Err(ambiguous("scale_absent", &place, "the amplitude of a bit is not positive"));
    }
    let offset = both("offset", "signaloffset", ["signaloffset"; 2])?;
    if offset.is_some_and(|offset| offset != 0.0) {
        let text = "samples have an offset, and whether it is added or taken away is not known";
        return Err(ambiguous("offset_unknown", &place, text));
    }
    let bits = samples.some_attribute("nbitspersample").or(samples.some_attribute("bitspersample"));
    let bits = agreed("number of bits", bits, said(["bitspersample"; 2]))?;
    let sign = samples.some_attribute("signalsigned").or(said(["signalsigned"; 2]));
    if bits.is_some_and(|bits| bits != 16.0) || sign.is_some_and(|sign| sign != "True") {
        let text = "samples are not of 16 bits with a sign";
        return Err(Refusal::new(RefusalReason::Unsupported, "sample_kind", place, text));
    }
    Ok(Form {
        rate: rhythm::rate(rate, &place)?,
        uv_per_bit: rhythm::uv_per_bit(resolution, &place)?,
        filters: filters(root, samples, said(["signalbandwidth"; 2])),
        channels_valid: said(["numberchannelsvalid"; 2]).and_then(whole),
    })
}

/// A number that is said in two places is the same in both.
fn agreed(what: &str, one: Option<&str>, other: Option<&str>) -> Result<Option<f64>, Refusal> {
    let place = "dataacquisition/signalcharacteristics";
    let number = |text: &str| {
        let said = format!("the {what} is not a number");
        decimal(text).ok_or_else(|| ambiguous("number_invalid", place, &said))
    };
    match (one.map(number).transpose()?, other.map(number).transpose()?) {
        (Some(one), Some(other)) if one != other => {
            let text = format!("the {what} is said twice and differs");
            Err(ambiguous("header_conflict", place, &text))
        }
        (one, other) => Ok(one.or(other)),
    }
}

/// Of the acquisition; of the printed sheet where the samples went through its filters.
fn filters(root: Element<'_>, samples: Element<'_>, bandwidth: Option<&str>) -> Filters {
    let positive = |text: Option<&str>| text.and_then(decimal).filter(|hz| *hz > 0.0);
    let sheet = root.path("reportinfo/reportbandwidth");
    if let Some(sheet) = sheet.filter(|_| samples.attribute("filterflag") == Some("True")) {
        return Filters {
            low_hz: positive(sheet.text_of("highpassfiltersetting")),
            high_hz: positive(sheet.text_of("lowpassfiltersetting")),
            notch_hz: positive(sheet.text_of("notchfiltersetting")),
        };
    }
    let signal = root.path("dataacquisition/signalcharacteristics");
    let said = |name: &str| {
        samples.some_attribute(name).or(signal.and_then(|signal| signal.text_of(name)))
    };
    let band = bandwidth.and_then(|band| band.split_once('-'));
    let notched = said("notchfiltered") == Some("True");
    Filters {
        low_hz: positive(said("hipass").or(band.map(|band| band.0))),
        high_hz: positive(said("lowpass").or(band.map(|band| band.1))),
        notch_hz: positive(said("notchfilterfreqs")).filter(|_| notched),
    }
}

fn ambiguous(code: &str, place: &str, text: &str) -> Refusal {
    Refusal::new(RefusalReason::Ambiguous, code, place, text)
}
