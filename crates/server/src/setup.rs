//! The first administrator of an organization.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use zeroize::Zeroizing;

use crate::api::{Answers, BadQuery, Changing, WithBody};
use crate::body::{Checked, Input, Params, secret};
use crate::check;
use crate::error::Failure;
use crate::problem::Problem;
use crate::session::{self, Session};
use crate::state::Server;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetupQuery {
    /// The organization's short name.
    #[param(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    organization: String,
}

impl Checked for SetupQuery {
    fn check(&self) -> Result<(), Failure> {
        check::line("organization", &self.organization, 1, 100)
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SetupState {
    /// Whether the first administrator is still to be made.
    needed: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Setup {
    #[schema(min_length = 1, max_length = 100)]
    organization: String,
    /// The one-time code that `precordia org apply` printed.
    #[serde(deserialize_with = "secret")]
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    code: Zeroizing<String>,
    #[schema(min_length = 1, max_length = 100)]
    user_name: String,
    #[schema(min_length = 1, max_length = 200)]
    display_name: String,
    #[serde(deserialize_with = "secret")]
    #[schema(value_type = String, min_length = 12, max_length = 256, format = Password)]
    password: Zeroizing<String>,
}

impl Checked for Setup {
    fn check(&self) -> Result<(), Failure> {
        check::line("organization", &self.organization, 1, 100)?;
        check::secret("code", &self.code, 1, 100)?;
        check::line("user_name", &self.user_name, 1, 100)?;
        check::line("display_name", &self.display_name, 1, 200)?;
        check::secret("password", &self.password, 12, 256)
    }
}

/// Whether an organization waits for its first administrator.
#[utoipa::path(get, path = "/api/setup", operation_id = "setup_state", tag = "session", params(SetupQuery),
    responses((status = 200, body = SetupState), Answers, BadQuery), security(()))]
pub(crate) async fn setup_state(
    State(server): State<Server>,
    Params(query): Params<SetupQuery>,
) -> Result<Json<SetupState>, Failure> {
    let needed = server.app.setup_needed(query.organization.trim()).await?;
    Ok(Json(SetupState { needed }))
}

/// Make the first administrator and sign in.
#[utoipa::path(post, path = "/api/setup", operation_id = "setup", tag = "session", request_body = Setup,
    responses((status = 201, body = Session), (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 429, body = Problem, content_type = "application/problem+json"), Answers, WithBody, Changing),
    security(()))]
pub(crate) async fn setup(
    State(server): State<Server>,
    Input(body): Input<Setup>,
) -> Result<Response, Failure> {
    let Setup { organization, code, user_name, display_name, password } = body;
    let signed_in =
        server.app.set_up(organization.trim(), &code, &user_name, &display_name, password).await?;
    Ok(session::with_cookie(&server, StatusCode::CREATED, signed_in))
}
