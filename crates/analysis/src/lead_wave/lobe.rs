//! Deflections of one lead between two crossings of its reference level.

use std::cmp::Ordering;
use std::ops::Range;

/// The least that a wave measures.
pub(super) struct Size {
    pub height_uv: f64,
    pub columns: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Lobe {
    /// Columns, between samples where the signal crosses there.
    pub from: f64,
    pub to: f64,
    pub peak: usize,
    /// Signed, of the sample furthest from the reference.
    pub height_uv: f64,
}

impl Lobe {
    pub fn cmp_height(&self, other: &Lobe) -> Ordering {
        self.height_uv.total_cmp(&other.height_uv)
    }

    pub fn cmp_size(&self, other: &Lobe) -> Ordering {
        self.height_uv.abs().total_cmp(&other.height_uv.abs())
    }
}

/// The deflections between two edges that are large enough, in their order; two of one direction
/// that only a small one parts are one.
pub(super) fn lobes(at: &impl Fn(usize) -> f64, edges: Range<f64>, size: &Size) -> Vec<Lobe> {
    let (first, last) = (edges.start.ceil() as usize, edges.end.floor() as usize);
    let mut all: Vec<Lobe> = Vec::new();
    for column in first..=last {
        let height_uv = at(column);
        match all.last_mut() {
            Some(lobe) if same_side(lobe.height_uv, height_uv) => {
                if height_uv.abs() > lobe.height_uv.abs() {
                    (lobe.peak, lobe.height_uv) = (column, height_uv);
                }
            }
            Some(lobe) => {
                let before_uv = at(column - 1);
                let share = before_uv / (before_uv - height_uv);
                let crossing = column as f64 - 1.0 + share;
                lobe.to = crossing;
                all.push(Lobe { from: crossing, to: edges.end, peak: column, height_uv });
            }
            None => {
                all.push(Lobe { from: edges.start, to: edges.end, peak: column, height_uv });
            }
        }
    }
    let mut kept: Vec<Lobe> = Vec::new();
    let large = |l: &Lobe| l.height_uv.abs() >= size.height_uv && l.to - l.from >= size.columns;
    for lobe in all.into_iter().filter(large) {
        match kept.last_mut() {
            Some(before) if same_side(before.height_uv, lobe.height_uv) => {
                before.to = lobe.to;
                if lobe.height_uv.abs() > before.height_uv.abs() {
                    (before.peak, before.height_uv) = (lobe.peak, lobe.height_uv);
                }
            }
            _ => kept.push(lobe),
        }
    }
    kept
}

/// Zero goes with what came before it.
fn same_side(a: f64, b: f64) -> bool {
    b == 0.0 || a * b > 0.0
}

/// Takes flat stretches from the start of the first wave and the end of the last: what stays below
/// the least height for longer than the least duration.
pub(super) fn trim(at: &impl Fn(usize) -> f64, found: &mut [Lobe], size: &Size) {
    trim_start(at, found, size);
    if let Some(lobe) = found.last_mut() {
        let columns = (lobe.peak..=lobe.to.floor() as usize).rev();
        let risen = columns.clone().find(|&c| at(c).abs() >= size.height_uv);
        if let Some(column) = risen.filter(|&c| lobe.to - c as f64 > size.columns) {
            lobe.to = foot(at, column, column + 1, size).min(lobe.to);
        }
    }
}

pub(super) fn trim_start(at: &impl Fn(usize) -> f64, found: &mut [Lobe], size: &Size) {
    if let Some(lobe) = found.first_mut() {
        let mut columns = lobe.from.ceil() as usize..=lobe.peak;
        let risen = columns.find(|&c| at(c).abs() >= size.height_uv);
        if let Some(column) = risen.filter(|&c| c as f64 - lobe.from > size.columns) {
            lobe.from = foot(at, column, column.saturating_sub(1), size).max(lobe.from);
        }
    }
}

/// Where the signal passes the least height, between a column above it and its neighbour below.
fn foot(at: &impl Fn(usize) -> f64, above: usize, below: usize, size: &Size) -> f64 {
    let (high, low) = (at(above).abs(), at(below).abs());
    let share = if high > low { (high - size.height_uv) / (high - low) } else { 0.0 };
    above as f64 + (below as f64 - above as f64) * share.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { height_uv: 20.0, columns: 3.0 };

    fn found(samples: &[f64]) -> Vec<(f64, f64, f64)> {
        let at = |column: usize| samples[column];
        let mut found = lobes(&at, 0.0..samples.len() as f64 - 1.0, &SIZE);
        trim(&at, &mut found, &SIZE);
        found.iter().map(|l| (l.from, l.to, l.height_uv)).collect()
    }

    #[test]
    fn waves_are_parted_where_the_level_is_crossed() {
        let samples =
            [0.0, -40.0, -40.0, -40.0, 40.0, 120.0, 120.0, 40.0, -40.0, -40.0, -40.0, 0.0];
        assert_eq!(found(&samples), [(0.0, 3.5, -40.0), (3.5, 7.5, 120.0), (7.5, 11.0, -40.0)]);
    }

    #[test]
    fn small_and_short_deflections_are_no_waves_and_part_none() {
        let shallow = [0.0, 50.0, 80.0, 50.0, -10.0, -10.0, -10.0, -10.0, 30.0, 30.0, 30.0, 0.0];
        assert_eq!(found(&shallow), [(0.0, 11.0, 80.0)]);
        let short = [0.0, 50.0, 80.0, 50.0, -50.0, 50.0, 50.0, 30.0, 20.0, 0.0];
        assert_eq!(found(&short), [(0.0, 9.0, 80.0)]);
        assert_eq!(found(&[0.0; 12]), []);
    }

    #[test]
    fn a_flat_stretch_at_either_end_belongs_to_no_wave() {
        let samples =
            [0.0, 2.0, 2.0, 2.0, 2.0, 0.0, 40.0, 90.0, 40.0, 0.0, 2.0, 2.0, 2.0, 2.0, 0.0];
        assert_eq!(found(&samples), [(5.5, 8.5, 90.0)]);
    }
}
