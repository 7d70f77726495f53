//! P, QRS and T of every beat, in every lead and globally.
//!
//! Beats are found on all leads at once and laid on each other (`scene`); small networks, fitted to
//! the marks of experts, place each boundary twice: from a wide view and from a close one
//! (`cascade`); the leads' boundaries make the global ones (`global`). `docs/accuracy.md` tells
//! how well, and `training` (a feature of its own) makes the weights.
//!
//! Not marked: U waves, P waves that no QRS follows within half a second, flutter and fibrillation
//! waves. A lead that is flat has no waves; a wave that lies in a gap is absent.

mod cascade;
mod curve;
mod feature;
mod global;
mod network;
mod peak;
mod scene;
#[cfg(feature = "training")]
pub mod training;

use std::sync::OnceLock;

use precordia_model::{Lead, Signal};

use crate::average::Average;
use crate::channel::{Channel, channels};
use crate::pacing;
use cascade::{Board, Networks};
use scene::Scene;

const RATE_HZ: std::ops::RangeInclusive<f64> = 100.0..=4000.0;

/// One wave, in samples of the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wave {
    pub onset: u32,
    pub peak: u32,
    pub offset: u32,
}

/// The waves of one beat; one that is not there is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waves {
    pub p: Option<Wave>,
    pub qrs: Option<Wave>,
    pub t: Option<Wave>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelineatedBeat {
    /// All leads together.
    pub global: Waves,
    /// In the order of [`Delineation::leads`].
    pub leads: Vec<Waves>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delineation {
    /// Those in which waves were looked for: a lead that is flat is not among them.
    pub leads: Vec<Lead>,
    /// In the order of time.
    pub beats: Vec<DelineatedBeat>,
}

/// Finds and marks every wave of a signal.
pub fn delineate(signal: &Signal) -> Delineation {
    delineate_with(signal, networks())
}

fn delineate_with(signal: &Signal, networks: &Networks) -> Delineation {
    let rate_hz = signal.rate.hz();
    if !RATE_HZ.contains(&rate_hz) {
        return Delineation::default();
    }
    let mut channels = channels(signal);
    let spikes = pacing::spikes(&channels, rate_hz);
    if !spikes.is_empty() {
        pacing::bridge(&mut channels, &spikes, rate_hz);
    }
    let Some(scene) = Scene::of(&channels, rate_hz) else { return Delineation::default() };
    let mut board = Board::new(&scene);
    board.fill(networks);
    read_off(&board, &channels, networks)
}

fn read_off(board: &Board, channels: &[Channel], networks: &Networks) -> Delineation {
    let scene = board.scene;
    let samples = channels.first().map_or(0, |c| c.samples_uv.len());
    let sheet = peak::Sheet { board, last: samples.saturating_sub(1) as f64 };
    let beats = (0..scene.beats.len())
        .map(|beat| {
            let leads: Vec<Waves> =
                (0..scene.leads.len()).map(|lead| sheet.waves(beat, lead)).collect();
            DelineatedBeat { global: global::waves(board, beat, &sheet, &leads, networks), leads }
        })
        .collect();
    Delineation { leads: scene.leads.iter().map(|l| channels[l.channel].lead).collect(), beats }
}

/// Global boundaries on a representative beat, in its columns.
pub(crate) struct Representative {
    pub p: Option<[f64; 2]>,
    pub qrs: Option<[f64; 2]>,
    pub t: Option<[f64; 2]>,
}

/// Marks the representative beat as any other, every lead of it and then all together.
pub(crate) fn representative(average: &Average, rr_ms: f64, counts: &[bool]) -> Representative {
    let networks = networks();
    let scene = Scene::of_average(average, rr_ms, counts);
    let mut board = Board::new(&scene);
    board.fill(networks);
    let edges = |kind: cascade::Wave| {
        let ms = global::edges_ms(&board, 0, kind, networks)?;
        Some(ms.map(|ms| average.zero as f64 + ms * average.rate_hz / 1000.0))
    };
    use cascade::Wave as Kind;
    Representative { p: edges(Kind::P), qrs: edges(Kind::Qrs), t: edges(Kind::T) }
}

/// The weights that come with the crate.
fn networks() -> &'static Networks {
    static NETWORKS: OnceLock<Networks> = OnceLock::new();
    NETWORKS.get_or_init(|| {
        network::read(include_bytes!("weights.bin"))
            .and_then(|list| Networks::from_list(&list))
            .expect("the weights were written by this crate")
    })
}
