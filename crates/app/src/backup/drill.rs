//! A drill: the backup is restored where nobody looks, verified, compared with what it is of, and left.

use std::time::Instant;

use precordia_model::{AlarmCode, AlarmSubject, OrganizationId};
use serde::Serialize;

use super::{RestoreRequest, RestoredRealm};
use crate::access::OrgScope;
use crate::alarm::Alarm;
use crate::app::{App, AppError};
use crate::audit::{Signer, VerifyReport, realm_named};
use crate::port::{LogName, Ports, RecordingFilter};

/// The newest originals of each organization, which are opened.
const OPENED: u32 = 200;

/// What a drill found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Drill {
    pub realms: Vec<RestoredRealm>,
    /// Originals that were opened with the restored keys.
    pub opened: u64,
    /// Nothing when the backup is good.
    pub problems: Vec<String>,
    pub seconds: u64,
}

impl Drill {
    pub fn is_good(&self) -> bool {
        self.problems.is_empty()
    }
}

impl App {
    /// Restores into `scratch`, which is empty and is the caller's to remove, and says what is wrong. What
    /// is wrong raises an alarm.
    pub async fn drill(&self, scratch: Ports) -> Result<Drill, AppError> {
        let begun = Instant::now();
        let restored = App::new(scratch, self.settings.clone());
        let subject = || AlarmSubject::platform("restore-drill");
        let mut drill = match self.drilled(&restored).await {
            Ok(drill) => drill,
            Err(cause) => Drill { problems: vec![cause.to_string()], ..Drill::default() },
        };
        drill.seconds = begun.elapsed().as_secs();
        if drill.is_good() {
            self.alarms().clear(AlarmCode::RestoreDrillFailed, subject()).await;
        } else {
            let count = i64::try_from(drill.problems.len()).unwrap_or(i64::MAX);
            let alarm = Alarm::new(AlarmCode::RestoreDrillFailed, subject());
            self.alarms().raise(alarm.figure("problems", count)).await;
        }
        self.write_drilled(&drill).await?;
        Ok(drill)
    }

    async fn drilled(&self, restored: &App) -> Result<Drill, AppError> {
        let done = restored.restore_rows(&RestoreRequest::default()).await?;
        let mut drill = Drill::default();
        for realm in &done.unknown {
            drill.problems.push(format!("`{realm}` is in the directory or in the backup alone"));
        }
        let signer = self.signer().await?;
        for realm in done.realms {
            self.look_at(restored, &realm, &signer, &mut drill).await?;
            drill.realms.push(realm);
        }
        Ok(drill)
    }

    async fn look_at(
        &self,
        restored: &App,
        realm: &RestoredRealm,
        signer: &Signer,
        drill: &mut Drill,
    ) -> Result<(), AppError> {
        let name = realm.organization.as_deref().unwrap_or(&realm.realm);
        let mut problem = |text: String| drill.problems.push(format!("{name}: {text}"));
        if realm.backup_at.is_none() {
            problem(String::from("no run of the backup was ever complete"));
        }
        if realm.blobs_missing > 0 {
            problem(format!("{} originals are not in the backup", realm.blobs_missing));
        }
        match restored.proven_by(self.ports.witness.clone(), realm, signer).await? {
            Some(report) => problems_of(&report).into_iter().for_each(&mut problem),
            None => problem(String::from("there is no witness to prove it by")),
        }
        let id = realm_named(&realm.realm).and_then(|realm| realm.0);
        let Some(id) = id else { return Ok(()) };
        let scope = self.system_scope(id, "drill");
        // What is here now has at least the rows that came back; the chain says that they are the same.
        let head = self.ports.log.head((&scope).into(), LogName::Events).await?;
        if head.position < realm.events.restored {
            let (here, there) = (head.position, realm.events.restored);
            problem(format!("the backup has {there} events and the ledger {here}"));
        }
        drill.opened += restored.open_newest(id, &mut drill.problems).await?;
        Ok(())
    }

    async fn open_newest(
        &self,
        organization: OrganizationId,
        problems: &mut Vec<String>,
    ) -> Result<u64, AppError> {
        let scope: OrgScope = self.system_scope(organization, "drill");
        let filter = RecordingFilter::default();
        let mut opened = 0;
        for row in self.ports.recordings.recordings(&scope, &filter, OPENED).await? {
            match self.original_bytes(&scope, &row).await {
                Ok(_) => opened += 1,
                Err(cause) => problems.push(format!("recording {}: {cause}", row.id)),
            }
        }
        Ok(opened)
    }
}

fn problems_of(report: &VerifyReport) -> Vec<String> {
    let mut problems = Vec::new();
    for log in &report.logs {
        let first = log.findings.first();
        problems.extend(first.map(|found| format!("the {} log: {found:?}", log.log)));
    }
    match &report.views {
        Some(views) if views.is_equal() => {}
        Some(views) => problems.push(format!("{} rows of views differ", views.different)),
        None => problems.push(String::from("its events could not be opened")),
    }
    problems
}
