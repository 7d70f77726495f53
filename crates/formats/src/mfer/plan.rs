//! A file to the plan by which its samples are read.

use precordia_model::{
    Filters, Lead, Phi, Problem, Recording, Refusal, RefusalReason, SampleRate, UnmappedField,
};

use super::content::{self, Content, tag};
use super::identity;
use super::scale::{self, ByteOrder};
use super::state::{State, malformed};
use crate::channel_name::{ChannelName, Naming};
use crate::frames::{Channel, Encoding, Group, Layout, Parts, Plan, Run, Sampled, Scale, grouped};

/// Every file is one part.
const PART: usize = 0;

/// Waveform types whose lead codes are those of an electrocardiogram (ISO 22077-1 table of MWF_WFM).
const ECG_TYPES: [u64; 6] = [1, 2, 3, 4, 20, 21];

/// The Holter: the type that a public file proves.
const LONG_TERM: u64 = 2;

/// Contents that a recording has no place for, up to so many and so long.
const UNMAPPED_MAX: usize = 500;
const UNMAPPED_BYTES_MAX: usize = 256;

pub(crate) fn plan(parts: &mut Parts<'_>) -> Result<Plan, Refusal> {
    let contents = content::read(parts, PART)?;
    let mut problems = Vec::new();
    let mut state = State::new();
    let mut naming = Naming::default();
    let mut segments: Vec<Vec<Sampled>> = Vec::new();
    let mut waveform_type = None;
    let mut others = 0;
    for content in &contents {
        if content.tag != tag::WAVEFORM {
            state.define(content)?;
            continue;
        }
        let stated = state.root(tag::WAVEFORM_TYPE);
        let code = stated.and_then(|content| {
            scale::whole(content.bytes.get(..2).unwrap_or(&content.bytes), state.order)
        });
        match code {
            Some(code) if ECG_TYPES.contains(&code) => {
                waveform_type.get_or_insert(code);
                segments.push(waveform(&state, content, &mut naming, &mut problems)?);
            }
            _ => others += 1,
        }
    }
    if others > 0 {
        let text = format!(
            "{others} waveforms are no electrocardiograms by their type; they were not read"
        );
        problems.push(Problem::warning("waveform_not_ecg", "waveforms", text));
    }
    let Some(waveform_type) = waveform_type else {
        let text = "the file holds no waveform of an electrocardiogram's type";
        return Err(Refusal::new(RefusalReason::NoWaveform, "ecg_absent", "waveforms", text));
    };
    doubts(waveform_type, &contents, &mut problems);
    let layout = Layout { groups: joined(segments, &mut problems)? };
    let recording = Recording {
        format: super::FORMAT,
        format_detail: format!("waveform type {waveform_type}"),
        source_id: None,
        device: identity::device(&contents),
        patient: identity::patient(&contents, state.order, &mut problems),
        acquired_at: identity::acquired_at(&contents, state.order, &mut problems),
        accession: None,
        rhythm: Plan::no_samples(&layout)?,
        other_groups: Vec::new(),
        device_measurements: Vec::new(),
        device_statements: Vec::new(),
        unmapped: unmapped(&contents),
        problems,
    };
    Ok(Plan { header: recording, layout, place: "waveforms".to_owned() })
}

fn doubts(waveform_type: u64, contents: &[Content], problems: &mut Vec<Problem>) {
    if waveform_type != LONG_TERM {
        let text = "no public file of a device proves the reading of this waveform type";
        problems.push(Problem::warning("format_unproven", "waveforms", text));
    }
    let preamble = contents.iter().find(|content| content.tag == tag::PREAMBLE);
    let preamble = preamble.and_then(|content| identity::text(&content.bytes)).unwrap_or_default();
    if waveform_type == LONG_TERM && preamble.contains("Standard 12") {
        let text = "the preamble says that it is a standard 12-lead ECG and the type a long-term one; the type holds";
        problems.push(Problem::info("preamble_disagrees", "byte 0", text));
    }
}

/// The channels of one waveform: sequences of a block of each channel.
fn waveform(
    state: &State<'_>,
    content: &Content,
    naming: &mut Naming,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Sampled>, Refusal> {
    if content.channel.is_some() {
        return Err(malformed(content, "a waveform stands inside a channel's definitions"));
    }
    if let Some(pointer) = state.root(tag::POINTER).filter(|one| one.bytes.iter().any(|&b| b != 0))
    {
        let text = "the waveform is placed by a pointer, which is not read";
        let refusal =
            Refusal::new(RefusalReason::Unsupported, "pointer_unsupported", pointer.place(), text);
        return Err(refusal);
    }
    let channels = state.channel_count()?;
    let mut frame = 0_u64;
    let mut storages = Vec::new();
    for channel in 0..channels {
        let storage = storage(state, channel)?;
        let bytes = storage.encoding.map_or(storage.width, Encoding::slots);
        storages.push((frame, storage));
        frame = storage
            .block
            .checked_mul(bytes)
            .and_then(|bytes| frame.checked_add(bytes))
            .ok_or_else(|| malformed(content, "a sequence is larger than can be counted"))?;
    }
    let sequences = sequences(state, content, frame, problems)?;
    let mut found = Vec::new();
    for (channel, (first, storage)) in storages.into_iter().enumerate() {
        let place = format!("channel {}", channel + 1);
        let channel = channel as u64;
        // Status words are no samples of a lead.
        let Some(encoding) = storage.encoding else { continue };
        let Some(lead) = lead(state, channel, naming, &place, problems)? else { continue };
        let rate = rate(state, channel, &place)?;
        let count = sequences * storage.block;
        let run = Run {
            at: 0,
            count,
            skip: 0,
            part: PART,
            start: content.at,
            first,
            frame,
            per_frame: storage.block,
            encoding,
            scale: amplitude(state, channel, &place)?,
            gap: gap(state, channel, encoding)?,
            stated: None,
        };
        skew(state, channel, &place, problems);
        let channel = Channel { lead, filters: Filters::default(), runs: vec![run] };
        found.push(Sampled { rate, length: count, channel });
    }
    Ok(found)
}

/// How many sequences a waveform has: as defined, and as its length allows.
fn sequences(
    state: &State<'_>,
    content: &Content,
    frame: u64,
    problems: &mut Vec<Problem>,
) -> Result<u64, Refusal> {
    let there = content.count / frame;
    let stated = state.whole(state.root(tag::SEQUENCES), there)?;
    if stated > there || there == 0 {
        let text = format!("{stated} sequences are defined and the waveform holds {there}");
        return Err(Refusal::new(
            RefusalReason::Truncated,
            "samples_truncated",
            content.place(),
            text,
        ));
    }
    if content.count != stated * frame {
        let text = format!("the waveform is longer than the {stated} sequences that were read");
        problems.push(Problem::warning("trailing_bytes", content.place(), text));
    }
    Ok(stated)
}

#[derive(Clone, Copy)]
struct Storage {
    block: u64,
    /// `None` for words of status.
    encoding: Option<Encoding>,
    width: u64,
}

/// MWF_DTP, after what is compressed was refused.
fn storage(state: &State<'_>, channel: u64) -> Result<Storage, Refusal> {
    let compressed = |content: &Content| {
        let text = "the waveform is compressed, which is not read";
        Refusal::new(RefusalReason::Unsupported, "compression_unsupported", content.place(), text)
    };
    if let Some(content) = state.of(channel, tag::COMPRESSION)
        && content.bytes.iter().take(2).any(|&byte| byte != 0)
    {
        return Err(compressed(content));
    }
    let block = state.whole(state.of(channel, tag::BLOCK), 1)?;
    let content = state.of(channel, tag::DATA_TYPE);
    let code = match content.map(|content| &content.bytes[..]) {
        None => 0,
        Some([code]) => *code,
        Some(_) => 255,
    };
    let big = state.order == ByteOrder::Big;
    let encoding = match (code, big) {
        (0, true) => Encoding::I16Be,
        (0, false) => Encoding::I16Le,
        (1, true) => Encoding::U16Be,
        (1, false) => Encoding::U16Le,
        (2, true) => Encoding::I32Be,
        (2, false) => Encoding::I32Le,
        (3, _) => Encoding::U8,
        (4, _) => return Ok(Storage { block, encoding: None, width: 2 }),
        (5, _) => Encoding::I8,
        (6, true) => Encoding::U32Be,
        (6, false) => Encoding::U32Le,
        (7, true) => Encoding::F32Be,
        (7, false) => Encoding::F32Le,
        (8, true) => Encoding::F64Be,
        (8, false) => Encoding::F64Le,
        (9, _) => return Err(content.map_or_else(unknown_type, compressed)),
        _ => {
            return Err(content.map_or_else(unknown_type, |content| {
                malformed(content, "the data type is not known")
            }));
        }
    };
    Ok(Storage { block, encoding: Some(encoding), width: encoding.slots() })
}

fn unknown_type() -> Refusal {
    Refusal::new(
        RefusalReason::Malformed,
        "definition_invalid",
        "channels",
        "the data type is not known",
    )
}

/// ISO 22077-2: the codes of leads are those of SCP-ECG.
fn lead(
    state: &State<'_>,
    channel: u64,
    naming: &mut Naming,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Result<Option<Lead>, Refusal> {
    let Some(content) = state.of(channel, tag::LEAD).filter(|content| content.channel.is_some())
    else {
        let text = "the channel does not say which lead it is";
        return Err(Refusal::new(RefusalReason::Ambiguous, "leads_unknown", place, text));
    };
    // One byte, or two and a name; a single byte is a code whatever the byte order is.
    let (code, name) = content.bytes.split_at(content.bytes.len().min(2));
    let code = scale::whole(code, state.order).and_then(|code| u16::try_from(code).ok());
    let name = identity::text(name).unwrap_or_default();
    let known = code.and_then(Lead::from_scp_id);
    if let (Some(lead), ChannelName::Lead(named)) = (known, ChannelName::of(&name))
        && lead != named
    {
        let text = format!("code and name of the channel say different leads: {lead} and {named}");
        return Err(Refusal::new(RefusalReason::Ambiguous, "lead_conflict", place, text));
    }
    Ok(known.or_else(|| naming.lead(&name, ChannelName::Unplaced, place, problems)))
}

fn rate(state: &State<'_>, channel: u64, place: &str) -> Result<SampleRate, Refusal> {
    let Some(content) = state.of(channel, tag::SAMPLING) else {
        let text = "the file does not say the sampling interval";
        return Err(Refusal::new(RefusalReason::Ambiguous, "rate_absent", place, text));
    };
    let hz = scale::rate_hz(content, state.order)?;
    SampleRate::from_hz(hz).ok_or_else(|| {
        let text = "the sampling interval is none that an ECG can have";
        Refusal::new(RefusalReason::Malformed, "rate_invalid", place, text)
    })
}

fn amplitude(state: &State<'_>, channel: u64, place: &str) -> Result<Scale, Refusal> {
    let ambiguous =
        |code: &str, text: &str| Refusal::new(RefusalReason::Ambiguous, code, place, text);
    let Some(content) = state.of(channel, tag::SENSITIVITY) else {
        return Err(ambiguous("sensitivity_absent", "the file does not say the sensitivity"));
    };
    let uv_per_unit = scale::sensitivity_uv(content, state.order)?;
    let offset = state.of(channel, tag::OFFSET);
    if offset.is_some_and(|content| content.bytes.iter().any(|&byte| byte != 0)) {
        // No public file tells whether it is added or taken away.
        return Err(ambiguous(
            "offset_unproven",
            "the channel has an offset, whose sign no public file proves",
        ));
    }
    Scale { zero: 0.0, uv_per_unit, offset_uv: 0.0 }.checked(place)
}

fn gap(state: &State<'_>, channel: u64, encoding: Encoding) -> Result<Option<i64>, Refusal> {
    let Some(content) = state.of(channel, tag::NULL_VALUE) else { return Ok(None) };
    let is_unsigned = matches!(
        encoding,
        Encoding::U8 | Encoding::U16Be | Encoding::U16Le | Encoding::U32Be | Encoding::U32Le
    );
    let value = if is_unsigned {
        scale::whole(&content.bytes, state.order).and_then(|value| i64::try_from(value).ok())
    } else {
        scale::signed(&content.bytes, state.order)
    };
    value.map(Some).ok_or_else(|| malformed(content, "the null value is no number"))
}

fn skew(state: &State<'_>, channel: u64, place: &str, problems: &mut Vec<Problem>) {
    let skewed =
        state.of(channel, tag::SKEW).filter(|content| content.bytes.iter().any(|&b| b != 0));
    if skewed.is_some() {
        let text =
            "the channel is sampled at another moment than the others; samples were not moved";
        problems.push(Problem::info("channel_time_skew", place, text));
    }
}

/// Waveforms of the same leads and rate follow one another; others are further groups.
fn joined(segments: Vec<Vec<Sampled>>, problems: &mut Vec<Problem>) -> Result<Vec<Group>, Refusal> {
    let mut groups: Vec<Group> = Vec::new();
    for segment in segments {
        for group in grouped(segment) {
            let leads =
                |group: &Group| group.channels.iter().map(|one| one.lead).collect::<Vec<_>>();
            let same = groups
                .iter_mut()
                .find(|earlier| earlier.rate == group.rate && leads(earlier) == leads(&group));
            let Some(earlier) = same else {
                groups.push(group);
                continue;
            };
            let at = earlier.length;
            earlier.length = at.checked_add(group.length).ok_or_else(|| {
                let text = "the waveforms are too long to count";
                Refusal::new(RefusalReason::Malformed, "sample_count_invalid", "waveforms", text)
            })?;
            for (channel, more) in earlier.channels.iter_mut().zip(group.channels) {
                channel.runs.extend(more.runs.into_iter().map(|run| Run { at, ..run }));
            }
            let text = "waveforms of the same leads were read one after the other";
            problems.push(Problem::info("waveforms_joined", "waveforms", text));
        }
    }
    Ok(groups)
}

/// What is no definition of samples, person, time or device, as text where it is text.
fn unmapped(contents: &[Content]) -> Vec<UnmappedField> {
    let is_read = |tag: u8| {
        matches!(
            tag,
            tag::BYTE_ORDER
                | tag::BLOCK
                | tag::CHANNELS
                | tag::SEQUENCES
                | tag::WAVEFORM_TYPE
                | tag::LEAD
                | tag::DATA_TYPE
                | tag::SAMPLING
                | tag::SENSITIVITY
                | tag::OFFSET
                | tag::NULL_VALUE
                | tag::WAVEFORM
                | tag::PATIENT_NAME
                | tag::PATIENT_ID
                | tag::PATIENT_SEX
        )
    };
    let kept = contents.iter().filter(|content| !is_read(content.tag)).take(UNMAPPED_MAX);
    kept.map(|content| UnmappedField {
        place: format!("{} {}", name(content.tag), content.place()),
        value: Phi::new(shown(&content.bytes)),
    })
    .collect()
}

fn name(tag: u8) -> &'static str {
    match tag {
        tag::VERSION => "version",
        tag::CHARACTER_SET => "character set",
        tag::POINTER => "pointer",
        tag::NOTE => "note",
        tag::MANUFACTURER => "manufacturer",
        tag::PREAMBLE => "preamble",
        tag::EVENT => "event",
        tag::VALUE => "value",
        tag::PATIENT_AGE => "age",
        tag::TIME => "time",
        _ => "content",
    }
}

fn shown(bytes: &[u8]) -> String {
    let is_text = std::str::from_utf8(bytes)
        .is_ok_and(|text| !text.trim_end_matches('\0').chars().any(char::is_control));
    if bytes.len() > UNMAPPED_BYTES_MAX {
        return format!("{} bytes", bytes.len());
    }
    if is_text {
        return identity::text(bytes).unwrap_or_default();
    }
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<String>>().join(" ")
}
