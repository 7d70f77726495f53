//! The representative beat: aligned beats of one class, lead by lead.
//!
//! The baseline of each beat is taken away first: a cubic through the levels just before the QRS
//! complexes (Meyer and Keiser, Comput Biomed Res 1977;10:459). Unlike a high-pass filter it cannot
//! bend the ST segment, because it knows the signal only where nothing happens. Then, sample by
//! sample, the beats are sorted and the middle half is averaged: nearly as quiet as the mean, and
//! blind to one bad beat in four as the median is. The spread of the same middle half is the noise.

use std::ops::Range;

use precordia_model::Lead;

use crate::channel::Channel;

/// Half the stretch over which a baseline level is averaged.
const KNOT_HALF_S: f64 = 0.006;

const BLOCK: usize = 128;

/// Which part of the recording around a beat may be used for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// The reference point, a sample of the recording.
    pub at: usize,
    /// Samples that belong to this beat and not to its neighbours.
    pub from: usize,
    pub to: usize,
}

pub(crate) struct Plan<'a> {
    pub cuts: &'a [Cut],
    /// Reference points of all beats that give a baseline level.
    pub levels_at: &'a [usize],
    /// From reference point to baseline level, samples.
    pub level_before: usize,
    pub before: usize,
    pub after: usize,
    pub rate_hz: f64,
}

#[derive(Clone, Debug)]
pub(crate) struct Average {
    pub rate_hz: f64,
    /// Column of the reference point.
    pub zero: usize,
    pub width: usize,
    pub leads: Vec<LeadAverage>,
}

#[derive(Clone, Debug)]
pub(crate) struct LeadAverage {
    pub lead: Lead,
    /// NaN where fewer than half of the beats have a sample.
    pub uv: Vec<f32>,
    /// Deviation of a single beat from the others outside the QRS, as a standard deviation.
    pub noise_uv: f32,
    /// Range of the baseline levels.
    pub wander_uv: f32,
    pub beats: usize,
}

impl Average {
    pub fn of(channels: &[&Channel], plan: &Plan) -> Self {
        let width = plan.before + plan.after + 1;
        let mut bench = Bench::new(plan, width);
        Average {
            rate_hz: plan.rate_hz,
            zero: plan.before,
            width,
            leads: channels.iter().map(|channel| bench.average(channel)).collect(),
        }
    }

    pub fn lead(&self, lead: Lead) -> Option<&LeadAverage> {
        self.leads.iter().find(|average| average.lead == lead)
    }

    pub fn ms(&self, samples: f64) -> f64 {
        samples * 1000.0 / self.rate_hz
    }

    pub fn samples(&self, ms: f64) -> usize {
        (ms * self.rate_hz / 1000.0).round() as usize
    }
}

impl LeadAverage {
    /// Columns around the reference point that this lead has.
    pub fn known(&self, zero: usize) -> Range<usize> {
        let missing = |c: &usize| !self.uv[*c].is_finite();
        if missing(&zero) {
            return zero..zero;
        }
        let from = (0..zero).rev().find(missing).map_or(0, |c| c + 1);
        let to = (zero..self.uv.len()).find(missing).unwrap_or(self.uv.len());
        from..to
    }

    /// Standard deviation of the average itself.
    pub fn error_uv(&self) -> f32 {
        // The mean of the middle half is 1.1 times as wide as the mean of all.
        1.1 * self.noise_uv / (self.beats.max(1) as f32).sqrt()
    }
}

/// Room for the rows of one lead, used again for the next.
struct Bench<'a> {
    plan: &'a Plan<'a>,
    network: Vec<(usize, usize)>,
    rows: Vec<f32>,
    width: usize,
    /// Columns that every beat has.
    common: Range<usize>,
}

impl<'a> Bench<'a> {
    fn new(plan: &'a Plan<'a>, width: usize) -> Self {
        let mut common = 0..width;
        for cut in plan.cuts {
            let columns = columns(cut, plan.before, width);
            common = common.start.max(columns.start)..common.end.min(columns.end);
        }
        Bench {
            plan,
            network: sorting_network(plan.cuts.len()),
            rows: vec![0.0; plan.cuts.len() * width],
            width,
            common: common.start.min(common.end)..common.end,
        }
    }

    fn average(&mut self, channel: &Channel) -> LeadAverage {
        let baseline = Baseline::of(channel, self.plan);
        let before = self.plan.before;
        for (cut, row) in self.plan.cuts.iter().zip(self.rows.chunks_exact_mut(self.width)) {
            let columns = columns(cut, before, self.width);
            let from = cut.at + columns.start - before;
            row[..columns.start].fill(f32::INFINITY);
            row[columns.end..].fill(f32::INFINITY);
            let samples = &channel.samples_uv[from..from + columns.len()];
            baseline.subtract(samples, from, &mut row[columns]);
            if channel.has_gaps {
                row.iter_mut().filter(|x| x.is_nan()).for_each(|x| *x = f32::INFINITY);
            }
        }
        // In blocks of columns that stay in the nearest cache for the whole network.
        for from in (0..self.width).step_by(BLOCK) {
            let to = (from + BLOCK).min(self.width);
            for &(low, high) in &self.network {
                let (head, tail) = self.rows.split_at_mut(high * self.width);
                exchange(
                    &mut head[low * self.width + from..low * self.width + to],
                    &mut tail[from..to],
                );
            }
        }
        LeadAverage {
            lead: channel.lead,
            uv: self.middle_mean(channel.has_gaps),
            noise_uv: self.spread(),
            wander_uv: baseline.range_uv(),
            beats: self.plan.cuts.len(),
        }
    }

    fn middle_mean(&self, has_gaps: bool) -> Vec<f32> {
        let beats = self.plan.cuts.len();
        let common = if has_gaps { 0..0 } else { self.common.clone() };
        let mut out = vec![0.0_f32; self.width];
        let middle = beats / 4..beats - beats / 4;
        for row in self.rows.chunks_exact(self.width).take(middle.end).skip(middle.start) {
            out[common.clone()].iter_mut().zip(&row[common.clone()]).for_each(|(o, x)| *o += x);
        }
        let scale = 1.0 / middle.len().max(1) as f32;
        out[common.clone()].iter_mut().for_each(|o| *o *= scale);
        for column in (0..self.width).filter(|column| !common.contains(column)) {
            out[column] = self.ragged_mean(column);
        }
        out
    }

    /// The same for a column that some beats do not have; those sorted to the end.
    fn ragged_mean(&self, column: usize) -> f32 {
        let values = self.rows[column..].iter().step_by(self.width);
        let count = values.clone().take_while(|x| x.is_finite()).count();
        if 2 * count < self.plan.cuts.len() || count == 0 {
            return f32::NAN;
        }
        let middle = count / 4..count - count / 4;
        let kept = middle.len() as f32;
        values.take(middle.end).skip(middle.start).sum::<f32>() / kept
    }

    /// From the distance between two sorted rows, averaged outside the QRS.
    fn spread(&self) -> f32 {
        let beats = self.plan.cuts.len();
        if beats < 2 {
            return f32::NAN;
        }
        let (low, high) = (beats / 4, beats - 1 - beats / 4);
        let row = |at: usize| &self.rows[at * self.width..(at + 1) * self.width];
        let reach = (0.1 * self.plan.rate_hz) as usize;
        let qrs = self.plan.before.saturating_sub(reach)..self.plan.before + reach;
        let (mut sum, mut count) = (0.0, 0);
        for part in [
            self.common.start..qrs.start.min(self.common.end),
            qrs.end.max(self.common.start)..self.common.end,
        ] {
            if part.start >= part.end {
                continue;
            }
            for (h, l) in row(high)[part.clone()].iter().zip(&row(low)[part]) {
                let distance = h - l;
                if distance.is_finite() {
                    sum += distance;
                    count += 1;
                }
            }
        }
        if count == 0 { f32::NAN } else { sum / count as f32 / normal_spread(beats, low, high) }
    }
}

/// The columns of a beat that lie in its cut.
fn columns(cut: &Cut, before: usize, width: usize) -> Range<usize> {
    let column = |sample: usize| (sample + before).saturating_sub(cut.at).min(width);
    let from = column(cut.from);
    from..column(cut.to).max(from)
}

pub(crate) fn exchange(low: &mut [f32], high: &mut [f32]) {
    for (a, b) in low.iter_mut().zip(high) {
        let (x, y) = (*a, *b);
        *a = x.min(y);
        *b = x.max(y);
    }
}

/// Batcher's merge exchange: pairs of rows to be put in order, for any number of rows (Knuth, The
/// Art of Computer Programming 3, 5.2.2, algorithm M). Whole rows are compared at once.
pub(crate) fn sorting_network(rows: usize) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let top = rows.next_power_of_two() / 2;
    let mut p = top;
    while p > 0 {
        let (mut q, mut r, mut d) = (top, 0, p);
        loop {
            pairs.extend((0..rows.saturating_sub(d)).filter(|i| i & p == r).map(|i| (i, i + d)));
            if q == p {
                break;
            }
            (d, r) = (q - p, p);
            q /= 2;
        }
        p /= 2;
    }
    pairs
}

/// Expected distance of two order statistics of `count` standard normal values (Blom 1958).
fn normal_spread(count: usize, low: usize, high: usize) -> f32 {
    let place = |rank: usize| (rank as f64 + 1.0 - 0.375) / (count as f64 + 0.25);
    (normal_quantile(place(high)) - normal_quantile(place(low))) as f32
}

/// Inverse of the normal distribution, to three decimals (Abramowitz and Stegun 26.2.23).
fn normal_quantile(p: f64) -> f64 {
    let tail = p.min(1.0 - p);
    let t = (-2.0 * tail.ln()).sqrt();
    let z = t
        - (2.515_517 + 0.802_853 * t + 0.010_328 * t * t)
            / (1.0 + 1.432_788 * t + 0.189_269 * t * t + 0.001_308 * t * t * t);
    if p < 0.5 { -z } else { z }
}

/// A cubic Hermite curve through the levels before the QRS complexes, flat beyond the ends.
pub(crate) struct Baseline {
    knots: Vec<Knot>,
}

#[derive(Clone, Copy)]
struct Knot {
    at: usize,
    uv: f32,
    /// Slope in microvolts a sample: that of the line through both neighbours.
    slope: f32,
}

impl Baseline {
    fn of(channel: &Channel, plan: &Plan) -> Self {
        let half = ((KNOT_HALF_S * plan.rate_hz).round() as usize).max(1);
        let level = |&reference: &usize| {
            let at = reference.checked_sub(plan.level_before)?;
            let samples = channel.samples_uv.get(at.checked_sub(half)?..=at + half)?;
            Some((at, samples.iter().sum::<f32>() / samples.len() as f32))
        };
        Self::through(plan.levels_at.iter().filter_map(level))
    }

    /// The curve through levels in their order; one without a value is left out.
    pub fn through(levels: impl Iterator<Item = (usize, f32)>) -> Self {
        let mut knots: Vec<Knot> = Vec::with_capacity(levels.size_hint().0);
        for (at, uv) in levels {
            if uv.is_finite() && knots.last().is_none_or(|last| last.at < at) {
                knots.push(Knot { at, uv, slope: 0.0 });
            }
        }
        let last = knots.len().saturating_sub(1);
        for k in 0..knots.len() {
            let (before, after) = (knots[k.saturating_sub(1)], knots[(k + 1).min(last)]);
            if before.at < after.at {
                knots[k].slope = (after.uv - before.uv) / (after.at - before.at) as f32;
            }
        }
        Self { knots }
    }

    fn range_uv(&self) -> f32 {
        let (low, high) = self
            .knots
            .iter()
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), k| (l.min(k.uv), h.max(k.uv)));
        (high - low).max(0.0)
    }

    /// `out` = `samples` (which begin at sample `from`) less the baseline.
    pub fn subtract(&self, samples: &[f32], from: usize, out: &mut [f32]) {
        let to = from + samples.len();
        let (Some(first), Some(last)) = (self.knots.first(), self.knots.last()) else {
            out.copy_from_slice(samples);
            return;
        };
        let mut stretch = Stretch { samples, from, out };
        stretch.less(from..first.at, first.at, |_| first.uv);
        for pair in self.knots.windows(2).filter(|w| w[1].at > from && w[0].at < to) {
            let (a, b) = (pair[0], pair[1]);
            let h = (b.at - a.at) as f32;
            let rise = (b.uv - a.uv) / h;
            let c2 = (3.0 * rise - 2.0 * a.slope - b.slope) / h;
            let c3 = (a.slope + b.slope - 2.0 * rise) / (h * h);
            stretch.less(a.at..b.at, a.at, |u| a.uv + u * (a.slope + u * (c2 + u * c3)));
        }
        stretch.less(last.at..to, last.at, |_| last.uv);
    }
}

struct Stretch<'s> {
    samples: &'s [f32],
    from: usize,
    out: &'s mut [f32],
}

impl Stretch<'_> {
    /// Takes a curve away within a range of the recording; the curve counts from `origin`.
    fn less(&mut self, range: Range<usize>, origin: usize, curve: impl Fn(f32) -> f32) {
        let to = self.from + self.samples.len();
        let (start, end) = (range.start.clamp(self.from, to), range.end.clamp(self.from, to));
        if start >= end {
            return;
        }
        let offset = start as f32 - origin as f32;
        let part = start - self.from..end - self.from;
        for (k, (o, x)) in self.out[part.clone()].iter_mut().zip(&self.samples[part]).enumerate() {
            *o = x - curve(offset + k as f32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_sorts_any_number_of_rows() {
        for rows in 1..=40 {
            let network = sorting_network(rows);
            for seed in 0..20_usize {
                let mut values: Vec<usize> =
                    (0..rows).map(|k| (k * 7919 + seed * 104_729) % 101).collect();
                for &(low, high) in &network {
                    if values[low] > values[high] {
                        values.swap(low, high);
                    }
                }
                assert!(values.is_sorted(), "{rows} rows: {values:?}");
            }
        }
    }

    #[test]
    fn normal_quantiles_are_those_of_the_tables() {
        for (p, z) in [(0.5, 0.0), (0.75, 0.6745), (0.975, 1.96), (0.025, -1.96), (0.001, -3.0902)]
        {
            assert!((normal_quantile(p) - z).abs() < 1e-3, "{p}");
        }
    }
}
