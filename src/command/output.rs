//! Output of commands: for people on a terminal, for programs in a pipe.

use super::listing::{self, Look, Piece, arrow};
use crate::error::{Error, Result};
use crate::model::message::{Message, Status};
use crate::text::{escaped, json_for_terminal, readable, visible};
use crossterm::style::{Color, Stylize};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::io::{self, IsTerminal, Write};

/// Columns of a terminal that does not tell how wide it is.
const USUAL_COLUMNS: u16 = 80;

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
        if self.is_terminal { self.line(json_for_terminal(&text)) } else { self.line(text) }
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
        let error = message.last_error.as_deref().map(|error| format!(" ({})", visible(error)));
        self.line(format_args!(
            "{} {} {} {}  {}{}{}",
            local_time(message.created_at),
            arrow(message.direction),
            visible(message.platform_or_local()),
            visible(conversation),
            from.unwrap_or_default(),
            visible(&readable(message)),
            error.unwrap_or_default()
        ))
    }

    /// Messages, the newest first, as wide as the terminal.
    pub fn listing(&mut self, messages: &[Message]) -> Result<()> {
        for row in listing::rows(messages, columns(), &TimeZone::system()) {
            let pieces: Vec<_> = row.iter().map(|piece| self.styled(piece)).collect();
            self.line(pieces.join(" ").trim_end())?;
        }
        Ok(())
    }

    fn styled(&self, piece: &Piece) -> String {
        let text = piece.text.as_str();
        if !self.has_colour {
            return text.to_owned();
        }
        match piece.look {
            Look::Plain => text.to_owned(),
            Look::Heading => text.bold().to_string(),
            Look::Quiet => text.dark_grey().to_string(),
            Look::Status(status) => text.with(colour(status)).to_string(),
        }
    }

    /// One message as tab-separated fields.
    pub fn fields(&mut self, message: &Message) -> Result<()> {
        let time = Timestamp::from_second(message.created_at.try_into().unwrap_or_default())
            .unwrap_or_default();
        let from = message.sender.as_ref().map_or("", |sender| sender.name.as_str());
        self.line(format_args!(
            "{time}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
            message.direction,
            escaped(message.platform_or_local()),
            escaped(&message.recipient),
            message.status,
            message.message_type(),
            escaped(from),
            escaped(&message.content.readable()),
            message.id
        ))
    }

    /// One message with every field it has, a line each.
    pub fn details(&mut self, message: &Message) -> Result<()> {
        let time = |seconds| format!("{} ({seconds})", local_time(seconds));
        let sender =
            message.sender.as_ref().map(|s| format!("{} ({})", escaped(&s.name), escaped(&s.id)));
        let rows = [
            ("id", Some(message.id.to_string())),
            ("status", Some(message.status.to_string())),
            ("type", Some(message.message_type().to_string())),
            ("direction", Some(message.direction.to_string())),
            ("platform", Some(escaped(message.platform_or_local()))),
            ("conversation", Some(escaped(&message.recipient))),
            ("name", message.conversation_name.as_deref().map(escaped)),
            ("sender", sender),
            ("account", message.account.as_deref().map(escaped)),
            ("created", Some(time(message.created_at))),
            ("updated", Some(time(message.updated_at))),
            ("retries", Some(message.retry_count.to_string())),
            ("last error", message.last_error.as_deref().map(escaped)),
            ("waiting", message.waiting.as_deref().map(escaped)),
            ("content", Some(escaped(&message.content.readable()))),
        ];
        for (name, value) in rows {
            if let Some(value) = value {
                self.line(format_args!("{name:<13} {value}"))?;
            }
        }
        Ok(())
    }
}

/// Local time to the second; the number itself where the calendar does not reach so far.
pub(super) fn local_time(seconds: u64) -> String {
    let timestamp =
        seconds.try_into().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    timestamp.map_or_else(
        || seconds.to_string(),
        |time| time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

/// Columns of the terminal. Serial lines and some containers tell 0, which stands for unknown.
fn columns() -> usize {
    let told = crossterm::terminal::size().ok().map(|(columns, _)| columns);
    told.filter(|&columns| columns > 0).unwrap_or(USUAL_COLUMNS).into()
}

fn colour(status: Status) -> Color {
    match status {
        Status::Pending | Status::Sending => Color::Yellow,
        Status::Sent => Color::Green,
        Status::Failed => Color::Red,
        Status::Canceled => Color::DarkGrey,
    }
}
