//! The lines before the voltages. Names of lines are translated, so a line is known by its name in
//! the languages listed or by the shape of its value.

use precordia_model::Lead;

use crate::{lead_code, plain_text, voltage};

/// The longest header known has twelve lines.
const LINES_MAX: usize = 40;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Name,
    BirthDate,
    RecordedDate,
    Classification,
    Symptoms,
    Software,
    Device,
    Rate,
    Lead,
    Unit,
}

/// English first; then German, French, Spanish, Italian, Dutch, Portuguese and Swedish.
const NAMES: [(Field, &[&str]); 10] = [
    (Field::Name, &["name", "nom", "nombre", "nome", "naam", "namn"]),
    (
        Field::BirthDate,
        &[
            "date of birth",
            "geburtsdatum",
            "date de naissance",
            "fecha de nacimiento",
            "data di nascita",
            "geboortedatum",
            "data de nascimento",
            "födelsedatum",
        ],
    ),
    (
        Field::RecordedDate,
        &[
            "recorded date",
            "aufzeichnungsdatum",
            "date d’enregistrement",
            "date d'enregistrement",
            "fecha de registro",
            "data registrazione",
            "data di registrazione",
            "opnamedatum",
            "data da gravação",
            "inspelningsdatum",
        ],
    ),
    (
        Field::Classification,
        &[
            "classification",
            "klassifizierung",
            "clasificación",
            "classificazione",
            "classificatie",
            "classificação",
            "klassificering",
        ],
    ),
    (
        Field::Symptoms,
        &[
            "symptoms",
            "symptome",
            "symptômes",
            "síntomas",
            "sintomi",
            "symptomen",
            "sintomas",
            "symptom",
        ],
    ),
    (
        Field::Software,
        &[
            "software version",
            "softwareversion",
            "softwareversie",
            "version du logiciel",
            "versión de software",
            "versione software",
            "versão do software",
            "programvaruversion",
        ],
    ),
    (Field::Device, &["device", "gerät", "appareil", "dispositivo", "apparaat", "enhet"]),
    (
        Field::Rate,
        &[
            "sample rate",
            "messrate",
            "abtastrate",
            "fréquence d’échantillonnage",
            "fréquence d'échantillonnage",
            "frecuencia de muestreo",
            "frequenza di campionamento",
            "samplefrequentie",
            "taxa de amostragem",
            "samplingsfrekvens",
        ],
    ),
    (
        Field::Lead,
        &[
            "lead",
            "ableitung",
            "dérivation",
            "derivación",
            "derivazione",
            "afleiding",
            "derivação",
            "avledning",
        ],
    ),
    (Field::Unit, &["unit", "einheit", "unité", "unidad", "unità", "eenheid", "unidade", "enhet"]),
];

/// Hertz in the scripts and languages of the telephone.
const HERTZ: [&str; 10] =
    ["hertz", "hz", "hercios", "hercio", "herts", "герц", "ヘルツ", "赫兹", "赫茲", "헤르츠"];

/// One line of the header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'t> {
    /// From 1, as an editor counts.
    pub number: usize,
    pub name: &'t str,
    pub value: &'t str,
    pub field: Option<Field>,
}

/// The header and the text after it.
#[derive(Debug)]
pub(super) struct Split<'t> {
    pub lines: Vec<Line<'t>>,
    /// Number of the line that the values begin with.
    pub values_from: usize,
    pub values: &'t str,
}

pub(super) fn split(text: &str) -> Split<'_> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut values = text;
    let mut number = 1;
    while let Some(text) = values.lines().next() {
        match line(number, text.trim()) {
            Some(line) if lines.len() < LINES_MAX => lines.push(line),
            None if text.trim().is_empty() => {}
            _ => break,
        }
        values = values.split_once('\n').map_or("", |(_, rest)| rest);
        number += 1;
    }
    Split { lines, values_from: number, values }
}

impl<'t> Split<'t> {
    /// The lines after the header that say anything, with their numbers, out of their quotes.
    pub(super) fn values(&self) -> impl Iterator<Item = (usize, &'t str)> {
        let numbered = self.values.lines().enumerate();
        let from = self.values_from;
        numbered
            .map(move |(index, text)| (from + index, unquoted(text)))
            .filter(|(_, text)| !text.is_empty())
    }
}

/// A name, a comma and a value, which may be in quotes. A voltage has no name.
fn line(number: usize, text: &str) -> Option<Line<'_>> {
    let (name, value) = text.split_once(',')?;
    if !name.chars().any(char::is_alphabetic) {
        return None;
    }
    let name = unquoted(name);
    let value = unquoted(value);
    Some(Line { number, name, value, field: field(name, value) })
}

/// The shape of a value goes before a name: several languages share a word.
fn field(name: &str, value: &str) -> Option<Field> {
    if rate_text(value).is_some() {
        return Some(Field::Rate);
    }
    let lower = name.trim().to_lowercase();
    let named = |(_, names): &&(Field, &[&str])| names.contains(&lower.as_str());
    let mut fields = NAMES.iter().filter(named).map(|(field, _)| *field);
    let first = fields.next()?;
    // Swedish "enhet" is a device and a unit.
    match fields.next() {
        Some(other) if voltage::microvolts_in_words(value).is_some() => Some(other),
        _ => Some(first),
    }
}

/// The number before a word for hertz.
pub(super) fn rate_text(value: &str) -> Option<&str> {
    let value = value.trim();
    let end = value.find(|c: char| !matches!(c, '0'..='9' | '.' | ','))?;
    let (number, word) = value.split_at(end);
    let word = word.trim().to_lowercase();
    (!number.is_empty() && HERTZ.contains(&word.as_str())).then_some(number)
}

/// `Lead I`, `Ableitung I`, `I`.
pub(super) fn lead(value: &str) -> Option<Lead> {
    lead_code::from_name(value).or_else(|| {
        let (word, name) = value.trim().rsplit_once(' ')?;
        let word = word.to_lowercase();
        let (_, words) = NAMES.iter().find(|(field, _)| *field == Field::Lead)?;
        words.contains(&word.as_str()).then(|| lead_code::from_name(name)).flatten()
    })
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// Four lines of different kinds that only this export has together.
pub(super) fn knows(bytes: &[u8]) -> bool {
    let Some(head) = plain_text::head(bytes) else { return false };
    let mut fields: Vec<Field> = Vec::new();
    for (number, text) in head.lines().enumerate().take(LINES_MAX) {
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        match line(number, text) {
            None => break,
            Some(Line { field: Some(field), .. }) if !fields.contains(&field) => fields.push(field),
            Some(_) => {}
        }
    }
    let has = |field| fields.contains(&field);
    fields.len() >= 4
        && (has(Field::RecordedDate) || has(Field::Classification) || has(Field::Rate))
        && (has(Field::Lead) || has(Field::Unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_known_by_name_or_by_value_in_many_languages() {
        let cases = [
            ("Sample Rate,512.4 hertz", Some(Field::Rate)),
            ("Messrate,\"512,4 Hertz\"", Some(Field::Rate)),
            ("サンプルレート,512 ヘルツ", Some(Field::Rate)),
            ("Gerät,\"Watch6,1\"", Some(Field::Device)),
            ("Enhet,\"Watch6,1\"", Some(Field::Device)),
            ("Enhet,µV", Some(Field::Unit)),
            ("Unità,µV", Some(Field::Unit)),
            ("Something,else", None),
        ];
        for (text, expected) in cases {
            assert_eq!(line(1, text).and_then(|line| line.field), expected, "{text}");
        }
        assert!(line(1, "-2,759").is_none());
        assert!(line(1, "\"-2,759\"").is_none());
        assert_eq!(lead("Ableitung I"), Some(Lead::I));
        assert_eq!(lead("Lead II"), Some(Lead::II));
        assert_eq!(lead("Wrist I"), None);
        assert_eq!(rate_text("512"), None);
        assert_eq!(rate_text("512 meters"), None);
    }
}
