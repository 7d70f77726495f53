//! A record of segments: the same signals one stretch after the other, with gaps between.
//!
//! header(5): in a fixed layout every segment has the same signals. In a variable layout the first
//! segment has no samples and describes all signals; each other segment has some of them, by name.

use precordia_model::{Filters, Lead, Problem, Refusal, RefusalReason};

use super::header::{self, Body, Header};
use super::line::{SegmentLine, SignalLine};
use super::{channel, layout, plan};
use crate::channel_name::Naming;
use crate::frames::{Channel, Group, Parts, Run};

/// A signal of the whole record, and what of it was found so far.
struct Whole<'a> {
    line: SignalLine<'a>,
    lead: Option<Lead>,
    runs: Vec<Run>,
}

/// Header files by name.
type Files = [(String, String)];

pub(crate) fn groups(
    master: &Header<'_>,
    segments: &[SegmentLine<'_>],
    files: &Files,
    parts: &Parts<'_>,
    rate_hz: f64,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Group>, Refusal> {
    let is_variable = segments.first().is_some_and(|first| first.samples == 0);
    let described = segments.iter().enumerate().find_map(|(index, one)| Some((index, one.name?)));
    let Some((index, described_by)) = described else {
        return Err(refuse("samples_absent", "header", "all segments are gaps"));
    };
    let description = header::parse(file(described_by, files)?, &label(index), problems)?;
    let mut wholes = wholes(&description, &label(index), problems)?;
    let mut at: u64 = 0;
    let mut gaps = 0;
    for (index, segment) in segments.iter().enumerate() {
        let end = at.checked_add(segment.samples).ok_or_else(|| {
            refuse("sample_count_invalid", "header", "the segments are too long to count")
        })?;
        match segment.name {
            Some(name) if segment.samples > 0 => {
                let file = file(name, files)?;
                let place = Place { at, frames: segment.samples, rate_hz, is_variable };
                append(&mut wholes, (&label(index), file), place, parts, problems)?;
            }
            Some(_) => {}
            None => gaps += 1,
        }
        at = end;
    }
    if gaps > 0 {
        let text = format!("{gaps} stretches between segments were not recorded; they are gaps");
        problems.push(Problem::warning("recording_gap", "header", text));
    }
    if master.record.samples.is_some_and(|stated| stated != at) {
        let text = format!(
            "the record states another length than its segments have together, {at}; theirs was used"
        );
        problems.push(Problem::warning("sample_count_mismatch", "header", text));
    }
    let channels = wholes.into_iter().filter_map(|whole| {
        let per_frame = u64::from(whole.line.per_frame);
        let channel = Channel { lead: whole.lead?, filters: Filters::default(), runs: whole.runs };
        Some((per_frame, channel))
    });
    plan::by_rate(channels.collect(), rate_hz, at, "header")
}

fn wholes<'a>(
    description: &Header<'a>,
    name: &str,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Whole<'a>>, Refusal> {
    let Body::Signals(lines) = &description.body else { return Err(nested(name)) };
    let mut naming = Naming::default();
    let mut wholes = Vec::with_capacity(lines.len());
    for (index, line) in lines.iter().enumerate() {
        let place = header::place(name, index);
        let lead = channel::lead(line, &mut naming, &place, problems)?;
        wholes.push(Whole { line: line.clone(), lead, runs: Vec::new() });
    }
    Ok(wholes)
}

/// Where a segment lies in the record.
#[derive(Clone, Copy)]
struct Place {
    at: u64,
    frames: u64,
    rate_hz: f64,
    is_variable: bool,
}

fn append(
    wholes: &mut [Whole<'_>],
    (name, text): (&str, &str),
    place: Place,
    parts: &Parts<'_>,
    problems: &mut Vec<Problem>,
) -> Result<(), Refusal> {
    let header = header::parse(text, name, problems)?;
    let Body::Signals(lines) = &header.body else { return Err(nested(name)) };
    if header.record.rate_hz.is_some_and(|rate| rate != place.rate_hz) {
        let text = "a segment has another sampling frequency than the record";
        return Err(refuse("segment_rate_differs", name, text));
    }
    if header.record.samples.is_some_and(|stated| stated < place.frames) {
        let text = "a segment has fewer samples than the record says";
        return Err(refuse("segment_truncated", name, text));
    }
    let (stretches, _) = layout::stretches(&header, lines, parts, name, problems)?;
    if !place.is_variable && lines.len() != wholes.len() {
        let text = "a segment has another number of signals than the first, in a fixed layout";
        return Err(refuse("segment_signals_differ", name, text));
    }
    for (index, (line, stretch)) in lines.iter().zip(&stretches).enumerate() {
        let at_signal = header::place(name, index);
        let whole = if place.is_variable {
            let mut named = wholes.iter_mut().filter(|whole| whole.line.name == line.name);
            named.next().filter(|_| named.next().is_none())
        } else {
            wholes.get_mut(index).filter(|whole| whole.line.name == line.name)
        };
        let Some(whole) = whole.filter(|whole| whole.line.per_frame == line.per_frame) else {
            let text = "a segment's signal is none of the record's signals, by name and rate";
            return Err(refuse("segment_signals_differ", &at_signal, text));
        };
        if whole.lead.is_none() {
            continue;
        }
        let scale = channel::scale(line, &at_signal, problems)?;
        plan::skew(stretch, &at_signal, problems);
        let samples = plan::samples(place.frames, stretch.per_frame, &at_signal)?;
        let begins = plan::samples(place.at.max(1), stretch.per_frame, &at_signal)?;
        let begins = if place.at == 0 { 0 } else { begins };
        // The sum that a header states is of all samples of its segment.
        let mut stretch = stretch.clone();
        if header.record.samples.is_some_and(|stated| stated != place.frames) {
            stretch.stated = None;
        }
        whole.runs.extend(stretch.run(begins, samples, scale));
    }
    Ok(())
}

fn label(index: usize) -> String {
    format!("segment {}", index + 1)
}

/// The text of a segment's header.
fn file<'f>(segment: &str, files: &'f Files) -> Result<&'f str, Refusal> {
    let name = format!("{segment}.hea");
    if !header::is_plain(&name) {
        let text = "the record names a segment that does not lie beside it; it was not looked for";
        return Err(refuse("part_name_invalid", "segments", text));
    }
    let found = files.iter().find(|(file, _)| *file == name).map(|(_, text)| text.as_str());
    found.ok_or_else(|| {
        let text = format!("the segment header `{name}` that the record names is not there");
        Refusal::new(RefusalReason::Truncated, "part_missing", "segments", text)
            .hint("send the header together with all files that it names")
    })
}

fn nested(name: &str) -> Refusal {
    refuse("segments_nested", name, "a segment has segments of its own")
}

fn refuse(code: &str, place: &str, text: &str) -> Refusal {
    Refusal::new(RefusalReason::Malformed, code, place, text)
}
