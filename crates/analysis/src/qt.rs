//! Rate correction of the QT interval.

use precordia_model::QtFormula;

/// Corrects a QT interval for a mean RR interval. Bazett 1920; Fridericia 1920; Sagie et al. 1992
/// (Framingham); Hodges et al. 1983. The AHA/ACCF/HRS 2009 recommendations (part IV) prefer the
/// linear ones; all four are reported.
pub(crate) fn corrected_ms(formula: QtFormula, qt_ms: f64, rr_ms: f64) -> f64 {
    let rr_s = rr_ms / 1000.0;
    match formula {
        QtFormula::Bazett => qt_ms / rr_s.sqrt(),
        QtFormula::Fridericia => qt_ms / rr_s.cbrt(),
        QtFormula::Framingham => qt_ms + 154.0 * (1.0 - rr_s),
        QtFormula::Hodges => qt_ms + 1.75 * (60.0 / rr_s - 60.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_formulas_agree_at_60_per_minute_and_with_worked_values_elsewhere() {
        for (formula, at_100_bpm) in [
            (QtFormula::Bazett, 464.76),
            (QtFormula::Fridericia, 426.83),
            (QtFormula::Framingham, 421.6),
            (QtFormula::Hodges, 430.0),
        ] {
            assert_eq!(corrected_ms(formula, 400.0, 1000.0), 400.0);
            assert!((corrected_ms(formula, 360.0, 600.0) - at_100_bpm).abs() < 0.01, "{formula:?}");
        }
    }
}
