//! What people ask for, each choosing with dice whom it is about.

use precordia_app::access::OrgScope;
use precordia_app::port::{Ports, RecordingFilter, RecordingRow};
use precordia_app::{App, AppError, Arrival, ReceiveError};
use precordia_model::{
    Door, ItemId, OrganizationId, PatientId, PatientIdentity, RecordingId, RequestId,
};
use uuid::Uuid;

use crate::content;
use crate::dice::Dice;

/// More than a run makes.
const ROWS_MAX: u32 = 10_000;

/// A handle that may do everything in an organization.
pub fn scope_of(organization: OrganizationId) -> OrgScope {
    OrgScope::for_tests(organization, RequestId(Uuid::from_u128(7)))
}

/// An upload whose sender was told that it is there.
pub type Receipt = (OrganizationId, ItemId, usize);

/// An item whose patient somebody tried to erase, and whether they were told that it was done.
pub type Erasing = (OrganizationId, ItemId, bool);

/// Somebody at work in one organization. A second one stands for another process on the same data.
#[derive(Clone)]
pub struct Actor {
    pub app: App,
    pub ports: Ports,
    pub organization: OrganizationId,
}

type Done<T = ()> = Result<T, AppError>;

impl Actor {
    fn scope(&self) -> OrgScope {
        scope_of(self.organization)
    }

    /// Sends one object as a door does.
    pub async fn send(&self, content: usize) -> Done<Receipt> {
        let bytes = &content::all()[content].bytes;
        let arrival = Arrival {
            door: Door::Upload,
            site: None,
            file_name: None,
            declared_bytes: Some(bytes.len() as u64),
        };
        let scope = self.scope();
        let sent = async {
            let mut receiving = self.app.receive(&scope, arrival).await?;
            receiving.write(bytes).await?;
            receiving.finish().await
        };
        match sent.await {
            Ok(item) => Ok((self.organization, item, content)),
            Err(ReceiveError::App(cause)) => Err(cause),
            Err(ReceiveError::TooLarge { .. }) => Err(AppError::Damaged("too large".into())),
        }
    }

    pub async fn work(&self, owner: &str) -> Done {
        self.app.work_on(self.organization, owner).await
    }

    pub async fn assign(&self, dice: &mut Dice) -> Done {
        let held = self.recordings(|row| row.patient.is_none()).await?;
        let patients = self.patients().await?;
        let Some(recording) = dice.pick(&held).map(|row| row.id) else { return Ok(()) };
        match dice.pick(&patients).copied() {
            Some(patient) if !dice.one_in(4) => {
                self.app.assign(&self.scope(), recording, patient).await
            }
            _ => self.assign_new(recording).await,
        }
    }

    async fn assign_new(&self, recording: RecordingId) -> Done {
        self.app.assign_new(&self.scope(), recording, PatientIdentity::default()).await
    }

    pub async fn unassign(&self, dice: &mut Dice) -> Done {
        let filed = self.recordings(|row| row.patient.is_some()).await?;
        let Some(recording) = dice.pick(&filed).map(|row| row.id) else { return Ok(()) };
        self.app.unassign(&self.scope(), recording, "not theirs").await
    }

    pub async fn merge(&self, dice: &mut Dice) -> Done {
        let patients = self.patients().await?;
        if patients.len() < 2 {
            return Ok(());
        }
        let (one, step) = (dice.below(patients.len()), 1 + dice.below(patients.len() - 1));
        let (from, into) = (patients[one], patients[(one + step) % patients.len()]);
        self.app.merge(&self.scope(), from, into, "the same person").await
    }

    pub async fn unmerge(&self, dice: &mut Dice) -> Done {
        let patients = self.patients().await?;
        let Some(patient) = dice.pick(&patients).copied() else { return Ok(()) };
        self.app.unmerge(&self.scope(), patient, "not the same person").await
    }

    /// Erases somebody; `erasing` learns whose items may be gone, also when it fails.
    pub async fn erase(&self, dice: &mut Dice, erasing: &mut Vec<Erasing>) -> Done {
        let patients = self.patients().await?;
        let Some(patient) = dice.pick(&patients).copied() else { return Ok(()) };
        let theirs = self.items_of(patient).await?;
        for family in content::FAMILIES {
            let erased = self
                .app
                .erase(&self.scope(), patient, family, "they asked for it", &[])
                .await
                .map(drop);
            if let Err(AppError::Refused { code: "not_confirmed", .. }) = erased {
                continue;
            }
            let sure = erased.is_ok();
            erasing.extend(theirs.iter().map(|item| (self.organization, *item, sure)));
            return erased;
        }
        Ok(())
    }

    async fn patients(&self) -> Done<Vec<PatientId>> {
        let rows =
            self.ports.patients.patients_by_tokens(&self.scope(), &[], None, ROWS_MAX).await?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    async fn recordings(&self, wanted: impl Fn(&RecordingRow) -> bool) -> Done<Vec<RecordingRow>> {
        let filter = RecordingFilter::default();
        let rows = self.ports.recordings.recordings(&self.scope(), &filter, ROWS_MAX).await?;
        Ok(rows.into_iter().filter(wanted).collect())
    }

    /// Items whose original is one of the patient's own: what came by a merge goes back before.
    async fn items_of(&self, patient: PatientId) -> Done<Vec<ItemId>> {
        let scope = self.scope();
        let row = self.ports.patients.patient(&scope, patient).await?;
        let merged = row.is_some_and(|row| row.merged_into.is_some());
        let theirs = self.recordings(|row| match merged {
            true => row.patient_before_merge == Some(patient),
            false => row.patient == Some(patient) && row.patient_before_merge.is_none(),
        });
        let blobs: Vec<_> = theirs.await?.into_iter().map(|row| row.blob).collect();
        let items = self.ports.items.items(&scope, None, None, ROWS_MAX).await?;
        let its = items.into_iter().filter(|item| item.blob.is_some_and(|b| blobs.contains(&b)));
        Ok(its.map(|item| item.id).collect())
    }
}
