//! Whose recording it is, and when two records of a patient may become one.

use precordia_model::PatientId;

use crate::event::HoldReason;

/// How what the file says of the person compares with a known patient; `None` where one side is silent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    pub family: Option<bool>,
    pub birth_date: Option<bool>,
    pub sex: Option<bool>,
}

impl Agreement {
    fn contradicts(self) -> bool {
        [self.family, self.birth_date, self.sex].contains(&Some(false))
    }
}

/// What the file says of the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    pub has_id: bool,
    pub has_family: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    Sure(PatientId),
    /// The id is new here.
    New,
    Unsure(HoldReason),
}

/// An id is believed only together with a name, and only when nothing contradicts. A name alone never
/// decides.
pub fn match_patient(claim: Claim, candidates: &[(PatientId, Agreement)]) -> Match {
    if !claim.has_id {
        return Match::Unsure(HoldReason::NoPatientId);
    }
    if !claim.has_family {
        return Match::Unsure(HoldReason::NoPatientName);
    }
    match candidates {
        [] => Match::New,
        [(_, agreement)] if agreement.contradicts() => {
            Match::Unsure(HoldReason::DemographicsDisagree)
        }
        [(patient, _)] => Match::Sure(*patient),
        _ => Match::Unsure(HoldReason::IdentifierAmbiguous),
    }
}

/// What a merge or erasure is told of a patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub id: PatientId,
    pub merged_into: Option<PatientId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatientRefusal {
    #[error("a patient cannot be merged into itself")]
    SamePatient,
    #[error("the patient is merged already; un-merge it first")]
    AlreadyMerged,
    #[error("the receiving patient is itself merged into another; merge into that one")]
    ReceiverIsMerged,
    #[error("other patients are merged into this one; un-merge them first")]
    HasMerged,
    #[error("the patient is not merged")]
    NotMerged,
    #[error("the family name given does not confirm the patient")]
    NotConfirmed,
}

/// Merges are one level deep: a merged record receives nothing and a receiving one is not merged.
pub fn merge(from: Standing, from_has_merged: bool, into: Standing) -> Result<(), PatientRefusal> {
    match () {
        () if from.id == into.id => Err(PatientRefusal::SamePatient),
        () if from.merged_into.is_some() => Err(PatientRefusal::AlreadyMerged),
        () if into.merged_into.is_some() => Err(PatientRefusal::ReceiverIsMerged),
        () if from_has_merged => Err(PatientRefusal::HasMerged),
        () => Ok(()),
    }
}

pub fn unmerge(patient: Standing) -> Result<PatientId, PatientRefusal> {
    patient.merged_into.ok_or(PatientRefusal::NotMerged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use precordia_model::PatientId;

    fn id(n: u128) -> PatientId {
        format!("{n:032x}").parse().unwrap()
    }

    #[track_caller]
    fn check(
        has_id: bool,
        has_family: bool,
        candidates: &[(PatientId, Agreement)],
        expected: Match,
    ) {
        assert_eq!(match_patient(Claim { has_id, has_family }, candidates), expected);
    }

    #[test]
    fn an_id_needs_a_name_and_no_contradiction() {
        let silent = Agreement::default();
        let agrees = Agreement { family: Some(true), birth_date: Some(true), sex: Some(true) };
        check(false, true, &[(id(1), agrees)], Match::Unsure(HoldReason::NoPatientId));
        check(true, false, &[], Match::Unsure(HoldReason::NoPatientName));
        check(true, true, &[], Match::New);
        check(true, true, &[(id(1), agrees)], Match::Sure(id(1)));
        check(true, true, &[(id(1), silent)], Match::Sure(id(1)));
        check(
            true,
            true,
            &[(id(1), agrees), (id(2), agrees)],
            Match::Unsure(HoldReason::IdentifierAmbiguous),
        );
        for contradiction in [
            Agreement { family: Some(false), ..agrees },
            Agreement { birth_date: Some(false), ..agrees },
            Agreement { sex: Some(false), ..agrees },
        ] {
            check(
                true,
                true,
                &[(id(1), contradiction)],
                Match::Unsure(HoldReason::DemographicsDisagree),
            );
        }
    }

    #[test]
    fn merges_are_one_level_deep() {
        let alone = |n| Standing { id: id(n), merged_into: None };
        let merged = Standing { id: id(3), merged_into: Some(id(1)) };
        assert_eq!(merge(alone(2), false, alone(1)), Ok(()));
        assert_eq!(merge(alone(1), false, alone(1)), Err(PatientRefusal::SamePatient));
        assert_eq!(merge(merged, false, alone(2)), Err(PatientRefusal::AlreadyMerged));
        assert_eq!(merge(alone(2), false, merged), Err(PatientRefusal::ReceiverIsMerged));
        assert_eq!(merge(alone(1), true, alone(2)), Err(PatientRefusal::HasMerged));
        assert_eq!(unmerge(merged), Ok(id(1)));
        assert_eq!(unmerge(alone(1)), Err(PatientRefusal::NotMerged));
    }
}
