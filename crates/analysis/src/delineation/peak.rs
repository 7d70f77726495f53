//! From marks to waves: the peak within its boundaries, and times as samples of the recording.

use crate::delineation::cascade::{Board, Wave as Kind};
use crate::delineation::curve::STEP_MS;
use crate::delineation::scene::SceneBeat;
use crate::delineation::{Wave, Waves};

/// More missing samples than this within a wave or beside it, and it is not marked.
const MISSING_MS_MAX: f64 = 24.0;
/// An upright QRS has an R peak of this share of its greatest depth.
const R_SHARE: f32 = 0.5;

pub(crate) struct Sheet<'a> {
    pub board: &'a Board<'a>,
    /// Last sample of the recording.
    pub last: f64,
}

impl Sheet<'_> {
    pub fn waves(&self, beat: usize, lead: usize) -> Waves {
        let wave = |kind: Kind| self.wave(beat, lead, kind);
        Waves { p: wave(Kind::P), qrs: wave(Kind::Qrs), t: wave(Kind::T) }
    }

    fn wave(&self, beat: usize, lead: usize, kind: Kind) -> Option<Wave> {
        let marks = self.board.at(beat, lead);
        let [onset, offset] = kind.edges().map(|edge| f64::from(marks.get(edge)));
        if !marks.present(kind) {
            return None;
        }
        let place = &self.board.scene.beats[beat];
        let lead = &self.board.scene.leads[lead];
        let column = |ms: f64| place.at + ms / STEP_MS;
        let missing = lead.gaps.missing(column(onset - 10.0), column(offset + 10.0));
        if missing * STEP_MS > MISSING_MS_MAX {
            return None;
        }
        let peak = peak_ms(&lead.curve.uv, place, kind, onset, offset);
        self.sampled(place, [onset, peak, offset])
    }

    /// `None` where a wave would leave the recording.
    pub fn sampled(&self, place: &SceneBeat, ms: [f64; 3]) -> Option<Wave> {
        let base = self.board.scene.base;
        let [onset, peak, offset] = ms.map(|ms| base.recorded(place.at + ms / STEP_MS).round());
        let inside = onset >= 0.0 && offset <= self.last && onset <= peak && peak <= offset;
        inside.then_some(Wave { onset: onset as u32, peak: peak as u32, offset: offset as u32 })
    }
}

/// R where there is one, else the greatest depth; of P and T the greatest distance from the line
/// between onset and offset.
fn peak_ms(uv: &[f32], place: &SceneBeat, kind: Kind, onset_ms: f64, offset_ms: f64) -> f64 {
    let column =
        |ms: f64| (place.at + ms / STEP_MS).round().clamp(0.0, (uv.len() - 1) as f64) as usize;
    let (from, to) = (column(onset_ms), column(offset_ms));
    let (a, b) = (uv[from], uv[to]);
    let rise = (b - a) / (to - from).max(1) as f32;
    let half = if kind == Kind::Qrs { 0 } else { 4 };
    let height = |k: usize| {
        let part = &uv[k.saturating_sub(half)..(k + half + 1).min(uv.len())];
        let level = if kind == Kind::Qrs { a } else { a + rise * (k - from) as f32 };
        part.iter().sum::<f32>() / part.len() as f32 - level
    };
    let (mut top, mut low) = ((from, 0.0_f32), (from, 0.0_f32));
    for k in from..=to {
        let h = height(k);
        top = if h > top.1 { (k, h) } else { top };
        low = if h < low.1 { (k, h) } else { low };
    }
    let share = if kind == Kind::Qrs { R_SHARE } else { 1.0 };
    let peak = if top.1 >= -share * low.1 { top.0 } else { low.0 };
    ((peak as f64 - place.at) * STEP_MS).clamp(onset_ms, offset_ms)
}
