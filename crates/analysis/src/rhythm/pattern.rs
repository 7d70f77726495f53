//! How early and foreign beats are grouped: singles, couplets, runs, bigeminy, trigeminy.

use precordia_model::{BeatClass, Ectopy, Run};

/// Beats in a row from which it is a run.
const RUN_BEATS: usize = 3;
/// Turns of the pattern from which every second or third beat is bigeminy or trigeminy.
const TURNS: usize = 3;

/// Counts the classes; `at_ms` tells the places of the beats.
pub(crate) fn ectopy(classes: &[BeatClass], at_ms: impl Fn(usize) -> f64) -> Ectopy {
    let count = |class| classes.iter().filter(|c| **c == class).count() as u32;
    let mut out = Ectopy {
        ventricular: count(BeatClass::Ventricular),
        supraventricular: count(BeatClass::Supraventricular),
        other: count(BeatClass::Other),
        ventricular_bigeminy_beats: regular(classes, BeatClass::Ventricular, 2),
        ventricular_trigeminy_beats: regular(classes, BeatClass::Ventricular, 3),
        supraventricular_bigeminy_beats: regular(classes, BeatClass::Supraventricular, 2),
        supraventricular_trigeminy_beats: regular(classes, BeatClass::Supraventricular, 3),
        ..Ectopy::default()
    };
    let mut from = 0;
    for group in classes.chunk_by(|a, b| a == b) {
        let class = group[0];
        match (class, group.len()) {
            (BeatClass::Ventricular, 2) => out.ventricular_couplets += 1,
            (BeatClass::Supraventricular, 2) => out.supraventricular_couplets += 1,
            (BeatClass::Ventricular | BeatClass::Supraventricular, n) if n >= RUN_BEATS => {
                let took_ms = at_ms(from + n - 1) - at_ms(from);
                let rate_bpm = 60_000.0 * (n - 1) as f64 / took_ms.max(1.0);
                out.runs.push(Run { class, beat: from as u32, beats: n as u32, rate_bpm });
            }
            _ => {}
        }
        from += group.len();
    }
    out
}

/// Beats within stretches where every `period`-th beat, and no other, is of this class.
fn regular(classes: &[BeatClass], class: BeatClass, period: usize) -> u32 {
    let places: Vec<usize> = (0..classes.len()).filter(|&at| classes[at] == class).collect();
    let stretches = places.chunk_by(|a, b| b - a == period);
    let long = stretches.filter(|stretch| stretch.len() >= TURNS);
    long.map(|stretch| ((stretch.len() - 1) * period + 1) as u32).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Ectopy {
        let classes: Vec<BeatClass> = text
            .chars()
            .map(|c| match c {
                'V' => BeatClass::Ventricular,
                'S' => BeatClass::Supraventricular,
                _ => BeatClass::Dominant,
            })
            .collect();
        ectopy(&classes, |at| 500.0 * at as f64)
    }

    #[test]
    fn couplets_and_runs_are_told_from_single_beats() {
        let got = of("NVNVVNVVVVNSNSSNSSS");
        assert_eq!((got.ventricular, got.ventricular_couplets), (7, 1));
        assert_eq!((got.supraventricular, got.supraventricular_couplets), (6, 1));
        let runs: Vec<(u32, u32)> = got.runs.iter().map(|run| (run.beat, run.beats)).collect();
        assert_eq!(runs, [(6, 4), (16, 3)]);
        assert!(got.runs.iter().all(|run| (run.rate_bpm - 120.0).abs() < 1e-9));
    }

    #[test]
    fn bigeminy_needs_three_turns_and_nothing_between() {
        assert_eq!(of("NVNVNVN").ventricular_bigeminy_beats, 5);
        assert_eq!(of("NVNVNN").ventricular_bigeminy_beats, 0);
        assert_eq!(of("NNVNNVNNV").ventricular_trigeminy_beats, 7);
        assert_eq!(of("NNSNNSNNS").supraventricular_trigeminy_beats, 7);
        assert_eq!(of("NVVNVVNVV").ventricular_bigeminy_beats, 0);
    }
}
