//! SCP-ECG records made byte by byte, in every coding of the rhythm, independently of the reader.

#![allow(dead_code, clippy::unwrap_used)]

use precordia_formats::{Part, read};
use precordia_model::{Recording, Refusal};

/// One code of a table: its bits as text, bits of a number that follow, and what it means.
#[derive(Clone, Debug)]
pub struct Code {
    pub bits: &'static str,
    pub extra: u32,
    pub meaning: Meaning,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    Value(i16),
    /// Number of the table that the stream goes on in, from 1.
    Switch(i16),
}

pub fn value(bits: &'static str, value: i16) -> Code {
    Code { bits, extra: 0, meaning: Meaning::Value(value) }
}

pub fn number(bits: &'static str, extra: u32) -> Code {
    Code { bits, extra, meaning: Meaning::Value(0) }
}

pub fn switch(bits: &'static str, table: i16) -> Code {
    Code { bits, extra: 0, meaning: Meaning::Switch(table) }
}

#[derive(Clone, Debug)]
pub enum Tables {
    /// No section 2.
    Raw,
    Default,
    Own(Vec<Vec<Code>>),
}

/// Two tables that switch to each other: small values in the first, large ones in the second.
pub fn own_tables() -> Tables {
    Tables::Own(vec![
        vec![value("0", 0), value("10", 1), value("110", -1), switch("111", 2)],
        vec![switch("00", 1), number("01", 8), value("10", 2), number("11", 16)],
    ])
}

pub const DEFAULT_BITS: [&str; 17] = [
    "0",
    "100",
    "101",
    "1100",
    "1101",
    "11100",
    "11101",
    "111100",
    "111101",
    "1111100",
    "1111101",
    "11111100",
    "11111101",
    "111111100",
    "111111101",
    "1111111100",
    "1111111101",
];

fn default_codes() -> Vec<Code> {
    let small =
        DEFAULT_BITS.iter().zip([0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6, 7, -7, 8, -8]);
    let mut codes: Vec<Code> = small.map(|(bits, small)| value(bits, small)).collect();
    codes.extend([number("1111111110", 8), number("1111111111", 16)]);
    codes
}

/// A beat in section 4: type, first, fiducial and last sample.
pub type Beat = (u16, u32, u32, u32);

#[derive(Clone, Debug, Default)]
pub struct Reference {
    pub leads: Vec<Vec<i16>>,
    /// From 1.
    pub fiducial: u16,
    pub beats: Vec<Beat>,
    pub protected: Vec<(u32, u32)>,
    pub subtract: bool,
    pub interval_us: u16,
    pub multiplier_nv: u16,
}

/// A record in the making.
#[derive(Clone, Debug)]
pub struct Scp {
    pub protocol: u8,
    /// Number, first sample and samples of each lead.
    pub leads: Vec<(u8, u32, Vec<i16>)>,
    pub flags: u8,
    pub interval_us: u16,
    pub multiplier_nv: u16,
    pub difference: u8,
    pub tables: Tables,
    pub reference: Option<Reference>,
    /// Decimation outside of protected areas.
    pub bimodal: Option<usize>,
    pub tags: Vec<(u8, Vec<u8>)>,
    /// Further sections, and those that replace the ones that are made.
    pub sections: Vec<(u16, Vec<u8>)>,
    pub without: Vec<u16>,
}

impl Scp {
    pub fn new(leads: &[(u8, Vec<i16>)]) -> Self {
        let count = leads.len() as u8;
        Self {
            protocol: 20,
            leads: leads.iter().map(|(id, samples)| (*id, 1, samples.clone())).collect(),
            flags: 4 | count << 3,
            interval_us: 2000,
            multiplier_nv: 2500,
            difference: 2,
            tables: Tables::Default,
            reference: None,
            bimodal: None,
            tags: vec![
                (0, b"Noether\0".to_vec()),
                (2, b"P-1\0".to_vec()),
                (25, vec![0xE5, 0x07, 5, 6]),
                (26, vec![7, 8, 9]),
            ],
            sections: Vec::new(),
            without: Vec::new(),
        }
    }

    pub fn with(mut self, id: u16, body: &[u8]) -> Self {
        self.sections.push((id, body.to_vec()));
        self
    }

    pub fn tag(mut self, tag: u8, value: &[u8]) -> Self {
        self.tags.retain(|(own, _)| *own != tag);
        self.tags.push((tag, value.to_vec()));
        self
    }

    pub fn coded(mut self, tables: Tables, difference: u8) -> Self {
        (self.tables, self.difference) = (tables, difference);
        self
    }

    pub fn bodies(&self) -> Vec<(u16, Vec<u8>)> {
        let mut made = vec![(1, self.section_1()), (3, self.section_3()), (6, self.section_6())];
        match &self.tables {
            Tables::Raw => {}
            Tables::Default => made.push((2, 19_999_u16.to_le_bytes().to_vec())),
            Tables::Own(tables) => made.push((2, section_2(tables))),
        }
        if let Some(reference) = &self.reference {
            made.push((4, section_4(reference)));
            let leads: Vec<Vec<u8>> = reference.leads.iter().map(|one| self.stream(one)).collect();
            let head = (reference.multiplier_nv, reference.interval_us, self.difference, 0);
            made.push((5, block(head, &leads)));
        }
        made.retain(|(id, _)| !self.sections.iter().any(|(own, _)| own == id));
        made.extend(self.sections.clone());
        made.retain(|(id, _)| !self.without.contains(id));
        made.sort_by_key(|(id, _)| *id);
        made
    }

    pub fn bytes(&self) -> Vec<u8> {
        record(self.protocol, &self.bodies(), 1)
    }

    pub fn read(&self) -> Recording {
        read_bytes(&self.bytes()).unwrap()
    }

    pub fn refused(&self) -> Refusal {
        read_bytes(&self.bytes()).unwrap_err()
    }

    fn section_1(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for (tag, value) in &self.tags {
            body.push(*tag);
            body.extend((value.len() as u16).to_le_bytes());
            body.extend(value);
        }
        body.extend([255, 0, 0]);
        body
    }

    fn section_3(&self) -> Vec<u8> {
        let subtracted = self.reference.as_ref().is_some_and(|reference| reference.subtract);
        let mut body = vec![self.leads.len() as u8, self.flags | u8::from(subtracted)];
        for (id, first, samples) in &self.leads {
            body.extend(first.to_le_bytes());
            body.extend((first + samples.len() as u32 - 1).to_le_bytes());
            body.push(*id);
        }
        body
    }

    fn section_6(&self) -> Vec<u8> {
        let leads: Vec<Vec<u8>> =
            (0..self.leads.len()).map(|lead| self.stream(&self.stored(lead))).collect();
        let interval_us = self.interval_us * self.bimodal.unwrap_or(1) as u16;
        let head =
            (self.multiplier_nv, interval_us, self.difference, u8::from(self.bimodal.is_some()));
        block(head, &leads)
    }

    /// A lead without its reference beats and decimated, as far as that is wanted.
    fn stored(&self, lead: usize) -> Vec<i16> {
        let (_, first, samples) = &self.leads[lead];
        let mut samples = samples.clone();
        let Some(reference) = &self.reference else { return samples };
        if reference.subtract {
            for (kind, from, fiducial, to) in reference.beats.iter().filter(|beat| beat.0 == 0) {
                assert_eq!(*kind, 0);
                for sample in *from..=*to {
                    let at = u32::from(reference.fiducial) + sample - fiducial - 1;
                    let value = reference.leads[lead].get(at as usize).copied().unwrap_or(0);
                    samples[(sample - first) as usize] -= value;
                }
            }
        }
        let Some(factor) = self.bimodal else { return samples };
        let is_protected = |at: usize| {
            let sample = first + at as u32;
            reference.protected.iter().any(|(from, to)| (*from..=*to).contains(&sample))
        };
        let (mut stored, mut at) = (Vec::new(), 0);
        while at < samples.len() {
            if is_protected(at) {
                stored.push(samples[at]);
                at += 1;
                continue;
            }
            let free = (at..samples.len()).take(factor).take_while(|at| !is_protected(*at)).count();
            let sum: i32 = samples[at..at + free].iter().map(|one| i32::from(*one)).sum();
            stored.push((f64::from(sum) / free as f64).round() as i16);
            at += free;
        }
        stored
    }

    /// Differences and codes of samples.
    pub fn stream(&self, samples: &[i16]) -> Vec<u8> {
        let at = |index: usize| i64::from(samples[index]);
        let difference = |index: usize| -> i16 {
            let wide = match (self.difference, index) {
                (0 | 3.., _) | (_, 0) | (2, 1) => at(index),
                (1, _) => at(index) - at(index - 1),
                _ => at(index) - 2 * at(index - 1) + at(index - 2),
            };
            wide as i16
        };
        let values: Vec<i16> = (0..samples.len()).map(difference).collect();
        let mut bytes = match &self.tables {
            Tables::Raw => values.iter().flat_map(|one| one.to_le_bytes()).collect(),
            Tables::Default => coded(&values, &[default_codes()]),
            Tables::Own(tables) => coded(&values, tables),
        };
        if bytes.len() % 2 == 1 {
            bytes.push(0);
        }
        bytes
    }
}

pub fn read_bytes(bytes: &[u8]) -> Result<Recording, Refusal> {
    read(&[Part { name: "made.scp", bytes }])
}

/// Codes each value in the table at hand, or switches to one that can.
fn coded(values: &[i16], tables: &[Vec<Code>]) -> Vec<u8> {
    let mut bits = String::new();
    let mut table = 0;
    for &wanted in values {
        let mut code = code_of(&tables[table], wanted);
        if code.is_none() {
            let next =
                (0..tables.len()).find(|next| code_of(&tables[*next], wanted).is_some()).unwrap();
            let switch = Meaning::Switch(next as i16 + 1);
            bits += tables[table].iter().find(|code| code.meaning == switch).unwrap().bits;
            table = next;
            code = code_of(&tables[table], wanted);
        }
        let code = code.unwrap();
        bits += code.bits;
        if code.extra > 0 {
            let word = format!("{:016b}", wanted.cast_unsigned());
            bits += &word[16 - code.extra as usize..];
        }
    }
    let bytes = bits.as_bytes().chunks(8).map(|eight| {
        eight.iter().enumerate().fold(0, |byte, (at, bit)| byte | (bit - b'0') << (7 - at))
    });
    bytes.collect()
}

fn code_of(table: &[Code], wanted: i16) -> Option<&Code> {
    table.iter().find(|code| match (code.meaning, code.extra) {
        (Meaning::Value(value), 0) => value == wanted,
        (Meaning::Value(_), extra) => {
            i32::from(wanted) >= -(1 << (extra - 1)) && i32::from(wanted) < 1 << (extra - 1)
        }
        (Meaning::Switch(_), _) => false,
    })
}

fn section_2(tables: &[Vec<Code>]) -> Vec<u8> {
    let mut body = (tables.len() as u16).to_le_bytes().to_vec();
    for table in tables {
        body.extend((table.len() as u16).to_le_bytes());
        for code in table {
            let (mode, base) = match code.meaning {
                Meaning::Value(value) => (1, value),
                Meaning::Switch(table) => (0, table),
            };
            body.extend([code.bits.len() as u8, code.bits.len() as u8 + code.extra as u8, mode]);
            body.extend(base.to_le_bytes());
            let first_lowest: String = code.bits.chars().rev().collect();
            body.extend(u32::from_str_radix(&first_lowest, 2).unwrap().to_le_bytes());
        }
    }
    body
}

fn section_4(reference: &Reference) -> Vec<u8> {
    let samples = reference.leads[0].len() as u64;
    let length_ms = (samples * u64::from(reference.interval_us) / 1000) as u16;
    let mut body = length_ms.to_le_bytes().to_vec();
    body.extend(reference.fiducial.to_le_bytes());
    body.extend((reference.beats.len() as u16).to_le_bytes());
    for (kind, first, fiducial, last) in &reference.beats {
        body.extend(kind.to_le_bytes());
        for sample in [first, fiducial, last] {
            body.extend(sample.to_le_bytes());
        }
    }
    for (first, last) in &reference.protected {
        body.extend(first.to_le_bytes());
        body.extend(last.to_le_bytes());
    }
    body
}

fn block(
    (multiplier, interval, difference, flag): (u16, u16, u8, u8),
    leads: &[Vec<u8>],
) -> Vec<u8> {
    let mut body = multiplier.to_le_bytes().to_vec();
    body.extend(interval.to_le_bytes());
    body.extend([difference, flag]);
    for lead in leads {
        body.extend((lead.len() as u16).to_le_bytes());
    }
    body.extend(leads.concat());
    body
}

/// Sections with their headers behind a pointer section; `base` is what pointers count from.
pub fn record(protocol: u8, bodies: &[(u16, Vec<u8>)], base: u32) -> Vec<u8> {
    let pointer_length = 16 + 10 * (bodies.len() as u32 + 1);
    let mut at = 6 + base;
    let mut pointers = Vec::new();
    let mut pointer = |id: u16, length: u32| {
        pointers.extend(id.to_le_bytes());
        pointers.extend(length.to_le_bytes());
        pointers.extend(at.to_le_bytes());
        at += length;
    };
    pointer(0, pointer_length);
    let sections: Vec<Vec<u8>> =
        bodies.iter().map(|(id, body)| section(*id, protocol, b"\0\0\0\0\0\0", body)).collect();
    for ((id, _), section) in bodies.iter().zip(&sections) {
        pointer(*id, section.len() as u32);
    }
    let mut content = section(0, protocol, b"SCPECG", &pointers);
    content.extend(sections.concat());
    let mut record = (content.len() as u32 + 6).to_le_bytes().to_vec();
    record.extend(content);
    sealed(record)
}

fn section(id: u16, protocol: u8, reserved: &[u8; 6], body: &[u8]) -> Vec<u8> {
    let mut section = id.to_le_bytes().to_vec();
    let fill = body.len() % 2;
    section.extend((16 + (body.len() + fill) as u32).to_le_bytes());
    section.extend([protocol, protocol]);
    section.extend(reserved);
    section.extend(body);
    section.resize(section.len() + fill, 0);
    sealed(section)
}

/// Bytes behind their checksum: the remainder of a division by x^16 + x^12 + x^5 + 1, bit by bit.
pub fn sealed(bytes: Vec<u8>) -> Vec<u8> {
    let mut register: u32 = 0xFFFF;
    for bit in bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| u32::from(byte >> bit & 1)))
    {
        let out = register >> 15 & 1;
        register = register << 1 & 0xFFFF;
        if out ^ bit == 1 {
            register ^= 0x1021;
        }
    }
    let mut sealed = (register as u16).to_le_bytes().to_vec();
    sealed.extend(bytes);
    sealed
}

/// An ECG-like lead: a slow base and a steep beat around every 200th sample from the 101st.
pub fn beats(length: usize, height: i32) -> Vec<i16> {
    let base = |at: usize| (f64::from(at as u32) / 40.0).sin() * 20.0;
    (0..length).map(|at| base(at) as i16 + rise((at % 200) as i32 - 100, height)).collect()
}

/// The steep beat alone, its peak at sample 41 from 1.
pub fn steep(height: i32) -> Vec<i16> {
    (0..100).map(|at| rise(at - 40, height)).collect()
}

fn rise(from_peak: i32, height: i32) -> i16 {
    (height - from_peak.abs() * height / 8).max(0) as i16
}

pub fn codes(recording: &Recording) -> Vec<&str> {
    recording.problems.iter().map(|problem| problem.code.as_str()).collect()
}
