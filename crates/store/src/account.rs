//! Users, and the secrets that live only here: password hashes, sessions, API tokens.

use async_trait::async_trait;
use precordia_app::access::OrgScope;
use precordia_app::port::{Accounts, ApiTokenRow, Realm, SessionRow, StoreError, UserRow};
use precordia_model::{SessionId, Timestamp, TokenId, UserId};

use crate::engine::{DbError, Query, Row, Script, Statement, Value, id};
use crate::store::Store;

const USERS: &str = "SELECT id, login, roles, active, version, sealed FROM account";

const SESSIONS: &str = "SELECT id, account, secret_hash, created_at, seen_at, \
     expires_at, break_glass_until, break_glass_reason FROM session";

const TOKENS: &str = "SELECT id, account, label, secret_hash, roles, created_at, expires_at, \
     revoked_at FROM api_token";

fn read_user(row: Row) -> Result<UserRow, DbError> {
    let mut f = row.fields("user row");
    Ok(UserRow {
        id: f.id()?,
        login: f.blob()?,
        roles: f.text()?,
        active: f.bool()?,
        version: f.int()?,
        sealed: f.blob()?,
    })
}

fn read_session(row: Row) -> Result<SessionRow, DbError> {
    let mut f = row.fields("session row");
    Ok(SessionRow {
        id: f.id()?,
        user: f.id()?,
        secret_hash: f.blob()?,
        created_at: f.time()?,
        seen_at: f.time()?,
        expires_at: f.time()?,
        break_glass_until: f.time_opt()?,
        break_glass_reason: f.blob_opt()?,
    })
}

fn read_token(row: Row) -> Result<ApiTokenRow, DbError> {
    let mut f = row.fields("API token row");
    Ok(ApiTokenRow {
        id: f.id()?,
        user: f.id()?,
        label: f.text()?,
        secret_hash: f.blob()?,
        roles: f.text()?,
        created_at: f.time()?,
        expires_at: f.time_opt()?,
        revoked_at: f.time_opt()?,
    })
}

pub(crate) fn put<'a>(script: &mut Script<'a>, row: &'a UserRow) {
    script.push(Statement {
        sql: "INSERT INTO account (id, login, roles, active, version, sealed) \
              VALUES ($1, $2, $3, $4, $5, $6) \
              ON CONFLICT (id) DO UPDATE SET login = excluded.login, roles = excluded.roles, \
                active = excluded.active, version = excluded.version, sealed = excluded.sealed",
        params: vec![
            id(row.id),
            (&row.login).into(),
            (&row.roles).into(),
            row.active.into(),
            row.version.into(),
            (&row.sealed).into(),
        ],
    });
}

pub(crate) fn put_password<'a>(script: &mut Script<'a>, user: UserId, hash: impl Into<Value<'a>>) {
    script.push(Statement {
        sql: "INSERT INTO password (account, hash) VALUES ($1, $2) \
              ON CONFLICT (account) DO UPDATE SET hash = excluded.hash",
        params: vec![id(user), hash.into()],
    });
}

pub(crate) fn put_token(token: ApiTokenRow) -> Statement<'static> {
    Statement {
        sql: "INSERT INTO api_token (id, account, label, secret_hash, roles, created_at, \
                expires_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
              ON CONFLICT (id) DO UPDATE SET account = excluded.account, \
                label = excluded.label, secret_hash = excluded.secret_hash, \
                roles = excluded.roles, created_at = excluded.created_at, \
                expires_at = excluded.expires_at, revoked_at = excluded.revoked_at",
        params: vec![
            id(token.id),
            id(token.user),
            token.label.into(),
            token.secret_hash.into(),
            token.roles.into(),
            token.created_at.into(),
            token.expires_at.into(),
            token.revoked_at.into(),
        ],
    }
}

#[async_trait]
impl Accounts for Store {
    async fn user(&self, realm: Realm<'_>, user: UserId) -> Result<Option<UserRow>, StoreError> {
        let mut query = Query::new(USERS);
        query.and("id = ").bind(id(user));
        self.find_one(realm, "reading a user", query, read_user).await
    }

    async fn user_by_login(
        &self,
        realm: Realm<'_>,
        login: &[u8],
    ) -> Result<Option<UserRow>, StoreError> {
        let mut query = Query::new(USERS);
        query.and("login = ").bind(login.to_vec());
        self.find_one(realm, "reading a user", query, read_user).await
    }

    async fn users(&self, realm: Realm<'_>) -> Result<Vec<UserRow>, StoreError> {
        let mut query = Query::new(USERS);
        query.push(" ORDER BY id");
        self.find(realm, "listing users", query, read_user).await
    }

    async fn password_hash(
        &self,
        realm: Realm<'_>,
        user: UserId,
    ) -> Result<Option<String>, StoreError> {
        let mut query = Query::new("SELECT hash FROM password");
        query.and("account = ").bind(id(user));
        let read = |row: Row| row.fields("password row").text();
        self.find_one(realm, "reading a password hash", query, read).await
    }

    async fn password_hashes(&self, realm: Realm<'_>) -> Result<Vec<(UserId, String)>, StoreError> {
        let query = Query::new("SELECT account, hash FROM password ORDER BY account");
        let read = |row: Row| {
            let mut f = row.fields("password row");
            Ok((f.id()?, f.text()?))
        };
        self.find(realm, "reading password hashes", query, read).await
    }

    async fn add_session(&self, realm: Realm<'_>, session: &SessionRow) -> Result<(), StoreError> {
        let add = Statement {
            sql: "INSERT INTO session (id, account, secret_hash, created_at, seen_at, \
                    expires_at, break_glass_until, break_glass_reason) \
                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            params: vec![
                id(session.id),
                id(session.user),
                session.secret_hash.clone().into(),
                session.created_at.into(),
                session.seen_at.into(),
                session.expires_at.into(),
                session.break_glass_until.into(),
                session.break_glass_reason.clone().into(),
            ],
        };
        self.run(realm, "adding a session", vec![add]).await
    }

    async fn session(
        &self,
        realm: Realm<'_>,
        session: SessionId,
    ) -> Result<Option<SessionRow>, StoreError> {
        let mut query = Query::new(SESSIONS);
        query.and("id = ").bind(id(session));
        self.find_one(realm, "reading a session", query, read_session).await
    }

    async fn session_seen(
        &self,
        realm: Realm<'_>,
        session: SessionId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let update = Statement {
            sql: "UPDATE session SET seen_at = $1 WHERE id = $2 AND seen_at < $3",
            params: vec![at.into(), id(session), at.into()],
        };
        self.run(realm, "noting the use of a session", vec![update]).await
    }

    async fn set_break_glass(
        &self,
        realm: Realm<'_>,
        session: SessionId,
        open: Option<(Timestamp, Vec<u8>)>,
    ) -> Result<(), StoreError> {
        let (until, reason) = open.unzip();
        let update = Statement {
            sql: "UPDATE session SET break_glass_until = $1, break_glass_reason = $2 WHERE id = $3",
            params: vec![until.into(), reason.into(), id(session)],
        };
        self.run(realm, "setting a session's break-glass", vec![update]).await
    }

    async fn remove_session(&self, realm: Realm<'_>, session: SessionId) -> Result<(), StoreError> {
        let remove =
            Statement { sql: "DELETE FROM session WHERE id = $1", params: vec![id(session)] };
        self.run(realm, "removing a session", vec![remove]).await
    }

    async fn remove_sessions_of(&self, realm: Realm<'_>, user: UserId) -> Result<(), StoreError> {
        let remove =
            Statement { sql: "DELETE FROM session WHERE account = $1", params: vec![id(user)] };
        self.run(realm, "removing a user's sessions", vec![remove]).await
    }

    async fn remove_sessions_expired(
        &self,
        realm: Realm<'_>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let sql = "DELETE FROM session WHERE expires_at <= $1 RETURNING id";
        let removed = self.change(realm, "removing expired sessions", sql, vec![now.into()]);
        Ok(removed.await?.len() as u64)
    }

    async fn put_api_token(&self, scope: &OrgScope, token: &ApiTokenRow) -> Result<(), StoreError> {
        let put = put_token(token.clone());
        self.run(scope.into(), "putting an API token", vec![put]).await
    }

    async fn api_token(
        &self,
        scope: &OrgScope,
        token: TokenId,
    ) -> Result<Option<ApiTokenRow>, StoreError> {
        let mut query = Query::new(TOKENS);
        query.and("id = ").bind(id(token));
        self.find_one(scope.into(), "reading an API token", query, read_token).await
    }

    async fn api_tokens(&self, scope: &OrgScope) -> Result<Vec<ApiTokenRow>, StoreError> {
        let mut query = Query::new(TOKENS);
        query.push(" ORDER BY created_at, id");
        self.find(scope.into(), "listing API tokens", query, read_token).await
    }
}
