//! Users, passwords, sessions, API tokens.

use precordia_app::port::*;
use precordia_model::*;

use crate::engines::{Opened, platform};
use crate::samples::*;

fn user(login: &str) -> UserRow {
    UserRow {
        id: UserId(uuid()),
        login: login.as_bytes().to_vec(),
        roles: "nurse,physician".into(),
        active: true,
        version: 1,
        sealed: vec![3, 0],
    }
}

fn session(user: UserId, expires_at: i64) -> SessionRow {
    SessionRow {
        id: SessionId(uuid()),
        user,
        secret_hash: vec![1; 32],
        created_at: Timestamp(1),
        seen_at: Timestamp(2),
        expires_at: Timestamp(expires_at),
        break_glass_until: None,
        break_glass_reason: None,
    }
}

async fn put(opened: &Opened, realm: Realm<'_>, users: &[&UserRow]) -> Result<Append, StoreError> {
    let views = users.iter().map(|row| ViewChange::User((*row).clone())).collect();
    opened.store.append(realm, carrying(Batch { views, ..Batch::default() })).await
}

pub async fn users_are_found_by_id_and_login(opened: &Opened) {
    let scope = opened.organization().await;
    let realm: Realm<'_> = (&scope).into();
    let store = &*opened.store;
    let (a, b) = (user("a"), user("b"));
    done(put(opened, realm, &[&a, &b]).await);
    assert_eq!(store.user(realm, a.id).await.unwrap(), Some(a.clone()));
    assert_eq!(store.user_by_login(realm, b"b").await.unwrap(), Some(b.clone()));
    assert_eq!(store.user_by_login(realm, b"B").await.unwrap(), None);
    assert_eq!(store.user(realm, UserId(uuid())).await.unwrap(), None);
    let changed =
        UserRow { active: false, roles: String::new(), version: 2, login: b"c".into(), ..a };
    done(put(opened, realm, &[&changed]).await);
    assert_eq!(store.user_by_login(realm, b"a").await.unwrap(), None);
    let mut all = store.users(realm).await.unwrap();
    all.sort_by(|x, y| x.login.cmp(&y.login));
    assert_eq!(all, [b, changed]);
}

pub async fn two_users_cannot_have_one_login(opened: &Opened) {
    let scope = opened.organization().await;
    let realm: Realm<'_> = (&scope).into();
    done(put(opened, realm, &[&user("a")]).await);
    let second = put(opened, realm, &[&user("a")]).await;
    assert!(matches!(second, Err(StoreError::Failed { .. })), "{second:?}");
    assert_eq!(opened.store.users(realm).await.unwrap().len(), 1);
    assert_eq!(verify(&opened.store, realm).await.0, 1);
}

pub async fn sessions_live_until_removed_or_expired(opened: &Opened) {
    let scope = opened.organization().await;
    let realm: Realm<'_> = (&scope).into();
    let store = &*opened.store;
    let (a, b) = (UserId(uuid()), UserId(uuid()));
    let sessions = [session(a, 10), session(a, 20), session(b, 30), session(b, 40)];
    for session in &sessions {
        store.add_session(realm, session).await.unwrap();
    }
    assert_eq!(store.remove_sessions_expired(realm, Timestamp(9)).await.unwrap(), 0);
    assert_eq!(store.remove_sessions_expired(realm, Timestamp(10)).await.unwrap(), 1);
    store.remove_sessions_of(realm, a).await.unwrap();
    store.remove_session(realm, sessions[2].id).await.unwrap();
    store.remove_session(realm, sessions[2].id).await.unwrap();
    let mut left = Vec::new();
    for session in &sessions {
        left.push(store.session(realm, session.id).await.unwrap().is_some());
    }
    assert_eq!(left, [false, false, false, true]);
}

pub async fn a_session_that_is_seen_keeps_what_became_of_it_meanwhile(opened: &Opened) {
    let scope = opened.organization().await;
    let realm: Realm<'_> = (&scope).into();
    let store = &*opened.store;
    let (mut row, other) = (session(UserId(uuid()), 50), session(UserId(uuid()), 50));
    store.add_session(realm, &row).await.unwrap();
    store.add_session(realm, &other).await.unwrap();
    store.set_break_glass(realm, row.id, Some((Timestamp(9), vec![7]))).await.unwrap();
    row.break_glass_until = Some(Timestamp(9));
    row.break_glass_reason = Some(vec![7]);
    assert_eq!(store.session(realm, row.id).await.unwrap(), Some(row.clone()));
    // A request read the session while break-glass was open, and is noted after its end.
    store.set_break_glass(realm, row.id, None).await.unwrap();
    store.session_seen(realm, row.id, Timestamp(8)).await.unwrap();
    store.session_seen(realm, row.id, Timestamp(5)).await.unwrap();
    let row = SessionRow {
        seen_at: Timestamp(8),
        break_glass_until: None,
        break_glass_reason: None,
        ..row
    };
    assert_eq!(store.session(realm, row.id).await.unwrap(), Some(row.clone()));
    assert_eq!(store.session(realm, other.id).await.unwrap(), Some(other));
    // A session that has ended is not made again.
    store.remove_session(realm, row.id).await.unwrap();
    store.session_seen(realm, row.id, Timestamp(9)).await.unwrap();
    store.set_break_glass(realm, row.id, Some((Timestamp(9), vec![7]))).await.unwrap();
    assert_eq!(store.session(realm, row.id).await.unwrap(), None);
}

pub async fn api_tokens_and_passwords_are_kept(opened: &Opened) {
    let scope = opened.organization().await;
    let realm: Realm<'_> = (&scope).into();
    let store = &*opened.store;
    let token = ApiTokenRow {
        id: TokenId(uuid()),
        user: UserId(uuid()),
        label: "cart on ward 3".into(),
        secret_hash: vec![5; 32],
        roles: "service".into(),
        created_at: Timestamp(3),
        expires_at: None,
        revoked_at: None,
    };
    store.put_api_token(&scope, &token).await.unwrap();
    let revoked = ApiTokenRow {
        revoked_at: Some(Timestamp(9)),
        expires_at: Some(Timestamp(8)),
        ..token.clone()
    };
    let other = ApiTokenRow { id: TokenId(uuid()), created_at: Timestamp(2), ..token.clone() };
    store.put_api_token(&scope, &revoked).await.unwrap();
    store.put_api_token(&scope, &other).await.unwrap();
    assert_eq!(store.api_token(&scope, token.id).await.unwrap(), Some(revoked.clone()));
    assert_eq!(store.api_tokens(&scope).await.unwrap(), [other, revoked]);
    assert_eq!(store.api_token(&scope, TokenId(uuid())).await.unwrap(), None);

    assert_eq!(store.password_hash(realm, token.user).await.unwrap(), None);
    for hash in ["$argon2id$1", "$argon2id$2"] {
        let change = ViewChange::Password { user: token.user, hash: hash.into() };
        done(store.append(realm, Batch { views: vec![change], ..Batch::default() }).await);
        assert_eq!(store.password_hash(realm, token.user).await.unwrap().as_deref(), Some(hash));
    }
}

pub async fn the_platform_has_accounts_of_its_own(opened: &Opened) {
    let (scope, platform) = (opened.organization().await, platform());
    let row = user("operator");
    done(put(opened, (&platform).into(), &[&row]).await);
    let session = session(row.id, 10);
    opened.store.add_session((&platform).into(), &session).await.unwrap();
    assert_eq!(opened.store.users((&platform).into()).await.unwrap(), std::slice::from_ref(&row));
    assert_eq!(opened.store.users((&scope).into()).await.unwrap(), []);
    assert_eq!(opened.store.session((&scope).into(), session.id).await.unwrap(), None);
    assert_eq!(verify(&opened.store, (&platform).into()).await.0, 1);
}
