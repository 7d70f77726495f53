//! ST elevation and depression in contiguous leads.
//!
//! Leads are contiguous along two chains: V1-V2-V3-V4-V5-V6, and aVL-I-(-aVR)-II-aVF-III, the
//! frontal plane in order of angle, in which aVR counts with its sign turned. Other leads (V7,
//! V3R, Frank) have other limits and are not looked at. A positive finding needs only the leads
//! that show it; silence needs all twelve.

use precordia_model::{
    Evidence, Flag, FlagCode, Lead, Measured, MissingReason, NotEvaluated, Severity, Sex,
};

use crate::flag::{Case, Outcome, reported};
use crate::limits::{Limits, RULE_VERSION};

const CHAINS: [[Lead; 6]; 2] = [
    [Lead::V1, Lead::V2, Lead::V3, Lead::V4, Lead::V5, Lead::V6],
    [Lead::AVL, Lead::I, Lead::AVR, Lead::II, Lead::AVF, Lead::III],
];

pub(crate) fn elevation(case: &Case) -> Outcome {
    let levels = Levels::of(case);
    let chest = chest_limits(case);
    let other_uv = case.limits.st_elevation_uv;
    let limit = |chest_uv: f64| {
        move |lead| if matches!(lead, Lead::V2 | Lead::V3) { chest_uv } else { other_uv }
    };

    let sensitive = Finding::new(&levels, limit(chest.most_sensitive_uv));
    let strict = Finding::new(&levels, limit(chest.least_sensitive_uv));
    let (finding, severity) = match (sensitive.pairs.is_empty(), strict.pairs.is_empty()) {
        (false, false) => (&sensitive.pairs, Severity::Alert),
        (false, true) => (&sensitive.pairs, Severity::Borderline),
        (true, _) => (&sensitive.alone, Severity::Borderline),
    };
    let withheld = !sensitive.pairs.is_empty() && strict.pairs.is_empty();
    let mut flag = match build(case, FlagCode::StElevation, severity, finding) {
        Some(flag) => flag,
        None => return levels.silence(),
    };
    if case.known_sex().is_none() {
        flag.notes.push("sex unknown: most sensitive adult limit".to_owned());
    }
    if withheld {
        flag.notes.push("alert withheld: not every possible limit is passed".to_owned());
    }
    levels.note_unmeasured(&mut flag);
    Outcome::Fired(Box::new(flag))
}

pub(crate) fn depression(case: &Case) -> Outcome {
    let levels = Levels::of(case).turned();
    let first = Finding::new(&levels, |_| case.limits.st_depression_uv);
    let deep = Finding::new(&levels, |_| case.limits.st_depression_alert_uv);
    let (finding, severity) = if !deep.pairs.is_empty() {
        (&deep.pairs, Severity::Alert)
    } else if !first.pairs.is_empty() {
        (&first.pairs, Severity::Borderline)
    } else {
        (&first.alone, Severity::Info)
    };
    match build(case, FlagCode::StDepression, severity, finding) {
        Some(mut flag) => {
            levels.note_unmeasured(&mut flag);
            Outcome::Fired(Box::new(flag))
        }
        None => levels.silence(),
    }
}

/// The limits that may hold in V2 and V3, given what is known of the person.
pub(crate) struct ChestLimits {
    pub most_sensitive_uv: f64,
    pub least_sensitive_uv: f64,
}

pub(crate) fn chest_limits(case: &Case) -> ChestLimits {
    let limits: &Limits = case.limits;
    let young =
        case.subject.age_years.map(|age| f64::from(age) < limits.st_elevation_young_under_years);
    let sex = case.known_sex();
    let possible = [
        (sex != Some(Sex::Male)).then_some(limits.st_elevation_v2_v3_women_uv),
        (sex != Some(Sex::Female) && young != Some(true))
            .then_some(limits.st_elevation_v2_v3_men_uv),
        (sex != Some(Sex::Female) && young != Some(false))
            .then_some(limits.st_elevation_v2_v3_young_men_uv),
    ];
    let possible = possible.into_iter().flatten();
    ChestLimits {
        most_sensitive_uv: possible.clone().fold(f64::INFINITY, f64::min),
        least_sensitive_uv: possible.fold(f64::NEG_INFINITY, f64::max),
    }
}

impl Case<'_> {
    /// The limits are made for men and women; anything else leaves both possible.
    pub fn known_sex(&self) -> Option<Sex> {
        self.subject.sex.filter(|sex| matches!(sex, Sex::Male | Sex::Female))
    }
}

/// ST levels along the chains, in whole microvolts, aVR turned.
struct Levels([[Result<f64, NotEvaluated>; 6]; 2]);

impl Levels {
    fn of(case: &Case) -> Self {
        let level = |lead: Lead| {
            let absent = Measured::Missing(MissingReason::LeadAbsent);
            let level_uv = reported(case.measurements.st_uv.get(&lead).copied().unwrap_or(absent))?;
            Ok(if lead == Lead::AVR { -level_uv } else { level_uv })
        };
        Self(CHAINS.map(|chain| chain.map(level)))
    }

    fn turned(self) -> Self {
        Self(self.0.map(|chain| chain.map(|level| level.map(|uv| -uv))))
    }

    fn unmeasured(&self) -> impl Iterator<Item = (Lead, NotEvaluated)> + '_ {
        let leads = CHAINS.iter().flatten().copied();
        leads.zip(self.0.iter().flatten()).filter_map(|(lead, level)| Some((lead, level.err()?)))
    }

    fn silence(&self) -> Outcome {
        let poor = self.unmeasured().find(|(_, reason)| *reason == NotEvaluated::PoorQuality);
        match poor.or_else(|| self.unmeasured().next()) {
            None => Outcome::Silent,
            Some((_, reason)) => Outcome::NotEvaluated(reason),
        }
    }

    fn note_unmeasured(&self, flag: &mut Flag) {
        let names: Vec<_> = self.unmeasured().map(|(lead, _)| lead.name()).collect();
        if !names.is_empty() {
            flag.notes.push(format!("not measured: {}", names.join(", ")));
        }
    }
}

/// Leads at or beyond their limits: those with a contiguous companion, and those without.
#[derive(Default)]
struct Finding {
    pairs: Vec<Passed>,
    alone: Vec<Passed>,
}

#[derive(Clone, Copy)]
struct Passed {
    lead: Lead,
    level_uv: f64,
    limit_uv: f64,
}

impl Finding {
    fn new(levels: &Levels, limit_of: impl Fn(Lead) -> f64) -> Self {
        let mut finding = Finding::default();
        for (chain, levels) in CHAINS.iter().zip(&levels.0) {
            let passed = |at: usize| {
                let (lead, level_uv) = (*chain.get(at)?, (*levels.get(at)?).ok()?);
                let limit_uv = limit_of(lead);
                (level_uv >= limit_uv).then_some(Passed { lead, level_uv, limit_uv })
            };
            for at in 0..chain.len() {
                let Some(this) = passed(at) else { continue };
                let before = at.checked_sub(1).and_then(passed).is_some();
                if before || passed(at + 1).is_some() {
                    finding.pairs.push(this);
                } else {
                    finding.alone.push(this);
                }
            }
        }
        finding
    }
}

/// The flag of the lead that passes its limit by most.
fn build(case: &Case, code: FlagCode, severity: Severity, passed: &[Passed]) -> Option<Flag> {
    let excess_uv = |p: &Passed| p.level_uv - p.limit_uv;
    let most = passed.iter().max_by(|a, b| excess_uv(a).total_cmp(&excess_uv(b)))?;
    let mut notes = case.notes(code);
    if passed.iter().any(|p| p.lead == Lead::AVR) {
        notes.push("aVR is read with its sign turned".to_owned());
    }
    Some(Flag {
        code,
        severity,
        value: most.level_uv,
        limit: most.limit_uv,
        unit: "uV".to_owned(),
        rule_version: RULE_VERSION.to_owned(),
        evidence: Evidence {
            leads: passed.iter().map(|p| p.lead).collect(),
            ..case.representative()
        },
        notes,
    })
}
