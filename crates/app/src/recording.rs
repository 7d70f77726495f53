//! Recordings as people see them: worklist, page, traces, originals; giving them to a patient and back.

use precordia_model::{
    DevicePatient, DeviceTime, FlagReport, Phi, Recording, RecordingId, Timestamp,
};
use precordia_rules::access::Permission;
use precordia_rules::event::{
    Event, HoldReason, ItemFiled, ItemHeld, PatientMerged, PatientUnmerged, RecordingAssigned,
    RecordingFacts, RecordingUnassigned,
};
use precordia_rules::recording as rules;
use serde::{Deserialize, Serialize};

use crate::access::OrgScope;
use crate::app::{App, AppError};
use crate::blob::{self, stream_of};
use crate::ingest::{Filed, OpenPatient, draft_resources, subject_of_facts};
use crate::intake::Item;
use crate::keys::KeyError;
use crate::ledger::{Draft, named_key, open_value};
use crate::live::{Change, RecordingChange};
use crate::patient::PatientBanner;
use crate::port::{
    Append, Position, Realm, RecordingCounts, RecordingFilter, RecordingRow, StoredAccess, Stream,
};
use crate::view::recording::RecordingNow;

/// Sealed beside a recording's row: what a list shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordingSummary {
    pub device_patient: DevicePatient,
    pub acquired_at: Option<DeviceTime>,
    pub heart_rate_bpm: Option<f64>,
    pub quality_usable: bool,
    pub problems: usize,
    /// Newest version of the recording's FHIR resources.
    pub resource_version: i64,
}

impl RecordingSummary {
    pub(crate) fn of(facts: &RecordingFacts, resource_version: i64) -> Self {
        Self {
            device_patient: facts.device_patient.clone(),
            acquired_at: facts.acquired_at.clone(),
            heart_rate_bpm: facts.measurements.heart_rate_bpm.value(),
            quality_usable: facts.measurements.quality.usable,
            problems: facts.problems.len(),
            resource_version,
        }
    }
}

/// A line of the worklist.
#[derive(Clone, Debug)]
pub struct WorklistRow {
    pub row: RecordingRow,
    pub summary: RecordingSummary,
    pub patient: Option<PatientBanner>,
}

#[derive(Clone, Debug)]
pub struct Worklist {
    pub rows: Vec<WorklistRow>,
    /// Cursor of the next page, if there is one.
    pub next: Option<(Timestamp, RecordingId)>,
    pub counts: RecordingCounts,
    /// The text fits more patients than were looked at: recordings of others may be missing.
    pub truncated: bool,
}

#[derive(Clone, Debug)]
pub struct WorklistQuery {
    /// Prefix of a name, or an identifier.
    pub patient: Option<String>,
    /// How many patients that the text may mean are looked at.
    pub patients_max: u32,
    pub filter: RecordingFilter,
    pub limit: u32,
}

impl Default for WorklistQuery {
    fn default() -> Self {
        Self { patient: None, patients_max: 500, filter: RecordingFilter::default(), limit: 50 }
    }
}

/// One arrival of a recording's bytes.
#[derive(Clone, Debug)]
pub struct Provenance {
    pub item: Item,
    pub ledger_position: Position,
}

#[derive(Clone, Debug)]
pub struct RecordingDetail {
    pub head: WorklistRow,
    pub facts: RecordingFacts,
    pub provenance: Vec<Provenance>,
    pub priors: Vec<WorklistRow>,
}

#[derive(Clone, Debug)]
pub struct AccessEntry {
    pub row: StoredAccess,
    /// Display name of a user; `None` for the program itself.
    pub actor_name: Option<Phi<String>>,
    pub detail: Option<Phi<String>>,
}

/// Other recordings of the patient that a page offers.
const PRIORS_MAX: u32 = 10;

impl App {
    pub async fn worklist(
        &self,
        scope: &OrgScope,
        query: WorklistQuery,
    ) -> Result<Worklist, AppError> {
        let reading = self.reading(scope, Permission::ReadClinical, "worklist.read", "-").await?;
        let result = self.worklist_unlogged(scope, query).await;
        reading.record(result).await
    }

    async fn worklist_unlogged(
        &self,
        scope: &OrgScope,
        query: WorklistQuery,
    ) -> Result<Worklist, AppError> {
        let mut filter = query.filter;
        let mut truncated = false;
        if let Some(text) = query.patient.as_deref().map(str::trim).filter(|text| !text.is_empty())
        {
            let found = self.patients_by_text(scope, text, query.patients_max).await?;
            truncated = found.truncated;
            // With a patient named beside the text, both must hold.
            let named = filter.patients.take();
            let holds = |id: &_| named.as_ref().is_none_or(|named| named.contains(id));
            // The recordings of a merged patient stand under the one it was merged into.
            let ids = found
                .patients
                .iter()
                .flat_map(|open| [Some(open.patient.id), open.patient.merged_into]);
            let ids: std::collections::BTreeSet<_> = ids.flatten().filter(holds).collect();
            filter.patients = Some(ids.into_iter().collect());
        }
        let limit = query.limit.clamp(1, 200);
        let mut rows = self.ports.recordings.recordings(scope, &filter, limit + 1).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|row| (row.received_at, row.id));
        let counted = RecordingFilter { before: None, ..filter };
        let counts = self.ports.recordings.recording_counts(scope, &counted).await?;
        Ok(Worklist { rows: self.open_rows(scope, rows).await?, next, counts, truncated })
    }

    /// Opens rows and their patients with two key reads, however many they are.
    pub(crate) async fn open_rows(
        &self,
        scope: &OrgScope,
        rows: Vec<RecordingRow>,
    ) -> Result<Vec<WorklistRow>, AppError> {
        let realm = Realm::from(scope);
        let mut patients: Vec<_> = rows.iter().filter_map(|row| row.patient).collect();
        patients.sort_unstable();
        patients.dedup();
        let banners = self.banners(scope, &patients).await?;
        let stream = |row: &RecordingRow| format!("recording/{}", row.id);
        let ids = rows
            .iter()
            .map(|row| named_key(&row.sealed, &stream(row), "summary"))
            .collect::<Result<Vec<_>, _>>()?;
        let keys = self.keyring.open(realm, &ids).await?;
        rows.into_iter()
            .zip(ids)
            .map(|(row, id)| {
                let summary = open_value(
                    realm.id(),
                    &*keys.get(id)?,
                    &stream(&row),
                    "summary",
                    row.version,
                    &row.sealed,
                )?;
                let patient = row.patient.and_then(|id| banners.get(&id).cloned());
                Ok(WorklistRow { row, summary, patient })
            })
            .collect()
    }

    pub async fn recording(
        &self,
        scope: &OrgScope,
        id: RecordingId,
    ) -> Result<RecordingDetail, AppError> {
        let target = format!("recording/{id}");
        let reading =
            self.reading(scope, Permission::ReadClinical, "recording.read", target).await?;
        let result = self.recording_unlogged(scope, id).await;
        reading.record(result).await
    }

    async fn recording_unlogged(
        &self,
        scope: &OrgScope,
        id: RecordingId,
    ) -> Result<RecordingDetail, AppError> {
        let row = self.recording_row(scope, id).await?;
        let facts = self.recording_facts(scope, &row).await?;
        let items = self.ports.items.items_of_recording(scope, id).await?;
        let provenance = self
            .open_items(scope, items)
            .await?
            .into_iter()
            .map(|item| Provenance { ledger_position: item.row.position, item })
            .collect();
        let priors = match row.patient {
            Some(patient) => {
                let filter =
                    RecordingFilter { patients: Some(vec![patient]), ..RecordingFilter::default() };
                let rows = self.ports.recordings.recordings(scope, &filter, PRIORS_MAX + 1).await?;
                let others =
                    rows.into_iter().filter(|row| row.id != id).take(PRIORS_MAX as usize).collect();
                self.open_rows(scope, others).await?
            }
            None => Vec::new(),
        };
        let head =
            self.open_rows(scope, vec![row]).await?.pop().ok_or(AppError::NotFound("recording"))?;
        Ok(RecordingDetail { head, facts, provenance, priors })
    }

    pub(crate) async fn recording_row(
        &self,
        scope: &OrgScope,
        id: RecordingId,
    ) -> Result<RecordingRow, AppError> {
        self.ports.recordings.recording(scope, id).await?.ok_or(AppError::NotFound("recording"))
    }

    /// The facts of a recording as they stand now: folded from its stream. Whose it is comes from the row,
    /// which follows merges.
    pub(crate) async fn recording_facts(
        &self,
        scope: &OrgScope,
        row: &RecordingRow,
    ) -> Result<RecordingFacts, AppError> {
        let mut facts: Option<RecordingFacts> = None;
        let mut last = 0;
        for (stored, event) in self.facts(scope.into(), &Stream::new("recording", row.id)).await? {
            last = stored.position;
            match (event, facts.as_mut()) {
                (Event::RecordingFiled(filed), None) => facts = Some(*filed),
                (Event::RecordingAssigned(assigned), Some(facts)) => {
                    facts.flags = assigned.flags;
                    facts.hold = None;
                }
                (Event::RecordingUnassigned(unassigned), Some(facts)) => {
                    facts.flags = unassigned.flags;
                    facts.hold = Some(HoldReason::Unassigned);
                }
                (event, _) => {
                    return Err(AppError::Damaged(format!(
                        "`{}` does not belong to a recording",
                        event.kind()
                    )));
                }
            }
        }
        let mut facts =
            facts.ok_or_else(|| AppError::Damaged(format!("recording/{} has no facts", row.id)))?;
        facts.patient = row.patient;
        if let Some(moved) = self.flags_after_moving(scope, row, last).await? {
            facts.flags = moved;
        }
        Ok(facts)
    }

    /// The flags that a merge or un-merge gave the recording after `position`.
    async fn flags_after_moving(
        &self,
        scope: &OrgScope,
        row: &RecordingRow,
        position: Position,
    ) -> Result<Option<FlagReport>, AppError> {
        let Some(patient) = row.patient_before_merge.or(row.patient) else { return Ok(None) };
        let stream = Stream::new("patient", patient);
        let mut events = self.ports.log.stream(scope.into(), &stream).await?;
        events.retain(|e| e.position > position && e.version > 1);
        for (_, event) in self.open_events(scope.into(), events).await?.into_iter().rev() {
            let (Event::PatientMerged(PatientMerged { flags, recordings, .. })
            | Event::PatientUnmerged(PatientUnmerged { flags, recordings, .. })) = event
            else {
                continue;
            };
            if let Some(moved) = flags.into_iter().find(|moved| moved.recording == row.id) {
                return Ok(Some(moved.flags));
            }
            if !recordings.contains(&row.id) {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// The traces, read again from the original bytes.
    pub async fn waveform(&self, scope: &OrgScope, id: RecordingId) -> Result<Recording, AppError> {
        let target = format!("recording/{id}");
        let reading =
            self.reading(scope, Permission::ReadClinical, "recording.waveform", target).await?;
        let result = async {
            let row = self.recording_row(scope, id).await?;
            self.traces(scope, &row).await
        }
        .await;
        reading.record(result).await
    }

    pub(crate) async fn traces(
        &self,
        scope: &OrgScope,
        row: &RecordingRow,
    ) -> Result<Recording, AppError> {
        let bytes = self.original_bytes(scope, row).await?;
        let read = move || {
            precordia_interop::ecg::read(&[precordia_formats::Part {
                name: "original",
                bytes: &bytes,
            }])
        };
        tokio::task::spawn_blocking(read)
            .await
            .map_err(|_| AppError::Damaged("the reader failed on the original".into()))?
            .map_err(|refusal| {
                AppError::Damaged(format!("the original is not read any more: {refusal}"))
            })
    }

    /// The original bytes and their content type, with an opaque name.
    pub async fn original(
        &self,
        scope: &OrgScope,
        id: RecordingId,
    ) -> Result<(Vec<u8>, &'static str), AppError> {
        let target = format!("recording/{id}");
        let reading =
            self.reading(scope, Permission::ExportOriginal, "recording.original", target).await?;
        let result = async {
            let row = self.recording_row(scope, id).await?;
            let facts = self.recording_facts(scope, &row).await?;
            Ok((
                self.original_bytes(scope, &row).await?,
                crate::ingest::content_type(&facts.format),
            ))
        }
        .await;
        reading.record(result).await
    }

    /// The original bytes of an item, whatever became of it.
    pub async fn item_original(
        &self,
        scope: &OrgScope,
        id: precordia_model::ItemId,
    ) -> Result<Vec<u8>, AppError> {
        let permission = Permission::ExportOriginal;
        let row = match scope.may(permission) {
            true => self.ports.items.item(scope, id).await?,
            false => None,
        };
        // Written down under the recording, if it became one: its page shows who took the original.
        let recording = row.as_ref().and_then(|row| row.recording);
        let target = recording.map_or(format!("item/{id}"), |id| format!("recording/{id}"));
        let reading = self.reading(scope, permission, "item.original", target).await?;
        let result = async {
            let row = row.ok_or(AppError::NotFound("item"))?;
            let blob = row.blob.ok_or(AppError::NotFound("original"))?;
            self.blob_bytes(scope, blob).await
        }
        .await;
        reading.record(result).await
    }

    pub(crate) async fn original_bytes(
        &self,
        scope: &OrgScope,
        row: &RecordingRow,
    ) -> Result<Vec<u8>, AppError> {
        self.blob_bytes(scope, row.blob).await
    }

    pub(crate) async fn blob_bytes(
        &self,
        scope: &OrgScope,
        blob: precordia_model::BlobId,
    ) -> Result<Vec<u8>, AppError> {
        let key = self.key_of_subject(scope.into(), &stream_of(blob)).await?;
        Ok(blob::open(&*self.ports.blobs, scope, blob, &key, self.settings.upload_bytes_max)
            .await?)
    }

    /// Who looked at a recording, newest first.
    pub async fn accesses(
        &self,
        scope: &OrgScope,
        id: RecordingId,
    ) -> Result<Vec<AccessEntry>, AppError> {
        let target = format!("recording/{id}");
        let reading = self
            .reading(scope, Permission::ReadClinical, "recording.accesses", target.clone())
            .await?;
        let result = async {
            self.recording_row(scope, id).await?;
            let rows =
                self.ports.log.accesses_to(scope.into(), Some(&target), None, None, 100).await?;
            self.open_accesses(scope, rows).await
        }
        .await;
        reading.record(result).await
    }

    pub(crate) async fn open_accesses(
        &self,
        scope: &OrgScope,
        rows: Vec<StoredAccess>,
    ) -> Result<Vec<AccessEntry>, AppError> {
        let realm = Realm::from(scope);
        let mut names = std::collections::BTreeMap::new();
        let mut entries = Vec::with_capacity(rows.len());
        for row in rows {
            let user = row.actor.strip_prefix("user/").and_then(|id| id.parse().ok());
            let actor_name = match user {
                Some(id) => {
                    if !names.contains_key(&row.actor) {
                        names.insert(row.actor.clone(), self.display_name(realm, id).await?);
                    }
                    names.get(&row.actor).cloned().flatten()
                }
                None => None,
            };
            let detail = match &row.detail {
                Some(sealed) => {
                    let stream = format!("access/{}", row.request);
                    let id = named_key(sealed, &stream, "detail")?;
                    let key = self.keyring.open(realm, &[id]).await?.get(id)?;
                    Some(open_value(realm.id(), &key, &stream, "detail", 1, sealed)?)
                }
                None => None,
            };
            entries.push(AccessEntry { row, actor_name, detail });
        }
        Ok(entries)
    }

    /// Gives a held recording to a patient.
    pub async fn assign(
        &self,
        scope: &OrgScope,
        id: RecordingId,
        to: precordia_model::PatientId,
    ) -> Result<(), AppError> {
        let target = format!("recording/{id}");
        self.require(scope, Permission::AssignRecording, "recording.assign", target).await?;
        let patient = self.patient_opened(scope, to).await?;
        let mut draft = Draft::new(self, scope.into());
        draft.expect(Stream::new("patient", to), patient.version);
        self.assign_to(scope, id, patient, draft).await
    }

    /// Gives a held recording to a patient who is registered in the same step.
    pub async fn assign_new(
        &self,
        scope: &OrgScope,
        id: RecordingId,
        identity: precordia_model::PatientIdentity,
    ) -> Result<(), AppError> {
        let target = format!("recording/{id}");
        self.require(scope, Permission::AssignRecording, "recording.assign", target).await?;
        let keys = self.keyring.realm(scope.into()).await?;
        let mut draft = Draft::new(self, scope.into());
        let patient = self.draft_patient(&mut draft, scope, &keys, identity)?;
        self.assign_to(scope, id, patient, draft).await
    }

    async fn assign_to(
        &self,
        scope: &OrgScope,
        id: RecordingId,
        patient: OpenPatient,
        mut draft: Draft<'_>,
    ) -> Result<(), AppError> {
        let row = self.recording_row(scope, id).await?;
        rules::assign(row.patient, patient.patient.merged_into.is_some())
            .map_err(|cause| AppError::refused("not_assignable", cause))?;
        let mut facts = self.recording_facts(scope, &row).await?;
        facts.flags = self.flags_for(Some(&patient), &facts);
        facts.patient = Some(patient.patient.id);
        facts.hold = None;
        self.rewrap_recording(&mut draft, scope, &row, &patient.key).await?;
        let assigned =
            RecordingAssigned { patient: patient.patient.id, flags: facts.flags.clone() };
        let item = Event::ItemFiled(ItemFiled { recording: id });
        self.change_hands(scope, draft, &row, &facts, Event::RecordingAssigned(assigned), item)
            .await?;
        let change = Change::Recording { recording: id, change: RecordingChange::Assigned };
        self.live.tell(scope.organization(), change);
        Ok(())
    }

    /// Takes a recording back from its patient; it waits for a person again.
    pub async fn unassign(
        &self,
        scope: &OrgScope,
        id: RecordingId,
        reason: &str,
    ) -> Result<(), AppError> {
        let target = format!("recording/{id}");
        self.require(scope, Permission::AssignRecording, "recording.unassign", target).await?;
        let reason = reason_of(reason)?;
        let row = self.recording_row(scope, id).await?;
        let from = rules::unassign(row.patient)
            .map_err(|cause| AppError::refused("not_assigned", cause))?;
        let mut facts = self.recording_facts(scope, &row).await?;
        facts.flags = self.flags_for(None, &facts);
        facts.patient = None;
        facts.hold = Some(HoldReason::Unassigned);
        let keys = self.keyring.realm(scope.into()).await?;
        let mut draft = Draft::new(self, scope.into());
        self.rewrap_recording(&mut draft, scope, &row, &keys.organization).await?;
        let unassigned = RecordingUnassigned { from, reason, flags: facts.flags.clone() };
        let item = Event::ItemHeld(ItemHeld { recording: id, reason: HoldReason::Unassigned });
        self.change_hands(scope, draft, &row, &facts, Event::RecordingUnassigned(unassigned), item)
            .await?;
        let change = Change::Recording { recording: id, change: RecordingChange::Unassigned };
        self.live.tell(scope.organization(), change);
        Ok(())
    }

    pub(crate) fn flags_for(
        &self,
        patient: Option<&OpenPatient>,
        facts: &RecordingFacts,
    ) -> FlagReport {
        let subject = subject_of_facts(patient.map(|p| &p.patient.identity), facts);
        precordia_analysis::flag(
            &facts.measurements,
            subject,
            &precordia_analysis::Limits::default(),
        )
    }

    /// The recording's key and its blob's, wrapped by `to` from now on.
    pub(crate) async fn rewrap_recording(
        &self,
        draft: &mut Draft<'_>,
        scope: &OrgScope,
        row: &RecordingRow,
        to: &crate::seal::DataKey,
    ) -> Result<(), AppError> {
        let realm = Realm::from(scope);
        for subject in [format!("recording/{}", row.id), stream_of(row.blob)] {
            for key in self.keyring.rows_of(realm, &subject).await? {
                draft.batch.keys.push(self.keyring.rewrap(realm, &key, to).await?);
            }
        }
        Ok(())
    }

    /// The recording's next version and its item's, in one batch.
    async fn change_hands(
        &self,
        scope: &OrgScope,
        mut draft: Draft<'_>,
        row: &RecordingRow,
        facts: &RecordingFacts,
        event: Event,
        item_event: Event,
    ) -> Result<(), AppError> {
        let realm = Realm::from(scope);
        let key = self.key_of_subject(realm, &format!("recording/{}", row.id)).await?;
        let blob_key = self.key_of_subject(realm, &stream_of(row.blob)).await?;
        let item =
            self.ports.items.item(scope, row.item).await?.ok_or(AppError::NotFound("item"))?;
        let before = RecordingNow { row: row.clone(), summary: self.summary_of(scope, row).await? };
        let (index, now) = draft.recording(&key, row.id, Some(before), &event)?;
        let filed = Filed {
            recording: row.id,
            resource_version: now.summary.resource_version,
            facts,
            row: &item,
            key: &key,
        };
        draft_resources(&mut draft, index, &filed);
        let id = item.id;
        let before = self.open_items(scope, vec![item]).await?.pop();
        draft.item(&blob_key, id, before, item_event)?;
        match draft.append(realm).await? {
            Append::Done { .. } => Ok(()),
            Append::Duplicate { .. } => {
                let text = "another patient has this identifier; assign to that one";
                Err(AppError::refused("identifier_taken", text))
            }
            Append::Conflict { stream, .. } => Err(AppError::Conflict(stream)),
            Append::KeyConflict { key } => Err(AppError::Conflict(format!("key/{key}"))),
            Append::KeyWorn { key } => Err(KeyError::Worn(key).into()),
            Append::LeaseLost { work } => Err(AppError::Conflict(format!("work/{work}"))),
        }
    }

    pub(crate) async fn summary_of(
        &self,
        scope: &OrgScope,
        row: &RecordingRow,
    ) -> Result<RecordingSummary, AppError> {
        let realm = Realm::from(scope);
        let stream = format!("recording/{}", row.id);
        let id = named_key(&row.sealed, &stream, "summary")?;
        let key = self.keyring.open(realm, &[id]).await?.get(id)?;
        open_value(realm.id(), &key, &stream, "summary", row.version, &row.sealed)
    }
}

/// A reason that a person gives for a change.
pub(crate) fn reason_of(text: &str) -> Result<Phi<String>, AppError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 500 {
        return Err(AppError::Invalid { field: "reason", text: "give 1 to 500 characters".into() });
    }
    Ok(Phi::new(text.to_owned()))
}
