//! What one organization can see of another, and what anybody can do to a log.

use precordia_app::port::*;
use precordia_model::*;

use precordia_store::{PostgresOptions, open_postgres};

use crate::engines::{Engine, Opened, Server, platform};
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
    let piece = work("lane");
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
        work: vec![piece.clone()],
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
    assert!(!store.is_open(&a, "ingest", &piece.lane, &piece.subject).await.unwrap());
    assert!(store.is_open(&b, "ingest", &piece.lane, &piece.subject).await.unwrap());
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
/// There the login may become any organization's role, by nature: it serves them all. What holds is that
/// nothing is reached without becoming it, that an organization's role reaches nothing but its schema and
/// can become nobody else, and that leaving it leads to a role that sees no table.
pub async fn the_role_of_one_organization_cannot_read_another(opened: &Opened) {
    let (a, b) = (opened.organization().await, opened.organization().await);
    done(opened.store.append((&b).into(), one(&new_stream())).await);
    if let Some(raw) = opened.raw_sqlite(a.organization()) {
        let events: i64 = raw.query_row("SELECT count(*) FROM event", [], |r| r.get(0)).unwrap();
        assert_eq!(events, 0);
        return;
    }
    let [a, b] = [&a, &b].map(|scope| format!("org_{}", scope.organization().0.simple()));
    let become_a = format!("SET ROLE \"{a}\"; SET search_path TO \"{a}\", pg_temp");
    let raw = opened.raw_postgres().await.unwrap();
    raw.batch_execute(&become_a).await.unwrap();
    let own: i64 = raw.query_one("SELECT count(*) FROM event", &[]).await.unwrap().get(0);
    assert_eq!(own, 0);

    let of_b = [
        format!("SELECT 1 FROM \"{b}\".event"),
        format!("SELECT 1 FROM \"{b}\".head"),
        format!("SELECT 1 FROM \"{b}\".migration"),
        format!("INSERT INTO \"{b}\".effect VALUES ('a', 'b')"),
        format!("CREATE TABLE \"{b}\".mine (id bigint)"),
        format!("DROP TABLE \"{b}\".event"),
        format!("DROP SCHEMA \"{b}\" CASCADE"),
        format!("ALTER TABLE \"{b}\".event OWNER TO CURRENT_USER"),
        format!("GRANT USAGE ON SCHEMA \"{b}\" TO PUBLIC"),
        "SELECT 1 FROM precordia_platform.organization".into(),
    ];
    // The login itself, and every way out of A's role that leads back to it.
    for way in [
        "RESET ROLE",
        "SET ROLE NONE",
        "DISCARD ALL",
        "SET SESSION AUTHORIZATION DEFAULT",
        "RESET SESSION AUTHORIZATION",
    ] {
        for sql in &of_b {
            denied(opened, &become_a, &format!("{way}; {sql}")).await;
        }
        let own = format!("{way}; SELECT 1 FROM \"{a}\".event");
        denied(opened, &become_a, &own).await;
    }
    for sql in &of_b {
        denied(opened, &become_a, sql).await;
        denied(opened, "SELECT 1", sql).await;
        // Nobody but a superuser changes who a session is.
        for role in [&b, "precordia_platform", "postgres"] {
            let sql = format!("SET SESSION AUTHORIZATION \"{role}\"; {sql}");
            denied(opened, &become_a, &sql).await;
        }
        denied(opened, &become_a, &format!("SET ROLE postgres; {sql}")).await;
    }
    for sql in [
        format!("GRANT \"{b}\" TO \"{a}\""),
        format!("GRANT \"{a}_owner\" TO \"{a}\""),
        "CREATE ROLE intruder".into(),
        format!("CREATE TABLE \"{a}\".mine (id bigint)"),
        "ALTER TABLE event OWNER TO CURRENT_USER".into(),
        "GRANT UPDATE ON event TO CURRENT_USER; UPDATE event SET at = 1".into(),
        "DROP TABLE event".into(),
        "TRUNCATE event".into(),
        "UPDATE event SET at = 1".into(),
        "DELETE FROM head".into(),
        "DELETE FROM migration".into(),
    ] {
        denied(opened, &become_a, &sql).await;
    }
    // What remains, and why the login's password is kept like the data itself.
    let raw = opened.raw_postgres().await.unwrap();
    raw.batch_execute(&format!("{become_a}; SET ROLE \"{b}\"")).await.unwrap();
    let seen: i64 =
        raw.query_one(&format!("SELECT count(*) FROM \"{b}\".event"), &[]).await.unwrap().get(0);
    assert_eq!(seen, 1);

    let count = |sql: &'static str| {
        let raw = &raw;
        async move { raw.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) }
    };
    let memberships = "SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member \
                       WHERE CAST(r.rolname AS text) LIKE 'org\\_%' \
                          OR CAST(r.rolname AS text) LIKE 'precordia\\_platform%'";
    assert_eq!(count(memberships).await, 0, "no realm's role is a member of anything");
    let owned = "SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner \
                 WHERE CAST(r.rolname AS text) = 'product'";
    assert_eq!(count(owned).await, 0, "the login owns nothing");
}

/// Tried in a session of its own, from the role that `first` enters.
async fn denied(opened: &Opened, first: &str, sql: &str) {
    let raw = opened.raw_postgres().await.unwrap();
    raw.batch_execute(first).await.unwrap();
    for statement in sql.split("; ") {
        if let Err(error) = raw.batch_execute(statement).await {
            assert_eq!(error.code().unwrap().code(), "42501", "{sql}: {error}");
            return;
        }
    }
    panic!("allowed: {sql}");
}

/// Whoever could read everything without entering a role is refused.
pub async fn a_login_that_could_see_everything_is_refused(opened: &Opened) {
    let Engine::Postgres { connection } = &opened.engine else { return };
    let admin = Server::get().unwrap().admin().await;
    let version: i32 = admin
        .query_one("SELECT CAST(current_setting('server_version_num') AS int)", &[])
        .await
        .unwrap()
        .get(0);
    let inherits = format!("inherits_{}", uuid().simple());
    let create = format!("CREATE ROLE {inherits} LOGIN CREATEROLE INHERIT");
    admin.batch_execute(&create).await.unwrap();
    for (login, refused) in
        [("postgres", true), (&*inherits, version < 160_000), ("product", false)]
    {
        let connection = connection.replace("user=product", &format!("user={login}"));
        let options = PostgresOptions::new(connection, opened.dir());
        let answer = open_postgres(options).await.err().map(|error| error.to_string());
        let said = answer.as_deref().is_some_and(|text| text.contains("the login role"));
        assert_eq!(said, refused, "{login}: {answer:?}");
    }
}
