//! Limb leads from each other, and axes in the frontal plane.
//!
//! Einthoven: I + III = II. Goldberger: aVR = -(I + II) / 2, aVL = I - II / 2, aVF = II - I / 2.
//! In Einthoven's triangle lead I sees the full vector along 0 degrees, aVF only half the square
//! root of three of it along 90; the axis is the angle of (I, 2 aVF / sqrt 3), each the net area of
//! the wave, so that a late S counts as much as it lasts.

use std::ops::Range;

use precordia_model::{Lead, Measured, MissingReason};

use crate::average::Average;

/// The frontal plane of the representative beat.
pub(crate) struct Frontal {
    one: Vec<f32>,
    avf: Vec<f32>,
    /// Standard deviation of a sample of either.
    error_uv: f32,
}

impl Frontal {
    pub fn of(average: &Average) -> Option<Self> {
        let lead = |lead| average.lead(lead).map(|l| &l.uv[..]);
        let mix = |a: &[f32], x: f32, b: &[f32], y: f32| -> Vec<f32> {
            a.iter().zip(b).map(|(a, b)| x * a + y * b).collect()
        };
        let (one, two, three) = (lead(Lead::I), lead(Lead::II), lead(Lead::III));
        let (one, avf) = match (one, lead(Lead::AVF), two, three) {
            (Some(one), Some(avf), ..) => (one.to_vec(), avf.to_vec()),
            (Some(one), None, Some(two), _) => (one.to_vec(), mix(two, 1.0, one, -0.5)),
            (Some(one), None, None, Some(three)) => (one.to_vec(), mix(three, 1.0, one, 0.5)),
            (None, _, Some(two), Some(three)) => {
                (mix(two, 1.0, three, -1.0), mix(two, 0.5, three, 0.5))
            }
            _ => return None,
        };
        let limb = average.leads.iter().filter(|l| l.lead.is_limb());
        let error_uv = limb.map(|l| l.error_uv()).filter(|e| e.is_finite()).fold(0.0, f32::max);
        Some(Self { one, avf, error_uv })
    }

    /// Axis of the net area between two columns against the straight line between two levels.
    pub fn axis(&self, columns: Range<usize>, levels: [Range<usize>; 2]) -> Measured {
        let (x, scale) = self.area(&self.one, &columns, &levels);
        let (y, _) = self.area(&self.avf, &columns, &levels);
        let y = y * 2.0 / 3f64.sqrt();
        // A net area of the size of its own error points anywhere.
        let error = f64::from(self.error_uv) * scale.sqrt() * 4.0 + 1e-3 * scale;
        let size = x.hypot(y);
        if !(size.is_finite() && size > error.max(f64::MIN_POSITIVE)) {
            return Measured::Missing(MissingReason::PoorQuality);
        }
        Measured::Value(angle_deg(x, y))
    }

    fn area(&self, uv: &[f32], columns: &Range<usize>, levels: &[Range<usize>; 2]) -> (f64, f64) {
        let level = |range: &Range<usize>| {
            let part = &uv[range.clone()];
            part.iter().map(|&x| f64::from(x)).sum::<f64>() / part.len() as f64
        };
        let (first, last) = (level(&levels[0]), level(&levels[1]));
        let sum: f64 = uv[columns.clone()].iter().map(|&x| f64::from(x)).sum();
        let count = columns.len() as f64;
        (sum - count * (first + last) / 2.0, count)
    }
}

/// Angle in (-180, 180].
pub(crate) fn angle_deg(x: f64, y: f64) -> f64 {
    let deg = y.atan2(x).to_degrees();
    if deg <= -180.0 { deg + 360.0 } else { deg }
}

/// What a limb lead is, of I and II.
pub(crate) const fn of_one_and_two(lead: Lead) -> Option<(f64, f64)> {
    match lead {
        Lead::III => Some((-1.0, 1.0)),
        Lead::AVR => Some((-0.5, -0.5)),
        Lead::AVL => Some((1.0, -0.5)),
        Lead::AVF => Some((-0.5, 1.0)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_lie_above_minus_180_and_up_to_180() {
        for (x, y, deg) in [
            (1.0, 0.0, 0.0),
            (0.0, 1.0, 90.0),
            (-1.0, 0.0, 180.0),
            (-1.0, -0.0, 180.0),
            (0.0, -1.0, -90.0),
        ] {
            assert_eq!(angle_deg(x, y), deg);
        }
    }
}
