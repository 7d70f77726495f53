//! Patients: finding, merging, un-merging and erasing them.

use std::collections::{BTreeMap, BTreeSet};

use precordia_interop::fhir::{Meta, fold, patient as fhir_patient};
use precordia_model::{Patient, PatientId, PatientIdentity, Phi, RecordingId};
use precordia_rules::access::Permission;
use precordia_rules::event::{
    Event, MovedFlags, PatientErased, PatientMerged, PatientUnmerged, RecordingFacts,
};
use precordia_rules::patient::{self as rules, Standing};
use serde::{Deserialize, Serialize};

use crate::access::OrgScope;
use crate::app::{App, AppError};
use crate::blob::stream_of;
use crate::index::{family_token, given_token, identifier_value_token, indexed_prefix};
use crate::ingest::{Filed, OpenPatient, draft_resources, identifier_effect};
use crate::keys::KeyError;
use crate::ledger::{Draft, named_key, open_value};
use crate::live::{Change, RecordingChange};
use crate::named::NamedRecording;
use crate::port::{
    KeyChange, Members, PatientRow, Realm, RecordingFilter, RecordingRow, Stream, ViewChange,
};
use crate::recording::{WorklistRow, reason_of};
use crate::seal::SealError;
use crate::view;
use crate::view::patient::PatientNow;
use crate::view::recording::RecordingNow;

/// Sealed beside a patient's row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PatientView {
    pub identity: PatientIdentity,
}

/// What stands at the top of every page that shows a patient.
#[derive(Clone, Debug)]
pub struct PatientBanner {
    pub id: PatientId,
    pub identity: PatientIdentity,
    pub merged_into: Option<PatientId>,
}

/// Patients that a text means.
#[derive(Clone, Debug)]
pub struct FoundPatients<P> {
    pub patients: Vec<P>,
    /// More patients may be meant than were looked at.
    pub truncated: bool,
}

#[derive(Clone, Debug)]
pub struct PatientPage {
    pub patient: PatientBanner,
    pub merged_from: Vec<PatientId>,
    pub recordings: Vec<WorklistRow>,
}

/// Recordings of one patient that one step may move or destroy.
const RECORDINGS_MAX: u32 = 10_000;

/// How often a decision is taken again because somebody else was first.
const AGAIN_MAX: usize = 4;

impl From<&OpenPatient> for PatientBanner {
    fn from(open: &OpenPatient) -> Self {
        let Patient { id, identity, merged_into } = open.patient.clone();
        Self { id, identity, merged_into }
    }
}

impl App {
    pub(crate) async fn open_patient(
        &self,
        scope: &OrgScope,
        row: &PatientRow,
    ) -> Result<OpenPatient, AppError> {
        let realm = Realm::from(scope);
        let stream = format!("patient/{}", row.id);
        let id = named_key(&row.sealed, &stream, "identity")?;
        let key = self.keyring.open(realm, &[id]).await?.get(id)?;
        let view: PatientView =
            open_value(realm.id(), &key, &stream, "identity", row.version, &row.sealed)?;
        let patient = Patient { id: row.id, identity: view.identity, merged_into: row.merged_into };
        Ok(OpenPatient { patient, version: row.version, key })
    }

    pub(crate) async fn patient_opened(
        &self,
        scope: &OrgScope,
        id: PatientId,
    ) -> Result<OpenPatient, AppError> {
        let row = self.patient_row(scope, id).await?;
        self.open_patient(scope, &row).await
    }

    async fn patient_row(&self, scope: &OrgScope, id: PatientId) -> Result<PatientRow, AppError> {
        self.ports.patients.patient(scope, id).await?.ok_or(AppError::NotFound("patient"))
    }

    /// Opens many rows with one key read.
    pub(crate) async fn open_patients(
        &self,
        scope: &OrgScope,
        rows: &[PatientRow],
    ) -> Result<Vec<OpenPatient>, AppError> {
        let realm = Realm::from(scope);
        let stream = |row: &PatientRow| format!("patient/{}", row.id);
        let ids = rows
            .iter()
            .map(|row| named_key(&row.sealed, &stream(row), "identity"))
            .collect::<Result<Vec<_>, _>>()?;
        let keys = self.keyring.open(realm, &ids).await?;
        rows.iter()
            .zip(ids)
            .map(|(row, id)| {
                let key = keys.get(id)?;
                let view: PatientView = open_value(
                    realm.id(),
                    &key,
                    &stream(row),
                    "identity",
                    row.version,
                    &row.sealed,
                )?;
                let patient =
                    Patient { id: row.id, identity: view.identity, merged_into: row.merged_into };
                Ok(OpenPatient { patient, version: row.version, key })
            })
            .collect()
    }

    pub(crate) async fn banners(
        &self,
        scope: &OrgScope,
        ids: &[PatientId],
    ) -> Result<BTreeMap<PatientId, PatientBanner>, AppError> {
        let rows = self.ports.patients.patients(scope, ids).await?;
        let open = self.open_patients(scope, &rows).await?;
        Ok(open.iter().map(|open| (open.patient.id, open.into())).collect())
    }

    /// Patients whose name begins with every word, or who carry the word as an identifier.
    pub(crate) async fn patients_by_text(
        &self,
        scope: &OrgScope,
        text: &str,
        limit: u32,
    ) -> Result<FoundPatients<OpenPatient>, AppError> {
        let words: Vec<&str> = text.split_whitespace().take(6).collect();
        let keys = self.keyring.realm(scope.into()).await?;
        let mut groups = Vec::new();
        for word in &words {
            let mut tokens = vec![identifier_value_token(&keys.index, word)];
            if let Some(prefix) = indexed_prefix(&fold(word)) {
                tokens.push(family_token(&keys.index, &prefix));
                tokens.push(given_token(&keys.index, &prefix));
            }
            groups.push(tokens);
        }
        if groups.is_empty() {
            return Ok(FoundPatients { patients: Vec::new(), truncated: false });
        }
        let mut rows =
            self.ports.patients.patients_by_tokens(scope, &groups, None, limit + 1).await?;
        let truncated = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let mut patients = self.open_patients(scope, &rows).await?;
        patients.retain(|open| words.iter().all(|word| carries(&open.patient.identity, word)));
        Ok(FoundPatients { patients, truncated })
    }

    pub async fn search_patients(
        &self,
        scope: &OrgScope,
        text: &str,
        limit: u32,
    ) -> Result<FoundPatients<PatientBanner>, AppError> {
        let reading = self.reading(scope, Permission::ReadClinical, "patient.search", "-").await?;
        let result = self.patients_by_text(scope, text, limit.clamp(1, 100)).await;
        let result = result.map(|found| FoundPatients {
            patients: found.patients.iter().map(PatientBanner::from).collect(),
            truncated: found.truncated,
        });
        reading.record(result).await
    }

    pub async fn patient_page(
        &self,
        scope: &OrgScope,
        id: PatientId,
    ) -> Result<PatientPage, AppError> {
        let target = format!("patient/{id}");
        let reading = self.reading(scope, Permission::ReadClinical, "patient.read", target).await?;
        let result = async {
            let open = self.patient_opened(scope, id).await?;
            let merged_from = self.ports.patients.merged_from(scope, id).await?;
            let filter = RecordingFilter { patients: Some(vec![id]), ..RecordingFilter::default() };
            let rows = self.ports.recordings.recordings(scope, &filter, 200).await?;
            let recordings = self.open_rows(scope, rows).await?;
            Ok(PatientPage { patient: (&open).into(), merged_from, recordings })
        }
        .await;
        reading.record(result).await
    }

    /// One person had two records: `from` becomes part of `into`, and its recordings follow.
    pub async fn merge(
        &self,
        scope: &OrgScope,
        from: PatientId,
        into: PatientId,
        reason: &str,
    ) -> Result<(), AppError> {
        let target = format!("patient/{from}");
        self.require(scope, Permission::MergePatients, "patient.merge", target).await?;
        let reason = reason_of(reason)?;
        again(|| self.merge_once(scope, from, into, reason.clone())).await
    }

    async fn merge_once(
        &self,
        scope: &OrgScope,
        from: PatientId,
        into: PatientId,
        reason: Phi<String>,
    ) -> Result<(), AppError> {
        let from_row = self.patient_row(scope, from).await?;
        let into_row = self.patient_row(scope, into).await?;
        let merged_from = self.ports.patients.merged_from(scope, from).await?;
        rules::merge(standing(&from_row), !merged_from.is_empty(), standing(&into_row))
            .map_err(|cause| AppError::refused("not_mergeable", cause))?;
        let rows = self.recordings_of(scope, from).await?;
        let mut draft = Draft::new(self, scope.into());
        draft.expect(Stream::new("patient", into), into_row.version);
        draft.exactly(Members::MergedInto(from), []);
        draft.exactly(Members::RecordingsOf(from), rows.iter().map(|row| row.id.0));
        let into_open = self.open_patient(scope, &into_row).await?;
        let moving = self.moving(scope, rows, &into_open).await?;
        let (recordings, flags) = (ids_of(&moving), flags_of(&moving));
        let event = Event::PatientMerged(PatientMerged { into, reason, recordings, flags });
        self.move_recordings(scope, draft, &from_row, &into_open, moving, event).await
    }

    /// The merge was a mistake: the record and the recordings that came with it stand alone again.
    pub async fn unmerge(
        &self,
        scope: &OrgScope,
        id: PatientId,
        reason: &str,
    ) -> Result<(), AppError> {
        let target = format!("patient/{id}");
        self.require(scope, Permission::MergePatients, "patient.unmerge", target).await?;
        let reason = reason_of(reason)?;
        again(|| self.unmerge_unchecked(scope, id, reason.clone())).await
    }

    async fn unmerge_unchecked(
        &self,
        scope: &OrgScope,
        id: PatientId,
        reason: Phi<String>,
    ) -> Result<(), AppError> {
        let row = self.patient_row(scope, id).await?;
        let from = rules::unmerge(standing(&row))
            .map_err(|cause| AppError::refused("not_merged", cause))?;
        let mut rows = self.recordings_of(scope, from).await?;
        let mut draft = Draft::new(self, scope.into());
        draft.exactly(Members::RecordingsOf(from), rows.iter().map(|row| row.id.0));
        rows.retain(|recording| recording.patient_before_merge == Some(id));
        let open = self.open_patient(scope, &row).await?;
        let moving = self.moving(scope, rows, &open).await?;
        let (recordings, flags) = (ids_of(&moving), flags_of(&moving));
        let event = Event::PatientUnmerged(PatientUnmerged { from, reason, recordings, flags });
        self.move_recordings(scope, draft, &row, &open, moving, event).await
    }

    async fn recordings_of(
        &self,
        scope: &OrgScope,
        patient: PatientId,
    ) -> Result<Vec<RecordingRow>, AppError> {
        let filter =
            RecordingFilter { patients: Some(vec![patient]), ..RecordingFilter::default() };
        let rows = self.ports.recordings.recordings(scope, &filter, RECORDINGS_MAX + 1).await?;
        if rows.len() > RECORDINGS_MAX as usize {
            let text = format!("the patient has more than {RECORDINGS_MAX} recordings");
            return Err(AppError::refused("too_many_recordings", text));
        }
        Ok(rows)
    }

    /// Recordings that go to `to`, with what they are and the flags that they get there.
    async fn moving(
        &self,
        scope: &OrgScope,
        rows: Vec<RecordingRow>,
        to: &OpenPatient,
    ) -> Result<Vec<Moving>, AppError> {
        let mut moving = Vec::with_capacity(rows.len());
        for row in rows {
            let mut facts = self.recording_facts(scope, &row).await?;
            let flags = self.flags_for(Some(to), &facts);
            let flags_change = flags != facts.flags;
            facts.flags = flags;
            facts.patient = Some(to.patient.id);
            let summary = self.summary_of(scope, &row).await?;
            moving.push(Moving { before: RecordingNow { row, summary }, facts, flags_change });
        }
        Ok(moving)
    }

    /// One event on the patient's stream; keys, resources and views of all that moves with it.
    async fn move_recordings(
        &self,
        scope: &OrgScope,
        mut draft: Draft<'_>,
        row: &PatientRow,
        to: &OpenPatient,
        moving: Vec<Moving>,
        event: Event,
    ) -> Result<(), AppError> {
        let realm = Realm::from(scope);
        let own = self.open_patient(scope, row).await?;
        let keys = self.keyring.realm(realm).await?;
        let identity = own.patient.identity;
        let before = PatientNow { row: row.clone(), identity: identity.clone() };
        let (index, now) = draft.patient(&own.key, &keys.index, row.id, Some(before), &event)?;
        let patient = Patient { id: row.id, identity, merged_into: now.row.merged_into };
        let version = now.row.resource_version;
        let meta = Meta { version: u64::try_from(version).unwrap_or(1), last_updated: draft.at() };
        let body = fhir_patient::to_fhir(&patient, &meta);
        draft.resource(&own.key, index, "Patient", &row.id.to_string(), version, &body);
        let stream = format!("patient/{}", row.id);
        let ids = ids_of(&moving);
        for one in moving {
            let Moving { before, facts, .. } = one;
            self.rewrap_recording(&mut draft, scope, &before.row, &to.key).await?;
            let key = self.key_of_subject(realm, &format!("recording/{}", before.row.id)).await?;
            let item = self.ports.items.item(scope, facts.item).await?;
            let item = item.ok_or(AppError::NotFound("item"))?;
            let fact = draft.fact(index, &stream, now.row.version, &event);
            let moved = view::recording::fold(before.row.id, Some(before), &fact)?;
            let filed = Filed {
                recording: moved.row.id,
                resource_version: moved.summary.resource_version,
                facts: &facts,
                row: &item,
                key: &key,
            };
            draft_resources(&mut draft, index, &filed);
            draft.recording_row(&key, &moved);
        }
        draft.commit(realm).await?;
        for recording in ids {
            let change = Change::Recording { recording, change: RecordingChange::Moved };
            self.live.tell(scope.organization(), change);
        }
        Ok(())
    }

    /// Destroys a patient's key and those of its recordings, removes the sealed bytes and every token.
    /// What was merged with it is taken apart first, so that another's recordings stay readable. Of the
    /// held recordings that name the patient, those in `also` go with them; the others are answered.
    pub async fn erase(
        &self,
        scope: &OrgScope,
        id: PatientId,
        confirm_family: &str,
        reason: &str,
        also: &[RecordingId],
    ) -> Result<Vec<NamedRecording>, AppError> {
        let target = format!("patient/{id}");
        // Whether a name is theirs is an answer about the patient: it is a reading.
        let reading =
            self.reading(scope, Permission::ErasePatient, "patient.erase", target).await?;
        let confirmed = self.confirmed(scope, id, confirm_family).await;
        reading.record(confirmed).await?;
        let reason = reason_of(reason)?;
        again(|| self.erase_once(scope, id, reason.clone(), also)).await
    }

    async fn erase_once(
        &self,
        scope: &OrgScope,
        id: PatientId,
        reason: Phi<String>,
        also: &[RecordingId],
    ) -> Result<Vec<NamedRecording>, AppError> {
        let apart = || Phi::new(String::from("taken apart before an erasure"));
        if self.patient_row(scope, id).await?.merged_into.is_some() {
            self.unmerge_unchecked(scope, id, apart()).await?;
        }
        for other in self.ports.patients.merged_from(scope, id).await? {
            self.unmerge_unchecked(scope, other, apart()).await?;
        }
        let erased = self.erase_alone(scope, id, reason, also).await?;
        for blob in erased.blobs {
            self.ports.blobs.remove(scope, blob).await?;
        }
        self.keyring.scrub(scope.into()).await?;
        Ok(erased.left)
    }

    async fn confirmed(
        &self,
        scope: &OrgScope,
        id: PatientId,
        family: &str,
    ) -> Result<(), AppError> {
        let open = self.patient_opened(scope, id).await?;
        let known = open.patient.identity.family.as_ref().map(|known| fold(known.reveal()));
        if known.unwrap_or_default() != fold(family.trim()) {
            return Err(AppError::refused("not_confirmed", rules::PatientRefusal::NotConfirmed));
        }
        Ok(())
    }

    async fn erase_alone(
        &self,
        scope: &OrgScope,
        id: PatientId,
        reason: Phi<String>,
        also: &[RecordingId],
    ) -> Result<Erased, AppError> {
        let realm = Realm::from(scope);
        let row = self.patient_row(scope, id).await?;
        let open = self.open_patient(scope, &row).await?;
        let keys = self.keyring.realm(realm).await?;
        let mut recordings = self.recordings_of(scope, id).await?;
        let mut draft = Draft::new(self, realm);
        draft.exactly(Members::RecordingsOf(id), recordings.iter().map(|row| row.id.0));
        let mut left = self.recordings_naming(scope, id, &open.patient.identity).await?;
        for one in also.iter().collect::<BTreeSet<_>>() {
            let Some(place) = left.iter().position(|named| named.id == *one) else {
                let text = format!("recording {one} is not held or does not name this patient");
                return Err(AppError::refused("not_named", text));
            };
            left.swap_remove(place);
            let row = self.recording_row(scope, *one).await?;
            // Given to somebody meanwhile, it is theirs.
            draft.expect(Stream::new("recording", row.id), row.version);
            recordings.push(row);
        }
        let mut subjects = vec![format!("patient/{id}")];
        for recording in &recordings {
            subjects.push(format!("recording/{}", recording.id));
            subjects.push(stream_of(recording.blob));
        }
        let mut destroyed = Vec::new();
        for subject in subjects {
            destroyed
                .extend(self.keyring.rows_of(realm, &subject).await?.into_iter().map(|key| key.id));
        }
        draft.exactly(Members::MergedInto(id), []);
        let blobs: BTreeSet<_> = recordings.iter().map(|recording| recording.blob).collect();
        let mut items = Vec::new();
        for blob in &blobs {
            let found = self.ports.items.items_of_blob(scope, *blob).await?;
            draft.exactly(Members::ItemsOf(*blob), found.iter().map(|row| row.id.0));
            items.extend(found);
        }
        let at = draft.at();
        draft.batch.keys.extend(destroyed.iter().map(|id| KeyChange::Destroy { id: *id, at }));
        let erased = PatientErased {
            reason,
            recordings: recordings.iter().map(|recording| recording.id).collect(),
            keys: destroyed,
            items: items.iter().map(view::item::remembered).collect(),
        };
        let stream = Stream::new("patient", id);
        let event = draft.event(
            &keys.organization,
            &stream,
            row.version + 1,
            &Event::PatientErased(erased),
        );
        let gone = row.resource_version + 1;
        draft.resource_gone(&keys.organization, event, "Patient", &id.to_string(), gone);
        draft.view(ViewChange::RemovePatient(id));
        // The destroyed keys stay in the backup until its next run, which is now.
        draft.batch.work.extend(self.backup_work());
        for identifier in &open.patient.identity.identifiers {
            draft.batch.forget_effects.push(identifier_effect(&keys, identifier));
        }
        for recording in &recordings {
            self.draft_erased_recording(&mut draft, scope, event, recording).await?;
        }
        for item in self.open_items(scope, items).await? {
            // A copy that learns meanwhile what the first became has another version than the row here.
            draft.expect(Stream::new("item", item.row.id), item.row.version);
            if let Some(content) = &item.details.content_hash {
                draft.batch.forget_effects.push(format!("content/{content}"));
            }
            draft.view(ViewChange::Item(view::item::emptied(item.row)));
        }
        draft.commit(realm).await?;
        for recording in &recordings {
            let change =
                Change::Recording { recording: recording.id, change: RecordingChange::Removed };
            self.live.tell(scope.organization(), change);
        }
        left.sort_by_key(|named| named.id);
        Ok(Erased { blobs, left })
    }

    async fn draft_erased_recording(
        &self,
        draft: &mut Draft<'_>,
        scope: &OrgScope,
        event: usize,
        row: &RecordingRow,
    ) -> Result<(), AppError> {
        let keys = self.keyring.realm(scope.into()).await?;
        let version = self.summary_of(scope, row).await?.resource_version + 1;
        let newest = [
            ("Observation", ""),
            ("Observation", ".device"),
            ("DiagnosticReport", ""),
            ("DocumentReference", ""),
        ];
        for (kind, suffix) in newest {
            let id = format!("{}{suffix}", row.id);
            if self.ports.resources.newest(scope.into(), kind, &id).await?.is_some() {
                draft.resource_gone(&keys.organization, event, kind, &id, version);
            }
        }
        draft.view(ViewChange::RemoveRecording(row.id));
        Ok(())
    }
}

/// What is still to be removed after an erasure, and what it did not reach.
struct Erased {
    blobs: BTreeSet<precordia_model::BlobId>,
    left: Vec<NamedRecording>,
}

/// A recording on its way to another record of its patient.
struct Moving {
    before: RecordingNow,
    facts: RecordingFacts,
    flags_change: bool,
}

fn ids_of(moving: &[Moving]) -> Vec<RecordingId> {
    moving.iter().map(|one| one.before.row.id).collect()
}

fn flags_of(moving: &[Moving]) -> Vec<MovedFlags> {
    let changed = moving.iter().filter(|one| one.flags_change);
    changed
        .map(|one| MovedFlags { recording: one.before.row.id, flags: one.facts.flags.clone() })
        .collect()
}

/// A decision that somebody else overtook is taken again on what is true now.
async fn again<T, F: Future<Output = Result<T, AppError>>>(
    once: impl Fn() -> F,
) -> Result<T, AppError> {
    for _ in 0..AGAIN_MAX {
        match once().await {
            Err(AppError::Conflict(_)) => {}
            done => return done,
        }
    }
    once().await
}

fn standing(row: &PatientRow) -> Standing {
    Standing { id: row.id, merged_into: row.merged_into }
}

/// Whether a person carries the word as an identifier or as the beginning of a name.
fn carries(identity: &PatientIdentity, word: &str) -> bool {
    let folded = fold(word);
    let begins = |name: &Phi<String>| {
        let name = fold(name.reveal());
        name.starts_with(&folded) || name.split_whitespace().any(|part| part.starts_with(&folded))
    };
    identity.identifiers.iter().any(|identifier| identifier.value.reveal() == word)
        || identity.family.iter().any(begins)
        || identity.given.iter().any(begins)
}

/// Whether an error says that the key was destroyed: the value was erased.
pub(crate) fn is_erased(cause: &AppError) -> bool {
    matches!(cause, AppError::Keys(KeyError::Seal(SealError::Destroyed(_))))
}
