//! Items and recordings: pages, counts and filters.

use std::collections::BTreeMap;

use precordia_app::access::OrgScope;
use precordia_app::port::*;
use precordia_model::*;
use precordia_store::Store;

use crate::engines::Opened;
use crate::samples::*;

async fn put(store: &Store, scope: &OrgScope, views: Vec<ViewChange>) {
    done(store.append(scope.into(), carrying(Batch { views, ..Batch::default() })).await);
}

fn some_items(chance: &mut Chance) -> Vec<ItemRow> {
    let make = |n: i64| ItemRow {
        state: *chance.one_of(&ItemState::ALL),
        door: *chance.one_of(&Door::ALL),
        received_at: Timestamp(chance.below(9) as i64 - 4),
        recording: chance.once_in(3).then(|| RecordingId(uuid::Uuid::from_u128(7))),
        linked_to: chance.once_in(4).then(|| ItemId(uuid())),
        site: chance.once_in(2).then(|| SiteId(uuid())),
        blob: chance.once_in(2).then(|| BlobId(uuid())),
        reason: chance.once_in(2).then(|| "not-an-ecg".into()),
        position: 1 + n,
        ..item()
    };
    (0..40).map(make).collect()
}

pub async fn items_page_by_time_and_state(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    let items = some_items(&mut Chance(1));
    put(store, &scope, items.iter().cloned().map(ViewChange::Item).collect()).await;
    let mut newest_first = items.clone();
    newest_first.sort_by_key(|row| std::cmp::Reverse((row.received_at, row.id)));
    for state in [None].into_iter().chain(ItemState::ALL.map(Some)) {
        let expected: Vec<_> =
            newest_first.iter().filter(|row| state.is_none_or(|s| row.state == s)).collect();
        let mut paged = Vec::new();
        let mut before = None;
        loop {
            let page = store.items(&scope, state, before, 7).await.unwrap();
            assert!(page.len() <= 7);
            let Some(last) = page.last() else { break };
            before = Some((last.received_at, last.id));
            paged.extend(page);
        }
        assert_eq!(paged.iter().collect::<Vec<_>>(), expected, "{state:?}");
    }
    let id = RecordingId(uuid::Uuid::from_u128(7));
    let mut of_recording: Vec<_> =
        items.iter().filter(|row| row.recording == Some(id)).cloned().collect();
    of_recording.sort_by_key(|row| (row.received_at, row.id));
    assert_eq!(store.items_of_recording(&scope, id).await.unwrap(), of_recording);
    assert_eq!(store.item(&scope, ItemId(uuid())).await.unwrap(), None);
}

pub async fn items_are_counted_by_door_and_state(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    assert_eq!(store.item_counts(&scope).await.unwrap(), []);
    let items = some_items(&mut Chance(2));
    put(store, &scope, items.iter().cloned().map(ViewChange::Item).collect()).await;
    let mut expected = BTreeMap::new();
    for row in &items {
        *expected.entry((row.door.name(), row.state.name())).or_insert(0) += 1;
    }
    let counts = store.item_counts(&scope).await.unwrap();
    let counts: BTreeMap<_, _> =
        counts.iter().map(|c| ((c.door.name(), c.state.name()), c.count)).collect();
    assert_eq!(counts, expected);
}

const SEVERITIES: [Severity; 3] = [Severity::Info, Severity::Borderline, Severity::Alert];

/// Values that the rows and the filters share, few enough to meet often.
struct Pool {
    patients: Vec<PatientId>,
    sites: Vec<SiteId>,
    flags: Vec<FlagCode>,
}

fn some_recordings(chance: &mut Chance, pool: &Pool) -> Vec<RecordingRow> {
    let flags = |chance: &mut Chance| {
        let count = chance.below(4);
        (0..count).map(|_| (*chance.one_of(&pool.flags), *chance.one_of(&SEVERITIES))).collect()
    };
    let make = |n: i64| RecordingRow {
        status: *chance.one_of(&[RecordingStatus::Filed, RecordingStatus::Held]),
        patient: (!chance.once_in(4)).then(|| *chance.one_of(&pool.patients)),
        patient_before_merge: chance.once_in(5).then(|| *chance.one_of(&pool.patients)),
        site: (!chance.once_in(3)).then(|| *chance.one_of(&pool.sites)),
        received_at: Timestamp(chance.below(12) as i64),
        acquired_sort: (!chance.once_in(4)).then(|| Timestamp(chance.below(12) as i64)),
        flags: flags(chance),
        position: 1 + n,
        ..recording()
    };
    (0..60).map(make).collect()
}

fn some_filter(chance: &mut Chance, pool: &Pool, rows: &[RecordingRow]) -> RecordingFilter {
    let some = |chance: &mut Chance| chance.once_in(4);
    let time = |chance: &mut Chance| Timestamp(chance.below(12) as i64);
    RecordingFilter {
        patients: some(chance)
            .then(|| (0..chance.below(4)).map(|_| *chance.one_of(&pool.patients)).collect()),
        ids: some(chance).then(|| (0..chance.below(30)).map(|_| chance.one_of(rows).id).collect()),
        blob: chance.once_in(12).then(|| chance.one_of(rows).blob),
        acquired_from: some(chance).then(|| time(chance)),
        acquired_before: some(chance).then(|| time(chance)),
        site: some(chance).then(|| *chance.one_of(&pool.sites)),
        flag: some(chance).then(|| *chance.one_of(&pool.flags)),
        severity_min: some(chance).then(|| *chance.one_of(&SEVERITIES)),
        status: some(chance)
            .then(|| *chance.one_of(&[RecordingStatus::Filed, RecordingStatus::Held])),
        before: None,
    }
}

fn passes(filter: &RecordingFilter, row: &RecordingRow) -> bool {
    let flags = row.flags.iter().filter(|(code, severity)| {
        filter.flag.is_none_or(|wanted| wanted == *code)
            && filter.severity_min.is_none_or(|min| *severity >= min)
    });
    let flagged = flags.count() > 0 || (filter.flag.is_none() && filter.severity_min.is_none());
    flagged
        && filter.patients.as_ref().is_none_or(|all| row.patient.is_some_and(|p| all.contains(&p)))
        && filter.ids.as_ref().is_none_or(|all| all.contains(&row.id))
        && filter.blob.is_none_or(|blob| row.blob == blob)
        && filter.acquired_from.is_none_or(|from| row.acquired_sort.is_some_and(|at| at >= from))
        && filter.acquired_before.is_none_or(|end| row.acquired_sort.is_some_and(|at| at < end))
        && filter.site.is_none_or(|site| row.site == Some(site))
        && filter.status.is_none_or(|status| row.status == status)
}

fn counted(rows: &[&RecordingRow]) -> RecordingCounts {
    let highest = |row: &RecordingRow| row.flags.iter().map(|(_, severity)| *severity).max();
    let with = |severity| rows.iter().filter(|row| highest(row) == Some(severity)).count() as i64;
    RecordingCounts {
        total: rows.len() as i64,
        alert: with(Severity::Alert),
        borderline: with(Severity::Borderline),
        info: with(Severity::Info),
        held: rows.iter().filter(|row| row.status == RecordingStatus::Held).count() as i64,
    }
}

pub async fn recordings_answer_every_filter_as_a_naive_one_does(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    let mut chance = Chance(3);
    let pool = Pool {
        patients: (0..5).map(|_| PatientId(uuid())).collect(),
        sites: (0..3).map(|_| SiteId(uuid())).collect(),
        flags: FlagCode::ALL[..3].to_vec(),
    };
    let mut rows = some_recordings(&mut chance, &pool);
    put(store, &scope, rows.iter().cloned().map(ViewChange::Recording).collect()).await;
    rows.sort_by_key(|row| std::cmp::Reverse((row.received_at, row.id)));
    let mut answered = 0;
    for round in 0..200 {
        let mut filter = some_filter(&mut chance, &pool, &rows);
        let expected: Vec<_> = rows.iter().filter(|row| passes(&filter, row)).collect();
        answered += expected.len();
        let counts = store.recording_counts(&scope, &filter).await.unwrap();
        assert_eq!(counts, counted(&expected), "round {round}: {filter:?}");
        let limit = 1 + u32::try_from(chance.below(20)).unwrap();
        let mut paged = Vec::new();
        loop {
            let page = store.recordings(&scope, &filter, limit).await.unwrap();
            assert!(page.len() <= limit as usize);
            let Some(last) = page.last() else { break };
            filter.before = Some((last.received_at, last.id));
            paged.extend(page);
        }
        assert_eq!(paged.iter().collect::<Vec<_>>(), expected, "round {round}: {filter:?}");
        let counts = store.recording_counts(&scope, &filter).await.unwrap();
        assert_eq!(counts, counted(&expected), "the cursor is no part of a count");
    }
    assert!(answered > 500, "the filters found {answered} rows only");
}

pub async fn a_changed_row_replaces_the_old_one(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    let alert = RecordingFilter { severity_min: Some(Severity::Alert), ..Default::default() };
    let flag = RecordingFilter { flag: Some(FlagCode::LongQt), ..Default::default() };
    let row = RecordingRow {
        flags: vec![(FlagCode::LongQt, Severity::Alert), (FlagCode::AxisLeft, Severity::Info)],
        position: 1,
        ..recording()
    };
    put(store, &scope, vec![ViewChange::Recording(row.clone())]).await;
    assert_eq!(store.recordings(&scope, &alert, 9).await.unwrap(), std::slice::from_ref(&row));
    let changed = RecordingRow {
        flags: vec![(FlagCode::AxisLeft, Severity::Info)],
        patient: None,
        patient_before_merge: row.patient,
        site: Some(SiteId(uuid())),
        acquired_sort: Some(Timestamp(-3)),
        version: 2,
        sealed: vec![],
        ..row.clone()
    };
    put(store, &scope, vec![ViewChange::Recording(changed.clone())]).await;
    assert_eq!(store.recording(&scope, row.id).await.unwrap(), Some(changed));
    for filter in [&alert, &flag] {
        assert_eq!(store.recordings(&scope, filter, 9).await.unwrap(), []);
    }
    put(store, &scope, vec![ViewChange::RemoveRecording(row.id)]).await;
    assert_eq!(store.recording(&scope, row.id).await.unwrap(), None);
    let axis = RecordingFilter { flag: Some(FlagCode::AxisLeft), ..Default::default() };
    assert_eq!(store.recording_counts(&scope, &axis).await.unwrap(), RecordingCounts::default());

    let first = ItemRow { position: 1, ..item() };
    let second = ItemRow {
        state: ItemState::Filed,
        recording: Some(row.id),
        reason: Some("x".into()),
        version: 2,
        ..first.clone()
    };
    put(store, &scope, vec![ViewChange::Item(first), ViewChange::Item(second.clone())]).await;
    assert_eq!(store.items(&scope, None, None, 9).await.unwrap(), [second]);
}

pub async fn a_list_over_the_bound_is_refused(opened: &Opened) {
    let scope = opened.organization().await;
    for (length, accepted) in [(8192, true), (8193, false)] {
        let ids = (0..length).map(|n| RecordingId(uuid::Uuid::from_u128(n))).collect();
        let filter = RecordingFilter { ids: Some(ids), ..Default::default() };
        let answer = opened.store.recordings(&scope, &filter, 1).await;
        assert_eq!(answer.is_ok(), accepted, "{length}");
        assert!(accepted || matches!(answer, Err(StoreError::Full { .. })));
    }
}
