//! What a printed sheet shows: the traces, read again, and what was found out about them.

use precordia_model::{Recording, RecordingId};
use precordia_rules::access::Permission;
use precordia_rules::event::RecordingFacts;

use crate::access::OrgScope;
use crate::app::{App, AppError};
use crate::patient::PatientBanner;

#[derive(Clone, Debug)]
pub struct SheetFacts {
    pub recording: Recording,
    pub facts: RecordingFacts,
    /// Whose it is, as the organization knows it; `None` while nobody has said.
    pub patient: Option<PatientBanner>,
}

impl App {
    /// A sheet leaves the program, so it needs the permission that originals need.
    pub async fn sheet(&self, scope: &OrgScope, id: RecordingId) -> Result<SheetFacts, AppError> {
        let target = format!("recording/{id}");
        let reading =
            self.reading(scope, Permission::ExportOriginal, "recording.sheet", target).await?;
        let result = async {
            let row = self.recording_row(scope, id).await?;
            let recording = self.traces(scope, &row).await?;
            let facts = self.recording_facts(scope, &row).await?;
            let patient = match row.patient {
                Some(id) => Some((&self.patient_opened(scope, id).await?).into()),
                None => None,
            };
            Ok(SheetFacts { recording, facts, patient })
        }
        .await;
        reading.record(result).await
    }
}
