//! The bytes of a part that are in memory: leads that share frames share them.

use std::io;

use super::layout::Run;
use super::parts::Parts;

/// Whole frames are loaded up to this; of larger ones only the stretch that is asked for.
const WHOLE_FRAMES_BYTES_MAX: u64 = 8 << 20;

#[derive(Debug, Default)]
pub(crate) struct Window {
    part: usize,
    at: u64,
    bytes: Vec<u8>,
}

/// Bytes, and the slot (from the start of the run's first frame) that the first of them begins.
pub(crate) struct View<'w> {
    pub bytes: &'w [u8],
    pub slot: u64,
}

impl Window {
    /// The bytes of samples `from..to` of a run, which was checked to lie inside its part.
    pub(crate) fn view(
        &mut self,
        parts: &mut Parts<'_>,
        run: &Run,
        from: u64,
        to: u64,
    ) -> io::Result<View<'_>> {
        let overflow = || io::Error::from(io::ErrorKind::InvalidInput);
        let first_frame = from / run.per_frame * run.frame;
        let end_frame = (to - 1) / run.per_frame * run.frame + run.frame;
        let whole = run.encoding.bytes_of(end_frame - first_frame).ok_or_else(overflow)?;
        let (first, end) = if whole <= WHOLE_FRAMES_BYTES_MAX {
            (first_frame, end_frame)
        } else {
            let last = run.slot(to - 1).ok_or_else(overflow)?;
            (run.slot(from).ok_or_else(overflow)?, last + run.encoding.slots())
        };
        // Where samples share bytes, a view begins and ends with a whole group of them.
        let (slot, at, until) = match run.encoding.packing() {
            None => (first, first, end),
            Some(packing) => {
                let group = first / packing.samples;
                let until = end.div_ceil(packing.samples) * packing.bytes;
                (group * packing.samples, group * packing.bytes, until)
            }
        };
        self.load(parts, run.part, run.start + at, until - at)?;
        let skipped = (run.start + at - self.at) as usize;
        let bytes = &self.bytes[skipped..skipped + (until - at) as usize];
        Ok(View { bytes, slot })
    }

    /// What a part does not have after its end is zero: the rest of a group of shared bytes.
    fn load(&mut self, parts: &mut Parts<'_>, part: usize, at: u64, count: u64) -> io::Result<()> {
        let is_here =
            self.part == part && self.at <= at && at + count <= self.at + self.bytes.len() as u64;
        if is_here {
            return Ok(());
        }
        let there = parts.size(part).saturating_sub(at).min(count) as usize;
        self.bytes.clear();
        self.bytes.resize(count as usize, 0);
        (self.part, self.at) = (part, at);
        parts.read_at(part, at, &mut self.bytes[..there])
    }
}
