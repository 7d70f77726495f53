//! The waves of the representative beat lead by lead, and what is added up from them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Lead, Measured, MissingReason, QtFormula};

/// The waves of a beat by their order and direction in one lead.
///
/// Within the QRS a downward wave before any upward one is Q (a QRS that only goes down is one Q,
/// the QS complex), the first upward wave R, the downward one after it S, then R' and S'. P and T
/// may have a second part of the other direction, P' and T'.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WaveName {
    P,
    #[serde(rename = "P'")]
    P2,
    Q,
    R,
    S,
    #[serde(rename = "R'")]
    R2,
    #[serde(rename = "S'")]
    S2,
    T,
    #[serde(rename = "T'")]
    T2,
}

impl WaveName {
    pub const ALL: [WaveName; 9] = [
        WaveName::P,
        WaveName::P2,
        WaveName::Q,
        WaveName::R,
        WaveName::S,
        WaveName::R2,
        WaveName::S2,
        WaveName::T,
        WaveName::T2,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            WaveName::P => "P",
            WaveName::P2 => "P'",
            WaveName::Q => "Q",
            WaveName::R => "R",
            WaveName::S => "S",
            WaveName::R2 => "R'",
            WaveName::S2 => "S'",
            WaveName::T => "T",
            WaveName::T2 => "T'",
        }
    }
}

/// A wave that was found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WaveMeasure {
    /// Signed: a Q or S is negative.
    pub amplitude_uv: f64,
    /// Standard deviation of the amplitude from beat to beat; `None` with fewer than three beats
    /// or in a lead that was derived from others.
    pub spread_uv: Option<f64>,
    /// Absent where the wave does not begin or end on its baseline: a T wave that rises out of a
    /// shifted ST segment.
    pub duration_ms: Option<f64>,
    /// Start and apex of the wave, from the global QRS onset; negative for P.
    pub onset_ms: f64,
    pub peak_ms: f64,
}

/// A wave in one lead.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wave {
    Found(WaveMeasure),
    /// Looked for; no deflection reaches the least size of a wave.
    TooSmall,
    /// Could not be looked for.
    Missing(MissingReason),
}

impl Wave {
    pub const fn found(&self) -> Option<&WaveMeasure> {
        match self {
            Wave::Found(wave) => Some(wave),
            Wave::TooSmall | Wave::Missing(_) => None,
        }
    }
}

/// Level of the ST segment against the QRS onset, at J and at fixed times after it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StLevels {
    pub j_uv: Measured,
    pub j20_uv: Measured,
    pub j60_uv: Measured,
    pub j80_uv: Measured,
}

impl StLevels {
    pub const fn missing(reason: MissingReason) -> Self {
        let none = Measured::Missing(reason);
        StLevels { j_uv: none, j20_uv: none, j60_uv: none, j80_uv: none }
    }
}

/// One lead of the representative beat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeadWaves {
    /// Beats in the average; zero where the lead could not be averaged.
    pub beats: u32,
    /// Standard error of a sample of the average, microvolts.
    pub error_uv: Option<f64>,
    pub waves: BTreeMap<WaveName, Wave>,
    pub st: StLevels,
    /// Standard deviation of the level at J from beat to beat.
    pub st_spread_uv: Option<f64>,
    /// Height of a notch on the last fall of the QRS, above the QRS onset level.
    pub end_notch_uv: Option<f64>,
    /// R has more than one summit before it crosses the baseline.
    pub r_notched: bool,
    /// Between the first and last summit of a P wave that has more than one.
    #[serde(default)]
    pub p_notch_ms: Option<f64>,
    /// From the global QRS onset to the end of this lead's T wave.
    pub qt_ms: Measured,
}

impl LeadWaves {
    /// Every value missing for one reason.
    pub fn missing(reason: MissingReason) -> Self {
        LeadWaves {
            beats: 0,
            error_uv: None,
            waves: WaveName::ALL.into_iter().map(|name| (name, Wave::Missing(reason))).collect(),
            st: StLevels::missing(reason),
            st_spread_uv: None,
            end_notch_uv: None,
            r_notched: false,
            p_notch_ms: None,
            qt_ms: Measured::Missing(reason),
        }
    }

    pub fn wave(&self, name: WaveName) -> Option<&WaveMeasure> {
        self.waves.get(&name).and_then(Wave::found)
    }

    /// Why the QRS of this lead is not known, if it is not.
    pub fn qrs_missing(&self) -> Option<MissingReason> {
        match self.waves.get(&WaveName::R) {
            Some(Wave::Missing(reason)) => Some(*reason),
            Some(_) => None,
            None => Some(MissingReason::LeadAbsent),
        }
    }

    /// Height of the tallest upward wave of the QRS; zero where there is none.
    pub fn tallest_uv(&self) -> f64 {
        let up = [WaveName::R, WaveName::R2].into_iter().filter_map(|name| self.wave(name));
        up.map(|wave| wave.amplitude_uv).fold(0.0, f64::max)
    }

    /// Depth of the deepest downward wave of the QRS, a positive number; zero where there is none.
    pub fn deepest_uv(&self) -> f64 {
        let down = [WaveName::Q, WaveName::S, WaveName::S2].into_iter();
        down.filter_map(|name| self.wave(name)).map(|wave| -wave.amplitude_uv).fold(0.0, f64::max)
    }

    /// Depth of S or S', or of a QS complex, which has the place of S in voltage sums.
    pub fn s_depth_uv(&self) -> f64 {
        let s = [WaveName::S, WaveName::S2].into_iter().filter_map(|name| self.wave(name));
        let s_uv = s.map(|wave| -wave.amplitude_uv).fold(0.0, f64::max);
        if self.is_qs() { self.deepest_uv() } else { s_uv }
    }

    /// A QRS that only goes down.
    pub fn is_qs(&self) -> bool {
        self.wave(WaveName::Q).is_some() && self.wave(WaveName::R).is_none()
    }
}

/// Sums of voltages over leads, microvolts unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct VoltageSums {
    /// S in V1 and the taller R of V5 and V6 (Sokolow and Lyon 1949).
    pub sokolow_lyon_uv: Measured,
    /// R in aVL and S in V3 (Casale et al. 1985).
    pub cornell_uv: Measured,
    /// Cornell voltage times QRS duration, without any addition by sex.
    pub cornell_product_uv_ms: Measured,
    /// Peak to peak of the QRS in I, II and III, added.
    pub limb_sum_uv: Measured,
    /// Greatest peak to peak of the QRS in any limb lead, and in any of V1 to V6.
    pub limb_greatest_uv: Measured,
    pub chest_greatest_uv: Measured,
}

/// Longest less shortest value over leads.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dispersion {
    pub ms: Measured,
    /// Leads that took part.
    pub leads: u32,
}

/// What the representative beat shows lead by lead. Empty in results stored before it was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WaveTable {
    pub leads: BTreeMap<Lead, LeadWaves>,
    pub voltages: Option<VoltageSums>,
    pub qt_dispersion: Option<Dispersion>,
    /// From the QRS onset until the signal has half of its greatest speed in all leads together.
    #[serde(default)]
    pub slur_ms: Option<Measured>,
    /// J point to T end.
    pub jt_ms: Option<Measured>,
    /// Corrected QT less QRS.
    #[serde(default)]
    pub jtc_ms: BTreeMap<QtFormula, Measured>,
}

impl WaveTable {
    pub fn is_empty(&self) -> bool {
        *self == WaveTable::default()
    }

    pub fn wave(&self, lead: Lead, name: WaveName) -> Option<&WaveMeasure> {
        self.leads.get(&lead)?.wave(name)
    }
}
