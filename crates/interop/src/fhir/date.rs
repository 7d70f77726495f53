//! FHIR dates and times: the texts, and the spans of time that they stand for.
//!
//! A FHIR date of any precision is a span (R4 search 3.1.1.4.6). A date without a zone is taken as
//! UTC, the zone of this server, as R4 asks; a time without a zone is never given one.

use precordia_model::{DeviceTime, PartialDate, Timestamp, ZoneKnowledge};
use serde::{Deserialize, Serialize};

const DAY_US: i64 = 86_400_000_000;
/// R4 `dateTime` knows offsets up to fourteen hours.
const OFFSET_MINUTES_MAX: i16 = 14 * 60;

/// A span of time, first microsecond included, last excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DateRange {
    pub from: Timestamp,
    pub until: Timestamp,
}

impl DateRange {
    /// The span of a FHIR `date`, `dateTime` or `instant`; `None` when the text is none of them.
    pub fn parse(text: &str) -> Option<DateRange> {
        let Some((date, rest)) = text.split_once('T') else {
            return PartialDate::parse(text).map(Self::of_date);
        };
        let Some(PartialDate::Day(y, m, d)) = PartialDate::parse(date) else { return None };
        let (time, offset_minutes) = split_zone(rest)?;
        let (at_us, width_us) = parse_time(time)?;
        let from = days_since_epoch(y, m, d) * DAY_US + at_us - offset_minutes * 60_000_000;
        Some(Self { from: Timestamp(from), until: Timestamp(from + width_us) })
    }

    pub fn of_date(date: PartialDate) -> DateRange {
        let ((y, m, d), (y2, m2, d2)) = match date {
            PartialDate::Year(y) => ((y, 1, 1), (y + 1, 1, 1)),
            PartialDate::Month(y, 12) => ((y, 12, 1), (y + 1, 1, 1)),
            PartialDate::Month(y, m) => ((y, m, 1), (y, m + 1, 1)),
            PartialDate::Day(y, m, d) => ((y, m, d), (y, m, d)),
        };
        let one_more = i64::from(matches!(date, PartialDate::Day(..)));
        Self {
            from: Timestamp(days_since_epoch(y, m, d) * DAY_US),
            until: Timestamp((days_since_epoch(y2, m2, d2) + one_more) * DAY_US),
        }
    }

    pub fn contains(self, other: DateRange) -> bool {
        self.from <= other.from && other.until <= self.until
    }
}

/// FHIR `instant` in UTC: milliseconds, or microseconds when there are any.
pub(super) fn instant(at: Timestamp) -> String {
    let text = at.to_rfc3339();
    match at.micros().rem_euclid(1000) {
        0 => text,
        rest => format!("{}{rest:03}Z", text.trim_end_matches('Z')),
    }
}

/// What of a device's reading may stand in a FHIR `dateTime`: the time only where the offset is
/// known; otherwise the date alone, as precise as it is known. The whole reading goes into the
/// `device-time` extension.
pub(super) fn date_time(time: &DeviceTime) -> Option<String> {
    let local = time.local.as_deref()?;
    let (date, clock) = local.split_once('T').unwrap_or((local, ""));
    let day = PartialDate::parse(date)?;
    let zoned = match (day, time.zone) {
        (PartialDate::Day(..), ZoneKnowledge::Offset { minutes })
            if minutes.abs() <= OFFSET_MINUTES_MAX =>
        {
            parse_time(clock).map(|_| format!("{date}T{}{}", with_seconds(clock), offset(minutes)))
        }
        _ => None,
    };
    Some(zoned.unwrap_or_else(|| day.to_string()))
}

/// A FHIR `dateTime` as a device's reading; `None` when the text is none.
pub(super) fn device_time(text: &str) -> Option<DeviceTime> {
    let zone = ZoneKnowledge::Unknown;
    let Some((date, rest)) = text.split_once('T') else {
        PartialDate::parse(text)?;
        return Some(DeviceTime {
            as_written: text.to_owned(),
            local: Some(text.to_owned()),
            zone,
        });
    };
    // A time must have a zone in FHIR, and real senders leave it out: then it is not known.
    let (clock, minutes) = split_zone(rest).map_or((rest, None), |(clock, m)| (clock, Some(m)));
    let minutes = minutes.and_then(|minutes| i16::try_from(minutes).ok());
    let zone = minutes.map_or(zone, |minutes| ZoneKnowledge::Offset { minutes });
    matches!(PartialDate::parse(date)?, PartialDate::Day(..)).then_some(())?;
    parse_time(clock)?;
    let local = Some(format!("{date}T{clock}"));
    Some(DeviceTime { as_written: text.to_owned(), local, zone })
}

/// Whether a text is a FHIR `dateTime`: seconds and zone are there when a time is.
pub(super) fn is_date_time(text: &str) -> bool {
    DateRange::parse(text).is_some()
        && text.split_once('T').is_none_or(|(_, rest)| rest.as_bytes().get(5) == Some(&b':'))
}

fn with_seconds(clock: &str) -> String {
    if clock.len() == 5 { format!("{clock}:00") } else { clock.to_owned() }
}

fn offset(minutes: i16) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

/// `08:30Z`, `08:30:15.25+02:00` → the clock and the offset in minutes.
fn split_zone(text: &str) -> Option<(&str, i64)> {
    if let Some(clock) = text.strip_suffix('Z') {
        return Some((clock, 0));
    }
    let at = text.len().checked_sub(6)?;
    let (clock, zone) = (text.get(..at)?, text.get(at..)?);
    let sign = match zone.as_bytes()[0] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = zone[1..].split_once(':')?;
    let total = i64::from(two(hours)?) * 60 + i64::from(two(minutes)?);
    (two(minutes)? < 60 && total <= i64::from(OFFSET_MINUTES_MAX)).then_some((clock, sign * total))
}

/// `hh:mm`, `hh:mm:ss` or `hh:mm:ss.f…` → microseconds since midnight and how long it lasts.
fn parse_time(clock: &str) -> Option<(i64, i64)> {
    let (hh, rest) = clock.split_once(':')?;
    let (mm, seconds) = rest.split_once(':').map_or((rest, None), |(mm, ss)| (mm, Some(ss)));
    let (hour, minute) = (two(hh)?, two(mm)?);
    if hour > 23 || minute > 59 {
        return None;
    }
    let minutes_us = (i64::from(hour) * 60 + i64::from(minute)) * 60_000_000;
    let Some(seconds) = seconds else { return Some((minutes_us, 60_000_000)) };
    let (ss, fraction) = seconds.split_once('.').map_or((seconds, None), |(s, f)| (s, Some(f)));
    let second = two(ss).filter(|&s| s <= 60)?;
    let (fraction_us, width_us) = match fraction {
        None => (0, 1_000_000),
        Some(digits) => parse_fraction(digits)?,
    };
    Some((minutes_us + i64::from(second) * 1_000_000 + fraction_us, width_us))
}

/// Digits beyond the microsecond are cut: no clock here is finer.
fn parse_fraction(digits: &str) -> Option<(i64, i64)> {
    if digits.is_empty() || digits.len() > 12 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let kept = &digits[..digits.len().min(6)];
    let width_us = 10_i64.pow(6 - kept.len() as u32);
    Some((kept.parse::<i64>().ok()? * width_us, width_us))
}

fn two(text: &str) -> Option<u8> {
    (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar. Own arithmetic, because the end of
/// the year 9999 lies beyond what calendar libraries can name.
fn days_since_epoch(year: i16, month: i8, day: i8) -> i64 {
    let (y, m, d) = (i64::from(year), i64::from(month), i64::from(day));
    // Count years from March, so that the leap day is the last of its year.
    let y = if m <= 2 { y - 1 } else { y };
    let day_of_year = (153 * ((m + 9) % 12) + 2) / 5 + d - 1;
    y * 365 + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> Option<(String, String)> {
        DateRange::parse(text).map(|r| (instant(r.from), instant(r.until)))
    }

    #[test]
    fn a_date_is_the_span_that_its_precision_leaves_open() {
        for (text, from, until) in [
            ("2024", "2024-01-01T00:00:00.000Z", "2025-01-01T00:00:00.000Z"),
            ("2024-02", "2024-02-01T00:00:00.000Z", "2024-03-01T00:00:00.000Z"),
            ("2024-12", "2024-12-01T00:00:00.000Z", "2025-01-01T00:00:00.000Z"),
            ("2024-02-29", "2024-02-29T00:00:00.000Z", "2024-03-01T00:00:00.000Z"),
            ("2024-05-17T08:30Z", "2024-05-17T08:30:00.000Z", "2024-05-17T08:31:00.000Z"),
            ("2024-05-17T08:30:15+02:00", "2024-05-17T06:30:15.000Z", "2024-05-17T06:30:16.000Z"),
            (
                "2024-05-17T00:30:15.25-05:30",
                "2024-05-17T06:00:15.250Z",
                "2024-05-17T06:00:15.260Z",
            ),
            (
                "1969-12-31T23:59:59.999999Z",
                "1969-12-31T23:59:59.999999Z",
                "1970-01-01T00:00:00.000Z",
            ),
        ] {
            assert_eq!(range(text), Some((from.to_owned(), until.to_owned())), "{text}");
        }
    }

    #[test]
    fn a_time_without_a_zone_and_a_day_that_does_not_exist_are_no_dates() {
        for text in [
            "",
            "24",
            "2024-13",
            "2023-02-29",
            "2024-05-17T",
            "2024-05-17T08:30:15",
            "2024-05-17T08:30:15 02:00",
            "2024-05-17T08:30:15+0200",
            "2024-05-17T08:30:15+14:01",
            "2024-05-17T24:00:00Z",
            "2024-05-17T08:60Z",
            "2024-05-17T08:30:15.Z",
            "2024-05T08:30Z",
            "2024-05-17T08Z",
            "2024-05-17Tä:30Zé",
            "0000-01-01",
        ] {
            assert_eq!(DateRange::parse(text), None, "{text}");
        }
        assert!(DateRange::parse("9999-12-31").is_some());
        assert!(DateRange::parse("0001").is_some());
    }

    #[test]
    fn the_calendar_agrees_with_a_library() {
        for day in (-700_000..2_900_000).step_by(97) {
            let date = jiff::civil::Date::new(1970, 1, 1).unwrap();
            let Ok(date) = date.checked_add(jiff::Span::new().days(i64::from(day))) else {
                continue;
            };
            assert_eq!(days_since_epoch(date.year(), date.month(), date.day()), i64::from(day));
        }
    }

    #[test]
    fn a_device_time_without_offset_gives_its_date_only() {
        let time = |local: &str, zone| DeviceTime {
            as_written: String::from("as written"),
            local: Some(local.to_owned()),
            zone,
        };
        let plus2 = ZoneKnowledge::Offset { minutes: 120 };
        for (local, zone, expected) in [
            ("2024-05-17T08:30:15.250", plus2, Some("2024-05-17T08:30:15.250+02:00")),
            ("2024-05-17T08:30", plus2, Some("2024-05-17T08:30:00+02:00")),
            ("2024-05-17T08", plus2, Some("2024-05-17")),
            ("2024-05-17T08:30:15", ZoneKnowledge::Unknown, Some("2024-05-17")),
            ("2024-05-17T08:30:15", ZoneKnowledge::Offset { minutes: -900 }, Some("2024-05-17")),
            (
                "2024-05-17T08:30:15",
                ZoneKnowledge::Offset { minutes: -210 },
                Some("2024-05-17T08:30:15-03:30"),
            ),
            ("2024-05", plus2, Some("2024-05")),
            ("2024", ZoneKnowledge::Unknown, Some("2024")),
            ("2023-02-29T08:30:15", plus2, None),
            ("nonsense", plus2, None),
        ] {
            assert_eq!(date_time(&time(local, zone)).as_deref(), expected, "{local}");
        }
        let none = DeviceTime { local: None, ..time("", plus2) };
        assert_eq!(date_time(&none), None);
    }

    #[test]
    fn instants_keep_their_microseconds() {
        assert_eq!(instant(Timestamp(1_500)), "1970-01-01T00:00:00.001500Z");
        assert_eq!(instant(Timestamp(2_000)), "1970-01-01T00:00:00.002Z");
        assert_eq!(Timestamp::parse_rfc3339(&instant(Timestamp(-1))), Some(Timestamp(-1)));
    }
}
