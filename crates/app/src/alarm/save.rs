//! From the board into the platform's ledger, with the notices that follow.

use precordia_model::{AlarmCode, AlarmId, AlarmSubject, Timestamp};
use precordia_rules::event::{AlarmCleared, AlarmRaised, AlarmRepeated, Event};
use tracing::{info, warn};

use super::Alarms;
use super::board::{Key, Seen};
use crate::app::AppError;
use crate::ledger::Draft;
use crate::port::{AlarmRow, Append, Channel, NoticeKind, NoticeRow, Realm, ViewChange};
use crate::view::alarm::standing_effect;

/// How often another process may come between before it is left for later.
const TRIES: usize = 4;

impl Alarms<'_> {
    /// Writes what is due on the board.
    pub(super) async fn save(&self) {
        for realm in self.app.board.works() {
            for code in [AlarmCode::StorageFailed, AlarmCode::StorageFull] {
                self.clear(code, AlarmSubject::of(realm.0, "ledger")).await;
            }
        }
        for (key, _) in self.app.board.all() {
            self.save_one(&key).await;
        }
    }

    /// What fails stays on the board and is tried again.
    pub(super) async fn save_one(&self, key: &Key) {
        let _writing = self.app.board.writing.lock().await;
        for _ in 0..TRIES {
            let Some(seen) = self.app.board.get(key) else { return };
            if !seen.is_due(self.app.now()) {
                return;
            }
            if let Err(cause) = self.write(key, &seen).await {
                if self.app.board.stuck(key) {
                    warn!(alarm.code = %key.0, alarm.subject = %key.1, error = %cause,
                        "an alarm could not be written and stands in memory");
                }
                return;
            }
        }
    }

    /// One step towards what the board says; another process that was first is met at the next.
    async fn write(&self, key: &Key, seen: &Seen) -> Result<(), AppError> {
        let app = self.app;
        let platform = app.platform();
        let realm = Realm::from(&platform);
        let standing = app.ports.alarms.standing_alarm(&platform, key.0, &key.1).await?;
        if standing.is_none() && (seen.pending == 0 || (seen.ended && seen.written_at.is_some())) {
            app.board.over(key, seen, || app.new_id());
            return Ok(());
        }
        let keys = app.keyring.realm(realm).await?;
        let mut draft = Draft::new(app, realm);
        let ends = standing.is_some() && seen.ended;
        let id = match (&standing, seen.written_at) {
            (Some(row), _) => row.id,
            (None, None) => seen.id,
            // Another process cleared it, and it is met again.
            (None, Some(_)) => AlarmId(app.new_id()),
        };
        let event = match &standing {
            None => raised(key, seen),
            Some(_) if ends => {
                let (more, last_seen_at) = (seen.pending, seen.last_at);
                Event::AlarmCleared(AlarmCleared { more, last_seen_at })
            }
            Some(_) => Event::AlarmRepeated(AlarmRepeated {
                more: seen.pending,
                last_seen_at: seen.last_at,
                figures: seen.figures.clone(),
            }),
        };
        let row = draft.alarm(&keys.organization, id, standing.clone(), &event)?;
        if standing.is_none() {
            draft.batch.effects.push(standing_effect(&row));
            let channels = self.channels_for(&row);
            draft.batch.views.extend(self.notices_of_raised(&row, seen, channels, draft.at()));
        } else if ends {
            draft.batch.forget_effects.push(standing_effect(&row).key);
            draft.view(ViewChange::EndReminders(id));
            let at = draft.at();
            let cleared = |channel: &Channel| notice(&row, channel, NoticeKind::Cleared, at);
            let notices: Vec<_> = self.channels_for(&row).map(cleared).collect();
            draft.batch.views.extend(notices);
        }
        match draft.append(realm).await? {
            Append::Done { .. } if ends => {
                app.board.over(key, seen, || app.new_id());
                info!(alarm.id = %id, alarm.code = %key.0, alarm.subject = %key.1, "alarm cleared");
            }
            Append::Done { .. } => app.board.written(key, seen, id, app.now()),
            Append::Conflict { .. } | Append::Duplicate { .. } => {}
            other => return Err(AppError::Conflict(format!("{other:?}"))),
        }
        Ok(())
    }

    /// Those who are to be told of an alarm: not the one that it is about.
    pub(super) fn channels_for(&self, row: &AlarmRow) -> impl Iterator<Item = &Channel> {
        let channels = self.app.ports.notifier.channels().iter();
        let severity = row.severity;
        let about = row.subject.component().strip_prefix("channel/").map(str::to_owned);
        channels.filter(move |channel| {
            channel.severity_min <= severity && about.as_deref() != Some(channel.name.as_str())
        })
    }

    fn notices_of_raised<'c>(
        &self,
        row: &AlarmRow,
        seen: &Seen,
        channels: impl Iterator<Item = &'c Channel>,
        at: Timestamp,
    ) -> Vec<ViewChange> {
        let remind_seconds = self.app.settings.alarm_remind_seconds;
        let mut notices = Vec::new();
        for channel in channels {
            if !seen.told.contains(&channel.name) {
                notices.push(notice(row, channel, NoticeKind::Raised, at));
            }
            if remind_seconds > 0 {
                let due = at.plus_seconds(remind_seconds);
                notices.push(notice(row, channel, NoticeKind::Reminder, due));
            }
        }
        notices
    }
}

fn raised((code, subject): &Key, seen: &Seen) -> Event {
    Event::AlarmRaised(AlarmRaised {
        code: code.name().to_owned(),
        subject: subject.clone(),
        severity: code.severity(),
        count: seen.pending,
        since: seen.first_at,
        figures: seen.figures.clone(),
    })
}

fn notice(row: &AlarmRow, channel: &Channel, kind: NoticeKind, due: Timestamp) -> ViewChange {
    ViewChange::Notice(NoticeRow {
        alarm: row.id,
        channel: channel.name.clone(),
        kind,
        number: 1,
        due,
        attempts: 0,
    })
}
