//! The exact test of a candidate, however an index came to propose it.

use precordia_model::{PartialDate, Patient, PatientIdentity};
use serde_json::Value;

use super::super::{DateRange, FhirId, ResourceType, codes, patient};
use super::{
    AuditFilter, AuditQuery, DateTerm, EcgFilter, EcgQuery, NamePrefix, PatientFilter,
    PatientQuery, Query, Token,
};

/// Whether a patient answers a search.
pub fn matches(query: &PatientQuery, patient: &Patient) -> bool {
    query.filters.iter().all(|filter| patient_matches(filter, patient))
}

fn patient_matches(filter: &PatientFilter, patient: &Patient) -> bool {
    let who = &patient.identity;
    match filter {
        PatientFilter::Id(ids) => has_id(ids, &patient.id.to_string()),
        PatientFilter::Identifier(tokens) => who.identifiers.iter().any(|identifier| {
            let system = Some(identifier.system.as_str()).filter(|s| !s.is_empty());
            any_token(tokens, system, identifier.value.reveal())
        }),
        PatientFilter::Family(names) => family(who, names),
        PatientFilter::Given(names) => given(who, names),
        PatientFilter::Name(names) => {
            family(who, names)
                || given(who, names)
                || patient::full_name(who).is_some_and(|full| any_prefix(names, &full))
        }
        PatientFilter::BirthDate(dates) => who
            .birth_date
            .as_ref()
            .is_some_and(|born| dates.iter().any(|date| within(*born.reveal(), *date))),
    }
}

fn family(who: &PatientIdentity, names: &[NamePrefix]) -> bool {
    who.family.as_ref().is_some_and(|family| any_prefix(names, family.reveal()))
}

fn given(who: &PatientIdentity, names: &[NamePrefix]) -> bool {
    who.given.iter().any(|given| any_prefix(names, given.reveal()))
}

fn any_prefix(names: &[NamePrefix], name: &str) -> bool {
    names.iter().any(|prefix| prefix.matches(name))
}

fn any_token(tokens: &[Token], system: Option<&str>, value: &str) -> bool {
    tokens.iter().any(|token| token.matches(system, value))
}

fn has_id(ids: &[FhirId], id: &str) -> bool {
    ids.iter().any(|wanted| wanted.as_str() == id)
}

/// `eq` of R4: the span asked for holds the whole span of the birth date.
fn within(born: PartialDate, asked: PartialDate) -> bool {
    DateRange::of_date(asked).contains(DateRange::of_date(born))
}

/// Whether a resource, as it is answered, answers a search. A page token says nothing of a
/// resource, so nothing matches it.
pub fn matches_resource(query: &Query, resource: &Value) -> bool {
    if resource["resourceType"] != query.resource().name() {
        return false;
    }
    match query {
        Query::Patient(q) => patient::from_fhir(resource).is_ok_and(|patient| matches(q, &patient)),
        Query::Observation(q) => ecg_matches(q, resource, ResourceType::Observation),
        Query::DiagnosticReport(q) => ecg_matches(q, resource, ResourceType::DiagnosticReport),
        Query::DocumentReference(q) => ecg_matches(q, resource, ResourceType::DocumentReference),
        Query::AuditEvent(q) => audit_matches(q, resource),
        Query::Page { .. } => false,
    }
}

fn ecg_matches(query: &EcgQuery, resource: &Value, kind: ResourceType) -> bool {
    let (code, date, status_system) = match kind {
        ResourceType::DocumentReference => ("type", "date", codes::DOCUMENT_REFERENCE_STATUS),
        ResourceType::DiagnosticReport => {
            ("code", "effectiveDateTime", codes::DIAGNOSTIC_REPORT_STATUS)
        }
        _ => ("code", "effectiveDateTime", codes::OBSERVATION_STATUS),
    };
    query.filters.iter().all(|filter| match filter {
        EcgFilter::Id(ids) => text(&resource["id"]).is_some_and(|id| has_id(ids, id)),
        EcgFilter::Patient(ids) => is_patient(ids, &resource["subject"]),
        EcgFilter::Code(tokens) => items(&resource[code]["coding"]).iter().any(|coding| {
            text(&coding["code"])
                .is_some_and(|value| any_token(tokens, text(&coding["system"]), value))
        }),
        EcgFilter::Status(tokens) => text(&resource["status"])
            .is_some_and(|status| any_token(tokens, Some(status_system), status)),
        EcgFilter::Date(terms) => is_dated(terms, &resource[date]),
    })
}

fn audit_matches(query: &AuditQuery, resource: &Value) -> bool {
    let entities = items(&resource["entity"]);
    query.filters.iter().all(|filter| match filter {
        AuditFilter::Id(ids) => text(&resource["id"]).is_some_and(|id| has_id(ids, id)),
        AuditFilter::Patient(ids) => entities.iter().any(|e| is_patient(ids, &e["what"])),
        AuditFilter::Entity(wanted) => entities.iter().any(|e| {
            let found = text(&e["what"]["reference"]).and_then(|r| r.split_once('/'));
            wanted.iter().any(|(kind, id)| found == Some((kind.name(), id.as_str())))
        }),
        AuditFilter::Date(terms) => is_dated(terms, &resource["recorded"]),
    })
}

fn is_patient(ids: &[FhirId], reference: &Value) -> bool {
    text(&reference["reference"])
        .and_then(|r| r.strip_prefix("Patient/"))
        .is_some_and(|id| has_id(ids, id))
}

fn is_dated(terms: &[DateTerm], date: &Value) -> bool {
    text(date)
        .and_then(DateRange::parse)
        .is_some_and(|range| terms.iter().any(|term| term.matches(range)))
}

fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
