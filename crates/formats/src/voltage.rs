//! Units of voltage to microvolts, by UCUM's case-sensitive codes.
//!
//! Only the units that electrocardiographs use are known. Anything else is not guessed at.

/// Microvolts in one of the unit.
pub fn microvolts(ucum: &str) -> Option<f64> {
    Some(match ucum {
        "nV" => 1e-3,
        "uV" => 1.0,
        "mV" => 1e3,
        "V" => 1e6,
        _ => return None,
    })
}

/// The same of a unit's name in words, or of a symbol written as a name. Only to compare with the
/// code: a name in one letter's wrong case (`MV`) says nothing.
pub fn microvolts_in_words(name: &str) -> Option<f64> {
    let name = name.trim();
    if let Some(factor) = microvolts(name) {
        return Some(factor);
    }
    if matches!(name, "µV" | "μV") {
        return Some(1.0);
    }
    let lower = name.to_ascii_lowercase();
    Some(match lower.strip_suffix('s').unwrap_or(&lower) {
        "nanovolt" => 1e-3,
        "microvolt" => 1.0,
        "millivolt" => 1e3,
        "volt" => 1e6,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_codes_are_units() {
        assert_eq!(
            ["nV", "uV", "mV", "V"].map(microvolts),
            [Some(1e-3), Some(1.0), Some(1e3), Some(1e6)]
        );
        for code in ["UV", "mv", "MV", "v", "µV", "mm[Hg]", "1", "", " uV"] {
            assert_eq!(microvolts(code), None, "{code}");
        }
    }

    #[test]
    fn names_are_read_in_words_and_in_both_micro_signs() {
        assert_eq!(microvolts_in_words("Microvolts"), Some(1.0));
        assert_eq!(microvolts_in_words("millivolt"), Some(1e3));
        assert_eq!(microvolts_in_words("\u{b5}V"), Some(1.0));
        assert_eq!(microvolts_in_words("\u{3bc}V"), Some(1.0));
        assert_eq!(microvolts_in_words("MV"), None);
        assert_eq!(microvolts_in_words("megavolt"), None);
    }
}
