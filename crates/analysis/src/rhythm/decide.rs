//! The one name of a recording's rhythm.
//!
//! Sinus: a P wave that the beats carry, at a steady PR. Atrial fibrillation and flutter: as the
//! model of [`crate::rhythm::fibrillation`] says, in a recording quiet enough to see the atria.
//! Else undetermined. Flutter with a fixed ratio and ectopic atrial rhythms can look like sinus to
//! this.

use precordia_model::{AtrialEvidence, Rhythm};

pub(crate) struct Signs<'a> {
    pub paced: bool,
    pub p_wave: bool,
    pub atria: Option<&'a AtrialEvidence>,
}

pub(crate) fn rhythm(signs: &Signs) -> Rhythm {
    match signs.atria {
        _ if signs.paced => Rhythm::Paced,
        Some(atria) if atria.flutter => Rhythm::AtrialFlutter,
        Some(atria) if atria.fibrillation_or_flutter => Rhythm::AtrialFibrillation,
        _ if signs.p_wave => Rhythm::Sinus,
        _ => Rhythm::Undetermined,
    }
}
