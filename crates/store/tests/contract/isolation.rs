//! What one organization can see of another, and what anybody can do to a log.

use precordia_app::port::*;
use precordia_model::*;

use crate::engines::{Opened, platform};
use crate::samples::*;

/// Everything is written as B, with ids that A knows; A asks for all of it.
pub async fn no_port_shows_another_organization(opened: &Opened) {
    let (a, b) = (opened.organization().await, opened.organization().await);
    let store = &*opened.store;
    let (stream, own_key) = (new_stream(), key("recording/r", KeyId(uuid())));
    let (item, recording) = (item(), recording());
    let patient = PatientRow {
        id: PatientId(uuid()),
        merged_into: Some(PatientId(uuid::Uuid::nil())),
        version: 1,
        resource_version: 1,
        sealed: vec![],
    };
    let user = UserRow {
        id: UserId(uuid()),
        login: b"l".into(),
        roles: String::new(),
        active: true,
        version: 1,
        sealed: vec![],
    };
    let tokens = vec![b"t".to_vec()];
    let batch = Batch {
        resources: vec![resource(0, "r", 1)],
        access: vec![access("t", "a")],
        keys: vec![KeyChange::Add(own_key.clone())],
        views: vec![
            ViewChange::Item(item.clone()),
            ViewChange::Recording(recording.clone()),
            ViewChange::Patient(patient.clone()),
            ViewChange::PatientTokens { patient: patient.id, tokens },
            ViewChange::User(user.clone()),
            ViewChange::Password { user: user.id, hash: "h".into() },
        ],
        work: vec![work("lane")],
        work_changes: vec![WorkChange::Pause {
            kind: "deliver".into(),
            by: "user/b".into(),
            at: Timestamp(1),
        }],
        effects: vec![effect("k", "s")],
        ..one(&stream)
    };
    done(store.append((&b).into(), batch).await);
    let schedule =
        Schedule { kind: "ingest".into(), every_seconds: 1, next_due: Timestamp(0), open: false };
    store.put_schedules(&b, &[schedule]).await.unwrap();

    let platform = platform();
    let realms: [Realm<'_>; 2] = [(&a).into(), (&platform).into()];
    for realm in realms {
        let head = store.head(realm, LogName::Events).await.unwrap();
        assert_eq!(head.position, 0);
        assert_eq!(store.head(realm, LogName::Access).await.unwrap().position, 0);
        assert_eq!(store.events(realm, 0, 9).await.unwrap(), []);
        let every = EventFilter::default();
        assert_eq!(store.events_where(realm, &every, 0, 9).await.unwrap(), []);
        assert_eq!(store.stream(realm, &stream).await.unwrap(), []);
        assert_eq!(store.accesses(realm, 0, 9).await.unwrap(), []);
        assert_eq!(store.accesses_to(realm, None, None, None, 9).await.unwrap(), []);
        assert_eq!(EventLog::resources(store, realm, 0, 9).await.unwrap(), []);
        assert_eq!(store.newest(realm, "Observation", "r").await.unwrap(), None);
        assert_eq!(store.newest_of(realm, "Observation", &["r".into()]).await.unwrap(), []);
        assert_eq!(store.version(realm, "Observation", "r", 1).await.unwrap(), None);
        assert_eq!(store.versions(realm, "Observation", "r", None, 9).await.unwrap(), []);
        assert_eq!(store.chain(realm, &[own_key.id]).await.unwrap(), []);
        assert_eq!(store.of_subject(realm, "recording/r").await.unwrap(), []);
        assert_eq!(store.wrapped_by(realm, own_key.wrapped_by, 9).await.unwrap(), []);
        assert_eq!(store.user(realm, user.id).await.unwrap(), None);
        assert_eq!(store.user_by_login(realm, b"l").await.unwrap(), None);
        assert_eq!(store.users(realm).await.unwrap(), []);
        assert_eq!(store.password_hash(realm, user.id).await.unwrap(), None);
    }
    assert_eq!(store.item(&a, item.id).await.unwrap(), None);
    assert_eq!(store.items(&a, None, None, 9).await.unwrap(), []);
    assert_eq!(store.item_counts(&a).await.unwrap(), []);
    assert_eq!(store.recording(&a, recording.id).await.unwrap(), None);
    let all = RecordingFilter::default();
    assert_eq!(store.recordings(&a, &all, 9).await.unwrap(), []);
    assert_eq!(store.recording_counts(&a, &all).await.unwrap(), RecordingCounts::default());
    assert_eq!(store.patient(&a, patient.id).await.unwrap(), None);
    assert_eq!(store.patients(&a, &[patient.id]).await.unwrap(), []);
    assert_eq!(store.patients_by_tokens(&a, &[vec![b"t".to_vec()]], None, 9).await.unwrap(), []);
    assert_eq!(store.merged_from(&a, PatientId(uuid::Uuid::nil())).await.unwrap(), []);
    assert_eq!(store.counts(&a).await.unwrap(), []);
    assert_eq!(store.pieces(&a, &WorkFilter::default(), None, 9).await.unwrap(), []);
    assert_eq!(store.paused(&a).await.unwrap(), []);
    assert_eq!(store.schedules(&a).await.unwrap(), []);
    assert_eq!(store.open_subjects(&a, "ingest").await.unwrap(), Vec::<String>::new());
    let claim = store.claim(&a, &["ingest"], "w", Timestamp(9), Timestamp(99), 9).await;
    assert_eq!(claim.unwrap(), []);
    // Nor do streams, effect keys or logins of the one get in the way of the other.
    let batch = Batch {
        effects: vec![effect("k", "s")],
        views: vec![ViewChange::User(UserRow { id: UserId(uuid()), ..user })],
        ..one(&stream)
    };
    assert_eq!(done(store.append((&a).into(), batch).await), [1]);
}

pub async fn the_logs_cannot_be_changed_in_place(opened: &Opened) {
    let scope = opened.organization().await;
    let batch = Batch {
        resources: vec![resource(0, "r", 1)],
        access: vec![access("t", "a")],
        ..one(&new_stream())
    };
    done(opened.store.append((&scope).into(), batch).await);
    let changes = ["event", "access_log", "resource"]
        .into_iter()
        .flat_map(|table| [format!("UPDATE {table} SET at = 1"), format!("DELETE FROM {table}")]);
    let sqlite = opened.raw_sqlite(scope.organization());
    let postgres = opened.raw_postgres().await;
    let role = format!("org_{}", scope.organization().0.simple());
    for sql in changes {
        if let Some(raw) = &sqlite {
            let error = raw.execute(&sql, []).unwrap_err().to_string();
            assert!(error.contains("only grow"), "{sql}: {error}");
        }
        if let Some(raw) = &postgres {
            let sql = format!("SET ROLE \"{role}\"; SET search_path TO \"{role}\"; {sql}");
            let error = raw.batch_execute(&sql).await.unwrap_err();
            assert_eq!(error.code().unwrap().code(), "42501", "{sql}");
        }
    }
    verify(&opened.store, (&scope).into()).await;
}

/// Below the type: a file of its own on SQLite, a role of its own on PostgreSQL.
///
/// On PostgreSQL `RESET ROLE` leads back to the login role, which owns every schema; that is documented,
/// and no statement of the product holds text from outside. What holds is that the role itself reaches
/// nothing but its schema and can become nobody else.
pub async fn the_role_of_one_organization_cannot_read_another(opened: &Opened) {
    let (a, b) = (opened.organization().await, opened.organization().await);
    done(opened.store.append((&b).into(), one(&new_stream())).await);
    if let Some(raw) = opened.raw_sqlite(a.organization()) {
        let events: i64 = raw.query_row("SELECT count(*) FROM event", [], |r| r.get(0)).unwrap();
        assert_eq!(events, 0);
        return;
    }
    let raw = opened.raw_postgres().await.unwrap();
    let [a, b] = [&a, &b].map(|scope| format!("org_{}", scope.organization().0.simple()));
    let seen = format!("SELECT count(*) FROM \"{b}\".event");
    let login: i64 = raw.query_one(&seen, &[]).await.unwrap().get(0);
    assert_eq!(login, 1, "the login role owns the schema");

    let become_a = format!("SET ROLE \"{a}\"; SET search_path TO \"{a}\", pg_temp");
    raw.batch_execute(&become_a).await.unwrap();
    let own: i64 = raw.query_one("SELECT count(*) FROM event", &[]).await.unwrap().get(0);
    assert_eq!(own, 0);
    let attempts = [
        seen,
        format!("SELECT 1 FROM \"{b}\".head"),
        "SELECT 1 FROM precordia_platform.organization".into(),
        format!("INSERT INTO \"{b}\".effect VALUES ('a', 'b')"),
        format!("SET ROLE \"{b}\"; SELECT 1 FROM \"{b}\".event"),
        format!("GRANT \"{b}\" TO \"{a}\""),
        format!("GRANT USAGE ON SCHEMA \"{b}\" TO \"{a}\""),
        "CREATE ROLE intruder".into(),
        format!("CREATE TABLE \"{a}\".mine (id bigint)"),
        "DROP TABLE event".into(),
        "TRUNCATE event".into(),
        "UPDATE event SET at = 1".into(),
        "DELETE FROM head".into(),
        "DELETE FROM migration".into(),
    ];
    for sql in attempts {
        // Each in a session of A's role. `SET ROLE` to B works for the session's login, not for the role:
        // it is tried from a session that has lost its login's memberships.
        let raw = opened.raw_postgres().await.unwrap();
        raw.batch_execute(&become_a).await.unwrap();
        let allowed = raw.batch_execute(&sql).await.is_ok();
        let is_set_role = sql.starts_with("SET ROLE");
        assert_eq!(allowed, is_set_role, "{sql}");
    }
    let member = "SELECT count(*) FROM pg_auth_members m \
                  JOIN pg_roles r ON r.oid = m.member WHERE CAST(r.rolname AS text) = $1";
    let memberships: i64 = raw.query_one(member, &[&a]).await.unwrap().get(0);
    assert_eq!(memberships, 0, "A's role is a member of nothing");
}
