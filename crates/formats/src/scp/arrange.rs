//! Which leads belong together in time. EN 1064 5.6.3.

use precordia_model::{
    Filters, GroupKind, OtherGroup, Problem, Refusal, RefusalReason, SampleRate, Signal,
};

use super::leads::{LeadDefinition, Leads};
use super::samples::SAMPLES_MAX;
use crate::build;

/// A lead and the stretch of the recording that it holds.
pub(crate) struct Stretched {
    pub definition: LeadDefinition,
    pub samples_uv: Vec<f32>,
}

/// Leads of one stretch are one signal. Stretches that overlap are put on one axis with gaps; those
/// that do not are signals of their own, the first of them the rhythm.
pub(crate) fn signals(
    leads: Vec<Stretched>,
    declared: &Leads,
    rate: SampleRate,
    filters: Filters,
    problems: &mut Vec<Problem>,
) -> Result<(Signal, Vec<OtherGroup>), Refusal> {
    report(&leads, rate, problems);
    let mut groups = groups(leads, declared, problems)?.into_iter();
    let signal = |group: Vec<Stretched>, problems: &mut Vec<Problem>| {
        let named = group.into_iter().filter_map(|one| {
            Some(build::recorded(one.definition.lead()?, one.samples_uv, filters))
        });
        build::signal(rate, named.collect(), "section 6", problems)
    };
    let rhythm = signal(groups.next().unwrap_or_default(), problems)?;
    let mut others = Vec::new();
    for group in groups {
        let (first, last) = group.first().map_or((0, 0), |one| one.definition.stretch());
        match signal(group, problems) {
            Ok(signal) => others.push(OtherGroup {
                kind: GroupKind::FurtherRhythm,
                label: format!("samples {first} to {last}"),
                signal,
            }),
            Err(refusal) => {
                let text = format!("leads beside the first were not read: {}", refusal.text);
                problems.push(Problem::error("group_not_read", "section 6", text));
            }
        }
    }
    Ok((rhythm, others))
}

fn report(leads: &[Stretched], rate: SampleRate, problems: &mut Vec<Problem>) {
    for one in leads.iter().filter(|one| one.definition.lead().is_none()) {
        let text =
            format!("a lead with the number {} is not known and was not read", one.definition.id);
        problems.push(Problem::error("lead_unknown", "section 3", text));
    }
    let start = leads.iter().map(|one| one.definition.first).min().unwrap_or(1);
    if start > 1 {
        let text = format!(
            "the first sample is number {start}, {:.3} s after the start of a longer recording",
            rate.seconds(start as usize - 1)
        );
        problems.push(Problem::info("starts_late", "section 3", text));
    }
}

fn groups(
    leads: Vec<Stretched>,
    declared: &Leads,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Vec<Stretched>>, Refusal> {
    let stretches = || leads.iter().map(|one| one.definition.stretch());
    let first = stretches().map(|(first, _)| first).min().unwrap_or(1);
    let last = stretches().map(|(_, last)| last).max().unwrap_or(1);
    let latest_first = stretches().map(|(first, _)| first).max().unwrap_or(1);
    let earliest_last = stretches().map(|(_, last)| last).min().unwrap_or(1);
    if (first, last) == (latest_first, earliest_last) {
        return Ok(of_one_stretch(leads, declared, problems));
    }
    if latest_first <= earliest_last {
        let length = (last - first) as usize + 1;
        if length.saturating_mul(leads.len()) > SAMPLES_MAX {
            let text = "leads on one axis would have more samples than are read";
            return Err(Refusal::new(
                RefusalReason::TooLarge,
                "samples_too_many",
                "section 3",
                text,
            ));
        }
        let text = "leads begin or end at different samples; what they do not hold is a gap";
        problems.push(Problem::warning("leads_uneven", "section 3", text));
        return Ok(vec![leads.into_iter().map(|lead| padded(lead, first, length)).collect()]);
    }
    let text = "leads were recorded one after the other; only those of one time are together";
    problems.push(Problem::info("leads_sequential", "section 3", text));
    let mut groups: Vec<Vec<Stretched>> = Vec::new();
    for lead in leads {
        let stretch = lead.definition.stretch();
        match groups.iter_mut().find(|group| group[0].definition.stretch() == stretch) {
            Some(group) => group.push(lead),
            None => groups.push(vec![lead]),
        }
    }
    Ok(groups)
}

fn of_one_stretch(
    leads: Vec<Stretched>,
    declared: &Leads,
    problems: &mut Vec<Problem>,
) -> Vec<Vec<Stretched>> {
    let together = declared.simultaneous;
    if declared.all_simultaneous || leads.len() == 1 {
        return vec![leads];
    }
    if !(1..leads.len()).contains(&together) {
        let text =
            "leads are not said to be simultaneous, but hold the same samples of the recording";
        problems.push(Problem::warning("simultaneity_unstated", "section 3", text));
        return vec![leads];
    }
    let text = format!("leads are simultaneous by {together}; no time relates those groups");
    problems.push(Problem::warning("leads_by_groups", "section 3", text));
    let mut groups: Vec<Vec<Stretched>> = Vec::new();
    for lead in leads {
        match groups.last_mut().filter(|group| group.len() < together) {
            Some(group) => group.push(lead),
            None => groups.push(vec![lead]),
        }
    }
    groups
}

fn padded(lead: Stretched, first: u32, length: usize) -> Stretched {
    let mut samples_uv = vec![f32::NAN; (lead.definition.first - first) as usize];
    samples_uv.extend(lead.samples_uv);
    samples_uv.resize(length, f32::NAN);
    Stretched { samples_uv, ..lead }
}
