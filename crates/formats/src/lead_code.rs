//! The codes and names that files give leads, to our leads.
//!
//! A code is matched exactly and a name only where nothing is left over: `-aVR` is not aVR, and a
//! channel called `Channel 1` is no lead at all.

use precordia_model::Lead;

/// IEEE 11073-10101 annex A, partition 2, in the three ways it is written: `2:1`, `131329` (also
/// without the electrode-potential offset: `131073`) and `MDC_ECG_LEAD_I`.
pub fn from_mdc(code: &str) -> Option<Lead> {
    const PARTITION_2: u32 = 2 << 16;
    // Terms of MDC_ECG_ELEC_POTL_xxx lie 256 above those of MDC_ECG_LEAD_xxx.
    const ELECTRODE_POTENTIAL: u32 = 256;
    if let Some(name) = mdc_name(code) {
        return from_bare_name(name);
    }
    let term = match code.split_once(':') {
        Some(("2", term)) => whole_number(term)?,
        Some(_) => return None,
        None => whole_number(code)?.checked_sub(PARTITION_2)?,
    };
    let id = term.checked_sub(ELECTRODE_POTENTIAL).unwrap_or(term);
    Lead::from_scp_id(u16::try_from(id).ok()?)
}

/// DICOM PS3.16 CID 3001 before 2008: `5.6.3-9-` and the SCP-ECG lead id (EN 1064 table 4).
pub fn from_scpecg(code: &str) -> Option<Lead> {
    let id = whole_number(code.strip_prefix("5.6.3-9-")?)?;
    Lead::from_scp_id(u16::try_from(id).ok()?)
}

/// A name as people and vendors write it: `I`, `lead i`, `LEAD_AVR`, `Lead I (Einthoven)`,
/// `aVR, augmented voltage, right`.
pub fn from_name(text: &str) -> Option<Lead> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    let text = text.split([',', '(']).next().unwrap_or_default().trim();
    if let Some(name) = mdc_name(text) {
        return from_bare_name(name);
    }
    let bare = strip_word(text, "ecg").unwrap_or(text);
    match strip_word(bare, "lead") {
        Some(name) => from_bare_name(name),
        // A lone X, Y or Z names an axis, a channel or a sensor as often as it names a Frank lead.
        None => from_bare_name(bare).filter(|lead| !matches!(lead, Lead::X | Lead::Y | Lead::Z)),
    }
}

fn from_bare_name(name: &str) -> Option<Lead> {
    name.parse().ok()
}

fn mdc_name(text: &str) -> Option<&str> {
    strip_prefix_ignoring_case(text, "MDC_ECG_LEAD_")
        .or_else(|| strip_prefix_ignoring_case(text, "MDC_ECG_ELEC_POTL_"))
}

/// `Lead I`, `LEAD_I`, `LeadI` without the word; only spaces and underscores may stand between.
fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    strip_prefix_ignoring_case(text, word)
        .map(|rest| rest.trim_start_matches([' ', '_']))
        .filter(|rest| !rest.is_empty())
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

/// Digits only: no sign, no spaces.
fn whole_number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_of_an_mdc_code_name_the_same_lead() {
        for &lead in Lead::ALL {
            let id = lead.scp_id();
            assert_eq!(from_mdc(&format!("2:{id}")), Some(lead));
            assert_eq!(from_mdc(&lead.mdc_code().to_string()), Some(lead));
            assert_eq!(
                from_mdc(&format!("MDC_ECG_LEAD_{}", lead.name().to_uppercase())),
                Some(lead)
            );
            assert_eq!(from_scpecg(&format!("5.6.3-9-{id}")), Some(lead));
        }
        for code in [
            "",
            "2:",
            "2:0",
            "2:4000",
            "3:1",
            "2:-1",
            "2:1 ",
            "5",
            "131072",
            "MDC_ECG_LEAD_",
            "MDC_ECG_LEAD_Q",
        ] {
            assert_eq!(from_mdc(code), None, "{code}");
        }
        for code in ["5.6.3-9-", "5.6.3-9-0", "5.6.3-9-1x", "5.6.3-1-1", "5.6.3-9-65"] {
            assert_eq!(from_scpecg(code), None, "{code}");
        }
    }

    #[test]
    fn names_are_recognized_only_when_nothing_is_left_over() {
        let cases = [
            ("I", Some(Lead::I)),
            ("lead i", Some(Lead::I)),
            ("LEAD_AVR", Some(Lead::AVR)),
            ("Lead I (Einthoven)", Some(Lead::I)),
            ("aVR, augmented voltage, right", Some(Lead::AVR)),
            ("Lead I\0", Some(Lead::I)),
            ("ECG V4R", Some(Lead::V4R)),
            ("MDC_ECG_LEAD_aVF", Some(Lead::AVF)),
            ("Lead X", Some(Lead::X)),
            ("X", None),
            ("-aVR", None),
            ("Lead -aVR", None),
            ("V1 V2", None),
            ("V10", None),
            ("Channel 1", None),
            ("lead", None),
            ("ölead I", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(from_name(text), expected, "{text:?}");
        }
    }
}
