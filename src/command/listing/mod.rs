//! Messages on standard output, in every form that lists have.

mod cell;
mod details;
mod fields;
mod marked;
mod style;
mod table;
mod time;
mod watched;

pub(super) use cell::{ID_DIGITS, short};
pub(super) use details::details;
pub(super) use marked::MarkedText;
pub(super) use style::{CellStyle, StyledText, printed};
pub(super) use time::{local_time, short_time, time_for, utc};
pub(super) use watched::{change_row, watched_row};

use super::output::{Output, columns};
use crate::cli::{Column, Format, ListFormatArgs, TemplatePart};
use crate::clock::now;
use crate::error::Result;
use crate::model::message::Message;
use crate::search::Needle;
use jiff::tz::TimeZone;

/// The form of a list, as it was asked for or as standard output wants it.
pub(super) struct ListForm {
    format: Format,
    columns: Option<Vec<Column>>,
    /// The text that was searched for, which a table marks.
    needle: Option<Needle>,
}

impl ListForm {
    pub(super) fn of(shape: &ListFormatArgs, out: &Output) -> Self {
        let usual = Self::usual(shape.json, out);
        let format = shape.format.clone().unwrap_or(usual.format);
        let columns = (!shape.columns.is_empty()).then(|| shape.columns.clone());
        Self { format, columns, needle: None }
    }

    /// The form of a list where none is asked for: a table at a terminal, else lines.
    pub(super) fn usual(as_json: bool, out: &Output) -> Self {
        let format = match out.is_terminal {
            _ if as_json => Format::Jsonl,
            true => Format::Table,
            false => Format::Tsv,
        };
        Self { format, columns: None, needle: None }
    }

    /// Marks a text in the table.
    pub(super) fn marking(self, text: Option<&str>) -> Self {
        Self { needle: text.and_then(Needle::new), ..self }
    }

    /// The text that the table marks.
    pub(super) fn needle(&self) -> Option<&Needle> {
        self.needle.as_ref()
    }

    /// Whether a table for people is printed.
    pub(super) fn is_table(&self) -> bool {
        self.format == Format::Table
    }

    /// Whether the names of conversations are printed.
    pub(super) fn has_names(&self) -> bool {
        let has = |columns: &[Column]| columns.contains(&Column::Name);
        match &self.format {
            Format::Table => true,
            Format::Tsv => self.columns.as_deref().is_some_and(has),
            Format::Template(template) => {
                template.0.iter().any(|part| matches!(part, TemplatePart::Column(Column::Name)))
            }
            Format::Json | Format::Jsonl => false,
        }
    }

    /// Leaves a column out of the table, unless it was asked for.
    pub(super) fn without(mut self, needless: Column) -> Self {
        if self.is_table() && self.columns.is_none() {
            let columns = table::COLUMNS.into_iter().filter(|&column| column != needless);
            self.columns = Some(columns.collect());
        }
        self
    }

    /// Prints messages in their order.
    pub(super) fn print(&self, out: &mut Output, messages: &[Message]) -> Result<()> {
        self.print_groups(out, &[messages])
    }

    /// Prints groups of messages in their order; a table has a gap between them.
    pub(super) fn print_groups(&self, out: &mut Output, groups: &[&[Message]]) -> Result<()> {
        let mut messages = groups.iter().copied().flatten();
        match &self.format {
            Format::Json => out.json(&messages.collect::<Vec<_>>()),
            Format::Table if groups.iter().all(|group| group.is_empty()) => out.line("no messages"),
            Format::Table => {
                let width = columns();
                let usual = table::usual_columns(groups, width);
                let shown = self.columns.as_deref().unwrap_or(usual);
                let (zone, needle) = (TimeZone::system(), self.needle());
                for row in table::rows(groups, shown, width, (now(), &zone), needle) {
                    out.line(printed(&row, out.has_color))?;
                }
                Ok(())
            }
            _ => messages.try_for_each(|message| self.print_one(out, message)),
        }
    }

    /// Prints one message on a line of its own.
    pub(super) fn print_one(&self, out: &mut Output, message: &Message) -> Result<()> {
        match &self.format {
            Format::Json | Format::Jsonl => out.json(message),
            Format::Template(template) => out.line(fields::filled(message, template)),
            Format::Tsv | Format::Table => {
                let columns = self.columns.as_deref().unwrap_or(&fields::FIELDS);
                out.line(fields::fields(message, columns))
            }
        }
    }
}
