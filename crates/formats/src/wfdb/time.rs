//! When a record was made: base time and base date of the record line.

use precordia_model::{DeviceTime, Problem};

use crate::build::{self, ClockTime};

/// header(5) has `hh:mm:ss[.sss]` and then `DD/MM/YYYY`. Found beside it: an ISO 8601 date, also
/// before the time.
pub(crate) fn acquired_at(
    when: &str,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Option<DeviceTime> {
    if when.is_empty() {
        return None;
    }
    let (mut date, mut time, mut others) = (None, None, 0);
    for word in when.split([' ', '\t', 'T']).filter(|word| !word.is_empty()) {
        if let (None, Some(found)) = (date, read_date(word)) {
            date = Some(found);
        } else if let (None, Some(found)) = (time, read_time(word)) {
            time = Some(found);
        } else {
            others += 1;
        }
    }
    let Some(date) = date.filter(|_| others == 0) else {
        let text = if date.is_none() && time.is_some() && others == 0 {
            "the record says the time of day and no date; it is kept as written"
        } else {
            "the date of the recording is written in no known way; it is kept as written"
        };
        problems.push(Problem::info("acquisition_time_partial", place, text));
        return Some(as_written(when));
    };
    let known = build::device_time(when, date, time, None);
    if known.local.is_none() {
        let text = "the date and time of the recording do not exist; they are kept as written";
        problems.push(Problem::warning("acquisition_time_invalid", place, text));
    }
    Some(known)
}

fn as_written(when: &str) -> DeviceTime {
    build::device_time(when, [0, 0, 0], None, None)
}

fn read_date(word: &str) -> Option<[i64; 3]> {
    let numbers = |mark: char| -> Option<[i64; 3]> {
        let parts: Vec<&str> = word.split(mark).collect();
        let [a, b, c] = parts[..] else { return None };
        Some([whole(a)?, whole(b)?, whole(c)?])
    };
    if let Some([day, month, year]) = numbers('/') {
        return (year >= 1000).then_some([year, month, day]);
    }
    let [year, month, day] = numbers('-')?;
    // `05-06-2014` could be either; only the order of ISO 8601 is not doubtful.
    (year >= 1000).then_some([year, month, day])
}

/// Seconds alone, minutes and seconds, or all three.
fn read_time(word: &str) -> Option<ClockTime> {
    let mut parts: Vec<&str> = word.split(':').collect();
    let (second, micros) = seconds(parts.pop()?)?;
    let numbers: Vec<i64> = parts.into_iter().map(whole).collect::<Option<_>>()?;
    let (hour, minute) = match numbers[..] {
        [hour, minute] => (hour, minute),
        [minute] => (0, minute),
        _ => return None,
    };
    Some(ClockTime { hour, minute, second, micros })
}

fn seconds(text: &str) -> Option<(i64, u32)> {
    let (whole_seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = fraction.get(..fraction.len().min(6)).filter(|_| whole(fraction).is_some())?;
    let micros = format!("{digits:0<6}").parse().ok()?;
    Some((whole(whole_seconds)?, micros))
}

fn whole(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.len() <= 18 && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_times_are_read_where_they_are_not_doubtful() {
        let cases = [
            ("10:11:12.345 29/02/2024", Some("2024-02-29T10:11:12.345")),
            ("2014-04-15 12:04:05", Some("2014-04-15T12:04:05")),
            ("2014-04-15T12:04:05", Some("2014-04-15T12:04:05")),
            ("5:07 1/2/1999", Some("1999-02-01T00:05:07")),
            ("29/02/2024", Some("2024-02-29")),
            ("10:11:12 30/02/2024", None),
            ("10:11:12", None),
            ("10:11:12 05-06-2014", None),
            ("1992", None),
            ("noon", None),
        ];
        for (when, local) in cases {
            let mut problems = Vec::new();
            let time = acquired_at(when, "", &mut problems).unwrap();
            assert_eq!((time.as_written.as_str(), time.local.as_deref()), (when, local));
            assert_eq!(problems.is_empty(), local.is_some(), "{when}");
        }
        assert_eq!(acquired_at("", "", &mut Vec::new()), None);
    }
}
