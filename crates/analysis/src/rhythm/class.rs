//! The class of each beat, from its shape and its place.

use precordia_model::BeatClass;

use crate::numeric::median;
use crate::pacing::{self, OfBeats};
use crate::rhythm::shape::{Copy, Shape, Usual};
use crate::rhythm::view::View;

/// What a beat's class is decided from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traits {
    /// `None` at the ends of the recording.
    shape: Option<Shape>,
    /// The class of shapes that it is of, and whether that is the usual one.
    shape_class: usize,
    usual: bool,
    /// The interval before and after it as shares of the usual interval around it.
    before: Option<f64>,
    after: Option<f64>,
    /// A pacing spike goes before it.
    paced: bool,
}

impl Traits {
    fn is_wide(&self) -> bool {
        self.shape.is_some_and(|shape| shape.width > WIDE)
    }
}

/// Intervals on either side that the usual interval is taken from.
const AROUND: usize = 8;

/// Traits of all beats of a view.
fn traits(
    view: &View,
    copy: &Copy,
    usual: &Usual,
    intervals_s: &[Option<f64>],
    paced: &[bool],
) -> Vec<Traits> {
    let of = |at: usize| {
        let usual_s = usual_interval(view, intervals_s, at);
        let share = |interval: Option<&Option<f64>>| Some((*interval?)? / usual_s);
        Traits {
            shape: usual.compare(copy, view.beats[at].at),
            shape_class: view.beats[at].class,
            usual: view.beats[at].class == view.dominant,
            before: at.checked_sub(1).and_then(|before| share(intervals_s.get(before))),
            after: share(intervals_s.get(at)),
            paced: paced.get(at).copied().unwrap_or(false),
        }
    };
    (0..view.beats.len()).map(of).collect()
}

/// Median of the intervals around a beat, between usual beats where there are enough.
fn usual_interval(view: &View, intervals_s: &[Option<f64>], at: usize) -> f64 {
    let around = at.saturating_sub(AROUND)..(at + AROUND).min(intervals_s.len());
    let is_usual = |k: usize| view.beats[k].class == view.dominant;
    let mut own: Vec<f64> = around
        .clone()
        .filter(|&k| is_usual(k) && is_usual(k + 1))
        .filter_map(|k| intervals_s[k])
        .collect();
    if own.len() < 3 {
        own = around.filter_map(|k| intervals_s[k]).collect();
    }
    median(&mut own)
}

/// What the classes of a view's beats are decided with.
pub(crate) struct Sorted {
    pub traits: Vec<Traits>,
    pub usual: Usual,
    /// The class of shapes that the usual beats are.
    pub usual_class: usize,
    /// It is the usual beat from before, or a narrower one that takes its place.
    pub like_usual: bool,
    pub intervals_s: Vec<Option<f64>>,
    pub pacing: OfBeats,
}

/// Sorts the beats of a view; with the usual beat of the time before, if there was one.
pub(crate) fn sort(view: &View, copy: &Copy, before: Option<&Usual>) -> Option<Sorted> {
    let (usual_class, like_usual) = usual_class(view, copy, before);
    let view = View { dominant: usual_class, ..*view };
    let usual = Usual::of(copy, view.usual_beats())?;
    let intervals_s = view.intervals_s();
    let pacing = pacing::of_beats(view.spikes, view.beats, view.rate_hz);
    let traits = traits(&view, copy, &usual, &intervals_s, &pacing.ventricular);
    Some(Sorted { traits, usual, usual_class, like_usual, intervals_s, pacing })
}

/// Beats of a class that are compared with the usual beat of before.
const COMPARED: usize = 5;
/// Correlation from which a class is the usual one of before.
const LIKE_BEFORE: f64 = 0.9;
/// A narrower class of at least this share of the largest one's beats is the usual one.
const NARROW_SHARE: f64 = 0.25;
const MEMBERS_MIN: usize = 3;

/// The class of shapes that the heart's own beats are: that of the time before, else the largest;
/// but for a much narrower one with a fair share of the beats, because wide beats are the guests
/// however many they are.
fn usual_class(view: &View, copy: &Copy, before: Option<&Usual>) -> (usize, bool) {
    let mut sizes: Vec<(usize, usize)> = Vec::new();
    for beat in view.beats {
        match sizes.iter_mut().find(|(class, _)| *class == beat.class) {
            Some((_, size)) => *size += 1,
            None => sizes.push((beat.class, 1)),
        }
    }
    let members = |class: usize| {
        view.beats.iter().filter(move |beat| beat.class == class).map(|beat| beat.at)
    };
    let large = |size: usize| size >= MEMBERS_MIN;
    let of_before = before.and_then(|usual| {
        let likeness = |class: usize| {
            let compared = members(class).filter_map(|at| usual.compare(copy, at));
            let mut each: Vec<f64> = compared.take(COMPARED).map(|shape| shape.likeness).collect();
            median(&mut each)
        };
        sizes
            .iter()
            .filter(|(_, size)| large(*size))
            .map(|&(class, _)| (class, likeness(class)))
            .filter(|(_, likeness)| *likeness >= LIKE_BEFORE)
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(class, _)| class)
    });
    let first = of_before.unwrap_or(view.dominant);
    let beats = members(first).count();
    let width_ms = |class: usize| Usual::of(copy, members(class)).map(|usual| usual.width_ms());
    let Some(first_ms) = width_ms(first) else { return (first, false) };
    let narrow = sizes
        .iter()
        .filter(|(_, size)| large(*size) && *size as f64 >= NARROW_SHARE * beats as f64)
        .filter_map(|&(class, size)| Some((class, size, width_ms(class)?)))
        .filter(|(_, _, width)| width * WIDE < first_ms)
        .max_by_key(|(_, size, _)| *size);
    match narrow {
        Some((class, ..)) => (class, true),
        None => (first, of_before.is_some()),
    }
}

/// Correlation with the usual beat under which a beat has another shape, early ones also where
/// their slopes have much more or less energy.
const OTHER_SHAPE: f64 = 0.85;
const OTHER_SHAPE_EARLY: f64 = 0.93;
const OTHER_ENERGY: f64 = 1.8;
/// Wider than the usual beat by this factor is wide.
const WIDE: f64 = 1.25;
/// Shares of the usual interval: before a beat of another shape that is early, after one that a
/// pause follows, before one that is late. Of another shape and neither is more likely noise.
const EARLY: f64 = 0.92;
const PAUSE: f64 = 1.15;
const LATE: f64 = 1.25;
/// A supraventricular beat is early against the usual interval and against the one before it, which
/// sets it apart from breathing, and the interval after it is not shorter yet.
const EARLY_USUAL_SHAPE: f64 = 0.87;
const EARLY_AGAINST_LAST: f64 = 0.87;

/// The class of each beat in its row. In fibrillation the intervals have no order and none of them
/// is early.
pub(crate) fn classes(traits: &[Traits], fibrillation: bool) -> Vec<BeatClass> {
    let mut classes: Vec<BeatClass> = Vec::with_capacity(traits.len());
    let mut last_in_time = 1.0;
    for own in traits {
        let class = match class(own, classes.last().copied(), last_in_time) {
            BeatClass::Supraventricular if fibrillation => BeatClass::Dominant,
            BeatClass::Ventricular if fibrillation && !own.is_wide() => BeatClass::Other,
            class => class,
        };
        if matches!(class, BeatClass::Dominant | BeatClass::Other | BeatClass::Paced) {
            last_in_time = own.before.unwrap_or(1.0);
        }
        classes.push(class);
    }
    if !fibrillation {
        like_their_kind(&mut classes, traits);
    }
    classes
}

/// Wide beats that came in time are ventricular too when most beats of their shape, told by their
/// time, are: one shape has one origin.
fn like_their_kind(classes: &mut [BeatClass], traits: &[Traits]) {
    let told = classes.to_vec();
    for (class, own) in classes.iter_mut().zip(traits) {
        if *class != BeatClass::Other || !own.is_wide() || own.usual {
            continue;
        }
        let kin = || {
            let same = told.iter().zip(traits).filter(|(_, t)| t.shape_class == own.shape_class);
            same.map(|(class, _)| *class)
        };
        let ventricular = kin().filter(|class| *class == BeatClass::Ventricular).count();
        if ventricular >= 2 && 2 * ventricular >= kin().count() {
            *class = BeatClass::Ventricular;
        }
    }
}

fn class(own: &Traits, last: Option<BeatClass>, last_in_time: f64) -> BeatClass {
    if own.paced {
        return BeatClass::Paced;
    }
    let (before, after) = (own.before.unwrap_or(1.0), own.after.unwrap_or(1.0));
    let Some(shape) = own.shape else {
        return if own.usual { BeatClass::Dominant } else { BeatClass::Other };
    };
    let energy = shape.energy.max(1.0 / shape.energy);
    let early = before < EARLY;
    let other = shape.likeness < OTHER_SHAPE
        || (early && shape.likeness < OTHER_SHAPE_EARLY && energy > OTHER_ENERGY);
    let out_of_time =
        early || after > PAUSE || before > LATE || last == Some(BeatClass::Ventricular);
    if other {
        let foreign = out_of_time && (early || shape.width > WIDE);
        return if foreign { BeatClass::Ventricular } else { BeatClass::Other };
    }
    let follows_early = last == Some(BeatClass::Supraventricular);
    let early = before < EARLY_USUAL_SHAPE
        && (follows_early || before < EARLY_AGAINST_LAST * last_in_time)
        && after > before;
    if early { BeatClass::Supraventricular } else { BeatClass::Dominant }
}
