//! Parts of a row on a terminal, and how they look.

use crate::model::message::Status;
use crate::text::{cut, width};
use crossterm::style::{Color, Stylize};

/// A part of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StyledText {
    pub(crate) text: String,
    pub(crate) look: Look,
}

/// How a part of a row looks where there are colors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    Plain,
    Heading,
    Quiet,
    /// Wants to be read first.
    Strong,
    Status(Status),
}

impl StyledText {
    /// A text as it is.
    pub(crate) fn new(text: impl Into<String>, look: Look) -> Self {
        Self { text: text.into(), look }
    }

    /// A text of just so many columns.
    pub(crate) fn of_width(text: &str, columns: usize, look: Look) -> Self {
        let text = cut(text, columns);
        let gap = " ".repeat(columns.saturating_sub(width(&text)));
        Self { text: format!("{text}{gap}"), look }
    }

    fn styled(&self) -> String {
        let text = self.text.as_str();
        match self.look {
            Look::Plain => text.to_owned(),
            Look::Heading | Look::Strong => text.bold().to_string(),
            Look::Quiet => text.dark_grey().to_string(),
            Look::Status(status) => text.with(color(status)).to_string(),
        }
    }
}

/// A row as it is printed.
pub(crate) fn printed(row: &[StyledText], has_color: bool) -> String {
    let text = |piece: &StyledText| if has_color { piece.styled() } else { piece.text.clone() };
    let row: Vec<_> = row.iter().map(text).collect();
    row.join(" ").trim_end().to_owned()
}

fn color(status: Status) -> Color {
    match status {
        Status::Pending | Status::Sending => Color::Yellow,
        Status::Sent => Color::Green,
        Status::Failed => Color::Red,
        Status::Canceled => Color::DarkGrey,
    }
}
