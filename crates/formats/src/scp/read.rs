//! An SCP-ECG record to a recording.

use precordia_model::{
    Filters, OtherGroup, Phi, Problem, Recording, Refusal, RefusalReason, Signal, UnmappedField,
};

use super::device_says::DeviceSays;
use super::leads::Leads;
use super::record::{self, Record};
use super::rhythm::{self, Sections};
use super::samples::Coding;
use super::text::TextReader;
use super::{beats, header, huffman, leads, long_term};

/// Sections that are read; every other is named with its size.
const READ: [u16; 10] = [1, 2, 3, 4, 5, 6, 7, 8, 10, 11];
const LONG_TERM: u16 = 12;

/// Reads one record.
pub fn read(bytes: &[u8]) -> Result<Recording, Refusal> {
    recording(bytes).map_err(|refusal| match refusal.reason {
        RefusalReason::Truncated => refusal
            .hint("the file may still have been on its way; try again when its size is stable"),
        _ => refusal,
    })
}

fn recording(bytes: &[u8]) -> Result<Recording, Refusal> {
    if bytes.len() > crate::MAX_INPUT_BYTES {
        return Err(crate::too_large(bytes.len()));
    }
    let mut problems = Vec::new();
    let record = record::open(bytes, &mut problems)?;
    let about = record.body(1).unwrap_or_default();
    let mut text = TextReader::new(header::language(about));
    let header = header::read(about, &mut text, &mut problems);
    let (rhythm, other_groups) = signals(&record, header.filters, &mut problems)?;
    let mut says = DeviceSays::default();
    if let Some(body) = record.body(7) {
        says.read_global(body, &mut problems);
    }
    if let Some(body) = record.body(10) {
        says.read_leads(body);
    }
    for id in [8, 11] {
        if let Some(body) = record.body(id) {
            says.read_statements(id, body, &mut text, &mut problems);
        }
    }
    text.report(&mut problems);
    let mut unmapped = header.unmapped;
    unmapped.append(&mut says.unmapped);
    unmapped.extend(unread(&record));
    Ok(Recording {
        format: super::FORMAT,
        format_detail: format!("protocol {}.{}", record.protocol / 10, record.protocol % 10),
        source_id: None,
        device: header.device,
        patient: header.patient,
        acquired_at: header.acquired_at,
        accession: None,
        rhythm,
        other_groups,
        device_measurements: says.measurements,
        device_statements: says.statements,
        unmapped,
        problems,
    })
}

fn signals(
    record: &Record<'_>,
    filters: Filters,
    problems: &mut Vec<Problem>,
) -> Result<(Signal, Vec<OtherGroup>), Refusal> {
    let short_term = record.needed(6)?;
    let long_term = record
        .needed(LONG_TERM)
        .or_else(|refusal| if short_term.is_some() { Ok(None) } else { Err(refusal) })?;
    if short_term.is_none() && long_term.is_none() {
        let text = "the record holds no rhythm";
        return Err(Refusal::new(RefusalReason::NoWaveform, "rhythm_absent", "section 6", text));
    }
    let definitions = record.needed(3)?.ok_or_else(|| {
        let text = "without lead definitions the leads would have to be assumed";
        Refusal::new(RefusalReason::Ambiguous, "leads_unknown", "section 3", text)
    })?;
    let leads = leads::parse(definitions)?;
    match (short_term, long_term) {
        (Some(body), _) => short_rhythm(record, body, &leads, filters, problems),
        (None, body) => {
            let signal = long_term::read(body.unwrap_or_default(), &leads, filters, problems)?;
            Ok((signal, Vec::new()))
        }
    }
}

fn short_rhythm(
    record: &Record<'_>,
    body: &[u8],
    leads: &Leads,
    filters: Filters,
    problems: &mut Vec<Problem>,
) -> Result<(Signal, Vec<OtherGroup>), Refusal> {
    let tables = record.needed(2)?.map(huffman::tables).transpose()?.flatten();
    let coding = tables.map_or(Coding::Raw, Coding::Huffman);
    // Sections 4 and 5 belong to the rhythm where the reference beat was taken out of it.
    let related =
        |id| if leads.reference_beat_subtracted { record.needed(id) } else { Ok(record.body(id)) };
    let (zones, reference_beat) = (related(4)?, related(5)?);
    let beats = zones.and_then(beats::parse);
    if zones.is_some() && beats.is_none() {
        let text = "the section is shorter than the beats that it declares; it was not read";
        problems.push(Problem::error("beats_truncated", "section 4", text));
    }
    let sections = Sections {
        protocol: record.protocol,
        leads,
        coding: &coding,
        beats: beats.as_ref(),
        reference_beat,
        filters,
    };
    rhythm::read(body, &sections, problems)
}

fn unread<'r>(record: &'r Record<'_>) -> impl Iterator<Item = UnmappedField> + 'r {
    let has_rhythm = record.body(6).is_some();
    let is_read = move |id| READ.contains(&id) || (id == LONG_TERM && !has_rhythm);
    record.sections.iter().filter(move |section| !is_read(section.id)).map(|section| {
        let name = match section.id {
            9 => "manufacturer's statements and overreading trail",
            12 => "long-term rhythm, not read beside section 6",
            13..=18 => "further data of version 3",
            128..=1023 => "manufacturer's own",
            _ => "not known",
        };
        UnmappedField {
            place: record::place(section.id),
            value: Phi::new(format!("{name}, {} bytes", section.body.len())),
        }
    })
}
