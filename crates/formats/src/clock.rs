//! Dates and times as ISO 8601 and its loose relatives write them.

use precordia_model::{DeviceTime, Problem};

use crate::build::{ClockTime, device_time};

/// `2018-10-10T11:13:11-0700`, `2024-02-29 10:11:12 +0100`, `2016-06-01T18:15:25.777-04:00`. A text
/// in another form stays as written, with a problem.
pub(crate) fn read(text: &str, place: &str, problems: &mut Vec<Problem>) -> DeviceTime {
    let time = parts(text)
        .map(|(date, clock, offset)| device_time(text, date, clock, offset))
        .unwrap_or_else(|| device_time(text, [0, 0, 0], None, None));
    if time.local.is_none() {
        let text = "the time of the recording is not one that is understood; it stays as written";
        problems.push(Problem::warning("acquisition_time_invalid", place, text));
    }
    time
}

type Parts = ([i64; 3], Option<ClockTime>, Option<i16>);

fn parts(text: &str) -> Option<Parts> {
    let text = text.trim();
    let (date, rest) = text.split_at_checked(10)?;
    let date = [digits(date.get(..4)?)?, digits(date.get(5..7)?)?, digits(date.get(8..)?)?];
    if text.as_bytes()[4] != b'-' || text.as_bytes()[7] != b'-' {
        return None;
    }
    if rest.is_empty() {
        return Some((date, None, None));
    }
    let rest = rest.strip_prefix(['T', ' '])?;
    let end = rest.find(|c: char| !matches!(c, '0'..='9' | ':' | '.')).unwrap_or(rest.len());
    let offset = match rest[end..].trim_start() {
        "" => None,
        zone => Some(offset_minutes(zone)?),
    };
    Some((date, Some(clock(&rest[..end])?), offset))
}

fn clock(text: &str) -> Option<ClockTime> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut numbers = whole.split(':').map(digits);
    let (hour, minute) = (numbers.next()??, numbers.next()??);
    let second = numbers.next().unwrap_or(Some(0))?;
    let micros: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let micros = u32::try_from(digits(&micros)?).ok()?;
    numbers.next().is_none().then_some(ClockTime { hour, minute, second, micros })
}

/// `Z`, `+01:00`, `-0700`, `+01`, and `-7:00` as some telephones write it.
fn offset_minutes(text: &str) -> Option<i16> {
    if text == "Z" {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let rest = text.strip_prefix(['+', '-'])?;
    let (hours, minutes) = match rest.split_once(':') {
        Some(parts) => parts,
        None if rest.len() == 4 => rest.split_at_checked(2)?,
        None => (rest, "00"),
    };
    if hours.len() > 2 || minutes.len() != 2 {
        return None;
    }
    let minutes = digits(minutes).filter(|minutes| *minutes < 60)?;
    i16::try_from(sign * (digits(hours)? * 60 + minutes)).ok()
}

/// Digits only, at most nine of them.
fn digits(text: &str) -> Option<i64> {
    let are_digits =
        (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    are_digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use precordia_model::ZoneKnowledge;

    use super::*;

    #[test]
    fn times_keep_their_precision_and_their_offset_in_every_form() {
        let cases = [
            ("2016-06-01T18:15:25.777-04:00", Some("2016-06-01T18:15:25.777"), Some(-240)),
            ("2018-10-10T11:13:11-0700", Some("2018-10-10T11:13:11"), Some(-420)),
            ("2018-10-10T11:13:11-7:00", Some("2018-10-10T11:13:11"), Some(-420)),
            ("2024-02-29 10:11:12 +0530", Some("2024-02-29T10:11:12"), Some(330)),
            ("2024-02-29T10:11:12Z", Some("2024-02-29T10:11:12"), Some(0)),
            ("2024-02-29T10:11:12+01", Some("2024-02-29T10:11:12"), Some(60)),
            ("2024-02-29 10:11", Some("2024-02-29T10:11:00"), None),
            ("2024-02-29", Some("2024-02-29"), None),
            ("2023-02-29 10:11:12", None, None),
            ("2024-02-29 25:11:12", None, None),
            ("2024/02/29 10:11:12", None, None),
            ("2024-02-29 10:11:12 CET", None, None),
            ("2024-02-29 10:11:12 +700", None, None),
            ("2024-02-29 10:11:12 +01:75", None, None),
            ("29 февраля 2024", None, None),
            ("", None, None),
        ];
        for (text, local, offset) in cases {
            let mut problems = Vec::new();
            let time = read(text, "here", &mut problems);
            assert_eq!(time.as_written, text);
            assert_eq!(time.local.as_deref(), local, "{text}");
            let zone =
                offset.map_or(ZoneKnowledge::Unknown, |minutes| ZoneKnowledge::Offset { minutes });
            assert_eq!(time.zone, zone, "{text}");
            assert_eq!(problems.len(), usize::from(local.is_none()), "{text}");
        }
    }
}
