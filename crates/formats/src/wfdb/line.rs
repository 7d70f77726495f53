//! One line of a header: the record's, a signal's or a segment's. header(5).

use precordia_model::{Problem, Refusal, RefusalReason};

/// `name[/segments] signals [rate[/counter[(base)]] [samples [time [date]]]]`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RecordLine<'a> {
    pub name: &'a str,
    pub segments: Option<u32>,
    pub signals: u32,
    /// Frames per second; `None` where the line ends before it.
    pub rate_hz: Option<f64>,
    /// Samples of each signal; `None` where it is absent or 0, which means the same.
    pub samples: Option<u64>,
    /// Base time and date, as written.
    pub when: &'a str,
}

/// `file format[xN][:skew][+offset] [gain[(baseline)][/unit] [bits [zero [first [sum [block [name]]]]]]]`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SignalLine<'a> {
    pub file: &'a str,
    pub format: u32,
    pub per_frame: u32,
    pub skew: u32,
    pub offset: u64,
    /// Stored units per physical unit; `None` where absent or 0: not calibrated.
    pub gain: Option<f64>,
    /// The stored value of 0 physical units.
    pub baseline: f64,
    pub unit: Option<&'a str>,
    pub first: Option<i64>,
    pub sum: Option<u16>,
    pub name: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentLine<'a> {
    /// `None` is a gap, written `~`.
    pub name: Option<&'a str>,
    pub samples: u64,
}

fn malformed(code: &str, place: &str, text: &str) -> Refusal {
    Refusal::new(RefusalReason::Malformed, code, place, text)
}

pub(crate) fn record<'a>(line: &'a str, place: &str) -> Result<RecordLine<'a>, Refusal> {
    let fail = |text: &str| malformed("record_line_invalid", place, text);
    let (whole_name, rest) = word(line).ok_or_else(|| fail("the record line is empty"))?;
    let (name, segments) = match whole_name.rsplit_once('/') {
        Some((name, count)) => {
            let count = count.parse().map_err(|_| fail("the number of segments is no number"))?;
            (name, Some(count))
        }
        None => (whole_name, None),
    };
    let (signals, rest) = word(rest).ok_or_else(|| fail("the number of signals is absent"))?;
    let signals = signals.parse().map_err(|_| fail("the number of signals is no number"))?;
    let mut line = RecordLine { name, segments, signals, rate_hz: None, samples: None, when: "" };
    let Some((rate, rest)) = word(rest) else { return Ok(line) };
    // The counter frequency and its base, after a slash, number tape positions; not samples.
    let rate = rate.split(['/', '(']).next().unwrap_or_default();
    line.rate_hz = Some(rate.parse().map_err(|_| fail("the sampling frequency is no number"))?);
    let Some((samples, rest)) = word(rest) else { return Ok(line) };
    let samples: u64 =
        samples.parse().map_err(|_| fail("the number of samples is no whole number"))?;
    line.samples = Some(samples).filter(|&count| count > 0);
    line.when = rest.trim();
    Ok(line)
}

pub(crate) fn signal<'a>(
    line: &'a str,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Result<SignalLine<'a>, Refusal> {
    let fail = |text: &str| malformed("signal_line_invalid", place, text);
    let (file, rest) = word(line).ok_or_else(|| fail("the signal line is empty"))?;
    let (storage, rest) = word(rest).ok_or_else(|| fail("the signal's format is absent"))?;
    let (format, storage) = leading_number(storage);
    let format = format.parse().map_err(|_| fail("the signal's format is no number"))?;
    let mut signal = SignalLine {
        file,
        format,
        per_frame: 1,
        skew: 0,
        offset: 0,
        gain: None,
        baseline: 0.0,
        unit: None,
        first: None,
        sum: None,
        name: "",
    };
    storage_options(storage, &mut signal)
        .ok_or_else(|| fail("the signal's format is not understood"))?;
    let Some((scale, rest)) = word(rest) else { return Ok(signal) };
    let stated_baseline = scale_field(scale, place, &mut signal, problems)?;
    let mut rest = rest;
    let mut numbers: [Option<i64>; 5] = [None; 5];
    let mut count = 0;
    while let (true, Some((field, after))) = (count < numbers.len(), word(rest)) {
        let Ok(number) = field.parse() else { break };
        (numbers[count], rest) = (Some(number), after);
        count += 1;
    }
    signal.name = rest.trim();
    if count < numbers.len() && !signal.name.is_empty() {
        let text = "the signal's line has a name before all of its numbers; the numbers that are there were taken in their order";
        problems.push(Problem::warning("signal_line_short", place, text));
    }
    let [_bits, zero, first, sum, _block] = numbers;
    // Without a baseline of its own, 0 physical units are the middle of the converter's range.
    signal.baseline = stated_baseline.unwrap_or(zero.unwrap_or(0) as f64);
    signal.first = first;
    // Some writers state it signed, others not, and some keep more than its 16 bits.
    signal.sum = sum.map(|sum| sum as u16);
    Ok(signal)
}

/// `xN`, `:skew` and `+offset`, in this order as in any.
fn storage_options(mut text: &str, signal: &mut SignalLine<'_>) -> Option<()> {
    while let Some(mark) = text.chars().next() {
        let (number, after) = leading_number(text.get(1..)?);
        match mark {
            'x' => signal.per_frame = number.parse().ok().filter(|&count| count > 0)?,
            ':' => signal.skew = number.parse().ok()?,
            '+' => signal.offset = number.parse().ok()?,
            _ => return None,
        }
        text = after;
    }
    Some(())
}

/// `gain[(baseline)][/unit]`, also with the baseline behind the unit. Returns the baseline.
fn scale_field<'a>(
    field: &'a str,
    place: &str,
    signal: &mut SignalLine<'a>,
    problems: &mut Vec<Problem>,
) -> Result<Option<f64>, Refusal> {
    let fail = |text: &str| malformed("gain_invalid", place, text);
    let (numbers, unit) = match field.split_once('/') {
        Some((numbers, unit)) => (numbers, Some(unit)),
        None => (field, None),
    };
    let (gain, mut baseline) = in_parentheses(numbers);
    let mut unit_text = unit;
    if let Some(unit) = unit
        && let (unit, Some(behind)) = in_parentheses(unit)
    {
        if baseline.is_some() {
            return Err(fail("the signal states two baselines"));
        }
        let text = "the baseline stands behind the unit instead of behind the gain";
        problems.push(Problem::warning("gain_order", place, text));
        (unit_text, baseline) = (Some(unit), Some(behind));
    }
    let gain: f64 = gain.parse().map_err(|_| fail("the signal's gain is no number"))?;
    if !gain.is_finite() {
        return Err(fail("the signal's gain is no finite number"));
    }
    signal.gain = Some(gain).filter(|&gain| gain != 0.0);
    signal.unit = unit_text.filter(|unit| !unit.is_empty());
    let baseline = baseline.map(|text| {
        let number: Option<f64> = text.parse().ok();
        number.filter(|one| one.is_finite()).ok_or_else(|| fail("the baseline is no number"))
    });
    baseline.transpose()
}

pub(crate) fn segment<'a>(line: &'a str, place: &str) -> Result<SegmentLine<'a>, Refusal> {
    let fail = |text: &str| malformed("segment_line_invalid", place, text);
    let (name, rest) = word(line).ok_or_else(|| fail("the segment line is empty"))?;
    let (samples, _) = word(rest).ok_or_else(|| fail("the segment's length is absent"))?;
    let samples = samples.parse().map_err(|_| fail("the segment's length is no whole number"))?;
    Ok(SegmentLine { name: Some(name).filter(|&name| name != "~"), samples })
}

/// The first word and what follows it.
fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn leading_number(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

/// `200(1024)` to `200` and `1024`.
fn in_parentheses(text: &str) -> (&str, Option<&str>) {
    match text.split_once('(') {
        Some((before, inside)) => (before, Some(inside.strip_suffix(')').unwrap_or(inside))),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_lines_end_after_any_of_their_fields() {
        let read = |line| record(line, "").unwrap();
        let full = read("100/3 2 360/128.5(10) 650000 10:11:12.345 29/02/2024");
        assert_eq!((full.name, full.segments, full.signals), ("100", Some(3), 2));
        assert_eq!((full.rate_hz, full.samples), (Some(360.0), Some(650_000)));
        assert_eq!(full.when, "10:11:12.345 29/02/2024");
        let short = read("a 12");
        assert_eq!((short.rate_hz, short.samples, short.when), (None, None, ""));
        assert_eq!(read("a 1 250.5 0").samples, None);
        for line in ["", "a", "a b", "a 1 fast", "a 1 250 many", "a/x 1"] {
            assert_eq!(record(line, "").unwrap_err().code, "record_line_invalid", "{line}");
        }
    }

    #[test]
    fn signal_lines_are_read_in_every_order_that_is_found() {
        let read = |line| signal(line, "", &mut Vec::new()).unwrap();
        let full = read("a.dat 16x2:3+24 200.5(-7)/mV 11 1024 995 -22131 0 MLII left");
        assert_eq!((full.format, full.per_frame, full.skew, full.offset), (16, 2, 3, 24));
        assert_eq!((full.gain, full.baseline, full.unit), (Some(200.5), -7.0, Some("mV")));
        assert_eq!((full.first, full.sum, full.name), (Some(995), Some(43405), "MLII left"));
        assert_eq!(read("a.dat 212 200 11 1024 995 1 0 V5").baseline, 1024.0);
        assert_eq!(read("a.dat 212 0 12 0 0 0 0 ECG").gain, None);
        let swapped = read("a.dat 16 1000/mV(5) 16 0 1 2 0 I");
        assert_eq!((swapped.gain, swapped.baseline, swapped.unit), (Some(1000.0), 5.0, Some("mV")));
        let bare = read("a.dat 8");
        assert_eq!((bare.gain, bare.name, bare.first), (None, "", None));
        let mut problems = Vec::new();
        assert_eq!(signal("a.dat 16 200/mV II", "", &mut problems).unwrap().name, "II");
        assert_eq!(problems[0].code, "signal_line_short");
        for line in ["a.dat", "a.dat x", "a.dat 16y", "a.dat 16 mV", "a.dat 16 2(x)", "a.dat 16x0"]
        {
            assert!(signal(line, "", &mut Vec::new()).is_err(), "{line}");
        }
    }
}
