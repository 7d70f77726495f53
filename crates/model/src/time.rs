//! Points in time as the ledger keeps them and as a device wrote them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A moment in UTC, in microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    pub const fn micros(self) -> i64 {
        self.0
    }

    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// RFC 3339 in UTC with milliseconds: FHIR `instant`.
    pub fn to_rfc3339(self) -> String {
        let millis = self.0.div_euclid(1000);
        match jiff::Timestamp::from_millisecond(millis) {
            Ok(t) => format!("{t:.3}"),
            Err(_) => String::from("0000-01-01T00:00:00.000Z"),
        }
    }

    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|t| Self(t.as_microsecond()))
    }
}

/// What is known of a device's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ZoneKnowledge {
    /// The file says the offset from UTC, in minutes.
    Offset { minutes: i16 },
    /// Local time of the device, offset not said. Never guessed.
    Unknown,
}

/// A date and time as a device wrote it. The reading is kept as it stands; UTC is known only when
/// the file says the offset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceTime {
    /// Exactly the file's text (joined date and time for formats that split them).
    pub as_written: String,
    /// ISO 8601 local date-time to the precision written: `2024-05-17T08:30:15.250`, `2024-05-17`,
    /// `2024`. `None` when the text is not a date (it is then a problem of the recording).
    pub local: Option<String>,
    pub zone: ZoneKnowledge,
}

impl DeviceTime {
    /// UTC, when both a full date-time and an offset are known.
    pub fn utc(&self) -> Option<Timestamp> {
        let ZoneKnowledge::Offset { minutes } = self.zone else { return None };
        let local: jiff::civil::DateTime = self.full_local()?.parse().ok()?;
        let offset = jiff::tz::Offset::from_seconds(i32::from(minutes) * 60).ok()?;
        offset.to_timestamp(local).ok().map(|t| Timestamp(t.as_microsecond()))
    }

    /// A sort key: UTC if known, else the local reading taken as if it were UTC. Only for ordering
    /// and filtering by day; never shown as a time.
    pub fn sort_key(&self) -> Option<Timestamp> {
        self.utc().or_else(|| {
            let local: jiff::civil::DateTime = self.full_local()?.parse().ok()?;
            jiff::tz::Offset::UTC.to_timestamp(local).ok().map(|t| Timestamp(t.as_microsecond()))
        })
    }

    fn full_local(&self) -> Option<&str> {
        self.local.as_deref().filter(|text| text.contains('T'))
    }
}

/// A date of which the day, or the month and day, may be unknown (FHIR `date`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum PartialDate {
    Year(i16),
    Month(i16, i8),
    Day(i16, i8, i8),
}

impl PartialDate {
    /// Parses `YYYY`, `YYYY-MM` or `YYYY-MM-DD` and checks that the date exists.
    pub fn parse(text: &str) -> Option<Self> {
        let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        let mut parts = text.split('-');
        let year = parts.next().filter(|y| y.len() == 4 && all_digits(y))?.parse::<i16>().ok()?;
        let two = |s: &str| (s.len() == 2 && all_digits(s)).then(|| s.parse::<i8>().ok()).flatten();
        let date = match (parts.next(), parts.next(), parts.next()) {
            (None, None, None) => Self::Year(year),
            (Some(m), None, None) => Self::Month(year, two(m)?),
            (Some(m), Some(d), None) => Self::Day(year, two(m)?, two(d)?),
            _ => return None,
        };
        date.exists().then_some(date)
    }

    fn exists(self) -> bool {
        let (year, month, day) = self.first_day();
        year >= 1 && jiff::civil::Date::new(year, month, day).is_ok()
    }

    const fn first_day(self) -> (i16, i8, i8) {
        match self {
            Self::Year(y) => (y, 1, 1),
            Self::Month(y, m) => (y, m, 1),
            Self::Day(y, m, d) => (y, m, d),
        }
    }

    /// Whole years from this birth date to a day, when both are exact enough to be sure.
    pub fn age_years_on(self, day: PartialDate) -> Option<u16> {
        let (Self::Day(by, bm, bd), Self::Day(y, m, d)) = (self, day) else { return None };
        let years = y - by - i16::from((m, d) < (bm, bd));
        u16::try_from(years).ok()
    }
}

impl fmt::Display for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Year(y) => write!(f, "{y:04}"),
            Self::Month(y, m) => write!(f, "{y:04}-{m:02}"),
            Self::Day(y, m, d) => write!(f, "{y:04}-{m:02}-{d:02}"),
        }
    }
}

// A birth date identifies; it prints only through `Display`, on purpose.
impl fmt::Debug for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PartialDate(…)")
    }
}

impl From<PartialDate> for String {
    fn from(date: PartialDate) -> Self {
        date.to_string()
    }
}

impl TryFrom<String> for PartialDate {
    type Error = String;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
            .ok_or_else(|| String::from("not a date of the form YYYY, YYYY-MM or YYYY-MM-DD"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_dates_keep_their_precision_and_must_exist() {
        for text in ["1961", "1961-04", "1961-04-30", "2000-02-29"] {
            assert_eq!(PartialDate::parse(text).map(|d| d.to_string()).as_deref(), Some(text));
        }
        for text in
            ["", "61", "1961-4", "1961-13", "1961-02-29", "0000-01-01", "1961-04-30T", "+961"]
        {
            assert_eq!(PartialDate::parse(text), None, "{text}");
        }
    }

    #[test]
    fn age_counts_the_birthday_itself() {
        let age = |on| {
            PartialDate::parse("1980-06-15").and_then(|b| b.age_years_on(PartialDate::parse(on)?))
        };
        assert_eq!(age("2020-06-14"), Some(39));
        assert_eq!(age("2020-06-15"), Some(40));
        assert_eq!(age("2020-06"), None);
        assert_eq!(age("1979-01-01"), None);
    }

    #[test]
    fn utc_is_known_only_with_an_offset() {
        let mut time = DeviceTime {
            as_written: "20240517083015.250+0200".into(),
            local: Some("2024-05-17T08:30:15.250".into()),
            zone: ZoneKnowledge::Offset { minutes: 120 },
        };
        assert_eq!(
            time.utc().map(Timestamp::to_rfc3339).as_deref(),
            Some("2024-05-17T06:30:15.250Z")
        );
        time.zone = ZoneKnowledge::Unknown;
        assert_eq!(time.utc(), None);
        assert_eq!(
            time.sort_key().map(Timestamp::to_rfc3339).as_deref(),
            Some("2024-05-17T08:30:15.250Z")
        );
    }
}
