//! Telling channels: at least once, in the order of what happened, with an id that is equal in every try.

use std::time::Duration;

use futures_util::future::join_all;
use precordia_model::{AlarmCode, AlarmFigures, AlarmId, AlarmSubject};
use tracing::{info, warn};

use super::board::{Key, Seen};
use super::{Alarm, Alarms};
use crate::app::AppError;
use crate::port::{AlarmRow, AlarmState, Channel, Notice, NoticeKind, NoticeRow, NotifyError};

/// Notices that are told at once.
const CLAIM: u32 = 16;
/// A channel that does not answer for so long did not take it, whatever its own limits are.
const ANSWER: Duration = Duration::from_secs(45);
/// What is claimed is left to another process after so long.
const CLAIM_SECONDS: i64 = 120;
/// After so many tries in vain there is an alarm about the channel.
const ATTEMPTS_UNTIL_ALARM: i64 = 3;
/// After so many, about a day, a notice is given up.
const ATTEMPTS_MAX: i64 = 100;
const BACKOFF_SECONDS_MAX: i64 = 15 * 60;
/// Pause between tries that the ledger knows nothing of.
const DIRECT_SECONDS: i64 = 60;

/// What a channel answered to a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelAnswer {
    pub channel: Channel,
    pub answer: Result<String, NotifyError>,
}

impl Alarms<'_> {
    /// Tells every channel what it is due, and without the ledger what could not be written.
    pub(super) async fn tell(&self) {
        loop {
            match self.tell_some().await {
                Ok(0) => break,
                Ok(_) => {}
                Err(cause) => {
                    warn!(error = %cause, "notices of alarms could not be claimed");
                    break;
                }
            }
        }
        for (key, seen) in self.app.board.all() {
            if seen.written_at.is_none() && self.app.now() >= seen.tell_at {
                self.tell_unwritten(&key, &seen).await;
            }
        }
    }

    /// Sends a test over every channel and says what each answered. The ledger does not hear of it.
    pub async fn test(&self) -> Vec<ChannelAnswer> {
        let id = AlarmId(self.app.new_id());
        let key = (AlarmCode::Test, AlarmSubject::platform("test"));
        let row = row_of(&key, id, self.app.now(), 1, AlarmFigures::new());
        let notice = self.notice(format!("{id}.test.1"), NoticeKind::Test, row).await;
        let tell = async |channel: &Channel| {
            let answer = self.ask(&channel.name, &notice).await;
            ChannelAnswer { channel: channel.clone(), answer }
        };
        join_all(self.app.ports.notifier.channels().iter().map(tell)).await
    }

    async fn tell_some(&self) -> Result<usize, AppError> {
        let now = self.app.now();
        let (platform, until) = (self.app.platform(), now.plus_seconds(CLAIM_SECONDS));
        let claimed = self.app.ports.alarms.claim_notices(&platform, now, until, CLAIM).await?;
        for outcome in join_all(claimed.iter().map(|notice| self.tell_one(notice))).await {
            if let Err(cause) = outcome {
                warn!(error = %cause, "a notice of an alarm could not be settled; it is told again");
            }
        }
        Ok(claimed.len())
    }

    async fn tell_one(&self, notice: &NoticeRow) -> Result<(), AppError> {
        let (app, platform) = (self.app, self.app.platform());
        let row = app.ports.alarms.alarm(&platform, notice.alarm).await?;
        let reminds_of = |row: &AlarmRow| row.state() == AlarmState::Open;
        let row = row.filter(|row| notice.kind != NoticeKind::Reminder || reminds_of(row));
        let Some(row) = row else {
            return Ok(app.ports.alarms.end_notice(&platform, notice, None).await?);
        };
        let full = self.notice(notice.id(), notice.kind, row).await;
        let answer = self.ask(&notice.channel, &full).await;
        let subject = AlarmSubject::platform("channel").named(&notice.channel);
        let Err(cause) = answer else {
            info!(notice.id = notice.id(), channel = notice.channel, "a channel was told");
            app.ports.alarms.end_notice(&platform, notice, self.next(notice).as_ref()).await?;
            self.clear(AlarmCode::DeliveryFailed, subject).await;
            return Ok(());
        };
        let attempts = notice.attempts;
        warn!(notice.id = notice.id(), channel = notice.channel, attempts, %cause, "a channel was not told");
        if matches!(cause, NotifyError::Unknown(_)) || attempts >= ATTEMPTS_MAX {
            app.ports.alarms.end_notice(&platform, notice, None).await?;
            return Ok(());
        }
        let due = app.now().plus_seconds(backoff_seconds(attempts));
        app.ports.alarms.postpone_notice(&platform, notice, due).await?;
        if attempts >= ATTEMPTS_UNTIL_ALARM {
            self.raise(Alarm::new(AlarmCode::DeliveryFailed, subject)).await;
        }
        Ok(())
    }

    /// Reminders go on until somebody acknowledges.
    fn next(&self, told: &NoticeRow) -> Option<NoticeRow> {
        let due = self.app.now().plus_seconds(self.app.settings.alarm_remind_seconds);
        let next = NoticeRow { number: told.number + 1, due, attempts: 0, ..told.clone() };
        (told.kind == NoticeKind::Reminder).then_some(next)
    }

    async fn tell_unwritten(&self, key: &Key, seen: &Seen) {
        self.app.board.tell_again_at(key, self.app.now().plus_seconds(DIRECT_SECONDS));
        let row = row_of(key, seen.id, seen.first_at, seen.pending, seen.figures.clone());
        let id = format!("{}.{}.1", seen.id, NoticeKind::Raised.name());
        let notice = self.notice(id, NoticeKind::Raised, row).await;
        let rest = self.channels_for(&notice.alarm).filter(|one| !seen.told.contains(&one.name));
        let tell = async |channel: &Channel| match self.ask(&channel.name, &notice).await {
            Ok(_) => self.app.board.told(key, &channel.name),
            Err(cause) => {
                warn!(notice.id = notice.id, channel = channel.name, %cause, "a channel was not told");
            }
        };
        join_all(rest.map(tell)).await;
    }

    async fn ask(&self, channel: &str, notice: &Notice) -> Result<String, NotifyError> {
        let told = self.app.ports.notifier.tell(channel, notice);
        let late = || NotifyError::Failed(format!("no answer within {} s", ANSWER.as_secs()));
        tokio::time::timeout(ANSWER, told).await.map_err(|_| late())?
    }

    async fn notice(&self, id: String, kind: NoticeKind, alarm: AlarmRow) -> Notice {
        let organization_slug = match alarm.subject.organization {
            None => None,
            // Its id is told in any case.
            Some(id) => {
                let found = self.app.ports.directory.organization(&self.app.platform(), id).await;
                found.ok().flatten().map(|row| row.slug)
            }
        };
        Notice { id, kind, at: self.app.now(), alarm, organization_slug }
    }
}

/// 5 s, doubling.
fn backoff_seconds(attempts: i64) -> i64 {
    let doubled = 5i64 << attempts.clamp(1, 10).saturating_sub(1);
    doubled.min(BACKOFF_SECONDS_MAX)
}

/// An alarm that the ledger does not know.
pub(super) fn row_of(
    (code, subject): &Key,
    id: AlarmId,
    at: precordia_model::Timestamp,
    count: i64,
    figures: AlarmFigures,
) -> AlarmRow {
    AlarmRow {
        id,
        code: code.name().to_owned(),
        subject: subject.clone(),
        severity: code.severity(),
        raised_at: at,
        last_seen_at: at,
        count,
        figures,
        acknowledged: None,
        cleared_at: None,
        version: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_that_fails_is_tried_less_and_less_often() {
        let pauses: Vec<i64> = [1, 2, 3, 8, 9, 100].map(backoff_seconds).into();
        assert_eq!(pauses, [5, 10, 20, 640, 900, 900]);
    }
}
