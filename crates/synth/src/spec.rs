//! What to draw.

use std::collections::BTreeMap;

use precordia_model::{DeviceTime, Filters, Lead, ZoneKnowledge};

use crate::Person;

/// The atria and what they do to the ventricles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SynthRhythm {
    /// A P wave before each QRS at a constant PR; constant RR.
    Sinus,
    /// As sinus, and each `every`-th beat comes early from the ventricle, followed by a full
    /// compensatory pause. Fewer than two means none.
    SinusWithEctopy { every: u32 },
    /// No P waves, irregular RR with the exact mean, a fibrillating baseline of this amplitude.
    AtrialFibrillation { f_wave_uv: f64 },
    /// As sinus, and after each `conducted` beats one P wave is not followed by a QRS, at an
    /// unchanged PR (second degree, Mobitz II; 1 is a 2:1 block). The rate is that of the atria.
    SecondDegreeBlock { conducted: u32 },
    /// As sinus, and after each `beats` beats one is missing altogether. The rate is that between
    /// the pauses.
    SinusPauses { beats: u32 },
    /// Regular saw teeth, `waves` to each QRS, largest in the inferior leads; constant RR.
    AtrialFlutter { wave_uv: f64, waves: u32 },
    /// No P waves, constant RR: junctional, or ventricular when wide or paced.
    NoAtria,
}

/// Pacing spikes, one to two milliseconds wide and at least one sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pacing {
    None,
    /// A spike shortly before each QRS.
    Ventricular {
        spike_uv: f64,
    },
    /// Spikes shortly before each P wave and each QRS.
    DualChamber {
        spike_uv: f64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QrsShape {
    Normal,
    LeftBundleBranchBlock,
    RightBundleBranchBlock,
}

/// ST shift as a vector of the frontal plane; the limb leads see its projections, so Einthoven's
/// law holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrontalSt {
    pub magnitude_uv: f64,
    pub axis_deg: f64,
}

/// Artefacts, added to leads I, II and each chest lead; III and the augmented leads follow from I
/// and II, as they do in a device.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Noise {
    /// Peak of the slow movement of the baseline (0.15 to 0.35 Hz).
    pub wander_uv: f64,
    /// Peak of the mains hum.
    pub mains_uv: f64,
    pub mains_hz: f64,
    /// Root mean square of the muscle noise.
    pub muscle_uv: f64,
}

/// An ECG to be drawn. `Spec::default()` is a normal sinus rhythm, twelve leads, 500 Hz, 10 s,
/// without noise.
///
/// Values outside what can be drawn are bent to the nearest that can; the truth always says what
/// was drawn. Any values are accepted and none can make [`crate::synthesize`] fail.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Ventricular rate, 15 to 300 /min; the mean is exact, also for fractions.
    pub rate_bpm: f64,
    pub rhythm: SynthRhythm,
    /// Duration of the P wave; it ends at least 10 ms before the QRS onset.
    pub p_ms: f64,
    /// P onset to QRS onset.
    pub pr_ms: f64,
    pub qrs_ms: f64,
    /// QRS onset to T end.
    pub qt_ms: f64,
    /// Duration of the T wave; `None` is 45% of the QT interval.
    pub t_ms: Option<f64>,
    /// Magnitudes of the frontal vectors at their peaks; the chest leads scale with them.
    pub p_uv: f64,
    pub qrs_uv: f64,
    pub t_uv: f64,
    pub p_axis_deg: f64,
    pub qrs_axis_deg: f64,
    pub t_axis_deg: f64,
    pub qrs_shape: QrsShape,
    /// Frontal ST shift; the chest leads do not see it.
    pub st_frontal: Option<FrontalSt>,
    /// ST shift of single leads; takes the place of the frontal projection, also where that breaks
    /// Einthoven's law.
    pub st_uv: BTreeMap<Lead, f64>,
    pub noise: Noise,
    pub pacing: Pacing,
    /// 50 to 32,000 Hz.
    pub sampling_hz: f64,
    /// At most 3,600 s.
    pub duration_s: f64,
    pub seed: u64,
    pub leads: Vec<Lead>,
    /// Every sample is a whole multiple of this step, at most 32,767 of them either side of zero,
    /// so that 16-bit formats carry the recording exactly.
    pub lsb_uv: f64,
    pub person: Person,
    pub acquired_at: Option<DeviceTime>,
    pub device_serial: String,
    /// What the device declares; nothing is filtered.
    pub filters: Filters,
    /// What the device says about the recording. With `Some`, the true values are added as the
    /// device's own measurements too.
    pub device_says: Option<Vec<String>>,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            rate_bpm: 70.0,
            rhythm: SynthRhythm::Sinus,
            p_ms: 100.0,
            pr_ms: 160.0,
            qrs_ms: 90.0,
            qt_ms: 380.0,
            t_ms: None,
            p_uv: 130.0,
            qrs_uv: 1150.0,
            t_uv: 320.0,
            p_axis_deg: 55.0,
            qrs_axis_deg: 45.0,
            t_axis_deg: 40.0,
            qrs_shape: QrsShape::Normal,
            st_frontal: None,
            st_uv: BTreeMap::new(),
            noise: Noise::default(),
            pacing: Pacing::None,
            sampling_hz: 500.0,
            duration_s: 10.0,
            seed: 1,
            leads: Lead::TWELVE.to_vec(),
            lsb_uv: 1.0,
            person: Person::demo(0),
            acquired_at: Some(device_time(2026, 3, 2, 9, 15, 0, Some(60))),
            device_serial: String::from("SYN-0001"),
            filters: Filters::default(),
            device_says: None,
        }
    }
}

impl Spec {
    /// The default heart at another rate, with intervals that shorten as they do in people, so
    /// that P and T never touch between 20 and 160 /min.
    pub fn at_rate(rate_bpm: f64) -> Self {
        let normal = Self::default();
        let rr_ms = 60_000.0 / clamp(rate_bpm, 15.0, 300.0, normal.rate_bpm);
        let pr_ms = if rr_ms < 550.0 { 120.0 } else { 160.0 };
        let p_ms = if rr_ms < 550.0 { 80.0 } else { 100.0 };
        let qt_ms = (390.0 * (rr_ms / 1000.0).cbrt()).min(rr_ms - pr_ms - 15.0).round();
        Self { rate_bpm, pr_ms, p_ms, qt_ms, ..normal }
    }

    /// The nearest spec that can be drawn: finite, in range, and free of contradictions.
    pub(crate) fn drawable(&self) -> Self {
        let normal = Self::default();
        let mut spec = self.clone();
        spec.rate_bpm = clamp(self.rate_bpm, 15.0, 300.0, normal.rate_bpm);
        let rr_ms = 60_000.0 / spec.rate_bpm;
        spec.sampling_hz = clamp(self.sampling_hz, 50.0, 32_000.0, normal.sampling_hz);
        spec.duration_s = clamp(self.duration_s, 0.0, 3600.0, normal.duration_s);

        // Each limit depends only on those before it: QRS, then QT, then PR and P.
        let shortest_rr = match self.rhythm {
            SynthRhythm::AtrialFibrillation { .. } => 0.65 * rr_ms,
            _ => rr_ms,
        };
        spec.qrs_ms = clamp(self.qrs_ms, 20.0, (0.5 * shortest_rr).min(300.0), normal.qrs_ms);
        spec.qt_ms = clamp(
            self.qt_ms,
            spec.qrs_ms + 50.0,
            shortest_rr.max(spec.qrs_ms + 50.0),
            normal.qt_ms,
        );
        let t_room = spec.qt_ms - spec.qrs_ms - 10.0;
        spec.t_ms =
            Some(clamp(self.t_ms.unwrap_or(0.45 * spec.qt_ms), 20.0, t_room, 0.45 * spec.qt_ms));
        let pr_max = (rr_ms - spec.qrs_ms - 5.0).min(600.0);
        spec.pr_ms = clamp(self.pr_ms, 30.0, pr_max, normal.pr_ms);
        spec.p_ms = clamp(self.p_ms, 10.0, spec.pr_ms - 10.0, normal.p_ms);

        for (value, default) in [
            (&mut spec.p_uv, normal.p_uv),
            (&mut spec.qrs_uv, normal.qrs_uv),
            (&mut spec.t_uv, normal.t_uv),
        ] {
            *value = clamp(*value, 0.0, 20_000.0, default);
        }
        for angle in [&mut spec.p_axis_deg, &mut spec.qrs_axis_deg, &mut spec.t_axis_deg] {
            *angle = if angle.is_finite() { *angle } else { 0.0 };
        }
        if let Some(st) = &mut spec.st_frontal {
            st.magnitude_uv = clamp(st.magnitude_uv, -10_000.0, 10_000.0, 0.0);
            st.axis_deg = if st.axis_deg.is_finite() { st.axis_deg } else { 0.0 };
        }
        for level in spec.st_uv.values_mut() {
            *level = clamp(*level, -10_000.0, 10_000.0, 0.0);
        }
        for level in
            [&mut spec.noise.wander_uv, &mut spec.noise.mains_uv, &mut spec.noise.muscle_uv]
        {
            *level = clamp(*level, 0.0, 20_000.0, 0.0);
        }
        spec.noise.mains_hz = clamp(self.noise.mains_hz, 1.0, 1000.0, 50.0);
        spec.lsb_uv = clamp(self.lsb_uv, 0.001, 1000.0, normal.lsb_uv);
        spec
    }
}

fn clamp(value: f64, low: f64, high: f64, otherwise: f64) -> f64 {
    let value = if value.is_finite() { value } else { otherwise };
    value.max(low).min(high.max(low))
}

/// A device's clock reading as a DICOM date-time; the offset from UTC in minutes, if it knows one.
pub fn device_time(
    year: i16,
    month: i8,
    day: i8,
    hour: i8,
    minute: i8,
    second: i8,
    offset_minutes: Option<i16>,
) -> DeviceTime {
    let zone = offset_minutes.map_or(String::new(), |minutes| {
        let sign = if minutes < 0 { '-' } else { '+' };
        let minutes = minutes.unsigned_abs();
        format!("{sign}{:02}{:02}", minutes / 60, minutes % 60)
    });
    let known = |minutes| ZoneKnowledge::Offset { minutes };
    DeviceTime {
        as_written: format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}{zone}"),
        local: Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")),
        zone: offset_minutes.map_or(ZoneKnowledge::Unknown, known),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_time_means_the_same_in_both_its_texts() {
        let at = device_time(2026, 3, 2, 9, 15, 0, Some(-210));
        assert_eq!(at.as_written, "20260302091500-0330");
        assert_eq!(at.utc().map(|t| t.to_rfc3339()).as_deref(), Some("2026-03-02T12:45:00.000Z"));
        let at = device_time(2026, 3, 2, 9, 15, 0, None);
        assert_eq!((at.as_written.as_str(), at.utc()), ("20260302091500", None));
    }
}
