//! Measurements and statements of a recording to annotations.

use precordia_model::{DeviceMeasurement, DeviceStatement, Recording};

use super::annotation::{INTERPRETATION, STATEMENT};
use super::encode::Encoder;
use super::write::{MDC, lead_code};
use crate::measurement_code;

pub(super) fn write(out: &mut Encoder, recording: &Recording) {
    let (measurements, statements) = (&recording.device_measurements, &recording.device_statements);
    if measurements.is_empty() && statements.is_empty() {
        return;
    }
    let duration_s = recording.rhythm.duration_s().to_string();
    out.path("subjectOf/annotationSet", &mut |out| {
        for one in measurements {
            out.path("component/annotation", &mut |out| measurement(out, one, &duration_s));
        }
        if !statements.is_empty() {
            out.path("component/annotation", &mut |out| {
                out.empty("code", &[("code", INTERPRETATION), MDC[0], MDC[1]]);
                for one in statements {
                    out.path("component/annotation", &mut |out| statement(out, one));
                }
            });
        }
    });
}

fn measurement(out: &mut Encoder, one: &DeviceMeasurement, duration_s: &str) {
    let known = one.name.as_deref().and_then(measurement_code::mdc);
    let code = one.code.clone().or_else(|| known.map(|(code, _)| format!("MDC:{code}")));
    let mut attributes = code.as_deref().map_or_else(|| vec![("nullFlavor", "OTH")], coded);
    if !one.label.is_empty() {
        attributes.push(("displayName", &one.label));
    }
    out.empty("code", &attributes);
    let value = one.value.to_string();
    out.empty("value", &[("xsi:type", "PQ"), ("value", &value), ("unit", &one.unit)]);
    // What is not the recording's own is said of a lead, or of a stretch of time.
    if let Some(lead) = one.lead {
        region(out, &mut |out| out.empty("code", &[("code", &lead_code(lead)), MDC[0], MDC[1]]));
    } else if one.name.is_none() {
        region(out, &mut |out| {
            out.empty(
                "code",
                &[("code", "TIME_RELATIVE"), ("codeSystem", "2.16.840.1.113883.5.4")],
            );
            out.element("value", &[("xsi:type", "IVL_PQ")], |out| {
                out.empty("low", &[("value", "0"), ("unit", "s")]);
                out.empty("high", &[("value", duration_s), ("unit", "s")]);
            });
        });
    }
}

fn region(out: &mut Encoder, boundary: &mut dyn FnMut(&mut Encoder)) {
    out.element("support", &[], |out| {
        out.element("supportingROI", &[("classCode", "ROIBND")], |out| {
            out.empty("code", &[("code", "ROIPS"), ("codeSystem", "2.16.840.1.113883.5.4")]);
            out.path("component/boundary", boundary);
        });
    });
}

fn statement(out: &mut Encoder, one: &DeviceStatement) {
    out.empty("code", &[("code", STATEMENT), MDC[0], MDC[1]]);
    let text = one.text.reveal();
    match one.code.as_deref() {
        None => out.leaf("value", &[("xsi:type", "ST")], text),
        Some(code) => {
            let mut attributes = vec![("xsi:type", "CE")];
            attributes.extend(coded(code));
            attributes.push(("displayName", text));
            out.empty("value", &attributes);
        }
    }
}

/// `MDC:MDC_ECG_TIME_PD_PR` as a code of its system.
fn coded(code: &str) -> Vec<(&str, &str)> {
    match code.split_once(':') {
        Some(("MDC", value)) => vec![("code", value), MDC[0], MDC[1]],
        Some((system, value)) => vec![("code", value), ("codeSystemName", system)],
        None => vec![("code", code)],
    }
}
