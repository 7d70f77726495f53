//! Who gave an identifier: as a URI in the data, as a name on screen and paper.

use crate::access::OrgScope;

const ISSUER: &str = "https://precordia.org/fhir/issuer/";

/// Assigning authority of ids that a file gives without one.
pub(crate) fn own_system(scope: &OrgScope) -> String {
    format!("urn:uuid:{}", scope.organization())
}

/// An issuer that a file names in words.
pub(crate) fn issuer_system(issuer: &str) -> String {
    let mut system = String::from(ISSUER);
    for byte in issuer.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                system.push(char::from(byte))
            }
            _ => system.push_str(&format!("%{byte:02X}")),
        }
    }
    system
}

/// An organization's own name for people, and what it calls the authorities of identifiers.
#[derive(Clone, Debug)]
pub struct Authorities {
    own_system: String,
    own_name: String,
}

impl Authorities {
    pub(crate) fn new(scope: &OrgScope, organization_name: String) -> Self {
        Self { own_system: own_system(scope), own_name: organization_name }
    }

    /// The authority as people call it; the URI itself where no name is known.
    pub fn name(&self, system: &str) -> String {
        if system == self.own_system {
            return self.own_name.clone();
        }
        system.strip_prefix(ISSUER).and_then(issuer).unwrap_or_else(|| system.to_owned())
    }
}

/// The words behind [`issuer_system`].
fn issuer(escaped: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            other => other,
        });
    }
    let text = String::from_utf8(bytes).ok()?;
    let shown = !text.is_empty() && !text.chars().any(char::is_control);
    shown.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_called_by_its_name_where_one_is_known() {
        let authorities = Authorities {
            own_system: "urn:uuid:0192f0aa-1111-7000-8000-00000000000a".into(),
            own_name: "Northgate".into(),
        };
        for (system, name) in [
            ("urn:uuid:0192f0aa-1111-7000-8000-00000000000a", "Northgate"),
            (
                "urn:uuid:0192f0aa-1111-7000-8000-00000000000b",
                "urn:uuid:0192f0aa-1111-7000-8000-00000000000b",
            ),
            (&issuer_system("St. Jörg / Ward 3%"), "St. Jörg / Ward 3%"),
            ("urn:oid:1.2.3", "urn:oid:1.2.3"),
            // What somebody else wrote in our form without its rules stays as it is.
            ("https://precordia.org/fhir/issuer/", "https://precordia.org/fhir/issuer/"),
            ("https://precordia.org/fhir/issuer/a%2", "https://precordia.org/fhir/issuer/a%2"),
            ("https://precordia.org/fhir/issuer/a%0A", "https://precordia.org/fhir/issuer/a%0A"),
            ("https://precordia.org/fhir/issuer/%FF", "https://precordia.org/fhir/issuer/%FF"),
        ] {
            assert_eq!(authorities.name(system), name, "{system}");
        }
    }
}
