//! Least squares, for the fixed sums that make global boundaries of those of the leads.

use super::Study;
use crate::delineation::cascade::{Board, Edge};
use crate::delineation::global::{NUMBERS, Standing, UNIT_MS};
use crate::delineation::network::{Layer, Network};

/// Leads that must mark a wave for its global boundary to be known.
const LEADS_MIN: usize = 6;
/// Holds the sums back where the examples say little.
const RIDGE: f64 = 0.01;

/// The sum that comes nearest to the second earliest (or second latest) of the experts' marks.
pub(super) fn fit(studies: &[Study], boards: &[Board], edge: Edge) -> Network {
    let mut normal = [[0.0_f64; NUMBERS + 1]; NUMBERS];
    let mut count = 0.0;
    for (study, board) in studies.iter().zip(boards) {
        for beat in 0..study.scene.beats.len() {
            let marks = (0..study.scene.leads.len())
                .filter_map(|lead| study.labels.at(beat, lead).at_ms[edge as usize]);
            let mut marks: Vec<f32> = marks.collect();
            let Some(standing) = Standing::of(board, beat, edge) else { continue };
            if marks.len() < LEADS_MIN {
                continue;
            }
            marks.sort_unstable_by(f32::total_cmp);
            let onset = edge.wave().edges()[0] == edge;
            let truth = if onset { marks[1] } else { marks[marks.len() - 2] };
            let wanted = f64::from(((truth - standing.middle_ms) / UNIT_MS).clamp(-3.0, 3.0));
            count += 1.0;
            for (row, x) in normal.iter_mut().zip(standing.numbers) {
                for (sum, y) in row.iter_mut().zip(standing.numbers) {
                    *sum += f64::from(x) * f64::from(y);
                }
                row[NUMBERS] += f64::from(x) * wanted;
            }
        }
    }
    for (k, row) in normal.iter_mut().enumerate() {
        row[k] += RIDGE * count + 1e-9;
    }
    let weights = solve(normal).map(|w| w as f32).to_vec();
    Network { layers: vec![Layer { inputs: NUMBERS, weights, bias: vec![0.0] }] }
}

/// Elimination; the matrix is positive definite.
fn solve(mut rows: [[f64; NUMBERS + 1]; NUMBERS]) -> [f64; NUMBERS] {
    for k in 0..NUMBERS {
        let pivot = rows[k];
        for row in rows.iter_mut().skip(k + 1) {
            let share = row[k] / pivot[k];
            row.iter_mut().zip(pivot).for_each(|(x, p)| *x -= share * p);
        }
    }
    let mut out = [0.0; NUMBERS];
    for k in (0..NUMBERS).rev() {
        let known: f64 = (k + 1..NUMBERS).map(|j| rows[k][j] * out[j]).sum();
        out[k] = (rows[k][NUMBERS] - known) / rows[k][k];
    }
    out
}
