//! CRC-16 with the polynomial of CCITT, begun with all ones.

pub(crate) fn crc_ccitt(bytes: &[u8]) -> u16 {
    let shift = |crc: u16, _: u8| {
        if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
    };
    bytes.iter().fold(0xFFFF, |crc, &byte| (0..8_u8).fold(crc ^ (u16::from(byte) << 8), shift))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_usual_check_value_comes_out() {
        assert_eq!(super::crc_ccitt(b"123456789"), 0x29B1);
    }
}
