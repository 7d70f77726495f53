//! A recording block by block: memory is bounded by the block, however long the recording.

use precordia_model::{Problem, SampleRate, Signal};

use super::decode::{Progress, decode};
use super::layout::{Channel, Group};
use super::open::{OpenError, together};
use super::parts::Parts;
use super::window::Window;
use crate::{build, limb};

/// Bytes of decoded samples that a block is made to have at most.
const BLOCK_BYTES: usize = 1 << 20;

/// A stretch of the rhythm.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The recording's sample that is the block's first.
    pub at: u64,
    /// As [`Recording::rhythm`](precordia_model::Recording), derived leads included.
    pub signal: Signal,
}

/// The blocks of a rhythm, in order of time.
pub struct Blocks<'a> {
    parts: Parts<'a>,
    decoder: Decoder,
    rate: SampleRate,
    block_samples: usize,
    problems: Vec<Problem>,
    failed: bool,
}

impl<'a> Blocks<'a> {
    pub(crate) fn new(parts: Parts<'a>, group: Group) -> Self {
        let leads = group.channels.len().max(1);
        // Whole seconds where they fit, since records of many formats hold whole seconds.
        let fits = BLOCK_BYTES / size_of::<f32>() / leads;
        let second = (group.rate.hz().ceil() as usize).max(1);
        let block_samples = if fits > second { fits / second * second } else { fits.max(1) };
        let rate = group.rate;
        Self {
            parts,
            decoder: Decoder::new(group),
            rate,
            block_samples,
            problems: Vec::new(),
            failed: false,
        }
    }

    /// What the samples contradict of the header, so far as they were read.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    fn read(&mut self, count: usize) -> Result<Block, OpenError> {
        let at = self.decoder.at;
        let mut traces = Vec::with_capacity(self.decoder.group.channels.len());
        let samples = self.decoder.next(&mut self.parts, count, &mut self.problems)?;
        self.problems = together(std::mem::take(&mut self.problems));
        for (channel, samples_uv) in self.decoder.group.channels.iter().zip(samples) {
            traces.push(build::recorded(channel.lead, samples_uv, channel.filters));
        }
        let mut signal = Signal { rate: self.rate, traces };
        limb::derive(&mut signal);
        Ok(Block { at, signal })
    }
}

impl Iterator for Blocks<'_> {
    type Item = Result<Block, OpenError>;

    fn next(&mut self) -> Option<Self::Item> {
        let left = self.decoder.group.length.saturating_sub(self.decoder.at);
        if left == 0 || self.failed {
            return None;
        }
        let count = self.block_samples.min(usize::try_from(left).unwrap_or(usize::MAX));
        let block = self.read(count);
        self.failed = block.is_err();
        Some(block)
    }
}

/// Follows a group's layout from its first sample to its last.
pub(crate) struct Decoder {
    group: Group,
    at: u64,
    /// For each lead, the run it is in and how far.
    places: Vec<(usize, Progress)>,
    window: Window,
}

impl Decoder {
    pub(crate) fn new(group: Group) -> Self {
        let places = vec![(0, Progress::default()); group.channels.len()];
        Self { group, at: 0, places, window: Window::default() }
    }

    /// The next samples of every lead.
    pub(crate) fn next(
        &mut self,
        parts: &mut Parts<'_>,
        count: usize,
        problems: &mut Vec<Problem>,
    ) -> Result<Vec<Vec<f32>>, OpenError> {
        let from = self.at;
        let mut samples = Vec::with_capacity(self.group.channels.len());
        for (channel, place) in self.group.channels.iter().zip(&mut self.places) {
            let mut out = vec![f32::NAN; count];
            fill(channel, place, from, &mut out, (&mut self.window, parts), problems)?;
            samples.push(out);
        }
        self.at += count as u64;
        Ok(samples)
    }
}

/// Fills the part of `out` that runs cover; the rest stays a gap.
fn fill(
    channel: &Channel,
    (index, so_far): &mut (usize, Progress),
    from: u64,
    out: &mut [f32],
    (window, parts): (&mut Window, &mut Parts<'_>),
    problems: &mut Vec<Problem>,
) -> Result<(), OpenError> {
    let to = from + out.len() as u64;
    while let Some(run) = channel.runs.get(*index).filter(|run| run.at < to) {
        let run_end = run.at + run.count;
        let (begin, end) = (from.max(run.at), to.min(run_end));
        if begin < end {
            let (first, last) = (begin - run.at + run.skip, end - run.at + run.skip);
            let view = window
                .view(parts, run, first, last)
                .map_err(|cause| OpenError::Io { part: Parts::label(run.part), cause })?;
            let piece = &mut out[(begin - from) as usize..(end - from) as usize];
            decode(run, &view, first, piece, so_far);
        }
        if run_end > to {
            break;
        }
        run.compare(so_far.first, so_far.sum, problems);
        if so_far.not_finite > 0 {
            let text = format!(
                "{} samples of {} are no finite numbers; they are gaps",
                so_far.not_finite, channel.lead
            );
            problems.push(Problem::warning("samples_not_finite", Parts::label(run.part), text));
        }
        *index += 1;
        *so_far = Progress::default();
    }
    Ok(())
}
