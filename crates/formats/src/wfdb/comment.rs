//! The comments of a header: kept as they are, and read where a convention gives them a meaning.
//!
//! The PhysioNet/CinC challenges of 2020 and 2021 write `Age`, `Sex` and `Dx` so. What is dashed
//! out, or in another form, stays a comment.

use precordia_model::{DevicePatient, DeviceStatement, Phi, Sex, UnmappedField};

/// Comments are kept up to this many; databases write a dozen.
const COMMENTS_MAX: usize = 1000;

const AGE_YEARS_MAX: u16 = 130;

pub(crate) fn unmapped(comments: &[&str]) -> Vec<UnmappedField> {
    let kept = comments.iter().take(COMMENTS_MAX).enumerate();
    kept.map(|(index, text)| UnmappedField {
        place: format!("comment {}", index + 1),
        value: Phi::new((*text).to_owned()),
    })
    .collect()
}

pub(crate) fn patient(comments: &[&str]) -> DevicePatient {
    let age = value(comments, "Age").and_then(|age| age.parse().ok());
    let sex = value(comments, "Sex").and_then(|sex| match sex.to_ascii_lowercase().as_str() {
        "m" | "male" => Some(Sex::Male),
        "f" | "female" => Some(Sex::Female),
        _ => None,
    });
    let age_years = age.filter(|&years| years <= AGE_YEARS_MAX);
    DevicePatient { sex, age_years, ..DevicePatient::default() }
}

/// `Dx: 426783006,164934002`: SNOMED CT codes of what a reader found.
pub(crate) fn statements(comments: &[&str]) -> Vec<DeviceStatement> {
    let codes = value(comments, "Dx").into_iter().flat_map(|codes| codes.split(','));
    let statement = |code: &str| DeviceStatement {
        text: Phi::new(code.to_owned()),
        code: is_snomed(code).then(|| format!("SCT:{code}")),
    };
    codes.map(str::trim).filter(|code| !code.is_empty()).take(COMMENTS_MAX).map(statement).collect()
}

fn is_snomed(code: &str) -> bool {
    (6..=18).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit())
}

fn value<'a>(comments: &[&'a str], key: &str) -> Option<&'a str> {
    let found = comments.iter().find_map(|comment| {
        let (name, value) = comment.split_once(':')?;
        name.trim().eq_ignore_ascii_case(key).then(|| value.trim())
    });
    found.filter(|value| !value.is_empty() && !value.eq_ignore_ascii_case("unknown"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_challenges_write_is_read_and_all_is_kept() {
        let comments = ["Age: 78", "Sex: Female", "Dx: 426783006,164934002", "Rx: Unknown"];
        let who = patient(&comments);
        assert_eq!((who.age_years, who.sex), (Some(78), Some(Sex::Female)));
        let codes: Vec<_> = statements(&comments).into_iter().map(|one| one.code).collect();
        assert_eq!(codes, [Some("SCT:426783006".to_owned()), Some("SCT:164934002".to_owned())]);
        assert_eq!(unmapped(&comments).len(), 4);
        let none = ["Age: NaN", "Sex: -", "-1 M 742 654 x1"];
        assert_eq!((patient(&none).age_years, patient(&none).sex), (None, None));
    }
}
