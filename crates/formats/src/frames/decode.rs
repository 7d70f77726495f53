//! Stored bytes to microvolts.

use super::encoding::Encoding;
use super::layout::Run;
use super::window::View;

/// What is carried along a run from block to block.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    pub sum: u16,
    pub first: Option<i64>,
    /// The sample before, where samples are differences.
    last: i64,
    /// Stored values that are no numbers.
    pub not_finite: u64,
}

/// Samples `from..` of a run into `out`.
pub(crate) fn decode(
    run: &Run,
    view: &View<'_>,
    from: u64,
    out: &mut [f32],
    so_far: &mut Progress,
) {
    let bytes = view.bytes;
    let whole = Whole { run, view, from };
    match run.encoding {
        Encoding::I8 => whole.integers(out, so_far, |at| i64::from(bytes[at] as i8)),
        Encoding::U8 => whole.integers(out, so_far, |at| i64::from(bytes[at])),
        Encoding::Offset8 => whole.integers(out, so_far, |at| i64::from(bytes[at]) - 128),
        Encoding::I16Le => {
            whole.integers(out, so_far, |at| i64::from(i16::from_le_bytes(array(bytes, at))))
        }
        Encoding::I16Be => {
            whole.integers(out, so_far, |at| i64::from(i16::from_be_bytes(array(bytes, at))))
        }
        Encoding::U16Le => {
            whole.integers(out, so_far, |at| i64::from(u16::from_le_bytes(array(bytes, at))))
        }
        Encoding::U16Be => {
            whole.integers(out, so_far, |at| i64::from(u16::from_be_bytes(array(bytes, at))))
        }
        Encoding::Offset16Le => whole
            .integers(out, so_far, |at| i64::from(u16::from_le_bytes(array(bytes, at))) - 32_768),
        Encoding::I24Le => whole.integers(out, so_far, |at| {
            let [low, middle, high] = array(bytes, at);
            i64::from(i32::from_le_bytes([0, low, middle, high]) >> 8)
        }),
        Encoding::I32Le => {
            whole.integers(out, so_far, |at| i64::from(i32::from_le_bytes(array(bytes, at))))
        }
        Encoding::I32Be => {
            whole.integers(out, so_far, |at| i64::from(i32::from_be_bytes(array(bytes, at))))
        }
        Encoding::U32Le => {
            whole.integers(out, so_far, |at| i64::from(u32::from_le_bytes(array(bytes, at))))
        }
        Encoding::U32Be => {
            whole.integers(out, so_far, |at| i64::from(u32::from_be_bytes(array(bytes, at))))
        }
        Encoding::Packed12 => whole.integers(out, so_far, |at| packed_12(bytes, at)),
        Encoding::Packed10Split => whole.integers(out, so_far, |at| packed_10_split(bytes, at)),
        Encoding::Packed10 => whole.integers(out, so_far, |at| packed_10(bytes, at)),
        Encoding::Difference8 { base } => {
            let mut last = if from == 0 { i64::from(base) } else { so_far.last };
            whole.integers(out, so_far, |at| {
                last = last.wrapping_add(i64::from(bytes[at] as i8));
                last
            });
            so_far.last = last;
        }
        Encoding::F32Le => {
            whole.reals(out, so_far, |at| f64::from(f32::from_le_bytes(array(bytes, at))));
        }
        Encoding::F32Be => {
            whole.reals(out, so_far, |at| f64::from(f32::from_be_bytes(array(bytes, at))));
        }
        Encoding::F64Le => whole.reals(out, so_far, |at| f64::from_le_bytes(array(bytes, at))),
        Encoding::F64Be => whole.reals(out, so_far, |at| f64::from_be_bytes(array(bytes, at))),
    }
}

struct Whole<'a> {
    run: &'a Run,
    view: &'a View<'a>,
    from: u64,
}

impl Whole<'_> {
    #[inline(always)]
    fn integers(
        &self,
        out: &mut [f32],
        so_far: &mut Progress,
        mut stored: impl FnMut(usize) -> i64,
    ) {
        let scale = self.run.scale;
        // No encoding reaches this value, so that one comparison serves runs without a gap value.
        let gap = self.run.gap.unwrap_or(i64::MIN);
        let mut sum = so_far.sum;
        let mut first = so_far.first;
        self.each(out, |at| {
            let value = stored(at);
            first.get_or_insert(value);
            sum = sum.wrapping_add(value as u16);
            if value == gap { f32::NAN } else { scale.microvolts(value as f64) }
        });
        (so_far.sum, so_far.first) = (sum, first);
    }

    fn reals(&self, out: &mut [f32], so_far: &mut Progress, mut stored: impl FnMut(usize) -> f64) {
        let scale = self.run.scale;
        let mut not_finite = 0;
        self.each(out, |at| {
            let uv = scale.microvolts(stored(at));
            if uv.is_finite() {
                uv
            } else {
                not_finite += 1;
                f32::NAN
            }
        });
        so_far.not_finite += not_finite;
    }

    /// Walks over the frames; `sample` is given the slot of each sample within the view.
    #[inline(always)]
    fn each(&self, out: &mut [f32], mut sample: impl FnMut(usize) -> f32) {
        let run = self.run;
        let step = run.encoding.slots() as usize;
        let frame = run.frame as usize;
        let per_frame = run.per_frame as usize;
        let mut within = (self.from % run.per_frame) as usize;
        // Both lie in the layout that was checked against the part's size.
        let frame_slot = self.from / run.per_frame * run.frame + run.first;
        let mut begins = frame_slot.wrapping_sub(self.view.slot) as usize;
        let mut rest = out;
        while !rest.is_empty() {
            let (now, later) = rest.split_at_mut((per_frame - within).min(rest.len()));
            let mut at = begins.wrapping_add(within * step);
            for value in now {
                *value = sample(at);
                at = at.wrapping_add(step);
            }
            begins = begins.wrapping_add(frame);
            within = 0;
            rest = later;
        }
    }
}

#[inline(always)]
fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut value = [0; N];
    value.copy_from_slice(&bytes[at..at + N]);
    value
}

/// signal(5) format 212: low byte of the first, its high nibble in the low half of the middle byte;
/// the high nibble of the second in the upper half, its low byte last.
#[inline(always)]
fn packed_12(bytes: &[u8], at: usize) -> i64 {
    let [low, middle, high] = array(bytes, at / 2 * 3);
    let bits = if at.is_multiple_of(2) {
        u16::from(middle & 0x0F) << 8 | u16::from(low)
    } else {
        u16::from(middle >> 4) << 8 | u16::from(high)
    };
    i64::from((bits << 4) as i16 >> 4)
}

/// signal(5) format 310: bits 1 to 10 of two little-endian words are two samples, bits 11 to 15 of
/// both the lower and the upper half of the third.
#[inline(always)]
fn packed_10_split(bytes: &[u8], at: usize) -> i64 {
    let [a, b, c, d] = array(bytes, at / 3 * 4);
    let (one, two) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
    ten_bits(match at % 3 {
        0 => one >> 1,
        1 => two >> 1,
        _ => one >> 11 | (two >> 11) << 5,
    })
}

/// signal(5) format 311: three samples in the lowest 30 bits of a little-endian word.
#[inline(always)]
fn packed_10(bytes: &[u8], at: usize) -> i64 {
    let word = u32::from_le_bytes(array(bytes, at / 3 * 4));
    ten_bits((word >> (10 * (at % 3))) as u16)
}

fn ten_bits(bits: u16) -> i64 {
    i64::from((bits << 6) as i16 >> 6)
}
