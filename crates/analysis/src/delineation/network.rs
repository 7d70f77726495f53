//! Small feed-forward networks and the file that holds their weights.
//!
//! A network is two or three layers of weighted sums; between layers negative values are cut to a
//! tenth. There is no other function in it, so that every machine gives the same answer.

use crate::numeric::dot;

const LEAK: f32 = 0.1;
/// Ends the words at the head of the file.
const END_OF_WORDS: &[u8] = b"\n---\n";

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layer {
    pub inputs: usize,
    /// Row after row, one row an output.
    pub weights: Vec<f32>,
    pub bias: Vec<f32>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Network {
    pub layers: Vec<Layer>,
}

pub(crate) fn leaky(x: f32) -> f32 {
    if x > 0.0 { x } else { LEAK * x }
}

#[cfg(feature = "training")]
pub(crate) fn leaky_slope(x: f32) -> f32 {
    if x > 0.0 { 1.0 } else { LEAK }
}

impl Layer {
    pub fn apply(&self, input: &[f32], out: &mut Vec<f32>) {
        out.clear();
        let rows = self.weights.chunks_exact(self.inputs).zip(&self.bias);
        out.extend(rows.map(|(row, bias)| dot(row, input) + bias));
    }
}

impl Network {
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.bias.len())
    }

    /// The outputs; `desk` is room to work in.
    pub fn apply<'d>(&self, input: &[f32], desk: &'d mut Desk) -> &'d [f32] {
        let Desk { here, next } = desk;
        here.clear();
        here.extend_from_slice(input);
        for (k, layer) in self.layers.iter().enumerate() {
            layer.apply(here, next);
            if k + 1 < self.layers.len() {
                next.iter_mut().for_each(|x| *x = leaky(*x));
            }
            std::mem::swap(here, next);
        }
        here
    }
}

/// Room for the values between layers.
#[derive(Default)]
pub(crate) struct Desk {
    here: Vec<f32>,
    next: Vec<f32>,
}

/// Reads networks after the words at the head. `None` if the bytes are not what was written.
pub(crate) fn read(bytes: &[u8]) -> Option<Vec<Network>> {
    let words = bytes.windows(END_OF_WORDS.len()).position(|w| w == END_OF_WORDS)?;
    let mut rest = Bytes(&bytes[words + END_OF_WORDS.len()..]);
    let mut networks = Vec::new();
    while !rest.0.is_empty() {
        let count = rest.whole()?;
        let layers = (0..count).map(|_| rest.layer()).collect::<Option<Vec<Layer>>>()?;
        let fits = layers.windows(2).all(|w| w[0].bias.len() == w[1].inputs);
        if layers.is_empty() || !fits {
            return None;
        }
        networks.push(Network { layers });
    }
    Some(networks)
}

struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn whole(&mut self) -> Option<usize> {
        self.take().map(|b| usize::from(u16::from_le_bytes(b)))
    }

    fn float(&mut self) -> Option<f32> {
        self.take().map(f32::from_le_bytes)
    }

    fn layer(&mut self) -> Option<Layer> {
        let (inputs, outputs) = (self.whole()?, self.whole()?);
        let (mut weights, mut bias) = (Vec::new(), Vec::new());
        for _ in 0..outputs {
            bias.push(self.float()?);
            let unit = self.float()?;
            for _ in 0..inputs {
                weights.push(unit * f32::from(i16::from_le_bytes(self.take()?)));
            }
        }
        Some(Layer { inputs, weights, bias })
    }
}

/// Writes what [`read`] reads: each row of weights in units of its own, as 16-bit numbers.
#[cfg(feature = "training")]
pub(crate) fn write(words: &str, networks: &[Network]) -> Vec<u8> {
    let mut out = words.trim_end().as_bytes().to_vec();
    out.extend_from_slice(END_OF_WORDS);
    let whole = |n: usize| u16::try_from(n).expect("layers are small").to_le_bytes();
    for network in networks {
        out.extend(whole(network.layers.len()));
        for layer in &network.layers {
            out.extend(whole(layer.inputs));
            out.extend(whole(layer.bias.len()));
            for (row, bias) in layer.weights.chunks_exact(layer.inputs).zip(&layer.bias) {
                let most = row.iter().fold(0.0_f32, |m, w| m.max(w.abs()));
                let unit = most.max(f32::MIN_POSITIVE) / f32::from(i16::MAX);
                out.extend(bias.to_le_bytes());
                out.extend(unit.to_le_bytes());
                out.extend(row.iter().flat_map(|w| ((w / unit).round() as i16).to_le_bytes()));
            }
        }
    }
    out
}
