//! Series and their sequence sets: which is the rhythm, and one set to a signal.
//!
//! Sequences of one set are sampled together; sets of one series follow one another, as the columns of
//! a printed ECG do. A derived series is a product of the device and never stands in for the rhythm.

use precordia_model::{
    Filters, GroupKind, Problem, Refusal, RefusalReason, SampleRate, Signal, Trace,
};

use super::sequence::{self, TimeAxis};
use super::{dialect, subject};
use crate::xml::Element;
use crate::{build, rhythm};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Rhythm,
    Beat,
    Other,
}

/// One sequence set of one series.
#[derive(Debug)]
pub(crate) struct Group<'t> {
    pub series: Element<'t>,
    pub set: Element<'t>,
    kind: Kind,
    pub label: String,
    place: String,
    axis: TimeAxis,
    known_leads: usize,
    samples: usize,
}

impl<'t> Group<'t> {
    fn of(
        series: Element<'t>,
        set: Element<'t>,
        kind: Kind,
        label: &str,
        problems: &mut Vec<Problem>,
    ) -> Result<Self, Refusal> {
        let place = set.place();
        let leads: Vec<Element<'t>> =
            sequences(set).filter(|one| !sequence::is_time(*one)).collect();
        let samples = leads.first().map_or(0, |first| sequence::count(*first));
        let axis = sequence::time_axis(set, |increment_s| {
            dialect::rate(increment_s, series, set, &place, problems)
        })?;
        let known_leads = leads
            .iter()
            .filter(|one| matches!(sequence::lead(**one, "", &mut Vec::new()), Ok(Some(_))))
            .count();
        Ok(Self { series, set, kind, label: label.to_owned(), place, axis, known_leads, samples })
    }

    pub(crate) fn is_beat(&self) -> bool {
        self.kind == Kind::Beat
    }

    fn rate(&self) -> SampleRate {
        self.axis.rate
    }

    fn duration_s(&self) -> f64 {
        self.rate().seconds(self.samples)
    }

    /// The set's samples in microvolts, with limb leads derived.
    pub(crate) fn read(&self, problems: &mut Vec<Problem>) -> Result<Signal, Refusal> {
        let of_series = subject::filters(self.series, Filters::default());
        let of_set = subject::filters(self.set, of_series);
        let mut traces: Vec<Trace> = Vec::new();
        for one in sequences(self.set).filter(|one| !sequence::is_time(*one)) {
            let place = one.place();
            let Some(lead) = sequence::lead(one, &place, problems)? else {
                let text =
                    "no code or name of the sequence names a lead that is known; it was not read";
                problems.push(Problem::error("lead_unknown", place, text));
                continue;
            };
            let samples_uv = sequence::samples_uv(one, lead, &place, problems)?;
            traces.push(build::recorded(lead, samples_uv, subject::filters(one, of_set)));
        }
        rhythm::check_same_length(&traces, &self.place)?;
        build::signal(self.rate(), traces, &self.place, problems)
    }

    /// What a group is that was not chosen as the rhythm.
    pub(crate) fn other_kind(&self, rhythm: &Group<'_>) -> GroupKind {
        match self.kind {
            Kind::Beat => GroupKind::MedianBeat,
            Kind::Rhythm if self.duration_s() * 4.0 > rhythm.duration_s() => {
                GroupKind::FurtherRhythm
            }
            Kind::Rhythm | Kind::Other => GroupKind::Other,
        }
    }
}

/// Every sequence set of the file. One that does not say what it is is only passed over when its
/// series is derived, since any other could be the rhythm.
pub(crate) fn list<'t>(
    root: Element<'t>,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Group<'t>>, Refusal> {
    let mut groups = Vec::new();
    let plain = root.children("component").flat_map(|component| component.children("series"));
    for series in plain {
        let kind = kind(series, Kind::Rhythm);
        list_series(series, kind, problems, &mut groups)?;
        let derivations = series.children("derivation");
        for derived in derivations.flat_map(|derivation| derivation.children("derivedSeries")) {
            // A derived rhythm was calculated, and calculated it stays.
            let kind = match self::kind(derived, Kind::Other) {
                Kind::Beat => Kind::Beat,
                _ => Kind::Other,
            };
            list_series(derived, kind, problems, &mut groups)?;
        }
    }
    Ok(groups)
}

fn list_series<'t>(
    series: Element<'t>,
    kind: Kind,
    problems: &mut Vec<Problem>,
    groups: &mut Vec<Group<'t>>,
) -> Result<(), Refusal> {
    let label = label(series);
    let sets = series.children("component").flat_map(|component| component.children("sequenceSet"));
    for set in sets {
        match Group::of(series, set, kind, &label, problems) {
            Ok(group) => groups.push(group),
            Err(refusal) if kind != Kind::Rhythm => {
                let text = format!("a group beside the rhythm was not read: {}", refusal.text);
                problems.push(Problem::error("group_not_read", refusal.place, text));
            }
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(())
}

/// The set that is the recording: of the rhythm's sets the one with most leads, then the longest, then
/// the first.
pub(crate) fn choose_rhythm(
    groups: &[Group<'_>],
    problems: &mut Vec<Problem>,
) -> Result<usize, Refusal> {
    let rhythms: Vec<usize> =
        (0..groups.len()).filter(|&at| groups[at].kind == Kind::Rhythm).collect();
    let size = |at: usize| (groups[at].known_leads, groups[at].samples);
    let Some(chosen) = rhythms
        .iter()
        .copied()
        .reduce(|best, next| if size(next) > size(best) { next } else { best })
    else {
        let text = "the file holds no series of a rhythm";
        let place = "AnnotatedECG/component/series";
        return Err(Refusal::new(RefusalReason::NoWaveform, "rhythm_absent", place, text));
    };
    let rhythm = &groups[chosen];
    rhythm::check_length(rhythm.duration_s(), &rhythm.place, problems)?;
    if rhythms.len() > 1 {
        let others: Vec<&str> = rhythms
            .iter()
            .filter(|&&at| at != chosen)
            .map(|&at| groups[at].place.as_str())
            .collect();
        let text = format!(
            "the file has several sets of a rhythm, which are not simultaneous; kept apart are {}",
            others.join(", ")
        );
        problems.push(Problem::warning("rhythm_groups_several", rhythm.place.as_str(), text));
    }
    dialect::check_interval(rhythm.series, rhythm.duration_s(), rhythms.len(), problems);
    Ok(chosen)
}

fn sequences(set: Element<'_>) -> impl Iterator<Item = Element<'_>> {
    set.children("component").flat_map(|component| component.children("sequence"))
}

/// HL7 ActCode of a series: RHYTHM or REPRESENTATIVE_BEAT.
fn kind(series: Element<'_>, otherwise: Kind) -> Kind {
    let code = series.child("code").and_then(|code| code.attribute("code")).unwrap_or_default();
    let code = code.to_ascii_uppercase();
    if code.contains("BEAT") || code.contains("MEDIAN") || code.contains("AVERAGE") {
        Kind::Beat
    } else if code.contains("RHYTHM") || code.is_empty() {
        otherwise
    } else {
        Kind::Other
    }
}

fn label(series: Element<'_>) -> String {
    let code = series.child("code");
    let name = code.and_then(|code| code.some_attribute("displayName"));
    code.and_then(|code| code.attribute("codeSystem"));
    name.or_else(|| code?.attribute("code")).unwrap_or_default().to_owned()
}
