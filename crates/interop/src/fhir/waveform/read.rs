//! An Observation with sampled data to a recording.

use precordia_formats::{Part, build, voltage};
use precordia_model::{
    DeviceDescription, DeviceMeasurement, DeviceTime, Filters, Lead, Phi, Problem, Recording,
    Refusal, RefusalReason, SampleRate, Trace, UnmappedField, ZoneKnowledge,
};
use serde_json::Value;

use super::super::json::Node;
use super::super::operation_outcome::Invalid;
use super::super::{codes, date};
use super::lead::{Named, lead};
use super::{FORMAT, subject};

/// Places in an Observation that a recording has a field for.
const MAPPED: [&str; 9] = [
    "resourceType",
    "id",
    "status",
    "code",
    "subject",
    "effectiveDateTime",
    "effectivePeriod",
    "component",
    "valueSampledData",
];
const UNMAPPED_MAX: usize = 100;

/// A JSON object that says what resource it is. It may say so at its very end: members have no order,
/// and many writers sort them by name.
pub fn looks_like_fhir(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text).trim_ascii_start();
    let names = |needle: &[u8]| text.windows(needle.len()).any(|window| window == needle);
    text.starts_with(b"{")
        && names(b"\"resourceType\"")
        && (names(b"\"Observation\"") || names(b"\"Bundle\""))
}

/// Reads an Observation, or a Bundle in which one Observation has samples.
pub fn read(parts: &[Part<'_>]) -> Result<Recording, Refusal> {
    let [part] = parts else {
        let text = "a FHIR resource is complete in itself and came together with other parts";
        return Err(refuse(RefusalReason::Unsupported, "parts_several", "input", text));
    };
    let bytes = part.bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(part.bytes);
    let json: Value = serde_json::from_slice(bytes).map_err(|cause| {
        let place = format!("line {} column {}", cause.line(), cause.column());
        let (reason, code) = if cause.is_eof() {
            (RefusalReason::Truncated, "json_truncated")
        } else {
            (RefusalReason::Malformed, "json_malformed")
        };
        refuse(reason, code, &place, "the JSON cannot be read")
    })?;
    let observation = observation(&json)?;
    recording(&json, &observation)
}

fn observation(json: &Value) -> Result<Node<'_>, Refusal> {
    if let Ok(observation) = Node::resource(json, "Observation") {
        return Ok(observation);
    }
    let bundle = Node::resource(json, "Bundle").map_err(invalid)?;
    let mut found = Vec::new();
    for entry in bundle.items("entry").map_err(invalid)? {
        let Some(resource) = entry.get("resource") else { continue };
        let is_ecg = resource.value["resourceType"] == "Observation" && has_samples(&resource);
        if is_ecg {
            found.push(resource);
        }
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(no_samples("Bundle.entry")),
        several => {
            let text = format!("{several} observations of the bundle have samples");
            let refusal = refuse(RefusalReason::Ambiguous, "recordings_several", "Bundle", &text);
            Err(refusal.hint("send each observation on its own"))
        }
    }
}

fn has_samples(observation: &Node) -> bool {
    let holds = |value: &Value| value.get("valueSampledData").is_some();
    let components = observation.value["component"].as_array();
    holds(observation.value) || components.is_some_and(|all| all.iter().any(holds))
}

fn recording(json: &Value, observation: &Node) -> Result<Recording, Refusal> {
    let status = observation.opt_string("status").map_err(invalid)?.unwrap_or_default();
    if matches!(&status[..], "entered-in-error" | "cancelled") {
        let text = format!("the observation is `{status}`: its sender took it back");
        return Err(refuse(RefusalReason::Malformed, "withdrawn", "Observation.status", &text));
    }
    let mut problems = Vec::new();
    if status == "preliminary" || status == "registered" {
        let text = format!("the observation is `{status}`: its sender may still change it");
        problems.push(Problem::info("not_final", "Observation.status", text));
    }
    let mut leads = Vec::new();
    let mut device_measurements = Vec::new();
    let mut unmapped = unmapped(observation);
    let mut holders = observation.items("component").map_err(invalid)?;
    if observation.get("valueSampledData").is_some() {
        holders.insert(0, observation.clone());
    }
    for holder in &holders {
        if let Some(sampled) = holder.get("valueSampledData") {
            leads.push(sampled_lead(holder, &sampled, &mut problems)?);
        } else if let Some(measurement) = measurement(holder).map_err(invalid)? {
            device_measurements.push(measurement);
        } else {
            keep(&mut unmapped, &holder.path, holder.value);
        }
    }
    let rate = common_rate(&leads)?;
    let length = leads.first().map_or(0, |lead| lead.samples_uv.len());
    if let Some(other) = leads.iter().find(|lead| lead.samples_uv.len() != length) {
        let text = format!(
            "{} has {} samples and {} has {length}",
            other.lead,
            other.samples_uv.len(),
            leads[0].lead
        );
        return Err(refuse(RefusalReason::Malformed, "lead_lengths_differ", &other.place, &text));
    }
    let traces: Vec<Trace> = leads
        .into_iter()
        .map(|lead| build::recorded(lead.lead, lead.samples_uv, Filters::default()))
        .collect();
    let rhythm = build::signal(rate, traces, "Observation.component", &mut problems)?;
    let device = observation.get("device").and_then(|device| device.get("display"));
    let acquired_at = acquired_at(observation, &mut problems).map_err(invalid)?;
    Ok(Recording {
        format: FORMAT,
        format_detail: String::from("FHIR R4 Observation, SampledData"),
        source_id: observation.opt_string("id").map_err(invalid)?.map(Phi::new),
        device: DeviceDescription {
            model: device.and_then(|display| display.string().ok()),
            ..DeviceDescription::default()
        },
        patient: subject::patient(json, observation).map_err(invalid)?,
        acquired_at,
        accession: None,
        rhythm,
        other_groups: Vec::new(),
        device_measurements,
        device_statements: Vec::new(),
        unmapped,
        problems,
    })
}

struct SampledLead {
    lead: Lead,
    rate: SampleRate,
    samples_uv: Vec<f32>,
    place: String,
}

fn sampled_lead(
    holder: &Node,
    sampled: &Node,
    problems: &mut Vec<Problem>,
) -> Result<SampledLead, Refusal> {
    let place = sampled.path.clone();
    let code = holder.require("code").map_err(invalid)?;
    let lead = match lead(&code, problems).map_err(invalid)? {
        Named::Lead(lead) => lead,
        Named::Unknown => {
            let text = "neither code nor name says which lead this is";
            return Err(refuse(RefusalReason::Ambiguous, "lead_unknown", &code.path, text));
        }
        Named::Conflict(first, second) => {
            let text = format!("one code says {first} and another {second}");
            return Err(refuse(RefusalReason::Ambiguous, "lead_codes_disagree", &code.path, &text));
        }
    };
    let dimensions: i64 =
        sampled.get("dimensions").map_or(Ok(1), |node| node.integer()).map_err(invalid)?;
    if dimensions != 1 {
        let text = format!("{dimensions} values a point, and nothing says which leads they are");
        return Err(refuse(RefusalReason::Ambiguous, "dimensions_several", &place, &text));
    }
    let rate = rate(sampled)?;
    let scale = Scale::of(sampled)?;
    let text = sampled.require("data").map_err(|_| no_samples(&place))?;
    let (samples_uv, special) = scale.samples(&text)?;
    if special > 0 {
        let text =
            format!("{special} points of {lead} are errors or beyond the limits; they are gaps");
        problems.push(Problem::warning("points_without_value", place.as_str(), text));
    }
    Ok(SampledLead { lead, rate, samples_uv, place })
}

/// R4's `period` in milliseconds, or R5's `interval` with its unit.
fn rate(sampled: &Node) -> Result<SampleRate, Refusal> {
    let bad = |place: &str, text: &str| {
        refuse(RefusalReason::Ambiguous, "sampling_rate_absent", place, text)
    };
    let (node, unit_s) = if let Some(period) = sampled.get("period") {
        (period, 1e-3)
    } else if let Some(interval) = sampled.get("interval") {
        let unit = sampled.opt_string("intervalUnit").map_err(invalid)?;
        let seconds = match unit.as_deref() {
            Some("s") => 1.0,
            Some("ms") => 1e-3,
            Some("us") => 1e-6,
            _ => return Err(bad(&interval.path, "the interval has no unit of time that is known")),
        };
        (interval, seconds)
    } else {
        return Err(bad(&sampled.path, "nothing says how far apart the points are"));
    };
    let seconds = node.f64().map_err(invalid)? * unit_s;
    SampleRate::from_hz(1.0 / seconds)
        .ok_or_else(|| bad(&node.path, "the time between points is not a positive number"))
}

/// How a point becomes microvolts: origin + factor × point.
struct Scale {
    origin_uv: f64,
    factor_uv: f64,
}

impl Scale {
    fn of(sampled: &Node) -> Result<Self, Refusal> {
        let origin = sampled.require("origin").map_err(invalid)?;
        let value = origin.get("value").map_or(Ok(0.0), |node| node.f64()).map_err(invalid)?;
        let code = origin.opt_string("code").map_err(invalid)?;
        let words = origin.opt_string("unit").map_err(invalid)?;
        let system = origin.opt_string("system").map_err(invalid)?;
        let coded = code.as_deref().and_then(voltage::microvolts);
        let named = words.as_deref().and_then(voltage::microvolts_in_words);
        let is_ucum = system.as_deref().is_none_or(|system| system == codes::UCUM);
        let unit_uv = match (coded.filter(|_| is_ucum), named) {
            (Some(coded), Some(named)) if coded != named => {
                let text = "the unit's code and its name are different units";
                return Err(units(&origin.path, "units_disagree", text));
            }
            (coded, named) => coded.or(named),
        };
        let Some(unit_uv) = unit_uv else {
            let text = "the samples have no unit of voltage that is known";
            return Err(units(&origin.path, "units_absent", text));
        };
        let factor = sampled.get("factor").map_or(Ok(1.0), |node| node.f64()).map_err(invalid)?;
        if !(factor.is_finite() && factor != 0.0) {
            let text = "a factor of zero makes every point the same";
            return Err(refuse(RefusalReason::Malformed, "factor_zero", &sampled.path, text));
        }
        Ok(Self { origin_uv: value * unit_uv, factor_uv: factor * unit_uv })
    }

    /// Microvolts, and how many points have no value: E (error), U and L (beyond a limit).
    fn samples(&self, data: &Node) -> Result<(Vec<f32>, usize), Refusal> {
        let mut special = 0;
        let samples = data.str().map_err(invalid)?.split_ascii_whitespace().enumerate();
        let samples: Result<Vec<f32>, Refusal> = samples
            .map(|(index, word)| match word {
                "E" | "U" | "L" => {
                    special += 1;
                    Ok(f32::NAN)
                }
                word => {
                    let point = word.parse::<f64>().ok().filter(|point| point.is_finite());
                    let uv = |point| (self.origin_uv + self.factor_uv * point) as f32;
                    point.map(uv).ok_or_else(|| {
                        let place = format!("{} point {index}", data.path);
                        let text = "a point is neither a number nor E, U or L";
                        refuse(RefusalReason::Malformed, "point_malformed", &place, text)
                    })
                }
            })
            .collect();
        let samples = samples?;
        if samples.is_empty() { Err(no_samples(&data.path)) } else { Ok((samples, special)) }
    }
}

fn common_rate(leads: &[SampledLead]) -> Result<SampleRate, Refusal> {
    let Some(first) = leads.first() else { return Err(no_samples("Observation.component")) };
    match leads.iter().find(|lead| lead.rate != first.rate) {
        None => Ok(first.rate),
        Some(other) => {
            let text = format!(
                "{} has {} Hz and {} has {} Hz",
                first.lead,
                first.rate.hz(),
                other.lead,
                other.rate.hz()
            );
            Err(refuse(RefusalReason::Unsupported, "sampling_rates_differ", &other.place, &text))
        }
    }
}

/// A component with a number: what the sender measured.
fn measurement(holder: &Node) -> Result<Option<DeviceMeasurement>, Invalid> {
    let Some(quantity) = holder.get("valueQuantity") else { return Ok(None) };
    let value = quantity.require("value")?.f64()?;
    let unit = match quantity.opt_string("code")? {
        Some(code) => code,
        None => quantity.opt_string("unit")?.unwrap_or_default(),
    };
    let concept = holder.require("code")?;
    let coding = concept.items("coding")?.into_iter().next();
    let mut label = concept.opt_string("text")?;
    let mut code = None;
    if let Some(coding) = coding {
        label = label.or(coding.opt_string("display")?);
        let scheme = match coding.opt_string("system")?.as_deref() {
            Some(codes::LOINC) => String::from("LN"),
            Some(codes::MDC | super::MDC_OID) => String::from("MDC"),
            Some(other) => other.to_owned(),
            None => String::new(),
        };
        code = coding.opt_string("code")?.map(|value| format!("{scheme}:{value}"));
    }
    Ok(Some(DeviceMeasurement {
        name: None,
        code,
        label: label.unwrap_or_default(),
        value,
        unit,
        lead: None,
    }))
}

fn acquired_at(
    observation: &Node,
    problems: &mut Vec<Problem>,
) -> Result<Option<DeviceTime>, Invalid> {
    let period = observation.get("effectivePeriod").and_then(|period| period.get("start"));
    let Some(node) = observation.get("effectiveDateTime").or(period) else { return Ok(None) };
    let as_written = node.string()?;
    let time = date::device_time(&as_written);
    if time.is_none() {
        let text = "the time is not a FHIR dateTime; it is kept as written";
        problems.push(Problem::warning("time_malformed", node.path.as_str(), text));
    }
    let zone = ZoneKnowledge::Unknown;
    Ok(Some(time.unwrap_or(DeviceTime { as_written, local: None, zone })))
}

fn unmapped(observation: &Node) -> Vec<UnmappedField> {
    let mut fields = Vec::new();
    for (name, value) in observation.value.as_object().into_iter().flatten() {
        if !MAPPED.contains(&&name[..]) {
            keep(&mut fields, &format!("{}.{name}", observation.path), value);
        }
    }
    fields
}

fn keep(fields: &mut Vec<UnmappedField>, place: &str, value: &Value) {
    if fields.len() < UNMAPPED_MAX {
        fields.push(UnmappedField { place: place.to_owned(), value: Phi::new(value.to_string()) });
    }
}

fn refuse(reason: RefusalReason, code: &str, place: &str, text: &str) -> Refusal {
    Refusal::new(reason, code, place, text)
}

fn units(place: &str, code: &str, text: &str) -> Refusal {
    refuse(RefusalReason::Ambiguous, code, place, text)
        .hint("give `origin` a UCUM code: `uV` or `mV`")
}

fn no_samples(place: &str) -> Refusal {
    refuse(RefusalReason::NoWaveform, "waveform_absent", place, "there are no sampled data")
}

fn invalid(invalid: Invalid) -> Refusal {
    refuse(RefusalReason::Malformed, "fhir_malformed", &invalid.expression, &invalid.text)
}
