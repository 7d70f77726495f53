//! Gradient descent (Adam, Kingma and Ba 2015) on examples that are bent a little each time.

use super::Study;
use crate::delineation::cascade::{
    Board, CLOSE_NUMBERS, CLOSE_UNIT_MS, Company, Edge, WIDE_NUMBERS, WIDE_UNIT_MS, Wave,
};
use crate::delineation::feature::{SIGNALS, Warp};
use crate::delineation::network::{Layer, Network, leaky, leaky_slope};

/// SplitMix64 (Steele, Lea and Flood 2014).
pub(super) struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

pub(super) struct Course {
    pub inputs: usize,
    pub outputs: usize,
    pub hidden: [usize; 2],
    pub epochs: usize,
}

/// What an example wants: a share for evidence, a number for a place, nothing where unknown.
#[derive(Clone, Copy)]
pub(super) enum Wanted {
    Nothing,
    Evidence(bool),
    Place(f32),
}

pub(super) type Example<'a> = Box<dyn Fn(&mut Random, &mut Vec<f32>, &mut Vec<Wanted>) + 'a>;

const GAIN_SPREAD: f64 = 0.18;
const NOISE_MAX: f64 = 0.08;
const TILT_SPREAD: f64 = 0.15;
const BATCH: usize = 32;
const RATE: f32 = 2.5e-3;
const DECAY: f32 = 2e-3;
/// Beyond this an error counts by its size, not its square.
const HUBER: f32 = 1.0;

fn warp(random: &mut Random, shift_ms: f64) -> Warp {
    Warp {
        shift_ms: shift_ms * random.normal(),
        stretch: 1.0 + 0.12 * (random.uniform() - 0.5),
        sign: if random.uniform() < 0.5 { -1.0 } else { 1.0 },
    }
}

/// Other gains, noise and a tilt that the experts' recordings do not have: a network that has seen
/// them does not rest on the size of one device's waves.
fn disturb(random: &mut Random, input: &mut [f32], bins: usize, sizes: std::ops::Range<usize>) {
    let gain = (GAIN_SPREAD * random.normal()) as f32;
    input[sizes].iter_mut().for_each(|x| *x += gain);
    let noise = NOISE_MAX * random.uniform();
    let tilt = (TILT_SPREAD * random.normal()) as f32 / bins as f32;
    for (row, share) in input.chunks_exact_mut(bins).zip([1.0, 0.4, 0.2, 0.2]) {
        row.iter_mut().for_each(|x| *x += (noise * share * random.normal()) as f32);
    }
    let middle = bins as f32 / 2.0;
    for (k, x) in input[..bins].iter_mut().enumerate() {
        *x += tilt * (k as f32 - middle);
    }
}

pub(super) fn wide_items<'a>(
    studies: &'a [Study],
    boards: &'a [Board<'a>],
    wave: Wave,
) -> Vec<Example<'a>> {
    let mut items: Vec<Example<'a>> = Vec::new();
    for (study, board) in studies.iter().zip(boards) {
        for beat in 0..study.scene.beats.len() {
            let (origin, grain) = (board.origin_ms(beat, wave), board.grain(beat, wave));
            for lead in 0..study.scene.leads.len() {
                let label = study.labels.at(beat, lead);
                let Some(present) = label.present[wave as usize] else { continue };
                items.push(Box::new(move |random, input, wanted| {
                    let warp = warp(random, if wave == Wave::Qrs { 6.0 } else { 8.0 });
                    board.wide_input(beat, lead, wave, origin, warp, input);
                    let bins = (input.len() - WIDE_NUMBERS) / SIGNALS;
                    disturb(random, input, bins, SIGNALS * bins..SIGNALS * bins + 5);
                    wanted.clear();
                    wanted.push(Wanted::Evidence(present));
                    for edge in wave.edges() {
                        let unit = WIDE_UNIT_MS * grain * warp.stretch as f32;
                        let from = origin + warp.shift_ms as f32;
                        wanted.push(match label.at_ms[edge as usize] {
                            Some(ms) => Wanted::Place((ms - from) / unit),
                            None => Wanted::Nothing,
                        });
                    }
                }));
            }
        }
    }
    items
}

pub(super) fn close_items<'a>(
    studies: &'a [Study],
    boards: &'a [Board<'a>],
    edge: Edge,
) -> Vec<Example<'a>> {
    let mut items: Vec<Example<'a>> = Vec::new();
    let jitter_ms = match edge.wave() {
        Wave::P => 12.0,
        Wave::Qrs => 7.0,
        Wave::T => 18.0,
    };
    for (study, board) in studies.iter().zip(boards) {
        let company = std::rc::Rc::new(Company::of(board, edge));
        for beat in 0..study.scene.beats.len() {
            for lead in 0..study.scene.leads.len() {
                let Some(truth) = study.labels.at(beat, lead).at_ms[edge as usize] else {
                    continue;
                };
                let at_ms = board.at(beat, lead).get(edge);
                if (truth - at_ms).abs() > 120.0 {
                    continue;
                }
                let company = company.clone();
                items.push(Box::new(move |random, input, wanted| {
                    let warp = warp(random, jitter_ms);
                    board.close_input(beat, lead, edge, at_ms, &company, warp, input);
                    let bins = (input.len() - CLOSE_NUMBERS) / SIGNALS;
                    disturb(random, input, bins, SIGNALS * bins + 10..SIGNALS * bins + 14);
                    wanted.clear();
                    let rest = truth - at_ms - warp.shift_ms as f32;
                    wanted.push(Wanted::Place(rest / (CLOSE_UNIT_MS * warp.stretch as f32)));
                }));
            }
        }
    }
    items
}

pub(super) fn train(course: &Course, items: &[Example], random: &mut Random) -> Network {
    let sizes = [course.inputs, course.hidden[0], course.hidden[1], course.outputs];
    let mut learner = Learner::new(&sizes, random);
    let batches = items.len().div_ceil(BATCH);
    let total = (course.epochs * batches).max(1);
    let mut order: Vec<usize> = (0..items.len()).collect();
    let (mut input, mut wanted) = (Vec::new(), Vec::new());
    let mut step = 0;
    for _ in 0..course.epochs {
        for k in (1..order.len()).rev() {
            order.swap(k, random.below(k + 1));
        }
        for batch in order.chunks(BATCH) {
            for &item in batch {
                items[item](random, &mut input, &mut wanted);
                learner.learn(&input, &wanted);
            }
            step += 1;
            let rest = 1.0 - step as f32 / total as f32;
            learner.step(RATE * rest.max(0.003), batch.len());
        }
    }
    learner.network
}

struct Learner {
    network: Network,
    gradient: Network,
    first: Network,
    second: Network,
    steps: i32,
    /// Values before and after the cut of each layer.
    sums: Vec<Vec<f32>>,
    values: Vec<Vec<f32>>,
    errors: Vec<Vec<f32>>,
}

impl Learner {
    fn new(sizes: &[usize], random: &mut Random) -> Self {
        let mut layer = |inputs: usize, outputs: usize| {
            let spread = (2.0 / inputs as f64).sqrt();
            let weights =
                (0..inputs * outputs).map(|_| (spread * random.normal()) as f32).collect();
            Layer { inputs, weights, bias: vec![0.0; outputs] }
        };
        let network = Network { layers: sizes.windows(2).map(|w| layer(w[0], w[1])).collect() };
        let mut zero = network.clone();
        zero.layers.iter_mut().for_each(|l| l.weights.fill(0.0));
        let rows: Vec<Vec<f32>> = network.layers.iter().map(|l| vec![0.0; l.bias.len()]).collect();
        Self {
            gradient: zero.clone(),
            first: zero.clone(),
            second: zero,
            steps: 0,
            sums: rows.clone(),
            values: rows.clone(),
            errors: rows,
            network,
        }
    }

    fn learn(&mut self, input: &[f32], wanted: &[Wanted]) {
        let last = self.network.layers.len() - 1;
        for (k, layer) in self.network.layers.iter().enumerate() {
            let (before, here) = self.values.split_at_mut(k);
            layer.apply(before.last().map_or(input, |v| &v[..]), &mut self.sums[k]);
            here[0].clear();
            here[0].extend(self.sums[k].iter().map(|&x| if k < last { leaky(x) } else { x }));
        }
        for ((error, out), wanted) in
            self.errors[last].iter_mut().zip(&self.values[last]).zip(wanted)
        {
            *error = match *wanted {
                Wanted::Nothing => 0.0,
                Wanted::Evidence(there) => {
                    0.5 * (1.0 / (1.0 + (-out).exp()) - f32::from(u8::from(there)))
                }
                Wanted::Place(place) => (out - place).clamp(-HUBER, HUBER),
            };
        }
        for k in (0..=last).rev() {
            let (below, here) = self.errors.split_at_mut(k);
            let layer = &self.network.layers[k];
            let gradient = &mut self.gradient.layers[k];
            let source = if k == 0 { input } else { &self.values[k - 1][..] };
            if let Some(below) = below.last_mut() {
                below.fill(0.0);
            }
            for (out, &error) in here[0].iter().enumerate() {
                if error == 0.0 {
                    continue;
                }
                gradient.bias[out] += error;
                let row = out * layer.inputs..(out + 1) * layer.inputs;
                for (g, x) in gradient.weights[row.clone()].iter_mut().zip(source) {
                    *g += error * x;
                }
                if let Some(below) = below.last_mut() {
                    for (b, w) in below.iter_mut().zip(&layer.weights[row]) {
                        *b += error * w;
                    }
                }
            }
            if let Some(below) = below.last_mut() {
                for (b, sum) in below.iter_mut().zip(&self.sums[k - 1]) {
                    *b *= leaky_slope(*sum);
                }
            }
        }
    }

    fn step(&mut self, rate: f32, count: usize) {
        self.steps += 1;
        let (b1, b2) = (0.9_f32, 0.999_f32);
        let (c1, c2) = (1.0 - b1.powi(self.steps), 1.0 - b2.powi(self.steps));
        let scale = 1.0 / count as f32;
        let layers = self.network.layers.iter_mut().zip(&mut self.gradient.layers);
        let moments = self.first.layers.iter_mut().zip(&mut self.second.layers);
        for ((layer, gradient), (first, second)) in layers.zip(moments) {
            let update =
                |w: &mut [f32], g: &mut [f32], m: &mut [f32], v: &mut [f32], decay: f32| {
                    for (((w, g), m), v) in w.iter_mut().zip(g).zip(m).zip(v) {
                        let slope = *g * scale;
                        *g = 0.0;
                        *m = b1 * *m + (1.0 - b1) * slope;
                        *v = b2 * *v + (1.0 - b2) * slope * slope;
                        *w -= rate * (*m / c1 / ((*v / c2).sqrt() + 1e-7) + decay * *w);
                    }
                };
            update(
                &mut layer.weights,
                &mut gradient.weights,
                &mut first.weights,
                &mut second.weights,
                DECAY,
            );
            update(&mut layer.bias, &mut gradient.bias, &mut first.bias, &mut second.bias, 0.0);
        }
    }
}
