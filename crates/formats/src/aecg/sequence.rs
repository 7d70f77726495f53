//! One sequence: a time axis, or a lead's samples. HL7 V3 data types GLIST, SLIST.

use precordia_model::{Lead, Problem, Refusal, RefusalReason, SampleRate};

use crate::xml::{Element, decimal};
use crate::{lead_code, rhythm, voltage};

/// When the samples of a set were taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeAxis {
    pub rate: SampleRate,
}

pub(crate) fn is_time(sequence: Element<'_>) -> bool {
    matches!(code(sequence), "TIME_ABSOLUTE" | "TIME_RELATIVE")
}

fn code<'t>(sequence: Element<'t>) -> &'t str {
    sequence.child("code").and_then(|code| code.attribute("code")).unwrap_or_default()
}

/// The sequences of a set that say when its samples were taken must agree on it. `rate` judges an
/// increment in seconds.
pub(crate) fn time_axis(
    set: Element<'_>,
    mut rate: impl FnMut(Increment) -> Result<SampleRate, Refusal>,
) -> Result<TimeAxis, Refusal> {
    let ambiguous = |code: &str, place: &str, text: &str| {
        Err(Refusal::new(RefusalReason::Ambiguous, code, place, text))
    };
    let mut found: Option<TimeAxis> = None;
    let sequences = set.children("component").flat_map(|component| component.children("sequence"));
    for sequence in sequences.filter(|one| is_time(*one)) {
        let place = sequence.place();
        let Some(increment) = sequence.path("value/increment").map(increment).transpose()? else {
            let text = "the time of the samples has no increment, so they have no rate";
            return ambiguous("sampling_rate_absent", &place, text);
        };
        let axis = TimeAxis { rate: rate(increment)? };
        if found.is_some_and(|earlier| earlier.rate != axis.rate) {
            let text = "two sequences say different times of the same samples";
            return ambiguous("sampling_rate_conflict", &place, text);
        }
        found = Some(axis);
        sequence.child("code").into_iter().for_each(Element::pass_over);
        if let Some(head) = sequence.path("value/head").filter(|head| is_zero(*head)) {
            head.pass_over();
        }
    }
    match found {
        Some(axis) => Ok(axis),
        None => {
            let text = "no sequence says when the samples were taken, so they have no rate";
            ambiguous("sampling_rate_absent", &set.place(), text)
        }
    }
}

/// A start at nothing says nothing.
fn is_zero(head: Element<'_>) -> bool {
    head.glance("value").and_then(decimal) == Some(0.0)
}

/// Between two samples, as written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Increment {
    pub seconds: f64,
    /// Written in seconds, which some writers say of milliseconds.
    pub in_seconds: bool,
}

fn increment(element: Element<'_>) -> Result<Increment, Refusal> {
    let invalid = |text: &str| {
        Refusal::new(RefusalReason::Ambiguous, "sampling_rate_invalid", element.place(), text)
    };
    let Some(value) = element.attribute_number("value").filter(|value| *value > 0.0) else {
        return Err(invalid("the increment of time is not a number above zero"));
    };
    let unit = element.attribute("unit").unwrap_or_default();
    // Division gives 0.002 where multiplication by 1e-3 gives a neighbor of it.
    let seconds = match unit {
        "s" => value,
        "ms" => value / 1e3,
        "us" => value / 1e6,
        "ns" => value / 1e9,
        _ => return Err(invalid("the increment of time has no unit that is known")),
    };
    Ok(Increment { seconds, in_seconds: unit == "s" })
}

/// By code and by name. A code in a vendor's own system is a name as good as any other.
pub(crate) fn lead(
    sequence: Element<'_>,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Result<Option<Lead>, Refusal> {
    let Some(code) = sequence.child("code") else { return Ok(None) };
    let written = code.some_attribute("code");
    let coded =
        written.and_then(|code| lead_code::from_mdc(code).or_else(|| lead_code::from_name(code)));
    let named = code.some_attribute("displayName").and_then(lead_code::from_name);
    if coded.is_some() || named.is_some() {
        code.pass_over();
    }
    match (coded, named) {
        (Some(coded), Some(named)) if coded != named => {
            let text =
                format!("code and name of the sequence name different leads: {coded} and {named}");
            Err(Refusal::new(RefusalReason::Ambiguous, "lead_conflict", place, text))
        }
        (None, Some(named)) => {
            let (problem, what) = match written {
                Some(_) => ("lead_code_unknown", "lead code is not known"),
                None => ("lead_code_absent", "lead code is not there"),
            };
            let text = format!("the sequence's {what}; its name says {named}");
            problems.push(Problem::warning(problem, place, text));
            Ok(Some(named))
        }
        (coded, _) => Ok(coded),
    }
}

/// How many samples there are, before any is believed.
pub(crate) fn count(sequence: Element<'_>) -> usize {
    let digits = sequence.path("value/digits");
    digits.map_or(0, |digits| digits.text().split_ascii_whitespace().count())
}

/// SLIST: origin + scale * digit.
pub(crate) fn samples_uv(
    sequence: Element<'_>,
    lead: Lead,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Result<Vec<f32>, Refusal> {
    let refuse = |reason, code: &str, text: String| Err(Refusal::new(reason, code, place, text));
    let value = sequence.child("value");
    let kind = value.and_then(|value| value.attribute("type")).unwrap_or("SLIST_PQ");
    if !matches!(kind.rsplit(':').next(), Some("SLIST_PQ" | "SLIST_INT")) {
        let text = format!("{lead} is not a list of digits with origin and scale");
        return refuse(RefusalReason::Unsupported, "sequence_type_unknown", text);
    }
    let quantity = |name: &str| {
        let element = value.and_then(|value| value.child(name));
        quantity_uv(element, name, lead, place)
    };
    let origin_uv = quantity("origin")?;
    let scale_uv = rhythm::uv_per_bit(quantity("scale")?, place)?;
    if scale_uv < 0.0 {
        let text = format!("the scale of {lead} is negative; samples were inverted as it says");
        problems.push(Problem::warning("sensitivity_negative", place, text));
    }
    let digits = value.and_then(|value| value.child("digits"));
    let mut samples = Vec::new();
    for (index, text) in digits.map_or("", Element::text).split_ascii_whitespace().enumerate() {
        let Some(digit) = digit(text) else {
            let text = format!("sample {} of {lead} is not a number of 32 bits", index + 1);
            return refuse(RefusalReason::Malformed, "digits_invalid", text);
        };
        samples.push(digit);
    }
    if samples.is_empty() {
        let text = format!("{lead} has no samples");
        return refuse(RefusalReason::NoWaveform, "samples_absent", text);
    }
    Ok(rhythm::samples_uv(samples, scale_uv, origin_uv, lead, place, problems))
}

fn quantity_uv(
    element: Option<Element<'_>>,
    name: &str,
    lead: Lead,
    place: &str,
) -> Result<f64, Refusal> {
    let ambiguous =
        |code: &str, text: String| Err(Refusal::new(RefusalReason::Ambiguous, code, place, text));
    let Some(value) = element.and_then(|element| element.some_attribute("value")) else {
        return ambiguous(
            "scale_absent",
            format!("{lead} has no {name}, so its samples have no amplitude"),
        );
    };
    let Some(value) = decimal(value) else {
        return ambiguous("scale_invalid", format!("the {name} of {lead} is not a number"));
    };
    let Some(unit) = element.and_then(|element| element.some_attribute("unit")) else {
        return ambiguous("unit_absent", format!("the {name} of {lead} has no unit"));
    };
    match voltage::microvolts(unit) {
        Some(unit_uv) => Ok(value * unit_uv),
        None => {
            ambiguous("unit_unknown", format!("the {name} of {lead} has a unit that is not known"))
        }
    }
}

/// A whole number as the data type has it, or a decimal as some writers have it.
fn digit(text: &str) -> Option<f64> {
    let number = match text.parse::<i32>() {
        Ok(whole) => return Some(f64::from(whole)),
        Err(_) => decimal(text)?,
    };
    (number.abs() <= f64::from(i32::MAX)).then_some(number)
}
