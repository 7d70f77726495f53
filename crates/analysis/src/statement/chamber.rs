//! Hypertrophy, atrial enlargement and low voltage (AHA/ACCF/HRS 2009, part V).

use precordia_model::{Lead, Measured, NotStated, Rhythm, Sex, VoltageSums, WaveName};

use super::{Finding, Judge, Judged, duration_ms, height_uv, peak_time_ms, whole};

/// Sokolow and Lyon 1949; not in the young, whose chest is thin.
const SOKOLOW_LYON_UV: f64 = 3500.0;
const SOKOLOW_LYON_FROM_YEARS: u16 = 35;
/// Casale et al. 1985.
const CORNELL_MEN_UV: f64 = 2800.0;
const CORNELL_WOMEN_UV: f64 = 2000.0;
/// Okin et al. 1995: 2,440 mm ms, with 8 mm added to the voltage of women.
const CORNELL_PRODUCT_UV_MS: f64 = 244_000.0;
const CORNELL_PRODUCT_WOMEN_ADD_UV: f64 = 800.0;
const R_AVL_UV: f64 = 1100.0;

const RIGHT_R_UV: f64 = 700.0;
const RIGHT_R_AND_S_UV: f64 = 1050.0;
const RIGHT_PEAK_MS: f64 = 35.0;
const RIGHT_AXIS_DEG: f64 = 90.0;

const LONG_P_MS: f64 = 120.0;
const P_NOTCH_MS: f64 = 40.0;
const P_TERMINAL_MS: f64 = 40.0;
const P_TERMINAL_UV: f64 = 100.0;
const TALL_P_UV: f64 = 250.0;
const TALL_P_V1_UV: f64 = 150.0;

const LOW_LIMB_UV: f64 = 500.0;
const LOW_CHEST_UV: f64 = 1000.0;

impl Judge<'_> {
    fn voltages(&self) -> Result<VoltageSums, NotStated> {
        self.measured().waves.voltages.ok_or(NotStated::Missing)
    }

    pub(super) fn left_ventricular_hypertrophy(&self) -> Judged {
        self.gate_conduction()?;
        let sums = self.voltages()?;
        let mut first_missing = None;
        let mut found: Option<Finding> = None;
        let mut check =
            |criterion, value: Measured, limit: f64, unit, leads: &[Lead]| match whole(value) {
                Err(reason) => first_missing = first_missing.or(Some(reason)),
                Ok(value) if value > limit => {
                    let excess = |f: &Finding| f.value / f.limit;
                    let own = Finding::new(criterion, value, limit, unit).leads(leads);
                    if found.as_ref().is_none_or(|before| excess(before) < excess(&own)) {
                        found = Some(own);
                    }
                }
                Ok(_) => {}
            };
        // An unknown age or sex must pass every limit that could hold.
        if self.case.subject.age_years.is_some_and(|age| age >= SOKOLOW_LYON_FROM_YEARS) {
            let leads = [Lead::V1, Lead::V5, Lead::V6];
            check("sokolow_lyon", sums.sokolow_lyon_uv, SOKOLOW_LYON_UV, "uV", &leads);
        }
        // In left anterior fascicular block aVL says nothing of the wall.
        if !self.conduction.left_anterior {
            let woman = self.case.known_sex() == Some(Sex::Female);
            let cornell_uv = if woman { CORNELL_WOMEN_UV } else { CORNELL_MEN_UV };
            let added_uv = if woman { CORNELL_PRODUCT_WOMEN_ADD_UV } else { 0.0 };
            let qrs_ms = self.qrs_ms()?;
            let product = sums.cornell_product_uv_ms.map(|product| product + added_uv * qrs_ms);
            let leads = [Lead::AVL, Lead::V3];
            check("cornell", sums.cornell_uv, cornell_uv, "uV", &leads);
            check("cornell_product", product, CORNELL_PRODUCT_UV_MS, "uV.ms", &leads);
            let r_uv = self.lead(Lead::AVL).map(|lead| height_uv(lead, WaveName::R));
            if let Ok(r_uv) = r_uv {
                check("r_avl", Measured::Value(r_uv), R_AVL_UV, "uV", &[Lead::AVL]);
            }
        }
        match (found, first_missing) {
            (Some(found), _) => Ok(Some(self.noted(found))),
            (None, Some(reason)) => Err(reason),
            (None, None) => Ok(None),
        }
    }

    fn noted(&self, found: Finding) -> Finding {
        let found = match self.case.known_sex() {
            None => found.note("sex unknown: the limit for men"),
            Some(_) => found,
        };
        match self.case.subject.age_years {
            None => found.note("age unknown: Sokolow-Lyon voltage not judged"),
            Some(age) if age < SOKOLOW_LYON_FROM_YEARS => {
                found.note("under 35 years: Sokolow-Lyon voltage not judged")
            }
            Some(_) => found,
        }
    }

    /// Two signs of a heavy right ventricle in V1, V5 and V6, or one of them and a right axis.
    pub(super) fn right_ventricular_hypertrophy(&self) -> Judged {
        self.gate_conduction()?;
        let (v1, v5, v6) = (self.lead(Lead::V1)?, self.lead(Lead::V5)?, self.lead(Lead::V6)?);
        let axis_deg = whole(self.measured().axis_deg.qrs)?;
        let r_uv = v1.tallest_uv();
        let sum_uv = r_uv + v5.s_depth_uv().max(v6.s_depth_uv());
        let peak_ms = peak_time_ms(v1, WaveName::R).unwrap_or(0.0);
        let signs = [
            r_uv > RIGHT_R_UV && r_uv > v1.s_depth_uv(),
            sum_uv > RIGHT_R_AND_S_UV && r_uv > 0.5 * v1.s_depth_uv(),
            r_uv > v1.s_depth_uv() && peak_ms > RIGHT_PEAK_MS,
            v6.s_depth_uv() > v6.tallest_uv(),
        ];
        let signs = signs.into_iter().filter(|sign| *sign).count();
        let right = axis_deg > RIGHT_AXIS_DEG;
        let found = Finding::new("r_v1_and_s_v5_v6", sum_uv.round(), RIGHT_R_AND_S_UV, "uV")
            .leads([Lead::V1, Lead::V5, Lead::V6]);
        Ok((signs >= 2 && (right || signs >= 3)).then_some(found))
    }

    fn gate_p(&self) -> Result<f64, NotStated> {
        match self.measured().rhythm {
            Rhythm::AtrialFibrillation => return Err(NotStated::AtrialFibrillation),
            Rhythm::Paced => return Err(NotStated::Paced),
            _ if self.rhythm.flutter == Some(true) => return Err(NotStated::NotSinus),
            _ => {}
        }
        whole(self.measured().p_ms)
    }

    /// The negative end of P in V1, or a long P with two summits.
    pub(super) fn left_atrial_enlargement(&self) -> Judged {
        let p_ms = self.gate_p()?;
        let v1 = self.lead(Lead::V1);
        if let Ok(v1) = v1 {
            let (p_uv, p2_uv) = (height_uv(v1, WaveName::P), height_uv(v1, WaveName::P2));
            let (name, depth_uv) =
                if p2_uv < 0.0 { (WaveName::P2, -p2_uv) } else { (WaveName::P, -p_uv) };
            if depth_uv >= P_TERMINAL_UV && duration_ms(v1, name) >= P_TERMINAL_MS {
                let found = Finding::new("p_terminal_v1", depth_uv.round(), P_TERMINAL_UV, "uV");
                return Ok(Some(found.leads([Lead::V1])));
            }
        }
        if p_ms >= LONG_P_MS {
            let notched = |lead: &Lead| {
                let waves = self.measured().waves.leads.get(lead);
                waves.and_then(|w| w.p_notch_ms).is_some_and(|ms| ms >= P_NOTCH_MS)
            };
            let leads: Vec<Lead> = Lead::TWELVE.into_iter().filter(notched).collect();
            if !leads.is_empty() {
                let found = Finding::new("long_notched_p", p_ms, LONG_P_MS, "ms");
                return Ok(Some(found.leads(leads)));
            }
        }
        v1.map(|_| None)
    }

    pub(super) fn right_atrial_enlargement(&self) -> Judged {
        self.gate_p()?;
        let mut missing = None;
        for lead in [Lead::II, Lead::III, Lead::AVF, Lead::V1, Lead::V2] {
            let chest = matches!(lead, Lead::V1 | Lead::V2);
            let limit_uv = if chest { TALL_P_V1_UV } else { TALL_P_UV };
            match self.lead(lead) {
                Err(reason) => missing = Some(reason),
                Ok(waves) => {
                    let p_uv = height_uv(waves, WaveName::P).round();
                    if p_uv > limit_uv {
                        let found = Finding::new("p_height", p_uv, limit_uv, "uV");
                        return Ok(Some(found.leads([lead])));
                    }
                }
            }
        }
        missing.map_or(Ok(None), Err)
    }

    /// QRS peak to peak under 0.5 mV in all limb leads and under 1 mV in all chest leads (part II).
    pub(super) fn low_voltage(&self) -> Judged {
        self.gate_paced()?;
        let sums = self.voltages()?;
        let (limb_uv, chest_uv) = (whole(sums.limb_greatest_uv)?, whole(sums.chest_greatest_uv)?);
        let low = limb_uv < LOW_LIMB_UV && chest_uv < LOW_CHEST_UV;
        let found = Finding::new("limb_and_chest_leads", limb_uv, LOW_LIMB_UV, "uV");
        Ok(low.then_some(found))
    }
}
