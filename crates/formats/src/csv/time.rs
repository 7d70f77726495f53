//! A time column: the rate where its steps are all the same, and a check of a declared rate.

use precordia_model::{Refusal, RefusalReason};

/// What rounding of a printed decimal and of arithmetic leaves of a step.
const STEP_TOLERANCE: f64 = 1e-6;

/// The rate that the times of all samples have.
pub(super) fn rate_hz(times_s: &[f64], declared_hz: Option<f64>) -> Result<f64, Refusal> {
    let (Some(&first), Some(&last)) = (times_s.first(), times_s.last()) else {
        return Err(uneven("the time column is empty"));
    };
    let steps = times_s.len().saturating_sub(1);
    let step = match declared_hz {
        Some(hz) => 1.0 / hz,
        None => (last - first) / steps as f64,
    };
    if !(step.is_finite() && step > 0.0) {
        return Err(uneven("the time column does not go on from line to line"));
    }
    // A declared rate may be finer than what the column prints; half a step away is another sample.
    let tolerance = if declared_hz.is_some() { 0.5 } else { STEP_TOLERANCE };
    let off = |(index, time): (usize, &f64)| ((time - first) / step - index as f64).abs();
    let is_even = times_s.iter().enumerate().all(|sample| off(sample) <= tolerance);
    if !is_even {
        let text = match declared_hz {
            Some(_) => "the time column contradicts the declared sampling rate",
            None => "the steps of the time column differ, by rounding or by a gap",
        };
        return Err(uneven(text));
    }
    Ok(declared_hz.unwrap_or(1.0 / step))
}

fn uneven(text: &str) -> Refusal {
    Refusal::new(RefusalReason::Ambiguous, "time_uneven", "time column", text)
        .hint("declare the rate: `# ecg-layout: 1` and `# rate_hz: …` before the table")
}

#[cfg(test)]
mod tests {
    use super::rate_hz;

    #[test]
    fn even_times_are_a_rate_and_rounded_ones_only_check_it() {
        let times = |hz: f64, decimals: f64| -> Vec<f64> {
            (0..900).map(|at| (f64::from(at) / hz * decimals).round() / decimals).collect()
        };
        let rate = |times: &[f64], declared| rate_hz(times, declared).ok();
        assert!((rate(&times(500.0, 1e3), None).unwrap() - 500.0).abs() < 1e-6);
        assert!((rate(&times(256.0, 1e9), None).unwrap() - 256.0).abs() < 1e-3);
        assert_eq!(rate(&times(360.0, 1e3), None), None);
        assert_eq!(rate(&times(360.0, 1e3), Some(360.0)), Some(360.0));
        assert_eq!(rate(&times(360.0, 1e3), Some(250.0)), None);
        let mut gap = times(500.0, 1e3);
        gap[500..].iter_mut().for_each(|time| *time += 0.1);
        assert_eq!(rate(&gap, None), None);
        assert_eq!(rate(&gap, Some(500.0)), None);
        assert_eq!(rate(&[0.0, 0.0], None), None);
        assert_eq!(rate(&[f64::NAN; 3], None), None);
        assert_eq!(rate(&[], None), None);
    }
}
