//! Messages on standard output, in every form that lists have.

mod cell;
mod details;
mod fields;
mod style;
mod table;
mod time;
mod watched;

pub(super) use cell::{ID_DIGITS, short};
pub(super) use details::details;
pub(super) use style::{Look, StyledText, printed};
pub(super) use time::{local_time, short_time, utc};
pub(super) use watched::{change_row, watched_row};

use super::output::{Output, columns};
use crate::cli::{Column, Format, Shape, TemplatePart};
use crate::clock::now;
use crate::error::Result;
use crate::model::message::Message;
use jiff::tz::TimeZone;

/// The form of a list, as it was asked for or as standard output wants it.
pub(super) struct ListForm {
    format: Format,
    columns: Option<Vec<Column>>,
}

impl ListForm {
    pub(super) fn of(shape: &Shape, out: &Output) -> Self {
        let format = match &shape.format {
            Some(format) => format.clone(),
            None if shape.json => Format::Jsonl,
            None if out.is_terminal => Format::Table,
            None => Format::Tsv,
        };
        let columns = (!shape.columns.is_empty()).then(|| shape.columns.clone());
        Self { format, columns }
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
        match &self.format {
            Format::Json => out.json(&messages),
            Format::Table if messages.is_empty() => out.line("no messages"),
            Format::Table => {
                let shown = self.columns.as_deref().unwrap_or(&table::COLUMNS);
                let zone = TimeZone::system();
                for row in table::rows(messages, shown, columns(), now(), &zone) {
                    out.line(printed(&row, out.has_color))?;
                }
                Ok(())
            }
            _ => messages.iter().try_for_each(|message| self.print_one(out, message)),
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
