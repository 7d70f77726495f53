//! From the representative beat to the measurements.

use std::collections::BTreeMap;
use std::ops::Range;

use precordia_model::{
    Axes, Fiducials, Lead, LeadQuality, Measured, Measurements, MissingReason, QtFormula, Quality,
    QualityIssue, Rhythm, WaveTable,
};

use crate::average::{Average, Cut, LeadAverage};
use crate::beat::Beat;
use crate::channel::{Channel, independent};
use crate::edge::Joint;
use crate::frontal::{Frontal, of_one_and_two};
use crate::lead_wave::{self, Edges};
use crate::measure::{MEASURE_VERSION, absent, st_leads};
use crate::numeric::mean;
use crate::rhythm::{self, Signs, View, p_likeness, p_proven, rhythm};
use crate::seen::Seen;
use crate::strip::Strip;
use crate::wave::{PWave, Qrs, TWave, ceil, floor, p_waves, qrs, t_offset, t_wave};
use crate::{qt, quality};

/// Height of the QRS above the noise of a single beat.
const QRS_ABOVE_NOISE: f32 = 4.0;
/// Noise of the joint average under which a P wave would be seen.
const P_VISIBLE_NOISE_UV: f32 = 15.0;
/// Height of a T wave above the noise of the joint average, for its end to be measured.
const T_ABOVE_NOISE: f32 = 6.0;
/// Longest P onset before the QRS.
const P_BEFORE_MS_MAX: f64 = 420.0;
/// Longest QT interval that can be told from the next beat's P wave, as a share of the interval.
const QT_RR_SHARE_MAX: f64 = 0.85;
/// From the peak of a T wave to its end, where that is not measured.
const T_HALF_MS: f64 = 70.0;
/// A P wave may begin this much before the measured end of the T wave.
const P_OVER_T_MS: f64 = 10.0;
/// Standard error of the average's samples beyond which a lead's ST is not told: half of the
/// smallest limit would then be reached by chance once in forty leads.
const ST_ERROR_UV_MAX: f32 = 18.0;

/// Everything that the last step looks at.
pub(crate) struct Readout<'a> {
    pub strip: &'a Strip,
    pub channels: &'a [Channel<'a>],
    pub average: &'a Average,
    pub cuts: &'a [Cut],
    /// The beats averaged, of all.
    pub chosen: &'a [usize],
    /// Mean interval of all beats, and usual interval of the dominant ones, samples.
    pub rr: f64,
    pub usual_rr: f64,
}

impl Readout<'_> {
    pub fn measure(&self) -> Measurements {
        let average = self.average;
        let leads = independent(self.channels);
        let joint = Joint::new(average, |lead| leads.iter().any(|c| c.lead == lead));
        let poor = || absent(MissingReason::PoorQuality, self.channels, self.strip.rate_hz);
        let Some(qrs) = qrs(&joint) else { return poor() };
        if self.qrs_height(&joint, qrs) < QRS_ABOVE_NOISE * self.single_noise(&joint) {
            return poor();
        }

        let seen = Seen::of(average, &joint, self.usual_rr);
        let t = t_wave(&joint, qrs, self.usual_rr);
        let t_end = self.t_end(&joint, qrs, t);
        let p = self.p_wave(&joint, qrs, t, t_end.ok(), &leads, seen.p());
        let qrs = seen.qrs(qrs);
        let t_end = t_end.map(|end| seen.t_end(end).max(t.map_or(0, |t| t.peak + 1) as f64));
        let p = p.map(|p| PWave { offset: p.offset.min(qrs.onset), ..p });
        let p_visible = joint.noise_uv < P_VISIBLE_NOISE_UV;
        let report = rhythm::report(&View {
            channels: &leads,
            rate_hz: self.strip.rate_hz,
            beats: &self.strip.all,
            dominant: self.strip.dominant,
            spikes: &self.strip.spikes,
        });
        let rhythm = rhythm(&Signs {
            paced: self.strip.paced,
            p_wave: p.is_some(),
            atria: report.as_ref().and_then(|report| report.atria.as_ref()),
        });

        let no_p = Measured::Missing(match rhythm {
            Rhythm::Paced => MissingReason::Paced,
            Rhythm::AtrialFibrillation | Rhythm::AtrialFlutter => MissingReason::Rhythm,
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
        let mut measured = Measurements {
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
            paced: self.strip.paced,
            r_peaks: self.r_peaks(&leads),
            beats_used: self.chosen.iter().map(|&at| at as u32).collect(),
            fiducials: self.fiducials(qrs, p, t, t_end.ok()),
            quality: self.quality(),
            waves: WaveTable::default(),
            rhythm_report: report,
        };
        let edges = Edges { qrs, p, t_end: t_end.ok() };
        measured.waves = lead_wave::table(&measured, &edges, average, self.channels, self.cuts);
        measured
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
        seen: impl Fn(PWave) -> PWave,
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
            let likeness = p_likeness(leads, &weights, self.cuts, before, width, self.strip.step);
            p_proven(likeness, &self.strip.runs)
        };
        let candidates = p_waves(joint, qrs, self.usual_rr, floor(after_t.max(earliest)));
        candidates.into_iter().find(proven).map(seen)
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
        let limit = floor(qrs.onset + QT_RR_SHARE_MAX * self.usual_rr.min(self.rr));
        t_offset(joint, t, self.usual_rr, limit).ok_or(MissingReason::NoTWave)
    }

    fn level(&self, at: f64) -> Range<usize> {
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

    fn after_j(&self, qrs: Qrs) -> Range<usize> {
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
        let mean_of = |lead: &LeadAverage, columns: &Range<usize>| {
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
        let dominant = self.strip.dominant;
        let place = |beat: &Beat| {
            if beat.class == dominant {
                beat.at
            } else {
                quality::apex(leads, beat.at, self.strip.rate_hz)
            }
        };
        let mut peaks: Vec<u32> = self.strip.all.iter().map(|beat| place(beat) as u32).collect();
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
                Some(average) => quality::lead(channel, average, self.strip.rate_hz),
                None => quality::lead_without_beats(channel, self.strip.rate_hz),
            }
        };
        let leads: BTreeMap<Lead, LeadQuality> =
            self.channels.iter().map(|c| (c.lead, lead(c))).collect();
        Quality { usable: leads.values().any(|lead| lead.usable), leads }
    }
}
