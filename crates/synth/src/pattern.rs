//! Ready-made hearts for the demo: each a spec with light noise, as a resting ECG has.

use precordia_model::{Filters, Lead};

use crate::{FrontalSt, Noise, Pacing, QrsShape, Spec, SynthRhythm};

macro_rules! patterns {
    ($($variant:ident = $name:literal, $says:literal;)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Pattern { $($variant),+ }

        impl Pattern {
            pub const ALL: &'static [Pattern] = &[$(Pattern::$variant),+];

            /// Stable name for command lines and file names.
            pub const fn name(self) -> &'static str {
                match self { $(Pattern::$variant => $name),+ }
            }

            /// What the synthesizer, as a device, says of it.
            pub const fn statement(self) -> &'static str {
                match self { $(Pattern::$variant => $says),+ }
            }
        }
    };
}

patterns! {
    SinusRhythm = "sinus-rhythm", "Sinus rhythm";
    SinusBradycardia = "sinus-bradycardia", "Sinus bradycardia";
    SinusTachycardia = "sinus-tachycardia", "Sinus tachycardia";
    AtrialFibrillation = "atrial-fibrillation", "Atrial fibrillation";
    Paced = "paced", "Ventricular pacing";
    DualChamberPaced = "dual-chamber-paced", "Dual chamber pacing";
    VentricularEctopy = "ventricular-ectopy", "Sinus rhythm with ventricular premature beats";
    FirstDegreeBlock = "first-degree-block", "First degree AV block";
    LongQt = "long-qt", "Long QT interval";
    AnteriorStElevation = "anterior-st-elevation", "ST elevation, anterior leads";
    InferiorStElevation = "inferior-st-elevation", "ST elevation, inferior leads";
    StDepression = "st-depression", "ST depression, lateral leads";
    LeftAxis = "left-axis", "Left axis deviation";
    RightAxis = "right-axis", "Right axis deviation";
    ExtremeAxis = "extreme-axis", "Extreme axis deviation";
    LeftBundleBranchBlock = "left-bundle-branch-block", "Left bundle branch block";
    RightBundleBranchBlock = "right-bundle-branch-block", "Right bundle branch block";
    JunctionalRhythm = "junctional-rhythm", "Junctional rhythm";
    Noisy = "noisy", "Sinus rhythm, poor signal quality";
}

impl Pattern {
    pub fn parse(name: &str) -> Option<Pattern> {
        Self::ALL.iter().copied().find(|pattern| pattern.name() == name)
    }
}

impl Spec {
    /// A preset of the demo. The seed differs by pattern, so two patterns never share their noise.
    pub fn pattern(pattern: Pattern) -> Self {
        let heart = heart(pattern);
        let quiet = Noise { wander_uv: 25.0, mains_uv: 3.0, mains_hz: 50.0, muscle_uv: 5.0 };
        let noise = if pattern == Pattern::Noisy { heart.noise } else { quiet };
        Spec {
            noise,
            seed: 1000 + pattern as u64,
            filters: Filters { low_hz: Some(0.05), high_hz: Some(150.0), notch_hz: None },
            device_says: Some(vec![pattern.statement().to_owned()]),
            ..heart
        }
    }
}

fn heart(pattern: Pattern) -> Spec {
    let st = |levels: &[(Lead, f64)]| levels.iter().copied().collect();
    let normal = Spec::default();
    match pattern {
        Pattern::SinusRhythm => Spec { rate_bpm: 72.0, ..normal },
        Pattern::SinusBradycardia => Spec::at_rate(44.0),
        Pattern::SinusTachycardia => Spec::at_rate(128.0),
        Pattern::AtrialFibrillation => {
            let rhythm = SynthRhythm::AtrialFibrillation { f_wave_uv: 60.0 };
            Spec { rate_bpm: 92.0, rhythm, qt_ms: 340.0, ..normal }
        }
        Pattern::Paced => Spec {
            rhythm: SynthRhythm::NoAtria,
            pacing: Pacing::Ventricular { spike_uv: 2500.0 },
            rate_bpm: 70.0,
            ..wide()
        },
        Pattern::DualChamberPaced => Spec {
            pacing: Pacing::DualChamber { spike_uv: 2000.0 },
            rate_bpm: 65.0,
            pr_ms: 180.0,
            ..wide()
        },
        Pattern::VentricularEctopy => Spec {
            rate_bpm: 78.0,
            rhythm: SynthRhythm::SinusWithEctopy { every: 5 },
            qt_ms: 370.0,
            ..normal
        },
        Pattern::FirstDegreeBlock => Spec { rate_bpm: 62.0, pr_ms: 260.0, ..normal },
        Pattern::LongQt => Spec { rate_bpm: 64.0, qt_ms: 510.0, t_ms: Some(220.0), ..normal },
        Pattern::AnteriorStElevation => Spec {
            rate_bpm: 88.0,
            qt_ms: 360.0,
            st_frontal: Some(FrontalSt { magnitude_uv: 60.0, axis_deg: -30.0 }),
            st_uv: st(&[
                (Lead::V1, 150.0),
                (Lead::V2, 350.0),
                (Lead::V3, 420.0),
                (Lead::V4, 300.0),
                (Lead::V5, 120.0),
                (Lead::V6, 40.0),
            ]),
            ..normal
        },
        Pattern::InferiorStElevation => Spec {
            rate_bpm: 58.0,
            qt_ms: 400.0,
            st_frontal: Some(FrontalSt { magnitude_uv: 240.0, axis_deg: 100.0 }),
            st_uv: st(&[(Lead::V1, -40.0), (Lead::V2, -90.0), (Lead::V3, -60.0)]),
            ..normal
        },
        Pattern::StDepression => Spec {
            rate_bpm: 95.0,
            qt_ms: 350.0,
            st_frontal: Some(FrontalSt { magnitude_uv: 80.0, axis_deg: -150.0 }),
            st_uv: st(&[
                (Lead::V3, -60.0),
                (Lead::V4, -130.0),
                (Lead::V5, -150.0),
                (Lead::V6, -110.0),
            ]),
            ..normal
        },
        Pattern::LeftAxis => Spec { rate_bpm: 68.0, qrs_axis_deg: -52.0, ..normal },
        Pattern::RightAxis => Spec { rate_bpm: 74.0, qrs_axis_deg: 118.0, ..normal },
        Pattern::ExtremeAxis => {
            Spec { rate_bpm: 81.0, qrs_axis_deg: -128.0, qt_ms: 370.0, ..normal }
        }
        Pattern::LeftBundleBranchBlock => {
            Spec { rate_bpm: 66.0, qrs_axis_deg: -18.0, t_axis_deg: 155.0, ..wide() }
        }
        Pattern::RightBundleBranchBlock => Spec {
            rate_bpm: 71.0,
            qrs_shape: QrsShape::RightBundleBranchBlock,
            qrs_ms: 140.0,
            qt_ms: 410.0,
            qrs_axis_deg: 30.0,
            ..normal
        },
        Pattern::JunctionalRhythm => {
            Spec { rate_bpm: 52.0, rhythm: SynthRhythm::NoAtria, qt_ms: 410.0, ..normal }
        }
        Pattern::Noisy => Spec {
            rate_bpm: 76.0,
            noise: Noise { wander_uv: 350.0, mains_uv: 60.0, mains_hz: 50.0, muscle_uv: 45.0 },
            ..normal
        },
    }
}

/// A heart whose left side is late.
fn wide() -> Spec {
    Spec {
        qrs_shape: QrsShape::LeftBundleBranchBlock,
        qrs_ms: 160.0,
        qt_ms: 430.0,
        qrs_axis_deg: -65.0,
        t_axis_deg: 110.0,
        ..Spec::default()
    }
}
