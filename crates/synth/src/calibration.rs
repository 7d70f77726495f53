//! Calibration and analytical signals: waves of one shape whose amplitudes and boundaries are known
//! exactly in every lead, in kind as IEC 60601-2-25 uses them (its CAL and ANE signals are not
//! copied; names and values here are our own).
//!
//! All waves of a signal keep their times in all leads, only their heights differ, so that the limb
//! leads that follow from I and II are made of the same waves. A wave is half a sine. The ST
//! segment is flat from J to the T onset and then leaves as the falling half of a cosine.

use std::collections::BTreeMap;
use std::f64::consts::PI;

use precordia_model::{
    DeviceDescription, DevicePatient, Filters, Lead, Recording, SampleRate, Signal, Trace,
    TraceOrigin, WaveName,
};

use crate::lead::of_one_and_two;
use crate::random::Random;

/// A wave's place in the beat, milliseconds from the QRS onset.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Part {
    pub from_ms: f64,
    pub to_ms: f64,
}

/// What one lead shows: a height for each part, and its ST level.
#[derive(Clone, Debug, Default, PartialEq)]
struct Heights {
    uv: Vec<f64>,
    st_uv: f64,
}

/// One signal.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    pub name: &'static str,
    pub rate_bpm: f64,
    /// How many of the parts, from the first, belong to P, and how many of the last to T.
    p_parts: usize,
    t_parts: usize,
    parts: Vec<Part>,
    /// Leads I, II and V1 to V6.
    heights: BTreeMap<Lead, Heights>,
}

/// A wave of one lead as it was drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WaveTruth {
    pub amplitude_uv: f64,
    pub duration_ms: f64,
}

/// What a perfect measurer answers.
#[derive(Clone, Debug, PartialEq)]
pub struct CalibrationTruth {
    pub rate_bpm: f64,
    /// Absent where no lead has the wave.
    pub p_ms: Option<f64>,
    pub pq_ms: Option<f64>,
    pub qrs_ms: f64,
    pub qt_ms: Option<f64>,
    /// From J to the T onset the signal has the ST level.
    pub st_segment_ms: f64,
    pub st_uv: BTreeMap<Lead, f64>,
    /// The T wave is left out where an ST shift takes its baseline away.
    pub waves: BTreeMap<Lead, BTreeMap<WaveName, WaveTruth>>,
}

const DRAWN: [Lead; 8] =
    [Lead::I, Lead::II, Lead::V1, Lead::V2, Lead::V3, Lead::V4, Lead::V5, Lead::V6];

/// Times of the usual signal.
const P: Part = Part { from_ms: -160.0, to_ms: -56.0 };
const Q: Part = Part { from_ms: 0.0, to_ms: 18.0 };
const R: Part = Part { from_ms: 18.0, to_ms: 62.0 };
const S: Part = Part { from_ms: 62.0, to_ms: 90.0 };
const T: Part = Part { from_ms: 210.0, to_ms: 390.0 };

/// Heights of the usual calibration beat for an R of 1,000 uV.
const USUAL_UV: [f64; 5] = [150.0, -150.0, 1000.0, -300.0, 300.0];

impl Calibration {
    /// Every signal.
    pub fn all() -> Vec<Calibration> {
        let mut all = Vec::new();
        for (name, r_uv) in [
            ("cal-r0500", 500.0),
            ("cal-r1000", 1000.0),
            ("cal-r1500", 1500.0),
            ("cal-r2000", 2000.0),
            ("cal-r3000", 3000.0),
            ("cal-r5000", 5000.0),
        ] {
            all.push(Self::even(name, 60.0, USUAL_UV.map(|uv| uv * r_uv / 1000.0)));
        }
        for (name, rate_bpm) in [("cal-40", 40.0), ("cal-90", 90.0), ("cal-77.7", 77.7)] {
            all.push(Self::even(name, rate_bpm, USUAL_UV));
        }
        for (name, st_uv) in [
            ("cal-st+200", 200.0),
            ("cal-st+100", 100.0),
            ("cal-st-100", -100.0),
            ("cal-st-200", -200.0),
        ] {
            let mut signal = Self::even(name, 60.0, USUAL_UV);
            signal.heights.values_mut().for_each(|heights| heights.st_uv = st_uv);
            all.push(signal);
        }
        all.push(Self::even("cal-no-q", 60.0, [150.0, 0.0, 1000.0, -300.0, 300.0]));
        all.push(Self::even("cal-no-s", 60.0, [150.0, -150.0, 1000.0, 0.0, 300.0]));
        all.push(Self::even("cal-qs", 60.0, [150.0, 0.0, -1200.0, 0.0, 300.0]));
        all.push(Self::even("cal-rs", 60.0, [150.0, 400.0, -1500.0, 0.0, 300.0]));
        all.push(Self::even("cal-t-inverted", 60.0, [150.0, -150.0, 1000.0, -300.0, -300.0]));
        all.push(Self::even("cal-t-flat", 60.0, [150.0, -150.0, 1000.0, -300.0, 0.0]));
        all.push(Self::even("cal-p-flat", 60.0, [0.0, -150.0, 1000.0, -300.0, 300.0]));
        all.push(Self::even("cal-p-inverted", 60.0, [-150.0, -150.0, 1000.0, -300.0, 300.0]));
        all.extend([Self::biphasic_p(), Self::biphasic_t(), Self::second_r()]);
        all.extend([Self::wide(), Self::fast()]);
        all.extend([Self::analytical("ane-1", 60.0, 1.0), Self::analytical("ane-2", 75.0, 0.6)]);
        all.push(Self::analytical("ane-3", 100.0, 1.5));
        all
    }

    /// The same in I, II and all chest leads: III is then flat.
    fn even(name: &'static str, rate_bpm: f64, uv: [f64; 5]) -> Self {
        Self::of(name, rate_bpm, (1, 1), [P, Q, R, S, T].into(), &uv)
    }

    fn of(
        name: &'static str,
        rate_bpm: f64,
        (p_parts, t_parts): (usize, usize),
        parts: Vec<Part>,
        uv: &[f64],
    ) -> Self {
        let heights = Heights { uv: uv.to_vec(), st_uv: 0.0 };
        let heights = DRAWN.into_iter().map(|lead| (lead, heights.clone())).collect();
        Self { name, rate_bpm, p_parts, t_parts, parts, heights }
    }

    /// Heights by lead, for I, II and V1 to V6.
    pub(crate) fn of_leads(
        name: &'static str,
        rate_bpm: f64,
        (p_parts, t_parts): (usize, usize),
        parts: Vec<Part>,
        rows: impl Iterator<Item = (Lead, Vec<f64>)>,
    ) -> Self {
        let heights = rows.map(|(lead, uv)| (lead, Heights { uv, st_uv: 0.0 })).collect();
        Self { name, rate_bpm, p_parts, t_parts, parts, heights }
    }

    pub(crate) fn with_times(self, parts: &[Part]) -> Self {
        Self { parts: parts.to_vec(), ..self }
    }

    pub(crate) fn with_st(mut self, levels: &[(Lead, f64)]) -> Self {
        for (lead, st_uv) in levels {
            if let Some(heights) = self.heights.get_mut(lead) {
                heights.st_uv = *st_uv;
            }
        }
        self
    }

    fn biphasic_p() -> Self {
        let first = Part { from_ms: -160.0, to_ms: -112.0 };
        let second = Part { from_ms: -112.0, to_ms: -56.0 };
        let uv = [120.0, -120.0, -150.0, 1000.0, -300.0, 300.0];
        Self::of("cal-p-biphasic", 60.0, (2, 1), [first, second, Q, R, S, T].into(), &uv)
    }

    fn biphasic_t() -> Self {
        let first = Part { from_ms: 210.0, to_ms: 300.0 };
        let second = Part { from_ms: 300.0, to_ms: 410.0 };
        let uv = [150.0, -150.0, 1000.0, -300.0, -200.0, 250.0];
        Self::of("cal-t-biphasic", 60.0, (1, 2), [P, Q, R, S, first, second].into(), &uv)
    }

    fn second_r() -> Self {
        let second = Part { from_ms: 90.0, to_ms: 130.0 };
        let uv = [150.0, 0.0, 400.0, -600.0, 700.0, 300.0];
        Self::of("cal-rsr", 60.0, (1, 1), [P, Q, R, S, second, T].into(), &uv)
    }

    fn wide() -> Self {
        let parts = [
            Part { from_ms: -220.0, to_ms: -90.0 },
            Part { from_ms: 0.0, to_ms: 30.0 },
            Part { from_ms: 30.0, to_ms: 100.0 },
            Part { from_ms: 100.0, to_ms: 150.0 },
            Part { from_ms: 260.0, to_ms: 520.0 },
        ];
        Self::of("cal-wide", 55.0, (1, 1), parts.into(), &USUAL_UV)
    }

    /// Shorter waves, that P and T stay apart.
    fn fast() -> Self {
        let p = Part { from_ms: -120.0, to_ms: -40.0 };
        let t = Part { from_ms: 150.0, to_ms: 320.0 };
        Self::of("cal-120", 120.0, (1, 1), [p, Q, R, S, t].into(), &USUAL_UV)
    }

    /// Each lead with heights of its own, as a healthy heart has them.
    fn analytical(name: &'static str, rate_bpm: f64, scale: f64) -> Self {
        let heights = [
            (Lead::I, [60.0, -40.0, 650.0, -90.0, 180.0]),
            (Lead::II, [140.0, -80.0, 1050.0, -160.0, 260.0]),
            (Lead::V1, [50.0, 0.0, 220.0, -900.0, -60.0]),
            (Lead::V2, [70.0, 0.0, 450.0, -1700.0, 420.0]),
            (Lead::V3, [65.0, 0.0, 800.0, -950.0, 510.0]),
            (Lead::V4, [60.0, -50.0, 1500.0, -550.0, 480.0]),
            (Lead::V5, [60.0, -90.0, 1350.0, -240.0, 380.0]),
            (Lead::V6, [55.0, -100.0, 980.0, -80.0, 270.0]),
        ];
        let mut signal = Self::even(name, rate_bpm, USUAL_UV);
        signal.heights = heights
            .into_iter()
            .map(|(lead, uv)| (lead, Heights { uv: uv.map(|uv| uv * scale).to_vec(), st_uv: 0.0 }))
            .collect();
        signal
    }

    /// Ten seconds of it, with white noise of that root mean square in every drawn lead.
    pub fn draw(&self, rate: SampleRate, noise_uv: f64, seed: u64) -> Recording {
        let samples = (10.0 * rate.hz()) as usize;
        let mut drawn: BTreeMap<Lead, Vec<f64>> = BTreeMap::new();
        for (stream, (&lead, heights)) in (1_u64..).zip(&self.heights) {
            let mut random = Random::stream(seed, stream);
            let noise = |random: &mut Random| {
                // The sum of twelve even numbers is nearly normal, with a variance of one.
                let sum: f64 = (0..12).map(|_| random.between(-0.5, 0.5)).sum();
                noise_uv * sum
            };
            let at = |i: usize| self.at(heights, i as f64 * 1000.0 / rate.hz());
            drawn.insert(lead, (0..samples).map(|i| at(i) + noise(&mut random)).collect());
        }
        let trace = |lead: Lead| {
            let samples_uv = match of_one_and_two(lead) {
                Some((a, b)) => drawn[&Lead::I]
                    .iter()
                    .zip(&drawn[&Lead::II])
                    .map(|(one, two)| (a * one + b * two) as f32)
                    .collect(),
                None => drawn[&lead].iter().map(|&uv| uv as f32).collect(),
            };
            Trace { lead, samples_uv, origin: TraceOrigin::Recorded, filters: Filters::default() }
        };
        Recording {
            format: "synthetic",
            format_detail: format!("calibration signal {}", self.name),
            source_id: None,
            device: DeviceDescription::default(),
            patient: DevicePatient::default(),
            acquired_at: None,
            accession: None,
            rhythm: Signal { rate, traces: Lead::TWELVE.into_iter().map(trace).collect() },
            other_groups: Vec::new(),
            device_measurements: Vec::new(),
            device_statements: Vec::new(),
            unmapped: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// A lead at a time of the recording; the first QRS begins so late that its P wave is whole.
    fn at(&self, heights: &Heights, ms: f64) -> f64 {
        let rr_ms = 60_000.0 / self.rate_bpm;
        let since = (ms - 300.0).rem_euclid(rr_ms);
        // The end of a beat holds the P wave of the next.
        let last_ms = self.parts.last().map_or(0.0, |part| part.to_ms);
        let since = if since > last_ms { since - rr_ms } else { since };
        let part = |(part, uv): (&Part, &f64)| {
            let share = (since - part.from_ms) / (part.to_ms - part.from_ms);
            if (0.0..=1.0).contains(&share) { uv * (PI * share).sin() } else { 0.0 }
        };
        let waves: f64 = self.parts.iter().zip(&heights.uv).map(part).sum();
        waves + heights.st_uv * self.st_share(since)
    }

    fn st_share(&self, since_ms: f64) -> f64 {
        let t = &self.parts[self.parts.len() - self.t_parts..];
        let (from, to) = (t[0].from_ms, t[t.len() - 1].to_ms);
        if !(self.qrs_end_ms()..to).contains(&since_ms) {
            0.0
        } else if since_ms <= from {
            1.0
        } else {
            0.5 + 0.5 * (PI * (since_ms - from) / (to - from)).cos()
        }
    }

    fn qrs_parts(&self) -> std::ops::Range<usize> {
        self.p_parts..self.parts.len() - self.t_parts
    }

    fn qrs_end_ms(&self) -> f64 {
        let shown = |k: &usize| self.heights.values().any(|heights| heights.uv[*k] != 0.0);
        self.qrs_parts().rev().find(shown).map_or(0.0, |k| self.parts[k].to_ms)
    }

    fn qrs_start_ms(&self) -> f64 {
        let shown = |k: &usize| self.heights.values().any(|heights| heights.uv[*k] != 0.0);
        self.qrs_parts().find(shown).map_or(0.0, |k| self.parts[k].from_ms)
    }

    /// What was drawn.
    pub fn truth(&self) -> CalibrationTruth {
        let any = |parts: std::ops::Range<usize>| {
            parts.into_iter().any(|k| self.heights.values().any(|heights| heights.uv[k] != 0.0))
        };
        let (p, t) = (0..self.p_parts, self.parts.len() - self.t_parts..self.parts.len());
        let (start_ms, end_ms) = (self.qrs_start_ms(), self.qrs_end_ms());
        let has_st = self.heights.values().any(|heights| heights.st_uv != 0.0);
        let last = &self.parts[self.parts.len() - 1];
        CalibrationTruth {
            rate_bpm: self.rate_bpm,
            p_ms: any(p.clone())
                .then(|| self.parts[self.p_parts - 1].to_ms - self.parts[0].from_ms),
            pq_ms: any(p.clone()).then(|| start_ms - self.parts[0].from_ms),
            qrs_ms: end_ms - start_ms,
            qt_ms: any(t.clone()).then_some(last.to_ms - start_ms),
            st_segment_ms: self.parts[t.start].from_ms - end_ms,
            st_uv: Lead::TWELVE.map(|lead| (lead, self.seen(lead).st_uv)).into(),
            waves: Lead::TWELVE.map(|lead| (lead, self.waves(lead, has_st))).into(),
        }
    }

    fn seen(&self, lead: Lead) -> Heights {
        match of_one_and_two(lead) {
            None => self.heights[&lead].clone(),
            Some((a, b)) => {
                let (one, two) = (&self.heights[&Lead::I], &self.heights[&Lead::II]);
                let mix = |(x, y): (&f64, &f64)| a * x + b * y;
                Heights {
                    uv: one.uv.iter().zip(&two.uv).map(mix).collect(),
                    st_uv: a * one.st_uv + b * two.st_uv,
                }
            }
        }
    }

    fn waves(&self, lead: Lead, has_st: bool) -> BTreeMap<WaveName, WaveTruth> {
        let heights = self.seen(lead);
        let truth = |k: usize| WaveTruth {
            amplitude_uv: heights.uv[k],
            duration_ms: self.parts[k].to_ms - self.parts[k].from_ms,
        };
        let shown = |k: &usize| heights.uv[*k].abs() > 1e-9;
        let mut waves = BTreeMap::new();
        let p = (0..self.p_parts).filter(shown);
        waves.extend([WaveName::P, WaveName::P2].into_iter().zip(p.map(truth)));
        let qrs: Vec<usize> = self.qrs_parts().filter(shown).collect();
        let names = [WaveName::Q, WaveName::R, WaveName::S, WaveName::R2, WaveName::S2];
        let upward = qrs.first().is_some_and(|&k| heights.uv[k] > 0.0);
        let names = names.into_iter().skip(usize::from(upward));
        waves.extend(names.zip(qrs.into_iter().map(truth)));
        if !has_st {
            let t = (self.parts.len() - self.t_parts..self.parts.len()).filter(shown);
            waves.extend([WaveName::T, WaveName::T2].into_iter().zip(t.map(truth)));
        }
        waves
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_no_two_waves_of_one_direction_touch() {
        let all = Calibration::all();
        let names: std::collections::BTreeSet<_> = all.iter().map(|signal| signal.name).collect();
        assert_eq!(names.len(), all.len());
        for signal in &all {
            for lead in Lead::TWELVE {
                let heights = signal.seen(lead);
                for k in signal.qrs_parts().skip(1) {
                    assert!(heights.uv[k] * heights.uv[k - 1] <= 0.0, "{} {lead}", signal.name);
                }
            }
        }
    }

    #[test]
    fn the_limb_leads_follow_from_one_and_two() {
        let rate = SampleRate::from_hz(500.0).unwrap();
        let recording = Calibration::analytical("ane", 60.0, 1.0).draw(rate, 0.0, 1);
        let lead =
            |lead| &recording.rhythm.traces.iter().find(|t| t.lead == lead).unwrap().samples_uv;
        let (one, two, three) = (lead(Lead::I), lead(Lead::II), lead(Lead::III));
        for i in 0..one.len() {
            assert!((one[i] + three[i] - two[i]).abs() < 1e-2);
        }
    }
}
