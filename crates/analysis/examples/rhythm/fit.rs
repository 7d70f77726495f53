//! Fits the logistic model of atrial fibrillation and says how it does on hearts it has not seen.

use std::collections::BTreeMap;

use precordia_analysis::{ATRIAL_LIMIT, atrial_features};

use crate::print_atria;
use crate::tape::atria::Case;

const NAMES: [&str; 4] = ["entropy", "log of change", "P agreement", "repetition"];
/// Ridge penalty on the weights of the features, each scaled to its deviation.
const PENALTY: f64 = 1.0;
const ROUNDS: usize = 25;
const FOLDS: usize = 10;
const REPEATS: u64 = 5;

/// Weight of one person of a corpus: long recordings come from few people and are many windows,
/// so they count by person and not by window.
fn weight_of_person(set: &str) -> f64 {
    match set {
        "LUDB" | "CinC 2017" => 1.0,
        "CPSC 2021" => 4.0,
        "CinC 2021" => 0.5,
        _ => 0.3,
    }
}

struct Row {
    x: [f64; 4],
    truth: f64,
    weight: f64,
}

struct Model {
    /// Intercept and weights of the features as they are.
    weights: [f64; 5],
}

impl Model {
    fn probability(&self, x: &[f64; 4]) -> f64 {
        let sum: f64 = self.weights[1..].iter().zip(x).map(|(w, x)| w * x).sum();
        1.0 / (1.0 + (-(self.weights[0] + sum)).exp())
    }
}

pub fn print(cases: &[Case]) {
    let mut windows: BTreeMap<&str, f64> = BTreeMap::new();
    for case in cases.iter().filter(|case| case.evidence.is_some()) {
        *windows.entry(&case.person).or_default() += 1.0;
    }
    let row = |case: &Case| {
        Some(Row {
            x: atrial_features(case.evidence.as_ref()?),
            truth: f64::from(u8::from(case.fibrillation)),
            weight: weight_of_person(case.set) / windows[&*case.person],
        })
    };
    let rows: Vec<Option<Row>> = cases.iter().map(row).collect();
    let model = fit(&rows.iter().flatten().collect::<Vec<_>>());
    println!("| feature | weight |\n|---|---|");
    println!("| intercept | {:.3} |", model.weights[0]);
    for (name, weight) in NAMES.iter().zip(&model.weights[1..]) {
        println!("| {name} | {weight:.3} |");
    }

    let people: Vec<&str> = windows.keys().copied().collect();
    let mut probability = vec![0.0; cases.len()];
    for repeat in 0..REPEATS {
        let fold = folds(&people, repeat);
        for held_out in 0..FOLDS {
            let here = |case: &Case| fold.get(&*case.person) == Some(&held_out);
            let seen: Vec<&Row> = cases
                .iter()
                .zip(&rows)
                .filter(|(c, _)| !here(c))
                .filter_map(|(_, r)| r.as_ref())
                .collect();
            let model = fit(&seen);
            for ((case, row), p) in cases.iter().zip(&rows).zip(&mut probability) {
                if let Some(row) = row.as_ref().filter(|_| here(case)) {
                    *p += model.probability(&row.x) / REPEATS as f64;
                }
            }
        }
    }
    println!("\nCross-validated by person, {FOLDS} folds, mean of {REPEATS} divisions:\n");
    let said: BTreeMap<*const Case, bool> = cases
        .iter()
        .zip(&probability)
        .map(|(c, p)| (std::ptr::from_ref(c), *p >= ATRIAL_LIMIT))
        .collect();
    print_atria(cases, |case| said[&std::ptr::from_ref(case)]);
    println!("\nWrong in cross-validation:\n");
    for (case, p) in cases.iter().zip(&probability) {
        if (*p >= ATRIAL_LIMIT) != case.fibrillation {
            println!(
                "- {} {} ({}): {p:.2}",
                case.set,
                case.record,
                if case.fibrillation { "with" } else { "without" }
            );
        }
    }
}

/// Which fold each person is in: the people in an order that a small generator shuffles.
fn folds<'a>(people: &[&'a str], seed: u64) -> BTreeMap<&'a str, usize> {
    let mut order: Vec<&str> = people.to_vec();
    let mut state = seed.wrapping_mul(2).wrapping_add(0x9e37_79b9_7f4a_7c15);
    for at in (1..order.len()).rev() {
        // The generator of Knuth's MMIX; its high bits.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(at, (state >> 33) as usize % (at + 1));
    }
    order.into_iter().enumerate().map(|(at, person)| (person, at % FOLDS)).collect()
}

/// Newton's method on the penalized likelihood, the features scaled to zero mean and deviation one.
fn fit(rows: &[&Row]) -> Model {
    let count = rows.len() as f64;
    let mean: [f64; 4] = std::array::from_fn(|k| rows.iter().map(|r| r.x[k]).sum::<f64>() / count);
    let deviation: [f64; 4] = std::array::from_fn(|k| {
        (rows.iter().map(|r| (r.x[k] - mean[k]).powi(2)).sum::<f64>() / count).sqrt().max(1e-9)
    });
    let mut w = [0.0_f64; 5];
    for _ in 0..ROUNDS {
        let (mut gradient, mut hessian) = ([0.0; 5], [[0.0; 5]; 5]);
        for row in rows {
            let v: [f64; 5] = std::array::from_fn(|k| match k {
                0 => 1.0,
                k => (row.x[k - 1] - mean[k - 1]) / deviation[k - 1],
            });
            let sum: f64 = w.iter().zip(&v).map(|(w, v)| w * v).sum();
            let p = 1.0 / (1.0 + (-sum).exp());
            for i in 0..5 {
                gradient[i] += row.weight * (row.truth - p) * v[i];
                for j in 0..5 {
                    hessian[i][j] += row.weight * p * (1.0 - p) * v[i] * v[j];
                }
            }
        }
        for k in 1..5 {
            gradient[k] -= PENALTY * w[k];
            hessian[k][k] += PENALTY;
        }
        let step = solve(hessian, gradient);
        w.iter_mut().zip(step).for_each(|(w, s)| *w += s);
    }
    let mut weights = [w[0], 0.0, 0.0, 0.0, 0.0];
    for k in 0..4 {
        weights[k + 1] = w[k + 1] / deviation[k];
        weights[0] -= weights[k + 1] * mean[k];
    }
    Model { weights }
}

/// Gauss's elimination; the matrix is positive definite.
fn solve(mut a: [[f64; 5]; 5], mut b: [f64; 5]) -> [f64; 5] {
    for k in 0..5 {
        let (pivot, right) = (a[k], b[k]);
        for row in (0..5).filter(|row| *row != k) {
            let share = a[row][k] / pivot[k];
            a[row].iter_mut().zip(pivot).for_each(|(x, p)| *x -= share * p);
            b[row] -= share * right;
        }
    }
    std::array::from_fn(|k| b[k] / a[k][k])
}
