//! Made-up people for made-up hearts: mathematicians' names, birth dates that are not theirs.

use precordia_model::{DevicePatient, PartialDate, Phi, Sex};

/// The person a synthetic recording names. Nobody real; plain text on purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub id: String,
    pub family: String,
    pub given: String,
    pub birth_date: PartialDate,
    pub sex: Sex,
}

type Row = (&'static str, &'static str, (i16, i8, i8), Sex);

const PEOPLE: &[Row] = &[
    ("Noether", "Emmy", (1958, 3, 23), Sex::Female),
    ("Euler", "Leonhard", (1951, 4, 15), Sex::Male),
    ("Lovelace", "Ada", (1989, 12, 10), Sex::Female),
    ("Ramanujan", "Srinivasa", (1993, 12, 22), Sex::Male),
    ("Germain", "Sophie", (1944, 4, 1), Sex::Female),
    ("Galois", "Évariste", (2001, 10, 25), Sex::Male),
    ("Hypatia", "Theona", (1967, 8, 8), Sex::Female),
    ("Gödel", "Kurt", (1949, 4, 28), Sex::Male),
    ("Agnesi", "Maria Gaetana", (1975, 5, 16), Sex::Female),
    ("Erdős", "Pál", (1939, 3, 26), Sex::Male),
    ("Ковалевская", "Софья", (1962, 1, 15), Sex::Female),
    ("Καραθεοδωρή", "Κωνσταντίνος", (1954, 9, 13), Sex::Male),
    ("du Châtelet", "Émilie", (1971, 12, 17), Sex::Female),
    ("Abel", "Niels Henrik", (1996, 8, 5), Sex::Male),
    ("Somerville", "Mary", (1941, 12, 26), Sex::Female),
    ("Banach", "Stefan", (1978, 3, 30), Sex::Male),
    ("Mirzakhani", "Maryam", (1986, 5, 12), Sex::Female),
    ("Al-Khwarizmi", "Muhammad", (1947, 6, 6), Sex::Male),
    ("Cartwright", "Mary", (1965, 12, 17), Sex::Female),
    ("Čech", "Eduard", (1969, 6, 29), Sex::Male),
    ("Seki", "Takakazu", (1957, 11, 3), Sex::Male),
    ("Johnson", "Katherine", (1948, 8, 26), Sex::Female),
    ("Weierstraß", "Karl", (1956, 10, 31), Sex::Male),
    ("Ladyženskaja", "Olga", (1982, 3, 7), Sex::Female),
];

impl Person {
    /// The people of the demo by number; beyond the list the names repeat with other identifiers
    /// and earlier days of the month, so no two numbers give the same person.
    pub fn demo(index: usize) -> Self {
        let round = index / PEOPLE.len();
        let &(family, given, (year, month, day), sex) = &PEOPLE[index % PEOPLE.len()];
        let day = if round == 0 { day } else { 1 + (round % 28) as i8 };
        Self {
            id: format!("DEMO-{:06}", index + 1),
            family: family.to_owned(),
            given: given.to_owned(),
            birth_date: PartialDate::Day(year, month, day),
            sex,
        }
    }

    /// How many differently named people the demo has.
    pub const fn demo_names() -> usize {
        PEOPLE.len()
    }

    /// As a device would name the person in a file; what is empty is not said.
    pub fn as_device_patient(&self) -> DevicePatient {
        let said = |text: &str| (!text.is_empty()).then(|| Phi::new(text.to_owned()));
        let written = format!("{}^{}", self.family, self.given);
        DevicePatient {
            id: said(&self.id),
            id_issuer: None,
            family: said(&self.family),
            given: said(&self.given).into_iter().collect(),
            name_as_written: said(written.trim_end_matches('^')),
            birth_date: Some(Phi::new(self.birth_date)),
            sex: Some(self.sex),
            age_years: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demo_people_differ_and_their_birth_dates_exist() {
        let people: Vec<Person> = (0..200).map(Person::demo).collect();
        let ids: std::collections::BTreeSet<&str> = people.iter().map(|p| p.id.as_str()).collect();
        assert_eq!(ids.len(), people.len());
        for person in people {
            let text = person.birth_date.to_string();
            assert_eq!(PartialDate::parse(&text), Some(person.birth_date), "{text}");
        }
    }

    #[test]
    fn what_is_empty_is_not_said() {
        let nobody = Person {
            id: String::new(),
            family: String::new(),
            given: String::new(),
            ..Person::demo(0)
        };
        let patient = nobody.as_device_patient();
        assert!(patient.id.is_none() && patient.family.is_none() && patient.given.is_empty());
        assert!(patient.name_as_written.is_none());
    }
}
