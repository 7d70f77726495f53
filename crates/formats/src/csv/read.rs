//! A table and its layout to a recording.

use precordia_model::{
    DeviceDescription, DevicePatient, Filters, Lead, Phi, Problem, Recording, Refusal,
    RefusalReason, SampleRate, Signal,
};

use super::column::{self, Column};
use super::layout::{self, Layout};
use super::table::Table;
use super::time;
use crate::{Part, build, clock, plain_text, rhythm};

/// A column that is read as a lead.
#[derive(Clone, Copy, Debug)]
struct Source {
    column: usize,
    lead: Lead,
    uv_per_unit: f64,
}

#[derive(Clone, Copy, Debug)]
struct TimeSource {
    column: usize,
    seconds: f64,
}

pub(super) fn read(parts: &[Part<'_>]) -> Result<Recording, Refusal> {
    let mut problems = Vec::new();
    let (beside, part) = layout::beside(parts)?;
    let Some(text) = plain_text::decode(part.bytes, &mut problems) else {
        let text = "the table is not text";
        return Err(Refusal::new(RefusalReason::Malformed, "text_invalid", "table", text));
    };
    let (own, rest) = layout::split(&text)?;
    let layout = match (own, beside) {
        (Some(_), Some(_)) => {
            let text = "the table has a layout at its head and another one beside it";
            let code = "layout_conflict";
            return Err(Refusal::new(RefusalReason::Ambiguous, code, "layout", text));
        }
        (own, beside) => own.or(beside),
    };
    let declared = if layout.is_some() { "declared layout" } else { "layout by column names" };
    let layout = layout.unwrap_or_default();
    let head_lines = text[..text.len() - rest.len()].lines().count();
    let table = Table::of(rest, head_lines + 1)?;
    let columns = columns(&table, &layout)?;
    let (sources, time) = sources(&columns, &layout, &mut problems)?;
    let rhythm = signal(&table, &sources, time, &layout, &mut problems)?;
    let acquired_at =
        layout.acquired_at.as_deref().map(|time| clock::read(time, "layout", &mut problems));
    if acquired_at.is_none() {
        let text = "the table does not say when it was recorded";
        problems.push(Problem::warning("acquisition_time_absent", "layout", text));
    }
    Ok(Recording {
        format: super::FORMAT,
        format_detail: format!("table of {} columns, {declared}", table.columns),
        source_id: None,
        device: DeviceDescription::default(),
        patient: DevicePatient {
            id: layout.patient_id.map(Phi::new),
            name_as_written: layout.patient_name.map(Phi::new),
            ..DevicePatient::default()
        },
        acquired_at,
        accession: None,
        rhythm,
        other_groups: Vec::new(),
        device_measurements: Vec::new(),
        device_statements: Vec::new(),
        unmapped: layout.other,
        problems,
    })
}

/// What each column is, by the layout and by name; both must agree.
fn columns(table: &Table<'_>, layout: &Layout) -> Result<Vec<Column>, Refusal> {
    let ambiguous = |code: &str, place: &str, text: &str| {
        Err(Refusal::new(RefusalReason::Ambiguous, code, place, text))
    };
    let by_name: Vec<Column> = match &table.names {
        Some(names) => names.iter().map(|name| column::named(name)).collect(),
        None => vec![Column::Other; table.columns],
    };
    let Some(declared) = &layout.columns else {
        if by_name.iter().any(|column| matches!(column, Column::Lead { .. })) {
            return Ok(by_name);
        }
        let text = "no column names a lead";
        let refusal = Refusal::new(RefusalReason::Ambiguous, "leads_unknown", "table", text);
        return Err(refusal.hint("declare the columns: `# leads: I, II, V1`, with `-` for others"));
    };
    if declared.len() != table.columns {
        let text = "the layout declares another number of columns than the table has";
        return ambiguous("column_count_contradicted", "layout, leads", text);
    }
    let mut columns = Vec::with_capacity(declared.len());
    for (index, (&lead, &named)) in declared.iter().zip(&by_name).enumerate() {
        columns.push(match (lead, named) {
            (Some(lead), Column::Lead { lead: other, .. }) if lead != other => {
                let place = format!("column {}", index + 1);
                let text = "the layout and the name of the column say different leads";
                return ambiguous("lead_conflict", &place, text);
            }
            (Some(_), Column::Lead { .. }) => named,
            (Some(lead), _) => Column::Lead { lead, uv_per_unit: None },
            (None, Column::Time { .. }) => named,
            (None, _) => Column::Other,
        });
    }
    Ok(columns)
}

fn sources(
    columns: &[Column],
    layout: &Layout,
    problems: &mut Vec<Problem>,
) -> Result<(Vec<Source>, Option<TimeSource>), Refusal> {
    let (mut sources, mut time, mut others) = (Vec::new(), None, Vec::new());
    for (column, &kind) in columns.iter().enumerate() {
        match kind {
            Column::Lead { lead, uv_per_unit } => {
                let uv_per_unit = unit(uv_per_unit, layout.uv_per_unit, column)?;
                sources.push(Source { column, lead, uv_per_unit });
            }
            Column::Time { seconds: Some(seconds) } if time.is_none() => {
                time = Some(TimeSource { column, seconds });
            }
            Column::Time { .. } | Column::Other => others.push((column + 1).to_string()),
        }
    }
    if !others.is_empty() {
        others.truncate(50);
        let text = format!("columns {} are no leads and were not read", others.join(", "));
        problems.push(Problem::info("column_not_read", "table", text));
    }
    Ok((sources, time))
}

fn unit(named: Option<f64>, declared: Option<f64>, column: usize) -> Result<f64, Refusal> {
    let place = format!("column {}", column + 1);
    match (named, declared) {
        (Some(named), Some(declared)) if named != declared => {
            let text = "the layout and the name of the column say different units";
            Err(Refusal::new(RefusalReason::Ambiguous, "unit_conflict", place, text))
        }
        (Some(unit), _) | (None, Some(unit)) => Ok(unit),
        (None, None) => {
            let text = "nothing says the unit of the numbers";
            let hint = "declare it before the table: `# ecg-layout: 1` and `# unit: uV`, or the \
                        size of a count: `# unit: 4.88 uV`";
            Err(Refusal::new(RefusalReason::Ambiguous, "unit_absent", place, text).hint(hint))
        }
    }
}

fn signal(
    table: &Table<'_>,
    sources: &[Source],
    time: Option<TimeSource>,
    layout: &Layout,
    problems: &mut Vec<Problem>,
) -> Result<Signal, Refusal> {
    if time.is_none() && layout.rate_hz.is_none() {
        let text = "nothing says the sampling rate of the table";
        let hint = "declare it before the table: `# ecg-layout: 1` and `# rate_hz: 500`";
        let code = "sampling_rate_absent";
        return Err(Refusal::new(RefusalReason::Ambiguous, code, "table", text).hint(hint));
    }
    let declared_hz = match layout.rate_hz {
        Some(hz) => Some(rhythm::rate(hz, "layout, rate_hz")?.hz()),
        None => None,
    };
    let mut samples: Vec<Vec<f32>> = vec![Vec::new(); sources.len()];
    let mut times_s = Vec::new();
    let mut gaps = 0_usize;
    table.rows(|line, row| {
        for (source, samples) in sources.iter().zip(&mut samples) {
            let uv = (row[source.column] * source.uv_per_unit) as f32;
            if uv.is_infinite() {
                let text = "a number is too large to be a voltage";
                let place = format!("line {line}");
                let code = "value_invalid";
                return Err(Refusal::new(RefusalReason::Malformed, code, place, text));
            }
            gaps += usize::from(uv.is_nan());
            samples.push(uv);
        }
        if let Some(time) = time {
            times_s.push(row[time.column] * time.seconds);
        }
        Ok(())
    })?;
    let rate = rate(&times_s, time, declared_hz)?;
    let duration_s = rate.seconds(samples.first().map_or(0, Vec::len));
    rhythm::check_length(duration_s, "table", problems)?;
    if gaps > 0 {
        let text = format!("{gaps} cells are empty or `nan` and were read as gaps");
        problems.push(Problem::info("padding", "table", text));
    }
    let recorded = |(source, samples): (&Source, Vec<f32>)| {
        build::recorded(source.lead, samples, Filters::default())
    };
    build::signal(rate, sources.iter().zip(samples).map(recorded).collect(), "table", problems)
}

fn rate(
    times_s: &[f64],
    time: Option<TimeSource>,
    declared_hz: Option<f64>,
) -> Result<SampleRate, Refusal> {
    let hz = match time {
        Some(_) => time::rate_hz(times_s, declared_hz)?,
        None => declared_hz.unwrap_or_default(),
    };
    rhythm::rate(hz, "time column")
}
