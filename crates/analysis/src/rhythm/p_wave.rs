//! Whether a P wave found on the representative beat is one that the single beats carry: each is
//! compared, over the P wave and in all leads, with the mean of the others. Fibrillation averages
//! to something too, but no beat agrees with the rest.

use crate::average::Cut;
use crate::channel::Channel;
use crate::numeric::{dot, mean, median, quantile};

/// Likeness that three quarters of the beats' P waves must reach; and where the intervals change as
/// in fibrillation, whose waves can agree by chance.
const P_LIKENESS: f64 = 0.6;
const P_LIKENESS_IRREGULAR: f64 = 0.88;
/// Mean change from one interval to the next, as a share of the mean interval.
const AF_CHANGE: f64 = 0.10;
const AF_CHANGE_OF_MOST: f64 = 0.05;
const AF_INTERVALS_MIN: usize = 5;

/// How well the beats agree over the P wave found between two distances from their reference
/// point: the correlation with the mean of the others that three quarters of them reach.
pub(crate) fn p_likeness(
    channels: &[&Channel],
    weights: &[f32],
    cuts: &[Cut],
    before: usize,
    width: usize,
    step: usize,
) -> f64 {
    let segments: Vec<Vec<f32>> = cuts
        .iter()
        .filter(|cut| cut.at >= cut.from + before)
        .filter_map(|cut| segment(channels, weights, cut.at - before, width, step))
        .collect();
    if segments.len() < 2 {
        return 0.0;
    }
    let mut sum = vec![0.0_f32; segments[0].len()];
    for own in &segments {
        sum.iter_mut().zip(own).for_each(|(s, x)| *s += x);
    }
    let mut likeness: Vec<f64> = segments
        .iter()
        .map(|own| {
            let others: Vec<f32> = sum.iter().zip(own).map(|(s, x)| s - x).collect();
            let power = dot(own, own) * dot(&others, &others);
            if power > 0.0 { f64::from(dot(own, &others) / power.sqrt()) } else { 0.0 }
        })
        .collect();
    quantile(&mut likeness, 0.25)
}

/// One beat's P wave, lead after lead, every `step`-th sample, without its straight line.
pub(crate) fn segment(
    channels: &[&Channel],
    weights: &[f32],
    from: usize,
    width: usize,
    step: usize,
) -> Option<Vec<f32>> {
    let mut out = Vec::with_capacity(channels.len() * (width / step + 1));
    for (channel, &weight) in channels.iter().zip(weights) {
        let samples = channel.samples_uv.get(from..from + width)?;
        let start = out.len();
        out.extend(samples.chunks(step).map(|c| weight * c.iter().sum::<f32>() / c.len() as f32));
        without_line(&mut out[start..]);
    }
    out.iter().all(|x| x.is_finite()).then_some(out)
}

fn without_line(values: &mut [f32]) {
    let middle = (values.len() - 1) as f32 / 2.0;
    let level = values.iter().sum::<f32>() / values.len() as f32;
    let (mut cross, mut power) = (0.0, 0.0);
    for (k, x) in values.iter().enumerate() {
        let t = k as f32 - middle;
        cross += t * x;
        power += t * t;
    }
    let slope = if power > 0.0 { cross / power } else { 0.0 };
    for (k, x) in values.iter_mut().enumerate() {
        *x -= level + slope * (k as f32 - middle);
    }
}

/// Whether such likeness is proof of a P wave.
pub(crate) fn p_proven(likeness: f64, runs: &[Vec<f64>]) -> bool {
    likeness >= if irregular(runs) { P_LIKENESS_IRREGULAR } else { P_LIKENESS }
}

/// Intervals that change from beat to beat, on the whole and for most beats: a few early beats in a
/// steady rhythm are not fibrillation.
fn irregular(runs: &[Vec<f64>]) -> bool {
    let intervals: usize = runs.iter().map(Vec::len).sum();
    let usual = mean(runs.iter().flatten().copied());
    let mut changes: Vec<f64> =
        runs.iter().flat_map(|run| run.windows(2).map(|w| (w[1] - w[0]).abs())).collect();
    intervals >= AF_INTERVALS_MIN
        && changes.len() + 1 >= AF_INTERVALS_MIN
        && mean(changes.iter().copied()) > AF_CHANGE * usual
        && median(&mut changes) > AF_CHANGE_OF_MOST * usual
}
