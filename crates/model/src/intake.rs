//! What can become of a received object.

use serde::{Deserialize, Serialize};

/// The way an object came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Door {
    Upload,
}

impl Door {
    pub const ALL: [Door; 1] = [Door::Upload];

    pub const fn name(self) -> &'static str {
        match self {
            Door::Upload => "upload",
        }
    }

    pub fn parse(name: &str) -> Option<Door> {
        Self::ALL.into_iter().find(|door| door.name() == name)
    }
}

/// received = filed + linked + held + quarantined + rejected + in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemState {
    /// Acknowledged; a worker has not decided yet.
    InFlight,
    /// A recording of a known patient.
    Filed,
    /// The same content was here before; linked to it.
    Linked,
    /// A readable recording without a sure patient.
    Held,
    /// Not readable as an ECG; the original is kept.
    Quarantined,
    /// Not taken (over the limit); nothing was kept but the fact.
    Rejected,
}

impl ItemState {
    pub const ALL: [ItemState; 6] = [
        ItemState::InFlight,
        ItemState::Filed,
        ItemState::Linked,
        ItemState::Held,
        ItemState::Quarantined,
        ItemState::Rejected,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            ItemState::InFlight => "in-flight",
            ItemState::Filed => "filed",
            ItemState::Linked => "linked",
            ItemState::Held => "held",
            ItemState::Quarantined => "quarantined",
            ItemState::Rejected => "rejected",
        }
    }

    pub fn parse(name: &str) -> Option<ItemState> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}
