//! Where beats lie, where the reference beat was subtracted and what was protected. EN 1064 5.7.

use super::bytes::Bytes;

const ZONE: usize = 14;
const PROTECTED: usize = 8;

/// One beat. Sample numbers count from 1; 0 where there is no zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Beat {
    /// Which reference beat it is like; only type 0 is subtracted.
    pub kind: u16,
    pub first: u32,
    pub fiducial: u32,
    pub last: u32,
}

#[derive(Debug)]
pub(crate) struct Beats {
    /// Of the reference beat in section 5.
    pub length_ms: u16,
    /// Sample number of the fiducial point in the reference beat, from 1.
    pub fiducial: u16,
    pub beats: Vec<Beat>,
    /// First and last sample of each protected area, where there are any.
    pub protected: Vec<(u32, u32)>,
}

impl Beats {
    /// Beats from which the reference beat was subtracted.
    pub fn subtracted(&self) -> impl Iterator<Item = Beat> + '_ {
        let has_zone = |beat: &Beat| beat.kind == 0 && beat.first > 0 && beat.last >= beat.first;
        self.beats.iter().copied().filter(has_zone)
    }
}

/// `None` where the section is shorter than the beats that it declares.
pub(crate) fn parse(body: &[u8]) -> Option<Beats> {
    let bytes = Bytes(body);
    let (length_ms, fiducial, count) = (bytes.u16(0)?, bytes.u16(2)?, usize::from(bytes.u16(4)?));
    let zones = bytes.slice(6, count * ZONE)?;
    let beats = zones.chunks_exact(ZONE).map(Bytes).filter_map(|zone| {
        Some(Beat {
            kind: zone.u16(0)?,
            first: zone.u32(2)?,
            fiducial: zone.u32(6)?,
            last: zone.u32(10)?,
        })
    });
    let areas = bytes.slice(6 + count * ZONE, count * PROTECTED).unwrap_or_default();
    let protected = areas.chunks_exact(PROTECTED).map(Bytes);
    let protected = protected.filter_map(|area| area.u32(0).zip(area.u32(4)));
    Some(Beats {
        length_ms,
        fiducial,
        beats: beats.collect(),
        protected: protected.filter(|(first, last)| *first > 0 && last >= first).collect(),
    })
}
