//! Lines and cells: the separator, the names of columns, the numbers.

use precordia_model::{Refusal, RefusalReason};

use super::column::{self, Column};
use super::layout;
use crate::decimal_mark::DecimalMark;
use crate::{plain_text, xml};

#[derive(Debug)]
pub(super) struct Table<'t> {
    pub names: Option<Vec<&'t str>>,
    pub columns: usize,
    text: &'t str,
    separator: char,
    mark: DecimalMark,
    /// Number of the first line of the text in the file.
    first_line: usize,
}

impl<'t> Table<'t> {
    /// `first_line` is the number of the text's first line, as an editor counts.
    pub(super) fn of(text: &'t str, first_line: usize) -> Result<Self, Refusal> {
        let Some((at, head)) = text.lines().enumerate().find(|(_, line)| !line.trim().is_empty())
        else {
            let text = "the table has no line";
            return Err(Refusal::new(RefusalReason::NoWaveform, "rhythm_absent", "table", text));
        };
        let separator = separator(head);
        let is_named = cells(head, separator).any(has_letters);
        let names = is_named.then(|| cells(head, separator).collect());
        let skipped = at + usize::from(is_named);
        let mut rest = text;
        for _ in 0..skipped {
            rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
        }
        let columns = cells(head, separator).count();
        let mut table = Self {
            names,
            columns,
            text: rest,
            separator,
            mark: DecimalMark::Point,
            first_line: first_line + skipped,
        };
        let all = table.lines().flat_map(|(_, line)| cells(line, separator));
        table.mark = DecimalMark::of(all, "table")?;
        Ok(table)
    }

    /// Lines of numbers. Empty lines at the end are the end.
    fn lines(&self) -> impl Iterator<Item = (usize, &'t str)> {
        let from = self.first_line;
        self.text.trim_end().lines().enumerate().map(move |(index, line)| (from + index, line))
    }

    /// Every row to a function, with its line; an empty cell or `nan` is NaN.
    pub(super) fn rows(
        &self,
        mut take: impl FnMut(usize, &[f64]) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let mut row = Vec::with_capacity(self.columns);
        for (number, line) in self.lines() {
            row.clear();
            for cell in cells(line, self.separator) {
                row.push(self.value(cell, number)?);
            }
            if row.len() != self.columns {
                let text = format!(
                    "the line has {} cells and the first one has {}",
                    row.len(),
                    self.columns
                );
                return Err(malformed("row_length", number, text));
            }
            take(number, &row)?;
        }
        Ok(())
    }

    fn value(&self, cell: &str, line: usize) -> Result<f64, Refusal> {
        if cell.is_empty() || cell.eq_ignore_ascii_case("nan") {
            return Ok(f64::NAN);
        }
        self.mark
            .number(cell)
            .ok_or_else(|| malformed("value_invalid", line, "a cell is not a number".into()))
    }
}

fn malformed(code: &str, line: usize, text: String) -> Refusal {
    Refusal::new(RefusalReason::Malformed, code, format!("line {line}"), text)
}

/// A comma separates only where nothing else does.
fn separator(line: &str) -> char {
    [';', '\t'].into_iter().find(|&one| line.contains(one)).unwrap_or(',')
}

fn cells(line: &str, separator: char) -> impl Iterator<Item = &str> {
    line.split(separator).map(|cell| cell.trim().trim_matches('"').trim())
}

/// `nan` and the exponent of a number are no name.
fn has_letters(cell: &str) -> bool {
    cell.chars().any(char::is_alphabetic)
        && !cell.eq_ignore_ascii_case("nan")
        && xml::decimal(cell).is_none()
}

/// A layout, or a table whose first line names a lead and whose second is of numbers.
pub(super) fn knows(bytes: &[u8]) -> bool {
    let Some(head) = plain_text::head(bytes) else { return false };
    if layout::begins(&head) {
        return true;
    }
    let mut lines = head.lines().filter(|line| !line.trim().is_empty());
    let (Some(names), Some(numbers)) = (lines.next(), lines.next()) else { return false };
    let separator = separator(names);
    let is_lead = |name: &str| matches!(column::named(name), Column::Lead { .. });
    let is_number = |cell: &str| {
        !cell.is_empty() && cell.bytes().all(|byte| b"0123456789+-.,eE".contains(&byte))
    };
    cells(names, separator).any(is_lead)
        && cells(numbers, separator).any(is_number)
        && cells(numbers, separator).all(|cell| cell.is_empty() || is_number(cell))
        && cells(names, separator).count() == cells(numbers, separator).count()
}
