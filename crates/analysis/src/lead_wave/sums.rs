//! What is added up over leads.

use std::collections::BTreeMap;

use precordia_model::{
    Dispersion, Lead, LeadWaves, Measured, Measurements, MissingReason, QtFormula, VoltageSums,
    WaveName, WaveTable,
};

use super::tenth;

const LIMB: [Lead; 6] = [Lead::I, Lead::II, Lead::III, Lead::AVR, Lead::AVL, Lead::AVF];
const CHEST: [Lead; 6] = [Lead::V1, Lead::V2, Lead::V3, Lead::V4, Lead::V5, Lead::V6];
/// Leads without which a dispersion would be that of a few.
const DISPERSION_LEADS_MIN: usize = 6;

pub(super) fn complete(leads: BTreeMap<Lead, LeadWaves>, measured: &Measurements) -> WaveTable {
    let less_qrs = |interval: Measured| match (interval, measured.qrs_ms) {
        (Measured::Value(ms), Measured::Value(qrs_ms)) => Measured::Value(tenth(ms - qrs_ms)),
        (missing @ Measured::Missing(_), _) | (_, missing) => missing,
    };
    WaveTable {
        voltages: Some(voltages(&leads, measured.qrs_ms)),
        qt_dispersion: Some(dispersion(&leads)),
        jt_ms: Some(less_qrs(measured.qt_ms)),
        jtc_ms: QtFormula::ALL
            .into_iter()
            .map(|formula| (formula, less_qrs(measured.qtc(formula))))
            .collect(),
        slur_ms: None,
        leads,
    }
}

fn voltages(leads: &BTreeMap<Lead, LeadWaves>, qrs_ms: Measured) -> VoltageSums {
    let of = |lead: Lead, height: fn(&LeadWaves) -> f64| -> Measured {
        match leads.get(&lead) {
            None => Measured::Missing(MissingReason::LeadAbsent),
            Some(waves) => match waves.qrs_missing() {
                Some(reason) => Measured::Missing(reason),
                None => Measured::Value(height(waves)),
            },
        }
    };
    let r = |lead| of(lead, |waves| waves.wave(WaveName::R).map_or(0.0, |w| w.amplitude_uv));
    let s = |lead| of(lead, LeadWaves::s_depth_uv);
    let whole = |lead| of(lead, |waves| waves.tallest_uv() + waves.deepest_uv());
    let cornell_uv = both(r(Lead::AVL), s(Lead::V3), |a, b| a + b);
    VoltageSums {
        sokolow_lyon_uv: both(s(Lead::V1), both(r(Lead::V5), r(Lead::V6), f64::max), |a, b| a + b),
        cornell_uv,
        cornell_product_uv_ms: both(cornell_uv, qrs_ms, |a, b| a * b),
        limb_sum_uv: all(LIMB[..3].iter().map(|&lead| whole(lead)), |a, b| a + b),
        limb_greatest_uv: all(LIMB.into_iter().map(whole), f64::max),
        chest_greatest_uv: all(CHEST.into_iter().map(whole), f64::max),
    }
}

/// A sum of which a part is missing is missing.
fn both(a: Measured, b: Measured, join: fn(f64, f64) -> f64) -> Measured {
    match (a, b) {
        (Measured::Value(a), Measured::Value(b)) => Measured::Value(tenth(join(a, b))),
        (missing @ Measured::Missing(_), _) | (_, missing) => missing,
    }
}

fn all(values: impl Iterator<Item = Measured>, join: fn(f64, f64) -> f64) -> Measured {
    values.fold(Measured::Value(0.0), |a, b| both(a, b, join))
}

fn dispersion(leads: &BTreeMap<Lead, LeadWaves>) -> Dispersion {
    let twelve = leads.iter().filter(|(lead, _)| Lead::TWELVE.contains(lead));
    let ends: Vec<f64> = twelve.filter_map(|(_, waves)| waves.qt_ms.value()).collect();
    let longest = ends.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shortest = ends.iter().copied().fold(f64::INFINITY, f64::min);
    let enough = ends.len() >= DISPERSION_LEADS_MIN;
    Dispersion {
        ms: if enough {
            Measured::Value(tenth(longest - shortest))
        } else if leads.len() < DISPERSION_LEADS_MIN {
            Measured::Missing(MissingReason::LeadAbsent)
        } else {
            Measured::Missing(MissingReason::NoTWave)
        },
        leads: ends.len() as u32,
    }
}
