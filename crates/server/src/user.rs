//! The organization's users.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use precordia_model::UserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::api::{Addressed, Answers, Changing, Signed, WithBody};
use crate::auth::Caller;
use crate::body::{Checked, Input, secret};
use crate::check;
use crate::error::Failure;
use crate::id::Id;
use crate::state::Server;
use crate::words::{self, Role};

#[derive(Serialize, ToSchema)]
pub(crate) struct User {
    id: Id,
    user_name: String,
    display_name: String,
    roles: Vec<Role>,
    active: bool,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Users {
    users: Vec<User>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    #[schema(min_length = 1, max_length = 100)]
    user_name: String,
    #[schema(min_length = 1, max_length = 200)]
    display_name: String,
    #[schema(min_items = 1, max_items = 9)]
    roles: Vec<Role>,
    #[serde(deserialize_with = "secret")]
    #[schema(value_type = String, min_length = 12, max_length = 256, format = Password)]
    password: Zeroizing<String>,
}

impl Checked for NewUser {
    fn check(&self) -> Result<(), Failure> {
        check::line("user_name", &self.user_name, 1, 100)?;
        check::line("display_name", &self.display_name, 1, 200)?;
        check::count("roles", self.roles.len(), 1, 9)?;
        check::secret("password", &self.password, 12, 256)
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserChange {
    #[schema(min_items = 1, max_items = 9)]
    roles: Option<Vec<Role>>,
    active: Option<bool>,
    #[schema(min_length = 1, max_length = 200)]
    display_name: Option<String>,
}

impl Checked for UserChange {
    fn check(&self) -> Result<(), Failure> {
        if let Some(roles) = &self.roles {
            check::count("roles", roles.len(), 1, 9)?;
        }
        self.display_name
            .as_deref()
            .map_or(Ok(()), |name| check::line("display_name", name, 1, 200))
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordChange {
    #[serde(deserialize_with = "secret")]
    #[schema(value_type = String, min_length = 12, max_length = 256, format = Password)]
    password: Zeroizing<String>,
}

impl Checked for PasswordChange {
    fn check(&self) -> Result<(), Failure> {
        check::secret("password", &self.password, 12, 256)
    }
}

/// The organization's users.
#[utoipa::path(get, path = "/api/users", operation_id = "users", tag = "administration",
    responses((status = 200, body = Users), Answers, Signed))]
pub(crate) async fn users(
    State(server): State<Server>,
    caller: Caller,
) -> Result<Json<Users>, Failure> {
    let users = server.app.users(caller.scope()).await?;
    Ok(Json(Users { users: users.into_iter().map(User::from).collect() }))
}

/// Add a user.
#[utoipa::path(post, path = "/api/users", operation_id = "add_user", tag = "administration", request_body = NewUser,
    responses((status = 201, body = User), Answers, Signed, WithBody, Changing))]
pub(crate) async fn add_user(
    State(server): State<Server>,
    caller: Caller,
    Input(body): Input<NewUser>,
) -> Result<(StatusCode, Json<User>), Failure> {
    let new = precordia_app::NewUser {
        user_name: body.user_name,
        display_name: body.display_name,
        roles: given(body.roles)?,
        password: body.password,
    };
    let user = server.app.add_user(caller.scope(), new).await?;
    Ok((StatusCode::CREATED, Json(user.into())))
}

/// Change a user. Their sessions end.
#[utoipa::path(put, path = "/api/users/{id}", operation_id = "change_user", tag = "administration",
    params(("id" = Id, Path)), request_body = UserChange,
    responses((status = 200, body = User), Answers, Signed, Addressed, WithBody, Changing))]
pub(crate) async fn change_user(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
    Input(body): Input<UserChange>,
) -> Result<Json<User>, Failure> {
    let id = UserId(caller.id(&server, &id).await?);
    let change = precordia_app::UserChange {
        display_name: body.display_name,
        roles: body.roles.map(given).transpose()?,
        active: body.active,
    };
    let changed = server.app.change_user(caller.scope(), id, change).await;
    Ok(Json(caller.done(&server, changed).await?.into()))
}

/// Give a user a new password. Their sessions end.
#[utoipa::path(post, path = "/api/users/{id}/password", operation_id = "set_password", tag = "administration",
    params(("id" = Id, Path)), request_body = PasswordChange,
    responses((status = 204), Answers, Signed, Addressed, WithBody, Changing))]
pub(crate) async fn set_password(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
    Input(body): Input<PasswordChange>,
) -> Result<StatusCode, Failure> {
    let id = UserId(caller.id(&server, &id).await?);
    let set = server.app.set_password(caller.scope(), id, body.password).await;
    caller.done(&server, set).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Each role once, in the order of the table. The platform's own is not an organization's to give.
pub(crate) fn given(roles: Vec<Role>) -> Result<Vec<precordia_model::Role>, Failure> {
    let mut roles: Vec<precordia_model::Role> = roles.into_iter().map(Into::into).collect();
    roles.sort_unstable();
    roles.dedup();
    if roles.contains(&precordia_model::Role::PlatformOperator) {
        let detail = "an organization cannot give a role of the platform";
        return Err(Failure::new(StatusCode::FORBIDDEN, "role_of_the_platform", detail));
    }
    Ok(roles)
}

impl From<precordia_app::User> for User {
    fn from(user: precordia_app::User) -> Self {
        Self {
            id: Id(user.id.0),
            user_name: words::shown(&user.profile.user_name),
            display_name: words::shown(&user.profile.display_name),
            roles: user.roles.into_iter().map(Role::from).collect(),
            active: user.active,
        }
    }
}
