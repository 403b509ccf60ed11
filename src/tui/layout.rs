//! Positions of everything on the screen, at any size.

use ratatui::layout::Rect;

/// Width from which the list and the stream stand side by side while somebody is in the list.
const SIDE_BY_SIDE: u16 = 60;

/// The narrowest and the widest list.
const NARROWEST_LIST: u16 = 24;
const WIDEST_LIST: u16 = 38;

/// Columns of the stream that leave 50 for the text of messages. Where the list would take some of
/// them, it folds away while messages are read and written.
const STREAM: u16 = 72;

/// The least size on which anything can be read.
const MIN_SIZE: (u16, u16) = (12, 4);

/// Heights from which there is room for more than the messages themselves.
const WITH_TITLES: u16 = 7;
const WITH_TWO_ROWS: u16 = 14;

/// The one of the two that is shown if there is room for only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Front {
    /// The conversations.
    List,
    /// The messages.
    Stream,
}

/// The areas; one that is not shown is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The whole screen.
    pub screen: Rect,
    /// Above the list.
    pub list_title: Rect,
    /// The conversations.
    pub list: Rect,
    /// Rows that a conversation takes.
    pub rows_each: u16,
    /// The line between the list and the stream.
    pub line: Rect,
    /// Above the stream.
    pub stream_title: Rect,
    /// The messages.
    pub stream: Rect,
    /// Above what is written.
    pub write_title: Rect,
    /// The text that is written, or searched for.
    pub write: Rect,
    /// The lowest row.
    pub status: Rect,
}

impl Layout {
    /// The areas of a screen; `rows` are those that what is written takes.
    pub fn of((width, height): (u16, u16), front: Front, rows: u16) -> Self {
        let screen = Rect::new(0, 0, width, height);
        if width < MIN_SIZE.0 || height < MIN_SIZE.1 {
            return Self { screen, rows_each: 1, ..Self::default() };
        }
        let title = u16::from(height >= WITH_TITLES);
        let above_status = height - 1;
        let beside = width.saturating_sub(STREAM + 1);
        let (list_width, line_width) = match front {
            _ if beside >= NARROWEST_LIST => (beside.min((width / 3).min(WIDEST_LIST)), 1),
            Front::List if width >= SIDE_BY_SIDE => (NARROWEST_LIST, 1),
            Front::List => (width, 0),
            Front::Stream => (0, 0),
        };
        let left = list_width + line_width;
        let stream_width = width - left;
        let write_rows = if stream_width == 0 { 0 } else { rows.clamp(1, (height / 3).max(1)) };
        let write_title = if stream_width == 0 { 0 } else { title };
        let stream_rows = above_status - title - write_title - write_rows;
        let write_at = title + stream_rows + write_title;
        Self {
            screen,
            list_title: Rect::new(0, 0, list_width, title),
            list: Rect::new(0, title, list_width, above_status - title),
            rows_each: if height >= WITH_TWO_ROWS { 2 } else { 1 },
            line: Rect::new(list_width, 0, line_width, above_status),
            stream_title: Rect::new(left, 0, stream_width, title),
            stream: Rect::new(left, title, stream_width, stream_rows),
            write_title: Rect::new(left, write_at - write_title, stream_width, write_title),
            write: Rect::new(left, write_at, stream_width, write_rows),
            status: Rect::new(0, height - 1, width, 1),
        }
    }

    /// Whether the list is not shown.
    pub fn is_folded(&self) -> bool {
        self.list.width == 0
    }

    /// Number of conversations that fit.
    pub fn list_rows(&self) -> usize {
        usize::from(self.list.height / self.rows_each.max(1)).max(1)
    }

    /// Where a list to choose from lies: over the upper part of everything.
    pub fn picker(&self) -> Rect {
        let above_status = self.screen.height.saturating_sub(self.status.height);
        let width = self.screen.width.min(72);
        let height = above_status.min(16);
        let (x, y) = ((self.screen.width - width) / 2, (above_status - height) / 4);
        Rect::new(x, y, width, height)
    }

    /// Where a view of one message, or of the keys, lies: over the stream, or over everything.
    pub fn view(&self) -> Rect {
        let above_status = self.screen.height.saturating_sub(self.status.height);
        if self.stream.width >= 40 {
            return Rect::new(self.stream.x, 0, self.stream.width, above_status);
        }
        Rect::new(0, 0, self.screen.width, above_status)
    }
}
