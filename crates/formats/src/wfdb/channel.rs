//! One signal line: which lead it is, and what its stored values mean.

use precordia_model::{Lead, Problem, Refusal, RefusalReason};

use super::line::SignalLine;
use crate::channel_name::{ChannelName, Naming, shown};
use crate::frames::Scale;
use crate::voltage;

/// header(5): where the gain is absent or 0, this many units per millivolt may be assumed.
const GAIN_UNCALIBRATED: f64 = 200.0;

/// The lead of a signal; `None` for a signal that is no ECG, or that was reported as not read.
pub(crate) fn lead(
    line: &SignalLine<'_>,
    naming: &mut Naming,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Result<Option<Lead>, Refusal> {
    let meaning = ChannelName::of(line.name);
    let unit_uv = line.unit.and_then(|unit| unit_uv(unit, place, &mut Vec::new()));
    let is_other = match meaning {
        ChannelName::Other => true,
        ChannelName::Unknown => line.unit.is_some() && unit_uv.is_none(),
        _ => false,
    };
    if is_other {
        let text = format!("the signal is {} and no ECG; it was not read", shown(line.name));
        problems.push(Problem::info("channel_not_ecg", place, text));
        return Ok(None);
    }
    Ok(naming.lead(line.name, meaning, place, problems))
}

/// header(5): physical = (stored - baseline) / gain.
pub(crate) fn scale(
    line: &SignalLine<'_>,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Result<Scale, Refusal> {
    let unit_uv = match line.unit {
        Some(unit) => unit_uv(unit, place, problems).ok_or_else(|| {
            let text = "the signal's unit is no unit of voltage that is known";
            Refusal::new(RefusalReason::Ambiguous, "unit_unknown", place, text)
        })?,
        // header(5): millivolts where the line does not say a unit.
        None => 1000.0,
    };
    let gain = match line.gain {
        Some(gain) => gain,
        None if line.unit.is_some_and(|_| unit_uv != 1000.0) => {
            let text = "the signal states a unit and no gain";
            return Err(Refusal::new(RefusalReason::Ambiguous, "gain_absent", place, text));
        }
        None => {
            let text = "the header says that the amplitude is not calibrated; 200 units per mV stand for it, as WFDB has it, and amplitudes must not be trusted";
            problems.push(Problem::error("amplitude_uncalibrated", place, text));
            GAIN_UNCALIBRATED
        }
    };
    if gain < 0.0 {
        let text = "the gain is negative; samples were inverted as it says";
        problems.push(Problem::warning("gain_negative", place, text));
    }
    Scale { zero: line.baseline, uv_per_unit: unit_uv / gain, offset_uv: 0.0 }.checked(place)
}

/// Microvolts in a unit. PTB-XL writes `mv`, others `UV`: as no prefix is written so, they can be
/// nothing else. `MV` can: it is not read.
fn unit_uv(unit: &str, place: &str, problems: &mut Vec<Problem>) -> Option<f64> {
    if let Some(factor) = voltage::microvolts_in_words(unit) {
        return Some(factor);
    }
    let factor = match unit {
        "mv" => 1e3,
        "uv" | "UV" | "Uv" | "µv" | "μv" => 1.0,
        "nv" | "NV" => 1e-3,
        _ => return None,
    };
    problems.push(Problem::info("unit_case", place, "the unit is not in its usual case"));
    Some(factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wfdb::line;

    fn scaled(field: &str) -> Result<(f64, f64, Vec<String>), String> {
        let mut problems = Vec::new();
        let text = format!("a.dat 16 {field} 16 4 0 0 0 I");
        let line = line::signal(&text, "", &mut problems).unwrap();
        let scale = scale(&line, "", &mut problems).map_err(|refusal| refusal.code)?;
        Ok((scale.zero, scale.uv_per_unit, problems.into_iter().map(|one| one.code).collect()))
    }

    #[test]
    fn units_and_gains_are_what_the_header_says_or_refused() {
        assert_eq!(scaled("200"), Ok((4.0, 5.0, vec![])));
        assert_eq!(scaled("200(7)/mV"), Ok((7.0, 5.0, vec![])));
        assert_eq!(scaled("2/uV"), Ok((4.0, 0.5, vec![])));
        assert_eq!(scaled("1000/mv"), Ok((4.0, 1.0, vec!["unit_case".into()])));
        assert_eq!(scaled("0"), Ok((4.0, 5.0, vec!["amplitude_uncalibrated".into()])));
        assert_eq!(scaled("-200"), Ok((4.0, -5.0, vec!["gain_negative".into()])));
        for (field, code) in [
            ("200/mmHg", "unit_unknown"),
            ("200/MV", "unit_unknown"),
            ("0/uV", "gain_absent"),
            ("1e-9/mV", "scale_invalid"),
            ("200(9e99)", "scale_invalid"),
        ] {
            assert_eq!(scaled(field), Err(code.to_owned()), "{field}");
        }
    }
}
