//! What makes samples a rhythm: a rate that devices have, and a length that holds a heart beat.

use precordia_model::{Problem, Refusal, RefusalReason, SampleRate};

/// Devices sample ECGs between 50 Hz (ambulatory) and some kilohertz (pace pulses).
const RATE_HZ: std::ops::RangeInclusive<f64> = 50.0..=50_000.0;

/// A representative beat is shorter.
pub(crate) const USUAL_S: f64 = 2.0;

/// Less than one beat's QRS and T wave is no rhythm.
const MIN_S: f64 = 0.2;

/// No amplifier resolves finer or coarser than this a bit; a scale outside is a damaged number.
const UV_PER_BIT: std::ops::RangeInclusive<f64> = 1e-6..=1e6;

pub(crate) fn rate(hz: f64, place: &str) -> Result<SampleRate, Refusal> {
    let rate = Some(hz).filter(|hz| RATE_HZ.contains(hz)).and_then(SampleRate::from_hz);
    rate.ok_or_else(|| {
        let text = format!(
            "the sampling rate is not a number from {} to {} Hz",
            RATE_HZ.start(),
            RATE_HZ.end()
        );
        Refusal::new(RefusalReason::Ambiguous, "sampling_rate_invalid", place, text)
    })
}

/// Microvolts a bit, as a file says them.
pub(crate) fn uv_per_bit(scale: f64, place: &str) -> Result<f64, Refusal> {
    if UV_PER_BIT.contains(&scale.abs()) {
        return Ok(scale);
    }
    let text = "the amplitude of a bit is none that an ECG has";
    Err(Refusal::new(RefusalReason::Malformed, "sensitivity_invalid", place, text))
}

/// Whether a rhythm is long enough to be one.
pub(crate) fn check_length(
    duration_s: f64,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Result<(), Refusal> {
    if duration_s < MIN_S {
        let text =
            format!("the rhythm is {:.0} ms long, which is no recording", duration_s * 1000.0);
        return Err(Refusal::new(RefusalReason::NoWaveform, "rhythm_too_short", place, text));
    }
    if duration_s < USUAL_S {
        let text = format!("the rhythm is only {duration_s:.2} s long");
        problems.push(Problem::warning("rhythm_short", place, text));
    }
    Ok(())
}
