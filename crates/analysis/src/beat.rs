//! Which beats look alike, and how they lie on each other to the sample.
//!
//! Beats are compared over the QRS on the detector's copy, all leads at once, at the best of a few
//! lags; a beat joins the first class whose running mean it matches. The largest class is the
//! dominant one. Its beats are then aligned at the full sampling rate by least squares.

use crate::channel::Channel;
use crate::detect::Detector;
use crate::numeric::{difference, dot, median, quantile};

const BEFORE_S: f64 = 0.080;
const AFTER_S: f64 = 0.110;
const LAG_S: f64 = 0.028;
/// Correlation from which two beats are of one class.
const SAME_CLASS: f32 = 0.85;
/// Longest distance of a T wave's steepest part from the QRS, and that as a share of the interval.
const T_WAVE_S: f64 = 0.420;
const T_WAVE_RR_SHARE: f64 = 0.6;
const T_WAVE_SPREAD_S: f64 = 0.024;
/// Sharpness of a T wave against that of its QRS.
const T_WAVE_BLUNTER: f32 = 0.5;
const ALIGN_BEFORE_S: f64 = 0.060;
const ALIGN_AFTER_S: f64 = 0.080;

/// A beat's place and the class that it belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beat {
    /// A common point of all beats of the class, as a sample of the recording. For the dominant
    /// class the R peak, once that is known.
    pub at: usize,
    pub class: usize,
}

pub(crate) struct Classified {
    pub beats: Vec<Beat>,
    /// Index of the largest class.
    pub dominant: usize,
    /// Median correlation of a dominant beat with the mean of the others.
    pub likeness: f64,
}

struct Class {
    /// Sum of the aligned members, lead after lead.
    sum: Vec<f32>,
    members: Vec<usize>,
}

/// Compares all beats. `None` without beats.
pub(crate) fn classify(detector: &Detector, places: &[usize]) -> Option<Classified> {
    let window = Window::of(detector);
    let mut classes: Vec<Class> = Vec::new();
    let mut beats = Vec::with_capacity(places.len());
    for &place in places {
        let best = classes
            .iter()
            .enumerate()
            .map(|(at, class)| (at, window.best_lag(detector, place, &class.sum)))
            .max_by(|(_, a), (_, b)| a.correlation.total_cmp(&b.correlation));
        let (class, place) = match best {
            Some((class, fit)) if fit.correlation >= SAME_CLASS => (class, fit.place),
            _ => {
                classes.push(Class { sum: vec![0.0; window.len(detector)], members: Vec::new() });
                (classes.len() - 1, place)
            }
        };
        let segment = window.cut(detector, place);
        classes[class].sum.iter_mut().zip(&segment).for_each(|(s, x)| *s += x);
        classes[class].members.push(beats.len());
        beats.push((place, class));
    }
    let mut kept = beats;
    if let Some(t_waves) = t_wave_class(detector, &window, &classes, &kept) {
        kept.retain(|&(_, class)| class != t_waves);
        classes[t_waves].members.clear();
    }
    for (class, members) in
        classes.iter_mut().enumerate().map(|(at, class)| (at, &mut class.members))
    {
        *members = (0..kept.len()).filter(|&at| kept[at].1 == class).collect();
    }
    let dominant = largest(&classes)?;
    let likeness = likeness(detector, &window, &classes[dominant], &kept);
    let beats =
        kept.iter().map(|&(place, class)| Beat { at: detector.to_sample(place), class }).collect();
    Some(Classified { beats, dominant, likeness })
}

/// A class that follows another beat for beat, soon, always at the same distance, and more bluntly:
/// T waves taken for beats.
fn t_wave_class(
    detector: &Detector,
    window: &Window,
    classes: &[Class],
    beats: &[(usize, usize)],
) -> Option<usize> {
    let mut candidates: Vec<usize> =
        (0..classes.len()).filter(|&at| classes[at].members.len() >= 3).collect();
    candidates.sort_by_key(|&at| classes[at].members.len());
    candidates.into_iter().find(|&t| {
        let members = &classes[t].members;
        let leaders: Vec<(usize, f64)> = members
            .iter()
            .filter_map(|&at| {
                Some((beats[at.checked_sub(1)?].1, (beats[at].0 - beats[at - 1].0) as f64))
            })
            .collect();
        let Some(&(leader, _)) = leaders.get(leaders.len() / 2) else { return false };
        let mut distances: Vec<f64> =
            leaders.iter().filter(|(class, _)| *class == leader).map(|l| l.1).collect();
        if leader == t || 10 * distances.len() < 8 * classes[leader].members.len() {
            return false;
        }
        let spread = quantile(&mut distances, 0.9) - quantile(&mut distances, 0.1);
        let usual = median(&mut distances);
        let own = &classes[leader].members;
        let mut turns: Vec<f64> =
            own.windows(2).map(|w| (beats[w[1]].0 - beats[w[0]].0) as f64).collect();
        usual < detector.samples(T_WAVE_S) as f64
            && usual < T_WAVE_RR_SHARE * median(&mut turns)
            && spread <= detector.samples(T_WAVE_SPREAD_S) as f64
            && sharpness(&classes[t].sum, window.width)
                < T_WAVE_BLUNTER * sharpness(&classes[leader].sum, window.width)
    })
}

/// Power of the change from sample to sample against the power of the signal.
fn sharpness(rows: &[f32], width: usize) -> f32 {
    let (mut change, mut power) = (0.0, f32::MIN_POSITIVE);
    for row in rows.chunks_exact(width) {
        change += row.windows(2).map(|w| (w[1] - w[0]) * (w[1] - w[0])).sum::<f32>();
        power += dot(row, row);
    }
    change / power
}

/// The class of most beats; of equals the one that comes later after its predecessors, because a
/// premature beat is the guest.
fn largest(classes: &[Class]) -> Option<usize> {
    let lateness = |class: &Class| class.members.iter().filter(|&&m| m > 0).count();
    (0..classes.len())
        .max_by_key(|&at| (classes[at].members.len(), lateness(&classes[at]), usize::MAX - at))
}

fn likeness(detector: &Detector, window: &Window, class: &Class, beats: &[(usize, usize)]) -> f64 {
    if class.members.len() < 2 {
        return 0.0;
    }
    let mut each: Vec<f64> = class
        .members
        .iter()
        .map(|&member| {
            let own = window.cut(detector, beats[member].0);
            let others: Vec<f32> = class.sum.iter().zip(&own).map(|(s, x)| s - x).collect();
            f64::from(correlation(&own, &others))
        })
        .collect();
    median(&mut each)
}

struct Window {
    before: usize,
    width: usize,
    lag: usize,
}

struct Fit {
    place: usize,
    correlation: f32,
}

impl Window {
    fn of(detector: &Detector) -> Self {
        let before = detector.samples(BEFORE_S);
        Self { before, width: before + detector.samples(AFTER_S), lag: detector.samples(LAG_S) }
    }

    fn len(&self, detector: &Detector) -> usize {
        self.width * detector.rows.len()
    }

    /// The detector's padding is wider than window and lag together, so the slice exists.
    fn slice<'d>(&self, row: &'d [f32], place: usize) -> &'d [f32] {
        let from = place.saturating_sub(self.before).min(row.len().saturating_sub(self.width));
        &row[from..(from + self.width).min(row.len())]
    }

    fn cut(&self, detector: &Detector, place: usize) -> Vec<f32> {
        let mut segment = Vec::with_capacity(self.len(detector));
        for row in &detector.rows {
            segment.extend_from_slice(self.slice(row, place));
        }
        segment
    }

    fn best_lag(&self, detector: &Detector, place: usize, template: &[f32]) -> Fit {
        let template_power = dot(template, template);
        let fits = (place.saturating_sub(self.lag)..=place + self.lag).map(|place| {
            let (mut cross, mut power) = (0.0, 0.0);
            for (row, part) in detector.rows.iter().zip(template.chunks_exact(self.width)) {
                let own = self.slice(row, place);
                cross += dot(own, part);
                power += dot(own, own);
            }
            Fit { place, correlation: normalized(cross, power, template_power) }
        });
        fits.max_by(|a, b| a.correlation.total_cmp(&b.correlation))
            .unwrap_or(Fit { place, correlation: 0.0 })
    }
}

fn correlation(a: &[f32], b: &[f32]) -> f32 {
    normalized(dot(a, b), dot(a, a), dot(b, b))
}

fn normalized(cross: f32, power_a: f32, power_b: f32) -> f32 {
    let power = power_a * power_b;
    if power > 0.0 { cross / power.sqrt() } else { 0.0 }
}

/// Moves beats of one class so that their QRS complexes fall on each other at the full rate.
///
/// Two rounds: against one beat, within the detector's step; then against the mean of all. Each
/// beat takes the lag of the least weighted squared difference, the mean level of every lead free.
pub(crate) fn align(
    beats: &mut [Beat],
    class: usize,
    channels: &[&Channel],
    weights: &[f32],
    rate_hz: f64,
    step: usize,
) {
    let aligner = Aligner::new(channels, weights, rate_hz);
    let members: Vec<usize> = (0..beats.len()).filter(|&at| beats[at].class == class).collect();
    let whole = |&at: &usize| aligner.cut(channels[0], beats[at].at).is_some();
    let Some(first) = members
        .get(members.len() / 2)
        .filter(|at| whole(at))
        .or(members.iter().find(|at| whole(at)))
    else {
        return;
    };
    // One beat has sharp edges; the mean of beats that are a sample apart has two of each.
    let mut template = aligner.mean(&[beats[*first].at]);
    for reach in [step + 2, 2] {
        for &at in &members {
            beats[at].at = aligner.best(beats[at].at, reach, &template);
        }
        template = aligner.mean(&members.iter().map(|&at| beats[at].at).collect::<Vec<_>>());
    }
}

struct Aligner<'a> {
    channels: &'a [&'a Channel<'a>],
    weights: &'a [f32],
    before: usize,
    width: usize,
}

impl<'a> Aligner<'a> {
    fn new(channels: &'a [&'a Channel<'a>], weights: &'a [f32], rate_hz: f64) -> Self {
        let before = (ALIGN_BEFORE_S * rate_hz).round() as usize;
        Self {
            channels,
            weights,
            before,
            width: before + (ALIGN_AFTER_S * rate_hz).round() as usize,
        }
    }

    fn cut<'c>(&self, channel: &'c Channel, at: usize) -> Option<&'c [f32]> {
        let from = at.checked_sub(self.before)?;
        channel.samples_uv.get(from..from + self.width)
    }

    /// The mean of the beats of every lead about its own level, leaving out what has gaps.
    fn mean(&self, places: &[usize]) -> Vec<Vec<f32>> {
        let mean_of = |channel: &&Channel| {
            let mut sum = vec![0.0_f32; self.width];
            let mut count = 0;
            for segment in places.iter().filter_map(|&at| self.cut(channel, at)) {
                let level = segment.iter().sum::<f32>() / self.width as f32;
                if level.is_finite() {
                    sum.iter_mut().zip(segment).for_each(|(s, x)| *s += x - level);
                    count += 1;
                }
            }
            sum.iter_mut().for_each(|s| *s /= count.max(1) as f32);
            sum
        };
        self.channels.iter().map(mean_of).collect()
    }

    fn best(&self, at: usize, reach: usize, template: &[Vec<f32>]) -> usize {
        let lags = at.saturating_sub(reach)..=at + reach;
        lags.filter_map(|lag| Some((lag, self.misfit(lag, template)?)))
            .min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.abs_diff(at).cmp(&b.0.abs_diff(at))))
            .map_or(at, |(lag, _)| lag)
    }

    fn misfit(&self, at: usize, template: &[Vec<f32>]) -> Option<f32> {
        let mut total = 0.0_f32;
        for ((channel, template), weight) in self.channels.iter().zip(template).zip(self.weights) {
            let (sum, square) = difference(self.cut(channel, at)?, template);
            let rest = square - sum * sum / self.width as f32;
            if rest.is_finite() {
                total += weight * weight * rest;
            }
        }
        Some(total)
    }
}
