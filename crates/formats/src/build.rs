//! What every reader does once it has samples: traces to a signal, and what is left to say of it.

use precordia_model::{
    DeviceTime, Filters, Lead, PartialDate, Problem, Recording, Refusal, RefusalReason, SampleRate,
    Signal, Trace, TraceOrigin, ZoneKnowledge,
};

use crate::{limb, plausibility};

/// A file with more doubts than this is described by the first of them.
const PROBLEMS_MAX: usize = 200;

/// Makes a signal of traces in file order: refuses a lead that is there twice or none at all, looks
/// at amplitudes and limb leads, and derives the absent limb leads.
pub fn signal(
    rate: SampleRate,
    traces: Vec<Trace>,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Result<Signal, Refusal> {
    if traces.is_empty() {
        let text = "no channel names a lead that is known";
        return Err(Refusal::new(RefusalReason::Ambiguous, "leads_unknown", place, text));
    }
    for (index, trace) in traces.iter().enumerate() {
        if traces[..index].iter().any(|earlier| earlier.lead == trace.lead) {
            let text = format!("two channels say that they are {}", trace.lead);
            return Err(Refusal::new(RefusalReason::Ambiguous, "lead_repeated", place, text));
        }
    }
    let mut signal = Signal { rate, traces };
    problems.extend(plausibility::check(&signal, place));
    problems.extend(limb::check(&signal, place));
    limb::derive(&mut signal);
    Ok(signal)
}

/// A trace as the file holds it.
pub fn recorded(lead: Lead, samples_uv: Vec<f32>, filters: Filters) -> Trace {
    Trace { lead, samples_uv, origin: TraceOrigin::Recorded, filters }
}

/// Bounds the list of problems.
pub(crate) fn bounded(mut recording: Recording) -> Recording {
    let more = recording.problems.len().saturating_sub(PROBLEMS_MAX);
    if more > 0 {
        recording.problems.truncate(PROBLEMS_MAX);
        let text = format!("{more} more problems are not listed");
        recording.problems.push(Problem::warning("problems_many", "file", text));
    }
    recording
}

/// A reading of a device's clock whose parts are numbers; a date or time that does not exist stays
/// as written only.
pub fn device_time(
    as_written: impl Into<String>,
    [year, month, day]: [i64; 3],
    time: Option<ClockTime>,
    offset_minutes: Option<i16>,
) -> DeviceTime {
    let date = format!("{year:04}-{month:02}-{day:02}");
    let exists = (1..=9999).contains(&year) && PartialDate::parse(&date).is_some();
    let local = match time {
        _ if !exists => None,
        None => Some(date),
        Some(time) => time.text().map(|text| format!("{date}T{text}")),
    };
    let zone = match offset_minutes {
        Some(minutes) if minutes.unsigned_abs() <= 14 * 60 => ZoneKnowledge::Offset { minutes },
        _ => ZoneKnowledge::Unknown,
    };
    DeviceTime { as_written: as_written.into(), local, zone }
}

/// Hours, minutes, seconds and microseconds of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockTime {
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
    pub micros: u32,
}

impl ClockTime {
    fn text(self) -> Option<String> {
        let Self { hour, minute, second, micros } = self;
        let exists = (0..24).contains(&hour)
            && (0..60).contains(&minute)
            && (0..60).contains(&second)
            && micros < 1_000_000;
        let fraction = match micros {
            0 => String::new(),
            whole if whole % 1000 == 0 => format!(".{:03}", whole / 1000),
            part => format!(".{part:06}"),
        };
        exists.then(|| format!("{hour:02}:{minute:02}:{second:02}{fraction}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_reading_that_does_not_exist_stays_as_written() {
        let noon = Some(ClockTime { hour: 12, minute: 5, second: 7, micros: 250_000 });
        let local = |date, time| device_time("x", date, time, None).local;
        assert_eq!(local([2024, 2, 29], noon).as_deref(), Some("2024-02-29T12:05:07.250"));
        assert_eq!(local([2024, 2, 29], None).as_deref(), Some("2024-02-29"));
        assert_eq!(local([2023, 2, 29], noon), None);
        assert_eq!(local([0, 1, 1], noon), None);
        let late = Some(ClockTime { hour: 24, minute: 0, second: 0, micros: 0 });
        assert_eq!(local([2024, 2, 29], late), None);
        assert_eq!(device_time("x", [2024, 1, 1], None, Some(6000)).zone, ZoneKnowledge::Unknown);
    }
}
