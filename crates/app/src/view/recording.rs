//! Recordings: whose they are, and what a list shows of them.

use std::collections::BTreeSet;

use precordia_model::{FlagCode, FlagReport, PatientId, RecordingId, Severity};
use precordia_rules::event::{Event, MovedFlags, RecordingFacts};

use super::rebuild::{Check, Moves, fact_of, unequal};
use super::{Fact, misplaced};
use crate::access::OrgScope;
use crate::app::{App, AppError};
use crate::ledger::{Draft, named_key};
use crate::patient::is_erased;
use crate::port::{RecordingRow, RecordingStatus, StoredEvent, Stream, ViewChange};
use crate::recording::RecordingSummary;
use crate::seal::DataKey;

/// A recording's row, opened.
#[derive(Clone, Debug)]
pub(crate) struct RecordingNow {
    /// `sealed` is not looked at.
    pub(crate) row: RecordingRow,
    pub(crate) summary: RecordingSummary,
}

impl Draft<'_> {
    /// Appends a recording's next event, puts the row that it makes beside it and answers the event's
    /// place in the batch.
    pub(crate) fn recording(
        &mut self,
        key: &DataKey,
        id: RecordingId,
        before: Option<RecordingNow>,
        event: &Event,
    ) -> Result<(usize, RecordingNow), AppError> {
        let stream = Stream::new("recording", id);
        let version = before.as_ref().map_or(1, |now| now.row.version + 1);
        let index = self.event(key, &stream, version, event);
        let now = fold(id, before, &self.fact(index, stream.as_str(), version, event))?;
        self.recording_row(key, &now);
        Ok((index, now))
    }

    /// Puts the row beside a patient's event that moved the recording.
    pub(crate) fn recording_row(&mut self, key: &DataKey, now: &RecordingNow) {
        let row = sealed(self, key, now);
        self.view(ViewChange::Recording(row));
    }
}

pub(crate) fn sealed(draft: &Draft<'_>, key: &DataKey, now: &RecordingNow) -> RecordingRow {
    let stream = format!("recording/{}", now.row.id);
    let sealed = draft.sealed(key, &stream, "summary", now.row.version, &now.summary);
    RecordingRow { sealed, ..now.row.clone() }
}

/// Events of the recording's own stream, and those of patients that move it.
pub(crate) fn fold(
    id: RecordingId,
    before: Option<RecordingNow>,
    fact: &Fact<'_>,
) -> Result<RecordingNow, AppError> {
    let mut now = match (fact.event, before) {
        (Event::RecordingFiled(facts), None) => return Ok(filed(id, fact, facts)),
        (_, Some(before)) => before,
        (_, None) => return Err(misplaced(fact)),
    };
    now.summary.resource_version += 1;
    match fact.event {
        Event::RecordingAssigned(assigned) => {
            now.row.version = fact.version;
            belong(&mut now.row, Some(assigned.patient), None);
            flag(&mut now.row, &assigned.flags);
        }
        Event::RecordingUnassigned(unassigned) => {
            now.row.version = fact.version;
            belong(&mut now.row, None, None);
            flag(&mut now.row, &unassigned.flags);
        }
        Event::PatientMerged(merged) => {
            belong(&mut now.row, Some(merged.into), Some(patient_of(fact)?));
            flag_moved(&mut now.row, &merged.flags);
        }
        Event::PatientUnmerged(unmerged) => {
            belong(&mut now.row, Some(patient_of(fact)?), None);
            flag_moved(&mut now.row, &unmerged.flags);
        }
        _ => return Err(misplaced(fact)),
    }
    Ok(now)
}

fn filed(id: RecordingId, fact: &Fact<'_>, facts: &RecordingFacts) -> RecordingNow {
    let mut row = RecordingRow {
        id,
        status: RecordingStatus::Held,
        patient: None,
        patient_before_merge: None,
        site: facts.site,
        door: facts.door,
        item: facts.item,
        blob: facts.blob,
        received_at: facts.received_at.unwrap_or(fact.at),
        acquired_sort: facts.acquired_at.as_ref().and_then(|at| at.sort_key()),
        flags: Vec::new(),
        position: fact.position,
        version: fact.version,
        sealed: Vec::new(),
    };
    belong(&mut row, facts.patient, facts.patient_before_merge);
    flag(&mut row, &facts.flags);
    RecordingNow { row, summary: RecordingSummary::of(facts, 1) }
}

fn belong(row: &mut RecordingRow, patient: Option<PatientId>, before_merge: Option<PatientId>) {
    row.status = if patient.is_some() { RecordingStatus::Filed } else { RecordingStatus::Held };
    row.patient = patient;
    row.patient_before_merge = before_merge;
}

fn flag(row: &mut RecordingRow, report: &FlagReport) {
    row.flags = report.flags.iter().map(|flag| (flag.code, flag.severity)).collect();
}

fn flag_moved(row: &mut RecordingRow, moved: &[MovedFlags]) {
    if let Some(moved) = moved.iter().find(|moved| moved.recording == row.id) {
        flag(row, &moved.flags);
    }
}

pub(crate) fn patient_of(fact: &Fact<'_>) -> Result<PatientId, AppError> {
    let id = fact.stream.strip_prefix("patient/").and_then(|id| id.parse().ok());
    id.ok_or_else(|| misplaced(fact))
}

impl App {
    pub(super) async fn check_recording(
        &self,
        scope: &OrgScope,
        moves: &Moves,
        id: RecordingId,
        events: Vec<StoredEvent>,
        check: Check,
    ) -> Result<Check, AppError> {
        let row = self.ports.recordings.recording(scope, id).await?;
        let key = events.last().map(|last| named_key(&last.payload, &last.stream, "payload"));
        let Some(key) = key.transpose()? else { return Ok(check) };
        let folded = match self.folded_recording(scope, moves, id, events).await {
            Ok(folded) => folded,
            Err(cause) if is_erased(&cause) => {
                let searched = self.ports.recordings.searched_flags(scope, id).await?;
                let is_left = row.is_some() || !searched.0.is_empty();
                let gone = vec![ViewChange::RemoveRecording(id)];
                return Ok(if is_left { check.differing("unexplained", gone) } else { check });
            }
            Err(cause) => return Err(cause),
        };
        let key = self.keyring.open(scope.into(), &[key]).await?.get(key)?;
        let put = sealed(&Draft::new(self, scope.into()), &key, &folded);
        let put = vec![ViewChange::Recording(put)];
        let Some(row) = row else { return Ok(check.differing("missing", put)) };
        let summary = match self.summary_of(scope, &row).await {
            Ok(summary) => summary,
            Err(AppError::Keys(_)) => return Ok(check.differing("summary", put)),
            Err(cause) => return Err(cause),
        };
        let searched = self.ports.recordings.searched_flags(scope, id).await?;
        Ok(match differing(&RecordingNow { row, summary }, &folded, &searched) {
            Some(what) => check.differing(what, put),
            None => check,
        })
    }

    async fn folded_recording(
        &self,
        scope: &OrgScope,
        moves: &Moves,
        id: RecordingId,
        events: Vec<StoredEvent>,
    ) -> Result<RecordingNow, AppError> {
        let own = self.open_events(scope.into(), events).await?;
        let mut facts: Vec<Fact<'_>> =
            own.iter().map(fact_of).chain(moves.of_recording(id)).collect();
        facts.sort_by_key(|fact| fact.position);
        let mut now = None;
        for fact in &facts {
            now = Some(fold(id, now, fact)?);
        }
        let mut now = now.ok_or(AppError::NotFound("recording"))?;
        // Moves of a patient who was erased since cannot be read; the resources still count them.
        let text = id.to_string();
        if let Some(newest) =
            self.ports.resources.newest(scope.into(), "Observation", &text).await?
        {
            now.summary.resource_version = newest.version;
        }
        Ok(now)
    }
}

fn differing(
    a: &RecordingNow,
    b: &RecordingNow,
    searched: &(Vec<(FlagCode, Severity)>, Option<Severity>),
) -> Option<String> {
    let (x, y) = (&a.row, &b.row);
    let sorted = |flags: &[(FlagCode, Severity)]| flags.iter().copied().collect::<BTreeSet<_>>();
    unequal(&[
        ("status", x.status == y.status),
        ("patient", x.patient == y.patient),
        ("patient_before_merge", x.patient_before_merge == y.patient_before_merge),
        ("site", x.site == y.site),
        ("door", x.door == y.door),
        ("item", x.item == y.item),
        ("blob", x.blob == y.blob),
        ("received_at", x.received_at == y.received_at),
        ("acquired_sort", x.acquired_sort == y.acquired_sort),
        ("flags", x.flags == y.flags),
        ("searched flags", sorted(&searched.0) == sorted(&y.flags)),
        ("severity", searched.1 == y.flags.iter().map(|(_, severity)| *severity).max()),
        ("position", x.position == y.position),
        ("version", x.version == y.version),
        ("summary", a.summary == b.summary),
    ])
}
