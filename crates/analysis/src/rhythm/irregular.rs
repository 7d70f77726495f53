//! How much the intervals change from beat to beat, in numbers that a few early beats do not move.

use crate::numeric::mean;

/// Two intervals this close are alike, seconds: the tolerance of the entropy.
const ALIKE_S: f64 = 0.030;

/// What the intervals show.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Irregularity {
    pub intervals: usize,
    /// Mean interval, seconds.
    pub usual_s: f64,
    /// Mean change from one interval to the next, as a share of the mean interval.
    pub change: f64,
    /// Coefficient of sample entropy (Lake and Moorman, Am J Physiol 2011;300:H319): how little the
    /// next interval can be told from the one before, corrected for the rate.
    pub entropy: f64,
}

impl Irregularity {
    pub fn of(runs: &[Vec<f64>]) -> Self {
        let usual = mean(runs.iter().flatten().copied());
        let changes = runs.iter().flat_map(|run| run.windows(2).map(|w| (w[1] - w[0]).abs()));
        let change = mean(changes) / usual;
        if !change.is_finite() {
            return Self::default();
        }
        Self {
            intervals: runs.iter().map(Vec::len).sum(),
            usual_s: usual,
            change,
            entropy: entropy(runs, usual),
        }
    }
}

/// -ln(A/B) + ln(2r) - ln(mean): A pairs of intervals alike together with the next, B pairs alike.
fn entropy(runs: &[Vec<f64>], usual_s: f64) -> f64 {
    let pairs: Vec<(f64, f64)> =
        runs.iter().flat_map(|run| run.windows(2).map(|w| (w[0], w[1]))).collect();
    let (mut alike, mut both) = (0_usize, 0_usize);
    for (k, a) in pairs.iter().enumerate() {
        for b in &pairs[k + 1..] {
            if (a.0 - b.0).abs() <= ALIKE_S {
                alike += 1;
                both += usize::from((a.1 - b.1).abs() <= ALIKE_S);
            }
        }
    }
    // Half a pair stands for none, so that short strips have a value.
    let ratio = (both as f64).max(0.5) / (alike as f64).max(1.0);
    -ratio.ln() + (2.0 * ALIKE_S).ln() - usual_s.ln()
}
