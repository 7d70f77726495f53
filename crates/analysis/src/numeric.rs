//! Small numbers work shared by the files of this crate.

pub(crate) fn median(values: &mut [f64]) -> f64 {
    quantile(values, 0.5)
}

/// The value at rank `q (n - 1)`, between ranks by a straight line; NaN of nothing.
pub(crate) fn quantile(values: &mut [f64], q: f64) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    values.sort_unstable_by(f64::total_cmp);
    let rank = q * (values.len() - 1) as f64;
    let (low, high) = (rank.floor() as usize, rank.ceil() as usize);
    values[low] + (values[high] - values[low]) * (rank - low as f64)
}

/// The upper median; zero of nothing.
pub(crate) fn median_f32(values: &mut [f32]) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

pub(crate) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0_usize), |(s, n), x| (s + x, n + 1));
    sum / count as f64
}

/// Dot product in eight lanes, so that the compiler may use vector registers: a plain sum of
/// floats must keep its order.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 8];
    let (ca, cb) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = ca.remainder().iter().zip(cb.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in ca.zip(cb) {
        for lane in 0..8 {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    lanes.iter().sum::<f32>() + rest
}

/// Sum of (a - b), and of its square.
pub(crate) fn difference(a: &[f32], b: &[f32]) -> (f32, f32) {
    let (mut sums, mut squares) = ([0.0_f32; 8], [0.0_f32; 8]);
    let (ca, cb) = (a.chunks_exact(8), b.chunks_exact(8));
    let (mut sum, mut square) = (0.0, 0.0);
    for (x, y) in ca.remainder().iter().zip(cb.remainder()) {
        let d = x - y;
        sum += d;
        square += d * d;
    }
    for (x, y) in ca.zip(cb) {
        for lane in 0..8 {
            let d = x[lane] - y[lane];
            sums[lane] += d;
            squares[lane] += d * d;
        }
    }
    (sum + sums.iter().sum::<f32>(), square + squares.iter().sum::<f32>())
}
