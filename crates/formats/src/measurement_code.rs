//! The codes that devices give their measurements, to our names and units.
//!
//! Only global measurements have names; what a device measured in one lead or beat keeps its own
//! label. Values are never judged, but a value that says "not measured" is none.

/// What a named measurement is a measurement of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantity {
    Rate,
    Interval,
    Axis,
}

/// Our name and quantity for a global measurement's code.
///
/// MDC: IEEE 11073-10102 as in DICOM PS3.16 CID 3227 to 3229, by number or reference id.
/// SCPECG: the codes that those context groups had before. LN: LOINC.
pub(crate) fn name(scheme: &str, value: &str) -> Option<(&'static str, Quantity)> {
    use Quantity::{Axis, Interval, Rate};
    Some(match (scheme, value) {
        ("MDC", "2:16770" | "2:16016" | "147842" | "MDC_ECG_HEART_RATE") => {
            ("heart_rate_bpm", Rate)
        }
        ("SCPECG", "5.10.2.5-1") => ("heart_rate_bpm", Rate),
        ("LN" | "LOINC", "8867-4" | "76282-3") => ("heart_rate_bpm", Rate),

        ("MDC", "2:16020" | "147092") => ("atrial_rate_bpm", Rate),
        ("SCPECG", "5.10.2.5-3") => ("atrial_rate_bpm", Rate),

        ("MDC", "2:16168" | "147240" | "MDC_ECG_TIME_PD_RR" | "MDC_ECG_TIME_PD_RR_GL") => {
            ("rr_ms", Interval)
        }
        ("SCPECG", "5.10.2.1-3") => ("rr_ms", Interval),
        ("LN" | "LOINC", "8637-1") => ("rr_ms", Interval),

        ("MDC", "2:16140" | "147212" | "MDC_ECG_TIME_PD_PP" | "MDC_ECG_TIME_PD_PP_GL") => {
            ("pp_ms", Interval)
        }
        ("SCPECG", "5.10.2.1-5") => ("pp_ms", Interval),

        ("MDC", "2:16184" | "147256" | "MDC_ECG_TIME_PD_P" | "MDC_ECG_TIME_PD_P_GL") => {
            ("p_ms", Interval)
        }
        ("SCPECG", "5.13.5-5") => ("p_ms", Interval),

        ("MDC", "2:15872" | "146944" | "MDC_ECG_TIME_PD_PR" | "MDC_ECG_TIME_PD_PR_GL") => {
            ("pr_ms", Interval)
        }
        ("SCPECG", "5.13.5-7") => ("pr_ms", Interval),
        ("LN" | "LOINC", "8625-6") => ("pr_ms", Interval),

        ("MDC", "2:16156" | "147228" | "MDC_ECG_TIME_PD_QRS" | "MDC_ECG_TIME_PD_QRS_GL") => {
            ("qrs_ms", Interval)
        }
        ("SCPECG", "5.13.5-9") => ("qrs_ms", Interval),
        ("LN" | "LOINC", "8633-0") => ("qrs_ms", Interval),

        ("MDC", "2:16160" | "147232" | "MDC_ECG_TIME_PD_QT" | "MDC_ECG_TIME_PD_QT_GL") => {
            ("qt_ms", Interval)
        }
        ("SCPECG", "5.13.5-11") => ("qt_ms", Interval),
        ("LN" | "LOINC", "8634-8") => ("qt_ms", Interval),

        ("MDC", "2:15876" | "146948" | "MDC_ECG_TIME_PD_QTc" | "MDC_ECG_TIME_PD_QTC") => {
            ("qtc_ms", Interval)
        }
        ("SCPECG", "5.10.2.5-5") => ("qtc_ms", Interval),
        ("LN" | "LOINC", "8636-3") => ("qtc_ms", Interval),

        ("MDC", "2:16128" | "147200" | "MDC_ECG_ANGLE_P_FRONT") => ("p_axis_deg", Axis),
        ("SCPECG", "5.10.3-11") => ("p_axis_deg", Axis),
        ("LN" | "LOINC", "8626-4") => ("p_axis_deg", Axis),

        ("MDC", "2:16132" | "147204" | "MDC_ECG_ANGLE_QRS_FRONT") => ("qrs_axis_deg", Axis),
        ("SCPECG", "5.10.3-13") => ("qrs_axis_deg", Axis),
        ("LN" | "LOINC", "8632-2") => ("qrs_axis_deg", Axis),

        ("MDC", "2:16136" | "147208" | "MDC_ECG_ANGLE_T_FRONT") => ("t_axis_deg", Axis),
        ("SCPECG", "5.10.3-15") => ("t_axis_deg", Axis),
        ("LN" | "LOINC", "8638-9") => ("t_axis_deg", Axis),
        _ => return None,
    })
}

/// The MDC code (value, meaning) of one of our names, for writing.
pub(crate) fn mdc(name: &str) -> Option<(&'static str, &'static str)> {
    Some(match name {
        "heart_rate_bpm" => ("2:16016", "Ventricular Heart Rate"),
        "atrial_rate_bpm" => ("2:16020", "Atrial Heart Rate"),
        "pp_ms" => ("2:16140", "PP interval global"),
        "rr_ms" => ("2:16168", "RR interval global"),
        "p_ms" => ("2:16184", "P duration global"),
        "pr_ms" => ("2:15872", "PR interval global"),
        "qrs_ms" => ("2:16156", "QRS duration global"),
        "qt_ms" => ("2:16160", "QT interval global"),
        "qtc_ms" => ("2:15876", "QTc interval global"),
        "p_axis_deg" => ("2:16128", "P Axis"),
        "qrs_axis_deg" => ("2:16132", "QRS Axis"),
        "t_axis_deg" => ("2:16136", "T Axis"),
        _ => return None,
    })
}

/// A value in the unit that our name ends with, and that unit in UCUM; `None` when the unit is not
/// one of the quantity's.
pub(crate) fn in_our_unit(
    quantity: Quantity,
    value: f64,
    unit: &str,
) -> Option<(f64, &'static str)> {
    match (quantity, unit) {
        (
            Quantity::Rate,
            "/min" | "1/min" | "{H.B.}/min" | "{beats}/min" | "{beat}/min" | "bpm",
        ) => Some((value, "/min")),
        (Quantity::Interval, "ms") => Some((value, "ms")),
        // Decimal seconds times a thousand are not always a whole number; a device's are.
        (Quantity::Interval, "s") => Some(((value * 1e6).round() / 1e3, "ms")),
        (Quantity::Axis, "deg") => Some((value, "deg")),
        _ => None,
    }
}

/// Values that stand for "not measured": EN 1064 5.10 (29999 and its neighbors), the ends of 16 bits,
/// and for rates and intervals anything that is not positive.
pub(crate) fn is_not_measured(quantity: Option<Quantity>, value: f64) -> bool {
    const SENTINELS: [f64; 8] =
        [29_999.0, 29_998.0, 19_999.0, 32_767.0, -32_768.0, 65_535.0, -29_999.0, 65_536.0];
    SENTINELS.contains(&value)
        || match quantity {
            Some(Quantity::Rate | Quantity::Interval) => value <= 0.0,
            Some(Quantity::Axis) => !(-360.0..=360.0).contains(&value),
            None => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vocabularies_agree_on_each_measurement() {
        let cases = [
            ("heart_rate_bpm", [("MDC", "2:16770"), ("LN", "8867-4"), ("SCPECG", "5.10.2.5-1")]),
            ("pr_ms", [("MDC", "2:15872"), ("LN", "8625-6"), ("SCPECG", "5.13.5-7")]),
            ("qrs_ms", [("MDC", "2:16156"), ("LN", "8633-0"), ("SCPECG", "5.13.5-9")]),
            ("qt_ms", [("MDC", "2:16160"), ("LN", "8634-8"), ("SCPECG", "5.13.5-11")]),
            ("qtc_ms", [("MDC", "2:15876"), ("LN", "8636-3"), ("SCPECG", "5.10.2.5-5")]),
            ("p_axis_deg", [("MDC", "2:16128"), ("LN", "8626-4"), ("SCPECG", "5.10.3-11")]),
            ("qrs_axis_deg", [("MDC", "2:16132"), ("LN", "8632-2"), ("SCPECG", "5.10.3-13")]),
            ("t_axis_deg", [("MDC", "2:16136"), ("LN", "8638-9"), ("SCPECG", "5.10.3-15")]),
        ];
        for (expected, codes) in cases {
            for (scheme, value) in codes {
                assert_eq!(
                    name(scheme, value).map(|(name, _)| name),
                    Some(expected),
                    "{scheme} {value}"
                );
            }
            let (value, _) = mdc(expected).unwrap();
            assert_eq!(name("MDC", value).map(|(name, _)| name), Some(expected));
        }
        assert_eq!(name("MDC", "8867-4"), None);
        assert_eq!(name("99X", "2:15872"), None);
    }

    #[test]
    fn units_are_converted_and_never_assumed() {
        assert_eq!(in_our_unit(Quantity::Interval, 0.398, "s"), Some((398.0, "ms")));
        assert_eq!(in_our_unit(Quantity::Rate, 61.0, "{H.B.}/min"), Some((61.0, "/min")));
        assert_eq!(in_our_unit(Quantity::Rate, 61.0, "ms"), None);
        assert_eq!(in_our_unit(Quantity::Interval, 61.0, ""), None);
        assert_eq!(in_our_unit(Quantity::Interval, 61.0, "MS"), None);
    }

    #[test]
    fn a_sentinel_is_no_measurement_and_an_axis_of_zero_is_one() {
        assert!(is_not_measured(Some(Quantity::Interval), 29_999.0));
        assert!(is_not_measured(Some(Quantity::Interval), 0.0));
        assert!(is_not_measured(Some(Quantity::Axis), 999.0));
        assert!(!is_not_measured(Some(Quantity::Axis), 0.0));
        assert!(!is_not_measured(None, 0.0));
    }
}
