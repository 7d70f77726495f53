//! What a verification says. Its JSON is an interface: `docs/audit-format/README.md` describes it.

use precordia_model::Timestamp;
use serde::Serialize;

use super::rows::hex;
use crate::port::{LogName, Position};
use crate::view::ViewReport;

/// Name of the JSON's shape; another shape gets another number.
const FORMAT: &str = "precordia.audit.verify.1";

/// What is wrong, and where first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Finding {
    /// The row does not have the hash that its content gives.
    Changed { position: Position },
    /// The row is not chained to the one before it: a row was inserted, replaced or moved here.
    Unchained { position: Position },
    /// Rows are missing from this position on.
    Removed { position: Position, to: Position },
    /// A resource version is not the one that was written with its event.
    ResourceChanged { position: Position },
    /// Versions of a stream are out of order.
    VersionOutOfOrder { position: Position, stream: String },
    /// The log ends before its own head says: rows were cut off.
    CutOff { position: Position, head: Position },
    /// The log has rows after its head: they were not written by this program.
    BeyondHead { position: Position, head: Position },
    /// The head's hash or tree is not that of the rows.
    HeadChanged { position: Position },
    /// This row, or one soon after it, does not have the form it was written in.
    Unreadable { position: Position, detail: String },
    /// The log is whole but ends before the witness saw it end: an old copy was put back, or the tail
    /// was cut off together with the head.
    OldCopy { position: Position, witness: Position },
    /// The log ends before the witness saw it end, and is not whole either.
    CutOffBeforeWitness { position: Position, witness: Position },
    /// At this position the log is not what the witness saw; a row after `proven` is the first wrong one.
    DiffersFromWitness { position: Position, proven: Position },
    /// The witness's line about this position is not signed by this installation's key.
    WitnessUnsigned { position: Position },
    /// A consistency proof of an export does not hold for the checkpoint at this position.
    ProofFails { position: Position },
}

impl Finding {
    pub const fn position(&self) -> Position {
        match self {
            Finding::Changed { position }
            | Finding::Unchained { position }
            | Finding::Removed { position, .. }
            | Finding::ResourceChanged { position }
            | Finding::VersionOutOfOrder { position, .. }
            | Finding::CutOff { position, .. }
            | Finding::BeyondHead { position, .. }
            | Finding::HeadChanged { position }
            | Finding::Unreadable { position, .. }
            | Finding::OldCopy { position, .. }
            | Finding::CutOffBeforeWitness { position, .. }
            | Finding::DiffersFromWitness { position, .. }
            | Finding::WitnessUnsigned { position }
            | Finding::ProofFails { position } => *position,
        }
    }

    /// Whether a row is wrong, and not the end of the log or the witness.
    const fn is_of_a_row(&self) -> bool {
        matches!(
            self,
            Finding::Changed { .. }
                | Finding::Unchained { .. }
                | Finding::Removed { .. }
                | Finding::ResourceChanged { .. }
                | Finding::VersionOutOfOrder { .. }
                | Finding::Unreadable { .. }
        )
    }

    /// The stable name of the kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Finding::Changed { .. } => "changed",
            Finding::Unchained { .. } => "unchained",
            Finding::Removed { .. } => "removed",
            Finding::ResourceChanged { .. } => "resource-changed",
            Finding::VersionOutOfOrder { .. } => "version-out-of-order",
            Finding::CutOff { .. } => "cut-off",
            Finding::BeyondHead { .. } => "beyond-head",
            Finding::HeadChanged { .. } => "head-changed",
            Finding::Unreadable { .. } => "unreadable",
            Finding::OldCopy { .. } => "old-copy",
            Finding::CutOffBeforeWitness { .. } => "cut-off-before-witness",
            Finding::DiffersFromWitness { .. } => "differs-from-witness",
            Finding::WitnessUnsigned { .. } => "witness-unsigned",
            Finding::ProofFails { .. } => "proof-fails",
        }
    }
}

/// What keeps a log from being proven as far as it could be, without showing that it was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Warning {
    /// The clock ran backwards between the row or checkpoint at `position` and the checkpoint that it is
    /// compared with.
    Clock { position: Position, fault: ClockFault, at: String, checkpoint_at: String },
    /// Rows were written for this long after the last checkpoint: the witness could not be written, or
    /// its end was cut off.
    WitnessBehind { position: Position, seconds: i64 },
    /// A line of the witness was begun and not ended, by a crash. The lines around it stand.
    WitnessTorn { line: u64 },
    /// Without the master key the events cannot be opened and folded.
    ViewsNotCompared,
    /// Nobody said which key signs the checkpoints, so anybody's signature would do.
    KeyUnknown,
}

impl Warning {
    pub(super) fn clock(
        position: Position,
        fault: ClockFault,
        at: Timestamp,
        checkpoint: Timestamp,
    ) -> Self {
        let (at, checkpoint_at) = (at.to_rfc3339(), checkpoint.to_rfc3339());
        Warning::Clock { position, fault, at, checkpoint_at }
    }

    /// A torn line takes nothing from what the others prove.
    pub const fn weakens(&self) -> bool {
        !matches!(self, Warning::WitnessTorn { .. })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClockFault {
    /// A checkpoint is older than the one before it.
    CheckpointBeforeCheckpoint,
    /// A row is younger than a checkpoint that saw it.
    RowAfterCheckpoint,
    /// A row that came after a checkpoint is older than it.
    RowBeforeCheckpoint,
}

#[derive(Clone, Debug, Serialize)]
pub struct LogReport {
    pub log: &'static str,
    pub rows: Position,
    /// Proven against the witness up to here; 0 for nothing.
    pub proven_to: Position,
    /// The rows of which only the chain speaks; none if all are proven or there are none.
    pub chained_only: Option<ChainedOnly>,
    /// By position; the first is where to look.
    pub findings: Vec<Finding>,
    pub warnings: Vec<Warning>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ChainedOnly {
    pub from: Position,
    pub to: Position,
}

impl LogReport {
    pub(super) fn new(
        log: LogName,
        rows: Position,
        proven_to: Position,
        mut findings: Vec<Finding>,
        warnings: Vec<Warning>,
    ) -> Self {
        findings.sort_by_key(Finding::position);
        // What comes after a wrong row is not proven, whatever the witness has seen there.
        let wrong = findings.iter().find(|finding| finding.is_of_a_row());
        let proven_to = wrong.map_or(proven_to, |f| proven_to.min(f.position() - 1).max(0));
        let chained_only =
            (proven_to < rows).then_some(ChainedOnly { from: proven_to + 1, to: rows });
        Self { log: log.name(), rows, proven_to, chained_only, findings, warnings }
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct VerifyReport {
    /// Organization id, or `platform`.
    pub realm: String,
    /// Whether there is a witness that has seen this realm, or nothing to see.
    pub witness: bool,
    /// Events first, then accesses.
    pub logs: Vec<LogReport>,
    /// About the realm's witness as a whole.
    pub warnings: Vec<Warning>,
    /// Lines of the witness that are damaged or missing, by their number in its file.
    pub witness_lines_wrong: Vec<u64>,
    /// Files of an export that are not as its manifest says, or a manifest that is not signed.
    pub files_wrong: Vec<String>,
    /// Whether the views are what the events make of them; absent where a realm has none or they could
    /// not be compared, which is a warning then.
    pub views: Option<ViewReport>,
}

impl VerifyReport {
    /// Nothing contradicts the realm. It may still be less than proven.
    pub fn is_clean(&self) -> bool {
        self.logs.iter().all(|log| log.findings.is_empty())
            && self.witness_lines_wrong.is_empty()
            && self.files_wrong.is_empty()
            && self.views.as_ref().is_none_or(ViewReport::is_equal)
    }

    /// Clean, witnessed, and nothing weakens that.
    pub fn is_proven(&self) -> bool {
        let mut warnings = self.logs.iter().flat_map(|log| &log.warnings).chain(&self.warnings);
        self.is_clean() && self.witness && !warnings.any(Warning::weakens)
    }
}

/// How a whole verification ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every row is chained, and proven by the witness as far as it reaches.
    Clean,
    /// Nothing is wrong, but something needed for proof is missing: a witness, its key, a steady clock.
    Unproven,
    Tampered,
}

impl Verdict {
    pub const fn exit_code(self) -> u8 {
        match self {
            Verdict::Clean => 0,
            Verdict::Unproven => 3,
            Verdict::Tampered => 4,
        }
    }
}

/// Where to look first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct First {
    pub realm: String,
    pub log: &'static str,
    pub position: Position,
    pub kind: &'static str,
}

/// All realms together.
#[derive(Clone, Debug, Serialize)]
pub struct Verification {
    pub format: &'static str,
    pub verdict: Verdict,
    pub exit_code: u8,
    /// The key that the checkpoints had to be signed with, in hexadecimal; absent if nobody said it.
    pub public_key: Option<String>,
    pub first: Option<First>,
    pub realms: Vec<VerifyReport>,
}

impl Verification {
    pub fn new(realms: Vec<VerifyReport>, public_key: Option<&[u8]>) -> Self {
        let verdict = match () {
            () if !realms.iter().all(VerifyReport::is_clean) => Verdict::Tampered,
            () if !realms.iter().all(VerifyReport::is_proven) => Verdict::Unproven,
            () => Verdict::Clean,
        };
        let first = realms
            .iter()
            .flat_map(|realm| realm.logs.iter().map(move |log| (realm, log)))
            .find_map(|(realm, log)| {
                log.findings.first().map(|finding| First {
                    realm: realm.realm.clone(),
                    log: log.log,
                    position: finding.position(),
                    kind: finding.kind(),
                })
            });
        Self {
            format: FORMAT,
            verdict,
            exit_code: verdict.exit_code(),
            public_key: public_key.map(hex),
            first,
            realms,
        }
    }
}
