//! From a recording to its measurements.
//!
//! 1. Channels: gaps, flat and clipped leads ([`crate::channel`]).
//! 2. Beats: detection on all leads ([`crate::detect`]), classes, alignment ([`crate::beat`]).
//! 3. Representative beat of the dominant class ([`crate::average`]).
//! 4. Global boundaries on it ([`crate::wave`], [`crate::edge`]), one set for all leads, as the CSE
//!    working party defines them (Eur Heart J 1985;6:815) and IEC 60601-2-25 tests them: earliest
//!    onset to latest end in any lead, made robust by weighing the leads together.
//! 5. Intervals, axes by net area, ST at J (AHA/ACCF/HRS 2009), rhythm ([`crate::rhythm`]).
//!
//! Intervals are differences of boundaries between samples and keep their fractions; who reports
//! them rounds. A value that the recording does not carry is absent with its reason; nothing is
//! carried over from what the device says. Not done here: U waves, delta waves, naming of Q, R and
//! S, P waves that the QRS does not follow.

use std::collections::BTreeMap;

use precordia_model::{
    Axes, Fiducials, Lead, LeadQuality, Measured, Measurements, MissingReason, QtFormula, Quality,
    QualityIssue, Recording, Rhythm,
};

use crate::average::{Average, Cut, LeadAverage, Plan};
use crate::beat::{Beat, Classified, align, classify};
use crate::channel::{Channel, channels, independent};
use crate::detect::Detector;
use crate::edge::Joint;
use crate::frontal::{Frontal, of_one_and_two};
use crate::numeric::{mean, median};
use crate::rhythm::{Signs, p_likeness, p_proven, rhythm};
use crate::wave::{PWave, Qrs, TWave, apex, ceil, floor, p_waves, qrs, t_offset, t_wave};
use crate::{pacing, qt, quality};

/// Version of the measuring program.
pub const MEASURE_VERSION: &str = "precordia-measure 1";

const RATE_HZ: std::ops::RangeInclusive<f64> = 100.0..=4000.0;
const DURATION_S_MIN: f64 = 2.5;
/// Likeness of the dominant beats to each other under which they are not beats of one heart.
const LIKENESS_MIN: f64 = 0.7;
/// Share of all beats that the dominant class must hold.
const DOMINANT_SHARE_MIN: f64 = 0.35;
/// Height of the QRS above the noise of a single beat.
const QRS_ABOVE_NOISE: f32 = 4.0;
/// Beats in the average at most; more would not make it quieter in any way that matters.
const BEATS_AVERAGED_MAX: usize = 32;
/// Share of the usual interval under which a beat is premature.
const PREMATURE: f64 = 0.82;

/// Measures the rhythm group of a recording.
pub fn measure(recording: &Recording) -> Measurements {
    let signal = &recording.rhythm;
    let rate_hz = signal.rate.hz();
    let mut channels = channels(signal);
    let len = channels.first().map_or(0, |c| c.samples_uv.len());
    if !RATE_HZ.contains(&rate_hz) || (len as f64) < DURATION_S_MIN * rate_hz {
        return absent(MissingReason::OutOfScope, &channels, rate_hz, false);
    }
    match Beats::find(&mut channels, rate_hz) {
        Ok(beats) => beats.measure(&channels),
        Err(reason) => absent(reason, &channels, rate_hz, false),
    }
}

/// Everything missing for one reason.
fn absent(reason: MissingReason, channels: &[Channel], rate_hz: f64, usable: bool) -> Measurements {
    let missing = Measured::Missing(reason);
    Measurements {
        version: MEASURE_VERSION.to_owned(),
        heart_rate_bpm: missing,
        rr_ms: missing,
        p_ms: missing,
        pr_ms: missing,
        qrs_ms: missing,
        qt_ms: missing,
        qtc_ms: QtFormula::ALL.into_iter().map(|formula| (formula, missing)).collect(),
        axis_deg: Axes { p: missing, qrs: missing, t: missing },
        st_uv: st_leads(channels).into_iter().map(|lead| (lead, missing)).collect(),
        rhythm: Rhythm::Undetermined,
        paced: false,
        r_peaks: Vec::new(),
        beats_used: Vec::new(),
        fiducials: Fiducials::default(),
        quality: quality::without_beats(channels, rate_hz, usable),
    }
}

/// The twelve standard leads and whatever else was recorded.
fn st_leads(channels: &[Channel]) -> Vec<Lead> {
    let mut leads = Lead::TWELVE.to_vec();
    leads.extend(channels.iter().map(|c| c.lead).filter(|lead| !Lead::TWELVE.contains(lead)));
    leads
}

/// Beats of the recording, the dominant ones aligned.
struct Beats {
    rate_hz: f64,
    step: usize,
    all: Vec<Beat>,
    dominant: usize,
    paced: bool,
    /// Mean interval over all beats, samples.
    rr: Option<f64>,
    /// Runs of intervals between successive dominant beats.
    runs: Vec<Vec<f64>>,
}

impl Beats {
    fn find(channels: &mut [Channel], rate_hz: f64) -> Result<Self, MissingReason> {
        let spikes = pacing::spikes(channels, rate_hz);
        if !spikes.is_empty() {
            pacing::bridge(channels, &spikes, rate_hz);
        }
        let Spotted { mut beats, dominant, weights, step } = Self::spot(channels, rate_hz)?;
        let paced = pacing::ventricular(&spikes, &beats, rate_hz);
        let leads = independent(channels);
        align(&mut beats, dominant, &leads, &weights, rate_hz, step);
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
        Ok(Beats {
            rate_hz,
            step,
            dominant,
            paced,
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

    fn measure(mut self, channels: &[Channel]) -> Measurements {
        let poor = |reason| absent(reason, channels, self.rate_hz, false);
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
        let shift = peak as i64 - short.zero as i64;
        for beat in self.all.iter_mut().filter(|beat| beat.class == self.dominant) {
            beat.at = (beat.at as i64 + shift).clamp(0, len as i64 - 1) as usize;
        }
        self.all.sort_by_key(|beat| beat.at);

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
        Whole {
            beats: &self,
            channels,
            average: &average,
            cuts: &cuts,
            chosen: &chosen,
            rr,
            usual_rr,
        }
        .measure()
    }
}

struct Spotted {
    beats: Vec<Beat>,
    dominant: usize,
    weights: Vec<f32>,
    step: usize,
}

/// Everything that the last step looks at.
struct Whole<'a> {
    beats: &'a Beats,
    channels: &'a [Channel<'a>],
    average: &'a Average,
    cuts: &'a [Cut],
    chosen: &'a [usize],
    rr: f64,
    usual_rr: f64,
}

impl Whole<'_> {
    fn measure(&self) -> Measurements {
        let average = self.average;
        let leads = independent(self.channels);
        let joint = Joint::new(average, |lead| leads.iter().any(|c| c.lead == lead));
        let poor = || absent(MissingReason::PoorQuality, self.channels, self.beats.rate_hz, false);
        let Some(qrs) = qrs(&joint) else { return poor() };
        if self.qrs_height(&joint, qrs) < QRS_ABOVE_NOISE * self.single_noise(&joint) {
            return poor();
        }

        let t = t_wave(&joint, qrs, self.usual_rr);
        let t_end = self.t_end(&joint, qrs, t);
        let p = self.p_wave(&joint, qrs, t, t_end.ok(), &leads);
        let p_visible = joint.noise_uv < P_VISIBLE_NOISE_UV;
        let rhythm = rhythm(&Signs {
            paced: self.beats.paced,
            p_wave: p.is_some(),
            p_visible,
            runs: &self.beats.runs,
        });

        let no_p = Measured::Missing(match rhythm {
            Rhythm::Paced => MissingReason::Paced,
            Rhythm::AtrialFibrillation => MissingReason::Rhythm,
            _ if !p_visible => MissingReason::PoorQuality,
            _ => MissingReason::NoPWave,
        });
        let p = p.filter(|_| rhythm == Rhythm::Sinus);
        let interval = |from: f64, to: f64| Measured::Value(average.ms(to - from));
        let qt = match t_end {
            Ok(end) => interval(qrs.onset, end),
            Err(reason) => Measured::Missing(reason),
        };
        let rr_ms = average.ms(self.rr);
        let frontal = Frontal::of(average);
        let axis = |measured: Option<Measured>, reason| match (&frontal, measured) {
            (None, _) => Measured::Missing(self.frontal_missing()),
            (Some(_), Some(axis)) => axis,
            (Some(_), None) => reason,
        };
        Measurements {
            version: MEASURE_VERSION.to_owned(),
            heart_rate_bpm: Measured::Value(60_000.0 / rr_ms),
            rr_ms: Measured::Value(rr_ms),
            p_ms: p.map_or(no_p, |p| interval(p.onset, p.offset)),
            pr_ms: p.map_or(no_p, |p| interval(p.onset, qrs.onset)),
            qrs_ms: interval(qrs.onset, qrs.offset),
            qt_ms: qt,
            qtc_ms: QtFormula::ALL
                .into_iter()
                .map(|f| (f, qt.map(|ms| qt::corrected_ms(f, ms, rr_ms))))
                .collect(),
            axis_deg: Axes {
                p: axis(frontal.as_ref().zip(p).map(|(f, p)| self.p_axis(f, p)), no_p),
                qrs: axis(frontal.as_ref().map(|f| self.qrs_axis(f, qrs)), no_p),
                t: axis(
                    frontal
                        .as_ref()
                        .zip(t.zip(t_end.ok()))
                        .map(|(f, (t, end))| self.t_axis(f, qrs, t, end)),
                    Measured::Missing(t_end.err().unwrap_or(MissingReason::NoTWave)),
                ),
            },
            st_uv: self.st(qrs),
            rhythm,
            paced: self.beats.paced,
            r_peaks: self.r_peaks(&leads),
            beats_used: self.chosen.iter().map(|&at| at as u32).collect(),
            fiducials: self.fiducials(qrs, p, t, t_end.ok()),
            quality: self.quality(),
        }
    }

    fn qrs_height(&self, joint: &Joint, qrs: Qrs) -> f32 {
        let columns = floor(qrs.onset)..ceil(qrs.offset).min(joint.known.end);
        let level = joint.line(columns.start, 1, false);
        joint.distance(columns, &level).into_iter().fold(0.0, f32::max)
    }

    fn single_noise(&self, joint: &Joint) -> f32 {
        joint.noise_uv * (self.cuts.len() as f32).sqrt() / 1.1
    }

    /// The P wave that the beats carry, looked for after the end of the T wave before.
    fn p_wave(
        &self,
        joint: &Joint,
        qrs: Qrs,
        t: Option<TWave>,
        t_end: Option<f64>,
        leads: &[&Channel],
    ) -> Option<PWave> {
        let average = self.average;
        let t_end = t_end.or(t.map(|t| (t.peak + average.samples(T_HALF_MS)) as f64));
        let after_t =
            t_end.map_or(0.0, |end| end - average.samples(P_OVER_T_MS) as f64 - self.usual_rr);
        let earliest = qrs.onset - average.samples(P_BEFORE_MS_MAX) as f64;
        let weights: Vec<f32> = leads.iter().map(|c| self.weight(joint, c.lead)).collect();
        let margin = average.samples(16.0) as f64;
        let proven = |p: &PWave| {
            let from = floor(p.onset - margin).max(joint.known.start);
            // The start of the QRS is alike in all beats and must not speak for the P wave.
            let to = ceil((p.offset + margin).min(qrs.onset - average.samples(10.0) as f64));
            let width = to.saturating_sub(from).max(2);
            let before = average.zero.saturating_sub(from);
            let likeness = p_likeness(leads, &weights, self.cuts, before, width, self.beats.step);
            p_proven(likeness, &self.beats.runs)
        };
        p_waves(joint, qrs, self.usual_rr, floor(after_t.max(earliest))).into_iter().find(proven)
    }

    fn weight(&self, joint: &Joint, lead: Lead) -> f32 {
        let at = self.average.leads.iter().position(|l| l.lead == lead);
        at.map_or(0.0, |at| joint.weights[at])
    }

    fn t_end(&self, joint: &Joint, qrs: Qrs, t: Option<TWave>) -> Result<f64, MissingReason> {
        let t = t.ok_or(MissingReason::NoTWave)?;
        if t.height_uv < T_ABOVE_NOISE * joint.noise_uv {
            return Err(MissingReason::PoorQuality);
        }
        t_offset(joint, t, self.usual_rr, floor(qrs.onset + self.usual_rr))
            .ok_or(MissingReason::NoTWave)
    }

    fn level(&self, at: f64) -> std::ops::Range<usize> {
        let end = floor(at).max(1);
        end.saturating_sub(self.average.samples(8.0).max(1))..end
    }

    fn qrs_axis(&self, frontal: &Frontal, qrs: Qrs) -> Measured {
        let level = self.level(qrs.onset);
        frontal.axis(floor(qrs.onset)..ceil(qrs.offset), [level.clone(), level])
    }

    fn p_axis(&self, frontal: &Frontal, p: PWave) -> Measured {
        let width = self.average.samples(6.0).max(1);
        let (on, off) = (floor(p.onset).max(1), ceil(p.offset));
        frontal.axis(on..off, [on.saturating_sub(width)..on, off..off + width])
    }

    fn t_axis(&self, frontal: &Frontal, qrs: Qrs, t: TWave, end: f64) -> Measured {
        let from = (2 * t.peak).saturating_sub(ceil(end)).max(ceil(qrs.offset) + 1);
        // Counted from the ST segment down to the isoelectric line, so that an ST shift does not
        // turn the axis.
        frontal.axis(from..ceil(end), [self.after_j(qrs), self.level(qrs.onset)])
    }

    fn after_j(&self, qrs: Qrs) -> std::ops::Range<usize> {
        let at_j = ceil(qrs.offset + 0.25);
        at_j..at_j + self.average.samples(4.0).max(1)
    }

    fn frontal_missing(&self) -> MissingReason {
        let poor = self.channels.iter().any(|c| !c.usable && c.lead.is_limb());
        if poor { MissingReason::PoorQuality } else { MissingReason::LeadAbsent }
    }

    /// Level at J, the mean of the first samples after it, against the end of the PR segment.
    fn st(&self, qrs: Qrs) -> BTreeMap<Lead, Measured> {
        let (j, level) = (self.after_j(qrs), self.level(qrs.onset));
        let mean_of = |lead: &LeadAverage, columns: &std::ops::Range<usize>| {
            lead.uv.get(columns.clone()).map(|part| mean(part.iter().map(|&x| f64::from(x))))
        };
        let measured = |lead: &LeadAverage| {
            if lead.error_uv() > ST_ERROR_UV_MAX {
                return Measured::Missing(MissingReason::PoorQuality);
            }
            match mean_of(lead, &j).zip(mean_of(lead, &level)) {
                Some((j_uv, level_uv)) if (j_uv - level_uv).is_finite() => {
                    Measured::Value(j_uv - level_uv)
                }
                _ => Measured::Missing(MissingReason::Gap),
            }
        };
        let recorded = |lead| self.average.lead(lead).map(measured);
        let one_and_two = || Some((recorded(Lead::I)?.value()?, recorded(Lead::II)?.value()?));
        let value = |lead: Lead| {
            if let Some(st) = recorded(lead) {
                return st;
            }
            match self.channels.iter().find(|c| c.lead == lead) {
                Some(channel) if channel.issues.contains(&QualityIssue::Gaps) => {
                    Measured::Missing(MissingReason::Gap)
                }
                Some(_) => Measured::Missing(MissingReason::PoorQuality),
                None => match of_one_and_two(lead).zip(one_and_two()) {
                    Some(((a, b), (one, two))) => Measured::Value(a * one + b * two),
                    None => Measured::Missing(MissingReason::LeadAbsent),
                },
            }
        };
        st_leads(self.channels).into_iter().map(|lead| (lead, value(lead))).collect()
    }

    /// Dominant beats by alignment; others by their own greatest deflection.
    fn r_peaks(&self, leads: &[&Channel]) -> Vec<u32> {
        let dominant = self.beats.dominant;
        let place = |beat: &Beat| {
            if beat.class == dominant {
                beat.at
            } else {
                quality::apex(leads, beat.at, self.beats.rate_hz)
            }
        };
        let mut peaks: Vec<u32> = self.beats.all.iter().map(|beat| place(beat) as u32).collect();
        // An apex may not overtake its neighbours: beats_used counts on the order.
        for k in 1..peaks.len() {
            peaks[k] = peaks[k].max(peaks[k - 1]);
        }
        peaks
    }

    fn fiducials(
        &self,
        qrs: Qrs,
        p: Option<PWave>,
        t: Option<TWave>,
        t_end: Option<f64>,
    ) -> Fiducials {
        let from_r = |column: f64| (column - self.average.zero as f64).round() as i32;
        Fiducials {
            p_onset: p.map(|p| from_r(p.onset)),
            p_offset: p.map(|p| from_r(p.offset)),
            qrs_onset: Some(from_r(qrs.onset)),
            qrs_offset: Some(from_r(qrs.offset)),
            t_peak: t.map(|t| from_r(t.peak as f64)),
            t_offset: t_end.map(from_r),
        }
    }

    fn quality(&self) -> Quality {
        let lead = |channel: &Channel| -> LeadQuality {
            match self.average.lead(channel.lead) {
                Some(average) => quality::lead(channel, average, self.beats.rate_hz),
                None => quality::lead_without_beats(channel, self.beats.rate_hz),
            }
        };
        let leads: BTreeMap<Lead, LeadQuality> =
            self.channels.iter().map(|c| (c.lead, lead(c))).collect();
        Quality { usable: leads.values().any(|lead| lead.usable), leads }
    }
}

/// Noise of the joint average under which a P wave would be seen.
const P_VISIBLE_NOISE_UV: f32 = 15.0;
/// Height of a T wave above the noise of the joint average, for its end to be measured.
const T_ABOVE_NOISE: f32 = 6.0;
/// Longest P onset before the QRS.
const P_BEFORE_MS_MAX: f64 = 420.0;
/// From the peak of a T wave to its end, where that is not measured.
const T_HALF_MS: f64 = 70.0;
/// A P wave may begin this much before the measured end of the T wave.
const P_OVER_T_MS: f64 = 10.0;
/// Standard error of the average's samples beyond which a lead's ST is not told: half of the
/// smallest limit would then be reached by chance once in forty leads.
const ST_ERROR_UV_MAX: f32 = 18.0;
