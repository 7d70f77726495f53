//! Reads a whole realm again and says whether it is what was written.
//!
//! Without a witness the chain alone speaks: whoever can rewrite the whole database can rewrite the chain
//! with it. With a witness, everything up to the last checkpoint is proven against that.

use std::collections::BTreeMap;

use serde::Serialize;

use super::checkpoint::signature_holds;
use crate::app::{App, AppError};
use crate::chain::{
    EventFields, Frontier, GENESIS, Hash, ResourceFields, access_hash, event_hash, resources_hash,
};
use crate::port::{
    Checkpoint, LogName, NewAccess, Position, Realm, RealmId, StoreError, StoredAccess,
    StoredEvent, StoredResource,
};
use crate::view::ViewReport;

/// Rows that are read at once.
const PAGE: u32 = 2000;

/// What is wrong, and where first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// The row does not have the hash that its content gives.
    Changed { position: Position },
    /// The row is not chained to the one before it: a row was inserted, replaced or moved here.
    Unchained { position: Position },
    /// A position is missing: rows were removed.
    Removed { from: Position, to: Position },
    /// A resource version is not the one that was written with its event.
    ResourceChanged { position: Position },
    /// Versions of a stream are out of order.
    VersionOutOfOrder { position: Position, stream: String },
    /// The log ends before its own head says: rows were cut off.
    CutOff { from: Position, head: Position },
    /// The log has rows after its head: they were not written by this program.
    BeyondHead { head: Position, last: Position },
    /// The head's hash or tree is not that of the rows.
    HeadChanged { position: Position },
    /// A row after this position does not have the form it was written in.
    Unreadable { after: Position, detail: String },
    /// The log is shorter than the witness saw: rows and head were cut off.
    CutOffBeforeWitness { witness: Position, last: Position },
    /// At this position the log is not what the witness saw.
    DiffersFromWitness { position: Position },
    /// The witness's own line is not signed by this platform's key.
    WitnessUnsigned { position: Position },
}

#[derive(Clone, Debug, Serialize)]
pub struct LogReport {
    pub log: &'static str,
    pub rows: Position,
    /// Proven against the witness up to here; 0 for nothing.
    pub witnessed_to: Position,
    pub findings: Vec<Finding>,
}

#[derive(Clone, Debug, Serialize)]
pub struct VerifyReport {
    /// Organization id, or `platform`.
    pub realm: String,
    pub witness: bool,
    pub logs: Vec<LogReport>,
    /// The views beside a fresh fold; `None` where a realm has none.
    pub views: Option<ViewReport>,
}

impl VerifyReport {
    pub fn is_clean(&self) -> bool {
        self.logs.iter().all(|log| log.findings.is_empty())
            && self.views.as_ref().is_none_or(ViewReport::is_equal)
    }
}

/// The most findings that are listed; the first is what matters.
const FINDINGS_MAX: usize = 100;

struct Walk {
    position: Position,
    previous: Hash,
    frontier: Frontier,
    /// Root and hash at each position that the witness knows.
    seen: BTreeMap<Position, (Hash, Hash)>,
    findings: Vec<Finding>,
}

impl Walk {
    fn new(checkpoints: &[&Checkpoint]) -> Self {
        let seen = checkpoints.iter().map(|c| (c.position, (GENESIS, GENESIS))).collect();
        Self {
            position: 0,
            previous: GENESIS,
            frontier: Frontier::default(),
            seen,
            findings: Vec::new(),
        }
    }

    fn find(&mut self, finding: Finding) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }

    /// Takes the next row: its claimed chaining and the hash that its content gives.
    fn row(&mut self, position: Position, previous: &Hash, hash: &Hash, computed: &Hash) {
        if position != self.position + 1 {
            self.find(Finding::Removed { from: self.position + 1, to: position - 1 });
        } else if *previous != self.previous {
            self.find(Finding::Unchained { position });
        }
        if hash != computed {
            self.find(Finding::Changed { position });
        }
        self.position = position;
        self.previous = *hash;
        self.frontier.push(hash);
        if let Some(seen) = self.seen.get_mut(&position) {
            *seen = (self.frontier.root(), *hash);
        }
    }
}

impl App {
    /// Verifies the control ledger and every organization.
    pub async fn verify_all(&self) -> Result<Vec<VerifyReport>, AppError> {
        let platform = self.platform();
        let mut reports = vec![self.verify((&platform).into()).await?];
        for organization in self.ports.directory.organizations(&platform).await? {
            let scope = self.system_scope(organization.id, "audit");
            reports.push(self.verify((&scope).into()).await?);
        }
        Ok(reports)
    }

    pub async fn verify(&self, realm: Realm<'_>) -> Result<VerifyReport, AppError> {
        let key = self.checkpoint_key().await?;
        let witnessed = self.ports.witness.checkpoints(realm.id()).await?;
        let asked = witnessed.is_some();
        let all = witnessed.unwrap_or_default();
        let of = |log| all.iter().filter(|c| c.log == log).collect::<Vec<_>>();
        let mut logs = Vec::new();
        for log in [LogName::Events, LogName::Access] {
            let checkpoints = of(log);
            let mut walk = Walk::new(&checkpoints);
            self.walk_log(realm, log, &mut walk).await?;
            let witnessed_to = compare_with_witness(&mut walk, &checkpoints, key.as_deref());
            logs.push(LogReport {
                log: log.name(),
                rows: walk.position,
                witnessed_to,
                findings: walk.findings,
            });
        }
        // Where nothing was written there is nothing to have seen.
        let nothing = logs.iter().all(|log: &LogReport| log.rows == 0);
        let witness = asked && (nothing || !all.is_empty());
        let views = match realm {
            Realm::Organization(scope) => Some(match self.compare_views(scope).await {
                Err(AppError::Store(StoreError::Damaged { detail, .. })) => {
                    ViewReport::unreadable(detail)
                }
                compared => compared?,
            }),
            Realm::Platform(_) => None,
        };
        Ok(VerifyReport { realm: realm.id().to_string(), witness, logs, views })
    }

    async fn walk_log(
        &self,
        realm: Realm<'_>,
        log: LogName,
        walk: &mut Walk,
    ) -> Result<(), AppError> {
        // The head is read before the rows: rows that are written meanwhile come after it.
        let head = match self.ports.log.head(realm, log).await {
            Ok(head) => Some(head),
            Err(StoreError::Damaged { .. }) => None,
            Err(other) => return Err(other.into()),
        };
        let position = head.as_ref().map_or(0, |head| head.position);
        let walked = match log {
            LogName::Events => self.walk_events(realm, walk, position).await,
            LogName::Access => self.walk_accesses(realm, walk, position).await,
        };
        match walked {
            Ok(()) => {}
            Err(AppError::Store(StoreError::Damaged { detail, .. })) => {
                walk.find(Finding::Unreadable { after: walk.position, detail });
                return Ok(());
            }
            Err(other) => return Err(other),
        }
        let Some(head) = head else {
            walk.find(Finding::HeadChanged { position: walk.position });
            return Ok(());
        };
        if walk.position < head.position {
            walk.find(Finding::CutOff { from: walk.position + 1, head: head.position });
        } else if walk.position == head.position {
            let tree = Frontier::from_bytes(&head.frontier);
            if head.hash != walk.previous || tree.as_ref() != Some(&walk.frontier) {
                walk.find(Finding::HeadChanged { position: head.position });
            }
        } else {
            // Either written while we read, or not by us.
            match self.ports.log.head(realm, log).await {
                Ok(now) if walk.position <= now.position => {}
                Ok(now) => {
                    walk.find(Finding::BeyondHead { head: now.position, last: walk.position })
                }
                Err(StoreError::Damaged { .. }) => {
                    walk.find(Finding::HeadChanged { position: walk.position })
                }
                Err(other) => return Err(other.into()),
            }
        }
        Ok(())
    }

    async fn walk_events(
        &self,
        realm: Realm<'_>,
        walk: &mut Walk,
        head: Position,
    ) -> Result<(), AppError> {
        let mut versions: BTreeMap<String, i64> = BTreeMap::new();
        let mut after = 0;
        loop {
            let events = self.ports.log.events(realm, after, PAGE).await?;
            let (Some(first), Some(last)) = (events.first(), events.last()) else { break };
            let resources =
                self.resources_between(realm, first.position - 1, last.position).await?;
            after = last.position;
            for event in &events {
                check_event(realm.id(), event, &resources, walk);
                let version = versions.entry(event.stream.clone()).or_insert(0);
                if event.version != *version + 1 {
                    walk.find(Finding::VersionOutOfOrder {
                        position: event.position,
                        stream: event.stream.clone(),
                    });
                }
                *version = event.version;
            }
            if events.len() < PAGE as usize && after >= head {
                break;
            }
        }
        Ok(())
    }

    async fn resources_between(
        &self,
        realm: Realm<'_>,
        after: Position,
        to: Position,
    ) -> Result<BTreeMap<Position, Vec<StoredResource>>, AppError> {
        let mut all: BTreeMap<Position, Vec<StoredResource>> = BTreeMap::new();
        let mut from = after;
        while from < to {
            let span = u32::try_from(to - from).unwrap_or(u32::MAX).min(PAGE);
            for resource in self.ports.log.resources(realm, from, span).await? {
                all.entry(resource.position).or_default().push(resource);
            }
            from += i64::from(span);
        }
        Ok(all)
    }

    async fn walk_accesses(
        &self,
        realm: Realm<'_>,
        walk: &mut Walk,
        head: Position,
    ) -> Result<(), AppError> {
        let mut after = 0;
        loop {
            let rows = self.ports.log.accesses(realm, after, PAGE).await?;
            let Some(last) = rows.last() else { break };
            after = last.position;
            for row in &rows {
                let computed = computed_access(realm.id(), row);
                walk.row(row.position, &row.previous, &row.hash, &computed);
            }
            if rows.len() < PAGE as usize && after >= head {
                break;
            }
        }
        Ok(())
    }
}

fn check_event(
    realm: RealmId,
    event: &StoredEvent,
    resources: &BTreeMap<Position, Vec<StoredResource>>,
    walk: &mut Walk,
) {
    let written = resources.get(&event.position).map(Vec::as_slice).unwrap_or_default();
    let digest = resources_hash(written.iter().map(|r| ResourceFields {
        kind: &r.kind,
        id: &r.id,
        version: r.version,
        deleted: r.deleted,
        body: &r.body,
    }));
    let fields = EventFields {
        stream: &event.stream,
        version: event.version,
        kind: &event.kind,
        schema: event.schema,
        actor: &event.actor,
        at_micros: event.at.micros(),
        cause: event.cause,
        request: &event.request,
        payload: &event.payload,
    };
    let computed = event_hash(realm, event.position, fields, &event.resources, &event.previous);
    walk.row(event.position, &event.previous, &event.hash, &computed);
    if digest != event.resources {
        walk.find(Finding::ResourceChanged { position: event.position });
    }
}

fn computed_access(realm: RealmId, row: &StoredAccess) -> Hash {
    let new = NewAccess {
        at: row.at,
        actor: row.actor.clone(),
        roles: row.roles.clone(),
        action: row.action.clone(),
        target: row.target.clone(),
        purpose: row.purpose.clone(),
        outcome: row.outcome.clone(),
        request: precordia_model::RequestId(uuid::Uuid::nil()),
        detail: row.detail.clone(),
    };
    access_hash(realm, row.position, &new, &row.request, &row.previous)
}

/// How far the witness proves the log; what disagrees is a finding.
fn compare_with_witness(
    walk: &mut Walk,
    checkpoints: &[&Checkpoint],
    key: Option<&[u8]>,
) -> Position {
    let mut proven = 0;
    for checkpoint in checkpoints {
        let position = checkpoint.position;
        // A line that somebody signed with a key of their own proves nothing.
        let ours = key.is_none_or(|key| key == checkpoint.public_key);
        if !ours || !signature_holds(checkpoint) {
            walk.find(Finding::WitnessUnsigned { position });
        } else if position > walk.position {
            walk.find(Finding::CutOffBeforeWitness { witness: position, last: walk.position });
        } else if walk.seen.get(&position) != Some(&(checkpoint.root, checkpoint.hash)) {
            walk.find(Finding::DiffersFromWitness { position });
        } else {
            proven = proven.max(position);
        }
    }
    proven
}
