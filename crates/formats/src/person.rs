//! What every format says of a person, judged alike: birth date, sex, age.

use precordia_model::{PartialDate, Problem, Sex};

/// Nobody whose ECG is read was born before.
const BIRTH_YEAR_MIN: i16 = 1850;

/// A birth date that can be one. `read` is `None` where what is written is no date.
pub(crate) fn birth_date(
    read: Option<PartialDate>,
    acquired_on: Option<PartialDate>,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Option<PartialDate> {
    let Some(date) = read.filter(|date| year(*date) >= BIRTH_YEAR_MIN) else {
        let text = "the birth date is not one, or lies before 1850; it was not read";
        problems.push(Problem::warning("birth_date_invalid", place, text));
        return None;
    };
    if acquired_on.is_some_and(|day| is_surely_after(date, day)) {
        let text = "the birth date lies after the recording";
        problems.push(Problem::warning("birth_date_after_recording", place, text));
    }
    Some(date)
}

/// A sex as letters or words; anything else is unknown, with a problem.
pub(crate) fn sex(text: &str, place: &str, problems: &mut Vec<Problem>) -> Sex {
    match text.to_ascii_lowercase().as_str() {
        "m" | "male" => Sex::Male,
        "f" | "female" => Sex::Female,
        "o" | "other" | "un" => Sex::Other,
        "u" | "unk" | "unknown" => Sex::Unknown,
        _ => {
            let text = "the sex is none of the words that are known";
            problems.push(Problem::warning("sex_unknown", place, text));
            Sex::Unknown
        }
    }
}

/// Completed years of an age, by the first letter of its unit.
pub(crate) fn age_years(number: f64, unit: &str) -> Option<u16> {
    if !(0.0..=100_000.0).contains(&number) {
        return None;
    }
    let years = match unit.trim().chars().next()?.to_ascii_lowercase() {
        'y' | 'a' => number,
        'm' => number / 12.0,
        'w' => number / 52.18,
        'd' => number / 365.25,
        _ => return None,
    };
    Some(years.floor()).filter(|years| *years <= 150.0).map(|years| years as u16)
}

fn year(date: PartialDate) -> i16 {
    match date {
        PartialDate::Year(year) | PartialDate::Month(year, _) | PartialDate::Day(year, ..) => year,
    }
}

/// Years alone decide where a day is not known.
fn is_surely_after(one: PartialDate, other: PartialDate) -> bool {
    match (one, other) {
        (PartialDate::Day(..), PartialDate::Day(..)) => one > other,
        _ => year(one) > year(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_completed_years_and_never_guessed() {
        assert_eq!(age_years(46.9, "a"), Some(46));
        assert_eq!(age_years(30.0, "MONTHS"), Some(2));
        assert_eq!(age_years(3.0, "d"), Some(0));
        assert_eq!(age_years(46.0, ""), None);
        assert_eq!(age_years(-1.0, "a"), None);
        assert_eq!(age_years(200.0, "y"), None);
    }

    #[test]
    fn a_birth_that_cannot_be_is_a_problem() {
        let check = |birth: &str, recorded: &str| {
            let mut problems = Vec::new();
            let date = birth_date(
                PartialDate::parse(birth),
                PartialDate::parse(recorded),
                "birth",
                &mut problems,
            );
            (date.is_some(), problems.first().map(|problem| problem.code.clone()))
        };
        assert_eq!(check("1950-01-02", "2024-02-29"), (true, None));
        assert_eq!(check("0001-01-01", ""), (false, Some("birth_date_invalid".into())));
        assert_eq!(check("", ""), (false, Some("birth_date_invalid".into())));
        assert_eq!(
            check("2024-03-01", "2024-02-29"),
            (true, Some("birth_date_after_recording".into()))
        );
    }
}
