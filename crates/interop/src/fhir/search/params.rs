//! Which parameters each type has. The parser and the CapabilityStatement read the same table.

use super::super::ResourceType;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    Id,
    Identifier,
    Family,
    Given,
    Name,
    BirthDate,
    Patient,
    Subject,
    Code,
    Status,
    Date,
    Entity,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param {
    pub name: &'static str,
    pub kind: ParamKind,
}

impl Param {
    pub const fn documentation(&self) -> &'static str {
        match self.kind {
            ParamKind::Id => "Logical id",
            ParamKind::Identifier => {
                "system|value, |value (no system) or value (any system); exact, case-sensitive"
            }
            ParamKind::Family | ParamKind::Given => {
                "Prefix of at least two letters, without regard to case and accents"
            }
            ParamKind::Name => {
                "Prefix of at least two letters of family, a given or the full name, without \
                 regard to case and accents"
            }
            ParamKind::BirthDate => "Year, month or day; prefix eq only",
            ParamKind::Patient => "Patient/id or id",
            ParamKind::Subject => "Patient/id or id; the modifier :Patient is allowed",
            ParamKind::Code => "system|code, |code (no system) or code (any system)",
            ParamKind::Status => "Status code",
            ParamKind::Date => "Prefixes eq, ge, le, gt and lt; a time needs its zone",
            ParamKind::Entity => "type/id of what was accessed",
        }
    }
}

const fn param(name: &'static str, kind: ParamKind) -> Param {
    Param { name, kind }
}

const PATIENT: &[Param] = &[
    param("_id", ParamKind::Id),
    param("identifier", ParamKind::Identifier),
    param("family", ParamKind::Family),
    param("given", ParamKind::Given),
    param("name", ParamKind::Name),
    param("birthdate", ParamKind::BirthDate),
];

const RESULT: &[Param] = &[
    param("_id", ParamKind::Id),
    param("patient", ParamKind::Patient),
    param("subject", ParamKind::Subject),
    param("code", ParamKind::Code),
    param("status", ParamKind::Status),
    param("date", ParamKind::Date),
];

/// R4 names the code of a DocumentReference `type`.
const DOCUMENT: &[Param] = &[
    param("_id", ParamKind::Id),
    param("patient", ParamKind::Patient),
    param("subject", ParamKind::Subject),
    param("type", ParamKind::Code),
    param("status", ParamKind::Status),
    param("date", ParamKind::Date),
];

const AUDIT: &[Param] = &[
    param("_id", ParamKind::Id),
    param("patient", ParamKind::Patient),
    param("entity", ParamKind::Entity),
    param("date", ParamKind::Date),
];

/// The parameters of a type; none where it cannot be searched.
pub const fn of(resource: ResourceType) -> &'static [Param] {
    match resource {
        ResourceType::Patient => PATIENT,
        ResourceType::Observation | ResourceType::DiagnosticReport => RESULT,
        ResourceType::DocumentReference => DOCUMENT,
        ResourceType::AuditEvent => AUDIT,
        ResourceType::Binary => &[],
    }
}
