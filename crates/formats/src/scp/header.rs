//! The tagged fields of section 1: person, device, time and filters. EN 1064 5.4.
//!
//! Nothing is verified. A field that is not what its tag says, and every field that a recording has no
//! place for, is kept as written.

use precordia_model::{
    DeviceDescription, DevicePatient, DeviceTime, Filters, PartialDate, Phi, Problem, Sex,
    UnmappedField,
};

use super::bytes::Bytes;
use super::text::TextReader;
use crate::build::{self, ClockTime};
use crate::{person, unmapped};

const PLACE: &str = "section 1";
const TERMINATOR: u8 = 255;
/// Nobody whose ECG is read was born before, and no ECG is recorded after.
const YEARS: std::ops::RangeInclusive<u16> = 1850..=2199;
const FIELDS_MAX: usize = 500;
/// Where the language support code stands in a device's identification.
const LANGUAGE: usize = 16;
/// Units of tag 4, by their number.
const AGES: [&str; 6] = ["", "years", "months", "weeks", "days", "hours"];
/// Where its texts begin.
const DEVICE_TEXTS: usize = 36;

/// What section 1 says.
pub(crate) struct Header {
    pub device: DeviceDescription,
    pub patient: DevicePatient,
    pub acquired_at: Option<DeviceTime>,
    pub filters: Filters,
    pub unmapped: Vec<UnmappedField>,
}

struct Fields<'a> {
    fields: Vec<(u8, &'a [u8])>,
    problems: &'a mut Vec<Problem>,
}

/// The language support code of the acquiring device.
pub(crate) fn language(body: &[u8]) -> Option<u8> {
    let (fields, _) = split(body);
    let (_, device) = fields.into_iter().find(|(tag, _)| *tag == 14)?;
    device.get(LANGUAGE).copied()
}

pub(crate) fn read(body: &[u8], text: &mut TextReader, problems: &mut Vec<Problem>) -> Header {
    let (fields, complete) = split(body);
    if !complete {
        let message = "a field is longer than the section; it and what follows were not read";
        problems.push(Problem::warning("tags_truncated", PLACE, message));
    }
    let mut fields = Fields { fields, problems };
    let acquired_at = fields.acquired_at();
    let birth_date = fields.birth_date(acquired_at.as_ref());
    let (family, given) = (fields.text(0, text), fields.text(1, text));
    let name = match (&family, &given) {
        (None, None) => None,
        (family, None) => family.clone(),
        (family, Some(given)) => Some(format!("{}^{given}", family.as_deref().unwrap_or_default())),
    };
    let age_years = if birth_date.is_none() { fields.age_years() } else { None };
    let patient = DevicePatient {
        id: fields.text(2, text).map(Phi::new),
        id_issuer: None,
        family: family.map(Phi::new),
        given: given.map(Phi::new).into_iter().collect(),
        name_as_written: name.map(Phi::new),
        birth_date: birth_date.map(Phi::new),
        sex: fields.sex(),
        age_years,
    };
    Header {
        device: fields.device(text),
        patient,
        acquired_at,
        filters: fields.filters(),
        unmapped: fields.unmapped(text),
    }
}

/// Tag, length in 16 bits, value; until the terminator. Also whether all of them fit.
fn split(body: &[u8]) -> (Vec<(u8, &[u8])>, bool) {
    let bytes = Bytes(body);
    let (mut fields, mut at) = (Vec::new(), 0);
    while let Some(tag) = bytes.u8(at).filter(|tag| *tag != TERMINATOR) {
        let length = bytes.u16(at + 1).map(usize::from);
        let Some(value) = length.and_then(|length| bytes.slice(at + 3, length)) else {
            return (fields, false);
        };
        if fields.len() < FIELDS_MAX {
            fields.push((tag, value));
        }
        at += 3 + value.len();
    }
    (fields, true)
}

impl<'a> Fields<'a> {
    /// Takes the first field of a tag; one that stays is unmapped.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let at = self.fields.iter().position(|(own, _)| *own == tag)?;
        Some(self.fields.remove(at).1)
    }

    fn text(&mut self, tag: u8, text: &mut TextReader) -> Option<String> {
        text.read(self.take(tag)?)
    }

    /// A field that is not what its tag says stays among the unmapped ones.
    fn keep(&mut self, tag: u8, value: &'a [u8], code: &str, what: &str) {
        self.fields.push((tag, value));
        let text = format!("tag {tag} is {what}; it was not read");
        self.problems.push(Problem::warning(code, PLACE, text));
    }

    /// Year in 16 bits, month, day. `None` where absent, all zero or no date.
    fn date(&mut self, tag: u8, code: &str) -> Option<[i64; 3]> {
        let value = self.take(tag)?;
        let bytes = Bytes(value);
        if value.iter().all(|byte| *byte == 0) {
            return None;
        }
        let date = |year: u16| {
            let (month, day) = (bytes.u8(2)?, bytes.u8(3)?);
            PartialDate::parse(&format!("{year:04}-{month:02}-{day:02}"))?;
            YEARS.contains(&year).then(|| [i64::from(year), i64::from(month), i64::from(day)])
        };
        let year = bytes.u16(0).filter(|_| value.len() == 4);
        if let Some(read) = year.and_then(date) {
            return Some(read);
        }
        // No year of one byte order is one of the other, so the order is proven by the year.
        if let Some(read) = year.map(u16::swap_bytes).and_then(date) {
            let text = format!("the year in tag {tag} has its high byte first and was read so");
            self.problems.push(Problem::warning("date_big_endian", PLACE, text));
            return Some(read);
        }
        self.keep(tag, value, code, "no date");
        None
    }

    fn acquired_at(&mut self) -> Option<DeviceTime> {
        let date = self.date(25, "acquired_at_invalid")?;
        let time = self.take(26);
        let offset = self.utc_offset_minutes();
        let clock = time.filter(|time| time.len() == 3).map(|time| ClockTime {
            hour: i64::from(time[0]),
            minute: i64::from(time[1]),
            second: i64::from(time[2]),
            micros: 0,
        });
        let [year, month, day] = date;
        let mut written = format!("{year:04}-{month:02}-{day:02}");
        if let Some(ClockTime { hour, minute, second, .. }) = clock {
            written.push_str(&format!(" {hour:02}:{minute:02}:{second:02}"));
        }
        let read = build::device_time(written, date, clock, offset);
        if read.local.is_none() {
            let text = "the time of acquisition is none";
            self.problems.push(Problem::warning("acquired_at_invalid", PLACE, text));
        }
        Some(read)
    }

    /// Tag 34: minutes from UTC, 0x7FFF where not known.
    fn utc_offset_minutes(&mut self) -> Option<i16> {
        let at = self.fields.iter().find(|(tag, _)| *tag == 34)?.1;
        Bytes(at).i16(0).filter(|minutes| minutes.unsigned_abs() <= 14 * 60)
    }

    fn birth_date(&mut self, acquired_at: Option<&DeviceTime>) -> Option<PartialDate> {
        let day = |text: &str| PartialDate::parse(text.split('T').next()?);
        let acquired_on = acquired_at.and_then(|time| day(time.local.as_deref()?));
        let [year, month, date] = self.date(5, "birth_date_invalid")?;
        let read = day(&format!("{year:04}-{month:02}-{date:02}"));
        person::birth_date(read, acquired_on, PLACE, self.problems)
    }

    /// Tag 4: a number and its unit.
    fn age_years(&mut self) -> Option<u16> {
        let value = self.take(4)?;
        let bytes = Bytes(value);
        let (number, unit) = (bytes.u16(0)?, bytes.u8(2)?);
        if (number, unit) == (0, 0) {
            return None;
        }
        let age = match AGES.get(usize::from(unit)) {
            Some(&"hours") => Some(number / (24 * 365)),
            Some(unit) => person::age_years(f64::from(number), unit),
            None => None,
        };
        if age.is_none() {
            self.keep(4, value, "tag_not_numeric", "no age");
        }
        age
    }

    fn sex(&mut self) -> Option<Sex> {
        let value = self.take(8)?;
        match value {
            [1] => Some(Sex::Male),
            [2] => Some(Sex::Female),
            [0 | 9] => Some(Sex::Unknown),
            [] => None,
            _ => {
                self.keep(8, value, "tag_not_numeric", "none of the codes of sex");
                Some(Sex::Unknown)
            }
        }
    }

    fn filters(&mut self) -> Filters {
        let mut number =
            |tag| self.take(tag).and_then(|value| Bytes(value).u16(0)).filter(|n| *n > 0);
        let low_hz = number(27).map(|hundredths| f64::from(hundredths) / 100.0);
        let high_hz = number(28).map(f64::from);
        let bits =
            self.fields.iter().find(|(tag, _)| *tag == 29).and_then(|(_, value)| value.first());
        let notch_hz = match bits.map(|bits| bits & 3) {
            Some(1) => Some(60.0),
            Some(2) => Some(50.0),
            _ => None,
        };
        Filters { low_hz, high_hz, notch_hz }
    }

    /// Tag 14: numbers, a short model, codes, and five texts one after the other.
    fn device(&mut self, text: &mut TextReader) -> DeviceDescription {
        let Some(value) = self.fields.iter().find(|(tag, _)| *tag == 14).map(|(_, value)| *value)
        else {
            return DeviceDescription::default();
        };
        let mut texts = value.get(DEVICE_TEXTS..).unwrap_or_default().split(|byte| *byte == 0);
        let mut next = || {
            let read = text.read(texts.next().unwrap_or_default());
            read.filter(|read| !read.eq_ignore_ascii_case("unknown"))
        };
        let (_program, serial, software, _implementation, manufacturer) =
            (next(), next(), next(), next(), next());
        let by_code = || value.get(7).and_then(|code| manufacturer_name(*code)).map(str::to_owned);
        DeviceDescription {
            manufacturer: manufacturer.or_else(by_code),
            model: text.read(value.get(8..14).unwrap_or_default()),
            software,
            serial: serial.map(Phi::new),
        }
    }

    fn unmapped(&mut self, text: &mut TextReader) -> Vec<UnmappedField> {
        let mut kept = Vec::new();
        for (tag, value) in std::mem::take(&mut self.fields) {
            let value = kept_as(tag, value, text).unwrap_or_default();
            unmapped::keep(&mut kept, format!("section 1 tag {tag}"), &value);
        }
        kept
    }
}

/// A field as a person reads it: text, a number with its unit, or bytes.
fn kept_as(tag: u8, value: &[u8], text: &mut TextReader) -> Option<String> {
    const HEIGHTS: [&str; 4] = ["", "cm", "in", "mm"];
    const WEIGHTS: [&str; 5] = ["", "kg", "g", "lb", "oz"];
    let bytes = Bytes(value);
    let with_unit = |units: &[&str]| {
        let (number, unit) = (bytes.u16(0)?, units.get(usize::from(bytes.u8(2)?))?);
        (value.len() == 3 && !unit.is_empty()).then(|| format!("{number} {unit}"))
    };
    let known = match tag {
        4 => with_unit(&AGES),
        6 => with_unit(&HEIGHTS),
        7 => with_unit(&WEIGHTS),
        // A class of drugs, a code in it, and its name (table of 5.4.5, tag 10).
        10 if value.len() > 3 => text
            .read(&value[3..])
            .map(|name| format!("class {} code {}: {name}", value[1], value[2])),
        11 | 12 if value.len() == 2 => bytes.u16(0).map(|pressure| format!("{pressure} mm[Hg]")),
        3 | 13 | 16..=23 | 30 | 31 | 35 => return text.read(value),
        _ => None,
    };
    known.or_else(|| Some(hexadecimal(value)))
}

fn hexadecimal(value: &[u8]) -> String {
    value.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Codes of manufacturers of old devices; newer ones write their name (5.4.5 tag 14).
fn manufacturer_name(code: u8) -> Option<&'static str> {
    const NAMES: [&str; 20] = [
        "Burdick",
        "Cambridge",
        "Compumed",
        "Datamed",
        "Fukuda",
        "Hewlett-Packard",
        "Marquette Electronics",
        "Mortara Instruments",
        "Nihon Kohden",
        "Okin",
        "Quinton",
        "Siemens",
        "Spacelabs",
        "Telemed",
        "Hellige",
        "Esaote",
        "Schiller",
        "Picker-Schwarzer",
        "Elettronica Trentina",
        "Zwönitz",
    ];
    NAMES.get(usize::from(code.checked_sub(1)?)).copied()
}
