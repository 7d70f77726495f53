//! What an operator sees of alarms while the ledger cannot be asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use async_trait::async_trait;
use precordia_app::access::PlatformScope;
use precordia_app::port::{AlarmFilter, AlarmRow, AlarmStore, NoticeRow, Ports, StoreError};
use precordia_app::{Alarm, AlarmOverview, App, Settings};
use precordia_model::{AlarmCode, AlarmId, AlarmSubject, Timestamp};

use crate::house::house;

const ANSWERS: u8 = 0;
const FAILS: u8 = 1;
const IS_SILENT: u8 = 2;

/// The house's own, of which nobody knows whether it answers when it is asked for a list.
struct Moody {
    store: Arc<dyn AlarmStore>,
    mood: AtomicU8,
}

#[async_trait]
impl AlarmStore for Moody {
    async fn alarms(
        &self,
        scope: &PlatformScope,
        filter: &AlarmFilter,
        limit: u32,
    ) -> Result<Vec<AlarmRow>, StoreError> {
        match self.mood.load(Ordering::SeqCst) {
            FAILS => Err(StoreError::Failed {
                context: "listing alarms",
                message: String::from("the disk is gone"),
            }),
            IS_SILENT => std::future::pending().await,
            _ => self.store.alarms(scope, filter, limit).await,
        }
    }

    async fn alarm(
        &self,
        scope: &PlatformScope,
        id: AlarmId,
    ) -> Result<Option<AlarmRow>, StoreError> {
        self.store.alarm(scope, id).await
    }

    async fn standing_alarm(
        &self,
        scope: &PlatformScope,
        code: AlarmCode,
        subject: &AlarmSubject,
    ) -> Result<Option<AlarmRow>, StoreError> {
        self.store.standing_alarm(scope, code, subject).await
    }

    async fn claim_notices(
        &self,
        scope: &PlatformScope,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<NoticeRow>, StoreError> {
        self.store.claim_notices(scope, now, until, limit).await
    }

    async fn postpone_notice(
        &self,
        scope: &PlatformScope,
        notice: &NoticeRow,
        due: Timestamp,
    ) -> Result<(), StoreError> {
        self.store.postpone_notice(scope, notice, due).await
    }

    async fn end_notice(
        &self,
        scope: &PlatformScope,
        notice: &NoticeRow,
        next: Option<&NoticeRow>,
    ) -> Result<(), StoreError> {
        self.store.end_notice(scope, notice, next).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_known_and_what_is_met_is_seen_while_the_ledger_cannot_be_asked() {
    let house = house().await;
    let moody = Arc::new(Moody { store: house.ports.alarms.clone(), mood: AtomicU8::new(ANSWERS) });
    let app = App::new(Ports { alarms: moody.clone(), ..house.ports.clone() }, Settings::default());
    let of = AlarmSubject::platform;
    let alarms = app.alarms();
    let seen = async || {
        let AlarmOverview { standing, ledger_answers, .. } =
            alarms.overview(&app.local_operator()).await;
        let codes: Vec<String> = standing.iter().map(|row| row.code.clone()).collect();
        (codes.join(" "), ledger_answers)
    };
    assert_eq!(seen().await, (String::new(), true));
    alarms.raise(Alarm::new(AlarmCode::DiskLow, of("disk"))).await;
    house.clock.advance(1);
    alarms.raise(Alarm::new(AlarmCode::BackupLate, of("backup"))).await;
    assert_eq!(seen().await, (String::from("backup.late disk.low"), true), "the newest first");

    // The gauges are what looks every few seconds.
    alarms.gauges().await;
    for mood in [FAILS, IS_SILENT] {
        moody.mood.store(mood, Ordering::SeqCst);
        alarms.note(Alarm::new(AlarmCode::StorageFailed, of("ledger")));
        let expected = "storage.failed backup.late disk.low";
        assert_eq!(seen().await, (expected.to_owned(), false), "the worst first, and each once");
    }
    moody.mood.store(ANSWERS, Ordering::SeqCst);
    alarms.attend().await;
    let (codes, answers) = seen().await;
    assert!(answers && codes.ends_with("backup.late disk.low"), "{codes}");
}
