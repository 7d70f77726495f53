//! Fits the model from recordings whose electrodes were right, each also exchanged in thought.
//!
//! Leads from each other by least squares over all recordings of one size; the differences of the
//! features by logistic regression with a quadratic penalty, without a constant, since undoing an
//! exchange twice must change the sign and nothing else. Deterministic.

use super::features::{FEATURE_COUNT, Prediction, size};
use super::model::{Model, SwapModel, difference};
use super::segments::Wave;
use super::{FeatureSet, LEADS, Segments, Swap};

/// Groups of recordings that are scored by a model fitted on the others.
const FOLDS: usize = 10;
/// Penalty of the least squares, as a share of the samples.
const RIDGE: f64 = 1e-4;
/// Weight of the recordings against the penalty of the logistic regression.
const EVIDENCE: f64 = 0.06;
const NEWTON_STEPS: usize = 30;
/// No exchange is named below these odds (e to this power), whatever the recordings say.
const LIMIT_MIN: f64 = 0.7;
/// What the limit stays above the second highest score of a correct recording; the highest may be
/// the score of a recording that was not correct.
const LIMIT_ABOVE: f64 = 0.3;

/// A model, and how recordings score that had no part in theirs.
#[derive(Clone, Debug)]
pub struct Fitted {
    pub model: Model,
    /// By exchange, for each recording: log odds of having been exchanged. Of the recording after
    /// the exchange they are the same with the other sign.
    pub scores: Vec<(Swap, Vec<f64>)>,
}

/// `None` for fewer recordings than there are folds, or when they do not determine a model.
pub fn fit(correct: &[Segments]) -> Option<Fitted> {
    if correct.len() < FOLDS {
        return None;
    }
    let mut scores: Vec<(Swap, Vec<f64>)> =
        Swap::MODELED.iter().map(|&swap| (swap, vec![0.0; correct.len()])).collect();
    for fold in 0..FOLDS {
        let others = correct.iter().enumerate().filter(|(k, _)| k % FOLDS != fold);
        let others: Vec<&Segments> = others.map(|(_, segments)| segments).collect();
        let model = without_limits(&others)?;
        for (k, segments) in correct.iter().enumerate().filter(|(k, _)| k % FOLDS == fold) {
            for ((_, margin), (_, scores)) in model.margins(segments).into_iter().zip(&mut scores) {
                scores[k] = margin;
            }
        }
    }
    let mut model = without_limits(&correct.iter().collect::<Vec<_>>())?;
    for (swap, (_, scores)) in model.swaps.iter_mut().zip(&scores) {
        let mut ranked = scores.clone();
        ranked.sort_by(|a, b| b.total_cmp(a));
        swap.limit = (ranked[1] + LIMIT_ABOVE).max(LIMIT_MIN);
    }
    Some(Fitted { model, scores })
}

fn without_limits(correct: &[&Segments]) -> Option<Model> {
    let qrs = prediction(correct.iter().map(|segments| &segments.qrs))?;
    let st_t = prediction(correct.iter().map(|segments| &segments.st_t))?;
    let mut model = Model { qrs, st_t, swaps: Vec::new() };
    for swap in Swap::MODELED {
        let differences: Vec<FeatureSet> = correct
            .iter()
            .map(|own| difference(&model.features(own), &model.features(&own.exchanged(swap))))
            .collect();
        let weights = logistic(&differences)?;
        model.swaps.push(SwapModel { swap, limit: 0.0, weights });
    }
    Some(model)
}

fn prediction<'a, const N: usize>(
    waves: impl Iterator<Item = &'a Wave<N>> + Clone,
) -> Option<Prediction> {
    let mut table = Prediction::default();
    for (lead, weights) in table.iter_mut().enumerate() {
        let others: Vec<usize> = (0..LEADS.len()).filter(|&other| other != lead).collect();
        let mut normal = vec![vec![0.0; others.len()]; others.len()];
        let mut target = vec![0.0; others.len()];
        let mut count = 0.0;
        for wave in waves.clone() {
            let scale = size(wave).powi(2);
            let product = |a: usize, b: usize| -> f64 {
                wave[a].iter().zip(&wave[b]).map(|(a, b)| a * b).sum::<f64>() / scale
            };
            count += N as f64;
            for (row, &a) in others.iter().enumerate() {
                target[row] += product(a, lead);
                for (column, &b) in others.iter().enumerate() {
                    normal[row][column] += product(a, b);
                }
            }
        }
        for (row, line) in normal.iter_mut().enumerate() {
            line[row] += RIDGE * count;
        }
        *weights = solve(normal, target)?.try_into().ok()?;
    }
    Some(table)
}

/// Weights that make the score of every row negative, and of every row with its sign changed
/// positive, by Newton's method.
fn logistic(rows: &[FeatureSet]) -> Option<FeatureSet> {
    let scale: FeatureSet = std::array::from_fn(|k| {
        let squares: f64 = rows.iter().map(|row| row[k].powi(2)).sum();
        (squares / rows.len() as f64).sqrt().max(1e-6)
    });
    let rows: Vec<FeatureSet> =
        rows.iter().map(|row| std::array::from_fn(|k| row[k] / scale[k])).collect();
    let mut weights = [0.0; FEATURE_COUNT];
    for _ in 0..NEWTON_STEPS {
        let mut gradient: Vec<f64> = weights.to_vec();
        let mut curvature = vec![vec![0.0; FEATURE_COUNT]; FEATURE_COUNT];
        for (k, line) in curvature.iter_mut().enumerate() {
            line[k] = 1.0;
        }
        for row in &rows {
            let score: f64 = row.iter().zip(&weights).map(|(x, w)| x * w).sum();
            let odds = 1.0 / (1.0 + (-score).exp());
            let bend = EVIDENCE * odds * (1.0 - odds);
            for a in 0..FEATURE_COUNT {
                gradient[a] += EVIDENCE * odds * row[a];
                for b in 0..FEATURE_COUNT {
                    curvature[a][b] += bend * row[a] * row[b];
                }
            }
        }
        let step = solve(curvature, gradient)?;
        for (weight, step) in weights.iter_mut().zip(&step) {
            *weight -= step;
        }
        if step.iter().all(|step| step.abs() < 1e-9) {
            break;
        }
    }
    Some(std::array::from_fn(|k| weights[k] / scale[k]))
}

/// Solves a system of equations by elimination with the largest pivot; `None` when there is none.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let n = right.len();
    for column in 0..n {
        let pivot = (column..n)
            .max_by(|&a, &b| matrix[a][column].abs().total_cmp(&matrix[b][column].abs()))?;
        if matrix[pivot][column].abs() < 1e-12 {
            return None;
        }
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        let (above, below) = matrix.split_at_mut(column + 1);
        let top = &above[column];
        for (row, line) in below.iter_mut().enumerate() {
            let factor = line[column] / top[column];
            for (value, pivot) in line[column..].iter_mut().zip(&top[column..]) {
                *value -= factor * pivot;
            }
            right[column + 1 + row] -= factor * right[column];
        }
    }
    for row in (0..n).rev() {
        let known: f64 = (row + 1..n).map(|k| matrix[row][k] * right[k]).sum();
        right[row] = (right[row] - known) / matrix[row][row];
    }
    Some(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_of_equations_is_solved_or_has_no_answer() {
        let matrix = vec![vec![0.0, 2.0, 1.0], vec![1.0, -1.0, 0.0], vec![3.0, 0.0, 4.0]];
        let found = solve(matrix, vec![7.0, -1.0, 15.0]).unwrap();
        for (found, expected) in found.iter().zip([1.0, 2.0, 3.0]) {
            assert!((found - expected).abs() < 1e-12, "{found}");
        }
        assert!(solve(vec![vec![1.0, 2.0], vec![2.0, 4.0]], vec![1.0, 2.0]).is_none());
    }
}
