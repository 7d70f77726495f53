//! The shapes of P, QRS, ST and T in one lead, in milliseconds from the R apex.
//!
//! Every shape is zero at and outside its ends and leaves them with a finite slope.

use std::f64::consts::{FRAC_PI_2, PI};

use precordia_model::Lead;

use crate::lead::{self, KNOTS};
use crate::{BeatKind, QrsShape, Spec};

/// The boundaries of one beat's waves in milliseconds from the R apex.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// Onset and end of the P wave.
    pub p: Option<(f64, f64)>,
    pub qrs_on: f64,
    /// The J point.
    pub qrs_off: f64,
    pub t_on: f64,
    pub t_off: f64,
}

impl Timing {
    /// The apex stands on a sample, and so does the QRS onset.
    pub fn of(spec: &Spec, kind: BeatKind, has_p: bool) -> Self {
        let (shape, qrs_ms, qt_ms, t_ms) = Self::durations(spec, kind);
        let period_ms = 1000.0 / spec.sampling_hz;
        let qrs_on =
            -(lead::apex_fraction(shape) * qrs_ms / period_ms).round().max(1.0) * period_ms;
        let p_on = qrs_on - spec.pr_ms;
        Self {
            p: (has_p && kind == BeatKind::Normal).then_some((p_on, p_on + spec.p_ms)),
            qrs_on,
            // A QRS shorter than a few samples must still end after its apex.
            qrs_off: (qrs_on + qrs_ms).max(0.25 * period_ms),
            t_on: qrs_on + qt_ms - t_ms,
            t_off: qrs_on + qt_ms,
        }
    }

    fn durations(spec: &Spec, kind: BeatKind) -> (QrsShape, f64, f64, f64) {
        match kind {
            BeatKind::Normal => {
                (spec.qrs_shape, spec.qrs_ms, spec.qt_ms, spec.t_ms.unwrap_or(0.45 * spec.qt_ms))
            }
            BeatKind::Ectopic => {
                let qrs_ms = 150f64.max(spec.qrs_ms);
                let qt_ms = (spec.qt_ms + 40.0).max(qrs_ms + 120.0);
                // The T wave begins after the widest QRS ends.
                let t_ms = (0.4 * qt_ms).min(qt_ms - qrs_ms - 10.0);
                (QrsShape::LeftBundleBranchBlock, qrs_ms, qt_ms, t_ms)
            }
        }
    }
}

/// One lead's heights for one kind of beat.
#[derive(Clone, Debug)]
pub struct LeadBeat {
    timing: Timing,
    p_uv: f64,
    t_uv: f64,
    st_uv: f64,
    /// Time and height: onset, knots, J point.
    qrs: [(f64, f64); KNOTS + 2],
}

impl LeadBeat {
    pub fn of(spec: &Spec, kind: BeatKind, lead: Lead, timing: Timing) -> Self {
        let ectopic = kind == BeatKind::Ectopic;
        let shape = if ectopic { QrsShape::LeftBundleBranchBlock } else { spec.qrs_shape };
        let st_uv = if ectopic { 0.0 } else { st_level_uv(spec, lead) };
        // A beat from the ventricle runs against the normal one, and its T wave against it.
        let (qrs_axis, t_axis) = if ectopic {
            (spec.qrs_axis_deg - 120.0, spec.qrs_axis_deg + 60.0)
        } else {
            (spec.qrs_axis_deg, spec.t_axis_deg)
        };
        let larger = if ectopic { 1.3 } else { 1.0 };
        let heights = match lead::frontal(lead, qrs_axis) {
            Some(seen) => lead::frontal_qrs(shape).map(|h| h * seen),
            None => lead::transverse_qrs(shape, lead),
        };
        let t_seen = lead::frontal(lead, t_axis).unwrap_or_else(|| lead::transverse_t(shape, lead));
        let p_seen =
            lead::frontal(lead, spec.p_axis_deg).unwrap_or_else(|| lead::transverse_p(lead));

        let mut qrs = [(timing.qrs_on, 0.0); KNOTS + 2];
        for (knot, (place, height)) in
            qrs[1..].iter_mut().zip(lead::knot_places(shape).into_iter().zip(heights))
        {
            let side_ms = if place < 0.0 { -timing.qrs_on } else { timing.qrs_off };
            *knot = (place * side_ms, height * spec.qrs_uv * larger);
        }
        qrs[KNOTS + 1] = (timing.qrs_off, st_uv);
        Self { timing, p_uv: p_seen * spec.p_uv, t_uv: t_seen * spec.t_uv * larger, st_uv, qrs }
    }

    /// Microvolts at a time from the R apex.
    pub fn at(&self, ms: f64) -> f64 {
        self.p_at(ms)
            + self.qrs_at(ms)
            + self.st_at(ms)
            + self.t_uv * skewed(ms, self.timing.t_on, self.timing.t_off)
    }

    /// The P wave alone.
    pub fn p_at(&self, ms: f64) -> f64 {
        self.timing.p.map_or(0.0, |(on, off)| self.p_uv * half_sine(ms, on, off))
    }

    fn qrs_at(&self, ms: f64) -> f64 {
        if ms <= self.timing.qrs_on || ms >= self.timing.qrs_off {
            return 0.0;
        }
        let upper = self.qrs.iter().position(|&(at, _)| at >= ms).unwrap_or(KNOTS + 1).max(1);
        let ((x0, y0), (x1, y1)) = (self.qrs[upper - 1], self.qrs[upper]);
        y0 + (y1 - y0) * (ms - x0) / (x1 - x0)
    }

    /// Constant from the J point to the T onset, then falling to zero under the T wave.
    fn st_at(&self, ms: f64) -> f64 {
        let Timing { qrs_off, t_on, t_off, .. } = self.timing;
        if ms < qrs_off || ms >= t_off {
            0.0
        } else if ms <= t_on {
            self.st_uv
        } else {
            self.st_uv * (t_off - ms) / (t_off - t_on)
        }
    }
}

/// The ST level of a lead: its own, else its view of the frontal shift.
pub fn st_level_uv(spec: &Spec, lead: Lead) -> f64 {
    let projected = || {
        let st = spec.st_frontal?;
        Some(st.magnitude_uv * lead::frontal(lead, st.axis_deg)?)
    };
    spec.st_uv.get(&lead).copied().or_else(projected).unwrap_or(0.0)
}

fn half_sine(ms: f64, on: f64, off: f64) -> f64 {
    if ms <= on || ms >= off { 0.0 } else { (PI * (ms - on) / (off - on)).sin() }
}

/// A slow rise to the peak at three fifths and a quicker fall, as a T wave has.
fn skewed(ms: f64, on: f64, off: f64) -> f64 {
    if ms <= on || ms >= off {
        return 0.0;
    }
    let peak = on + 0.6 * (off - on);
    let part = if ms < peak { (ms - on) / (peak - on) } else { (off - ms) / (off - peak) };
    (FRAC_PI_2 * part).sin()
}
