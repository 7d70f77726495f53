//! The versions of a resource: one of them, and page by page all of them, newest first.
//!
//! What was erased is gone in every version: reading one says so, and the history tells the deletion alone.

use precordia_interop::fhir::bundle::HistoryEntry;
use precordia_interop::fhir::search::{HistoryAsked, HistoryQuery};
use precordia_interop::fhir::{FhirId, ResourceType};
use precordia_model::Timestamp;
use precordia_rules::access::Permission;
use serde::{Deserialize, Serialize};

use super::{COUNT_DEFAULT, COUNT_MAX, FhirRead, FhirSearchError, target_of};
use crate::access::OrgScope;
use crate::app::{App, AppError};
use crate::port::StoredResource;

/// One page of a resource's versions.
#[derive(Clone, Debug, Default)]
pub struct FhirHistory {
    pub versions: Vec<HistoryEntry>,
    /// Opaque token of the next page.
    pub next: Option<String>,
}

/// Where a history goes on: below a version, and when that one was made.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Below {
    version: Option<i64>,
    made: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct HistoryToken {
    kind: ResourceType,
    id: FhirId,
    query: HistoryQuery,
    below: Below,
}

impl App {
    /// One version of a resource.
    pub async fn fhir_version(
        &self,
        scope: &OrgScope,
        kind: ResourceType,
        id: &FhirId,
        version: i64,
    ) -> Result<FhirRead, AppError> {
        let reading =
            self.reading(scope, permission(kind), "fhir.vread", target_of(kind, id.as_str()));
        let reading = reading.await?;
        let found = async {
            if kind == ResourceType::AuditEvent {
                // A row of the access log never changes.
                return match version {
                    1 => self.audit_event_by_id(scope, id.as_str()).await,
                    _ => Ok(FhirRead::NotFound),
                };
            }
            let versions = &self.ports.resources;
            let stored = versions.version(scope.into(), kind.name(), id.as_str(), version).await?;
            self.opened_version(scope, stored).await
        };
        let found = found.await;
        Self::record_read(reading, found).await
    }

    /// A page of a resource's versions.
    pub async fn fhir_history(
        &self,
        scope: &OrgScope,
        kind: ResourceType,
        id: &FhirId,
        asked: HistoryAsked,
    ) -> Result<FhirHistory, FhirSearchError> {
        let reading =
            self.reading(scope, permission(kind), "fhir.history", target_of(kind, id.as_str()));
        let reading = reading.await?;
        let (query, below) = match asked {
            HistoryAsked::Versions(query) => (query, Below::default()),
            HistoryAsked::Page(token) => {
                let opened = self.open_token::<HistoryToken>(scope, "history", &token).await;
                match opened.filter(|token| token.kind == kind && token.id == *id) {
                    Some(token) => (token.query, token.below),
                    None => {
                        reading.record(Ok(())).await?;
                        return Err(FhirSearchError::Page);
                    }
                }
            }
        };
        let page = match kind {
            ResourceType::AuditEvent => self.audit_event_history(scope, id, &query).await,
            _ => self.version_page(scope, kind, id, query, below).await,
        };
        Ok(reading.record(page).await?)
    }

    async fn version_page(
        &self,
        scope: &OrgScope,
        kind: ResourceType,
        id: &FhirId,
        query: HistoryQuery,
        mut below: Below,
    ) -> Result<FhirHistory, AppError> {
        let count = query.count.unwrap_or(COUNT_DEFAULT).clamp(1, COUNT_MAX);
        let mut page = FhirHistory::default();
        loop {
            let versions = &self.ports.resources;
            let stored = versions
                .versions(scope.into(), kind.name(), id.as_str(), below.version, count)
                .await?;
            if stored.is_empty() {
                // Every resource has a first version: without any there is no resource.
                return match below.version {
                    None => Err(AppError::NotFound("resource")),
                    Some(_) => Ok(page),
                };
            }
            for one in stored {
                let here = below;
                below = Below { version: Some(one.version), made: Some(one.at) };
                if !query.takes(one.at, here.made) {
                    continue;
                }
                let Some(entry) = self.history_entry(scope, one).await? else { continue };
                if page.versions.len() == count as usize {
                    let token = HistoryToken { kind, id: id.clone(), query, below: here };
                    page.next = Some(self.seal_token(scope, "history", &token).await?);
                    return Ok(page);
                }
                page.versions.push(entry);
            }
        }
    }

    /// `None`: erased.
    async fn history_entry(
        &self,
        scope: &OrgScope,
        stored: StoredResource,
    ) -> Result<Option<HistoryEntry>, AppError> {
        let (version, at) = (stored.version, stored.at);
        if stored.deleted {
            return Ok(Some(HistoryEntry { version, at, resource: None }));
        }
        Ok(match self.opened_version(scope, Some(stored)).await? {
            FhirRead::Found(found) => {
                Some(HistoryEntry { version, at, resource: Some(found.body) })
            }
            FhirRead::Gone | FhirRead::NotFound => None,
        })
    }

    /// A row of the access log has one version.
    async fn audit_event_history(
        &self,
        scope: &OrgScope,
        id: &FhirId,
        query: &HistoryQuery,
    ) -> Result<FhirHistory, AppError> {
        let FhirRead::Found(found) = self.audit_event_by_id(scope, id.as_str()).await? else {
            return Err(AppError::NotFound("resource"));
        };
        let at = found.last_updated;
        let entry = HistoryEntry { version: found.version, at, resource: Some(found.body) };
        let versions = query.takes(at, None).then_some(entry).into_iter().collect();
        Ok(FhirHistory { versions, next: None })
    }
}

fn permission(kind: ResourceType) -> Permission {
    match kind {
        ResourceType::AuditEvent => Permission::ReadAccessLog,
        _ => Permission::ReadClinical,
    }
}
