//! ST elevation by territory and the traces of old infarction (AHA/ACCF/HRS 2009, part VI; the
//! universal definition of myocardial infarction).

use precordia_model::{Lead, LeadWaves, NotStated, WaveName};

use super::{Finding, Judge, Judged, duration_ms, height_uv, whole};
use crate::st_rule::chest_limits;

/// Leads of a wall, neighbours beside each other; a pair must be neighbours.
#[derive(Clone, Copy)]
pub(super) struct Territory {
    pairs: &'static [(Lead, Lead)],
}

pub(super) const ANTERIOR: Territory =
    Territory { pairs: &[(Lead::V1, Lead::V2), (Lead::V2, Lead::V3), (Lead::V3, Lead::V4)] };
pub(super) const INFERIOR: Territory =
    Territory { pairs: &[(Lead::II, Lead::AVF), (Lead::AVF, Lead::III)] };
pub(super) const LATERAL: Territory =
    Territory { pairs: &[(Lead::I, Lead::AVL), (Lead::V5, Lead::V6)] };

const WIDE_Q_MS: f64 = 30.0;
const DEEP_Q_UV: f64 = 100.0;
const SEPTAL_Q_MS: f64 = 20.0;
const POSTERIOR_R_MS: f64 = 40.0;

impl Judge<'_> {
    /// ST at J in two neighbouring leads at or above their limits.
    pub(super) fn stemi_criteria(&self, territory: Territory) -> Judged {
        self.gate_conduction()?;
        let limits = self.case.limits;
        // Every limit that could hold must be passed.
        let chest_uv = chest_limits(&self.case).least_sensitive_uv;
        let limit_uv = |lead| match lead {
            Lead::V2 | Lead::V3 => chest_uv,
            _ => limits.st_elevation_uv,
        };
        let excess_uv = |lead: Lead| -> Result<f64, NotStated> {
            let level = self.measured().st_uv.get(&lead).copied();
            Ok(whole(level.ok_or(NotStated::LeadAbsent)?)? - limit_uv(lead))
        };
        let passed = |lead| excess_uv(lead).map(|uv| uv >= 0.0);
        let Some(leads) = of_pairs(territory, passed)? else { return Ok(None) };
        let most = leads.iter().filter_map(|&lead| Some((lead, excess_uv(lead).ok()?)));
        let Some((lead, excess_uv)) = most.max_by(|(_, a), (_, b)| a.total_cmp(b)) else {
            return Ok(None);
        };
        let limit_uv = limit_uv(lead);
        let found = Finding::new("st_at_j", limit_uv + excess_uv, limit_uv, "uV").leads(leads);
        let found = match self.case.known_sex() {
            None => found.note("sex unknown: every possible limit is passed"),
            Some(_) => found,
        };
        Ok(Some(found.alert()))
    }

    /// Q of 30 ms and 0.1 mV or QS in two neighbouring leads; in V2 and V3 a Q of 20 ms or QS.
    pub(super) fn infarct_q(&self, territory: Territory) -> Judged {
        self.gate_conduction()?;
        let large = |lead: Lead| -> Result<bool, NotStated> {
            // A QS in V1 alone is normal.
            Ok(has_infarct_q(lead, self.lead(lead)?))
        };
        let Some(leads) = of_pairs(territory, large)? else { return Ok(None) };
        let widest_ms = leads
            .iter()
            .filter_map(|&lead| Some(duration_ms(self.lead(lead).ok()?, WaveName::Q)))
            .fold(0.0, f64::max);
        Ok(Some(Finding::new("q_duration", widest_ms.round(), WIDE_Q_MS, "ms").leads(leads)))
    }

    /// R of 40 ms, larger than S, with an upright T in V1 and V2.
    pub(super) fn infarct_r_posterior(&self) -> Judged {
        self.gate_conduction()?;
        let mut widest_ms = f64::INFINITY;
        for lead in [Lead::V1, Lead::V2] {
            let waves = self.lead(lead)?;
            let r_ms = duration_ms(waves, WaveName::R);
            let upright = height_uv(waves, WaveName::T) > 0.0;
            let larger = height_uv(waves, WaveName::R) >= waves.deepest_uv();
            if r_ms < POSTERIOR_R_MS || !larger || !upright {
                return Ok(None);
            }
            widest_ms = widest_ms.min(r_ms);
        }
        if matches!(self.right_ventricular_hypertrophy(), Ok(Some(_))) {
            return Ok(None);
        }
        let found = Finding::new("r_duration", widest_ms.round(), POSTERIOR_R_MS, "ms");
        Ok(Some(found.leads([Lead::V1, Lead::V2])))
    }
}

fn has_infarct_q(lead: Lead, waves: &LeadWaves) -> bool {
    let (q_ms, q_uv) = (duration_ms(waves, WaveName::Q), -height_uv(waves, WaveName::Q));
    let septal = matches!(lead, Lead::V2 | Lead::V3);
    waves.is_qs() || (septal && q_ms > SEPTAL_Q_MS) || (q_ms >= WIDE_Q_MS && q_uv >= DEEP_Q_UV)
}

/// Leads of the pairs in which both show it. Without such a pair every lead must have been seen.
fn of_pairs(
    territory: Territory,
    shows: impl Fn(Lead) -> Result<bool, NotStated>,
) -> Result<Option<Vec<Lead>>, NotStated> {
    let mut leads: Vec<Lead> = Vec::new();
    let mut missing = None;
    for &(a, b) in territory.pairs {
        match (shows(a), shows(b)) {
            (Ok(true), Ok(true)) => {
                for lead in [a, b] {
                    if !leads.contains(&lead) {
                        leads.push(lead);
                    }
                }
            }
            // One lead without it is enough to rule the pair out.
            (Ok(false), _) | (_, Ok(false)) => {}
            (Err(reason), _) | (_, Err(reason)) => missing = Some(reason),
        }
    }
    match (leads.is_empty(), missing) {
        (false, _) => Ok(Some(leads)),
        (true, Some(reason)) => Err(reason),
        (true, None) => Ok(None),
    }
}
