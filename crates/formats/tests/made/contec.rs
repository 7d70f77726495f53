//! Contec's native files.

pub fn file(rows: &[[u16; 8]], footer: u8) -> Vec<u8> {
    let mut bytes = b"0000042\0\0\0".to_vec();
    bytes.extend(b"2020-11-24 07:19:13\0\0\0");
    bytes.extend(b"Amalie\0\0");
    // Sex, age, weight.
    bytes.extend([0, 53, 70]);
    for count in rows.iter().flatten() {
        bytes.extend(count.to_le_bytes());
    }
    bytes.extend([footer; 37]);
    bytes
}

/// Beats in all channels but the last, which has no electrode.
pub fn rows(count: usize) -> Vec<[u16; 8]> {
    let counts = super::beats(count, 200);
    counts
        .iter()
        .map(|&value| {
            let count = (2048 + value) as u16;
            [count, count, count, count, count, count, count, 0x6800]
        })
        .collect()
}

pub fn whole(count: usize) -> Vec<u8> {
    file(&rows(count), 0)
}
