//! The averaged P wave, QRS and ST-T of the eight independent leads, each at a fixed number of
//! points, and what an exchange of electrodes makes of them.

use precordia_model::{Measurements, MissingReason, Signal};

use super::{LEADS, Swap};
use crate::beat_mean::{BeatMean, t_end};

pub(super) const P_POINTS: usize = 8;
pub(super) const QRS_POINTS: usize = 20;
pub(super) const T_POINTS: usize = 20;
/// One wave, lead by lead, microvolts against the level before the QRS.
pub(super) type Wave<const N: usize> = [[f64; N]; LEADS.len()];

#[derive(Clone, Debug)]
pub struct Segments {
    /// Zero where there is no P wave.
    pub(super) p: Wave<P_POINTS>,
    pub(super) qrs: Wave<QRS_POINTS>,
    pub(super) st_t: Wave<T_POINTS>,
}

impl Segments {
    pub fn of(signal: &Signal, measured: &Measurements) -> Result<Self, MissingReason> {
        let marks = &measured.fiducials;
        let (Some(on), Some(off)) = (marks.qrs_onset, marks.qrs_offset) else {
            return Err(MissingReason::NoBeats);
        };
        let traces: Option<Vec<&[f32]>> =
            LEADS.iter().map(|&lead| Some(&signal.trace(lead)?.samples_uv[..])).collect();
        let traces = traces.ok_or(MissingReason::LeadAbsent)?;
        let hz = signal.rate.hz();
        let t_end = t_end(marks, off, hz);
        let beats = BeatMean::of(measured, on, hz);
        Ok(Self {
            p: match (marks.p_onset, marks.p_offset) {
                (Some(from), Some(to)) => wave(&beats, &traces, from, to)?,
                _ => [[0.0; P_POINTS]; LEADS.len()],
            },
            qrs: wave(&beats, &traces, on, off)?,
            st_t: wave(&beats, &traces, off, t_end)?,
        })
    }

    /// What the electrodes would have given had these two not been exchanged. Doing it twice changes
    /// nothing. An exchange with the right leg loses what it exchanged and stays as it is.
    #[must_use]
    pub fn exchanged(&self, swap: Swap) -> Self {
        let mut other = self.clone();
        exchange(&mut other.p, swap);
        exchange(&mut other.qrs, swap);
        exchange(&mut other.st_t, swap);
        other
    }

    /// Root mean square of I, II and III over the QRS.
    pub(super) fn limb_sizes_uv(&self) -> [f64; 3] {
        let [one, two, ..] = self.qrs;
        let size = |of: &dyn Fn(usize) -> f64| {
            ((0..QRS_POINTS).map(|k| of(k).powi(2)).sum::<f64>() / QRS_POINTS as f64).sqrt()
        };
        [size(&|k| one[k]), size(&|k| two[k]), size(&|k| two[k] - one[k])]
    }
}

fn wave<const N: usize>(
    beats: &BeatMean,
    traces: &[&[f32]],
    from: i32,
    to: i32,
) -> Result<Wave<N>, MissingReason> {
    let mut wave = [[0.0; N]; LEADS.len()];
    for (mean, trace) in wave.iter_mut().zip(traces) {
        *mean = beats.points(trace, from, to).ok_or(MissingReason::Gap)?;
    }
    Ok(wave)
}

fn exchange<const N: usize>(wave: &mut Wave<N>, swap: Swap) {
    // Electrode potentials: I = LA - RA, II = LL - RA. The chest leads' reference is the mean of
    // the three and does not change.
    let limb = |wave: &mut Wave<N>, [a, b]: [f64; 2], [c, d]: [f64; 2]| {
        let [one, two, ..] = wave;
        for (one, two) in one.iter_mut().zip(two) {
            (*one, *two) = (a * *one + b * *two, c * *one + d * *two);
        }
    };
    match swap {
        Swap::LeftArmRightArm => limb(wave, [-1.0, 0.0], [-1.0, 1.0]),
        Swap::RightArmLeftLeg => limb(wave, [1.0, -1.0], [0.0, -1.0]),
        Swap::LeftArmLeftLeg => limb(wave, [0.0, 1.0], [1.0, 0.0]),
        Swap::V1V2 => wave.swap(2, 3),
        Swap::V2V3 => wave.swap(3, 4),
        Swap::V3V4 => wave.swap(4, 5),
        Swap::V4V5 => wave.swap(5, 6),
        Swap::V5V6 => wave.swap(6, 7),
        Swap::RightArmRightLeg | Swap::LeftArmRightLeg => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave<const N: usize>(slope: f64) -> Wave<N> {
        std::array::from_fn(|lead| std::array::from_fn(|k| slope * (lead * 7 + k) as f64 + 1.0))
    }

    #[test]
    fn an_exchange_undoes_itself() {
        let segments = Segments { p: wave(1.0), qrs: wave(-3.0), st_t: wave(0.5) };
        for swap in Swap::MODELED {
            let once = segments.exchanged(swap);
            assert_eq!(once.exchanged(swap).qrs, segments.qrs, "{swap:?}");
            assert_ne!(once.qrs, segments.qrs, "{swap:?}");
        }
    }
}
