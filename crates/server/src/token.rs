//! Tokens of the organization's programs.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use precordia_app::port::ApiTokenRow;
use precordia_model::{Timestamp, TokenId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::{Addressed, Answers, Changing, Signed, WithBody};
use crate::auth::Caller;
use crate::body::{Checked, Input};
use crate::check;
use crate::error::Failure;
use crate::id::Id;
use crate::state::Server;
use crate::user::given;
use crate::words::{self, Role};

#[derive(Serialize, ToSchema)]
pub(crate) struct ApiToken {
    id: Id,
    label: String,
    roles: Vec<Role>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ApiTokens {
    tokens: Vec<ApiToken>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewApiToken {
    #[schema(min_length = 1, max_length = 100)]
    label: String,
    #[schema(min_items = 1, max_items = 9)]
    roles: Vec<Role>,
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

impl Checked for NewApiToken {
    fn check(&self) -> Result<(), Failure> {
        check::line("label", &self.label, 1, 100)?;
        check::count("roles", self.roles.len(), 1, 9)?;
        self.expires_at().map(drop)
    }
}

impl NewApiToken {
    fn expires_at(&self) -> Result<Option<Timestamp>, Failure> {
        let parse = |text: &str| {
            let at = Timestamp::parse_rfc3339(text);
            at.ok_or_else(|| {
                Failure::invalid("expires_at", "give a date and time with its offset from UTC")
            })
        };
        self.expires_at.as_deref().map(parse).transpose()
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedApiToken {
    id: Id,
    /// Shown this once and not kept.
    token: String,
}

/// Tokens that work.
#[utoipa::path(get, path = "/api/tokens", operation_id = "tokens", tag = "administration",
    responses((status = 200, body = ApiTokens), Answers, Signed))]
pub(crate) async fn tokens(
    State(server): State<Server>,
    caller: Caller,
) -> Result<Json<ApiTokens>, Failure> {
    let rows = server.app.tokens(caller.scope()).await?;
    let tokens = rows.iter().filter(|row| row.revoked_at.is_none()).map(ApiToken::from).collect();
    Ok(Json(ApiTokens { tokens }))
}

/// Make a token for a program.
#[utoipa::path(post, path = "/api/tokens", operation_id = "add_token", tag = "administration",
    request_body = NewApiToken,
    responses((status = 201, body = CreatedApiToken), Answers, Signed, WithBody, Changing))]
pub(crate) async fn add_token(
    State(server): State<Server>,
    caller: Caller,
    Input(body): Input<NewApiToken>,
) -> Result<(StatusCode, Json<CreatedApiToken>), Failure> {
    let expires_at = body.expires_at()?;
    if expires_at.is_some_and(|at| at <= server.app.now()) {
        return Err(Failure::new(
            StatusCode::CONFLICT,
            "expired_already",
            "the token would end before it begins",
        ));
    }
    let roles = given(body.roles)?;
    let (id, token) =
        server.app.issue_token(caller.scope(), &body.label, roles, expires_at).await?;
    Ok((StatusCode::CREATED, Json(CreatedApiToken { id: Id(id.0), token: token.to_string() })))
}

/// End a token.
#[utoipa::path(delete, path = "/api/tokens/{id}", operation_id = "remove_token", tag = "administration",
    params(("id" = Id, Path)), responses((status = 204), Answers, Signed, Addressed, Changing))]
pub(crate) async fn remove_token(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let id = TokenId(caller.id(&server, &id).await?);
    let revoked = server.app.revoke_token(caller.scope(), id).await;
    caller.done(&server, revoked).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<&ApiTokenRow> for ApiToken {
    fn from(row: &ApiTokenRow) -> Self {
        let roles = row.roles.split(',').filter_map(precordia_model::Role::parse).map(Role::from);
        Self {
            id: Id(row.id.0),
            label: row.label.clone(),
            roles: roles.collect(),
            created_at: words::time(row.created_at),
            expires_at: row.expires_at.map(words::time),
        }
    }
}
