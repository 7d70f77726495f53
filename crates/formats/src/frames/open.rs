//! From parts to a plan, and from a plan to a recording: whole, or block by block.

use std::io;

use precordia_model::{OtherGroup, Problem, Recording, Refusal, RefusalReason, Signal};

use super::blocks::{Blocks, Decoder};
use super::layout::{Group, Layout};
use super::parts::{NamedSource, Parts};
use crate::{Part, build};

/// What a format is known by lies within this.
const KNOWN_WITHIN_BYTES: u64 = 64 << 10;

/// A recording read whole may have this many samples for each byte of its parts, and some more for
/// gaps that are only spoken of.
const SAMPLES_PER_BYTE_MAX: u64 = 4;
const SAMPLES_MORE: u64 = 8 << 20;

/// A file of thousands of segments may have a doubt about each.
const PROBLEMS_MAX: usize = 150;

/// As many leads as most recordings have.
const PLACES_MAX: usize = 12;

/// Why nothing was opened, or why reading stopped.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("could not read {part}")]
    Io {
        part: String,
        #[source]
        cause: io::Error,
    },
}

/// A long recording: all of it that is no sample, and its samples to come.
pub struct Opened<'a> {
    /// Its traces are the recorded leads in file order, without samples.
    pub header: Recording,
    /// Samples of each lead, gaps included.
    pub length: u64,
    pub blocks: Blocks<'a>,
}

/// A format of regular frames.
pub(crate) struct Framed {
    pub knows: fn(&[u8]) -> bool,
    pub plan: fn(&mut Parts<'_>) -> Result<Plan, Refusal>,
}

/// All that a header says.
pub(crate) struct Plan {
    /// Its rhythm is left as [`Plan::no_samples`] makes it.
    pub header: Recording,
    pub layout: Layout,
    /// What the samples are called in a problem's place.
    pub place: String,
}

impl Plan {
    pub(crate) fn no_samples(layout: &Layout) -> Result<Signal, Refusal> {
        let Some(rhythm) = layout.groups.first() else {
            let text = "no channel names a lead that is known";
            return Err(Refusal::new(RefusalReason::Ambiguous, "leads_unknown", "header", text));
        };
        let empty =
            |channel: &super::Channel| build::recorded(channel.lead, Vec::new(), channel.filters);
        Ok(Signal { rate: rhythm.rate, traces: rhythm.channels.iter().map(empty).collect() })
    }
}

/// Opens a recording of any length in one of the formats whose samples lie in frames.
pub fn open(sources: Vec<NamedSource<'_>>) -> Result<Opened<'_>, OpenError> {
    let mut parts = Parts::of_sources(sources)?;
    let mut prefixes = Vec::with_capacity(parts.len());
    for index in 0..parts.len() {
        prefixes.push(parts.prefix(index, KNOWN_WITHIN_BYTES)?);
    }
    let known =
        crate::FRAMED.iter().find(|format| prefixes.iter().any(|bytes| (format.knows)(bytes)));
    let Some(format) = known else {
        let text = "the content is in no format that is read block by block";
        let refusal = Refusal::new(RefusalReason::NotAnEcg, "format_unknown", "byte 0", text);
        return Err(refusal.into());
    };
    let plan = (format.plan)(&mut parts)?;
    plan.layout.check(&parts)?;
    let rhythm = distinct(plan.layout.groups, &plan.place)?;
    let length = rhythm.length;
    let mut header = plan.header;
    header.problems = together(header.problems);
    Ok(Opened { header: build::bounded(header), length, blocks: Blocks::new(parts, rhythm) })
}

/// The rhythm of a layout. Further groups are read with a recording that is read whole only.
fn distinct(groups: Vec<Group>, place: &str) -> Result<Group, Refusal> {
    let mut groups = groups.into_iter();
    let Some(rhythm) = groups.next() else {
        let text = "no channel names a lead that is known";
        return Err(Refusal::new(RefusalReason::Ambiguous, "leads_unknown", place, text));
    };
    for (index, channel) in rhythm.channels.iter().enumerate() {
        if rhythm.channels[..index].iter().any(|earlier| earlier.lead == channel.lead) {
            let text = format!("two channels say that they are {}", channel.lead);
            return Err(Refusal::new(RefusalReason::Ambiguous, "lead_repeated", place, text));
        }
    }
    Ok(rhythm)
}

/// Reads a recording whole: its layout is followed in one block.
pub(crate) fn read(parts: &[Part<'_>], format: &Framed) -> Result<Recording, Refusal> {
    let bytes: u64 = parts.iter().map(|part| part.bytes.len() as u64).sum();
    let mut parts = Parts::of_bytes(parts);
    let plan = (format.plan)(&mut parts)?;
    plan.layout.check(&parts)?;
    let bound = bytes.saturating_mul(SAMPLES_PER_BYTE_MAX).saturating_add(SAMPLES_MORE);
    if plan.layout.samples() > bound {
        let text = format!("{} samples are far more than the input holds", plan.layout.samples());
        return Err(Refusal::new(RefusalReason::TooLarge, "samples_too_many", &*plan.place, text));
    }
    let mut recording = plan.header;
    let mut groups = plan.layout.groups.into_iter();
    if let Some(rhythm) = groups.next() {
        recording.rhythm = whole(rhythm, &mut parts, &plan.place, &mut recording.problems)?;
    }
    for group in groups {
        let (kind, label) = (group.kind, group.label.clone());
        let place = label.clone();
        match whole(group, &mut parts, &place, &mut recording.problems) {
            Ok(signal) => recording.other_groups.push(OtherGroup { kind, label, signal }),
            Err(refusal) => {
                let text = format!("a group beside the rhythm was not read: {}", refusal.text);
                recording.problems.push(Problem::error("group_not_read", refusal.place, text));
            }
        }
    }
    recording.problems = together(recording.problems);
    Ok(recording)
}

/// The same said of several signals is said once, with the places that are meant.
pub(super) fn together(problems: Vec<Problem>) -> Vec<Problem> {
    let mut found: Vec<(Problem, usize)> = Vec::new();
    let mut more = 0;
    for problem in problems {
        let same = found.iter().position(|(one, _)| {
            (&one.code, one.severity, &one.text) == (&problem.code, problem.severity, &problem.text)
        });
        if let Some((one, places)) = same.and_then(|index| found.get_mut(index)) {
            *places += 1;
            if *places <= PLACES_MAX {
                one.place = format!("{}; {}", one.place, problem.place);
            }
        } else if found.len() < PROBLEMS_MAX {
            found.push((problem, 1));
        } else {
            more += 1;
        }
    }
    let with_rest = |(mut problem, places): (Problem, usize)| {
        if places > PLACES_MAX {
            problem.place = format!("{}; and {} more", problem.place, places - PLACES_MAX);
        }
        problem
    };
    let mut problems: Vec<Problem> = found.into_iter().map(with_rest).collect();
    if more > 0 {
        let text = format!("{more} more problems are not listed");
        problems.push(Problem::warning("problems_many", "file", text));
    }
    problems
}

fn whole(
    group: Group,
    parts: &mut Parts<'_>,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Result<Signal, Refusal> {
    let rate = group.rate;
    let leads: Vec<_> = group.channels.iter().map(|one| (one.lead, one.filters)).collect();
    let length = usize::try_from(group.length).unwrap_or(usize::MAX);
    let samples =
        Decoder::new(group).next(parts, length, problems).map_err(|error| match error {
            OpenError::Refused(refusal) => refusal,
            OpenError::Io { part, .. } => super::unreadable(&part),
        })?;
    let traces = leads
        .into_iter()
        .zip(samples)
        .map(|((lead, filters), samples_uv)| build::recorded(lead, samples_uv, filters))
        .collect();
    build::signal(rate, traces, place, problems)
}
