//! What is done about backups all the time: the control ledger's own, their age, and when to drill.

use precordia_model::{AlarmCode, AlarmSubject};
use precordia_rules::event::{BackupDrilled, Event};
use tracing::error;

use super::Drill;
use crate::alarm::Alarm;
use crate::app::{App, AppError};
use crate::ledger::Draft;
use crate::port::{Append, Batch, EffectKey, Realm, Stream};

const STREAM: &str = "restore-drill";

impl App {
    /// The control ledger has no queue: its backup is a step of whoever keeps the backups.
    pub async fn back_up_platform(&self) {
        let subject = AlarmSubject::platform("backup");
        match self.back_up((&self.platform()).into()).await {
            Ok(_) => self.alarms().clear(AlarmCode::BackupFailed, subject).await,
            Err(cause) => {
                error!(error = %cause, "the control ledger could not be backed up");
                self.alarms().raise(Alarm::new(AlarmCode::BackupFailed, subject)).await;
            }
        }
    }

    /// Raises an alarm for every realm whose newest backup is older than it may be; answers the age of the
    /// oldest.
    pub async fn late_backups(&self, seconds_max: i64) -> Result<i64, AppError> {
        let platform = self.platform();
        let mut oldest = self.is_late((&platform).into(), seconds_max).await?;
        for organization in self.ports.directory.organizations(&platform).await? {
            let scope = self.system_scope(organization.id, "backup");
            oldest = oldest.max(self.is_late((&scope).into(), seconds_max).await?);
        }
        Ok(oldest)
    }

    async fn is_late(&self, realm: Realm<'_>, seconds_max: i64) -> Result<i64, AppError> {
        let subject = AlarmSubject::of(realm.id().0, "backup");
        let since = match self.backup_state(realm).await? {
            Some(state) => state.at_time,
            // Of nothing but a beginning: its first run is to come.
            None => match self.ports.log.events(realm, 0, 1).await?.first() {
                Some(first) => first.at,
                None => return Ok(0),
            },
        };
        let seconds = self.seconds_since(since);
        if seconds > seconds_max {
            let alarm = Alarm::new(AlarmCode::BackupLate, subject).figure("seconds", seconds);
            self.alarms().raise(alarm).await;
        } else {
            self.alarms().clear(AlarmCode::BackupLate, subject).await;
        }
        Ok(seconds)
    }

    /// Whether a drill is to be made now, and by this process: of several, one is told so. Not before every
    /// realm has a backup.
    pub async fn drill_is_due(&self, every_seconds: i64) -> Result<bool, AppError> {
        let platform = self.platform();
        let realms = self.ports.directory.organizations(&platform).await?.len() + 1;
        if self.backup_states().await?.len() < realms {
            return Ok(false);
        }
        let beat = self.now().micros() / 1_000_000 / every_seconds.max(1);
        let once = EffectKey { key: format!("{STREAM}/{beat}"), subject: STREAM.to_owned() };
        let known = self.ports.log.effects((&platform).into(), std::slice::from_ref(&once.key));
        if !known.await?.is_empty() {
            return Ok(false);
        }
        let before = format!("{STREAM}/{}", beat - 2);
        let batch = Batch { effects: vec![once], forget_effects: vec![before], ..Batch::default() };
        Ok(matches!(self.append((&platform).into(), batch).await?, Append::Done { .. }))
    }

    pub(super) async fn write_drilled(&self, drill: &Drill) -> Result<(), AppError> {
        let platform = self.platform();
        let realm = Realm::from(&platform);
        let stream = Stream::new(STREAM, "platform");
        let version = self.ports.log.stream(realm, &stream).await?.len();
        let fact = Event::BackupDrilled(BackupDrilled {
            realms: drill.realms.len() as u64,
            events: drill.realms.iter().map(|realm| realm.events.restored).sum(),
            opened: drill.opened,
            problems: drill.problems.len() as u64,
            seconds: drill.seconds,
        });
        let keys = self.keyring.realm(realm).await?;
        let mut draft = Draft::new(self, realm);
        let version = i64::try_from(version).unwrap_or(i64::MAX).saturating_add(1);
        draft.event(&keys.organization, &stream, version, &fact);
        draft.commit(realm).await?;
        Ok(())
    }
}
