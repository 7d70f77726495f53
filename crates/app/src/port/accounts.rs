//! Users, sessions and API tokens of an organization, and the platform's directory.
//!
//! Who a user is and what they may do are facts of the ledger; their views are here. Secrets (password
//! hashes, session and token hashes) are not facts and never enter an event: they live only in these
//! rows and vanish with them.

use async_trait::async_trait;
use precordia_model::{OrganizationId, SessionId, SiteId, Timestamp, TokenId, UserId};

use super::{Realm, StoreError, Version};
use crate::access::{OrgScope, PlatformScope};

/// View row of a user. `login` is a keyed token of the folded user name; names are sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRow {
    pub id: UserId,
    pub login: Vec<u8>,
    /// Comma-separated role names.
    pub roles: String,
    pub active: bool,
    /// Stream version that this row reflects.
    pub version: Version,
    pub sealed: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    pub id: SessionId,
    pub user: UserId,
    /// SHA-256 of the cookie's secret.
    pub secret_hash: Vec<u8>,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    pub expires_at: Timestamp,
    pub break_glass_until: Option<Timestamp>,
    pub break_glass_reason: Option<Vec<u8>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiTokenRow {
    pub id: TokenId,
    /// The service user that the token acts as.
    pub user: UserId,
    pub label: String,
    pub secret_hash: Vec<u8>,
    pub roles: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

#[async_trait]
pub trait Accounts: Send + Sync {
    async fn user(&self, realm: Realm<'_>, id: UserId) -> Result<Option<UserRow>, StoreError>;
    async fn user_by_login(
        &self,
        realm: Realm<'_>,
        login: &[u8],
    ) -> Result<Option<UserRow>, StoreError>;
    async fn users(&self, realm: Realm<'_>) -> Result<Vec<UserRow>, StoreError>;

    async fn password_hash(
        &self,
        realm: Realm<'_>,
        user: UserId,
    ) -> Result<Option<String>, StoreError>;

    /// Every user's, ascending by id.
    async fn password_hashes(&self, realm: Realm<'_>) -> Result<Vec<(UserId, String)>, StoreError>;

    async fn add_session(&self, realm: Realm<'_>, session: &SessionRow) -> Result<(), StoreError>;
    async fn session(
        &self,
        realm: Realm<'_>,
        id: SessionId,
    ) -> Result<Option<SessionRow>, StoreError>;
    /// Moves `seen_at` on, never back. Writes nothing else: a request that began before another ended
    /// break-glass must not bring it back.
    async fn session_seen(
        &self,
        realm: Realm<'_>,
        id: SessionId,
        at: Timestamp,
    ) -> Result<(), StoreError>;
    /// Until when, and the sealed reason; `None` ends it.
    async fn set_break_glass(
        &self,
        realm: Realm<'_>,
        id: SessionId,
        open: Option<(Timestamp, Vec<u8>)>,
    ) -> Result<(), StoreError>;
    async fn remove_session(&self, realm: Realm<'_>, id: SessionId) -> Result<(), StoreError>;
    async fn remove_sessions_of(&self, realm: Realm<'_>, user: UserId) -> Result<(), StoreError>;
    async fn remove_sessions_expired(
        &self,
        realm: Realm<'_>,
        now: Timestamp,
    ) -> Result<u64, StoreError>;

    async fn put_api_token(&self, scope: &OrgScope, token: &ApiTokenRow) -> Result<(), StoreError>;
    async fn api_token(
        &self,
        scope: &OrgScope,
        id: TokenId,
    ) -> Result<Option<ApiTokenRow>, StoreError>;
    async fn api_tokens(&self, scope: &OrgScope) -> Result<Vec<ApiTokenRow>, StoreError>;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationRow {
    pub id: OrganizationId,
    /// What a person types at sign-in: lower-case letters, digits and hyphens.
    pub slug: String,
    pub name: String,
    /// SHA-256, hex, of the one-time code of the first administrator; `None` once used.
    pub setup_code_hash: Option<String>,
    pub version: Version,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteRow {
    pub id: SiteId,
    pub organization: OrganizationId,
    pub name: String,
    /// IANA name; how this site's local times are shown.
    pub time_zone: String,
}

/// The control ledger's views. Holds no patient.
#[async_trait]
pub trait Directory: Send + Sync {
    async fn organizations(
        &self,
        scope: &PlatformScope,
    ) -> Result<Vec<OrganizationRow>, StoreError>;
    async fn organization_by_slug(
        &self,
        scope: &PlatformScope,
        slug: &str,
    ) -> Result<Option<OrganizationRow>, StoreError>;
    async fn organization(
        &self,
        scope: &PlatformScope,
        id: OrganizationId,
    ) -> Result<Option<OrganizationRow>, StoreError>;
    async fn sites(
        &self,
        scope: &PlatformScope,
        organization: OrganizationId,
    ) -> Result<Vec<SiteRow>, StoreError>;

    /// Creates the organization's own storage (file or schema, role, blob root); not an error when it is there.
    async fn provision(
        &self,
        scope: &PlatformScope,
        organization: OrganizationId,
    ) -> Result<(), StoreError>;
}
