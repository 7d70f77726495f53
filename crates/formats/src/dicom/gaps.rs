//! Which raw values are no measurements: padding, bits beyond the stored ones, rails.
//!
//! Padding becomes gaps. Bits beyond the stored ones are repaired only where the repair is proven,
//! and otherwise refused. A signal at the end of its range is reported and left as it is.

use super::samples::{GAP, Samples};

/// Consecutive samples at the end of the range that mean saturation.
const RAIL_RUN_MIN: usize = 3;

/// Marks declared padding; says how many samples it marked.
pub(crate) fn mark_declared(raw: &mut [i64], padding: i64) -> usize {
    let mut marked = 0;
    for value in raw.iter_mut().filter(|value| **value == padding) {
        *value = GAP;
        marked += 1;
    }
    marked
}

/// Marks runs of the customary padding value that nobody declared. A run is padding when the whole
/// row of the group holds it, or when it is entered and left by a jump of more than a quarter of the
/// range, which no heart makes; what drifts into the rail is a saturated signal and stays.
pub(crate) fn mark_undeclared(raw: &mut [i64], samples: &Samples<'_>) -> usize {
    let Some(padding) = samples.customary_padding().filter(|padding| raw.contains(padding)) else {
        return 0;
    };
    let jump = 1_i64 << (samples.bits_allocated() - 2);
    let far = |neighbor: Option<&i64>| {
        neighbor.is_none_or(|&value| value == GAP || (value - padding).abs() > jump)
    };
    let mut marked = 0;
    let mut at = 0;
    while at < raw.len() {
        if raw[at] != padding {
            at += 1;
            continue;
        }
        let end = raw[at..]
            .iter()
            .position(|&value| value != padding)
            .map_or(raw.len(), |length| at + length);
        let jumps = far(at.checked_sub(1).and_then(|before| raw.get(before))) && far(raw.get(end));
        for (row, value) in raw.iter_mut().enumerate().take(end).skip(at) {
            if jumps || samples.row_holds_only(row, padding) {
                *value = GAP;
                marked += 1;
            }
        }
        at = end;
    }
    marked
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoredBits {
    AsDeclared,
    /// The sign bit of the stored bits was extended over the unused ones.
    SignExtended,
    /// The unused bits hold something, or the sign is not certain.
    Contradicted,
}

/// PS3.3 C.10.9.1.5: `stored` low bits are the sample; signed samples extend their sign above. Where
/// a writer left zeros above, the sign is in the stored bits still. That those are two's complement
/// and not an offset is proven by the signal: the wrong reading jumps over the whole range at each
/// zero crossing.
pub(crate) fn settle_stored_bits(raw: &mut [i64], stored: u32, signed: bool) -> StoredBits {
    let span = 1_i64 << stored;
    let Some((lowest, highest)) = range(raw) else { return StoredBits::AsDeclared };
    if !signed {
        let fits = highest < span;
        return if fits { StoredBits::AsDeclared } else { StoredBits::Contradicted };
    }
    if lowest >= -span / 2 && highest < span / 2 {
        return StoredBits::AsDeclared;
    }
    if lowest < 0 || highest >= span {
        return StoredBits::Contradicted;
    }
    let extend = |value: i64| if value >= span / 2 { value - span } else { value };
    if travel(raw, extend) >= travel(raw, |value| value) {
        return StoredBits::Contradicted;
    }
    raw.iter_mut().filter(|value| **value != GAP).for_each(|value| *value = extend(*value));
    StoredBits::SignExtended
}

/// The least and the greatest value that are there.
fn range(raw: &[i64]) -> Option<(i64, i64)> {
    let highest = raw.iter().copied().fold(GAP, i64::max);
    // One above, a gap is the greatest of all and never the least.
    let lowest =
        raw.iter().map(|value| value.wrapping_sub(1)).fold(i64::MAX, i64::min).wrapping_add(1);
    (highest != GAP).then_some((lowest, highest))
}

/// The sum of all steps from sample to sample.
fn travel(raw: &[i64], read: impl Fn(i64) -> i64) -> i64 {
    raw.windows(2)
        .filter(|pair| !pair.contains(&GAP))
        .map(|pair| (read(pair[1]) - read(pair[0])).abs())
        .sum()
}

/// Samples in runs at either end of the stored range.
pub(crate) fn saturated(raw: &[i64], stored: u32, signed: bool) -> usize {
    let span = 1_i64 << stored;
    let (low, high) = if signed { (-span / 2, span / 2 - 1) } else { (0, span - 1) };
    let mut total = 0;
    for rail in [low, high].into_iter().filter(|rail| raw.contains(rail)) {
        total += raw
            .chunk_by(|a, b| a == b)
            .filter(|run| run[0] == rail && run.len() >= RAIL_RUN_MIN)
            .map(<[i64]>::len)
            .sum::<usize>();
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_filled_high_bits_are_extended_when_the_signal_proves_the_sign() {
        let mut around_zero = vec![3, 1, 4095, 4090, 4094, 2, 5];
        assert_eq!(settle_stored_bits(&mut around_zero, 12, true), StoredBits::SignExtended);
        assert_eq!(around_zero, [3, 1, -1, -6, -2, 2, 5]);
        let mut to_the_rail = vec![0, 0xFFF, 0x801, 0x800, 0x801, 0xFFF, 0];
        assert_eq!(settle_stored_bits(&mut to_the_rail, 12, true), StoredBits::SignExtended);
        assert_eq!(to_the_rail, [0, -1, -2047, -2048, -2047, -1, 0]);
    }

    #[test]
    fn an_offset_around_the_middle_is_not_taken_for_a_sign() {
        let mut offset = vec![2040, 2045, 2050, 2055, 2046];
        assert_eq!(settle_stored_bits(&mut offset, 12, true), StoredBits::Contradicted);
        assert_eq!(offset, [2040, 2045, 2050, 2055, 2046]);
    }

    #[test]
    fn foreign_bits_above_the_stored_ones_are_a_contradiction() {
        assert_eq!(settle_stored_bits(&mut [1, 0x3001, -5], 12, true), StoredBits::Contradicted);
        assert_eq!(settle_stored_bits(&mut [8191, 0, 8191, 0], 12, true), StoredBits::Contradicted);
        assert_eq!(settle_stored_bits(&mut [1, 4096], 12, false), StoredBits::Contradicted);
    }

    #[test]
    fn values_that_fit_and_gaps_are_left_alone() {
        assert_eq!(settle_stored_bits(&mut [-2048, 2047, GAP], 12, true), StoredBits::AsDeclared);
        assert_eq!(settle_stored_bits(&mut [0, 4095, GAP], 12, false), StoredBits::AsDeclared);
        assert_eq!(
            settle_stored_bits(&mut [i64::from(i32::MIN), i64::from(i32::MAX)], 32, true),
            StoredBits::AsDeclared
        );
    }

    #[test]
    fn only_runs_at_the_end_of_the_range_are_saturation() {
        assert_eq!(saturated(&[0, 127, 127, 127, 3, 127, 127, -128, -128, -128, -128], 8, true), 7);
        assert_eq!(saturated(&[255, 255, 255, 0], 8, false), 3);
        assert_eq!(saturated(&[100, 100, 100], 8, true), 0);
    }
}
