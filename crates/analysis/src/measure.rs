//! From a recording to its measurements.
//!
//! 1. Channels: gaps, flat and clipped leads ([`crate::channel`]).
//! 2. Beats: detection on all leads ([`crate::detect`]), classes, alignment ([`crate::beat`]).
//! 3. Representative beat of the dominant class ([`crate::average`]).
//! 4. Global boundaries on it ([`crate::wave`], [`crate::edge`]), one set for all leads, as the CSE
//!    working party defines them (Eur Heart J 1985;6:815) and IEC 60601-2-25 tests them: earliest
//!    onset to latest end in any lead, made robust by weighing the leads together, and drawn to
//!    where experts would mark them ([`crate::seen`]).
//! 5. Intervals, axes by net area, ST at J (AHA/ACCF/HRS 2009), rhythm ([`crate::rhythm`]).
//!
//! Intervals are differences of boundaries between samples and keep their fractions; who reports
//! them rounds. A value that the recording does not carry is absent with its reason; nothing is
//! carried over from what the device says. Not done here: U waves, delta waves, naming of Q, R and
//! S, P waves that the QRS does not follow.

use precordia_model::{
    Axes, Fiducials, Lead, Measured, Measurements, MissingReason, QtFormula, Recording, Rhythm,
};

use crate::channel::{Channel, channels};
use crate::lead_wave;
use crate::quality;
use crate::strip::Strip;

/// Version of the measuring program.
pub const MEASURE_VERSION: &str = "precordia-measure 2";

const RATE_HZ: std::ops::RangeInclusive<f64> = 100.0..=4000.0;
const DURATION_S_MIN: f64 = 2.5;

/// Measures the rhythm group of a recording.
pub fn measure(recording: &Recording) -> Measurements {
    let signal = &recording.rhythm;
    let rate_hz = signal.rate.hz();
    let mut channels = channels(signal);
    let len = channels.first().map_or(0, |c| c.samples_uv.len());
    if !RATE_HZ.contains(&rate_hz) || (len as f64) < DURATION_S_MIN * rate_hz {
        return absent(MissingReason::OutOfScope, &channels, rate_hz);
    }
    match Strip::find(&mut channels, rate_hz) {
        Ok(strip) => strip.measure(&channels),
        Err(reason) => absent(reason, &channels, rate_hz),
    }
}

/// Everything missing for one reason.
pub(crate) fn absent(reason: MissingReason, channels: &[Channel], rate_hz: f64) -> Measurements {
    let missing = Measured::Missing(reason);
    Measurements {
        version: MEASURE_VERSION.to_owned(),
        heart_rate_bpm: missing,
        rr_ms: missing,
        p_ms: missing,
        pr_ms: missing,
        qrs_ms: missing,
        qt_ms: missing,
        qtc_ms: QtFormula::ALL.into_iter().map(|formula| (formula, missing)).collect(),
        axis_deg: Axes { p: missing, qrs: missing, t: missing },
        st_uv: st_leads(channels).into_iter().map(|lead| (lead, missing)).collect(),
        rhythm: Rhythm::Undetermined,
        paced: false,
        r_peaks: Vec::new(),
        beats_used: Vec::new(),
        fiducials: Fiducials::default(),
        quality: quality::without_beats(channels, rate_hz),
        waves: lead_wave::absent(reason, channels),
        rhythm_report: None,
    }
}

/// The twelve standard leads and whatever else was recorded.
pub(crate) fn st_leads(channels: &[Channel]) -> Vec<Lead> {
    let mut leads = Lead::TWELVE.to_vec();
    leads.extend(channels.iter().map(|c| c.lead).filter(|lead| !Lead::TWELVE.contains(lead)));
    leads
}
