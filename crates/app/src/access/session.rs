//! Signing in, staying signed in, and what a request may do.
//!
//! A session is a row of its organization's own storage; its cookie names the organization, so it cannot
//! be shown to another. Secrets are 256 random bits and only their hashes are kept.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use precordia_model::{
    OrganizationId, Phi, RequestId, Role, SessionId, SiteId, Timestamp, TokenId, UserId,
};
use precordia_rules::access::{BREAK_GLASS_SECONDS, Permission, permissions};
use precordia_rules::event::{BreakGlassOpened, Event};
use zeroize::Zeroizing;

use super::{ACCOUNT, Actor, OrgScope, PEER, PlatformScope, Purpose};
use crate::app::{App, AppError};
use crate::keys::KeyError;
use crate::ledger::{Draft, open_value};
use crate::port::{NewAccess, OrganizationRow, Realm, RealmId, SessionRow, Stream, UserRow};
use crate::user::UserProfile;

/// `seen_at` is written at most this often.
const SEEN_EVERY_SECONDS: i64 = 30;
const TOKEN_PREFIX: &str = "pct";

/// What the screen is told about the one who is signed in.
#[derive(Clone, Debug)]
pub struct SessionView {
    pub organization: OrganizationRow,
    pub sites: Vec<(SiteId, String)>,
    pub user: UserId,
    pub user_name: Phi<String>,
    pub display_name: Phi<String>,
    pub roles: Vec<Role>,
    pub permissions: Vec<Permission>,
    pub csrf_token: String,
    pub idle_seconds: i64,
    pub expires_at: Timestamp,
    pub break_glass: Option<(Phi<String>, Timestamp)>,
}

pub struct SignedIn {
    /// The cookie's value.
    pub cookie: Zeroizing<String>,
    pub view: SessionView,
}

#[derive(Debug, thiserror::Error)]
pub enum SignInRefusal {
    /// Organization, user or password: not said which.
    #[error("organization, user name or password is wrong")]
    Wrong,
    #[error("too many failed tries; wait {seconds} s")]
    Wait { seconds: i64 },
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<crate::port::StoreError> for SignInRefusal {
    fn from(cause: crate::port::StoreError) -> Self {
        Self::App(cause.into())
    }
}

impl From<KeyError> for SignInRefusal {
    fn from(cause: KeyError) -> Self {
        Self::App(cause.into())
    }
}

impl App {
    /// The control ledger, for whoever runs this program on its own machine.
    pub fn local_operator(&self) -> PlatformScope {
        PlatformScope::new("platform/local", self.new_request())
    }

    pub(crate) fn platform(&self) -> PlatformScope {
        PlatformScope::new("system/server", self.new_request())
    }

    /// `peer` is the sender's network address; it is used for slowing guesses and nothing else.
    pub async fn sign_in(
        &self,
        slug: &str,
        user_name: &str,
        password: Zeroizing<String>,
        peer: &str,
    ) -> Result<SignedIn, SignInRefusal> {
        let now = self.now();
        let name = format!("{ACCOUNT}{slug}/{}", precordia_interop::fhir::fold(user_name));
        let peer = format!("{PEER}{peer}");
        if let Err(seconds) = self.throttle.begin(&[&name, &peer], now) {
            return Err(SignInRefusal::Wait { seconds });
        }
        let (found, stored) = match self.find_account(slug, user_name).await {
            Ok(found) => found,
            Err(cause) => {
                self.throttle.undone(&[&name, &peer]);
                return Err(cause.into());
            }
        };
        // Somebody who is not there costs as much as somebody who is.
        let right = self.verify_password(password, stored).await;
        match found {
            Some((organization, user)) if right && user.active => {
                self.throttle.succeeded(&name, Some(&peer));
                Ok(self.open_session(organization, user).await?)
            }
            _ => Err(SignInRefusal::Wrong),
        }
    }

    /// Who it is, if anybody, with the hash of their password.
    async fn find_account(
        &self,
        slug: &str,
        user_name: &str,
    ) -> Result<(Option<(OrganizationRow, UserRow)>, Option<String>), AppError> {
        let Some((organization, user)) = self.find_user(slug, user_name).await? else {
            return Ok((None, None));
        };
        let scope = self.system_scope(organization.id, "sign-in");
        let stored = self.ports.accounts.password_hash((&scope).into(), user.id).await?;
        Ok((Some((organization, user)), stored))
    }

    async fn find_user(
        &self,
        slug: &str,
        user_name: &str,
    ) -> Result<Option<(OrganizationRow, UserRow)>, AppError> {
        let Some(organization) =
            self.ports.directory.organization_by_slug(&self.platform(), slug).await?
        else {
            return Ok(None);
        };
        let scope = self.system_scope(organization.id, "sign-in");
        let keys = self.keyring.realm((&scope).into()).await?;
        let login = crate::view::user::login(&keys.index, user_name);
        let user = self.ports.accounts.user_by_login((&scope).into(), &login).await?;
        Ok(user.map(|user| (organization, user)))
    }

    pub(crate) async fn open_session(
        &self,
        organization: OrganizationRow,
        user: UserRow,
    ) -> Result<SignedIn, AppError> {
        let now = self.now();
        let id = SessionId(self.new_id());
        let secret = self.new_secret();
        let row = SessionRow {
            id,
            user: user.id,
            secret_hash: hash(&secret),
            created_at: now,
            seen_at: now,
            expires_at: now.plus_seconds(self.settings.session_seconds),
            break_glass_until: None,
            break_glass_reason: None,
        };
        let scope = self.system_scope(organization.id, "sign-in");
        self.ports.accounts.add_session((&scope).into(), &row).await?;
        let mut access = self.access_row(&scope, "session.open", format!("user/{}", user.id), "ok");
        access.actor = format!("user/{}", user.id);
        access.roles = user.roles.clone();
        self.write_access((&scope).into(), access).await?;
        let cookie = Zeroizing::new(format!(
            "{}.{}.{}",
            organization.id.0.simple(),
            id.0.simple(),
            &*secret
        ));
        let view = self.session_view(organization, &user, &row, &secret).await?;
        Ok(SignedIn { cookie, view })
    }

    /// The handle that a cookie proves, or `None`.
    pub async fn session(
        &self,
        cookie: &str,
        request: RequestId,
    ) -> Result<Option<Session>, AppError> {
        let Some((organization, session, secret)) = parse_cookie(cookie) else { return Ok(None) };
        let Some(organization) =
            self.ports.directory.organization(&self.platform(), organization).await?
        else {
            return Ok(None);
        };
        let system = self.system_scope(organization.id, "sign-in");
        let realm = Realm::from(&system);
        let Some(mut row) = self.ports.accounts.session(realm, session).await? else {
            return Ok(None);
        };
        let now = self.now();
        let fresh =
            now < row.expires_at && now < row.seen_at.plus_seconds(self.settings.idle_seconds);
        if !fresh || verify_slices_are_equal(&row.secret_hash, &hash(secret)).is_err() {
            return Ok(None);
        }
        let Some(user) =
            self.ports.accounts.user(realm, row.user).await?.filter(|user| user.active)
        else {
            return Ok(None);
        };
        if now >= row.seen_at.plus_seconds(SEEN_EVERY_SECONDS) {
            row.seen_at = now;
            self.ports.accounts.session_seen(realm, row.id, now).await?;
        }
        let roles = parse_roles(&user.roles);
        let break_glass = row.break_glass_until.is_some_and(|until| now < until);
        let actor = Actor::User { user: user.id, session: row.id };
        let purpose = if break_glass { Purpose::Emergency } else { purpose_of(&roles) };
        let scope = OrgScope::new(
            organization.id,
            actor,
            roles.clone(),
            permissions(&roles, break_glass),
            purpose,
            request,
        );
        Ok(Some(Session {
            scope,
            organization,
            user,
            row,
            secret: Zeroizing::new(secret.to_owned()),
        }))
    }

    /// The handle that an API token proves, or `None`.
    pub async fn api_token(
        &self,
        text: &str,
        request: RequestId,
    ) -> Result<Option<OrgScope>, AppError> {
        let Some((organization, token, secret)) = parse_api_token(text) else { return Ok(None) };
        if self.ports.directory.organization(&self.platform(), organization).await?.is_none() {
            return Ok(None);
        }
        let system = self.system_scope(organization, "sign-in");
        let Some(row) = self.ports.accounts.api_token(&system, token).await? else {
            return Ok(None);
        };
        let now = self.now();
        let valid = row.revoked_at.is_none() && row.expires_at.is_none_or(|at| now < at);
        if !valid || verify_slices_are_equal(&row.secret_hash, &hash(secret)).is_err() {
            return Ok(None);
        }
        let user = self.ports.accounts.user((&system).into(), row.user).await?;
        if !user.is_some_and(|user| user.active) {
            return Ok(None);
        }
        let roles = parse_roles(&row.roles);
        let actor = Actor::Token { user: row.user, token: row.id };
        let purpose = purpose_of(&roles);
        Ok(Some(OrgScope::new(
            organization,
            actor,
            roles.clone(),
            permissions(&roles, false),
            purpose,
            request,
        )))
    }

    pub async fn view_session(&self, session: &Session) -> Result<SessionView, AppError> {
        self.session_view(
            session.organization.clone(),
            &session.user,
            &session.row,
            &session.secret,
        )
        .await
    }

    async fn session_view(
        &self,
        organization: OrganizationRow,
        user: &UserRow,
        row: &SessionRow,
        secret: &str,
    ) -> Result<SessionView, AppError> {
        let scope = self.system_scope(organization.id, "sign-in");
        let realm = Realm::from(&scope);
        let profile = self.user_profile(realm, user).await?;
        let sites = self.ports.directory.sites(&self.platform(), organization.id).await?;
        let now = self.now();
        let break_glass = match (&row.break_glass_reason, row.break_glass_until) {
            (Some(sealed), Some(until)) if now < until => {
                Some((self.open_reason(realm, row.id, sealed).await?, until))
            }
            _ => None,
        };
        let roles = parse_roles(&user.roles);
        Ok(SessionView {
            permissions: permissions(&roles, break_glass.is_some()).into_iter().collect(),
            organization,
            sites: sites.into_iter().map(|site| (site.id, site.name)).collect(),
            user: user.id,
            user_name: profile.user_name,
            display_name: profile.display_name,
            roles,
            csrf_token: csrf_of(secret),
            idle_seconds: self.settings.idle_seconds,
            expires_at: row.expires_at,
            break_glass,
        })
    }

    async fn open_reason(
        &self,
        realm: Realm<'_>,
        session: SessionId,
        sealed: &[u8],
    ) -> Result<Phi<String>, AppError> {
        let stream = format!("session/{session}");
        let id = crate::ledger::named_key(sealed, &stream, "reason")?;
        let key = self.keyring.open(realm, &[id]).await?.get(id)?;
        open_value(realm.id(), &key, &stream, "reason", 1, sealed)
    }

    pub async fn sign_out(&self, session: &Session) -> Result<(), AppError> {
        let realm = Realm::from(&session.scope);
        self.ports.accounts.remove_session(realm, session.row.id).await?;
        let target = format!("user/{}", session.user.id);
        self.write_access(realm, self.access_row(&session.scope, "session.close", target, "ok"))
            .await
    }

    /// Reading permissions outside the role, for a reason that is kept and shown.
    pub async fn break_glass(
        &self,
        session: &Session,
        reason: &str,
    ) -> Result<SessionView, AppError> {
        self.require(&session.scope, Permission::BreakGlass, "break-glass.open", "-").await?;
        let reason = reason.trim();
        if !(8..=500).contains(&reason.chars().count()) {
            let text = String::from("say in 8 to 500 characters why you need access");
            return Err(AppError::Invalid { field: "reason", text });
        }
        let reason = Phi::new(reason.to_owned());
        let realm = Realm::from(&session.scope);
        let keys = self.keyring.realm(realm).await?;
        let mut draft = Draft::new(self, realm);
        let stream = Stream::new("break-glass", self.new_id());
        let opened = BreakGlassOpened {
            user: session.user.id,
            reason: reason.clone(),
            seconds: BREAK_GLASS_SECONDS,
        };
        draft.event(&keys.organization, &stream, 1, &Event::BreakGlassOpened(opened));
        let mut row = session.row.clone();
        let sealing_stream = format!("session/{}", row.id);
        let sealed = draft.sealed(&keys.organization, &sealing_stream, "reason", 1, &reason);
        let until = self.now().plus_seconds(BREAK_GLASS_SECONDS);
        row.break_glass_reason = Some(sealed.clone());
        row.break_glass_until = Some(until);
        let mut access =
            self.access_row(&session.scope, "break-glass.open", stream.0.clone(), "ok");
        access.purpose = Purpose::Emergency.name().to_owned();
        let sealing_stream = format!("access/{}", session.scope.request());
        access.detail =
            Some(draft.sealed(&keys.organization, &sealing_stream, "detail", 1, &reason));
        draft.batch.access.push(access);
        draft.commit(realm).await?;
        self.ports.accounts.set_break_glass(realm, row.id, Some((until, sealed))).await?;
        self.session_view(session.organization.clone(), &session.user, &row, &session.secret).await
    }

    pub async fn end_break_glass(&self, session: &Session) -> Result<SessionView, AppError> {
        let mut row = session.row.clone();
        row.break_glass_until = None;
        row.break_glass_reason = None;
        self.ports.accounts.set_break_glass((&session.scope).into(), row.id, None).await?;
        self.session_view(session.organization.clone(), &session.user, &row, &session.secret).await
    }

    /// The program's own handle to an organization; see [`OrgScope::system`].
    pub(crate) fn system_scope(
        &self,
        organization: OrganizationId,
        role: &'static str,
    ) -> OrgScope {
        OrgScope::system(organization, role, self.new_request())
    }

    pub(crate) fn access_row(
        &self,
        scope: &OrgScope,
        action: &str,
        target: impl Into<String>,
        outcome: &str,
    ) -> NewAccess {
        NewAccess {
            at: self.now(),
            actor: scope.actor().name(),
            roles: scope.role_names(),
            action: action.to_owned(),
            target: target.into(),
            purpose: scope.purpose().name().to_owned(),
            outcome: outcome.to_owned(),
            request: scope.request(),
            detail: None,
        }
    }

    pub(crate) async fn write_access(
        &self,
        realm: Realm<'_>,
        row: NewAccess,
    ) -> Result<(), AppError> {
        let batch = crate::port::Batch { access: vec![row], ..Default::default() };
        self.append(realm, batch).await?;
        Ok(())
    }

    /// 256 random bits, URL-safe.
    pub(crate) fn new_secret(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0u8; 32]);
        self.ports.random.fill(&mut *bytes);
        Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice()))
    }

    pub(crate) fn api_token_text(
        organization: OrganizationId,
        token: TokenId,
        secret: &str,
    ) -> Zeroizing<String> {
        Zeroizing::new(format!(
            "{TOKEN_PREFIX}.{}.{}.{secret}",
            organization.0.simple(),
            token.0.simple()
        ))
    }
}

/// A signed-in user's request.
pub struct Session {
    pub scope: OrgScope,
    organization: OrganizationRow,
    user: UserRow,
    row: SessionRow,
    secret: Zeroizing<String>,
}

impl Session {
    /// Whether the request carries the token that only our own page knows.
    pub fn csrf_matches(&self, token: &str) -> bool {
        verify_slices_are_equal(csrf_of(&self.secret).as_bytes(), token.as_bytes()).is_ok()
    }
}

pub(crate) fn hash(secret: &str) -> Vec<u8> {
    digest(&SHA256, secret.as_bytes()).as_ref().to_vec()
}

/// Derived from the session's secret, so that it need not be kept.
fn csrf_of(secret: &str) -> String {
    let mut bytes = b"precordia.csrf.1".to_vec();
    bytes.extend_from_slice(secret.as_bytes());
    URL_SAFE_NO_PAD.encode(digest(&SHA256, &bytes))
}

fn parse_cookie(cookie: &str) -> Option<(OrganizationId, SessionId, &str)> {
    let mut parts = cookie.split('.');
    let organization = parts.next()?.parse().ok()?;
    let session = parts.next()?.parse().ok()?;
    let secret = parts.next()?;
    parts.next().is_none().then_some((organization, session, secret))
}

fn parse_api_token(text: &str) -> Option<(OrganizationId, TokenId, &str)> {
    let mut parts = text.split('.');
    let prefixed = parts.next()? == TOKEN_PREFIX;
    let organization = parts.next()?.parse().ok()?;
    let token = parts.next()?.parse().ok()?;
    let secret = parts.next()?;
    (prefixed && parts.next().is_none()).then_some((organization, token, secret))
}

pub(crate) fn parse_roles(text: &str) -> Vec<Role> {
    text.split(',').filter_map(Role::parse).collect()
}

pub(crate) fn role_names(roles: &[Role]) -> String {
    roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(",")
}

fn purpose_of(roles: &[Role]) -> Purpose {
    let any = |wanted: &[Role]| roles.iter().any(|role| wanted.contains(role));
    match () {
        () if any(&[Role::Technician, Role::Nurse, Role::Physician, Role::Cardiologist]) => {
            Purpose::Treatment
        }
        () if any(&[Role::Auditor]) => Purpose::Audit,
        () if any(&[Role::Researcher]) => Purpose::Research,
        () => Purpose::Operations,
    }
}

impl App {
    pub(crate) async fn user_profile(
        &self,
        realm: Realm<'_>,
        user: &UserRow,
    ) -> Result<UserProfile, AppError> {
        let stream = format!("user/{}", user.id);
        let id = crate::ledger::named_key(&user.sealed, &stream, "profile")?;
        let key = self.keyring.open(realm, &[id]).await?.get(id)?;
        let realm: RealmId = realm.id();
        open_value(realm, &key, &stream, "profile", user.version, &user.sealed)
    }
}
