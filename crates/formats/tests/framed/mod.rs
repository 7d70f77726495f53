//! Files of regular frames made byte by byte, independently of the crate's own writers.

#![allow(dead_code, clippy::unwrap_used)]

use precordia_formats::{NamedSource, Part, open, read};
use precordia_model::{Recording, Refusal, Signal, TraceOrigin};

/// Named parts of one recording.
pub type Files = Vec<(String, Vec<u8>)>;

pub fn read_files(files: &Files) -> Result<Recording, Refusal> {
    let parts: Vec<Part<'_>> = files.iter().map(|(name, bytes)| Part { name, bytes }).collect();
    read(&parts)
}

/// The same, block by block, put together again.
pub fn read_blocks(files: &Files) -> Signal {
    let sources = files.iter().map(|(name, bytes)| NamedSource {
        name: name.clone(),
        source: Box::new(std::io::Cursor::new(bytes.as_slice())),
    });
    let opened = open(sources.collect()).unwrap();
    let mut whole = opened.header.rhythm.clone();
    let mut at = 0;
    for block in opened.blocks {
        let block = block.unwrap();
        assert_eq!(block.at, at);
        at += block.signal.len() as u64;
        for (trace, more) in whole.traces.iter_mut().zip(block.signal.traces) {
            assert_eq!((trace.lead, &more.origin), (more.lead, &TraceOrigin::Recorded));
            trace.samples_uv.extend(more.samples_uv);
        }
    }
    assert_eq!(at, opened.length);
    whole
}

/// Equal where both are numbers, and gaps at the same places.
pub fn same(one: &[f32], other: &[f32]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).all(|(a, b)| a == b || a.is_nan() && b.is_nan())
}

/// A wave with some steepness within so many bits; `phase` sets leads apart.
pub fn wave(count: usize, bits: u32, phase: usize) -> Vec<i64> {
    let span = (1_i64 << (bits - 1)) - 1;
    (0..count)
        .map(|index| {
            let at = ((index * 37 + phase * 91) % 400) as i64;
            (at - 200) * span / 220
        })
        .collect()
}

/// Stored samples, interleaved, in a format of signal(5).
pub fn wfdb_bytes(format: u32, leads: &[Vec<i64>]) -> Vec<u8> {
    let count = leads[0].len();
    let stream: Vec<i64> =
        (0..count).flat_map(|index| leads.iter().map(move |lead| lead[index])).collect();
    let mut bytes = Vec::new();
    match format {
        8 => {
            let mut last: Vec<i64> = leads.iter().map(|lead| lead[0]).collect();
            for (index, value) in stream.iter().enumerate() {
                let lead = index % leads.len();
                bytes.push((value - last[lead]) as i8 as u8);
                last[lead] = *value;
            }
        }
        16 => stream.iter().for_each(|value| bytes.extend((*value as i16).to_le_bytes())),
        24 => stream.iter().for_each(|value| bytes.extend(&(*value as i32).to_le_bytes()[..3])),
        32 => stream.iter().for_each(|value| bytes.extend((*value as i32).to_le_bytes())),
        61 => stream.iter().for_each(|value| bytes.extend((*value as i16).to_be_bytes())),
        80 => stream.iter().for_each(|value| bytes.push((value + 128) as u8)),
        160 => {
            stream.iter().for_each(|value| bytes.extend(((value + 32_768) as u16).to_le_bytes()))
        }
        212 => stream.chunks(2).for_each(|pair| {
            let (a, b) = (pair[0] as u16 & 0xFFF, pair.get(1).map_or(0, |b| *b as u16) & 0xFFF);
            bytes.extend([a as u8, (a >> 8) as u8 | ((b >> 8) as u8) << 4]);
            bytes.extend(pair.get(1).map(|_| b as u8));
        }),
        310 => stream.chunks(3).for_each(|three| {
            let ten = |index: usize| three.get(index).map_or(0, |value| *value as u16) & 0x3FF;
            let words = [ten(0) << 1 | (ten(2) & 0x1F) << 11, ten(1) << 1 | (ten(2) >> 5) << 11];
            let used = if three.len() == 1 { 1 } else { 2 };
            words[..used].iter().for_each(|word| bytes.extend(word.to_le_bytes()));
        }),
        311 => stream.chunks(3).for_each(|three| {
            let ten = |index: usize| three.get(index).map_or(0, |value| *value as u32) & 0x3FF;
            let word = ten(0) | ten(1) << 10 | ten(2) << 20;
            bytes.extend(&word.to_le_bytes()[..[0, 2, 3, 4][three.len()]]);
        }),
        other => unreachable!("format {other}"),
    }
    bytes
}

pub const LEADS: [&str; 4] = ["I", "V1", "V2", "V5"];

/// A record in one file, its gain 100 units a millivolt.
pub fn wfdb(format: u32, leads: &[Vec<i64>]) -> Files {
    let mut header = format!("made {} 500 {} 10:11:12 29/02/2024\n", leads.len(), leads[0].len());
    for (lead, name) in leads.iter().zip(LEADS) {
        let sum = lead.iter().sum::<i64>() as i16;
        header.push_str(&format!("made.dat {format} 100(3)/mV 12 0 {} {sum} 0 {name}\n", lead[0]));
    }
    header.push_str("# Age: 78\n# made by a test\n");
    vec![
        ("made.hea".to_owned(), header.into_bytes()),
        ("made.dat".to_owned(), wfdb_bytes(format, leads)),
    ]
}

fn field(text: &str, width: usize) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    assert!(bytes.len() <= width, "{text}");
    bytes.resize(width, b' ');
    bytes
}

/// One signal of an EDF file: label, unit, physical and digital range, samples in a record.
pub struct EdfSignal {
    pub label: &'static str,
    pub unit: &'static str,
    pub physical: [&'static str; 2],
    pub digital: [&'static str; 2],
    pub samples: usize,
}

impl EdfSignal {
    pub fn ecg(label: &'static str, samples: usize) -> Self {
        Self {
            label,
            unit: "uV",
            physical: ["-32768", "32767"],
            digital: ["-32768", "32767"],
            samples,
        }
    }

    pub fn annotations(bytes: usize) -> Self {
        Self {
            samples: bytes / 2,
            unit: "",
            physical: ["-1", "1"],
            ..Self::ecg("EDF Annotations", 0)
        }
    }
}

/// A file of records, each given as the bytes of its signals one after the other.
pub fn edf(reserved: &str, record_s: &str, signals: &[EdfSignal], records: &[Vec<u8>]) -> Files {
    let mut bytes = field("0", 8);
    bytes.extend(field("MCH-0234567 F 02-MAY-1951 Haagse_Harry", 80));
    bytes.extend(field("Startdate 02-MAR-2002 X X Cart_7", 80));
    bytes.extend(field("02.03.02", 8));
    bytes.extend(field("10.11.12", 8));
    bytes.extend(field(&(256 * (signals.len() + 1)).to_string(), 8));
    bytes.extend(field(reserved, 44));
    bytes.extend(field(&records.len().to_string(), 8));
    bytes.extend(field(record_s, 8));
    bytes.extend(field(&signals.len().to_string(), 4));
    let mut rows = |width: usize, text: &dyn Fn(&EdfSignal) -> String| {
        signals.iter().for_each(|signal| bytes.extend(field(&text(signal), width)));
    };
    rows(16, &|signal| signal.label.to_owned());
    rows(80, &|_| String::new());
    rows(8, &|signal| signal.unit.to_owned());
    rows(8, &|signal| signal.physical[0].to_owned());
    rows(8, &|signal| signal.physical[1].to_owned());
    rows(8, &|signal| signal.digital[0].to_owned());
    rows(8, &|signal| signal.digital[1].to_owned());
    rows(80, &|_| "HP:0.05Hz LP:150Hz".to_owned());
    rows(8, &|signal| signal.samples.to_string());
    rows(32, &|_| String::new());
    records.iter().for_each(|record| bytes.extend(record));
    vec![("made.edf".to_owned(), bytes)]
}

pub fn shorts(values: &[i64]) -> Vec<u8> {
    values.iter().flat_map(|value| (*value as i16).to_le_bytes()).collect()
}

/// An annotation list padded to its place.
pub fn list(text: &str, width: usize) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(width, 0);
    bytes
}

/// Contiguous records of two ECGs at 200 Hz and one at 100 Hz, with a list in each.
pub fn edf_plus(seconds: usize) -> Files {
    let signals = [
        EdfSignal::ecg("ECG I", 200),
        EdfSignal::ecg("V1", 200),
        EdfSignal::ecg("EKG V5", 100),
        EdfSignal::ecg("EEG Fp1", 10),
        EdfSignal::annotations(40),
    ];
    let records: Vec<Vec<u8>> = (0..seconds)
        .map(|second| {
            let mut record = shorts(&wave(200, 12, second));
            record.extend(shorts(&wave(200, 12, second + 5)));
            record.extend(shorts(&wave(100, 12, second + 9)));
            record.extend(shorts(&wave(10, 12, 1)));
            record.extend(list(&format!("+{second}\u{14}\u{14}\0+{second}.5\u{14}beat\u{14}"), 40));
            record
        })
        .collect();
    edf("EDF+C", "1", &signals, &records)
}

/// Three leads of 200 Hz.
pub fn ishne(leads: &[Vec<i64>]) -> Files {
    let mut bytes = vec![0_u8; 522];
    let mut put = |at: usize, part: &[u8]| bytes[at..at + part.len()].copy_from_slice(part);
    let short = |value: i16| value.to_le_bytes();
    put(0, b"ISHNE1.0");
    put(14, &(leads[0].len() as i32).to_le_bytes());
    put(18, &522_i32.to_le_bytes());
    put(22, &522_i32.to_le_bytes());
    put(26, &short(1));
    put(28, b"Emmy");
    put(68, b"Noether");
    put(108, b"H-7");
    put(128, &short(2));
    for (index, value) in [23, 3, 1882, 29, 2, 2024].into_iter().enumerate() {
        put(132 + 2 * index, &short(value));
    }
    for (index, value) in [10, 11, 12].into_iter().enumerate() {
        put(150 + 2 * index, &short(value));
    }
    put(156, &short(leads.len() as i16));
    for index in 0..12 {
        let used = index < leads.len();
        put(158 + 2 * index, &short(if used { [6, 11, 15, 1][index] } else { -9 }));
        put(206 + 2 * index, &short(if used { 2500 } else { -9 }));
    }
    put(272, &short(200));
    let crc = bytes[10..].iter().fold(0xFFFF_u16, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 }
        })
    });
    bytes[8..10].copy_from_slice(&crc.to_le_bytes());
    bytes.extend(wfdb_bytes(16, leads));
    vec![("made.ecg".to_owned(), bytes)]
}

/// A definition with a short length.
pub fn tag(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag, content.len() as u8];
    bytes.extend(content);
    bytes
}

/// Blocks of eight samples of each lead, big-endian, with a null value.
pub fn mfer(leads: &[Vec<i64>]) -> Files {
    const BLOCK: usize = 8;
    let sequences = leads[0].len() / BLOCK;
    let mut bytes = b"@ MFR made                        ".to_vec();
    bytes.truncate(2 + 32);
    bytes.extend(tag(0x01, &[0]));
    bytes.extend(tag(0x08, &[0, 2]));
    bytes.extend(tag(0x0B, &[1, 0xFD, 0, 2]));
    bytes.extend(tag(0x0C, &[0, 0xFA, 0, 5]));
    bytes.extend(tag(0x12, &[0x80, 0x00]));
    bytes.extend(tag(0x05, &[leads.len() as u8]));
    bytes.extend(tag(0x04, &[BLOCK as u8]));
    bytes.extend(tag(0x06, &(sequences as u32).to_be_bytes()));
    for (index, code) in (0..leads.len()).zip([1_u8, 3, 4, 7]) {
        bytes.extend([0x3F, index as u8]);
        let lead = tag(0x09, &[code]);
        bytes.push(lead.len() as u8);
        bytes.extend(lead);
    }
    bytes.extend(tag(0x82, b"H-7"));
    bytes.extend(tag(0x85, &[0x07, 0xE8, 2, 29, 10, 11, 12, 0, 250, 0, 0]));
    let count = sequences * BLOCK * leads.len() * 2;
    bytes.extend([0x1E, 0x84]);
    bytes.extend((count as u32).to_be_bytes());
    for sequence in 0..sequences {
        for lead in leads {
            let block = &lead[sequence * BLOCK..(sequence + 1) * BLOCK];
            block.iter().for_each(|value| bytes.extend((*value as i16).to_be_bytes()));
        }
    }
    bytes.extend([0x80, 0x00]);
    vec![("made.mwf".to_owned(), bytes)]
}

/// An element of level 5, filled to a multiple of eight bytes.
fn element(kind: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = kind.to_le_bytes().to_vec();
    bytes.extend((content.len() as u32).to_le_bytes());
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

fn matrix(class: u8, dimensions: [u32; 2], name: &str, rest: &[u8]) -> Vec<u8> {
    let flags = [u32::from(class), 0].map(u32::to_le_bytes).concat();
    let parts = [
        element(6, &flags),
        element(5, &dimensions.map(u32::to_le_bytes).concat()),
        element(1, name.as_bytes()),
        rest.to_vec(),
    ];
    element(14, &parts.concat())
}

/// The structure of CPSC 2018; `swapped` exchanges two of its limb leads.
pub fn matlab(samples: usize, swapped: bool) -> Files {
    let mut data = Vec::new();
    for at in 0..samples {
        let (i, ii) = ((at as f64 * 0.3).sin() * 0.5, (at as f64 * 0.3).cos() * 0.8);
        let iii = ii - i;
        let limb = [i, ii, iii, -(i + ii) / 2.0, (i - iii) / 2.0, (ii + iii) / 2.0];
        let chest = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0].map(|v| v * i / 6.0);
        let mut column = [limb, chest].concat();
        if swapped {
            column.swap(3, 4);
        }
        data.extend(column.into_iter().flat_map(f64::to_le_bytes));
    }
    let fields = [
        [&[5_u8, 0, 4, 0][..], &5_u32.to_le_bytes()].concat(),
        element(1, b"sex\0\0age\0\0data\0"),
        matrix(4, [1, 4], "", &element(16, b"Male")),
        matrix(6, [1, 1], "", &[[2, 0, 1, 0], [52, 0, 0, 0]].concat()),
        matrix(6, [12, samples as u32], "", &element(9, &data)),
    ];
    let mut bytes = b"MATLAB 5.0 MAT-file, made by a test".to_vec();
    bytes.resize(124, b' ');
    bytes.extend([0, 1, b'I', b'M']);
    bytes.extend(matrix(2, [1, 1], "ECG", &fields.concat()));
    vec![("made.mat".to_owned(), bytes)]
}

/// The same with its variable compressed.
pub fn compressed(mut files: Files) -> Files {
    use std::io::Write as _;
    let bytes = &mut files[0].1;
    let variable = bytes.split_off(128);
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&variable).unwrap();
    let packed = encoder.finish().unwrap();
    bytes.extend(15_u32.to_le_bytes());
    bytes.extend((packed.len() as u32).to_le_bytes());
    bytes.extend(packed);
    files
}

/// One small file of every format, with what lies in it.
pub fn every_format() -> Vec<(&'static str, Files)> {
    let leads = |bits: u32, count: usize| -> Vec<Vec<i64>> {
        (0..3).map(|phase| wave(count, bits, phase)).collect()
    };
    let slow: Vec<Vec<i64>> =
        (0..3).map(|lead| (0..60).map(|at: i64| at * (lead + 1) % 90).collect()).collect();
    let mut all = vec![("wfdb 8", wfdb(8, &slow))];
    for (name, format, bits) in [
        ("wfdb 16", 16, 16),
        ("wfdb 24", 24, 24),
        ("wfdb 32", 32, 24),
        ("wfdb 61", 61, 16),
        ("wfdb 80", 80, 8),
        ("wfdb 160", 160, 16),
        ("wfdb 212", 212, 12),
        ("wfdb 310", 310, 10),
        ("wfdb 311", 311, 10),
    ] {
        all.push((name, wfdb(format, &leads(bits, 61))));
    }
    all.push(("edf+", edf_plus(3)));
    all.push(("ishne", ishne(&leads(12, 50))));
    all.push(("mfer", mfer(&leads(12, 48))));
    all.push(("matlab", matlab(40, false)));
    all
}
