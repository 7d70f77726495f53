//! What this server speaks.

use axum::extract::{Request, State};
use axum::response::Response;
use precordia_interop::fhir::capability;

use crate::api::Answers;
use crate::error::Failure;
use crate::state::Server;
use crate::{fhir, host};

/// The CapabilityStatement.
#[utoipa::path(get, path = "/fhir/metadata", operation_id = "fhir_metadata", tag = "fhir",
    responses((status = 200, description = "CapabilityStatement", body = Object,
        content_type = "application/fhir+json"),
        (status = 406, description = "OperationOutcome", body = Object, content_type = "application/fhir+json"),
        Answers),
    security(()))]
pub(crate) async fn metadata(
    State(server): State<Server>,
    request: Request,
) -> Result<Response, Failure> {
    fhir::takes_json(request.headers())?;
    let base = base(&server, &request);
    Ok(fhir::resource(&capability::statement(&base, server.software_version, server.software_date)))
}

/// `[base]` of every address in an answer.
pub(crate) fn base(server: &Server, request: &Request) -> String {
    format!("{}/fhir", server.hosts.base_url(server.tls, host::of(request)))
}
