//! What the rhythm is judged from: beats in their order, on the signal that they were found in.

use crate::beat::Beat;
use crate::channel::Channel;
use crate::quality;

/// A recording, or a window of a long one.
pub(crate) struct View<'a> {
    pub channels: &'a [&'a Channel<'a>],
    pub rate_hz: f64,
    pub beats: &'a [Beat],
    /// The class of the usual beats.
    pub dominant: usize,
    /// Pacing spikes, samples.
    pub spikes: &'a [usize],
}

impl View<'_> {
    pub fn seconds(&self, samples: usize) -> f64 {
        samples as f64 / self.rate_hz
    }

    /// Intervals between successive beats, seconds; `None` where every lead is missing for a while,
    /// so that a beat may be too.
    pub fn intervals_s(&self) -> Vec<Option<f64>> {
        let broken = |from, to| quality::broken(self.channels, from, to, self.rate_hz);
        let interval =
            |w: &[Beat]| (!broken(w[0].at, w[1].at)).then(|| self.seconds(w[1].at - w[0].at));
        self.beats.windows(2).map(interval).collect()
    }

    pub fn usual_beats(&self) -> impl Iterator<Item = usize> + '_ {
        self.beats.iter().filter(|beat| beat.class == self.dominant).map(|beat| beat.at)
    }
}
