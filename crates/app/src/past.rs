//! A recording's past: what became of it in the order of the ledger, and how it stood at a moment.
//!
//! Both are folds of events; nothing is kept for them. A recording's own stream says whose it became,
//! the streams of the patients that it was given to say when it moved with one of them.

use std::collections::BTreeSet;

use precordia_model::{PatientId, Phi, RecordingId, Timestamp};
use precordia_rules::access::Permission;
use precordia_rules::event::{Event, HoldReason, MovedFlags, RecordingFacts};

use crate::access::OrgScope;
use crate::app::{App, AppError};
use crate::intake::Item;
use crate::patient::is_erased;
use crate::port::{Position, StoredEvent, Stream};
use crate::recording::{Provenance, RecordingDetail, WorklistRow};
use crate::view::{self, Fact, fact_of};

/// What became of a recording.
#[derive(Clone, Debug)]
pub enum Step {
    /// It was read and measured; without a patient it waits for one.
    Filed {
        patient: Option<PatientId>,
        hold: Option<HoldReason>,
    },
    Assigned {
        to: PatientId,
    },
    Unassigned {
        from: PatientId,
        reason: Phi<String>,
    },
    /// It moved with its patient's record, which turned out to be another's.
    Merged {
        from: PatientId,
        into: PatientId,
        reason: Phi<String>,
    },
    /// It went back, because the two records are of two people.
    Unmerged {
        from: PatientId,
        to: PatientId,
        reason: Phi<String>,
    },
}

/// A step with who took it, when, and where it stands in the ledger.
#[derive(Clone, Debug)]
pub struct PastStep {
    pub position: Position,
    pub at: Timestamp,
    /// `user/<id>` or `system/<role>`.
    pub actor: String,
    /// Display name of a user; `None` for the program itself.
    pub actor_name: Option<Phi<String>>,
    pub step: Step,
}

impl App {
    /// What became of a recording, in the order of the ledger.
    pub async fn recording_history(
        &self,
        scope: &OrgScope,
        id: RecordingId,
    ) -> Result<Vec<PastStep>, AppError> {
        let target = format!("recording/{id}");
        let reading =
            self.reading(scope, Permission::ReadClinical, "recording.history", target).await?;
        let result = self.steps(scope, id).await;
        reading.record(result).await
    }

    async fn steps(&self, scope: &OrgScope, id: RecordingId) -> Result<Vec<PastStep>, AppError> {
        let past = self.past(scope, id).await?;
        let actors: Vec<&str> = past.iter().map(|(stored, _)| stored.actor.as_str()).collect();
        let names = self.actor_names(scope, &actors).await?;
        past.iter()
            .map(|pair| {
                let (stored, _) = pair;
                Ok(PastStep {
                    position: stored.position,
                    at: stored.at,
                    actor: stored.actor.clone(),
                    actor_name: names.get(&stored.actor).cloned(),
                    step: step(&fact_of(pair))?,
                })
            })
            .collect()
    }

    /// The recording as the ledger told it at a moment. Other recordings of the patient are not told: a
    /// page about the past leads nowhere else.
    pub async fn recording_as_of(
        &self,
        scope: &OrgScope,
        id: RecordingId,
        at: Timestamp,
    ) -> Result<RecordingDetail, AppError> {
        let target = format!("recording/{id}");
        let reading =
            self.reading(scope, Permission::ReadClinical, "recording.read", target).await?;
        let result = self.detail_as_of(scope, id, at).await;
        reading.record(result).await
    }

    async fn detail_as_of(
        &self,
        scope: &OrgScope,
        id: RecordingId,
        at: Timestamp,
    ) -> Result<RecordingDetail, AppError> {
        let past = until(self.past(scope, id).await?, at);
        let (mut now, mut facts) = (None, None);
        for fact in past.iter().map(fact_of) {
            now = Some(view::recording::fold(id, now, &fact)?);
            facts = Some(facts_after(facts, id, &fact)?);
        }
        let (Some(now), Some(facts)) = (now, facts) else {
            return Err(AppError::NotFound("recording"));
        };
        let mut provenance = Vec::new();
        for item in self.ports.items.items_of_recording(scope, id).await? {
            let Some(item) = self.item_as_of(scope, item.id, at).await? else { continue };
            if item.row.recording == Some(id) {
                provenance.push(Provenance { ledger_position: item.row.position, item });
            }
        }
        let patients: Vec<_> = now.row.patient.into_iter().collect();
        let patient = self.banners(scope, &patients).await?.into_values().next();
        let head = WorklistRow { row: now.row, summary: now.summary, patient };
        Ok(RecordingDetail { head, facts, provenance, priors: Vec::new() })
    }

    async fn item_as_of(
        &self,
        scope: &OrgScope,
        id: precordia_model::ItemId,
        at: Timestamp,
    ) -> Result<Option<Item>, AppError> {
        let mut item = None;
        for pair in until(self.facts(scope.into(), &Stream::new("item", id)).await?, at) {
            item = Some(view::item::fold(id, item, &fact_of(&pair))?);
        }
        Ok(item)
    }

    /// Every event that says something of a recording, opened, in the order of the ledger.
    async fn past(
        &self,
        scope: &OrgScope,
        id: RecordingId,
    ) -> Result<Vec<(StoredEvent, Event)>, AppError> {
        self.recording_row(scope, id).await?;
        let mut past = self.facts(scope.into(), &Stream::new("recording", id)).await?;
        let mut waiting: Vec<PatientId> =
            past.iter().flat_map(|(_, event)| patients_of(event)).collect();
        let mut looked_at = BTreeSet::new();
        while let Some(patient) = waiting.pop() {
            if !looked_at.insert(patient) {
                continue;
            }
            for pair in self.moves_of(scope, patient, id).await? {
                waiting.extend(patients_of(&pair.1));
                past.push(pair);
            }
        }
        past.sort_by_key(|(stored, _)| stored.position);
        Ok(past)
    }

    /// A patient's mergers and their undoings that took the recording along. Nothing is left of them
    /// when the patient was erased after the recording was taken back.
    async fn moves_of(
        &self,
        scope: &OrgScope,
        patient: PatientId,
        id: RecordingId,
    ) -> Result<Vec<(StoredEvent, Event)>, AppError> {
        let stream = Stream::new("patient", patient);
        let mut moves = Vec::new();
        for stored in self.ports.log.stream(scope.into(), &stream).await? {
            if !["patient.merged", "patient.unmerged"].contains(&stored.kind.as_str()) {
                continue;
            }
            match self.open_events(scope.into(), vec![stored]).await {
                Ok(opened) => moves.extend(opened.into_iter().filter(|(_, e)| moved(e, id))),
                Err(cause) if is_erased(&cause) => {}
                Err(cause) => return Err(cause),
            }
        }
        Ok(moves)
    }
}

/// The beginning of the ledger in which nothing is later than `at`. Clocks of several machines may
/// differ; what stands before in the ledger happened before.
fn until(mut past: Vec<(StoredEvent, Event)>, at: Timestamp) -> Vec<(StoredEvent, Event)> {
    let later = past.iter().position(|(stored, _)| stored.at > at);
    past.truncate(later.unwrap_or(past.len()));
    past
}

fn moved(event: &Event, id: RecordingId) -> bool {
    match event {
        Event::PatientMerged(merged) => merged.recordings.contains(&id),
        Event::PatientUnmerged(unmerged) => unmerged.recordings.contains(&id),
        _ => false,
    }
}

/// The patients whose the recording was, as far as an event names them.
fn patients_of(event: &Event) -> Vec<PatientId> {
    match event {
        Event::RecordingFiled(facts) => {
            facts.patient.into_iter().chain(facts.patient_before_merge).collect()
        }
        Event::RecordingAssigned(assigned) => vec![assigned.patient],
        Event::RecordingUnassigned(unassigned) => vec![unassigned.from],
        Event::PatientMerged(merged) => vec![merged.into],
        Event::PatientUnmerged(unmerged) => vec![unmerged.from],
        _ => Vec::new(),
    }
}

fn step(fact: &Fact<'_>) -> Result<Step, AppError> {
    Ok(match fact.event {
        Event::RecordingFiled(facts) => Step::Filed { patient: facts.patient, hold: facts.hold },
        Event::RecordingAssigned(assigned) => Step::Assigned { to: assigned.patient },
        Event::RecordingUnassigned(unassigned) => {
            Step::Unassigned { from: unassigned.from, reason: unassigned.reason.clone() }
        }
        Event::PatientMerged(merged) => Step::Merged {
            from: view::recording::patient_of(fact)?,
            into: merged.into,
            reason: merged.reason.clone(),
        },
        Event::PatientUnmerged(unmerged) => Step::Unmerged {
            from: unmerged.from,
            to: view::recording::patient_of(fact)?,
            reason: unmerged.reason.clone(),
        },
        _ => return Err(view::misplaced(fact)),
    })
}

/// The facts with what the next event changes of them.
fn facts_after(
    before: Option<RecordingFacts>,
    id: RecordingId,
    fact: &Fact<'_>,
) -> Result<RecordingFacts, AppError> {
    let mut facts = match (fact.event, before) {
        (Event::RecordingFiled(filed), None) => return Ok((**filed).clone()),
        (_, Some(before)) => before,
        (_, None) => return Err(view::misplaced(fact)),
    };
    match fact.event {
        Event::RecordingAssigned(assigned) => {
            facts.flags = assigned.flags.clone();
            (facts.patient, facts.hold) = (Some(assigned.patient), None);
        }
        Event::RecordingUnassigned(unassigned) => {
            facts.flags = unassigned.flags.clone();
            (facts.patient, facts.hold) = (None, Some(HoldReason::Unassigned));
        }
        Event::PatientMerged(merged) => {
            facts.patient = Some(merged.into);
            flag_moved(&mut facts, id, &merged.flags);
        }
        Event::PatientUnmerged(unmerged) => {
            facts.patient = Some(view::recording::patient_of(fact)?);
            flag_moved(&mut facts, id, &unmerged.flags);
        }
        _ => return Err(view::misplaced(fact)),
    }
    Ok(facts)
}

fn flag_moved(facts: &mut RecordingFacts, id: RecordingId, moved: &[MovedFlags]) {
    if let Some(moved) = moved.iter().find(|moved| moved.recording == id) {
        facts.flags = moved.flags.clone();
    }
}
