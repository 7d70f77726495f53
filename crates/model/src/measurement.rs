//! What was measured on a recording: each value present, or absent with its reason.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Lead, RhythmReport, WaveTable};

/// Why a value could not be made. A missing value is an answer, never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingReason {
    /// No beats were found.
    NoBeats,
    /// Fewer beats than the measurement needs.
    TooFewBeats,
    /// The wave is not there or not measurable.
    NoPWave,
    NoTWave,
    /// The lead is not in the recording, or not enough leads are.
    LeadAbsent,
    /// The signal of the lead or recording is not usable.
    PoorQuality,
    /// A gap lies where the value would be measured.
    Gap,
    /// The rhythm does not have this interval (no PR in atrial fibrillation).
    Rhythm,
    /// Ventricular pacing.
    Paced,
    /// The sampling rate or duration is outside what the method was made for.
    OutOfScope,
}

impl MissingReason {
    pub const fn name(self) -> &'static str {
        match self {
            MissingReason::NoBeats => "no_beats",
            MissingReason::TooFewBeats => "too_few_beats",
            MissingReason::NoPWave => "no_p_wave",
            MissingReason::NoTWave => "no_t_wave",
            MissingReason::LeadAbsent => "lead_absent",
            MissingReason::PoorQuality => "poor_quality",
            MissingReason::Gap => "gap",
            MissingReason::Rhythm => "rhythm",
            MissingReason::Paced => "paced",
            MissingReason::OutOfScope => "out_of_scope",
        }
    }
}

/// A value or the reason why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measured {
    Value(f64),
    Missing(MissingReason),
}

impl Measured {
    pub const fn value(self) -> Option<f64> {
        match self {
            Measured::Value(v) => Some(v),
            Measured::Missing(_) => None,
        }
    }

    pub const fn missing(self) -> Option<MissingReason> {
        match self {
            Measured::Value(_) => None,
            Measured::Missing(reason) => Some(reason),
        }
    }

    #[must_use]
    pub fn map(self, f: impl FnOnce(f64) -> f64) -> Self {
        match self {
            Measured::Value(v) => Measured::Value(f(v)),
            missing @ Measured::Missing(_) => missing,
        }
    }
}

/// Rate correction of the QT interval; RR in seconds, HR in /min.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QtFormula {
    /// QT / RR^(1/2). Bazett 1920.
    Bazett,
    /// QT / RR^(1/3). Fridericia 1920.
    Fridericia,
    /// QT + 154 (1 - RR). Sagie et al. 1992.
    Framingham,
    /// QT + 1.75 (HR - 60). Hodges et al. 1983.
    Hodges,
}

impl QtFormula {
    pub const ALL: [QtFormula; 4] =
        [QtFormula::Bazett, QtFormula::Fridericia, QtFormula::Framingham, QtFormula::Hodges];

    pub const fn name(self) -> &'static str {
        match self {
            QtFormula::Bazett => "bazett",
            QtFormula::Fridericia => "fridericia",
            QtFormula::Framingham => "framingham",
            QtFormula::Hodges => "hodges",
        }
    }
}

/// Frontal-plane axes, degrees in (-180, 180]; 0 is lead I, 90 is lead aVF.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Axes {
    pub p: Measured,
    pub qrs: Measured,
    pub t: Measured,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rhythm {
    /// P before each QRS at a steady PR. "Sinus" is not proven beyond that.
    Sinus,
    AtrialFibrillation,
    /// Atrial waves that repeat at 180 to 350 /min, and no P wave in step with the QRS.
    AtrialFlutter,
    Paced,
    /// None of the above could be shown.
    Undetermined,
}

impl Rhythm {
    pub const fn name(self) -> &'static str {
        match self {
            Rhythm::Sinus => "sinus",
            Rhythm::AtrialFibrillation => "atrial_fibrillation",
            Rhythm::AtrialFlutter => "atrial_flutter",
            Rhythm::Paced => "paced",
            Rhythm::Undetermined => "undetermined",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QualityIssue {
    Flat,
    Clipped,
    Noise,
    BaselineWander,
    Mains,
    Gaps,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeadQuality {
    pub usable: bool,
    pub issues: Vec<QualityIssue>,
    /// Root mean square of what is not ECG, microvolts.
    pub noise_uv: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    pub usable: bool,
    pub leads: BTreeMap<Lead, LeadQuality>,
}

/// Where the global fiducial points lie on the representative beat, in samples of the rhythm signal
/// relative to the R peak (negative before it).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fiducials {
    pub p_onset: Option<i32>,
    pub p_offset: Option<i32>,
    pub qrs_onset: Option<i32>,
    pub qrs_offset: Option<i32>,
    pub t_peak: Option<i32>,
    pub t_offset: Option<i32>,
}

/// Deterministic measurements of one recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurements {
    /// Version of the measuring program, in every stored result and on every screen.
    pub version: String,
    /// Ventricular rate, /min, from the mean RR interval.
    pub heart_rate_bpm: Measured,
    /// Mean RR interval.
    pub rr_ms: Measured,
    pub p_ms: Measured,
    pub pr_ms: Measured,
    pub qrs_ms: Measured,
    pub qt_ms: Measured,
    pub qtc_ms: BTreeMap<QtFormula, Measured>,
    pub axis_deg: Axes,
    /// ST level at the J point against the QRS onset (PR segment), microvolts, by lead.
    pub st_uv: BTreeMap<Lead, Measured>,
    pub rhythm: Rhythm,
    /// Ventricular pacing spikes were seen.
    pub paced: bool,
    /// R peaks, sample indices of the rhythm signal.
    pub r_peaks: Vec<u32>,
    /// Beats that make up the representative beat, indices into `r_peaks`.
    pub beats_used: Vec<u32>,
    pub fiducials: Fiducials,
    pub quality: Quality,
    /// The same beat lead by lead.
    #[serde(default, skip_serializing_if = "WaveTable::is_empty")]
    pub waves: WaveTable,
    /// Classes of the beats, and what speaks for a rhythm. Absent in results of earlier versions and
    /// where no beats were found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rhythm_report: Option<RhythmReport>,
}

impl Measurements {
    pub fn qtc(&self, formula: QtFormula) -> Measured {
        self.qtc_ms.get(&formula).copied().unwrap_or(Measured::Missing(MissingReason::NoBeats))
    }
}
