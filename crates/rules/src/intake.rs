//! What becomes of a received object.

use precordia_model::{PatientId, RecordingId, Refusal};

use crate::event::{ItemFiled, ItemHeld, ItemQuarantined};
use crate::patient::Match;

/// What reading the bytes gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Filed { item: ItemFiled, patient: PatientChoice },
    Held { item: ItemHeld },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatientChoice {
    Known(PatientId),
    /// Nobody has this id yet: registered from what the device says.
    Register,
}

/// A readable recording goes to its patient when the patient is sure, and waits for a person otherwise.
pub fn file(recording: RecordingId, matched: Match) -> Outcome {
    match matched {
        Match::Sure(patient) => {
            Outcome::Filed { item: ItemFiled { recording }, patient: PatientChoice::Known(patient) }
        }
        Match::New => {
            Outcome::Filed { item: ItemFiled { recording }, patient: PatientChoice::Register }
        }
        Match::Unsure(reason) => Outcome::Held { item: ItemHeld { recording, reason } },
    }
}

/// Bytes that are not read are kept with the reason.
pub fn quarantine(refusal: Refusal, reader: &str) -> ItemQuarantined {
    ItemQuarantined { refusal, reader: reader.to_owned() }
}

/// Counts of one door, for the conservation equation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    pub received: i64,
    pub filed: i64,
    pub linked: i64,
    pub held: i64,
    pub quarantined: i64,
    pub rejected: i64,
    pub in_flight: i64,
}

impl Balance {
    /// received = filed + linked + held + quarantined + rejected + in flight
    pub const fn closes(&self) -> bool {
        self.received == self.accounted()
    }

    pub const fn accounted(&self) -> i64 {
        self.filed + self.linked + self.held + self.quarantined + self.rejected + self.in_flight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_balance_closes_only_when_every_received_item_is_accounted_for() {
        let balance = Balance {
            received: 7,
            filed: 2,
            linked: 1,
            held: 1,
            quarantined: 1,
            rejected: 1,
            in_flight: 1,
        };
        assert!(balance.closes());
        assert!(!Balance { received: 8, ..balance }.closes());
        assert!(!Balance { filed: 3, ..balance }.closes());
    }
}
