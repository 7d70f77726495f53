//! Atrial fibrillation and flutter: a logistic model of four numbers.

use precordia_model::AtrialEvidence;

use crate::channel::Channel;
use crate::rhythm::atrial::{QrsSpan, p_agreement, repetition};
use crate::rhythm::irregular::Irregularity;

/// Fewer intervals leave the question open.
const INTERVALS_MIN: usize = 5;

/// What the atria are judged from, in one recording or window.
pub(crate) struct Atria<'a> {
    pub channels: &'a [&'a Channel<'a>],
    pub rate_hz: f64,
    /// All beats, and those of the usual shape; samples.
    pub beats: &'a [usize],
    pub usual: &'a [usize],
    /// Runs of intervals, seconds.
    pub runs: &'a [Vec<f64>],
    pub qrs: QrsSpan,
}

impl Atria<'_> {
    pub fn evidence(&self) -> Option<AtrialEvidence> {
        let irregular = Irregularity::of(self.runs);
        if irregular.intervals < INTERVALS_MIN {
            return None;
        }
        let (repetition, repetition_s) =
            repetition(self.channels, self.beats, self.qrs, self.rate_hz, irregular.usual_s);
        let mut evidence = AtrialEvidence {
            intervals: irregular.intervals as u32,
            change: irregular.change,
            entropy: irregular.entropy,
            p_agreement: p_agreement(self.channels, self.usual, self.qrs, self.rate_hz),
            repetition,
            repetition_ms: 1000.0 * repetition_s,
            probability: 0.0,
            fibrillation_or_flutter: false,
            flutter: false,
        };
        evidence.probability = probability(&evidence);
        evidence.fibrillation_or_flutter = evidence.probability >= LIMIT;
        evidence.flutter = evidence.fibrillation_or_flutter && repetition >= FLUTTER;
        Some(evidence)
    }
}

/// Probability from which it is said: near where sensitivity and specificity together are best on
/// the development recordings.
pub const LIMIT: f64 = 0.25;
/// Repetition of the atrial waves from which it is flutter.
const FLUTTER: f64 = 0.40;

/// The model: a feature's range, beyond which more says nothing more, and its weight. Fitted by
/// `cargo run --release -p precordia-analysis --example rhythm -- fit`, which prints this table; the
/// recordings and the cross-validation are in `docs/accuracy/rhythm.md`.
const INTERCEPT: f64 = 2.087;
const MODEL: [(Feature, [f64; 2], f64); 4] = [
    (Feature::Entropy, [-2.8, 0.0], 1.496),
    (Feature::LogChange, [-4.6, 0.0], 0.178),
    (Feature::PAgreement, [-0.2, 0.95], -4.561),
    (Feature::Repetition, [0.0, 0.5], 8.756),
];

#[derive(Clone, Copy)]
enum Feature {
    Entropy,
    /// Natural logarithm of the change and a hundredth, so that none is not infinitely far away.
    LogChange,
    PAgreement,
    Repetition,
}

/// The model's features, in its order, held in their ranges.
pub fn features(evidence: &AtrialEvidence) -> [f64; 4] {
    MODEL.map(|(feature, [low, high], _)| {
        let value = match feature {
            Feature::Entropy => evidence.entropy,
            Feature::LogChange => (0.01 + evidence.change).ln(),
            Feature::PAgreement => evidence.p_agreement,
            Feature::Repetition => evidence.repetition,
        };
        value.clamp(low, high)
    })
}

fn probability(evidence: &AtrialEvidence) -> f64 {
    let sum: f64 = MODEL.iter().zip(features(evidence)).map(|((_, _, w), x)| w * x).sum();
    1.0 / (1.0 + (-(INTERCEPT + sum)).exp())
}
