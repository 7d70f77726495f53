//! Diagnostic statements: measurements, a subject and what is known of the rhythm in; statements
//! out, each with the value and limit that decided, the leads that show it, and its gates.
//!
//! Criteria follow the AHA/ACCF/HRS recommendations for the standardization and interpretation of
//! the electrocardiogram (parts II to VI, 2007 to 2009); where another source is followed it is
//! named at the criterion. They are for adults. Where sex or age decides a limit and is not known,
//! a statement is made only if every possible limit is passed.
//!
//! A statement whose criteria are not met is silent only when everything that they look at was
//! measured; else it is listed as not evaluated, with the reason. A statement with fewer than
//! twenty real cases behind it (`evidence.rs`) is experimental, and info at most. The fixed flags
//! ([`crate::flag`]) are apart from this and do not change with it.

mod chamber;
mod conduction;
mod evidence;
mod infarct;
mod repolarization;
mod rhythm;

use precordia_model::{
    Evidence, Lead, LeadWaves, Measured, Measurements, MissingReason, NotStated, QtFormula,
    Severity, Statement, StatementCode, StatementReport, WaveName,
};

use crate::flag::{Case, Subject};
use crate::limits::Limits;
use conduction::Conduction;
pub use evidence::{REAL_CASES_MIN, real_cases};
pub use rhythm::{AvBlock, RhythmEvidence};

/// Version of the criteria, carried by every report.
pub const STATEMENT_VERSION: &str = "1";

/// QRS duration, in whole milliseconds, from which ventricular conduction is abnormal.
const WIDE_QRS_MS: f64 = 120.0;
const ADULT_FROM_YEARS: u16 = 16;

/// Judges every statement. Each code is stated, not evaluated, or was found not to apply.
pub fn state(
    measurements: &Measurements,
    subject: Subject,
    limits: &Limits,
    rhythm: &RhythmEvidence,
) -> StatementReport {
    let judge = Judge {
        case: Case { measurements, subject, limits },
        rhythm,
        conduction: Conduction::of(measurements),
    };
    let mut report =
        StatementReport { version: STATEMENT_VERSION.to_owned(), ..StatementReport::default() };
    for &code in StatementCode::ALL {
        match judge.judge(code) {
            Ok(Some(finding)) => report.statements.push(judge.statement(code, finding)),
            Ok(None) => {}
            Err(reason) => report.not_evaluated.push((code, reason)),
        }
    }
    report
}

/// Criteria that are met.
struct Finding {
    criterion: &'static str,
    value: f64,
    limit: f64,
    unit: &'static str,
    severity: Severity,
    leads: Vec<Lead>,
    /// R peaks; the beats of the representative one where empty.
    beats: Vec<u32>,
    formula: Option<QtFormula>,
    notes: Vec<String>,
}

impl Finding {
    fn new(criterion: &'static str, value: f64, limit: f64, unit: &'static str) -> Self {
        Finding {
            criterion,
            value,
            limit,
            unit,
            severity: Severity::Info,
            leads: Vec::new(),
            beats: Vec::new(),
            formula: None,
            notes: Vec::new(),
        }
    }

    fn borderline(self) -> Self {
        Finding { severity: Severity::Borderline, ..self }
    }

    fn alert(self) -> Self {
        Finding { severity: Severity::Alert, ..self }
    }

    fn leads(self, leads: impl Into<Vec<Lead>>) -> Self {
        Finding { leads: leads.into(), ..self }
    }

    fn note(mut self, note: &str) -> Self {
        self.notes.push(note.to_owned());
        self
    }
}

type Judged = Result<Option<Finding>, NotStated>;

struct Judge<'a> {
    case: Case<'a>,
    rhythm: &'a RhythmEvidence,
    conduction: Conduction,
}

impl Judge<'_> {
    fn judge(&self, code: StatementCode) -> Judged {
        use StatementCode as S;
        if self.case.subject.age_years.is_some_and(|age| age < ADULT_FROM_YEARS) {
            return Err(NotStated::Paediatric);
        }
        if !self.measured().quality.usable {
            return Err(NotStated::PoorQuality);
        }
        match code {
            S::SinusRhythm => self.sinus_rhythm(),
            S::SinusTachycardia => self.sinus_tachycardia(),
            S::SinusBradycardia => self.sinus_bradycardia(),
            S::AtrialFibrillation => self.atrial_fibrillation(),
            S::AtrialFlutter => self.atrial_flutter(),
            S::SupraventricularEctopy => self.supraventricular_ectopy(),
            S::VentricularEctopy => self.ventricular_ectopy(),
            S::FirstDegreeAvBlock => self.first_degree_av_block(),
            S::SecondDegreeAvBlock => self.second_degree_av_block(),
            S::ThirdDegreeAvBlock => self.third_degree_av_block(),
            S::PacedRhythm => Ok(self.paced_rhythm()),
            S::WideQrs => self.wide_qrs(),
            S::LeftBundleBranchBlock => self.left_bundle_branch_block(true),
            S::IncompleteLeftBundleBranchBlock => self.left_bundle_branch_block(false),
            S::RightBundleBranchBlock => self.right_bundle_branch_block(true),
            S::IncompleteRightBundleBranchBlock => self.right_bundle_branch_block(false),
            S::IntraventricularConductionDelay => self.intraventricular_conduction_delay(),
            S::LeftAnteriorFascicularBlock => self.left_anterior_fascicular_block(),
            S::LeftPosteriorFascicularBlock => self.left_posterior_fascicular_block(),
            S::VentricularPreExcitation => self.ventricular_pre_excitation(),
            S::LeftVentricularHypertrophy => self.left_ventricular_hypertrophy(),
            S::RightVentricularHypertrophy => self.right_ventricular_hypertrophy(),
            S::LeftAtrialEnlargement => self.left_atrial_enlargement(),
            S::RightAtrialEnlargement => self.right_atrial_enlargement(),
            S::LowVoltage => self.low_voltage(),
            S::StemiCriteriaAnterior => self.stemi_criteria(infarct::ANTERIOR),
            S::StemiCriteriaInferior => self.stemi_criteria(infarct::INFERIOR),
            S::StemiCriteriaLateral => self.stemi_criteria(infarct::LATERAL),
            S::InfarctQAnterior => self.infarct_q(infarct::ANTERIOR),
            S::InfarctQInferior => self.infarct_q(infarct::INFERIOR),
            S::InfarctQLateral => self.infarct_q(infarct::LATERAL),
            S::InfarctRPosterior => self.infarct_r_posterior(),
            S::EarlyRepolarization => self.early_repolarization(),
            S::BrugadaType1Pattern => self.brugada_type_1_pattern(),
            S::ShortQt => self.short_qt(),
            S::LongJt => self.long_jt(),
        }
    }

    fn statement(&self, code: StatementCode, finding: Finding) -> Statement {
        let experimental = real_cases(code) < REAL_CASES_MIN;
        let representative = self.case.representative();
        let or = |own: Vec<Lead>| if own.is_empty() { representative.leads.clone() } else { own };
        Statement {
            code,
            severity: if experimental { Severity::Info } else { finding.severity },
            experimental,
            criterion: finding.criterion.to_owned(),
            value: finding.value,
            limit: finding.limit,
            unit: finding.unit.to_owned(),
            evidence: Evidence {
                leads: or(finding.leads),
                beats: if finding.beats.is_empty() { representative.beats } else { finding.beats },
                formula: finding.formula,
            },
            notes: finding.notes,
        }
    }

    fn measured(&self) -> &Measurements {
        self.case.measurements
    }

    fn lead(&self, lead: Lead) -> Result<&LeadWaves, NotStated> {
        lead_of(self.measured(), lead)
    }

    fn qrs_ms(&self) -> Result<f64, NotStated> {
        whole(self.measured().qrs_ms)
    }

    /// Gates of everything that reads the form of a normally conducted QRS.
    fn gate_paced(&self) -> Result<(), NotStated> {
        if self.conduction.paced { Err(NotStated::Paced) } else { Ok(()) }
    }

    fn gate_pre_excited(&self) -> Result<(), NotStated> {
        if self.conduction.pre_excited { Err(NotStated::PreExcited) } else { Ok(()) }
    }

    fn gate_left_bundle(&self) -> Result<(), NotStated> {
        if self.conduction.left_bundle { Err(NotStated::LeftBundleBranchBlock) } else { Ok(()) }
    }

    fn gate_right_bundle(&self) -> Result<(), NotStated> {
        if self.conduction.right_bundle { Err(NotStated::RightBundleBranchBlock) } else { Ok(()) }
    }

    /// A narrow QRS by normal conduction: what the limits of voltages, ST and Q were made on. An
    /// unknown duration cannot open the gate.
    fn gate_conduction(&self) -> Result<(), NotStated> {
        self.gate_paced()?;
        self.gate_pre_excited()?;
        self.gate_left_bundle()?;
        self.gate_right_bundle()?;
        if self.qrs_ms()? >= WIDE_QRS_MS { Err(NotStated::WideQrs) } else { Ok(()) }
    }
}

fn lead_of(measured: &Measurements, lead: Lead) -> Result<&LeadWaves, NotStated> {
    let Some(waves) = measured.waves.leads.get(&lead) else {
        let stored_before = measured.waves.is_empty();
        return Err(if stored_before { NotStated::Missing } else { NotStated::LeadAbsent });
    };
    waves.qrs_missing().map_or(Ok(waves), |reason| Err(not_stated(reason)))
}

/// A value as it is printed.
fn whole(measured: Measured) -> Result<f64, NotStated> {
    match measured {
        Measured::Value(value) if value.is_finite() => Ok(value.round()),
        Measured::Value(_) => Err(NotStated::Missing),
        Measured::Missing(reason) => Err(not_stated(reason)),
    }
}

fn not_stated(reason: MissingReason) -> NotStated {
    match reason {
        MissingReason::PoorQuality | MissingReason::Gap => NotStated::PoorQuality,
        MissingReason::LeadAbsent => NotStated::LeadAbsent,
        MissingReason::Paced => NotStated::Paced,
        MissingReason::Rhythm => NotStated::NotSinus,
        _ => NotStated::Missing,
    }
}

/// From the start of this lead's QRS to the top of a wave (the R peak time).
fn peak_time_ms(lead: &LeadWaves, name: WaveName) -> Option<f64> {
    let qrs = [WaveName::Q, WaveName::R].into_iter().filter_map(|name| lead.wave(name));
    let start_ms = qrs.map(|wave| wave.onset_ms).fold(f64::INFINITY, f64::min);
    Some(lead.wave(name)?.peak_ms - start_ms)
}

fn duration_ms(lead: &LeadWaves, name: WaveName) -> f64 {
    lead.wave(name).and_then(|wave| wave.duration_ms).unwrap_or(0.0)
}

fn height_uv(lead: &LeadWaves, name: WaveName) -> f64 {
    lead.wave(name).map_or(0.0, |wave| wave.amplitude_uv)
}
