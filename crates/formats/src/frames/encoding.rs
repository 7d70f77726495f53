//! The ways in which formats write one sample.

/// How a sample is stored. Places within a frame are counted in slots: bytes where samples begin at
/// whole bytes, samples where several share their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    I8,
    U8,
    I16Le,
    I16Be,
    U16Le,
    U16Be,
    I24Le,
    I32Le,
    I32Be,
    U32Le,
    U32Be,
    F32Le,
    F32Be,
    F64Le,
    F64Be,
    /// An unsigned byte that is 128 for zero.
    Offset8,
    /// Sixteen unsigned bits that are 32768 for zero, low byte first.
    Offset16Le,
    /// A signed byte that is the difference from the sample before; the first is from `base`.
    Difference8 {
        base: i32,
    },
    /// Two samples of 12 bits in three bytes.
    Packed12,
    /// Three samples of 10 bits in four bytes, the third in the upper bits of two 16-bit words.
    Packed10Split,
    /// Three samples of 10 bits in 32 bits, one after the other.
    Packed10,
}

/// Samples that share bytes: how many, and in how many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packing {
    pub samples: u64,
    pub bytes: u64,
}

impl Encoding {
    /// `None` where a sample has whole bytes of its own.
    pub(crate) const fn packing(self) -> Option<Packing> {
        match self {
            Encoding::Packed12 => Some(Packing { samples: 2, bytes: 3 }),
            Encoding::Packed10Split | Encoding::Packed10 => Some(Packing { samples: 3, bytes: 4 }),
            _ => None,
        }
    }

    /// Slots from a sample to the next one of the same stretch.
    pub(crate) const fn slots(self) -> u64 {
        match self {
            Encoding::I8 | Encoding::U8 | Encoding::Offset8 | Encoding::Difference8 { .. } => 1,
            Encoding::I16Le | Encoding::I16Be | Encoding::U16Le | Encoding::U16Be => 2,
            Encoding::Offset16Le => 2,
            Encoding::I24Le => 3,
            Encoding::I32Le | Encoding::I32Be | Encoding::U32Le | Encoding::U32Be => 4,
            Encoding::F32Le | Encoding::F32Be => 4,
            Encoding::F64Le | Encoding::F64Be => 8,
            Encoding::Packed12 | Encoding::Packed10Split | Encoding::Packed10 => 1,
        }
    }

    /// Bytes that so many slots take, the last group of shared bytes as short as it can be.
    pub(crate) fn bytes_of(self, slots: u64) -> Option<u64> {
        let Some(packing) = self.packing() else { return Some(slots) };
        let rest = match (self, slots % packing.samples) {
            (_, 0) => 0,
            (Encoding::Packed10Split, 2) => 4,
            (Encoding::Packed10, 2) => 3,
            _ => 2,
        };
        (slots / packing.samples).checked_mul(packing.bytes)?.checked_add(rest)
    }

    /// How many slots lie in so many bytes.
    pub(crate) fn slots_in(self, bytes: u64) -> u64 {
        let Some(packing) = self.packing() else { return bytes };
        let rest = match (self, bytes % packing.bytes) {
            (Encoding::Packed10, 3) => 2,
            (_, 2 | 3) => 1,
            _ => 0,
        };
        (bytes / packing.bytes).saturating_mul(packing.samples).saturating_add(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_slots_agree_for_every_count() {
        for encoding in [Encoding::Packed12, Encoding::Packed10Split, Encoding::Packed10] {
            for count in 0..40 {
                let bytes = encoding.bytes_of(count).unwrap();
                // The last group of three may have room for one more than it was made for.
                assert!((0..=1).contains(&(encoding.slots_in(bytes) - count)), "{encoding:?}");
                assert!(count == 0 || encoding.slots_in(bytes - 1) < count, "{encoding:?}");
            }
        }
        assert_eq!(Encoding::Packed12.bytes_of(u64::MAX), None);
    }
}
