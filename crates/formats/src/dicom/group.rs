//! Multiplex groups: which is the rhythm, and one group to a signal. PS3.3 C.10.9.
//!
//! The rhythm is the recording itself. A median beat is a product of the device and never stands in
//! for it. Groups of a sequential acquisition are kept apart, since their leads are not simultaneous.

use precordia_model::{
    GroupKind, Lead, Problem, Refusal, RefusalReason, SampleRate, Signal, Trace,
};

use super::element::DataSet;
use super::gaps::{self, StoredBits};
use super::samples::{GAP, Samples};
use super::text::decimal;
use super::{channel, tag};
use crate::build;

/// Devices sample ECGs between 50 Hz (ambulatory) and some kilohertz (pace pulses).
const RATE_HZ: std::ops::RangeInclusive<f64> = 50.0..=50_000.0;

/// A representative beat is shorter.
const RHYTHM_S_USUAL: f64 = 2.0;

/// Less than one beat's QRS and T wave is no rhythm.
const RHYTHM_S_MIN: f64 = 0.2;

/// What a group says about itself.
#[derive(Debug)]
pub(crate) struct Header<'s, 'a> {
    set: &'s DataSet<'a>,
    pub place: String,
    pub label: String,
    pub kind: Kind,
    pub channels: usize,
    pub offset_ms: f64,
    known_leads: usize,
    samples: u32,
    rate: SampleRate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Rhythm,
    MedianBeat,
    /// Long, but calculated: a rhythm only when there is no other.
    LongDerived,
    Other,
}

impl<'s, 'a> Header<'s, 'a> {
    pub(crate) fn of(set: &'s DataSet<'a>, number: usize) -> Result<Self, Refusal> {
        let place = format!("WaveformSequence[{number}]");
        let malformed = |code: &str, text: &str| {
            Err(Refusal::new(RefusalReason::Malformed, code, place.as_str(), text))
        };
        let Some(channels) = set.unsigned(tag::CHANNEL_COUNT).filter(|&count| count > 0) else {
            return malformed(
                "channel_count_absent",
                "the group does not say how many channels it has",
            );
        };
        let Some(samples) = set.unsigned(tag::SAMPLE_COUNT) else {
            return malformed(
                "sample_count_absent",
                "the group does not say how many samples it has",
            );
        };
        let definitions = set.items(tag::CHANNEL_DEFINITIONS).len();
        if usize::try_from(channels) != Ok(definitions) {
            let text = format!("{channels} channels are declared and {definitions} are defined");
            return malformed("channel_count_contradicted", &text);
        }
        let rate = rate(set, &place)?;
        let label = set.ascii(tag::GROUP_LABEL).unwrap_or_default().to_owned();
        let derived = set.ascii(tag::ORIGINALITY) == Some("DERIVED");
        let kind = kind(&label, derived, f64::from(samples) / rate.hz());
        let offset_ms = set.ascii(tag::GROUP_TIME_OFFSET).and_then(decimal).unwrap_or(0.0);
        let known_leads = channel::leads(set).into_iter().flatten().count();
        Ok(Self {
            set,
            place,
            label,
            kind,
            channels: definitions,
            offset_ms,
            known_leads,
            samples,
            rate,
        })
    }

    pub(crate) fn duration_s(&self) -> f64 {
        f64::from(self.samples) / self.rate.hz()
    }

    /// What a group is that was not chosen as the rhythm.
    pub(crate) fn other_kind(&self, rhythm: &Header<'_, '_>) -> GroupKind {
        match self.kind {
            Kind::MedianBeat => GroupKind::MedianBeat,
            Kind::Rhythm
                if self.label.is_empty() && self.duration_s() * 4.0 <= rhythm.duration_s() =>
            {
                GroupKind::Other
            }
            Kind::Rhythm => GroupKind::FurtherRhythm,
            Kind::LongDerived | Kind::Other => GroupKind::Other,
        }
    }
}

/// PS3.3 table C.10-9. Two hertz is the classic of a writer that means two milliseconds.
fn rate(set: &DataSet<'_>, place: &str) -> Result<SampleRate, Refusal> {
    let Some(text) = set.ascii(tag::SAMPLING_FREQUENCY) else {
        let text = "the group has no sampling frequency, so its samples have no time";
        return Err(Refusal::new(RefusalReason::Ambiguous, "sampling_rate_absent", place, text));
    };
    let hz = decimal(text).filter(|hz| RATE_HZ.contains(hz));
    hz.and_then(SampleRate::from_hz).ok_or_else(|| {
        let text = format!(
            "the sampling frequency is not a number from {} to {} Hz",
            RATE_HZ.start(),
            RATE_HZ.end()
        );
        Refusal::new(RefusalReason::Ambiguous, "sampling_rate_invalid", place, text)
    })
}

/// The label decides where it says what a group is; else originality and duration.
fn kind(label: &str, derived: bool, duration_s: f64) -> Kind {
    let label = label.to_ascii_uppercase();
    let says = |words: &[&str]| words.iter().any(|word| label.contains(word));
    if says(&["MEDIAN", "REPRESENT", "AVERAGE", "TEMPLATE", "BEAT"]) {
        Kind::MedianBeat
    } else if says(&["RHYTHM"]) || !derived {
        Kind::Rhythm
    } else if duration_s <= RHYTHM_S_USUAL {
        Kind::MedianBeat
    } else if label.is_empty() {
        Kind::LongDerived
    } else {
        Kind::Other
    }
}

/// Whether a group that is damaged otherwise says at least that it is a median beat.
pub(crate) fn is_labeled_median(set: &DataSet<'_>) -> bool {
    let label = set.ascii(tag::GROUP_LABEL).unwrap_or_default();
    kind(label, false, 0.0) == Kind::MedianBeat
}

/// The group that is the recording: of the rhythm groups the one with most leads, then the
/// longest, then the earliest.
pub(crate) fn choose_rhythm(
    headers: &[Header<'_, '_>],
    problems: &mut Vec<Problem>,
) -> Result<usize, Refusal> {
    let best = |kind: Kind| {
        let candidates = headers.iter().enumerate().filter(|(_, header)| header.kind == kind);
        candidates.reduce(|best, next| if is_better(next.1, best.1) { next } else { best })
    };
    let Some((index, rhythm)) = best(Kind::Rhythm).or_else(|| best(Kind::LongDerived)) else {
        return Err(Refusal::new(
            RefusalReason::NoWaveform,
            "rhythm_absent",
            "WaveformSequence",
            "the object holds a median beat or other product of the device and no rhythm",
        ));
    };
    let duration_s = rhythm.duration_s();
    if rhythm.samples == 0 || duration_s < RHYTHM_S_MIN {
        let text =
            format!("the rhythm is {:.0} ms long, which is no recording", duration_s * 1000.0);
        return Err(Refusal::new(
            RefusalReason::NoWaveform,
            "rhythm_too_short",
            rhythm.place.as_str(),
            text,
        ));
    }
    if duration_s < RHYTHM_S_USUAL {
        let text = format!("the rhythm is only {duration_s:.2} s long");
        problems.push(Problem::warning("rhythm_short", rhythm.place.as_str(), text));
    }
    if rhythm.kind == Kind::LongDerived {
        let text = "the only rhythm of the object is marked as derived by the device";
        problems.push(Problem::warning("rhythm_derived", rhythm.place.as_str(), text));
    }
    let further: Vec<String> = headers
        .iter()
        .filter(|header| header.kind == Kind::Rhythm && header.place != rhythm.place)
        .map(|header| format!("{} from {} ms", header.place, header.offset_ms))
        .collect();
    if !further.is_empty() {
        let text = format!(
            "the object has several rhythm groups; this one is from {} ms, and kept apart are {}",
            rhythm.offset_ms,
            further.join(", ")
        );
        problems.push(Problem::warning("rhythm_groups_several", rhythm.place.as_str(), text));
    }
    Ok(index)
}

fn is_better(next: &Header<'_, '_>, best: &Header<'_, '_>) -> bool {
    let by_leads = next.known_leads.cmp(&best.known_leads);
    let by_duration = next.duration_s().total_cmp(&best.duration_s());
    let by_start = best.offset_ms.total_cmp(&next.offset_ms);
    by_leads.then(by_duration).then(by_start).is_gt()
}

/// What the groups together say about padding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PaddingCustom {
    /// Some group is padded with the most negative value without saying so.
    minimum_is_used: bool,
}

impl PaddingCustom {
    pub(crate) fn of(headers: &[Header<'_, '_>]) -> Self {
        let padded = |header: &Header<'_, '_>| {
            let samples =
                Samples::of(header.set, header.channels, header.samples, &header.place).ok()?;
            let minimum = samples.customary_padding()?;
            let rows = samples.rows();
            // Padding stands at the ends of a group; two rows tell.
            let ends = [0, rows.checked_sub(1)?];
            Some(
                !header.set.has(tag::PADDING_VALUE)
                    && ends.iter().any(|&row| samples.row_holds_only(row, minimum)),
            )
        };
        Self { minimum_is_used: headers.iter().any(|header| padded(header) == Some(true)) }
    }
}

/// One group's samples in microvolts, with limb leads derived.
pub(crate) fn read(
    header: &Header<'_, '_>,
    custom: PaddingCustom,
    problems: &mut Vec<Problem>,
) -> Result<Signal, Refusal> {
    let place = header.place.as_str();
    let samples = Samples::of(header.set, header.channels, header.samples, place)?;
    let mut padding = Padding::of(header.set, &samples, custom, place, problems);
    let mut traces: Vec<Trace> = Vec::with_capacity(header.channels);
    for (index, definition) in header.set.items(tag::CHANNEL_DEFINITIONS).iter().enumerate() {
        let place = format!("{place}.channel {}", index + 1);
        let Some(lead) = channel::lead(definition, &place, problems)? else {
            let text = "no code or name of the channel names a lead that is known; it was not read";
            problems.push(Problem::error("lead_unknown", place, text));
            continue;
        };
        traces.push(trace(definition, lead, index, &samples, &mut padding, &place, problems)?);
    }
    padding.report(place, problems);
    build::signal(header.rate, traces, place, problems)
}

fn trace(
    definition: &DataSet<'_>,
    lead: Lead,
    index: usize,
    samples: &Samples<'_>,
    padding: &mut Padding,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Result<Trace, Refusal> {
    let scale = channel::scale(definition, place, problems)?;
    let stored = channel::bits_stored(definition, samples.bits_allocated(), place, problems)?;
    let mut raw = samples.channel(index);
    padding.mark(&mut raw, samples);
    // Samples that fill their allocation have no bits to settle.
    let settled = if stored == samples.bits_allocated() {
        StoredBits::AsDeclared
    } else {
        gaps::settle_stored_bits(&mut raw, stored, samples.signed())
    };
    match settled {
        StoredBits::AsDeclared => {}
        StoredBits::SignExtended => {
            let text = format!(
                "{lead} has zeros above its {stored} stored bits; the sign was extended over them"
            );
            problems.push(Problem::warning("sign_extended", place, text));
        }
        StoredBits::Contradicted => {
            let text = format!("{lead} uses bits above the {stored} that it says are stored");
            return Err(Refusal::new(
                RefusalReason::Ambiguous,
                "bits_stored_contradicted",
                place,
                text,
            ));
        }
    }
    let saturated = gaps::saturated(&raw, stored, samples.signed());
    if saturated > 0 {
        let text = format!("{saturated} samples of {lead} stand at the end of the range");
        problems.push(Problem::warning("lead_saturated", place, text));
    }
    channel::skew(definition, place, problems);
    let in_uv = |value: i64| match value {
        GAP => f32::NAN,
        value => (value as f64 * scale.uv_per_bit + scale.offset_uv) as f32,
    };
    let samples_uv = raw.into_iter().map(in_uv).collect();
    Ok(build::recorded(lead, samples_uv, channel::filters(definition)))
}

/// The padding of one group and what was marked so far.
#[derive(Debug)]
struct Padding {
    declared: Option<i64>,
    marked: usize,
    marked_undeclared: usize,
}

impl Padding {
    /// A declared zero is also a legal sample. It is taken at its word, with a problem, unless the
    /// object itself shows that its writer pads with another value and declares zero by default.
    fn of(
        set: &DataSet<'_>,
        samples: &Samples<'_>,
        custom: PaddingCustom,
        place: &str,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut declared = samples.padding(set);
        if declared == Some(0) {
            let text = if custom.minimum_is_used {
                declared = None;
                "the declared padding value 0 was disbelieved: the object pads with the most negative value"
            } else {
                "the declared padding value 0 is also a legal sample; samples of 0 were read as gaps"
            };
            problems.push(Problem::warning("padding_doubtful", place, text));
        }
        Self { declared, marked: 0, marked_undeclared: 0 }
    }

    fn mark(&mut self, raw: &mut [i64], samples: &Samples<'_>) {
        if let Some(value) = self.declared {
            self.marked += gaps::mark_declared(raw, value);
        }
        self.marked_undeclared += gaps::mark_undeclared(raw, samples);
    }

    fn report(&self, place: &str, problems: &mut Vec<Problem>) {
        if self.marked > 0 {
            let text = format!("{} samples are padding and were read as gaps", self.marked);
            problems.push(Problem::info("padding", place, text));
        }
        if self.marked_undeclared > 0 {
            let text = format!(
                "{} samples hold the most negative value, which is not declared as padding; they were read as gaps",
                self.marked_undeclared
            );
            problems.push(Problem::warning("padding_undeclared", place, text));
        }
    }
}
