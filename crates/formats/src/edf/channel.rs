//! One signal: whether it is an ECG, of which lead, and what its stored values mean.

use precordia_model::{Filters, Problem, Refusal, RefusalReason};

use super::header::Signal;
use crate::channel_name::ChannelName;
use crate::frames::Scale;
use crate::voltage;

/// What computing with 64 bits leaves of a stored value that is meant to be whole.
const ZERO_TOLERANCE: f64 = 1e-8;

/// Only a label that names a lead or says that it is an ECG makes a signal one: among signals of
/// every kind, anything else is more likely not.
pub(crate) fn meaning(signal: &Signal) -> Option<ChannelName> {
    match ChannelName::of(&signal.label) {
        ChannelName::Other | ChannelName::Unknown => None,
        ecg => Some(ecg),
    }
}

/// physical = (stored - digital minimum) * (physical range) / (digital range) + physical minimum
pub(crate) fn scale(
    signal: &Signal,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Result<Scale, Refusal> {
    let refuse = |reason, code: &str, text: &str| Err(Refusal::new(reason, code, place, text));
    let unit_uv = match voltage::microvolts_in_words(&signal.unit) {
        Some(factor) => factor,
        None if signal.unit.is_empty() => {
            let text = "the signal has no unit, so its samples have no amplitude";
            return refuse(RefusalReason::Ambiguous, "unit_absent", text);
        }
        None => match signal.unit.as_str() {
            "mv" | "uv" | "UV" | "Uv" | "µv" => {
                let text = "the unit is not in its usual case";
                problems.push(Problem::info("unit_case", place, text));
                if signal.unit == "mv" { 1e3 } else { 1.0 }
            }
            _ => {
                let text = "the signal's unit is no unit of voltage that is known";
                return refuse(RefusalReason::Ambiguous, "unit_unknown", text);
            }
        },
    };
    let ([Some(low), Some(high)], [Some(least), Some(most)]) = (signal.physical, signal.digital)
    else {
        let text = "the physical or digital range of the signal is no number";
        return refuse(RefusalReason::Malformed, "scale_invalid", text);
    };
    if least >= most || low == high {
        let text = "the physical or digital range of the signal is empty";
        return refuse(RefusalReason::Malformed, "scale_invalid", text);
    }
    if low > high {
        // The specification allows it for signals that were recorded with the other polarity.
        let text = "the physical range is inverted; samples were inverted as it says";
        problems.push(Problem::info("polarity_inverted", place, text));
    }
    let uv_per_unit = (high - low) * unit_uv / (most - least) as f64;
    // Where a stored value means exactly 0, counting from it keeps the file's own steps exact.
    let zero = least as f64 - low * unit_uv / uv_per_unit;
    let scale = if (zero - zero.round()).abs() < ZERO_TOLERANCE {
        Scale { zero: zero.round(), uv_per_unit, offset_uv: 0.0 }
    } else {
        Scale { zero: least as f64, uv_per_unit, offset_uv: low * unit_uv }
    };
    scale.checked(place)
}

/// `HP:0.1Hz LP:75Hz N:50Hz`, also with a space or no unit behind the number.
pub(crate) fn filters(text: &str) -> Filters {
    let hz = |mark: &str| {
        let from = text.find(mark)? + mark.len();
        let number = text[from..].trim_start();
        let end = number.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(number.len());
        number[..end].parse().ok().filter(|hz: &f64| *hz > 0.0)
    };
    Filters { low_hz: hz("HP:"), high_hz: hz("LP:"), notch_hz: hz("N:") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal(unit: &str, physical: [f64; 2], digital: [i64; 2]) -> Signal {
        Signal {
            label: "ECG I".into(),
            transducer: String::new(),
            unit: unit.into(),
            physical: physical.map(Some),
            digital: digital.map(Some),
            prefilter: String::new(),
            samples: 1,
        }
    }

    #[test]
    fn ranges_become_microvolts_or_are_refused() {
        let uv = |signal: &Signal, stored| {
            scale(signal, "", &mut Vec::new()).map(|scale| scale.microvolts(stored))
        };
        assert_eq!(uv(&signal("uV", [-3276.8, 3276.7], [-32768, 32767]), 10.0), Ok(1.0));
        assert_eq!(uv(&signal("mV", [-1.0, 1.0], [-1000, 1000]), 250.0), Ok(250.0));
        assert_eq!(uv(&signal("uV", [8711.0, -8711.0], [-32768, 32767]), -32768.0), Ok(8711.0));
        for (unit, physical, digital, code) in [
            ("", [-1.0, 1.0], [-1, 1], "unit_absent"),
            ("mmHg", [-1.0, 1.0], [-1, 1], "unit_unknown"),
            ("uV", [1.0, 1.0], [-1, 1], "scale_invalid"),
            ("uV", [-1.0, 1.0], [1, 1], "scale_invalid"),
            ("uV", [-1.0, 1.0], [1, -1], "scale_invalid"),
        ] {
            let refusal = uv(&signal(unit, physical, digital), 0.0).unwrap_err();
            assert_eq!(refusal.code, code);
        }
    }

    #[test]
    fn filters_are_read_from_the_usual_text() {
        let read = filters("HP:0.05Hz LP:150Hz N:50Hz");
        let expected = Filters { low_hz: Some(0.05), high_hz: Some(150.0), notch_hz: Some(50.0) };
        assert_eq!(read, expected);
        assert_eq!(filters("HP: 0.1 LP:DC"), Filters { low_hz: Some(0.1), ..Filters::default() });
    }
}
