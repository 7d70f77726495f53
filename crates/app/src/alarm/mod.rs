//! Alarms of operation: telling the people who run the program that something needs a hand.
//!
//! Whoever meets a condition raises its alarm, as often as it is met, and clears it when it is over; of a
//! code and subject there is one, which counts. It stands on a board in memory first, so that it can be
//! raised when the storage itself is what fails, and goes into the platform's ledger from there, with the
//! notices that channels are to be told. Clinical alerts are something else and have a circuit of their own.

mod board;
mod save;
mod see;
mod tell;

pub(crate) use board::Board;
pub use see::{AlarmOverview, AlarmPage};
pub use tell::ChannelAnswer;

use std::time::Duration;

use precordia_model::{AlarmCode, AlarmFigures, AlarmSubject};
use tracing::{error, warn};

use crate::app::App;
use crate::port::{RealmId, StoreError};
use crate::worker::Stop;

/// How often the board is looked at when nobody wakes it.
const TICK: Duration = Duration::from_secs(5);

/// What somebody met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    pub(crate) code: AlarmCode,
    pub(crate) subject: AlarmSubject,
    pub(crate) figures: AlarmFigures,
}

impl Alarm {
    pub fn new(code: AlarmCode, subject: AlarmSubject) -> Self {
        Self { code, subject, figures: AlarmFigures::new() }
    }

    /// How much of what; the name is one of the program's own.
    #[must_use]
    pub fn figure(mut self, name: &'static str, value: i64) -> Self {
        self.figures.insert(name.to_owned(), value);
        self
    }
}

impl App {
    pub fn alarms(&self) -> Alarms<'_> {
        Alarms { app: self }
    }

    /// Writes and tells alarms until told to stop, and writes once more then.
    pub async fn keep_alarms(&self, stop: &Stop) {
        let mut stopping = stop.listen();
        while !stopping.is_now() {
            self.alarms().attend().await;
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                () = self.board.changed() => {}
                () = stopping.wait() => {}
            }
        }
        self.alarms().save().await;
    }
}

/// The port through which the program says that something needs a hand.
#[derive(Clone, Copy)]
pub struct Alarms<'a> {
    app: &'a App,
}

impl Alarms<'_> {
    /// Says that something is wrong, or still is. Never fails: what cannot be written now stands on the
    /// board, is told over the channels, and is written later.
    pub async fn raise(&self, alarm: Alarm) {
        let key = (alarm.code, alarm.subject.clone());
        self.note(alarm);
        self.save_one(&key).await;
    }

    /// [`Alarms::raise`] without waiting for the ledger: for those who must not wait, or stand in its way.
    pub fn note(&self, alarm: Alarm) {
        let (code, subject) = (alarm.code, alarm.subject.clone());
        if self.app.board.put(alarm, self.app.now(), || self.app.new_id()) {
            error!(alarm.code = %code, alarm.subject = %subject, "{}", code.meaning());
        }
    }

    /// Says that it is not so any more. Cheap when there is no such alarm.
    pub async fn clear(&self, code: AlarmCode, subject: AlarmSubject) {
        let key = (code, subject);
        let app = self.app;
        if !app.board.end(&key) {
            match app.ports.alarms.standing_alarm(&app.platform(), key.0, &key.1).await {
                Ok(None) => return,
                Ok(Some(row)) => app.board.end_stored(&key, &row),
                Err(cause) => {
                    let (code, subject) = &key;
                    warn!(alarm.code = %code, alarm.subject = %subject, error = %cause,
                        "could not look whether an alarm stands");
                    return;
                }
            }
        }
        self.save_one(&key).await;
    }

    /// Writes what only the board knows, then tells what is due. What `serve` does all the time, a verb of
    /// the command line does at its end.
    pub async fn attend(&self) {
        self.save().await;
        self.tell().await;
    }

    /// What the storage answered to a commit.
    pub(crate) fn storage_answered(&self, realm: RealmId, failed: Option<&StoreError>) {
        let code = match failed {
            None => return self.app.board.wrote(realm),
            Some(StoreError::Full { .. }) => AlarmCode::StorageFull,
            Some(StoreError::Failed { .. } | StoreError::OutcomeUnknown { .. }) => {
                AlarmCode::StorageFailed
            }
            Some(_) => return,
        };
        self.app.board.failed(realm);
        self.note(Alarm::new(code, AlarmSubject::of(realm.0, "ledger")));
    }
}
