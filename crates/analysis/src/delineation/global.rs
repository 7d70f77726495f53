//! One set of boundaries for all leads of a beat.
//!
//! A wave begins where it begins in the earliest lead and ends where it ends in the latest (CSE
//! working party, Eur Heart J 1985;6:815), the most extreme lead passed over as it may be wrong:
//! of twelve, the second earliest and the second latest. The extremes of twelve uncertain places
//! lie further out than the place of the extremes, so the boundary is a fixed sum of where the
//! leads stand to their middle; where they agree, or there is one, it is there.

use crate::delineation::cascade::{Board, Edge, Networks, Wave as Kind, rank};
use crate::delineation::network::{Desk, Network};
use crate::delineation::peak::Sheet;
use crate::delineation::{Wave, Waves};

/// Share of the leads that must have a wave.
const SHARE_MIN: f64 = 0.45;
/// Ranks of the leads, first to last, that are weighed.
const RANKS: [f32; 8] = [0.0, 1.0 / 11.0, 2.0 / 11.0, 0.3, 0.7, 9.0 / 11.0, 10.0 / 11.0, 1.0];
pub(crate) const NUMBERS: usize = RANKS.len();
/// Sums are in units of this.
pub(crate) const UNIT_MS: f32 = 20.0;

/// How the leads stand to their middle; nothing where there is one lead.
pub(crate) struct Standing {
    pub middle_ms: f32,
    pub numbers: [f32; NUMBERS],
}

impl Standing {
    pub fn of(board: &Board, beat: usize, edge: Edge) -> Option<Self> {
        let leads = board.scene.leads.len();
        let all = (0..leads).map(|lead| board.at(beat, lead));
        let mut places: Vec<f32> =
            all.filter(|m| m.present(edge.wave())).map(|m| m.get(edge)).collect();
        if places.is_empty() || (places.len() as f64) < SHARE_MIN * leads as f64 {
            return None;
        }
        places.sort_unstable_by(f32::total_cmp);
        let middle_ms = rank(&places, 0.5);
        let mut numbers = [0.0; NUMBERS];
        for (number, q) in numbers.iter_mut().zip(RANKS) {
            *number = ((rank(&places, q) - middle_ms) / UNIT_MS).clamp(-4.0, 4.0);
        }
        Some(Self { middle_ms, numbers })
    }

    fn at_ms(&self, network: &Network, desk: &mut Desk) -> f32 {
        self.middle_ms + UNIT_MS * network.apply(&self.numbers, desk)[0]
    }
}

/// Onset and offset of a wave of a beat, ms after the reference point.
pub(crate) fn edges_ms(
    board: &Board,
    beat: usize,
    kind: Kind,
    networks: &Networks,
) -> Option<[f64; 2]> {
    let mut desk = Desk::default();
    let [onset, offset] = kind.edges().map(|edge| {
        let standing = Standing::of(board, beat, edge)?;
        Some(f64::from(standing.at_ms(&networks.global[edge as usize], &mut desk)))
    });
    Some([onset?, offset?]).filter(|[onset, offset]| onset < offset)
}

pub(crate) fn waves(
    board: &Board,
    beat: usize,
    sheet: &Sheet,
    leads: &[Waves],
    networks: &Networks,
) -> Waves {
    let wave = |kind: Kind| {
        let [onset, offset] = edges_ms(board, beat, kind, networks)?;
        let of = |waves: &Waves| match kind {
            Kind::P => waves.p,
            Kind::Qrs => waves.qrs,
            Kind::T => waves.t,
        };
        let mut peaks: Vec<u32> = leads.iter().filter_map(of).map(|wave| wave.peak).collect();
        peaks.sort_unstable();
        let peak = *peaks.get(peaks.len() / 2)?;
        let mut wave: Wave = sheet.sampled(&board.scene.beats[beat], [onset, onset, offset])?;
        wave.peak = peak.clamp(wave.onset, wave.offset);
        Some(wave)
    };
    Waves { p: wave(Kind::P), qrs: wave(Kind::Qrs), t: wave(Kind::T) }
}
