//! When each data record begins: one after the other, or where its annotations say.

use precordia_model::{DeviceStatement, Phi, Problem, Refusal, RefusalReason, UnmappedField};

use super::annotation;
use super::header::{self, Header};
use crate::frames::Parts;

/// Annotations are kept up to this many; an annotated day of sleep has some thousand.
const ANNOTATIONS_MAX: usize = 5000;

/// Recorders write onsets with this much rounding.
const ONSET_TOLERANCE_S: f64 = 1e-4;

/// Consecutive records without a gap between them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Span {
    pub first: u64,
    pub count: u64,
    /// Seconds after the first record of the file.
    pub onset_s: f64,
}

#[derive(Debug)]
pub(crate) struct Records {
    pub count: u64,
    pub spans: Vec<Span>,
    /// Seconds from the header's time to the first record.
    pub begins_s: f64,
    pub statements: Vec<DeviceStatement>,
    pub unmapped: Vec<UnmappedField>,
}

pub(crate) fn read(
    header: &Header,
    parts: &mut Parts<'_>,
    part: usize,
    problems: &mut Vec<Problem>,
) -> Result<Records, Refusal> {
    let count = count(header, parts.size(part), problems)?;
    let mut records = Records {
        count,
        spans: Vec::new(),
        begins_s: 0.0,
        statements: Vec::new(),
        unmapped: Vec::new(),
    };
    let stretches = annotation_stretches(header);
    if stretches.is_empty() {
        if header.reserved.ends_with("+D") {
            let text = "the file says that its records are not contiguous and not when they begin";
            return Err(header::malformed("records_without_onsets", text));
        }
        records.spans.push(Span { first: 0, count, onset_s: 0.0 });
        return Ok(records);
    }
    follow(header, &stretches, parts, part, &mut records, problems)?;
    Ok(records)
}

/// Bytes of a record that hold annotations: where they begin and how many they are.
fn annotation_stretches(header: &Header) -> Vec<(u64, u64)> {
    let mut at = 0;
    let mut found = Vec::new();
    for signal in &header.signals {
        let bytes = signal.samples * header.sample_bytes();
        if signal.is_annotations() {
            found.push((at, bytes));
        }
        at += bytes;
    }
    found
}

fn count(header: &Header, size: u64, problems: &mut Vec<Problem>) -> Result<u64, Refusal> {
    let record = header.record_samples().and_then(|all| all.checked_mul(header.sample_bytes()));
    let record = record.ok_or_else(|| {
        header::malformed("sample_count_invalid", "a record is larger than can be counted")
    })?;
    let there = size - header.header_bytes;
    let whole = there / record;
    match header.records {
        Some(stated) if stated > whole => {
            let text =
                format!("the header states {stated} records and {whole} whole ones are there");
            Err(Refusal::new(RefusalReason::Truncated, "samples_truncated", "records", text)
                .hint("the file may still have been on its way; try again when its size is stable"))
        }
        Some(stated) => {
            if there > stated * record {
                let text = format!(
                    "{} bytes follow after the last record; they were not read",
                    there - stated * record
                );
                problems.push(Problem::warning("trailing_bytes", "records", text));
            }
            Ok(stated)
        }
        None => {
            // The specification has -1 only while recording.
            let text = format!("the number of records was never written; the file has {whole}");
            problems.push(Problem::warning("record_count", "header", text));
            if !there.is_multiple_of(record) {
                let text = "the file ends within a record; its part was not read";
                problems.push(Problem::warning("record_incomplete", "records", text));
            }
            Ok(whole)
        }
    }
}

/// Reads the annotations of every record.
fn follow(
    header: &Header,
    stretches: &[(u64, u64)],
    parts: &mut Parts<'_>,
    part: usize,
    records: &mut Records,
    problems: &mut Vec<Problem>,
) -> Result<(), Refusal> {
    let record_bytes = header.record_samples().unwrap_or(0) * header.sample_bytes();
    let (mut damaged, mut unstamped, mut more) = (0_u64, 0_u64, 0_u64);
    let mut begins: Option<f64> = None;
    for index in 0..records.count {
        let mut onset = None;
        for (number, &(at, bytes)) in stretches.iter().enumerate() {
            let place = header.header_bytes + index * record_bytes + at;
            let lists = annotation::read(&parts.slice(part, place, bytes)?);
            damaged += u64::from(lists.damaged);
            if number == 0 {
                onset = lists.record_onset_s;
            }
            for annotation in lists.annotations {
                if records.statements.len() == ANNOTATIONS_MAX {
                    more += 1;
                    continue;
                }
                let number = records.statements.len() + 1;
                let lasting = annotation
                    .duration_s
                    .map_or_else(String::new, |duration| format!(", lasting {duration} s"));
                records.unmapped.push(UnmappedField {
                    place: format!("time of annotation {number}"),
                    value: Phi::new(format!("{} s{lasting}", annotation.onset_s)),
                });
                records
                    .statements
                    .push(DeviceStatement { text: Phi::new(annotation.text), code: None });
            }
        }
        unstamped += u64::from(onset.is_none());
        let first = *begins.get_or_insert(onset.unwrap_or(0.0));
        extend(&mut records.spans, index, onset.map(|onset| onset - first), header.record_s)?;
    }
    records.begins_s = begins.unwrap_or(0.0);
    if damaged > 0 {
        let text = format!("the annotations of {damaged} records are damaged");
        problems.push(Problem::warning("annotation_damaged", "annotations", text));
    }
    if unstamped > 0 {
        let text =
            format!("{unstamped} records do not say when they begin; each follows the one before");
        problems.push(Problem::warning("record_onset_absent", "annotations", text));
    }
    if more > 0 {
        let text = format!("{more} further annotations are not listed");
        problems.push(Problem::warning("annotations_many", "annotations", text));
    }
    report_gaps(header, &records.spans, problems);
    Ok(())
}

/// Adds a record to the last span, or begins another where there is time between.
fn extend(
    spans: &mut Vec<Span>,
    index: u64,
    onset_s: Option<f64>,
    record_s: f64,
) -> Result<(), Refusal> {
    let Some(last) = spans.last_mut() else {
        spans.push(Span { first: index, count: 1, onset_s: 0.0 });
        return Ok(());
    };
    let follows_s = last.onset_s + last.count as f64 * record_s;
    let late_s = onset_s.map_or(0.0, |onset| onset - follows_s);
    if late_s < -ONSET_TOLERANCE_S {
        let text = "a record begins before the one before it ends";
        return Err(Refusal::new(
            RefusalReason::Malformed,
            "records_overlap",
            format!("record {}", index + 1),
            text,
        ));
    }
    if late_s > ONSET_TOLERANCE_S {
        spans.push(Span { first: index, count: 1, onset_s: follows_s + late_s });
    } else {
        last.count += 1;
    }
    Ok(())
}

fn report_gaps(header: &Header, spans: &[Span], problems: &mut Vec<Problem>) {
    if spans.len() < 2 {
        return;
    }
    let gaps = spans.len() - 1;
    let text = format!("the recording was interrupted {gaps} times; the time between is a gap");
    problems.push(Problem::warning("recording_gap", "records", text));
    if !header.reserved.ends_with("+D") {
        let text = "the header says that the records are contiguous and their onsets say that they are not; the onsets were followed";
        problems.push(Problem::warning("gap_undeclared", "header", text));
    }
}
