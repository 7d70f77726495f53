//! Alarms of operation and what is still to be told of them.

use std::collections::BTreeMap;

use precordia_app::port::{
    AlarmFilter, AlarmRow, AlarmStore, Batch, EventLog, NoticeKind, NoticeRow, ViewChange,
};
use precordia_model::{AlarmCode, AlarmId, AlarmSeverity, AlarmSubject, OrganizationId, Timestamp};

use crate::engines::{Opened, platform};
use crate::samples::{done, event, new_stream, uuid};

fn alarm(subject: AlarmSubject, raised_at: i64) -> AlarmRow {
    AlarmRow {
        id: AlarmId(uuid()),
        code: AlarmCode::WorkGivenUp.name().to_owned(),
        subject,
        severity: AlarmSeverity::Warning,
        raised_at: Timestamp(raised_at),
        last_seen_at: Timestamp(raised_at + 5),
        count: 3,
        figures: BTreeMap::from([(String::from("pieces"), 7)]),
        acknowledged: None,
        cleared_at: None,
        version: 1,
    }
}

async fn put(opened: &Opened, views: Vec<ViewChange>) {
    let batch = Batch { events: vec![event(&new_stream(), 1)], views, ..Batch::default() };
    done(opened.store.append((&platform()).into(), batch).await);
}

pub async fn alarms_are_found_by_what_they_are_about_and_listed_by_time(opened: &Opened) {
    let (store, scope) = (&opened.store, platform());
    let (one, other) = (OrganizationId(uuid()), OrganizationId(uuid()));
    let of_one = alarm(AlarmSubject::organization(one, "work"), 10);
    let of_other = alarm(AlarmSubject::organization(other, "work"), 20);
    let of_all = alarm(AlarmSubject::platform("work"), 20);
    let over = AlarmRow {
        acknowledged: Some((Timestamp(6), String::from("user/1"))),
        cleared_at: Some(Timestamp(7)),
        version: 3,
        ..alarm(AlarmSubject::platform("work"), 5)
    };
    let rows = [&of_one, &of_other, &of_all, &over];
    put(opened, rows.into_iter().cloned().map(ViewChange::Alarm).collect()).await;

    for row in rows {
        assert_eq!(store.alarm(&scope, row.id).await.unwrap().as_ref(), Some(row));
    }
    let standing = async |subject: &AlarmSubject| {
        let found = store.standing_alarm(&scope, AlarmCode::WorkGivenUp, subject).await.unwrap();
        found.map(|row| row.id)
    };
    assert_eq!(standing(&of_one.subject).await, Some(of_one.id));
    assert_eq!(standing(&of_all.subject).await, Some(of_all.id));
    assert_eq!(standing(&AlarmSubject::organization(one, "disk")).await, None);
    let subject = &of_one.subject;
    let wrong_code = store.standing_alarm(&scope, AlarmCode::WorkStuck, subject).await.unwrap();
    assert_eq!(wrong_code, None);

    let list = async |filter: AlarmFilter, limit: u32| -> Vec<AlarmId> {
        let rows = store.alarms(&scope, &filter, limit).await.unwrap();
        rows.into_iter().map(|row| row.id).collect()
    };
    let mut newest = [of_other.id, of_all.id];
    newest.sort_by(|a, b| b.cmp(a));
    let all = [newest[0], newest[1], of_one.id, over.id];
    assert_eq!(list(AlarmFilter::default(), 9).await, all);
    assert_eq!(list(AlarmFilter::default(), 2).await, all[..2]);
    let before = Some((Timestamp(20), newest[0]));
    assert_eq!(list(AlarmFilter { before, ..AlarmFilter::default() }, 9).await, all[1..]);
    let cleared = |cleared| AlarmFilter { cleared: Some(cleared), ..AlarmFilter::default() };
    assert_eq!(list(cleared(true), 9).await, [over.id]);
    assert_eq!(list(cleared(false), 9).await, all[..3]);
    let own = AlarmFilter { organization: Some(one), ..AlarmFilter::default() };
    assert_eq!(list(own, 9).await, [of_one.id]);

    let changed = AlarmRow { count: 9, cleared_at: Some(Timestamp(99)), version: 2, ..of_all };
    put(opened, vec![ViewChange::Alarm(changed.clone())]).await;
    assert_eq!(store.alarm(&scope, changed.id).await.unwrap(), Some(changed));
}

fn notice(alarm: AlarmId, channel: &str, kind: NoticeKind, due: i64) -> NoticeRow {
    let (channel, due) = (channel.to_owned(), Timestamp(due));
    NoticeRow { alarm, channel, kind, number: 1, due, attempts: 0 }
}

/// Names what was claimed, sorted.
async fn claim(opened: &Opened, now: i64, until: i64, limit: u32) -> Vec<NoticeRow> {
    let (now, until) = (Timestamp(now), Timestamp(until));
    let mut all = opened.store.claim_notices(&platform(), now, until, limit).await.unwrap();
    all.sort_by(|a, b| (&a.channel, a.kind).cmp(&(&b.channel, b.kind)));
    all
}

fn names(notices: &[NoticeRow]) -> Vec<String> {
    notices.iter().map(|one| format!("{} {}", one.channel, one.kind.name())).collect()
}

pub async fn notices_are_claimed_once_and_in_order(opened: &Opened) {
    let scope = platform();
    let id = AlarmId(uuid());
    let rows = [
        notice(id, "a", NoticeKind::Raised, 10),
        notice(id, "a", NoticeKind::Reminder, 30),
        notice(id, "a", NoticeKind::Cleared, 10),
        notice(id, "b", NoticeKind::Reminder, 30),
        notice(id, "b", NoticeKind::Cleared, 10),
    ];
    put(opened, rows.map(ViewChange::Notice).into()).await;
    assert_eq!(claim(opened, 9, 99, 9).await, []);
    let first = claim(opened, 10, 20, 9).await;
    assert_eq!(names(&first), ["a raised", "b cleared"], "a hears of the end after the beginning");
    assert!(first.iter().all(|one| one.attempts == 1 && one.due == Timestamp(20)), "{first:?}");
    assert_eq!(claim(opened, 19, 99, 9).await, [], "somebody is at it");
    opened.store.postpone_notice(&scope, &first[0], Timestamp(15)).await.unwrap();
    opened.store.end_notice(&scope, &first[1], None).await.unwrap();
    let again = claim(opened, 15, 25, 9).await;
    assert_eq!(names(&again), ["a raised"]);
    assert_eq!(again[0].attempts, 2);
    assert_eq!(again[0].id(), first[0].id(), "a receiver can tell that it is the same");
    opened.store.end_notice(&scope, &again[0], None).await.unwrap();
    let rest = claim(opened, 30, 40, 2).await;
    assert_eq!(rest.len(), 2, "no more than was asked for");
    let mut rest = [rest, claim(opened, 30, 40, 9).await].concat();
    rest.sort_by(|a, b| (&a.channel, a.kind).cmp(&(&b.channel, b.kind)));
    assert_eq!(names(&rest), ["a reminder", "a cleared", "b reminder"]);

    let next = NoticeRow { number: 2, due: Timestamp(50), attempts: 0, ..rest[0].clone() };
    opened.store.end_notice(&scope, &rest[0], Some(&next)).await.unwrap();
    put(opened, vec![ViewChange::EndReminders(AlarmId(uuid()))]).await;
    let reminded = claim(opened, 50, 60, 9).await;
    assert_eq!(names(&reminded), ["a reminder", "a cleared", "b reminder"]);
    assert_eq!((reminded[0].number, reminded[0].attempts), (2, 1));
    put(opened, vec![ViewChange::EndReminders(id)]).await;
    assert_eq!(names(&claim(opened, 70, 80, 9).await), ["a cleared"]);
}

pub async fn a_notice_that_was_claimed_again_is_not_settled_by_the_first(opened: &Opened) {
    let scope = platform();
    let id = AlarmId(uuid());
    put(opened, vec![ViewChange::Notice(notice(id, "a", NoticeKind::Raised, 10))]).await;
    let first = claim(opened, 10, 20, 1).await.remove(0);
    let other = opened.again().await;
    let mut second = other.claim_notices(&scope, Timestamp(20), Timestamp(30), 1).await.unwrap();
    let second = second.remove(0);
    opened.store.end_notice(&scope, &first, None).await.unwrap();
    opened.store.postpone_notice(&scope, &first, Timestamp(0)).await.unwrap();
    assert_eq!(claim(opened, 29, 99, 9).await, []);
    other.end_notice(&scope, &second, None).await.unwrap();
    assert_eq!(claim(opened, 99, 100, 9).await, []);

    // Many who claim at once share what there is.
    let rows = (0..20).map(|_| notice(AlarmId(uuid()), "a", NoticeKind::Raised, 10));
    put(opened, rows.map(ViewChange::Notice).collect()).await;
    let claims = (0..8).map(|n| {
        let store = if n % 2 == 0 { opened.store.clone() } else { other.clone() };
        tokio::spawn(async move {
            store.claim_notices(&platform(), Timestamp(10), Timestamp(500), 5).await.unwrap()
        })
    });
    let mut claimed = Vec::new();
    for task in claims.collect::<Vec<_>>() {
        claimed.extend(task.await.unwrap().into_iter().map(|one| one.alarm));
    }
    claimed.extend(claim(opened, 10, 500, 20).await.into_iter().map(|one| one.alarm));
    let count = claimed.len();
    claimed.sort_unstable();
    claimed.dedup();
    assert_eq!((count, claimed.len()), (20, 20));
}
