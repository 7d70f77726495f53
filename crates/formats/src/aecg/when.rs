//! Times as HL7 V3 writes them (TS: `YYYYMMDDHHMMSS.FFFF+ZZzz`), and as ISO 8601 where a writer does.

use precordia_model::{DeviceTime, PartialDate, Problem, Timestamp, ZoneKnowledge};

use super::group::Group;
use crate::dicom::when as digits;
use crate::xml::Element;

/// Years outside are no recordings. The upper limit is a plain bound, since this crate has no clock.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2100;

/// When the recording was made: the time of the first sample, else of the whole ECG, else of the
/// series.
pub(crate) fn acquired_at(
    root: Element<'_>,
    rhythm: &Group<'_>,
    problems: &mut Vec<Problem>,
) -> Option<DeviceTime> {
    let head = rhythm.set.descendants("sequence").find_map(|sequence| {
        let code = sequence.child("code")?.glance("code")?;
        sequence.path("value/head").filter(|_| code == "TIME_ABSOLUTE")
    });
    let whole = root.child("effectiveTime").and_then(point);
    let own = rhythm.series.child("effectiveTime").and_then(point);
    let mut written = [head, whole, own].into_iter().flatten();
    let Some((element, text)) =
        written.next().and_then(|element| Some((element, element.some_attribute("value")?)))
    else {
        let text = "the file does not say when the recording was made";
        problems.push(Problem::warning("acquisition_time_absent", "effectiveTime", text));
        return None;
    };
    let place = element.place();
    let time = device_time(text);
    if time.local.is_none() {
        let text = "the time of acquisition is not one; it is kept as written";
        problems.push(Problem::warning("acquisition_time_invalid", place, text));
        return Some(time);
    }
    if text.contains(':') {
        let text = "the time of acquisition is written as ISO 8601 and not as HL7 has it";
        problems.push(Problem::info("time_dialect", place.as_str(), text));
    }
    if time.local.as_deref().and_then(year).is_none_or(|year| !YEARS.contains(&year)) {
        let text = "the year of acquisition is outside 1900 to 2100";
        problems.push(Problem::warning("acquisition_time_implausible", place.as_str(), text));
    }
    for other in written {
        let Some(value) = other.glance("value") else { continue };
        if differ(text, value) {
            let text = format!("another time of acquisition is in the file, at {}", other.place());
            problems.push(Problem::warning("acquisition_time_conflict", place.as_str(), text));
        } else {
            // The same moment said again has its place in the recording.
            other.attribute("value");
        }
    }
    Some(time)
}

/// The point of time that an interval is named by.
fn point(time: Element<'_>) -> Option<Element<'_>> {
    let says = |element: &Element<'_>| element.glance("value").is_some_and(|text| !text.is_empty());
    let ends = ["low", "center"].into_iter().filter_map(|name| time.child(name));
    ends.chain(Some(time)).find(says)
}

/// A minute apart is another recording.
fn differ(one: &str, other: &str) -> bool {
    match (seconds(one), seconds(other)) {
        (Some(one), Some(other)) => (one - other).abs() > 60.0,
        _ => false,
    }
}

/// Seconds since 1970 of a local reading, only to compare it with another of the same file.
pub(crate) fn seconds(text: &str) -> Option<f64> {
    let time = DeviceTime { zone: ZoneKnowledge::Unknown, ..device_time(text) };
    time.sort_key().map(|Timestamp(micros)| micros as f64 / 1e6)
}

pub(crate) fn device_time(text: &str) -> DeviceTime {
    match digits::date_time(&compact(text)) {
        None => {
            DeviceTime { as_written: text.to_owned(), local: None, zone: ZoneKnowledge::Unknown }
        }
        Some(reading) => DeviceTime {
            as_written: text.to_owned(),
            local: Some(reading.local),
            zone: reading
                .zone_minutes
                .map_or(ZoneKnowledge::Unknown, |minutes| ZoneKnowledge::Offset { minutes }),
        },
    }
}

/// A day, or as much of one as is written.
pub(crate) fn date(text: &str) -> Option<PartialDate> {
    let local = digits::date_time(&compact(text))?.local;
    PartialDate::parse(local.split('T').next()?)
}

fn year(local: &str) -> Option<i16> {
    local.get(..4)?.parse().ok()
}

/// `2024-05-29T10:23:35` as `20240529102335`. A dash behind the day stays: it begins an offset.
fn compact(text: &str) -> String {
    let is_iso = text.as_bytes().get(4) == Some(&b'-') && text.as_bytes().get(7) == Some(&b'-');
    match text.split_at_checked(10).filter(|_| is_iso) {
        None => text.to_owned(),
        Some((day, clock)) => {
            let clock = clock.trim_start_matches(['T', ' ']);
            let clock =
                clock.strip_suffix('Z').map_or(clock.to_owned(), |utc| format!("{utc}+0000"));
            format!("{}{}", day.replace('-', ""), clock.replace(':', ""))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_write_a_time_are_read() {
        let cases = [
            ("20240229101112.500+0100", Some("2024-02-29T10:11:12.500"), Some(60)),
            ("200211220737", Some("2002-11-22T07:37"), None),
            ("2024-05-29T10:23:35", Some("2024-05-29T10:23:35"), None),
            ("2024-05-29 10:23:35", Some("2024-05-29T10:23:35"), None),
            ("2024-05-29T10:23:35Z", Some("2024-05-29T10:23:35"), Some(0)),
            ("2024-05-29T10:23:35-05:00", Some("2024-05-29T10:23:35"), Some(-300)),
            ("1977-06-14", Some("1977-06-14"), None),
            ("2024-02-31T10:23:35", None, None),
            ("XXXX", None, None),
            ("", None, None),
        ];
        for (text, local, minutes) in cases {
            let time = device_time(text);
            let zone =
                minutes.map_or(ZoneKnowledge::Unknown, |minutes| ZoneKnowledge::Offset { minutes });
            assert_eq!((time.local.as_deref(), time.zone), (local, zone), "{text}");
        }
        assert_eq!(seconds("20021122091010"), seconds("20021122091000").map(|start| start + 10.0));
    }
}
