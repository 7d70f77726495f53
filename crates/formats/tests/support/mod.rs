//! DICOM objects made byte by byte, right and wrong, independently of the crate's own writer.

#![allow(dead_code, clippy::unwrap_used)]

use std::io::Write as _;

use precordia_formats::dicom;
use precordia_model::{Recording, Refusal};

pub const TWELVE_LEAD: &str = "1.2.840.10008.5.1.4.1.1.9.1.1";
pub const GENERAL: &str = "1.2.840.10008.5.1.4.1.1.9.1.2";
pub const HEMODYNAMIC: &str = "1.2.840.10008.5.1.4.1.1.9.2.1";

#[derive(Clone, Debug)]
pub enum Value {
    Text(Vec<u8>),
    Shorts(Vec<u16>),
    Long(u32),
    /// As they are, in any byte order.
    Raw(Vec<u8>),
    Items(Vec<Set>),
}

#[derive(Clone, Debug)]
pub struct Element {
    pub tag: u32,
    pub vr: &'static str,
    pub value: Value,
}

pub type Set = Vec<Element>;

pub fn text(tag: u32, vr: &'static str, text: impl AsRef<[u8]>) -> Element {
    Element { tag, vr, value: Value::Text(text.as_ref().to_vec()) }
}

pub fn short(tag: u32, value: u16) -> Element {
    Element { tag, vr: "US", value: Value::Shorts(vec![value]) }
}

pub fn raw(tag: u32, vr: &'static str, bytes: impl Into<Vec<u8>>) -> Element {
    Element { tag, vr, value: Value::Raw(bytes.into()) }
}

pub fn sequence(tag: u32, items: Vec<Set>) -> Element {
    Element { tag, vr: "SQ", value: Value::Items(items) }
}

pub fn code(tag: u32, value: &str, scheme: &str, meaning: &str) -> Element {
    let item = vec![
        text(0x0008_0100, "SH", value),
        text(0x0008_0102, "SH", scheme),
        text(0x0008_0104, "LO", meaning),
    ];
    sequence(tag, vec![item])
}

/// How an object is put into bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    pub explicit: bool,
    pub big: bool,
    pub deflated: bool,
    pub undefined_lengths: bool,
    pub preamble: bool,
    pub meta: bool,
}

pub const EXPLICIT: Form = Form {
    explicit: true,
    big: false,
    deflated: false,
    undefined_lengths: false,
    preamble: true,
    meta: true,
};
pub const IMPLICIT: Form = Form { explicit: false, ..EXPLICIT };
pub const BIG: Form = Form { big: true, ..EXPLICIT };
pub const DEFLATED: Form = Form { deflated: true, ..EXPLICIT };

#[derive(Clone, Debug)]
pub struct Channel {
    pub source: Option<(&'static str, &'static str, &'static str)>,
    pub label: Option<&'static str>,
    pub sensitivity: Option<&'static str>,
    pub unit: Option<(&'static str, &'static str, &'static str)>,
    pub correction: Option<&'static str>,
    pub baseline: Option<&'static str>,
    pub bits_stored: Option<u16>,
    pub more: Set,
    /// Raw values as bits; the group's width cuts them.
    pub raw: Vec<i64>,
}

impl Channel {
    pub fn new(source: (&'static str, &'static str, &'static str), raw: &[i64]) -> Self {
        Self {
            source: Some(source),
            label: None,
            sensitivity: Some("1"),
            unit: Some(("uV", "UCUM", "microvolt")),
            correction: Some("1"),
            baseline: Some("0"),
            bits_stored: Some(16),
            more: Vec::new(),
            raw: raw.to_vec(),
        }
    }

    fn set(&self, number: usize) -> Set {
        let mut set = vec![text(0x003A_0202, "IS", number.to_string())];
        if let Some(label) = self.label {
            set.push(text(0x003A_0203, "SH", label));
        }
        if let Some((value, scheme, meaning)) = self.source {
            set.push(code(0x003A_0208, value, scheme, meaning));
        }
        let numbers = [
            (0x003A_0210, self.sensitivity),
            (0x003A_0212, self.correction),
            (0x003A_0213, self.baseline),
        ];
        set.extend(numbers.into_iter().filter_map(|(tag, value)| Some(text(tag, "DS", value?))));
        if let Some((value, scheme, meaning)) = self.unit {
            set.push(code(0x003A_0211, value, scheme, meaning));
        }
        set.extend(self.bits_stored.map(|bits| short(0x003A_021A, bits)));
        set.extend(self.more.clone());
        set.sort_by_key(|element| element.tag);
        set
    }
}

#[derive(Clone, Debug)]
pub struct Group {
    pub channels: Vec<Channel>,
    pub rate: Option<&'static str>,
    pub label: Option<&'static str>,
    pub originality: &'static str,
    pub allocated: u16,
    pub interpretation: Option<&'static str>,
    pub data_vr: &'static str,
    pub padding: Option<i64>,
    pub declared_channels: Option<u16>,
    pub declared_samples: Option<u32>,
    pub more: Set,
}

impl Group {
    pub fn new(channels: Vec<Channel>) -> Self {
        Self {
            channels,
            rate: Some("500"),
            label: Some("RHYTHM"),
            originality: "ORIGINAL",
            allocated: 16,
            interpretation: Some("SS"),
            data_vr: "OW",
            padding: None,
            declared_channels: None,
            declared_samples: None,
            more: Vec::new(),
        }
    }

    fn stored(&self, value: i64, big: bool) -> Vec<u8> {
        let bytes = usize::from(self.allocated / 8);
        let mut stored = value.to_le_bytes()[..bytes].to_vec();
        if big {
            stored.reverse();
        }
        stored
    }

    fn set(&self, big: bool) -> Set {
        let samples = self.channels.first().map_or(0, |channel| channel.raw.len());
        let rows =
            (0..samples).flat_map(|row| self.channels.iter().map(move |channel| channel.raw[row]));
        let mut data: Vec<u8> = rows.flat_map(|value| self.stored(value, big)).collect();
        if data.len() % 2 == 1 {
            data.push(0);
        }
        let definitions = self
            .channels
            .iter()
            .enumerate()
            .map(|(index, channel)| channel.set(index + 1))
            .collect();
        let mut set = vec![
            text(0x003A_0004, "CS", self.originality),
            short(0x003A_0005, self.declared_channels.unwrap_or(self.channels.len() as u16)),
            Element {
                tag: 0x003A_0010,
                vr: "UL",
                value: Value::Long(self.declared_samples.unwrap_or(samples as u32)),
            },
            sequence(0x003A_0200, definitions),
            short(0x5400_1004, self.allocated),
            raw(0x5400_1010, self.data_vr, data),
        ];
        set.extend(self.rate.map(|rate| text(0x003A_001A, "DS", rate)));
        set.extend(self.label.map(|label| text(0x003A_0020, "SH", label)));
        set.extend(self.interpretation.map(|name| text(0x5400_1006, "CS", name)));
        set.extend(
            self.padding.map(|value| raw(0x5400_100A, self.data_vr, self.stored(value, big))),
        );
        set.extend(self.more.clone());
        set.sort_by_key(|element| element.tag);
        set
    }
}

#[derive(Clone, Debug)]
pub struct Object {
    pub class: &'static str,
    pub groups: Vec<Group>,
    pub header: Set,
    pub form: Form,
}

impl Object {
    pub fn new(groups: Vec<Group>) -> Self {
        Self {
            class: GENERAL,
            groups,
            header: vec![
                text(0x0008_002A, "DT", "20240229101112"),
                text(0x0008_0060, "CS", "ECG"),
                text(0x0010_0010, "PN", "Noether^Emmy"),
                text(0x0010_0020, "LO", "P-1"),
            ],
            form: EXPLICIT,
        }
    }

    /// Sets or replaces an attribute of the object.
    pub fn with(mut self, element: Element) -> Self {
        self.header.retain(|known| known.tag != element.tag);
        self.header.push(element);
        self
    }

    pub fn without(mut self, tag: u32) -> Self {
        self.header.retain(|known| known.tag != tag);
        self
    }

    pub fn form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut set = self.header.clone();
        set.push(text(0x0008_0016, "UI", self.class));
        set.push(text(0x0008_0018, "UI", "1.2.3.4"));
        if !self.groups.is_empty() {
            set.push(sequence(
                0x5400_0100,
                self.groups.iter().map(|group| group.set(self.form.big)).collect(),
            ));
        }
        set.sort_by_key(|element| element.tag);
        let mut body = encode(&set, self.form);
        if self.form.deflated {
            let mut deflater =
                flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
            deflater.write_all(&body).unwrap();
            body = deflater.finish().unwrap();
        }
        file(&body, self.form, self.class)
    }

    #[track_caller]
    pub fn read(&self) -> Recording {
        dicom::read(&self.bytes()).unwrap_or_else(|refusal| panic!("refused: {refusal:?}"))
    }

    #[track_caller]
    pub fn refusal(&self) -> Refusal {
        match dicom::read(&self.bytes()) {
            Ok(_) => panic!("read what must be refused"),
            Err(refusal) => refusal,
        }
    }
}

/// The file around a data set.
pub fn file(body: &[u8], form: Form, class: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    if form.preamble {
        bytes.extend([0; 128]);
        bytes.extend(b"DICM");
    }
    if form.meta {
        let syntax = match (form.deflated, form.explicit, form.big) {
            (true, ..) => "1.2.840.10008.1.2.1.99",
            (_, false, _) => "1.2.840.10008.1.2",
            (_, true, false) => "1.2.840.10008.1.2.1",
            (_, true, true) => "1.2.840.10008.1.2.2",
        };
        let rest = encode(
            &vec![text(0x0002_0002, "UI", class), text(0x0002_0010, "UI", syntax)],
            EXPLICIT,
        );
        let length = Element { tag: 0x0002_0000, vr: "UL", value: Value::Long(rest.len() as u32) };
        bytes.extend(encode(&vec![length], EXPLICIT));
        bytes.extend(rest);
    }
    bytes.extend(body);
    bytes
}

pub fn encode(set: &Set, form: Form) -> Vec<u8> {
    let mut bytes = Vec::new();
    for element in set {
        let value = encode_value(element, form);
        let undefined = form.undefined_lengths && element.vr == "SQ";
        let length = if undefined { u32::MAX } else { value.len() as u32 };
        bytes.extend(u16_bytes((element.tag >> 16) as u16, form));
        bytes.extend(u16_bytes(element.tag as u16, form));
        if !form.explicit {
            bytes.extend(u32_bytes(length, form));
        } else if matches!(element.vr, "OB" | "OW" | "UN" | "SQ" | "UT" | "UC") {
            bytes.extend(element.vr.as_bytes());
            bytes.extend([0, 0]);
            bytes.extend(u32_bytes(length, form));
        } else {
            bytes.extend(element.vr.as_bytes());
            bytes.extend(u16_bytes(length as u16, form));
        }
        bytes.extend(value);
        if undefined {
            bytes.extend(u16_bytes(0xFFFE, form));
            bytes.extend(u16_bytes(0xE0DD, form));
            bytes.extend([0; 4]);
        }
    }
    bytes
}

fn encode_value(element: &Element, form: Form) -> Vec<u8> {
    let mut value = match &element.value {
        Value::Text(text) => {
            let mut text = text.clone();
            if text.len() % 2 == 1 {
                text.push(if element.vr == "UI" { 0 } else { b' ' });
            }
            text
        }
        Value::Shorts(values) => values.iter().flat_map(|&value| u16_bytes(value, form)).collect(),
        Value::Long(value) => u32_bytes(*value, form).to_vec(),
        Value::Raw(bytes) => bytes.clone(),
        Value::Items(items) => items.iter().flat_map(|item| encode_item(item, form)).collect(),
    };
    if value.len() % 2 == 1 {
        value.push(0);
    }
    value
}

fn encode_item(item: &Set, form: Form) -> Vec<u8> {
    let content = encode(item, form);
    let length = if form.undefined_lengths { u32::MAX } else { content.len() as u32 };
    let mut bytes = Vec::new();
    bytes.extend(u16_bytes(0xFFFE, form));
    bytes.extend(u16_bytes(0xE000, form));
    bytes.extend(u32_bytes(length, form));
    bytes.extend(content);
    if form.undefined_lengths {
        bytes.extend(u16_bytes(0xFFFE, form));
        bytes.extend(u16_bytes(0xE00D, form));
        bytes.extend([0; 4]);
    }
    bytes
}

fn u16_bytes(value: u16, form: Form) -> [u8; 2] {
    if form.big { value.to_be_bytes() } else { value.to_le_bytes() }
}

fn u32_bytes(value: u32, form: Form) -> [u8; 4] {
    if form.big { value.to_be_bytes() } else { value.to_le_bytes() }
}

pub const LEAD_I: (&str, &str, &str) = ("2:1", "MDC", "Lead I");
pub const LEAD_II: (&str, &str, &str) = ("2:2", "MDC", "Lead II");
pub const LEAD_III: (&str, &str, &str) = ("2:61", "MDC", "Lead III");
pub const LEAD_V1: (&str, &str, &str) = ("2:3", "MDC", "Lead V1");

/// Something like a heart: a second of it at 500 Hz has one spike.
pub fn beats(samples: usize, amplitude: i64) -> Vec<i64> {
    (0..samples)
        .map(|at| match at % 500 {
            100..110 => amplitude / 10,
            200 | 204 => amplitude / 2,
            201..204 => amplitude,
            205..208 => -amplitude / 4,
            300..340 => amplitude / 5,
            _ => (at % 3) as i64 - 1,
        })
        .collect()
}

/// One channel, three seconds, otherwise plain.
pub fn one_lead() -> Object {
    Object::new(vec![Group::new(vec![Channel::new(LEAD_II, &beats(1500, 900))])])
}

pub fn samples(recording: &Recording, lead: precordia_model::Lead) -> Vec<f32> {
    recording.rhythm.trace(lead).expect("lead is there").samples_uv.clone()
}

pub fn codes(recording: &Recording) -> Vec<&str> {
    recording.problems.iter().map(|problem| problem.code.as_str()).collect()
}
