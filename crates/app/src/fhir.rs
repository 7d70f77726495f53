//! The FHIR reads: by id and by search. A search answers exactly what was asked or not at all; candidates
//! come from the indexes and every one is tested on the opened resource.

mod history;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use precordia_interop::fhir::search::{
    AuditQuery, EcgFilter, EcgQuery, PatientFilter, PatientQuery, Query, Search, Token,
    matches_resource,
};
use precordia_interop::fhir::{FhirId, ResourceType, audit_event};
use precordia_model::{BlobId, PatientId, RecordingId, Timestamp};
use precordia_rules::access::Permission;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::access::{OrgScope, Reading, parse_roles};
use crate::app::{App, AppError};
use crate::index;
use crate::ledger::{Draft, named_key, open_value};
use crate::patient::is_erased;
use crate::port::{Position, Realm, RecordingFilter, StoredAccess, StoredResource};

pub use history::FhirHistory;

/// Resources on a page when the reader does not say.
const COUNT_DEFAULT: u32 = 50;
const COUNT_MAX: u32 = 200;
/// Candidates that one page looks at; a sparse search answers in more, smaller pages.
const CANDIDATES_MAX: usize = 4_000;
/// The longest page token that a search takes.
const PAGE_TOKEN_BYTES_MAX: usize = 4_096;

#[derive(Clone, Debug)]
pub enum FhirRead {
    Found(Box<FhirResource>),
    /// It was here and was erased.
    Gone,
    NotFound,
}

#[derive(Clone, Debug)]
pub struct FhirResource {
    pub body: Value,
    pub version: i64,
    pub last_updated: Timestamp,
}

#[derive(Clone, Debug)]
pub struct FhirPage {
    pub resources: Vec<Value>,
    /// Opaque token of the next page.
    pub next: Option<String>,
}

/// Original bytes with what FHIR says of them.
#[derive(Clone, Debug)]
pub struct FhirBinary {
    pub bytes: Vec<u8>,
    pub content_type: &'static str,
    pub recording: RecordingId,
    pub received_at: Timestamp,
}

/// Where the next page begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Cursor {
    Patient(PatientId),
    Recording(Timestamp, RecordingId),
    Access(Position),
}

#[derive(Serialize, Deserialize)]
struct PageToken {
    query: Query,
    cursor: Cursor,
}

#[derive(Debug, thiserror::Error)]
pub enum FhirSearchError {
    /// The token of a page is not one that this server gave for this type.
    #[error("the page token is not valid here")]
    Page,
    #[error(transparent)]
    App(#[from] AppError),
}

impl App {
    pub async fn fhir_read(
        &self,
        scope: &OrgScope,
        kind: ResourceType,
        id: &str,
    ) -> Result<FhirRead, AppError> {
        let target = target_of(kind, id);
        if kind == ResourceType::AuditEvent {
            let reading =
                self.reading(scope, Permission::ReadAccessLog, "fhir.read", target).await?;
            return Self::record_read(reading, self.audit_event_by_id(scope, id).await).await;
        }
        let reading = self.reading(scope, Permission::ReadClinical, "fhir.read", target).await?;
        Self::record_read(reading, self.fhir_newest(scope, kind, id).await).await
    }

    async fn record_read(
        reading: Reading<'_>,
        result: Result<FhirRead, AppError>,
    ) -> Result<FhirRead, AppError> {
        // Nothing there is an outcome of its own in the log, and an answer to the reader.
        match result {
            Ok(FhirRead::NotFound) => {
                match reading.record(Err::<(), _>(AppError::NotFound("resource"))).await {
                    Err(AppError::NotFound(_)) | Ok(()) => Ok(FhirRead::NotFound),
                    Err(other) => Err(other),
                }
            }
            other => reading.record(other).await,
        }
    }

    async fn fhir_newest(
        &self,
        scope: &OrgScope,
        kind: ResourceType,
        id: &str,
    ) -> Result<FhirRead, AppError> {
        let stored = self.ports.resources.newest(scope.into(), kind.name(), id).await?;
        self.opened_version(scope, stored).await
    }

    async fn opened_version(
        &self,
        scope: &OrgScope,
        stored: Option<StoredResource>,
    ) -> Result<FhirRead, AppError> {
        let Some(stored) = stored else { return Ok(FhirRead::NotFound) };
        if stored.deleted {
            return Ok(FhirRead::Gone);
        }
        match self.open_resources(scope.into(), std::slice::from_ref(&stored)).await {
            Ok(mut bodies) => Ok(bodies.pop().map_or(FhirRead::NotFound, |body| {
                let resource =
                    FhirResource { body, version: stored.version, last_updated: stored.at };
                FhirRead::Found(Box::new(resource))
            })),
            Err(cause) if is_erased(&cause) => Ok(FhirRead::Gone),
            Err(cause) => Err(cause),
        }
    }

    /// The original bytes behind a DocumentReference.
    pub async fn fhir_binary(&self, scope: &OrgScope, id: BlobId) -> Result<FhirBinary, AppError> {
        let permission = Permission::ExportOriginal;
        // Written down under the recording, so that its page shows who took the original.
        let row = match scope.may(permission) {
            true => {
                let filter = RecordingFilter { blob: Some(id), ..RecordingFilter::default() };
                self.ports.recordings.recordings(scope, &filter, 1).await?.pop()
            }
            false => None,
        };
        let target =
            row.as_ref().map_or(format!("blob/{id}"), |row| format!("recording/{}", row.id));
        let reading = self.reading(scope, permission, "fhir.binary", target).await?;
        let result = async {
            let row = row.ok_or(AppError::NotFound("original"))?;
            let facts = self.recording_facts(scope, &row).await?;
            Ok(FhirBinary {
                bytes: self.blob_bytes(scope, id).await?,
                content_type: crate::ingest::content_type(&facts.format),
                recording: row.id,
                received_at: row.received_at,
            })
        }
        .await;
        reading.record(result).await
    }

    pub async fn fhir_search(
        &self,
        scope: &OrgScope,
        query: Query,
    ) -> Result<FhirPage, FhirSearchError> {
        let permission = match query.resource() {
            ResourceType::AuditEvent => Permission::ReadAccessLog,
            _ => Permission::ReadClinical,
        };
        let target = query.resource().name().to_owned();
        let reading = self.reading(scope, permission, "fhir.search", target).await?;
        let (query, cursor) = match query {
            Query::Page { resource, token } => {
                let page = self
                    .open_token::<PageToken>(scope, "token", &token)
                    .await
                    .filter(|page| page.query.resource() == resource);
                let Some(page) = page else {
                    reading.record(Ok(())).await?;
                    return Err(FhirSearchError::Page);
                };
                (page.query, Some(page.cursor))
            }
            query => (query, None),
        };
        let result = self.fhir_page(scope, query, cursor).await;
        Ok(reading.record(result).await?)
    }

    async fn fhir_page(
        &self,
        scope: &OrgScope,
        query: Query,
        cursor: Option<Cursor>,
    ) -> Result<FhirPage, AppError> {
        let count = query.count().unwrap_or(COUNT_DEFAULT).clamp(1, COUNT_MAX) as usize;
        let mut page = Page { query, count, resources: Vec::new(), looked_at: 0, next: None };
        match page.query.clone() {
            Query::Patient(q) => self.patient_candidates(scope, &q, cursor, &mut page).await?,
            Query::Observation(q) => self.ecg_candidates(scope, &q, cursor, &mut page).await?,
            Query::DiagnosticReport(q) => self.ecg_candidates(scope, &q, cursor, &mut page).await?,
            Query::DocumentReference(q) => {
                self.ecg_candidates(scope, &q, cursor, &mut page).await?
            }
            Query::AuditEvent(q) => self.audit_candidates(scope, &q, cursor, &mut page).await?,
            Query::Page { .. } => {
                return Err(AppError::Damaged("a page token stands for a page token".into()));
            }
        }
        let next = match page.next.take() {
            Some(cursor) => {
                let token = PageToken { query: page.query, cursor };
                Some(self.seal_token(scope, "token", &token).await?)
            }
            None => None,
        };
        Ok(FhirPage { resources: page.resources, next })
    }

    async fn patient_candidates(
        &self,
        scope: &OrgScope,
        query: &PatientQuery,
        cursor: Option<Cursor>,
        page: &mut Page,
    ) -> Result<(), AppError> {
        let keys = self.keyring.realm(scope.into()).await?;
        let mut ids: Option<Vec<PatientId>> = None;
        let mut groups = Vec::new();
        for filter in &query.filters {
            match filter {
                PatientFilter::Id(wanted) => {
                    let wanted: Vec<_> = wanted.iter().filter_map(FhirId::as_patient).collect();
                    ids = Some(match ids {
                        None => wanted,
                        Some(before) => {
                            before.into_iter().filter(|id| wanted.contains(id)).collect()
                        }
                    });
                }
                other => groups.push(tokens_of(&keys.index, other)),
            }
        }
        let mut after = match cursor {
            Some(Cursor::Patient(id)) => Some(id),
            _ => None,
        };
        loop {
            let rows = match &ids {
                Some(ids) => {
                    let mut rows = self.ports.patients.patients(scope, ids).await?;
                    rows.sort_by_key(|row| row.id);
                    rows.retain(|row| after.is_none_or(|after| row.id > after));
                    rows.truncate(page.count + 1);
                    rows
                }
                None => {
                    self.ports
                        .patients
                        .patients_by_tokens(scope, &groups, after, page.count as u32 + 1)
                        .await?
                }
            };
            let more = rows.len() > page.count;
            let names: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
            let bodies = self.newest_bodies(scope, "Patient", &names).await?;
            for row in &rows {
                let body = bodies.get(&row.id.to_string());
                if page.offer(body, || after.map(Cursor::Patient)) {
                    return Ok(());
                }
                after = Some(row.id);
            }
            if !more {
                return Ok(());
            }
        }
    }

    async fn ecg_candidates(
        &self,
        scope: &OrgScope,
        query: &EcgQuery,
        cursor: Option<Cursor>,
        page: &mut Page,
    ) -> Result<(), AppError> {
        let kind = page.query.resource();
        let mut filter = ecg_filter(query);
        if let Some(Cursor::Recording(at, id)) = cursor {
            filter.before = Some((at, id));
        }
        loop {
            let rows =
                self.ports.recordings.recordings(scope, &filter, page.count as u32 + 1).await?;
            let more = rows.len() > page.count;
            let names: Vec<String> = rows
                .iter()
                .flat_map(|row| {
                    let device =
                        (kind == ResourceType::Observation).then(|| format!("{}.device", row.id));
                    [Some(row.id.to_string()), device].into_iter().flatten()
                })
                .collect();
            let bodies = self.newest_bodies(scope, kind.name(), &names).await?;
            for row in &rows {
                // Both Observations of a recording stand on one page, so that the cursor can name the recording.
                let own = [row.id.to_string(), format!("{}.device", row.id)];
                let found: Vec<&Value> = own.iter().filter_map(|name| bodies.get(name)).collect();
                if page
                    .offer_all(&found, || filter.before.map(|(at, id)| Cursor::Recording(at, id)))
                {
                    return Ok(());
                }
                filter.before = Some((row.received_at, row.id));
            }
            if !more {
                return Ok(());
            }
        }
    }

    async fn audit_candidates(
        &self,
        scope: &OrgScope,
        query: &AuditQuery,
        cursor: Option<Cursor>,
        page: &mut Page,
    ) -> Result<(), AppError> {
        let _: &AuditQuery = query;
        let mut before = match cursor {
            Some(Cursor::Access(position)) => Some(position),
            _ => None,
        };
        loop {
            let rows = self
                .ports
                .log
                .accesses_to(scope.into(), None, None, before, page.count as u32 + 1)
                .await?;
            let more = rows.len() > page.count;
            for row in &rows {
                let body = audit_event_of(scope, row, None);
                if page.offer(Some(&body), || before.map(Cursor::Access)) {
                    return Ok(());
                }
                before = Some(row.position);
            }
            if !more {
                return Ok(());
            }
        }
    }

    async fn audit_event_by_id(&self, scope: &OrgScope, id: &str) -> Result<FhirRead, AppError> {
        let Some(position) = id.strip_prefix("access-").and_then(|n| n.parse::<Position>().ok())
        else {
            return Ok(FhirRead::NotFound);
        };
        let canonical = audit_id(position) == id && position > 0;
        let row = match canonical {
            true => self.ports.log.accesses(scope.into(), position - 1, 1).await?.pop(),
            false => None,
        };
        Ok(match row {
            Some(row) if row.position == position => FhirRead::Found(Box::new(FhirResource {
                body: audit_event_of(scope, &row, None),
                version: 1,
                last_updated: row.at,
            })),
            _ => FhirRead::NotFound,
        })
    }

    /// Newest versions by id; erased ones are left out.
    async fn newest_bodies(
        &self,
        scope: &OrgScope,
        kind: &str,
        ids: &[String],
    ) -> Result<std::collections::BTreeMap<String, Value>, AppError> {
        let mut stored = self.ports.resources.newest_of(scope.into(), kind, ids).await?;
        stored.retain(|resource| !resource.deleted);
        let bodies = self.open_resources(scope.into(), &stored).await?;
        Ok(stored.into_iter().map(|resource| resource.id).zip(bodies).collect())
    }

    /// A page token holds the whole question and so is sealed: a link in a log tells nothing.
    /// `field` tells the tokens of one kind of question from those of another.
    async fn seal_token<T: Serialize>(
        &self,
        scope: &OrgScope,
        field: &'static str,
        token: &T,
    ) -> Result<String, AppError> {
        let keys = self.keyring.realm(scope.into()).await?;
        let draft = Draft::new(self, scope.into());
        let sealed = draft.sealed(&keys.organization, "fhir-page", field, 1, token);
        let token = URL_SAFE_NO_PAD.encode(sealed);
        if token.len() > PAGE_TOKEN_BYTES_MAX {
            // A link that we would not take back is not given.
            let text =
                "the question is too long for an answer of several pages; ask for less at once";
            return Err(AppError::refused("search_too_long", text));
        }
        Ok(token)
    }

    async fn open_token<T: DeserializeOwned>(
        &self,
        scope: &OrgScope,
        field: &'static str,
        token: &str,
    ) -> Option<T> {
        let sealed = URL_SAFE_NO_PAD.decode(token).ok()?;
        let realm = Realm::from(scope);
        let id = named_key(&sealed, "fhir-page", field).ok()?;
        let key = self.keyring.open(realm, &[id]).await.ok()?.get(id).ok()?;
        open_value(realm.id(), &key, "fhir-page", field, 1, &sealed).ok()
    }
}

/// A page being filled.
struct Page {
    query: Query,
    count: usize,
    resources: Vec<Value>,
    looked_at: usize,
    next: Option<Cursor>,
}

impl Page {
    fn offer(&mut self, body: Option<&Value>, here: impl FnOnce() -> Option<Cursor>) -> bool {
        self.offer_all(body.as_slice(), here)
    }

    /// Takes what matches. `true` when the page was full before: then it ends here, at `here`.
    fn offer_all(&mut self, bodies: &[&Value], here: impl FnOnce() -> Option<Cursor>) -> bool {
        let matching: Vec<&Value> =
            bodies.iter().filter(|body| matches_resource(&self.query, body)).copied().collect();
        let full = self.resources.len() + matching.len() > self.count.max(matching.len());
        if (full && !matching.is_empty()) || self.looked_at >= CANDIDATES_MAX {
            self.next = here();
            // Without a place to go on from, nothing was looked at yet and nothing can be full.
            return self.next.is_some();
        }
        self.looked_at += 1;
        self.resources.extend(matching.into_iter().cloned());
        false
    }
}

/// The tokens of which a patient must carry one to answer a filter.
fn tokens_of(key: &crate::keys::IndexKey, filter: &PatientFilter) -> Vec<Vec<u8>> {
    let prefix = |folded: &str| index::indexed_prefix(folded).unwrap_or_default();
    match filter {
        PatientFilter::Id(_) => Vec::new(),
        PatientFilter::Identifier(tokens) => tokens
            .iter()
            .map(|token| match token {
                Token::System { system, value } => {
                    index::identifier_token(key, system, value.reveal())
                }
                Token::Any { value } | Token::NoSystem { value } => {
                    index::identifier_value_token(key, value.reveal())
                }
            })
            .collect(),
        PatientFilter::Family(names) => {
            names.iter().map(|name| index::family_token(key, &prefix(name.folded()))).collect()
        }
        PatientFilter::Given(names) => {
            names.iter().map(|name| index::given_token(key, &prefix(name.folded()))).collect()
        }
        PatientFilter::Name(names) => names
            .iter()
            .flat_map(|name| {
                let prefix = prefix(name.folded());
                [
                    index::family_token(key, &prefix),
                    index::given_token(key, &prefix),
                    index::full_name_token(key, &prefix),
                ]
            })
            .collect(),
        PatientFilter::BirthDate(dates) => {
            dates.iter().map(|date| index::birth_date_token(key, *date)).collect()
        }
    }
}

/// What the index can narrow; the exact test is on the resource.
fn ecg_filter(query: &Search<EcgFilter>) -> RecordingFilter {
    let mut narrowed = RecordingFilter::default();
    for filter in &query.filters {
        match filter {
            EcgFilter::Patient(ids) => {
                let ids = ids.iter().filter_map(FhirId::as_patient);
                narrowed.patients = Some(both(narrowed.patients.take(), ids.collect()));
            }
            EcgFilter::Id(ids) => {
                let of = |id: &FhirId| {
                    id.as_str().strip_suffix(".device").unwrap_or(id.as_str()).parse().ok()
                };
                narrowed.ids = Some(both(narrowed.ids.take(), ids.iter().filter_map(of).collect()));
            }
            EcgFilter::Code(_) | EcgFilter::Status(_) | EcgFilter::Date(_) => {}
        }
    }
    narrowed
}

fn both<T: PartialEq>(before: Option<Vec<T>>, now: Vec<T>) -> Vec<T> {
    match before {
        None => now,
        Some(before) => before.into_iter().filter(|id| now.contains(id)).collect(),
    }
}

fn target_of(kind: ResourceType, id: &str) -> String {
    // Only ids of our own making are written down; anything else could be a name.
    let bare = id.strip_suffix(".device").unwrap_or(id);
    let known = bare.parse::<uuid::Uuid>().is_ok()
        || id.strip_prefix("access-").is_some_and(|n| n.parse::<i64>().is_ok());
    let id = if known { bare } else { "-" };
    match kind {
        ResourceType::Patient => format!("patient/{id}"),
        ResourceType::AuditEvent => format!("audit-event/{id}"),
        ResourceType::Binary => format!("blob/{id}"),
        ResourceType::Observation
        | ResourceType::DiagnosticReport
        | ResourceType::DocumentReference => {
            format!("recording/{id}")
        }
    }
}

fn audit_id(position: Position) -> String {
    format!("access-{position}")
}

/// A row of the access log as FHIR says it; `detail` is what the actor said, opened.
pub(crate) fn audit_event_of(scope: &OrgScope, row: &StoredAccess, detail: Option<&str>) -> Value {
    use audit_event::{AccessActor, AccessFact, AccessKind, AccessOutcome, AccessPurpose};
    let id = FhirId::parse(&audit_id(row.position)).expect("a number with a prefix is a FHIR id");
    let kind = match row.action.as_str() {
        "fhir.read" => AccessKind::FhirRead,
        "fhir.vread" => AccessKind::FhirVersionRead,
        "fhir.history" => AccessKind::FhirHistory,
        "fhir.search" => AccessKind::FhirSearch,
        "session.open" => AccessKind::SignIn,
        "session.close" => AccessKind::SignOut,
        "item.receive" => AccessKind::Import,
        "recording.original"
        | "item.original"
        | "fhir.binary"
        | "recording.sheet"
        | "access-log.export"
        | "access-log.export-opened" => AccessKind::Export,
        action if action.ends_with(".list") || action.ends_with(".search") => AccessKind::Query,
        "worklist.read" | "balance.read" | "item.count" => AccessKind::Query,
        action if ["user.", "token.", "key."].iter().any(|noun| action.starts_with(noun)) => {
            AccessKind::Administration
        }
        _ => AccessKind::PatientRecord,
    };
    let outcome = match row.outcome.as_str() {
        "ok" => AccessOutcome::Success,
        "denied" | "unknown" => AccessOutcome::Refused,
        _ => AccessOutcome::Failed,
    };
    let purpose = match row.purpose.as_str() {
        "treatment" => AccessPurpose::Treatment,
        "emergency" => AccessPurpose::BreakGlass,
        "audit" => AccessPurpose::Compliance,
        "research" => AccessPurpose::Research,
        _ => AccessPurpose::Operations,
    };
    let (noun, target) = row.target.split_once('/').unwrap_or(("", ""));
    let named = FhirId::parse(target);
    let resource = match noun {
        "recording" => named.as_ref().map(|id| (ResourceType::DiagnosticReport, id)),
        "blob" => named.as_ref().map(|id| (ResourceType::Binary, id)),
        _ => None,
    };
    audit_event::to_fhir(&AccessFact {
        id: &id,
        recorded: row.at,
        organization: scope.organization(),
        kind,
        outcome,
        actor: row
            .actor
            .strip_prefix("user/")
            .and_then(|id| id.parse().ok())
            .map(AccessActor::User),
        roles: &parse_roles(&row.roles),
        purpose,
        reason: detail,
        patient: target.parse().ok().filter(|_| noun == "patient"),
        resource,
        request: row.request.parse().ok(),
        address: None,
    })
}
