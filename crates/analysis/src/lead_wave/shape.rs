//! Notches of a wave, and the end of a T wave by its tangent.

use super::lobe::{Lobe, Size};

/// A notch at the end of the QRS may stand this much after the global end.
pub(super) const NOTCH_AFTER_J_MS: f64 = 24.0;
/// A valley between two summits must be this deep, and this share of the wave.
const VALLEY_UV: f64 = 40.0;
const VALLEY_SHARE: f64 = 0.04;
/// A notch of the last fall stands in its lower half.
const NOTCH_SHARE_MAX: f64 = 0.5;
/// Half the span over which a T wave's slope is taken, ms; and how far its steepest place may be
/// from the peak.
const SLOPE_MS: f64 = 8.0;
const STEEPEST_MS: f64 = 160.0;
/// Half the span over which the speed of the QRS is taken, ms.
const SPEED_MS: f64 = 3.0;
/// Least T wave whose end is told in a single lead.
const T_UV_MIN: f64 = 50.0;

/// Whether an upward wave has a second summit.
pub(super) fn notched(at: &impl Fn(usize) -> f64, r: &Lobe, size: &Size) -> bool {
    let depth = valley_depth(r, size);
    let rises = |columns: &mut dyn Iterator<Item = usize>| rise_after_fall(at, columns) >= depth;
    rises(&mut (r.peak..=r.to.floor() as usize))
        || rises(&mut (r.from.ceil() as usize..=r.peak).rev())
}

fn valley_depth(r: &Lobe, size: &Size) -> f64 {
    VALLEY_UV.max(VALLEY_SHARE * r.height_uv).max(size.height_uv)
}

/// The greatest rise above the lowest place before it, on the way from a summit.
fn rise_after_fall(at: &impl Fn(usize) -> f64, columns: &mut dyn Iterator<Item = usize>) -> f64 {
    let (mut lowest, mut rise) = (f64::INFINITY, 0.0_f64);
    for height_uv in columns.map(at) {
        lowest = lowest.min(height_uv);
        rise = rise.max(height_uv - lowest);
    }
    rise
}

/// Columns from the first to the last summit of a wave, both half as high as the wave at least and
/// parted by a valley that is no noise; `None` with one summit.
pub(super) fn summits_apart(at: &impl Fn(usize) -> f64, wave: &Lobe, size: &Size) -> Option<usize> {
    let depth = 0.5 * size.height_uv;
    let height = |column: usize| at(column) * wave.height_uv.signum();
    let other = |columns: &mut dyn Iterator<Item = usize>| {
        let (mut lowest, mut summit) = (f64::INFINITY, None);
        let mut highest = f64::NEG_INFINITY;
        for column in columns {
            let here = height(column);
            lowest = lowest.min(here);
            let stands = here - lowest >= depth && here >= 0.5 * wave.height_uv.abs();
            if stands && here > highest {
                (highest, summit) = (here, Some(column));
            }
        }
        summit
    };
    let after = other(&mut (wave.peak..=wave.to.floor() as usize));
    let before = other(&mut (wave.from.ceil() as usize..=wave.peak).rev());
    let (first, last) = (before.unwrap_or(wave.peak), after.unwrap_or(wave.peak));
    (last > first).then_some(last - first)
}

/// Height of the last summit on the way down from R, when R does not cross its level before it.
pub(super) fn end_notch(
    at: &impl Fn(usize) -> f64,
    r: &Lobe,
    until: usize,
    size: &Size,
) -> Option<f64> {
    let depth = valley_depth(r, size);
    let (mut lowest, mut summit) = (f64::INFINITY, None);
    for column in r.peak + 1..until {
        let height_uv = at(column);
        if height_uv < 0.0 {
            break;
        }
        lowest = lowest.min(height_uv);
        let top = height_uv >= at(column - 1) && height_uv >= at(column + 1);
        if top && height_uv - lowest >= depth && height_uv <= NOTCH_SHARE_MAX * r.height_uv {
            summit = Some(height_uv);
        }
    }
    summit
}

/// Where the tangent at the steepest place behind the peak meets the level.
pub(super) fn tangent_end(
    at: &impl Fn(usize) -> f64,
    t: &Lobe,
    rate_hz: f64,
    width: usize,
) -> Option<f64> {
    if t.height_uv.abs() < T_UV_MIN {
        return None;
    }
    let columns = |ms: f64| (ms * rate_hz / 1000.0).round() as usize;
    let span = columns(SLOPE_MS).max(1);
    let last = (t.peak + columns(STEEPEST_MS)).min(t.to.ceil() as usize).min(width - 1 - span);
    let slope = |c: usize| (at(c + span) - at(c - span)) / (2.0 * span as f64);
    let downhill = |c: usize| -slope(c) * t.height_uv.signum();
    let from = t.peak.max(span);
    let steepest = (from..=last).max_by(|&a, &b| downhill(a).total_cmp(&downhill(b)))?;
    let slope = slope(steepest);
    let end = steepest as f64 - at(steepest) / slope;
    (downhill(steepest) > 0.0 && end > t.peak as f64 && end < width as f64).then_some(end)
}

/// Columns from the onset of the QRS until the leads together have half of their greatest speed.
pub(super) fn slow_start<'a>(
    leads: impl Iterator<Item = &'a [f32]>,
    onset: f64,
    offset: f64,
    rate_hz: f64,
) -> Option<f64> {
    let span = ((SPEED_MS * rate_hz / 1000.0).round() as usize).max(1);
    let (from, to) = (onset.floor() as usize, offset.ceil() as usize);
    let mut squares = vec![0.0_f64; to.checked_sub(from)? + 1];
    for uv in leads {
        for (k, square) in squares.iter_mut().enumerate() {
            let before = *uv.get((from + k).checked_sub(span)?)?;
            let change = f64::from(*uv.get(from + k + span)? - before);
            // A lead with a gap says nothing there.
            *square += if change.is_finite() { change * change } else { 0.0 };
        }
    }
    let fastest = squares.iter().copied().fold(0.0, f64::max);
    let half = squares.iter().position(|square| *square >= fastest / 4.0)?;
    (fastest > 0.0).then_some((from + half) as f64 - onset)
}
