//! A DICOM ECG object to a recording.
//!
//! Reads what is there, lists what it repaired or doubts, and refuses what would have to be assumed.

use precordia_model::{
    DeviceTime, OtherGroup, PartialDate, Phi, Problem, Recording, Refusal, RefusalReason,
};

use super::annotation::Target;
use super::charset::TextReader;
use super::element::DataSet;
use super::group::{self, Header, Kind, PaddingCustom};
use super::parse::Notes;
use super::{annotation, channel, file, parse, sop_class, subject, tag, when};

/// Reads one object, with or without the file around it.
pub fn read(bytes: &[u8]) -> Result<Recording, Refusal> {
    recording(bytes).map_err(with_hint)
}

fn with_hint(refusal: Refusal) -> Refusal {
    match refusal.reason {
        RefusalReason::Truncated => refusal
            .hint("the file may still have been on its way; try again when its size is stable"),
        _ => refusal,
    }
}

fn recording(bytes: &[u8]) -> Result<Recording, Refusal> {
    if bytes.len() > crate::MAX_INPUT_BYTES {
        return Err(crate::too_large(bytes.len()));
    }
    let file = file::open(bytes)?;
    let (set, notes) = parse::data_set(&file.body, file.encoding)?;
    let mut problems = file.problems;
    report_notes(notes, &mut problems);
    let sop_class_name = sop_class::accept(&set, file.meta_sop_class.as_deref(), &mut problems)?;

    let groups = set.items(tag::WAVEFORM_SEQUENCE);
    let headers = headers(groups, &mut problems)?;
    let rhythm_at = group::choose_rhythm(&headers, &mut problems)?;
    let custom = PaddingCustom::of(&headers);
    let rhythm = group::read(&headers[rhythm_at], custom, &mut problems)?;
    let other_groups = other_groups(&headers, rhythm_at, custom, &mut problems);

    let mut text = TextReader::new(set.ascii(tag::SPECIFIC_CHARACTER_SET));
    let acquired_at = when::acquired_at(&set, &mut problems);
    let targets: Vec<Target> = groups.iter().map(target).collect();
    let annotations = annotation::read(&set, &targets, &mut text, &mut problems);
    let mut recording = Recording {
        format: super::FORMAT,
        format_detail: format!("{sop_class_name}, {}", file.syntax_name),
        source_id: set.ascii(tag::SOP_INSTANCE).map(|uid| Phi::new(uid.to_owned())),
        device: subject::device(&set, &mut text),
        patient: subject::patient(
            &set,
            &mut text,
            acquired_at.as_ref().and_then(local_day),
            &mut problems,
        ),
        acquired_at,
        accession: text.read(set.bytes(tag::ACCESSION_NUMBER)).map(Phi::new),
        rhythm,
        other_groups,
        device_measurements: annotations.measurements,
        device_statements: annotations.statements,
        unmapped: Vec::new(),
        problems,
    };
    recording.problems.extend(text.problems());
    Ok(recording)
}

/// All groups that say what they are. One that does not is only passed over when it calls itself a
/// median beat, since any other could be the rhythm.
fn headers<'s, 'a>(
    groups: &'s [DataSet<'a>],
    problems: &mut Vec<Problem>,
) -> Result<Vec<Header<'s, 'a>>, Refusal> {
    if groups.is_empty() {
        return Err(Refusal::new(
            RefusalReason::NoWaveform,
            "waveform_absent",
            "WaveformSequence",
            "the object holds no waveform",
        ));
    }
    let mut headers = Vec::with_capacity(groups.len());
    for (index, group) in groups.iter().enumerate() {
        match Header::of(group, index + 1) {
            Ok(header) => headers.push(header),
            Err(refusal) if group::is_labeled_median(group) => problems.push(not_read(&refusal)),
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(headers)
}

fn other_groups(
    headers: &[Header<'_, '_>],
    rhythm_at: usize,
    custom: PaddingCustom,
    problems: &mut Vec<Problem>,
) -> Vec<OtherGroup> {
    let mut others = Vec::new();
    for (_, header) in headers.iter().enumerate().filter(|(index, _)| *index != rhythm_at) {
        let mut own = Vec::new();
        match group::read(header, custom, &mut own) {
            Ok(signal) => {
                // A beat without its DC level, or a marker channel, is no fault of the recording.
                let doubts = own
                    .into_iter()
                    .filter(|problem| header.kind == Kind::Rhythm || problem.code != "lead_flat");
                problems.extend(doubts);
                let kind = header.other_kind(&headers[rhythm_at]);
                others.push(OtherGroup { kind, label: header.label.clone(), signal });
            }
            Err(refusal) => problems.push(not_read(&refusal)),
        }
    }
    others
}

fn target(group: &DataSet<'_>) -> Target {
    let is_median = Header::of(group, 0).is_ok_and(|header| header.kind == Kind::MedianBeat);
    Target { leads: channel::leads(group), is_median }
}

fn not_read(refusal: &Refusal) -> Problem {
    let text = format!("a group beside the rhythm was not read: {}", refusal.text);
    Problem::error("group_not_read", refusal.place.as_str(), text)
}

fn report_notes(notes: Notes, problems: &mut Vec<Problem>) {
    if notes.out_of_order {
        let text = "elements are not in ascending order of tags";
        problems.push(Problem::info("elements_out_of_order", "data set", text));
    }
    if notes.repeated {
        problems.push(Problem::info(
            "element_repeated",
            "data set",
            "an element is there twice with the same value",
        ));
    }
    if notes.trailing_zeros > 0 {
        let text = format!("{} zero bytes follow the last element", notes.trailing_zeros);
        problems.push(Problem::info("trailing_bytes", "data set", text));
    }
}

fn local_day(time: &DeviceTime) -> Option<PartialDate> {
    PartialDate::parse(time.local.as_deref()?.split('T').next()?)
}
