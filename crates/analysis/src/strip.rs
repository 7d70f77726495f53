//! The beats of a recording in their order: pacing, rate, runs of intervals, and which beats make
//! the representative one.

use precordia_model::{Measurements, MissingReason};

use crate::average::{Average, Cut, Plan};
use crate::beat::{Beat, Classified, align, classify};
use crate::channel::{Channel, independent};
use crate::detect::Detector;
use crate::edge::Joint;
use crate::measure::absent;
use crate::numeric::{mean, median};
use crate::readout::Readout;
use crate::wave::{apex, ceil, floor, qrs};
use crate::{pacing, quality};

/// Likeness of the dominant beats to each other under which they are not beats of one heart.
const LIKENESS_MIN: f64 = 0.7;
/// Share of all beats that the dominant class must hold.
const DOMINANT_SHARE_MIN: f64 = 0.35;
/// Beats in the average at most; more would not make it quieter in any way that matters.
const BEATS_AVERAGED_MAX: usize = 32;
/// Share of the usual interval under which a beat is premature.
const PREMATURE: f64 = 0.82;

/// Beats of the recording, the dominant ones aligned.
pub(crate) struct Strip {
    pub rate_hz: f64,
    /// Samples of the recording a sample of the detector's copy.
    pub step: usize,
    pub all: Vec<Beat>,
    pub dominant: usize,
    pub paced: bool,
    /// Pacing spikes, samples.
    pub spikes: Vec<usize>,
    /// Mean interval over all beats, samples.
    rr: Option<f64>,
    /// Runs of intervals between successive dominant beats.
    pub runs: Vec<Vec<f64>>,
}

impl Strip {
    pub fn find(channels: &mut [Channel], rate_hz: f64) -> Result<Self, MissingReason> {
        let spikes = pacing::spikes(channels, rate_hz);
        if !spikes.is_empty() {
            pacing::bridge(channels, &spikes, rate_hz);
        }
        let Spotted { mut beats, dominant, weights, step } = Self::spot(channels, rate_hz)?;
        let paced = pacing::ventricular(&spikes, &beats, rate_hz);
        let leads = independent(channels);
        align(&mut beats, dominant, &leads, &weights, rate_hz, step);
        let last = leads.first().map_or(0, |c| c.samples_uv.len()).saturating_sub(1);
        beats.iter_mut().for_each(|beat| beat.at = beat.at.min(last));
        beats.sort_by_key(|beat| beat.at);
        let broken = |from: usize, to: usize| quality::broken(&leads, from, to, rate_hz);
        let whole: Vec<bool> = beats.windows(2).map(|w| !broken(w[0].at, w[1].at)).collect();
        let intervals = || beats.windows(2).zip(&whole).filter(|(_, whole)| **whole);
        let rr = mean(intervals().map(|(w, _)| (w[1].at - w[0].at) as f64));
        let mut runs = vec![Vec::new()];
        for (w, &whole) in beats.windows(2).zip(&whole) {
            if whole && w[0].class == dominant && w[1].class == dominant {
                runs.last_mut().expect("there is always a run").push((w[1].at - w[0].at) as f64);
            } else {
                runs.push(Vec::new());
            }
        }
        Ok(Strip {
            rate_hz,
            step,
            dominant,
            paced,
            spikes,
            rr: rr.is_finite().then_some(rr),
            runs,
            all: beats,
        })
    }

    fn spot(channels: &[Channel], rate_hz: f64) -> Result<Spotted, MissingReason> {
        let leads = independent(channels);
        if leads.is_empty() {
            return Err(MissingReason::PoorQuality);
        }
        let detector = Detector::new(&leads, rate_hz);
        let places = detector.beats();
        let Classified { beats, dominant, likeness } =
            classify(&detector, &places).ok_or(MissingReason::NoBeats)?;
        if beats.len() < 2 {
            return Err(MissingReason::TooFewBeats);
        }
        let members = beats.iter().filter(|beat| beat.class == dominant).count();
        if likeness < LIKENESS_MIN || (members as f64) < DOMINANT_SHARE_MIN * beats.len() as f64 {
            return Err(MissingReason::PoorQuality);
        }
        Ok(Spotted { beats, dominant, weights: detector.weights, step: detector.step })
    }

    fn samples(&self, ms: f64) -> usize {
        (ms * self.rate_hz / 1000.0).round() as usize
    }

    fn members(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.all.len()).filter(|&at| self.all[at].class == self.dominant)
    }

    /// Usual interval between dominant beats, samples.
    fn usual_rr(&self) -> f64 {
        let mut intervals: Vec<f64> = self.runs.iter().flatten().copied().collect();
        if intervals.is_empty() {
            intervals = self.all.windows(2).map(|w| (w[1].at - w[0].at) as f64).collect();
        }
        median(&mut intervals)
    }

    /// Dominant beats that are not premature and not cut short by a premature one, spread over the
    /// recording; all dominant beats when that leaves fewer than three.
    fn averaged(&self) -> Vec<usize> {
        let usual = self.usual_rr();
        let early =
            |a: usize, b: usize| ((self.all[b].at - self.all[a].at) as f64) < PREMATURE * usual;
        let undisturbed = |&at: &usize| {
            let after_early = at > 0 && early(at - 1, at);
            let before_early = at + 1 < self.all.len() && early(at, at + 1);
            !after_early && !before_early
        };
        let mut chosen: Vec<usize> = self.members().filter(undisturbed).collect();
        if chosen.len() < 3 {
            chosen = self.members().collect();
        }
        if chosen.len() > BEATS_AVERAGED_MAX {
            let all = chosen.len();
            chosen =
                (0..BEATS_AVERAGED_MAX).map(|k| chosen[k * all / BEATS_AVERAGED_MAX]).collect();
        }
        chosen
    }

    /// What of the recording belongs to each beat: from the end of the QRS before to the start of
    /// the QRS after.
    fn cuts(&self, chosen: &[usize], qrs_before: usize, qrs_after: usize, len: usize) -> Vec<Cut> {
        let cut = |&at: &usize| {
            let here = self.all[at].at;
            let from = at.checked_sub(1).map_or(0, |before| self.all[before].at + qrs_after);
            let to = self.all.get(at + 1).map_or(len, |next| next.at.saturating_sub(qrs_before));
            Cut { at: here, from: from.min(here), to: to.clamp(here + 1, len) }
        };
        chosen.iter().map(cut).collect()
    }

    pub fn measure(mut self, channels: &[Channel]) -> Measurements {
        let poor = |reason| absent(reason, channels, self.rate_hz);
        let Some(rr) = self.rr else { return poor(MissingReason::TooFewBeats) };
        let len = channels[0].samples_uv.len();
        let chosen = self.averaged();

        // A first, short average tells where the QRS begins and where its peak is.
        let leads = independent(channels);
        let guess = self.samples(70.0);
        let levels_at: Vec<usize> = self.members().map(|at| self.all[at].at).collect();
        let cuts = self.cuts(&chosen, guess, guess, len);
        let plan = Plan {
            cuts: &cuts,
            levels_at: &levels_at,
            level_before: guess,
            before: self.samples(240.0),
            after: self.samples(300.0),
            rate_hz: self.rate_hz,
        };
        let short = Average::of(&leads, &plan);
        let joint = Joint::new(&short, |_| true);
        let Some(rough) = qrs(&joint) else { return poor(MissingReason::PoorQuality) };
        let peak = apex(&joint, rough);
        let onset_before = peak.saturating_sub(floor(rough.onset));
        let offset_after = ceil(rough.offset).saturating_sub(peak);
        self.move_reference(peak as i64 - short.zero as i64, len);

        // The whole beat, its baseline taken just before the QRS.
        let usual_rr = self.usual_rr();
        let cuts = self.cuts(&chosen, onset_before, offset_after, len);
        let levels_at: Vec<usize> = self.members().map(|at| self.all[at].at).collect();
        let plan = Plan {
            cuts: &cuts,
            levels_at: &levels_at,
            level_before: onset_before + self.samples(10.0),
            before: onset_before + self.samples(460.0).min((0.9 * usual_rr) as usize),
            after: self.samples(800.0).min((0.98 * usual_rr) as usize),
            rate_hz: self.rate_hz,
        };
        let usable: Vec<&Channel> = channels.iter().filter(|c| c.usable).collect();
        let average = Average::of(&usable, &plan);
        Readout {
            strip: &self,
            channels,
            average: &average,
            cuts: &cuts,
            chosen: &chosen,
            rr,
            usual_rr,
        }
        .measure()
    }

    /// Makes the R peak the common point of the dominant beats. Never so that one overtakes another.
    fn move_reference(&mut self, by: i64, len: usize) {
        let moved = |beat: &Beat| match beat.class == self.dominant {
            true => Beat { at: (beat.at as i64 + by).clamp(0, len as i64 - 1) as usize, ..*beat },
            false => *beat,
        };
        let all: Vec<Beat> = self.all.iter().map(moved).collect();
        if all.is_sorted_by_key(|beat| beat.at) {
            self.all = all;
        }
    }
}

struct Spotted {
    beats: Vec<Beat>,
    dominant: usize,
    weights: Vec<f32>,
    step: usize,
}
