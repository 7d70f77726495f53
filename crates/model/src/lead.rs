//! ECG leads by their canonical names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! leads {
    ($($variant:ident = $name:literal, $scp:literal;)+) => {
        /// A lead of the standard, extended, Frank or ambulatory systems.
        ///
        /// `AB1` to `AB4` are the auxiliary leads: traces of which nothing but their order is known.
        ///
        /// The number is the SCP-ECG lead id (EN 1064 table 4); the MDC code of a lead is
        /// 131328 plus that id (IEEE 11073-10101 annex A, partition 2).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Lead { $($variant),+ }

        impl Lead {
            pub const ALL: &'static [Lead] = &[$(Lead::$variant),+];

            /// Canonical name, as printed beside a trace: `aVR`, `V4R`.
            pub const fn name(self) -> &'static str {
                match self { $(Lead::$variant => $name),+ }
            }

            /// SCP-ECG lead id.
            pub const fn scp_id(self) -> u16 {
                match self { $(Lead::$variant => $scp),+ }
            }
        }
    };
}

leads! {
    I = "I", 1; II = "II", 2; III = "III", 61;
    AVR = "aVR", 62; AVL = "aVL", 63; AVF = "aVF", 64;
    V1 = "V1", 3; V2 = "V2", 4; V3 = "V3", 5; V4 = "V4", 6; V5 = "V5", 7; V6 = "V6", 8;
    V7 = "V7", 9; V8 = "V8", 66; V9 = "V9", 67;
    V2R = "V2R", 10; V3R = "V3R", 11; V4R = "V4R", 12; V5R = "V5R", 13; V6R = "V6R", 14; V7R = "V7R", 15;
    X = "X", 16; Y = "Y", 17; Z = "Z", 18;
    CC5 = "CC5", 19; CM5 = "CM5", 20;
    CM1 = "CM1", 106; CM2 = "CM2", 107; CM3 = "CM3", 108; CM4 = "CM4", 109; CM6 = "CM6", 110;
    AB1 = "AB1", 127; AB2 = "AB2", 128; AB3 = "AB3", 129; AB4 = "AB4", 130;
}

impl Lead {
    /// The twelve standard leads in the usual printed order.
    pub const TWELVE: [Lead; 12] = [
        Lead::I,
        Lead::II,
        Lead::III,
        Lead::AVR,
        Lead::AVL,
        Lead::AVF,
        Lead::V1,
        Lead::V2,
        Lead::V3,
        Lead::V4,
        Lead::V5,
        Lead::V6,
    ];

    /// MDC reference code, for example 131329 for lead I.
    pub const fn mdc_code(self) -> u32 {
        131_328 + self.scp_id() as u32
    }

    pub fn from_scp_id(id: u16) -> Option<Lead> {
        Self::ALL.iter().copied().find(|lead| lead.scp_id() == id)
    }

    pub fn from_mdc_code(code: u32) -> Option<Lead> {
        Self::from_scp_id(code.checked_sub(131_328)?.try_into().ok()?)
    }

    /// The auxiliary leads, in order.
    pub const AUXILIARY: [Lead; 4] = [Lead::AB1, Lead::AB2, Lead::AB3, Lead::AB4];

    pub const fn is_limb(self) -> bool {
        matches!(self, Lead::I | Lead::II | Lead::III | Lead::AVR | Lead::AVL | Lead::AVF)
    }
}

impl fmt::Display for Lead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a known lead name")]
pub struct UnknownLead(pub String);

impl FromStr for Lead {
    type Err = UnknownLead;

    /// Accepts the canonical names in any case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|lead| lead.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownLead(text.to_owned()))
    }
}

impl Serialize for Lead {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Lead {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lead_is_found_again_by_name_and_by_both_codes() {
        for &lead in Lead::ALL {
            assert_eq!(lead.name().parse(), Ok(lead));
            assert_eq!(Lead::from_scp_id(lead.scp_id()), Some(lead));
            assert_eq!(Lead::from_mdc_code(lead.mdc_code()), Some(lead));
        }
        assert_eq!(Lead::III.mdc_code(), 131_389);
        assert_eq!(Lead::from_mdc_code(5), None);
    }
}
