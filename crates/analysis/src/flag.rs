//! The fixed set of rule flags: measurements, a subject and the table of limits in; flags out.
//!
//! Values are rounded to the unit in which they are reported (1 /min, 1 ms, 1 degree, 1 uV) before
//! they are compared: a report that prints 200 ms must not carry a flag for more than 200 ms.
//! A rule stays silent only when everything it looks at was measured; otherwise it is listed as not
//! evaluated, with the reason. Nothing here measures, and nothing here knows a patient: age and sex
//! are arguments.

use precordia_model::{
    Evidence, Flag, FlagCode, FlagReport, Lead, Measured, Measurements, MissingReason,
    NotEvaluated, QtFormula, Rhythm, Severity, Sex,
};

use crate::limits::{Bands, Limits, RULE_VERSION};
use crate::st_rule;

/// What the rules must know of the person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    pub age_years: Option<u16>,
    pub sex: Option<Sex>,
}

/// Judges every rule. Each code is in `flags`, in `not_evaluated`, or was found not to apply.
pub fn flag(measurements: &Measurements, subject: Subject, limits: &Limits) -> FlagReport {
    let case = Case { measurements, subject, limits };
    let mut report = FlagReport { rule_version: RULE_VERSION.to_owned(), ..FlagReport::default() };
    for code in FlagCode::ALL {
        match case.judge(code) {
            Outcome::Fired(flag) => report.flags.push(*flag),
            Outcome::Silent => {}
            Outcome::NotEvaluated(reason) => report.not_evaluated.push((code, reason)),
        }
    }
    report
}

pub(crate) enum Outcome {
    Fired(Box<Flag>),
    Silent,
    NotEvaluated(NotEvaluated),
}

impl From<Option<Flag>> for Outcome {
    fn from(flag: Option<Flag>) -> Self {
        flag.map_or(Outcome::Silent, |flag| Outcome::Fired(Box::new(flag)))
    }
}

/// A value as it is reported, or why the rule that needs it cannot be evaluated.
type Reported = Result<f64, NotEvaluated>;

pub(crate) struct Case<'a> {
    pub measurements: &'a Measurements,
    pub subject: Subject,
    pub limits: &'a Limits,
}

impl Case<'_> {
    fn judge(&self, code: FlagCode) -> Outcome {
        self.try_judge(code).unwrap_or_else(Outcome::NotEvaluated)
    }

    fn try_judge(&self, code: FlagCode) -> Result<Outcome, NotEvaluated> {
        self.gate_everything()?;
        match code {
            FlagCode::Bradycardia => self.bradycardia(),
            FlagCode::Tachycardia => self.tachycardia(),
            FlagCode::AvBlock1 => self.av_block_1(),
            FlagCode::LongQt => self.long_qt(),
            FlagCode::AxisLeft | FlagCode::AxisRight | FlagCode::AxisExtreme => self.axis(code),
            FlagCode::StElevation => {
                self.gate_repolarization()?;
                Ok(st_rule::elevation(self))
            }
            FlagCode::StDepression => {
                self.gate_repolarization()?;
                Ok(st_rule::depression(self))
            }
        }
    }

    fn gate_everything(&self) -> Result<(), NotEvaluated> {
        if self.subject.age_years.is_some_and(|age| f64::from(age) < self.limits.adult_from_years) {
            return Err(NotEvaluated::Paediatric);
        }
        if !self.measurements.quality.usable {
            return Err(NotEvaluated::PoorQuality);
        }
        Ok(())
    }

    /// Repolarization after abnormal depolarization says nothing by these limits. A QRS duration
    /// that is not known cannot open the gate.
    fn gate_repolarization(&self) -> Result<(), NotEvaluated> {
        if self.paced() {
            return Err(NotEvaluated::Paced);
        }
        if reported(self.measurements.qrs_ms)? >= self.limits.wide_qrs_from_ms {
            return Err(NotEvaluated::WideQrs);
        }
        Ok(())
    }

    fn paced(&self) -> bool {
        self.measurements.paced || self.measurements.rhythm == Rhythm::Paced
    }

    fn bradycardia(&self) -> Result<Outcome, NotEvaluated> {
        let rate_bpm = reported(self.measurements.heart_rate_bpm)?;
        let found = falling(rate_bpm, self.limits.bradycardia_bpm);
        let evidence = Evidence { beats: self.all_beats(), ..Evidence::default() };
        Ok(self.banded(FlagCode::Bradycardia, found, rate_bpm, "/min", evidence).into())
    }

    fn tachycardia(&self) -> Result<Outcome, NotEvaluated> {
        let rate_bpm = reported(self.measurements.heart_rate_bpm)?;
        let found = rising(rate_bpm, self.limits.tachycardia_bpm);
        let evidence = Evidence { beats: self.all_beats(), ..Evidence::default() };
        Ok(self.banded(FlagCode::Tachycardia, found, rate_bpm, "/min", evidence).into())
    }

    fn av_block_1(&self) -> Result<Outcome, NotEvaluated> {
        if self.paced() {
            return Err(NotEvaluated::Paced);
        }
        match self.measurements.rhythm {
            Rhythm::Sinus => {}
            Rhythm::AtrialFibrillation | Rhythm::AtrialFlutter => {
                return Err(NotEvaluated::AtrialFibrillation);
            }
            Rhythm::Paced => return Err(NotEvaluated::Paced),
            Rhythm::Undetermined => return Err(NotEvaluated::NotSinus),
        }
        let pr_ms = reported(self.measurements.pr_ms)?;
        let found = rising(pr_ms, self.limits.av_block_1_ms);
        Ok(self.banded(FlagCode::AvBlock1, found, pr_ms, "ms", self.representative()).into())
    }

    /// Bazett at 60 to 100 /min, where it was derived, else Fridericia.
    fn long_qt(&self) -> Result<Outcome, NotEvaluated> {
        self.gate_repolarization()?;
        let rate_bpm = reported(self.measurements.heart_rate_bpm)?;
        let formula = if (60.0..=100.0).contains(&rate_bpm) {
            QtFormula::Bazett
        } else {
            QtFormula::Fridericia
        };
        let qtc_ms = reported(self.measurements.qtc(formula))?;
        let found = rising(qtc_ms, self.limits.long_qt_ms);
        let evidence = Evidence { formula: Some(formula), ..self.representative() };
        Ok(self.banded(FlagCode::LongQt, found, qtc_ms, "ms", evidence).into())
    }

    fn axis(&self, code: FlagCode) -> Result<Outcome, NotEvaluated> {
        let axis_deg = match reported(self.measurements.axis_deg.qrs)? {
            // -180 and 180 are one direction, and the axis is defined in (-180, 180].
            deg if deg <= -180.0 => deg + 360.0,
            deg => deg,
        };
        let Limits { axis_left_below_deg, axis_right_above_deg, axis_extreme_below_deg, .. } =
            *self.limits;
        let extreme = axis_deg < axis_extreme_below_deg;
        let (applies, severity, limit_deg) = match code {
            FlagCode::AxisExtreme => (extreme, Severity::Borderline, axis_extreme_below_deg),
            FlagCode::AxisRight => {
                (axis_deg > axis_right_above_deg, Severity::Info, axis_right_above_deg)
            }
            _ => (!extreme && axis_deg < axis_left_below_deg, Severity::Info, axis_left_below_deg),
        };
        let evidence = Evidence { leads: vec![Lead::I, Lead::AVF], ..self.representative() };
        let found = applies.then_some((severity, limit_deg));
        Ok(self.banded(code, found, axis_deg, "deg", evidence).into())
    }

    fn banded(
        &self,
        code: FlagCode,
        found: Option<(Severity, f64)>,
        value: f64,
        unit: &str,
        evidence: Evidence,
    ) -> Option<Flag> {
        let (severity, limit) = found?;
        Some(Flag {
            code,
            severity,
            value,
            limit,
            unit: unit.to_owned(),
            rule_version: RULE_VERSION.to_owned(),
            evidence,
            notes: self.notes(code),
        })
    }

    /// What everybody who reads a flag of this row must know.
    pub(crate) fn notes(&self, code: FlagCode) -> Vec<String> {
        let mut notes = Vec::new();
        if self.subject.age_years.is_none() {
            notes.push("age unknown: most sensitive adult limit".to_owned());
        }
        let product = Limits::default();
        for name in self.limits.overridden().filter(|name| bears_on(name, code)) {
            if let (Some(ours), Some(theirs)) = (product.get(name), self.limits.get(name)) {
                notes.push(format!(
                    "limit {name} set by the organization: {theirs} instead of {ours}"
                ));
            }
        }
        notes
    }

    /// The representative beat: the beats it is made of and the leads it was measured in.
    pub(crate) fn representative(&self) -> Evidence {
        let peaks = &self.measurements.r_peaks;
        let used = &self.measurements.beats_used;
        let leads = &self.measurements.quality.leads;
        Evidence {
            leads: leads.iter().filter(|(_, q)| q.usable).map(|(lead, _)| *lead).collect(),
            beats: used.iter().filter_map(|&beat| peaks.get(beat as usize).copied()).collect(),
            formula: None,
        }
    }

    fn all_beats(&self) -> Vec<u32> {
        self.measurements.r_peaks.clone()
    }
}

/// The value in whole reported units.
pub(crate) fn reported(measured: Measured) -> Reported {
    match measured {
        Measured::Value(value) if value.is_finite() => Ok(value.round()),
        Measured::Value(_) => Err(NotEvaluated::Missing),
        Measured::Missing(reason) => Err(not_evaluated(reason)),
    }
}

fn not_evaluated(reason: MissingReason) -> NotEvaluated {
    match reason {
        MissingReason::PoorQuality | MissingReason::Gap => NotEvaluated::PoorQuality,
        MissingReason::Paced => NotEvaluated::Paced,
        MissingReason::Rhythm => NotEvaluated::NotSinus,
        MissingReason::NoBeats
        | MissingReason::TooFewBeats
        | MissingReason::NoPWave
        | MissingReason::NoTWave
        | MissingReason::LeadAbsent
        | MissingReason::OutOfScope => NotEvaluated::Missing,
    }
}

/// Above the first limit; the bands count their own limit in.
fn rising(value: f64, bands: Bands) -> Option<(Severity, f64)> {
    if value <= bands.info {
        None
    } else if value >= bands.alert {
        Some((Severity::Alert, bands.alert))
    } else if value >= bands.borderline {
        Some((Severity::Borderline, bands.borderline))
    } else {
        Some((Severity::Info, bands.info))
    }
}

/// Below the first limit; all bands are strict.
fn falling(value: f64, bands: Bands) -> Option<(Severity, f64)> {
    if value >= bands.info {
        None
    } else if value < bands.alert {
        Some((Severity::Alert, bands.alert))
    } else if value < bands.borderline {
        Some((Severity::Borderline, bands.borderline))
    } else {
        Some((Severity::Info, bands.info))
    }
}

/// Limits are named `row.part`. The two gates bear on more than one row.
fn bears_on(name: &str, code: FlagCode) -> bool {
    let row = name.split('.').next().unwrap_or(name);
    match row {
        "adult" => true,
        "wide_qrs" => {
            matches!(code, FlagCode::LongQt | FlagCode::StElevation | FlagCode::StDepression)
        }
        // The left axis ends where the extreme axis begins.
        "axis_extreme" => matches!(code, FlagCode::AxisExtreme | FlagCode::AxisLeft),
        row => row == code.name(),
    }
}
