//! What the delineator looks at: the leads on one time base, the beats, and for beats that look
//! alike the mean beat of every lead and of all leads together.
//!
//! Beats of one class that follow each other make groups of at most [`GROUP_MAX`], so that a long
//! recording has means that follow it. Evidence is shared within a group (over beats) and across
//! leads; a beat that is like no other is a group of its own.

use std::ops::Range;

use crate::average::{Average, Baseline, exchange, sorting_network};
use crate::beat::classify;
use crate::channel::{Channel, independent};
use crate::delineation::curve::{Curve, Gaps, STEP_MS, TimeBase, WORK_HZ, resampled, resampled_uv};
use crate::detect::Detector;
use crate::numeric::median;

/// Beats whose mean is taken, at most.
const GROUP_MAX: usize = 16;
/// Reach of a group's mean around the reference point.
pub(crate) const BEFORE_MS: f64 = 620.0;
pub(crate) const AFTER_MS: f64 = 880.0;
/// Half the stretch over which a baseline level is averaged, and how far it is taken before the
/// steep part of the QRS.
const KNOT_HALF_MS: f64 = 6.0;
const KNOT_BEFORE_MS: f64 = 14.0;
/// The QRS is looked for this far around a detected beat.
const QRS_REACH_MS: f64 = 100.0;
const ALIGN_REACH_MS: f64 = 14.0;
/// Span of the speed of the leads.
const SPEED_MS: f64 = 4.0;
const STEEP_SHARE: f32 = 0.1;
const STEEP_HOLD_MS: f64 = 14.0;
const QRS_BEFORE_MS_MAX: f64 = 130.0;
/// Noise under which one lead is no better than another.
const EVEN_NOISE_UV: f32 = 8.0;

pub(crate) const fn steps(ms: f64) -> usize {
    (ms / STEP_MS) as usize
}

pub(crate) struct Scene {
    pub base: TimeBase,
    pub leads: Vec<SceneLead>,
    pub groups: Vec<Group>,
    pub beats: Vec<SceneBeat>,
}

pub(crate) struct SceneLead {
    /// Which channel it is.
    pub channel: usize,
    /// Without its baseline.
    pub curve: Curve,
    pub gaps: Gaps,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct SceneBeat {
    /// Reference point, working samples.
    pub at: f64,
    pub group: usize,
    /// Intervals to the neighbours and the usual one around, ms.
    pub rr_before_ms: f64,
    pub rr_after_ms: f64,
    pub rr_usual_ms: f64,
}

/// Mean beats. Their reference point is at column [`Group::zero`].
pub(crate) struct Group {
    pub zero: f64,
    pub beats: usize,
    /// One a lead of the scene.
    pub means: Vec<Curve>,
    /// Deviation of single beats from each other, one a lead.
    pub noise_uv: Vec<f32>,
    /// All leads together: distance from the baseline, and speed (microvolts a millisecond).
    pub joint: Curve,
    pub speed: Curve,
}

impl Scene {
    /// `None` where no beat is found.
    pub fn of(channels: &[Channel], rate_hz: f64) -> Option<Self> {
        let shown = |c: &&Channel| !c.issues.contains(&precordia_model::QualityIssue::Flat);
        let mut independent = independent(channels);
        if independent.is_empty() {
            // Clipped or broken leads, all of them, still show where their waves are.
            independent = channels.iter().filter(shown).collect();
        }
        if independent.is_empty() {
            return None;
        }
        let detector = Detector::new(&independent, rate_hz);
        let classified = classify(&detector, &detector.beats())?;
        let base = TimeBase::of(rate_hz);
        let mut raw: Vec<Raw> = Vec::with_capacity(channels.len());
        for channel in channels.iter().filter(shown) {
            let (uv, gaps) = resampled(channel, base);
            let at = channels.iter().position(|c| std::ptr::eq(c, channel)).unwrap_or(0);
            let counts = independent.iter().any(|c| std::ptr::eq(*c, channel));
            raw.push(Raw { channel: at, uv, gaps, counts });
        }
        let len = raw.first().map_or(0, |lead| lead.uv.len());
        if len < steps(4.0 * QRS_REACH_MS) {
            return None;
        }
        let mut flock = Flock::new(&classified.beats, base, len);
        flock.settle(&raw);
        if flock.groups.is_empty() {
            return None;
        }
        Some(flock.scene(raw, base))
    }
}

impl Scene {
    /// A representative beat as the only one of a scene, its own mean.
    pub fn of_average(average: &Average, rr_ms: f64, counts: &[bool]) -> Self {
        let base = TimeBase::of(average.rate_hz);
        let uv: Vec<Vec<f32>> =
            average.leads.iter().map(|lead| resampled_uv(&lead.uv, base)).collect();
        let width = uv.first().map_or(0, Vec::len);
        let noise_uv: Vec<f32> = average
            .leads
            .iter()
            .map(|lead| if lead.noise_uv.is_finite() { lead.noise_uv } else { 0.0 })
            .collect();
        let beats = average.leads.first().map_or(1, |lead| lead.beats.max(1));
        let (joint, speed) = together(&uv, &weights(&noise_uv, counts, beats), width);
        let zero = base.working(average.zero as f64);
        let lead = |(channel, uv): (usize, &Vec<f32>)| SceneLead {
            channel,
            curve: Curve::new(uv.clone()),
            gaps: Gaps::default(),
        };
        let leads = uv.iter().enumerate().map(lead).collect();
        let group = Group {
            zero,
            beats,
            means: uv.into_iter().map(Curve::new).collect(),
            noise_uv,
            joint: Curve::new(joint),
            speed: Curve::new(speed),
        };
        let beat = SceneBeat {
            at: zero,
            group: 0,
            rr_before_ms: rr_ms,
            rr_after_ms: rr_ms,
            rr_usual_ms: rr_ms,
        };
        Scene { base, leads, groups: vec![group], beats: vec![beat] }
    }
}

/// A lead before its baseline is known.
struct Raw {
    channel: usize,
    uv: Vec<f32>,
    gaps: Gaps,
    /// Takes part in what the leads decide together.
    counts: bool,
}

/// Beats, by their groups.
struct Flock {
    /// Reference points, working samples.
    at: Vec<usize>,
    groups: Vec<Vec<usize>>,
    /// From the reference point back to the baseline level, one a group.
    level_before: Vec<usize>,
}

impl Flock {
    fn new(beats: &[crate::beat::Beat], base: TimeBase, len: usize) -> Self {
        let place = |at: usize| base.working(at as f64).round().max(0.0) as usize;
        let at: Vec<usize> = beats.iter().map(|b| place(b.at).min(len - 1)).collect();
        let classes = beats.iter().map(|b| b.class + 1).max().unwrap_or(0);
        let mut members = vec![Vec::new(); classes];
        for (k, beat) in beats.iter().enumerate() {
            members[beat.class].push(k);
        }
        let mut groups = Vec::new();
        for class in members.iter().filter(|class| !class.is_empty()) {
            let parts = class.len().div_ceil(GROUP_MAX);
            let each = class.len().div_ceil(parts);
            groups.extend(class.chunks(each).map(<[usize]>::to_vec));
        }
        let level_before = vec![0; groups.len()];
        Self { at, groups, level_before }
    }

    /// Lays the beats of each group on each other and their reference point in the middle of the
    /// QRS; finds where it begins, roughly.
    fn settle(&mut self, raw: &[Raw]) {
        for group in 0..self.groups.len() {
            self.align(group, raw);
            let beats: Vec<usize> = self.groups[group].iter().map(|&beat| self.at[beat]).collect();
            let (reach, wide) = (steps(QRS_REACH_MS), steps(2.0 * QRS_REACH_MS));
            let speed = mean_speed(raw, &beats, wide);
            let near = wide - reach..wide + reach + 1;
            let (mut power, mut moment) = (f32::MIN_POSITIVE, 0.0_f32);
            for k in near {
                power += speed[k] * speed[k];
                moment += speed[k] * speed[k] * (k as f32 - wide as f32);
            }
            let middle = (moment / power).round() as i64;
            let len = raw[0].uv.len() as i64;
            for &beat in &self.groups[group] {
                self.at[beat] = (self.at[beat] as i64 + middle).clamp(0, len - 1) as usize;
            }
            let zero = (wide as i64 + middle) as usize;
            self.level_before[group] = steep(&speed, zero) + steps(KNOT_BEFORE_MS);
        }
    }

    /// Least squares against one beat, then against the mean of all.
    fn align(&mut self, group: usize, raw: &[Raw]) {
        let half = steps(0.8 * QRS_REACH_MS);
        let members = self.groups[group].clone();
        if members.len() < 2 {
            return;
        }
        let len = raw[0].uv.len();
        let inside = |at: usize| at >= half + 16 && at + half + 16 < len;
        let whole: Vec<usize> = members.iter().copied().filter(|&b| inside(self.at[b])).collect();
        let Some(&first) = whole.get(whole.len() / 2) else { return };
        let leads: Vec<&Raw> = raw.iter().filter(|lead| lead.counts).collect();
        let mut template = mean_cut(&leads, &[self.at[first]], half);
        for reach in [steps(ALIGN_REACH_MS), 2] {
            for &beat in &whole {
                let at = self.at[beat];
                let misfit = |lag: usize| {
                    let parts = leads.iter().zip(template.chunks_exact(2 * half));
                    parts.map(|(lead, part)| rest(&lead.uv[lag - half..lag + half], part)).sum()
                };
                let lags = at.saturating_sub(reach).max(half)..=(at + reach).min(len - half);
                let fits = lags.map(|lag| (lag, misfit(lag)));
                let best = fits.min_by(|a: &(usize, f32), b| {
                    a.1.total_cmp(&b.1).then(a.0.abs_diff(at).cmp(&b.0.abs_diff(at)))
                });
                self.at[beat] = best.map_or(at, |(lag, _)| lag).clamp(half + 1, len - half - 1);
            }
            let places: Vec<usize> = whole.iter().map(|&beat| self.at[beat]).collect();
            template = mean_cut(&leads, &places, half);
        }
    }

    fn scene(self, raw: Vec<Raw>, base: TimeBase) -> Scene {
        let knots = self.knots();
        let counts: Vec<bool> = raw.iter().map(|lead| lead.counts).collect();
        let leads: Vec<SceneLead> = raw
            .into_iter()
            .map(|lead| SceneLead {
                channel: lead.channel,
                curve: Curve::new(level(lead.uv, &knots)),
                gaps: lead.gaps,
            })
            .collect();
        let mut groups: Vec<(usize, Group)> = self
            .groups
            .iter()
            .map(|members| {
                let places: Vec<usize> = members.iter().map(|&beat| self.at[beat]).collect();
                (members[0], Group::of(&leads, &counts, &places))
            })
            .collect();
        // In the order of their first beats, so that nothing depends on the numbering of classes.
        groups.sort_by_key(|(first, _)| *first);
        let mut group_of = vec![0; self.at.len()];
        for members in &self.groups {
            let place = groups.iter().position(|(first, _)| *first == members[0]).unwrap_or(0);
            members.iter().for_each(|&beat| group_of[beat] = place);
        }
        let beats = scene_beats(&self.at, &group_of);
        Scene { base, leads, groups: groups.into_iter().map(|(_, g)| g).collect(), beats }
    }

    fn knots(&self) -> Vec<usize> {
        let mut knots: Vec<usize> = Vec::with_capacity(self.at.len());
        for (members, &before) in self.groups.iter().zip(&self.level_before) {
            knots.extend(members.iter().filter_map(|&beat| self.at[beat].checked_sub(before)));
        }
        knots.sort_unstable();
        knots.dedup();
        knots
    }
}

fn scene_beats(at: &[usize], group_of: &[usize]) -> Vec<SceneBeat> {
    let mut order: Vec<usize> = (0..at.len()).collect();
    order.sort_by_key(|&beat| at[beat]);
    let ms = |a: usize, b: usize| (at[order[b]] - at[order[a]]) as f64 * STEP_MS;
    let rr: Vec<f64> = (1..order.len()).map(|k| ms(k - 1, k)).collect();
    let usual = |k: usize| {
        let near = rr.get(k.saturating_sub(6)..(k + 6).min(rr.len())).unwrap_or(&[]);
        if near.is_empty() { 850.0 } else { median(&mut near.to_vec()) }
    };
    let beat = |(k, &place): (usize, &usize)| {
        let rr_usual_ms = usual(k);
        SceneBeat {
            at: at[place] as f64,
            group: group_of[place],
            rr_before_ms: if k > 0 { rr[k - 1] } else { rr_usual_ms },
            rr_after_ms: rr.get(k).copied().unwrap_or(rr_usual_ms),
            rr_usual_ms,
        }
    };
    order.iter().enumerate().map(beat).collect()
}

/// A lead without the cubic through its levels before the QRS complexes.
fn level(uv: Vec<f32>, knots: &[usize]) -> Vec<f32> {
    let half = steps(KNOT_HALF_MS);
    let value = |&at: &usize| {
        let part = &uv[at.saturating_sub(half)..(at + half + 1).min(uv.len())];
        (at, part.iter().sum::<f32>() / part.len().max(1) as f32)
    };
    let baseline = Baseline::through(knots.iter().map(value));
    let mut out = vec![0.0; uv.len()];
    baseline.subtract(&uv, 0, &mut out);
    out
}

/// Sum of squared differences, the mean level free.
fn rest(a: &[f32], b: &[f32]) -> f32 {
    let (sum, square) = crate::numeric::difference(a, b);
    square - sum * sum / a.len() as f32
}

fn mean_cut(leads: &[&Raw], places: &[usize], half: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(leads.len() * 2 * half);
    for lead in leads {
        let start = out.len();
        out.resize(start + 2 * half, 0.0);
        for &at in places {
            let from = at.saturating_sub(half).min(lead.uv.len().saturating_sub(2 * half));
            out[start..].iter_mut().zip(&lead.uv[from..]).for_each(|(o, x)| *o += x);
        }
    }
    let scale = 1.0 / places.len().max(1) as f32;
    out.iter_mut().for_each(|x| *x *= scale);
    out
}

/// Speed of all leads together over the mean of some beats, each lead scaled to its own highest.
fn mean_speed(raw: &[Raw], places: &[usize], reach: usize) -> Vec<f32> {
    let width = 2 * reach + 1;
    let span = steps(SPEED_MS);
    let mut power = vec![0.0_f32; width];
    for lead in raw.iter().filter(|lead| lead.counts) {
        let last = lead.uv.len() - 1;
        let mut mean = vec![0.0_f32; width + 2 * span];
        for &at in places {
            let from = at as i64 - (reach + span) as i64;
            for (k, m) in mean.iter_mut().enumerate() {
                *m += lead.uv[(from + k as i64).clamp(0, last as i64) as usize];
            }
        }
        for (k, p) in power.iter_mut().enumerate() {
            let v = mean[k + 2 * span] - mean[k];
            *p += v * v;
        }
    }
    power.iter_mut().for_each(|p| *p = p.sqrt());
    power
}

/// Columns from the reference point back to where the speed has fallen for good.
fn steep(speed: &[f32], zero: usize) -> usize {
    let greatest = speed[zero.saturating_sub(steps(60.0))..(zero + steps(60.0)).min(speed.len())]
        .iter()
        .copied()
        .fold(0.0, f32::max);
    let (hold, furthest) = (steps(STEEP_HOLD_MS), steps(QRS_BEFORE_MS_MAX).min(zero));
    let mut run = 0;
    for back in 0..furthest {
        run = if speed[zero - back] < STEEP_SHARE * greatest { run + 1 } else { 0 };
        if run >= hold {
            return back + 1 - run;
        }
    }
    furthest.min(steps(60.0))
}

impl Group {
    fn of(leads: &[SceneLead], counts: &[bool], places: &[usize]) -> Self {
        let (before, width) = (steps(BEFORE_MS), steps(BEFORE_MS) + steps(AFTER_MS) + 1);
        let network = sorting_network(places.len());
        let mut rows = vec![0.0_f32; places.len() * width];
        let mut means = Vec::with_capacity(leads.len());
        let mut noise_uv = Vec::with_capacity(leads.len());
        for lead in leads {
            for (row, &at) in rows.chunks_exact_mut(width).zip(places) {
                cut(&lead.curve.uv, at, before, row);
            }
            sort(&mut rows, &network, width);
            means.push(middle_mean(&rows, width));
            noise_uv.push(spread(&rows, width));
        }
        let weights = weights(&noise_uv, counts, places.len());
        let (joint, speed) = together(&means, &weights, width);
        Self {
            zero: before as f64,
            beats: places.len(),
            means: means.into_iter().map(Curve::new).collect(),
            noise_uv,
            joint: Curve::new(joint),
            speed: Curve::new(speed),
        }
    }
}

/// The samples around a place; the first and last of the lead beyond its ends.
fn cut(uv: &[f32], at: usize, before: usize, row: &mut [f32]) {
    let width = row.len();
    if at >= before && at - before + width <= uv.len() {
        row.copy_from_slice(&uv[at - before..at - before + width]);
        return;
    }
    let last = uv.len() as i64 - 1;
    for (k, x) in row.iter_mut().enumerate() {
        *x = uv[(at as i64 - before as i64 + k as i64).clamp(0, last) as usize];
    }
}

/// In blocks of columns that stay in the nearest cache for the whole network.
fn sort(rows: &mut [f32], network: &[(usize, usize)], width: usize) {
    const BLOCK: usize = 128;
    for from in (0..width).step_by(BLOCK) {
        let to = (from + BLOCK).min(width);
        for &(low, high) in network {
            let (head, tail) = rows.split_at_mut(high * width);
            exchange(&mut head[low * width + from..low * width + to], &mut tail[from..to]);
        }
    }
}

/// Mean of the middle half of sorted rows.
fn middle_mean(rows: &[f32], width: usize) -> Vec<f32> {
    let count = rows.len() / width;
    let middle: Range<usize> = count / 4..count - count / 4;
    let mut out = vec![0.0_f32; width];
    let kept = middle.len();
    for row in rows.chunks_exact(width).skip(middle.start).take(kept) {
        out.iter_mut().zip(row).for_each(|(o, x)| *o += x);
    }
    let scale = 1.0 / kept as f32;
    out.iter_mut().for_each(|o| *o *= scale);
    out
}

/// Mean distance between the rows that bound the middle half.
fn spread(rows: &[f32], width: usize) -> f32 {
    let count = rows.len() / width;
    let (low, high) = (count / 4, count - 1 - count / 4);
    let row = |k: usize| &rows[k * width..(k + 1) * width];
    let sum: f32 = row(high).iter().zip(row(low)).map(|(h, l)| h - l).sum();
    sum / width as f32
}

/// Squares add up to one.
fn weights(noise_uv: &[f32], counts: &[bool], beats: usize) -> Vec<f32> {
    let square = |x: f32| x * x;
    let weight = |(noise, counts): (&f32, &bool)| {
        let error = square(*noise) / beats as f32 + square(EVEN_NOISE_UV);
        if *counts { 1.0 / error } else { 0.0 }
    };
    let mut weights: Vec<f32> = noise_uv.iter().zip(counts).map(weight).collect();
    let sum: f32 = weights.iter().sum();
    weights.iter_mut().for_each(|w| *w = (*w / sum.max(f32::MIN_POSITIVE)).sqrt());
    weights
}

fn together(means: &[Vec<f32>], weights: &[f32], width: usize) -> (Vec<f32>, Vec<f32>) {
    let span = steps(SPEED_MS);
    let per_ms = (1.0 / (2.0 * SPEED_MS)) as f32;
    let (mut joint, mut speed) = (vec![0.0_f32; width], vec![0.0_f32; width]);
    for (uv, &weight) in means.iter().zip(weights).filter(|(_, w)| **w > 0.0) {
        joint.iter_mut().zip(uv).for_each(|(j, x)| *j += (weight * x) * (weight * x));
        for ((s, a), b) in speed[span..].iter_mut().zip(uv).zip(&uv[2 * span..]) {
            let v = weight * per_ms * (b - a);
            *s += v * v;
        }
    }
    joint.iter_mut().for_each(|x| *x = x.sqrt());
    speed.iter_mut().for_each(|x| *x = x.sqrt());
    (joint, speed)
}

const _: () = assert!(WORK_HZ == 500.0, "spans are whole working samples of two milliseconds");
