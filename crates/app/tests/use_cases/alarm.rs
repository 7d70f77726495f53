//! Alarms of operation: one for a condition that lasts, written and told whatever fails in between.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use precordia_app::port::{
    AlarmFilter, AlarmRow, AlarmState, Channel, Notice, Notifier, NotifyError, Ports, Stream,
    WorkCounts, WorkEnd,
};
use precordia_app::{Alarm, App, AppError, Settings};
use precordia_model::{AlarmCode, AlarmSeverity, AlarmSubject};

use crate::failing::failing;
use crate::house::{House, MovedClock, file, house, ports_on};

/// Channels that hear, unless they are deaf.
#[derive(Default)]
struct Ears {
    channels: Vec<Channel>,
    deaf: Mutex<BTreeSet<String>>,
    heard: Mutex<Vec<(String, Notice)>>,
    /// Hears, and never answers.
    silent: AtomicBool,
}

impl Ears {
    fn new(channels: &[(&str, AlarmSeverity)]) -> Arc<Self> {
        let channel = |(name, severity_min): &(&str, AlarmSeverity)| Channel {
            name: (*name).to_owned(),
            kind: "webhook",
            severity_min: *severity_min,
        };
        Arc::new(Self { channels: channels.iter().map(channel).collect(), ..Self::default() })
    }

    /// What was heard since the last call: the channel, the kind, the code and the alarm's state.
    fn heard(&self) -> Vec<String> {
        let heard = std::mem::take(&mut *self.heard.lock().unwrap());
        let line = |(channel, notice): (String, Notice)| {
            let (kind, row) = (notice.kind.name(), notice.alarm);
            format!("{channel} {kind} {} {}", row.code, row.state().name())
        };
        heard.into_iter().map(line).collect()
    }

    fn ids(&self) -> Vec<String> {
        let heard = std::mem::take(&mut *self.heard.lock().unwrap());
        heard.into_iter().map(|(_, notice)| notice.id).collect()
    }

    fn deafen(&self, channel: &str) {
        self.deaf.lock().unwrap().insert(channel.to_owned());
    }
}

#[async_trait]
impl Notifier for Ears {
    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    async fn tell(&self, channel: &str, notice: &Notice) -> Result<String, NotifyError> {
        if self.deaf.lock().unwrap().contains(channel) {
            return Err(NotifyError::Failed(String::from("deaf")));
        }
        self.heard.lock().unwrap().push((channel.to_owned(), notice.clone()));
        if self.silent.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        Ok(String::from("heard"))
    }
}

fn with_ears(ports: &Ports, ears: &Arc<Ears>) -> App {
    App::new(Ports { notifier: ears.clone(), ..ports.clone() }, Settings::default())
}

fn disk() -> AlarmSubject {
    AlarmSubject::platform("disk")
}

fn disk_low(free: i64) -> Alarm {
    Alarm::new(AlarmCode::DiskLow, disk()).figure("free_bytes", free)
}

async fn rows(app: &App) -> Vec<AlarmRow> {
    let all = AlarmFilter::default();
    app.alarms().list(&app.local_operator(), &all, 100).await.unwrap().rows
}

async fn only(app: &App) -> AlarmRow {
    let mut rows = rows(app).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.remove(0)
}

async fn events(house: &House, row: &AlarmRow) -> Vec<String> {
    let (stream, platform) = (Stream::new("alarm", row.id), house.app.local_operator());
    let events = house.ports.log.stream((&platform).into(), &stream).await.unwrap();
    events.into_iter().map(|event| event.kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_that_lasts_is_one_alarm_and_not_a_flood() {
    let house = house().await;
    let alarms = house.app.alarms();
    for free in [30, 20, 10] {
        alarms.raise(disk_low(free)).await;
    }
    let first = only(&house.app).await;
    assert_eq!(
        (first.count, first.figures["free_bytes"], first.state()),
        (3, 10, AlarmState::Open)
    );
    assert_eq!(events(&house, &first).await, ["alarm.raised"]);
    house.clock.advance(11 * 60);
    alarms.raise(disk_low(5)).await;
    assert_eq!(only(&house.app).await.count, 4);
    assert_eq!(events(&house, &first).await, ["alarm.raised", "alarm.repeated"]);
    // Another process, which sees no board but the ledger.
    let other = house.another_process().await;
    other.alarms().raise(disk_low(4)).await;
    assert_eq!(only(&other).await.count, 5);
    other.alarms().clear(AlarmCode::DiskLow, disk()).await;
    other.alarms().clear(AlarmCode::DiskLow, disk()).await;
    let cleared = only(&other).await;
    assert_eq!((cleared.id, cleared.state()), (first.id, AlarmState::Cleared));
    assert!(cleared.last_seen_at <= cleared.cleared_at.unwrap());
    // The first process meets it once more: a new alarm.
    house.clock.advance(11 * 60);
    alarms.raise(disk_low(3)).await;
    let both = rows(&house.app).await;
    assert_eq!((both.len(), both[0].state(), both[0].count), (2, AlarmState::Open, 1));
    alarms.clear(AlarmCode::DiskLow, disk()).await;
    house.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_raise_it_at_once_there_is_one() {
    let house = house().await;
    let other = house.another_process().await;
    let (ours, theirs) = (house.app.clone(), other.clone());
    let raise = async |app: App| {
        for _ in 0..8 {
            app.alarms().raise(disk_low(1)).await;
        }
    };
    tokio::join!(raise(ours.clone()), raise(ours), raise(theirs.clone()), raise(theirs));
    assert_eq!(only(&house.app).await.state(), AlarmState::Open);
    // What each counted for itself is written with what it meets later.
    house.clock.advance(11 * 60);
    house.app.alarms().raise(disk_low(1)).await;
    other.alarms().raise(disk_low(1)).await;
    assert_eq!(only(&other).await.count, 34, "whoever met it, it is counted once");
    house.app.alarms().clear(AlarmCode::DiskLow, disk()).await;
    assert_eq!(only(&other).await.state(), AlarmState::Cleared);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_knows_of_it() {
    let house = house().await;
    let alarms = house.app.alarms();
    let operator = house.app.local_operator();
    alarms.raise(disk_low(1)).await;
    let id = only(&house.app).await.id;
    let row = alarms.acknowledge(&operator, id).await.unwrap();
    assert_eq!(row.acknowledged.as_ref().unwrap().1, "platform/local");
    assert_eq!(alarms.acknowledge(&operator, id).await.unwrap(), row, "once is enough");
    alarms.raise(disk_low(1)).await;
    assert_eq!(only(&house.app).await.state(), AlarmState::Acknowledged);
    alarms.clear(AlarmCode::DiskLow, disk()).await;
    let over = alarms.acknowledge(&operator, id).await.unwrap_err();
    assert!(matches!(over, AppError::Refused { code: "alarm_cleared", .. }), "{over:?}");
    let none = precordia_model::AlarmId(house.app.new_id());
    let none = alarms.acknowledge(&operator, none).await.unwrap_err();
    assert!(matches!(none, AppError::NotFound(_)), "{none:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_hear_of_the_beginning_the_end_and_in_between_until_somebody_knows() {
    let house = house().await;
    let ears = Ears::new(&[("ops", AlarmSeverity::Warning), ("night", AlarmSeverity::Critical)]);
    let app = with_ears(&house.ports, &ears);
    let alarms = app.alarms();
    alarms.raise(disk_low(9)).await;
    let failed = Alarm::new(AlarmCode::BackupFailed, AlarmSubject::platform("backup"));
    alarms.raise(failed).await;
    alarms.attend().await;
    let mut heard = ears.heard();
    heard.sort();
    let expected = [
        "night raised backup.failed open",
        "ops raised backup.failed open",
        "ops raised disk.low open",
    ];
    assert_eq!(heard, expected, "what is a warning does not wake anybody");
    alarms.raise(disk_low(8)).await;
    alarms.attend().await;
    assert_eq!(ears.heard(), Vec::<String>::new(), "it goes on and is told once");
    alarms.clear(AlarmCode::BackupFailed, AlarmSubject::platform("backup")).await;
    alarms.attend().await;
    let mut heard = ears.heard();
    heard.sort();
    let expected = ["night cleared backup.failed cleared", "ops cleared backup.failed cleared"];
    assert_eq!(heard, expected);
    for number in 1..=2 {
        house.clock.advance(4 * 60 * 60 + 1);
        alarms.attend().await;
        let ids = ears.ids();
        assert_eq!(ids.len(), 1, "nobody is reminded of what is over: {ids:?}");
        assert!(ids[0].ends_with(&format!(".reminder.{number}")), "{ids:?}");
    }
    let standing = AlarmFilter { cleared: Some(false), ..AlarmFilter::default() };
    let row = alarms.list(&app.local_operator(), &standing, 9).await.unwrap().rows.remove(0);
    alarms.acknowledge(&app.local_operator(), row.id).await.unwrap();
    house.clock.advance(24 * 60 * 60);
    alarms.attend().await;
    assert_eq!(ears.heard(), Vec::<String>::new());
    alarms.clear(AlarmCode::DiskLow, disk()).await;
    alarms.attend().await;
    assert_eq!(ears.heard(), ["ops cleared disk.low cleared"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_fails_is_told_in_order_later_and_the_others_hear_of_it() {
    let house = house().await;
    let ears = Ears::new(&[("ops", AlarmSeverity::Info), ("mail", AlarmSeverity::Info)]);
    let app = with_ears(&house.ports, &ears);
    ears.deafen("ops");
    app.alarms().raise(disk_low(9)).await;
    app.alarms().clear(AlarmCode::DiskLow, disk()).await;
    for _ in 0..4 {
        app.alarms().attend().await;
        house.clock.advance(60);
    }
    // Channels do not wait for each other; each hears in order.
    let by_channel = |mut heard: Vec<String>| {
        heard.sort_by_key(|line| line.split(' ').next().map(str::to_owned));
        heard
    };
    let heard = by_channel(ears.heard());
    let expected = [
        "mail raised disk.low cleared",
        "mail cleared disk.low cleared",
        "mail raised delivery.failed open",
    ];
    assert_eq!(heard, expected, "ops hears nothing, and nothing of itself");
    ears.deaf.lock().unwrap().clear();
    house.clock.advance(60 * 60);
    app.alarms().attend().await;
    let expected = [
        "mail cleared delivery.failed cleared",
        "ops raised disk.low cleared",
        "ops cleared disk.low cleared",
    ];
    assert_eq!(by_channel(ears.heard()), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_dies_after_telling_tells_again_under_the_same_id() {
    let house = house().await;
    let ears = Ears::new(&[("ops", AlarmSeverity::Info)]);
    let app = with_ears(&house.ports, &ears);
    app.alarms().raise(disk_low(9)).await;
    ears.silent.store(true, Ordering::SeqCst);
    // The channel has it; the process never learns so.
    let attending = tokio::spawn({
        let app = app.clone();
        async move { app.alarms().attend().await }
    });
    while ears.heard.lock().unwrap().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    attending.abort();
    let first = ears.ids();
    ears.silent.store(false, Ordering::SeqCst);
    let next = with_ears(&house.ports, &ears);
    next.alarms().attend().await;
    assert_eq!(ears.ids(), Vec::<String>::new(), "the claim may still be at work");
    house.clock.advance(121);
    next.alarms().attend().await;
    assert_eq!(ears.ids(), first);
    house.clock.advance(121);
    next.alarms().attend().await;
    assert_eq!(ears.ids(), Vec::<String>::new(), "it was heard and is told no more");
}

/// The house's storage, which takes nothing while `broken`.
fn breakable(house: &House, ears: &Arc<Ears>) -> (App, Arc<AtomicBool>) {
    let broken = Arc::new(AtomicBool::new(false));
    let told = broken.clone();
    let breaks = move |step: &str| step == "log.append" && told.load(Ordering::SeqCst);
    (with_ears(&failing(&house.ports, breaks), ears), broken)
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_storage_fails_people_are_told_and_the_ledger_learns_it_later() {
    let house = house().await;
    let ears = Ears::new(&[("ops", AlarmSeverity::Info)]);
    let (app, broken) = breakable(&house, &ears);
    broken.store(true, Ordering::SeqCst);
    app.alarms().raise(Alarm::new(AlarmCode::BackupFailed, AlarmSubject::platform("backup"))).await;
    app.alarms().attend().await;
    let count = async |app: &App, code: AlarmCode| {
        let gauges = app.alarms().gauges().await;
        gauges.into_iter().find(|(one, _)| *one == code).unwrap().1
    };
    assert_eq!(count(&app, AlarmCode::BackupFailed).await, 1);
    assert_eq!(count(&app, AlarmCode::StorageFailed).await, 1, "it says what it met itself");
    let mut heard = ears.heard();
    heard.sort();
    assert_eq!(heard, ["ops raised backup.failed open", "ops raised storage.failed open"]);
    assert_eq!(rows(&app).await, []);
    let seen = app.alarms().overview(&app.local_operator()).await;
    let mut codes: Vec<&str> = seen.standing.iter().map(|row| &*row.code).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["backup.failed", "storage.failed"], "an operator sees what is not written");
    assert!(seen.ledger_answers, "it can be read");
    app.alarms().attend().await;
    assert_eq!(ears.heard(), Vec::<String>::new(), "who heard it does not hear it again");

    broken.store(false, Ordering::SeqCst);
    app.alarms().attend().await;
    // What was written proves that the storage works.
    app.alarms().attend().await;
    let mut states: Vec<(String, AlarmState)> =
        rows(&app).await.into_iter().map(|row| (row.code.clone(), row.state())).collect();
    states.sort();
    let expected = [("backup.failed", AlarmState::Open), ("storage.failed", AlarmState::Cleared)];
    assert_eq!(states, expected.map(|(code, state)| (code.to_owned(), state)));
    assert_eq!(ears.heard(), ["ops cleared storage.failed cleared"]);
    assert_eq!(count(&app, AlarmCode::StorageFailed).await, 0);
    let seen = app.alarms().overview(&app.local_operator()).await;
    let codes = |rows: &[AlarmRow]| rows.iter().map(|row| row.code.clone()).collect::<Vec<_>>();
    assert_eq!(codes(&seen.standing), ["backup.failed"], "once, and from the ledger");
    assert_eq!(codes(&seen.cleared), ["storage.failed"]);
    house.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_sees_its_own_alarms_only() {
    let house = house().await;
    let (other, _) = crate::house::organization(&house.app, "hillside").await;
    let work = |organization| AlarmSubject::organization(organization, "work");
    let alarms = house.app.alarms();
    alarms.raise(Alarm::new(AlarmCode::WorkGivenUp, work(house.admin.organization()))).await;
    alarms.raise(Alarm::new(AlarmCode::WorkGivenUp, work(other.organization()))).await;
    alarms.raise(disk_low(1)).await;
    assert_eq!(rows(&house.app).await.len(), 3);
    // Asking for another's is answered with one's own.
    let organization = Some(house.admin.organization());
    let filter = AlarmFilter { organization, ..AlarmFilter::default() };
    let seen = alarms.list_own(&other, &filter, 9).await.unwrap().rows;
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].subject, work(other.organization()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_without_keys_of_the_platform_keeps_an_alarm_until_there_are_some() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("witness")).unwrap();
    let options = precordia_store::SqliteOptions::new(dir.path().join("data"));
    let store = precordia_store::open_sqlite(options).await.unwrap();
    let ports = ports_on(&dir, &store, &Arc::new(MovedClock::default()), "master.key");
    let app = App::new(ports, Settings::default());
    app.alarms().raise(disk_low(1)).await;
    assert_eq!(rows(&app).await, []);
    app.ensure_platform(&app.local_operator()).await.unwrap();
    app.alarms().attend().await;
    assert_eq!(only(&app).await.count, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_somebody_changed_are_found_and_put_right() {
    let house = house().await;
    let alarms = house.app.alarms();
    alarms.raise(disk_low(1)).await;
    alarms.raise(Alarm::new(AlarmCode::BackupLate, AlarmSubject::platform("backup"))).await;
    alarms.clear(AlarmCode::BackupLate, AlarmSubject::platform("backup")).await;
    let before = rows(&house.app).await;
    let operator = house.app.local_operator();
    let compared = house.app.compare_platform(&operator).await.unwrap();
    assert!(compared.is_equal() && compared.compared >= 2, "{compared:?}");
    let control = rusqlite::Connection::open(house.dir.path().join("data/control.db")).unwrap();
    let harm = "UPDATE alarm SET count = 99 WHERE code = 'backup.late'; \
                DELETE FROM alarm WHERE code = 'disk.low'; \
                DELETE FROM effect WHERE effect_key LIKE 'alarm/%'; \
                INSERT INTO alarm SELECT '0192f0aa-0000-7000-8000-000000000001', code, organization, \
                  component, severity, raised_at, last_seen_at, count, figures, acknowledged_at, \
                  acknowledged_by, cleared_at, version FROM alarm;";
    control.execute_batch(harm).unwrap();
    let compared = house.app.compare_platform(&operator).await.unwrap();
    let mut what: Vec<&str> = compared.differences.iter().map(|one| one.what.as_str()).collect();
    what.sort_unstable();
    assert_eq!(what, ["missing", "row", "unexplained"]);
    assert_eq!(house.app.rebuild_platform(&operator).await.unwrap().put_right, 3);
    assert_eq!(rows(&house.app).await, before);
    // What stands is known to stand again.
    house.another_process().await.alarms().raise(disk_low(1)).await;
    assert_eq!(rows(&house.app).await.len(), before.len());
    house.check().await;
}

/// What stands, with its figures.
async fn standing(app: &App) -> Vec<String> {
    app.work_gauges().await.unwrap();
    app.watch_queues().await.unwrap();
    let mut all: Vec<String> = rows(app)
        .await
        .into_iter()
        .filter(|row| row.cleared_at.is_none())
        .map(|row| format!("{} {:?}", row.code, row.figures.keys()))
        .collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_nobody_takes_or_that_was_given_up_raises_its_alarm() {
    let house = house().await;
    let organization = house.all.organization();
    house.send(&file("A-1", "Noether", 1)).await;
    assert_eq!(standing(&house.app).await, [""; 0]);
    house.clock.advance(301);
    assert_eq!(standing(&house.app).await, ["work.stuck [\"seconds\"]"]);
    let now = house.app.now();
    let until = now.plus_seconds(60);
    let held = house.ports.work.claim(&house.all, &["ingest"], "w", now, until, 1).await.unwrap();
    let dead = WorkEnd::Dead { reason: String::from("the reader was not there") };
    assert!(house.ports.work.end(&house.all, &held[0].lease, dead).await.unwrap());
    while house.app.work_on(organization, "w").await.is_ok() {
        let counts = house.ports.work_views.counts(&house.all).await.unwrap();
        if WorkCounts::of(&counts, &precordia_app::WORK_KINDS).ready == 0 {
            break;
        }
    }
    let all = house.signed_in_again().await;
    assert_eq!(standing(&house.app).await, ["work.given-up [\"pieces\"]"]);
    house.app.retry_work(&all, held[0].lease.work).await.unwrap();
    house.app.work_on(organization, "w").await.unwrap();
    assert_eq!(standing(&house.app).await, [""; 0]);
    let told = house.on_disk("Noether");
    assert_eq!(told, Vec::<String>::new());
}

#[test]
fn the_page_of_alarms_lists_every_code_as_it_is() {
    let page = include_str!("../../../../docs/alarms.md");
    for code in AlarmCode::ALL {
        let (severity, meaning, to_do) = (code.severity().name(), code.meaning(), code.to_do());
        let row = format!("| `{code}` | {severity} | {meaning} | {to_do} |");
        assert!(page.contains(&row), "docs/alarms.md lacks the row\n{row}");
    }
}
