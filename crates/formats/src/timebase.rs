//! What makes a sampling rate and a length those of a recording, whatever the format.

use std::fmt::Display;

use precordia_model::{Problem, Refusal, RefusalReason, SampleRate};

/// Devices sample ECGs between 50 Hz (ambulatory) and some kilohertz (pace pulses).
const RATE_HZ: std::ops::RangeInclusive<f64> = 50.0..=50_000.0;

/// A representative beat is shorter.
const RHYTHM_S_USUAL: f64 = 2.0;

/// Less than one beat's QRS and T wave is no rhythm.
const RHYTHM_S_MIN: f64 = 0.2;

pub(crate) fn rate(hz: f64, place: &str) -> Result<SampleRate, Refusal> {
    let inside = RATE_HZ.contains(&hz).then(|| SampleRate::from_hz(hz)).flatten();
    inside.ok_or_else(|| rate_invalid(place))
}

pub(crate) fn rate_invalid(place: &str) -> Refusal {
    let (least, most) = (RATE_HZ.start(), RATE_HZ.end());
    let text = format!("the sampling rate is not a number from {least} to {most} Hz");
    Refusal::new(RefusalReason::Ambiguous, "sampling_rate_invalid", place, text)
}

/// Refuses what is too short to be a rhythm and reports what is shorter than usual.
pub(crate) fn length(
    rate: SampleRate,
    samples: usize,
    place: impl Display,
    problems: &mut Vec<Problem>,
) -> Result<(), Refusal> {
    let duration_s = rate.seconds(samples);
    if duration_s < RHYTHM_S_MIN {
        let text =
            format!("the rhythm is {:.0} ms long, which is no recording", duration_s * 1000.0);
        let code = if samples == 0 { "rhythm_absent" } else { "rhythm_too_short" };
        return Err(Refusal::new(RefusalReason::NoWaveform, code, place.to_string(), text));
    }
    if duration_s < RHYTHM_S_USUAL {
        let text = format!("the rhythm is only {duration_s:.2} s long");
        problems.push(Problem::warning("rhythm_short", place.to_string(), text));
    }
    Ok(())
}
