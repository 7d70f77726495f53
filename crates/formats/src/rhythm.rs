//! What makes samples a rhythm: a rate that devices have, a scale that amplifiers have, and a length
//! that holds a heart beat.

use precordia_model::{Lead, Problem, Refusal, RefusalReason, SampleRate, Trace};

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

/// An amplitude that no electrode picks up: where 16 bits' most negative value means more, it is
/// padding that lost its name on the way.
const PADDING_UV: f64 = 20_000.0;

/// Numbers as a file holds them to microvolts; gaps are found on the way.
pub(crate) fn samples_uv(
    digits: impl IntoIterator<Item = f64>,
    uv_per_bit: f64,
    origin_uv: f64,
    lead: Lead,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Vec<f32> {
    let least = f64::from(i16::MIN);
    let least_is_padding = (least * uv_per_bit).abs() > PADDING_UV;
    let mut padding = 0_usize;
    let sample = |digit: f64| {
        if least_is_padding && digit == least {
            padding += 1;
            f32::NAN
        } else {
            (digit * uv_per_bit + origin_uv) as f32
        }
    };
    let samples_uv = digits.into_iter().map(sample).collect();
    if padding > 0 {
        let text = format!(
            "{padding} samples of {lead} hold the most negative value of 16 bits, far outside an ECG; they were read as gaps"
        );
        problems.push(Problem::warning("padding_undeclared", place, text));
    }
    samples_uv
}

/// Leads that were sampled together have as many samples each.
pub(crate) fn check_same_length(traces: &[Trace], place: &str) -> Result<(), Refusal> {
    let length = |trace: &Trace| trace.samples_uv.len();
    let differs = |first: &&Trace| traces.iter().find(|other| length(other) != length(first));
    let Some((first, other)) = traces.first().and_then(|first| Some((first, differs(&first)?)))
    else {
        return Ok(());
    };
    let text = format!(
        "{} has {} samples and {} has {}",
        first.lead,
        length(first),
        other.lead,
        length(other)
    );
    Err(Refusal::new(RefusalReason::Malformed, "lead_lengths_differ", place, text))
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
