//! The rig itself: seeds pass, a seed is one run for ever, and mistakes are found.

use precordia_sim::{Order, Plant, Report, STEPS, run};

/// Enough for every kind of step, fault and end to come many times.
const SEEDS: u64 = 120;

/// Seeds within which a planted fault must be found.
const JUDGED_MAX: u64 = 100;

fn order(seed: u64, plant: Option<Plant>) -> Order {
    Order { seed, steps: STEPS, plant, aloud: false }
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_happens_twice() {
    let mut sum = Report::default();
    for seed in 1..=SEEDS {
        match run(order(seed, None)) {
            Ok(report) => {
                sum.acknowledged += report.acknowledged;
                sum.restarts += report.restarts;
            }
            Err(failure) => panic!("`cargo xtask sim --seed {seed} --aloud`: {}", failure.what),
        }
    }
    assert!(sum.acknowledged > 600 && sum.restarts > 300, "{sum:?}: too little happened");
}

#[test]
fn a_seed_gives_the_same_run_again() {
    // 8 begins with an empty disk, 35 has a failed sync and a full disk.
    for seed in [1, 8, 35] {
        let first = run(order(seed, None));
        assert_eq!(first, run(order(seed, None)));
        assert_ne!(first, run(order(seed + 1, None)));
    }
}

#[test]
fn every_planted_fault_is_found() {
    for plant in Plant::ALL {
        let found = (1..=JUDGED_MAX).find_map(|seed| run(order(seed, Some(plant))).err());
        assert!(found.is_some(), "{plant} was not found in {JUDGED_MAX} seeds");
    }
}
