//! AuditEvent: who read what, when, why and with what outcome; one row of the access log.
//!
//! Codes: `rest` with its interaction for FHIR reads, DICOM audit events (PS3.15 A.5) for the rest.
//! A search's parameters are not repeated here: they may name a person.

use precordia_model::{OrganizationId, PatientId, RequestId, Role, Timestamp, TokenId, UserId};
use serde_json::{Value, json};

use super::codes::{ROLE, SID_ORGANIZATION, SID_TOKEN, SID_USER};
use super::date::instant;
use super::json::{coding, coding_with, concept, list, object, reference, text};
use super::{FhirId, Meta, ResourceType};

const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const AUDIT_EVENT_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-event-type";
const RESTFUL_INTERACTION: &str = "http://hl7.org/fhir/restful-interaction";
const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const ENTITY_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
const OBJECT_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";
const SOURCE_TYPE: &str = "http://terminology.hl7.org/CodeSystem/security-source-type";

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessKind {
    /// A FHIR read of one resource.
    FhirRead,
    /// A FHIR read of one version of a resource.
    FhirVersionRead,
    /// A FHIR read of a resource's versions.
    FhirHistory,
    /// A FHIR search of a type.
    FhirSearch,
    /// A patient's record or recording shown on a screen.
    PatientRecord,
    /// A list or search on a screen.
    Query,
    /// Data handed out: a file, a plot, an export.
    Export,
    /// An object taken in.
    Import,
    SignIn,
    SignOut,
    /// A change of users, roles, keys or settings.
    Administration,
}

/// Why (v3-ActReason).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessPurpose {
    Treatment,
    BreakGlass,
    Operations,
    Compliance,
    Research,
    Administration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessOutcome {
    Success,
    /// Refused or not there, as the asker was told.
    Refused,
    /// The server could not answer.
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessActor {
    User(UserId),
    /// A program, by its API token.
    Token(TokenId),
}

/// One access, as the log has it.
#[derive(Clone, Debug)]
pub struct AccessFact<'a> {
    /// Id of the log row.
    pub id: &'a FhirId,
    pub recorded: Timestamp,
    pub organization: OrganizationId,
    pub kind: AccessKind,
    pub outcome: AccessOutcome,
    /// Nobody for a refused stranger.
    pub actor: Option<AccessActor>,
    pub roles: &'a [Role],
    pub purpose: AccessPurpose,
    /// In the actor's words, for break-glass access.
    pub reason: Option<&'a str>,
    pub patient: Option<PatientId>,
    /// The resource asked for, other than the patient; as asked, also when it was not there.
    pub resource: Option<(ResourceType, &'a FhirId)>,
    pub request: Option<RequestId>,
    /// Sender's address, where the log keeps it.
    pub address: Option<&'a str>,
}

pub fn to_fhir(fact: &AccessFact) -> Value {
    let (kind, subtype, action) = event_codes(fact.kind);
    object([
        ("resourceType", Some("AuditEvent".into())),
        ("id", Some(fact.id.as_str().into())),
        ("meta", Some(Meta { version: 1, last_updated: fact.recorded }.to_fhir())),
        ("type", Some(kind)),
        ("subtype", list(subtype.into_iter().collect())),
        ("action", Some(action.into())),
        ("recorded", Some(instant(fact.recorded).into())),
        ("outcome", Some(outcome(fact.outcome).into())),
        ("purposeOfEvent", Some(json!([purpose(fact)]))),
        ("agent", Some(json!([agent(fact)]))),
        ("source", Some(source(fact.organization))),
        ("entity", list(entities(fact))),
    ])
}

/// Type, subtype and CRUDE action.
fn event_codes(kind: AccessKind) -> (Value, Option<Value>, &'static str) {
    let dcm = |code, display| coding_with(DCM, code, display);
    let rest = || coding_with(AUDIT_EVENT_TYPE, "rest", "RESTful Operation");
    match kind {
        AccessKind::FhirRead => (rest(), Some(coding(RESTFUL_INTERACTION, "read")), "R"),
        AccessKind::FhirVersionRead => (rest(), Some(coding(RESTFUL_INTERACTION, "vread")), "R"),
        AccessKind::FhirHistory => {
            (rest(), Some(coding(RESTFUL_INTERACTION, "history-instance")), "R")
        }
        AccessKind::FhirSearch => (rest(), Some(coding(RESTFUL_INTERACTION, "search-type")), "E"),
        AccessKind::PatientRecord => (dcm("110110", "Patient Record"), None, "R"),
        AccessKind::Query => (dcm("110112", "Query"), None, "E"),
        AccessKind::Export => (dcm("110106", "Export"), None, "R"),
        AccessKind::Import => (dcm("110107", "Import"), None, "C"),
        AccessKind::SignIn => {
            (dcm("110114", "User Authentication"), Some(dcm("110122", "Login")), "E")
        }
        AccessKind::SignOut => {
            (dcm("110114", "User Authentication"), Some(dcm("110123", "Logout")), "E")
        }
        AccessKind::Administration => {
            (dcm("110113", "Security Alert"), Some(dcm("110129", "Security Configuration")), "U")
        }
    }
}

const fn outcome(outcome: AccessOutcome) -> &'static str {
    match outcome {
        AccessOutcome::Success => "0",
        AccessOutcome::Refused => "4",
        AccessOutcome::Failed => "8",
    }
}

fn purpose(fact: &AccessFact) -> Value {
    let code = match fact.purpose {
        AccessPurpose::Treatment => "TREAT",
        AccessPurpose::BreakGlass => "BTG",
        AccessPurpose::Operations => "HOPERAT",
        AccessPurpose::Compliance => "HCOMPL",
        AccessPurpose::Research => "HRESCH",
        AccessPurpose::Administration => "HSYSADMIN",
    };
    let reason = fact.reason.and_then(text);
    object([("coding", Some(json!([coding(ACT_REASON, code)]))), ("text", reason)])
}

fn agent(fact: &AccessFact) -> Value {
    let who = fact.actor.map(|actor| match actor {
        AccessActor::User(id) => identified(SID_USER, id.to_string()),
        AccessActor::Token(id) => identified(SID_TOKEN, id.to_string()),
    });
    let roles = fact.roles.iter().map(|r| concept(vec![coding(ROLE, r.name())])).collect();
    // Network type 2: an IP address.
    let network = fact.address.and_then(text).map(|a| json!({ "address": a, "type": "2" }));
    object([
        ("who", who),
        ("role", list(roles)),
        ("requestor", Some(true.into())),
        ("network", network),
    ])
}

fn source(organization: OrganizationId) -> Value {
    let mut observer = identified(SID_ORGANIZATION, organization.to_string());
    observer["display"] = "Precordia".into();
    json!({
        "observer": observer,
        "type": [coding_with(SOURCE_TYPE, "4", "Application Server")],
    })
}

fn entities(fact: &AccessFact) -> Vec<Value> {
    let patient = fact.patient.map(|id| {
        json!({
            "what": reference("Patient", id),
            "type": coding_with(ENTITY_TYPE, "1", "Person"),
            "role": coding_with(OBJECT_ROLE, "1", "Patient"),
        })
    });
    let resource = fact.resource.map(|(kind, id)| {
        json!({
            "what": reference(kind.name(), id.as_str()),
            "type": coding_with(ENTITY_TYPE, "2", "System Object"),
            "role": coding_with(OBJECT_ROLE, "4", "Domain Resource"),
        })
    });
    let request = fact.request.map(|id| {
        json!({
            "type": coding_with(ENTITY_TYPE, "2", "System Object"),
            "role": coding_with(OBJECT_ROLE, "20", "Job"),
            "detail": [{ "type": "request", "valueString": id.to_string() }],
        })
    });
    [patient, resource, request].into_iter().flatten().collect()
}

fn identified(system: &str, value: String) -> Value {
    json!({ "identifier": { "system": system, "value": value } })
}
