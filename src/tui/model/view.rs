//! Overlay of the stream: everything about one message, or the keys.

use super::rows::local;
use crate::model::message::Message;
use crate::text;
use crate::tui::keys::{Mode, TABLE};
use jiff::tz::TimeZone;

/// The most rows of a content; more is for `rechat get`.
const MAX_ROWS: usize = 5_000;

/// Columns of the names left of the values.
const NAMES: usize = 14;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Line {
    Title(String),
    Row { name: String, text: String },
}

/// The subject.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Subject {
    Keys,
    Message(Box<Message>),
}

/// Rows that can be scrolled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    #[allow(missing_docs)]
    pub subject: Subject,
    lines: Vec<Line>,
    top: usize,
    size: (u16, u16),
}

impl View {
    /// From its top, on a size.
    pub fn new(subject: Subject, size: (u16, u16), zone: &TimeZone) -> Self {
        let mut view = Self { subject, lines: Vec::new(), top: 0, size: (0, 0) };
        view.lay_out(size, zone);
        view
    }

    /// Lays it out for a size, after that or its subject has changed.
    pub fn lay_out(&mut self, size: (u16, u16), zone: &TimeZone) {
        self.size = size;
        let width = usize::from(size.0);
        self.lines = match &self.subject {
            Subject::Keys => keys(width),
            Subject::Message(message) => details(message, width, zone),
        };
        self.scroll(0);
    }

    /// The size it is laid out for.
    pub fn size(&self) -> (u16, u16) {
        self.size
    }

    /// The title of its frame.
    pub fn title(&self) -> &'static str {
        match self.subject {
            Subject::Keys => "Keys",
            Subject::Message(_) => "Message",
        }
    }

    /// The rows on the screen.
    pub fn shown(&self) -> &[Line] {
        let end = (self.top + usize::from(self.size.1)).min(self.lines.len());
        &self.lines[self.top..end]
    }

    /// How many rows lie below.
    pub fn below(&self) -> usize {
        self.lines.len() - self.top - self.shown().len()
    }

    /// Scrolls by rows, not beyond an end.
    pub fn scroll(&mut self, rows: isize) {
        let most = self.lines.len().saturating_sub(usize::from(self.size.1));
        self.top = self.top.saturating_add_signed(rows).min(most);
    }

    /// A page, in rows.
    pub fn page(&self) -> isize {
        usize::from(self.size.1).max(2).cast_signed() - 1
    }
}

fn keys(width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for mode in Mode::ALL {
        if !lines.is_empty() {
            lines.push(Line::Row { name: String::new(), text: String::new() });
        }
        lines.push(Line::Title(mode.title().to_owned()));
        for binding in TABLE.iter().filter(|binding| binding.mode == mode) {
            let names: Vec<_> = binding.keys.iter().map(ToString::to_string).collect();
            row(&mut lines, &names.join(", "), binding.help, width);
        }
    }
    lines
}

fn details(message: &Message, width: usize, zone: &TimeZone) -> Vec<Line> {
    let time = |seconds| {
        let time = local(seconds, zone).strftime("%Y-%m-%d %H:%M:%S %:z");
        format!("{time} ({seconds})")
    };
    let sender = message.sender.as_ref().map(|sender| format!("{} ({})", sender.name, sender.id));
    let rows = [
        ("status", Some(message.status.to_string())),
        ("type", Some(message.message_type().to_string())),
        ("direction", Some(message.direction.to_string())),
        ("platform", Some(message.platform_or_local().to_owned())),
        ("conversation", Some(message.recipient.clone())),
        ("name", message.conversation_name.clone()),
        ("sender", sender),
        ("account", message.account.clone()),
        ("created", Some(time(message.created_at))),
        ("updated", Some(time(message.updated_at))),
        ("retries", Some(message.retry_count.to_string())),
        ("last error", message.last_error.clone()),
        ("id", Some(message.id.to_string())),
    ];
    let mut lines = Vec::new();
    for (name, value) in rows {
        if let Some(value) = value {
            row(&mut lines, name, &value, width);
        }
    }
    lines.push(Line::Title("content".into()));
    let content = text::wrap(&text::readable(message), width, MAX_ROWS);
    let row = |text| Line::Row { name: String::new(), text };
    lines.extend(content.rows.into_iter().map(row));
    if content.is_cut {
        lines.push(Line::Title("there is more; `rechat get` prints all of it".into()));
    }
    lines
}

/// A name and its value; below each other where there is no room beside.
fn row(lines: &mut Vec<Line>, name: &str, value: &str, width: usize) {
    let is_narrow = width < NAMES * 2;
    let columns = if is_narrow { width } else { width - NAMES - 1 };
    let is_long = text::width(name) > NAMES;
    if is_narrow || is_long {
        lines.push(Line::Row { name: name.to_owned(), text: String::new() });
    }
    for (index, text) in text::wrap(value, columns, 100).rows.into_iter().enumerate() {
        let is_beside = index == 0 && !is_narrow && !is_long;
        let name = if is_beside { name.to_owned() } else { String::new() };
        let name = if is_narrow { name } else { format!("{name}{}", pad(&name)) };
        lines.push(Line::Row { name, text });
    }
}

fn pad(name: &str) -> String {
    " ".repeat((NAMES + 1).saturating_sub(text::width(name)))
}
