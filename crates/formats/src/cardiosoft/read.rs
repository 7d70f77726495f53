//! A CardioSoft ECG to a recording.

use precordia_model::{
    DeviceStatement, GroupKind, OtherGroup, Phi, Problem, Recording, Refusal, RefusalReason,
};

use super::{measurement, subject, waveform};
use crate::rhythm;
use crate::xml::{self, Element};

/// Reads one file.
pub fn read(bytes: &[u8]) -> Result<Recording, Refusal> {
    let tree = xml::parse(bytes)?;
    let root = tree.root();
    let mut problems = tree.problems.clone();
    let signal = {
        let strip = strip(root)?;
        let signal = waveform::read(strip, subject::filters(root), &mut problems)?;
        rhythm::check_length(signal.duration_s(), &strip.place(), &mut problems)?;
        signal
    };
    let other_groups = median(root, &mut problems);
    let acquired_at = subject::acquired_at(root, &mut problems);
    let mut recording = Recording {
        format: super::FORMAT,
        format_detail: subject::detail(root),
        source_id: root.text_of("UID/DICOMStudyUID").map(|uid| Phi::new(uid.to_owned())),
        device: subject::device(root),
        patient: subject::patient(root, acquired_at.as_ref(), &mut problems),
        acquired_at,
        accession: root
            .text_of("PatientVisit/OrderNumber")
            .map(|number| Phi::new(number.to_owned())),
        rhythm: signal,
        other_groups,
        device_measurements: measurement::read(root, &mut problems),
        device_statements: statements(root),
        unmapped: Vec::new(),
        problems,
    };
    recording.unmapped = tree.unmapped();
    Ok(recording)
}

fn strip(root: Element<'_>) -> Result<Element<'_>, Refusal> {
    let strips: Vec<Element<'_>> = root.children("StripData").collect();
    match strips[..] {
        [strip] => Ok(strip),
        [] => {
            let text = "the file holds no strip of a resting ECG";
            Err(Refusal::new(RefusalReason::NoWaveform, "rhythm_absent", "CardiologyXML", text))
        }
        _ => {
            let text = "the file holds several strips and does not say which is the recording";
            let place = "CardiologyXML/StripData";
            Err(Refusal::new(RefusalReason::Ambiguous, "rhythm_groups_several", place, text))
        }
    }
}

/// The device's median beats. They are filtered as the device chose, which the file does not say.
fn median(root: Element<'_>, problems: &mut Vec<Problem>) -> Vec<OtherGroup> {
    let Some(block) = root.path("RestingECGMeasurements/MedianSamples") else { return Vec::new() };
    let mut own = Vec::new();
    match waveform::read(block, precordia_model::Filters::default(), &mut own) {
        Ok(signal) => {
            // A beat without its DC level is no fault of the recording.
            problems.extend(own.into_iter().filter(|problem| problem.code != "lead_flat"));
            let label = block.name().to_owned();
            vec![OtherGroup { kind: GroupKind::MedianBeat, label, signal }]
        }
        Err(refusal) => {
            let text = format!("a group beside the rhythm was not read: {}", refusal.text);
            problems.push(Problem::error("group_not_read", refusal.place, text));
            Vec::new()
        }
    }
}

fn statements(root: Element<'_>) -> Vec<DeviceStatement> {
    let Some(interpretation) = root.child("Interpretation") else { return Vec::new() };
    let sentences = interpretation.descendants("DiagnosisText").filter_map(Element::some_text);
    sentences.map(|text| DeviceStatement { text: Phi::new(text.to_owned()), code: None }).collect()
}
