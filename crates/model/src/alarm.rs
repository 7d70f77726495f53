//! Alarms of operation: what the people who run the program must know. Never a clinical alert.
//!
//! An alarm is made of fixed codes, counts, times and ids; there is no room in it for a name.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::OrganizationId;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $severity:ident, $meaning:literal, $to_do:literal;)+) => {
        /// What is wrong. The list is fixed; a code is never used for something else.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum AlarmCode { $($(#[$doc])* $variant),+ }

        impl AlarmCode {
            pub const ALL: [AlarmCode; [$($name),+].len()] = [$(AlarmCode::$variant),+];

            pub const fn name(self) -> &'static str {
                match self { $(AlarmCode::$variant => $name),+ }
            }

            pub const fn severity(self) -> AlarmSeverity {
                match self { $(AlarmCode::$variant => AlarmSeverity::$severity),+ }
            }

            /// What it says, in a sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(AlarmCode::$variant => $meaning),+ }
            }

            /// What whoever gets it does about it.
            pub const fn to_do(self) -> &'static str {
                match self { $(AlarmCode::$variant => $to_do),+ }
            }
        }
    };
}

codes! {
    BackupFailed = "backup.failed", Critical,
        "A backup did not end well.",
        "Read the log of the backup, put its cause right and start one by hand.";
    BackupLate = "backup.late", Warning,
        "The newest good backup is older than it may be.",
        "See whether backups are started at all and whether their target is reached.";
    RestoreDrillFailed = "restore-drill.failed", Critical,
        "A backup could not be restored in a drill.",
        "Treat the backups since the last good drill as not there; make one by hand and try it.";
    CheckpointFailed = "checkpoint.failed", Critical,
        "A checkpoint of the ledger could not be written to the witness.",
        "See whether the witness is reached, writable and not full. What is written meanwhile is chained, but nobody outside can prove it.";
    LedgerTampered = "ledger.tampered", Critical,
        "A verification found rows, views or checkpoints that contradict each other.",
        "Run `precordia audit verify`, keep copies of the data and the witness, and find out who had access.";
    StorageFailed = "storage.failed", Critical,
        "A commit to the storage failed or its outcome is unknown.",
        "Look at the disk or the database server. Senders are refused or wait meanwhile; nothing that was acknowledged is lost.";
    StorageFull = "storage.full", Critical,
        "The storage refused a write because it is full.",
        "Make room. Senders are refused until there is some.";
    DiskLow = "disk.low", Warning,
        "A file system that the program writes to is nearly full.",
        "Make room before it is full.";
    KeyWorn = "key.worn", Warning,
        "A key was used so often that it will soon be refused.",
        "Run `precordia org key rotate` for the organization; it should have happened by itself, so read the log.";
    KeyRewrapFailed = "key.rewrap-failed", Warning,
        "Keys could not be brought under the active key.",
        "Read the log. Until it is put right, a retired key must not be destroyed.";
    WorkGivenUp = "work.given-up", Warning,
        "Work was given up after its last try and waits for a person.",
        "Open the organization's operations page, read the reasons and try the work again or leave it given up.";
    WorkStuck = "work.stuck", Critical,
        "Work is due and nobody takes it.",
        "See whether the program's workers run and whether the log says why they do not; then restart the program.";
    DeliveryFailed = "delivery.failed", Warning,
        "Alarms cannot be delivered over a channel.",
        "Run `precordia alarms test` and put the channel right. The others still deliver.";
    Test = "alarm.test", Info,
        "Somebody tries whether alarms arrive.",
        "Nothing.";
}

impl AlarmCode {
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.name() == name)
    }
}

impl fmt::Display for AlarmCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum AlarmSeverity {
    /// Nobody has to do anything.
    Info,
    /// Within days; nothing is lost yet.
    #[default]
    Warning,
    /// Now.
    Critical,
}

impl AlarmSeverity {
    pub const ALL: [AlarmSeverity; 3] = [Self::Info, Self::Warning, Self::Critical];

    pub const fn name(self) -> &'static str {
        match self {
            AlarmSeverity::Info => "info",
            AlarmSeverity::Warning => "warning",
            AlarmSeverity::Critical => "critical",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.name() == name)
    }
}

/// What an alarm is about: a part of the program, for one organization or for the installation. Of a code,
/// a subject has one alarm at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AlarmSubject {
    /// `None`: the installation's.
    pub organization: Option<OrganizationId>,
    component: String,
}

impl AlarmSubject {
    /// The component is a name of the program's own: `witness`, `disk`, `backup`.
    pub fn platform(component: &'static str) -> Self {
        Self { organization: None, component: component.to_owned() }
    }

    pub fn organization(id: OrganizationId, component: &'static str) -> Self {
        Self { organization: Some(id), component: component.to_owned() }
    }

    /// Of an organization or, without one, of the installation.
    pub fn of(organization: Option<OrganizationId>, component: &'static str) -> Self {
        Self { organization, component: component.to_owned() }
    }

    /// One of several, as the configuration names it: `channel` becomes `channel/ops`. What is no letter,
    /// digit, dot or hyphen becomes a hyphen.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let name = name.chars().take(60).map(|c| if plain(c) { c } else { '-' });
        self.component.push('/');
        self.component.extend(name);
        self
    }

    /// As it was stored.
    pub fn stored(organization: Option<OrganizationId>, component: String) -> Self {
        Self { organization, component }
    }

    pub fn component(&self) -> &str {
        &self.component
    }
}

impl fmt::Display for AlarmSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.organization {
            Some(organization) => write!(f, "{organization}/{}", self.component),
            None => write!(f, "platform/{}", self.component),
        }
    }
}

/// How much of what, by names of the program's own: `pieces`, `free_bytes`.
pub type AlarmFigures = BTreeMap<String, i64>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_name_of_its_own_and_says_what_to_do() {
        for code in AlarmCode::ALL {
            assert_eq!(AlarmCode::parse(code.name()), Some(code));
            assert!(code.meaning().ends_with('.') && code.to_do().ends_with('.'), "{code}");
        }
    }

    #[test]
    fn a_configured_name_cannot_carry_a_sentence_into_a_subject() {
        let subject = AlarmSubject::platform("channel").named("ops\nEmmy Noether, born 1882");
        assert_eq!(subject.to_string(), "platform/channel/ops-Emmy-Noether--born-1882");
        let long = AlarmSubject::platform("channel").named(&"x".repeat(1000));
        assert_eq!(long.component().len(), "channel/".len() + 60);
    }
}
