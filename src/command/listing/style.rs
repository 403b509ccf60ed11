//! Parts of a row on a terminal, and how they look.

use super::marked::MarkedText;
use crate::model::message::Status;
use crate::text::width;
use crossterm::style::{Color, Stylize};
use std::ops::Range;

/// A part of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StyledText {
    pub(crate) text: String,
    pub(crate) look: CellStyle,
    /// Where it has what was searched for.
    pub(crate) hits: Vec<Range<usize>>,
}

/// How a part of a row looks where there are colors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CellStyle {
    Plain,
    Heading,
    Quiet,
    /// Wants to be read first.
    Strong,
    Status(Status),
}

impl StyledText {
    /// A text as it is.
    pub(crate) fn new(text: impl Into<MarkedText>, look: CellStyle) -> Self {
        let MarkedText { text, hits } = text.into();
        Self { text, look, hits }
    }

    /// A text of just so many columns.
    pub(crate) fn of_width(text: impl Into<MarkedText>, columns: usize, look: CellStyle) -> Self {
        let MarkedText { mut text, hits } = text.into().cut(columns);
        let gap = columns.saturating_sub(width(&text));
        text.extend(std::iter::repeat_n(' ', gap));
        Self { text, look, hits }
    }

    fn styled(&self) -> String {
        let mut styled = String::new();
        let mut end = 0;
        for hit in &self.hits {
            styled.push_str(&self.look.apply(&self.text[end..hit.start]));
            styled.push_str(&self.text[hit.clone()].bold().reverse().to_string());
            end = hit.end;
        }
        styled.push_str(&self.look.apply(&self.text[end..]));
        styled
    }
}

impl CellStyle {
    fn apply(self, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Heading | Self::Strong => text.bold().to_string(),
            Self::Quiet => text.dark_grey().to_string(),
            Self::Status(status) => text.with(color(status)).to_string(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::Needle;

    #[test]
    fn a_hit_is_marked_with_colors_and_never_without() {
        let found = MarkedText::find(&Needle::new("ＬＵＮＣＨ").unwrap(), "Lunch at 1");
        let row = [StyledText::of_width(found, 12, CellStyle::Quiet)];
        assert_eq!(printed(&row, false), "Lunch at 1");
        crossterm::style::force_color_output(true);
        let shown = printed(&row, true);
        assert!(shown.contains("\u{1b}[7m") && shown.contains("Lunch\u{1b}["), "{shown:?}");
        assert!(shown.ends_with("at 1  \u{1b}[39m"), "{shown:?}");
    }
}
