//! From recording and sheet to pages: paper, words, calibration, traces.

use precordia_model::{Filters, Phi, Recording, TraceOrigin};

use crate::arrange::{self, Row};
use crate::trace::{self, Scale, Window};
use crate::{Block, Color, Mark, Page, Point, Rect, Role, Sheet, Weight, font};

/// A4, landscape.
const PAGE_WIDTH: i32 = 297_000;
const PAGE_HEIGHT: i32 = 210_000;
/// 275 mm of paper: 20 mm for the calibration pulse and the names of the first column, 250 mm for
/// the traces, 5 mm to breathe.
const PAPER_LEFT: i32 = 11_000;
const PAPER_WIDTH: i32 = 275_000;
const LEAD_IN: i32 = 20_000;
const TRACE_WIDTH: i32 = 250_000;
const MARGIN_TOP: i32 = 7_000;
const MARGIN_BOTTOM: i32 = 5_000;
/// Words never take more than this from the traces.
const PAPER_HEIGHT_MIN: i32 = 100_000;
const PAPER_HEIGHT_MAX: i32 = 150_000;
const PAGES_MAX: usize = 60;
const FOOTER_LINES_MAX: usize = 6;

const MM: i32 = 1_000;
const LINE: i32 = 3_900;
const INDENT: i32 = 2_000;
const BODY: i32 = 3_000;
const SMALL: i32 = 2_600;
const NAME: i32 = 4_400;
const LEAD_NAME: i32 = 3_300;

const INK: Color = Color(0x1a, 0x1a, 0x1a);
const QUIET: Color = Color(0x5c, 0x56, 0x52);
const GRID_MINOR: Color = Color(0xf7, 0xe3, 0xdc);
const GRID_MAJOR: Color = Color(0xec, 0xbf, 0xb2);

/// Draws a recording from the sheet's start to its end, at most sixty pages. There is always a
/// first page.
pub fn pages(recording: &Recording, sheet: &Sheet) -> Vec<Page> {
    let page_s = page_s(sheet);
    let starts = arrange::page_starts(duration_s(recording), page_s, sheet.start_s, PAGES_MAX);
    let total = starts.len();
    starts
        .into_iter()
        .enumerate()
        .map(|(i, start_s)| page(recording, sheet, start_s, (i + 1, total)))
        .collect()
}

/// The first page alone.
pub fn first_page(recording: &Recording, sheet: &Sheet) -> Page {
    let starts = arrange::page_starts(duration_s(recording), page_s(sheet), sheet.start_s, 1);
    page(recording, sheet, starts.first().copied().unwrap_or(0.0), (1, 1))
}

fn page_s(sheet: &Sheet) -> f64 {
    f64::from(TRACE_WIDTH / MM) / f64::from(sheet.speed.mm_per_s())
}

fn duration_s(recording: &Recording) -> f64 {
    recording.rhythm.duration_s()
}

fn page(recording: &Recording, sheet: &Sheet, start_s: f64, number: (usize, usize)) -> Page {
    let rows = arrange::rows(recording, sheet.layout);
    let footer = footer_lines(recording, sheet, &rows, start_s, number);
    // One line more than needed now, in case a trace leaves the paper.
    let footer_height = (footer.len() as i32 + 1) * LINE;

    let mut marks = Vec::new();
    let paper_bottom = PAGE_HEIGHT - MARGIN_BOTTOM - footer_height;
    let header_room = paper_bottom - PAPER_HEIGHT_MIN;
    let header_bottom = header(&mut marks, sheet, number, header_room);
    let height = (paper_bottom - header_bottom) / (5 * MM) * (5 * MM);
    let height = height.clamp(PAPER_HEIGHT_MIN, PAPER_HEIGHT_MAX);
    let paper = Rect {
        left: PAPER_LEFT,
        top: paper_bottom - height,
        right: PAPER_LEFT + PAPER_WIDTH,
        bottom: paper_bottom,
    };

    let words = std::mem::take(&mut marks);
    grid(&mut marks, paper);
    let leaves = heart(&mut marks, sheet, &rows, paper, start_s);
    marks.extend(words);
    let mut y = paper.bottom + LINE;
    let leaves = leaves.then(|| String::from("Part of a trace lies beyond the paper."));
    for line in footer.into_iter().chain(leaves.map(Phi::new)) {
        text(&mut marks, PAPER_LEFT, y, SMALL, Weight::Regular, QUIET, line);
        y += LINE;
    }
    Page { width: PAGE_WIDTH, height: PAGE_HEIGHT, marks }
}

fn text(
    marks: &mut Vec<Mark>,
    x: i32,
    y: i32,
    size: i32,
    weight: Weight,
    color: Color,
    text: impl Into<Phi<String>>,
) {
    marks.push(Mark::Text { at: Point { x, y }, size, weight, color, text: text.into() });
}

/// Title line, who and when, and the blocks of words. Answers where it ends.
fn header(marks: &mut Vec<Mark>, sheet: &Sheet, number: (usize, usize), room: i32) -> i32 {
    let mut y = MARGIN_TOP + BODY;
    text(marks, PAPER_LEFT, y, BODY, Weight::Regular, QUIET, sheet.title.clone());
    if number.1 > 1 {
        let page = format!("Page {} of {}", number.0, number.1);
        let x = PAPER_LEFT + PAPER_WIDTH - font::width(&page, BODY, Weight::Regular);
        text(marks, x, y, BODY, Weight::Regular, QUIET, page);
    }
    y += 2 * MM;

    let columns = 1 + sheet.blocks.len().min(3) as i32;
    let gap = 5 * MM;
    let width = (PAPER_WIDTH - gap * (columns - 1)) / columns;
    let mut bottom = who(marks, sheet, PAPER_LEFT, y, width);
    for (block, column) in sheet.blocks.iter().zip(1..columns) {
        let x = PAPER_LEFT + column * (width + gap);
        bottom = bottom.max(words(marks, block, x, y, width, room));
    }
    bottom + 2 * MM
}

fn who(marks: &mut Vec<Mark>, sheet: &Sheet, x: i32, mut y: i32, width: i32) -> i32 {
    for (i, line) in sheet.header.iter().enumerate() {
        let (size, weight) = if i == 0 { (NAME, Weight::Bold) } else { (BODY, Weight::Regular) };
        for part in font::wrap(line.reveal(), width, size, weight) {
            y += if i == 0 { LINE + MM } else { LINE };
            text(marks, x, y, size, weight, INK, part);
        }
    }
    y
}

/// One block; what does not fit in the room says how much is missing.
fn words(marks: &mut Vec<Mark>, block: &Block, x: i32, mut y: i32, width: i32, room: i32) -> i32 {
    let mut put =
        |y: &mut i32, indent: i32, line: &str, size: i32, weight: Weight, color: Color| {
            *y += LINE;
            text(marks, x + indent, *y, size, weight, color, line.to_owned());
        };
    for part in font::wrap(&block.heading, width, BODY, Weight::Bold) {
        put(&mut y, 0, &part, BODY, Weight::Bold, INK);
    }
    for part in font::wrap(&block.label, width, SMALL, Weight::Regular) {
        put(&mut y, 0, &part, SMALL, Weight::Regular, QUIET);
    }
    let wrapped: Vec<Vec<String>> = block
        .lines
        .iter()
        .map(|line| font::wrap(line.reveal(), width - INDENT, BODY, Weight::Regular))
        .collect();
    for (i, parts) in wrapped.iter().enumerate() {
        let last = i + 1 == wrapped.len();
        let needed = parts.len() as i32 + i32::from(!last);
        if y + needed * LINE + 2 * MM > room {
            let more = format!("… and {} more", wrapped.len() - i);
            put(&mut y, 0, &more, BODY, Weight::Bold, INK);
            break;
        }
        for (i, part) in parts.iter().enumerate() {
            put(&mut y, if i == 0 { 0 } else { INDENT }, part, BODY, Weight::Regular, INK);
        }
    }
    y
}

/// Squares of 1 mm and 5 mm.
fn grid(marks: &mut Vec<Mark>, paper: Rect) {
    let mut every = |step: i32, skip: i32, role: Role, width: i32, color: Color| {
        let mut lines = Vec::new();
        let mut run = |from: i32, to: i32, line: &dyn Fn(i32) -> [Point; 2]| {
            for at in (from..=to).step_by(step as usize) {
                if skip == 0 || (at - from) % skip != 0 {
                    lines.push(line(at).to_vec());
                }
            }
        };
        run(paper.left, paper.right, &|x| {
            [Point { x, y: paper.top }, Point { x, y: paper.bottom }]
        });
        run(paper.top, paper.bottom, &|y| {
            [Point { x: paper.left, y }, Point { x: paper.right, y }]
        });
        marks.push(Mark::Stroke { role, lines, width, color, clip: None });
    };
    every(MM, 5 * MM, Role::GridMinor, 100, GRID_MINOR);
    every(5 * MM, 0, Role::GridMajor, 160, GRID_MAJOR);
}

/// Calibration, separators, traces and their names. Answers whether a trace leaves the paper.
fn heart(
    marks: &mut Vec<Mark>,
    sheet: &Sheet,
    rows: &[Row<'_>],
    paper: Rect,
    start_s: f64,
) -> bool {
    let page_s = page_s(sheet);
    let scale = Scale { mm_per_s: sheet.speed.mm_per_s(), mm_per_mv: sheet.gain.mm_per_mv() };
    let count = (rows.len() as i32).max(1);
    let height = paper.bottom - paper.top;
    // Narrow rows still leave the first one room for its calibration pulse.
    let pulse = (scale.mm_per_mv as i32 + 2) * MM;
    let spare = (pulse - height / count * 55 / 100).clamp(0, 20 * MM);
    let pitch = (height - spare) / count;
    let mut leaves = false;
    let mut names = Vec::new();
    for (r, row) in rows.iter().enumerate() {
        // On a line of the paper, a little below the middle: hearts reach further up than down.
        let middle = paper.top + spare + pitch * r as i32 + pitch * 55 / 100;
        let y = (middle - paper.top + MM / 2) / MM * MM + paper.top;
        if r == 0 || pitch > scale.mm_per_mv as i32 * MM {
            calibration(marks, scale, paper, y);
        }
        let slot = TRACE_WIDTH / row.columns as i32;
        for cell in &row.cells {
            let x = paper.left + LEAD_IN + slot * cell.column as i32;
            let window = Window {
                signal: cell.placed.signal,
                trace: cell.placed.trace,
                start_s: arrange::start_s(&cell.placed, start_s, page_s, cell.column, row.columns),
                length_s: page_s / row.columns as f64,
            };
            let lines = trace::lines(window, scale, x, y);
            leaves |= trace::leaves(&lines, paper);
            let role = Role::Trace(cell.placed.trace.lead);
            marks.push(Mark::Stroke { role, lines, width: 250, color: INK, clip: Some(paper) });
            if cell.column > 0 {
                separator(marks, paper, x, y);
            }
            let name = lead_name(cell);
            names.push(if cell.column == 0 {
                (x - MM - font::width(&name, LEAD_NAME, Weight::Bold), y - 3 * MM / 2, name)
            } else {
                let up = (pitch * 42 / 100).clamp(4 * MM, 14 * MM);
                (x + MM, (y - up).max(paper.top + LEAD_NAME), name)
            });
        }
    }
    for (x, y, name) in names {
        text(marks, x, y, LEAD_NAME, Weight::Bold, INK, name);
    }
    leaves
}

fn lead_name(cell: &arrange::Cell<'_>) -> String {
    let lead = cell.placed.trace.lead;
    let derived = matches!(cell.placed.trace.origin, TraceOrigin::Derived { .. });
    format!(
        "{lead}{}{}",
        if derived { "*" } else { "" },
        if cell.placed.further { "†" } else { "" }
    )
}

/// One millivolt for 0.2 s.
fn calibration(marks: &mut Vec<Mark>, scale: Scale, paper: Rect, y: i32) {
    let width = scale.mm_per_s as i32 * MM / 5;
    let height = scale.mm_per_mv as i32 * MM;
    let (left, right) = (paper.left + 2 * MM, paper.left + 2 * MM + width);
    let at = |x, y| Point { x, y };
    let pulse = vec![
        at(left - MM, y),
        at(left, y),
        at(left, y - height),
        at(right, y - height),
        at(right, y),
        at(right + MM, y),
    ];
    let lines = vec![pulse];
    marks.push(Mark::Stroke {
        role: Role::Calibration,
        lines,
        width: 250,
        color: INK,
        clip: Some(paper),
    });
}

/// A short stroke where one lead ends and the next begins.
fn separator(marks: &mut Vec<Mark>, paper: Rect, x: i32, y: i32) {
    let lines = vec![
        vec![Point { x, y: y - 6 * MM }, Point { x, y: y - 3 * MM }],
        vec![Point { x, y: y + 3 * MM }, Point { x, y: y + 6 * MM }],
    ];
    marks.push(Mark::Stroke {
        role: Role::Separator,
        lines,
        width: 250,
        color: INK,
        clip: Some(paper),
    });
}

fn footer_lines(
    recording: &Recording,
    sheet: &Sheet,
    rows: &[Row<'_>],
    start_s: f64,
    number: (usize, usize),
) -> Vec<Phi<String>> {
    let duration_s = duration_s(recording);
    let end_s = (start_s + page_s(sheet)).min(duration_s);
    let scale = format!(
        "{} mm/s · {} mm/mV · {} · sampled at {} Hz · {start_s:.1} to {end_s:.1} s of {duration_s:.1} s · each trace stands on its median",
        sheet.speed.mm_per_s(),
        sheet.gain.mm_per_mv(),
        filters(rows),
        hertz(recording.rhythm.rate.hz()),
    );
    let mut notes = Vec::new();
    let cells = || rows.iter().flat_map(|row| &row.cells);
    if cells().any(|c| matches!(c.placed.trace.origin, TraceOrigin::Derived { .. })) {
        notes.push(String::from("* computed from recorded leads"));
    }
    if cells().any(|c| c.placed.further) {
        notes.push(String::from("† recorded after the other leads"));
    }
    let starts = column_starts(sheet, rows, start_s);
    if starts.windows(2).any(|w| w[1] - w[0] < 0.99 * page_s(sheet) / starts.len() as f64) {
        let list: Vec<String> = starts.iter().map(|s| format!("{s:.1}")).collect();
        notes.push(format!("the columns overlap in time: they start at {} s", list.join(", ")));
    }
    if number == (PAGES_MAX, PAGES_MAX) && end_s < duration_s {
        notes.push(format!("the recording goes on: at most {PAGES_MAX} pages are drawn"));
    }
    let mut lines = vec![scale];
    if !notes.is_empty() {
        lines.push(notes.join(" · "));
    }
    let own = sheet.footer.iter().map(|line| line.reveal().clone());
    let all: Vec<String> = lines.into_iter().chain(own).collect();
    let mut wrapped: Vec<String> =
        all.iter().flat_map(|line| font::wrap(line, PAPER_WIDTH, SMALL, Weight::Regular)).collect();
    if wrapped.len() > FOOTER_LINES_MAX {
        let more = wrapped.len() - (FOOTER_LINES_MAX - 1);
        wrapped.truncate(FOOTER_LINES_MAX - 1);
        wrapped.push(format!("… and {more} more lines"));
    }
    wrapped.into_iter().map(Phi::new).collect()
}

fn column_starts(sheet: &Sheet, rows: &[Row<'_>], start_s: f64) -> Vec<f64> {
    let Some(row) = rows.first() else { return Vec::new() };
    row.cells
        .iter()
        .filter(|cell| !cell.placed.further)
        .map(|cell| {
            arrange::start_s(&cell.placed, start_s, page_s(sheet), cell.column, row.columns)
        })
        .collect()
}

/// What the file declares for all leads; never what we assume.
fn filters(rows: &[Row<'_>]) -> String {
    let mut declared = rows.iter().flat_map(|row| &row.cells).map(|c| c.placed.trace.filters);
    let Some(first) = declared.next() else { return String::from("no lead") };
    if declared.any(|other| other != first) {
        return String::from("filters differ by lead");
    }
    let Filters { low_hz, high_hz, notch_hz } = first;
    let band = match (low_hz, high_hz) {
        (Some(low), Some(high)) => format!("{} to {} Hz", hertz(low), hertz(high)),
        (Some(low), None) => format!("from {} Hz", hertz(low)),
        (None, Some(high)) => format!("to {} Hz", hertz(high)),
        (None, None) => String::from("filters not stated"),
    };
    match notch_hz {
        Some(notch) if notch > 0.0 => format!("{band}, notch {} Hz", hertz(notch)),
        Some(_) => format!("{band}, no notch"),
        None => band,
    }
}

fn hertz(hz: f64) -> String {
    let text = format!("{hz:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
