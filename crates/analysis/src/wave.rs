//! QRS, T and P on the representative beat: where they are and where they begin and end.
//!
//! All places are columns of the average, fractions between samples.

use crate::edge::{EdgeRule, Joint, Quiet, Speed};

const QRS_ONSET: EdgeRule = EdgeRule {
    span_ms: 4.0,
    quiet: Quiet::AfterFall { speed_share: 0.045, hold_ms: 12.0, within_ms: 16.0 },
    line_ms: 6.0,
    sloping: true,
    departure_share: 0.005,
    foot: true,
    extrapolation_ms: 6.0,
};

const QRS_OFFSET: EdgeRule = EdgeRule {
    quiet: Quiet::AfterFall { speed_share: 0.06, hold_ms: 12.0, within_ms: 20.0 },
    ..QRS_ONSET
};

const P_ONSET: EdgeRule = EdgeRule {
    span_ms: 8.0,
    quiet: Quiet::Between { nearest_ms: 36.0, factor: 1.3 },
    line_ms: 10.0,
    sloping: true,
    departure_share: 0.16,
    foot: true,
    extrapolation_ms: 14.0,
};

const P_OFFSET: EdgeRule = EdgeRule {
    quiet: Quiet::Between { nearest_ms: 36.0, factor: 1.0 },
    line_ms: 8.0,
    sloping: false,
    departure_share: 0.12,
    ..P_ONSET
};

const T_OFFSET: EdgeRule = EdgeRule {
    span_ms: 12.0,
    quiet: Quiet::AfterFall { speed_share: 0.18, hold_ms: 24.0, within_ms: 30.0 },
    line_ms: 10.0,
    sloping: false,
    departure_share: 0.07,
    foot: true,
    extrapolation_ms: 12.0,
};

/// In a fast heart T and P almost touch, and what lies between them is short.
const FAST_RR_MS: f64 = 500.0;
const FAST_T_OFFSET: EdgeRule = EdgeRule {
    span_ms: 5.0,
    quiet: Quiet::AfterFall { speed_share: 0.18, hold_ms: 6.0, within_ms: 8.0 },
    line_ms: 4.0,
    // The line is known from a few samples only; the foot would be mistaken for it.
    foot: false,
    departure_share: 0.1,
    ..T_OFFSET
};
const FAST_P_ONSET: EdgeRule = EdgeRule { span_ms: 5.0, line_ms: 4.0, sloping: false, ..P_ONSET };
const FAST_P_OFFSET: EdgeRule = EdgeRule { span_ms: 5.0, line_ms: 4.0, ..P_OFFSET };

/// Where the QRS is looked for around its detected middle.
const QRS_REACH_MS: f64 = 180.0;
/// The steepest place is near the middle.
const STEEPEST_REACH_MS: f64 = 100.0;
/// Less of a beat than this is not measured.
const KNOWN_MS_MIN: f64 = 150.0;
const QRS_MS: std::ops::RangeInclusive<f64> = 20.0..=300.0;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Qrs {
    pub onset: f64,
    pub offset: f64,
}

/// `None` when no edge is found, or none that a QRS can have.
pub(crate) fn qrs(joint: &Joint) -> Option<Qrs> {
    let average = joint.average;
    if joint.known.len() < average.samples(KNOWN_MS_MIN) {
        return None;
    }
    let speed = joint.speed(QRS_ONSET.span_ms);
    let near = average.samples(STEEPEST_REACH_MS);
    let (from, to) = (average.zero.saturating_sub(near), (average.zero + near).min(average.width));
    let steepest = highest(&speed.values, from..to)?;
    let reach = average.samples(QRS_REACH_MS);
    let onset = joint.edge(&speed, steepest, steepest.saturating_sub(reach), &QRS_ONSET)?;
    let offset = joint.edge(&speed, steepest, steepest + reach, &QRS_OFFSET)?;
    QRS_MS.contains(&average.ms(offset - onset)).then_some(Qrs { onset, offset })
}

/// The place of the greatest deflection of all leads together: the R peak of the whole.
pub(crate) fn apex(joint: &Joint, qrs: Qrs) -> usize {
    let columns = floor(qrs.onset)..ceil(qrs.offset).min(joint.known.end);
    let level = joint.line(columns.start, 1, false);
    let start = columns.start;
    let distance = joint.distance(columns, &level);
    start + highest(&distance, 0..distance.len()).unwrap_or(0)
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct TWave {
    pub peak: usize,
    /// Distance of all leads from the baseline at the peak.
    pub height_uv: f32,
}

/// The T wave begins no sooner after the J point, and peaks no later than these.
const T_AFTER_J_MS: f64 = 40.0;
const T_PEAK_RR_SHARE: f64 = 0.66;
const T_PEAK_MS_MAX: f64 = 640.0;
/// Longest way from the peak to the end.
const T_FALL_MS_MAX: f64 = 200.0;
/// Its steepest place lies within this of the peak.
const T_STEEPEST_MS: f64 = 140.0;
const T_HEIGHT_UV_MIN: f32 = 15.0;

/// The greatest deflection between J and the next beat that is not just the ST segment's end.
pub(crate) fn t_wave(joint: &Joint, qrs: Qrs, rr: f64) -> Option<TWave> {
    let average = joint.average;
    let from = ceil(qrs.offset) + average.samples(T_AFTER_J_MS);
    let latest = (T_PEAK_RR_SHARE * rr).min(T_PEAK_MS_MAX * average.rate_hz / 1000.0);
    let to = floor(qrs.onset + latest).min(joint.known.end.saturating_sub(average.samples(20.0)));
    if from >= to {
        return None;
    }
    let level = joint.line(floor(qrs.onset).max(joint.known.start), 2, false);
    let distance = smooth(&joint.distance(from..to, &level), average.samples(16.0));
    let peak = *inner_maxima(&distance).first()?;
    let height_uv = distance[peak];
    (height_uv >= T_HEIGHT_UV_MIN).then_some(TWave { peak: from + peak, height_uv })
}

/// Local maxima that are not at an end, the highest first.
fn inner_maxima(values: &[f32]) -> Vec<usize> {
    let top = |k: &usize| values[*k] >= values[k - 1] && values[*k] >= values[k + 1];
    let mut tops: Vec<usize> = (1..values.len().saturating_sub(1)).filter(top).collect();
    tops.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    tops
}

/// Column where the T wave ends, looked for up to `limit`.
pub(crate) fn t_offset(joint: &Joint, t: TWave, rr: f64, limit: usize) -> Option<f64> {
    let average = joint.average;
    let rule = if average.ms(rr) < FAST_RR_MS { FAST_T_OFFSET } else { T_OFFSET };
    let speed = joint.speed(rule.span_ms);
    let limit =
        limit.min(joint.known.end.saturating_sub(1)).min(t.peak + average.samples(T_FALL_MS_MAX));
    let fall = t.peak..(t.peak + average.samples(T_STEEPEST_MS)).min(limit);
    let steepest = highest(&speed.values, fall)?;
    joint.edge(&speed, steepest, limit, &rule)
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct PWave {
    pub onset: f64,
    pub offset: f64,
}

/// Half the distance over which a P wave stands out as a bump.
const BUMP_MS: f64 = 45.0;
const P_BEFORE_QRS_MS: f64 = 25.0;
const P_HEIGHT_UV_MIN: f32 = 6.0;
const P_ABOVE_NOISE: f32 = 4.0;
/// What smoothing and the difference of three places leave of the noise.
const P_SMOOTHED: f32 = 0.6;
const P_HALF_MS: f64 = 130.0;
const P_MS: std::ops::RangeInclusive<f64> = 30.0..=220.0;

/// At most this many places are tried for a P wave.
const P_CANDIDATES: usize = 3;
/// Two candidates are at least this far apart.
const P_APART_MS: f64 = 60.0;

/// Bumps before the QRS from column `from` on, the one that stands out most first. That one of them
/// is there in the beats themselves is for another to prove.
pub(crate) fn p_waves(joint: &Joint, qrs: Qrs, rr: f64, from: usize) -> Vec<PWave> {
    let average = joint.average;
    let end = floor(qrs.onset).min(average.width - 1);
    let from = from.max(joint.known.start);
    let Some(latest) = end.checked_sub(average.samples(P_BEFORE_QRS_MS)) else { return Vec::new() };
    if from + average.samples(20.0) >= latest {
        return Vec::new();
    }
    let bump = bumps(joint, from, end);
    let least = P_HEIGHT_UV_MIN.max(P_ABOVE_NOISE * P_SMOOTHED * joint.noise_uv);
    let rules = if average.ms(rr) < FAST_RR_MS {
        [FAST_P_ONSET, FAST_P_OFFSET]
    } else {
        [P_ONSET, P_OFFSET]
    };
    let speed = joint.speed(rules[0].span_ms);
    let first = from.saturating_sub(average.samples(BUMP_MS)).max(joint.known.start);
    let height = joint.distance(first..end, &joint.line(end, 1, false));
    // A valley between the T wave and the P wave bends as much, but towards the line.
    let away = |column: usize| {
        let at = |column: usize| height[column.clamp(first, end - 1) - first];
        let reach = average.samples(BUMP_MS);
        at(column) > 0.5 * (at(column.saturating_sub(reach)) + at(column + reach))
    };
    let mut peaks = inner_maxima(&bump[..latest - from]);
    peaks.retain(|&peak| bump[peak] >= least && away(from + peak));
    let mut apart: Vec<usize> = Vec::new();
    for peak in peaks {
        if apart.iter().all(|other| other.abs_diff(peak) >= average.samples(P_APART_MS)) {
            apart.push(peak);
        }
    }
    apart.truncate(P_CANDIDATES);
    apart
        .into_iter()
        .filter_map(|peak| p_edges(joint, &speed, &rules, from, from + peak, end))
        .collect()
}

fn p_edges(
    joint: &Joint,
    speed: &Speed,
    [onset, offset]: &[EdgeRule; 2],
    from: usize,
    peak: usize,
    end: usize,
) -> Option<PWave> {
    let average = joint.average;
    let reach = average.samples(P_HALF_MS);
    let onset = joint.edge(speed, peak, peak.saturating_sub(reach).max(from), onset)?;
    let offset = joint.edge(speed, peak, (peak + reach).min(end), offset)?;
    P_MS.contains(&average.ms(offset - onset)).then_some(PWave { onset, offset })
}

/// Distance of each column from the middle of its surroundings, all leads together. Beyond `end`
/// (the QRS) the signal is held at its last value.
fn bumps(joint: &Joint, from: usize, end: usize) -> Vec<f32> {
    let average = joint.average;
    let reach = average.samples(BUMP_MS).max(1);
    let first = from.saturating_sub(reach).max(joint.known.start);
    let mut squares = vec![0.0_f32; end - from];
    for (lead, weight) in average.leads.iter().zip(&joint.weights).filter(|(_, w)| **w > 0.0) {
        let x = smooth(&lead.uv[first..=end], average.samples(12.0));
        let at = |column: usize| x[column.clamp(first, end) - first];
        for (k, s) in squares.iter_mut().enumerate() {
            let column = from + k;
            let d = at(column) - 0.5 * (at(column.saturating_sub(reach)) + at(column + reach));
            *s += (weight * d) * (weight * d);
        }
    }
    squares.iter_mut().for_each(|s| *s = s.sqrt());
    squares
}

/// Moving mean over about `width` values, shorter at the ends.
fn smooth(values: &[f32], width: usize) -> Vec<f32> {
    let half = width / 2;
    let mut sums = Vec::with_capacity(values.len() + 1);
    let mut running = 0.0_f64;
    sums.push(0.0);
    for &v in values {
        running += f64::from(v);
        sums.push(running);
    }
    (0..values.len())
        .map(|k| {
            let (from, to) = (k.saturating_sub(half), (k + half + 1).min(values.len()));
            ((sums[to] - sums[from]) / (to - from) as f64) as f32
        })
        .collect()
}

fn highest(values: &[f32], range: std::ops::Range<usize>) -> Option<usize> {
    range.max_by(|&a, &b| values[a].total_cmp(&values[b]))
}

pub(crate) fn floor(column: f64) -> usize {
    column.max(0.0).floor() as usize
}

pub(crate) fn ceil(column: f64) -> usize {
    column.max(0.0).ceil() as usize
}
