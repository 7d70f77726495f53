//! Where a wave begins and ends on the representative beat.
//!
//! All leads decide together, each weighted by how quiet it is. Going outwards from inside the
//! wave, the edge is near where the speed of the signal (its change over a few milliseconds) stays
//! below a share of the wave's greatest speed. Beyond it lies a quiet place; its level and slope
//! are those of the isoelectric line there. The edge itself is where the signal departs from that
//! line, found from outside: the times at which the departure passes h, 3h and 9h (less where the wave
//! is too low) tell how it starts (t^p: p is 1 for a corner, 2 for a rounded foot), and the start is extrapolated to
//! nothing. h stands well above the noise, so a quiet recording is measured finely and a noisy one
//! without being led astray.

use std::ops::Range;

use precordia_model::Lead;

use crate::average::{Average, LeadAverage};
use crate::numeric::median_f32;

/// How an edge of one kind of wave is looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EdgeRule {
    /// Half the span over which speed is taken, ms.
    pub span_ms: f64,
    pub quiet: Quiet,
    /// Half the stretch whose level (and slope, if sloping) make the line, ms.
    pub line_ms: f64,
    pub sloping: bool,
    /// Least departure that counts, as a share of the wave's height.
    pub departure_share: f32,
    /// Whether a quiet recording lets the departure be looked for further down than that share.
    pub foot: bool,
    /// The furthest that an edge is extrapolated, ms.
    pub extrapolation_ms: f64,
}

/// Where the quiet place beyond the edge is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Quiet {
    /// The quietest place soon after the speed has fallen, for `hold_ms`, below a share of its
    /// greatest: for waves that are much steeper than their surroundings.
    AfterFall { speed_share: f32, hold_ms: f64, within_ms: f64 },
    /// The nearest of the quietest places between a least distance and the limit: for waves that
    /// are not.
    Between { nearest_ms: f64, factor: f32 },
}

/// The leads as one signal.
pub(crate) struct Joint<'a> {
    pub average: &'a Average,
    /// Squares add up to one.
    pub weights: Vec<f32>,
    /// Columns that may be looked at.
    pub known: Range<usize>,
    /// Noise of a weighted distance, microvolts.
    pub noise_uv: f32,
}

/// Share of the widest lead's columns that a lead must have to take part.
const WIDTH_SHARE_MIN: f64 = 0.9;
/// A lead with more noise than this multiple of the usual, and more than this, takes no part.
const NOISE_OF_USUAL: f32 = 4.0;
const NOISE_ALWAYS_UV: f32 = 40.0;
/// Noise under which one lead is no better than another.
const EVEN_NOISE_UV: f32 = 4.0;
/// How far a departure stands above the noise.
const ABOVE_NOISE: f32 = 3.0;
/// How far a speed stands above that of the quietest sixth of the beat.
const ABOVE_FLOOR: f32 = 2.0;
/// How far a slope stands above its error to be believed.
const SLOPE_ABOVE_ERROR: f32 = 3.0;
/// The part of a wave's height that tells how it starts.
const FOOT_SHARE: f32 = 0.6;
/// How long a departure stays one; noise comes back sooner.
const STAYS_MS: f64 = 8.0;
/// How far above the noise a wave's foot is seen.
const FOOT_ABOVE_NOISE: f32 = 3.0;
const LEAST_DEPARTURE_UV: f32 = 1.5;

impl<'a> Joint<'a> {
    pub fn new(average: &'a Average, chosen: impl Fn(Lead) -> bool) -> Self {
        let square = |x: f32| x * x;
        let known: Vec<Range<usize>> =
            average.leads.iter().map(|lead| lead.known(average.zero)).collect();
        let widest = known.iter().map(Range::len).max().unwrap_or(0);
        // A lead with a gap in the beat would take the place of the gap from all others.
        let whole = |at: usize| known[at].len() as f64 >= WIDTH_SHARE_MIN * widest as f64;
        let noisiest = noisiest(average, &chosen);
        let quiet = |at: usize| {
            let noise_uv = average.leads[at].noise_uv;
            noise_uv.is_nan() || noise_uv <= noisiest
        };
        let taken = |at: usize| chosen(average.leads[at].lead) && whole(at) && quiet(at);
        let weight = |(at, lead): (usize, &LeadAverage)| {
            let error_uv = lead.error_uv();
            let noise = if error_uv.is_finite() { square(error_uv) } else { 0.0 };
            if taken(at) { 1.0 / (noise + square(EVEN_NOISE_UV)) } else { 0.0 }
        };
        let mut weights: Vec<f32> = average.leads.iter().enumerate().map(weight).collect();
        let sum: f32 = weights.iter().sum();
        weights.iter_mut().for_each(|w| *w = (*w / sum.max(f32::MIN_POSITIVE)).sqrt());
        let noise = average.leads.iter().zip(&weights).map(|(lead, w)| square(w * lead.error_uv()));
        let noise_uv = noise.filter(|n| n.is_finite()).sum::<f32>().sqrt();
        let common = known.iter().zip(&weights).filter(|(_, w)| **w > 0.0).map(|(range, _)| range);
        let from = common.clone().map(|range| range.start).max().unwrap_or(0);
        let to = common.map(|range| range.end).min().unwrap_or(0);
        Self { known: from..to.max(from), weights, noise_uv, average }
    }

    fn leads(&self) -> impl Iterator<Item = (&[f32], f32)> {
        let weighted = self.average.leads.iter().zip(&self.weights);
        weighted.filter(|(_, w)| **w > 0.0).map(|(lead, &w)| (&lead.uv[..], w))
    }

    /// Speed of all leads together, microvolts a millisecond, over a span of columns.
    pub fn speed(&self, span_ms: f64) -> Speed {
        let span = self.average.samples(span_ms).max(1);
        let mut squares = vec![0.0_f32; self.average.width];
        let (from, to) = (self.known.start + span, self.known.end.saturating_sub(span));
        if from >= to {
            return Speed { values: squares, floor: 0.0 };
        }
        let per_ms = 1.0 / self.average.ms(2.0 * span as f64) as f32;
        for (uv, weight) in self.leads() {
            let (before, after) = (&uv[from - span..], &uv[from + span..]);
            for ((s, a), b) in squares[from..to].iter_mut().zip(before).zip(after) {
                let v = (b - a) * weight * per_ms;
                *s += v * v;
            }
        }
        squares.iter_mut().for_each(|s| *s = s.sqrt());
        let mut sorted = squares[from..to].to_vec();
        let floor = *sorted.select_nth_unstable_by((to - from) / 6, f32::total_cmp).1;
        Speed { values: squares, floor }
    }

    /// Distance of all leads together from given levels, microvolts.
    pub fn distance(&self, columns: Range<usize>, line: &Line) -> Vec<f32> {
        let mut squares = vec![0.0_f32; columns.len()];
        let offset = columns.start as f32 - line.at as f32;
        for ((uv, weight), (level, slope)) in self.leads().zip(&line.leads) {
            let start = level + slope * offset;
            for (k, (s, x)) in squares.iter_mut().zip(&uv[columns.clone()]).enumerate() {
                let d = (x - start - slope * k as f32) * weight;
                *s += d * d;
            }
        }
        squares.iter_mut().for_each(|s| *s = s.sqrt());
        squares
    }

    /// The straight line of every lead around a column.
    pub fn line(&self, at: usize, half: usize, sloping: bool) -> Line {
        let from = at.saturating_sub(half).max(self.known.start);
        let to = (at + half + 1).min(self.known.end).max(from);
        let count = (to - from).max(1) as f32;
        let middle = (from + to).saturating_sub(1) as f32 / 2.0;
        let fit = |(uv, _): (&[f32], f32)| {
            let part = &uv[from..to];
            let level = part.iter().sum::<f32>() / count;
            if !sloping || part.len() < 3 {
                return (level, 0.0);
            }
            let (mut cross, mut power) = (0.0, 0.0);
            for (k, x) in part.iter().enumerate() {
                let t = (from + k) as f32 - middle;
                cross += t * x;
                power += t * t;
            }
            let slope = cross / power;
            // A slope within its own error would, drawn out to the wave, only add to the noise.
            let square = |(k, x): (usize, &f32)| {
                let d = x - level - slope * ((from + k) as f32 - middle);
                d * d
            };
            let error = part.iter().enumerate().map(square).sum::<f32>() / (count - 2.0) / power;
            let slope = if slope * slope > SLOPE_ABOVE_ERROR * SLOPE_ABOVE_ERROR * error {
                slope
            } else {
                0.0
            };
            (level + slope * (at as f32 - middle), slope)
        };
        Line { at, leads: self.leads().map(fit).collect() }
    }

    /// The edge reached by going from `inside` (a column within the wave) towards `limit`.
    pub fn edge(&self, speed: &Speed, inside: usize, limit: usize, rule: &EdgeRule) -> Option<f64> {
        let inside = inside.clamp(self.known.start, self.known.end.saturating_sub(1));
        let limit = limit.clamp(self.known.start, self.known.end.saturating_sub(1));
        let path = Path { from: inside, forward: limit >= inside, len: limit.abs_diff(inside) + 1 };
        let quiet = match rule.quiet {
            Quiet::AfterFall { speed_share, hold_ms, within_ms } => {
                let rough = self.fallen(speed, &path, speed_share, hold_ms)?;
                self.quietest(
                    speed,
                    &path,
                    rough,
                    rough + self.average.samples(within_ms),
                    rule,
                    1.0,
                )
            }
            Quiet::Between { nearest_ms, factor } => {
                let nearest = self.average.samples(nearest_ms);
                self.quietest(speed, &path, nearest, path.len, rule, factor)
            }
        };
        let half = self.average.samples(rule.line_ms).max(1);
        let line = self.line(path.column(quiet), half, rule.sloping);
        self.departure(&path, quiet, &line, rule)
    }

    /// Steps from `inside` to where the speed stays low.
    fn fallen(&self, speed: &Speed, path: &Path, share: f32, hold_ms: f64) -> Option<usize> {
        let greatest = (0..path.len).map(|k| speed.values[path.column(k)]).fold(0.0, f32::max);
        let low = (share * greatest).max(ABOVE_FLOOR * speed.floor);
        let hold = self.average.samples(hold_ms).max(1);
        let mut run = 0;
        for k in 0..path.len {
            run = if speed.values[path.column(k)] < low { run + 1 } else { 0 };
            if run >= hold {
                return Some(k + 1 - run);
            }
        }
        // The end of what may be looked at is quiet enough if it was quiet up to there.
        (run * 2 >= hold && run > 0).then(|| path.len - run)
    }

    /// The first place between two steps that is as quiet as the quietest, give or take a factor.
    fn quietest(
        &self,
        speed: &Speed,
        path: &Path,
        from: usize,
        to: usize,
        rule: &EdgeRule,
        factor: f32,
    ) -> usize {
        let half = self.average.samples(rule.line_ms).max(1);
        let around = |k: usize| {
            let column = path.column(k);
            let from = column.saturating_sub(half).max(self.known.start);
            let to = (column + half + 1).min(self.known.end);
            speed.values[from..to].iter().sum::<f32>() / (to - from).max(1) as f32
        };
        let from = from.min(path.len - 1);
        let to = to.clamp(from + 1, path.len);
        let quietest = (from..to).map(around).fold(f32::INFINITY, f32::min);
        (from..to).find(|&k| around(k) <= factor * quietest + 1e-4).unwrap_or(from)
    }

    /// Going inwards from the quiet place: where the signal leaves the line for good.
    fn departure(&self, path: &Path, quiet: usize, line: &Line, rule: &EdgeRule) -> Option<f64> {
        let (a, b) = (path.column(0), path.column(quiet));
        let columns = a.min(b)..a.max(b) + 1;
        let mut distance = self.distance(columns, line);
        if path.forward {
            distance.reverse();
        }
        // Now the first value is at the quiet place and the last one inside the wave.
        let height = distance.iter().copied().fold(0.0, f32::max);
        let noise_uv = self.unrest(line, self.average.samples(rule.line_ms).max(1), rule.sloping);
        // In a quiet recording the foot of a wave is seen, and need not be guessed from higher up.
        let seen_uv = if rule.foot { FOOT_ABOVE_NOISE * self.noise_uv } else { f32::INFINITY };
        let share_uv = (rule.departure_share * height).min(seen_uv);
        let least =
            (ABOVE_NOISE * noise_uv).max(self.noise_uv).max(LEAST_DEPARTURE_UV).max(share_uv);
        let hold = self.average.samples(STAYS_MS).max(3);
        let first = crossing(&distance, 0, least, hold)?;
        let ratio = (FOOT_SHARE * height / least).sqrt().min(3.0);
        let higher =
            |from: f64, times: f32| crossing(&distance, from.ceil() as usize, times * least, 3);
        let steps = match higher(first, ratio).filter(|_| ratio > 1.2) {
            Some(second) => {
                let third = higher(second, ratio * ratio).unwrap_or(second);
                first - foot(second - first, third - second, f64::from(ratio))
            }
            None => first,
        };
        let furthest = first - self.average.samples(rule.extrapolation_ms) as f64;
        let steps = steps.max(furthest).max(0.0);
        Some(path.position(quiet as f64 - steps))
    }
}

impl Joint<'_> {
    /// Root mean square distance from a line over the stretch that it was fitted to.
    fn unrest(&self, line: &Line, half: usize, sloping: bool) -> f32 {
        let from = line.at.saturating_sub(half).max(self.known.start);
        let to = (line.at + half + 1).min(self.known.end).max(from);
        let distance = self.distance(from..to, line);
        let free = (distance.len() as f32 - if sloping { 2.0 } else { 1.0 }).max(1.0);
        (distance.iter().map(|d| d * d).sum::<f32>() / free).sqrt()
    }
}

/// The signal's speed, column by column, and what it is where nothing happens.
pub(crate) struct Speed {
    pub values: Vec<f32>,
    pub floor: f32,
}

/// Noise of a single beat beyond which a lead only disturbs the others.
fn noisiest(average: &Average, chosen: impl Fn(Lead) -> bool) -> f32 {
    let leads = average.leads.iter().filter(|lead| chosen(lead.lead));
    let mut noise: Vec<f32> = leads.map(|lead| lead.noise_uv).filter(|n| n.is_finite()).collect();
    let usual = median_f32(&mut noise);
    (NOISE_OF_USUAL * usual).max(NOISE_ALWAYS_UV)
}

/// Level and slope of every chosen lead at a column.
pub(crate) struct Line {
    pub at: usize,
    pub leads: Vec<(f32, f32)>,
}

/// A walk over columns.
struct Path {
    from: usize,
    forward: bool,
    len: usize,
}

impl Path {
    fn column(&self, step: usize) -> usize {
        if self.forward { self.from + step } else { self.from - step }
    }

    fn position(&self, step: f64) -> f64 {
        if self.forward { self.from as f64 + step } else { self.from as f64 - step }
    }
}

/// Where values rise through a height and hold it, or to the end; between samples by a line.
///
/// When the value before is still on the ground, the wave begins somewhere between the two samples,
/// and the line is the one that the next two values make.
fn crossing(values: &[f32], from: usize, height: f32, hold: usize) -> Option<f64> {
    let above = |k: usize| values.get(k).is_none_or(|v| *v >= height);
    let at = (from..values.len()).find(|&k| (k..k + hold).all(above))?;
    if at == 0 {
        return Some(0.0);
    }
    let (before, here) = (values[at - 1], values[at]);
    let next = values.get(at + 1).copied().unwrap_or(here);
    let rise = if before < 0.25 * height && next > here { next - here } else { here - before };
    let back = if rise > 0.0 { (here - height) / rise } else { 0.0 };
    Some(at as f64 - f64::from(back.clamp(0.0, 1.0)))
}

/// How far before the first crossing (h) a rise of c (t - t0)^p began, from the steps between the
/// crossings of h, r h and r^2 h; p is held between 1 and 3.
fn foot(first: f64, second: f64, ratio: f64) -> f64 {
    let growth = if first > 0.0 { second / first } else { ratio };
    first / (growth.clamp(ratio.cbrt(), ratio) - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foot_is_found_for_corners_and_rounded_starts() {
        for p in [1.0, 1.5, 2.0, 3.0] {
            let time = |h: f64| 4.0 + 10.0 * h.powf(1.0 / p);
            let (a, b, c) = (time(0.01), time(0.03), time(0.09));
            assert!((a - foot(b - a, c - b, 3.0) - 4.0).abs() < 1e-9, "p = {p}");
        }
    }

    #[test]
    fn a_crossing_is_held_and_lies_between_samples() {
        let values = [0.0, 5.0, 0.0, 1.0, 3.0, 4.0, 5.0];
        assert_eq!(crossing(&values, 0, 2.0, 3), Some(3.5));
        assert_eq!(crossing(&values, 0, 9.0, 3), None);
    }
}
