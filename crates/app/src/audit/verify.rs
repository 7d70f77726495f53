//! Reads a whole realm again and says whether it is what was written.
//!
//! Without a witness the chain alone speaks: whoever can rewrite the whole database can rewrite the chain
//! with it. With a witness, everything up to the last checkpoint is proven against that.

use std::collections::BTreeMap;

use precordia_model::Timestamp;

use super::report::{Finding, LogReport, Verification, VerifyReport, Warning};
use super::rows::{AccessLine, EventLine};
use super::walk::{Signer, Step, Versions, WITNESS_LAG_SECONDS, Walk};
use crate::app::{App, AppError};
use crate::chain::{Frontier, ResourceFields, resources_hash};
use crate::keys::KeyError;
use crate::port::{
    LogName, Position, Realm, RealmId, StoreError, StoredResource, Stream, Witnessed,
};
use crate::view::ViewReport;

/// Rows that are read at once.
pub(super) const PAGE: u32 = 500;

impl App {
    /// The control ledger and every organization, by this installation's own key.
    pub async fn verify_all(&self) -> Result<Vec<VerifyReport>, AppError> {
        self.verify_all_by(&self.signer().await?).await
    }

    /// As [`App::verify_all`], for somebody who has the checkpoints' key from elsewhere, or not at all.
    pub async fn verify_all_by(&self, signer: &Signer) -> Result<Vec<VerifyReport>, AppError> {
        let platform = self.platform();
        let mut reports = vec![self.verify((&platform).into(), signer).await?];
        for organization in self.ports.directory.organizations(&platform).await? {
            let scope = self.system_scope(organization.id, "audit");
            reports.push(match self.verify((&scope).into(), signer).await {
                // In the directory and nowhere else: its storage was removed, or its row made up.
                Err(AppError::Store(StoreError::UnknownOrganization(id))) => {
                    self.gone(RealmId(Some(id)), signer).await?
                }
                verified => verified?,
            });
        }
        let known: Vec<String> = reports.iter().map(|report| report.realm.clone()).collect();
        for realm in self.ports.witness.realms().await? {
            if !known.contains(&realm.to_string()) {
                reports.push(self.gone(realm, signer).await?);
            }
        }
        Ok(reports)
    }

    pub async fn verification(&self, signer: &Signer) -> Result<Verification, AppError> {
        Ok(Verification::new(self.verify_all_by(signer).await?, signer.public_key()))
    }

    pub async fn verify(
        &self,
        realm: Realm<'_>,
        signer: &Signer,
    ) -> Result<VerifyReport, AppError> {
        let witnessed = self.ports.witness.witnessed(realm.id()).await?;
        self.verify_by(realm, signer, witnessed).await
    }

    /// By what a witness said at some time, here or elsewhere.
    pub(crate) async fn verify_by(
        &self,
        realm: Realm<'_>,
        signer: &Signer,
        witnessed: Option<Witnessed>,
    ) -> Result<VerifyReport, AppError> {
        let mut logs = Vec::new();
        for log in [LogName::Events, LogName::Access] {
            let mut walk = self.walk_of(log, witnessed.as_ref(), signer);
            self.walk_log(realm, log, &mut walk).await?;
            logs.push(walk.finish());
        }
        let mut report = report_of(realm.id().to_string(), logs, witnessed, signer);
        report.views = self.compared(realm).await?;
        report.warnings.extend(report.views.is_none().then_some(Warning::ViewsNotCompared));
        Ok(report)
    }

    /// A realm that the witness has seen and the directory does not have: all of its rows are missing.
    async fn gone(&self, realm: RealmId, signer: &Signer) -> Result<VerifyReport, AppError> {
        let witnessed = self.ports.witness.witnessed(realm).await?;
        let logs = [LogName::Events, LogName::Access]
            .map(|log| self.walk_of(log, witnessed.as_ref(), signer).finish());
        Ok(report_of(realm.to_string(), logs.into(), witnessed, signer))
    }

    /// `None`: the realm's key cannot be opened here.
    async fn compared(&self, realm: Realm<'_>) -> Result<Option<ViewReport>, AppError> {
        if let Err(KeyError::Master(_)) = self.keyring.realm(realm).await {
            return Ok(None);
        }
        let compared = match realm {
            Realm::Organization(scope) => self.compare_views(scope).await,
            Realm::Platform(scope) => self.compare_platform(scope).await,
        };
        match compared {
            Err(AppError::Store(StoreError::Damaged { detail, .. })) => {
                Ok(Some(ViewReport::unreadable(detail)))
            }
            Err(cause @ AppError::Keys(_)) => Ok(Some(ViewReport::unreadable(cause.to_string()))),
            compared => compared.map(Some),
        }
    }

    pub(super) fn walk_of(
        &self,
        log: LogName,
        witnessed: Option<&Witnessed>,
        signer: &Signer,
    ) -> Walk {
        let all = witnessed.map(|witnessed| witnessed.checkpoints.as_slice()).unwrap_or_default();
        let own = all.iter().filter(|checkpoint| checkpoint.log == log).cloned();
        let pause = i64::try_from(self.settings.checkpoint_seconds).unwrap_or(i64::MAX);
        Walk::new(log, own, signer, WITNESS_LAG_SECONDS.max(pause.saturating_mul(4)))
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
                walk.find(Finding::Unreadable { position: walk.position + 1, detail });
                return Ok(());
            }
            Err(other) => return Err(other),
        }
        let Some(head) = head else {
            walk.find(Finding::HeadChanged { position: walk.position });
            return Ok(());
        };
        if walk.position < head.position {
            walk.find(Finding::CutOff { position: walk.position + 1, head: head.position });
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
                    let (position, head) = (now.position + 1, now.position);
                    walk.find(Finding::BeyondHead { position, head });
                }
                Err(StoreError::Damaged { .. }) => {
                    walk.find(Finding::HeadChanged { position: walk.position });
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
        let mut versions = Versions::new();
        let mut after = 0;
        loop {
            let events = self.ports.log.events(realm, after, PAGE).await?;
            let (Some(first), Some(last)) = (events.first(), events.last()) else { break };
            let resources =
                self.resources_between(realm, first.position - 1, last.position).await?;
            after = last.position;
            let more = events.len() == PAGE as usize;
            for event in events {
                let written = resources.get(&event.position).map(Vec::as_slice).unwrap_or_default();
                let as_written = digest_of(written) == event.resources;
                let follows = versions.follows(&event.stream, event.version);
                let (position, stream, version) =
                    (event.position, event.stream.clone(), event.version);
                let line = EventLine::from(event);
                walk.row(&Step {
                    position,
                    previous: &line.previous,
                    hash: &line.hash,
                    computed: &line.computed(realm.id()),
                    at: Timestamp(line.at_us),
                });
                if !as_written {
                    walk.find(Finding::ResourceChanged { position });
                }
                if !follows && !self.follows(realm, &stream, position, version).await? {
                    walk.find(Finding::VersionOutOfOrder { position, stream });
                }
            }
            if !more && after >= head {
                break;
            }
        }
        Ok(())
    }

    /// Reads a stream to settle a doubt about one of its versions.
    async fn follows(
        &self,
        realm: Realm<'_>,
        stream: &str,
        position: Position,
        version: i64,
    ) -> Result<bool, AppError> {
        let events = self.ports.log.stream(realm, &Stream(stream.to_owned())).await?;
        let before = events.iter().filter(|event| event.position < position);
        Ok(before.map(|event| event.version).max().unwrap_or(0) + 1 == version)
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
            let more = rows.len() == PAGE as usize;
            for line in rows.into_iter().map(AccessLine::from) {
                walk.row(&Step {
                    position: line.position,
                    previous: &line.previous,
                    hash: &line.hash,
                    computed: &line.computed(realm.id()),
                    at: Timestamp(line.at_us),
                });
            }
            if !more && after >= head {
                break;
            }
        }
        Ok(())
    }
}

/// What the logs and the witness say about a realm, put together.
pub(super) fn report_of(
    realm: String,
    logs: Vec<LogReport>,
    witnessed: Option<Witnessed>,
    signer: &Signer,
) -> VerifyReport {
    // Where nothing was written there is nothing to have seen.
    let nothing = logs.iter().all(|log| log.rows == 0);
    let mut report = VerifyReport {
        realm,
        witness: false,
        logs,
        warnings: Vec::new(),
        witness_lines_wrong: Vec::new(),
        files_wrong: Vec::new(),
        views: None,
    };
    if let Some(witnessed) = witnessed {
        report.witness = nothing || !witnessed.checkpoints.is_empty();
        report
            .warnings
            .extend(witnessed.torn.into_iter().map(|line| Warning::WitnessTorn { line }));
        report.witness_lines_wrong = witnessed.wrong;
    }
    if *signer == Signer::Unknown && report.witness && !nothing {
        report.warnings.push(Warning::KeyUnknown);
    }
    report
}

pub(crate) fn digest_of(written: &[StoredResource]) -> crate::chain::Hash {
    resources_hash(written.iter().map(|r| ResourceFields {
        kind: &r.kind,
        id: &r.id,
        version: r.version,
        deleted: r.deleted,
        body: &r.body,
    }))
}
