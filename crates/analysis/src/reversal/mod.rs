//! Were electrodes exchanged? Named when it is likely, never corrected: the recording stays as it is.
//!
//! An exchange of two electrodes is undone in thought, and the recording before and after is asked
//! the same questions: how well does each lead follow from the others, how alike are neighbors on
//! the chest, how tall are the waves, which way does the P wave point ([`features`])? The answers'
//! differences are weighed by a logistic model for each exchange ([`model`]), fitted on correct
//! recordings and their simulated exchanges ([`fit`]). The redundancy of the leads as the main
//! evidence: Kors and van Herpen, Am J Cardiol 2001;88:396.
//!
//! An exchange with the right leg puts the two electrodes of one limb lead on the legs, where they
//! see the same potential: that lead is then all but flat, which needs no model.
//!
//! Not told: an exchange of the legs, which changes nothing; electrodes one rib too high; more than
//! one exchange. Dextrocardia looks like an exchange of the arms.

mod features;
mod fit;
mod model;
mod segments;

use precordia_model::{Lead, Measurements, MissingReason, Rhythm, Signal};

pub use fit::{Fitted, fit};
pub use model::Model;
pub use segments::Segments;

use features::FeatureSet;

/// Two electrodes that may have been exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Swap {
    LeftArmRightArm,
    RightArmLeftLeg,
    LeftArmLeftLeg,
    V1V2,
    V2V3,
    V3V4,
    V4V5,
    V5V6,
    RightArmRightLeg,
    LeftArmRightLeg,
}

impl Swap {
    /// Those that a model tells apart; the others leave a flat lead.
    pub const MODELED: [Swap; 8] = [
        Swap::LeftArmRightArm,
        Swap::RightArmLeftLeg,
        Swap::LeftArmLeftLeg,
        Swap::V1V2,
        Swap::V2V3,
        Swap::V3V4,
        Swap::V4V5,
        Swap::V5V6,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Swap::LeftArmRightArm => "LA-RA",
            Swap::RightArmLeftLeg => "RA-LL",
            Swap::LeftArmLeftLeg => "LA-LL",
            Swap::V1V2 => "V1-V2",
            Swap::V2V3 => "V2-V3",
            Swap::V3V4 => "V3-V4",
            Swap::V4V5 => "V4-V5",
            Swap::V5V6 => "V5-V6",
            Swap::RightArmRightLeg => "RA-RL",
            Swap::LeftArmRightLeg => "LA-RL",
        }
    }
}

/// The likeliest exchange, if any is likely.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reversal {
    None,
    Suspected {
        swap: Swap,
        /// Log odds above the limit at which it is named; a flat lead has none.
        margin: Option<f64>,
    },
    NotEvaluated(MissingReason),
}

/// Share of the other limb leads' size under which a limb lead is flat.
const FLAT_SHARE_MAX: f64 = 0.1;
/// And its absolute size, root mean square over the QRS, microvolts.
const FLAT_UV_MAX: f64 = 40.0;

/// Looks for exchanged electrodes in a measured recording.
pub fn lead_reversal(signal: &Signal, measured: &Measurements) -> Reversal {
    if measured.rhythm == Rhythm::Paced {
        return Reversal::NotEvaluated(MissingReason::Paced);
    }
    let segments = match Segments::of(signal, measured) {
        Ok(segments) => segments,
        Err(reason) => return Reversal::NotEvaluated(reason),
    };
    if let Some(swap) = flat_limb_lead(&segments) {
        return Reversal::Suspected { swap, margin: None };
    }
    let model = Model::shipped();
    model
        .margins(&segments)
        .into_iter()
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .filter(|(_, margin)| *margin > 0.0)
        .map_or(Reversal::None, |(swap, margin)| Reversal::Suspected { swap, margin: Some(margin) })
}

/// With the right arm's electrode on the right leg lead II is flat, with the left arm's lead III.
fn flat_limb_lead(segments: &Segments) -> Option<Swap> {
    let [one, two, three] = segments.limb_sizes_uv();
    let flat = |size: f64, others: f64| size < FLAT_UV_MAX && size < FLAT_SHARE_MAX * others;
    if flat(two, one.max(three)) {
        Some(Swap::RightArmRightLeg)
    } else if flat(three, one.max(two)) {
        Some(Swap::LeftArmRightLeg)
    } else {
        None
    }
}

/// The independent leads, in the order of every table here.
const LEADS: [Lead; 8] =
    [Lead::I, Lead::II, Lead::V1, Lead::V2, Lead::V3, Lead::V4, Lead::V5, Lead::V6];
