//! All addresses in one place, the layers around them, and the description of both (OpenAPI).

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::header;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use utoipa::openapi::schema::{AdditionalProperties, ArrayItems, Object, Schema};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::fhir::{self, FHIR_JSON};
use crate::recording::{assign, detail, history, sheet, waveform, worklist};
use crate::state::{Server, ServerOptions};
use crate::{
    alarm, audit, auth, check, detach, event, headers, host, item, observe, operations, operator,
    patient, problem, session, setup, token, upload, user, web, work,
};

/// Everything that this server answers.
pub fn router(options: ServerOptions) -> axum::Router {
    let server = Server::new(options);
    observe::started(&server);
    let (routes, _) = described().split_for_parts();
    // Already small, or already compressed.
    let compressed = DefaultPredicate::new()
        .and(NotForContentType::const_new("application/octet-stream"))
        .and(NotForContentType::const_new("application/dicom"))
        .and(NotForContentType::const_new("application/pdf"));
    routes
        .route("/metrics", get(operations::metrics))
        .route("/operator", get(operator::moved))
        .route(operator::ADDRESS, get(operator::page))
        .route("/openapi.json", get(description))
        .fallback(web::anything_else)
        // The innermost first.
        .layer(from_fn_with_state(server.clone(), auth::guard))
        .layer(from_fn_with_state(server.clone(), detach::finish))
        .layer(from_fn_with_state(server.clone(), host::guard))
        .layer(axum::middleware::from_fn(problem::answer))
        .layer(from_fn_with_state(server.clone(), headers::secure))
        .layer(CompressionLayer::new().compress_when(compressed))
        .layer(from_fn_with_state(server.clone(), observe::request))
        .with_state(server)
}

fn described() -> OpenApiRouter<Server> {
    OpenApiRouter::with_openapi(about())
        .routes(routes!(setup::setup_state, setup::setup))
        .routes(routes!(session::sign_in, session::session, session::sign_out))
        .routes(routes!(session::demo_sign_ins))
        .routes(routes!(session::break_glass, session::end_break_glass))
        .routes(routes!(worklist::search_recordings))
        .routes(routes!(detail::recording))
        .routes(routes!(history::recording_history))
        .routes(routes!(waveform::waveform))
        .routes(routes!(waveform::recording_original))
        .routes(routes!(sheet::recording_sheet))
        .routes(routes!(audit::recording_accesses))
        .routes(routes!(assign::assign))
        .routes(routes!(assign::unassign))
        .routes(routes!(patient::search_patients))
        .routes(routes!(patient::patient))
        .routes(routes!(patient::merge))
        .routes(routes!(patient::unmerge))
        .routes(routes!(patient::held_naming))
        .routes(routes!(patient::erase))
        .routes(routes!(upload::upload))
        .routes(routes!(item::item))
        .routes(routes!(item::search_items))
        .routes(routes!(item::item_original))
        .routes(routes!(item::balance))
        .routes(routes!(event::events))
        .routes(routes!(user::users, user::add_user))
        .routes(routes!(user::change_user))
        .routes(routes!(user::set_password))
        .routes(routes!(token::tokens, token::add_token))
        .routes(routes!(token::remove_token))
        .routes(routes!(audit::search_access_log))
        .routes(routes!(alarm::alarms))
        .routes(routes!(work::work_kinds))
        .routes(routes!(work::search_work))
        .routes(routes!(work::retry_work))
        .routes(routes!(work::give_up_work))
        .routes(routes!(work::pause_work))
        .routes(routes!(work::resume_work))
        .routes(routes!(fhir::metadata::metadata))
        .routes(routes!(fhir::search::by_get))
        .routes(routes!(fhir::search::by_post))
        .routes(routes!(fhir::read::read))
        .routes(routes!(fhir::history::version))
        .routes(routes!(fhir::history::history))
        .routes(routes!(operations::live))
        .routes(routes!(operations::ready))
}

/// The description of the API.
pub fn openapi() -> OpenApi {
    let mut openapi = described().into_openapi();
    if let Some(components) = &mut openapi.components {
        for (name, schema) in &mut components.schemas {
            if let RefOr::T(schema) = schema {
                complete(name, schema);
            }
        }
    }
    // A search without a form asks for everything, as one without a query does.
    if let Some(search) = openapi.paths.paths.get_mut("/fhir/{type}/_search")
        && let Some(RefOr::T(form)) =
            search.post.as_mut().and_then(|post| post.request_body.as_mut())
    {
        form.required = None;
    }
    openapi
}

async fn description(State(_): State<Server>) -> Response {
    static TEXT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let text = TEXT.get_or_init(|| openapi().to_json().expect("the description is plain data"));
    ([(header::CONTENT_TYPE, "application/json")], text.as_str()).into_response()
}

fn about() -> OpenApi {
    let mut openapi = OpenApi::default();
    openapi.info.title = String::from("Precordia");
    openapi.info.version = env!("CARGO_PKG_VERSION").to_owned();
    openapi.info.description = Some(String::from(
        "The clinician API (`/api`) and FHIR R4 (`/fhir`) of one organization at a time: the one whose \
         session or token is used. An address of another organization is answered like one that is nowhere.",
    ));
    let mut license = utoipa::openapi::License::new("Apache-2.0");
    license.identifier = Some(String::from("Apache-2.0"));
    openapi.info.license = Some(license);
    let cookie = ApiKey::Cookie(ApiKeyValue::with_description(
        "precordia_session",
        "A session, with `X-CSRF-Token` on whatever changes something. Over TLS the name is `__Host-precordia_session`.",
    ));
    let components = openapi.components.get_or_insert_default();
    components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    components
        .add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    let none: [&str; 0] = [];
    openapi.security = Some(vec![
        SecurityRequirement::new("token", none),
        SecurityRequirement::new("session", none),
    ]);
    openapi
}

/// One line with something in it; the same as [`crate::check::line`].
const LINE: &str = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$";
const LINE_OR_NOTHING: &str = r"^[^\x00-\x1f\x7f-\x9f]*$";
/// What an answer may leave out; everything else is always there, if only as `null`.
const LEFT_OUT: [(&str, &str); 2] = [("Problem", "hint"), ("Problem", "item_id")];

/// What holds for every schema of a kind and so need not be said at each field.
fn complete(name: &str, schema: &mut Schema) {
    match schema {
        Schema::Object(form) if name == "Upload" => {
            form.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        }
        Schema::Object(object) if is_request(object) => bound_lines(object),
        Schema::Object(object) => require_all(name, object),
        Schema::AllOf(all) => {
            for one in &mut all.items {
                if let RefOr::T(one) = one {
                    complete(name, one);
                }
            }
        }
        _ => {}
    }
}

/// Requests refuse unknown fields; answers may grow.
fn is_request(object: &Object) -> bool {
    matches!(object.additional_properties.as_deref(), Some(AdditionalProperties::FreeForm(false)))
}

fn bound_lines(object: &mut Object) {
    for property in object.properties.values_mut() {
        match property {
            RefOr::T(Schema::Object(text))
                if text.max_length.is_some() && text.pattern.is_none() =>
            {
                let pattern = if text.min_length.unwrap_or(0) > 0 { LINE } else { LINE_OR_NOTHING };
                text.pattern = Some(pattern.to_owned());
            }
            // Lists of texts hold names.
            RefOr::T(Schema::Array(list)) => {
                if let ArrayItems::RefOrSchema(item) = &mut list.items
                    && let RefOr::T(Schema::Object(text)) = &mut **item
                {
                    text.min_length = Some(1);
                    text.max_length = Some(check::NAME_CHARS_MAX);
                    text.pattern = Some(LINE.to_owned());
                }
            }
            _ => {}
        }
    }
}

fn require_all(name: &str, object: &mut Object) {
    let always = |field: &&String| !LEFT_OUT.contains(&(name, field.as_str()));
    object.required = object.properties.keys().filter(always).cloned().collect();
}

/// Types that can be read by id.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a part of an address")]
pub(crate) enum ReadableType {
    AuditEvent,
    Binary,
    DiagnosticReport,
    DocumentReference,
    Observation,
    Patient,
}

/// Types that can be searched.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a part of an address")]
pub(crate) enum SearchableType {
    AuditEvent,
    DiagnosticReport,
    DocumentReference,
    Observation,
    Patient,
}

/// Parameters that every type has.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchForm {
    #[schema(minimum = 1, maximum = 4294967295.0, nullable = false)]
    _count: Option<i64>,
    #[schema(nullable = false, pattern = "^[A-Za-z0-9.-]{1,64}$")]
    _id: Option<String>,
}

type Responses = BTreeMap<String, RefOr<utoipa::openapi::Response>>;

fn problems(codes: &[(&str, &str)]) -> Responses {
    codes
        .iter()
        .map(|(code, description)| {
            let content =
                ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            let response = ResponseBuilder::new()
                .description(*description)
                .content("application/problem+json", content);
            ((*code).to_owned(), response.build().into())
        })
        .collect()
}

fn outcomes(codes: &[(&str, &str)]) -> Responses {
    codes
        .iter()
        .map(|(code, description)| {
            let object = Schema::Object(Object::new());
            let content = ContentBuilder::new().schema(Some(object)).build();
            let description = format!("OperationOutcome: {description}");
            let response =
                ResponseBuilder::new().description(description).content(FHIR_JSON, content);
            ((*code).to_owned(), response.build().into())
        })
        .collect()
}

/// What any address may answer.
pub(crate) struct Answers;
/// What an address that needs a session or a token may answer.
pub(crate) struct Signed;
/// What an address with an id may answer.
pub(crate) struct Addressed;
/// What a request with a body may be answered.
pub(crate) struct WithBody;
/// What a request with parameters may be answered.
pub(crate) struct BadQuery;
/// What a command may be answered.
pub(crate) struct Changing;
pub(crate) struct FhirAnswers;
pub(crate) struct FhirSigned;

impl IntoResponses for Answers {
    fn responses() -> Responses {
        problems(&[
            ("421", "the server does not answer to that host name"),
            ("500", "the server failed"),
            ("503", "too busy, or about to end"),
        ])
    }
}

impl IntoResponses for Signed {
    fn responses() -> Responses {
        problems(&[("401", "nobody is signed in"), ("403", "the role does not allow it")])
    }
}

impl IntoResponses for Addressed {
    fn responses() -> Responses {
        problems(&[
            ("404", "there is nothing here, or it is not yours to see"),
            ("410", "it was erased"),
        ])
    }
}

impl IntoResponses for WithBody {
    fn responses() -> Responses {
        problems(&[
            ("400", "the body is not what this operation takes"),
            ("408", "the body did not come in time"),
            ("413", "the body is over the limit"),
            ("415", "the body is of another media type"),
            ("507", "the storage is full"),
        ])
    }
}

impl IntoResponses for BadQuery {
    fn responses() -> Responses {
        problems(&[("400", "a parameter is not what this operation takes")])
    }
}

impl IntoResponses for Changing {
    fn responses() -> Responses {
        problems(&[("409", "it makes no sense as things stand, or somebody else was first")])
    }
}

impl IntoResponses for FhirAnswers {
    fn responses() -> Responses {
        outcomes(&[
            ("400", "a parameter is not known, not supported or not well formed"),
            ("404", "there is nothing here, or it is not yours to see"),
            ("406", "only JSON is answered"),
            ("408", "the body did not come in time"),
            ("413", "the body is over the limit"),
            ("415", "the body is of another media type"),
            ("421", "the server does not answer to that host name"),
            ("500", "the server failed"),
            ("503", "too busy, or about to end"),
        ])
    }
}

impl IntoResponses for FhirSigned {
    fn responses() -> Responses {
        outcomes(&[("401", "nobody is signed in"), ("403", "the role does not allow it")])
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn description() -> Value {
        serde_json::to_value(openapi()).unwrap()
    }

    fn operations(api: &Value) -> impl Iterator<Item = (String, &Value)> {
        api["paths"].as_object().unwrap().iter().flat_map(|(path, methods)| {
            methods
                .as_object()
                .unwrap()
                .iter()
                .map(move |(method, operation)| (format!("{method} {path}"), operation))
        })
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_and_says_how_it_refuses() {
        let api = description();
        let mut names = std::collections::BTreeSet::new();
        for (at, operation) in operations(&api) {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{at}: `{name}` is there twice");
            let codes = operation["responses"].as_object().unwrap();
            assert!(codes.keys().any(|code| code.starts_with('2')), "{at}");
            if at.contains("/api/") {
                assert!(codes.contains_key("500") && codes.contains_key("421"), "{at}");
            }
            if operation.get("requestBody").is_some() {
                assert!(
                    codes.contains_key("400")
                        && codes.contains_key("413")
                        && codes.contains_key("415"),
                    "{at}"
                );
            }
            if at.contains("{id}") {
                assert!(codes.contains_key("404") && codes.contains_key("410"), "{at}");
            }
            let open = operation.get("security").is_some();
            let guarded = at.contains("/api/") || at.contains("/fhir/");
            if guarded && !open {
                assert!(codes.contains_key("401") && codes.contains_key("403"), "{at}");
            }
        }
        assert!(names.len() > 30, "{}", names.len());
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn walk<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
            match value {
                Value::Object(map) => {
                    found.extend(map.get("$ref").and_then(Value::as_str));
                    map.values().for_each(|value| walk(value, found));
                }
                Value::Array(list) => list.iter().for_each(|value| walk(value, found)),
                _ => {}
            }
        }
        let api = description();
        let mut found = Vec::new();
        walk(&api, &mut found);
        assert!(found.len() > 50);
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(api.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn every_text_of_a_request_is_bounded() {
        let api = description();
        for (name, schema) in api["components"]["schemas"].as_object().unwrap() {
            if schema["additionalProperties"] != Value::Bool(false) {
                continue;
            }
            for (field, property) in schema["properties"].as_object().unwrap() {
                let kind = property["type"].to_string();
                if kind.contains("string") && property.get("enum").is_none() {
                    let bounded =
                        ["pattern", "format"].iter().any(|key| property.get(*key).is_some());
                    assert!(bounded, "{name}.{field}: {property}");
                }
                if kind.contains("integer") {
                    assert!(property.get("maximum").is_some(), "{name}.{field}: {property}");
                }
            }
        }
    }

    #[test]
    fn answers_always_hold_all_of_their_fields() {
        let api = description();
        let session = &api["components"]["schemas"]["Session"];
        let required: Vec<&str> =
            session["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(required.contains(&"break_glass"), "{required:?}");
        let problem = &api["components"]["schemas"]["Problem"];
        assert!(!problem["required"].to_string().contains("hint"));
    }
}
