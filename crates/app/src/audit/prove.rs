//! That one row was there when a checkpoint was signed, and is there still, without showing the others.

use serde::Serialize;

use super::lines::RowLine;
use super::rows::{CheckpointLine, hex};
use super::walk::signed_by;
use crate::app::{App, AppError};
use crate::chain::{Consistency, Frontier, Inclusion, consistency_holds, inclusion_holds};
use crate::port::{Checkpoint, LogName, Position, Realm};

const FORMAT: &str = "precordia.audit.proof.1";

/// Everything that an outsider needs who knows the checkpoints' key; `docs/audit-format/README.md`
/// describes the JSON.
#[derive(Clone, Debug, Serialize)]
pub struct Proof {
    pub format: &'static str,
    pub realm: String,
    pub log: &'static str,
    pub row: RowLine,
    /// The statement that the row is proven against.
    pub checkpoint: CheckpointLine,
    /// RFC 9162 section 2.1.3: the row is in the tree of `checkpoint`.
    pub inclusion: Vec<String>,
    /// The last statement that the witness has.
    pub newest: CheckpointLine,
    /// RFC 9162 section 2.1.4: the tree of `newest` begins with that of `checkpoint`.
    pub consistency: Vec<String>,
}

impl App {
    /// Proves a row against the checkpoint at `checkpoint`, or else the first that saw the row: that is the
    /// earliest time by which it is proven to have been written. Every row hash is read, none is kept.
    pub async fn prove(
        &self,
        realm: Realm<'_>,
        log: LogName,
        position: Position,
        checkpoint: Option<Position>,
    ) -> Result<Proof, AppError> {
        let signer = self.signer().await?;
        let all = self.ports.witness.witnessed(realm.id()).await?.unwrap_or_default().checkpoints;
        let mut seen: Vec<Checkpoint> =
            all.into_iter().filter(|c| c.log == log && signed_by(c, &signer)).collect();
        seen.sort_by_key(|c| c.position);
        let asked = |c: &&Checkpoint| checkpoint.is_none_or(|at| c.position == at);
        let found = seen.iter().filter(asked).find(|c| (1..=c.position).contains(&position));
        let (Some(first), Some(newest)) = (found, seen.last()) else {
            return Err(AppError::NotFound("checkpoint that saw this row"));
        };
        let differs = || AppError::Damaged(String::from("the log is not what the witness saw"));
        let parts = self.parts(realm, log, position, first, newest).await?.ok_or_else(differs)?;
        Ok(Proof {
            format: FORMAT,
            realm: realm.id().to_string(),
            log: log.name(),
            row: parts.row,
            checkpoint: CheckpointLine::new(0, first),
            inclusion: parts.inclusion.iter().map(|part| hex(part)).collect(),
            newest: CheckpointLine::new(0, newest),
            consistency: parts.consistency.iter().map(|part| hex(part)).collect(),
        })
    }

    /// As [`App::prove`] for an organization by its short name.
    pub async fn prove_of(
        &self,
        slug: &str,
        log: LogName,
        position: Position,
        checkpoint: Option<Position>,
    ) -> Result<Proof, AppError> {
        let organization = self.organization_named(slug).await?;
        let scope = self.system_scope(organization.id, "audit");
        self.prove((&scope).into(), log, position, checkpoint).await
    }

    /// `None` if the log does not give proofs that hold.
    async fn parts(
        &self,
        realm: Realm<'_>,
        log: LogName,
        position: Position,
        first: &Checkpoint,
        newest: &Checkpoint,
    ) -> Result<Option<Parts>, AppError> {
        let (Ok(index), Ok(small), Ok(large)) = (
            u64::try_from(position - 1),
            u64::try_from(first.position),
            u64::try_from(newest.position),
        ) else {
            return Ok(None);
        };
        let Some(mut inclusion) = Inclusion::new(index, small) else { return Ok(None) };
        let mut consistency = None;
        let mut tree = Frontier::default();
        let mut proven = None;
        let mut after = 0;
        while tree.len() < large {
            let lines = self.lines(realm, log, after).await?;
            let Some(last) = lines.last() else { return Ok(None) };
            after = last.position();
            for row in lines {
                if tree.len() < small {
                    inclusion.push(row.hash());
                    tree.push(row.hash());
                    if tree.len() == small {
                        consistency = Consistency::after(&tree, large);
                    }
                } else if tree.len() < large {
                    tree.push(row.hash());
                    consistency.iter_mut().for_each(|proof| proof.push(row.hash()));
                }
                if row.position() == position {
                    proven = Some(row);
                }
            }
        }
        let (Some(row), Some(inclusion), Some(consistency)) =
            (proven, inclusion.finish(), consistency.and_then(Consistency::finish))
        else {
            return Ok(None);
        };
        let holds = row.computed(realm.id()) == *row.hash()
            && inclusion_holds(row.hash(), index, small, &inclusion, &first.root)
            && consistency_holds(small, &first.root, large, &newest.root, &consistency);
        Ok(holds.then_some(Parts { row, inclusion, consistency }))
    }
}

struct Parts {
    row: RowLine,
    inclusion: Vec<crate::chain::Hash>,
    consistency: Vec<crate::chain::Hash>,
}
