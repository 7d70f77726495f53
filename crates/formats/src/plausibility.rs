//! Doubts about a decoded signal that need no knowledge of its format: flat leads, absurd amplitudes.
//!
//! Nothing is changed here. Whether a signal is good enough to measure is for analysis.

use precordia_model::{Problem, Signal, TraceOrigin};

/// Surface ECGs lie well inside; a wrong unit or scale lies a thousandfold outside.
const PEAK_TO_PEAK_UV: std::ops::RangeInclusive<f32> = 50.0..=10_000.0;

pub(crate) fn check(signal: &Signal, place: &str) -> Vec<Problem> {
    let (mut flat, mut empty, mut huge) = (Vec::new(), Vec::new(), Vec::new());
    let mut largest: f32 = 0.0;
    for trace in signal.traces.iter().filter(|trace| trace.origin == TraceOrigin::Recorded) {
        match range(&trace.samples_uv) {
            None => empty.push(trace.lead.name()),
            Some(0.0) => flat.push(trace.lead.name()),
            Some(peak_to_peak) => {
                largest = largest.max(peak_to_peak);
                if peak_to_peak > *PEAK_TO_PEAK_UV.end() {
                    huge.push(trace.lead.name());
                }
            }
        }
    }
    let mut problems = Vec::new();
    if !empty.is_empty() {
        let text = format!("{} hold gaps only", empty.join(", "));
        problems.push(Problem::warning("lead_empty", place, text));
    }
    if !flat.is_empty() {
        let text = format!("{} hold one value throughout", flat.join(", "));
        problems.push(Problem::warning("lead_flat", place, text));
    }
    if !huge.is_empty() {
        let text = format!(
            "{} span more than {} mV: unit or scale may be wrong",
            huge.join(", "),
            PEAK_TO_PEAK_UV.end() / 1000.0
        );
        problems.push(Problem::warning("amplitude_implausible", place, text));
    }
    if largest > 0.0 && largest < *PEAK_TO_PEAK_UV.start() {
        let text = format!(
            "no lead spans more than {} uV: unit or scale may be wrong",
            PEAK_TO_PEAK_UV.start()
        );
        problems.push(Problem::warning("amplitude_implausible", place, text));
    }
    problems
}

/// Peak to peak over the samples that are there.
fn range(samples_uv: &[f32]) -> Option<f32> {
    let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
    for &sample in samples_uv {
        // Comparisons with NaN are false, which passes over gaps.
        if sample < low {
            low = sample;
        }
        if sample > high {
            high = sample;
        }
    }
    (low <= high).then_some(high - low)
}
