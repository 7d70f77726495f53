//! Reading the logs back.

use precordia_app::port::*;
use precordia_model::*;

use crate::engines::{Opened, scope};
use crate::samples::*;

pub async fn events_are_read_by_position_and_by_stream(opened: &Opened) {
    let scope = opened.organization().await;
    let (a, b) = (new_stream(), new_stream());
    let mut caused = event(&b, 1);
    caused.cause = Some(1);
    let batches = [vec![event(&a, 1)], vec![event(&a, 2), caused], vec![event(&a, 3)]];
    for events in batches {
        let batch = Batch { events, ..Batch::default() };
        done(opened.store.append((&scope).into(), batch).await);
    }
    let realm = (&scope).into();
    let positions = |events: Vec<StoredEvent>| -> Vec<Position> {
        events.iter().map(|event| event.position).collect()
    };
    for (after, limit, expected) in
        [(0, 10, &[1, 2, 3, 4][..]), (0, 2, &[1, 2]), (2, 10, &[3, 4]), (4, 10, &[]), (0, 0, &[])]
    {
        let read = opened.store.events(realm, after, limit).await.unwrap();
        assert_eq!(positions(read), expected, "{limit} after {after}");
    }
    assert_eq!(positions(opened.store.stream(realm, &a).await.unwrap()), [1, 2, 4]);
    let of_b = opened.store.stream(realm, &b).await.unwrap();
    assert_eq!((of_b[0].cause, of_b[0].version), (Some(1), 1));
    assert_eq!(opened.store.stream(realm, &new_stream()).await.unwrap(), []);
    assert_eq!(verify(&opened.store, realm).await, (4, 0));
}

pub async fn events_are_read_by_kind_and_time_as_a_scan_would_find_them(opened: &Opened) {
    let scope = opened.organization().await;
    let realm: Realm<'_> = (&scope).into();
    let kinds = ["item.received", "item.filed", "patient.merged"];
    // Times run against positions now and then, as those of two machines do.
    for n in 0..60_i64 {
        let mut event = event(&new_stream(), 1);
        event.kind = kinds[if n % 20 == 7 { 2 } else { (n % 2) as usize }].into();
        event.at = Timestamp(1000 + n - 5 * (n % 3));
        done(opened.store.append(realm, Batch { events: vec![event], ..Batch::default() }).await);
    }
    let all = opened.store.events(realm, 0, 100).await.unwrap();
    assert_eq!(all.len(), 60);
    let asked: [&[&str]; 6] = [
        &[],
        &["patient.merged"],
        &["item.filed", "patient.merged"],
        &["item.filed", "item.filed"],
        &["item.receive"],
        &kinds,
    ];
    let times = [(None, None), (Some(1020), None), (None, Some(1020)), (Some(1010), Some(1031))];
    let mut found = 0;
    for kinds in asked {
        for (from, before) in times {
            for (after, limit) in [(0, 100), (0, 7), (25, 7), (25, 0), (60, 7)] {
                let filter = EventFilter {
                    kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
                    from: from.map(Timestamp),
                    before: before.map(Timestamp),
                };
                let read = opened.store.events_where(realm, &filter, after, limit).await.unwrap();
                let expected = all.iter().filter(|event| {
                    event.position > after
                        && (kinds.is_empty() || kinds.contains(&event.kind.as_str()))
                        && from.is_none_or(|from| event.at.micros() >= from)
                        && before.is_none_or(|before| event.at.micros() < before)
                });
                let expected: Vec<_> = expected.take(limit as usize).cloned().collect();
                assert_eq!(read, expected, "{filter:?} after {after}, {limit}");
                found += read.len();
            }
        }
    }
    assert!(found > 500, "{found}");
}

pub async fn resource_versions_are_read_by_position_and_identity(opened: &Opened) {
    let scope = opened.organization().await;
    let store = &*opened.store;
    let mut removed = resource(0, "b", 2);
    removed.deleted = true;
    let batches = [
        vec![resource(1, "a", 1), resource(0, "b", 1), resource(1, "a", 2)],
        vec![],
        vec![removed, resource(0, "a", 3)],
    ];
    for resources in batches {
        let events = vec![event(&new_stream(), 1), event(&new_stream(), 1)];
        let batch = Batch { events, resources, ..Batch::default() };
        done(store.append((&scope).into(), batch).await);
    }
    let realm: Realm<'_> = (&scope).into();
    let name =
        |r: &StoredResource| (r.position, r.ordinal, format!("{}{}", r.id, r.version), r.deleted);
    let all = EventLog::resources(store, realm, 0, 100).await.unwrap();
    let expected = [
        (1, 0, "b1".into(), false),
        (2, 0, "a1".into(), false),
        (2, 1, "a2".into(), false),
        (5, 0, "b2".into(), true),
        (5, 1, "a3".into(), false),
    ];
    assert_eq!(all.iter().map(name).collect::<Vec<_>>(), expected);
    for (after, limit, expected) in [(0, 1, 1), (1, 1, 2), (1, 4, 4), (2, 2, 0), (5, u32::MAX, 0)] {
        let read = EventLog::resources(store, realm, after, limit).await.unwrap();
        assert_eq!(read.len(), expected, "{limit} after {after}");
    }

    let kind = "Observation";
    assert_eq!(store.newest(realm, kind, "a").await.unwrap(), Some(all[4].clone()));
    assert_eq!(store.newest(realm, kind, "b").await.unwrap(), Some(all[3].clone()));
    assert_eq!(store.newest(realm, "Patient", "a").await.unwrap(), None);
    assert_eq!(store.version(realm, kind, "a", 2).await.unwrap(), Some(all[2].clone()));
    assert_eq!(store.version(realm, kind, "a", 4).await.unwrap(), None);
    for (id, before, limit, expected) in [
        ("a", None, 9, &[3, 2, 1][..]),
        ("a", None, 2, &[3, 2]),
        ("a", Some(3), 9, &[2, 1]),
        ("a", Some(1), 9, &[]),
        ("b", None, 9, &[2, 1]),
        ("zz", None, 9, &[]),
    ] {
        let read = store.versions(realm, kind, id, before, limit).await.unwrap();
        let versions: Vec<_> = read.iter().map(|r| r.version).collect();
        assert_eq!(versions, expected, "{limit} of {id} before {before:?}");
        assert!(read.iter().all(|r| all.contains(r)));
    }
    assert_eq!(store.versions(realm, "Patient", "a", None, 9).await.unwrap(), []);
    let ids: Vec<String> = ["b", "zz", "a", "b"].map(String::from).into();
    let both = store.newest_of(realm, kind, &ids).await.unwrap();
    assert_eq!(both, [all[4].clone(), all[3].clone()]);
    assert_eq!(store.newest_of(realm, kind, &[]).await.unwrap(), []);
    verify(store, realm).await;
}

pub async fn accesses_are_read_by_position_target_and_actor(opened: &Opened) {
    let scope = opened.organization().await;
    let realm: Realm<'_> = (&scope).into();
    let rows = [("p/1", "u/1"), ("p/2", "u/1"), ("p/1", "u/2"), ("p/1", "u/1"), ("-", "u/3")];
    for pair in rows.chunks(2) {
        let mut rows: Vec<_> = pair.iter().map(|(target, actor)| access(target, actor)).collect();
        rows[0].detail = None;
        let batch = Batch { access: rows, ..Batch::default() };
        done(opened.store.append(realm, batch).await);
    }
    let positions = |rows: Vec<StoredAccess>| -> Vec<Position> {
        rows.iter().map(|row| row.position).collect()
    };
    let all = opened.store.accesses(realm, 1, 3).await.unwrap();
    assert_eq!(positions(all), [2, 3, 4]);
    let cases = [
        (None, None, None, &[5, 4, 3, 2, 1][..]),
        (Some("p/1"), None, None, &[4, 3, 1]),
        (None, Some("u/1"), None, &[4, 2, 1]),
        (Some("p/1"), Some("u/1"), None, &[4, 1]),
        (Some("p/1"), Some("u/1"), Some(4), &[1]),
        (None, None, Some(3), &[2, 1]),
        (Some("p"), None, None, &[]),
        (Some("p/%"), None, None, &[]),
    ];
    for (target, actor, before, expected) in cases {
        let read = opened.store.accesses_to(realm, target, actor, before, 10).await.unwrap();
        assert_eq!(positions(read), expected, "{target:?} {actor:?} {before:?}");
    }
    let newest = opened.store.accesses_to(realm, None, None, None, 2).await.unwrap();
    assert_eq!(positions(newest), [5, 4]);
    assert_eq!(verify(&opened.store, realm).await, (0, 5));
}

pub async fn texts_and_bytes_come_back_as_they_were(opened: &Opened) {
    let scope = opened.organization().await;
    let realm: Realm<'_> = (&scope).into();
    let texts = ["", " ", "naïve 心电图 \u{1F493}", "'; DROP TABLE event; --", "a\nb\t\\x00 $1 %_"];
    let megabytes: Vec<u8> = (0..3_000_000u32).map(|n| n.to_le_bytes()[0] ^ 0x5a).collect();
    for text in texts {
        let stream = new_stream();
        for (version, payload) in
            (1..).zip([vec![], vec![0], vec![0, 255, 0], (0..=255).collect(), megabytes.clone()])
        {
            let mut event = event(&stream, version);
            event.kind = text.into();
            event.actor = text.into();
            event.at = Timestamp(if version == 1 { i64::MIN } else { i64::MAX });
            event.payload = payload.clone();
            let batch = Batch { events: vec![event], ..Batch::default() };
            done(opened.store.append(realm, batch).await);
            let read = opened.store.stream(realm, &stream).await.unwrap().pop().unwrap();
            assert_eq!((read.kind.as_str(), read.actor.as_str()), (text, text));
            assert!(read.payload == payload);
        }
    }
    assert_eq!(verify(&opened.store, realm).await, (25, 0));
}

pub async fn everything_is_there_after_reopening(opened: &Opened) {
    let scope = opened.organization().await;
    let realm: Realm<'_> = (&scope).into();
    let (row, stream) = (recording(), new_stream());
    let batch = Batch {
        views: vec![ViewChange::Recording(row.clone())],
        access: vec![access("-", "a")],
        effects: vec![effect("k", "s")],
        work: vec![work("a")],
        ..one(&stream)
    };
    done(opened.store.append(realm, batch).await);
    let reopened = opened.again().await;
    assert_eq!(verify(&reopened, realm).await, (1, 1));
    let read = reopened.recording(&scope, row.id).await.unwrap();
    assert_eq!(read, Some(RecordingRow { position: 1, ..row }));
    assert_eq!(crate::work::count(&reopened, &scope).await, (1, 0, 0));
    let again = Batch { effects: vec![effect("k", "t")], ..one(&new_stream()) };
    let answer = reopened.append(realm, again).await.unwrap();
    assert_eq!(answer, Append::Duplicate { key: "k".into(), subject: "s".into() });
    assert_eq!(done(reopened.append(realm, one(&new_stream())).await), [2]);
    // The first handle did not remember the head.
    assert_eq!(done(opened.store.append(realm, one(&new_stream())).await), [3]);
}

pub async fn an_organization_that_was_never_made_is_unknown(opened: &Opened) {
    let organization = OrganizationId(uuid());
    let stranger = scope(organization);
    let is_unknown = |error: StoreError| matches!(error, StoreError::UnknownOrganization(id) if id == organization);
    let append = opened.store.append((&stranger).into(), one(&new_stream())).await;
    assert!(is_unknown(append.unwrap_err()));
    assert!(is_unknown(opened.store.events((&stranger).into(), 0, 1).await.unwrap_err()));
    assert!(is_unknown(opened.store.create(&stranger, BlobId(uuid())).await.err().unwrap()));
    // Asking did not make it.
    assert!(is_unknown(opened.store.events((&stranger).into(), 0, 1).await.unwrap_err()));
}
