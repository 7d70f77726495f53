//! An annotated ECG to a recording.

use precordia_model::{OtherGroup, Problem, Recording, Refusal};

use super::group::{self, Group};
use super::{annotation, subject, when};
use crate::xml::{self, Element};

/// What HL7 fixes for every file of the format: it says nothing of this one.
const FIXED_ATTRIBUTES: [&str; 9] = [
    "classCode",
    "codeSystemName",
    "contextConductionInd",
    "contextControlCode",
    "determinerCode",
    "inversionInd",
    "moodCode",
    "type",
    "typeCode",
];

/// Reads one file.
pub fn read(bytes: &[u8]) -> Result<Recording, Refusal> {
    let tree = xml::parse(bytes)?;
    let root = tree.root();
    let mut problems = tree.problems.clone();
    let groups = group::list(root, &mut problems)?;
    let rhythm_at = group::choose_rhythm(&groups, &mut problems)?;
    let rhythm = groups[rhythm_at].read(&mut problems)?;
    let other_groups = other_groups(&groups, rhythm_at, &mut problems);
    let series = groups[rhythm_at].series;
    let annotations = annotation::read(root, &mut problems);
    let acquired_at = when::acquired_at(root, &groups[rhythm_at], &mut problems);
    let patient = subject::patient(root, acquired_at.as_ref(), &mut problems);
    let mut recording = Recording {
        format: super::FORMAT,
        format_detail: detail(root),
        source_id: subject::source_id(root),
        device: subject::device(series),
        patient,
        acquired_at,
        accession: None,
        rhythm,
        other_groups,
        device_measurements: annotations.measurements,
        device_statements: annotations.statements,
        unmapped: annotations.marks,
        problems,
    };
    if let Some(code) = root.child("code") {
        // CPT-4 93000, the only code that the format has for a whole ECG.
        code.pass_over();
    }
    recording.unmapped.extend(tree.unmapped_except(&FIXED_ATTRIBUTES));
    Ok(recording)
}

fn detail(root: Element<'_>) -> String {
    let namespace = root.attributes().any(|(_, value)| value == "urn:hl7-org:v3");
    let namespace = if namespace { "urn:hl7-org:v3" } else { "without namespace" };
    format!("HL7 V3 AnnotatedECG, {namespace}")
}

fn other_groups(
    groups: &[Group<'_>],
    rhythm_at: usize,
    problems: &mut Vec<Problem>,
) -> Vec<OtherGroup> {
    let mut others = Vec::new();
    for (_, group) in groups.iter().enumerate().filter(|(index, _)| *index != rhythm_at) {
        let mut own = Vec::new();
        match group.read(&mut own) {
            Ok(signal) => {
                // A beat without its DC level, or a marker channel, is no fault of the recording.
                let is_beat = group.is_beat();
                problems.extend(
                    own.into_iter().filter(|problem| !is_beat || problem.code != "lead_flat"),
                );
                let kind = group.other_kind(&groups[rhythm_at]);
                others.push(OtherGroup { kind, label: group.label.clone(), signal });
            }
            Err(refusal) => {
                let text = format!("a group beside the rhythm was not read: {}", refusal.text);
                problems.push(Problem::error("group_not_read", refusal.place, text));
            }
        }
    }
    others
}
