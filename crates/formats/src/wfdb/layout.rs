//! Signal lines to where their samples lie: signals of one file share its frames. signal(5).

use precordia_model::{Problem, Refusal, RefusalReason};

use super::header::{self, Header};
use super::line::SignalLine;
use crate::frames::{Encoding, Parts, Scale, Stated};

/// Where a signal's samples lie, before it is known where they go.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    pub part: usize,
    pub start: u64,
    pub first: u64,
    pub frame: u64,
    pub per_frame: u64,
    /// Samples that are left out before the first, so that signals are simultaneous.
    pub skew: u64,
    pub encoding: Encoding,
    pub gap: Option<i64>,
    pub stated: Option<Stated>,
}

impl Stretch {
    /// The run of this stretch that begins at a recording's sample.
    pub(crate) fn run(&self, at: u64, samples: u64, scale: Scale) -> Option<crate::frames::Run> {
        let count = samples.checked_sub(self.skew).filter(|&count| count > 0)?;
        // The sum is of all samples; some of them are skipped where there is skew.
        let stated = self.stated.clone().filter(|_| self.skew == 0);
        Some(crate::frames::Run {
            at,
            count,
            skip: self.skew,
            part: self.part,
            start: self.start,
            first: self.first,
            frame: self.frame,
            per_frame: self.per_frame,
            encoding: self.encoding,
            scale,
            gap: self.gap,
            stated,
        })
    }
}

/// The signals of one header without segments, and the frames that each of them has.
pub(crate) fn stretches(
    header: &Header<'_>,
    signals: &[SignalLine<'_>],
    parts: &Parts<'_>,
    name: &str,
    problems: &mut Vec<Problem>,
) -> Result<(Vec<Stretch>, u64), Refusal> {
    let mut found = Vec::with_capacity(signals.len());
    let mut counts: Vec<(String, Held)> = Vec::new();
    let mut index = 0;
    while index < signals.len() {
        let file = signals[index].file;
        let count = signals[index..].iter().take_while(|line| line.file == file).count();
        let group = &signals[index..index + count];
        if signals[..index].iter().any(|earlier| earlier.file == file) {
            let text =
                "signals of one file do not stand together, so their order in it is not known";
            return Err(refuse("signals_scattered", &header::place(name, index), text));
        }
        let held = of_file(group, index, parts, name, &mut found)?;
        counts.push((file.to_owned(), held));
        index += count;
    }
    let frames = frames(header, &counts, name)?;
    for (file, held) in &counts {
        if held.at_least > frames {
            let at = signals.iter().position(|line| line.file == *file).unwrap_or(0);
            let place = header::place(name, at);
            let text = format!(
                "the header has {frames} frames of samples and the file holds {}; the rest was not read",
                held.at_least
            );
            problems.push(Problem::warning("signal_file_longer", place, text));
        }
    }
    Ok((found, frames))
}

/// As many as the header says. Where it does not, as many as all files have.
fn frames(header: &Header<'_>, counts: &[(String, Held)], name: &str) -> Result<u64, Refusal> {
    if let Some(frames) = header.record.samples {
        return Ok(frames);
    }
    match counts {
        [] => Ok(0),
        [(_, first), rest @ ..] if rest.iter().all(|(_, other)| other == first) => {
            Ok(first.at_most)
        }
        _ => {
            let text = "the header does not say how many samples there are, and its files differ";
            Err(refuse("sample_count_unknown", name, text))
        }
    }
}

/// How many whole frames a file holds.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Held {
    at_least: u64,
    at_most: u64,
}

/// The signals of one file.
fn of_file(
    group: &[SignalLine<'_>],
    index: usize,
    parts: &Parts<'_>,
    name: &str,
    found: &mut Vec<Stretch>,
) -> Result<Held, Refusal> {
    let head = &group[0];
    let place = header::place(name, index);
    let part = part_of(head.file, parts, &place)?;
    let mut slots = 0;
    for (offset, line) in group.iter().enumerate() {
        let place = header::place(name, index + offset);
        if line.format != head.format {
            let text = "signals of one file have different formats";
            return Err(refuse("signal_formats_differ", &place, text));
        }
        if line.offset != head.offset && line.offset != 0 {
            let text = "signals of one file begin at different bytes";
            return Err(refuse("signal_offsets_differ", &place, text));
        }
        let (encoding, gap) = encoding(line, &place)?;
        if line.skew > 0 && matches!(encoding, Encoding::Difference8 { .. }) {
            let text = "a signal of differences has skew, which is not read";
            return Err(Refusal::new(
                RefusalReason::Unsupported,
                "skew_of_differences",
                place,
                text,
            ));
        }
        found.push(Stretch {
            part,
            start: head.offset,
            first: slots,
            frame: 0,
            per_frame: u64::from(line.per_frame),
            skew: u64::from(line.skew) * u64::from(line.per_frame),
            encoding,
            gap,
            stated: Some(Stated { place, first: line.first, sum: line.sum }),
        });
        slots += u64::from(line.per_frame) * encoding.slots();
    }
    let from = found.len() - group.len();
    for stretch in &mut found[from..] {
        stretch.frame = slots;
    }
    let bytes = parts.size(part).saturating_sub(head.offset);
    let encoding = found[from].encoding;
    let held = encoding.slots_in(bytes);
    // The last samples that share bytes may be there to fill them only.
    let filling = encoding.packing().map_or(0, |packing| packing.samples - 1);
    Ok(Held { at_least: held.saturating_sub(filling) / slots, at_most: held / slots })
}

/// The part with a file's name, which must be a plain one: a header does not reach into folders.
pub(crate) fn part_of(file: &str, parts: &Parts<'_>, place: &str) -> Result<usize, Refusal> {
    if !header::is_plain(file) {
        let text = "the header names a file that does not lie beside it; it was not looked for";
        return Err(refuse("part_name_invalid", place, text));
    }
    parts.find(file).ok_or_else(|| {
        let text = format!("the file `{file}` that the header names is not there");
        Refusal::new(RefusalReason::Truncated, "part_missing", place, text)
            .hint("send the header together with all files that it names")
    })
}

/// The encoding of a format number, and the value that stands for no sample. signal(5).
fn encoding(line: &SignalLine<'_>, place: &str) -> Result<(Encoding, Option<i64>), Refusal> {
    let lowest = |bits: u32| Some(-(1_i64 << (bits - 1)));
    Ok(match line.format {
        8 => (Encoding::Difference8 { base: first_of(line) }, None),
        16 => (Encoding::I16Le, lowest(16)),
        24 => (Encoding::I24Le, lowest(24)),
        32 => (Encoding::I32Le, lowest(32)),
        61 => (Encoding::I16Be, lowest(16)),
        80 => (Encoding::Offset8, lowest(8)),
        160 => (Encoding::Offset16Le, lowest(16)),
        212 => (Encoding::Packed12, lowest(12)),
        310 => (Encoding::Packed10Split, lowest(10)),
        311 => (Encoding::Packed10, lowest(10)),
        508 | 516 | 524 => {
            let text = "the signal is compressed with FLAC, which is not read";
            return Err(Refusal::new(RefusalReason::Unsupported, "format_flac", place, text)
                .hint("write the record anew in format 16 or 24"));
        }
        other => {
            let text = format!("signal format {other} is none of the formats that are read");
            return Err(Refusal::new(RefusalReason::Unsupported, "signal_format", place, text));
        }
    })
}

/// header(5): an absent initial value is the middle of the converter's range, which is the baseline
/// of a line without one of its own.
fn first_of(line: &SignalLine<'_>) -> i32 {
    line.first.unwrap_or(line.baseline as i64).clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

fn refuse(code: &str, place: &str, text: &str) -> Refusal {
    Refusal::new(RefusalReason::Malformed, code, place, text)
}
