//! A lead as the delineator works on it: 500 samples a second whatever the recording has, gaps
//! bridged, and the mean over any stretch of time for the price of two look-ups.
//!
//! One time base makes one set of weights good for all rates. Faster recordings are averaged over
//! the working sample, slower ones are drawn out by a cubic through four samples (Catmull and Rom
//! 1974); neither adds a delay.

use crate::channel::Channel;

/// Working samples a second.
pub(crate) const WORK_HZ: f64 = 500.0;
/// Milliseconds a working sample.
pub(crate) const STEP_MS: f64 = 1000.0 / WORK_HZ;

/// From samples of the recording to working samples and back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeBase {
    /// Samples of the recording a working sample.
    ratio: f64,
}

impl TimeBase {
    pub fn of(rate_hz: f64) -> Self {
        Self { ratio: rate_hz / WORK_HZ }
    }

    /// An averaged sample stands for the middle of what was averaged.
    fn shift(self) -> f64 {
        (0.5 * (self.ratio - 1.0)).max(0.0)
    }

    pub fn recorded(self, at: f64) -> f64 {
        at * self.ratio + self.shift()
    }

    pub fn working(self, sample: f64) -> f64 {
        (sample - self.shift()) / self.ratio
    }

    fn len(self, samples: usize) -> usize {
        (samples as f64 / self.ratio).floor() as usize
    }
}

/// Microvolts over working samples, and their running sum.
#[derive(Clone, Debug, Default)]
pub(crate) struct Curve {
    pub uv: Vec<f32>,
    /// `sums[k]` is the sum of the first k samples.
    sums: Vec<f64>,
}

impl Curve {
    pub fn new(uv: Vec<f32>) -> Self {
        let mut sums = Vec::with_capacity(uv.len() + 1);
        let mut sum = 0.0_f64;
        sums.push(sum);
        for &x in &uv {
            sum += f64::from(x);
            sums.push(sum);
        }
        Self { uv, sums }
    }

    /// Integral up to a time; the first and last samples last for ever.
    fn integral(&self, at: f64) -> f64 {
        let last = self.uv.len() - 1;
        if at <= 0.0 {
            return at * f64::from(self.uv[0]);
        }
        let whole = at as usize;
        if whole > last {
            return self.sums[last + 1] + (at - (last + 1) as f64) * f64::from(self.uv[last]);
        }
        self.sums[whole] + (at - whole as f64) * f64::from(self.uv[whole])
    }

    /// Means over `out.len()` stretches of `width` that follow each other from `from` on. A sample
    /// stands for half a sample before and after its time.
    pub fn means(&self, from: f64, width: f64, out: &mut [f32]) {
        if self.uv.is_empty() {
            out.fill(0.0);
            return;
        }
        let mut before = self.integral(from + 0.5);
        for (k, o) in out.iter_mut().enumerate() {
            let after = self.integral(from + 0.5 + width * (k + 1) as f64);
            *o = ((after - before) / width) as f32;
            before = after;
        }
    }
}

/// A channel's samples on the working time base, and where it had none.
pub(crate) fn resampled(channel: &Channel, base: TimeBase) -> (Vec<f32>, Gaps) {
    let samples = &channel.samples_uv;
    let bridged;
    let mut gaps = Gaps::default();
    let source: &[f32] = if channel.has_gaps {
        gaps = Gaps::of(samples, base);
        bridged = bridge(samples);
        &bridged
    } else {
        samples
    };
    (resample(source, base), gaps)
}

/// The same of samples alone; what is missing is bridged.
pub(crate) fn resampled_uv(uv: &[f32], base: TimeBase) -> Vec<f32> {
    resample(&bridge(uv), base)
}

fn resample(x: &[f32], base: TimeBase) -> Vec<f32> {
    let ratio = base.ratio;
    let len = base.len(x.len());
    if (ratio - 1.0).abs() < 1e-9 {
        return x.to_vec();
    }
    if ratio > 1.0 {
        let whole = Curve::new(x.to_vec());
        let mut out = vec![0.0; len];
        whole.means(-0.5, ratio, &mut out);
        return out;
    }
    let at = |k: i64| x[k.clamp(0, x.len() as i64 - 1) as usize];
    let value = |k: usize| {
        let place = k as f64 * ratio;
        let whole = place.floor();
        let t = (place - whole) as f32;
        let k = whole as i64;
        let (a, b, c, d) = (at(k - 1), at(k), at(k + 1), at(k + 2));
        let cubic = 3.0 * (b - c) + d - a;
        b + 0.5 * t * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * cubic))
    };
    (0..len).map(value).collect()
}

/// Straight lines over missing samples, the nearest one beyond the ends.
fn bridge(samples: &[f32]) -> Vec<f32> {
    let mut out = samples.to_vec();
    let mut last: Option<usize> = None;
    for at in 0..out.len() {
        if !out[at].is_finite() {
            continue;
        }
        match last {
            None => {
                let value = out[at];
                out[..at].fill(value);
            }
            Some(from) if at - from > 1 => {
                let (a, b, n) = (out[from], out[at], (at - from) as f32);
                for (k, x) in out[from + 1..at].iter_mut().enumerate() {
                    *x = a + (b - a) * (k + 1) as f32 / n;
                }
            }
            Some(_) => {}
        }
        last = Some(at);
    }
    let value = last.map_or(0.0, |at| out[at]);
    out[last.map_or(0, |at| at + 1)..].fill(value);
    out
}

/// Stretches of a lead without samples, in working samples.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gaps(Vec<(f64, f64)>);

impl Gaps {
    fn of(samples: &[f32], base: TimeBase) -> Self {
        let mut out = Vec::new();
        let mut at = 0;
        for run in samples.chunk_by(|a, b| a.is_finite() == b.is_finite()) {
            if !run[0].is_finite() {
                let (from, to) = (at as f64 - 0.5, (at + run.len()) as f64 - 0.5);
                out.push((base.working(from), base.working(to)));
            }
            at += run.len();
        }
        Self(out)
    }

    /// Working samples missing between two times.
    pub fn missing(&self, from: f64, to: f64) -> f64 {
        let first = self.0.partition_point(|gap| gap.1 <= from);
        let inside = self.0[first..].iter().take_while(|gap| gap.0 < to);
        inside.map(|gap| (gap.1.min(to) - gap.0.max(from)).max(0.0)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_line_stays_one_at_every_rate() {
        for rate_hz in [100.0, 128.0, 250.0, 360.0, 500.0, 600.0, 1000.0, 2000.0] {
            let base = TimeBase::of(rate_hz);
            let line: Vec<f32> =
                (0..rate_hz as usize).map(|k| (k as f64 / rate_hz) as f32).collect();
            let work = resample(&line, base);
            for (k, x) in work.iter().enumerate().take(work.len() - 12).skip(12) {
                let seconds = base.recorded(k as f64) / rate_hz;
                // A tenth of a sample: averages over samples that do not divide the working sample.
                assert!(
                    (f64::from(*x) - seconds).abs() < 0.1 / rate_hz,
                    "{rate_hz} Hz, {k}: {x} {seconds}"
                );
                let back = base.working(base.recorded(k as f64));
                assert!((back - k as f64).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn means_are_those_of_the_samples_and_reach_beyond_the_ends() {
        let curve = Curve::new(vec![1.0, 2.0, 4.0]);
        let means = |from: f64, width: f64| {
            let mut out = [0.0; 2];
            curve.means(from, width, &mut out);
            out
        };
        assert_eq!(means(-0.5, 3.0), [7.0 / 3.0, 4.0]);
        assert_eq!(means(0.5, 1.0), [2.0, 4.0]);
        assert_eq!(means(-9.0, 4.0), [1.0, 1.0]);
    }
}
