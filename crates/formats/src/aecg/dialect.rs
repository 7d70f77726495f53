//! The slip of a known writer: an increment of 2 `s` where 2 ms are meant.
//!
//! It is only believed where the same file proves it: by the time that the series lasted, or by a heart
//! rate that the samples show at milliseconds. A factor of a thousand leaves no doubt between the two.

use precordia_model::{Problem, Refusal, RefusalReason, SampleRate};

use super::sequence::{self, Increment};
use super::when;
use crate::rhythm;
use crate::xml::{Element, decimal};

/// How far a proof may be off: times are written in seconds, and hearts are not clocks.
const TOLERANCE: f64 = 0.15;

/// The samples that a proof by heart rate looks at; a few beats tell.
const SAMPLES_MAX: usize = 10_000;

/// How alike beats must be, one interval apart, to be beats.
const LIKENESS_MIN: f64 = 0.25;

pub(crate) fn rate(
    increment: Increment,
    series: Element<'_>,
    set: Element<'_>,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Result<SampleRate, Refusal> {
    let refusal = match rhythm::rate(1.0 / increment.seconds, place) {
        Ok(rate) => return Ok(rate),
        Err(refusal) => refusal,
    };
    let increment_ms = increment.seconds;
    let Ok(rate) = rhythm::rate(1e3 / increment_ms, place) else { return Err(refusal) };
    if !increment.in_seconds {
        return Err(refusal);
    }
    let Some(proof) = proof(increment_ms, series, set) else {
        let text = format!(
            "the time between samples is said to be {increment_ms} s, which no device has; milliseconds may be meant, and nothing in the file proves it"
        );
        let refusal = Refusal::new(RefusalReason::Ambiguous, "sampling_rate_invalid", place, text);
        return Err(refusal.hint("correct the unit of the increment in the sending system"));
    };
    let text = format!(
        "the time between samples is said to be {increment_ms} s; {increment_ms} ms were read, which {proof} proves"
    );
    problems.push(Problem::warning("increment_unit_corrected", place, text));
    Ok(rate)
}

fn proof(increment_ms: f64, series: Element<'_>, set: Element<'_>) -> Option<&'static str> {
    let sequences = set.children("component").filter_map(|component| component.child("sequence"));
    let leads: Vec<Element<'_>> = sequences.filter(|one| !sequence::is_time(*one)).collect();
    let samples = leads.first().map(|one| sequence::count(*one))?;
    let lasted_s = interval_s(series).filter(|seconds| *seconds > 0.0);
    if let Some(lasted_s) = lasted_s {
        let ratio = samples as f64 * increment_ms / 1e3 / lasted_s;
        return ((ratio - 1.0).abs() <= TOLERANCE).then_some("the time that the series lasted");
    }
    let interval_samples = beat_interval_ms(series)? / increment_ms;
    shows_interval(&leads, interval_samples)
        .then_some("the heart rate in the file and in its samples")
}

/// What the device measured between two beats.
fn beat_interval_ms(series: Element<'_>) -> Option<f64> {
    let measured = |code: &str, units: &[&str]| {
        let value = series.descendants("annotation").find_map(|annotation| {
            let is_it = annotation.child("code")?.glance("code") == Some(code);
            annotation.child("value").filter(|_| is_it)
        })?;
        let unit = value.glance("unit").unwrap_or_default();
        decimal(value.glance("value")?).filter(|number| *number > 0.0 && units.contains(&unit))
    };
    let interval = measured("MDC_ECG_TIME_PD_RR", &["ms"]);
    interval.or_else(|| Some(60_000.0 / measured("MDC_ECG_HEART_RATE", &["bpm", "/min", "1/min"])?))
}

/// Whether the signal repeats itself best at the interval, of all between half and one and a half of it.
fn shows_interval(leads: &[Element<'_>], interval_samples: f64) -> bool {
    if !(50.0..=SAMPLES_MAX as f64 / 3.0).contains(&interval_samples) {
        return false;
    }
    let activity = activity(leads, (interval_samples / 40.0) as usize + 1);
    if (activity.len() as f64) < interval_samples * 3.0 {
        return false;
    }
    let likeness = |lag: usize| -> f64 {
        let pairs = activity.iter().zip(&activity[lag..]);
        pairs.map(|(a, b)| a * b).sum::<f64>() / (activity.len() - lag) as f64
    };
    let own = likeness(0);
    let lags = (interval_samples * 0.5) as usize..=(interval_samples * 1.5) as usize;
    let best = lags.map(|lag| (lag, likeness(lag))).max_by(|a, b| a.1.total_cmp(&b.1));
    best.is_some_and(|(lag, value)| {
        let is_near = (lag as f64 / interval_samples - 1.0).abs() <= TOLERANCE;
        own > 0.0 && value >= own * LIKENESS_MIN && is_near
    })
}

/// How fast the leads change, smoothed, without its mean.
fn activity(leads: &[Element<'_>], width: usize) -> Vec<f64> {
    let mut sum: Vec<f64> = Vec::new();
    for lead in leads {
        let Some(digits) = lead.path("value/digits") else { continue };
        let samples: Option<Vec<f64>> =
            digits.text().split_ascii_whitespace().take(SAMPLES_MAX).map(decimal).collect();
        let Some(samples) = samples else { continue };
        sum.resize(sum.len().max(samples.len().saturating_sub(1)), 0.0);
        for (total, pair) in sum.iter_mut().zip(samples.windows(2)) {
            *total += (pair[1] - pair[0]).abs();
        }
    }
    let smooth: Vec<f64> =
        sum.windows(width).map(|part| part.iter().sum::<f64>() / width as f64).collect();
    let mean = smooth.iter().sum::<f64>() / smooth.len().max(1) as f64;
    smooth.into_iter().map(|value| value - mean).collect()
}

/// Whether the series lasted as long as its samples do.
pub(crate) fn check_interval(
    series: Element<'_>,
    duration_s: f64,
    sets: usize,
    problems: &mut Vec<Problem>,
) {
    let Some(lasted_s) = interval_s(series).filter(|seconds| *seconds > 0.0 && sets == 1) else {
        return;
    };
    // Ends are written in whole seconds and either in- or exclusive.
    if (lasted_s - duration_s).abs() > 2.0 + TOLERANCE * duration_s {
        let text = format!(
            "the series is said to have lasted {lasted_s} s, and its samples last {duration_s} s; the samples were believed"
        );
        problems.push(Problem::warning("duration_differs", series.place(), text));
    }
}

fn interval_s(series: Element<'_>) -> Option<f64> {
    let time = series.child("effectiveTime")?;
    let end = |name: &str| when::seconds(time.child(name)?.glance("value")?);
    Some(end("high")? - end("low")?)
}
