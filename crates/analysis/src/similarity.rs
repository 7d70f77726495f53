//! How alike the QRS and the ST-T of two recordings are, for a guard against the wrong patient.
//!
//! The shape of the complexes is a person's own as long as the heart, the electrodes and the posture
//! stay the same. Two recordings of one person are mostly alike; two persons are sometimes alike as
//! well, and one person after an infarct, a bundle branch block or with electrodes elsewhere is not.
//! So a low likeness is a reason to look, and never a proof; `docs/accuracy.md` says how often.

use precordia_model::{Lead, Measurements, MissingReason, Signal};

use crate::beat_mean::{BeatMean, t_end};

const QRS_POINTS: usize = 24;
const ST_T_POINTS: usize = 24;
/// Under this root mean square a wave has no shape to speak of, microvolts.
const SHAPELESS_UV: f64 = 20.0;

const LEADS: [Lead; 8] =
    [Lead::I, Lead::II, Lead::V1, Lead::V2, Lead::V3, Lead::V4, Lead::V5, Lead::V6];

/// Correlations over all common leads together, -1 to 1, so that a lead counts by its size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Similarity {
    pub qrs: f64,
    /// `None` where either is too flat.
    pub st_t: Option<f64>,
    pub leads: usize,
}

/// The averaged waves of one recording.
#[derive(Clone, Debug)]
pub struct Complex {
    leads: Vec<(Lead, [f64; QRS_POINTS], [f64; ST_T_POINTS])>,
}

impl Complex {
    pub fn of(signal: &Signal, measured: &Measurements) -> Result<Self, MissingReason> {
        let marks = &measured.fiducials;
        let (Some(on), Some(off)) = (marks.qrs_onset, marks.qrs_offset) else {
            return Err(MissingReason::NoBeats);
        };
        let hz = signal.rate.hz();
        let beats = BeatMean::of(measured, on, hz);
        let end = t_end(marks, off, hz);
        let waves = |lead: Lead| {
            let trace = signal.trace(lead)?;
            let uv = &trace.samples_uv;
            Some((lead, beats.points(uv, on, off)?, beats.points(uv, off, end)?))
        };
        let leads: Vec<_> = LEADS.into_iter().filter_map(waves).collect();
        if leads.is_empty() { Err(MissingReason::LeadAbsent) } else { Ok(Self { leads }) }
    }

    /// `None` without a common lead that shows a QRS in both.
    pub fn compare(&self, other: &Self) -> Option<Similarity> {
        let pairs: Vec<_> = self
            .leads
            .iter()
            .filter_map(|a| Some((a, other.leads.iter().find(|b| b.0 == a.0)?)))
            .collect();
        let qrs = correlation(pairs.iter().map(|(a, b)| (&a.1[..], &b.1[..])))?;
        let st_t = correlation(pairs.iter().map(|(a, b)| (&a.2[..], &b.2[..])));
        Some(Similarity { qrs, st_t, leads: pairs.len() })
    }
}

fn correlation<'a>(pairs: impl Iterator<Item = (&'a [f64], &'a [f64])>) -> Option<f64> {
    let (mut ab, mut aa, mut bb, mut count) = (0.0, 0.0, 0.0, 0.0);
    for (a, b) in pairs {
        for (x, y) in a.iter().zip(b) {
            ab += x * y;
            aa += x * x;
            bb += y * y;
            count += 1.0;
        }
    }
    let has_shape = f64::min(aa, bb) > count * SHAPELESS_UV.powi(2);
    has_shape.then(|| ab / (aa * bb).sqrt())
}
