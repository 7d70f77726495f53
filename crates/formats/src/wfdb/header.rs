//! A header file: its lines in their roles. header(5).

use precordia_model::{Problem, Refusal, RefusalReason};

use super::line::{self, RecordLine, SegmentLine, SignalLine};

/// A header is text of a line a signal; the longest known have some thousand lines.
pub(crate) const HEADER_BYTES_MAX: u64 = 4 << 20;

/// signal(5); 0 stands for a signal without samples.
const FORMATS: [u32; 14] = [0, 8, 16, 24, 32, 61, 80, 160, 212, 310, 311, 508, 516, 524];

const SIGNALS_MAX: u32 = 1024;

#[derive(Clone, Debug)]
pub(crate) struct Header<'a> {
    pub record: RecordLine<'a>,
    pub body: Body<'a>,
    /// Without their marks, in file order.
    pub comments: Vec<&'a str>,
}

#[derive(Clone, Debug)]
pub(crate) enum Body<'a> {
    Signals(Vec<SignalLine<'a>>),
    Segments(Vec<SegmentLine<'a>>),
}

/// Text whose first line that is no comment is a record line, and whose next is a signal's or a
/// segment's.
pub(crate) fn looks_like_header(bytes: &[u8]) -> bool {
    let bytes = &bytes[..bytes.len().min(16 << 10)];
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // Comments are in any character set; the lines before them are ASCII.
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
    };
    if text.bytes().any(|byte| byte < b' ' && !byte.is_ascii_whitespace()) {
        return false;
    }
    let mut lines = content_lines(text);
    let Some(record) = lines.next().and_then(|line| line::record(line, "").ok()) else {
        return false;
    };
    let is_name =
        |name: &str| !name.is_empty() && !name.contains([',', ';', '=', '"', '<', '{', '|', '^']);
    let Some(second) = lines.next() else { return false };
    let fits = match record.segments {
        Some(_) => line::segment(second, "").is_ok(),
        None => line::signal(second, "", &mut Vec::new())
            .is_ok_and(|signal| FORMATS.contains(&signal.format)),
    };
    fits && is_name(record.name) && is_name(second)
}

pub(crate) fn parse<'a>(
    text: &'a str,
    name: &str,
    problems: &mut Vec<Problem>,
) -> Result<Header<'a>, Refusal> {
    let mut lines = content_lines(text);
    let record_line = lines.next().ok_or_else(|| {
        Refusal::new(
            RefusalReason::Malformed,
            "record_line_invalid",
            name,
            "the header has no record line",
        )
    })?;
    let record = line::record(record_line, &format!("{name} record line"))?;
    let body = match record.segments {
        Some(segments) => Body::Segments(segment_lines(lines, segments, name)?),
        None => Body::Signals(signal_lines(lines, record.signals, name, problems)?),
    };
    let comments = text.lines().filter_map(|line| line.trim_start().strip_prefix('#'));
    Ok(Header {
        record,
        body,
        comments: comments.map(str::trim).filter(|c| !c.is_empty()).collect(),
    })
}

fn content_lines(text: &str) -> impl Iterator<Item = &str> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn signal_lines<'a>(
    lines: impl Iterator<Item = &'a str>,
    count: u32,
    name: &str,
    problems: &mut Vec<Problem>,
) -> Result<Vec<SignalLine<'a>>, Refusal> {
    if count > SIGNALS_MAX {
        let text = format!("{count} signals are more than any recording has");
        return Err(Refusal::new(RefusalReason::Malformed, "signals_many", name, text));
    }
    let mut signals = Vec::new();
    for (index, text) in lines.enumerate() {
        if index >= count as usize {
            let text = "lines follow after the last signal; they were not read";
            problems.push(Problem::warning("header_lines_more", name, text));
            break;
        }
        signals.push(line::signal(text, &place(name, index), problems)?);
    }
    if signals.len() < count as usize {
        let text = format!("{count} signals are declared and {} described", signals.len());
        return Err(Refusal::new(RefusalReason::Truncated, "header_truncated", name, text));
    }
    Ok(signals)
}

fn segment_lines<'a>(
    lines: impl Iterator<Item = &'a str>,
    count: u32,
    name: &str,
) -> Result<Vec<SegmentLine<'a>>, Refusal> {
    let mut segments = Vec::new();
    for (index, text) in lines.take(count as usize).enumerate() {
        segments.push(line::segment(text, &format!("{name} segment {}", index + 1))?);
    }
    if segments.len() < count as usize {
        let text = format!("{count} segments are declared and {} described", segments.len());
        return Err(Refusal::new(RefusalReason::Truncated, "header_truncated", name, text));
    }
    Ok(segments)
}

pub(crate) fn place(name: &str, signal: usize) -> String {
    format!("{name} signal {}", signal + 1)
}

/// The files that a header refers to, by name, as far as it can be read.
pub(crate) fn named_files(bytes: &[u8]) -> Vec<String> {
    if !looks_like_header(bytes) {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(bytes);
    let mut names: Vec<String> = Vec::new();
    let Ok(header) = parse(&text, "", &mut Vec::new()) else { return names };
    match &header.body {
        Body::Signals(signals) => names.extend(signals.iter().map(|one| one.file.to_owned())),
        Body::Segments(segments) => {
            names.extend(segments.iter().filter_map(|one| Some(format!("{}.hea", one.name?))));
        }
    }
    names.dedup();
    names.retain(|name| is_plain(name));
    names
}

/// A name of a file beside the header: no folder, and neither the gap nor standard input.
pub(crate) fn is_plain(name: &str) -> bool {
    !name.contains(['/', '\\', ':']) && !matches!(name, "" | "." | ".." | "~" | "-")
}
