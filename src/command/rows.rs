//! Prints rows of values: aligned columns at a terminal, tab-separated fields in a pipe.

use super::listing::{CellStyle, MarkedText, StyledText, printed};
use super::output::{Output, columns};
use crate::error::Result;
use crate::text::{cut, escaped, visible, width, wrap};

/// The most columns of a cell that is not the last one.
const MAX_COLUMNS: usize = 40;

/// The most lines of a cell that is shown below its row.
const MAX_ROWS: usize = 100;

/// Stands before the lines of a cell that is shown below its row.
const INDENT: &str = "    ";

/// Rows of cells below headings.
pub(super) struct Grid<const N: usize> {
    headings: [&'static str; N],
    rows: Vec<[StyledText; N]>,
    shows_last_whole: bool,
}

/// A cell without a look of its own.
pub(super) fn cell(text: impl Into<MarkedText>) -> StyledText {
    StyledText::new(text, CellStyle::Plain)
}

/// A cell that is read last.
pub(super) fn quiet(text: impl Into<MarkedText>) -> StyledText {
    StyledText::new(text, CellStyle::Quiet)
}

impl<const N: usize> Grid<N> {
    pub(super) fn new(headings: [&'static str; N]) -> Self {
        Self { headings, rows: Vec::new(), shows_last_whole: false }
    }

    /// The last cell is shown whole, below its row where it does not fit.
    pub(super) fn with_last_whole(self) -> Self {
        Self { shows_last_whole: true, ..self }
    }

    /// Adds a row; texts may be of other people's making.
    pub(super) fn push(&mut self, row: [StyledText; N]) {
        self.rows.push(row);
    }

    /// Prints all rows, or at a terminal that there are `none`.
    pub(super) fn print(self, out: &mut Output, none: &str) -> Result<()> {
        if !out.is_terminal {
            let line =
                |row: &[StyledText; N]| row.each_ref().map(|cell| escaped(&cell.text)).join("\t");
            return self.rows.iter().try_for_each(|row| out.line(line(row)));
        }
        if self.rows.is_empty() {
            return out.line(none);
        }
        let headings = self.headings.map(|text| StyledText::new(text, CellStyle::Heading));
        let shown = self.rows.into_iter().map(|row| row.map(StyledText::visible));
        let rows: Vec<_> = std::iter::once(headings).chain(shown).collect();
        let widest = |at: usize| rows.iter().map(|row| width(&row[at].text)).max();
        let widths: [usize; N] = std::array::from_fn(|at| widest(at).unwrap_or(0).min(MAX_COLUMNS));
        let before_last: usize = widths.iter().take(N - 1).map(|width| width + 1).sum();
        let last = columns().saturating_sub(before_last).max(MAX_COLUMNS / 2);
        for row in &rows {
            let below = &row[N - 1];
            let is_below = self.shows_last_whole && width(&below.text) > last;
            let cells: Vec<_> = (0..N)
                .map(|at| {
                    let width = if at + 1 == N { last } else { widths[at] };
                    let text = if at + 1 == N && is_below { "" } else { &*row[at].text };
                    if at + 1 == N {
                        StyledText::new(cut(text, width), row[at].look)
                    } else {
                        StyledText::of_width(text, width, row[at].look)
                    }
                })
                .collect();
            out.line(printed(&cells, out.has_color))?;
            if is_below {
                let wide = columns().saturating_sub(INDENT.len());
                for line in wrap(&below.text, wide, MAX_ROWS).rows {
                    out.line(format!("{INDENT}{line}"))?;
                }
            }
        }
        Ok(())
    }
}

impl StyledText {
    /// The same, safe for a terminal.
    fn visible(self) -> Self {
        Self { text: visible(&self.text).into_owned(), ..self }
    }
}
