//! ATC files of chosen blocks.

/// A block as it goes into a file, with the checksum of its bytes.
pub fn block(id: &[u8; 4], data: &[u8]) -> Vec<u8> {
    with_checksum(id, data, |bytes| bytes.iter().map(|&byte| u32::from(byte)).sum())
}

/// The checksum of a writer whose bytes are signed.
pub fn block_signed(id: &[u8; 4], data: &[u8]) -> Vec<u8> {
    with_checksum(id, data, |bytes| {
        bytes.iter().map(|&byte| i32::from(byte as i8)).sum::<i32>() as u32
    })
}

fn with_checksum(id: &[u8; 4], data: &[u8], sum: impl Fn(&[u8]) -> u32) -> Vec<u8> {
    let mut bytes = id.to_vec();
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    let sum = sum(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

pub fn format(rate_hz: u16, nv_per_bit: u16, flags: u8) -> Vec<u8> {
    let [a, b] = rate_hz.to_le_bytes();
    let [c, d] = nv_per_bit.to_le_bytes();
    vec![1, a, b, c, d, flags, 0, 0]
}

pub fn information(date: &str, device_data: &str) -> Vec<u8> {
    let fields: [(&str, usize); 7] = [
        (date, 32),
        ("58E0A7D7-EEBC-11D8-9669-0800200C9A66", 40),
        ("", 44),
        ("telephone 4", 32),
        ("recorder v2", 32),
        ("kardia_mobile", 32),
        (device_data, 52),
    ];
    fields
        .iter()
        .flat_map(|(text, length)| {
            text.bytes().chain(std::iter::repeat(0)).take(*length).collect::<Vec<u8>>()
        })
        .collect()
}

pub fn annotations(ticks: &[(u32, u16)]) -> Vec<u8> {
    let mut data = 300_u32.to_le_bytes().to_vec();
    for (tick, kind) in ticks {
        data.extend(tick.to_le_bytes());
        data.extend(kind.to_le_bytes());
    }
    data
}

pub fn samples(raw: &[i16]) -> Vec<u8> {
    raw.iter().flat_map(|raw| raw.to_le_bytes()).collect()
}

pub fn file(version: u32, blocks: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"ALIVE\0\0\0".to_vec();
    bytes.extend(version.to_le_bytes());
    bytes.extend(blocks.concat());
    bytes
}

/// Two leads, an average beat and annotations.
pub fn whole(count: usize) -> Vec<u8> {
    file(
        4,
        &[
            block(b"info", &information("2024-02-29T10:11:12.250-7:00", "SN=AC6L100010,BAT=55")),
            block(b"fmt ", &format(300, 500, 0x32)),
            block(b"ecg ", &samples(&super::beats(count, 900))),
            block(b"ecg2", &samples(&super::beats(count, 1500))),
            block(b"avg ", &samples(&super::beats(90, 900))),
            block(b"avg2", &samples(&super::beats(90, 1500))),
            block(b"ann ", &annotations(&[(50, 1), (150, 0), (250, 2)])),
        ],
    )
}
