//! Signing in and out, who is signed in, and access outside the role.

use std::net::IpAddr;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{RequestExt, debug_handler};
use precordia_app::access::{SessionView, SignedIn};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::api::{Answers, Changing, Signed, WithBody};
use crate::auth::{Caller, cookie_name};
use crate::body::{Checked, Input, secret};
use crate::check;
use crate::error::Failure;
use crate::id::Id;
use crate::problem::Problem;
use crate::state::Server;
use crate::words::{self, Role};

/// A sign-in that the demo shows to everybody.
#[derive(Clone, Debug)]
pub struct DemoSignIn {
    pub organization: String,
    pub organization_name: String,
    pub user_name: String,
    pub password: String,
    pub roles: Vec<precordia_model::Role>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    /// The organization's short name.
    #[schema(min_length = 1, max_length = 100)]
    organization: String,
    #[schema(min_length = 1, max_length = 100)]
    user_name: String,
    #[serde(deserialize_with = "secret")]
    #[schema(value_type = String, min_length = 1, max_length = 256, format = Password)]
    password: Zeroizing<String>,
}

impl Checked for SignIn {
    fn check(&self) -> Result<(), Failure> {
        check::line("organization", &self.organization, 1, 100)?;
        check::line("user_name", &self.user_name, 1, 100)?;
        check::secret("password", &self.password, 1, 256)
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Session {
    /// Goes into the header `X-CSRF-Token` of every request that changes something.
    csrf_token: String,
    organization: OrganizationRef,
    user: SessionUser,
    permissions: Vec<String>,
    sites: Vec<SiteRef>,
    /// The session ends after so long without a request.
    idle_timeout_s: i64,
    #[schema(format = DateTime)]
    expires_at: String,
    break_glass: Option<BreakGlass>,
    software_version: String,
    demo: bool,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OrganizationRef {
    id: Id,
    slug: String,
    name: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SiteRef {
    pub id: Id,
    pub name: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SessionUser {
    id: Id,
    display_name: String,
    user_name: String,
    roles: Vec<Role>,
}

/// Reading outside the role, for a stated reason.
#[derive(Serialize, ToSchema)]
pub(crate) struct BreakGlass {
    reason: String,
    #[schema(format = DateTime)]
    until: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BreakGlassRequest {
    /// Why you need access; it is kept and shown.
    #[schema(min_length = 8, max_length = 500)]
    reason: String,
}

impl Checked for BreakGlassRequest {
    fn check(&self) -> Result<(), Failure> {
        check::line("reason", &self.reason, 8, 500)
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct DemoSignIns {
    sign_ins: Vec<DemoSignInAnswer>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = DemoSignIn)]
pub(crate) struct DemoSignInAnswer {
    organization: String,
    organization_name: String,
    user_name: String,
    password: String,
    roles: Vec<Role>,
}

/// Sign in. The answer sets the session's cookie.
#[utoipa::path(post, path = "/api/session", operation_id = "sign_in", tag = "session", request_body = SignIn,
    responses((status = 200, body = Session), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 429, body = Problem, content_type = "application/problem+json"), Answers, WithBody),
    security(()))]
#[debug_handler]
pub(crate) async fn sign_in(
    State(server): State<Server>,
    request: Request,
) -> Result<Response, Failure> {
    let peer = sender(server.proxies.client_of(&request));
    let Input(SignIn { organization, user_name, password }) = request.extract().await?;
    let signed_in = server.app.sign_in(organization.trim(), &user_name, password, &peer).await?;
    Ok(with_cookie(&server, StatusCode::OK, signed_in))
}

/// Who is signed in.
#[utoipa::path(get, path = "/api/session", operation_id = "session", tag = "session",
    responses((status = 200, body = Session), Answers, Signed))]
pub(crate) async fn session(
    State(server): State<Server>,
    caller: Caller,
) -> Result<Json<Session>, Failure> {
    let view = server.app.view_session(caller.session()?).await?;
    Ok(Json(answer(&server, view)))
}

/// Sign out.
#[utoipa::path(delete, path = "/api/session", operation_id = "sign_out", tag = "session",
    responses((status = 204), Answers, Signed))]
pub(crate) async fn sign_out(
    State(server): State<Server>,
    caller: Caller,
) -> Result<Response, Failure> {
    server.app.sign_out(caller.session()?).await?;
    let mut headers = HeaderMap::new();
    headers.insert(header::SET_COOKIE, cookie(&server, "", "; Max-Age=0")?);
    Ok((StatusCode::NO_CONTENT, headers).into_response())
}

/// Read outside the role, for a reason that is kept and shown.
#[utoipa::path(post, path = "/api/break-glass", operation_id = "break_glass", tag = "session",
    request_body = BreakGlassRequest,
    responses((status = 200, body = Session), Answers, Signed, WithBody, Changing))]
pub(crate) async fn break_glass(
    State(server): State<Server>,
    caller: Caller,
    Input(body): Input<BreakGlassRequest>,
) -> Result<Json<Session>, Failure> {
    let view = server.app.break_glass(caller.session()?, &body.reason).await?;
    Ok(Json(answer(&server, view)))
}

/// End reading outside the role.
#[utoipa::path(delete, path = "/api/break-glass", operation_id = "end_break_glass", tag = "session",
    responses((status = 200, body = Session), Answers, Signed))]
pub(crate) async fn end_break_glass(
    State(server): State<Server>,
    caller: Caller,
) -> Result<Json<Session>, Failure> {
    let view = server.app.end_break_glass(caller.session()?).await?;
    Ok(Json(answer(&server, view)))
}

/// The demo's sign-ins. There are none anywhere else.
#[utoipa::path(get, path = "/api/demo-sign-ins", operation_id = "demo_sign_ins", tag = "session",
    responses((status = 200, body = DemoSignIns),
        (status = 404, body = Problem, content_type = "application/problem+json"), Answers),
    security(()))]
pub(crate) async fn demo_sign_ins(
    State(server): State<Server>,
) -> Result<Json<DemoSignIns>, Failure> {
    let known = server.demo.as_ref().ok_or_else(Failure::not_found)?;
    let sign_ins = known
        .iter()
        .map(|one| DemoSignInAnswer {
            organization: one.organization.clone(),
            organization_name: one.organization_name.clone(),
            user_name: one.user_name.clone(),
            password: one.password.clone(),
            roles: one.roles.iter().map(|role| (*role).into()).collect(),
        })
        .collect();
    Ok(Json(DemoSignIns { sign_ins }))
}

/// The session, and the cookie that proves it.
pub(crate) fn with_cookie(server: &Server, status: StatusCode, signed_in: SignedIn) -> Response {
    match cookie(server, &signed_in.cookie, "") {
        Ok(cookie) => {
            let body = Json(answer(server, signed_in.view));
            (status, [(header::SET_COOKIE, cookie)], body).into_response()
        }
        Err(failure) => failure.into_response(),
    }
}

/// It lasts as long as the browser runs; how long the session lasts is the server's to say.
fn cookie(server: &Server, value: &str, more: &str) -> Result<HeaderValue, Failure> {
    let name = cookie_name(server);
    let secure = if server.is_secure() { "; Secure" } else { "" };
    let text =
        Zeroizing::new(format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{more}"));
    let mut cookie = HeaderValue::from_str(&text).map_err(Failure::internal)?;
    cookie.set_sensitive(true);
    Ok(cookie)
}

fn answer(server: &Server, view: SessionView) -> Session {
    Session {
        csrf_token: view.csrf_token,
        organization: OrganizationRef {
            id: Id(view.organization.id.0),
            slug: view.organization.slug,
            name: view.organization.name,
        },
        user: SessionUser {
            id: Id(view.user.0),
            display_name: words::shown(&view.display_name),
            user_name: words::shown(&view.user_name),
            roles: view.roles.into_iter().map(Role::from).collect(),
        },
        permissions: view
            .permissions
            .iter()
            .map(|permission| permission.name().to_owned())
            .collect(),
        sites: view.sites.into_iter().map(|(id, name)| SiteRef { id: Id(id.0), name }).collect(),
        idle_timeout_s: view.idle_seconds,
        expires_at: words::time(view.expires_at),
        break_glass: view.break_glass.map(|(reason, until)| BreakGlass {
            reason: words::shown(&reason),
            until: words::time(until),
        }),
        software_version: server.software_version.to_owned(),
        demo: server.demo.is_some(),
    }
}

/// The sender, for slowing guesses. Whoever has one IPv6 address usually has its whole /64.
fn sender(address: Option<IpAddr>) -> String {
    match address {
        None => String::from("unknown"),
        Some(IpAddr::V4(ip)) => ip.to_string(),
        Some(IpAddr::V6(ip)) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}
