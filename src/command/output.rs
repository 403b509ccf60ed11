//! What commands print: for people on a terminal, for programs in a pipe.

use crate::error::{Error, Result};
use crate::model::message::{Direction, Message, Status};
use comfy_table::{
    Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Table, Width, presets,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::io::{self, IsTerminal, Write};

/// An ID, and the space around it.
const ID_WIDTH: u16 = 38;

/// Columns of a terminal from which on there is room for everything.
const WIDE: u16 = 110;

/// Standard output, and what it allows.
pub struct Output {
    out: io::BufWriter<io::Stdout>,
    /// A person reads it.
    pub is_terminal: bool,
    has_colour: bool,
}

impl Output {
    /// Colours only on a terminal that wants them (<https://no-color.org>).
    pub fn new() -> Self {
        let is_terminal = io::stdout().is_terminal();
        let wants_none = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            out: io::BufWriter::new(io::stdout()),
            is_terminal,
            has_colour: is_terminal && !wants_none,
        }
    }

    /// Prints a line; a reader that has gone ends the program in silence.
    pub fn line(&mut self, text: impl std::fmt::Display) -> Result<()> {
        writeln!(self.out, "{text}").map_err(|error| Error::of_output(&error))
    }

    /// Prints a value as one line of JSON.
    pub fn json<T: Serialize>(&mut self, value: &T) -> Result<()> {
        let text =
            serde_json::to_string(value).map_err(|error| Error::failed(error.to_string()))?;
        self.line(text)
    }

    /// Prints what is left; to be called at the end, for only so its errors are seen.
    pub fn finish(mut self) -> Result<()> {
        self.flush()
    }

    /// Prints what was gathered so far.
    pub fn flush(&mut self) -> Result<()> {
        self.out.flush().map_err(|error| Error::of_output(&error))
    }

    /// One message as a line for people who watch.
    pub fn one_line(&mut self, message: &Message) -> Result<()> {
        let conversation = message.conversation_name.as_ref().unwrap_or(&message.recipient);
        let from = message.sender.as_ref().map(|sender| format!("{}: ", visible(&sender.name)));
        self.line(format_args!(
            "{} {} {} {}  {}{}",
            local_time(message.created_at),
            arrow(message.direction),
            visible(message.platform_or_local()),
            visible(conversation),
            from.unwrap_or_default(),
            labelled(message)
        ))
    }

    /// Messages as a table as wide as the terminal.
    pub fn table(&mut self, messages: &[Message]) -> Result<()> {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        let is_narrow = table.width().is_some_and(|width| width < WIDE);
        table.set_header(
            ["TIME", "", "PLATFORM", "CONVERSATION", "STATUS", "FROM", "CONTENT", "ID"]
                .map(|name| self.styled(Cell::new(name), None, Some(Attribute::Bold))),
        );
        let mut constrain = |column, constraint| {
            table.column_mut(column).map(|column| column.set_constraint(constraint));
        };
        // Never cut: other commands ask for it.
        constrain(7, ColumnConstraint::LowerBoundary(Width::Fixed(ID_WIDTH)));
        if is_narrow {
            constrain(0, ColumnConstraint::Hidden);
            constrain(5, ColumnConstraint::Hidden);
        }
        for message in messages {
            let from = message.sender.as_ref().map_or("", |sender| sender.name.as_str());
            let conversation = message.conversation_name.as_ref().unwrap_or(&message.recipient);
            let mut row = comfy_table::Row::from(vec![
                self.styled(Cell::new(local_time(message.created_at)), Some(Color::DarkGrey), None),
                Cell::new(arrow(message.direction)),
                Cell::new(visible(message.platform_or_local())),
                Cell::new(visible(conversation)),
                self.styled(Cell::new(message.status), Some(colour(message.status)), None),
                Cell::new(visible(from)),
                Cell::new(labelled(message)),
                self.styled(Cell::new(message.id), Some(Color::DarkGrey), None),
            ]);
            row.max_height(1);
            table.add_row(row);
        }
        self.line(table)
    }

    fn styled(&self, cell: Cell, colour: Option<Color>, attribute: Option<Attribute>) -> Cell {
        if !self.has_colour {
            return cell;
        }
        let cell = colour.into_iter().fold(cell, Cell::fg);
        attribute.into_iter().fold(cell, Cell::add_attribute)
    }

    /// One message as tab-separated fields.
    pub fn fields(&mut self, message: &Message) -> Result<()> {
        let time = Timestamp::from_second(message.created_at.try_into().unwrap_or_default())
            .unwrap_or_default();
        let from = message.sender.as_ref().map_or("", |sender| sender.name.as_str());
        self.line(format_args!(
            "{time}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
            message.direction,
            visible(message.platform_or_local()),
            visible(&message.recipient),
            message.status,
            message.message_type,
            visible(from),
            visible(&message.content),
            message.id
        ))
    }

    /// One message with every field it has, a line each.
    pub fn details(&mut self, message: &Message) -> Result<()> {
        let time = |seconds| format!("{} ({seconds})", local_time(seconds));
        let sender =
            message.sender.as_ref().map(|s| format!("{} ({})", visible(&s.name), visible(&s.id)));
        let rows = [
            ("id", Some(message.id.to_string())),
            ("status", Some(message.status.to_string())),
            ("type", Some(message.message_type.to_string())),
            ("direction", Some(message.direction.to_string())),
            ("platform", Some(visible(message.platform_or_local()))),
            ("recipient", Some(visible(&message.recipient))),
            ("conversation", message.conversation_name.as_deref().map(visible)),
            ("sender", sender),
            ("account", message.account.as_deref().map(visible)),
            ("created", Some(time(message.created_at))),
            ("updated", Some(time(message.updated_at))),
            ("retries", Some(message.retry_count.to_string())),
            ("last error", message.last_error.as_deref().map(visible)),
            ("content", Some(visible(&message.content))),
        ];
        for (name, value) in rows {
            if let Some(value) = value {
                self.line(format_args!("{name:<13} {value}"))?;
            }
        }
        Ok(())
    }
}

/// Text whose control characters cannot reach a terminal or break a line.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\t' => shown.push_str("\\t"),
            '\r' => shown.push_str("\\r"),
            '\\' => shown.push_str("\\\\"),
            // The controls of Unicode's bidirectional algorithm can turn a line around.
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => shown.extend(c.escape_unicode()),
            c if c.is_control() => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    shown
}

fn labelled(message: &Message) -> String {
    let error = message.last_error.as_deref().map(|error| format!(" ({})", visible(error)));
    let content = visible(&message.content);
    let label = match message.message_type {
        crate::model::message::MessageType::Text => String::new(),
        other => format!("[{other}] "),
    };
    format!("{label}{content}{}", error.unwrap_or_default())
}

pub(super) fn local_time(seconds: u64) -> String {
    let time = Timestamp::from_second(seconds.try_into().unwrap_or_default()).unwrap_or_default();
    time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn arrow(direction: Direction) -> &'static str {
    match direction {
        Direction::Outbound => "→",
        Direction::Inbound => "←",
    }
}

fn colour(status: Status) -> Color {
    match status {
        Status::Pending | Status::Sending => Color::Yellow,
        Status::Sent => Color::Green,
        Status::Failed => Color::Red,
        Status::Canceled => Color::DarkGrey,
    }
}
