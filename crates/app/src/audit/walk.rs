//! Follows one log from its first row and compares it with what the witness saw; pure.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use precordia_model::Timestamp;

use super::report::{ClockFault, Finding, LogReport, Warning};
use crate::chain::{Frontier, GENESIS, Hash};
use crate::port::{Checkpoint, LogName, Position};

/// The most findings of a log that are listed; the first is what matters.
const FINDINGS_MAX: usize = 100;

/// Rows may go on for so long after the last checkpoint before that is strange, at least.
pub(super) const WITNESS_LAG_SECONDS: i64 = 600;

/// Several machines may write, and their clocks are not one.
const CLOCK_SKEW_US: i64 = 60_000_000;

/// A row is dated when its use case begins and written when it ends.
const LATE_ROW_US: i64 = 600_000_000;

/// Whose signature makes a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signer {
    /// This public key alone.
    Key(Vec<u8>),
    /// There is no key yet, so there can be no checkpoint either.
    Nobody,
    /// Nobody said; then all checkpoints of a log must be signed by one key, and that proves less.
    Unknown,
}

impl Signer {
    pub fn public_key(&self) -> Option<&[u8]> {
        match self {
            Signer::Key(key) => Some(key),
            Signer::Nobody | Signer::Unknown => None,
        }
    }
}

/// The bytes that are signed. Fixed for ever.
pub(super) fn signed_bytes(checkpoint: &Checkpoint) -> Vec<u8> {
    let mut bytes = b"precordia.checkpoint.1".to_vec();
    bytes.extend_from_slice(&checkpoint.realm.bytes());
    bytes.extend_from_slice(checkpoint.log.name().as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(&checkpoint.position.to_be_bytes());
    bytes.extend_from_slice(&checkpoint.hash);
    bytes.extend_from_slice(&checkpoint.root);
    bytes.extend_from_slice(&checkpoint.at.micros().to_be_bytes());
    bytes
}

/// Whether a checkpoint is this signer's. Nobody signs nothing.
pub(super) fn signed_by(checkpoint: &Checkpoint, signer: &Signer) -> bool {
    signer.public_key() == Some(&checkpoint.public_key) && signature_holds(checkpoint)
}

fn signature_holds(checkpoint: &Checkpoint) -> bool {
    UnparsedPublicKey::new(&ED25519, &checkpoint.public_key)
        .verify(&signed_bytes(checkpoint), &checkpoint.signature)
        .is_ok()
}

/// One row as the walk needs it: what it claims, and the hash that its content gives.
pub(super) struct Step<'a> {
    pub(super) position: Position,
    pub(super) previous: &'a Hash,
    pub(super) hash: &'a Hash,
    pub(super) computed: &'a Hash,
    pub(super) at: Timestamp,
}

pub(super) struct Walk {
    log: LogName,
    pub(super) position: Position,
    pub(super) previous: Hash,
    pub(super) frontier: Frontier,
    /// Signed by us and ascending; the last is the next.
    ahead: Vec<Checkpoint>,
    proven_to: Position,
    findings: Vec<Finding>,
    warnings: Vec<Warning>,
    /// The youngest row so far.
    youngest: (Timestamp, Position),
    /// The checkpoint that was passed last.
    passed_at: Option<Timestamp>,
    /// One warning a stretch between checkpoints is enough.
    warned: bool,
    /// Time of the first row that no checkpoint covers.
    unwitnessed_since: Option<(Timestamp, Position)>,
    witness_lag_us_max: i64,
}

impl Walk {
    /// `checkpoints` are those of this log in the witness's order.
    pub(super) fn new(
        log: LogName,
        checkpoints: impl IntoIterator<Item = Checkpoint>,
        signer: &Signer,
        witness_lag_seconds_max: i64,
    ) -> Self {
        let mut walk = Self {
            log,
            position: 0,
            previous: GENESIS,
            frontier: Frontier::default(),
            ahead: Vec::new(),
            proven_to: 0,
            findings: Vec::new(),
            warnings: Vec::new(),
            youngest: (Timestamp(i64::MIN), 0),
            passed_at: None,
            warned: false,
            unwitnessed_since: None,
            witness_lag_us_max: witness_lag_seconds_max.saturating_mul(1_000_000),
        };
        let mut signer = signer.clone();
        let mut last: Option<Timestamp> = None;
        for checkpoint in checkpoints {
            let position = checkpoint.position;
            if signer == Signer::Unknown {
                signer = Signer::Key(checkpoint.public_key.clone());
            }
            // A line that somebody signed with a key of their own proves nothing.
            if !signed_by(&checkpoint, &signer) || position < 1 {
                walk.find(Finding::WitnessUnsigned { position });
                continue;
            }
            if let Some(last) = last.filter(|last| checkpoint.at < *last) {
                let fault = ClockFault::CheckpointBeforeCheckpoint;
                walk.warn(Warning::clock(position, fault, checkpoint.at, last));
            }
            last = Some(checkpoint.at);
            walk.ahead.push(checkpoint);
        }
        walk.ahead.sort_by_key(|checkpoint| std::cmp::Reverse(checkpoint.position));
        walk
    }

    pub(super) fn find(&mut self, finding: Finding) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }

    fn warn(&mut self, warning: Warning) {
        if self.warnings.len() < FINDINGS_MAX {
            self.warnings.push(warning);
        }
    }

    pub(super) fn row(&mut self, step: &Step<'_>) {
        let position = step.position;
        if position != self.position + 1 {
            let (from, to) = (self.position + 1, position - 1);
            self.find(Finding::Removed { position: from, to });
        } else if *step.previous != self.previous {
            self.find(Finding::Unchained { position });
        }
        if step.hash != step.computed {
            self.find(Finding::Changed { position });
        }
        self.position = position;
        self.previous = *step.hash;
        self.frontier.push(step.hash);
        self.look_at_clock(step);
        while self.ahead.last().is_some_and(|checkpoint| checkpoint.position <= position) {
            let Some(checkpoint) = self.ahead.pop() else { return };
            self.compare(&checkpoint);
        }
    }

    fn look_at_clock(&mut self, step: &Step<'_>) {
        if step.at > self.youngest.0 {
            self.youngest = (step.at, step.position);
        }
        let first = *self.unwitnessed_since.get_or_insert((step.at, step.position));
        if step.at < first.0 {
            self.unwitnessed_since = Some((step.at, first.1));
        }
        let Some(passed) = self.passed_at.filter(|_| !self.warned) else { return };
        if step.at.micros() < passed.micros().saturating_sub(LATE_ROW_US) {
            let fault = ClockFault::RowBeforeCheckpoint;
            self.warn(Warning::clock(step.position, fault, step.at, passed));
            self.warned = true;
        }
    }

    fn compare(&mut self, checkpoint: &Checkpoint) {
        let position = checkpoint.position;
        let here = position == self.position;
        if here && self.previous == checkpoint.hash && self.frontier.root() == checkpoint.root {
            self.proven_to = position;
        } else {
            // Every later root differs as well.
            self.find(Finding::DiffersFromWitness { position, proven: self.proven_to });
            self.ahead.clear();
        }
        let (youngest, at) = self.youngest;
        if youngest.micros() > checkpoint.at.micros().saturating_add(CLOCK_SKEW_US) {
            let fault = ClockFault::RowAfterCheckpoint;
            self.warn(Warning::clock(at, fault, youngest, checkpoint.at));
            self.youngest = (Timestamp(i64::MIN), 0);
        }
        self.passed_at = Some(checkpoint.at);
        self.warned = false;
        self.unwitnessed_since = None;
    }

    /// After the last row and what the head had to say.
    pub(super) fn finish(mut self) -> LogReport {
        let last = self.position;
        if let Some(newest) = self.ahead.first() {
            let witness = newest.position;
            let position = last + 1;
            let finding = match self.findings.is_empty() {
                true => Finding::OldCopy { position, witness },
                false => Finding::CutOffBeforeWitness { position, witness },
            };
            self.find(finding);
        }
        if let (Some((since, position)), Some(_)) = (self.unwitnessed_since, self.passed_at) {
            let lag_us = self.youngest.0.micros().saturating_sub(since.micros());
            if lag_us > self.witness_lag_us_max {
                self.warn(Warning::WitnessBehind { position, seconds: lag_us / 1_000_000 });
            }
        }
        LogReport::new(self.log, last, self.proven_to, self.findings, self.warnings)
    }
}

/// The last version of each stream. A stream's name is kept as 64 bits of a keyed hash, so that a million
/// streams fit in some tens of megabytes; two names may meet, so a doubt must be settled by the stream.
pub(super) struct Versions {
    hasher: RandomState,
    last: HashMap<u64, u32>,
}

impl Versions {
    pub(super) fn new() -> Self {
        Self { hasher: RandomState::new(), last: HashMap::new() }
    }

    /// Whether the version follows the last one of its stream.
    pub(super) fn follows(&mut self, stream: &str, version: i64) -> bool {
        let last = self.last.entry(self.hasher.hash_one(stream)).or_insert(0);
        let follows = version == i64::from(*last) + 1;
        *last = u32::try_from(version).unwrap_or(u32::MAX);
        follows
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

    use super::*;
    use crate::port::RealmId;

    const MINUTE: i64 = 60_000_000;

    fn pair() -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
    }

    fn signer() -> Signer {
        Signer::Key(pair().public_key().as_ref().to_vec())
    }

    /// Rows at these minutes, whose hashes are their positions.
    fn hashes(rows: usize) -> Vec<Hash> {
        (1..=rows).map(|n| [n as u8; 32]).collect()
    }

    /// Of a log of such rows: (position, minute).
    fn checkpoint((position, minute): (i64, i64)) -> Checkpoint {
        let mut tree = Frontier::default();
        let rows = hashes(usize::try_from(position).unwrap());
        rows.iter().for_each(|row| tree.push(row));
        let mut checkpoint = Checkpoint {
            realm: RealmId::PLATFORM,
            log: LogName::Events,
            position,
            hash: *rows.last().unwrap(),
            root: tree.root(),
            at: Timestamp(minute * MINUTE),
            public_key: pair().public_key().as_ref().to_vec(),
            signature: Vec::new(),
        };
        checkpoint.signature = pair().sign(&signed_bytes(&checkpoint)).as_ref().to_vec();
        checkpoint
    }

    fn walk(minutes: &[i64], checkpoints: Vec<Checkpoint>, signer: &Signer) -> LogReport {
        let mut walk = Walk::new(LogName::Events, checkpoints, signer, 600);
        let mut previous = GENESIS;
        for ((position, minute), hash) in (1..).zip(minutes).zip(hashes(minutes.len())) {
            let at = Timestamp(minute * MINUTE);
            let step = Step { position, previous: &previous, hash: &hash, computed: &hash, at };
            walk.row(&step);
            previous = hash;
        }
        walk.finish()
    }

    #[track_caller]
    fn warned(minutes: &[i64], checkpoints: &[(i64, i64)], expected: &[(i64, &str)]) {
        let report =
            walk(minutes, checkpoints.iter().copied().map(checkpoint).collect(), &signer());
        assert_eq!(report.findings, []);
        let warnings: Vec<(i64, String)> = report
            .warnings
            .iter()
            .map(|warning| match warning {
                Warning::Clock { position, fault, .. } => (*position, format!("{fault:?}")),
                Warning::WitnessBehind { position, seconds } => {
                    (*position, format!("behind {seconds}"))
                }
                other => panic!("{other:?}"),
            })
            .collect();
        let warnings: Vec<(i64, &str)> = warnings.iter().map(|(p, w)| (*p, w.as_str())).collect();
        assert_eq!(warnings, expected);
    }

    #[test]
    fn a_clock_that_ran_backwards_is_told() {
        warned(&[1, 2, 3, 4], &[(2, 2), (4, 4)], &[]);
        warned(&[1, 2, 3, 4], &[(2, 4), (4, 3)], &[(4, "CheckpointBeforeCheckpoint")]);
        // A minute may lie between the clocks of two machines.
        warned(&[1, 6, 3, 4], &[(2, 4), (4, 8)], &[(2, "RowAfterCheckpoint")]);
        warned(&[1, 5, 3, 4], &[(2, 4), (4, 8)], &[]);
        warned(&[1, 20, 9, 8, 21], &[(2, 20), (5, 22)], &[(3, "RowBeforeCheckpoint")]);
        warned(&[1, 20, 10, 10, 21], &[(2, 20), (5, 22)], &[]);
    }

    #[test]
    fn rows_that_go_on_without_a_checkpoint_are_told() {
        warned(&[1, 2, 3, 13], &[(2, 2)], &[]);
        warned(&[1, 2, 3, 14], &[(2, 2)], &[(3, "behind 660")]);
        warned(&[1, 2, 3, 14], &[(2, 2), (4, 14)], &[]);
    }

    #[test]
    fn a_log_is_proven_to_its_last_checkpoint_and_chained_from_there() {
        let report = walk(&[1, 2, 3, 4], vec![checkpoint((2, 2)), checkpoint((3, 3))], &signer());
        assert_eq!((report.rows, report.proven_to), (4, 3));
        assert_eq!(report.chained_only, Some(super::super::report::ChainedOnly { from: 4, to: 4 }));
        assert_eq!(report.findings, []);
    }

    #[test]
    fn a_log_that_ends_before_its_witness_is_an_old_copy() {
        let report = walk(&[1, 2], vec![checkpoint((2, 2)), checkpoint((4, 4))], &signer());
        assert_eq!(report.findings, [Finding::OldCopy { position: 3, witness: 4 }]);
        assert_eq!(report.proven_to, 2);
    }

    #[test]
    fn only_the_right_key_signs_and_without_one_only_one() {
        let seen = || vec![checkpoint((1, 1)), checkpoint((2, 2))];
        let unsigned = |report: LogReport| {
            assert_eq!(report.proven_to, 0);
            report.findings.iter().filter(|f| matches!(f, Finding::WitnessUnsigned { .. })).count()
        };
        assert_eq!(unsigned(walk(&[1, 2], seen(), &Signer::Key(vec![1; 32]))), 2);
        assert_eq!(unsigned(walk(&[1, 2], seen(), &Signer::Nobody)), 2);
        let report = walk(&[1, 2], seen(), &Signer::Unknown);
        assert_eq!((report.findings.len(), report.proven_to), (0, 2));
        let mut mixed = seen();
        mixed[1].public_key = vec![1; 32];
        let report = walk(&[1, 2], mixed, &Signer::Unknown);
        assert_eq!(report.findings, [Finding::WitnessUnsigned { position: 2 }]);
        for change in [
            |c: &mut Checkpoint| c.position = 1,
            |c: &mut Checkpoint| c.hash[0] ^= 1,
            |c: &mut Checkpoint| c.root[0] ^= 1,
            |c: &mut Checkpoint| c.at.0 += 1,
            |c: &mut Checkpoint| c.log = LogName::Access,
            |c: &mut Checkpoint| c.signature[0] ^= 1,
        ] {
            let mut changed = checkpoint((2, 2));
            change(&mut changed);
            assert_eq!(unsigned(walk(&[1, 2], vec![changed], &signer())), 1);
        }
    }

    #[test]
    fn a_version_that_does_not_follow_is_doubted() {
        let mut versions = Versions::new();
        let said: Vec<bool> = [("a", 1), ("b", 1), ("a", 2), ("a", 2), ("b", 3), ("c", 2)]
            .iter()
            .map(|(stream, version)| versions.follows(stream, *version))
            .collect();
        assert_eq!(said, [true, true, true, false, false, false]);
    }
}
