//! The end of the QRS, the ST segment and the QT interval (AHA/ACCF/HRS 2009, part IV, and the
//! consensus papers named below).

use precordia_model::{Lead, NotStated, QtFormula, WaveName};

use super::{Finding, Judge, Judged, WIDE_QRS_MS, height_uv, whole};

/// Macfarlane et al. 2015: a notch or slur at the end of the QRS, its peak from 0.1 mV in two
/// contiguous inferior or lateral leads. Slurs are not measured here.
const NOTCH_UV: f64 = 100.0;
const NOTCH_GROUPS: [&[Lead]; 2] =
    [&[Lead::II, Lead::AVF, Lead::III], &[Lead::AVL, Lead::I, Lead::V4, Lead::V5, Lead::V6]];
/// Antzelevitch et al. 2005: coved ST from 0.2 mV at J in V1 or V2, falling into a negative T.
const COVED_UV: f64 = 200.0;
/// Priori et al. 2015 (ESC): short QT from here down. Part IV calls 390 ms short, which one
/// healthy man in ten has.
const SHORT_QT_MS: f64 = 360.0;
const VERY_SHORT_QT_MS: f64 = 340.0;
/// Upper limit of JTc by Bazett, as remembered.
const LONG_JT_MS: f64 = 360.0;

impl Judge<'_> {
    pub(super) fn early_repolarization(&self) -> Judged {
        self.gate_conduction()?;
        let mut missing = None;
        for group in NOTCH_GROUPS {
            let mut shown = Vec::new();
            let mut highest_uv = 0.0_f64;
            for &lead in group {
                match self.lead(lead) {
                    Ok(waves) => {
                        let notch_uv = waves.end_notch_uv.unwrap_or(0.0).round();
                        if notch_uv >= NOTCH_UV {
                            highest_uv = highest_uv.max(notch_uv);
                            shown.push(lead);
                        }
                    }
                    Err(reason) => missing = Some(reason),
                }
            }
            if shown.len() >= 2 {
                let found = Finding::new("end_qrs_notch", highest_uv, NOTCH_UV, "uV");
                return Ok(Some(found.leads(shown)));
            }
        }
        missing.map_or(Ok(None), Err)
    }

    pub(super) fn brugada_type_1_pattern(&self) -> Judged {
        self.gate_paced()?;
        self.gate_pre_excited()?;
        self.gate_left_bundle()?;
        let mut missing = None;
        for lead in [Lead::V1, Lead::V2] {
            let waves = match self.lead(lead) {
                Ok(waves) => waves,
                Err(reason) => {
                    missing = Some(reason);
                    continue;
                }
            };
            let levels = [waves.st.j_uv, waves.st.j20_uv, waves.st.j60_uv, waves.st.j80_uv];
            let levels: Result<Vec<f64>, NotStated> = levels.into_iter().map(whole).collect();
            let levels = match levels {
                Ok(levels) => levels,
                Err(reason) => {
                    missing = Some(reason);
                    continue;
                }
            };
            // No second rise: the segment only falls, by a quarter at least, into a negative T.
            let falls = levels.is_sorted_by(|a, b| a >= b) && levels[3] <= 0.75 * levels[0];
            let negative = [WaveName::T, WaveName::T2]
                .into_iter()
                .any(|name| height_uv(waves, name) < -NOTCH_UV);
            if levels[0] >= COVED_UV && falls && negative {
                let found = Finding::new("coved_st", levels[0], COVED_UV, "uV").leads([lead]);
                return Ok(Some(found.alert()));
            }
        }
        missing.map_or(Ok(None), Err)
    }

    pub(super) fn short_qt(&self) -> Judged {
        self.gate_conduction()?;
        let rate_bpm = whole(self.measured().heart_rate_bpm)?;
        // As the flag of a long QT: Bazett where it was derived.
        let formula = if (60.0..=100.0).contains(&rate_bpm) {
            QtFormula::Bazett
        } else {
            QtFormula::Fridericia
        };
        let qtc_ms = whole(self.measured().qtc(formula))?;
        if qtc_ms > SHORT_QT_MS {
            return Ok(None);
        }
        let very = qtc_ms <= VERY_SHORT_QT_MS;
        let limit_ms = if very { VERY_SHORT_QT_MS } else { SHORT_QT_MS };
        let found = Finding::new("qtc", qtc_ms, limit_ms, "ms");
        let found = Finding { formula: Some(formula), ..found };
        Ok(Some(if very { found.borderline() } else { found }))
    }

    /// Beside a wide QRS the QT says little of repolarization; JT leaves the QRS out.
    pub(super) fn long_jt(&self) -> Judged {
        self.gate_pre_excited()?;
        if self.qrs_ms()? < WIDE_QRS_MS {
            return Err(NotStated::NarrowQrs);
        }
        let jtc = self.measured().waves.jtc_ms.get(&QtFormula::Bazett).copied();
        let jtc_ms = whole(jtc.ok_or(NotStated::Missing)?)?;
        let found = Finding::new("jtc", jtc_ms, LONG_JT_MS, "ms");
        let found = Finding { formula: Some(QtFormula::Bazett), ..found };
        Ok((jtc_ms > LONG_JT_MS).then_some(found))
    }
}
