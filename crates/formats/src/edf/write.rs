//! A recording to an EDF+ file of contiguous records. edfplus.info, 2.1 and 2.2.
//!
//! Recorded traces of the rhythm are written, and what the device stated as annotations. EDF has no
//! value for a gap, so a recording with one is refused.

use precordia_model::{
    DeviceStatement, Lead, PartialDate, Recording, SampleRate, Sex, Trace, TraceOrigin,
};

use crate::dicom::quantize::{self, Quantized};

/// Stored values within this times any step are whole microvolts, which fit the header's fields.
const DIGITAL_MAX: i16 = 32_000;

/// The 1992 paper asks for records below this; readers accept up to the second.
const RECORD_BYTES_WANTED: usize = 61_440;
const RECORD_BYTES_MAX: usize = 10 << 20;

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// Why a recording has no EDF+ form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    #[error("the recording has no recorded samples, or leads of different lengths")]
    SignalUnwritable,
    #[error("lead {lead} has gaps, for which EDF+ has no value")]
    GapsUnwritable { lead: Lead },
    #[error("lead {lead} does not fit 16 bits of at most 5 uV")]
    AmplitudeOutOfRange { lead: Lead },
    #[error("{samples} samples at {rate_hz} Hz cannot be divided into records of EDF+")]
    RecordsUnwritable { samples: usize, rate_hz: String },
    #[error("the text of {field} is longer than its field")]
    TextTooLong { field: &'static str },
    #[error("the text of {field} has a character that is not printable ASCII")]
    TextUnwritable { field: &'static str },
    #[error("the recording has more leads or samples than the header can say")]
    TooLarge,
}

pub fn write(recording: &Recording) -> Result<Vec<u8>, WriteError> {
    let traces: Vec<&Trace> = recording
        .rhythm
        .traces
        .iter()
        .filter(|trace| trace.origin == TraceOrigin::Recorded)
        .collect();
    let length = traces.first().map_or(0, |trace| trace.samples_uv.len());
    if length == 0 || traces.iter().any(|trace| trace.samples_uv.len() != length) {
        return Err(WriteError::SignalUnwritable);
    }
    let channels =
        traces.iter().map(|trace| channel(trace)).collect::<Result<Vec<Quantized>, _>>()?;
    let rate = recording.rhythm.rate;
    let division = Division::of(length, rate, traces.len()).ok_or_else(|| {
        WriteError::RecordsUnwritable { samples: length, rate_hz: rate.hz().to_string() }
    })?;
    let start = Start::of(recording);
    let lists = lists(&recording.device_statements, &division, start.fraction_s);
    let list_bytes = lists.iter().map(Vec::len).max().unwrap_or(0).next_multiple_of(2);
    let mut file = header(recording, &traces, &channels, &division, &start, list_bytes)?;
    for (record, list) in lists.into_iter().enumerate() {
        let from = record * division.samples;
        for channel in &channels {
            let values = &channel.values[from..from + division.samples];
            file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
        let mut list = list;
        list.resize(list_bytes, 0);
        file.extend(list);
    }
    Ok(file)
}

fn channel(trace: &Trace) -> Result<Quantized, WriteError> {
    let lead = trace.lead;
    let quantized = quantize::quantize_within(trace, DIGITAL_MAX)
        .ok_or(WriteError::AmplitudeOutOfRange { lead })?;
    if quantized.values.contains(&quantize::PADDING) {
        return Err(WriteError::GapsUnwritable { lead });
    }
    Ok(quantized)
}

/// How samples are divided into records: evenly, since EDF has no shorter last record.
struct Division {
    samples: usize,
    records: usize,
    duration: String,
    duration_s: f64,
}

impl Division {
    /// One second where it divides the recording, else the longest record below the wanted size,
    /// else the shortest above it.
    fn of(length: usize, rate: SampleRate, leads: usize) -> Option<Self> {
        let fits = |samples: usize, most: usize| samples * leads * 2 <= most;
        let second = rate.hz() as usize;
        let divisors = || (1..=length).filter(|samples| length.is_multiple_of(*samples));
        let one_second = Some(second)
            .filter(|&samples| samples > 0 && length.is_multiple_of(samples))
            .filter(|&samples| fits(samples, RECORD_BYTES_WANTED));
        let small = divisors().filter(|&samples| fits(samples, RECORD_BYTES_WANTED)).rev();
        let large = divisors().filter(|&samples| {
            !fits(samples, RECORD_BYTES_WANTED) && fits(samples, RECORD_BYTES_MAX)
        });
        // A record of a few samples is mostly annotations; one that is too large is still read.
        let reasonable = second.div_ceil(10).max(1);
        one_second
            .into_iter()
            .chain(small.filter(|&samples| samples >= reasonable))
            .chain(large)
            .chain(std::iter::once(length).filter(|&samples| fits(samples, RECORD_BYTES_MAX)))
            .find_map(|samples| Self::with(length, samples, rate))
    }

    /// A division whose duration the header can say exactly enough that the rate is read again.
    fn with(length: usize, samples: usize, rate: SampleRate) -> Option<Self> {
        let seconds = rate.seconds(samples);
        let duration = (0..=6)
            .rev()
            .map(|digits| format!("{seconds:.digits$}"))
            .find(|text| text.len() <= 8)?;
        let duration = if duration.contains('.') {
            duration.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            duration
        };
        let duration_s: f64 = duration.parse().ok()?;
        let again = SampleRate::from_hz(samples as f64 / duration_s)?;
        (again == rate).then_some(Self { samples, records: length / samples, duration, duration_s })
    }
}

/// When the recording began, as the header says it.
struct Start {
    date: String,
    time: String,
    long_date: String,
    /// Below a second, which the first record's onset says.
    fraction_s: f64,
}

impl Start {
    fn of(recording: &Recording) -> Self {
        let local = recording.acquired_at.as_ref().and_then(|time| time.local.as_deref());
        local.and_then(Self::parse).unwrap_or_else(|| Self {
            // EDF+ 2.1.3.3: a date that is not known.
            date: "01.01.85".to_owned(),
            time: "00.00.00".to_owned(),
            long_date: "X".to_owned(),
            fraction_s: 0.0,
        })
    }

    fn parse(local: &str) -> Option<Self> {
        let (date, time) = local.split_once('T')?;
        let PartialDate::Day(year, month, day) = PartialDate::parse(date)? else { return None };
        let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
        // EDF+ 2.1.3.3: after 2084 the year is told by the long date alone.
        let short = if (1985..2085).contains(&year) {
            format!("{:02}", year % 100)
        } else {
            "yy".to_owned()
        };
        Some(Self {
            date: format!("{day:02}.{month:02}.{short}"),
            time: clock.replace(':', "."),
            long_date: long_date(PartialDate::Day(year, month, day))?,
            fraction_s: format!("0.{fraction}").parse().ok()?,
        })
    }
}

fn long_date(date: PartialDate) -> Option<String> {
    let PartialDate::Day(year, month, day) = date else { return None };
    let month = MONTHS.get(usize::try_from(month).ok()?.checked_sub(1)?)?;
    Some(format!("{day:02}-{month}-{year:04}"))
}

/// The list of each record: its onset, and the statements dealt out over the records, so that none
/// of them grows long.
fn lists(statements: &[DeviceStatement], division: &Division, fraction_s: f64) -> Vec<Vec<u8>> {
    let onset = |record: usize| {
        let seconds = fraction_s + record as f64 * division.duration_s;
        let text = format!("{seconds:.6}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let mut lists: Vec<Vec<u8>> = (0..division.records)
        .map(|record| format!("+{}\u{14}\u{14}\0", onset(record)).into_bytes())
        .collect();
    for (index, statement) in statements.iter().enumerate() {
        let text: String =
            statement.text.reveal().chars().map(|c| if c < ' ' { ' ' } else { c }).collect();
        let list = format!("+{}\u{14}{}\u{14}\0", onset(0), text.trim());
        lists[index % division.records].extend(list.into_bytes());
    }
    lists
}

fn header(
    recording: &Recording,
    traces: &[&Trace],
    channels: &[Quantized],
    division: &Division,
    start: &Start,
    list_bytes: usize,
) -> Result<Vec<u8>, WriteError> {
    let signals = traces.len() + 1;
    if signals > 9999 {
        return Err(WriteError::TooLarge);
    }
    let mut fields = Fields::default();
    fields.put("version", "0", 8)?;
    fields.put("patient identification", &patient(recording), 80)?;
    let equipment = subfield(recording.device.model.as_deref());
    let identification = format!("Startdate {} X X {equipment}", start.long_date);
    fields.put("recording identification", &identification, 80)?;
    fields.put("start date", &start.date, 8)?;
    fields.put("start time", &start.time, 8)?;
    fields.put("header bytes", &(256 * (signals + 1)).to_string(), 8)?;
    fields.put("reserved", "EDF+C", 44)?;
    fields.put("records", &division.records.to_string(), 8)?;
    fields.put("duration", &division.duration, 8)?;
    fields.put("signals", &signals.to_string(), 4)?;

    let last = "EDF Annotations".to_owned();
    fields.rows("label", 16, traces.iter().map(|one| format!("ECG {}", one.lead)), last)?;
    fields.rows("transducer", 80, traces.iter().map(|_| String::new()), String::new())?;
    fields.rows("unit", 8, traces.iter().map(|_| "uV".to_owned()), String::new())?;
    let physical = |sign: f64| {
        channels.iter().map(move |one| whole(sign * one.step_uv * f64::from(DIGITAL_MAX)))
    };
    fields.rows("physical minimum", 8, physical(-1.0), "-1".to_owned())?;
    fields.rows("physical maximum", 8, physical(1.0), "1".to_owned())?;
    let digital =
        |sign: i32| traces.iter().map(move |_| (sign * i32::from(DIGITAL_MAX)).to_string());
    fields.rows("digital minimum", 8, digital(-1), "-32768".to_owned())?;
    fields.rows("digital maximum", 8, digital(1), "32767".to_owned())?;
    fields.rows("prefiltering", 80, traces.iter().map(|one| filters(one)), String::new())?;
    let samples = traces.iter().map(|_| division.samples.to_string());
    fields.rows("samples", 8, samples, (list_bytes / 2).to_string())?;
    fields.rows("reserved", 32, traces.iter().map(|_| String::new()), String::new())?;
    Ok(fields.0)
}

#[derive(Default)]
struct Fields(Vec<u8>);

impl Fields {
    /// Printable ASCII, filled with spaces.
    fn put(&mut self, field: &'static str, text: &str, width: usize) -> Result<(), WriteError> {
        if !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(WriteError::TextUnwritable { field });
        }
        if text.len() > width {
            return Err(WriteError::TextTooLong { field });
        }
        self.0.extend(text.bytes().chain(std::iter::repeat(b' ')).take(width));
        Ok(())
    }

    fn rows(
        &mut self,
        field: &'static str,
        width: usize,
        texts: impl Iterator<Item = String>,
        last: String,
    ) -> Result<(), WriteError> {
        texts.chain(std::iter::once(last)).try_for_each(|text| self.put(field, &text, width))
    }
}

/// `code sex birthdate name`, with `X` for what is not known.
fn patient(recording: &Recording) -> String {
    let patient = &recording.patient;
    let sex = match patient.sex {
        Some(Sex::Male) => "M",
        Some(Sex::Female) => "F",
        _ => "X",
    };
    let birth_date = patient.birth_date.as_ref().and_then(|date| long_date(*date.reveal()));
    let name = patient.name_as_written.as_ref().map(|name| name.reveal().as_str());
    let id = subfield(patient.id.as_ref().map(|id| id.reveal().as_str()));
    format!("{id} {sex} {} {}", birth_date.as_deref().unwrap_or("X"), subfield(name))
}

/// A subfield has no spaces.
fn subfield(text: Option<&str>) -> String {
    let joined = text.unwrap_or_default().split_whitespace().collect::<Vec<&str>>().join("_");
    if joined.is_empty() { "X".to_owned() } else { joined }
}

fn filters(trace: &Trace) -> String {
    let hz = |mark: &str, hz: Option<f64>| hz.map(|hz| format!("{mark}:{hz}Hz"));
    let filters = trace.filters;
    let all = [hz("HP", filters.low_hz), hz("LP", filters.high_hz), hz("N", filters.notch_hz)];
    all.into_iter().flatten().collect::<Vec<String>>().join(" ")
}

/// Steps have at most four decimals, so that 32000 of them are whole.
fn whole(number: f64) -> String {
    format!("{}", number.round())
}
