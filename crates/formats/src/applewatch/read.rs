//! Lines to a recording.

use precordia_model::{
    DeviceDescription, DevicePatient, DeviceStatement, Filters, PartialDate, Phi, Problem,
    Recording, Refusal, RefusalReason, SampleRate, UnmappedField,
};

use super::header::{self, Field, Line, Split};
use crate::decimal_mark::DecimalMark;
use crate::{build, clock, plain_text, rhythm, unmapped, voltage};

pub(super) fn read(bytes: &[u8]) -> Result<Recording, Refusal> {
    let mut problems = Vec::new();
    let Some(text) = plain_text::decode(bytes, &mut problems) else {
        let text = "the file is not text in the characters that it begins with";
        return Err(Refusal::new(RefusalReason::Malformed, "text_invalid", "file", text));
    };
    let split = header::split(&text);
    let header = Header { lines: &split.lines };
    let rate = header.rate()?;
    let uv_per_unit = header.uv_per_unit()?;
    let lead = header.lead()?;
    let samples_uv = samples(&split, uv_per_unit)?;
    let place = "voltages";
    rhythm::check_length(rate.seconds(samples_uv.len()), place, &mut problems)?;
    let traces = vec![build::recorded(lead, samples_uv, Filters::default())];
    let rhythm = build::signal(rate, traces, place, &mut problems)?;
    let time = header.text(Field::RecordedDate);
    if time.is_none() {
        let text = "the file does not say when it was recorded";
        problems.push(Problem::warning("acquisition_time_absent", "header", text));
    }
    let acquired_at = time.map(|time| clock::read(time, "recorded date", &mut problems));
    let patient = header.patient(&mut problems);
    Ok(Recording {
        format: super::FORMAT,
        format_detail: "electrocardiogram exported from Apple Health".into(),
        source_id: None,
        device: DeviceDescription {
            manufacturer: None,
            model: header.text(Field::Device).map(str::to_owned),
            software: header.text(Field::Software).map(str::to_owned),
            serial: None,
        },
        patient,
        acquired_at,
        accession: None,
        rhythm,
        other_groups: Vec::new(),
        device_measurements: Vec::new(),
        device_statements: header.statements(),
        unmapped: header.unmapped(),
        problems,
    })
}

#[derive(Debug)]
struct Header<'h, 't> {
    lines: &'h [Line<'t>],
}

impl<'t> Header<'_, 't> {
    fn line(&self, field: Field) -> Option<&Line<'t>> {
        self.lines.iter().find(|line| line.field == Some(field))
    }

    fn text(&self, field: Field) -> Option<&'t str> {
        self.line(field).map(|line| line.value).filter(|value| !value.is_empty())
    }

    fn rate(&self) -> Result<SampleRate, Refusal> {
        let Some(line) = self.line(Field::Rate) else {
            let text = "the file does not say its sampling rate";
            return Err(absent("sampling_rate_absent", text, "Sample Rate,512 hertz"));
        };
        let place = format!("line {}", line.number);
        let number = header::rate_text(line.value).unwrap_or_default();
        // A rate has four digits or more before it is grouped, so a comma can only be its mark.
        let hz = DecimalMark::Comma.number(number);
        rhythm::rate(hz.unwrap_or(f64::NAN), &place)
    }

    fn uv_per_unit(&self) -> Result<f64, Refusal> {
        let Some(line) = self.line(Field::Unit).filter(|line| !line.value.is_empty()) else {
            let text = "the file does not say the unit of its voltages";
            return Err(absent("unit_absent", text, "Unit,µV"));
        };
        voltage::microvolts_in_words(line.value).ok_or_else(|| {
            let text = "the unit of the voltages is no unit of voltage that is known";
            let place = format!("line {}", line.number);
            Refusal::new(RefusalReason::Ambiguous, "unit_unknown", place, text)
        })
    }

    fn lead(&self) -> Result<precordia_model::Lead, Refusal> {
        let Some(value) = self.text(Field::Lead) else {
            let text = "the file does not say of which lead its voltages are";
            return Err(absent("lead_absent", text, "Lead,Lead I"));
        };
        header::lead(value).ok_or_else(|| {
            let text = "the lead that the file names is not known";
            Refusal::new(RefusalReason::Ambiguous, "leads_unknown", "lead", text)
        })
    }

    /// The name is one text in the order of the person's country; it is not taken apart.
    fn patient(&self, problems: &mut Vec<Problem>) -> DevicePatient {
        let birth = self.text(Field::BirthDate);
        let birth_date = birth.and_then(date);
        if birth.is_some() && birth_date.is_none() {
            let text = "the birth date is in a form that can be read in two ways, or none; it stays as written";
            problems.push(Problem::info("birth_date_unread", "date of birth", text));
        }
        DevicePatient {
            name_as_written: self.text(Field::Name).map(|name| Phi::new(name.to_owned())),
            birth_date: birth_date.map(Phi::new),
            ..DevicePatient::default()
        }
    }

    fn statements(&self) -> Vec<DeviceStatement> {
        let texts = self.text(Field::Classification).into_iter();
        texts.map(|text| DeviceStatement { text: Phi::new(text.to_owned()), code: None }).collect()
    }

    fn unmapped(&self) -> Vec<UnmappedField> {
        let mut fields = Vec::new();
        for line in self.lines {
            let is_kept = match line.field {
                None | Some(Field::Symptoms) => true,
                Some(Field::BirthDate) => date(line.value).is_none(),
                Some(_) => false,
            };
            if is_kept {
                unmapped::keep(
                    &mut fields,
                    format!("line {}", line.number),
                    &format!("{}: {}", line.name, line.value),
                );
            }
        }
        fields
    }
}

/// `1950-01-02` and the American `Jan 2, 1950`. Figures with dots or strokes put the month in two
/// places, by country.
fn date(text: &str) -> Option<PartialDate> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    if let Some(date) = PartialDate::parse(text) {
        return Some(date);
    }
    let (month_and_day, year) = text.split_once(',')?;
    let (month, day) = month_and_day.trim().split_once(' ')?;
    let month = MONTHS.iter().position(|name| month.to_lowercase() == *name)? + 1;
    let day: u8 = day.trim().parse().ok()?;
    PartialDate::parse(&format!("{}-{month:02}-{day:02}", year.trim()))
}

fn samples(split: &Split<'_>, uv_per_unit: f64) -> Result<Vec<f32>, Refusal> {
    let mark = DecimalMark::of(split.values().map(|(_, text)| text), "voltages")?;
    let in_uv = |(line, text): (usize, &str)| {
        let value = mark.number(text).map(|value| (value * uv_per_unit) as f32);
        value.filter(|uv| uv.is_finite()).ok_or_else(|| {
            let text = "a line among the voltages is not a number";
            Refusal::new(RefusalReason::Malformed, "value_invalid", format!("line {line}"), text)
        })
    };
    split.values().map(in_uv).collect()
}

fn absent(code: &str, text: &str, line: &str) -> Refusal {
    Refusal::new(RefusalReason::Ambiguous, code, "header", text)
        .hint(format!("export it once more, or add the line `{line}` where you know it to be true"))
}
