//! Boundaries of the representative beat as experts would mark them.
//!
//! [`crate::edge`] finds where the signal departs from its line, which is the truth of a signal
//! without noise. In a real one the foot of a wave drowns, and the marks of experts, which
//! [`crate::delineation`] has learnt, are the better guide. How much of either counts is told by
//! the noise of the single beats.

use crate::average::Average;
use crate::delineation::{Representative, representative};
use crate::edge::Joint;
use crate::numeric::median_f32;
use crate::wave::{PWave, Qrs};

/// Noise of a single beat under which a signal was not recorded but made, and above which the
/// marks alone count.
const MADE_UV: f32 = 2.0;
const RECORDED_UV: f32 = 16.0;
/// In a heart this fast, where P rides on T, experts marked too few recordings to learn from; in
/// one this slow they marked enough.
const FAST_RR_MS: f64 = 480.0;
const USUAL_RR_MS: f64 = 650.0;
/// Marks further than this from where the signal departs are of something else.
const MARKS_REACH_MS: f64 = 80.0;

pub(crate) struct Seen {
    marked: Representative,
    /// Share of the marks in the boundary.
    share: f64,
    reach: f64,
}

impl Seen {
    pub fn of(average: &Average, joint: &Joint, rr: f64) -> Self {
        let counts: Vec<bool> = joint.weights.iter().map(|w| *w > 0.0).collect();
        let mut noise: Vec<f32> =
            average.leads.iter().map(|lead| lead.noise_uv).filter(|n| n.is_finite()).collect();
        let noise_uv = if noise.is_empty() { RECORDED_UV } else { median_f32(&mut noise) };
        let share = ((noise_uv - MADE_UV) / (RECORDED_UV - MADE_UV)).clamp(0.0, 1.0);
        let steady = (average.ms(rr) - FAST_RR_MS) / (USUAL_RR_MS - FAST_RR_MS);
        Self {
            marked: representative(average, average.ms(rr), &counts),
            share: f64::from(share) * steady.clamp(0.0, 1.0),
            reach: MARKS_REACH_MS * average.rate_hz / 1000.0,
        }
    }

    fn between(&self, departs: f64, marked: Option<f64>) -> f64 {
        match marked.filter(|marked| (marked - departs).abs() <= self.reach) {
            Some(marked) => departs + self.share * (marked - departs),
            None => departs,
        }
    }

    pub fn p(&self) -> impl Fn(PWave) -> PWave {
        |p| PWave {
            onset: self.between(p.onset, self.marked.p.map(|p| p[0])),
            offset: self.between(p.offset, self.marked.p.map(|p| p[1])),
        }
    }

    pub fn qrs(&self, qrs: Qrs) -> Qrs {
        Qrs {
            onset: self.between(qrs.onset, self.marked.qrs.map(|q| q[0])),
            offset: self.between(qrs.offset, self.marked.qrs.map(|q| q[1])),
        }
    }

    pub fn t_end(&self, end: f64) -> f64 {
        self.between(end, self.marked.t.map(|t| t[1]))
    }
}
