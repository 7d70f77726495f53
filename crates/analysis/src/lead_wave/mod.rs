//! P, QRS and T lead by lead on the representative beat.
//!
//! The boundaries are the global ones; within them a wave is a deflection between two crossings of
//! the reference level. That level is the mean just before the QRS onset for QRS, ST and T, and
//! for P the straight line from the level just before its onset to the level just after its end,
//! so that a slope of the baseline is not taken for a part of the wave (CSE working party, Eur
//! Heart J 1985;6:815). A flat stretch between a global QRS boundary and the first or last wave of
//! a lead belongs to no wave.
//!
//! Beat-to-beat spread is that of the same place in each beat against that beat's own level.

mod lobe;
mod shape;
mod sums;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use precordia_model::{
    Lead, LeadWaves, Measured, Measurements, MissingReason, QualityIssue, StLevels, Wave,
    WaveMeasure, WaveName, WaveTable,
};

use crate::average::{Average, Cut};
use crate::channel::Channel;
use crate::frontal::of_one_and_two;
use crate::numeric::quantile;
use crate::wave::{PWave, Qrs, ceil, floor};
use lobe::{Lobe, Size, lobes};

/// A wave counts from this height and duration on. IEC 60601-2-25 and the CSE working party, as
/// remembered: 20 uV and 6 ms.
const WAVE_UV_MIN: f64 = 20.0;
const WAVE_MS_MIN: f64 = 6.0;
/// And it stands this far above the error of the average.
const WAVE_ABOVE_ERROR: f64 = 4.0;
/// Error of the average beyond which the waves of a lead are not told: four of it are then a large
/// part of a normal Q, S or P.
const ERROR_UV_MAX: f64 = 30.0;
/// Stretches whose mean is a level.
const QRS_LEVEL_MS: f64 = 8.0;
const P_LEVEL_MS: f64 = 6.0;
/// The T wave is looked for from here on after J.
const T_AFTER_J_MS: f64 = 40.0;
/// Stretch of an ST level, and its distances from J.
const ST_LEVEL_MS: f64 = 4.0;
const ST_AFTER_J_MS: [f64; 3] = [20.0, 60.0, 80.0];
/// Beats from which a spread says something.
const SPREAD_BEATS_MIN: usize = 3;

const QRS_NAMES: [WaveName; 5] =
    [WaveName::Q, WaveName::R, WaveName::S, WaveName::R2, WaveName::S2];

/// Global boundaries, in columns of the average.
pub(crate) struct Edges {
    pub qrs: Qrs,
    pub p: Option<PWave>,
    pub t_end: Option<f64>,
}

/// The table of a recording that could not be measured.
pub(crate) fn absent(reason: MissingReason, channels: &[Channel]) -> WaveTable {
    let leads = channels.iter().map(|c| (c.lead, LeadWaves::missing(reason))).collect();
    WaveTable { leads, ..WaveTable::default() }
}

/// The table of a measured beat; `measured` has everything but the table.
pub(crate) fn table(
    measured: &Measurements,
    edges: &Edges,
    average: &Average,
    channels: &[Channel],
    cuts: &[Cut],
) -> WaveTable {
    let reader = Reader { measured, edges, average, cuts };
    let mut leads = BTreeMap::new();
    for channel in channels {
        leads.insert(channel.lead, reader.recorded(channel));
    }
    for lead in Lead::TWELVE {
        if !leads.contains_key(&lead)
            && let Some(derived) = reader.derived(lead)
        {
            leads.insert(lead, derived);
        }
    }
    WaveTable { slur_ms: Some(reader.slur_ms()), ..sums::complete(leads, measured) }
}

/// One lead of the average.
struct View<'a> {
    uv: Cow<'a, [f32]>,
    error_uv: f64,
    beats: usize,
    /// Samples of the recording, where the lead was recorded.
    samples_uv: Option<&'a [f32]>,
}

struct Reader<'a> {
    measured: &'a Measurements,
    edges: &'a Edges,
    average: &'a Average,
    cuts: &'a [Cut],
}

/// Levels whose weighted sum is what an amplitude is counted from.
type Reference = [(Range<usize>, f64); 2];

impl Reader<'_> {
    fn recorded(&self, channel: &Channel) -> LeadWaves {
        match self.average.lead(channel.lead) {
            Some(lead) => {
                let view = View {
                    uv: Cow::Borrowed(&lead.uv),
                    error_uv: f64::from(lead.error_uv()),
                    beats: lead.beats,
                    samples_uv: Some(&channel.samples_uv),
                };
                self.waves(channel.lead, &view)
            }
            None if channel.issues.contains(&QualityIssue::Gaps) => {
                LeadWaves::missing(MissingReason::Gap)
            }
            None => LeadWaves::missing(MissingReason::PoorQuality),
        }
    }

    /// A limb lead that was not recorded, from I and II.
    fn derived(&self, lead: Lead) -> Option<LeadWaves> {
        let (a, b) = of_one_and_two(lead)?;
        let (one, two) = (self.average.lead(Lead::I)?, self.average.lead(Lead::II)?);
        let mix = |(x, y): (&f32, &f32)| a as f32 * x + b as f32 * y;
        let view = View {
            uv: one.uv.iter().zip(&two.uv).map(mix).collect(),
            error_uv: (a * f64::from(one.error_uv())).hypot(b * f64::from(two.error_uv())),
            beats: one.beats.min(two.beats),
            samples_uv: None,
        };
        Some(self.waves(lead, &view))
    }

    fn waves(&self, lead: Lead, view: &View) -> LeadWaves {
        // A NaN, the error of a single beat, is not known and passes.
        if view.error_uv > ERROR_UV_MAX {
            return LeadWaves::missing(MissingReason::PoorQuality);
        }
        let qrs = floor(self.edges.qrs.onset)..ceil(self.edges.qrs.offset) + 1;
        let level = self.before(self.edges.qrs.onset, QRS_LEVEL_MS);
        let Some(level_uv) = mean(&view.uv, &level) else {
            return LeadWaves::missing(MissingReason::Gap);
        };
        let known = |range: &Range<usize>| {
            view.uv.get(range.clone()).is_some_and(|part| part.iter().all(|x| x.is_finite()))
        };
        if !known(&qrs) {
            return LeadWaves::missing(MissingReason::Gap);
        }
        let size = self.size(view);
        let flat = |column: usize| f64::from(view.uv[column]) - level_uv;
        let from_level: Reference = [(level.clone(), 1.0), (level.clone(), 0.0)];

        let edges = self.edges.qrs.onset..self.edges.qrs.offset;
        let mut found = lobes(&flat, edges, &size);
        lobe::trim(&flat, &mut found, &size);
        let mut waves = BTreeMap::new();
        for (name, lobe) in QRS_NAMES.into_iter().zip(named(&found)) {
            let wave = lobe.map(|lobe| self.measure(view, lobe, &from_level, true));
            waves.insert(name, wave.map_or(Wave::TooSmall, Wave::Found));
        }
        let p_notch_ms = self.p_waves(view, &size, &mut waves);
        let t = self.t_waves(view, level_uv, &size, &from_level, &mut waves);

        let at_j = ceil(self.edges.qrs.offset + 0.25);
        let tallest = found.iter().filter(|l| l.height_uv > 0.0).max_by(|a, b| a.cmp_height(b));
        LeadWaves {
            beats: view.beats as u32,
            error_uv: Some(tenth(view.error_uv)).filter(|e| e.is_finite()),
            st: self.st(lead, view, level_uv),
            st_spread_uv: self.spread(view, at_j, &from_level),
            end_notch_uv: tallest
                .and_then(|r| shape::end_notch(&flat, r, self.notch_until(view), &size))
                .map(tenth),
            p_notch_ms,
            r_notched: tallest.is_some_and(|r| shape::notched(&flat, r, &size)),
            qt_ms: match t {
                Ok(lobe) => self.lead_qt(&flat, &lobe, view.uv.len()),
                Err(reason) => Measured::Missing(reason),
            },
            waves,
        }
    }

    /// How slowly the QRS starts.
    fn slur_ms(&self) -> Measured {
        let Qrs { onset, offset } = self.edges.qrs;
        let leads = self.average.leads.iter().map(|lead| &lead.uv[..]);
        match shape::slow_start(leads, onset, offset, self.average.rate_hz) {
            Some(columns) => Measured::Value(tenth(self.average.ms(columns))),
            None => Measured::Missing(MissingReason::Gap),
        }
    }

    fn size(&self, view: &View) -> Size {
        let error_uv = if view.error_uv.is_finite() { view.error_uv } else { 0.0 };
        Size {
            height_uv: WAVE_UV_MIN.max(WAVE_ABOVE_ERROR * error_uv),
            columns: WAVE_MS_MIN * self.average.rate_hz / 1000.0,
        }
    }

    /// Distance of the summits of a notched P.
    fn p_waves(
        &self,
        view: &View,
        size: &Size,
        waves: &mut BTreeMap<WaveName, Wave>,
    ) -> Option<f64> {
        let missing =
            |reason| [WaveName::P, WaveName::P2].map(|name| (name, Wave::Missing(reason)));
        let Some(p) = self.edges.p else {
            let reason = self.measured.p_ms.missing().unwrap_or(MissingReason::NoPWave);
            waves.extend(missing(reason));
            return None;
        };
        let (before, after) = (self.before(p.onset, P_LEVEL_MS), self.after(p.offset, P_LEVEL_MS));
        let levels = mean(&view.uv, &before).zip(mean(&view.uv, &after));
        let Some((first_uv, last_uv)) = levels else {
            waves.extend(missing(MissingReason::Gap));
            return None;
        };
        let share = |column: f64| ((column - p.onset) / (p.offset - p.onset)).clamp(0.0, 1.0);
        let bent = |column: usize| {
            let share = share(column as f64);
            f64::from(view.uv[column]) - (first_uv * (1.0 - share) + last_uv * share)
        };
        let found = lobes(&bent, p.onset..p.offset, size);
        let mut lobes = found.iter();
        for name in [WaveName::P, WaveName::P2] {
            let wave = lobes.next().map(|lobe| {
                let share = share(lobe.peak as f64);
                let reference = [(before.clone(), 1.0 - share), (after.clone(), share)];
                self.measure(view, lobe, &reference, true)
            });
            waves.insert(name, wave.map_or(Wave::TooSmall, Wave::Found));
        }
        let largest = found.iter().max_by(|a, b| a.cmp_size(b))?;
        let apart = shape::summits_apart(&bent, largest, size)?;
        Some(tenth(self.average.ms(apart as f64)))
    }

    /// The largest part of the T wave, for its end.
    fn t_waves(
        &self,
        view: &View,
        level_uv: f64,
        size: &Size,
        reference: &Reference,
        waves: &mut BTreeMap<WaveName, Wave>,
    ) -> Result<Lobe, MissingReason> {
        let names = [WaveName::T, WaveName::T2];
        let from = self.edges.qrs.offset + self.columns(T_AFTER_J_MS);
        let reason = match self.edges.t_end {
            None => self.measured.qt_ms.missing().unwrap_or(MissingReason::NoTWave),
            Some(end) if end - from < size.columns => MissingReason::NoTWave,
            Some(end) if mean(&view.uv, &(floor(from)..ceil(end) + 1)).is_none() => {
                MissingReason::Gap
            }
            Some(end) => {
                let flat = |column: usize| f64::from(view.uv[column]) - level_uv;
                let mut found = lobes(&flat, from..end, size);
                // What only falls from the ST segment or only rises into the next wave has no
                // summit of its own.
                found.retain(|l| l.peak > ceil(from) && l.peak + 1 < floor(end));
                lobe::trim_start(&flat, &mut found, size);
                let mut rest = found.iter();
                for name in names {
                    let wave = rest.next().map(|lobe| {
                        let on_baseline = lobe.from > from + 0.5;
                        self.measure(view, lobe, reference, on_baseline)
                    });
                    waves.insert(name, wave.map_or(Wave::TooSmall, Wave::Found));
                }
                let largest = found.into_iter().max_by(Lobe::cmp_size);
                return largest.ok_or(MissingReason::NoTWave);
            }
        };
        waves.extend(names.map(|name| (name, Wave::Missing(reason))));
        Err(reason)
    }

    fn measure(&self, view: &View, lobe: &Lobe, reference: &Reference, whole: bool) -> WaveMeasure {
        let since_onset = |column: f64| tenth(self.average.ms(column - self.edges.qrs.onset));
        WaveMeasure {
            amplitude_uv: tenth(lobe.height_uv),
            spread_uv: self.spread(view, lobe.peak, reference),
            duration_ms: whole.then(|| tenth(self.average.ms(lobe.to - lobe.from))),
            onset_ms: since_onset(lobe.from),
            peak_ms: since_onset(lobe.peak as f64),
        }
    }

    /// Spread over the beats of one column against a reference, from the middle half.
    fn spread(&self, view: &View, column: usize, reference: &Reference) -> Option<f64> {
        let samples = view.samples_uv?;
        let value = |cut: &Cut| {
            let place = |column: usize| (cut.at + column).checked_sub(self.average.zero);
            let level =
                |range: &Range<usize>| mean(samples, &(place(range.start)?..place(range.end)?));
            let mut value = f64::from(*samples.get(place(column)?)?);
            for (range, weight) in reference.iter().filter(|(_, weight)| *weight != 0.0) {
                value -= weight * level(range)?;
            }
            value.is_finite().then_some(value)
        };
        let mut values: Vec<f64> = self.cuts.iter().filter_map(value).collect();
        if values.len() < SPREAD_BEATS_MIN {
            return None;
        }
        // The middle half of a normal distribution is 1.349 standard deviations wide.
        let (low, high) = (quantile(&mut values, 0.25), quantile(&mut values, 0.75));
        Some(tenth((high - low) / 1.349))
    }

    fn st(&self, lead: Lead, view: &View, level_uv: f64) -> StLevels {
        let [j20_uv, j60_uv, j80_uv] = ST_AFTER_J_MS.map(|ms| {
            let middle = self.edges.qrs.offset + self.columns(ms);
            let half = self.columns(ST_LEVEL_MS) / 2.0;
            let range = floor(middle - half)..ceil(middle + half).max(floor(middle - half) + 1);
            match mean(&view.uv, &range) {
                Some(uv) => Measured::Value(tenth(uv - level_uv)),
                None => Measured::Missing(MissingReason::Gap),
            }
        });
        let j_uv = self.measured.st_uv.get(&lead).copied();
        let j_uv = j_uv.unwrap_or(Measured::Missing(MissingReason::LeadAbsent)).map(tenth);
        StLevels { j_uv, j20_uv, j60_uv, j80_uv }
    }

    /// From the QRS onset to where the steepest tangent of this lead's T wave meets its baseline.
    fn lead_qt(&self, flat: &impl Fn(usize) -> f64, t: &Lobe, width: usize) -> Measured {
        match shape::tangent_end(flat, t, self.average.rate_hz, width) {
            Some(end) => Measured::Value(tenth(self.average.ms(end - self.edges.qrs.onset))),
            None => Measured::Missing(MissingReason::NoTWave),
        }
    }

    /// A notch may lie just beyond the global end.
    fn notch_until(&self, view: &View) -> usize {
        let until = self.edges.qrs.offset + self.columns(shape::NOTCH_AFTER_J_MS);
        ceil(until).min(view.uv.len().saturating_sub(1))
    }

    fn columns(&self, ms: f64) -> f64 {
        ms * self.average.rate_hz / 1000.0
    }

    fn before(&self, column: f64, ms: f64) -> Range<usize> {
        let end = floor(column).max(1);
        end.saturating_sub(self.average.samples(ms).max(1))..end
    }

    fn after(&self, column: f64, ms: f64) -> Range<usize> {
        let from = ceil(column);
        from..from + self.average.samples(ms).max(1)
    }
}

/// Q, R, S, R', S' of the deflections in their order.
fn named(found: &[Lobe]) -> [Option<&Lobe>; 5] {
    let mut names = [None; 5];
    let upward = found.first().is_some_and(|lobe| lobe.height_uv > 0.0);
    for (name, lobe) in names.iter_mut().skip(usize::from(upward)).zip(found) {
        *name = Some(lobe);
    }
    names
}

fn mean(values: &[f32], range: &Range<usize>) -> Option<f64> {
    let part = values.get(range.clone()).filter(|part| !part.is_empty())?;
    let mean = part.iter().map(|&x| f64::from(x)).sum::<f64>() / part.len() as f64;
    mean.is_finite().then_some(mean)
}

/// Values are kept to a tenth of their unit: finer is noise, and it is stored for every wave.
fn tenth(value: f64) -> f64 {
    // `+ 0.0` turns -0 into 0.
    (value * 10.0).round() / 10.0 + 0.0
}
