//! Mistakes that are made on purpose, to see that the rig finds them.
//!
//! Each sits in a layer of the rig (the disk, or a wrapper around a port), never in the product.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// An append is answered before it is committed.
    AcknowledgedEarly,
    /// SQLite's journal is not synced, as with `synchronous = OFF`.
    CommitUnsynced,
    /// Directories are not synced.
    DirectoryUnsynced,
    /// Originals are not synced before the event that names them.
    BlobUnsynced,
    /// A failed sync is answered as if it had worked.
    SyncErrorIgnored,
    /// A failed sync is told as some other failure.
    SyncErrorUnnamed,
    /// What a dead process left in the journal is taken for durable.
    RecoveredUnsynced,
    /// It is synced, and not written again: after a failed sync that is nothing.
    RecoveredTrusted,
    /// Effect keys are not checked.
    EffectUnchecked,
    /// What a decision stood on is not looked at again when it is written.
    PremiseUnchecked,
    /// Work is ended by whoever held it once.
    LeaseUnchecked,
    /// Events are written in another transaction than what belongs to them.
    EventApart,
}

impl Plant {
    pub const ALL: [Plant; 12] = [
        Plant::AcknowledgedEarly,
        Plant::CommitUnsynced,
        Plant::DirectoryUnsynced,
        Plant::BlobUnsynced,
        Plant::SyncErrorIgnored,
        Plant::SyncErrorUnnamed,
        Plant::RecoveredUnsynced,
        Plant::RecoveredTrusted,
        Plant::EffectUnchecked,
        Plant::PremiseUnchecked,
        Plant::LeaseUnchecked,
        Plant::EventApart,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Plant::AcknowledgedEarly => "acknowledged-early",
            Plant::CommitUnsynced => "commit-unsynced",
            Plant::DirectoryUnsynced => "directory-unsynced",
            Plant::BlobUnsynced => "blob-unsynced",
            Plant::SyncErrorIgnored => "sync-error-ignored",
            Plant::SyncErrorUnnamed => "sync-error-unnamed",
            Plant::RecoveredUnsynced => "recovered-unsynced",
            Plant::RecoveredTrusted => "recovered-trusted",
            Plant::EffectUnchecked => "effect-unchecked",
            Plant::PremiseUnchecked => "premise-unchecked",
            Plant::LeaseUnchecked => "lease-unchecked",
            Plant::EventApart => "event-apart",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|plant| plant.name() == name)
    }
}

impl fmt::Display for Plant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
