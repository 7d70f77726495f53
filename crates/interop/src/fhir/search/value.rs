//! Values of parameters: escapes, alternatives, tokens and name prefixes (R4 search 3.1.1.3–4).

use std::fmt;

use precordia_model::Phi;
use serde::{Deserialize, Serialize};

use super::super::IssueCode;
use super::super::fold::{fold, letters};

/// Bound of one parameter's text.
pub const VALUE_BYTES_MAX: usize = 2_048;
/// Bound of the alternatives of one parameter.
pub const ALTERNATIVES_MAX: usize = 64;
/// Shorter prefixes would list a good part of an organization's patients.
pub const NAME_LETTERS_MIN: usize = 2;

/// What is wrong with a value; the parameter's name is added where it is known.
pub(super) type Wrong = (IssueCode, String);

pub(super) fn wrong(code: IssueCode, text: impl Into<String>) -> Wrong {
    (code, text.into())
}

/// One alternative: its parts between unescaped `|`, with escapes resolved.
pub(super) type Parts = Vec<String>;

/// Splits at unescaped `,` into alternatives and at unescaped `|` into parts.
pub(super) fn alternatives(raw: &str) -> Result<Vec<Parts>, Wrong> {
    if raw.len() > VALUE_BYTES_MAX {
        let text = format!("is longer than {VALUE_BYTES_MAX} bytes");
        return Err(wrong(IssueCode::TooLong, text));
    }
    let mut all = vec![vec![String::new()]];
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        match c {
            ',' => all.push(vec![String::new()]),
            '|' => last(&mut all).push(String::new()),
            '\\' => push(&mut all, escaped(chars.next())?),
            '$' => return Err(wrong(IssueCode::Invalid, "`$` must be written `\\$`")),
            c if c.is_control() => {
                return Err(wrong(IssueCode::Invalid, "holds a control character"));
            }
            c => push(&mut all, c),
        }
    }
    if all.iter().any(|parts| parts.iter().all(String::is_empty)) {
        return Err(wrong(IssueCode::Value, "has an empty value"));
    }
    if all.len() > ALTERNATIVES_MAX {
        let text = format!("has more than {ALTERNATIVES_MAX} alternatives");
        return Err(wrong(IssueCode::TooCostly, text));
    }
    Ok(all)
}

fn last(all: &mut [Parts]) -> &mut Parts {
    all.last_mut().expect("the list of alternatives starts with one and only grows")
}

fn push(all: &mut [Parts], c: char) {
    last(all).last_mut().expect("an alternative starts with one part and only grows").push(c);
}

fn escaped(next: Option<char>) -> Result<char, Wrong> {
    match next {
        Some(c @ (',' | '|' | '$' | '\\')) => Ok(c),
        _ => Err(wrong(IssueCode::Invalid, "`\\` must be followed by `,`, `|`, `$` or `\\`")),
    }
}

/// An alternative without `|`.
pub(super) fn single(parts: Parts) -> Result<String, Wrong> {
    <[String; 1]>::try_from(parts)
        .map(|[only]| only)
        .map_err(|_| wrong(IssueCode::Invalid, "`|` must be written `\\|` here"))
}

/// A token: a code or identifier, and what is asked of its system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Token {
    /// `value`: in any system or in none.
    Any { value: Phi<String> },
    /// `|value`: in no system.
    NoSystem { value: Phi<String> },
    /// `system|value`.
    System { system: String, value: Phi<String> },
}

impl Token {
    pub(super) fn parse(parts: Parts) -> Result<Token, Wrong> {
        let mut parts = parts.into_iter();
        match (parts.next(), parts.next(), parts.next()) {
            (Some(_), Some(value), None) if value.is_empty() => {
                Err(wrong(IssueCode::NotSupported, "a system without a value is not supported"))
            }
            (Some(value), None, None) => Ok(Token::Any { value: Phi::new(value) }),
            (Some(system), Some(value), None) if system.is_empty() => {
                Ok(Token::NoSystem { value: Phi::new(value) })
            }
            (Some(system), Some(value), None) => {
                Ok(Token::System { system, value: Phi::new(value) })
            }
            _ => Err(wrong(IssueCode::Invalid, "has more than one `|`")),
        }
    }

    /// Whether a code or identifier is the one asked for. Values and systems are compared exactly.
    pub fn matches(&self, system: Option<&str>, value: &str) -> bool {
        match self {
            Token::Any { value: wanted } => wanted.reveal() == value,
            Token::NoSystem { value: wanted } => system.is_none() && wanted.reveal() == value,
            Token::System { system: wanted_system, value: wanted } => {
                system == Some(wanted_system.as_str()) && wanted.reveal() == value
            }
        }
    }

    pub const fn value(&self) -> &Phi<String> {
        match self {
            Token::Any { value } | Token::NoSystem { value } | Token::System { value, .. } => value,
        }
    }
}

/// The beginning of a name, folded.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NamePrefix(Phi<String>);

impl NamePrefix {
    pub(super) fn parse(text: &str) -> Result<NamePrefix, Wrong> {
        // Folding trims: `de ` must not become `de`, which would find Deng.
        if text.trim() != text {
            return Err(wrong(IssueCode::Value, "begins or ends with white space"));
        }
        let folded = fold(text);
        if letters(&folded) < NAME_LETTERS_MIN {
            let text = format!("needs at least {NAME_LETTERS_MIN} letters");
            return Err(wrong(IssueCode::TooCostly, text));
        }
        Ok(Self(Phi::new(folded)))
    }

    /// The folded prefix, for the blind index.
    pub fn folded(&self) -> &str {
        self.0.reveal()
    }

    /// Whether a name, as written, begins with this prefix.
    pub fn matches(&self, name: &str) -> bool {
        fold(name).starts_with(self.folded())
    }
}

impl fmt::Debug for NamePrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NamePrefix(…)")
    }
}

impl From<NamePrefix> for String {
    fn from(prefix: NamePrefix) -> Self {
        prefix.0.into_revealed()
    }
}

impl TryFrom<String> for NamePrefix {
    type Error = String;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).map_err(|(_, text)| text)
    }
}
