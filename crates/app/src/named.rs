//! Held recordings that name a patient though they are nobody's, so that an erasure leaves none unseen.

use precordia_interop::fhir::fold;
use precordia_model::{DevicePatient, PatientId, PatientIdentity, RecordingId, Timestamp};
use precordia_rules::access::Permission;
use precordia_rules::event::Event;

use crate::access::OrgScope;
use crate::app::{App, AppError};
use crate::patient::is_erased;
use crate::port::{RecordingFilter, RecordingRow, RecordingStatus, Stream};
use crate::recording::RecordingSummary;

const PAGE: u32 = 200;

/// Why a held recording may be of a patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedBy {
    /// It was this patient's and was taken back.
    OnceTheirs,
    /// Its file carries an identifier of the patient.
    SameIdentifier,
    /// Its file carries the patient's family name, and no other birth date.
    SameName,
}

/// Says nothing of what the file holds: who may erase need not be one who may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedRecording {
    pub id: RecordingId,
    pub received_at: Timestamp,
    pub by: NamedBy,
}

impl App {
    /// The held recordings that name a patient: what an erasure of the patient alone would leave.
    pub async fn held_naming(
        &self,
        scope: &OrgScope,
        id: PatientId,
    ) -> Result<Vec<NamedRecording>, AppError> {
        let target = format!("patient/{id}");
        let reading = self.reading(scope, Permission::ErasePatient, "patient.held", target).await?;
        let result = async {
            let open = self.patient_opened(scope, id).await?;
            self.recordings_naming(scope, id, &open.patient.identity).await
        }
        .await;
        reading.record(result).await
    }

    pub(crate) async fn recordings_naming(
        &self,
        scope: &OrgScope,
        patient: PatientId,
        identity: &PatientIdentity,
    ) -> Result<Vec<NamedRecording>, AppError> {
        let mut named = Vec::new();
        let mut before = None;
        loop {
            let status = Some(RecordingStatus::Held);
            let filter = RecordingFilter { status, before, ..RecordingFilter::default() };
            let rows = self.ports.recordings.recordings(scope, &filter, PAGE).await?;
            let Some(last) = rows.last() else { return Ok(named) };
            before = Some((last.received_at, last.id));
            for (row, summary) in self.summaries(scope, rows).await? {
                let by = match named_by(identity, &summary.device_patient) {
                    Some(by) => Some(by),
                    None => self.was_theirs(scope, &row, patient).await?,
                };
                let RecordingRow { id, received_at, .. } = row;
                named.extend(by.map(|by| NamedRecording { id, received_at, by }));
            }
        }
    }

    /// Those that are not erased meanwhile.
    async fn summaries(
        &self,
        scope: &OrgScope,
        rows: Vec<RecordingRow>,
    ) -> Result<Vec<(RecordingRow, RecordingSummary)>, AppError> {
        let mut opened = Vec::with_capacity(rows.len());
        match self.open_rows(scope, rows.clone()).await {
            Ok(open) => opened.extend(open.into_iter().map(|open| (open.row, open.summary))),
            Err(cause) if is_erased(&cause) => {
                for row in rows {
                    match self.summary_of(scope, &row).await {
                        Ok(summary) => opened.push((row, summary)),
                        Err(cause) if is_erased(&cause) => {}
                        Err(other) => return Err(other),
                    }
                }
            }
            Err(other) => return Err(other),
        }
        Ok(opened)
    }

    async fn was_theirs(
        &self,
        scope: &OrgScope,
        row: &RecordingRow,
        patient: PatientId,
    ) -> Result<Option<NamedBy>, AppError> {
        // What was held from the beginning was never anybody's.
        if row.version == 1 {
            return Ok(None);
        }
        let stream = Stream::new("recording", row.id);
        let events = match self.facts(scope.into(), &stream).await {
            Err(cause) if is_erased(&cause) => return Ok(None),
            events => events?,
        };
        let theirs = events.iter().any(|(_, event)| match event {
            Event::RecordingFiled(filed) => {
                filed.patient == Some(patient) || filed.patient_before_merge == Some(patient)
            }
            Event::RecordingAssigned(assigned) => assigned.patient == patient,
            Event::RecordingUnassigned(unassigned) => unassigned.from == patient,
            _ => false,
        });
        Ok(theirs.then_some(NamedBy::OnceTheirs))
    }
}

/// Rather one too many: a person looks at them.
fn named_by(identity: &PatientIdentity, device: &DevicePatient) -> Option<NamedBy> {
    let id = device.id.as_ref().map(|id| id.reveal().trim());
    if identity.identifiers.iter().any(|known| Some(known.value.reveal().as_str()) == id) {
        return Some(NamedBy::SameIdentifier);
    }
    let family = fold(identity.family.as_ref()?.reveal());
    let written = match (&device.family, &device.name_as_written) {
        (Some(family), _) => fold(family.reveal()),
        (None, Some(written)) => fold(&written.reveal().replace(['^', '=', ','], " ")),
        (None, None) => return None,
    };
    let is_same = !family.is_empty() && format!(" {written} ").contains(&format!(" {family} "));
    let other_birth_date = match (&identity.birth_date, &device.birth_date) {
        (Some(known), Some(said)) => known != said,
        _ => false,
    };
    (is_same && !other_birth_date).then_some(NamedBy::SameName)
}

#[cfg(test)]
mod tests {
    use super::*;
    use precordia_model::{Identifier, PartialDate, Phi};

    fn phi(text: &str) -> Phi<String> {
        Phi::new(text.to_owned())
    }

    #[track_caller]
    fn check(device: DevicePatient, expected: Option<NamedBy>) {
        let identity = PatientIdentity {
            identifiers: vec![Identifier { system: "urn:x".into(), value: phi("A-1") }],
            family: Some(phi("Noether")),
            given: vec![phi("Emmy")],
            birth_date: Some(Phi::new(PartialDate::Day(1882, 3, 23))),
            sex: None,
        };
        assert_eq!(named_by(&identity, &device), expected);
    }

    #[test]
    fn a_file_names_a_patient_by_number_or_by_name() {
        let nobody = DevicePatient::default();
        let with_id = |id| DevicePatient { id: Some(phi(id)), ..nobody.clone() };
        let with_family = |name| DevicePatient { family: Some(phi(name)), ..nobody.clone() };
        let written = |name| DevicePatient { name_as_written: Some(phi(name)), ..nobody.clone() };
        check(nobody.clone(), None);
        check(with_id(" A-1 "), Some(NamedBy::SameIdentifier));
        check(with_id("A-11"), None);
        check(with_family("NÖTHER"), None);
        check(with_family("NOETHÉR"), Some(NamedBy::SameName));
        check(with_family("von Noether"), Some(NamedBy::SameName));
        check(with_family("Noetherin"), None);
        check(written("Noether^Emmy"), Some(NamedBy::SameName));
        check(written("Emmy"), None);
        let born = |day| Some(Phi::new(PartialDate::Day(1882, 3, day)));
        check(
            DevicePatient { birth_date: born(23), ..with_family("Noether") },
            Some(NamedBy::SameName),
        );
        check(DevicePatient { birth_date: born(24), ..with_family("Noether") }, None);
        check(
            DevicePatient { birth_date: born(24), ..with_id("A-1") },
            Some(NamedBy::SameIdentifier),
        );
    }
}
