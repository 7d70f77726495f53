//! A document to a recording.

use precordia_model::{Phi, Recording, Refusal, RefusalReason};

use super::{beats, document, subject, waveform, words};
use crate::xml;

pub(super) fn read(bytes: &[u8]) -> Result<Recording, Refusal> {
    let tree = xml::parse(bytes)?;
    let root = tree.root();
    let mut problems = tree.problems.clone();
    let mut fields = Vec::new();
    let format_detail = document::accept(root, &mut problems)?;
    let Some(samples) = root.path("waveforms/parsedwaveforms") else {
        let text = "the document holds no samples";
        let place = "waveforms/parsedwaveforms";
        return Err(Refusal::new(RefusalReason::NoWaveform, "rhythm_absent", place, text));
    };
    let form = document::form(root, samples)?;
    let rhythm = waveform::read(root, samples, &form, &mut problems)?;
    let other_groups = beats::read(root, &mut problems);
    let acquired_at = subject::acquired_at(root, &mut problems);
    let patient = subject::patient(root, acquired_at.as_ref(), &mut fields, &mut problems);
    let mut recording = Recording {
        format: super::FORMAT,
        format_detail,
        source_id: root.text_of("documentinfo/documentname").map(|id| Phi::new(id.to_owned())),
        device: subject::device(root, &mut fields),
        patient,
        acquired_at,
        accession: root.text_of("orderinfo/ordernumber").map(|id| Phi::new(id.to_owned())),
        rhythm,
        other_groups,
        device_measurements: words::measurements(root, &mut problems),
        device_statements: words::statements(root),
        unmapped: fields,
        problems,
    };
    recording.unmapped.extend(tree.unmapped());
    Ok(recording)
}
