//! Diagnostic statements: codes and values only, beyond the fixed set of flags.

use serde::{Deserialize, Serialize};

use crate::{Evidence, Severity};

/// Codes of a statement in the systems of others; only those that are sure are filled in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatementCoding {
    /// Number in the AHA/ACC/HRS list of diagnostic statements (Mason et al. 2007).
    pub aha: Option<u16>,
    /// SNOMED CT concept.
    pub snomed: Option<u64>,
    /// ISO/IEEE 11073-10102 reference identifier.
    pub mdc: Option<&'static str>,
}

macro_rules! code {
    (_) => {
        None
    };
    ($code:literal) => {
        Some($code)
    };
}

macro_rules! statements {
    ($($variant:ident = $name:literal, $aha:tt, $snomed:tt, $mdc:tt;)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum StatementCode { $(#[serde(rename = $name)] $variant),+ }

        impl StatementCode {
            pub const ALL: &'static [StatementCode] = &[$(StatementCode::$variant),+];

            pub const fn name(self) -> &'static str {
                match self { $(StatementCode::$variant => $name),+ }
            }

            pub const fn coding(self) -> StatementCoding {
                match self {
                    $(StatementCode::$variant => StatementCoding {
                        aha: code!($aha),
                        snomed: code!($snomed),
                        mdc: code!($mdc),
                    }),+
                }
            }
        }
    };
}

// Name, AHA number, SNOMED CT concept, MDC reference identifier.
statements! {
    SinusRhythm = "sinus_rhythm", 20, 426783006, "MDC_ECG_RHY_SINUS_RHY";
    SinusTachycardia = "sinus_tachycardia", 21, 427084000, "MDC_ECG_RHY_SINUS_TACHY";
    SinusBradycardia = "sinus_bradycardia", 22, 426177001, "MDC_ECG_RHY_SINUS_BRADY";
    AtrialFibrillation = "atrial_fibrillation", 50, 164889003, "MDC_ECG_RHY_ATR_FIB";
    AtrialFlutter = "atrial_flutter", 51, 164890007, "MDC_ECG_RHY_ATR_FLUT";
    SupraventricularEctopy = "supraventricular_ectopy", 30, 284470004, "MDC_ECG_BEAT_ATR_P_C";
    VentricularEctopy = "ventricular_ectopy", 60, 427172004, "MDC_ECG_BEAT_V_P_C";
    FirstDegreeAvBlock = "first_degree_av_block", _, 270492004, "MDC_ECG_RHY_AV_HEART_BLK_DEG_1";
    SecondDegreeAvBlock = "second_degree_av_block", _, 195042002, "MDC_ECG_RHY_AV_HEART_BLK_DEG_2";
    ThirdDegreeAvBlock = "third_degree_av_block", 88, 27885002, "MDC_ECG_RHY_AV_HEART_BLK_DEG_3";
    PacedRhythm = "paced_rhythm", _, 10370003, _;
    WideQrs = "wide_qrs", _, _, _;
    LeftBundleBranchBlock = "left_bundle_branch_block", 104, 733534002, "MDC_ECG_BEAT_LBB_BLK_COMP";
    RightBundleBranchBlock =
        "right_bundle_branch_block", 106, 713427006, "MDC_ECG_BEAT_RBB_BLK_COMP";
    IncompleteLeftBundleBranchBlock =
        "incomplete_left_bundle_branch_block", _, 251120003, "MDC_ECG_BEAT_LBB_BLK_INCOMP";
    IncompleteRightBundleBranchBlock =
        "incomplete_right_bundle_branch_block", 105, 713426002, "MDC_ECG_BEAT_RBB_BLK_INCOMP";
    IntraventricularConductionDelay =
        "intraventricular_conduction_delay", 107, 698252002, "MDC_ECG_BEAT_BLK_IVCD";
    LeftAnteriorFascicularBlock =
        "left_anterior_fascicular_block", 101, 445118002, "MDC_ECG_BEAT_BLK_ANT_L_HEMI";
    LeftPosteriorFascicularBlock =
        "left_posterior_fascicular_block", 102, 445211001, "MDC_ECG_BEAT_BLK_POS_L_HEMI";
    VentricularPreExcitation = "ventricular_pre_excitation", _, 195060002, _;
    LeftVentricularHypertrophy = "left_ventricular_hypertrophy", 142, 164873001, _;
    RightVentricularHypertrophy = "right_ventricular_hypertrophy", 143, 89792004, _;
    LeftAtrialEnlargement = "left_atrial_enlargement", 140, 67741000119109, _;
    RightAtrialEnlargement = "right_atrial_enlargement", 141, 253339007, _;
    LowVoltage = "low_voltage", _, 251146004, _;
    StemiCriteriaAnterior = "stemi_criteria_anterior", _, _, _;
    StemiCriteriaInferior = "stemi_criteria_inferior", _, _, _;
    StemiCriteriaLateral = "stemi_criteria_lateral", _, _, _;
    InfarctQAnterior = "infarct_q_anterior", 160, _, _;
    InfarctQInferior = "infarct_q_inferior", 161, _, _;
    InfarctQLateral = "infarct_q_lateral", 163, _, _;
    InfarctRPosterior = "infarct_r_posterior", 162, _, _;
    EarlyRepolarization = "early_repolarization", _, 428417006, _;
    BrugadaType1Pattern = "brugada_type_1_pattern", _, _, _;
    ShortQt = "short_qt", _, 77867006, _;
    LongJt = "long_jt", _, _, _;
}

impl StatementCode {
    pub fn parse(name: &str) -> Option<StatementCode> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }
}

/// Why a statement was not judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotStated {
    /// Limits are for adults.
    Paediatric,
    /// The criterion needs the age.
    AgeUnknown,
    PoorQuality,
    LeadAbsent,
    /// A value that it needs was not measured.
    Missing,
    Paced,
    WideQrs,
    LeftBundleBranchBlock,
    RightBundleBranchBlock,
    PreExcited,
    AtrialFibrillation,
    /// No P waves at a steady PR.
    NotSinus,
    /// A narrow QRS: the QT interval itself is judged.
    NarrowQrs,
    /// Nothing looked for it in this recording.
    NoEvidence,
}

impl NotStated {
    pub const fn name(self) -> &'static str {
        match self {
            NotStated::Paediatric => "paediatric",
            NotStated::AgeUnknown => "age_unknown",
            NotStated::PoorQuality => "poor_quality",
            NotStated::LeadAbsent => "lead_absent",
            NotStated::Missing => "missing",
            NotStated::Paced => "paced",
            NotStated::WideQrs => "wide_qrs",
            NotStated::LeftBundleBranchBlock => "left_bundle_branch_block",
            NotStated::RightBundleBranchBlock => "right_bundle_branch_block",
            NotStated::PreExcited => "pre_excited",
            NotStated::AtrialFibrillation => "atrial_fibrillation",
            NotStated::NotSinus => "not_sinus",
            NotStated::NarrowQrs => "narrow_qrs",
            NotStated::NoEvidence => "no_evidence",
        }
    }
}

/// A statement whose criteria are met.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    pub code: StatementCode,
    pub severity: Severity,
    /// Too few real cases stand behind it for more than a hint; its severity is then info.
    pub experimental: bool,
    /// Which of its criteria value and limit belong to.
    pub criterion: String,
    pub value: f64,
    pub limit: f64,
    /// UCUM: `/min`, `ms`, `deg`, `uV`, `uV.ms`, `1`.
    pub unit: String,
    pub evidence: Evidence,
    pub notes: Vec<String>,
}

/// All statements on one recording.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StatementReport {
    pub version: String,
    pub statements: Vec<Statement>,
    pub not_evaluated: Vec<(StatementCode, NotStated)>,
}

impl StatementReport {
    pub fn get(&self, code: StatementCode) -> Option<&Statement> {
        self.statements.iter().find(|statement| statement.code == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_again_by_its_name_and_written_by_it() {
        for &code in StatementCode::ALL {
            assert_eq!(StatementCode::parse(code.name()), Some(code));
        }
        assert_eq!(StatementCode::parse("acs"), None);
    }
}
