//! Blocks to a recording.

use precordia_model::{
    DevicePatient, Filters, GroupKind, Lead, OtherGroup, Problem, Recording, Refusal,
    RefusalReason, SampleRate, Signal, UnmappedField,
};

use super::block::{Block, Checksum, File};
use super::info::{self, Info};
use super::{beats, block};
use crate::{build, rhythm, unmapped};

/// Versions 2 to 5 of the file are specifications 1.4 to 1.7.
const VERSIONS_KNOWN: std::ops::RangeInclusive<u32> = 2..=5;

pub(super) fn read(bytes: &[u8]) -> Result<Recording, Refusal> {
    let file = block::blocks(bytes)?;
    let mut problems = Vec::new();
    let mut fields = Vec::new();
    report(&file, &mut problems);
    let form = Form::of(&file, &mut fields)?;
    let place = "ecg blocks";
    let rhythm = signal(&file, b"ecg", &form, place, &mut problems)?;
    rhythm::check_length(rhythm.duration_s(), place, &mut problems)?;
    let other_groups = beats_averaged(&file, &form, &mut problems);
    let mut info = Info::default();
    for block in file.blocks.iter().filter(|block| !is_samples(block)) {
        if block.checksum == Checksum::Wrong {
            let text = "the checksum of the block is wrong; it was not read";
            problems.push(Problem::error("checksum_wrong", block.place(), text));
            continue;
        }
        match &block.id {
            b"fmt " => {}
            b"info" => info = info::read(block, &mut fields, &mut problems),
            b"ann " => beats::read(block, &mut fields, &mut problems),
            _ => {
                let size = format!("({} bytes)", block.data.len());
                unmapped::keep(&mut fields, block.place(), &size);
            }
        }
    }
    Ok(Recording {
        format: super::FORMAT,
        format_detail: format!("ATC file version {}", file.version),
        source_id: info.source_id,
        device: info.device,
        patient: DevicePatient::default(),
        acquired_at: info.acquired_at,
        accession: None,
        rhythm,
        other_groups,
        device_measurements: Vec::new(),
        device_statements: Vec::new(),
        unmapped: fields,
        problems,
    })
}

fn report(file: &File<'_>, problems: &mut Vec<Problem>) {
    if !VERSIONS_KNOWN.contains(&file.version) {
        let text = format!("version {} of the file is not known; it was read as 5", file.version);
        problems.push(Problem::warning("version_unknown", "byte 8", text));
    }
    if file.blocks.iter().any(|block| block.checksum == Checksum::RightOfSignedBytes) {
        let text = "checksums are sums of signed bytes; they are right as such";
        problems.push(Problem::info("checksum_signed", "blocks", text));
    }
    if file.trailing > 0 {
        let text = format!("{} bytes follow the last block", file.trailing);
        problems.push(Problem::info("trailing_bytes", "end of the file", text));
    }
    if !file.blocks.iter().any(|block| &block.id == b"info") {
        let text = "the file does not say when and on what it was recorded";
        problems.push(Problem::warning("info_absent", "blocks", text));
    }
}

/// What the format block says of all samples. Specification 1.7, ECG Format Block.
#[derive(Debug)]
struct Form {
    rate: SampleRate,
    uv_per_bit: f64,
    filters: Filters,
}

impl Form {
    fn of(file: &File<'_>, fields: &mut Vec<UnmappedField>) -> Result<Self, Refusal> {
        let mut formats = file.blocks.iter().filter(|block| &block.id == b"fmt ");
        let Some(block) = formats.next() else {
            let text = "the file has no format block, so its samples have no rate and no scale";
            return Err(Refusal::new(RefusalReason::Ambiguous, "format_absent", "blocks", text));
        };
        let place = block.place();
        if formats.any(|other| other.data != block.data) {
            let text = "two format blocks differ";
            return Err(Refusal::new(RefusalReason::Ambiguous, "format_conflict", place, text));
        }
        intact(block)?;
        let Some((&[kind, rate_low, rate_high, step_low, step_high, flags], _)) =
            block.data.split_first_chunk::<6>()
        else {
            let text = format!("the format block has {} bytes of data, not 8", block.data.len());
            return Err(Refusal::new(RefusalReason::Malformed, "format_short", place, text));
        };
        if kind != 1 {
            let text = format!("samples are of kind {kind}; only 1, signed 16-bit, is known");
            return Err(Refusal::new(RefusalReason::Unsupported, "sample_kind", place, text));
        }
        let rate = rhythm::rate(f64::from(u16::from_le_bytes([rate_low, rate_high])), &place)?;
        let nv_per_bit = u16::from_le_bytes([step_low, step_high]);
        if nv_per_bit == 0 {
            let text = "the amplitude resolution is 0, so the samples have no scale";
            return Err(Refusal::new(RefusalReason::Ambiguous, "scale_absent", place, text));
        }
        unmapped::keep(fields, "fmt/flags", &format!("0x{flags:02x}"));
        let filters = filters(flags, place)?;
        Ok(Self { rate, uv_per_bit: f64::from(nv_per_bit) / 1000.0, filters })
    }
}

/// The low-pass and the enhanced filter are flags without a frequency; they stay in the flags.
fn filters(flags: u8, place: String) -> Result<Filters, Refusal> {
    const POLARITY: u8 = 1;
    const MAINS_60_HZ: u8 = 2;
    const MAINS_FILTER: u8 = 4;
    const BASELINE_FILTER: u8 = 16;
    const NOTCH_FILTER: u8 = 32;
    const BASELINE_FILTER_HZ: f64 = 0.1;
    if flags & POLARITY != 0 {
        // The specification names the flag "polarity", calls it unused and says no more.
        let text = "the polarity flag is set, and whether samples are to be inverted is not known";
        return Err(Refusal::new(RefusalReason::Ambiguous, "polarity_unknown", place, text));
    }
    let mains_hz = if flags & MAINS_60_HZ == 0 { 50.0 } else { 60.0 };
    Ok(Filters {
        low_hz: (flags & BASELINE_FILTER != 0).then_some(BASELINE_FILTER_HZ),
        high_hz: None,
        notch_hz: (flags & (MAINS_FILTER | NOTCH_FILTER) != 0).then_some(mains_hz),
    })
}

/// Specification 1.7: the last character of a block of samples names its lead.
fn lead(suffix: u8) -> Option<Lead> {
    let index = match suffix {
        b' ' => 0,
        b'2'..=b'9' => usize::from(suffix - b'1'),
        b'a'..=b'c' => usize::from(suffix - b'a') + 9,
        _ => return None,
    };
    Lead::TWELVE.get(index).copied()
}

fn is_samples(block: &Block<'_>) -> bool {
    let [kind @ .., suffix] = block.id;
    [b"ecg", b"avg", b"med"].contains(&&kind) && lead(suffix).is_some()
}

/// All blocks of one kind as a signal, in file order.
fn signal(
    file: &File<'_>,
    wanted: &[u8; 3],
    form: &Form,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Result<Signal, Refusal> {
    let mut traces = Vec::new();
    let mut length = None;
    for block in &file.blocks {
        let [kind @ .., suffix] = block.id;
        let Some(lead) = lead(suffix).filter(|_| &kind == wanted) else { continue };
        intact(block)?;
        let (samples, half) = block.data.as_chunks::<2>();
        if !half.is_empty() {
            let text = "the block ends within a sample";
            let code = "samples_incomplete";
            return Err(Refusal::new(RefusalReason::Malformed, code, block.place(), text));
        }
        if *length.get_or_insert(samples.len()) != samples.len() {
            let text = "the leads differ in length, so they are not simultaneous throughout";
            let code = "lengths_differ";
            return Err(Refusal::new(RefusalReason::Malformed, code, block.place(), text));
        }
        let in_uv = |raw: &[u8; 2]| (f64::from(i16::from_le_bytes(*raw)) * form.uv_per_bit) as f32;
        traces.push(build::recorded(lead, samples.iter().map(in_uv).collect(), form.filters));
    }
    if traces.is_empty() {
        let text = "the file holds no samples";
        return Err(Refusal::new(RefusalReason::NoWaveform, "rhythm_absent", place, text));
    }
    build::signal(form.rate, traces, place, problems)
}

/// Average and median beats: blocks of their own for each lead, at the rate and scale of the rhythm.
fn beats_averaged(file: &File<'_>, form: &Form, problems: &mut Vec<Problem>) -> Vec<OtherGroup> {
    let mut groups = Vec::new();
    for (kind, label) in [(b"avg", "average beat"), (b"med", "median beat")] {
        if !file.blocks.iter().any(|block| is_samples(block) && block.id.starts_with(kind)) {
            continue;
        }
        let mut own = Vec::new();
        match signal(file, kind, form, label, &mut own) {
            Ok(signal) => {
                // A beat of one lead may be flat without any fault of the recording.
                problems.extend(own.into_iter().filter(|problem| problem.code != "lead_flat"));
                let (kind, label) = (GroupKind::MedianBeat, label.to_owned());
                groups.push(OtherGroup { kind, label, signal });
            }
            Err(refusal) => {
                let text = format!("the {label} was not read: {}", refusal.text);
                problems.push(Problem::error("group_not_read", refusal.place, text));
            }
        }
    }
    groups
}

/// A sample that changed on its way looks like any other.
fn intact(block: &Block<'_>) -> Result<(), Refusal> {
    if block.checksum == Checksum::Wrong {
        let text = "the checksum of the block is wrong: its content is not what was written";
        let hint = "fetch the file once more from where it came";
        return Err(Refusal::new(RefusalReason::Malformed, "checksum_wrong", block.place(), text)
            .hint(hint));
    }
    Ok(())
}
