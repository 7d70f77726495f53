//! Samples to lines on paper.

use precordia_model::{Signal, Trace};

use crate::{Point, Rect};

/// Finer than any printer; samples closer than this share a column.
const COLUMN_UM: i32 = 10;
/// Far outside every sheet, and small enough that no later arithmetic overflows.
const FAR_UM: f64 = 1_000_000.0;

/// A stretch of one signal and where it goes.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    pub signal: &'a Signal,
    pub trace: &'a Trace,
    pub start_s: f64,
    pub length_s: f64,
}

#[derive(Clone, Copy, Debug)]
pub struct Scale {
    pub mm_per_s: u32,
    pub mm_per_mv: u32,
}

/// Lines of a stretch, its median on the baseline `y` and its first instant at `x`. A gap ends a
/// line; a lone sample is a dot.
pub fn lines(window: Window<'_>, scale: Scale, x: i32, y: i32) -> Vec<Vec<Point>> {
    let rate_hz = window.signal.rate.hz();
    let samples = &window.trace.samples_uv;
    let first = ((window.start_s * rate_hz - 1e-6).ceil().max(0.0) as usize).min(samples.len());
    let end_s = window.start_s + window.length_s;
    let last =
        ((end_s * rate_hz + 1e-6).floor().max(0.0) as usize).min(samples.len().saturating_sub(1));
    let Some(seen) = samples.get(first..=last) else { return Vec::new() };
    let Some(middle_uv) = median(seen) else { return Vec::new() };

    let um_per_s = f64::from(scale.mm_per_s) * 1000.0;
    // One millivolt is a thousand microvolts and a millimeter a thousand micrometers.
    let um_per_uv = f64::from(scale.mm_per_mv);
    let mut lines = Vec::new();
    let mut line: Vec<Point> = Vec::new();
    let mut column = Column::default();
    for (i, &uv) in seen.iter().enumerate() {
        if !uv.is_finite() {
            column.flush(&mut line);
            finish(&mut lines, &mut line);
            continue;
        }
        let at_s = (first + i) as f64 / rate_hz - window.start_s;
        let height = ((f64::from(uv) - middle_uv) * um_per_uv).round().clamp(-FAR_UM, FAR_UM);
        let point = Point { x: x + (at_s * um_per_s).round() as i32, y: y - height as i32 };
        column.take(point, &mut line);
    }
    column.flush(&mut line);
    finish(&mut lines, &mut line);
    lines
}

/// Whether any part of the lines lies above or below the paper.
pub fn leaves(lines: &[Vec<Point>], paper: Rect) -> bool {
    lines.iter().flatten().any(|p| p.y < paper.top || p.y > paper.bottom)
}

fn finish(lines: &mut Vec<Vec<Point>>, line: &mut Vec<Point>) {
    match line.as_slice() {
        [] => return,
        // A stroke needs two points; with round ends this one is a dot.
        [lone] => line.push(Point { x: lone.x + COLUMN_UM, y: lone.y }),
        _ => {}
    }
    lines.push(std::mem::take(line));
}

/// The samples that share a column: first, lowest, highest and last say all that can be seen.
#[derive(Default)]
struct Column {
    points: Vec<Point>,
}

impl Column {
    fn take(&mut self, point: Point, line: &mut Vec<Point>) {
        if self
            .points
            .first()
            .is_some_and(|p| p.x.div_euclid(COLUMN_UM) != point.x.div_euclid(COLUMN_UM))
        {
            self.flush(line);
        }
        self.points.push(point);
    }

    fn flush(&mut self, line: &mut Vec<Point>) {
        if self.points.len() <= 4 {
            line.append(&mut self.points);
            return;
        }
        let by = |pick: fn(i32, i32) -> bool| {
            let mut best = 0;
            for (i, point) in self.points.iter().enumerate() {
                if pick(point.y, self.points[best].y) {
                    best = i;
                }
            }
            best
        };
        let mut kept = [0, by(|a, b| a < b), by(|a, b| a > b), self.points.len() - 1];
        kept.sort_unstable();
        let mut before = None;
        for i in kept {
            if before != Some(i) {
                line.push(self.points[i]);
            }
            before = Some(i);
        }
        self.points.clear();
    }
}

/// The level that stands on the baseline: raw signals may carry any constant offset, and where the
/// paper's zero lies means nothing in an ECG.
fn median(samples: &[f32]) -> Option<f64> {
    let mut finite: Vec<f32> = samples.iter().copied().filter(|uv| uv.is_finite()).collect();
    if finite.is_empty() {
        return None;
    }
    let middle = finite.len() / 2;
    let (_, value, _) = finite.select_nth_unstable_by(middle, f32::total_cmp);
    Some(f64::from(*value))
}

#[cfg(test)]
mod tests {
    use precordia_model::{Filters, Lead, SampleRate, TraceOrigin};

    use super::*;

    fn signal(rate_hz: f64, samples_uv: Vec<f32>) -> Signal {
        let trace = Trace {
            lead: Lead::II,
            samples_uv,
            origin: TraceOrigin::Recorded,
            filters: Filters::default(),
        };
        Signal { rate: SampleRate::from_hz(rate_hz).unwrap(), traces: vec![trace] }
    }

    fn drawn(signal: &Signal, start_s: f64, length_s: f64) -> Vec<Vec<Point>> {
        let window = Window { signal, trace: &signal.traces[0], start_s, length_s };
        lines(window, Scale { mm_per_s: 25, mm_per_mv: 10 }, 1000, 50_000)
    }

    #[test]
    fn a_millivolt_is_ten_millimeters_and_a_second_twenty_five() {
        let mut samples = vec![300.0; 1001];
        samples[500] = 1300.0;
        let all = drawn(&signal(500.0, samples), 0.0, 2.0);
        assert_eq!(all.len(), 1);
        assert_eq!(all[0][500], Point { x: 26_000, y: 40_000 });
        assert_eq!(all[0][1000], Point { x: 51_000, y: 50_000 });
    }

    #[test]
    fn a_gap_stays_a_gap_and_a_lone_sample_is_a_dot() {
        let nan = f32::NAN;
        let all =
            drawn(&signal(500.0, vec![nan, 0.0, 0.0, nan, nan, 0.0, nan, 0.0, 0.0]), 0.0, 1.0);
        let starts: Vec<i32> = all.iter().map(|l| l[0].x - 1000).collect();
        assert_eq!(starts, [50, 250, 350]);
        assert!(all.iter().all(|l| l.len() == 2));
        assert!(drawn(&signal(500.0, vec![nan; 9]), 0.0, 1.0).is_empty());
    }

    #[test]
    fn only_the_window_is_drawn() {
        let all = drawn(&signal(100.0, vec![0.0; 300]), 1.0, 0.5);
        assert_eq!((all[0].len(), all[0][0].x, all[0][50].x), (51, 1000, 13_500));
        assert!(drawn(&signal(100.0, vec![0.0; 300]), 5.0, 1.0).is_empty());
        assert!(drawn(&signal(100.0, Vec::new()), 0.0, 1.0).is_empty());
    }

    #[test]
    fn very_fast_sampling_keeps_every_extreme() {
        let samples: Vec<f32> =
            (0..32_000).map(|i| if i == 12_345 { 5000.0 } else { (i % 7) as f32 }).collect();
        let all = drawn(&signal(32_000.0, samples), 0.0, 1.0);
        assert!(all[0].len() <= 4 * 2501);
        assert!(all[0].iter().any(|p| p.y == 50_000 - 49_970));
    }

    #[test]
    fn absurd_amplitudes_stay_within_arithmetic() {
        let all = drawn(&signal(500.0, vec![0.0, 0.0, f32::MAX, f32::MIN, 0.0]), 0.0, 1.0);
        assert!(leaves(&all, Rect { left: 0, top: 0, right: 297_000, bottom: 210_000 }));
    }
}
