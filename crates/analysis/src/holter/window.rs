//! One window of a long recording, searched as a short recording is.

use precordia_model::{AtrialEvidence, BeatClass, Lead};

use crate::beat::{Beat, Classified, classify};
use crate::channel::{Channel, independent};
use crate::detect::Detector;
use crate::pacing;
use crate::quality::broken;
use crate::rhythm::class::{Sorted, classes, sort};
use crate::rhythm::shape::{Copy, Usual};
use crate::rhythm::{View, atria};

/// The stretch whose beats a window answers for, and what it sees before and after.
pub(crate) const WINDOW_S: f64 = 30.0;
pub(crate) const MARGIN_S: f64 = 5.0;
/// Shortest stretch that beats are looked for in.
const DURATION_S_MIN: f64 = 2.5;
/// Likeness of the usual beats to each other under which the window is too noisy to tell one class
/// from another.
const LIKENESS_MIN: f64 = 0.7;

pub(crate) struct Window<'a> {
    pub rows: &'a [Vec<f32>],
    pub leads: &'a [Lead],
    pub rate_hz: f64,
}

pub(crate) struct FoundBeat {
    /// Index into the window.
    pub at: usize,
    pub class: BeatClass,
    pub after_gap: bool,
    pub paced: bool,
    pub atrial_spike: bool,
}

pub(crate) struct Found {
    pub beats: Vec<FoundBeat>,
    pub spikes: Vec<usize>,
    pub atria: Option<AtrialEvidence>,
    /// The usual beat of this window, and whether it is that of the windows before.
    pub usual: Usual,
    pub like_usual: bool,
}

impl Window<'_> {
    /// `None` where no lead can be used or no beat is found.
    pub fn find(&self, usual: Option<&Usual>) -> Option<Found> {
        let mut channels: Vec<Channel> = self
            .leads
            .iter()
            .zip(self.rows)
            .map(|(lead, row)| Channel::new(*lead, row, self.rate_hz))
            .collect();
        if (self.rows[0].len() as f64) < DURATION_S_MIN * self.rate_hz {
            return None;
        }
        let spikes = pacing::spikes(&channels, self.rate_hz);
        if !spikes.is_empty() {
            pacing::bridge(&mut channels, &spikes, self.rate_hz);
        }
        let leads = independent(&channels);
        if leads.is_empty() {
            return None;
        }
        let detector = Detector::new(&leads, self.rate_hz);
        let Classified { beats, dominant, likeness } = classify(&detector, &detector.beats())?;
        let last = self.rows[0].len() - 1;
        let mut beats: Vec<Beat> =
            beats.into_iter().map(|beat| Beat { at: beat.at.min(last), ..beat }).collect();
        beats.sort_by_key(|beat| beat.at);
        let copy = Copy::new(&leads, self.rate_hz);
        let clear = likeness >= LIKENESS_MIN;
        let own = Usual::of(
            &copy,
            beats.iter().filter(|beat| beat.class == dominant).map(|beat| beat.at),
        )?;
        // The level of detection follows the signal, so that silence makes beats of its noise. Next
        // to beats of this window they are faint; where all the window is such, next to those of
        // the window before.
        let measure_of_beats = usual.filter(|_| !clear).unwrap_or(&own);
        beats.retain(|beat| !measure_of_beats.is_faint(&copy, beat.at));
        let view = View {
            channels: &leads,
            rate_hz: self.rate_hz,
            beats: &beats,
            dominant,
            spikes: &spikes,
        };
        let Sorted { traits, usual, usual_class, like_usual, intervals_s, pacing } =
            sort(&view, &copy, usual)?;
        let view = View { dominant: usual_class, ..view };
        let atria = atria(&view, &copy, &usual, &intervals_s);
        let classes = classes(&traits, atria.is_some_and(|a| clear && a.fibrillation_or_flutter));
        let found = |(at, beat): (usize, &Beat)| FoundBeat {
            at: beat.at,
            class: match classes[at] {
                BeatClass::Ventricular if !clear => BeatClass::Other,
                class => class,
            },
            after_gap: match at.checked_sub(1) {
                Some(before) => intervals_s[before].is_none(),
                // The beat before lies in front of the window, and so may a part of the gap.
                None => broken(&leads, 0, beat.at, self.rate_hz),
            },
            paced: pacing.ventricular[at],
            atrial_spike: pacing.atrial[at],
        };
        let beats = beats.iter().enumerate().map(found).collect();
        Some(Found { beats, spikes, atria: atria.filter(|_| clear), usual, like_usual })
    }
}
