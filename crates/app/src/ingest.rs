//! What a worker does with a received object: read it, measure it, find its patient, file it.

use std::sync::Arc;

use precordia_analysis::{Limits, Subject};
use precordia_interop::fhir::{Meta, ecg, fold, patient as fhir_patient};
use precordia_model::{
    DevicePatient, FlagReport, Identifier, ItemId, ItemState, Measurements, PartialDate, Patient,
    PatientId, PatientIdentity, Phi, Recording, RecordingId, Refusal, RefusalReason, Sex,
};
use precordia_rules::event::{
    Event, GroupFacts, ItemHeld, ItemLinked, LeadFacts, PatientRegistered, RecordingFacts,
};
use precordia_rules::intake::{self, Outcome, PatientChoice};
use precordia_rules::patient::{Agreement, Claim, Match, match_patient};

use crate::access::OrgScope;
use crate::app::{App, AppError};
use crate::authority::{issuer_system, own_system};
use crate::blob::{self, stream_of};
use crate::index::identifier_token;
use crate::intake::{Item, ItemDetails};
use crate::keys::{KeyError, RealmKeys};
use crate::ledger::{Draft, open_value};
use crate::live::{Change, RecordingChange};
use crate::port::{Append, ClaimedWork, EffectKey, ItemRow, KeyKind, Realm, Stream, Version};
use crate::seal::DataKey;
use crate::user::hex;

/// What reading and measuring gave, before anybody is matched.
struct ReadRecording {
    recording: Recording,
    measurements: Measurements,
}

/// The names that the resources of a recording show; never a file name.
const DOCUMENT_TITLE: &str = "ECG as received";

impl App {
    /// Does one claimed piece of ingest work to its end. The work is finished in the same transaction as
    /// its result; a lost lease writes nothing.
    pub(crate) async fn ingest(
        &self,
        scope: &OrgScope,
        work: &ClaimedWork,
    ) -> Result<(), AppError> {
        let row = self.item_of_work(scope, work).await?;
        let (ItemState::InFlight, Some(blob)) = (row.state, row.blob) else {
            let mut draft = Draft::new(self, scope.into());
            draft.batch.finish = Some(work.lease.clone());
            return draft.append(scope.into()).await.map(drop);
        };
        let blob_key = self.key_of_subject(scope.into(), &stream_of(blob)).await?;
        let limit = self.settings.upload_bytes_max;
        let bytes = blob::open(&*self.ports.blobs, scope, blob, &blob_key, limit).await?;
        match read_and_measure(bytes).await? {
            Ok(read) => self.file(scope, work, row, &blob_key, read).await,
            Err(refusal) => self.quarantine(scope, work, row, &blob_key, refusal).await,
        }
    }

    async fn item_of_work(
        &self,
        scope: &OrgScope,
        work: &ClaimedWork,
    ) -> Result<ItemRow, AppError> {
        let id: ItemId =
            work.subject.strip_prefix("item/").and_then(|id| id.parse().ok()).ok_or_else(|| {
                AppError::Damaged(format!("the work names no item: `{}`", work.subject))
            })?;
        self.ports.items.item(scope, id).await?.ok_or(AppError::NotFound("item"))
    }

    /// A copy that came while the first was in flight learns which recording the first became.
    pub(crate) async fn follow(
        &self,
        scope: &OrgScope,
        work: &ClaimedWork,
    ) -> Result<(), AppError> {
        let row = self.item_of_work(scope, work).await?;
        let mut draft = Draft::new(self, scope.into());
        if let (Some(to), Some(blob), None) = (row.linked_to, row.blob, row.recording) {
            let first = self.ports.items.item(scope, to).await?;
            if let Some(recording) = first.and_then(|first| first.recording) {
                let key = self.key_of_subject(scope.into(), &stream_of(blob)).await?;
                let details = details_of(scope.into(), &row, &key)?;
                let linked = ItemLinked { to, recording: Some(recording) };
                let (id, before) = (row.id, Item { row, details });
                draft.item(&key, id, Some(before), Event::ItemLinked(linked))?;
            }
        }
        draft.batch.finish = Some(work.lease.clone());
        draft.append(scope.into()).await.map(drop)
    }

    async fn quarantine(
        &self,
        scope: &OrgScope,
        work: &ClaimedWork,
        row: ItemRow,
        blob_key: &DataKey,
        refusal: Refusal,
    ) -> Result<(), AppError> {
        let realm = Realm::from(scope);
        let mut draft = Draft::new(self, realm);
        let event =
            Event::ItemQuarantined(intake::quarantine(refusal, precordia_formats::READER_VERSION));
        let id = row.id;
        let details = details_of(realm, &row, blob_key)?;
        draft.item(blob_key, id, Some(Item { row, details }), event)?;
        draft.batch.finish = Some(work.lease.clone());
        if let Append::Done { .. } = draft.append(realm).await? {
            let change = Change::Item { item: id, state: ItemState::Quarantined, recording: None };
            self.live.tell(scope.organization(), change);
        }
        Ok(())
    }

    async fn file(
        &self,
        scope: &OrgScope,
        work: &ClaimedWork,
        row: ItemRow,
        blob_key: &Arc<DataKey>,
        read: ReadRecording,
    ) -> Result<(), AppError> {
        // Two recordings of a new patient may come at once; the second finds the first one's patient
        // when it looks again.
        for _ in 0..4 {
            let matched = self.match_device_patient(scope, &read.recording.patient).await?;
            match self.append_filed(scope, work, &row, blob_key, &read, matched).await? {
                Append::Done { .. } | Append::LeaseLost { .. } => return Ok(()),
                Append::KeyWorn { key } => return Err(KeyError::Worn(key).into()),
                Append::Duplicate { .. } | Append::Conflict { .. } | Append::KeyConflict { .. } => {
                }
            }
        }
        Err(AppError::Conflict(format!("item/{}", row.id)))
    }

    async fn append_filed(
        &self,
        scope: &OrgScope,
        work: &ClaimedWork,
        row: &ItemRow,
        blob_key: &Arc<DataKey>,
        read: &ReadRecording,
        matched: Matched,
    ) -> Result<Append, AppError> {
        let realm = Realm::from(scope);
        let keys = self.keyring.realm(realm).await?;
        let recording = RecordingId(self.new_id());
        let outcome = intake::file(recording, matched.decision);
        let mut draft = Draft::new(self, realm);
        let patient = match &outcome {
            Outcome::Filed { patient: PatientChoice::Known(_), .. } => {
                // None of those that were compared may be merged or erased meanwhile.
                matched
                    .seen
                    .into_iter()
                    .for_each(|(stream, version)| draft.expect(stream, version));
                matched.patient
            }
            Outcome::Filed { patient: PatientChoice::Register, .. } => Some(
                self.register_from_device(&mut draft, scope, &keys, &read.recording.patient)?,
            ),
            Outcome::Held { .. } => None,
        };
        let wrapping = patient.as_ref().map_or(&keys.organization, |p| &p.key);
        let (key, change) = self.keyring.create(
            realm.id(),
            KeyKind::Recording,
            &format!("recording/{recording}"),
            wrapping,
        );
        draft.batch.keys.push(change);
        if let Some(patient) = &patient {
            for key_row in self.keyring.rows_of(realm, &stream_of(blob_of(row)?)).await? {
                let change = self.keyring.rewrap(realm, &key_row, &patient.key).await?;
                draft.batch.keys.push(change);
            }
        }
        let subject = match &patient {
            Some(patient) => subject_of_identity(&patient.patient.identity, &read.recording),
            None => subject_of_device(&read.recording),
        };
        let flags = precordia_analysis::flag(&read.measurements, subject, &Limits::default());
        let (state, hold) = match &outcome {
            Outcome::Filed { .. } => (ItemState::Filed, None),
            Outcome::Held { item: ItemHeld { reason, .. } } => (ItemState::Held, Some(*reason)),
        };
        let patient = patient.as_ref().map(|p| p.patient.id);
        let facts = facts(row, read, flags, patient, matched.before_merge, hold)?;
        let event = Event::RecordingFiled(Box::new(facts.clone()));
        let (index, _) = draft.recording(&key, recording, None, &event)?;
        let filed = Filed { recording, resource_version: 1, facts: &facts, row, key: &key };
        draft_resources(&mut draft, index, &filed);
        let event = match outcome {
            Outcome::Filed { item, .. } => Event::ItemFiled(item),
            Outcome::Held { item } => Event::ItemHeld(item),
        };
        let details = details_of(realm, row, blob_key)?;
        draft.item(blob_key, row.id, Some(Item { row: row.clone(), details }), event)?;
        draft.batch.finish = Some(work.lease.clone());
        let answer = draft.append(realm).await?;
        if let Append::Done { .. } = answer {
            let change =
                if hold.is_some() { RecordingChange::Held } else { RecordingChange::Filed };
            self.live.tell(scope.organization(), Change::Recording { recording, change });
            self.live.tell(
                scope.organization(),
                Change::Item { item: row.id, state, recording: Some(recording) },
            );
        }
        Ok(answer)
    }

    fn register_from_device(
        &self,
        draft: &mut Draft<'_>,
        scope: &OrgScope,
        keys: &RealmKeys,
        device: &DevicePatient,
    ) -> Result<OpenPatient, AppError> {
        let identity = identity_of_device(scope, device);
        self.draft_patient(draft, scope, keys, identity)
    }

    /// A new patient: key, event, FHIR resource, view and tokens. Two registrations of one identifier
    /// cannot both commit.
    pub(crate) fn draft_patient(
        &self,
        draft: &mut Draft<'_>,
        scope: &OrgScope,
        keys: &RealmKeys,
        identity: PatientIdentity,
    ) -> Result<OpenPatient, AppError> {
        let realm = Realm::from(scope).id();
        let id = PatientId(self.new_id());
        let stream = Stream::new("patient", id);
        let (key, change) =
            self.keyring.create(realm, KeyKind::Patient, stream.as_str(), &keys.organization);
        draft.batch.keys.push(change);
        let registered = Event::PatientRegistered(PatientRegistered { identity: identity.clone() });
        let (event, now) = draft.patient(&key, &keys.index, id, None, &registered)?;
        for effect in identifier_effects(keys, &identity, id) {
            draft.batch.effects.push(effect);
        }
        let patient = Patient { id, identity, merged_into: None };
        let meta = Meta { version: 1, last_updated: draft.at() };
        draft.resource(
            &key,
            event,
            "Patient",
            &id.to_string(),
            1,
            &fhir_patient::to_fhir(&patient, &meta),
        );
        Ok(OpenPatient { patient, version: now.row.version, key })
    }

    /// Whose recording this is, by what its file says.
    async fn match_device_patient(
        &self,
        scope: &OrgScope,
        device: &DevicePatient,
    ) -> Result<Matched, AppError> {
        let identity = identity_of_device(scope, device);
        let claim = Claim {
            has_id: !identity.identifiers.is_empty(),
            has_family: identity.family.is_some(),
        };
        let Some(identifier) = identity.identifiers.first() else {
            return Ok(Matched {
                decision: match_patient(claim, &[]),
                patient: None,
                before_merge: None,
                seen: Vec::new(),
            });
        };
        let keys = self.keyring.realm(scope.into()).await?;
        let token = identifier_token(&keys.index, &identifier.system, identifier.value.reveal());
        let rows = self.ports.patients.patients_by_tokens(scope, &[vec![token]], None, 8).await?;
        let mut candidates = Vec::new();
        let mut seen = Vec::new();
        for row in rows {
            let open = self.open_patient(scope, &row).await?;
            let agrees = agreement(&identity, &open.patient.identity);
            seen.push((Stream::new("patient", row.id), row.version));
            // A merged record's id names the patient that it was merged into; an un-merge takes the
            // recording back to the record whose id it carries.
            let candidate = match open.patient.merged_into {
                None => Candidate { open, before_merge: None, agrees },
                Some(into) => {
                    let before_merge = Some(open.patient.id);
                    let row = self
                        .ports
                        .patients
                        .patient(scope, into)
                        .await?
                        .ok_or(AppError::NotFound("patient"))?;
                    seen.push((Stream::new("patient", row.id), row.version));
                    Candidate { open: self.open_patient(scope, &row).await?, before_merge, agrees }
                }
            };
            candidates.push(candidate);
        }
        candidates.sort_by_key(|c| (c.open.patient.id, c.before_merge.is_some()));
        candidates.dedup_by_key(|c| c.open.patient.id);
        let compared: Vec<(PatientId, Agreement)> =
            candidates.iter().map(|c| (c.open.patient.id, c.agrees)).collect();
        let decision = match_patient(claim, &compared);
        let sure = match decision {
            Match::Sure(sure) => candidates.into_iter().find(|c| c.open.patient.id == sure),
            Match::New | Match::Unsure(_) => None,
        };
        let (patient, before_merge) = sure.map_or((None, None), |c| (Some(c.open), c.before_merge));
        Ok(Matched { decision, patient, before_merge, seen })
    }
}

/// A patient whose key is open.
pub(crate) struct OpenPatient {
    pub(crate) patient: Patient,
    /// Of the patient's stream, as it was read.
    pub(crate) version: Version,
    pub(crate) key: Arc<DataKey>,
}

struct Matched {
    decision: Match,
    patient: Option<OpenPatient>,
    before_merge: Option<PatientId>,
    /// The patients that were compared, as they stood.
    seen: Vec<(Stream, Version)>,
}

struct Candidate {
    open: OpenPatient,
    before_merge: Option<PatientId>,
    agrees: Agreement,
}

/// A recording as it stands at one version.
pub(crate) struct Filed<'a> {
    pub(crate) recording: RecordingId,
    pub(crate) resource_version: i64,
    pub(crate) facts: &'a RecordingFacts,
    pub(crate) row: &'a ItemRow,
    pub(crate) key: &'a DataKey,
}

/// Observation, device Observation, DiagnosticReport and DocumentReference of a recording.
pub(crate) fn draft_resources(draft: &mut Draft<'_>, event: usize, filed: &Filed<'_>) {
    let facts = filed.facts;
    let document = ecg::DocumentFacts {
        recording_id: filed.recording,
        patient: facts.patient,
        acquired: facts.acquired_at.as_ref(),
        received_at: filed.row.received_at,
        device: &facts.device,
        device_measurements: &facts.device_measurements,
        device_statements: &facts.device_statements,
        blob: facts.blob,
        content_type: content_type(&facts.format),
        size_bytes: u64::try_from(filed.row.size_bytes).unwrap_or(0),
        title: DOCUMENT_TITLE,
    };
    let ecg_facts = ecg::EcgFacts {
        document: document.clone(),
        measured_at: draft.at(),
        measurements: &facts.measurements,
        flags: &facts.flags,
    };
    let version = filed.resource_version;
    let meta = Meta { version: u64::try_from(version).unwrap_or(1), last_updated: draft.at() };
    let mut put = |body: serde_json::Value| {
        let text =
            |name: &str| body.get(name).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
        draft.resource(filed.key, event, &text("resourceType"), &text("id"), version, &body);
    };
    put(ecg::observation(&ecg_facts, &meta));
    if let Some(device_says) = ecg::device_observation(&document, &meta) {
        put(device_says);
    }
    put(ecg::diagnostic_report(&ecg_facts, &meta));
    put(ecg::document_reference(&document, &meta));
}

pub(crate) fn content_type(format: &str) -> &'static str {
    match format {
        "dicom" => "application/dicom",
        "fhir-observation" => "application/fhir+json",
        _ => "application/octet-stream",
    }
}

/// Reading and measuring take milliseconds of a core; they run beside the async workers. A panic is our
/// own bug: the object is quarantined under its own code instead of being tried for ever.
async fn read_and_measure(bytes: Vec<u8>) -> Result<Result<ReadRecording, Refusal>, AppError> {
    let work = move || {
        let recording = precordia_interop::ecg::read(&[precordia_formats::Part {
            name: "upload",
            bytes: &bytes,
        }])?;
        let measurements = precordia_analysis::measure(&recording);
        Ok(ReadRecording { recording, measurements })
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result),
        // Not started because the program ends: that says nothing of the file.
        Err(cause) if !cause.is_panic() => {
            Err(AppError::Damaged(String::from("reading was stopped before it began")))
        }
        Err(_) => Ok(Err(Refusal::new(
            RefusalReason::Unsupported,
            "reader_failed",
            "file",
            "the reader failed on this file; the original is kept and the failure is reported",
        ))),
    }
}

fn facts(
    row: &ItemRow,
    read: &ReadRecording,
    flags: FlagReport,
    patient: Option<PatientId>,
    patient_before_merge: Option<PatientId>,
    hold: Option<precordia_rules::event::HoldReason>,
) -> Result<RecordingFacts, AppError> {
    let r = &read.recording;
    Ok(RecordingFacts {
        item: row.id,
        blob: blob_of(row)?,
        door: row.door,
        site: row.site,
        format: r.format.to_owned(),
        format_detail: r.format_detail.clone(),
        reader: precordia_formats::READER_VERSION.to_owned(),
        source_id: r.source_id.clone(),
        accession: r.accession.clone(),
        device: r.device.clone(),
        device_patient: r.patient.clone(),
        acquired_at: r.acquired_at.clone(),
        sampling_hz: r.rhythm.rate.hz(),
        duration_s: r.rhythm.duration_s(),
        leads: r
            .rhythm
            .traces
            .iter()
            .map(|t| LeadFacts { lead: t.lead, origin: t.origin.clone(), filters: t.filters })
            .collect(),
        other_groups: r
            .other_groups
            .iter()
            .map(|g| GroupFacts {
                kind: g.kind,
                label: g.label.clone(),
                sampling_hz: g.signal.rate.hz(),
                leads: g.signal.leads().collect(),
            })
            .collect(),
        device_measurements: r.device_measurements.clone(),
        device_statements: r.device_statements.clone(),
        problems: r.problems.clone(),
        measurements: read.measurements.clone(),
        flags,
        patient,
        hold,
        patient_before_merge,
        received_at: Some(row.received_at),
    })
}

/// What is sealed beside an item that was not decided: its own content's key opens it.
fn details_of(
    realm: Realm<'_>,
    row: &ItemRow,
    blob_key: &DataKey,
) -> Result<ItemDetails, AppError> {
    let stream = format!("item/{}", row.id);
    open_value(realm.id(), blob_key, &stream, "details", row.version, &row.sealed)
}

fn blob_of(row: &ItemRow) -> Result<precordia_model::BlobId, AppError> {
    row.blob.ok_or_else(|| AppError::Damaged(format!("item/{} has no content", row.id)))
}

/// The person as the file names them, in the organization's terms. Without an issuer in the file, the id
/// is the organization's own.
fn identity_of_device(scope: &OrgScope, device: &DevicePatient) -> PatientIdentity {
    let present = |text: &Phi<String>| !text.reveal().trim().is_empty();
    let system = match &device.id_issuer {
        Some(issuer) if !issuer.trim().is_empty() => issuer_system(issuer.trim()),
        _ => own_system(scope),
    };
    let identifier = device
        .id
        .as_ref()
        .filter(|id| present(id))
        .map(|id| Identifier { system, value: Phi::new(id.reveal().trim().to_owned()) });
    PatientIdentity {
        identifiers: identifier.into_iter().collect(),
        family: device.family.clone().filter(present),
        given: device.given.iter().filter(|g| present(g)).cloned().collect(),
        birth_date: device.birth_date.clone(),
        sex: device.sex,
    }
}

pub(crate) fn identifier_effects(
    keys: &RealmKeys,
    identity: &PatientIdentity,
    id: PatientId,
) -> Vec<EffectKey> {
    identity
        .identifiers
        .iter()
        .map(|identifier| EffectKey {
            key: identifier_effect(keys, identifier),
            subject: id.to_string(),
        })
        .collect()
}

pub(crate) fn identifier_effect(keys: &RealmKeys, identifier: &Identifier) -> String {
    let token = identifier_token(&keys.index, &identifier.system, identifier.value.reveal());
    format!("patient-identifier/{}", hex(&token))
}

fn agreement(claimed: &PatientIdentity, known: &PatientIdentity) -> Agreement {
    let family = match (&claimed.family, &known.family) {
        (Some(a), Some(b)) => Some(fold(a.reveal()) == fold(b.reveal())),
        _ => None,
    };
    let birth_date = match (&claimed.birth_date, &known.birth_date) {
        (Some(a), Some(b)) => Some(a == b),
        _ => None,
    };
    let said = |sex: Option<Sex>| sex.filter(|s| matches!(s, Sex::Male | Sex::Female));
    let sex = match (said(claimed.sex), said(known.sex)) {
        (Some(a), Some(b)) => Some(a == b),
        _ => None,
    };
    Agreement { family, birth_date, sex }
}

fn acquired_day(recording_time: Option<&precordia_model::DeviceTime>) -> Option<PartialDate> {
    PartialDate::parse(recording_time?.local.as_deref()?.get(..10)?)
}

fn subject_of_identity(identity: &PatientIdentity, recording: &Recording) -> Subject {
    subject(identity, acquired_day(recording.acquired_at.as_ref()), recording.patient.age_years)
}

/// Age and sex for the limits that depend on them. A birth date after the recording gives no age.
pub(crate) fn subject(
    identity: &PatientIdentity,
    day: Option<PartialDate>,
    age_as_written: Option<u16>,
) -> Subject {
    let by_date = identity
        .birth_date
        .as_ref()
        .zip(day)
        .and_then(|(born, day)| born.reveal().age_years_on(day));
    let age_years = if identity.birth_date.is_some() && day.is_some() {
        by_date
    } else {
        by_date.or(age_as_written)
    };
    Subject { age_years, sex: identity.sex }
}

fn subject_of_device(recording: &Recording) -> Subject {
    let device = &recording.patient;
    let identity = PatientIdentity {
        birth_date: device.birth_date.clone(),
        sex: device.sex,
        ..PatientIdentity::default()
    };
    subject(&identity, acquired_day(recording.acquired_at.as_ref()), device.age_years)
}

/// The same for a recording whose facts are stored.
pub(crate) fn subject_of_facts(
    identity: Option<&PatientIdentity>,
    facts: &RecordingFacts,
) -> Subject {
    let day = acquired_day(facts.acquired_at.as_ref());
    match identity {
        Some(identity) => subject(identity, day, facts.device_patient.age_years),
        None => {
            let device = &facts.device_patient;
            let identity = PatientIdentity {
                birth_date: device.birth_date.clone(),
                sex: device.sex,
                ..PatientIdentity::default()
            };
            subject(&identity, day, device.age_years)
        }
    }
}
