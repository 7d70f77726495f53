//! Deterministic rule flags: what they say, not how they are decided.

use serde::{Deserialize, Serialize};

use crate::{Lead, QtFormula};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlagCode {
    Bradycardia,
    Tachycardia,
    #[serde(rename = "av_block_1")]
    AvBlock1,
    LongQt,
    AxisLeft,
    AxisRight,
    AxisExtreme,
    StElevation,
    StDepression,
}

impl FlagCode {
    pub const ALL: [FlagCode; 9] = [
        FlagCode::Bradycardia,
        FlagCode::Tachycardia,
        FlagCode::AvBlock1,
        FlagCode::LongQt,
        FlagCode::AxisLeft,
        FlagCode::AxisRight,
        FlagCode::AxisExtreme,
        FlagCode::StElevation,
        FlagCode::StDepression,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            FlagCode::Bradycardia => "bradycardia",
            FlagCode::Tachycardia => "tachycardia",
            FlagCode::AvBlock1 => "av_block_1",
            FlagCode::LongQt => "long_qt",
            FlagCode::AxisLeft => "axis_left",
            FlagCode::AxisRight => "axis_right",
            FlagCode::AxisExtreme => "axis_extreme",
            FlagCode::StElevation => "st_elevation",
            FlagCode::StDepression => "st_depression",
        }
    }

    pub fn parse(name: &str) -> Option<FlagCode> {
        Self::ALL.into_iter().find(|code| code.name() == name)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Info,
    Borderline,
    Alert,
}

impl Severity {
    pub const fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Borderline => "borderline",
            Severity::Alert => "alert",
        }
    }

    pub fn parse(name: &str) -> Option<Severity> {
        [Severity::Info, Severity::Borderline, Severity::Alert]
            .into_iter()
            .find(|s| s.name() == name)
    }
}

/// What a flag rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    pub leads: Vec<Lead>,
    /// Sample indices of the R peaks of the beats used.
    pub beats: Vec<u32>,
    pub formula: Option<QtFormula>,
}

/// A flag that fired.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flag {
    pub code: FlagCode,
    pub severity: Severity,
    pub value: f64,
    /// The limit that was passed (of the band that gave the severity).
    pub limit: f64,
    /// UCUM: `/min`, `ms`, `deg`, `uV`.
    pub unit: String,
    pub rule_version: String,
    pub evidence: Evidence,
    /// Said in words where a gate or an assumption applies: `age unknown: most sensitive limit`.
    pub notes: Vec<String>,
}

/// Why a rule was not evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotEvaluated {
    WideQrs,
    Paced,
    Paediatric,
    AtrialFibrillation,
    NotSinus,
    PoorQuality,
    Missing,
}

impl NotEvaluated {
    pub const fn name(self) -> &'static str {
        match self {
            NotEvaluated::WideQrs => "wide_qrs",
            NotEvaluated::Paced => "paced",
            NotEvaluated::Paediatric => "paediatric",
            NotEvaluated::AtrialFibrillation => "atrial_fibrillation",
            NotEvaluated::NotSinus => "not_sinus",
            NotEvaluated::PoorQuality => "poor_quality",
            NotEvaluated::Missing => "missing",
        }
    }
}

/// The outcome of the whole rule set on one recording.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FlagReport {
    pub rule_version: String,
    pub flags: Vec<Flag>,
    pub not_evaluated: Vec<(FlagCode, NotEvaluated)>,
}

impl FlagReport {
    pub fn highest(&self) -> Option<Severity> {
        self.flags.iter().map(|flag| flag.severity).max()
    }
}
