//! Which lead a component's code and display name.

use precordia_formats::lead_code;
use precordia_model::{Lead, Problem};

use super::super::codes;
use super::super::json::Node;
use super::super::operation_outcome::Invalid;
use super::{MDC_OID, SNOMED};

/// SNOMED CT's lead concepts, as the German base profile lists them; consecutive from I to V6.
const SNOMED_LEADS: [(&str, Lead); 12] = [
    ("272729005", Lead::I),
    ("272730000", Lead::II),
    ("272731001", Lead::III),
    ("272732008", Lead::AVR),
    ("272733003", Lead::AVL),
    ("272734009", Lead::AVF),
    ("272735005", Lead::V1),
    ("272736006", Lead::V2),
    ("272737002", Lead::V3),
    ("272738007", Lead::V4),
    ("272739004", Lead::V5),
    ("272740002", Lead::V6),
];

/// The lead of a CodeableConcept: `Ok(None)` when it names none. Codes that name different leads are
/// `Err(Conflict)`; a name that says otherwise than the code is a problem, and the code counts.
pub(super) enum Named {
    Lead(Lead),
    Unknown,
    Conflict(Lead, Lead),
}

pub(super) fn lead(concept: &Node, problems: &mut Vec<Problem>) -> Result<Named, Invalid> {
    let mut coded: Option<Lead> = None;
    let mut named: Option<Lead> = None;
    for coding in concept.items("coding")? {
        let system = coding.opt_string("system")?.unwrap_or_default();
        let code = coding.opt_string("code")?.unwrap_or_default();
        let found = match &system[..] {
            MDC_OID | codes::MDC => lead_code::from_mdc(&code),
            SNOMED => SNOMED_LEADS.iter().find(|(known, _)| *known == code).map(|(_, lead)| *lead),
            _ => None,
        };
        if let Some((first, second)) = coded.zip(found).filter(|(first, second)| first != second) {
            return Ok(Named::Conflict(first, second));
        }
        coded = coded.or(found);
        let display = coding.opt_string("display")?;
        named = named.or(display.as_deref().and_then(lead_code::from_name));
    }
    let text = concept.opt_string("text")?;
    named = named.or(text.as_deref().and_then(lead_code::from_name));
    if let Some((coded, named)) = coded.zip(named).filter(|(coded, named)| coded != named) {
        let text = format!("the code says {coded} and the name says {named}; the code was taken");
        problems.push(Problem::warning("lead_name_disagrees", concept.path.as_str(), text));
    }
    // A name alone is what a person wrote for a person: it is enough only where it is a lead's name.
    Ok(coded.or(named).map_or(Named::Unknown, Named::Lead))
}
