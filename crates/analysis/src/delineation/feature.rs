//! What the networks see: stretches of a lead's beat, of its mean beat and of all leads together
//! around a place, and a few numbers beside them.

use crate::delineation::curve::STEP_MS;
use crate::delineation::scene::{Group, Scene, SceneBeat};

/// A place and grain in which a beat is looked at; not its own only while training.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Warp {
    pub shift_ms: f64,
    pub stretch: f64,
    pub sign: f32,
}

impl Warp {
    pub const NONE: Warp = Warp { shift_ms: 0.0, stretch: 1.0, sign: 1.0 };
}

/// Stretches of one length each, a row a signal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// From the place that is looked at to the first stretch.
    pub from_ms: f64,
    pub bin_ms: f64,
    pub bins: usize,
}

/// Signals a window has: the beat, the mean beat, all leads' distance, all leads' speed.
pub(crate) const SIGNALS: usize = 4;

/// One lead of one beat.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub scene: &'a Scene,
    pub beat: &'a SceneBeat,
    pub group: &'a Group,
    pub lead: usize,
}

impl<'a> View<'a> {
    pub fn new(scene: &'a Scene, beat: usize, lead: usize) -> Self {
        let beat = &scene.beats[beat];
        View { scene, beat, group: &scene.groups[beat.group], lead }
    }

    /// Appends the window's signals around `at_ms` (after the reference point).
    pub fn look(&self, window: Window, at_ms: f64, warp: Warp, out: &mut Vec<f32>) {
        let from = (at_ms + warp.stretch * window.from_ms) / STEP_MS;
        let width = warp.stretch * window.bin_ms / STEP_MS;
        let start = out.len();
        out.resize(start + SIGNALS * window.bins, 0.0);
        let mut rows = out[start..].chunks_exact_mut(window.bins);
        let group = self.group;
        let single = (&self.scene.leads[self.lead].curve, self.beat.at);
        let means = [&group.means[self.lead], &group.joint, &group.speed].map(|c| (c, group.zero));
        for ((curve, zero), row) in [single].into_iter().chain(means).zip(&mut rows) {
            curve.means(zero + from, width, row);
        }
        out[start..start + 2 * window.bins].iter_mut().for_each(|x| *x *= warp.sign);
    }
}

/// Divides by the greatest distance from zero (and a floor); gives that distance.
pub(crate) fn scale(row: &mut [f32], floor: f32) -> f32 {
    let most = row.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
    let factor = 1.0 / (most + floor);
    row.iter_mut().for_each(|x| *x *= factor);
    most
}

pub(crate) fn lower(row: &mut [f32], level: f32) {
    row.iter_mut().for_each(|x| *x -= level);
}

/// A size as a number of order one.
pub(crate) fn log_size(uv: f32) -> f32 {
    (0.3 * ((uv + 2.0) / 100.0).log2()).clamp(-2.0, 2.0)
}

pub(crate) fn mean(row: &[f32]) -> f32 {
    row.iter().sum::<f32>() / row.len().max(1) as f32
}
