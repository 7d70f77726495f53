//! Little-endian numbers at checked places (EN 1064 5.2.2), and the checksum of records and sections.

/// A stretch of bytes. A read beyond its end is `None`, never a panic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    pub fn u8(self, at: usize) -> Option<u8> {
        self.0.get(at).copied()
    }

    pub fn u16(self, at: usize) -> Option<u16> {
        self.array(at).map(u16::from_le_bytes)
    }

    pub fn i16(self, at: usize) -> Option<i16> {
        self.array(at).map(i16::from_le_bytes)
    }

    pub fn u32(self, at: usize) -> Option<u32> {
        self.array(at).map(u32::from_le_bytes)
    }

    /// A 32-bit number as a place or size in memory.
    pub fn size(self, at: usize) -> Option<usize> {
        usize::try_from(self.u32(at)?).ok()
    }

    pub fn slice(self, at: usize, length: usize) -> Option<&'a [u8]> {
        self.0.get(at..at.checked_add(length)?)
    }

    fn array<const N: usize>(self, at: usize) -> Option<[u8; N]> {
        self.slice(at, N)?.try_into().ok()
    }
}

/// CRC-CCITT: polynomial 0x1021, preset 0xFFFF, nothing reflected (EN 1064 5.2.4).
pub(crate) fn crc_ccitt(bytes: &[u8]) -> u16 {
    let mut crc = u16::MAX;
    for &byte in bytes {
        crc ^= u16::from(byte) << 8;
        for _ in 0..8 {
            let carries = crc & 0x8000 != 0;
            crc <<= 1;
            if carries {
                crc ^= 0x1021;
            }
        }
    }
    crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_check_string() {
        assert_eq!(crc_ccitt(b"123456789"), 0x29B1);
        assert_eq!(crc_ccitt(b""), 0xFFFF);
    }

    #[test]
    fn a_read_beyond_the_end_is_none() {
        let bytes = Bytes(&[1, 2, 3]);
        assert_eq!((bytes.u16(0), bytes.u16(1), bytes.u16(2)), (Some(0x0201), Some(0x0302), None));
        assert_eq!((bytes.u32(0), bytes.i16(usize::MAX), bytes.u8(3)), (None, None, None));
        assert_eq!(bytes.slice(1, usize::MAX), None);
    }
}
