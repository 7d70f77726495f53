//! Ventricular conduction (AHA/ACCF/HRS 2009, part III).

use precordia_model::{Lead, LeadWaves, Measurements, NotStated, Rhythm, WaveName};

use super::{
    Finding, Judge, Judged, WIDE_QRS_MS, duration_ms, height_uv, lead_of, peak_time_ms, whole,
};

/// Incomplete bundle branch block, and delay, from here on.
const DELAYED_QRS_MS: f64 = 110.0;
/// R peak time of the late ventricle.
const LEFT_PEAK_MS: f64 = 60.0;
const RIGHT_PEAK_MS: f64 = 50.0;
const LATE_S_MS: f64 = 40.0;
/// Least R' that is told from the noise of a segment that rises; our own figure.
const SECOND_R_UV: f64 = 50.0;
/// A downward start of the QRS smaller than this is not a q in the sense of the block criteria.
const SMALL_Q_UV: f64 = 50.0;
const FASCICULAR_PEAK_MS: f64 = 45.0;
const SHORT_PR_MS: f64 = 120.0;
/// A QRS that needs this long to gain half of its greatest speed begins with a slur. Our own
/// figure: a normal QRS takes 10 to 25 ms.
const SLUR_MS: f64 = 32.0;

/// What the gates of other statements must know, found without them.
pub(super) struct Conduction {
    pub paced: bool,
    pub left_bundle: bool,
    pub right_bundle: bool,
    pub pre_excited: bool,
    pub left_anterior: bool,
}

impl Conduction {
    pub fn of(measured: &Measurements) -> Self {
        let paced = measured.paced || measured.rhythm == Rhythm::Paced;
        let wide = whole(measured.qrs_ms).is_ok_and(|ms| ms >= WIDE_QRS_MS);
        let shows = |form: Result<Option<Finding>, NotStated>| matches!(form, Ok(Some(_)));
        Conduction {
            paced,
            left_bundle: !paced && wide && shows(left_bundle_form(measured)),
            right_bundle: !paced && wide && shows(right_bundle_form(measured)),
            pre_excited: !paced && shows(pre_excited_form(measured)),
            left_anterior: !paced && shows(left_anterior_form(measured)),
        }
    }
}

impl Judge<'_> {
    pub(super) fn wide_qrs(&self) -> Judged {
        let qrs_ms = self.qrs_ms()?;
        let found = Finding::new("qrs_duration", qrs_ms, WIDE_QRS_MS, "ms");
        Ok((qrs_ms >= WIDE_QRS_MS).then_some(found))
    }

    pub(super) fn left_bundle_branch_block(&self, complete: bool) -> Judged {
        self.gate_paced()?;
        self.gate_pre_excited()?;
        let qrs_ms = self.qrs_ms()?;
        if !in_range(qrs_ms, complete) {
            return Ok(None);
        }
        Ok(left_bundle_form(self.measured())?.map(Finding::borderline))
    }

    pub(super) fn right_bundle_branch_block(&self, complete: bool) -> Judged {
        self.gate_paced()?;
        self.gate_pre_excited()?;
        let qrs_ms = self.qrs_ms()?;
        if !in_range(qrs_ms, complete) {
            return Ok(None);
        }
        right_bundle_form(self.measured())
    }

    /// A wide QRS with the form of neither block. Part III begins at 110 ms, which one healthy man in
    /// ten has; that is left to the incomplete blocks.
    pub(super) fn intraventricular_conduction_delay(&self) -> Judged {
        self.gate_paced()?;
        self.gate_pre_excited()?;
        let qrs_ms = self.qrs_ms()?;
        if qrs_ms < WIDE_QRS_MS {
            return Ok(None);
        }
        let left = left_bundle_form(self.measured())?.is_some();
        let right = right_bundle_form(self.measured())?.is_some();
        let found = Finding::new("qrs_duration", qrs_ms, WIDE_QRS_MS, "ms");
        Ok((!left && !right).then_some(found))
    }

    pub(super) fn left_anterior_fascicular_block(&self) -> Judged {
        self.gate_paced()?;
        self.gate_pre_excited()?;
        if self.qrs_ms()? >= WIDE_QRS_MS {
            return Err(NotStated::WideQrs);
        }
        left_anterior_form(self.measured())
    }

    /// Axis from 90 to 180 degrees, rS in I and aVL, qR in III and aVF. A right ventricular
    /// hypertrophy, which looks the same, must be excluded by other means.
    pub(super) fn left_posterior_fascicular_block(&self) -> Judged {
        self.gate_paced()?;
        self.gate_pre_excited()?;
        if self.qrs_ms()? >= WIDE_QRS_MS {
            return Err(NotStated::WideQrs);
        }
        let axis_deg = whole(self.measured().axis_deg.qrs)?;
        if !(90.0..=180.0).contains(&axis_deg) {
            return Ok(None);
        }
        let shown = is_rs(self.lead(Lead::I)?)
            && is_rs(self.lead(Lead::AVL)?)
            && is_qr(self.lead(Lead::III)?)
            && is_qr(self.lead(Lead::AVF)?);
        let hypertrophy = matches!(self.right_ventricular_hypertrophy(), Ok(Some(_)));
        let found = Finding::new("qrs_axis", axis_deg, 90.0, "deg").leads([
            Lead::I,
            Lead::AVL,
            Lead::III,
            Lead::AVF,
        ]);
        Ok((shown && !hypertrophy).then_some(found))
    }

    pub(super) fn ventricular_pre_excitation(&self) -> Judged {
        self.gate_paced()?;
        Ok(pre_excited_form(self.measured())?.map(Finding::borderline))
    }
}

fn in_range(qrs_ms: f64, complete: bool) -> bool {
    if complete { qrs_ms >= WIDE_QRS_MS } else { (DELAYED_QRS_MS..WIDE_QRS_MS).contains(&qrs_ms) }
}

/// No q in I, V5 and V6, a broad R there (late or notched), and V1 turned downwards.
fn left_bundle_form(measured: &Measurements) -> Judged {
    let lateral = [Lead::I, Lead::V5, Lead::V6];
    let mut latest_ms = 0.0_f64;
    for lead in lateral {
        let waves = lead_of(measured, lead)?;
        if height_uv(waves, WaveName::Q) < -SMALL_Q_UV {
            return Ok(None);
        }
    }
    let mut late = Vec::new();
    for lead in [Lead::V5, Lead::V6] {
        let waves = lead_of(measured, lead)?;
        let peak_ms = peak_time_ms(waves, WaveName::R).unwrap_or(0.0);
        latest_ms = latest_ms.max(peak_ms);
        if peak_ms > LEFT_PEAK_MS || (waves.r_notched && duration_ms(waves, WaveName::R) > 90.0) {
            late.push(lead);
        }
    }
    let (one, v1) = (lead_of(measured, Lead::I)?, lead_of(measured, Lead::V1)?);
    let upright = one.tallest_uv() > one.deepest_uv();
    let downward = v1.deepest_uv() > 2.0 * v1.tallest_uv();
    let found = Finding::new("r_peak_time", latest_ms.round(), LEFT_PEAK_MS, "ms").leads([
        Lead::I,
        Lead::V1,
        Lead::V5,
        Lead::V6,
    ]);
    Ok((upright && downward && !late.is_empty()).then_some(found))
}

/// R' wider or taller than R, or a late single R, in V1 or V2, and a late S in I and V6.
fn right_bundle_form(measured: &Measurements) -> Judged {
    let late_s = |lead| -> Result<bool, NotStated> {
        let waves = lead_of(measured, lead)?;
        let s_ms = duration_ms(waves, WaveName::S).max(duration_ms(waves, WaveName::S2));
        Ok(s_ms > LATE_S_MS || (s_ms > 0.0 && s_ms > duration_ms(waves, WaveName::R)))
    };
    if !(late_s(Lead::I)? && late_s(Lead::V6)?) {
        return Ok(None);
    }
    for lead in [Lead::V1, Lead::V2] {
        let waves = lead_of(measured, lead)?;
        let (r_uv, r2_uv) = (height_uv(waves, WaveName::R), height_uv(waves, WaveName::R2));
        let (r_ms, r2_ms) = (duration_ms(waves, WaveName::R), duration_ms(waves, WaveName::R2));
        // The second R is usually the wider one; a taller one counts too.
        if r2_uv >= SECOND_R_UV && (r2_ms > r_ms || r2_uv > r_uv) {
            let found = Finding::new("second_r", r2_uv.round(), SECOND_R_UV, "uV");
            return Ok(Some(found.leads([lead, Lead::I, Lead::V6])));
        }
        let peak_ms = peak_time_ms(waves, WaveName::R).unwrap_or(0.0);
        if lead == Lead::V1 && r_uv > waves.s_depth_uv() && peak_ms > RIGHT_PEAK_MS {
            let found = Finding::new("r_peak_time", peak_ms.round(), RIGHT_PEAK_MS, "ms");
            return Ok(Some(found.leads([lead, Lead::I, Lead::V6])));
        }
    }
    Ok(None)
}

/// Axis from -45 to -90 degrees, qR in aVL, late R there, narrow QRS.
fn left_anterior_form(measured: &Measurements) -> Judged {
    let axis_deg = whole(measured.axis_deg.qrs)?;
    if !(-90.0..=-45.0).contains(&axis_deg) || whole(measured.qrs_ms)? >= WIDE_QRS_MS {
        return Ok(None);
    }
    let avl = lead_of(measured, Lead::AVL)?;
    let late = peak_time_ms(avl, WaveName::R).is_some_and(|ms| ms >= FASCICULAR_PEAK_MS);
    let found =
        Finding::new("qrs_axis", axis_deg, -45.0, "deg").leads([Lead::I, Lead::AVF, Lead::AVL]);
    Ok((is_qr(avl) && late).then_some(found))
}

/// A short PR and a slurred start of a QRS that is broadened by it.
fn pre_excited_form(measured: &Measurements) -> Judged {
    if measured.rhythm != Rhythm::Sinus {
        return Err(NotStated::NotSinus);
    }
    let (pr_ms, qrs_ms) = (whole(measured.pr_ms)?, whole(measured.qrs_ms)?);
    if pr_ms >= SHORT_PR_MS || qrs_ms < DELAYED_QRS_MS {
        return Ok(None);
    }
    let slur_ms = match measured.waves.slur_ms {
        Some(slur) => whole(slur)?,
        None => return Err(NotStated::Missing),
    };
    let found = Finding::new("slurred_onset", slur_ms, SLUR_MS, "ms");
    Ok((slur_ms >= SLUR_MS).then_some(found))
}

fn is_rs(lead: &LeadWaves) -> bool {
    lead.wave(WaveName::Q).is_none()
        && lead.wave(WaveName::R).is_some()
        && lead.s_depth_uv() > lead.tallest_uv()
}

fn is_qr(lead: &LeadWaves) -> bool {
    let (q_uv, r_uv) = (-height_uv(lead, WaveName::Q), height_uv(lead, WaveName::R));
    q_uv > 0.0 && r_uv > q_uv && r_uv > lead.s_depth_uv()
}
