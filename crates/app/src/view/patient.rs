//! Patients: who they are, by what they are found, and into whom they were merged.

use precordia_model::{PatientId, PatientIdentity};
use precordia_rules::event::Event;

use super::rebuild::{Check, fact_of, unequal};
use super::{Fact, misplaced};
use crate::access::OrgScope;
use crate::app::{App, AppError};
use crate::index::patient_tokens;
use crate::ingest::identifier_effects;
use crate::keys::IndexKey;
use crate::ledger::Draft;
use crate::patient::PatientView;
use crate::port::{PatientRow, StoredEvent, Stream, ViewChange};
use crate::seal::DataKey;

/// A patient's row, opened.
#[derive(Clone, Debug)]
pub(crate) struct PatientNow {
    /// `sealed` is not looked at.
    pub(crate) row: PatientRow,
    pub(crate) identity: PatientIdentity,
}

impl Draft<'_> {
    /// Appends a patient's next event, puts the row that it makes beside it and answers the event's place
    /// in the batch.
    pub(crate) fn patient(
        &mut self,
        key: &DataKey,
        index_key: &IndexKey,
        id: PatientId,
        before: Option<PatientNow>,
        event: &Event,
    ) -> Result<(usize, PatientNow), AppError> {
        let stream = Stream::new("patient", id);
        let version = before.as_ref().map_or(1, |now| now.row.version + 1);
        let is_new = before.is_none();
        let index = self.event(key, &stream, version, event);
        let now = fold(id, before, &self.fact(index, stream.as_str(), version, event))?;
        let row = sealed(self, key, &now);
        self.view(ViewChange::Patient(row));
        if is_new {
            let tokens = patient_tokens(index_key, &now.identity);
            self.view(ViewChange::PatientTokens { patient: id, tokens });
        }
        Ok((index, now))
    }
}

pub(crate) fn sealed(draft: &Draft<'_>, key: &DataKey, now: &PatientNow) -> PatientRow {
    let stream = format!("patient/{}", now.row.id);
    let view = PatientView { identity: now.identity.clone() };
    let sealed = draft.sealed(key, &stream, "identity", now.row.version, &view);
    PatientRow { sealed, ..now.row.clone() }
}

/// Every event of a patient but the last, the erasure, which leaves nothing to fold.
pub(crate) fn fold(
    id: PatientId,
    before: Option<PatientNow>,
    fact: &Fact<'_>,
) -> Result<PatientNow, AppError> {
    let row = |merged_into, resource_version| PatientRow {
        id,
        merged_into,
        version: fact.version,
        resource_version,
        sealed: Vec::new(),
    };
    match (fact.event, before) {
        (Event::PatientRegistered(registered), None) => {
            Ok(PatientNow { row: row(None, 1), identity: registered.identity.clone() })
        }
        (Event::PatientMerged(merged), Some(before)) => Ok(PatientNow {
            row: row(Some(merged.into), before.row.resource_version + 1),
            ..before
        }),
        (Event::PatientUnmerged(_), Some(before)) => {
            Ok(PatientNow { row: row(None, before.row.resource_version + 1), ..before })
        }
        _ => Err(misplaced(fact)),
    }
}

impl App {
    pub(super) async fn check_patient(
        &self,
        scope: &OrgScope,
        id: PatientId,
        events: Vec<StoredEvent>,
        check: Check,
    ) -> Result<Check, AppError> {
        let row = self.ports.patients.patient(scope, id).await?;
        let stored_tokens = self.ports.patients.tokens_of(scope, id).await?;
        if events.last().is_none_or(|last| last.kind == "patient.erased") {
            let is_left = row.is_some() || !stored_tokens.is_empty();
            let gone = vec![ViewChange::RemovePatient(id)];
            return Ok(if is_left { check.differing("unexplained", gone) } else { check });
        }
        let mut now = None;
        for pair in self.open_events(scope.into(), events).await? {
            now = Some(fold(id, now, &fact_of(&pair))?);
        }
        let now = now.ok_or(AppError::NotFound("patient"))?;
        let key = self.key_of_subject(scope.into(), check.stream.as_str()).await?;
        let keys = self.keyring.realm(scope.into()).await?;
        let tokens = patient_tokens(&keys.index, &now.identity);
        let mut check = check;
        check.effects = identifier_effects(&keys, &now.identity, id);
        let put = vec![
            ViewChange::Patient(sealed(&Draft::new(self, scope.into()), &key, &now)),
            ViewChange::PatientTokens { patient: id, tokens: tokens.clone() },
        ];
        let Some(row) = row else { return Ok(check.differing("missing", put)) };
        let identity = match self.open_patient(scope, &row).await {
            Ok(open) => Some(open.patient.identity),
            Err(AppError::Keys(_)) => None,
            Err(cause) => return Err(cause),
        };
        let what = unequal(&[
            ("merged_into", row.merged_into == now.row.merged_into),
            ("version", row.version == now.row.version),
            ("resource_version", row.resource_version == now.row.resource_version),
            ("identity", identity.as_ref() == Some(&now.identity)),
            ("tokens", stored_tokens == tokens),
        ]);
        Ok(match what {
            Some(what) => check.differing(what, put),
            None => check,
        })
    }
}
