//! Makes the weights from recordings whose waves experts have marked. Not part of the product.

mod fit;
mod labels;
mod sum;

use precordia_model::Signal;

use crate::channel::channels;
use crate::delineation::cascade::{
    Board, Edge, Networks, WIDE_OUTPUTS, Wave, close_inputs, wide_inputs,
};
use crate::delineation::network::{self, Network};
use crate::delineation::scene::Scene;
use crate::delineation::{Delineation, delineate_with};
use crate::pacing;
use fit::{Course, Random, train};
use labels::Labels;

pub use labels::{Mark, MarkedWave};

/// A recording and what experts marked in it.
pub struct Case {
    pub signal: Signal,
    pub marks: Vec<Mark>,
}

/// Trained networks.
pub struct Weights(Networks);

impl Weights {
    pub fn to_bytes(&self, words: &str) -> Vec<u8> {
        let all: Vec<Network> =
            self.0.wide.iter().chain(&self.0.close).chain(&self.0.global).cloned().collect();
        network::write(words, &all)
    }

    pub fn delineate(&self, signal: &Signal) -> Delineation {
        delineate_with(signal, &self.0)
    }
}

/// A scene and its labels.
struct Study {
    scene: Scene,
    labels: Labels,
}

impl Study {
    fn of(case: &Case, traces: &[usize]) -> Option<Self> {
        let signal = Signal {
            rate: case.signal.rate,
            traces: traces.iter().map(|&t| case.signal.traces[t].clone()).collect(),
        };
        let rate_hz = signal.rate.hz();
        let mut channels = channels(&signal);
        let spikes = pacing::spikes(&channels, rate_hz);
        if !spikes.is_empty() {
            pacing::bridge(&mut channels, &spikes, rate_hz);
        }
        let scene = Scene::of(&channels, rate_hz)?;
        let labels = Labels::of(&scene, &case.marks, traces);
        Some(Self { scene, labels })
    }
}

/// Every recording with all its leads, and some pairs and single leads of it, so that few leads are
/// no surprise.
fn studies(cases: &[&Case], random: &mut Random) -> Vec<Study> {
    let mut out = Vec::new();
    for case in cases {
        let count = case.signal.traces.len();
        let all: Vec<usize> = (0..count).collect();
        out.extend(Study::of(case, &all));
        for pair in 0..4 {
            let first = random.below(count);
            let second = (first + 1 + random.below(count - 1)) % count;
            let few =
                if pair < 3 { vec![first.min(second), first.max(second)] } else { vec![first] };
            out.extend(Study::of(case, &few));
        }
    }
    out
}

/// Trains all networks. The same cases and seed give the same weights.
pub fn fit(cases: &[&Case], seed: u64) -> Weights {
    let mut random = Random::new(seed);
    let studies = studies(cases, &mut random);
    let mut boards: Vec<Board> = studies.iter().map(|study| Board::new(&study.scene)).collect();
    let mut wide: Vec<Option<Network>> = vec![None; 3];
    let mut close: Vec<Option<Network>> = vec![None; 6];
    for wave in [Wave::Qrs, Wave::P, Wave::T] {
        let course = Course {
            inputs: wide_inputs(wave),
            outputs: WIDE_OUTPUTS,
            hidden: [32, 16],
            epochs: 24,
        };
        let network = train(&course, &fit::wide_items(&studies, &boards, wave), &mut random);
        boards.iter_mut().for_each(|board| board.wide(wave, &network));
        wide[wave as usize] = Some(network);
        for edge in wave.edges() {
            let course =
                Course { inputs: close_inputs(edge), outputs: 1, hidden: [24, 12], epochs: 24 };
            let network = train(&course, &fit::close_items(&studies, &boards, edge), &mut random);
            close[edge as usize] = Some(network);
        }
        let pair =
            wave.edges().map(|edge: Edge| close[edge as usize].clone().expect("just trained"));
        boards.iter_mut().for_each(|board| board.close(wave, &[&pair[0], &pair[1]]));
    }
    let global = Edge::ALL.map(|edge| sum::fit(&studies, &boards, edge));
    let list: Vec<Network> = wide.into_iter().chain(close).flatten().chain(global).collect();
    Weights(Networks::from_list(&list).expect("all networks are trained"))
}
