//! Rhythm and reference beat of sections 3 to 6. EN 1064 5.6 to 5.9.

use precordia_model::{
    Filters, GroupKind, OtherGroup, Problem, Refusal, RefusalReason, SampleRate, Signal,
};

use super::arrange::{self, Stretched};
use super::beats::Beats;
use super::bimodal::Layout;
use super::leads::{LeadDefinition, Leads};
use super::samples::{Block, Coding, SAMPLES_MAX};
use crate::build;

/// Section 6 with bit 0 of its flag: bimodal compression, up to protocol version 2 (5.9.3).
const BIMODAL: u8 = 1;
const PROTOCOL_3: u8 = 30;
/// Devices exist that write their rate in hertz here. From 1000 on both readings cannot be meant.
const INTERVAL_SURE_US: u16 = 1000;

pub(crate) struct Sections<'a> {
    pub protocol: u8,
    pub leads: &'a Leads,
    pub coding: &'a Coding,
    pub beats: Option<&'a Beats>,
    pub reference_beat: Option<&'a [u8]>,
    pub filters: Filters,
}

/// The rhythm and what is beside it, from the body of section 6.
pub(crate) fn read(
    body: &[u8],
    sections: &Sections<'_>,
    problems: &mut Vec<Problem>,
) -> Result<(Signal, Vec<OtherGroup>), Refusal> {
    let definitions = &sections.leads.definitions;
    let block = Block::parse(body, definitions.len(), "section 6")?;
    if block.multiplier_nv == 0 {
        let text = "the amplitude of one unit is given as 0";
        return Err(refused(RefusalReason::Ambiguous, "amplitude_multiplier_zero", text));
    }
    let mut own = Vec::new();
    let beat = sections.reference_beat.map(|body| ReferenceBeat::read(body, sections, &mut own));
    let subtracted = subtracted(sections, problems)?;
    let interval_us = match block.flag {
        0 => block.interval_us,
        BIMODAL if sections.protocol < PROTOCOL_3 => needed(beat.as_ref())?.block.interval_us,
        other => {
            let text = format!("the samples are compressed in a way that is not known ({other})");
            return Err(refused(RefusalReason::Unsupported, "compression_unknown", &text));
        }
    };
    let rate = rate(interval_us, beat.as_ref())?;
    let mut leads = if block.flag == BIMODAL {
        expanded(&block, interval_us, sections, problems)?
    } else {
        let counts: Vec<usize> = definitions.iter().map(|one| one.count()).collect();
        let leads = block.samples(&counts, sections.coding, problems)?;
        leads.into_iter().map(|lead| lead.into_iter().map(f32::from).collect()).collect()
    };
    if subtracted && let Some(beats) = sections.beats {
        needed(beat.as_ref())?.add_to(&mut leads, &block, interval_us, definitions, beats)?;
        let text = "the reference beat was subtracted from the rhythm and is added again; \
                    no public file proves this reading";
        problems.push(Problem::warning("format_unproven", "section 6", text));
    }
    let leads = definitions.iter().zip(leads).map(|(definition, samples)| Stretched {
        definition: *definition,
        samples_uv: microvolts(&samples, block.multiplier_nv),
    });
    let (rhythm, mut others) =
        arrange::signals(leads.collect(), sections.leads, rate, sections.filters, problems)?;
    crate::rhythm::check_length(rhythm.duration_s(), "section 6", problems)?;
    problems.append(&mut own);
    match beat.map(|beat| beat.and_then(|beat| beat.group(sections, problems))) {
        Some(Ok(group)) => others.insert(0, group),
        Some(Err(refusal)) => {
            let text = format!("the reference beat was not read: {}", refusal.text);
            problems.push(Problem::error("group_not_read", refusal.place, text));
        }
        None => {}
    }
    Ok((rhythm, others))
}

/// Whether anything was subtracted. That it was, without saying where and what, cannot be undone.
fn subtracted(sections: &Sections<'_>, problems: &mut Vec<Problem>) -> Result<bool, Refusal> {
    if !sections.leads.reference_beat_subtracted {
        return Ok(false);
    }
    let Some(beats) = sections.beats else {
        let text = "section 3 says that the reference beat was subtracted, and section 4, which says where, is missing";
        return Err(refused(RefusalReason::Ambiguous, "reference_beat_absent", text));
    };
    if beats.subtracted().next().is_none() {
        let text = "section 3 says that the reference beat was subtracted and section 4 names no place; nothing was added";
        problems.push(Problem::warning("reference_beat_not_used", "section 4", text));
        return Ok(false);
    }
    if sections.reference_beat.is_none() {
        let text = "the reference beat was subtracted, and section 5, which holds it, is missing";
        return Err(refused(RefusalReason::Ambiguous, "reference_beat_absent", text));
    }
    Ok(true)
}

/// Samples at the full rate from those of bimodal compression.
fn expanded(
    block: &Block<'_>,
    interval_us: u16,
    sections: &Sections<'_>,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Vec<f32>>, Refusal> {
    let ambiguous = |code: &str, text: &str| Err(refused(RefusalReason::Ambiguous, code, text));
    // A factor of 1 would not be a compression; 4 is the most that the standard allows (annex C).
    let factor = match block.interval_us.checked_rem(interval_us) {
        Some(0) => usize::from(block.interval_us / interval_us),
        _ => 0,
    };
    if !(2..=4).contains(&factor) {
        let text = format!(
            "with bimodal compression the sample interval ({} us) must be 2 to 4 times that of the reference beat ({interval_us} us)",
            block.interval_us
        );
        return ambiguous("bimodal_factor", &text);
    }
    let Some(beats) = sections.beats else {
        return ambiguous(
            "bimodal_areas_absent",
            "bimodal compression without section 4, which says what is protected",
        );
    };
    let all: usize =
        sections.leads.definitions.iter().map(|one| one.count()).fold(0, usize::saturating_add);
    if all > SAMPLES_MAX {
        return ambiguous("samples_too_many", "more samples are declared than are read");
    }
    let layouts: Option<Vec<Layout>> = sections
        .leads
        .definitions
        .iter()
        .map(|one| Layout::new(one.first, one.last, &beats.protected, factor))
        .collect();
    let Some(layouts) = layouts else {
        return ambiguous(
            "bimodal_areas_overlap",
            "protected areas overlap; what is stored is not said",
        );
    };
    let counts: Vec<usize> = layouts.iter().map(Layout::stored).collect();
    let stored = block.samples(&counts, sections.coding, problems)?;
    let text = format!(
        "outside of beats the device kept every {factor}th sample; those between are interpolated. \
         No public file proves this reading"
    );
    problems.push(Problem::warning("samples_interpolated", "section 6", &text));
    problems.push(Problem::warning("format_unproven", "section 6", text));
    Ok(layouts.iter().zip(&stored).map(|(layout, lead)| layout.expand(lead)).collect())
}

/// Section 5.
struct ReferenceBeat<'a> {
    block: Block<'a>,
    leads: Vec<Vec<i16>>,
}

impl<'a> ReferenceBeat<'a> {
    fn read(
        body: &'a [u8],
        sections: &Sections<'_>,
        problems: &mut Vec<Problem>,
    ) -> Result<Self, Refusal> {
        let leads = sections.leads.definitions.len();
        let block = Block::parse(body, leads, "section 5")?;
        let length_ms = sections.beats.map_or(0, |beats| beats.length_ms);
        if length_ms == 0 || block.interval_us == 0 {
            let text = "how long the reference beat is, section 4 does not say";
            return Err(Refusal::new(
                RefusalReason::Ambiguous,
                "reference_beat_length",
                "section 5",
                text,
            ));
        }
        // Whole milliseconds of a whole number of samples: the nearest number.
        let interval_us = usize::from(block.interval_us);
        let count = (usize::from(length_ms) * 1000 + interval_us / 2) / interval_us;
        let samples = block.samples(&vec![count; leads], sections.coding, problems)?;
        Ok(Self { block, leads: samples })
    }

    /// Adds the beat where it was subtracted (5.7.3): sample n of the rhythm and sample
    /// n - fc(k) + fcM of the beat, both from 1.
    fn add_to(
        &self,
        leads: &mut [Vec<f32>],
        block: &Block<'_>,
        interval_us: u16,
        definitions: &[LeadDefinition],
        beats: &Beats,
    ) -> Result<(), Refusal> {
        if (self.block.multiplier_nv, self.block.interval_us) != (block.multiplier_nv, interval_us)
        {
            let text = "the reference beat was subtracted, and it has another unit or sample interval than the rhythm";
            return Err(refused(RefusalReason::Ambiguous, "reference_beat_scale", text));
        }
        let length = self.leads.first().map_or(0, Vec::len) as i64;
        let mut work = 0_usize;
        for beat in beats.subtracted() {
            let shift = i64::from(beats.fiducial) - i64::from(beat.fiducial);
            let (from, to) = (i64::from(beat.first) + shift, i64::from(beat.last) + shift);
            work = work.saturating_add((beat.last - beat.first) as usize);
            if from < 1 || to > length || work > SAMPLES_MAX / definitions.len().max(1) {
                let text = "a zone of subtraction reaches beyond the reference beat";
                return Err(refused(RefusalReason::Malformed, "reference_beat_zone", text));
            }
            for ((lead, definition), reference) in
                leads.iter_mut().zip(definitions).zip(&self.leads)
            {
                let first = beat.first.max(definition.first);
                for sample in first..=beat.last.min(definition.last) {
                    let at = (i64::from(sample) + shift - 1) as usize;
                    let there = lead.get_mut((sample - definition.first) as usize);
                    if let (Some(there), Some(value)) = (there, reference.get(at)) {
                        *there += f32::from(*value);
                    }
                }
            }
        }
        Ok(())
    }

    fn group(
        self,
        sections: &Sections<'_>,
        problems: &mut Vec<Problem>,
    ) -> Result<OtherGroup, Refusal> {
        let place = "section 5";
        if self.block.multiplier_nv == 0 {
            let text = "the amplitude of one unit is given as 0";
            return Err(Refusal::new(
                RefusalReason::Ambiguous,
                "amplitude_multiplier_zero",
                place,
                text,
            ));
        }
        let rate = crate::rhythm::rate(1e6 / f64::from(self.block.interval_us), place)?;
        let traces =
            sections.leads.definitions.iter().zip(self.leads).filter_map(|(one, samples)| {
                let samples: Vec<f32> = samples.into_iter().map(f32::from).collect();
                let samples_uv = microvolts(&samples, self.block.multiplier_nv);
                Some(build::recorded(one.lead()?, samples_uv, sections.filters))
            });
        let mut own = Vec::new();
        let signal = build::signal(rate, traces.collect(), place, &mut own)?;
        // A beat without its DC level is no fault of the recording.
        problems.extend(own.into_iter().filter(|problem| problem.code != "lead_flat"));
        Ok(OtherGroup {
            kind: GroupKind::MedianBeat,
            label: "reference beat type 0".to_owned(),
            signal,
        })
    }
}

fn needed<'b, 'a>(
    beat: Option<&'b Result<ReferenceBeat<'a>, Refusal>>,
) -> Result<&'b ReferenceBeat<'a>, Refusal> {
    match beat {
        Some(Ok(beat)) => Ok(beat),
        Some(Err(refusal)) => Err(refusal.clone()),
        None => {
            let text = "the compression of the rhythm needs section 5, which is missing";
            Err(refused(RefusalReason::Ambiguous, "reference_beat_absent", text))
        }
    }
}

/// Samples a second of an interval in microseconds, where it is one for sure: a reference beat of the
/// same interval has as many samples as its length in milliseconds says.
fn rate(
    interval_us: u16,
    beat: Option<&Result<ReferenceBeat<'_>, Refusal>>,
) -> Result<SampleRate, Refusal> {
    let is_proven = || matches!(beat, Some(Ok(beat)) if beat.block.interval_us == interval_us && interval_us > 0);
    if interval_us < INTERVAL_SURE_US && !is_proven() {
        let text = format!(
            "the sample interval says {interval_us} us; it may be a rate in hertz, and nothing else in the record tells"
        );
        return Err(refused(RefusalReason::Ambiguous, "sample_interval_ambiguous", &text));
    }
    crate::rhythm::rate(1e6 / f64::from(interval_us), "section 6")
}

fn microvolts(samples: &[f32], multiplier_nv: u16) -> Vec<f32> {
    let scale = f64::from(multiplier_nv);
    samples.iter().map(|sample| (f64::from(*sample) * scale / 1000.0) as f32).collect()
}

fn refused(reason: RefusalReason, code: &str, text: &str) -> Refusal {
    Refusal::new(reason, code, "section 6", text)
}
