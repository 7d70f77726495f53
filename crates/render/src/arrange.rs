//! Which lead goes where on the paper, and when its stretch begins.

use precordia_model::{GroupKind, Lead, Recording, Signal, Trace};

use crate::Layout;

/// A lead and the signal it belongs to: the rhythm, or a part recorded after it.
#[derive(Clone, Copy, Debug)]
pub struct Placed<'a> {
    pub signal: &'a Signal,
    pub trace: &'a Trace,
    /// Not simultaneous with the rhythm.
    pub further: bool,
}

/// One stretch of one lead in a column of a row.
#[derive(Clone, Copy, Debug)]
pub struct Cell<'a> {
    pub placed: Placed<'a>,
    /// Which of the row's columns.
    pub column: usize,
}

/// A row of the paper: its cells share the width in `columns` equal parts.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    pub columns: usize,
    pub cells: Vec<Cell<'a>>,
}

/// All leads of a recording: the standard twelve in the usual order where all are there, then the
/// others; in file order otherwise. None is left out.
pub fn rows(recording: &Recording, layout: Layout) -> Vec<Row<'_>> {
    let leads = all_leads(recording);
    let (grid, one_per_row) = match layout {
        Layout::ThreeByFourRhythm => ((3, 4), false),
        Layout::SixByTwo => ((6, 2), false),
        Layout::TwelveByOne => ((12, 1), true),
    };
    let twelve: Option<Vec<Placed<'_>>> = Lead::TWELVE
        .iter()
        .map(|lead| leads.iter().copied().find(|p| p.trace.lead == *lead))
        .collect();
    let mut rows = match twelve {
        Some(twelve) => {
            let others: Vec<Placed<'_>> =
                leads.iter().copied().filter(|p| !Lead::TWELVE.contains(&p.trace.lead)).collect();
            let mut rows = column_by_column(&twelve, grid.0, grid.1);
            rows.extend(row_by_row(&others, grid.1));
            rows
        }
        None if one_per_row || leads.len() <= grid.0 => row_by_row(&leads, 1),
        None => column_by_column(&leads, leads.len().div_ceil(grid.1), grid.1),
    };
    if layout == Layout::ThreeByFourRhythm && rows.iter().any(|row| row.columns > 1) {
        rows.extend(
            rhythm_lead(recording)
                .map(|placed| Row { columns: 1, cells: vec![Cell { placed, column: 0 }] }),
        );
    }
    rows
}

fn all_leads(recording: &Recording) -> Vec<Placed<'_>> {
    let mut leads: Vec<Placed<'_>> = Vec::new();
    let further = recording
        .other_groups
        .iter()
        .filter(|g| g.kind == GroupKind::FurtherRhythm)
        .map(|g| (&g.signal, true));
    for (signal, further) in std::iter::once((&recording.rhythm, false)).chain(further) {
        for trace in &signal.traces {
            if !leads.iter().any(|p| p.trace.lead == trace.lead) {
                leads.push(Placed { signal, trace, further });
            }
        }
    }
    leads
}

fn rhythm_lead(recording: &Recording) -> Option<Placed<'_>> {
    let signal = &recording.rhythm;
    let trace = [Lead::II, Lead::V1, Lead::I]
        .into_iter()
        .find_map(|lead| signal.trace(lead))
        .or(signal.traces.first())?;
    Some(Placed { signal, trace, further: false })
}

fn column_by_column<'a>(leads: &[Placed<'a>], rows: usize, columns: usize) -> Vec<Row<'a>> {
    (0..rows)
        .map(|row| Row {
            columns,
            cells: (0..columns)
                .filter_map(|column| {
                    Some(Cell { placed: *leads.get(column * rows + row)?, column })
                })
                .collect(),
        })
        .collect()
}

fn row_by_row<'a>(leads: &[Placed<'a>], columns: usize) -> Vec<Row<'a>> {
    let cells = |row: &[Placed<'a>]| {
        row.iter().enumerate().map(|(column, p)| Cell { placed: *p, column }).collect()
    };
    leads.chunks(columns).map(|row| Row { columns, cells: cells(row) }).collect()
}

/// Where a cell's stretch begins: columns follow one another in time, unless the signal is too
/// short for that; then each shows as late a stretch as there is.
pub fn start_s(
    placed: &Placed<'_>,
    page_start_s: f64,
    page_s: f64,
    column: usize,
    columns: usize,
) -> f64 {
    let slot_s = page_s / columns as f64;
    let due_s = page_start_s + column as f64 * slot_s;
    let duration_s = placed.signal.duration_s();
    if duration_s < page_start_s + page_s {
        due_s.min((duration_s - slot_s).max(0.0))
    } else {
        due_s
    }
}

/// Where each page begins. The last one ends with the recording, so every lead is seen on it.
pub fn page_starts(duration_s: f64, page_s: f64, from_s: f64, pages_max: usize) -> Vec<f64> {
    let latest_s = (duration_s - page_s).max(0.0);
    let from_s = if from_s.is_finite() { from_s.clamp(0.0, latest_s) } else { 0.0 };
    let mut starts = vec![from_s];
    while let Some(&last) = starts.last() {
        if starts.len() >= pages_max || last >= latest_s {
            break;
        }
        starts.push((last + page_s).min(latest_s));
    }
    starts
}

#[cfg(test)]
mod tests {
    use precordia_synth::{Spec, synthesize};

    use super::*;

    fn plan(leads: &[Lead], layout: Layout) -> Vec<String> {
        let made = synthesize(&Spec { leads: leads.to_vec(), ..Spec::default() });
        rows(&made.recording, layout)
            .iter()
            .map(|row| {
                let names: Vec<&str> =
                    row.cells.iter().map(|c| c.placed.trace.lead.name()).collect();
                format!("{}: {}", row.columns, names.join(" "))
            })
            .collect()
    }

    #[test]
    fn twelve_leads_stand_as_every_reader_expects() {
        assert_eq!(
            plan(&Lead::TWELVE, Layout::ThreeByFourRhythm),
            ["4: I aVR V1 V4", "4: II aVL V2 V5", "4: III aVF V3 V6", "1: II"]
        );
        assert_eq!(
            plan(&Lead::TWELVE, Layout::SixByTwo),
            ["2: I V1", "2: II V2", "2: III V3", "2: aVR V4", "2: aVL V5", "2: aVF V6"]
        );
        assert_eq!(plan(&Lead::TWELVE, Layout::TwelveByOne).len(), 12);
    }

    #[test]
    fn file_order_does_not_change_the_place_of_a_standard_lead() {
        let mut shuffled = Lead::TWELVE;
        shuffled.reverse();
        assert_eq!(plan(&shuffled, Layout::SixByTwo), plan(&Lead::TWELVE, Layout::SixByTwo));
    }

    #[test]
    fn no_lead_is_left_out() {
        for layout in Layout::ALL {
            for leads in
                [Lead::ALL, &[Lead::X, Lead::Y, Lead::Z], &[Lead::V1], &Lead::ALL[..8], &[]]
            {
                let rows = plan(leads, layout).join(" ");
                for lead in leads {
                    assert!(rows.split(' ').any(|name| name == lead.name()), "{lead} in {rows}");
                }
            }
        }
        assert_eq!(
            plan(&[Lead::X, Lead::Y, Lead::Z], Layout::ThreeByFourRhythm),
            ["1: X", "1: Y", "1: Z"]
        );
    }

    #[test]
    fn pages_cover_the_recording_and_the_last_ends_with_it() {
        assert_eq!(page_starts(10.0, 10.0, 0.0, 9), [0.0]);
        assert_eq!(page_starts(4.0, 10.0, 3.0, 9), [0.0]);
        assert_eq!(page_starts(25.0, 10.0, 0.0, 9), [0.0, 10.0, 15.0]);
        assert_eq!(page_starts(25.0, 10.0, 12.0, 9), [12.0, 15.0]);
        assert_eq!(page_starts(1e9, 10.0, f64::NAN, 2), [0.0, 10.0]);
    }

    #[test]
    fn a_short_recording_shows_something_in_every_column() {
        let made = synthesize(&Spec { duration_s: 4.0, ..Spec::default() });
        let rows = rows(&made.recording, Layout::ThreeByFourRhythm);
        let starts: Vec<f64> =
            rows[0].cells.iter().map(|c| start_s(&c.placed, 0.0, 10.0, c.column, 4)).collect();
        assert_eq!(starts, [0.0, 1.5, 1.5, 1.5]);
    }
}
