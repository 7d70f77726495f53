//! Bimodal compression: full rate within protected areas, low-pass filtered and decimated outside of
//! them. EN 1064 5.9.3 and annex C.3.
//!
//! The full-rate samples outside are not in the file. They are interpolated in a straight line between
//! the decimated ones, each of which stands for the middle of the samples that it replaces.

use std::ops::Range;

/// What a stretch of the recording is stored as. Ranges are of samples from the lead's first, 0.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stretch {
    Full(Range<usize>),
    Decimated(Range<usize>),
}

/// How one lead is stored.
#[derive(Debug)]
pub(crate) struct Layout {
    stretches: Vec<Stretch>,
    factor: usize,
}

impl Layout {
    /// `first` and `last` are the lead's stretch and `areas` the protected ones, in sample numbers from
    /// 1. `None` where areas overlap, since what is stored then is not said.
    pub fn new(first: u32, last: u32, areas: &[(u32, u32)], factor: usize) -> Option<Self> {
        let mut areas: Vec<(u32, u32)> = areas.to_vec();
        areas.sort_unstable();
        if areas.windows(2).any(|pair| pair[1].0 <= pair[0].1) {
            return None;
        }
        let offset = |sample: u32| (sample - first) as usize;
        let end = offset(last) + 1;
        let (mut stretches, mut at) = (Vec::new(), 0);
        for (from, to) in areas.into_iter().filter(|(from, to)| *from <= last && *to >= first) {
            let (from, to) = (offset(from.max(first)), offset(to.min(last)) + 1);
            if at < from {
                stretches.push(Stretch::Decimated(at..from));
            }
            stretches.push(Stretch::Full(from..to));
            at = to;
        }
        if at < end {
            stretches.push(Stretch::Decimated(at..end));
        }
        Some(Self { stretches, factor })
    }

    /// How many samples are stored.
    pub fn stored(&self) -> usize {
        let stored = |stretch: &Stretch| match stretch {
            Stretch::Full(range) => range.len(),
            Stretch::Decimated(range) => range.len().div_ceil(self.factor),
        };
        self.stretches.iter().map(stored).sum()
    }

    /// All samples at the full rate from the stored ones.
    pub fn expand(&self, stored: &[i16]) -> Vec<f32> {
        let mut stored = stored.iter().copied().map(f32::from);
        let mut samples = Vec::new();
        for stretch in &self.stretches {
            match stretch {
                Stretch::Full(range) => samples.extend(stored.by_ref().take(range.len())),
                Stretch::Decimated(range) => {
                    let taken: Vec<f32> =
                        stored.by_ref().take(range.len().div_ceil(self.factor)).collect();
                    samples
                        .extend((0..range.len()).map(|at| self.between(&taken, at, range.len())));
                }
            }
        }
        samples
    }

    /// The middle of the samples that a decimated one stands for; the last may stand for fewer.
    fn middle(&self, index: usize, length: usize) -> f32 {
        let first = index * self.factor;
        let last = (first + self.factor).min(length) - 1;
        (first + last) as f32 / 2.0
    }

    fn between(&self, decimated: &[f32], at: usize, length: usize) -> f32 {
        let own = at / self.factor;
        let Some(&value) = decimated.get(own) else { return f32::NAN };
        let middle = self.middle(own, length);
        let place = at as f32;
        let other = if place < middle { own.checked_sub(1) } else { Some(own + 1) };
        let Some((other, &neighbor)) = other.and_then(|at| Some((at, decimated.get(at)?))) else {
            return value;
        };
        let share = (place - middle) / (self.middle(other, length) - middle);
        value + share * (neighbor - value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protected_samples_come_back_as_they_are_and_a_ramp_outside_of_them_too() {
        let layout = Layout::new(1, 20, &[(9, 12)], 4).unwrap();
        assert_eq!(layout.stored(), 2 + 4 + 2);
        let samples = layout.expand(&[0, 40, 7, 8, 9, 10, 100, 140]);
        assert_eq!(samples[..8], [0.0, 0.0, 5.0, 15.0, 25.0, 35.0, 40.0, 40.0]);
        assert_eq!(samples[8..12], [7.0, 8.0, 9.0, 10.0]);
        assert_eq!(samples[14..18], [105.0, 115.0, 125.0, 135.0]);
    }

    #[test]
    fn areas_are_cut_to_the_lead_and_may_not_overlap() {
        let layout = Layout::new(11, 20, &[(1, 12), (19, 30)], 4).unwrap();
        assert_eq!(layout.stored(), 2 + 2 + 2);
        assert_eq!(layout.expand(&[1, 2, 3, 3, 4, 5]).len(), 10);
        assert!(Layout::new(1, 20, &[(1, 8), (8, 12)], 4).is_none());
    }
}
