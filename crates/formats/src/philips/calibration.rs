//! The pulse of 1 mV that carts write into all channels behind the ten seconds of the heart.

use std::ops::Range;

use precordia_model::{Problem, SampleRate};

const PULSE_UV: std::ops::RangeInclusive<f64> = 990.0..=1010.0;
const PULSE_S_MIN: f64 = 0.05;

/// The first stretch in which all channels are the same millivolt.
pub(super) fn find(
    channels: &[Vec<i16>],
    uv_per_bit: f64,
    rate: SampleRate,
) -> Option<Range<usize>> {
    let length = channels.iter().map(Vec::len).min().filter(|_| channels.len() > 2)?;
    let is_pulse = |at: usize| {
        channels.iter().all(|channel| PULSE_UV.contains(&(f64::from(channel[at]) * uv_per_bit)))
    };
    let least = ((PULSE_S_MIN * rate.hz()).ceil() as usize).max(2);
    let mut from = 0;
    while from < length {
        let end = (from..length).find(|&at| !is_pulse(at)).unwrap_or(length);
        if end - from >= least {
            return Some(from..end);
        }
        from = end + 1;
    }
    None
}

/// Nothing is taken out: samples stay as recorded.
pub(super) fn report(pulse: &Range<usize>, place: &str, problems: &mut Vec<Problem>) {
    let text = format!(
        "samples {} to {} are a calibration pulse of 1 mV in all leads, not of the heart",
        pulse.start,
        pulse.end - 1
    );
    problems.push(Problem::warning("calibration_pulse", place, text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pulse_is_one_only_in_all_channels_and_of_some_length() {
        let rate = SampleRate::from_hz(500.0).unwrap();
        let with = |from: usize, to: usize| -> Vec<i16> {
            (0..900)
                .map(|at| if (from..to).contains(&at) { 200 } else { (at % 9) as i16 })
                .collect()
        };
        let find = |channels: &[Vec<i16>]| find(channels, 5.0, rate);
        assert_eq!(find(&vec![with(700, 800); 3]), Some(700..800));
        assert_eq!(find(&vec![with(800, 900); 3]), Some(800..900));
        assert_eq!(find(&vec![with(700, 720); 3]), None);
        assert_eq!(find(&[with(700, 800), with(700, 800), with(0, 0)]), None);
        assert_eq!(find(&[with(700, 800)]), None);
        assert_eq!(find(&[]), None);
    }
}
