//! A MUSE ECG to a recording: which waveform is the rhythm, and what the device says.

use precordia_model::{
    DeviceMeasurement, DeviceStatement, GroupKind, OtherGroup, Phi, Problem, Recording, Refusal,
    RefusalReason,
};

use super::subject;
use super::waveform::Waveform;
use crate::measurement_code::Quantity::{self, Axis, Interval, Rate};
use crate::measurement_code::is_not_measured;
use crate::rhythm;
use crate::xml::{self, Element};

/// Fields of `RestingECGMeasurements`, our names, and what they measure; units are the format's.
const MEASUREMENTS: [(&str, Option<&str>, Quantity); 10] = [
    ("VentricularRate", Some("heart_rate_bpm"), Rate),
    ("AtrialRate", Some("atrial_rate_bpm"), Rate),
    ("PRInterval", Some("pr_ms"), Interval),
    ("QRSDuration", Some("qrs_ms"), Interval),
    ("QTInterval", Some("qt_ms"), Interval),
    ("QTCorrected", Some("qtc_ms"), Interval),
    ("QTcFrederica", None, Interval),
    ("PAxis", Some("p_axis_deg"), Axis),
    ("RAxis", Some("qrs_axis_deg"), Axis),
    ("TAxis", Some("t_axis_deg"), Axis),
];

/// Reads one file.
pub fn read(bytes: &[u8]) -> Result<Recording, Refusal> {
    let tree = xml::parse(bytes)?;
    let root = tree.root();
    let mut problems = tree.problems.clone();
    let waveforms: Vec<Element<'_>> = root.children("Waveform").collect();
    let rhythm_at = choose_rhythm(&waveforms)?;
    let place = waveforms[rhythm_at].place();
    let signal = Waveform::of(waveforms[rhythm_at])?.read(&mut problems)?;
    rhythm::check_length(signal.duration_s(), &place, &mut problems)?;
    let other_groups = other_groups(&waveforms, rhythm_at, &mut problems);
    let device_measurements = measurements(root, &mut problems);
    let device_statements = statements(root);
    let acquired_at = subject::acquired_at(root, &mut problems);
    let mut recording = Recording {
        format: super::FORMAT,
        format_detail: subject::detail(root),
        source_id: subject::source_id(root),
        device: subject::device(root),
        patient: subject::patient(root, acquired_at.as_ref(), &mut problems),
        acquired_at,
        accession: None,
        rhythm: signal,
        other_groups,
        device_measurements,
        device_statements,
        unmapped: Vec::new(),
        problems,
    };
    recording.unmapped = tree.unmapped();
    Ok(recording)
}

fn kind(waveform: Element<'_>) -> String {
    waveform.text_of("WaveformType").unwrap_or_default().to_ascii_lowercase()
}

/// The order of waveforms is not to be relied on; their type is.
fn choose_rhythm(waveforms: &[Element<'_>]) -> Result<usize, Refusal> {
    let rhythms: Vec<usize> =
        (0..waveforms.len()).filter(|&at| kind(waveforms[at]) == "rhythm").collect();
    match rhythms[..] {
        [one] => Ok(one),
        [] => {
            let text = "the file holds no waveform of a rhythm";
            Err(Refusal::new(
                RefusalReason::NoWaveform,
                "rhythm_absent",
                "RestingECG/Waveform",
                text,
            ))
        }
        _ => {
            let text = "the file holds several rhythms and does not say which is the recording";
            let place = "RestingECG/Waveform";
            Err(Refusal::new(RefusalReason::Ambiguous, "rhythm_groups_several", place, text))
        }
    }
}

fn other_groups(
    waveforms: &[Element<'_>],
    rhythm_at: usize,
    problems: &mut Vec<Problem>,
) -> Vec<OtherGroup> {
    let mut others = Vec::new();
    for (_, element) in waveforms.iter().enumerate().filter(|(at, _)| *at != rhythm_at) {
        let mut own = Vec::new();
        match Waveform::of(*element).and_then(|waveform| waveform.read(&mut own)) {
            Ok(signal) => {
                // A beat without its DC level is no fault of the recording.
                problems.extend(own.into_iter().filter(|problem| problem.code != "lead_flat"));
                let kind = match kind(*element).as_str() {
                    "median" => GroupKind::MedianBeat,
                    _ => GroupKind::Other,
                };
                let label = element.text_of("WaveformType").unwrap_or_default().to_owned();
                others.push(OtherGroup { kind, label, signal });
            }
            Err(refusal) => {
                let text = format!("a group beside the rhythm was not read: {}", refusal.text);
                problems.push(Problem::error("group_not_read", refusal.place, text));
            }
        }
    }
    others
}

/// As they stand now. What the cart had measured, where that differs, is kept as written.
fn measurements(root: Element<'_>, problems: &mut Vec<Problem>) -> Vec<DeviceMeasurement> {
    let Some(current) = root.child("RestingECGMeasurements") else { return Vec::new() };
    let original = root.child("OriginalRestingECGMeasurements");
    if let Some(original) = original {
        for field in original.elements() {
            let same = current.child(field.name()).map(Element::glance_text);
            if same == Some(field.glance_text()) {
                field.pass_over();
            }
        }
    }
    let mut found = Vec::new();
    for (field, name, quantity) in MEASUREMENTS {
        let Some(element) = current.child(field).filter(|one| !one.glance_text().is_empty()) else {
            continue;
        };
        let Some(value) = element.number() else {
            let text = "a measurement of the device is not a number and was not read";
            problems.push(Problem::warning("measurement_not_a_number", element.place(), text));
            continue;
        };
        if is_not_measured(Some(quantity), value) {
            continue;
        }
        let unit = match quantity {
            Rate => "/min",
            Interval => "ms",
            Axis => "deg",
        };
        found.push(DeviceMeasurement {
            name: name.map(str::to_owned),
            code: None,
            label: field.to_owned(),
            value,
            unit: unit.to_owned(),
            lead: None,
        });
    }
    found
}

/// As they stand now: a sentence ends where a part is flagged so. What the cart had stated, where that
/// differs, is kept as written.
fn statements(root: Element<'_>) -> Vec<DeviceStatement> {
    let sentences = |block: Element<'_>| {
        let mut sentences = Vec::new();
        let mut words: Vec<&str> = Vec::new();
        for part in block.children("DiagnosisStatement") {
            words.extend(part.children("StmtText").filter_map(Element::some_text));
            let ends = part.children("StmtFlag").any(|flag| flag.text() == "ENDSLINE");
            if ends && !words.is_empty() {
                sentences.push(words.join(" "));
                words.clear();
            }
        }
        if !words.is_empty() {
            sentences.push(words.join(" "));
        }
        sentences
    };
    let current = root.child("Diagnosis");
    let original = root.child("OriginalDiagnosis");
    let same = |one: Element<'_>, other: Element<'_>| one.glance_texts() == other.glance_texts();
    let chosen = current.or(original);
    if let (Some(current), Some(original)) = (current, original)
        && same(current, original)
    {
        original.pass_over();
    }
    let found = chosen.map(sentences).unwrap_or_default();
    let statement = |text: String| DeviceStatement { text: Phi::new(text), code: None };
    found.into_iter().map(statement).collect()
}
