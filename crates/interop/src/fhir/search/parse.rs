//! Parameters into a query, every one of them or none.

use precordia_model::PartialDate;

use super::super::{FhirId, IssueCode, ResourceType};
use super::params::{self, ParamKind};
use super::value::{NamePrefix, Parts, Token, Wrong, alternatives, single, wrong};
use super::{
    AuditFilter, DatePrefix, DateTerm, EcgFilter, PatientFilter, Query, Search, SearchRefusal, date,
};

/// Bound of the parameters of one search.
pub const PARAMETERS_MAX: usize = 32;
const PAGE_TOKEN_BYTES_MAX: usize = 4_096;
const NAME_SHOWN_CHARS_MAX: usize = 80;

/// Parses the parameters of a search of one type, already percent-decoded.
pub fn parse(resource_type: &str, parameters: &[(String, String)]) -> Result<Query, SearchRefusal> {
    let resource = searchable(resource_type)?;
    if parameters.len() > PARAMETERS_MAX {
        let text = format!("a search has at most {PARAMETERS_MAX} parameters");
        return Err(refusal(&parameters[PARAMETERS_MAX].0, IssueCode::TooCostly, text));
    }
    let mut page = None;
    let mut count = None;
    let mut format = None;
    let mut filters = Filters::of(resource);
    for (name, value) in parameters {
        let refuse = |(code, text)| refusal(name, code, text);
        match name.as_str() {
            "_page" => once(&mut page, page_token(value)).map_err(refuse)?,
            "_count" => once(&mut count, page_size(value)).map_err(refuse)?,
            "_format" => once(&mut format, json_format(value)).map_err(refuse)?,
            name => {
                let kind = filter_kind(resource, name).map_err(refuse)?;
                filters.add(kind, value).map_err(refuse)?;
            }
        }
    }
    match page {
        None => Ok(filters.into_query(count)),
        Some(token) => {
            alone(parameters)?;
            Ok(Query::Page { resource, token })
        }
    }
}

fn searchable(resource_type: &str) -> Result<ResourceType, SearchRefusal> {
    let found = ResourceType::parse(resource_type);
    found.filter(|&kind| !params::of(kind).is_empty()).ok_or_else(|| {
        refusal(resource_type, IssueCode::NotSupported, "this type cannot be searched")
    })
}

pub(super) fn refusal(parameter: &str, code: IssueCode, text: impl Into<String>) -> SearchRefusal {
    let parameter = parameter.chars().filter(|c| !c.is_control()).take(NAME_SHOWN_CHARS_MAX);
    SearchRefusal { parameter: parameter.collect(), code, text: text.into() }
}

/// A page token stands for a whole search: what else was sent would be dropped silently.
pub(super) fn alone(parameters: &[(String, String)]) -> Result<(), SearchRefusal> {
    match parameters.iter().find(|(name, _)| name != "_page" && name != "_format") {
        Some((other, _)) => {
            let text = "cannot be sent with `_page`, which stands for the whole search";
            Err(refusal(other, IssueCode::Invalid, text))
        }
        None => Ok(()),
    }
}

pub(super) fn once<T>(slot: &mut Option<T>, value: Result<T, Wrong>) -> Result<(), Wrong> {
    if slot.replace(value?).is_some() {
        return Err(wrong(IssueCode::Invalid, "may be sent once only"));
    }
    Ok(())
}

pub(super) fn page_token(value: &str) -> Result<String, Wrong> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.~=".contains(&b);
    let fits = (1..=PAGE_TOKEN_BYTES_MAX).contains(&value.len()) && value.bytes().all(allowed);
    fits.then(|| value.to_owned())
        .ok_or_else(|| wrong(IssueCode::Value, "is not a page token of this server"))
}

/// Zero would ask for a count only, which is a summary.
pub(super) fn page_size(value: &str) -> Result<u32, Wrong> {
    let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    let size = digits.then(|| value.parse::<u32>().ok()).flatten();
    size.filter(|&n| n > 0).ok_or_else(|| wrong(IssueCode::Value, "must be a whole number from 1"))
}

/// A `+` that was not percent-encoded arrives as a space, and can mean nothing else.
pub(super) fn json_format(value: &str) -> Result<(), Wrong> {
    match value {
        "json" | "application/json" | "application/fhir+json" | "application/fhir json" => Ok(()),
        _ => Err(wrong(IssueCode::NotSupported, "only JSON is answered")),
    }
}

/// The parameter's kind, by its exact name; modifiers and chains are refused as what they are.
fn filter_kind(resource: ResourceType, name: &str) -> Result<ParamKind, Wrong> {
    let known = |name: &str| params::of(resource).iter().find(|p| p.name == name).map(|p| p.kind);
    if let Some(kind) = known(name) {
        return Ok(kind);
    }
    let not_supported = |text: &str| Err(wrong(IssueCode::NotSupported, text));
    match name.split_once([':', '.']) {
        Some((base, "Patient"))
            if name.contains(':') && known(base) == Some(ParamKind::Subject) =>
        {
            Ok(ParamKind::Subject)
        }
        Some((base, _)) if known(base).is_some() && name[base.len()..].starts_with(':') => {
            not_supported("this modifier is not supported")
        }
        Some((base, _)) if known(base).is_some() => not_supported("chains are not supported"),
        _ => Err(wrong(
            IssueCode::NotSupported,
            format!("is not known or not supported for {}", resource.name()),
        )),
    }
}

/// Filters as they gather, each parameter one more.
enum Filters {
    Patient(Vec<PatientFilter>),
    Ecg(ResourceType, Vec<EcgFilter>),
    Audit(Vec<AuditFilter>),
}

impl Filters {
    const fn of(resource: ResourceType) -> Filters {
        match resource {
            ResourceType::Patient => Filters::Patient(Vec::new()),
            ResourceType::AuditEvent => Filters::Audit(Vec::new()),
            other => Filters::Ecg(other, Vec::new()),
        }
    }

    fn add(&mut self, kind: ParamKind, value: &str) -> Result<(), Wrong> {
        let values = alternatives(value)?;
        match self {
            Filters::Patient(filters) => filters.push(patient_filter(kind, values)?),
            Filters::Ecg(_, filters) => filters.push(ecg_filter(kind, values)?),
            Filters::Audit(filters) => filters.push(audit_filter(kind, values)?),
        }
        Ok(())
    }

    fn into_query(self, count: Option<u32>) -> Query {
        match self {
            Filters::Patient(filters) => Query::Patient(Search { filters, count }),
            Filters::Audit(filters) => Query::AuditEvent(Search { filters, count }),
            Filters::Ecg(resource, filters) => {
                let search = Search { filters, count };
                match resource {
                    ResourceType::DiagnosticReport => Query::DiagnosticReport(search),
                    ResourceType::DocumentReference => Query::DocumentReference(search),
                    _ => Query::Observation(search),
                }
            }
        }
    }
}

fn patient_filter(kind: ParamKind, values: Vec<Parts>) -> Result<PatientFilter, Wrong> {
    match kind {
        ParamKind::Id => Ok(PatientFilter::Id(each(values, id)?)),
        ParamKind::Identifier => Ok(PatientFilter::Identifier(each(values, Token::parse)?)),
        ParamKind::Family => Ok(PatientFilter::Family(each(values, name_prefix)?)),
        ParamKind::Given => Ok(PatientFilter::Given(each(values, name_prefix)?)),
        ParamKind::Name => Ok(PatientFilter::Name(each(values, name_prefix)?)),
        ParamKind::BirthDate => Ok(PatientFilter::BirthDate(each(values, birth_date)?)),
        _ => Err(not_of_this_type()),
    }
}

fn ecg_filter(kind: ParamKind, values: Vec<Parts>) -> Result<EcgFilter, Wrong> {
    match kind {
        ParamKind::Id => Ok(EcgFilter::Id(each(values, id)?)),
        ParamKind::Patient | ParamKind::Subject => Ok(EcgFilter::Patient(each(values, patient)?)),
        ParamKind::Code => Ok(EcgFilter::Code(each(values, Token::parse)?)),
        ParamKind::Status => Ok(EcgFilter::Status(each(values, Token::parse)?)),
        ParamKind::Date => Ok(EcgFilter::Date(each(values, date_term)?)),
        _ => Err(not_of_this_type()),
    }
}

fn audit_filter(kind: ParamKind, values: Vec<Parts>) -> Result<AuditFilter, Wrong> {
    match kind {
        ParamKind::Id => Ok(AuditFilter::Id(each(values, id)?)),
        ParamKind::Patient => Ok(AuditFilter::Patient(each(values, patient)?)),
        ParamKind::Entity => Ok(AuditFilter::Entity(each(values, entity)?)),
        ParamKind::Date => Ok(AuditFilter::Date(each(values, date_term)?)),
        _ => Err(not_of_this_type()),
    }
}

fn not_of_this_type() -> Wrong {
    wrong(IssueCode::NotSupported, "is not supported for this type")
}

fn each<T>(values: Vec<Parts>, parse: impl Fn(Parts) -> Result<T, Wrong>) -> Result<Vec<T>, Wrong> {
    values.into_iter().map(parse).collect()
}

fn id(parts: Parts) -> Result<FhirId, Wrong> {
    FhirId::parse(&single(parts)?).ok_or_else(|| wrong(IssueCode::Value, "is not an id"))
}

fn name_prefix(parts: Parts) -> Result<NamePrefix, Wrong> {
    NamePrefix::parse(&single(parts)?)
}

fn birth_date(parts: Parts) -> Result<PartialDate, Wrong> {
    let text = single(parts)?;
    let (prefix, day) = date::split_prefix(&text)?;
    if prefix != DatePrefix::Eq {
        return Err(wrong(IssueCode::NotSupported, "only the prefix `eq` is supported"));
    }
    PartialDate::parse(day)
        .ok_or_else(|| wrong(IssueCode::Value, "must be YYYY, YYYY-MM or YYYY-MM-DD"))
}

fn date_term(parts: Parts) -> Result<DateTerm, Wrong> {
    DateTerm::parse(&single(parts)?)
}

/// `Patient/id` or `id`. Other types, versions and absolute addresses are refused.
fn patient(parts: Parts) -> Result<FhirId, Wrong> {
    let text = single(parts)?;
    FhirId::parse(text.strip_prefix("Patient/").unwrap_or(&text))
        .ok_or_else(|| wrong(IssueCode::Value, "must be `Patient/id` or `id`"))
}

fn entity(parts: Parts) -> Result<(ResourceType, FhirId), Wrong> {
    let text = single(parts)?;
    let split = text.split_once('/');
    let found = split.and_then(|(kind, id)| Some((ResourceType::parse(kind)?, FhirId::parse(id)?)));
    found.ok_or_else(|| wrong(IssueCode::Value, "must be `type/id` of a type served here"))
}
