//! Giving a recording to a patient, and taking it back.

use precordia_model::PatientId;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordingRefusal {
    #[error("the recording belongs to a patient already; take it back first")]
    Assigned,
    #[error("the recording belongs to no patient")]
    NotAssigned,
    #[error("the patient is merged into another; assign to that one")]
    PatientMerged,
}

pub fn assign(now: Option<PatientId>, to_is_merged: bool) -> Result<(), RecordingRefusal> {
    match now {
        Some(_) => Err(RecordingRefusal::Assigned),
        None if to_is_merged => Err(RecordingRefusal::PatientMerged),
        None => Ok(()),
    }
}

pub fn unassign(now: Option<PatientId>) -> Result<PatientId, RecordingRefusal> {
    now.ok_or(RecordingRefusal::NotAssigned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_changes_hands_only_through_nobody() {
        let patient: PatientId = "00000000000000000000000000000001".parse().unwrap();
        assert_eq!(assign(None, false), Ok(()));
        assert_eq!(assign(Some(patient), false), Err(RecordingRefusal::Assigned));
        assert_eq!(assign(None, true), Err(RecordingRefusal::PatientMerged));
        assert_eq!(unassign(Some(patient)), Ok(patient));
        assert_eq!(unassign(None), Err(RecordingRefusal::NotAssigned));
    }
}
