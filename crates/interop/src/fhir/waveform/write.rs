//! A recording to an Observation with sampled data.

use precordia_model::{Recording, Trace, TraceOrigin};
use serde_json::{Value, json};

use super::super::json::{coding_with, decimal, object, text};
use super::super::{codes, date};
use super::{MDC_ECG_ELEC_POTL, MDC_OID};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    #[error("the recording has no recorded lead")]
    NoLeads,
}

/// The rhythm's recorded leads, in microvolts as they are; a gap is `E`. Derived leads follow from the
/// others and are not written. Who the patient is stays with the caller's Patient resource: nothing
/// that names a person is written here.
pub fn write(recording: &Recording) -> Result<Value, WriteError> {
    let rhythm = &recording.rhythm;
    let recorded = rhythm.traces.iter().filter(|trace| trace.origin == TraceOrigin::Recorded);
    let period_ms = rhythm.rate.ms_per_sample();
    let components: Vec<Value> = recorded.map(|trace| component(trace, period_ms)).collect();
    if components.is_empty() {
        return Err(WriteError::NoLeads);
    }
    let potential = coding_with(MDC_OID, MDC_ECG_ELEC_POTL, "MDC_ECG_ELEC_POTL");
    Ok(object([
        ("resourceType", text("Observation")),
        ("status", text("final")),
        ("code", Some(json!({ "coding": [potential] }))),
        (
            "effectiveDateTime",
            recording.acquired_at.as_ref().and_then(date::date_time).map(Value::from),
        ),
        ("component", Some(Value::Array(components))),
    ]))
}

fn component(trace: &Trace, period_ms: f64) -> Value {
    let lead = trace.lead;
    let name = format!("MDC_ECG_ELEC_POTL_{}", lead.name().to_uppercase());
    let coding = coding_with(MDC_OID, &lead.mdc_code().to_string(), &name);
    let points: Vec<String> = trace
        .samples_uv
        .iter()
        .map(|uv| if uv.is_nan() { String::from("E") } else { uv.to_string() })
        .collect();
    json!({
        "code": { "coding": [coding], "text": lead.name() },
        "valueSampledData": {
            "origin": { "value": 0, "unit": "uV", "system": codes::UCUM, "code": "uV" },
            "period": decimal(period_ms),
            "factor": 1,
            "dimensions": 1,
            "data": points.join(" "),
        },
    })
}
