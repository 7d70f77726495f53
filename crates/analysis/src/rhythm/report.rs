//! All that is seen of the rhythm of one recording.

use precordia_model::{AtrialEvidence, BeatClass, RhythmReport};

use crate::rhythm::atrial::QrsSpan;
use crate::rhythm::class::{Sorted, classes, sort};
use crate::rhythm::fibrillation::Atria;
use crate::rhythm::intervals::{pauses, statistics};
use crate::rhythm::pattern::ectopy;
use crate::rhythm::shape::{Copy, Usual};
use crate::rhythm::view::View;

/// Classes, intervals and evidence; `None` without a usual beat.
pub(crate) fn report(view: &View) -> Option<RhythmReport> {
    let copy = Copy::new(view.channels, view.rate_hz);
    let Sorted { traits, usual, usual_class, intervals_s, pacing, .. } = sort(view, &copy, None)?;
    let view = &View { dominant: usual_class, ..*view };
    let atria = atria(view, &copy, &usual, &intervals_s);
    let classes = classes(&traits, atria.is_some_and(|a| a.fibrillation_or_flutter));
    let rr_ms: Vec<Option<f64>> = intervals_s.iter().map(|s| s.map(|s| 1000.0 * s)).collect();
    let normal = |at: usize| [at, at + 1].iter().all(|&k| classes[k] == BeatClass::Dominant);
    let nn_ms: Vec<Option<f64>> =
        rr_ms.iter().enumerate().map(|(at, rr)| rr.filter(|_| normal(at))).collect();
    Some(RhythmReport {
        rr: statistics(&rr_ms),
        nn: statistics(&nn_ms),
        pauses: pauses(&rr_ms),
        ectopy: ectopy(&classes, |at| 1000.0 * view.seconds(view.beats[at].at)),
        pacing: pacing.evidence,
        atria,
        beats: classes,
    })
}

/// Evidence of the atria over the beats of a view.
pub(crate) fn atria(
    view: &View,
    copy: &Copy,
    usual: &Usual,
    intervals_s: &[Option<f64>],
) -> Option<AtrialEvidence> {
    let samples = |s: f64| (s * view.rate_hz).round() as usize;
    let (before_s, after_s) = usual.span_s(copy);
    let beats: Vec<usize> = view.beats.iter().map(|beat| beat.at).collect();
    let usual: Vec<usize> = view.usual_beats().collect();
    // Ventricular beats are no witnesses of the atria; but where there are as many of them as of the
    // others, or the beats of fibrillation change their shape, all beats must do.
    let dominant_runs = runs(intervals_s, |at| view.beats[at].class == view.dominant);
    let held: usize = dominant_runs.iter().map(Vec::len).sum();
    let enough = 2 * held >= intervals_s.iter().flatten().count();
    let runs = if enough { dominant_runs } else { runs(intervals_s, |_| true) };
    Atria {
        channels: view.channels,
        rate_hz: view.rate_hz,
        beats: &beats,
        usual: &usual,
        runs: &runs,
        qrs: QrsSpan { before: samples(before_s), after: samples(after_s) },
    }
    .evidence()
}

/// Runs of intervals between beats that both count.
fn runs(intervals_s: &[Option<f64>], counts: impl Fn(usize) -> bool) -> Vec<Vec<f64>> {
    let mut runs = vec![Vec::new()];
    for (at, interval) in intervals_s.iter().enumerate() {
        match *interval {
            Some(s) if counts(at) && counts(at + 1) => {
                runs.last_mut().expect("there is always a run").push(s);
            }
            _ => runs.push(Vec::new()),
        }
    }
    runs
}
