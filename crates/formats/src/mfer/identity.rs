//! Who, when and with which device.

use precordia_model::{
    DeviceDescription, DevicePatient, DeviceTime, PartialDate, Phi, Problem, Sex,
};

use super::content::{Content, tag};
use super::scale::{self, ByteOrder};
use crate::build::{self, ClockTime};

/// UTF-8 where it is, else byte by byte: the character sets that files name are not all known.
pub(crate) fn text(bytes: &[u8]) -> Option<String> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    };
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0').to_owned();
    Some(text).filter(|text| !text.is_empty())
}

fn first(contents: &[Content], tag: u8) -> Option<&Content> {
    contents.iter().find(|content| content.tag == tag && content.channel.is_none())
}

/// `manufacturer^model^version^serial`
pub(crate) fn device(contents: &[Content]) -> DeviceDescription {
    let Some(content) = first(contents, tag::MANUFACTURER) else {
        return DeviceDescription::default();
    };
    let whole = text(&content.bytes).unwrap_or_default();
    let mut fields = whole
        .split('^')
        .map(|field| Some(field.trim().to_owned()).filter(|field| !field.is_empty()));
    DeviceDescription {
        manufacturer: fields.next().flatten(),
        model: fields.next().flatten(),
        software: fields.next().flatten(),
        serial: fields.next().flatten().map(Phi::new),
    }
}

pub(crate) fn patient(
    contents: &[Content],
    order: ByteOrder,
    problems: &mut Vec<Problem>,
) -> DevicePatient {
    let read = |tag| first(contents, tag).and_then(|content| text(&content.bytes));
    let (age_years, birth_date) = first(contents, tag::PATIENT_AGE)
        .map_or((None, None), |content| age(content, order, problems));
    DevicePatient {
        id: read(tag::PATIENT_ID).map(Phi::new),
        name_as_written: read(tag::PATIENT_NAME).map(Phi::new),
        birth_date: birth_date.map(Phi::new),
        sex: match first(contents, tag::PATIENT_SEX).map(|content| &content.bytes[..]) {
            Some([1]) => Some(Sex::Male),
            Some([2]) => Some(Sex::Female),
            Some([3]) => Some(Sex::Other),
            _ => None,
        },
        age_years: if birth_date.is_none() { age_years } else { None },
        ..DevicePatient::default()
    }
}

/// Years, days in two bytes, and the birth date as year, month and day. All bits set is unknown.
fn age(
    content: &Content,
    order: ByteOrder,
    problems: &mut Vec<Problem>,
) -> (Option<u16>, Option<PartialDate>) {
    let years = content.bytes.first().filter(|&&years| years <= 130).map(|&years| years.into());
    let Some(&[year_high, year_low, month, day]) = content.bytes.get(3..7) else {
        return (years, None);
    };
    let year = scale::whole(&[year_high, year_low], order).unwrap_or(0);
    let date = PartialDate::parse(&format!("{year:04}-{month:02}-{day:02}"));
    if date.is_none() && !matches!(year, 0 | 0xFFFF) {
        let text = "the birth date does not exist; it was not read";
        problems.push(Problem::warning("birth_date_invalid", content.place(), text));
    }
    (years, date)
}

/// Year in two bytes, month, day, hour, minute, second, milliseconds and microseconds in two each.
pub(crate) fn acquired_at(
    contents: &[Content],
    order: ByteOrder,
    problems: &mut Vec<Problem>,
) -> Option<DeviceTime> {
    let content = first(contents, tag::TIME)?;
    let Some(&[a, b, month, day, ref clock @ ..]) = content.bytes.get(..) else {
        let text = "the time of the recording is too short to be one";
        problems.push(Problem::warning("acquisition_time_invalid", content.place(), text));
        return None;
    };
    let year = scale::whole(&[a, b], order).unwrap_or(0);
    let mut as_written = format!("{year:04}-{month:02}-{day:02}");
    let pair = |at: usize| {
        clock.get(at..at + 2).and_then(|pair| scale::whole(pair, order)).filter(|&n| n < 1000)
    };
    let time = clock.get(..3).map(|clock| {
        let micros = pair(3).unwrap_or(0) * 1000 + pair(5).unwrap_or(0);
        ClockTime {
            hour: clock[0].into(),
            minute: clock[1].into(),
            second: clock[2].into(),
            micros: micros as u32,
        }
    });
    if let Some(ClockTime { hour, minute, second, .. }) = time {
        as_written.push_str(&format!(" {hour:02}:{minute:02}:{second:02}"));
    }
    let known = build::device_time(as_written, [year as i64, month.into(), day.into()], time, None);
    if known.local.is_none() {
        let text = "the date or time of the recording does not exist; it is kept as written";
        problems.push(Problem::warning("acquisition_time_invalid", content.place(), text));
    }
    Some(known)
}
