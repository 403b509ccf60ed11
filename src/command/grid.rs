//! Facts in rows: aligned columns for people, fields separated by tabs for programs.

use super::listing::{Look, Piece, printed};
use super::output::{Output, columns};
use crate::error::Result;
use crate::text::{escaped, visible, width};

/// The most columns of a cell that is not the last one.
const MOST: usize = 40;

/// Rows of cells below headings.
pub(super) struct Grid<const N: usize> {
    headings: [&'static str; N],
    rows: Vec<[Piece; N]>,
}

/// A cell without a look of its own.
pub(super) fn cell(text: impl Into<String>) -> Piece {
    Piece::new(text, Look::Plain)
}

/// A cell that is read last.
pub(super) fn quiet(text: impl Into<String>) -> Piece {
    Piece::new(text, Look::Quiet)
}

impl<const N: usize> Grid<N> {
    pub(super) fn new(headings: [&'static str; N]) -> Self {
        Self { headings, rows: Vec::new() }
    }

    /// Adds a row; texts may be of other people's making.
    pub(super) fn push(&mut self, row: [Piece; N]) {
        self.rows.push(row);
    }

    /// Prints all rows, or at a terminal that there are `none`.
    pub(super) fn print(self, out: &mut Output, none: &str) -> Result<()> {
        if !out.is_terminal {
            let line = |row: &[Piece; N]| row.each_ref().map(|cell| escaped(&cell.text)).join("\t");
            return self.rows.iter().try_for_each(|row| out.line(line(row)));
        }
        if self.rows.is_empty() {
            return out.line(none);
        }
        let headings = self.headings.map(|text| Piece::new(text, Look::Heading));
        let shown = self.rows.into_iter().map(|row| row.map(Piece::visible));
        let rows: Vec<_> = std::iter::once(headings).chain(shown).collect();
        let widest = |at: usize| rows.iter().map(|row| width(&row[at].text)).max();
        let widths: [usize; N] = std::array::from_fn(|at| widest(at).unwrap_or(0).min(MOST));
        let before_last: usize = widths.iter().take(N - 1).map(|width| width + 1).sum();
        let last = columns().saturating_sub(before_last).max(MOST / 2);
        for row in &rows {
            let cells: Vec<_> = (0..N)
                .map(|at| {
                    let width = if at + 1 == N { last } else { widths[at] };
                    Piece::of_width(&row[at].text, width, row[at].look)
                })
                .collect();
            out.line(printed(&cells, out.has_color))?;
        }
        Ok(())
    }
}

impl Piece {
    /// The same, safe for a terminal.
    fn visible(self) -> Self {
        Self { text: visible(&self.text).into_owned(), ..self }
    }
}
