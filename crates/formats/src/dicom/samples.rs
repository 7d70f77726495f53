//! Waveform data: interleaved integers to one channel's raw values. PS3.3 C.10.9.1.5 to C.10.9.1.7.
//!
//! Raw values are integers as stored, with gaps marked; what they are in microvolts is the channel's
//! affair. A stored form whose meaning the standard leaves open is refused.

use precordia_model::{Refusal, RefusalReason};

use super::element::{ByteOrder, DataSet};
use super::tag;

/// A sample that was lost. Outside the range of every stored integer.
pub(crate) const GAP: i64 = i64::MIN;

/// Samples of one multiplex group, of which the count has been compared with the bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Samples<'a> {
    data: &'a [u8],
    order: ByteOrder,
    bytes: usize,
    signed: bool,
    channels: usize,
    rows: usize,
}

impl<'a> Samples<'a> {
    pub(crate) fn of(
        group: &DataSet<'a>,
        channels: usize,
        rows: u32,
        place: &str,
    ) -> Result<Self, Refusal> {
        let (bytes, signed) = stored_form(group, place)?;
        let Some(data) = group.bytes(tag::WAVEFORM_DATA).filter(|data| !data.is_empty()) else {
            return Err(refuse(
                RefusalReason::NoWaveform,
                "waveform_empty",
                place,
                "the group holds no samples".into(),
            ));
        };
        let vr = group.element(tag::WAVEFORM_DATA).and_then(|element| element.vr);
        check_byte_order(group.order, vr, bytes, place)?;
        let declared = u64::from(rows) * channels as u64 * bytes as u64;
        let present = data.len() as u64;
        // PS3.5 7.1.1: values have an even length; one byte may be padding.
        if present != declared && !(declared % 2 == 1 && present == declared + 1) {
            let reason = if present < declared {
                RefusalReason::Truncated
            } else {
                RefusalReason::Malformed
            };
            let text = format!(
                "{channels} channels of {rows} samples need {declared} bytes and {present} are there"
            );
            return Err(refuse(reason, "sample_count_contradicted", place, text));
        }
        let rows = usize::try_from(rows).unwrap_or_default();
        let data = &data[..rows * channels * bytes];
        Ok(Self { data, order: group.order, bytes, signed, channels, rows })
    }

    pub(crate) const fn bits_allocated(&self) -> u32 {
        self.bytes as u32 * 8
    }

    pub(crate) const fn signed(&self) -> bool {
        self.signed
    }

    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }

    /// The most negative value, which many writers store where a sample is missing; narrower and
    /// unsigned samples have no such custom.
    pub(crate) const fn customary_padding(&self) -> Option<i64> {
        match (self.signed, self.bytes) {
            (true, 2) => Some(i16::MIN as i64),
            (true, 4) => Some(i32::MIN as i64),
            _ => None,
        }
    }

    /// All raw values of a channel.
    pub(crate) fn channel(&self, index: usize) -> Vec<i64> {
        let at = index * self.bytes;
        let frames = self.data.chunks_exact(self.channels * self.bytes);
        match (self.bytes, self.signed, self.order) {
            (1, true, _) => frames.map(|frame| i64::from(frame[at] as i8)).collect(),
            (1, false, _) => frames.map(|frame| i64::from(frame[at])).collect(),
            (2, true, ByteOrder::Little) => frames
                .map(|frame| i64::from(i16::from_le_bytes([frame[at], frame[at + 1]])))
                .collect(),
            _ => frames.map(|frame| self.value(&frame[at..at + self.bytes])).collect(),
        }
    }

    /// Whether all channels hold this value in a row.
    pub(crate) fn row_holds_only(&self, row: usize, value: i64) -> bool {
        let width = self.channels * self.bytes;
        let frame = self.data.get(row * width..(row + 1) * width);
        frame.is_some_and(|frame| {
            frame.chunks_exact(self.bytes).all(|sample| self.value(sample) == value)
        })
    }

    /// The declared padding value (PS3.3 C.10.9.1.7), stored like a sample.
    pub(crate) fn padding(&self, group: &DataSet<'_>) -> Option<i64> {
        group.bytes(tag::PADDING_VALUE)?.get(..self.bytes).map(|stored| self.value(stored))
    }

    fn value(&self, stored: &[u8]) -> i64 {
        let mut unsigned = 0_u32;
        match self.order {
            ByteOrder::Little => {
                stored.iter().rev().for_each(|&byte| unsigned = unsigned << 8 | u32::from(byte))
            }
            ByteOrder::Big => {
                stored.iter().for_each(|&byte| unsigned = unsigned << 8 | u32::from(byte))
            }
        }
        match (self.signed, self.bytes) {
            (false, _) => i64::from(unsigned),
            (true, 1) => i64::from(unsigned as u8 as i8),
            (true, 2) => i64::from(unsigned as u16 as i16),
            (true, _) => i64::from(unsigned as i32),
        }
    }
}

/// Bytes a sample and whether it is signed; allocation and interpretation must agree.
fn stored_form(group: &DataSet<'_>, place: &str) -> Result<(usize, bool), Refusal> {
    let Some(interpretation) = group.ascii(tag::SAMPLE_INTERPRETATION) else {
        let text = "the file does not say how samples are stored".into();
        return Err(refuse(RefusalReason::Ambiguous, "sample_interpretation_absent", place, text));
    };
    let (bytes, signed) = match interpretation {
        "SB" => (1, true),
        "UB" => (1, false),
        "SS" => (2, true),
        "US" => (2, false),
        "SL" => (4, true),
        "UL" => (4, false),
        "MB" | "AB" => {
            // ITU-T G.711 defines levels, not a scale; the sensitivity could refer to 13, 14 or 16 bits.
            let text =
                "samples are companded and nothing says to which scale the sensitivity refers"
                    .into();
            return Err(refuse(RefusalReason::Ambiguous, "samples_companded", place, text));
        }
        _ => {
            let text = "the sample interpretation is none that ECG objects are written in".into();
            return Err(refuse(
                RefusalReason::Unsupported,
                "sample_interpretation_unknown",
                place,
                text,
            ));
        }
    };
    let allocated = group.unsigned(tag::BITS_ALLOCATED);
    if allocated != Some(bytes as u32 * 8) {
        let allocated = allocated.map_or("no".to_owned(), |bits| bits.to_string());
        let text =
            format!("{allocated} bits are allocated for samples that have {} bits", bytes * 8);
        return Err(refuse(RefusalReason::Malformed, "bits_allocated_contradicted", place, text));
    }
    Ok((bytes, signed))
}

/// In big endian files the byte order of samples follows from the VR only where the two fit
/// together: OB bytes for 8 bits, OW words for 16 (PS3.5 7.3 and A.3).
fn check_byte_order(
    order: ByteOrder,
    vr: Option<[u8; 2]>,
    bytes: usize,
    place: &str,
) -> Result<(), Refusal> {
    let clear = match order {
        ByteOrder::Little => true,
        ByteOrder::Big => matches!((vr, bytes), (Some([b'O', b'B']), 1) | (Some([b'O', b'W']), 2)),
    };
    if clear {
        return Ok(());
    }
    let text =
        format!("the byte order of {}-bit samples in this big endian file is not clear", bytes * 8);
    Err(refuse(RefusalReason::Ambiguous, "byte_order_unclear", place, text))
}

fn refuse(reason: RefusalReason, code: &str, place: &str, text: String) -> Refusal {
    Refusal::new(reason, code, place, text)
}
