//! What the free-text name of a channel says: a lead, a lead of sorts, or something else.
//!
//! Formats for signals of every kind name their channels as people do. A name that is no lead is
//! never called one without a problem that says so.

use precordia_model::{Lead, Problem};

use crate::lead_code;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChannelName {
    Lead(Lead),
    /// A variant of a lead with electrodes elsewhere, as monitors and Holters have them.
    Modified(Lead),
    /// An ECG of which the name does not say where it was recorded.
    Unplaced,
    /// Another signal.
    Other,
    /// The name says nothing that is known.
    Unknown,
}

/// Beginnings of the names of signals that are no ECG and may still be in units of voltage.
const OTHERS: [&str; 32] = [
    "resp", "abp", "art", "bp", "nbp", "nibp", "ibp", "cvp", "pap", "pawp", "pcwp", "icp", "pleth",
    "ppg", "spo2", "so2", "sao2", "co2", "etco2", "eeg", "eog", "emg", "temp", "flow", "airflow",
    "marker", "event", "trigger", "status", "sound", "pcg", "scg",
];

impl ChannelName {
    pub(crate) fn of(name: &str) -> Self {
        let name = name.trim();
        let lower = name.to_ascii_lowercase();
        let (bare, is_ecg) = without_ecg(&lower);
        match bare {
            // Frank's leads, and the modified leads of Holters: the V and L stand for the axis and limb.
            "vx" => return Self::Lead(Lead::X),
            "vy" => return Self::Lead(Lead::Y),
            "vz" => return Self::Lead(Lead::Z),
            "mli" | "ml1" => return Self::Modified(Lead::I),
            "mlii" | "ml2" => return Self::Modified(Lead::II),
            "mliii" | "ml3" => return Self::Modified(Lead::III),
            _ => {}
        }
        if let Some(lead) = lead_code::from_name(bare).or_else(|| lead_code::from_name(name)) {
            return Self::Lead(lead);
        }
        if let Some(lead) = modified(bare) {
            return Self::Modified(lead);
        }
        if is_ecg {
            return Self::Unplaced;
        }
        let word = lower.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        let word = word.trim_end_matches(|c: char| c.is_ascii_digit());
        let is_other = |other: &&str| other.trim_end_matches(|c: char| c.is_ascii_digit()) == word;
        if !word.is_empty() && OTHERS.iter().any(is_other) {
            return Self::Other;
        }
        Self::Unknown
    }
}

/// `ecg v1`, `ekg-v1`, `v1 ecg` to `v1`, and whether the word was there.
fn without_ecg(name: &str) -> (&str, bool) {
    for word in ["ecg", "ekg"] {
        if let Some(rest) = name.strip_prefix(word) {
            return (rest.trim_start_matches([' ', '_', '-', ':']), true);
        }
        if let Some(rest) = name.strip_suffix(word) {
            return (rest.trim_end_matches([' ', '_']), true);
        }
    }
    (name, false)
}

fn modified(name: &str) -> Option<Lead> {
    let rest = name.strip_prefix("mod")?.trim_start_matches(['.', ' ', '_']);
    lead_code::from_name(rest)
}

/// Gives channels their leads, auxiliary ones where a name does not say which, and tells of it.
#[derive(Debug, Default)]
pub(crate) struct Naming {
    auxiliary: usize,
}

impl Naming {
    /// `None` where the auxiliary leads are used up, which is then an error of the recording.
    pub(crate) fn lead(
        &mut self,
        name: &str,
        meaning: ChannelName,
        place: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<Lead> {
        let shown = shown(name);
        match meaning {
            ChannelName::Lead(lead) => Some(lead),
            ChannelName::Modified(lead) => {
                let text = format!(
                    "the channel is {shown}, a lead {lead} with electrodes elsewhere; it is read as {lead}"
                );
                problems.push(Problem::warning("lead_modified", place, text));
                Some(lead)
            }
            ChannelName::Unplaced | ChannelName::Unknown | ChannelName::Other => {
                let lead = Lead::AUXILIARY.get(self.auxiliary).copied();
                self.auxiliary += 1;
                problems.push(match lead {
                    Some(lead) => {
                        let text = format!(
                            "the channel is {shown}, which names no lead that is known; it is read as the auxiliary lead {lead}"
                        );
                        Problem::warning("lead_unplaced", place, text)
                    }
                    None => {
                        let text = format!(
                            "the channel is {shown}, which names no lead that is known, and four others are so too; it was not read"
                        );
                        Problem::error("lead_not_read", place, text)
                    }
                });
                lead
            }
        }
    }
}

/// A channel's name where it is one; free text may hold anything and is not repeated.
pub(crate) fn shown(name: &str) -> String {
    let is_technical = |c: char| c.is_ascii_alphanumeric() || " .+-_/".contains(c);
    match name.trim() {
        "" => "not named".to_owned(),
        name if name.len() <= 16 && name.chars().all(is_technical) => format!("`{name}`"),
        _ => "named by a text".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_kind_are_told_apart() {
        use ChannelName::{Lead as Is, Modified, Other, Unknown, Unplaced};
        let cases = [
            ("i", Is(Lead::I)),
            ("avr", Is(Lead::AVR)),
            ("vx", Is(Lead::X)),
            ("ECG V1", Is(Lead::V1)),
            ("EKG aVF", Is(Lead::AVF)),
            ("ECG Lead II", Is(Lead::II)),
            ("CM4", Is(Lead::CM4)),
            ("MLII", Modified(Lead::II)),
            ("mod.V1", Modified(Lead::V1)),
            ("ECG", Unplaced),
            ("ECG1", Unplaced),
            ("EKG2", Unplaced),
            ("D3", Unknown),
            ("V4-V5", Unknown),
            ("ML5", Unknown),
            ("", Unknown),
            ("RESP", Other),
            ("EEG Fp1", Other),
            ("SpO2", Other),
            ("CO2", Other),
            ("BP1", Other),
        ];
        for (name, meaning) in cases {
            assert_eq!(ChannelName::of(name), meaning, "{name}");
        }
    }

    #[test]
    fn channels_without_a_place_are_auxiliary_in_order_and_the_fifth_is_an_error() {
        let (mut naming, mut problems) = (Naming::default(), Vec::new());
        let leads: Vec<_> =
            (0..5).map(|_| naming.lead("ECG", ChannelName::Unplaced, "", &mut problems)).collect();
        assert_eq!(leads[..4], Lead::AUXILIARY.map(Some));
        assert_eq!((leads[4], problems[4].code.as_str()), (None, "lead_not_read"));
    }
}
