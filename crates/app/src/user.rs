//! Local users of an organization, their passwords and API tokens.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use precordia_model::{Phi, Role, Timestamp, TokenId, UserId};
use precordia_rules::access::Permission;
use precordia_rules::event::{Event, TokenIssued, TokenRevoked, UserFacts, UserPasswordChanged};
use precordia_rules::password;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::access::{Actor, OrgScope, hash, parse_roles, role_names};
use crate::app::{App, AppError};
use crate::ledger::Draft;
use crate::port::{ApiTokenRow, Append, Realm, Stream, UserRow, ViewChange};
use crate::view::user::{UserNow, login_effect};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UserProfile {
    pub user_name: Phi<String>,
    pub display_name: Phi<String>,
}

#[derive(Clone, Debug)]
pub struct User {
    pub id: UserId,
    pub profile: UserProfile,
    pub roles: Vec<Role>,
    pub active: bool,
}

pub struct NewUser {
    pub user_name: String,
    pub display_name: String,
    pub roles: Vec<Role>,
    pub password: Zeroizing<String>,
}

#[derive(Clone, Debug, Default)]
pub struct UserChange {
    pub display_name: Option<String>,
    pub roles: Option<Vec<Role>>,
    pub active: Option<bool>,
}

impl App {
    pub async fn users(&self, scope: &OrgScope) -> Result<Vec<User>, AppError> {
        let reading = self.reading(scope, Permission::ManageUsers, "user.list", "-").await?;
        let result = self.users_unlogged(scope).await;
        reading.record(result).await
    }

    async fn users_unlogged(&self, scope: &OrgScope) -> Result<Vec<User>, AppError> {
        let mut users = Vec::new();
        for row in self.ports.accounts.users(scope.into()).await? {
            users.push(self.user_of(scope.into(), &row).await?);
        }
        Ok(users)
    }

    async fn user_of(&self, realm: Realm<'_>, row: &UserRow) -> Result<User, AppError> {
        let profile = self.user_profile(realm, row).await?;
        Ok(User { id: row.id, profile, roles: parse_roles(&row.roles), active: row.active })
    }

    /// Display names for lists that name users by id; staff, not patients.
    pub(crate) async fn display_name(
        &self,
        realm: Realm<'_>,
        id: UserId,
    ) -> Result<Option<Phi<String>>, AppError> {
        match self.ports.accounts.user(realm, id).await? {
            Some(row) => Ok(Some(self.user_profile(realm, &row).await?.display_name)),
            None => Ok(None),
        }
    }

    pub async fn add_user(&self, scope: &OrgScope, new: NewUser) -> Result<User, AppError> {
        self.require(scope, Permission::ManageUsers, "user.add", "-").await?;
        self.add_user_unchecked(scope, new).await
    }

    pub(crate) async fn add_user_unchecked(
        &self,
        scope: &OrgScope,
        new: NewUser,
    ) -> Result<User, AppError> {
        let user_name = new.user_name.trim().to_owned();
        check_names(&user_name, &new.display_name)?;
        check_roles(&new.roles)?;
        password::acceptable(&new.password, &user_name)
            .map_err(|cause| AppError::Invalid { field: "password", text: cause.to_string() })?;
        let password_hash = self.hash_password(new.password).await?;
        let realm = Realm::from(scope);
        let keys = self.keyring.realm(realm).await?;
        let id = UserId(self.new_id());
        let mut draft = Draft::new(self, realm);
        let facts = UserFacts {
            user_name: user_name.into(),
            display_name: new.display_name.trim().to_owned().into(),
            roles: new.roles.clone(),
            active: true,
        };
        let now = draft.user(&keys, id, None, &Event::UserAdded(facts))?;
        draft.view(ViewChange::Password { user: id, hash: password_hash });
        draft.batch.effects.push(login_effect(&now.row));
        match draft.append(realm).await? {
            Append::Done { .. } => {}
            Append::Duplicate { .. } => {
                let text = "this user name is taken in this organization";
                return Err(AppError::refused("user_name_taken", text));
            }
            other => return Err(AppError::Conflict(format!("{other:?}"))),
        }
        Ok(User { id, profile: now.profile, roles: new.roles, active: true })
    }

    pub async fn change_user(
        &self,
        scope: &OrgScope,
        id: UserId,
        change: UserChange,
    ) -> Result<User, AppError> {
        self.require(scope, Permission::ManageUsers, "user.change", format!("user/{id}")).await?;
        let realm = Realm::from(scope);
        let row = self.ports.accounts.user(realm, id).await?.ok_or(AppError::NotFound("user"))?;
        let before = self.user_of(realm, &row).await?;
        let roles = change.roles.unwrap_or(before.roles);
        check_roles(&roles)?;
        let active = change.active.unwrap_or(before.active);
        if scope.user() == Some(id)
            && (!active || !roles.contains(&Role::OrganizationAdministrator))
        {
            let text = "an administrator cannot take away their own access";
            return Err(AppError::refused("own_access", text));
        }
        let before_now = UserNow { row, profile: before.profile.clone() };
        let mut profile = before.profile;
        if let Some(name) = change.display_name {
            check_names(profile.user_name.reveal(), &name)?;
            profile.display_name = name.trim().to_owned().into();
        }
        let keys = self.keyring.realm(realm).await?;
        let mut draft = Draft::new(self, realm);
        let facts = UserFacts {
            user_name: profile.user_name,
            display_name: profile.display_name,
            roles: roles.clone(),
            active,
        };
        let now = draft.user(&keys, id, Some(before_now), &Event::UserChanged(facts))?;
        draft.commit(realm).await?;
        // What the user may do changed: every page of theirs signs in again.
        self.ports.accounts.remove_sessions_of(realm, id).await?;
        Ok(User { id, profile: now.profile, roles, active })
    }

    pub async fn set_password(
        &self,
        scope: &OrgScope,
        id: UserId,
        new_password: Zeroizing<String>,
    ) -> Result<(), AppError> {
        // A token acts for its maker but is not them.
        let own = matches!(scope.actor(), Actor::User { user, .. } if *user == id);
        if !own {
            self.require(scope, Permission::ManageUsers, "user.password", format!("user/{id}"))
                .await?;
        }
        let realm = Realm::from(scope);
        let row = self.ports.accounts.user(realm, id).await?.ok_or(AppError::NotFound("user"))?;
        let profile = self.user_profile(realm, &row).await?;
        password::acceptable(&new_password, profile.user_name.reveal())
            .map_err(|cause| AppError::Invalid { field: "password", text: cause.to_string() })?;
        let password_hash = self.hash_password(new_password).await?;
        let keys = self.keyring.realm(realm).await?;
        let mut draft = Draft::new(self, realm);
        let changed = Event::UserPasswordChanged(UserPasswordChanged {});
        draft.user(&keys, id, Some(UserNow { row, profile }), &changed)?;
        draft.view(ViewChange::Password { user: id, hash: password_hash });
        draft.commit(realm).await?;
        self.ports.accounts.remove_sessions_of(realm, id).await?;
        Ok(())
    }

    /// A token for a program. The text is shown once and not kept.
    pub async fn issue_token(
        &self,
        scope: &OrgScope,
        label: &str,
        roles: Vec<Role>,
        expires_at: Option<Timestamp>,
    ) -> Result<(TokenId, Zeroizing<String>), AppError> {
        self.require(scope, Permission::ManageUsers, "token.issue", "-").await?;
        check_roles(&roles)?;
        let label = label.trim();
        if label.is_empty() || label.chars().count() > 100 {
            return Err(AppError::Invalid {
                field: "label",
                text: "give 1 to 100 characters".into(),
            });
        }
        let user = scope.user().ok_or(AppError::NotFound("user"))?;
        let realm = Realm::from(scope);
        let keys = self.keyring.realm(realm).await?;
        let id = TokenId(self.new_id());
        let secret = self.new_secret();
        let mut draft = Draft::new(self, realm);
        let issued = TokenIssued { token: id, user, label: label.to_owned(), roles: roles.clone() };
        draft.event(&keys.organization, &Stream::new("token", id), 1, &Event::TokenIssued(issued));
        let created_at = draft.at();
        draft.commit(realm).await?;
        let row = ApiTokenRow {
            id,
            user,
            label: label.to_owned(),
            secret_hash: hash(&secret),
            roles: role_names(&roles),
            created_at,
            expires_at,
            revoked_at: None,
        };
        self.ports.accounts.put_api_token(scope, &row).await?;
        Ok((id, Self::api_token_text(scope.organization(), id, &secret)))
    }

    pub async fn tokens(&self, scope: &OrgScope) -> Result<Vec<ApiTokenRow>, AppError> {
        self.require(scope, Permission::ManageUsers, "token.list", "-").await?;
        Ok(self.ports.accounts.api_tokens(scope).await?)
    }

    pub async fn revoke_token(&self, scope: &OrgScope, id: TokenId) -> Result<(), AppError> {
        self.require(scope, Permission::ManageUsers, "token.revoke", format!("token/{id}")).await?;
        let row =
            self.ports.accounts.api_token(scope, id).await?.ok_or(AppError::NotFound("token"))?;
        if row.revoked_at.is_some() {
            return Ok(());
        }
        let realm = Realm::from(scope);
        let keys = self.keyring.realm(realm).await?;
        let mut draft = Draft::new(self, realm);
        let revoked = Event::TokenRevoked(TokenRevoked { token: id });
        draft.event(&keys.organization, &Stream::new("token", id), 2, &revoked);
        let at = draft.at();
        draft.commit(realm).await?;
        let row = ApiTokenRow { revoked_at: Some(at), ..row };
        Ok(self.ports.accounts.put_api_token(scope, &row).await?)
    }

    pub(crate) async fn hash_password(
        &self,
        password: Zeroizing<String>,
    ) -> Result<String, AppError> {
        let mut salt = [0u8; 16];
        self.ports.random.fill(&mut salt);
        let _turn = self.hashing.acquire().await.expect("the semaphore is never closed");
        tokio::task::spawn_blocking(move || {
            Argon2::default()
                .hash_password_with_salt(password.as_bytes(), &salt)
                .map(|hash| hash.to_string())
        })
        .await
        .ok()
        .and_then(Result::ok)
        .ok_or_else(|| AppError::Damaged("the password could not be hashed".into()))
    }

    /// `false` also when there is no stored hash, after as much work.
    pub(crate) async fn verify_password(
        &self,
        password: Zeroizing<String>,
        stored: Option<String>,
    ) -> bool {
        let _turn = self.hashing.acquire().await.expect("the semaphore is never closed");
        let work = move || {
            let known = stored.is_some();
            let text = stored.as_deref().unwrap_or(NOBODY);
            let Ok(parsed) = PasswordHash::new(text) else { return false };
            Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok() && known
        };
        tokio::task::spawn_blocking(work).await.unwrap_or(false)
    }
}

/// A hash with the default cost that belongs to no password.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn check_names(user_name: &str, display_name: &str) -> Result<(), AppError> {
    let invalid = |field, text: &str| Err(AppError::Invalid { field, text: text.to_owned() });
    let printable = |s: &str| !s.chars().any(char::is_control);
    match () {
        () if user_name.is_empty() || user_name.chars().count() > 100 || !printable(user_name) => {
            invalid("user_name", "give 1 to 100 printable characters")
        }
        () if display_name.trim().is_empty()
            || display_name.chars().count() > 200
            || !printable(display_name) =>
        {
            invalid("display_name", "give 1 to 200 printable characters")
        }
        () => Ok(()),
    }
}

fn check_roles(roles: &[Role]) -> Result<(), AppError> {
    if roles.is_empty() || roles.contains(&Role::PlatformOperator) {
        let text = String::from("give at least one role of an organization");
        return Err(AppError::Invalid { field: "roles", text });
    }
    Ok(())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    })
}
