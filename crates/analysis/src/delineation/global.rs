//! One set of boundaries for all leads of a beat.
//!
//! A wave begins where it begins in the earliest lead and ends where it ends in the latest (CSE
//! working party, Eur Heart J 1985;6:815). The most extreme lead is passed over as it may be wrong:
//! with twelve leads the second earliest and the second latest count.

use crate::delineation::cascade::{Board, Edge, Wave as Kind, rank};
use crate::delineation::peak::Sheet;
use crate::delineation::{Wave, Waves};

/// Share of the leads that must have a wave.
const SHARE_MIN: f64 = 0.45;

pub(crate) struct Summary<'a> {
    board: &'a Board<'a>,
    beat: usize,
}

impl<'a> Summary<'a> {
    pub fn of(board: &'a Board, beat: usize) -> Self {
        Self { board, beat }
    }

    pub fn waves(&self, sheet: &Sheet, leads: &[Waves]) -> Waves {
        let wave = |kind: Kind| self.wave(sheet, leads, kind);
        Waves { p: wave(Kind::P), qrs: wave(Kind::Qrs), t: wave(Kind::T) }
    }

    fn wave(&self, sheet: &Sheet, leads: &[Waves], kind: Kind) -> Option<Wave> {
        let [onset, offset] = self.edges_ms(kind)?;
        let of = |waves: &Waves| match kind {
            Kind::P => waves.p,
            Kind::Qrs => waves.qrs,
            Kind::T => waves.t,
        };
        let mut peaks: Vec<u32> = leads.iter().filter_map(of).map(|wave| wave.peak).collect();
        peaks.sort_unstable();
        let peak = *peaks.get(peaks.len() / 2)?;
        let place = &self.board.scene.beats[self.beat];
        let mut wave = sheet.sampled(place, [onset, onset, offset])?;
        wave.peak = peak.clamp(wave.onset, wave.offset);
        Some(wave)
    }

    /// Onset and offset, ms after the reference point.
    pub fn edges_ms(&self, kind: Kind) -> Option<[f64; 2]> {
        let count = self.board.scene.leads.len();
        let with: Vec<usize> =
            (0..count).filter(|&lead| self.board.at(self.beat, lead).present(kind)).collect();
        if with.is_empty() || (with.len() as f64) < SHARE_MIN * count as f64 {
            return None;
        }
        let sorted = |edge: Edge| {
            let mut places: Vec<f32> =
                with.iter().map(|&lead| self.board.at(self.beat, lead).get(edge)).collect();
            places.sort_unstable_by(f32::total_cmp);
            places
        };
        let [onset, offset] = kind.edges().map(sorted);
        let second = if with.len() > 2 { 1.0 / 11.0 } else { 0.0 };
        Some([f64::from(rank(&onset, second)), f64::from(rank(&offset, 1.0 - second))])
    }
}
