//! Dates and times as DICOM writes them (PS3.5 6.2: DA, TM, DT) to the device's own reading.
//!
//! No clock and no time zone is consulted: what the file does not say stays unknown. An impossible
//! date is kept as written with a problem and never becomes another date.

use precordia_model::{DeviceTime, PartialDate, Problem, ZoneKnowledge};

use super::element::DataSet;
use super::tag::{self, Tag};

/// Years outside are no recordings. The upper limit is a plain bound, since this crate has no clock.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2100;

/// When the recording was made, with what is doubtful about it. PS3.3 C.10.8: Acquisition DateTime;
/// older writers split it.
pub(crate) fn acquired_at(set: &DataSet<'_>, problems: &mut Vec<Problem>) -> Option<DeviceTime> {
    let attribute_zone = zone_attribute(set, problems);
    let (as_written, place, reading) = if let Some(text) = written(set, tag::ACQUISITION_DATE_TIME)
    {
        let reading = date_time(&text);
        (text, "AcquisitionDateTime", reading)
    } else if let Some(day) = written(set, tag::ACQUISITION_DATE) {
        let time = written(set, tag::ACQUISITION_TIME);
        let reading = date_and_time(&day, time.as_deref());
        (time.map_or(day.clone(), |time| format!("{day} {time}")), "AcquisitionDate", reading)
    } else {
        let text = "the file does not say when the recording was made";
        problems.push(Problem::warning("acquisition_time_absent", "AcquisitionDateTime", text));
        return None;
    };
    let Some(reading) = reading else {
        let text = "the date and time of acquisition is not one; it is kept as written";
        problems.push(Problem::warning("acquisition_time_invalid", place, text));
        return Some(DeviceTime { as_written, local: None, zone: ZoneKnowledge::Unknown });
    };
    if !reading.local.contains('T') {
        let text = "only a part of the date and time of acquisition is known";
        problems.push(Problem::info("acquisition_time_partial", place, text));
    }
    if !YEARS.contains(&reading.year) {
        let text = "the year of acquisition is outside 1900 to 2100";
        problems.push(Problem::warning("acquisition_time_implausible", place, text));
    }
    let zone = match (reading.zone_minutes, attribute_zone) {
        (Some(own), Some(general)) if own != general => {
            // PS3.5 6.2: an offset in the value itself is that value's own.
            let text = "the offset in the time differs from the object's time zone; the time's own is used";
            problems.push(Problem::warning("timezone_conflict", place, text));
            Some(own)
        }
        (own, general) => own.or(general),
    };
    let zone = zone.map_or(ZoneKnowledge::Unknown, |minutes| ZoneKnowledge::Offset { minutes });
    Some(DeviceTime { as_written, local: Some(reading.local), zone })
}

/// A date value (DA), also in the form of ACR-NEMA that PS3.5 6.2 lets readers accept.
pub(crate) fn date(text: &str) -> Option<PartialDate> {
    let digits: String = match text.as_bytes() {
        [_, _, _, _, b'.', _, _, b'.', _, _] => text.replace('.', ""),
        _ => text.to_owned(),
    };
    let all_digits = digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits {
        return None;
    }
    PartialDate::parse(&format!("{}-{}-{}", &digits[..4], &digits[4..6], &digits[6..]))
}

/// A date-time as understood; `local` is ISO 8601 to the precision written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    pub local: String,
    pub year: i16,
    pub zone_minutes: Option<i16>,
}

/// PS3.5 6.2 DT: `YYYYMMDDHHMMSS.FFFFFF&ZZXX`, cut anywhere after the year.
pub(crate) fn date_time(text: &str) -> Option<Reading> {
    let (stamp, zone_minutes) = match text.find(['+', '-']) {
        Some(at) => (&text[..at], Some(offset_minutes(&text[at..])?)),
        None => (text, None),
    };
    let (digits, fraction) = match stamp.split_once('.') {
        Some((digits, fraction)) => (digits, Some(fraction)),
        None => (stamp, None),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let day = match digits.len() {
        4 => digits.to_owned(),
        6 => format!("{}-{}", &digits[..4], &digits[4..6]),
        8.. => format!("{}-{}-{}", &digits[..4], &digits[4..6], &digits[6..8]),
        _ => return None,
    };
    PartialDate::parse(&day)?;
    let year = digits[..4].parse().ok()?;
    let local = match digits.get(8..).filter(|rest| !rest.is_empty()) {
        Some(clock) => format!("{day}T{}", clock_text(clock, fraction)?),
        None if fraction.is_some() => return None,
        None => day,
    };
    Some(Reading { local, year, zone_minutes })
}

fn date_and_time(day: &str, time: Option<&str>) -> Option<Reading> {
    let day = date(day)?.to_string();
    let year = day[..4].parse().ok()?;
    let local = match time {
        None => day,
        Some(time) => {
            let time = time.replace(':', "");
            let (digits, fraction) = match time.split_once('.') {
                Some((digits, fraction)) => (digits, Some(fraction)),
                None => (time.as_str(), None),
            };
            format!("{day}T{}", clock_text(digits, fraction)?)
        }
    };
    Some(Reading { local, year, zone_minutes: None })
}

/// `HH`, `HHMM` or `HHMMSS` with an optional fraction of the second; second 60 is a leap second.
fn clock_text(digits: &str, fraction: Option<&str>) -> Option<String> {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |at: usize, max: u8| {
        digits.get(at..at + 2)?.parse::<u8>().ok().filter(|&value| value <= max)
    };
    let hour = part(0, 23)?;
    let text = match digits.len() {
        2 => format!("{hour:02}"),
        4 => format!("{hour:02}:{:02}", part(2, 59)?),
        6 => format!("{hour:02}:{:02}:{:02}", part(2, 59)?, part(4, 60)?),
        _ => return None,
    };
    match fraction {
        None => Some(text),
        Some(fraction) => {
            let good = digits.len() == 6
                && (1..=6).contains(&fraction.len())
                && fraction.bytes().all(|byte| byte.is_ascii_digit());
            good.then(|| format!("{text}.{fraction}"))
        }
    }
}

/// PS3.3 C.12.1.1.8 and PS3.5 6.2: `+HHMM` from -1200 to +1400.
fn offset_minutes(text: &str) -> Option<i16> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits = &text[1..];
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let hours: i16 = digits[..2].parse().ok()?;
    let minutes: i16 = digits[2..].parse().ok().filter(|&minutes| minutes < 60)?;
    let offset = sign * (hours * 60 + minutes);
    // "-0000" is excluded by the standard: it says that nothing is known.
    let excluded = offset == 0 && sign < 0;
    (!excluded && (-720..=840).contains(&offset)).then_some(offset)
}

fn zone_attribute(set: &DataSet<'_>, problems: &mut Vec<Problem>) -> Option<i16> {
    let text = set.ascii(tag::TIMEZONE_OFFSET)?;
    let offset = offset_minutes(text);
    if offset.is_none() {
        let text = "the time zone offset is not one; the zone stays unknown";
        problems.push(Problem::warning("timezone_invalid", "TimezoneOffsetFromUTC", text));
    }
    offset
}

/// The first value, in ASCII; any other byte becomes U+FFFD, which no date has.
fn written(set: &DataSet<'_>, tag: Tag) -> Option<String> {
    let text = String::from_utf8_lossy(set.bytes(tag)?);
    let kept: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let kept = kept.trim();
    (!kept.is_empty()).then(|| kept.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_times_keep_their_precision_and_their_own_offset() {
        let cases = [
            ("20240229101112", Some(("2024-02-29T10:11:12", None))),
            ("20240229101112.123456", Some(("2024-02-29T10:11:12.123456", None))),
            ("20240229101112.5+0530", Some(("2024-02-29T10:11:12.5", Some(330)))),
            ("20240229101112-0330", Some(("2024-02-29T10:11:12", Some(-210)))),
            ("202402291011", Some(("2024-02-29T10:11", None))),
            ("2024022910", Some(("2024-02-29T10", None))),
            ("20240229", Some(("2024-02-29", None))),
            ("202402", Some(("2024-02", None))),
            ("2024", Some(("2024", None))),
            ("20161231235960", Some(("2016-12-31T23:59:60", None))),
            ("20240231101112", None),
            ("20230229101112", None),
            ("20240229256112", None),
            ("00000000000000", None),
            ("2024.02.29 10:11", None),
            ("20240229101112+1500", None),
            ("20240229101112-0000", None),
            ("20240229101112.", None),
            ("20240229.5", None),
            ("202", None),
            ("XXXXXXXX", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let reading = date_time(text);
            let found =
                reading.as_ref().map(|reading| (reading.local.as_str(), reading.zone_minutes));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn dates_are_read_in_the_old_form_too_and_must_exist() {
        let read = |text| date(text).map(|day| day.to_string());
        assert_eq!(read("19500102").as_deref(), Some("1950-01-02"));
        assert_eq!(read("1950.01.02").as_deref(), Some("1950-01-02"));
        for text in ["19500231", "1950", "1950-01-02", "00010000", "XXXXXXXX", "日日日", ""] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_split_date_and_time_is_joined() {
        let read = |day, time| date_and_time(day, time).map(|reading| reading.local);
        assert_eq!(read("20230405", Some("0607")).as_deref(), Some("2023-04-05T06:07"));
        assert_eq!(read("2023.04.05", Some("06:07:08")).as_deref(), Some("2023-04-05T06:07:08"));
        assert_eq!(read("20230405", None).as_deref(), Some("2023-04-05"));
        assert_eq!(read("20230405", Some("2460")), None);
    }
}
