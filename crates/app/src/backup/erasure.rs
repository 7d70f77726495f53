//! What a restore to an earlier event must not bring back, and whose the keys are there.

use std::collections::BTreeSet;
use std::sync::Arc;

use precordia_model::{KeyId, PatientId, Timestamp};
use precordia_rules::event::{Event, PatientErased};

use crate::access::OrgScope;
use crate::app::{App, AppError};
use crate::blob::stream_of;
use crate::ledger::Draft;
use crate::port::{
    Batch, EventFilter, KeyChange, KeyState, Position, Realm, RecordingFilter, StoredEvent, Stream,
};

/// Events or recordings that are read at once.
const PAGE: u32 = 500;

impl App {
    /// Destroys the keys of everybody who was erased, however old the set of keys is, and writes the
    /// erasures down anew that came after the last event here.
    pub(super) async fn carry_erasures(
        &self,
        scope: &OrgScope,
        last: Position,
        erased: Vec<StoredEvent>,
    ) -> Result<u64, AppError> {
        let realm = Realm::from(scope);
        let mut carried = 0;
        for (stored, event) in self.open_events(realm, erased).await? {
            let Event::PatientErased(erased) = event else { continue };
            self.destroy_keys(realm, &erased.keys, stored.at).await?;
            if stored.position > last && self.carry_erasure(scope, &stored, erased).await? {
                carried += 1;
            }
        }
        Ok(carried)
    }

    async fn destroy_keys(
        &self,
        realm: Realm<'_>,
        ids: &[KeyId],
        at: Timestamp,
    ) -> Result<(), AppError> {
        let rows = self.ports.keys.chain(realm, ids).await?;
        let alive = rows.into_iter().filter(|row| ids.contains(&row.id));
        let alive = alive.filter(|row| !matches!(row.state, KeyState::Destroyed { .. }));
        let keys: Vec<_> = alive.map(|row| KeyChange::Destroy { id: row.id, at }).collect();
        if !keys.is_empty() {
            self.append(realm, Batch { keys, ..Batch::default() }).await?;
        }
        Ok(())
    }

    /// `false`: the patient was not there yet.
    async fn carry_erasure(
        &self,
        scope: &OrgScope,
        stored: &StoredEvent,
        erased: PatientErased,
    ) -> Result<bool, AppError> {
        let realm = Realm::from(scope);
        let stream = Stream(stored.stream.clone());
        let events = self.ports.log.stream(realm, &stream).await?;
        let Some(newest) = events.last() else { return Ok(false) };
        if newest.kind == "patient.erased" {
            return Ok(false);
        }
        let id = stream.as_str().strip_prefix("patient/").and_then(|id| id.parse().ok());
        let id: PatientId = id.ok_or_else(|| AppError::Damaged(stored.stream.clone()))?;
        self.must_have_nobody_merged(scope, id).await?;
        let (mut recordings, mut items) = (Vec::new(), Vec::new());
        for recording in erased.recordings {
            if self.is_there(realm, &Stream::new("recording", recording)).await? {
                recordings.push(recording);
            }
        }
        for item in erased.items {
            if self.is_there(realm, &Stream::new("item", item.item)).await? {
                items.push(item);
            }
        }
        let keys = self.keyring.realm(realm).await?;
        let mut draft = Draft::new(self, realm);
        let (version, gone) = (newest.version + 1, recordings.clone());
        let erased = PatientErased { recordings, items, ..erased };
        let event =
            draft.event(&keys.organization, &stream, version, &Event::PatientErased(erased));
        let patient = [(String::from("Patient"), id.to_string())];
        let of_recordings = gone.iter().flat_map(|id| {
            [
                ("Observation", ""),
                ("Observation", ".device"),
                ("DiagnosticReport", ""),
                ("DocumentReference", ""),
            ]
            .map(|(kind, suffix)| (kind.to_owned(), format!("{id}{suffix}")))
        });
        for (kind, id) in patient.into_iter().chain(of_recordings) {
            let newest = self.ports.resources.newest(realm, &kind, &id).await?;
            if let Some(newest) = newest.filter(|newest| !newest.deleted) {
                let next = newest.version + 1;
                draft.resource_gone(&keys.organization, event, &kind, &id, next);
            }
        }
        draft.commit(realm).await?;
        Ok(true)
    }

    pub(super) async fn is_there(
        &self,
        realm: Realm<'_>,
        stream: &Stream,
    ) -> Result<bool, AppError> {
        Ok(!self.ports.log.stream(realm, stream).await?.is_empty())
    }

    /// Another's recordings would go with an erased patient into whom they were merged at that time.
    async fn must_have_nobody_merged(
        &self,
        scope: &OrgScope,
        erased: PatientId,
    ) -> Result<(), AppError> {
        let kinds = ["patient.merged", "patient.unmerged"].map(String::from).into();
        let filter = EventFilter { kinds, ..EventFilter::default() };
        let mut merged = BTreeSet::new();
        let mut after = 0;
        loop {
            let events = self.ports.log.events_where(scope.into(), &filter, after, PAGE).await?;
            let Some(last) = events.last() else { break };
            after = last.position;
            for event in events {
                // Of another erased patient, who has no recordings.
                let Ok(opened) = self.open_events(scope.into(), vec![event]).await else {
                    continue;
                };
                for (stored, event) in opened {
                    match event {
                        Event::PatientMerged(into) if into.into == erased => {
                            merged.insert(stored.stream);
                        }
                        Event::PatientMerged(_) | Event::PatientUnmerged(_) => {
                            merged.remove(&stored.stream);
                        }
                        _ => {}
                    }
                }
            }
        }
        match merged.first() {
            None => Ok(()),
            Some(other) => {
                let text = format!(
                    "at that event `{other}` was merged into patient `{erased}`, who was erased later; \
                     restore to an event before they were merged or after they were taken apart"
                );
                Err(AppError::refused("merged_with_erased", text))
            }
        }
    }

    /// The keys of recordings and originals are wrapped as they were at the end of the backup; under whose
    /// they belong is what the events say.
    pub(super) async fn rewrap_as_filed(&self, scope: &OrgScope) -> Result<(), AppError> {
        let realm = Realm::from(scope);
        let organization = self.keyring.realm(realm).await?.organization;
        let mut before = None;
        loop {
            let filter = RecordingFilter { before, ..RecordingFilter::default() };
            let rows = self.ports.recordings.recordings(scope, &filter, PAGE).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            before = Some((last.received_at, last.id));
            for row in rows {
                let above = match row.patient {
                    Some(patient) => {
                        self.key_of_subject(realm, &format!("patient/{patient}")).await?
                    }
                    None => Arc::clone(&organization),
                };
                let mut draft = Draft::new(self, realm);
                for subject in [format!("recording/{}", row.id), stream_of(row.blob)] {
                    for key in self.keyring.rows_of(realm, &subject).await? {
                        if key.wrapped_by != above.id() {
                            draft.batch.keys.push(self.keyring.rewrap(realm, &key, &above).await?);
                        }
                    }
                }
                if !draft.batch.keys.is_empty() {
                    draft.commit(realm).await?;
                }
            }
        }
    }
}
