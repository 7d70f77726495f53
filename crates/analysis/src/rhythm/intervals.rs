//! Statistics of the intervals between beats, and the pauses.

use precordia_model::{Pause, RrStatistics};

/// An interval longer than this is listed as a pause. Two seconds is where long recordings are
/// usually searched; what counts is for the reader of its length (three seconds and more in the
/// 2018 ACC/AHA/HRS bradycardia guideline).
pub(crate) const PAUSE_MS: f64 = 2000.0;

/// Difference of successive intervals that pNN50 counts.
const PNN_MS: f64 = 50.0;

/// Adds intervals up one by one, so that a day needs no more room than a minute.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RrSum {
    count: u32,
    /// Mean and sum of squares from it (Welford 1962).
    mean_ms: f64,
    squares: f64,
    differences: u32,
    difference_squares: f64,
    over_50: u32,
    min_ms: f64,
    max_ms: f64,
}

impl RrSum {
    /// One interval, and the one right before it if there is one.
    pub fn add(&mut self, rr_ms: f64, before_ms: Option<f64>) {
        self.count += 1;
        let step = rr_ms - self.mean_ms;
        self.mean_ms += step / f64::from(self.count);
        self.squares += step * (rr_ms - self.mean_ms);
        self.min_ms = if self.count == 1 { rr_ms } else { self.min_ms.min(rr_ms) };
        self.max_ms = self.max_ms.max(rr_ms);
        if let Some(before_ms) = before_ms {
            let difference = (rr_ms - before_ms).abs();
            self.differences += 1;
            self.difference_squares += difference * difference;
            self.over_50 += u32::from(difference > PNN_MS);
        }
    }

    pub fn statistics(&self) -> Option<RrStatistics> {
        let share = |sum: f64, n: u32| if n > 0 { sum / f64::from(n) } else { 0.0 };
        (self.count > 0).then(|| RrStatistics {
            count: self.count,
            mean_ms: self.mean_ms,
            sd_ms: share(self.squares, self.count - 1).max(0.0).sqrt(),
            rmssd_ms: share(self.difference_squares, self.differences).sqrt(),
            pnn50_percent: 100.0 * share(f64::from(self.over_50), self.differences),
            min_ms: self.min_ms,
            max_ms: self.max_ms,
        })
    }
}

/// The intervals of a recording: `None` where the signal was broken between two beats.
pub(crate) fn statistics(rr_ms: &[Option<f64>]) -> Option<RrStatistics> {
    let mut sum = RrSum::default();
    for (at, rr) in rr_ms.iter().enumerate() {
        if let Some(rr) = *rr {
            sum.add(rr, at.checked_sub(1).and_then(|before| rr_ms[before]));
        }
    }
    sum.statistics()
}

pub(crate) fn pauses(rr_ms: &[Option<f64>]) -> Vec<Pause> {
    let long = |(at, rr): (usize, &Option<f64>)| {
        rr.filter(|rr| *rr > PAUSE_MS).map(|rr_ms| Pause { beat: at as u32, rr_ms })
    };
    rr_ms.iter().enumerate().filter_map(long).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_those_of_the_definitions() {
        let rr = [800.0, 900.0, 840.0, 860.0].map(Some);
        let got = statistics(&rr).unwrap();
        assert_eq!((got.count, got.min_ms, got.max_ms), (4, 800.0, 900.0));
        assert!((got.mean_ms - 850.0).abs() < 1e-9);
        assert!((got.sd_ms - (5200.0_f64 / 3.0).sqrt()).abs() < 1e-9, "{got:?}");
        assert!((got.rmssd_ms - (14000.0_f64 / 3.0).sqrt()).abs() < 1e-9, "{got:?}");
        assert!((got.pnn50_percent - 200.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_break_is_neither_an_interval_nor_between_neighbours() {
        let got = statistics(&[Some(800.0), None, Some(1000.0)]).unwrap();
        assert_eq!((got.count, got.rmssd_ms), (2, 0.0));
        assert_eq!(statistics(&[None, None]), None);
        assert_eq!(pauses(&[Some(2000.0), Some(2001.0), None]).len(), 1);
    }
}
